/* A document against the shapes of the product's largest bodies: it is refused with reasons, or it compiles
 * or is refused with reasons there. Nothing that is accepted is more than its shape allows. */
#include "config.h"

#include <string.h>

#include "engine/definition.h"
#include "engine/plan.h"
#include "engine/release.h"
#include "lib/json/schema.h"
#include "tests/fuzz/fuzz.h"

#include "lib/base/poison.h"

static void reasons(const struct problems *ps)
{
	must(ps->count > 0);
	for (size_t i = 0; i < ps->count && i < PROBLEMS_MAX; i++)
		must(ps->list[i].pointer && ps->list[i].slug[0] && ps->list[i].msg[0] &&
		     str_utf8_valid(str_of(ps->list[i].msg)));
}

static void compile(struct arena *a, json_t *source, json_t *pipelines)
{
	struct problems *ps = problems_new(a);
	struct plan *plan = NULL;
	size_t i;
	json_t *one;

	if (!definition_check_pipelines(a, source, pipelines, "", ps)) {
		reasons(ps);
		return;
	}
	json_array_foreach(pipelines, i, one) if (plan_compile(a, source, one, "", &plan, ps))
		must(strlen(plan_hash(plan)) == 32);
	else reasons(ps);
}

/* {"dataSource":{...},"pipelines":[...]}, or any other document. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct arena *a = arena_new(256 << 20);
	struct problems *ps = problems_new(a);
	struct err e = { 0 };
	json_t *doc = NULL, *source, *pipelines;

	if (json_read(a, (struct str){ (const char *)bytes, len }, &doc, &e)) {
		source = json_object_get(doc, "dataSource");
		pipelines = json_object_get(doc, "pipelines");
		if (!shape_check(&SHAPE_COLLECTOR, doc, "", ps))
			reasons(ps);
		ps = problems_new(a);
		if (!shape_check(&SHAPE_DATA_SOURCE, source ? source : doc, "", ps) ||
		    !definition_check_data_source(source ? source : doc, "", ps))
			reasons(ps);
		else if (source && json_is_array(pipelines))
			compile(a, source, pipelines);
	}
	arena_free(a);
	return 0;
}
