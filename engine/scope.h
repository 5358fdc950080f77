/*
 * scope - what a name in a template or a condition means at this moment
 *
 * Names: config.x | cursor | now | today | window.start | window.end | offset | next | input.x |
 * step_1.path (outputs of steps, by their id) | record.path | execution.id; of a request that is being
 * signed: timestamp, nonce, method, host, path, query, url, body, bodyHash, bodyHash64, and signature.
 * One resolver serves templates (engine/template.h) and conditions (engine/condition.h); a new kind of
 * name is one row in its table.
 *
 * Behind a name may stand how it is written: "now|%Y%m%d", "cursor|unix" (forms of
 * engine/timeform.h), "config.table|urlencode"; and behind a time a distance: "today+365d",
 * "now-90m|unix" (s, m, h, d).
 *
 * Ownership: borrowed by whoever renders.
 * Errors:    an unknown name is found at compile time; an absent value is SCAN_NONE; a value that is
 *            no time where one is needed is `refused`.
 * Threads:   one scope, one run.
 */
#ifndef CATCHMENT_ENGINE_SCOPE_H
#define CATCHMENT_ENGINE_SCOPE_H

#include "engine/configuration.h"
#include "engine/timeform.h"
#include "lib/json/scan.h"

#define SCOPE_STEPS_MAX 10

struct scope_step {
	const char *id;           /* "step_1" */
	struct scan_value output; /* SCAN_NONE: skipped or not yet run */
};

/* The request that a signature is made of; secret where it may hold one. */
struct scope_sign {
	const char *timestamp, *nonce, *method;
	struct str host;
	const struct secret *path, *query, *url, *body; /* NULL: empty */
	const char *body_hash, *body_hash64;            /* of its bytes: hex, base64 */
	const struct secret *signature;
};

struct scope {
	struct arena *arena;
	const struct config *config;
	struct str cursor; /* greatest stored value less the overlap; empty: none */
	const struct timeform *cursor_form; /* how it is written; NULL: as it stands */
	int64_t now_ms;
	bool has_window; /* of time; written as the cursor is */
	int64_t window_start_ms, window_end_ms;
	bool has_offset; /* a paginator counts records */
	int64_t offset;
	struct str next; /* the paginator's cursor; empty on the first page */
	const char *execution_id;
	struct scan_value input;
	struct scan_value record;
	struct scope_step steps[SCOPE_STEPS_MAX];
	size_t step_count;
	const struct scope_sign *sign; /* NULL: nothing is being signed */
	const struct secret *token;    /* of OAuth2; NULL: none */
};

struct scope_name; /* a compiled name */

/* Which names may stand here. */
enum scope_names {
	SCOPE_CONFIG = 1,
	SCOPE_CURSOR = 2,
	SCOPE_STEPS = 4,
	SCOPE_RECORD = 8,
	SCOPE_INPUT = 16,
	SCOPE_CLOCK = 32,   /* now, today, and execution.id */
	SCOPE_PAGING = 64,  /* offset, next */
	SCOPE_WINDOW = 128, /* window.start, window.end */
	SCOPE_STAMP = 256,  /* timestamp and nonce of a signed request */
	SCOPE_SIGNED = 512,
	SCOPE_SIGNATURE = 1024,
};

/* text: "config.apiKey", "step_1.data.0.id", "record.price". A bare path ("price") is a record
 * path where records are allowed, else an input path where input is. slug: unknown_name. */
MUST_CHECK bool scope_name_parse(struct arena *, struct str text, unsigned allowed,
                                 struct scope_name **, struct err *);
/* What a name means now. A step that was skipped has null outputs, so its names are present with
 * the value null. A path with a wildcard gives its first match. */
struct scope_found {
	bool present;
	struct scan_value value; /* JSON: steps, record, input, plain config; else SCAN_NONE */
	struct str text;         /* the value as text (strings unescaped), also cursor and times */
	const struct secret *secret; /* set when it is one: then value and text are empty */
	bool encode;                 /* to be percent-encoded, where its place does not do it */
	const char *refused;         /* why it cannot be had: "its value is no time" */
};
struct scope_found scope_find(const struct scope *, const struct scope_name *);
/* A name that is whole ("now", not "config.x"), with what may stand behind it. */
bool scope_name_is_word(struct str text, unsigned allowed);
/* For config.x names: the field's name, so that definitions can be checked; else empty. */
struct str scope_name_config(const struct scope_name *);
enum scope_names scope_name_kind(const struct scope_name *);
struct str scope_name_text(const struct scope_name *); /* as it was written, for messages */

#endif
