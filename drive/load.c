#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "drive/load.h"
#include "lib/http/guard.h"
#include "lib/base/poison.h"

#define ARENA_MAX   (64 * 1024 * 1024)
#define SECRETS_MAX 64

struct loading {
	const struct load_options *o;
	struct arena *arena;
	const json_t *fields;
	json_t *values; /* borrowed */
	struct config_secret secrets[SECRETS_MAX];
	size_t secret_count;
	const char *kept[SECRETS_MAX + 1];
};

enum run_remedy load_remedy(const struct err *e)
{
	static const struct {
		const char *slug;
		enum run_remedy remedy;
	} rows[] = {
		{ "definition_invalid", REMEDY_DEFINITION },
		{ "pipeline_unknown", REMEDY_DEFINITION },
		{ "definition_changed", REMEDY_NONE },
		{ "state_unreadable", REMEDY_BUG },
		{ "out_of_memory", REMEDY_RETRY_LATER },
		{ "key_unknown", REMEDY_TENANT },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(e->slug, rows[i].slug) == 0)
			return rows[i].remedy;
	if (e->code == ERR_UNAVAILABLE || e->code == ERR_TIMEOUT)
		return REMEDY_RETRY_LATER;
	return e->code == ERR_BUG || e->code == ERR_DB ? REMEDY_BUG : REMEDY_TENANT;
}

static bool plan_find(struct loading *l, struct loaded *out, struct err *e)
{
	const struct load_options *o = l->o;
	bool ok = o->document.len > 0
	                  ? plan_cache_get(o->plans, o->document, o->pipeline_id, &out->planned, e)
	                  : planned_new(o->data_source, o->pipelines, o->pipeline_id, &out->planned,
	                                e);

	if (!ok)
		return false;
	l->fields = out->planned->fields;
	out->plan = out->planned->plan;
	out->pipeline_id = out->planned->pipeline_id;
	out->pipeline_name = out->planned->pipeline_name;
	return true;
}

static bool values_read(struct loading *l, struct err *e)
{
	if (l->o->config.len > 0)
		return json_read(l->arena, l->o->config, &l->values, e);
	l->values = (json_t *)l->o->values;
	return true;
}

/* The first value of a field wins: what the caller opened, then what is sealed, then plain. */
static bool secret_add(struct loading *l, const char *field, const struct secret *value,
                       struct err *e)
{
	for (size_t i = 0; i < l->secret_count; i++)
		if (strcmp(l->secrets[i].field, field) == 0)
			return true;
	if (!value || l->secret_count == SECRETS_MAX)
		return err_set(e, ERR_UNAVAILABLE, "out_of_memory", "There is not enough memory.");
	l->secrets[l->secret_count] = (struct config_secret){ .field = field, .value = value };
	l->kept[l->secret_count++] = field;
	return true;
}

static bool sealed_open(struct loading *l, const struct load_sealed *s, struct err *e)
{
	const struct seal_place place = {
		.tenant = l->o->tenant,
		.owner = l->o->owner,
		.field = s->field,
		.version = s->version,
	};
	struct secret *plain;
	struct err why = { 0 };

	if (l->o->keys && seal_open(l->arena, l->o->keys, &place, s->blob, &plain, &why))
		return secret_add(l, arena_strdup(l->arena, s->field), plain, e);
	if (why.code == ERR_UNAVAILABLE) { /* it will open later; nobody has to enter it again */
		*e = why;
		return false;
	}
	err_set(e, ERR_INPUT, "credential_unreadable",
	        "The saved value of \"%s\" cannot be read any more. Enter it again.", s->field);
	return err_detail(e, "%s: %s", why.slug, why.detail);
}

static bool secrets_gather(struct loading *l, struct err *e)
{
	const struct load_options *o = l->o;
	json_t *field;
	size_t i;

	for (i = 0; i < o->secret_count; i++)
		if (!secret_add(l, o->secrets[i].field, o->secrets[i].value, e))
			return false;
	for (i = 0; i < o->sealed_count; i++)
		if (!sealed_open(l, &o->sealed[i], e))
			return false;
	json_array_foreach(l->fields, i, field)
	{
		const char *name = json_text(field, "name", "");
		const char *value = json_text(l->values, name, "");

		if (config_field_is_secret(field) && value[0] &&
		    !secret_add(l, name, secret_new_in(l->arena, str_of(value)), e))
			return false;
	}
	return true;
}

static void values_free(void *p)
{
	json_decref(p);
}

static bool config_make(struct loading *l, struct loaded *out, struct err *e)
{
	struct problems *p = problems_new(l->arena);

	if (!p)
		return err_set(e, ERR_UNAVAILABLE, "out_of_memory", "There is not enough memory.");
	if (!l->values)
		l->values = json_object();
	else
		json_incref(l->values);
	if (!l->values || !arena_defer(l->arena, values_free, l->values))
		return err_set(e, ERR_UNAVAILABLE, "out_of_memory", "There is not enough memory.");
	if (!secrets_gather(l, e))
		return false;
	config_check(l->fields, l->values, l->kept, "", p);
	if (!planned_problems(p, "config_invalid", "The configuration does not fit the data source",
	                      e))
		return false;
	out->config = config_new(l->arena, l->fields, l->values, l->secrets, l->secret_count);
	return out->config ||
	       err_set(e, ERR_UNAVAILABLE, "out_of_memory", "There is not enough memory.");
}

/* Where its requests go. */
static bool service_find(struct loading *l, struct loaded *out, struct err *e)
{
	struct str origin, service;

	if (!plan_origin(l->arena, out->plan, out->config, &origin, e) ||
	    !guard_url_host(l->arena, origin, &service, e))
		return false;
	out->service = arena_text(l->arena, service);
	return !arena_failed(l->arena) ||
	       err_set(e, ERR_UNAVAILABLE, "out_of_memory", "There is not enough memory.");
}

bool load_pipeline(const struct load_options *o, struct loaded **out, struct err *e)
{
	struct arena *arena = arena_new_run(ARENA_MAX);
	struct loaded *loaded = arena ? arena_alloc(arena, sizeof(*loaded)) : NULL;
	struct loading *l = loaded ? arena_alloc(arena, sizeof(*l)) : NULL;

	if (!l) {
		arena_free(arena);
		return err_set(e, ERR_UNAVAILABLE, "out_of_memory", "There is not enough memory.");
	}
	l->o = o;
	l->arena = loaded->arena = arena;
	if (!plan_find(l, loaded, e) || !values_read(l, e) || !config_make(l, loaded, e) ||
	    !service_find(l, loaded, e)) {
		load_free(loaded);
		return false;
	}
	*out = loaded;
	return true;
}

void load_free(struct loaded *l)
{
	const struct planned *planned;

	if (!l)
		return;
	planned = l->planned;
	arena_free(l->arena);
	planned_free(planned);
}
