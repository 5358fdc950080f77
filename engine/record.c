/* Where records stand in an answer, and what identifies each of them. */
#include "config.h"

#include <inttypes.h>

#include "engine/canonical.h"
#include "engine/decimal.h"
#include "engine/record_step.h"
#include "lib/base/clock.h"
#include "lib/crypt/crypt.h"

#include "lib/base/poison.h"

#define NAMES_SHOWN 5 /* members that a message lists */

const char *record_type_name(enum scan_type type)
{
	static const char *const names[] = {
		[SCAN_NONE] = "nothing",   [SCAN_NULL] = "null",        [SCAN_FALSE] = "false",
		[SCAN_TRUE] = "true",      [SCAN_NUMBER] = "a number",  [SCAN_STRING] = "a text",
		[SCAN_ARRAY] = "an array", [SCAN_OBJECT] = "an object",
	};

	return names[type];
}

/*
 * Finding
 */

/* One pass: counting first would walk over every record twice. */
struct finder {
	struct arena *arena;
	struct scan_value *list;
	size_t count, capacity;
	size_t matches;
	bool wildcard;
	bool full;          /* there was no memory for more */
	enum scan_type odd; /* something that holds no records stood at the path */
};

static bool finder_grow(struct finder *f)
{
	size_t capacity = f->capacity == 0 ? 256 : f->capacity * 2;
	struct scan_value *bigger = arena_array(f->arena, capacity, sizeof(*bigger));

	f->full = bigger == NULL;
	if (f->full)
		return false;
	if (f->count > 0)
		memcpy(bigger, f->list, f->count * sizeof(*bigger));
	f->list = bigger;
	f->capacity = capacity;
	return true;
}

static void found_one(struct finder *f, struct scan_value value)
{
	if (f->full || (f->count == f->capacity && !finder_grow(f)))
		return;
	f->list[f->count++] = value;
}

static void found_elements(struct finder *f, struct scan_value array)
{
	struct scan_iter it = scan_iter(array);
	struct scan_value value;
	struct str key;

	while (scan_next(&it, &key, &value))
		found_one(f, value);
}

static bool found(void *arg, struct scan_value value)
{
	struct finder *f = arg;

	f->matches++;
	if (value.type == SCAN_ARRAY)
		found_elements(f, value);
	else if (value.type == SCAN_OBJECT || (f->wildcard && value.type != SCAN_NULL))
		found_one(f, value);
	else if (value.type != SCAN_NULL)
		f->odd = value.type;
	return true;
}

/* "id, name, items, ...": the members of an object, for a message. */
static const char *member_names(struct arena *arena, struct scan_value object)
{
	struct scan_iter it = scan_iter(object);
	const char *names = "no members";
	struct scan_value value;
	struct str key;

	for (size_t n = 0; scan_next(&it, &key, &value); n++) {
		if (n == NAMES_SHOWN)
			return arena_printf(arena, "%s, ...", names);
		if (n == 0)
			names = arena_printf(arena, "the members %.*s",
			                     key.len > 40 ? 40 : (int)key.len, key.p);
		else
			names = arena_printf(arena, "%s, %.*s", names,
			                     key.len > 40 ? 40 : (int)key.len, key.p);
		if (names == NULL)
			return "";
	}
	return names;
}

bool record_not_found(struct arena *arena, struct scan_value body, enum scan_type odd,
                      const char *wanted, struct err *e)
{
	if (odd != SCAN_NONE)
		return err_set(e, ERR_UPSTREAM, "records_not_found",
		               "At the records path stands %s; records are %s.",
		               record_type_name(odd), wanted);
	if (body.type != SCAN_OBJECT)
		return err_set(e, ERR_UPSTREAM, "records_not_found",
		               "The answer is %s, so it has nothing at the records path.",
		               record_type_name(body.type));
	return err_set(e, ERR_UPSTREAM, "records_not_found",
	               "The answer has nothing at the records path; it is an object with %s.",
	               member_names(arena, body));
}

/* The default: the body, or its only array member. */
static bool default_place(struct arena *arena, struct scan_value body, struct scan_value *place,
                          struct err *e)
{
	struct scan_iter it = scan_iter(body);
	struct scan_value value;
	struct str key;
	size_t arrays = 0;

	*place = body;
	if (body.type == SCAN_ARRAY)
		return true;
	if (body.type != SCAN_OBJECT)
		return err_set(e, ERR_UPSTREAM, "records_not_found",
		               "The answer is %s; records are an array or a member of an object.",
		               record_type_name(body.type));
	while (scan_next(&it, &key, &value)) {
		if (value.type != SCAN_ARRAY)
			continue;
		arrays++;
		*place = value;
	}
	if (arrays == 1)
		return true;
	return err_set(e, ERR_UPSTREAM, "records_not_found",
	               "The answer is an object with %s arrays (it has %s); name the records path.",
	               arrays == 0 ? "no" : "several", member_names(arena, body));
}

static void find_all(const struct scan_path *path, struct scan_value place, struct finder *f)
{
	if (path == NULL)
		found_elements(f, place);
	else
		scan_path_each(path, place, found, f);
}

bool record_spans(struct arena *arena, const struct scan_path *path_or_null, struct scan_value body,
                  struct scan_value **records, size_t *count, struct err *e)
{
	struct finder f = { .arena = arena };
	struct scan_value place = body;

	if (path_or_null == NULL && !default_place(arena, body, &place, e))
		return false;
	f.wildcard = path_or_null != NULL && scan_path_has_wildcard(path_or_null);
	find_all(path_or_null, place, &f);
	if (path_or_null != NULL && (f.odd != SCAN_NONE || (f.matches == 0 && !f.wildcard)))
		return record_not_found(arena, body, f.odd, "an array or objects", e);
	if (f.full)
		return err_set(e, ERR_UNAVAILABLE, "out_of_memory",
		               "The page has more records than there is memory for; ask for "
		               "smaller pages.");
	*records = f.list;
	*count = f.count;
	return true;
}

/*
 * Identity
 */

static void quarantine(struct record *r, const char *slug, const char *why)
{
	if (r->fate == RECORD_QUARANTINE)
		return;
	r->fate = RECORD_QUARANTINE;
	r->slug = slug;
	r->why = why;
}

/* What cannot be stored, by flag, worst first. */
static const struct refusal {
	unsigned flag;
	const char *slug, *why;
} refusals[] = {
	{ SCAN_HAS_NUL, "nul_character",
	  "A text holds the character NUL (\\u0000), which PostgreSQL cannot store." },
	{ SCAN_LONE_SURROGATE, "lone_surrogate",
	  "A text holds half of a surrogate pair, which is no character." },
	{ SCAN_HUGE_NUMBER, "number_too_big",
	  "A number has an exponent or a length that PostgreSQL cannot hold." },
};

static void judge(const struct scan_index *index, struct record *r)
{
	unsigned flags;

	if (r->bytes.len > RECORD_BYTES_MAX) {
		quarantine(r, "record_too_large", "The record is larger than 1 MiB.");
		return;
	}
	flags = index != NULL ? scan_index_flags(index, r->bytes) : scan_flags_of(r->bytes);
	for (size_t i = 0; flags != 0 && i < sizeof(refusals) / sizeof(*refusals); i++) {
		if (flags & refusals[i].flag)
			quarantine(r, refusals[i].slug, refusals[i].why);
	}
}

static struct scan_value whole(const struct record *r)
{
	struct scan_value value = { .type = SCAN_NONE, .span = r->bytes, .node = r->node };

	switch (r->bytes.len > 0 ? r->bytes.p[0] : '\0') {
	case '{':
		value.type = SCAN_OBJECT;
		break;
	case '[':
		value.type = SCAN_ARRAY;
		break;
	case '"':
		value.type = SCAN_STRING;
		break;
	default:
		break; /* a record that is no object or array has no members */
	}
	return value;
}

static bool is_key_part(struct scan_value v)
{
	return v.type != SCAN_NONE && v.type != SCAN_NULL &&
	       !(v.type == SCAN_STRING && v.span.len == 2);
}

/* Several members as a JSON array; texts written anew, so that escapes do not make two keys. */
static bool joined_key(struct arena *arena, struct scan_path *const *paths, struct scan_value root,
                       struct str *key)
{
	struct buf b;
	bool ok = true;

	buf_init(&b, RECORD_BYTES_MAX * 7);
	for (size_t i = 0; ok && paths[i] != NULL; i++) {
		struct scan_value v = scan_path_first(paths[i], root);

		ok = is_key_part(v);
		buf_char(&b, i == 0 ? '[' : ',');
		if (v.type == SCAN_STRING)
			buf_json_string(&b, scan_text_borrowed(arena, v));
		else
			buf_str(&b, v.span);
	}
	buf_char(&b, ']');
	ok = ok && !b.failed;
	if (ok)
		*key = arena_copy(arena, buf_view(&b));
	buf_free(&b);
	return ok;
}

static void key_missing(struct record *r)
{
	r->key = (struct str){ "", 0 };
	quarantine(r, "key_missing",
	           "A member of the primary key is absent, null or empty in this record.");
}

/* What cannot be stored anyway, or not be written anew, is known by its bytes as they stand. */
static void hash_content(struct arena *arena, struct crypt_hasher *hasher, struct record *r)
{
	struct str content = r->bytes;
	struct buf b;

	buf_init(&b, RECORD_BYTES_MAX * 7);
	if (r->bytes.len <= RECORD_BYTES_MAX && canonical_write(arena, whole(r), &b))
		content = buf_view(&b);
	crypt_hasher_sha256(hasher, content, r->hash);
	buf_free(&b);
}

static void key_by_content(struct arena *arena, struct crypt_hasher *hasher,
                           struct record_twins *twins, struct record *r)
{
	uint64_t twin;

	r->key_is_hash = true;
	hash_content(arena, hasher, r);
	r->key = crypt_hex(arena, (struct str){ (const char *)r->hash, sizeof(r->hash) });
	twin = twins == NULL ? 0 : record_twins_count(twins, r->hash);
	if (twin > 0)
		r->key = str_of(arena_printf(arena, STR_FMT "#%" PRIu64, STR_ARG(r->key), twin));
}

static void shorten_key(struct arena *arena, struct crypt_hasher *hasher, struct record *r)
{
	unsigned char hash[CRYPT_SHA256];
	struct str hex;
	const char *text;

	if (r->key.len <= RECORD_KEY_MAX)
		return;
	crypt_hasher_sha256(hasher, r->key, hash);
	hex = crypt_hex(arena, (struct str){ (const char *)hash, sizeof(hash) });
	text = arena_printf(arena, "sha256:" STR_FMT, STR_ARG(hex));
	r->key = str_of(text);
}

int64_t record_key_hash(struct crypt_hasher *hasher, struct str key)
{
	unsigned char hash[CRYPT_SHA256];
	uint64_t n = 0;

	crypt_hasher_sha256(hasher, key, hash);
	for (int i = 0; i < 8; i++)
		n = n << 8 | hash[i];
	return (int64_t)n;
}

static struct str cursor_time(struct arena *arena, const struct timeform *form, struct str text)
{
	char out[CLOCK_TEXT_MAX];
	int64_t ms;

	if (!timeform_read(form, text, &ms) && !timeform_guess(text, &ms))
		return (struct str){ NULL, 0 };
	return arena_copy(arena, str_of(clock_format(ms, out)));
}

static void cursor_take(struct arena *arena, const struct record_identity *identity,
                        struct scan_value v, struct record *r)
{
	if (v.type != SCAN_STRING && v.type != SCAN_NUMBER)
		return;
	r->cursor = scan_text_borrowed(arena, v);
	r->cursor_type = v.type;
	if (identity->cursor_form != NULL)
		r->cursor = cursor_time(arena, identity->cursor_form, r->cursor);
}

void record_cursor_find(struct arena *arena, const struct record_identity *identity,
                        struct record *r)
{
	cursor_take(arena, identity, scan_path_first(identity->cursor, whole(r)), r);
}

/* The only member of the key, and the cursor: in one walk over the record. */
static void key_and_cursor(struct arena *arena, struct crypt_hasher *hasher,
                           const struct record_identity *identity, struct record *r)
{
	bool named = identity->key != NULL && identity->key[0] != NULL;
	struct scan_wanted wanted[] = { { .path = named ? identity->key[0] : NULL,
		                          .name = STR("id") },
		                        { .path = identity->cursor } };
	struct scan_value root = whole(r);

	scan_find(root, wanted, identity->cursor != NULL ? 2 : 1);
	if (named && identity->key[1] != NULL) {
		if (!joined_key(arena, identity->key, root, &r->key))
			key_missing(r);
	} else if (is_key_part(wanted[0].value)) {
		r->key = scan_text_borrowed(arena, wanted[0].value);
	} else if (named) {
		key_missing(r);
	} else {
		key_by_content(arena, hasher, identity->twins, r);
	}
	shorten_key(arena, hasher, r);
	if (identity->cursor != NULL)
		cursor_take(arena, identity, wanted[1].value, r);
}

void record_identify(struct arena *arena, struct crypt_hasher *hasher,
                     const struct record_identity *identity, struct record *r)
{
	if (r->fate == RECORD_DROP_FILTER || r->fate == RECORD_DROP_DUPLICATE)
		return;
	judge(identity->index, r);
	key_and_cursor(arena, hasher, identity, r);
	if (!r->key_is_hash)
		crypt_hasher_sha256(hasher, r->bytes, r->hash);
	if (r->key.len > 0)
		r->key_hash = record_key_hash(hasher, r->key);
}

/*
 * Cursors
 */

static int compare_bytes(struct str a, struct str b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int order = n == 0 ? 0 : memcmp(a.p, b.p, n);

	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The digits of the second's fraction, without zeros at the end. */
static struct str fraction_of(struct str time)
{
	struct str whole_part, rest = { NULL, 0 };
	size_t n = 0;

	str_cut(time, '.', &whole_part, &rest);
	while (n < rest.len && is_digit(rest.p[n]))
		n++;
	while (n > 0 && rest.p[n - 1] == '0')
		n--;
	return (struct str){ rest.p, n };
}

/* Instants are read to the millisecond; within one, the written fraction decides. */
static bool time_less(struct str a, int64_t ms_a, struct str b, int64_t ms_b)
{
	if (ms_a != ms_b)
		return ms_a < ms_b;
	return compare_bytes(fraction_of(a), fraction_of(b)) < 0;
}

/* Two times as RFC 3339 writes them, of one form, one zone and without leap seconds: then they are in
 * the order of their bytes, also where one of them is no time at all. */
static bool times_alike(struct str a, struct str b)
{
	static const char form[] = "0000-00-00T00:00:00";
	size_t i = 0;

	if (a.len != b.len || a.len < sizeof(form))
		return false;
	for (; i < sizeof(form) - 1; i++)
		if (form[i] == '0' ? !is_digit(a.p[i]) || !is_digit(b.p[i])
		                   : a.p[i] != form[i] || b.p[i] != form[i])
			return false;
	while (i < a.len &&
	       ((a.p[i] == '.' && b.p[i] == '.') || (is_digit(a.p[i]) && is_digit(b.p[i]))))
		i++;
	return a.p[17] != '6' && b.p[17] != '6' && memcmp(a.p + i, b.p + i, a.len - i) == 0;
}

bool record_cursor_less(struct str a, struct str b)
{
	int64_t ms_a, ms_b;

	if (times_alike(a, b))
		return memcmp(a.p, b.p, a.len) < 0;
	if (decimal_is(a) && decimal_is(b))
		return decimal_compare(a, b) < 0;
	if (clock_parse(a, &ms_a) && clock_parse(b, &ms_b))
		return time_less(a, ms_a, b, ms_b);
	return compare_bytes(a, b) < 0;
}
