/* definition_form: which shape a free part of a definition has, by what stands beside it. */
#include "config.h"

#include "engine/auth.h"
#include "engine/definition.h"
#include "engine/record_step.h"
#include "engine/steps.h"

#include "lib/base/poison.h"

static const struct field no_fields[] = { { .name = NULL } };
static const struct shape nothing = { "Nothing", no_fields, false };

static const struct shape *details_shape(const json_t *auth)
{
	return auth_details_shape(json_text(auth, "type", ""));
}

static const struct shape *config_shape(const json_t *step)
{
	return steps_config_shape(json_text(step, "type", ""), json_object_get(step, "config"));
}

/* {} means "with the defaults": a form that shows none of them would lose it. */
static const struct shape *flatten_shape(const json_t *config)
{
	return json_is_object(json_object_get(config, "flatten")) ? &RECORD_FLATTENING_SHAPE
	                                                          : &RECORD_FLATTEN_SHAPE;
}

static const struct {
	const char *within, *end;
	const struct shape *(*find)(const json_t *parent);
} places[] = {
	{ "", "/authConfig/details", details_shape },
	{ "/processingSteps/", "/config", config_shape },
	{ "/processingSteps/", "/config/flatten", flatten_shape },
};

const struct shape *definition_shape_at(void *arg, const char *pointer, const json_t *parent)
{
	const struct shape *found;

	(void)arg;
	for (size_t i = 0; i < sizeof places / sizeof *places; i++)
		if (strstr(pointer, places[i].within) && str_ends(str_of(pointer), places[i].end)) {
			found = places[i].find(parent);
			return found ? found : &nothing;
		}
	return NULL;
}
