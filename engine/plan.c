/* plan: compiling a data source and a pipeline into what a run walks through. */
#include "config.h"

#include <math.h>
#include <stdlib.h>

#include "engine/decimal.h"
#include "engine/oauth.h"
#include "engine/plan_parts.h"
#include "engine/steps.h"
#include "lib/base/clock.h"
#include "lib/crypt/crypt.h"

#include "lib/base/poison.h"

#define RETRIES_DEFAULT 3
#define TIMEOUT_DEFAULT 30                       /* seconds */
#define FIRST_YEAR_MS   INT64_C(-62135596800000) /* 0001-01-01 */

static const struct plan_budget budget_default = {
	.time_ms = 6LL * 3600 * 1000,
	.bytes = 64LL << 30,
	.requests = 1000000,
	.pages = 1000000,
	.memory = 256LL << 20,
};

/* What is being compiled, and where its parts stand. */
struct planning {
	struct compile c;
	const json_t *data_source, *pipeline, *function;
	const char *at;
	struct plan *plan;
};

static const char *below(struct planning *p, const char *member)
{
	return json_pointer_add(p->c.arena, p->at, member);
}

static bool function_find(struct planning *p)
{
	const json_t *functions = json_object_get(p->data_source, "functions");
	const char *id = json_text(p->pipeline, "functionId", "");

	p->function = compile_find(functions, "id", str_of(id));
	if (!p->function)
		p->function = compile_find(functions, "name", str_of(id));
	if (p->function)
		return true;
	return problem_add(p->c.problems, below(p, "functionId"), "unknown_function",
	                   "The data source has no function \"%.100s\".", id);
}

/* A pipeline may set only what the function declares. */
static bool statics_known(struct planning *p)
{
	const json_t *statics = json_object_get(p->pipeline, "staticParameters");
	const char *name;
	json_t *value;
	bool good = true;

	json_object_foreach((json_t *)statics, name, value)
	{
		if (request_param_find(&p->plan->request, name))
			continue;
		good = problem_add(p->c.problems,
		                   json_pointer_add(p->c.arena, below(p, "staticParameters"), name),
		                   "unknown_parameter",
		                   "The function %s has no parameter of this name.",
		                   p->plan->request.function);
	}
	return good;
}

static bool required_given(struct planning *p)
{
	const struct request_plan *request = &p->plan->request;
	bool good = true;

	for (size_t i = 0; i < request->param_count; i++) {
		const struct request_param *param = &request->params[i];

		if (!param->required || param->count > 0 ||
		    paging_supplies(&p->plan->paging, param->name))
			continue;
		good = problem_add(
			p->c.problems,
			json_pointer_add(p->c.arena, below(p, "staticParameters"), param->name),
			"required", "The function %s requires the parameter %s.", request->function,
			param->name);
	}
	return good;
}

static bool request_part(struct planning *p)
{
	bool good =
		request_compile(&p->c,
	                        &(struct request_source){
					.data_source = p->data_source,
					.function = p->function,
					.statics = json_object_get(p->pipeline, "staticParameters"),
					.ds_at = "",
					.function_at = "",
					.statics_at = below(p, "staticParameters"),
				},
	                        &p->plan->request);

	return statics_known(p) && good;
}

static bool is_of_first_page(const json_t *config, const char *name)
{
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(config, "firstPageOnlyParams"), i, one)
	{
		if (json_is_string(one) && strcmp(json_string_value(one), name) == 0)
			return true;
	}
	return false;
}

/* Path parameters and headers stay; what stands in query or body says nextRequest alone. */
static json_t *later_params(struct planning *p, const json_t *config)
{
	json_t *out = json_array(), *param;
	size_t i;

	json_array_foreach(json_object_get(p->function, "parameters"), i, param)
	{
		const char *place = json_text(param, "location", "query");

		if ((strcmp(place, "header") == 0 || strcmp(place, "path") == 0) &&
		    !is_of_first_page(config, json_text(param, "name", "")))
			json_array_append(out, param);
	}
	return out;
}

/* The function as nextRequest changes it. */
static json_t *later_function(struct planning *p, const json_t *config)
{
	const json_t *next = json_object_get(config, "nextRequest");
	json_t *function = json_copy((json_t *)p->function);
	const char *path = json_text(next, "path", json_text(p->function, "path", ""));

	path = arena_printf(p->c.arena, "%s%s", path, json_text(next, "pathSuffix", ""));
	json_object_del(function, "body");
	json_object_set_new(function, "path", json_string(path));
	json_object_set_new(function, "parameters", later_params(p, config));
	if (json_object_get(next, "method"))
		json_object_set(function, "method", json_object_get(next, "method"));
	if (json_object_get(next, "body"))
		json_object_set(function, "body", json_object_get(next, "body"));
	return function;
}

/* Its problems point into the step: what it has of the function was judged with the function. */
static bool later_part(struct planning *p, const json_t *config, const char *at)
{
	const json_t *next = json_object_get(config, "nextRequest");
	const char *here = json_pointer_add(p->c.arena, at, "nextRequest"), *pin = p->c.pin;
	struct request_source source = { .data_source = p->data_source,
		                         .ds_at = "",
		                         .function_at = here,
		                         .statics_at = below(p, "staticParameters"),
		                         .statics =
		                                 json_object_get(p->pipeline, "staticParameters") };
	json_t *function;
	bool good;

	if (!next || json_is_null(next))
		return true;
	function = later_function(p, config);
	source.function = function;
	p->c.pin = NULL;
	good = request_compile(&p->c, &source, &p->plan->later);
	p->c.pin = pin;
	json_decref(function);
	p->plan->later.timeout_ms = p->plan->request.timeout_ms;
	p->plan->has_later = good;
	if (good && !request_uses(&p->plan->later, SCOPE_PAGING))
		good = problem_add(p->c.problems, here, "position_not_named",
		                   "The next request has to name the cursor: write {next} into its "
		                   "path or body.");
	return good;
}

/* What a text names must be there when it is rendered. */
static bool names_have_values(struct planning *p)
{
	if (p->plan->paging.by_template || !request_uses(&p->plan->request, SCOPE_PAGING))
		return true;
	return problem_add(p->c.problems, compile_at(&p->c, ""), "position_not_named",
	                   "The function %s names {offset} or {next}, which have values only in a "
	                   "pipeline whose pagination has inject template. If they are meant as "
	                   "text, put a space behind the brace.",
	                   p->plan->request.function);
}

static bool steps_part(struct planning *p)
{
	const json_t *steps = json_object_get(p->pipeline, "processingSteps"), *call, *paging;
	const json_t *config = NULL;
	const char *at = below(p, "processingSteps"), *paging_at = at;
	size_t i = 0;
	bool good;

	good = steps_check(&p->c, steps, at);
	call = json_object_get(steps_find(steps, "api-call", &i), "config");
	p->plan->retries = (int)json_int(call, "retries", RETRIES_DEFAULT);
	p->plan->request.timeout_ms = json_int(call, "timeoutSeconds", TIMEOUT_DEFAULT) * 1000;
	paging = steps_find(steps, "pagination", &i);
	if (paging) {
		config = json_object_get(paging, "config");
		paging_at = json_pointer_add(p->c.arena, json_pointer_index(p->c.arena, at, i),
		                             "config");
		if (!json_is_object(config))
			return problem_add(p->c.problems, paging_at, "required",
			                   "A pagination step needs a config with a type: cursor, "
			                   "link, next-url, page, offset or none.");
	}
	good &= paging_compile(&p->c, config, paging_at, &p->plan->request, &p->plan->paging);
	if (good)
		good = required_given(p) && later_part(p, config, paging_at) &&
		       names_have_values(p);
	return record_steps_compile(p->c.arena, steps, at, &p->plan->steps, p->c.problems) && good;
}

static bool key_part(struct planning *p, const json_t *ingestion, const char *at)
{
	const json_t *key = json_object_get(ingestion, "primaryKey");
	const char *here = json_pointer_add(p->c.arena, at, "primaryKey");
	size_t n = json_is_array(key) ? json_array_size(key) : 1;
	struct scan_path **paths;

	if (!key || json_is_null(key))
		return true;
	paths = arena_array(p->c.arena, n + 1, sizeof *paths);
	if (!paths)
		return compile_no_memory(&p->c);
	for (size_t i = 0; i < n; i++) {
		const json_t *one = json_is_array(key) ? json_array_get(key, i) : key;
		const char *text = json_string_value(one);

		if (!text || !*text)
			return problem_add(p->c.problems, here, "wrong_type",
			                   "The primary key is a path or a list of paths.");
		if (!compile_path(&p->c, text, here, &paths[i]))
			return false;
	}
	p->plan->key = n > 0 ? paths : NULL;
	return true;
}

static bool ingestion_part(struct planning *p)
{
	const json_t *ingestion = json_object_get(p->pipeline, "dataIngestion");
	const char *at = below(p, "dataIngestion");
	const char *strategy = json_text(ingestion, "strategy", "full-sync");
	bool good;

	p->plan->strategy = strcmp(strategy, "incremental") == 0 ? PLAN_INCREMENTAL
	                    : strcmp(strategy, "append") == 0    ? PLAN_APPEND
	                                                         : PLAN_FULL_SYNC;
	good = plan_cursor_compile(&p->c, ingestion, at, p->plan);
	good &= key_part(p, ingestion, at);
	if (p->plan->steps)
		record_steps_identity(p->plan->steps, p->plan->key);
	return good;
}

static void rate_part(struct planning *p)
{
	static const struct {
		const char *member;
		double seconds;
	} spans[] = { { "requestsPerSecond", 1 },
		      { "requestsPerMinute", 60 },
		      { "requestsPerHour", 3600 } };
	const json_t *config = json_object_get(p->data_source, "rateLimitConfig");
	double least = 0, burst = json_number_value(json_object_get(config, "burst"));

	for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) {
		double n = json_number_value(json_object_get(config, spans[i].member));

		if (n > 0 && (least == 0 || n / spans[i].seconds < least))
			least = n / spans[i].seconds;
	}
	p->plan->rate_per_s = least;
	p->plan->rate_burst = least == 0 ? 0 : burst >= 1 ? burst : fmax(1, floor(least));
	p->plan->rate_fails = strcmp(json_text(config, "strategy", "queue"), "fail") == 0;
}

static void cache_part(struct planning *p)
{
	const json_t *config = json_object_get(p->data_source, "cacheConfig");

	if (json_flag(config, "enabled", true))
		p->plan->cache_ms = json_int(config, "ttlSeconds", 0) * 1000;
}

/* What the pipeline is called, and the other functions, may change without disturbing a run. */
static bool hash_part(struct planning *p)
{
	static const char *const of_source[] = { "baseUrl",      "authConfig", "headers",
		                                 "configFields", "okPath",     "okValue",
		                                 "errorPath" };
	static const char *const of_pipeline[] = { "staticParameters", "dataIngestion",
		                                   "processingSteps" };
	json_t *all = json_object();
	char *text;
	struct str hex;

	json_object_set_new(all, "engine", json_integer(1));
	json_object_set(all, "function", (json_t *)p->function);
	for (size_t i = 0; i < sizeof of_source / sizeof *of_source; i++)
		json_object_set(all, of_source[i], json_object_get(p->data_source, of_source[i]));
	for (size_t i = 0; i < sizeof of_pipeline / sizeof *of_pipeline; i++)
		json_object_set(all, of_pipeline[i], json_object_get(p->pipeline, of_pipeline[i]));
	text = json_dumps(all, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(all);
	if (!text)
		return compile_no_memory(&p->c);
	hex = crypt_sha256_hex(p->c.arena, str_of(text), 16);
	free(text);
	if (!hex.p)
		return compile_no_memory(&p->c);
	memcpy(p->plan->hash, hex.p, sizeof p->plan->hash - 1);
	return true;
}

static bool parts(struct planning *p)
{
	struct plan *plan = p->plan;
	bool good;

	plan->budget = budget_default;
	plan->pipeline_id = arena_strdup(p->c.arena, json_text(p->pipeline, "id", ""));
	plan->stream = arena_strdup(p->c.arena, json_text(p->function, "name", ""));
	good = request_part(p);
	good &= reader_compile(&p->c, p->function, "", &plan->reader);
	good &= refusal_compile(&p->c, p->data_source, "", &plan->refusal);
	good &= refusal_compile(&p->c, p->function, "", &plan->refusal);
	good &= steps_part(p);
	good &= ingestion_part(p);
	rate_part(p);
	cache_part(p);
	good &= quota_compile(&p->c, json_object_get(p->data_source, "rateLimitConfig"),
	                      "/rateLimitConfig", &plan->quota);
	return hash_part(p) && good;
}

bool plan_compile(struct arena *a, const json_t *data_source, const json_t *pipeline,
                  const char *at, struct plan **out, struct problems *problems)
{
	size_t before = problems->count;
	struct planning p = {
		.c = { .arena = a,
		       .fields = json_object_get(data_source, "configFields"),
		       .problems = problems,
		       .pin = json_pointer_add(a, at, "functionId") },
		.data_source = data_source,
		.pipeline = pipeline,
		.at = at,
		.plan = arena_alloc(a, sizeof *p.plan),
	};

	if (!p.plan)
		return compile_no_memory(&p.c);
	if (!function_find(&p) || !parts(&p))
		return false;
	*out = p.plan;
	return problems->count == before;
}

/*
 * Questions
 */

const char *plan_hash(const struct plan *plan)
{
	return plan->hash;
}

const char *plan_pipeline_id(const struct plan *plan)
{
	return plan->pipeline_id;
}

const char *plan_stream_name(const struct plan *plan)
{
	return plan->stream;
}

enum plan_strategy plan_strategy(const struct plan *plan)
{
	return plan->strategy;
}

struct plan_budget plan_budget(const struct plan *plan)
{
	return plan->budget;
}

const char *plan_auth_hash(const struct plan *plan)
{
	return plan->request.auth.oauth ? oauth_hash(plan->request.auth.oauth) : NULL;
}

bool plan_has_cursor(const struct plan *plan)
{
	return plan->cursor != NULL || paging_has_token(&plan->paging);
}

double plan_rate_per_s(const struct plan *plan)
{
	return plan->rate_per_s;
}

double plan_rate_burst(const struct plan *plan)
{
	return plan->rate_burst;
}

bool plan_origin(struct arena *a, const struct plan *plan, const struct config *config,
                 struct str *out, struct err *e)
{
	const struct scope scope = { .arena = a, .config = config };
	struct http_text base;
	const char *host, *path;

	if (!request_origin_render(&plan->request, &scope, &base, e))
		return false;
	host = strstr(base.shown, "://");
	path = strchr(host ? host + 3 : base.shown, '/');
	*out = (struct str){ base.shown, path ? (size_t)(path - base.shown) : strlen(base.shown) };
	return true;
}
