/* component - what all operations share: schemas, headers, header parameters, the token */
#include "config.h"

#include "tools/openapi.h"
#include "lib/base/poison.h"

static json_t *problem_schema(void)
{
	json_t *texts = pack(
		"{s:{s:s, s:s}, s:{s:s}, s:{s:s, s:i, s:i}, s:{s:s, s:s}, s:{s:s, s:s}, "
		"s:{s:s, s:s}}",
		"type", "type", "string", "format", "uri-reference", "title", "type", "string",
		"status", "type", "integer", "minimum", 400, "maximum", 599, "detail", "type",
		"string", "description", "One plain sentence for a person.", "instance", "type",
		"string", "description", "The request's id, for the operator.", "code", "type",
		"string", "description", "The stable name of the problem, for programs.");
	json_t *place = pack("{s:s, s:{s:{s:s, s:s}, s:{s:s}, s:{s:s}}, s:[s, s, s], s:b}", "type",
	                     "object", "properties", "pointer", "type", "string", "description",
	                     "A JSON Pointer into the body, or a parameter's name.", "code", "type",
	                     "string", "detail", "type", "string", "required", "pointer", "code",
	                     "detail", "additionalProperties", 0);

	json_object_set_new(texts, "errors",
	                    pack("{s:s, s:o, s:s}", "type", "array", "items", place, "description",
	                         "Each thing that is wrong, the first 20."));
	json_object_set_new(texts, "errorsOmitted",
	                    pack("{s:s, s:i}", "type", "integer", "minimum", 1));
	return pack("{s:s, s:s, s:o, s:[s, s, s, s, s, s], s:b}", "type", "object", "description",
	            "A refusal or a failure (RFC 9457).", "properties", texts, "required", "type",
	            "title", "status", "detail", "instance", "code", "additionalProperties", 0);
}

static json_t *schemas(const struct openapi *api)
{
	json_t *out = json_object();

	for (const char **name = value_sorted(api->shapes); *name; name++) {
		const json_t *shape = json_object_get(api->shapes, *name);
		bool taken = json_is_true(json_object_get(shape, "isTaken"));

		json_object_set(out, *name, json_object_get(shape, taken ? "taken" : "given"));
	}
	json_object_set_new(out, "Problem", problem_schema());
	return out;
}

static json_t *header(const char *description, const char *type)
{
	return pack("{s:s, s:{s:s}}", "description", description, "schema", "type", type);
}

static json_t *headers(void)
{
	static const char *const rows[][3] = {
		{ "ETag", "string", "The version of a document, for If-Match and If-None-Match." },
		{ "Location", "string",
		  "Where the new thing is, when it has an address of its own." },
		{ "Link", "string", "rel=\"next\": the next page, while there is one (RFC 8288)." },
		{ "RateLimit", "string",
		  "Requests left and seconds until they are all there again." },
		{ "RateLimitPolicy", "string", "Requests of a token in a window of seconds." },
		{ "RetryAfter", "integer", "Seconds to wait." },
		{ "RequestId", "string", "The request's id, also in the log." },
		{ "IdempotencyReplayed", "string", "true: the first answer once more." },
		{ "Challenge", "string", "What kind of token is missing (RFC 6750)." },
	};
	json_t *out = json_object();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		json_object_set_new(out, rows[i][0], header(rows[i][2], rows[i][1]));
	return out;
}

static json_t *header_parameter(const char *name, const char *description, int max)
{
	return pack("{s:s, s:s, s:b, s:s, s:{s:s, s:i, s:i}}", "name", name, "in", "header",
	            "required", 0, "description", description, "schema", "type", "string",
	            "minLength", 1, "maxLength", max);
}

json_t *openapi_components(const struct openapi *api)
{
	json_t *parameter_list = pack(
		"{s:o, s:o, s:o}", "IdempotencyKey",
		header_parameter("Idempotency-Key",
	                         "A new text for each new piece of work; the same request with the "
	                         "same key is done once, and answered as it was the first time.",
	                         255),
		"IfMatch",
		header_parameter("If-Match", "Only if it is still at this ETag's version.", 8000),
		"IfNoneMatch",
		header_parameter("If-None-Match", "Only if it is no longer at one of these ETags.",
	                         8000));

	return pack("{s:{s:{s:s, s:s, s:s}}, s:o, s:o, s:o, s:o}", "securitySchemes", "bearer",
	            "type", "http", "scheme", "bearer", "description",
	            "A token of POST /sign-in or POST /tokens. x-role of an operation is the least "
	            "role that its user needs in the workspace, x-scope what the token must carry.",
	            "parameters", parameter_list, "headers", headers(), "responses",
	            openapi_refusal_responses(), "schemas", schemas(api));
}
