#include "config.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "drive/plan_cache.h"
#include "lib/crypt/crypt.h"
#include "lib/base/poison.h"

#define ARENA_MAX (64 * 1024 * 1024)
#define PLACES    64
#define KEPT_BYTES                                                                                 \
	((size_t)256 * 1024) /* what takes more is compiled each time: memory has an end */
#define FIELD_BYTES 36 /* of memory for a byte of their text, when Jansson holds the smallest */

/* A planned, first in it, and who has a share of it. */
struct entry {
	struct planned planned;
	struct arena *arena; /* holds this */
	atomic_int shares;
	unsigned char document[CRYPT_SHA256];
	uint64_t used; /* the cache's turn that found it last */
};

struct plan_cache {
	pthread_mutex_t mutex;
	struct entry *places[PLACES];
	uint64_t turn;
};

/* ---- one of them ---- */

static bool no_memory(struct err *e)
{
	return err_set(e, ERR_UNAVAILABLE, "out_of_memory", "There is not enough memory.");
}

bool planned_problems(const struct problems *p, const char *slug, const char *what, struct err *e)
{
	if (p->count == 0)
		return true;
	err_set(e, ERR_INPUT, slug, "%s: %s", what, p->list[0].msg);
	return err_at(e, "%s", p->list[0].pointer);
}

static const json_t *pipeline_find(const json_t *pipelines, const char *id)
{
	const json_t *pipeline;
	size_t i;

	json_array_foreach(pipelines, i, pipeline)
	{
		if (!id || strcmp(json_text(pipeline, "id", ""), id) == 0)
			return pipeline;
	}
	return NULL;
}

static void fields_free(void *p)
{
	json_decref(p);
}

static bool compile(struct entry *one, const json_t *data_source, const json_t *pipeline,
                    struct err *e)
{
	struct arena *a = one->arena;
	json_t *fields = json_object_get(data_source, "configFields");
	struct problems *p = problems_new(a);
	struct plan *plan = NULL;

	if (!p || (!plan_compile(a, data_source, pipeline, "", &plan, p) && p->count == 0))
		return no_memory(e);
	if (!planned_problems(p, "definition_invalid", "The pipeline cannot be run", e))
		return false;
	one->planned = (struct planned){
		.plan = plan,
		.fields = fields,
		.pipeline_id = plan_pipeline_id(plan),
		.pipeline_name = arena_strdup(a, json_text(pipeline, "name", "")),
	};
	if (fields && !arena_defer(a, fields_free, json_incref(fields)))
		return no_memory(e);
	return !arena_failed(a) || no_memory(e);
}

bool planned_new(const json_t *data_source, const json_t *pipelines, const char *pipeline_id,
                 const struct planned **out, struct err *e)
{
	const json_t *pipeline = pipeline_find(pipelines, pipeline_id);
	struct arena *arena;
	struct entry *one;

	if (!json_is_object(data_source) || !json_is_array(pipelines))
		return err_set(
			e, ERR_INPUT, "definition_invalid",
			"The collector's definition lacks its data source or its pipelines.");
	if (!pipeline)
		return err_set(e, ERR_INPUT, "pipeline_unknown",
		               "The collector has no pipeline of this id; upgrade the instance.");
	arena = arena_new_run(ARENA_MAX);
	one = arena ? arena_alloc(arena, sizeof(*one)) : NULL;
	if (!one) {
		arena_free(arena);
		return no_memory(e);
	}
	one->arena = arena;
	one->shares = 1;
	if (!compile(one, data_source, pipeline, e)) {
		arena_free(arena);
		return false;
	}
	*out = &one->planned;
	return true;
}

static void share_back(struct entry *one)
{
	if (one && atomic_fetch_sub(&one->shares, 1) == 1)
		arena_free(one->arena);
}

void planned_free(const struct planned *p)
{
	share_back((struct entry *)p);
}

/* The document goes as soon as it is compiled. */
static bool read_and_plan(struct str document, const char *pipeline_id, const struct planned **out,
                          struct err *e)
{
	struct arena *a = arena_new_run(ARENA_MAX);
	json_t *root;
	bool ok;

	if (!a)
		return no_memory(e);
	ok = json_read(a, document, &root, e) &&
	     planned_new(json_object_get(root, "dataSource"),
	                 json_object_get(json_object_get(root, "collector"), "pipelines"),
	                 pipeline_id, out, e);
	arena_free(a);
	return ok;
}

/* ---- many ---- */

struct plan_cache *plan_cache_new(void)
{
	struct plan_cache *cache = calloc(1, sizeof(*cache));

	if (cache)
		pthread_mutex_init(&cache->mutex, NULL);
	return cache;
}

void plan_cache_free(struct plan_cache *cache)
{
	if (!cache)
		return;
	for (size_t i = 0; i < PLACES; i++)
		share_back(cache->places[i]);
	pthread_mutex_destroy(&cache->mutex);
	free(cache);
}

static bool is_of(const struct entry *one, const unsigned char document[CRYPT_SHA256],
                  const char *pipeline_id)
{
	return one && memcmp(one->document, document, CRYPT_SHA256) == 0 &&
	       strcmp(one->planned.pipeline_id, pipeline_id) == 0;
}

/* Where it stands, or where it may: a free place, or that of whom nobody has wanted for longest. */
static struct entry **place_of(struct plan_cache *cache, const unsigned char document[CRYPT_SHA256],
                               const char *pipeline_id)
{
	struct entry **place = &cache->places[0];

	for (size_t i = 0; i < PLACES; i++) {
		struct entry **here = &cache->places[i];

		if (is_of(*here, document, pipeline_id))
			return here;
		if (*place && (!*here || (*here)->used < (*place)->used))
			place = here;
	}
	return place;
}

static struct entry *found(struct plan_cache *cache, const unsigned char document[CRYPT_SHA256],
                           const char *pipeline_id)
{
	struct entry *one;

	pthread_mutex_lock(&cache->mutex);
	one = *place_of(cache, document, pipeline_id);
	if (is_of(one, document, pipeline_id)) {
		one->used = ++cache->turn;
		atomic_fetch_add(&one->shares, 1);
	} else {
		one = NULL;
	}
	pthread_mutex_unlock(&cache->mutex);
	return one;
}

static size_t memory_of(const struct entry *one)
{
	return arena_used(one->arena) +
	       FIELD_BYTES * json_dumpb(one->planned.fields, NULL, 0, JSON_COMPACT);
}

/* Two threads may have compiled the same: either does. */
static void keep(struct plan_cache *cache, struct entry *one)
{
	struct entry **place, *before;

	if (memory_of(one) > KEPT_BYTES)
		return;
	pthread_mutex_lock(&cache->mutex);
	place = place_of(cache, one->document, one->planned.pipeline_id);
	before = *place;
	*place = one;
	one->used = ++cache->turn;
	atomic_fetch_add(&one->shares, 1);
	pthread_mutex_unlock(&cache->mutex);
	share_back(before);
}

bool plan_cache_get(struct plan_cache *cache, struct str document, const char *pipeline_id,
                    const struct planned **out, struct err *e)
{
	unsigned char hash[CRYPT_SHA256];
	struct entry *one;

	if (!cache || !pipeline_id)
		return read_and_plan(document, pipeline_id, out, e);
	crypt_sha256(document, hash);
	one = found(cache, hash, pipeline_id);
	if (!one) {
		if (!read_and_plan(document, pipeline_id, out, e))
			return false;
		one = (struct entry *)*out;
		memcpy(one->document, hash, sizeof(hash));
		keep(cache, one);
	}
	*out = &one->planned;
	return true;
}
