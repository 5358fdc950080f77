/* The shapes that pages may name: a row for each document that a family shows. */
#include "config.h"

#include "lib/tpl/tpl.h"
#include "tools/tmplc.h"
#include "lib/base/poison.h"

const struct shape *const tmplc_shapes[] = {
	&tpl_nothing_shape,
	NULL,
};
