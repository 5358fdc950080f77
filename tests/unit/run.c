/* Runs: faults, waits, budgets, replays, states, journals. Paging has its own test. */
#include "config.h"

#include <stdio.h>

#include "tests/unit/engine_play.h"

#include "lib/base/poison.h"

#define SOURCE_WITH(function, more)                                                                \
	"{'name':'API','baseUrl':'https://api.example/v1',"                                        \
	"'configFields':[{'name':'token','type':'Password'},"                                      \
	"{'name':'shop','type':'Text','default':'north'}],"                                        \
	"'authConfig':{'type':'Bearer','details':{'token':'{config.token}'}}" more ","             \
	"'functions':[{'id':'items','name':'items','path':'/items'" function ","                   \
	"'parameters':[{'name':'limit','type':'number'},{'name':'page','type':'integer'},"         \
	"{'name':'since'},{'name':'note','location':'body'}]}]}"
#define SOURCE SOURCE_WITH("", "")
#define NEVER  SOURCE_WITH(",'method':'POST'", "")
#define KEYED  SOURCE_WITH(",'method':'POST','replay':'keyed'", "")
#define SAFE   SOURCE_WITH(",'method':'POST','replay':'safe'", "")
#define PIPELINE(more)                                                                             \
	"{'name':'p','functionId':'items'" more                                                    \
	",'processingSteps':[{'type':'api-call','name':'call'}]}"
#define PAGED                                                                                      \
	"{'name':'p','functionId':'items','processingSteps':[{'type':'api-call','name':'call'},"   \
	"{'type':'pagination','name':'paging','config':{'type':'page'}}]}"
#define ITEMS "https://api.example/v1/items"
#define ASK   "> GET " ITEMS "\n"
#define ONE   "= 1: 1\n. success complete \"single page\"\n"

/* clang-format off */
#define OK(text)              { 200, text, NULL, HTTP_FAULT_NONE }
#define STATUS(code)          { code, "", NULL, HTTP_FAULT_NONE }
#define WITH(code, header)    { code, "", header, HTTP_FAULT_NONE }
#define SAYS(code, text)      { code, text, NULL, HTTP_FAULT_NONE }
#define FAULT(name)           { 0, "", NULL, HTTP_FAULT_ ## name }
#define GOOD                  OK("[{'id':1}]")
#define LIMITED(after)        WITH(429, "Retry-After: " after)

struct row {
	const char *name, *source, *pipeline;
	struct scripted answers[6];
	size_t count;
	const char *transcript, *words; /* part of the message; NULL: none */
	enum run_remedy remedy;
};

static const struct row rows[] = {
	{ "a good answer", SOURCE, PIPELINE(""), { GOOD }, 1, ASK ONE, NULL, REMEDY_NONE },
	{ "records in the only list", SOURCE, PIPELINE(""), { OK("{'n':1,'list':[{'id':1}]}") }, 1,
	  ASK ONE, NULL, REMEDY_NONE },
	{ "one byte order mark", SOURCE, PIPELINE(""), { OK("\xEF\xBB\xBF[{'id':1}]") }, 1, ASK ONE,
	  NULL, REMEDY_NONE },
	/* failures that pass */
	{ "500 is tried again", SOURCE, PIPELINE(""), { STATUS(500), STATUS(502), GOOD }, 3,
	  ASK "* upstream_unavailable ~\n" ASK "* upstream_unavailable ~\n" ASK ONE, NULL, REMEDY_NONE },
	{ "four failures are enough", SOURCE, PIPELINE(""),
	  { STATUS(500), STATUS(502), STATUS(504), SAYS(503, "sorry") }, 4,
	  ASK "* upstream_unavailable ~\n" ASK "* upstream_unavailable ~\n" ASK
	  "* upstream_unavailable ~\n" ASK ". failed upstream_unavailable\n",
	  "The upstream failed with status 503 after 4 attempts, and answered: sorry: items, page 1 "
	  "(GET " ITEMS "). Nothing was kept. The run goes on from there by itself later.",
	  REMEDY_RETRY_LATER },
	{ "a truncated body is tried again", SOURCE, PIPELINE(""), { FAULT(TRUNCATED), GOOD }, 2,
	  ASK "* body_truncated ~\n" ASK ONE, NULL, REMEDY_NONE },
	{ "a body that was cut without a word is tried again", SOURCE, PIPELINE(""),
	  { OK("[{'id':1},{'i"), GOOD }, 2, ASK "* body_truncated ~\n" ASK ONE, NULL, REMEDY_NONE },
	{ "retries as the pipeline says", SOURCE,
	  "{'name':'p','functionId':'items','processingSteps':[{'type':'api-call','name':'c',"
	  "'config':{'retries':0}}]}", { STATUS(500) }, 1, ASK ". failed upstream_unavailable\n",
	  "The upstream failed with status 500: items", REMEDY_RETRY_LATER },
	/* rate limits: a wait each, no attempt */
	{ "429 with seconds", SOURCE, PIPELINE(""), { LIMITED("5"), GOOD }, 2,
	  ASK "* upstream_rate_limited 5000 throttled\n" ASK ONE, NULL, REMEDY_NONE },
	{ "429 with a date", SOURCE, PIPELINE(""), { LIMITED("Tue, 14 Nov 2023 22:13:30 GMT"), GOOD }, 2,
	  ASK "* upstream_rate_limited ~ throttled\n" ASK ONE, NULL, REMEDY_NONE },
	{ "429 with a day at most", SOURCE, PIPELINE(""), { LIMITED("900000000000"), GOOD }, 2,
	  ASK "* upstream_rate_limited 86400000 throttled\n" ASK ONE, NULL, REMEDY_NONE },
	{ "429 without advice", SOURCE, PIPELINE(""), { STATUS(429), GOOD }, 2,
	  ASK "* upstream_rate_limited ~ throttled\n" ASK ONE, NULL, REMEDY_NONE },
	{ "429 with nonsense", SOURCE, PIPELINE(""), { LIMITED("-5"), LIMITED("abc"), LIMITED("0"), GOOD }, 4,
	  ASK "* upstream_rate_limited ~ throttled\n" ASK "* upstream_rate_limited ~ throttled\n" ASK
	  "* upstream_rate_limited ~ throttled\n" ASK ONE, NULL, REMEDY_NONE },
	{ "more waits than attempts", SOURCE, PIPELINE(""),
	  { LIMITED("1"), LIMITED("1"), LIMITED("1"), LIMITED("1"), LIMITED("1"), GOOD }, 6,
	  ASK "* upstream_rate_limited 1000 throttled\n" ASK "* upstream_rate_limited 1000 throttled\n"
	  ASK "* upstream_rate_limited 1000 throttled\n" ASK "* upstream_rate_limited 1000 throttled\n"
	  ASK "* upstream_rate_limited 1000 throttled\n" ASK ONE, NULL, REMEDY_NONE },
	{ "503 with advice waits, without it tries again", SOURCE, PIPELINE(""),
	  { WITH(503, "Retry-After: 3"), STATUS(503), GOOD }, 3,
	  ASK "* upstream_unavailable 3000\n" ASK "* upstream_unavailable ~\n" ASK ONE, NULL, REMEDY_NONE },
	{ "a rate limit that shall fail", SOURCE_WITH("", ",'rateLimitConfig':{'strategy':'fail'}"),
	  PIPELINE(""), { LIMITED("5") }, 1, ASK ". failed upstream_rate_limited\n",
	  "The upstream asked to slow down: items, page 1", REMEDY_RETRY_LATER },
	/* failures that stay */
	{ "401", SOURCE, PIPELINE(""), { STATUS(401) }, 1, ASK ". failed credential_rejected\n",
	  "The upstream refused the credential with status 401: items, page 1 (GET " ITEMS
	  "). Nothing was kept. Check the address and the credential", REMEDY_TENANT },
	{ "403", SOURCE, PIPELINE(""), { STATUS(403) }, 1, ASK ". failed access_denied\n",
	  "does not allow", REMEDY_TENANT },
	{ "404", SOURCE, PIPELINE("") , { STATUS(404) }, 1, ASK ". failed not_found_upstream\n",
	  "nothing at this address with status 404: items, page 1 (GET " ITEMS ")", REMEDY_TENANT },
	{ "410", SOURCE, PIPELINE(""), { STATUS(410) }, 1, ASK ". failed not_found_upstream\n",
	  "status 410", REMEDY_TENANT },
	{ "400 shows what was said, without secrets and controls", SOURCE, PIPELINE(""),
	  { SAYS(400, "bad\x1b[31m \"s3cr3t-t0ken\" here") }, 1, ASK ". failed request_rejected\n",
	  "with status 400, and answered: bad [31m \"[redacted]\" here: items", REMEDY_DEFINITION },
	{ "a redirect that is left", SOURCE, PIPELINE(""), { WITH(302, "Location: /x") }, 1,
	  ASK ". failed redirect_refused\n", "status 302", REMEDY_DEFINITION },
	{ "a status that means nothing", SOURCE, PIPELINE(""), { STATUS(700) }, 1,
	  ASK ". failed bad_response\n", "means nothing", REMEDY_TENANT },
	{ "HTML", SOURCE, PIPELINE(""), { OK("<html>we are closed</html>") }, 1,
	  ASK ". failed bad_body\n", "It begins: <html>we are closed</html>", REMEDY_DEFINITION },
	{ "an empty 200", SOURCE, PIPELINE(""), { OK("") }, 1, ASK ". failed bad_body\n",
	  "The answer is empty where JSON was expected: items", REMEDY_DEFINITION },
	{ "two documents", SOURCE, PIPELINE(""), { OK("[1] [2]") }, 1, ASK ". failed bad_body\n",
	  "something behind its JSON", REMEDY_DEFINITION },
	{ "no list, or two", SOURCE, PIPELINE(""), { OK("{'a':[],'b':[]}") }, 1,
	  ASK ". failed records_not_found\n", "records path", REMEDY_DEFINITION },
	/* records that cannot be stored */
	{ "a record is set aside, the page stays", SOURCE, PIPELINE(""),
	  { OK("[{'id':1},{'id':2,'x':'\\u0000'},{'id':3,'x':1e999999}]") }, 1,
	  ASK "= 1: 1 !2(nul_character) !3(number_too_big)\n. partial records_quarantined complete \"single page\"\n",
	  "2 records could not be stored and were set aside; 1 record was kept.", REMEDY_NONE },
	/* requests that may change something */
	{ "never: an intent first", NEVER, PIPELINE(""), { GOOD }, 1,
	  "> intent POST " ITEMS " {}\n" ONE, NULL, REMEDY_NONE },
	{ "never: 500 leaves it open", NEVER, PIPELINE(""), { STATUS(500) }, 1,
	  "> intent POST " ITEMS " {}\n. failed outcome_unknown\n", "not sent twice", REMEDY_TENANT },
	{ "never: silence leaves it open", NEVER, PIPELINE(""), { FAULT(TIMEOUT_FIRST_BYTE) }, 1,
	  "> intent POST " ITEMS " {}\n. failed outcome_unknown\n", "not sent twice", REMEDY_TENANT },
	{ "never: what was not sent may be sent", NEVER, PIPELINE(""), { FAULT(TIMEOUT_CONNECT), GOOD }, 2,
	  "> intent POST " ITEMS " {}\n* timeout_connect ~\n> intent POST " ITEMS " {}\n" ONE, NULL,
	  REMEDY_NONE },
	{ "never: a refusal is an answer", NEVER, PIPELINE(""), { STATUS(422) }, 1,
	  "> intent POST " ITEMS " {}\n. failed request_rejected\n", "status 422", REMEDY_DEFINITION },
	{ "never: a rate limit is an answer", NEVER, PIPELINE(""), { LIMITED("1"), GOOD }, 2,
	  "> intent POST " ITEMS " {}\n* upstream_rate_limited 1000 throttled\n> intent POST " ITEMS
	  " {}\n" ONE, NULL, REMEDY_NONE },
	{ "never: a bad body is not asked for again", NEVER, PIPELINE(""), { OK("[{'id':1},{'i") }, 1,
	  "> intent POST " ITEMS " {}\n. failed bad_body\n", "The answer is not valid JSON", REMEDY_DEFINITION },
	{ "safe: a POST that searches", SAFE, PIPELINE(""), { FAULT(CONNECT), GOOD }, 2,
	  "> POST " ITEMS " {}\n* connect_failed ~\n> POST " ITEMS " {}\n" ONE, NULL, REMEDY_NONE },
	/* what was kept is said */
	{ "what was kept", SOURCE, PAGED, { OK("[{'id':1},{'id':2}]"), STATUS(401) }, 2,
	  "> GET " ITEMS "?page=1\n= 1: 1 2\n> GET " ITEMS "?page=2\n. failed credential_rejected\n",
	  "items, page 2 (GET " ITEMS "). 2 records of 1 page are kept.", REMEDY_TENANT },
};
/* clang-format on */

static void faults_and_waits_end_as_their_transcripts_say(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		const struct row *row = &rows[i];
		struct play *p;

		p = play_new(row->source, row->pipeline);
		play_script(p, row->answers, row->count);
		if (strcmp(p->log.p, row->transcript) != 0 ||
		    (row->words ? !strstr(p->message, row->words) : *p->message != 0) ||
		    p->remedy != row->remedy)
			fail_msg("%s:\n%s\nexpected:\n%s\n%s", row->name, p->log.p, row->transcript,
			         p->message);
		play_free(p);
	}
}

/* Parked at each wait, a run does the same and has no more attempts than before. */
static void parking_at_a_wait_changes_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		const struct row *row = &rows[i];
		struct play *p;

		p = play_new(row->source, row->pipeline);
		p->cut_at_wait = true;
		play_script(p, row->answers, row->count);
		if (strcmp(p->log.p, row->transcript) != 0)
			fail_msg("%s:\n%s\nexpected:\n%s", row->name, p->log.p, row->transcript);
		play_free(p);
	}
}

static void each_fault_ends_under_its_own_code(void **state)
{
	(void)state;
	for (int fault = HTTP_FAULT_NONE + 1; fault < HTTP_FAULT__MAX; fault++) {
		struct play *p = play_new(SOURCE, PIPELINE(""));
		struct scripted answers[4];
		bool again = http_fault_is_retryable(fault);

		for (size_t i = 0; i < ROWS(answers); i++)
			answers[i] = (struct scripted){ 0, "", NULL, fault };
		play_script(p, answers, ROWS(answers));
		assert_string_equal(p->code, http_fault_slug(fault));
		assert_int_equal(p->sent, again ? 4 : 1);
		assert_true(p->remedy != REMEDY_NONE);
		assert_true(!again || p->remedy == REMEDY_RETRY_LATER);
		assert_non_null(strstr(p->message, "items, page 1"));
		assert_null(strstr(p->message, ".."));
		play_free(p);
	}
}

static void wait_answer(struct play *p, const struct http_request *q, size_t n)
{
	(void)q;
	(void)n;
	play_answer(p, (struct scripted)WITH(429, "Retry-After: 1"));
}

static void a_rate_limit_without_end_is_left_to_the_queue(void **state)
{
	struct play *p = play_new(SOURCE, PIPELINE(""));

	(void)state;
	p->answer = wait_answer;
	p->cut_at_wait = true;
	play_run(p);
	assert_string_equal(p->code, "upstream_rate_limited");
	assert_int_equal(p->remedy, REMEDY_RETRY_LATER);
	assert_int_equal(p->sent, 21);
	play_free(p);
}

/*
 * Budgets
 */

static void full_answer(struct play *p, const struct http_request *q, size_t n)
{
	char body[64];

	(void)q;
	snprintf(body, sizeof body, "[{'id':%zu},{'id':%zu}]", 2 * n, 2 * n + 1);
	play_answer(p, (struct scripted){ 200, body, NULL, HTTP_FAULT_NONE });
}

static void each_budget_ends_a_run_with_what_it_has(void **state)
{
	static const struct {
		struct plan_budget budget;
		const char *code;
		size_t sent;
		const char *status, *advice;
	} cases[] = {
		{ { .pages = 3 }, "budget_pages", 3, ". partial ", "are kept." },
		{ { .requests = 2 }, "budget_requests", 2, ". partial ", "are kept." },
		{ { .records = 5 }, "budget_records", 3, ". partial ", "are kept." },
		{ { .bytes = 40 }, "budget_bytes", 3, ". partial ", "are kept." },
		{ { .time_ms = 35 },
		  "budget_time",
		  4,
		  ". timeout ",
		  "are kept. Narrow what the pipeline asks for" },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(cases); i++)
		for (size_t cut = 0; cut < 2; cut++) {
			struct play *p = play_new(SOURCE, PAGED);

			p->options.budget = cases[i].budget;
			p->answer = full_answer;
			p->cut_after = cut;
			play_run(p);
			row_check(cases[i].code, strcmp(p->code, cases[i].code) == 0);
			row_check(cases[i].code, p->sent == cases[i].sent);
			row_check(cases[i].code, strstr(p->log.p, cases[i].status) != NULL);
			row_check(cases[i].code, strstr(p->message, cases[i].advice) != NULL);
			play_free(p);
		}
}

static void waiting_for_a_rate_limit_is_no_working_time(void **state)
{
	static const struct scripted answers[] = { LIMITED("3600"), GOOD };
	struct play *p = play_new(SOURCE, PIPELINE(""));

	(void)state;
	p->options.budget.time_ms = 1000;
	play_script(p, answers, ROWS(answers));
	assert_string_equal(p->code, "");
	play_free(p);
}

static void a_page_beyond_the_memory_fails_the_run_alone(void **state)
{
	struct play *p = play_new(SOURCE, PIPELINE(""));
	struct buf body;

	(void)state;
	buf_init(&body, 4 << 20);
	for (int i = 0; i < 20000; i++)
		buf_printf(&body, "%s{'id':%d}", i ? "," : "[", i);
	buf_char(&body, ']');
	p->options.budget.memory = 256 * 1024;
	play_script(p, &(struct scripted){ 200, body.p, NULL, HTTP_FAULT_NONE }, 1);
	assert_string_equal(p->code, "budget_memory");
	buf_free(&body);
	play_free(p);
}

/* A page is whole or it is not there: no amount of memory gives a part of it, or an early end. */
static void any_amount_of_memory_gives_whole_pages_or_none(void **state)
{
	static const char pipeline[] =
		"{'name':'p','functionId':'items','processingSteps':["
		"{'type':'api-call','name':'c'},{'type':'pagination','name':'g','config':"
		"{'type':'cursor','cursorParam':'since','cursorPath':'next'}},"
		"{'type':'transform','name':'t','config':{'rename':{'name':'title'}}},"
		"{'type':'filter','name':'f','config':{'condition':'id !== 2'}},"
		"{'type':'deduplicate','name':'d'}]}";
	static const struct scripted answers[] = {
		OK("{'items':[{'id':1,'name':'a'},{'id':2,'name':'b'},{'id':3,'name':'c'}],"
		   /* an escape: the cursor's text takes memory of its own */
		   "'next':'\\u0041-------------------------------------------------------------'"
		   "}"),
		OK("{'items':[{'id':4,'name':'a'},{'id':4,'name':'d'}]}"),
	};
	size_t whole = 0, none = 0;

	(void)state;
	for (int64_t memory = 1; memory < 20000; memory += 37) {
		struct play *p = play_new(SOURCE, pipeline);

		p->options.budget.memory = memory;
		play_script(p, answers, ROWS(answers));
		if (strcmp(p->code, "budget_memory") == 0)
			none++;
		else if (strstr(p->log.p, ". success complete"))
			whole += strstr(p->log.p, "= 1: 1 ~") && strstr(p->log.p, "= 2: 4 =");
		else
			fail_msg("%d bytes: %s%s", (int)memory, p->log.p, p->message);
		play_free(p);
	}
	assert_true(none > 5);
	assert_true(whole > 5);
	assert_int_equal(whole + none, (20000 - 1 + 36) / 37);
}

/*
 * Intents, keys, cancelling
 */

static struct run *begin(struct play *p, struct str state)
{
	struct err e = { 0 };
	struct run *run;

	p->options.state = state;
	p->options.now_ms = p->now_ms;
	if (!run_new(&p->options, &run, &e))
		fail_msg("%s", e.msg);
	return run;
}

static void an_intent_without_an_answer_is_not_sent_twice(void **state)
{
	struct play *p = play_new(NEVER, PIPELINE(""));
	struct run *run = begin(p, (struct str){ NULL, 0 });
	struct run_act act;
	struct str saved;

	(void)state;
	assert_null(strstr(run_state(run).p, "intent"));
	assert_int_equal(run_next(run, p->now_ms, &act), RUN_SEND);
	assert_true(act.intent);
	saved = arena_copy(p->a, run_state(run));
	run_free(run);
	run = begin(p, saved);
	assert_int_equal(run_next(run, p->now_ms, &act), RUN_END);
	assert_string_equal(act.end.code, "outcome_unknown");
	assert_int_equal(act.end.remedy, REMEDY_TENANT);
	run_free(run);
	play_free(p);
}

static const char *header_of(const struct http_request *q, const char *name, const char *missing)
{
	for (size_t i = 0; i < q->header_count; i++)
		if (strcasecmp(q->headers[i].name, name) == 0)
			return q->headers[i].value.shown;
	return missing;
}

static void keyed_answer(struct play *p, const struct http_request *q, size_t n)
{
	const char *key = header_of(q, "Idempotency-Key", "none");
	char *keys = p->arg;

	memcpy(keys + 33 * n, key, strlen(key) < 32 ? strlen(key) : 32);
	if (n == 0)
		play_answer(p, (struct scripted)STATUS(500));
	else if (n < 3)
		full_answer(p, q, n);
	else
		play_answer(p, (struct scripted)OK("[]"));
}

static void a_key_is_the_same_for_each_attempt_and_new_for_each_page(void **state)
{
	struct play *p = play_new(KEYED, PAGED);
	char keys[5][33] = { { 0 } };

	(void)state;
	p->answer = keyed_answer;
	p->arg = keys;
	p->cut_at_wait = true;
	play_run(p);
	assert_int_equal(strlen(keys[0]), 32);
	assert_string_equal(keys[0], keys[1]);
	assert_string_not_equal(keys[1], keys[2]);
	assert_string_not_equal(keys[2], keys[3]);
	play_free(p);
}

static void a_cancelled_run_ends_at_once(void **state)
{
	static const struct scripted answers[] = { LIMITED("3600") };
	struct play *p = play_new(SOURCE, PIPELINE(""));

	(void)state;
	p->cancel_at_wait = true;
	play_script(p, answers, 1);
	assert_string_equal(p->log.p, ASK "* upstream_rate_limited 3600000 throttled\n"
	                                  ". cancelled cancelled \"cancelled\"\n");
	play_free(p);
}

static size_t releases;

static void count_release(struct http_answer *answer)
{
	(void)answer;
	releases++;
}

static void a_late_answer_is_given_back_unread(void **state)
{
	struct play *p = play_new(SOURCE, PIPELINE(""));
	struct run *run = begin(p, (struct str){ NULL, 0 });
	struct http_answer late = { .status = 200, .body = STR("[]") };
	struct run_act act;

	(void)state;
	releases = 0;
	assert_int_equal(run_next(run, p->now_ms, &act), RUN_SEND);
	assert_int_equal(run_next(run, p->now_ms, &act), RUN_BUSY);
	run_feed(run, act.request_id + 7, &late, p->now_ms, count_release);
	assert_int_equal(releases, 1);
	run_cancel(run);
	assert_int_equal(run_next(run, p->now_ms, &act), RUN_END);
	run_feed(run, 1, &late, p->now_ms, count_release);
	assert_int_equal(releases, 2);
	assert_int_equal(run_next(run, p->now_ms, &act), RUN_END);
	run_free(run);
	play_free(p);
}

/*
 * States
 */

static void a_state_belongs_to_its_plan(void **state)
{
	static const struct {
		const char *text, *slug;
	} cases[] = {
		{ "{\"v\":1,\"plan\":\"00000000000000000000000000000000\"}", "definition_changed" },
		{ "{", "state_unreadable" },
		{ "{\"v\":1}", "definition_changed" },
		{ "[]", "definition_changed" },
	};
	struct play *p = play_new(SOURCE, PIPELINE(""));

	(void)state;
	for (size_t i = 0; i < ROWS(cases); i++) {
		struct err e = { 0 };
		struct run *run;

		p->options.state = str_of(cases[i].text);
		assert_false(run_new(&p->options, &run, &e));
		assert_string_equal(e.slug, cases[i].slug);
	}
	play_free(p);
}

/* Every member is needed: a state that lost one is not guessed at. */
static void a_damaged_state_is_refused(void **state)
{
	struct play *p = play_new(SOURCE, PAGED);
	struct run *run = begin(p, (struct str){ NULL, 0 });
	json_t *whole = doc_read(p->a, arena_text(p->a, run_state(run)));
	const char *name;
	json_t *value;

	(void)state;
	run_free(run);
	json_object_foreach(whole, name, value)
	{
		json_t *part = json_copy(whole);
		struct err e = { 0 };

		json_object_del(part, name);
		p->options.state = json_write(p->a, part);
		json_decref(part);
		if (run_new(&p->options, &run, &e))
			fail_msg("a state without %s is taken", name);
	}
	play_free(p);
}

/* What no run writes was not written by one. */
static void a_state_of_odd_values_is_refused(void **state)
{
	static const struct {
		const char *pointer, *value;
	} cases[] = {
		{ "/stop", "''" },
		{ "/stop", "1" },
		{ "/window", "-1" },
		{ "/tortoise", "'0x000000000000ab'" },
		{ "/body", "'-000000000000001'" },
		{ "/body", "'               1'" },
	};
	struct play *p = play_new(SOURCE, PAGED);
	struct run *run = begin(p, (struct str){ NULL, 0 });
	struct str whole = arena_copy(p->a, run_state(run));

	(void)state;
	run_free(run);
	for (size_t i = 0; i < ROWS(cases); i++) {
		json_t *doc = doc_read(p->a, arena_text(p->a, whole));
		struct err e = { 0 };

		doc_set(p->a, doc, cases[i].pointer, cases[i].value);
		p->options.state = json_write(p->a, doc);
		if (run_new(&p->options, &run, &e))
			fail_msg("%s of %s is taken", cases[i].pointer, cases[i].value);
		assert_string_equal(e.slug, "state_unreadable");
	}
	play_free(p);
}

static void a_state_is_no_larger_than_allowed(void **state)
{
	struct play *p =
		play_new(SOURCE, "{'name':'p','functionId':'items','dataIngestion':"
	                         "{'cursorField':'at'},'processingSteps':["
	                         "{'type':'api-call','name':'c'},{'type':'pagination',"
	                         "'name':'g','config':{'type':'cursor','cursorParam':'since',"
	                         "'cursorPath':'next'}}]}");
	struct scripted answers[2] = { { 200, NULL, NULL, HTTP_FAULT_NONE },
		                       { 200, "{'items':[]}", NULL, HTTP_FAULT_NONE } };
	struct buf body;

	(void)state;
	buf_init(&body, 1 << 20);
	buf_text(&body, "{'items':[{'id':1,'at':'");
	for (int i = 0; i < 512; i++)
		buf_text(&body, "\\u0001");
	buf_text(&body, "'}],'next':'");
	for (int i = 0; i < 4096; i++)
		buf_text(&body, "\\u0001");
	buf_text(&body, "'}");
	answers[0].body = body.p;
	p->cut_after = 1;
	p->quiet_requests = true;
	play_script(p, answers, 2);
	assert_string_equal(p->code, "");
	assert_true(p->options.state.len < RUN_STATE_MAX);
	buf_free(&body);
	play_free(p);
}

static void nothing_counts_before_it_is_committed(void **state)
{
	struct play *p = play_new(SOURCE, PAGED);
	struct run *run = begin(p, (struct str){ NULL, 0 });
	struct http_answer answer = { .status = 200, .body = STR("[{\"id\":1}]") };
	struct str after;
	struct run_act act;

	(void)state;
	assert_int_equal(run_next(run, p->now_ms, &act), RUN_SEND);
	run_feed(run, act.request_id, &answer, p->now_ms, NULL);
	assert_int_equal(run_next(run, p->now_ms, &act), RUN_PAGE);
	after = arena_copy(p->a, act.page->state_after);
	assert_null(strstr(arena_text(p->a, run_state(run)), "\"pages\":1"));
	assert_int_equal(run_next(run, p->now_ms, &act), RUN_SEND); /* the next page meanwhile */
	assert_null(strstr(arena_text(p->a, run_state(run)), "\"pages\":1"));
	run_feed(run, act.request_id, &answer, p->now_ms, NULL); /* arrived, not handed out */
	run_page_committed(run);
	assert_non_null(strstr(arena_text(p->a, run_state(run)), "\"pages\":1"));
	assert_non_null(strstr(after.p, "\"pages\":1"));
	run_free(run);
	play_free(p);
}

/* Four attempts in this run, and four again when the queue brings it back. */
static void what_is_tried_later_has_all_its_attempts(void **state)
{
	struct http_answer down = { .status = 502 };
	struct play *p = play_new(SOURCE, PIPELINE(""));
	struct str saved = { NULL, 0 };

	(void)state;
	for (int again = 0; again < 2; again++) {
		struct run *run = begin(p, saved);
		struct run_act act;
		enum run_want want;
		int sent = 0;

		while ((want = run_next(run, p->now_ms, &act)) != RUN_END) {
			if (want == RUN_WAIT)
				p->now_ms = act.wait.until_ms;
			if (want == RUN_SEND) {
				run_feed(run, act.request_id, &down, p->now_ms, NULL);
				sent++;
			}
		}
		assert_int_equal(sent, 4);
		assert_int_equal(act.end.remedy, REMEDY_RETRY_LATER);
		assert_int_equal(run_counts(run).retries, 3 * (again + 1));
		saved = arena_copy(p->a, run_state(run));
		run_free(run);
	}
	play_free(p);
}

static void duplicates_are_told_by_the_streams_key(void **state)
{
	static const struct scripted answers[] = { OK(
		"[{'id':1,'sku':'a'},{'id':1,'sku':'b'},{'id':2,'sku':'a'}]") };
	struct play *p = play_new(SOURCE, "{'name':'p','functionId':'items','dataIngestion':"
	                                  "{'primaryKey':['sku']},'processingSteps':["
	                                  "{'type':'api-call','name':'c'},"
	                                  "{'type':'deduplicate','name':'d'}]}");

	(void)state;
	p->quiet_requests = true;
	play_script(p, answers, 1);
	assert_string_equal(p->log.p, "= 1: a b ={\"id\":2,\"sku\":\"a\"}\n"
	                              ". success complete \"single page\"\n");
	play_free(p);
}

/*
 * Cursors of records
 */

#define SINCE(overlap)                                                                             \
	"{'name':'p','functionId':'items','staticParameters':{'since':'{cursor}'},"                \
	"'dataIngestion':{'strategy':'incremental','cursorField':'at'" overlap "},"                \
	"'processingSteps':[{'type':'api-call','name':'c'}]}"

static void the_cursor_goes_out_less_its_overlap(void **state)
{
	static const struct {
		const char *pipeline, *cursor, *asked;
	} cases[] = {
		{ SINCE(""), "", ITEMS "\n" },
		{ SINCE(""), "2024-01-02", ITEMS "?since=2024-01-02\n" },
		{ SINCE(",'overlap':'1d'"), "2024-01-01", ITEMS "?since=2023-12-31\n" },
		{ SINCE(",'overlap':90"), "2024-01-01T00:00:00Z",
		  ITEMS "?since=2023-12-31T23%3A58%3A30Z\n" },
		{ SINCE(",'overlap':'15m'"), "2024-01-01T02:00:00+02:00",
		  ITEMS "?since=2023-12-31T23%3A45%3A00Z\n" },
		{ SINCE(",'overlap':10"), "17", ITEMS "?since=7\n" },
		{ SINCE(",'overlap':10"), "7", ITEMS "?since=0\n" },
		{ SINCE(",'overlap':10"), "abc", ITEMS "?since=abc\n" },
		/* Slack's kind of time, and times that count from 1970 in ms, us and ns */
		{ SINCE(",'overlap':60"), "1503435956.000247", ITEMS "?since=1503435896.000247\n" },
		{ SINCE(",'overlap':60"), "59.5", ITEMS "?since=0\n" },
		{ SINCE(",'overlap':'1h'"), "1700000000", ITEMS "?since=1699996400\n" },
		{ SINCE(",'overlap':'1h'"), "1700000000000", ITEMS "?since=1699996400000\n" },
		{ SINCE(",'overlap':'1h'"), "1700000000000000", ITEMS "?since=1699996400000000\n" },
		{ SINCE(",'overlap':'1s'"), "1700000000000000001",
		  ITEMS "?since=1699999999000000001\n" },
		{ SINCE(",'overlap':3600"), "1700000000000", ITEMS "?since=1699999996400\n" },
		/* more than there is */
		{ SINCE(",'overlap':9223372036854775807"), "1700000000000", ITEMS "?since=0\n" },
		{ SINCE(",'overlap':'106000000000d'"), "1700000000000", ITEMS "?since=0\n" },
		{ SINCE(",'overlap':9223372036854775807"), "2024-01-01T00:00:00Z",
		  ITEMS "?since=0001-01-01T00%3A00%3A00Z\n" },
		{ SINCE(",'overlap':9223372036854775807"), "2024-01-01",
		  ITEMS "?since=0001-01-01\n" },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(cases); i++) {
		static const struct scripted answers[] = { GOOD };
		struct play *p = play_new(SOURCE, cases[i].pipeline);

		p->options.cursor = str_of(cases[i].cursor);
		play_script(p, answers, 1);
		row_check(cases[i].asked, strstr(p->log.p, cases[i].asked) != NULL);
		play_free(p);
	}
}

static void the_greatest_cursor_of_the_pass_is_told(void **state)
{
	struct play *p = play_new(SOURCE, SINCE(""));
	struct run *run = begin(p, (struct str){ NULL, 0 });
	struct http_answer answer = { .status = 200,
		                      .body = STR("[{\"id\":1,\"at\":\"2024-05-01\"},"
		                                  "{\"id\":2,\"at\":\"2024-07-01\"},"
		                                  "{\"id\":3,\"at\":\"2024-06-01\"},{\"id\":4}]") };
	struct run_act act;

	(void)state;
	assert_int_equal(run_next(run, p->now_ms, &act), RUN_SEND);
	run_feed(run, act.request_id, &answer, p->now_ms, NULL);
	assert_int_equal(run_next(run, p->now_ms, &act), RUN_PAGE);
	assert_true(str_eq_text(act.page->cursor_after, "2024-07-01"));
	assert_true(act.page->last);
	run_free(run);
	play_free(p);
}

/*
 * The journal
 */

static void notes_take(struct run *run, struct buf *all)
{
	const struct run_note *notes;
	size_t n = run_notes(run, &notes);

	for (size_t i = 0; i < n; i++) {
		buf_printf(all, "%s ", notes[i].kind);
		buf_str(all, notes[i].json);
		buf_char(all, '\n');
	}
}

static void the_journal_tells_all_but_secrets(void **state)
{
	struct play *p = play_new(SOURCE, PIPELINE(""));
	const struct http_answer_header headers[] = {
		{ STR("Set-Cookie"), STR("sid=abcdefgh") },
		{ STR("X-Echo"), STR("Bearer s3cr3t-t0ken") },
	};
	struct http_answer answer = { .status = 200,
		                      .headers = headers,
		                      .header_count = 2,
		                      .body = STR("[{\"id\":1,\"echo\":\"s3cr3t-t0ken\"},"
		                                  "{\"id\":2,\"x\":\"\\u0000\"}]") };
	struct run_act act;
	struct run *run;
	struct buf all;

	(void)state;
	p->options.verbose = true;
	run = begin(p, (struct str){ NULL, 0 });
	buf_init(&all, 1 << 20);
	assert_int_equal(run_next(run, p->now_ms, &act), RUN_SEND);
	assert_string_equal(header_of(act.request, "Authorization", ""), "Bearer [redacted]");
	assert_true(secret_eq(act.request->headers[0].value.wire, STR("Bearer s3cr3t-t0ken")));
	notes_take(run, &all);
	run_feed(run, act.request_id, &answer, p->now_ms, NULL);
	notes_take(run, &all);
	assert_int_equal(run_next(run, p->now_ms, &act), RUN_PAGE);
	assert_int_equal(run_next(run, p->now_ms, &act), RUN_END);
	assert_int_equal(run_next(run, p->now_ms, &act), RUN_END);
	notes_take(run, &all);
	notes_take(run, &all);
	assert_null(strstr(all.p, "s3cr3t"));
	assert_null(strstr(all.p, "abcdefgh"));
	assert_non_null(strstr(all.p, "request {\"id\":1,\"page\":1,\"attempt\":1,"));
	assert_non_null(strstr(all.p, "\"Authorization\":\"Bearer [redacted]\""));
	assert_non_null(strstr(all.p, "response {\"id\":1,\"status\":200,"));
	assert_non_null(strstr(all.p, "\"X-Echo\":\"Bearer [redacted]\""));
	assert_non_null(strstr(all.p, "page {\"page\":1,\"records\":2,\"kept\":1,"));
	assert_non_null(
		strstr(all.p, "quarantine {\"page\":1,\"key\":\"2\",\"code\":\"nul_character\""));
	assert_non_null(
		strstr(all.p, "stop {\"stop\":\"single page\",\"code\":\"records_quarantined\""));
	assert_null(strstr(strstr(all.p, "stop {") + 1, "stop {"));
	buf_free(&all);
	run_free(run);
	play_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("faults and waits end as their transcripts say",
		     faults_and_waits_end_as_their_transcripts_say),
		TEST("parking at a wait changes nothing", parking_at_a_wait_changes_nothing),
		TEST("each fault ends under its own code", each_fault_ends_under_its_own_code),
		TEST("a rate limit without end is left to the queue",
		     a_rate_limit_without_end_is_left_to_the_queue),
		TEST("each budget ends a run with what it has",
		     each_budget_ends_a_run_with_what_it_has),
		TEST("waiting for a rate limit is no working time",
		     waiting_for_a_rate_limit_is_no_working_time),
		TEST("a page beyond the memory fails the run alone",
		     a_page_beyond_the_memory_fails_the_run_alone),
		TEST("any amount of memory gives whole pages or none",
		     any_amount_of_memory_gives_whole_pages_or_none),
		TEST("an intent without an answer is not sent twice",
		     an_intent_without_an_answer_is_not_sent_twice),
		TEST("a key is the same for each attempt and new for each page",
		     a_key_is_the_same_for_each_attempt_and_new_for_each_page),
		TEST("a cancelled run ends at once", a_cancelled_run_ends_at_once),
		TEST("a late answer is given back unread", a_late_answer_is_given_back_unread),
		TEST("a state belongs to its plan", a_state_belongs_to_its_plan),
		TEST("a damaged state is refused", a_damaged_state_is_refused),
		TEST("a state with values that no run writes is refused",
		     a_state_of_odd_values_is_refused),
		TEST("a state is no larger than allowed", a_state_is_no_larger_than_allowed),
		TEST("nothing counts before it is committed",
		     nothing_counts_before_it_is_committed),
		TEST("what is tried later has all its attempts",
		     what_is_tried_later_has_all_its_attempts),
		TEST("duplicates are told by the stream's key",
		     duplicates_are_told_by_the_streams_key),
		TEST("the cursor goes out less its overlap", the_cursor_goes_out_less_its_overlap),
		TEST("the greatest cursor of the pass is told",
		     the_greatest_cursor_of_the_pass_is_told),
		TEST("the journal tells all but secrets", the_journal_tells_all_but_secrets),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
