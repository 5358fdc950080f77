/*
 * args - from expressions of the caller to the values libpq sends
 */
#include "config.h"

#include <endian.h>
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

/* ---- arrays: PostgreSQL's binary form (array_recv), which quotes nothing ---- */

/* Dimensions, a flag for nulls, the elements' type, length and lower bound of the one dimension. The type
 * is filled in when the parameter is known. */
#define HEAD_MAX 20
#define TYPE_AT  8

static char *be32_put(char *to, uint32_t n)
{
	n = htobe32(n);
	memcpy(to, &n, sizeof(n));
	return to + sizeof(n);
}

static char *head_put(char *to, size_t n, bool nulls)
{
	to = be32_put(to, n > 0);
	to = be32_put(to, nulls);
	to = be32_put(to, 0);
	if (n == 0)
		return to;
	to = be32_put(to, (uint32_t)n);
	return be32_put(to, 1);
}

static struct db_arg array_arg(char *p, const char *end, enum db_elements elements)
{
	return (struct db_arg){
		.p = p, .len = (size_t)(end - p), .binary = true, .array = p, .elements = elements
	};
}

static struct db_arg array_failed(void)
{
	return (struct db_arg){ .p = out_of_memory };
}

static struct db_arg array_of_strs(struct arena *arena, const struct str *all, size_t n,
                                   enum db_elements elements)
{
	size_t room = HEAD_MAX;
	bool nulls = false;
	char *p, *to;

	for (size_t i = 0; i < n; i++) {
		room += sizeof(uint32_t) + all[i].len;
		nulls = nulls || !all[i].p;
	}
	p = arena_alloc(arena, room);
	if (!p)
		return array_failed();
	to = head_put(p, n, nulls);
	for (size_t i = 0; i < n; i++) {
		to = be32_put(to, all[i].p ? (uint32_t)all[i].len : UINT32_MAX);
		if (all[i].len > 0)
			memcpy(to, all[i].p, all[i].len);
		to += all[i].len;
	}
	return array_arg(p, to, elements);
}

struct db_arg db_strs(struct arena *arena, const struct str *all, size_t n)
{
	return array_of_strs(arena, all, n, DB_ELEMENTS_TEXT);
}

struct db_arg db_byteas(struct arena *arena, const struct str *all, size_t n)
{
	return array_of_strs(arena, all, n, DB_ELEMENTS_BYTES);
}

struct db_arg db_ints(struct arena *arena, const int64_t *all, size_t n)
{
	char *p = arena_alloc(arena, HEAD_MAX + n * (sizeof(uint32_t) + sizeof(*all))), *to;

	if (!p)
		return array_failed();
	to = head_put(p, n, false);
	for (size_t i = 0; i < n; i++) {
		uint64_t be = htobe64((uint64_t)all[i]);

		to = be32_put(to, sizeof(be));
		memcpy(to, &be, sizeof(be));
		to += sizeof(be);
	}
	return array_arg(p, to, DB_ELEMENTS_INT8);
}

struct db_arg db_uuids(struct arena *arena, const struct uuid *all, size_t n)
{
	char *p = arena_alloc(arena, HEAD_MAX + n * (sizeof(uint32_t) + sizeof(*all))), *to;

	if (!p)
		return array_failed();
	to = head_put(p, n, false);
	for (size_t i = 0; i < n; i++) {
		to = be32_put(to, sizeof(all[i].b));
		memcpy(to, all[i].b, sizeof(all[i].b));
		to += sizeof(all[i].b);
	}
	return array_arg(p, to, DB_ELEMENTS_UUID);
}

static const struct {
	unsigned array, element;
	enum db_elements elements;
} array_types[] = {
	{ DB_TYPE_TEXT_ARRAY, DB_TYPE_TEXT, DB_ELEMENTS_TEXT },
	{ DB_TYPE_JSON_ARRAY, DB_TYPE_JSON, DB_ELEMENTS_TEXT },
	{ DB_TYPE_BYTEA_ARRAY, DB_TYPE_BYTEA, DB_ELEMENTS_BYTES },
	{ DB_TYPE_INT8_ARRAY, DB_TYPE_INT8, DB_ELEMENTS_INT8 },
	{ DB_TYPE_UUID_ARRAY, DB_TYPE_UUID, DB_ELEMENTS_UUID },
};

/* Tells an array what its elements are; false: it cannot be of that type. */
static bool array_type_put(const struct db_arg *a, unsigned type)
{
	for (size_t i = 0; i < sizeof(array_types) / sizeof(array_types[0]); i++)
		if (array_types[i].array == type && array_types[i].elements == a->elements) {
			be32_put(a->array + TYPE_AT, array_types[i].element);
			return true;
		}
	return false;
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
	if (a->array)
		return array_type_put(a, type);
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
