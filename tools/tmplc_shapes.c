/* The shapes that pages begin with: a row for each document that a family shows. */
#include "config.h"

#include "cgi/account/account.h"
#include "lib/web/web.h"
#include "tools/tmplc.h"
#include "lib/base/poison.h"

const struct shape *const tmplc_shapes[] = {
	&tpl_nothing_shape,
	&web_problem_doc,
	/* account */
	NULL,
};
