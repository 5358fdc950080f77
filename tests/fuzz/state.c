/*
 * The state of a run, as a commit left it: it is refused with a reason, or read; and what is read and
 * written again reads as the same. The first @ of the input stands for the plan's hash.
 */
#include "config.h"

#include <string.h>

#include "engine/run.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/plan.h"

#include "lib/base/poison.h"

static const char source[] =
	"{\"name\":\"API\",\"baseUrl\":\"https://api.example\",\"functions\":[{"
	"\"id\":\"items\",\"name\":\"items\",\"path\":\"/items\","
	"\"recordsPath\":\"items\",\"parameters\":[{\"name\":\"cursor\"}]}]}";
static const char pipeline[] =
	"{\"name\":\"p\",\"functionId\":\"items\",\"processingSteps\":[{\"name\":\"call\",\"type\":"
	"\"api-call\"},{\"name\":\"paging\",\"type\":\"pagination\",\"config\":{\"type\":"
	"\"cursor\","
	"\"cursorParam\":\"cursor\"}}]}";

static struct str with_hash(struct arena *a, const struct plan *plan, struct str text)
{
	struct str head, tail;

	if (!str_cut(text, '@', &head, &tail))
		return text;
	return str_of(arena_printf(a, STR_FMT "%s" STR_FMT, STR_ARG(head), plan_hash(plan),
	                           STR_ARG(tail)));
}

/* The state that the run writes, in the arena; empty: it was refused. */
static struct str read_and_write(struct arena *a, const struct plan *plan, struct str state)
{
	struct run_options o = { .plan = plan, .state = state, .execution_id = "e" };
	struct str out = { NULL, 0 };
	struct err e = { 0 };
	struct run *run;

	o.config = config_new(a, NULL, NULL, NULL, 0);
	if (!run_new(&o, &run, &e)) {
		must(strcmp(e.slug, "state_unreadable") == 0 ||
		     strcmp(e.slug, "definition_changed") == 0);
		must(e.msg[0]);
		return out;
	}
	out = arena_copy(a, run_state(run));
	run_free(run);
	return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct arena *a = arena_new(64 << 20);
	const struct plan *plan = plan_made(a, source, pipeline);
	struct str text = with_hash(a, plan, (struct str){ (const char *)bytes, len }), once, twice;

	once = text.len > 0 ? read_and_write(a, plan, text) : (struct str){ NULL, 0 };
	if (once.len > 0) {
		must(once.len <= RUN_STATE_MAX);
		twice = read_and_write(a, plan, once);
		must(str_eq(once, twice));
	}
	arena_free(a);
	return 0;
}
