/*
 * One table of names: how each is written, where it may stand, and how its value is found.
 */
#include "config.h"

#include <inttypes.h>

#include "engine/scope.h"
#include "lib/base/clock.h"

#include "lib/base/poison.h"

#define NAME_MAX_BYTES 300
#define DAY_MS         INT64_C(86400000)
#define SHIFT_MAX      INT64_C(100000000) /* of one unit */

struct scope_row {
	const char *word;         /* "config." takes a rest, "cursor" is whole */
	enum scope_names allowed; /* the flag that lets it stand */
	bool bare;                /* the row's values can be meant by a path without a prefix */
	bool is_time;             /* a distance may stand behind it */
	bool (*parse)(struct arena *, struct str rest, struct scope_name *, struct err *);
	struct scope_found (*find)(const struct scope *, const struct scope_name *);
};

struct scope_name {
	const struct scope_row *row;
	struct str text;  /* as written */
	struct str first; /* config: the field; steps: the step's id */
	struct scan_path *path;
	struct timeform *form; /* how it is written; NULL: as it stands */
	int64_t shift_ms;
	bool encode; /* urlencode */
};

static bool out_of_memory(struct err *e)
{
	return err_set(e, ERR_UNAVAILABLE, "out_of_memory",
	               "There was not enough memory for this; try again later.");
}

static bool config_parse(struct arena *arena, struct str rest, struct scope_name *name,
                         struct err *e)
{
	bool wrong = rest.len == 0;

	(void)arena;
	for (size_t i = 0; i < rest.len; i++)
		wrong = wrong || strchr(" \t\r\n|(){}\"'", rest.p[i]) != NULL;
	if (wrong)
		return err_set(e, ERR_INPUT, "unknown_name",
		               "\"config." STR_FMT "\" is not the name of a config field.",
		               STR_ARG(rest));
	name->first = rest;
	return true;
}

static struct scope_found config_value(const struct scope *scope, const struct scope_name *name)
{
	struct scope_found found = { 0 };

	found.present = scope->config != NULL &&
	                config_find(scope->config, name->first, &found.text, &found.secret);
	if (found.present && found.secret == NULL)
		found.value = config_json(scope->config, name->first);
	return found;
}

/* A form of numbers gives a number. */
static struct scope_found time_found(const struct scope *scope, const struct timeform *form,
                                     int64_t ms)
{
	struct str text = timeform_write(scope->arena, form, ms);
	struct scope_found found = { .present = text.len > 0, .text = text };

	if (timeform_is_number(form) && found.present)
		found.value = (struct scan_value){ SCAN_NUMBER, text };
	if (!found.present)
		found.refused = "its time is before the year 1 or after the year 9999";
	return found;
}

/* With a way to write it, a cursor that is a time is written so, by whatever form it came. */
static struct scope_found cursor_value(const struct scope *scope, const struct scope_name *name)
{
	int64_t ms;

	if (scope->cursor_form != NULL && name->form == NULL && name->shift_ms == 0 &&
	    (timeform_read(scope->cursor_form, scope->cursor, &ms) ||
	     timeform_guess(scope->cursor, &ms)))
		return time_found(scope, scope->cursor_form, ms);
	return (struct scope_found){ .present = scope->cursor.len > 0, .text = scope->cursor };
}

static struct scope_found text_found(const struct scope *scope, const char *text)
{
	struct str copy = arena_copy(scope->arena, str_of(text));

	return (struct scope_found){ .present = copy.len > 0, .text = copy };
}

static struct scope_found now_value(const struct scope *scope, const struct scope_name *name)
{
	char text[CLOCK_TEXT_MAX];

	(void)name;
	return text_found(scope, clock_format(scope->now_ms, text));
}

static struct scope_found today_value(const struct scope *scope, const struct scope_name *name)
{
	struct scope_found found = now_value(scope, name);
	struct str rest;

	str_cut(found.text, 'T', &found.text, &rest);
	return found;
}

static struct scope_found edge_value(const struct scope *scope, const struct scope_name *name,
                                     int64_t ms)
{
	char text[CLOCK_TEXT_MAX];

	if (!scope->has_window)
		return (struct scope_found){ 0 };
	if (scope->cursor_form != NULL && name->form == NULL && name->shift_ms == 0)
		return time_found(scope, scope->cursor_form, ms);
	return text_found(scope, clock_format(ms, text));
}

static struct scope_found start_value(const struct scope *scope, const struct scope_name *name)
{
	return edge_value(scope, name, scope->window_start_ms);
}

static struct scope_found end_value(const struct scope *scope, const struct scope_name *name)
{
	return edge_value(scope, name, scope->window_end_ms);
}

static struct scope_found offset_value(const struct scope *scope, const struct scope_name *name)
{
	struct str text;

	(void)name;
	if (!scope->has_offset)
		return (struct scope_found){ 0 };
	text = str_of(arena_printf(scope->arena, "%" PRId64, scope->offset));
	return (struct scope_found){ .present = text.len > 0,
		                     .text = text,
		                     .value = { SCAN_NUMBER, text } };
}

static struct scope_found next_value(const struct scope *scope, const struct scope_name *name)
{
	(void)name;
	return (struct scope_found){ .present = scope->next.len > 0, .text = scope->next };
}

static struct scope_found execution_value(const struct scope *scope, const struct scope_name *name)
{
	struct str id = str_of(scope->execution_id);

	(void)name;
	return (struct scope_found){ .present = id.len > 0, .text = id };
}

static bool path_parse(struct arena *arena, struct str rest, struct scope_name *name, struct err *e)
{
	if (rest.len == 0)
		return err_set(e, ERR_INPUT, "unknown_name",
		               "\"" STR_FMT "\" needs the path of a member behind its dot.",
		               STR_ARG(name->text));
	return scan_path_parse(arena, rest, &name->path, e);
}

static struct scope_found path_value(const struct scope *scope, const struct scope_name *name,
                                     struct scan_value root)
{
	struct scan_value value = { .type = SCAN_NONE };

	if (root.type != SCAN_NONE)
		value = scan_path_first(name->path, root);
	if (value.type == SCAN_NONE)
		return (struct scope_found){ 0 };
	return (struct scope_found){ .present = true,
		                     .value = value,
		                     .text = scan_text_borrowed(scope->arena, value) };
}

static struct scope_found input_value(const struct scope *scope, const struct scope_name *name)
{
	return path_value(scope, name, scope->input);
}

static struct scope_found record_value(const struct scope *scope, const struct scope_name *name)
{
	return path_value(scope, name, scope->record);
}

static bool step_parse(struct arena *arena, struct str rest, struct scope_name *name, struct err *e)
{
	struct str path = { NULL, 0 };

	/* The table's word is the beginning of the step's id: "step_" of "step_1.total". */
	rest = name->text;
	if (!str_cut(rest, '.', &name->first, &path))
		name->first = rest;
	return scan_path_parse(arena, path, &name->path, e);
}

static struct scope_found step_value(const struct scope *scope, const struct scope_name *name)
{
	for (size_t i = 0; i < scope->step_count; i++) {
		const struct scope_step *step = &scope->steps[i];

		if (!str_eq_text(name->first, step->id))
			continue;
		if (step->output.type == SCAN_NONE)
			return (struct scope_found){ .present = true,
				                     .value = { SCAN_NULL, STR("null") } };
		return path_value(scope, name, step->output);
	}
	return (struct scope_found){ 0 };
}

/* A request that is being signed. Its parts may hold secrets, and its signature is as good as one. */
static struct scope_found secret_found(const struct secret *secret)
{
	struct scope_found found = { .present = true, .text = STR("") };

	found.secret = secret; /* NULL: an empty text */
	return found;
}

#define SIGN_TEXT(member)                                                                          \
	static struct scope_found member##_value(const struct scope *scope,                        \
	                                         const struct scope_name *name)                    \
	{                                                                                          \
		(void)name;                                                                        \
		return (struct scope_found){ .present = scope->sign != NULL,                       \
			                     .text = str_of(scope->sign ? scope->sign->member      \
			                                                : NULL) };                 \
	}
#define SIGN_SECRET(member)                                                                        \
	static struct scope_found member##_value(const struct scope *scope,                        \
	                                         const struct scope_name *name)                    \
	{                                                                                          \
		(void)name;                                                                        \
		return scope->sign ? secret_found(scope->sign->member)                             \
		                   : (struct scope_found){ 0 };                                    \
	}
SIGN_TEXT(timestamp)
SIGN_TEXT(nonce)
SIGN_TEXT(method)
SIGN_TEXT(body_hash)
SIGN_TEXT(body_hash64)
SIGN_SECRET(query)
SIGN_SECRET(url)
SIGN_SECRET(body)
SIGN_SECRET(signature)

static struct scope_found path_value_of(const struct scope *scope, const struct scope_name *name)
{
	(void)name;
	return scope->sign ? secret_found(scope->sign->path) : (struct scope_found){ 0 };
}

static struct scope_found host_value(const struct scope *scope, const struct scope_name *name)
{
	(void)name;
	return (struct scope_found){ .present = scope->sign != NULL,
		                     .text = scope->sign ? scope->sign->host : STR("") };
}

/* clang-format off */
static const struct scope_row scope_rows[] = {
	{ "config.",      SCOPE_CONFIG, false, false, config_parse, config_value    },
	{ "cursor",       SCOPE_CURSOR, false, true,  NULL,         cursor_value    },
	{ "now",          SCOPE_CLOCK,  false, true,  NULL,         now_value       },
	{ "today",        SCOPE_CLOCK,  false, true,  NULL,         today_value     },
	{ "execution.id", SCOPE_CLOCK,  false, false, NULL,         execution_value },
	{ "window.start", SCOPE_WINDOW, false, true,  NULL,         start_value     },
	{ "window.end",   SCOPE_WINDOW, false, true,  NULL,         end_value       },
	{ "offset",       SCOPE_PAGING, false, false, NULL,         offset_value    },
	{ "next",         SCOPE_PAGING, false, false, NULL,         next_value      },
	{ "timestamp",    SCOPE_STAMP,  false, false, NULL,         timestamp_value },
	{ "nonce",        SCOPE_STAMP,  false, false, NULL,         nonce_value     },
	{ "method",       SCOPE_SIGNED, false, false, NULL,         method_value    },
	{ "host",         SCOPE_SIGNED, false, false, NULL,         host_value      },
	{ "path",         SCOPE_SIGNED, false, false, NULL,         path_value_of   },
	{ "query",        SCOPE_SIGNED, false, false, NULL,         query_value     },
	{ "url",          SCOPE_SIGNED, false, false, NULL,         url_value       },
	{ "body",         SCOPE_SIGNED, false, false, NULL,         body_value      },
	{ "bodyHash",     SCOPE_SIGNED, false, false, NULL,         body_hash_value },
	{ "bodyHash64",   SCOPE_SIGNED, false, false, NULL,         body_hash64_value },
	{ "signature",    SCOPE_SIGNATURE, false, false, NULL,      signature_value },
	{ "step_",        SCOPE_STEPS,  false, false, step_parse,   step_value      },
	{ "record.",      SCOPE_RECORD, true,  false, path_parse,   record_value    },
	{ "input.",       SCOPE_INPUT,  true,  false, path_parse,   input_value     },
};
/* clang-format on */
#define ROW_COUNT (sizeof(scope_rows) / sizeof(*scope_rows))

static bool row_matches(const struct scope_row *row, struct str text)
{
	if (row->parse == NULL)
		return str_eq_text(text, row->word);
	return str_starts(text, row->word);
}

static bool not_here(struct str text, struct err *e)
{
	return err_set(e, ERR_INPUT, "unknown_name",
	               "\"" STR_FMT "\" cannot be used here; nothing of this name has a value at "
	               "this place.",
	               STR_ARG(text));
}

/* The row of a written name, and what follows its word. */
static bool row_find(struct str text, unsigned allowed, const struct scope_row **row,
                     struct str *rest, struct err *e)
{
	bool known = false;

	for (size_t i = 0; i < ROW_COUNT; i++) {
		*row = &scope_rows[i];
		*rest = str_after(text, strlen((*row)->word));
		if (!row_matches(*row, text))
			continue;
		if (allowed & (*row)->allowed)
			return true;
		/* A whole word may also be a member's name: a record may well have a "cursor". */
		known = known || (*row)->parse != NULL;
	}
	for (size_t i = 0; i < ROW_COUNT && !known; i++) {
		*row = &scope_rows[i];
		*rest = text;
		if ((*row)->bare && (allowed & (*row)->allowed))
			return true;
	}
	return not_here(text, e);
}

/*
 * What stands behind a name
 */

/* The word at the beginning of the text, if a row with that word may stand here. */
static const struct scope_row *word_find(struct str text, unsigned allowed)
{
	for (size_t i = 0; i < ROW_COUNT; i++) {
		const struct scope_row *row = &scope_rows[i];
		struct str rest = str_after(text, strlen(row->word));

		if (row->parse != NULL || !(allowed & row->allowed) || !str_starts(text, row->word))
			continue;
		if (rest.len == 0 || rest.p[0] == '|' ||
		    (row->is_time && (rest.p[0] == '+' || rest.p[0] == '-')))
			return row;
	}
	return NULL;
}

bool scope_name_is_word(struct str text, unsigned allowed)
{
	return word_find(text, allowed) != NULL;
}

/* "+365d" */
static bool shift_read(struct str text, int64_t *ms)
{
	static const struct {
		char unit;
		int64_t ms;
	} units[] = { { 's', 1000 }, { 'm', 60000 }, { 'h', 3600000 }, { 'd', DAY_MS } };
	struct str digits = { text.p + 1, text.len - 2 };
	int64_t n;

	if (text.len < 3 || digits.p[0] == '-' || !str_int(digits, 0, SHIFT_MAX, &n))
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (units[i].unit != text.p[text.len - 1])
			continue;
		*ms = (text.p[0] == '-' ? -n : n) * units[i].ms;
		return true;
	}
	return false;
}

/* Takes what stands behind the name off the text. */
static bool behind_parse(struct arena *arena, struct str *text, unsigned allowed,
                         struct scope_name *name, struct err *e)
{
	const struct scope_row *word = word_find(*text, allowed);
	struct str how = { NULL, 0 }, head = *text;

	if (str_cut(*text, '|', &head, &how))
		*text = str_trim(head);
	name->encode = str_eq_text(how, "urlencode");
	if (how.p != NULL && !name->encode && !timeform_parse(arena, how, &name->form, e))
		return false;
	if (word == NULL || text->len == strlen(word->word))
		return true;
	if (!shift_read(str_after(*text, strlen(word->word)), &name->shift_ms))
		return err_set(e, ERR_INPUT, "unknown_name",
		               "Behind the %s of \"" STR_FMT
		               "\" stands no distance in time; write for instance +7d, -12h or "
		               "-30m.",
		               word->word, STR_ARG(*text));
	*text = str_of(word->word);
	return true;
}

bool scope_name_parse(struct arena *arena, struct str text, unsigned allowed,
                      struct scope_name **out, struct err *e)
{
	struct scope_name *name;
	const struct scope_row *row;
	struct str rest, bare;

	text = str_trim(text);
	if (text.len == 0)
		return err_set(e, ERR_INPUT, "unknown_name", "A placeholder without a name.");
	if (text.len > NAME_MAX_BYTES)
		return err_set(e, ERR_INPUT, "unknown_name", "A name is longer than %d bytes.",
		               NAME_MAX_BYTES);
	name = arena_alloc(arena, sizeof(*name));
	if (name == NULL)
		return out_of_memory(e);
	bare = text;
	if (!behind_parse(arena, &bare, allowed, name, e) ||
	    !row_find(bare, allowed, &row, &rest, e))
		return false;
	name->row = row;
	name->text = arena_copy(arena, bare);
	if (name->text.p == NULL)
		return out_of_memory(e);
	rest = str_after(name->text, bare.len - rest.len);
	if (row->parse != NULL && !row->parse(arena, rest, name, e))
		return false;
	*out = name;
	return true;
}

/* Its value as a time, moved and written as the name says. */
static struct scope_found timed(const struct scope *scope, const struct scope_name *name,
                                struct scope_found found)
{
	char text[CLOCK_TEXT_MAX];
	int64_t ms;

	if (found.secret != NULL || !timeform_guess(found.text, &ms) ||
	    __builtin_add_overflow(ms, name->shift_ms, &ms))
		return (struct scope_found){ .refused = "its value is no time" };
	if (name->form != NULL)
		return time_found(scope, name->form, ms);
	clock_format(ms, text);
	if (found.text.len == 10) /* a date stays one */
		text[10] = '\0';
	return text_found(scope, text);
}

struct scope_found scope_find(const struct scope *scope, const struct scope_name *name)
{
	struct scope_found found = name->row->find(scope, name);

	if (found.present && (name->form != NULL || name->shift_ms != 0))
		found = timed(scope, name, found);
	found.encode = name->encode;
	return found;
}

struct str scope_name_config(const struct scope_name *name)
{
	return name->row->allowed == SCOPE_CONFIG ? name->first : (struct str){ NULL, 0 };
}

enum scope_names scope_name_kind(const struct scope_name *name)
{
	return name->row->allowed;
}

struct str scope_name_text(const struct scope_name *name)
{
	return name->text;
}
