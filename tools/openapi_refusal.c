/* refusal - which refusals an operation has to be expected to give, and how each looks */
#include "config.h"

#include <string.h>

#include "tools/openapi.h"
#include "lib/base/poison.h"

/* What one path and method may refuse, and why; the condition is a function of its rows. */
typedef bool condition(const char *method, const json_t *rows);

static bool always(const char *method, const json_t *rows)
{
	(void)method;
	(void)rows;
	return true;
}

static bool asks_who(const char *method, const json_t *rows)
{
	(void)method;
	return rows_member(rows) || rows_status(rows, 401);
}

static bool asks_whether(const char *method, const json_t *rows)
{
	const json_t *row = json_array_get(rows, 0);

	(void)method;
	if (rows_status(rows, 403))
		return true;
	return rows_member(rows) &&
	       (value_text(row, "scope") || strcmp(value_text(row, "role"), "viewer"));
}

static bool may_miss(const char *method, const json_t *rows)
{
	(void)method;
	return strchr(value_text(json_array_get(rows, 0), "path"), '{') || rows_status(rows, 404);
}

static bool changes(const char *method, const json_t *rows)
{
	(void)rows;
	return strcmp(method, "GET") != 0;
}

static bool looks_at_version(const char *method, const json_t *rows)
{
	(void)method;
	return rows_flag(rows, "versioned") || rows_flag(rows, "unversioned");
}

static bool takes_body(const char *method, const json_t *rows)
{
	(void)method;
	return rows_body(rows);
}

static bool judges_input(const char *method, const json_t *rows)
{
	return rows_body(rows) || json_object_get(json_array_get(rows, 0), "query") ||
	       (strcmp(method, "POST") == 0 && rows_member(rows));
}

static bool remembers(const char *method, const json_t *rows)
{
	return rows_tagged(rows, method);
}

static const struct refusal {
	const char *status, *name, *description;
	condition *when;
} refusals[] = {
	{ "304", "NotModified", "It is still as If-None-Match says.", remembers },
	{ "400", "BadRequest", "The request cannot be read.", always },
	{ "401", "Unauthorized", "Nobody, or not who may sign in.", asks_who },
	{ "403", "Forbidden", "The token lacks the scope, or its user the role.", asks_whether },
	{ "404", "NotFound", "There is no such thing, or it is another workspace's.", may_miss },
	{ "406", "NotAcceptable", "Accept names nothing that this can answer.", always },
	{ "409", "Conflict", "It does not fit with what there is.", changes },
	{ "412", "Stale", "If-Match does not hold; ETag has the current version.",
	  looks_at_version },
	{ "413", "TooLarge", "The body is larger than this takes.", takes_body },
	{ "415", "MediaType", "The body is not JSON in UTF-8.", takes_body },
	{ "422", "Unprocessable", "Read, but wrong; `errors` names each place.", judges_input },
	{ "429", "TooMany", "Too many requests; Retry-After says how long to wait.", always },
	{ "503", "Unavailable", "Not at the moment; try again after Retry-After.", always },
	{ "default", "Failure", "Any other refusal or failure.", always },
};

#define REFUSALS (sizeof(refusals) / sizeof(refusals[0]))

static json_t *refusal_headers(const char *status)
{
	json_t *out = json_object();

	value_header(out, "X-Request-Id", "RequestId");
	if (strcmp(status, "304") == 0 || strcmp(status, "412") == 0)
		value_header(out, "ETag", "ETag");
	if (strcmp(status, "401") == 0 || strcmp(status, "403") == 0)
		value_header(out, "WWW-Authenticate", "Challenge");
	if (strcmp(status, "409") == 0 || strcmp(status, "429") == 0 ||
	    strcmp(status, "503") == 0 || strcmp(status, "default") == 0)
		value_header(out, "Retry-After", "RetryAfter");
	return out;
}

json_t *openapi_refusal_responses(void)
{
	json_t *out = json_object();

	for (size_t i = 0; i < REFUSALS; i++) {
		json_t *one = pack("{s:s, s:o}", "description", refusals[i].description, "headers",
		                   refusal_headers(refusals[i].status));

		if (strcmp(refusals[i].status, "304") != 0)
			json_object_set_new(one, "content",
			                    pack("{s:{s:o}}", PROBLEM, "schema",
			                         value_reference("schemas", "Problem")));
		json_object_set_new(out, refusals[i].name, one);
	}
	return out;
}

void openapi_refusals_add(const char *method, const json_t *rows, json_t *responses)
{
	for (size_t i = 0; i < REFUSALS; i++)
		if (refusals[i].when(method, rows))
			json_object_set_new(responses, refusals[i].status,
			                    value_reference("responses", refusals[i].name));
}
