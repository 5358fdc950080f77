/*
 * A fuzz target for templates: the input is a template, a NUL, and a hostile value of
 * {config.evil}.
 */
#include "config.h"

#include <stdlib.h>

#include "engine/template.h"

#include "tests/fuzz/fuzz.h"

#include "lib/base/poison.h"

#define ARENA_LIMIT (256 * 1024 * 1024)
#define SECRET      "Zq9-never-shown"
#define ALL         (SCOPE_CONFIG | SCOPE_CURSOR | SCOPE_STEPS | SCOPE_INPUT | SCOPE_CLOCK)

static json_t *read_json(struct arena *a, const char *text)
{
	json_t *out = NULL;
	struct err e = { 0 };

	must(json_read(a, str_of(text), &out, &e));
	return out;
}

static struct scope scope_of(struct arena *a, struct str evil)
{
	struct config_secret secret = { "key", secret_new_in(a, STR(SECRET)) };
	json_t *fields = read_json(a, "[{\"name\":\"evil\"},{\"name\":\"key\","
	                              "\"type\":\"Password\"}]");
	json_t *values = read_json(a, "{}"), *text = json_stringn(evil.p, evil.len);
	struct scope scope = { .arena = a, .cursor = STR("7"), .execution_id = "x" };
	struct err e = { 0 };

	if (text != NULL)
		json_object_set_new(values, "evil", text);
	scope.config = config_new(a, fields, values, &secret, 1);
	must(scan_check(STR("{\"a\":[1.50,null,\"t\"]}"), &scope.input, &e));
	scope.steps[0] = (struct scope_step){ "step_1", scope.input };
	scope.step_count = 1;
	return scope;
}

static bool render(const struct scope *scope, struct str text, enum template_context where,
                   struct str *wire)
{
	struct template *t = NULL;
	struct http_text out = { 0 };
	struct err e = { 0 };

	if (!template_parse(scope->arena, text, ALL, &t, &e) ||
	    !template_render(t, scope, where, &out, &e)) {
		must(e.slug[0] != '\0' && e.msg[0] != '\0');
		return false;
	}
	*wire = secret_expose(out.wire);
	must(strstr(out.shown, SECRET) == NULL);
	return true;
}

/* Whatever the value is, it stays where it was put. */
static void stays(const struct scope *scope)
{
	struct scan_value root;
	struct str wire;
	struct err e = { 0 };

	if (render(scope, STR("https://{config.evil}.a/"), TEMPLATE_ORIGIN, &wire))
		must(strcspn(wire.p + 8, "/:@?#\\[ \r\n") == wire.len - 9);
	if (render(scope, STR("/{config.evil}/"), TEMPLATE_PATH, &wire))
		must(strcspn(wire.p + 1, "/:@?#\\&=+ \r\n") == wire.len - 2);
	if (render(scope, STR("{config.evil}"), TEMPLATE_QUERY, &wire))
		must(strcspn(wire.p, "/:@?#\\&=+ \r\n") == wire.len);
	if (render(scope, STR("{config.evil}"), TEMPLATE_HEADER, &wire))
		must(strcspn(wire.p, "\r\n") == wire.len);
	if (!render(scope, STR("{\"a\":\"{config.evil}\",\"b\":{config.evil}}"), TEMPLATE_JSON,
	            &wire))
		return;
	must(scan_check(wire, &root, &e));
	must(scan_count(root) == 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct str input = { (const char *)bytes, len }, text = input, evil = { NULL, 0 }, wire;
	struct arena *a;
	struct scope scope;

	if (memmem(bytes, len, SECRET, sizeof(SECRET) - 1) != NULL)
		return 0;
	a = arena_new(ARENA_LIMIT);
	str_cut(input, '\0', &text, &evil);
	scope = scope_of(a, evil);
	for (int where = TEMPLATE_PLAIN; where <= TEMPLATE_JSON; where++)
		render(&scope, text, (enum template_context)where, &wire);
	stays(&scope);
	arena_free(a);
	return 0;
}
