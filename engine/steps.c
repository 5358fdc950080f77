/* steps: the table of step kinds and the order they stand in. */
#include "config.h"

#include "engine/paginate.h"
#include "engine/record_step.h"
#include "engine/steps.h"

#include "lib/base/poison.h"

/* clang-format off */
static const struct field call_fields[] = {
	{ .name = "timeoutSeconds", .kind = SHAPE_INTEGER, .min = 1, .max = 60, .fallback = "30",
	  .help = "For each request." },
	{ .name = "retries", .kind = SHAPE_INTEGER, .min = 0, .max = 5, .fallback = "3",
	  .help = "Further attempts when a request fails for a passing reason." },
	{ .name = NULL }
};
static const struct field no_fields[] = { { .name = NULL } };
static const struct shape call_shape = { "ApiCallStep", call_fields, false };
static const struct shape empty_shape = { "StoreStep", no_fields, false };

const struct shape *const STEP_CONFIG_SHAPES[] = {
	&call_shape, &SHAPE_PAGING_NONE, &SHAPE_PAGING_CURSOR, &SHAPE_PAGING_LINK,
	&SHAPE_PAGING_NEXT_URL, &SHAPE_PAGING_PAGE, &SHAPE_PAGING_OFFSET, NULL,
};

static const struct step_kind kinds[] = {
	{ .name = "api-call", .rank = 0, .once = true, .needed = true, .always_on = true,
	  .config = &call_shape },
	{ .name = "pagination", .rank = 1, .once = true }, /* config: engine/paginate.h */
	{ .name = "transform", .rank = 2 }, /* these four: engine/record_step.h */
	{ .name = "filter", .rank = 2 },
	{ .name = "deduplicate", .rank = 2 },
	{ .name = "validate", .rank = 2 },
	{ .name = "store-database", .rank = 3, .once = true, .always_on = true,
	  .config = &empty_shape },
};
/* clang-format on */

#define KINDS (sizeof kinds / sizeof *kinds)

const char *const STEP_NAMES[] = { "api-call",    "pagination", "transform",      "filter",
	                           "deduplicate", "validate",   "store-database", NULL };

static const struct step_kind *kind_find(const char *name)
{
	for (size_t i = 0; i < KINDS; i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}

/* Before a way of pagination is chosen, its choice is all that there is. */
const struct shape *steps_config_shape(const char *type, const json_t *config)
{
	const struct step_kind *kind = kind_find(type);
	const struct shape *paging;

	if (!kind)
		return NULL;
	if (strcmp(type, "pagination") == 0) {
		paging = paging_shape(json_text(config, "type", "none"));
		return paging ? paging : paging_shape("none");
	}
	return kind->config ? kind->config : record_step_shape(type);
}

struct order {
	const struct step_kind *last;
	size_t seen[KINDS];
};

static bool order_check(struct compile *c, struct order *o, const struct step_kind *kind,
                        const char *type_at)
{
	bool good = true;

	if (o->seen[kind - kinds]++ > 0 && kind->once)
		good = problem_add(c->problems, type_at, "step_repeated",
		                   "A pipeline has one %s step only.", kind->name);
	else if (o->last && kind->rank < o->last->rank)
		good = problem_add(c->problems, type_at, "step_order",
		                   "A %s step cannot stand behind a %s step.", kind->name,
		                   o->last->name);
	o->last = kind;
	return good;
}

static bool step_check(struct compile *c, struct order *o, const json_t *step, const char *at)
{
	const char *type_at = json_pointer_add(c->arena, at, "type");
	const struct step_kind *kind = kind_find(json_text(step, "type", ""));
	const json_t *config = json_object_get(step, "config");

	if (!kind)
		return problem_add(c->problems, type_at, "unknown_step",
		                   "There is no step of type \"%.40s\"; the types are api-call, "
		                   "pagination, transform, filter, deduplicate, validate and "
		                   "store-database.",
		                   json_text(step, "type", ""));
	if (!json_flag(step, "enabled", true)) {
		if (!kind->always_on)
			return true;
		o->seen[kind - kinds]++;
		return problem_add(
			c->problems, json_pointer_add(c->arena, at, "enabled"), "step_needed",
			"A %s step cannot be switched off; a test run stores nothing.", kind->name);
	}
	if (!order_check(c, o, kind, type_at))
		return false;
	if (kind->config && config && !json_is_null(config))
		return shape_check(kind->config, config, json_pointer_add(c->arena, at, "config"),
		                   c->problems);
	return true;
}

bool steps_check(struct compile *c, const json_t *steps, const char *at)
{
	struct order order = { 0 };
	const json_t *step;
	bool good = true;
	size_t i;

	if (!steps || json_array_size(steps) == 0)
		return true;
	json_array_foreach(steps, i, step) good &=
		step_check(c, &order, step, json_pointer_index(c->arena, at, i));
	for (i = 0; i < KINDS; i++)
		if (kinds[i].needed && order.seen[i] == 0)
			good = problem_add(c->problems, at, "step_missing",
			                   "A pipeline needs an enabled %s step.", kinds[i].name);
	return good;
}

const json_t *steps_find(const json_t *steps, const char *type, size_t *index)
{
	const json_t *step;
	size_t i;

	json_array_foreach(steps, i, step)
	{
		if (strcmp(json_text(step, "type", ""), type) != 0 ||
		    !json_flag(step, "enabled", true))
			continue;
		*index = i;
		return step;
	}
	return NULL;
}
