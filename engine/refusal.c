/* refusal: is a good answer an error, and what does it say? */
#include "config.h"

#include "engine/decimal.h"
#include "engine/refusal.h"

#include "lib/base/poison.h"

#define DEPTH_MAX 4 /* {"errors":[{"error":{"message":...}}]} */

/*
 * Compiling
 */

static bool ok_value_compile(struct compile *c, const json_t *value, const char *at,
                             struct refusal *refusal)
{
	if (!value || json_is_null(value))
		return true;
	if (json_is_object(value) || json_is_array(value))
		return problem_add(
			c->problems, at, "wrong_type",
			"The value of a good answer is a text, a number, true or false.");
	refusal->ok_value = json_is_string(value) ? arena_strdup(c->arena, json_string_value(value))
	                                          : json_write(c->arena, value).p;
	return refusal->ok_value || compile_no_memory(c);
}

bool refusal_compile(struct compile *c, const json_t *json, const char *at, struct refusal *refusal)
{
	const char *ok = json_text(json, "okPath", NULL),
		   *error = json_text(json, "errorPath", NULL);
	const json_t *value = json_object_get(json, "okValue");
	const char *value_at = compile_at(c, json_pointer_add(c->arena, at, "okValue"));

	if (value && !json_is_null(value) && !ok)
		return problem_add(c->problems, value_at, "not_used",
		                   "The value of a good answer needs the sign (okPath) where it "
		                   "has to stand.");
	if (ok && !compile_path(c, ok, compile_at(c, json_pointer_add(c->arena, at, "okPath")),
	                        &refusal->ok))
		return false;
	if (ok) {
		refusal->ok_value = NULL;
		if (!ok_value_compile(c, value, value_at, refusal))
			return false;
	}
	return !error ||
	       compile_path(c, error, compile_at(c, json_pointer_add(c->arena, at, "errorPath")),
	                    &refusal->error);
}

/*
 * Judging
 */

static bool is_zero(struct str text)
{
	return decimal_is(text) && decimal_compare(text, STR("0")) == 0;
}

/* Says nothing: absent, null, false, zero, empty. */
static bool is_void(struct arena *arena, struct scan_value v)
{
	struct str text;

	switch (v.type) {
	case SCAN_NONE:
	case SCAN_NULL:
	case SCAN_FALSE:
		return true;
	case SCAN_TRUE:
		return false;
	case SCAN_NUMBER:
		return is_zero(v.span);
	case SCAN_ARRAY:
	case SCAN_OBJECT:
		return scan_count(v) == 0;
	case SCAN_STRING:
		break;
	}
	text = scan_text_borrowed(arena, v);
	return text.len == 0 || is_zero(text) || str_eq_nocase(text, "false");
}

static bool is_ok(const struct refusal *refusal, struct arena *arena, struct scan_value root)
{
	struct scan_value v = scan_path_first(refusal->ok, root);
	struct str text;

	if (refusal->ok_value == NULL)
		return !is_void(arena, v);
	if (v.type == SCAN_NONE || v.type == SCAN_ARRAY || v.type == SCAN_OBJECT)
		return false;
	text = scan_text_borrowed(arena, v);
	if (str_eq_text(text, refusal->ok_value))
		return true;
	return v.type == SCAN_NUMBER && decimal_is(text) && decimal_is(str_of(refusal->ok_value)) &&
	       decimal_compare(text, str_of(refusal->ok_value)) == 0;
}

static struct str message_in(struct arena *arena, struct scan_value v, int depth);

static struct str message_of_object(struct arena *arena, struct scan_value object, int depth)
{
	static const char *const names[] = { "message", "error_message", "errorMessage", "error",
		                             "errors",  "msg",           "description",  "detail",
		                             "reason",  "title",         "code" };
	struct str none = { NULL, 0 };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct scan_value member = scan_member(object, str_of(names[i]));
		struct str text =
			is_void(arena, member) ? none : message_in(arena, member, depth + 1);

		if (text.len > 0)
			return text;
	}
	return none;
}

static struct str message_in(struct arena *arena, struct scan_value v, int depth)
{
	if (depth > DEPTH_MAX)
		return (struct str){ NULL, 0 };
	if (v.type == SCAN_OBJECT)
		return message_of_object(arena, v, depth);
	if (v.type == SCAN_ARRAY)
		return message_in(arena, scan_element(v, 0), depth + 1);
	if (v.type == SCAN_STRING || v.type == SCAN_NUMBER)
		return scan_text_borrowed(arena, v);
	return (struct str){ NULL, 0 };
}

bool refusal_find(const struct refusal *refusal, struct arena *arena, struct scan_value root,
                  struct str *message)
{
	struct scan_value error = { SCAN_NONE, { NULL, 0 } };
	bool refused;

	if (root.type == SCAN_NONE)
		return false;
	if (refusal->error)
		error = scan_path_first(refusal->error, root);
	refused = !is_void(arena, error) || (refusal->ok && !is_ok(refusal, arena, root));
	if (!refused)
		return false;
	*message = message_in(arena, error, 0);
	if (message->len == 0)
		*message = message_in(arena, root, 0);
	return true;
}
