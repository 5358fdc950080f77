/* The shapes that pages begin with: a row for each document that a family shows. */
#include "config.h"

#include "cgi/account/account.h"
#include "cgi/collectors/collectors.h"
#include "cgi/datasources/datasources.h"
#include "cgi/trials/trials.h"
#include "lib/web/web.h"
#include "tools/tmplc.h"
#include "lib/base/poison.h"

const struct shape *const tmplc_shapes[] = {
	&tpl_nothing_shape,
	&web_problem_doc,
	/* account */
	/* datasources */
	&data_source_list_doc,
	&data_source_doc,
	NULL,
};
