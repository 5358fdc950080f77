/*
 * What a record costs the engine, from a body to a page: make tests/bench/page && tests/bench/page
 *
 * Pages of 250 products of about 800 bytes go through the functions that a run uses, one more with each
 * line, and through whole runs, without transforms and with pick, rename and cast on five members. Prints lines
 * of "name value unit", in nanoseconds of processor time a record: the median over the rounds, and the
 * least, which a busy machine disturbs less. Each round walks through all pages, so that no body is in
 * the nearest cache. BENCH_ROUNDS (31) sets how many.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "engine/definition.h"
#include "engine/plan_parts.h"
#include "engine/run.h"
#include "lib/base/buf.h"
#include "lib/crypt/crypt.h"
#include "tests/upstream/product.h"
#include "lib/base/poison.h"

#define PAGES      16
#define PAGE_SIZE  250
#define ROUNDS     31
#define ROUNDS_MAX 10001
#define NOW_MS     INT64_C(1766000000000)
#define MIB        (1024 * 1024)

#define SOURCE                                                                                     \
	"{\"name\":\"API\",\"baseUrl\":\"https://api.example\",\"functions\":[{\"id\":\"f\","      \
	"\"name\":\"items\",\"path\":\"/items\",\"recordsPath\":\"products\"}]}"
#define PIPELINE(ingestion, steps)                                                                 \
	"[{\"name\":\"p\",\"functionId\":\"f\",\"dataIngestion\":{" ingestion "},"                 \
	"\"processingSteps\":[{\"name\":\"c\",\"type\":\"api-call\"},{\"name\":\"p\",\"type\":"    \
	"\"pagination\",\"config\":{\"type\":\"page\"}}" steps "]}]"
#define INCREMENTAL "\"strategy\":\"incremental\",\"cursorField\":\"updated_at\""
#define TRANSFORM                                                                                  \
	",{\"name\":\"t\",\"type\":\"transform\",\"config\":{"                                     \
	"\"pick\":[\"id\",\"title\",\"vendor\",\"checksum\",\"rating\"],"                          \
	"\"rename\":{\"id\":\"number\",\"title\":\"name\",\"vendor\":\"brand\","                   \
	"\"checksum\":\"sum\",\"rating\":\"stars\"},"                                              \
	"\"cast\":{\"number\":\"string\",\"name\":\"string\",\"brand\":\"string\","                \
	"\"sum\":\"integer\",\"stars\":\"number\"}}}"

static const struct way {
	const char *name, *pipeline;
} ways[] = {
	{ "plain", PIPELINE("", "") },
	{ "cursor", PIPELINE(INCREMENTAL, "") },
	{ "transform", PIPELINE("\"primaryKey\":\"number\"", TRANSFORM) },
};

struct bench {
	struct str bodies[PAGES];
	struct arena *arena; /* what one page needs */
	struct crypt_hasher *hasher;
	struct scan_index index;
	const struct plan *plan;
	const struct config *config;
	struct run *run;
	size_t rounds;
	double *times;
};

/* What is measured: all of it for one body. False: it did not work. */
typedef bool work_fn(struct bench *, struct str body);

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void body_make(struct buf *b, int64_t page)
{
	buf_text(b, "{\"products\":[");
	for (int64_t i = 0; i < PAGE_SIZE; i++) {
		struct item item = { .noun = NOUN_PRODUCTS,
			             .seed = 7,
			             .index = page * PAGE_SIZE + i,
			             .updated_ms = ITEM_EPOCH_MS + (page * PAGE_SIZE + i) * 61000 };

		buf_text(b, i ? "," : "");
		item_render(&item, b);
	}
	buf_text(b, "]}");
}

static bool bodies_make(struct bench *bench)
{
	size_t all = 0;

	for (size_t i = 0; i < PAGES; i++) {
		struct buf b;

		buf_init(&b, MIB);
		body_make(&b, (int64_t)i);
		bench->bodies[i].p = buf_take(&b, &bench->bodies[i].len);
		if (!bench->bodies[i].p)
			return false;
		all += bench->bodies[i].len;
	}
	printf("record %zu bytes\n", all / PAGES / PAGE_SIZE);
	return true;
}

static bool plan_make(struct arena *a, const char *pipeline, const struct plan **out)
{
	struct problems *ps = problems_new(a);
	json_t *source = NULL, *pipelines = NULL;
	struct plan *plan = NULL;
	struct err e = { 0 };

	if (!json_read(a, str_of(SOURCE), &source, &e) ||
	    !json_read(a, str_of(pipeline), &pipelines, &e)) {
		fprintf(stderr, "%s\n", e.msg);
		return false;
	}
	if (!definition_check_data_source(source, "", ps) ||
	    !definition_check_pipelines(a, source, pipelines, "", ps) ||
	    !plan_compile(a, source, json_array_get(pipelines, 0), "", &plan, ps)) {
		for (size_t i = 0; i < ps->count; i++)
			fprintf(stderr, "%s: %s\n", ps->list[i].pointer, ps->list[i].msg);
		return false;
	}
	*out = plan;
	return true;
}

/*
 * The parts of the way
 */

static bool work_sha256(struct bench *b, struct str body)
{
	unsigned char hash[CRYPT_SHA256];
	size_t size = body.len / PAGE_SIZE;

	for (size_t i = 0; i < PAGE_SIZE; i++)
		crypt_hasher_sha256(b->hasher, (struct str){ body.p + i * size, size }, hash);
	return true;
}

static bool work_key_sha256(struct bench *b, struct str body)
{
	unsigned char hash[CRYPT_SHA256];

	for (size_t i = 0; i < PAGE_SIZE; i++)
		crypt_hasher_sha256(b->hasher, (struct str){ body.p + i, 13 }, hash);
	return true;
}

static bool work_check(struct bench *b, struct str body)
{
	struct scan_value root;
	struct err e = { 0 };

	return scan_check_indexed(b->arena, body, &b->index, &root, &e);
}

/* Each part has those before it in it: checked first. */
static bool records_find(struct bench *b, struct str body, struct scan_value **records)
{
	struct scan_value root;
	struct err e = { 0 };
	size_t count;

	return scan_check_indexed(b->arena, body, &b->index, &root, &e) &&
	       reader_records(b->arena, &b->plan->reader, root, records, &count, &e) &&
	       count == PAGE_SIZE;
}

static bool work_records(struct bench *b, struct str body)
{
	struct scan_value *records;

	return records_find(b, body, &records);
}

static bool work_steps(struct bench *b, struct str body)
{
	struct scope scope = { .arena = b->arena };
	struct scan_value *values;
	struct record record;
	bool ok = records_find(b, body, &values);

	for (size_t i = 0; ok && i < PAGE_SIZE; i++) {
		record_steps_apply(b->plan->steps, &scope, NULL, values[i], &record);
		ok = record.fate == RECORD_KEEP;
	}
	return ok;
}

static bool work_identify(struct bench *b, struct str body)
{
	const struct record_identity identity = { .key = b->plan->key,
		                                  .cursor = b->plan->cursor,
		                                  .cursor_form = b->plan->record_form,
		                                  .index = &b->index,
		                                  .twins = record_twins_new(b->arena) };
	struct scope scope = { .arena = b->arena };
	struct scan_value *values;
	bool ok = records_find(b, body, &values);

	for (size_t i = 0; ok && i < PAGE_SIZE; i++) {
		struct record record = { .fate = RECORD_KEEP };

		record_steps_apply(b->plan->steps, &scope, NULL, values[i], &record);
		record_identify(b->arena, b->hasher, &identity, &record);
		ok = record.fate == RECORD_KEEP && record.key.len > 0;
	}
	return ok;
}

/* As a driver does it, from the request that a run wants to the page that it hands out. */
static bool work_page(struct bench *b, struct str body)
{
	struct http_answer answer = { .status = 200, .body = body };
	const struct run_note *notes;
	struct run_act act;

	if (run_next(b->run, NOW_MS, &act) != RUN_SEND)
		return false;
	run_feed(b->run, act.request_id, &answer, NOW_MS, NULL);
	if (run_next(b->run, NOW_MS, &act) != RUN_PAGE || act.page->kept != PAGE_SIZE)
		return false;
	run_notes(b->run, &notes);
	run_page_committed(b->run);
	return true;
}

/*
 * Measuring
 */

static bool measure(struct bench *b, const char *way, const char *name, work_fn *work)
{
	for (size_t n = 0; n < b->rounds; n++) {
		double start = now_ns();

		for (size_t i = 0; i < PAGES; i++) {
			if (!work(b, b->bodies[i])) {
				fprintf(stderr, "%s.%s does not work\n", way, name);
				return false;
			}
			arena_reset(b->arena);
		}
		b->times[n] = (now_ns() - start) / PAGES / PAGE_SIZE;
	}
	qsort(b->times, b->rounds, sizeof(*b->times), by_size);
	printf("%s.%s %.1f ns\n", way, name, b->times[b->rounds / 2]);
	printf("%s.%s.least %.1f ns\n", way, name, b->times[0]);
	fflush(stdout);
	return true;
}

static bool run_measure(struct bench *b, const char *way)
{
	struct run_options options = { .plan = b->plan,
		                       .config = b->config,
		                       .execution_id = "e1",
		                       .seed = 7,
		                       .now_ms = NOW_MS };
	struct err e = { 0 };
	bool ok = run_new(&options, &b->run, &e);

	if (!ok)
		fprintf(stderr, "%s\n", e.msg);
	ok = ok && measure(b, way, "page", work_page);
	run_free(b->run);
	return ok;
}

static bool way_measure(struct bench *b, struct arena *plans, const struct way *way)
{
	return plan_make(plans, way->pipeline, &b->plan) &&
	       measure(b, way->name, "steps", work_steps) &&
	       measure(b, way->name, "identify", work_identify) && run_measure(b, way->name);
}

static bool bench_run(struct bench *b, struct arena *plans)
{
	bool ok = bodies_make(b) && plan_make(plans, ways[0].pipeline, &b->plan) &&
	          measure(b, "limit", "sha256", work_sha256) &&
	          measure(b, "limit", "key_sha256", work_key_sha256) &&
	          measure(b, "all", "check", work_check) &&
	          measure(b, "all", "records", work_records);

	for (size_t i = 0; ok && i < sizeof(ways) / sizeof(*ways); i++)
		ok = way_measure(b, plans, &ways[i]);
	return ok;
}

static size_t rounds_wanted(void)
{
	const char *text = getenv("BENCH_ROUNDS");
	int64_t n;

	return text && str_int(str_of(text), 1, ROUNDS_MAX, &n) ? (size_t)n : ROUNDS;
}

int main(void)
{
	struct arena *plans = arena_new(16 * MIB);
	struct bench b = { .arena = arena_new(64 * MIB),
		           .hasher = crypt_hasher_new(),
		           .rounds = rounds_wanted() };
	bool ok;

	b.times = calloc(b.rounds, sizeof(*b.times));
	b.config = config_new(plans, NULL, NULL, NULL, 0);
	ok = b.times && b.hasher && b.config && bench_run(&b, plans);
	for (size_t i = 0; i < PAGES; i++)
		free((char *)b.bodies[i].p);
	free(b.times);
	crypt_hasher_free(b.hasher);
	arena_free(b.arena);
	arena_free(plans);
	return ok ? 0 : 1;
}
