/* held - what the loop makes of the answers of committers; the test is the committer */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

#include "lib/base/log.h"
#include "runner/held.h"
#include "runner/runner.h"
#include "lib/base/poison.h"

struct stage {
	struct runner runner;
	struct loop loop;
};

static int setup(void **state)
{
	static struct stage s;
	struct err e = { 0 };

	memset(&s, 0, sizeof(s));
	s.runner.keeper_fd = -1;
	s.loop.runner = s.loop.buckets.runner = &s.runner;
	queue_init(&s.runner.queue, 8, 0);
	assert_true(lease_init(&s.runner.lease, 4));
	assert_true(mail_open(&s.runner.mail, &e));
	*state = &s;
	return 0;
}

static int teardown(void **state)
{
	struct stage *s = *state;

	mail_close(&s->runner.mail);
	lease_reset(&s->runner.lease);
	queue_reset(&s->runner.queue);
	return 0;
}

/* A claim arrives; returns the job that comes of it. */
static struct job *claimed(struct stage *s, int crashes)
{
	struct letter_claims *l = calloc(1, sizeof(*l) + sizeof(l->claims[0]));

	l->letter.kind = LETTER_CLAIMS;
	l->count = 1;
	l->claims[0] = (struct claim){ .work = uuid_v7(),
		                       .tenant = uuid_v7(),
		                       .subject = uuid_v7(),
		                       .execution = uuid_v7(),
		                       .kind = "pipeline",
		                       .token = 1,
		                       .crashes = crashes };
	lease_hold(&s->runner.lease, &l->claims[0].work, 1);
	mail_post(&s->runner.mail, &l->letter);
	loop_letters(&s->loop);
	loop_post(&s->loop);
	assert_int_equal(s->runner.queue.count, 1);
	return queue_get(&s->runner.queue, NULL);
}

/* A sentence that was cut within a character is shown up to there. */
static const char *sentence = "A sentence.";

/* The committer gives the job back; returns what follows, or NULL. */
static struct job *answered(struct stage *s, struct job *job, enum job_result result,
                            enum err_code code, const char *slug)
{
	job->result = result;
	err_clear(&job->err);
	if (result != JOB_DONE)
		err_set(&job->err, code, slug, "%s", sentence);
	mail_post(&s->runner.mail, &job->letter);
	loop_letters(&s->loop);
	loop_post(&s->loop);
	return s->runner.queue.count > 0 ? queue_get(&s->runner.queue, NULL) : NULL;
}

static void over(struct stage *s, struct job *job)
{
	assert_null(answered(s, job, JOB_DONE, ERR_NONE, ""));
	loop_bury(&s->loop);
	assert_int_equal(s->loop.count, 0);
	assert_int_equal(lease_count(&s->runner.lease), 0);
}

static const struct row {
	const char *slug;
	enum job_result result;
	enum err_code code;
	int follows; /* a job_kind; -1: nothing */
	const char *outcome;
} rows[] = {
	{ "lost_lease", JOB_LOST, ERR_CONFLICT, -1, NULL },
	{ "database_away", JOB_FAILED, ERR_UNAVAILABLE, -1, NULL },
	{ "execution_ended", JOB_FAILED, ERR_CONFLICT, JOB_LET_GO, NULL },
	{ "stale_cursor", JOB_LOST, ERR_CONFLICT, JOB_LET_GO, NULL },
	/* these leave a run that has to be ended or tried again */
	{ "database_slow", JOB_FAILED, ERR_TIMEOUT, JOB_END, "retry" },
	{ "out_of_memory", JOB_FAILED, ERR_UNAVAILABLE, JOB_END, "retry" },
	{ "database", JOB_FAILED, ERR_DB, JOB_END, "dead" },
};

static void no_run_is_left_behind(void **state)
{
	struct stage *s = *state;

	for (size_t i = 0; i < ROWS(rows); i++) {
		const struct row *r = &rows[i];
		struct job *job = claimed(s, 0);

		assert_int_equal(job->kind, JOB_BEGIN);
		job = answered(s, job, r->result, r->code, r->slug);
		row_check(r->slug, (job ? (int)job->kind : -1) == r->follows);
		if (job && job->kind == JOB_END) {
			row_check(r->slug, strcmp(job->outcome, r->outcome) == 0);
			row_check(r->slug, strcmp(job->code, r->slug) == 0);
		}
		if (job)
			over(s, job);
		loop_bury(&s->loop);
		row_check(r->slug, s->loop.count == 0);
	}
}

static void five_crashes_are_an_end(void **state)
{
	struct stage *s = *state;
	struct job *job = claimed(s, 5);

	assert_int_equal(job->kind, JOB_END);
	assert_string_equal(job->outcome, "dead");
	assert_string_equal(job->code, "runner_lost");
	over(s, job);
}

static void a_cut_sentence_is_shown(void **state)
{
	struct stage *s = *state;
	struct job *job = claimed(s, 0);

	sentence = "Caf\xC3\xA9 caf\xC3";
	job = answered(s, job, JOB_FAILED, ERR_DB, "database");
	sentence = "A sentence.";
	assert_non_null(job);
	assert_string_equal(job->message, "Caf\xC3\xA9 caf\xEF\xBF\xBD");
	over(s, job);
}

static void a_full_journal_says_so(void **state)
{
	struct journal *j = journal_new();
	size_t room = JOURNAL_LINES_MAX;

	(void)state;
	journal_close(j);
	assert_int_equal(j->count, 0);
	for (size_t i = 0; i < room + 3; i++)
		journal_add(j, "page", 1, STR("{}"));
	journal_close(j);
	assert_int_equal(j->count, room + 1);
	assert_string_equal(j->lines[room].kind, "left_out");
	assert_non_null(strstr(j->last, "left out here: 3."));
	journal_add(j, "page", 1, STR("{}")); /* after a commit that failed */
	assert_int_equal(j->count, room + 1);
	journal_close(j); /* the end takes it along */
	assert_int_equal(j->count, room + 1);
	assert_non_null(strstr(j->last, "left out here: 4."));
	assert_ptr_equal(j->lines[room].json.p, j->last);
	journal_free(j);
}

#define CASE(sentence, function)                                                                   \
	{                                                                                          \
		.name = (sentence), .test_func = (function), .setup_func = setup,                  \
		.teardown_func = teardown                                                          \
	}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		CASE("a run that cannot be opened is let go only when it is over",
		     no_run_is_left_behind),
		CASE("five crashes are an end", five_crashes_are_an_end),
		CASE("a sentence that was cut within a character is shown",
		     a_cut_sentence_is_shown),
		TEST("a journal that is full says how much is missing", a_full_journal_says_so),
	};

	log_open("runner_held", LOG_ERROR);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("runner_held", tests, NULL, NULL);
}
