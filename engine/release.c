/* release: precedence of versions, breaking changes, required config. */
#include "config.h"

#include "engine/configuration.h"
#include "engine/release_parts.h"
#include "lib/base/poison.h"

/*
 * Versions
 */

static bool is_digits(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.len > 0;
}

/* No leading zero; 18 digits fit an int64. */
static bool number_read(struct str s, int64_t *out)
{
	return is_digits(s) && s.len <= 18 && (s.len == 1 || s.p[0] != '0') &&
	       str_int(s, 0, INT64_MAX, out);
}

static bool is_identifier(struct str s, bool numbers_have_no_zero)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
		    c != '-')
			return false;
	}
	if (numbers_have_no_zero && s.len > 1 && s.p[0] == '0' && is_digits(s))
		return false;
	return s.len > 0;
}

/* The part before the next dot; *rest is empty after the last. */
static struct str identifier_next(struct str *rest)
{
	struct str head, tail;

	if (!str_cut(*rest, '.', &head, &tail)) {
		head = *rest;
		tail = (struct str){ NULL, 0 };
	}
	*rest = tail;
	return head;
}

static bool are_identifiers(struct str s, bool numbers_have_no_zero)
{
	if (s.len > 0 && s.p[s.len - 1] == '.')
		return false;
	do {
		if (!is_identifier(identifier_next(&s), numbers_have_no_zero))
			return false;
	} while (s.len > 0);
	return true;
}

bool release_version_read(struct str text, struct release_version *out)
{
	struct str core = text, build, pre = { NULL, 0 }, minor, patch, major;
	bool has_build = str_cut(text, '+', &core, &build);
	struct release_version v = { 0 };
	bool has_pre;

	if (!has_build)
		core = text;
	if (text.len > RELEASE_VERSION_MAX || (has_build && !are_identifiers(build, false)))
		return false;
	text = core;
	has_pre = str_cut(text, '-', &core, &pre);
	if (!has_pre)
		core = text;
	if (has_pre && !are_identifiers(pre, true))
		return false;
	if (!str_cut(core, '.', &major, &core) || !str_cut(core, '.', &minor, &patch) ||
	    !number_read(major, &v.major) || !number_read(minor, &v.minor) ||
	    !number_read(patch, &v.patch))
		return false;
	v.pre = has_pre ? pre : (struct str){ NULL, 0 };
	*out = v;
	return true;
}

static int number_compare(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int text_compare(struct str a, struct str b)
{
	int order = memcmp(a.p, b.p, a.len < b.len ? a.len : b.len);

	return order != 0 ? order : number_compare((int64_t)a.len, (int64_t)b.len);
}

/* Numbers by value (longer is greater: no leading zeros) and below all words; words by ASCII. */
static int identifier_compare(struct str a, struct str b)
{
	bool a_number = is_digits(a), b_number = is_digits(b);

	if (a_number != b_number)
		return a_number ? -1 : 1;
	if (a_number && a.len != b.len)
		return a.len < b.len ? -1 : 1;
	return text_compare(a, b);
}

static int pre_compare(struct str a, struct str b)
{
	if (a.len == 0 || b.len == 0)
		return number_compare(a.len == 0, b.len == 0);
	while (a.len > 0 && b.len > 0) {
		struct str left = identifier_next(&a), right = identifier_next(&b);
		int order = identifier_compare(left, right);

		if (order != 0)
			return order;
	}
	return number_compare(a.len > 0, b.len > 0);
}

int release_version_compare(const struct release_version *a, const struct release_version *b)
{
	int order = number_compare(a->major, b->major);

	if (order == 0)
		order = number_compare(a->minor, b->minor);
	if (order == 0)
		order = number_compare(a->patch, b->patch);
	return order != 0 ? order : pre_compare(a->pre, b->pre);
}

const char *release_version_next(struct arena *a, const char *latest, bool breaks)
{
	struct release_version v;

	if (latest == NULL || !release_version_read(str_of(latest), &v))
		return "1.0.0";
	if (v.pre.len > 0) /* 2.0.0-rc.1 leads to 2.0.0, whatever it holds */
		return arena_printf(a, "%lld.%lld.%lld", (long long)v.major, (long long)v.minor,
		                    (long long)v.patch);
	if (breaks)
		return arena_printf(a, "%lld.0.0", (long long)v.major + 1);
	return arena_printf(a, "%lld.%lld.0", (long long)v.major, (long long)v.minor + 1);
}

static bool is_counted(const struct release_version *v, const struct release_version *wanted)
{
	return v->pre.len == 0 || (wanted && wanted->pre.len > 0 && v->major == wanted->major &&
	                           v->minor == wanted->minor && v->patch == wanted->patch);
}

/* wanted NULL: only releases proper count. */
static const char *version_greatest(const json_t *versions, const struct release_version *wanted,
                                    bool all)
{
	struct release_version v, best;
	const char *found = NULL;
	const json_t *one;
	size_t i;

	json_array_foreach(versions, i, one)
	{
		if (!json_is_string(one) ||
		    !release_version_read(str_of(json_string_value(one)), &v) ||
		    !(all || is_counted(&v, wanted)) ||
		    (found && release_version_compare(&v, &best) < 0))
			continue;
		best = v;
		found = json_string_value(one);
	}
	return found;
}

const char *release_version_proper(const json_t *versions)
{
	return version_greatest(versions, NULL, false);
}

const char *release_version_floor(const json_t *versions, const struct release_version *wanted)
{
	return version_greatest(versions, wanted, !release_version_proper(versions));
}

/*
 * What breaks
 */

json_t *release_list_new(struct arena *a)
{
	json_t *array = NULL;
	struct err ignored = { 0 };

	return json_read(a, STR("[]"), &array, &ignored) ? array : NULL;
}

void release_list_add(json_t *list, const char *code, const char *name, const char *sentence)
{
	json_array_append_new(
		list, json_pack("{ssssss}", "code", code, "name", name, "sentence", sentence));
}

const json_t *release_item_find(const json_t *list, const char *member, const char *text)
{
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		const json_t *own = json_object_get(item, member);

		/* who has none is not the one whose text is empty */
		if (json_is_string(own) && strcmp(json_string_value(own), text) == 0)
			return item;
	}
	return NULL;
}

static const json_t *pipelines_of(const json_t *document)
{
	return json_object_get(json_object_get(document, "collector"), "pipelines");
}

/* A stream is named after the function that fills it, which pipelines name by id or by name. */
static const char *stream_of(const json_t *document, const json_t *pipeline)
{
	const json_t *functions =
		json_object_get(json_object_get(document, "dataSource"), "functions");
	const char *id = json_text(pipeline, "functionId", "");
	const json_t *function = release_item_find(functions, "id", id);

	return json_text(function, "name", id);
}

static const json_t *primary_key_of(const json_t *pipeline)
{
	return json_object_get(json_object_get(pipeline, "dataIngestion"), "primaryKey");
}

/* "id", ["id"] and nothing at all mean the same. */
static const char *key_part(const json_t *key, size_t i)
{
	if (json_is_array(key) && json_array_size(key) > 0)
		return json_string_value(json_array_get(key, i));
	if (i > 0)
		return NULL;
	return json_is_string(key) && json_string_length(key) > 0 ? json_string_value(key) : "id";
}

static bool keys_equal(const json_t *a, const json_t *b)
{
	for (size_t i = 0;; i++) {
		const char *left = key_part(a, i), *right = key_part(b, i);

		if (left == NULL || right == NULL)
			return left == right;
		if (strcmp(left, right) != 0)
			return false;
	}
}

static void streams_compare(struct arena *a, const json_t *old, const json_t *new, json_t *out)
{
	const json_t *before, *after;
	size_t i;

	json_array_foreach(pipelines_of(old), i, before)
	{
		const char *id = json_text(before, "id", ""), *name = json_text(before, "name", id);
		const char *stream = stream_of(old, before);

		after = release_item_find(pipelines_of(new), "id", id);
		if (after == NULL || strcmp(stream, stream_of(new, after)) != 0)
			release_list_add(
				out, "stream_removed", id,
				arena_printf(
					a,
					"The stream %s of the pipeline \"%s\" is not collected "
					"any more; its records stay as they are.",
					stream, name));
		else if (!keys_equal(primary_key_of(before), primary_key_of(after)))
			release_list_add(
				out, "key_changed", id,
				arena_printf(a,
			                     "The records of the pipeline \"%s\" have another key, "
			                     "so they are collected anew.",
			                     name));
	}
}

static bool is_given(const json_t *value)
{
	return value != NULL && !json_is_null(value) &&
	       (!json_is_string(value) || json_string_length(value) > 0);
}

/* Secrets have no default (it would be published). */
static bool must_be_filled(const json_t *field)
{
	return json_flag(field, "required", false) &&
	       (config_field_is_secret(field) || !is_given(json_object_get(field, "default")));
}

static const json_t *fields_of(const json_t *document)
{
	return json_object_get(json_object_get(document, "dataSource"), "configFields");
}

static void fields_compare(struct arena *a, const json_t *old, const json_t *new, json_t *out)
{
	const json_t *field, *before;
	size_t i;

	json_array_foreach(fields_of(new), i, field)
	{
		const char *name = json_text(field, "name", "");

		before = release_item_find(fields_of(old), "name", name);
		if (!must_be_filled(field) ||
		    (before != NULL && must_be_filled(before) &&
		     config_field_is_secret(before) == config_field_is_secret(field)))
			continue;
		release_list_add(out, "config_field_required", name,
		                 arena_printf(a, "The config field \"%s\" must be filled in now.",
		                              json_text(field, "label", name)));
	}
}

json_t *release_breaking(struct arena *a, const json_t *old, const json_t *new)
{
	json_t *out = release_list_new(a);

	streams_compare(a, old, new, out);
	fields_compare(a, old, new, out);
	return out;
}

json_t *release_required_config(struct arena *a, const json_t *config_fields)
{
	json_t *out = release_list_new(a);
	const json_t *field;
	size_t i;

	json_array_foreach(config_fields, i, field)
	{
		const char *name = json_text(field, "name", "");

		if (must_be_filled(field))
			json_array_append_new(
				out, json_pack("{sssssssb}", "name", name, "label",
			                       json_text(field, "label", name), "type",
			                       json_text(field, "type", "Text"), "required", 1));
	}
	return out;
}
