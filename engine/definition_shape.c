/* definition: the shapes of data sources, collectors, pipelines and config fields. */
#include "config.h"

#include "engine/definition.h"
#include "engine/quota.h"
#include "engine/reader.h"
#include "engine/request.h"
#include "engine/steps.h"

#include "lib/base/poison.h"

/* clang-format off */

static const char *const protocols[] = { "REST", NULL };
static const char *const field_types[] = { "Text", "Password", "Select", "Number", "Boolean", "Url",
	                                   NULL };
static const char *const rate_strategies[] = { "queue", "fail", NULL };
static const char *const strategies[] = { "full-sync", "incremental", "append", NULL };
static const char *const stages[] = { "Draft", "Dev", "Stage", NULL };

static const struct field config_field_fields[] = {
	{ .name = "name", .label = "Name in templates", .kind = SHAPE_LINE,
	  .flags = SHAPE_REQUIRED, .max = 64,
	  .help = "How templates name it: {config.name}." },
	{ .name = "type", .kind = SHAPE_CHOICE, .choices = field_types, .fallback = "Text",
	  .help = "What may be entered." },
	{ .name = "label", .label = "Label", .kind = SHAPE_LINE, .help = "What the form says." },
	{ .name = "description", .label = "Hint below the field", .kind = SHAPE_TEXT, .max = 2000,
	  .help = "A hint below the field." },
	{ .name = "required", .kind = SHAPE_BOOLEAN, .fallback = "false",
	  .help = "Must be given, unless it has a default." },
	{ .name = "placeholder", .kind = SHAPE_LINE, .flags = SHAPE_RARE,
	  .help = "An example inside the empty field." },
	{ .name = "options", .kind = SHAPE_LIST, .item = SHAPE_ANY, .max = 200,
	  .help = "Of a Select: texts, or objects with value and label." },
	{ .name = "default", .label = "Default value", .kind = SHAPE_ANY,
	  .help = "The value when none is given." },
	{ .name = "encrypted", .label = "Keep sealed", .kind = SHAPE_BOOLEAN,
	  .flags = SHAPE_RARE, .fallback = "false",
	  .help = "Kept sealed; Password always is." },
	{ .name = NULL }
};
const struct shape SHAPE_CONFIG_FIELD = { "ConfigField", config_field_fields, false };

static const struct field auth_fields[] = {
	{ .name = "type", .label = "How requests show who asks", .kind = SHAPE_CHOICE,
	  .flags = SHAPE_REQUIRED, .choices = AUTH_KIND_NAMES,
	  .help = "How requests show who asks." },
	{ .name = "details", .kind = SHAPE_MAP, .item = SHAPE_ANY, .max = 20,
	  .help = "ApiKey: name, location, value. Bearer: token, headerName, prefix. Basic: username, "
	          "password. Custom: headerName, headerValue. OAuth2: grant (client_credentials or "
	          "refresh_token), tokenUrl, clientId, clientSecret, refreshToken, scope, audience, "
	          "tokenAuth (body or basic), tokenBody (form or json), tokenParams, "
	          "accessTokenPath, refreshTokenPath, expiresInPath, location, name, prefix. Hmac: "
	          "algorithm (sha1, sha256, sha512), key, keyEncoding, text, encoding, location, name, "
	          "value, timestampFormat. AwsSigV4: region, service, accessKey, secretKey, "
	          "sessionToken. Each also takes extraHeaders and queryParams." },
	{ .name = NULL }
};
const struct shape SHAPE_AUTH = { "AuthConfig", auth_fields, false };

static const struct field parameter_fields[] = {
	{ .name = "name", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED, .max = 100,
	  .help = "As the API spells it." },
	{ .name = "type", .kind = SHAPE_CHOICE, .choices = REQUEST_TYPES, .fallback = "string",
	  .help = "What it takes." },
	{ .name = "location", .label = "Where it stands", .kind = SHAPE_CHOICE,
	  .choices = REQUEST_PLACES, .fallback = "query",
	  .help = "Where it stands." },
	{ .name = "default", .label = "Default value", .kind = SHAPE_ANY,
	  .help = "Its value unless a pipeline gives one." },
	{ .name = "required", .kind = SHAPE_BOOLEAN, .fallback = "false",
	  .help = "A pipeline must give it." },
	{ .name = "description", .kind = SHAPE_TEXT, .max = 2000, .help = "What it does." },
	{ .name = NULL }
};
static const struct shape parameter_shape = { "Parameter", parameter_fields, false };

#define REFUSAL_FIELDS                                                                             \
	{ .name = "okPath", .label = "Sign of a good answer", .kind = SHAPE_LINE,          \
	  .flags = SHAPE_RARE,                                                             \
	  .help = "A member of good answers; when it is not the value below, or not true if none, " \
	          "the answer is an error whatever its status." },                                 \
	{ .name = "okValue", .label = "Its value", .kind = SHAPE_ANY,                      \
	  .flags = SHAPE_RARE, .help = "What has to stand there." },                   \
	{ .name = "errorPath", .label = "Sign of an error", .kind = SHAPE_LINE,            \
	  .flags = SHAPE_RARE,                                                             \
	  .help = "A member that only errors have, for instance errors of GraphQL." }

static const struct field function_fields[] = {
	{ .name = "id", .kind = SHAPE_SLUG, .flags = SHAPE_RARE, .max = 100,
	  .help = "How pipelines name it." },
	{ .name = "name", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED, .max = 100,
	  .help = "Also the stream's name." },
	{ .name = "description", .kind = SHAPE_TEXT, .max = 2000, .help = "What it returns." },
	{ .name = "method", .kind = SHAPE_CHOICE, .choices = http_method_names, .fallback = "GET",
	  .help = "The HTTP method." },
	{ .name = "path", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED, .max = 2000,
	  .help = "Below the base address; may hold placeholders." },
	{ .name = "parameters", .kind = SHAPE_LIST, .of = &parameter_shape, .max = 100,
	  .help = "What the function takes." },
	{ .name = "body", .label = "Request body", .kind = SHAPE_MAP, .flags = SHAPE_RARE,
	  .item = SHAPE_ANY, .max = 200,
	  .help = "A template of the request's JSON body. Its texts may hold placeholders; a member "
	          "whose placeholder has no value is left out. Parameters with location body are "
	          "set into it, also deeper: variables.after." },
	{ .name = "requiresAuth", .label = "Send the credential", .kind = SHAPE_BOOLEAN,
	  .flags = SHAPE_RARE, .fallback = "true",
	  .help = "Send the credential." },
	{ .name = "recordsPath", .label = "Where the records are", .kind = SHAPE_LINE,
	  .help = "Where the records stand in the answer; by default the answer itself when it is a "
	          "list, else its only list." },
	{ .name = "recordsKind", .label = "What stands there", .kind = SHAPE_CHOICE,
	  .flags = SHAPE_RARE, .choices = READER_KINDS,
	  .fallback = "list",
	  .help = "What stands there: a list of records, a single one, a map of names to records "
	          "(the name becomes _key), columns (an object of equal arrays), scalars (each "
	          "becomes the member value), or arrays (rows without names)." },
	{ .name = "bodyFormat", .label = "Format of answers", .kind = SHAPE_CHOICE,
	  .flags = SHAPE_RARE, .choices = READER_FORMATS,
	  .help = "How answers are written: json, ndjson (a record on each line; known by its "
	          "Content-Type too), or csv with a header line." },
	{ .name = "bodyPacking", .label = "Packing of answers", .kind = SHAPE_CHOICE,
	  .flags = SHAPE_RARE, .choices = READER_PACKINGS,
	  .help = "Answers are packed files (known by their Content-Type too): gzip, or zip with one "
	          "file, of NDJSON also with several." },
	{ .name = "recordsColumns", .label = "Columns", .kind = SHAPE_LIST,
	  .flags = SHAPE_RARE, .item = SHAPE_LINE, .min = 1, .max = 1000,
	  .help = "Of arrays: the members' names, in order. Of columns: the arrays to take." },
	REFUSAL_FIELDS,
	{ .name = "replay", .label = "When the outcome is unknown", .kind = SHAPE_CHOICE,
	  .flags = SHAPE_RARE, .choices = REQUEST_REPLAYS,
	  .help = "May a request be sent again when its outcome is unknown? GET and HEAD are safe "
	          "by default, others never." },
	{ .name = "idempotencyHeader", .kind = SHAPE_LINE, .flags = SHAPE_RARE, .max = 100,
	  .fallback = "Idempotency-Key", .help = "The header that carries the key of replay keyed." },
	{ .name = NULL }
};
const struct shape SHAPE_FUNCTION = { "Function", function_fields, false };

static const struct field rate_fields[] = {
	{ .name = "requestsPerSecond", .kind = SHAPE_NUMBER, .min = 0, .max = 10000,
	  .help = "Over all runs of a tenant." },
	{ .name = "requestsPerMinute", .kind = SHAPE_NUMBER, .min = 0, .max = 600000,
	  .help = "The strictest counts." },
	{ .name = "requestsPerHour", .kind = SHAPE_NUMBER, .min = 0, .max = 36000000,
	  .help = "The strictest counts." },
	{ .name = "burst", .label = "Requests at once after a rest", .kind = SHAPE_INTEGER, .min = 1,
	  .max = 10000,
	  .help = "Requests at once after a rest." },
	{ .name = "strategy", .label = "When the API says slow down", .kind = SHAPE_CHOICE,
	  .choices = rate_strategies,
	  .fallback = "queue", .help = "When the API says slow down: wait, or fail." },
	{ .name = "headers", .kind = SHAPE_OBJECT, .of = &QUOTA_SHAPE,
	  .help = "Which headers of answers say what is left, when they are not the usual ones." },
	{ .name = "backoffPath", .kind = SHAPE_LINE, .flags = SHAPE_RARE, .max = 200,
	  .help = "The member of an answer's body that says for how many seconds nothing may be asked." },
	{ .name = NULL }
};
const struct shape SHAPE_RATE_LIMIT = { "RateLimit", rate_fields, false };

static const struct field cache_fields[] = {
	{ .name = "ttlSeconds", .kind = SHAPE_INTEGER, .flags = SHAPE_REQUIRED, .min = 1, .max = 86400,
	  .help = "So long an answer to a GET is used again, within one instance and its config; then "
	          "the API is asked whether it has changed (ETag, Last-Modified)." },
	{ .name = "enabled", .kind = SHAPE_BOOLEAN, .fallback = "true", .help = "Keep answers." },
	{ .name = NULL }
};
static const struct shape cache_shape = { "CacheConfig", cache_fields, false };

static const struct field data_source_fields[] = {
	{ .name = "name", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED, .max = 200,
	  .help = "What the API is called." },
	{ .name = "description", .kind = SHAPE_TEXT, .max = 4000, .help = "What it offers." },
	{ .name = "protocol", .kind = SHAPE_CHOICE, .flags = SHAPE_RARE, .choices = protocols,
	  .fallback = "REST",
	  .help = "How it is spoken to." },
	{ .name = "baseUrl", .label = "Base address", .kind = SHAPE_LINE, .max = 1000,
	  .help = "A vendor's fixed address, or a template. Without it the config field of type Url "
	          "is the address, else the one required Text field whose name ends in url, host "
	          "or domain." },
	{ .name = "configFields", .kind = SHAPE_LIST, .of = &SHAPE_CONFIG_FIELD, .max = 50,
	  .help = "What each instance must give." },
	{ .name = "authConfig", .label = "Authentication", .kind = SHAPE_OBJECT,
	  .of = &SHAPE_AUTH,
	  .help = "How requests show who asks." },
	{ .name = "headers", .kind = SHAPE_MAP, .item = SHAPE_LINE, .max = 50,
	  .help = "Templates of headers for every request." },
	{ .name = "functions", .kind = SHAPE_LIST, .flags = SHAPE_REQUIRED, .of = &SHAPE_FUNCTION,
	  .min = 1, .max = 200, .help = "What can be called." },
	REFUSAL_FIELDS,
	{ .name = "rateLimitConfig", .label = "Rate limit", .kind = SHAPE_OBJECT,
	  .of = &SHAPE_RATE_LIMIT,
	  .help = "How fast the API may be asked." },
	{ .name = "cacheConfig", .kind = SHAPE_OBJECT, .of = &cache_shape,
	  .help = "How long answers may be used again; without it each run asks for everything." },
	{ .name = "category", .kind = SHAPE_LINE, .max = 100, .help = "For the marketplace." },
	{ .name = "tags", .kind = SHAPE_LIST, .item = SHAPE_LINE, .max = 20,
	  .help = "For the marketplace." },
	{ .name = "isActive", .label = "Offered for new collectors", .kind = SHAPE_BOOLEAN,
	  .fallback = "true",
	  .help = "Offered for new collectors." },
	{ .name = NULL }
};
const struct shape SHAPE_DATA_SOURCE = { "DataSource", data_source_fields, false };

static const struct field window_fields[] = {
	{ .name = "maxDays", .kind = SHAPE_INTEGER, .flags = SHAPE_REQUIRED, .min = 1, .max = 3660,
	  .help = "How long a window is at most. {cursor} and {window.start} are where it begins, "
	          "{window.end} where it ends; an API that counts both days takes one less." },
	{ .name = "endParam", .kind = SHAPE_LINE, .max = 100,
	  .help = "The parameter that carries the window's end." },
	{ .name = NULL }
};
static const struct shape window_shape = { "Window", window_fields, false };

static const struct field ingestion_fields[] = {
	{ .name = "strategy", .label = "What a run does", .kind = SHAPE_CHOICE,
	  .choices = strategies, .fallback = "full-sync",
	  .help = "What a run does to the records of earlier runs." },
	{ .name = "batchSize", .kind = SHAPE_INTEGER, .flags = SHAPE_RARE, .min = 1,
	  .max = 100000, .fallback = "100",
	  .help = "A hint: a commit holds whole pages." },
	{ .name = "cursorField", .label = "Member that grows with each change",
	  .kind = SHAPE_LINE,
	  .help = "The member that grows with each change; its greatest value is {cursor}." },
	{ .name = "overlap", .kind = SHAPE_ANY, .flags = SHAPE_RARE,
	  .help = "How far {cursor} stays behind: seconds of times, units of numbers, or \"15m\"." },
	{ .name = "cursorStep", .kind = SHAPE_INTEGER, .flags = SHAPE_RARE, .min = 1, .max = 1000000,
	  .help = "How far {cursor} stands behind the greatest value met, for an API that begins with the "
	          "number that it is asked with; 1: at the next one." },
	{ .name = "cursorFormat", .kind = SHAPE_LINE, .flags = SHAPE_RARE, .max = 200,
	  .help = "How {cursor} is written: iso8601, date, unix, unix_ms, rfc2822, conversions such as "
	          "%Y-%m-%d, or one of the words in a text: gte|{iso8601}. The cursor is a time then." },
	{ .name = "recordTimeFormat", .kind = SHAPE_LINE, .flags = SHAPE_RARE, .max = 200,
	  .help = "How records write the cursorField, when that is another form: also /Date(ms)/." },
	{ .name = "cursorStart", .kind = SHAPE_LINE, .flags = SHAPE_RARE, .max = 500,
	  .help = "{cursor} while there is none: {config.startDate}, {now-30d}." },
	{ .name = "stopAtCursor", .kind = SHAPE_BOOLEAN, .flags = SHAPE_RARE, .fallback = "false",
	  .help = "Of an API that lists the newest first: the first record older than {cursor} ends "
	          "the run." },
	{ .name = "window", .kind = SHAPE_OBJECT, .flags = SHAPE_RARE, .of = &window_shape,
	  .help = "Of an API that answers for a limited time at once: the run goes through one window "
	          "after another." },
	{ .name = "primaryKey", .label = "Key of a record", .kind = SHAPE_ANY,
	  .help = "The member, or the list of members, that names a record; by default id." },
	{ .name = NULL }
};
static const struct shape ingestion_shape = { "DataIngestion", ingestion_fields, false };

/* The type is checked with the steps' order, which knows what to say about it. */
static const struct field step_fields[] = {
	{ .name = "id", .kind = SHAPE_SLUG, .flags = SHAPE_RARE, .max = 100,
	  .help = "Made from the name when absent." },
	{ .name = "name", .kind = SHAPE_LINE, .max = 200, .help = "What the log calls it." },
	{ .name = "type", .label = "What it does", .kind = SHAPE_LINE,
	  .flags = SHAPE_REQUIRED, .max = 100,
	  .help = "api-call, pagination, transform, filter, deduplicate, validate, store-database." },
	{ .name = "enabled", .kind = SHAPE_BOOLEAN, .fallback = "true", .help = "Takes part." },
	{ .name = "config", .label = "Settings", .kind = SHAPE_MAP, .flags = SHAPE_NULLABLE,
	  .item = SHAPE_ANY, .max = 50,
	  .forms = STEP_CONFIG_SHAPES, .help = "By the type." },
	{ .name = NULL }
};
static const struct shape step_shape = { "ProcessingStep", step_fields, false };

static const struct field pipeline_fields[] = {
	{ .name = "id", .kind = SHAPE_SLUG, .flags = SHAPE_RARE, .max = 100,
	  .help = "Made from the name when absent." },
	{ .name = "name", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED, .max = 200,
	  .help = "What it collects." },
	{ .name = "description", .kind = SHAPE_TEXT, .max = 2000, .help = "More about it." },
	{ .name = "functionId", .label = "Function", .kind = SHAPE_LINE,
	  .flags = SHAPE_REQUIRED, .max = 100,
	  .help = "A function of the data source." },
	{ .name = "staticParameters", .label = "Parameter values", .kind = SHAPE_MAP,
	  .item = SHAPE_ANY, .max = 100,
	  .help = "Values for the function's parameters." },
	{ .name = "dataIngestion", .label = "How records are kept", .kind = SHAPE_OBJECT,
	  .of = &ingestion_shape,
	  .help = "How records are kept." },
	{ .name = "processingSteps", .label = "Steps", .kind = SHAPE_LIST, .of = &step_shape,
	  .max = 50,
	  .help = "In order." },
	{ .name = NULL }
};
const struct shape SHAPE_PIPELINE = { "Pipeline", pipeline_fields, false };

static const struct field collector_fields[] = {
	{ .name = "name", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED, .max = 200,
	  .help = "What the marketplace calls it." },
	{ .name = "description", .kind = SHAPE_TEXT, .max = 4000, .help = "What it collects." },
	{ .name = "dataSourceId", .label = "Data source", .kind = SHAPE_UUID,
	  .flags = SHAPE_REQUIRED,
	  .help = "The data source it asks." },
	{ .name = "stage", .kind = SHAPE_CHOICE, .choices = stages, .fallback = "Draft",
	  .help = "A label; publishing sets Production." },
	{ .name = "creatorConfig", .label = "Test values", .kind = SHAPE_MAP,
	  .flags = SHAPE_SECRET, .item = SHAPE_ANY,
	  .max = 50, .help = "The creator's own values, for tests only; never published." },
	{ .name = "pipelines", .kind = SHAPE_LIST, .flags = SHAPE_REQUIRED, .of = &SHAPE_PIPELINE,
	  .min = 1, .max = 50, .help = "What it collects, one stream each." },
	{ .name = NULL }
};
const struct shape SHAPE_COLLECTOR = { "Collector", collector_fields, false };
