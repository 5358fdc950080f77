/*
 * Answers that are used again: what an answer's headers forbid to keep is not kept, and what is kept comes
 * back from the database as it was. Then whatever stands in the database as headers. The input is header
 * lines, a NUL, and a body.
 */
#include "config.h"

#include <string.h>
#include <strings.h>

#include "engine/run.h"
#include "lib/db/queries.h"
#include "runner/commit.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/plan.h"

#include "lib/base/poison.h"

#define HEADERS_MAX 16
#define NOW_MS      INT64_C(1700000000000)

static const char source[] =
	"{\"name\":\"API\",\"baseUrl\":\"https://api.example\",\"cacheConfig\":{"
	"\"ttlSeconds\":60},\"functions\":[{\"id\":\"items\",\"name\":"
	"\"items\",\"path\":\"/items\"}]}";
static const char pipeline[] = "{\"name\":\"p\",\"functionId\":\"items\"}";

/* --- a database of one row --- */

struct db_rows {
	struct str cells[5]; /* fresh, etag, last-modified, headers, body */
};

static struct db_rows row;

void commit_enter(struct committer *c, const struct claim *claim)
{
	(void)c;
	(void)claim;
}

void db_queue(struct db *db, enum query q, const struct db_arg *args, size_t nargs)
{
	(void)db;
	(void)q;
	(void)args;
	(void)nargs;
}

void db_queue_rows(struct db *db, enum query q, const struct db_arg *args, size_t nargs,
                   struct arena *a, struct db_rows **rows)
{
	(void)a;
	db_queue(db, q, args, nargs);
	*rows = &row;
}

bool db_commit(struct db *db, struct err *e)
{
	(void)db;
	(void)e;
	return true;
}

size_t db_count(const struct db_rows *rows)
{
	return rows != NULL;
}

struct str db_get(const struct db_rows *rows, size_t at, size_t column)
{
	must(at == 0);
	return rows->cells[column];
}

bool db_get_bool(const struct db_rows *rows, size_t at, size_t column)
{
	return str_eq_text(db_get(rows, at, column), "t");
}

struct str db_get_bytes(const struct db_rows *rows, size_t at, size_t column)
{
	return db_get(rows, at, column);
}

static struct run_cached *found(struct arena *a, struct str headers, struct str body)
{
	struct committer c = { .arena = a };
	struct job *job = arena_alloc(a, sizeof(*job));
	struct err e = { 0 };
	char key[] = "00";

	row = (struct db_rows){ { STR("t"), STR("\"e\""), STR(""), headers, body } };
	job->kept_key = key;
	must(commit_kept_find(&c, job, &e));
	return job->kept;
}

/* --- an answer --- */

static void headers_cut(struct str head, struct http_answer_header *headers, size_t *n)
{
	struct str line, name, value;

	while (head.len > 0 && *n < HEADERS_MAX) {
		line = head;
		head.len = 0;
		str_cut(line, '\n', &line, &head);
		if (str_cut(line, ':', &name, &value) && name.len > 0 && str_utf8_valid(name))
			headers[(*n)++] = (struct http_answer_header){ name, str_trim(value) };
	}
}

/* A word of a list, by another way than the engine's. */
static bool says(struct arena *a, struct str value, const char *word)
{
	char *rest = arena_text(a, value), *part;

	while ((part = strsep(&rest, ",")) != NULL)
		if (strcasecmp(arena_text(a, str_trim(str_of(part))), word) == 0)
			return true;
	return false;
}

static bool forbidden(struct arena *a, const struct http_answer *answer)
{
	for (size_t i = 0; i < answer->header_count; i++) {
		const struct http_answer_header *h = &answer->headers[i];

		if (str_eq_nocase(h->name, "Set-Cookie") ||
		    (str_eq_nocase(h->name, "Cache-Control") && says(a, h->value, "no-store")) ||
		    (str_eq_nocase(h->name, "Vary") && says(a, h->value, "*")) ||
		    !str_utf8_valid(h->value))
			return true;
	}
	return false;
}

static void same(const struct run_cached *kept, const struct http_answer *answer)
{
	must(kept && kept->fresh && kept->answer.status == 200 && strcmp(kept->etag, "\"e\"") == 0);
	must(str_eq(kept->answer.body, answer->body));
	must(kept->answer.header_count == answer->header_count);
	for (size_t i = 0; i < answer->header_count; i++)
		must(str_eq(kept->answer.headers[i].name, answer->headers[i].name) &&
		     str_eq(kept->answer.headers[i].value, answer->headers[i].value));
}

static void offered(struct arena *a, const struct run_act *act, const struct http_answer *answer)
{
	const struct run_cache_put *put = act->page->cache;
	struct run_cached *kept;

	must(!put || (!forbidden(a, answer) && put->life_ms <= 60000));
	must(put || forbidden(a, answer));
	if (!put)
		return;
	kept = found(a, put->headers, put->body);
	same(kept, answer);
	kept->release(&kept->answer);
}

static void play(struct arena *a, struct http_answer *answer)
{
	struct run_options o = { .plan = plan_made(a, source, pipeline),
		                 .execution_id = "e",
		                 .caches = true };
	enum run_want want = RUN_BUSY;
	struct run_act act;
	struct err e = { 0 };
	struct run *run;

	o.config = config_new(a, NULL, NULL, NULL, 0);
	o.now_ms = NOW_MS;
	must(run_new(&o, &run, &e));
	for (int i = 0; i < 10 && want != RUN_END && want != RUN_WAIT && want != RUN_PAGE; i++) {
		want = run_next(run, NOW_MS, &act);
		if (want == RUN_FIND)
			run_cache_found(run, NULL, NOW_MS);
		if (want == RUN_SEND)
			run_feed(run, act.request_id, answer, NOW_MS, NULL);
	}
	must(want == RUN_END || want == RUN_WAIT || want == RUN_PAGE);
	if (want == RUN_PAGE)
		offered(a, &act, answer);
	run_free(run);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct str text = { (const char *)bytes, len }, head = text, body = { "", 0 };
	struct arena *a = arena_new(64 << 20);
	struct http_answer_header headers[HEADERS_MAX];
	struct http_answer answer = { .status = 200, .headers = headers, .detail = "" };
	struct run_cached *kept;

	str_cut(text, '\0', &head, &body);
	headers_cut(head, headers, &answer.header_count);
	answer.body = body;
	play(a, &answer);
	kept = found(a, body, STR("{}"));
	if (kept)
		kept->release(&kept->answer);
	arena_free(a);
	return 0;
}
