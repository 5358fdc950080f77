/* compile: templates and paths of a definition, with problems at their places. */
#include "config.h"

#include "engine/compile.h"

#include "lib/base/poison.h"

const char *compile_at(const struct compile *c, const char *pointer)
{
	return c->pin ? c->pin : pointer;
}

bool compile_no_memory(struct compile *c)
{
	return problem_add(c->problems, "", "too_complex",
	                   "This definition needs more memory than one may take; make it smaller.");
}

const json_t *compile_find(const json_t *list, const char *member, struct str text)
{
	size_t i;
	const json_t *item;

	json_array_foreach(list, i, item)
	{
		const char *value = json_text(item, member, NULL);

		if (value && str_eq_text(text, value))
			return item;
	}
	return NULL;
}

struct name_check {
	struct compile *c;
	const char *at;
	bool good;
};

static void config_name_check(void *arg, struct str name)
{
	struct name_check *check = arg;

	if (compile_find(check->c->fields, "name", name))
		return;
	check->good = problem_add(check->c->problems, check->at, "unknown_config_field",
	                          "{config." STR_FMT "} names no config field of this data source.",
	                          STR_ARG(name));
}

bool compile_template(struct compile *c, const char *text, unsigned names, const char *at,
                      struct template **out)
{
	struct err e = { 0 };
	struct name_check check = { .c = c, .at = at, .good = true };

	if (!template_parse(c->arena, str_of(text), names, out, &e))
		return problem_add(c->problems, at, e.slug, "%s", e.msg);
	template_each_config(*out, config_name_check, &check);
	return check.good;
}

bool compile_path(struct compile *c, const char *text, const char *at, struct scan_path **out)
{
	struct err e = { 0 };

	*out = NULL;
	if (!text || !*text)
		return true;
	if (!scan_path_parse(c->arena, str_of(text), out, &e))
		return problem_add(c->problems, at, e.slug, "%s", e.msg);
	return true;
}
