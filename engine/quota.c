/* quota: families of rate limit headers, as a table. */
#include "config.h"

#include <math.h>
#include <stdlib.h>

#include "engine/auth.h"
#include "engine/quota.h"

#include "lib/base/poison.h"

#define RESET_MAX_MS (INT64_C(24) * 3600 * 1000)
#define EPOCH_FROM   1e8  /* as seconds: 1973; a larger number is a time, a smaller one a span */
#define EPOCH_MS     1e11 /* as milliseconds: 1973 */

static const char *const units[] = { "auto", "seconds", "milliseconds", "epoch", "epoch_ms", NULL };

/* clang-format off */
static const struct field fields[] = {
	{ .name = "remaining", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED, .max = 100,
	  .help = "The answer's header that says how many requests are left." },
	{ .name = "reset", .kind = SHAPE_LINE, .max = 100,
	  .help = "The header that says when there are more." },
	{ .name = "limit", .kind = SHAPE_LINE, .max = 100,
	  .help = "The header that says how many there are in all." },
	{ .name = "resetUnit", .kind = SHAPE_CHOICE, .choices = units, .fallback = "auto",
	  .help = "What reset counts: seconds or milliseconds from now, or a time since 1970 in "
	          "either; auto tells by its size." },
	{ .name = NULL }
};
/* clang-format on */
const struct shape QUOTA_SHAPE = { "RateLimitHeaders", fields, false };

static const struct quota_names families[] = {
	{ "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", QUOTA_AUTO },
	{ "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset-After", QUOTA_SECONDS },
	{ "X-Rate-Limit-Limit", "X-Rate-Limit-Remaining", "X-Rate-Limit-Reset", QUOTA_AUTO },
	{ "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", QUOTA_SECONDS },
	{ "X-HubSpot-RateLimit-Max", "X-HubSpot-RateLimit-Remaining",
	  "X-HubSpot-RateLimit-Interval-Milliseconds", QUOTA_MS },
	{ "X-Ratelimit-Limit-Requests", "X-Ratelimit-Remaining-Requests", NULL, QUOTA_AUTO },
};

/* "39/40": so many used of so many. */
static const char *const used_of[] = { "X-Shopify-Shop-Api-Call-Limit", "X-Api-Call-Limit" };

static bool name_compile(struct compile *c, const json_t *headers, const char *member,
                         const char *at, const char **out)
{
	const char *name = json_text(headers, member, "");
	const char *here = compile_at(c, json_pointer_add(c->arena, at, member));

	if (!*name)
		return true;
	if (!header_name_check(c, name, here))
		return false;
	*out = arena_strdup(c->arena, name);
	return *out || compile_no_memory(c);
}

bool quota_compile(struct compile *c, const json_t *rate_config, const char *at,
                   struct quota_names *own)
{
	const json_t *headers = json_object_get(rate_config, "headers");
	const char *here = json_pointer_add(c->arena, at, "headers");
	const char *unit = json_text(headers, "resetUnit", "auto");

	*own = (struct quota_names){ 0 };
	if (!compile_path(c, json_text(rate_config, "backoffPath", NULL),
	                  json_pointer_add(c->arena, at, "backoffPath"), &own->backoff))
		return false;
	if (!headers || json_is_null(headers))
		return true;
	for (size_t i = 0; units[i]; i++)
		if (strcmp(units[i], unit) == 0)
			own->unit = (enum quota_unit)i;
	return name_compile(c, headers, "limit", here, &own->limit) &
	       name_compile(c, headers, "remaining", here, &own->remaining) &
	       name_compile(c, headers, "reset", here, &own->reset);
}

/*
 * Reading
 */

static bool number_read(struct str text, double *out)
{
	char copy[32], *end;

	text = str_trim(text);
	if (text.len == 0 || text.len >= sizeof copy || text.p[0] < '0' || text.p[0] > '9')
		return false;
	memcpy(copy, text.p, text.len);
	copy[text.len] = 0;
	*out = strtod(copy, &end);
	return end > copy && isfinite(*out) && *out >= 0;
}

static int64_t reset_of(double value, enum quota_unit unit, int64_t now_ms)
{
	double ms = value * 1000;

	if (unit == QUOTA_AUTO)
		unit = value >= EPOCH_MS     ? QUOTA_EPOCH_MS
		       : value >= EPOCH_FROM ? QUOTA_EPOCH
		                             : QUOTA_SECONDS;
	if (unit == QUOTA_EPOCH)
		ms = value * 1000 - (double)now_ms;
	else if (unit == QUOTA_EPOCH_MS)
		ms = value - (double)now_ms;
	else if (unit == QUOTA_MS)
		ms = value;
	return ms <= 0 ? 0 : ms >= (double)RESET_MAX_MS ? RESET_MAX_MS : (int64_t)ms;
}

/* A stop counts more than a pace, a later end more than an earlier one. */
static bool is_stricter(const struct run_quota *a, const struct run_quota *b)
{
	bool a_stops = a->remaining < 1, b_stops = b->remaining < 1;

	if (a_stops != b_stops)
		return a_stops;
	if (a_stops)
		return a->reset_ms > b->reset_ms;
	return a->remaining * (double)(b->reset_ms + 1) < b->remaining * (double)(a->reset_ms + 1);
}

static void take(struct run_quota *out, bool *found, struct run_quota q)
{
	if (!*found || is_stricter(&q, out))
		*out = q;
	*found = true;
}

static void names_read(const struct quota_names *n, const struct http_answer *answer,
                       int64_t now_ms, struct run_quota *out, bool *found)
{
	struct run_quota q = { 0 };
	double value;

	if (!number_read(http_answer_header(answer, n->remaining), &q.remaining))
		return;
	if (n->limit && number_read(http_answer_header(answer, n->limit), &value))
		q.limit = value;
	if (n->reset && number_read(http_answer_header(answer, n->reset), &value))
		q.reset_ms = reset_of(value, n->unit, now_ms);
	take(out, found, q);
}

static void used_read(struct str text, struct run_quota *out, bool *found)
{
	struct str used_text, limit_text;
	struct run_quota q = { 0 };
	double used;

	if (!str_cut(text, '/', &used_text, &limit_text) || !number_read(used_text, &used) ||
	    !number_read(limit_text, &q.limit))
		return;
	q.remaining = q.limit > used ? q.limit - used : 0;
	take(out, found, q);
}

/* One key=value of a structured field; present names and older ones. */
static bool param_read(struct str pair, struct run_quota *q)
{
	struct str key, value;
	double n;

	if (!str_cut(pair, '=', &key, &value) || !number_read(value, &n))
		return false;
	key = str_trim(key);
	if (str_eq_text(key, "r") || str_eq_text(key, "remaining"))
		q->remaining = n;
	else if (str_eq_text(key, "t") || str_eq_text(key, "reset"))
		q->reset_ms = reset_of(n, QUOTA_SECONDS, 0);
	else if (str_eq_text(key, "limit") || str_eq_text(key, "q"))
		q->limit = n;
	return str_eq_text(key, "r") || str_eq_text(key, "remaining");
}

/* RateLimit: "burst";r=5;t=1, "day";r=900;t=3600, or limit=100, remaining=50, reset=5. */
static void ietf_read(struct str text, struct run_quota *out, bool *found)
{
	struct run_quota q = { 0 };
	bool said = false;

	while (text.len > 0) {
		size_t n = 0;

		while (n < text.len && text.p[n] != ';' && text.p[n] != ',')
			n++;
		if (n > 0 && str_trim((struct str){ text.p, n }).len > 0 &&
		    str_trim((struct str){ text.p, n }).p[0] == '"') { /* the next policy */
			if (said)
				take(out, found, q);
			q = (struct run_quota){ 0 };
			said = false;
		}
		said |= param_read((struct str){ text.p, n }, &q);
		text = str_after(text, n + 1);
	}
	if (said)
		take(out, found, q);
}

/* Some ask for silence in the body of an answer that is good (Stack Exchange: backoff). */
static void backoff_read(const struct scan_path *path, struct str body, struct run_quota *out,
                         bool *found)
{
	struct scan_value root;
	double seconds;

	if (scan_check(body, &root, NULL) &&
	    number_read(scan_path_first(path, root).span, &seconds) && seconds > 0)
		take(out, found,
		     (struct run_quota){ .reset_ms = reset_of(seconds, QUOTA_SECONDS, 0) });
}

bool quota_read(const struct quota_names *own, const struct http_answer *answer, int64_t now_ms,
                struct run_quota *out)
{
	bool found = false;

	if (own->backoff)
		backoff_read(own->backoff, answer->body, out, &found);
	if (own->remaining) {
		names_read(own, answer, now_ms, out, &found);
		return found;
	}
	for (size_t i = 0; i < sizeof families / sizeof *families; i++)
		names_read(&families[i], answer, now_ms, out, &found);
	for (size_t i = 0; i < sizeof used_of / sizeof *used_of; i++)
		used_read(http_answer_header(answer, used_of[i]), out, &found);
	ietf_read(http_answer_header(answer, "RateLimit"), out, &found);
	return found;
}
