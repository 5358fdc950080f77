/*
 * The values of config fields: checking what a person typed, finding a value by name, and masking
 * secrets wherever a text may repeat them.
 */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/configuration.h"

#include "lib/base/poison.h"

#define CONFIG_TEXT_MAX   2000  /* code points of a text, an address, a choice */
#define CONFIG_SECRET_MAX 16384 /* a key file in PEM has several kilobytes and line breaks */
#define REDACT_MIN        4     /* bytes: shorter secrets stand in any text by accident */

struct config_value {
	struct str name;
	struct str text; /* as it goes into a template */
	struct str json; /* as it goes into a body: quoted when it is a text */
	enum scan_type type;
	const struct secret *secret;
};

struct config {
	struct config_value *list;
	size_t count;
	bool starts[256]; /* bytes with which some form of a secret can begin */
	bool has_secret;  /* one that is long enough to be masked */
};

/* The kinds of config fields as shapes; a new kind of field is a row here. */
static const struct config_kind {
	const char *type;
	enum shape_kind kind;
	unsigned flags;
	int64_t max;
} config_kinds[] = {
	{ "Text", SHAPE_LINE, 0, CONFIG_TEXT_MAX },
	{ "Password", SHAPE_TEXT, SHAPE_SECRET, CONFIG_SECRET_MAX },
	{ "Select", SHAPE_CHOICE, 0, 0 },
	{ "Number", SHAPE_NUMBER, 0, 0 },
	{ "Boolean", SHAPE_BOOLEAN, 0, 0 },
	{ "Url", SHAPE_URL, 0, CONFIG_TEXT_MAX },
};

static const struct config_kind *kind_find(const json_t *field)
{
	const char *type = json_text(field, "type", "Text");

	for (size_t i = 0; i < sizeof(config_kinds) / sizeof(*config_kinds); i++) {
		if (strcmp(config_kinds[i].type, type) == 0)
			return &config_kinds[i];
	}
	return &config_kinds[0];
}

bool config_field_is_secret(const json_t *field)
{
	return strcmp(json_text(field, "type", ""), "Password") == 0 ||
	       json_flag(field, "encrypted", false);
}

/* An empty text is what a form sends for a field that was left alone: it counts as absent. */
static bool is_given(const json_t *value)
{
	if (value == NULL || json_is_null(value))
		return false;
	return !json_is_string(value) || json_string_length(value) > 0;
}

static const json_t *field_default(const json_t *field)
{
	const json_t *value = json_object_get(field, "default");

	return config_field_is_secret(field) || !is_given(value) ? NULL : value;
}

static bool is_kept(const char *const *kept, const char *name)
{
	for (; kept != NULL && *kept != NULL; kept++) {
		if (strcmp(*kept, name) == 0)
			return true;
	}
	return false;
}

static const json_t *field_named(const json_t *fields, const char *name)
{
	const json_t *field;
	size_t i;

	json_array_foreach(fields, i, field)
	{
		if (strcmp(json_text(field, "name", ""), name) == 0)
			return field;
	}
	return NULL;
}

/* Options are {"value": ..., "label": ...} or plain texts. */
static const char *const *field_choices(struct arena *arena, const json_t *field)
{
	const json_t *options = json_object_get(field, "options"), *option;
	const char **list = arena_array(arena, json_array_size(options) + 1, sizeof(*list));
	size_t i, n = 0;

	if (list == NULL)
		return NULL;
	json_array_foreach(options, i, option)
	{
		const char *text = json_is_string(option) ? json_string_value(option)
		                                          : json_text(option, "value", NULL);

		if (text != NULL)
			list[n++] = text;
	}
	return list;
}

/* "shop.example" is as good as "https://shop.example": whoever builds the URL adds the scheme. */
static json_t *with_scheme(struct arena *arena, const json_t *value)
{
	const char *text = json_string_value(value), *whole;

	if (text == NULL || strstr(text, "://") != NULL)
		return json_incref((json_t *)value);
	whole = arena_printf(arena, "https://%s", text);
	return json_string(whole == NULL ? text : whole);
}

static void check_value(const json_t *field, const json_t *value, const char *at,
                        struct problems *problems)
{
	const struct config_kind *kind = kind_find(field);
	const char *name = json_text(field, "name", "");
	struct field fields[2] = {
		{ .name = name, .kind = kind->kind, .flags = kind->flags, .max = kind->max },
	};
	const struct shape shape = { .name = "Config", .fields = fields, .open = true };
	json_t *one = json_object();

	if (kind->kind == SHAPE_CHOICE)
		fields[0].choices = field_choices(problems->arena, field);
	if (config_field_is_secret(field))
		fields[0].flags |= SHAPE_SECRET;
	json_object_set_new(one, name,
	                    kind->kind == SHAPE_URL ? with_scheme(problems->arena, value)
	                                            : json_incref((json_t *)value));
	shape_check(&shape, one, at, problems);
	json_decref(one);
}

static void check_field(const json_t *field, const json_t *values, const char *const *kept,
                        const char *at, struct problems *problems)
{
	const char *name = json_text(field, "name", "");
	const json_t *value = json_object_get(values, name);

	if (is_given(value)) {
		check_value(field, value, at, problems);
		return;
	}
	if (!json_flag(field, "required", false) || field_default(field) != NULL)
		return;
	if (config_field_is_secret(field) && is_kept(kept, name))
		return;
	problem_add(problems, json_pointer_add(problems->arena, at, name), "required",
	            "%s is needed.", json_text(field, "label", name));
}

bool config_check(const json_t *fields, const json_t *values, const char *const *kept,
                  const char *at, struct problems *problems)
{
	size_t before = problems->count, i;
	const char *name;
	const json_t *field;
	json_t *value;

	if (values != NULL && !json_is_object(values))
		return problem_add(problems, at, "wrong_type",
		                   "The config must be an object with one member for each field.");
	json_array_foreach(fields, i, field) check_field(field, values, kept, at, problems);
	json_object_foreach((json_t *)values, name, value)
	{
		if (field_named(fields, name) == NULL)
			problem_add(problems, json_pointer_add(problems->arena, at, name),
			            "unknown_field",
			            "The data source has no config field of this name.");
	}
	return problems->count == before;
}

/* The fewest digits that read back as the same double: 0.1, not 0.10000000000000001. */
static struct str real_text(struct arena *arena, double number)
{
	char text[40];

	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, number);
		if (strtod(text, NULL) == number)
			break;
	}
	return arena_copy(arena, str_of(text));
}

static struct str quoted(struct arena *arena, struct str text)
{
	struct buf b;
	struct str out;

	buf_init(&b, text.len * 6 + 2);
	buf_json_string(&b, text);
	out = b.failed ? (struct str){ NULL, 0 } : arena_copy(arena, buf_view(&b));
	buf_free(&b);
	return out;
}

static bool reads_as_number(struct str text)
{
	struct scan_value root;
	struct err ignored = { 0 };

	return scan_check(text, &root, &ignored) && root.type == SCAN_NUMBER &&
	       root.span.len == text.len;
}

/* Numbers and flags may be typed as texts ("default": "50"): the field's kind decides. */
static void text_value(struct arena *arena, const json_t *field, struct config_value *v)
{
	enum shape_kind kind = kind_find(field)->kind;

	v->json = v->text;
	if (kind == SHAPE_NUMBER && reads_as_number(v->text)) {
		v->type = SCAN_NUMBER;
	} else if (kind == SHAPE_BOOLEAN && str_eq(v->text, STR("true"))) {
		v->type = SCAN_TRUE;
	} else if (kind == SHAPE_BOOLEAN && str_eq(v->text, STR("false"))) {
		v->type = SCAN_FALSE;
	} else {
		v->type = SCAN_STRING;
		v->json = quoted(arena, v->text);
	}
}

static void plain_value(struct arena *arena, const json_t *field, const json_t *given,
                        struct config_value *v)
{
	const json_t *value = is_given(given) ? given : field_default(field);

	switch (value == NULL ? JSON_NULL : json_typeof(value)) {
	case JSON_STRING:
		v->text = arena_copy(
			arena, (struct str){ json_string_value(value), json_string_length(value) });
		text_value(arena, field, v);
		return;
	case JSON_INTEGER:
		v->type = SCAN_NUMBER;
		v->json = v->text = str_of(
			arena_printf(arena, "%" JSON_INTEGER_FORMAT, json_integer_value(value)));
		return;
	case JSON_REAL:
		v->type = SCAN_NUMBER;
		v->json = v->text = real_text(arena, json_real_value(value));
		return;
	case JSON_TRUE:
		v->type = SCAN_TRUE;
		v->json = v->text = STR("true");
		return;
	case JSON_FALSE:
		v->type = SCAN_FALSE;
		v->json = v->text = STR("false");
		return;
	default:
		v->type = SCAN_NONE;
		return;
	}
}

static const struct secret *secret_named(const struct config_secret *secrets, size_t count,
                                         const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(secrets[i].field, name) == 0)
			return secrets[i].value;
	}
	return NULL;
}

static void starts_init(struct config *config);

struct config *config_new(struct arena *arena, const json_t *fields, const json_t *values,
                          const struct config_secret *secrets, size_t secret_count)
{
	struct config *config = arena_alloc(arena, sizeof(*config));
	const json_t *field;
	size_t i;

	if (config == NULL)
		return NULL;
	config->list = arena_array(arena, json_array_size(fields) + 1, sizeof(*config->list));
	if (config->list == NULL)
		return NULL;
	json_array_foreach(fields, i, field)
	{
		const char *name = json_text(field, "name", "");
		struct config_value *v = &config->list[config->count++];

		v->name = arena_copy(arena, str_of(name));
		if (config_field_is_secret(field))
			v->secret = secret_named(secrets, secret_count, name);
		else
			plain_value(arena, field, json_object_get(values, name), v);
	}
	starts_init(config);
	return config;
}

static const struct config_value *value_find(const struct config *config, struct str name)
{
	for (size_t i = 0; config != NULL && i < config->count; i++) {
		const struct config_value *v = &config->list[i];

		if (str_eq(v->name, name))
			return v->secret != NULL || v->type != SCAN_NONE ? v : NULL;
	}
	return NULL;
}

bool config_find(const struct config *config, struct str name, struct str *plain,
                 const struct secret **secret)
{
	const struct config_value *v = value_find(config, name);

	if (v == NULL)
		return false;
	*plain = v->text;
	*secret = v->secret;
	return true;
}

struct scan_value config_json(const struct config *config, struct str name)
{
	const struct config_value *v = value_find(config, name);

	if (v == NULL || v->secret != NULL)
		return (struct scan_value){ .type = SCAN_NONE };
	return (struct scan_value){ .type = v->type, .span = v->json };
}

/*
 * Masking. Nothing derived from a secret is stored: each matcher below asks, byte by byte, whether
 * the text could be the secret in its form, and answers how many bytes of text that would be.
 */

static bool hex_byte_is(const char *p, unsigned char byte)
{
	int high = str_hex_digit(p[0]), low = str_hex_digit(p[1]);

	return high >= 0 && low >= 0 && high * 16 + low == byte;
}

/* JSON's short escapes (RFC 8259 section 7). */
static bool json_escape_is(char escape, unsigned char byte)
{
	static const char names[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
	const char *at = memchr(names, escape, sizeof(names) - 1);

	return at != NULL && (unsigned char)bytes[at - names] == byte;
}

#define ESCAPED_IN_URL  1u
#define ESCAPED_IN_JSON 2u

/* One byte of a secret in a text: itself, or %XX and '+' for a space, or a JSON escape. */
static size_t byte_match(struct str text, unsigned char byte, unsigned escapes)
{
	bool in_url = escapes & ESCAPED_IN_URL, in_json = escapes & ESCAPED_IN_JSON;

	if (in_url && text.len >= 3 && text.p[0] == '%' && hex_byte_is(text.p + 1, byte))
		return 3;
	if (in_json && text.len >= 6 && text.p[0] == '\\' && text.p[1] == 'u' && text.p[2] == '0' &&
	    text.p[3] == '0' && hex_byte_is(text.p + 4, byte))
		return 6;
	if (in_json && text.len >= 2 && text.p[0] == '\\' && json_escape_is(text.p[1], byte))
		return 2;
	if (text.len >= 1 &&
	    ((unsigned char)text.p[0] == byte || (in_url && byte == ' ' && text.p[0] == '+')))
		return 1;
	return 0;
}

static size_t text_match_with(struct str text, struct str secret, unsigned escapes)
{
	size_t used = 0;

	for (size_t i = 0; i < secret.len; i++) {
		size_t n = byte_match(str_after(text, used), (unsigned char)secret.p[i], escapes);

		if (n == 0)
			return 0;
		used += n;
	}
	return used;
}

/* In one reading after the other: a secret with %25 or two backslashes in it, as it stands, looks like an
 * escape of itself, and one that is read so no longer fits. */
static size_t text_match(struct str text, struct str secret)
{
	size_t n = 0;

	for (unsigned escapes = 0; n == 0 && escapes <= (ESCAPED_IN_URL | ESCAPED_IN_JSON);
	     escapes++)
		n = text_match_with(text, secret, escapes);
	return n;
}

static size_t hex_match(struct str text, struct str secret)
{
	if (text.len < secret.len * 2)
		return 0;
	for (size_t i = 0; i < secret.len; i++) {
		if (!hex_byte_is(text.p + 2 * i, (unsigned char)secret.p[i]))
			return 0;
	}
	return secret.len * 2;
}

static int base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	return c == '/' || c == '_' ? 63 : -1;
}

/* The six bits of the secret from `bit` on; what lies behind its end counts as zero. */
static int base64_bits(struct str secret, size_t bit)
{
	unsigned high = (unsigned char)secret.p[bit / 8];
	unsigned low = bit / 8 + 1 < secret.len ? (unsigned char)secret.p[bit / 8 + 1] : 0;

	return (int)(((high << 8 | low) >> (10 - bit % 8)) & 63);
}

/*
 * A secret inside a longer text in base64 ("user:secret" of Basic) begins at one of three places
 * in a group of four digits. `skip` is the number of its bits that share a digit with the byte
 * before it (0, 2 or 4); that digit and the one shared with what follows are masked by the caller.
 */
static size_t base64_match(struct str text, struct str secret, size_t skip)
{
	size_t digits = (secret.len * 8 - skip) / 6;

	if (text.len < digits)
		return 0;
	for (size_t i = 0; i < digits; i++) {
		if (base64_digit(text.p[i]) != base64_bits(secret, skip + 6 * i))
			return 0;
	}
	while (digits < text.len && digits * 6 < secret.len * 8 - skip &&
	       base64_digit(text.p[digits]) >= 0)
		digits++;
	return digits;
}

static bool is_masked(const struct secret *secret)
{
	return secret != NULL && secret_expose(secret).len >= REDACT_MIN;
}

static void starts_add(struct config *config, struct str secret)
{
	unsigned char first = (unsigned char)secret.p[0];
	char hex[3];

	config->has_secret = true;
	config->starts[first] = config->starts['%'] = config->starts['\\'] = true;
	if (first == ' ')
		config->starts['+'] = true;
	snprintf(hex, sizeof(hex), "%02x", first);
	config->starts[(unsigned char)hex[0]] = true;
	if (hex[0] >= 'a')
		config->starts[hex[0] - 0x20] = true;
	for (int c = 0; c < 256; c++) {
		for (size_t skip = 0; skip <= 4; skip += 2) {
			if (base64_digit((char)c) == base64_bits(secret, skip))
				config->starts[c] = true;
		}
	}
}

static void starts_init(struct config *config)
{
	for (size_t i = 0; i < config->count; i++) {
		if (is_masked(config->list[i].secret))
			starts_add(config, secret_expose(config->list[i].secret));
	}
}

/* A secret found in a text: *before bytes ahead of `at` belong to it too. */
static size_t secret_match(struct str whole, size_t at, struct str secret, size_t *before)
{
	struct str text = str_after(whole, at);
	size_t n;

	*before = 0;
	if ((n = text_match(text, secret)) > 0 || (n = hex_match(text, secret)) > 0)
		return n;
	for (size_t skip = 0; skip <= 4; skip += 2) {
		if ((n = base64_match(text, secret, skip)) == 0)
			continue;
		*before = skip > 0 && at > 0 && base64_digit(whole.p[at - 1]) >= 0;
		return n;
	}
	return 0;
}

/* The longest match of any secret at this place. */
static size_t any_match(const struct config *config, struct str whole, size_t at, size_t *before)
{
	size_t best = 0;

	*before = 0;
	for (size_t i = 0; i < config->count; i++) {
		size_t ahead, n;

		if (!is_masked(config->list[i].secret))
			continue;
		n = secret_match(whole, at, secret_expose(config->list[i].secret), &ahead);
		if (n > best) {
			best = n;
			*before = ahead;
		}
	}
	return best;
}

struct str config_redact_secrets(const struct secret *const *secrets, size_t n, struct arena *arena,
                                 struct str text)
{
	struct config_value list[CONFIG_EXTRA_MAX];
	struct config config = { .list = list };

	for (size_t i = 0; i < n && i < CONFIG_EXTRA_MAX; i++)
		if (secrets[i] != NULL)
			list[config.count++] = (struct config_value){ .secret = secrets[i] };
	starts_init(&config);
	return config_redact(&config, arena, text);
}

struct str config_redact(const struct config *config, struct arena *arena, struct str text)
{
	struct buf b;
	struct str out = text;
	size_t done = 0;

	if (config == NULL || !config->has_secret)
		return text;
	/* The mask is at most 2.5 times as long as the shortest secret that it replaces. */
	buf_init(&b, text.len * 4 + sizeof(SECRET_MASK));
	for (size_t i = 0; i < text.len;) {
		size_t before, n = 0;

		if (config->starts[(unsigned char)text.p[i]])
			n = any_match(config, text, i, &before);
		if (n == 0) {
			i++;
			continue;
		}
		if (i - before < done)
			before = 0;
		buf_add(&b, text.p + done, i - before - done);
		buf_text(&b, SECRET_MASK);
		i += n;
		done = i;
	}
	if (done > 0) {
		buf_str(&b, str_after(text, done));
		out = b.failed ? STR(SECRET_MASK) : arena_copy(arena, buf_view(&b));
	}
	buf_free(&b);
	return out;
}
