/*
 * args - from expressions of the caller to the values libpq sends
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/db/conn.h"
#include "lib/base/poison.h"

/* Stands in `p` for "look in small": a pointer into the arg itself would not survive its copy. */
static const char in_small[1];
/* Likewise for an array that its run's arena had no room for. */
static const char out_of_memory[1];

struct db_arg db_null(void)
{
	return (struct db_arg){ .p = NULL };
}

struct db_arg db_str(struct str s)
{
	return (struct db_arg){ .p = s.p, .len = s.len };
}

struct db_arg db_text(const char *text)
{
	return (struct db_arg){ .p = text, .len = text ? strlen(text) : 0 };
}

struct db_arg db_bytes(struct str s)
{
	return (struct db_arg){ .p = s.p, .len = s.len, .binary = true };
}

struct db_arg db_uuid(const struct uuid *id)
{
	struct db_arg a = { .p = NULL };

	if (!id)
		return a;
	memcpy(a.small, id->b, sizeof(id->b));
	a.p = in_small;
	a.len = sizeof(id->b);
	a.binary = true;
	return a;
}

struct db_arg db_int(int64_t n)
{
	struct db_arg a = { .p = in_small };

	a.len = (size_t)snprintf(a.small, sizeof(a.small), "%" PRId64, n);
	return a;
}

struct db_arg db_bool(bool b)
{
	return (struct db_arg){ .p = in_small, .len = 1, .small = { b ? 't' : 'f' } };
}

/* ---- arrays: PostgreSQL's text form, every element but null in quotes ---- */

static char *quoted(char *to, struct str s)
{
	*to++ = '"';
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			*to++ = '\\';
		*to++ = s.p[i];
	}
	*to++ = '"';
	return to;
}

static char *hex(char *to, struct str s)
{
	static const char digits[] = "0123456789abcdef";

	memcpy(to, "\"\\\\x", 4);
	to += 4;
	for (size_t i = 0; i < s.len; i++) {
		*to++ = digits[(unsigned char)s.p[i] >> 4];
		*to++ = digits[(unsigned char)s.p[i] & 15];
	}
	*to++ = '"';
	return to;
}

static struct db_arg array(struct arena *arena, const struct str *all, size_t n,
                           char *(*element)(char *, struct str))
{
	size_t room = 3;
	char *p, *to;

	for (size_t i = 0; i < n; i++)
		room += 2 * all[i].len + sizeof("\"\\\\x\",");
	p = to = arena_alloc(arena, room);
	if (!p)
		return (struct db_arg){ .p = out_of_memory };
	*to++ = '{';
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			*to++ = ',';
		if (all[i].p) {
			to = element(to, all[i]);
		} else {
			memcpy(to, "NULL", 4);
			to += 4;
		}
	}
	*to++ = '}';
	return (struct db_arg){ .p = p, .len = (size_t)(to - p) };
}

struct db_arg db_strs(struct arena *arena, const struct str *all, size_t n)
{
	return array(arena, all, n, quoted);
}

struct db_arg db_byteas(struct arena *arena, const struct str *all, size_t n)
{
	return array(arena, all, n, hex);
}

struct db_arg db_ints(struct arena *arena, const int64_t *all, size_t n)
{
	const size_t each = sizeof("-9223372036854775808");
	char *text = arena_array(arena, n + 1, each);
	size_t len = 0;

	if (!text)
		return (struct db_arg){ .p = out_of_memory };
	text[len++] = '{';
	for (size_t i = 0; i < n; i++)
		len += (size_t)snprintf(text + len, each + 1, "%s%" PRId64, i ? "," : "", all[i]);
	text[len++] = '}';
	return (struct db_arg){ .p = text, .len = len };
}

struct db_arg db_uuids(struct arena *arena, const struct uuid *all, size_t n)
{
	char *text = arena_array(arena, n + 1, UUID_TEXT_MAX);
	size_t len = 0;

	if (!text)
		return (struct db_arg){ .p = out_of_memory };
	text[len++] = '{';
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			text[len++] = ',';
		uuid_format(&all[i], text + len);
		len += UUID_TEXT_MAX - 1;
	}
	text[len++] = '}';
	return (struct db_arg){ .p = text, .len = len };
}

/* For these types the binary form is the text itself, so a span goes out without a copy. */
static bool type_is_text(unsigned type)
{
	return type == DB_TYPE_TEXT || type == DB_TYPE_JSON;
}

static bool arg_fits(const struct db_arg *a, unsigned type)
{
	if (!a->p || !a->binary)
		return true;
	return a->p == in_small ? type == DB_TYPE_UUID : type == DB_TYPE_BYTEA;
}

/* libpq wants texts NUL-terminated and would silently cut at a NUL inside. */
static bool arg_terminate(struct arg_list *list, size_t i, const char *p, size_t len, struct err *e)
{
	if (memchr(p, '\0', len))
		return err_set(
			e, ERR_INPUT, "text_refused",
			"A text contains a NUL character, which cannot be stored; remove it.");
	list->copies[i] = strndup(p, len);
	if (!list->copies[i])
		return err_set(e, ERR_UNAVAILABLE, "out_of_memory", "There is not enough memory.");
	list->values[i] = list->copies[i];
	return true;
}

static bool arg_read(struct arg_list *list, size_t i, const struct db_arg *a, unsigned type,
                     struct err *e)
{
	const char *p = a->p == in_small ? a->small : a->p;

	if (!p)
		return true;
	if (p == out_of_memory)
		return err_set(e, ERR_UNAVAILABLE, "out_of_memory", "There is not enough memory.");
	if (a->len > INT32_MAX)
		return err_set(e, ERR_TOO_LARGE, "too_large", "A value is larger than 2 GiB.");
	list->values[i] = p;
	list->lengths[i] = (int)a->len;
	list->formats[i] = a->binary || type_is_text(type);
	if (list->formats[i] || a->p == in_small) /* small is zeroed: terminated */
		return true;
	return arg_terminate(list, i, p, a->len, e);
}

bool args_read(struct arg_list *list, const struct db_query *q, const struct db_arg *args,
               size_t nargs, struct err *e)
{
	const size_t max = sizeof(list->values) / sizeof(list->values[0]);

	memset(list, 0, sizeof(*list));
	if (nargs != (size_t)q->nparams || nargs > max) {
		err_set(e, ERR_BUG, "arguments", "Something is wrong on our side.");
		return err_detail(e, "query %s: %zu arguments for %d parameters", q->name, nargs,
		                  q->nparams);
	}
	list->n = nargs;
	for (size_t i = 0; i < nargs; i++) {
		if (!arg_fits(&args[i], q->types[i])) {
			err_set(e, ERR_BUG, "arguments", "Something is wrong on our side.");
			return err_detail(e, "query %s: argument %zu is binary, of another type",
			                  q->name, i + 1);
		}
		if (!arg_read(list, i, &args[i], q->types[i], e))
			return false;
	}
	return true;
}

void args_free(struct arg_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->copies[i]);
}
