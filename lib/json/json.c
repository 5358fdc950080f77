#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/json/check.h"
#include "lib/json/json.h"
#include "lib/json/scan.h"
#include "lib/base/poison.h"

#define WRITE_DEPTH_MAX 128

_Static_assert(JSON_DEPTH_MAX == CHECK_DEPTH_MAX, "one depth");

static void *give_or_end(size_t size)
{
	void *p = malloc(size);

	if (p)
		return p;
	log_error("json_exhausted", "no memory: %zu bytes wanted", size);
	exit(EXIT_FAILURE);
}

void json_memory_ends(void)
{
	json_set_alloc_funcs(give_or_end, free);
}

static bool refuse_syntax(struct str text, const struct check *found, struct err *e)
{
	size_t line, column;

	check_place(text, found->at, &line, &column);
	if (found->fault == CHECK_TRAILING)
		return err_set(e, ERR_SYNTAX, "json_trailing",
		               "There is something behind the JSON document, at line %zu, column "
		               "%zu; send one document.",
		               line, column);
	return err_set(e, ERR_SYNTAX, "json_syntax",
	               "This is not valid JSON: line %zu, column %zu needs %s.", line, column,
	               found->wanted);
}

static bool refuse_encoding(struct err *e)
{
	return err_set(e, ERR_SYNTAX, "not_utf8", "The text is not valid UTF-8; send it as UTF-8.");
}

/* UTF-16 and UTF-32 have a NUL among the first bytes of any JSON text (RFC 4627 3). */
static bool is_other_unicode(struct str text)
{
	return memchr(text.p, '\0', text.len < 4 ? text.len : 4) != NULL;
}

static bool refuse(struct str text, const struct check *found, struct err *e)
{
	switch (found->fault) {
	case CHECK_EMPTY:
		return err_set(e, ERR_SYNTAX, "body_missing",
		               "The JSON document is missing; send it as the body.");
	case CHECK_DEEP:
		return err_set(e, ERR_SYNTAX, "json_too_deep",
		               "The JSON document is nested more than %d levels deep.",
		               JSON_DEPTH_MAX);
	case CHECK_UTF8:
		return refuse_encoding(e);
	default:
		return refuse_syntax(text, found, e);
	}
}

/* All that can be said before memory is spent on a tree. */
static bool judge(struct str text, struct check *found, struct err *e)
{
	if (text.len > 0 && (!str_utf8_valid(text) || is_other_unicode(text)))
		return refuse_encoding(e);
	if (!check_text(text, found))
		return refuse(text, found, e);
	if (scan_flags_of(found->value) & SCAN_LONE_SURROGATE)
		return err_set(e, ERR_SYNTAX, "not_utf8",
		               "A \\u escape holds half of a surrogate pair; write both halves.");
	if (found->values > JSON_ITEMS_MAX)
		return err_set(e, ERR_INPUT, "too_many_items",
		               "The JSON document holds more than %d values.", JSON_ITEMS_MAX);
	/* Jansson would read it as 0, and what was sent would not be what is kept. */
	if (found->minus_zeros > 0)
		return err_set(e, ERR_INPUT, "not_integer", "Write 0 instead of -0.");
	return true;
}

static bool no_memory(struct err *e)
{
	return err_set(e, ERR_UNAVAILABLE, "out_of_memory",
	               "There is not enough memory for this document; try again later.");
}

/* What is left for Jansson to refuse: the text is known to be valid JSON. Where its memory ran out it gives no
 * code, or calls a token invalid. */
static bool refuse_tree(struct str text, const json_error_t *why, struct err *e)
{
	size_t line, column;

	/* Jansson leaves the position behind the token that it stumbled over. */
	check_place(text, why->position > 0 ? (size_t)why->position : 0, &line, &column);
	switch (json_error_code(why)) {
	case json_error_duplicate_key:
		return err_set(
			e, ERR_SYNTAX, "json_duplicate_key",
			"The same name stands twice in one object, near line %zu, column %zu.",
			line, column);
	case json_error_numeric_overflow:
		return err_set(e, ERR_INPUT, "number_too_big",
		               "A number near line %zu, column %zu is too big.", line, column);
	case json_error_null_byte_in_key:
		return err_set(e, ERR_INPUT, "nul_not_allowed",
		               "A member's name holds the NUL character; remove it.");
	default:
		no_memory(e);
		return err_detail(e, "%s", why->text);
	}
}

static void release(void *value)
{
	json_decref(value);
}

bool json_read(struct arena *a, struct str bytes, json_t **out, struct err *e)
{
	struct check found;
	json_error_t why;
	json_t *value;

	if (!judge(bytes, &found, e))
		return false;
	value = json_loadb(found.value.p, found.value.len,
	                   JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);
	if (!value) {
		size_t before = (size_t)(found.value.p - bytes.p);

		why.position += (int)before;
		return refuse_tree(bytes, &why, e);
	}
	if (!arena_defer(a, release, value))
		return no_memory(e);
	*out = value;
	return true;
}

const char *json_text(const json_t *object, const char *member, const char *fallback)
{
	const char *text = json_string_value(json_object_get(object, member));

	return text ? text : fallback;
}

bool json_flag(const json_t *object, const char *member, bool fallback)
{
	const json_t *value = json_object_get(object, member);

	return json_is_boolean(value) ? json_is_true(value) : fallback;
}

int64_t json_int(const json_t *object, const char *member, int64_t fallback)
{
	const json_t *value = json_object_get(object, member);

	return json_is_integer(value) ? json_integer_value(value) : fallback;
}

/* The shortest of 15 to 17 digits that reads back the same; with a mark that it is a real. */
static void write_real(struct buf *b, double n)
{
	char text[40];

	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, n);
		if (strtod(text, NULL) == n)
			break;
	}
	buf_text(b, text);
	if (!strpbrk(text, ".e"))
		buf_text(b, ".0");
}

static void write_value(struct buf *b, const json_t *value, int depth);

static void write_array(struct buf *b, const json_t *array, int depth)
{
	const json_t *item;
	size_t i;

	buf_char(b, '[');
	json_array_foreach(array, i, item)
	{
		if (i > 0)
			buf_char(b, ',');
		write_value(b, item, depth);
	}
	buf_char(b, ']');
}

static void write_object(struct buf *b, const json_t *object, int depth)
{
	void *at = json_object_iter((json_t *)object);

	buf_char(b, '{');
	for (bool first = true; at; first = false) {
		if (!first)
			buf_char(b, ',');
		buf_json_string(b, str_of(json_object_iter_key(at)));
		buf_char(b, ':');
		write_value(b, json_object_iter_value(at), depth);
		at = json_object_iter_next((json_t *)object, at);
	}
	buf_char(b, '}');
}

static void write_value(struct buf *b, const json_t *value, int depth)
{
	/* Only a tree that holds itself is that deep. */
	if (depth == WRITE_DEPTH_MAX) {
		b->failed = true;
		return;
	}
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		write_object(b, value, depth + 1);
		break;
	case JSON_ARRAY:
		write_array(b, value, depth + 1);
		break;
	case JSON_STRING:
		buf_json_string(
			b, (struct str){ json_string_value(value), json_string_length(value) });
		break;
	case JSON_INTEGER:
		buf_printf(b, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		break;
	case JSON_REAL:
		write_real(b, json_real_value(value));
		break;
	case JSON_TRUE:
		buf_text(b, "true");
		break;
	case JSON_FALSE:
		buf_text(b, "false");
		break;
	case JSON_NULL:
		buf_text(b, "null");
		break;
	}
}

struct str json_write(struct arena *a, const json_t *value)
{
	struct str out = { NULL, 0 };
	struct buf b;

	buf_init(&b, SIZE_MAX / 4);
	write_value(&b, value, 0);
	if (!b.failed)
		out = arena_copy(a, buf_view(&b));
	buf_free(&b);
	return out;
}

const char *json_pointer_add(struct arena *a, const char *pointer, const char *token)
{
	struct buf b;
	const char *out = NULL;

	if (!pointer)
		return NULL;
	buf_init(&b, SIZE_MAX / 4);
	buf_text(&b, pointer);
	buf_char(&b, '/');
	for (; *token; token++) {
		if (*token == '~')
			buf_text(&b, "~0");
		else if (*token == '/')
			buf_text(&b, "~1");
		else
			buf_char(&b, *token);
	}
	if (!b.failed)
		out = arena_text(a, buf_view(&b));
	buf_free(&b);
	return out;
}

const char *json_pointer_index(struct arena *a, const char *pointer, size_t index)
{
	return pointer ? arena_printf(a, "%s/%zu", pointer, index) : NULL;
}
