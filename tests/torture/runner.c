/*
 * The ways of a run through runner/: the loop that holds it, whose committer is played here; and a committer that
 * writes to PostgreSQL what a run asks of it.
 */
#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/crypt/crypt.h"
#include "lib/db/migrate.h"
#include "lib/db/queries.h"
#include "runner/commit.h"
#include "runner/held.h"
#include "tests/torture/service.h"
#include "tests/torture/torture.h"

#include "lib/base/poison.h"

#define STEPS_MAX 2000
#define RECORDS   4

static struct uuid id(int n)
{
	struct uuid u;
	char text[UUID_TEXT_MAX];

	snprintf(text, sizeof(text), "00000000-0000-7000-8000-%012d", n);
	if (!uuid_parse(str_of(text), &u))
		abort();
	return u;
}

/* ---- a run that is held ---- */

struct stage {
	struct runner runner;
	struct loop loop;
	const char *document;
	size_t records;
	bool over, well; /* its end or its wait was posted; it was RUN_SUCCESS */
	char code[64], message[600];
};

/* As commit_begin does it. */
static void begin_answer(struct stage *s, struct job *job)
{
	const struct load_options o = { .document = str_of(s->document),
		                        .config = STR(SERVICE_CONFIG) };
	struct job_begun *b = &job->begun;

	job->seq = 0;
	job->stream = id(4);
	b->instance = id(3);
	b->state = strdup("");
	b->cursor = strdup("");
	if (!b->state || !b->cursor) {
		job->result = JOB_FAILED;
		err_set(&job->err, ERR_UNAVAILABLE, "out_of_memory", "There is no memory.");
		return;
	}
	if (!load_pipeline(&o, &b->loaded, &job->err))
		b->loaded = NULL;
}

static void end_answer(struct stage *s, const struct job *job)
{
	s->over = true;
	s->well = job->kind == JOB_END && job->status == RUN_SUCCESS;
	snprintf(s->code, sizeof(s->code), "%s", job->code);
	snprintf(s->message, sizeof(s->message), "%s", job->message);
}

/* What a committer makes of a job, when all goes well. */
static void answer(struct stage *s, struct job *job)
{
	job->result = JOB_DONE;
	err_clear(&job->err);
	if (job->kind == JOB_BEGIN)
		begin_answer(s, job);
	else if (job->kind == JOB_PAGE)
		s->records += job->page->kept;
	else if (job->kind == JOB_END || job->kind == JOB_PARK)
		end_answer(s, job);
	else if (job->kind == JOB_TOKEN_TAKE)
		job->token.kind = RUN_TOKEN_FETCH;
	else if (job->kind == JOB_TOKEN_KEEP)
		job->token.kept = job->token.version + 1;
	mail_post(&s->runner.mail, &job->letter);
}

static bool stage_open(struct stage *s, struct err *e)
{
	s->runner.keeper_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	s->loop.runner = s->loop.buckets.runner = &s->runner;
	queue_init(&s->runner.queue, 8);
	if (s->runner.keeper_fd < 0 || !lease_init(&s->runner.lease, 4))
		return err_set(e, ERR_UNAVAILABLE, "no_stage", "There is nothing to stand on.");
	return mail_open(&s->runner.mail, e) &&
	       guard_new(service_allow(), false, &s->runner.guard, e) &&
	       drive_new(&(struct drive_options){ .guard = s->runner.guard }, &s->loop.drive, e) &&
	       drive_watch(s->loop.drive, s->runner.mail.fd, loop_letters, &s->loop, e);
}

static void stage_close(struct stage *s)
{
	drive_free(s->loop.drive);
	loop_bury(&s->loop);
	guard_free(s->runner.guard);
	mail_close(&s->runner.mail);
	close(s->runner.keeper_fd);
	lease_reset(&s->runner.lease);
	queue_reset(&s->runner.queue);
}

/* The keeper's letter; that it cannot be written is the keeper's affair. */
static void claim_post(struct stage *s)
{
	struct letter_claims *l;

	torture_arm(false);
	l = calloc(1, sizeof(*l) + sizeof(l->claims[0]));
	l->letter.kind = LETTER_CLAIMS;
	l->count = 1;
	l->claims[0] = (struct claim){ .tenant = id(1),
		                       .work = id(7),
		                       .subject = id(5),
		                       .execution = id(6),
		                       .kind = "pipeline",
		                       .token = 7,
		                       .crashes = 1 };
	lease_hold(&s->runner.lease, &l->claims[0].work, 7);
	torture_arm(true);
	mail_post(&s->runner.mail, &l->letter);
}

/* Told is an end or a wait with its reason; and a run that was let go of, which the keeper finds as a stray, since
 * there was no memory to hold it. */
static bool stage_judge(const struct stage *s, bool still_held, struct err *e)
{
	if (still_held)
		return false;
	if (s->well)
		return s->records == SERVICE_RECORDS;
	if (!s->over)
		return err_set(e, ERR_UNAVAILABLE, "stray", "Another runner takes it up.");
	if (!s->code[0] || !s->message[0])
		return false;
	return err_set(e, ERR_UPSTREAM, "ended", "%s: %s", s->code, s->message);
}

static bool held(const char *document, struct err *e)
{
	static struct stage stage;
	struct stage *s = &stage;
	bool good;

	*s = (struct stage){ .runner.mail.fd = -1, .document = document };
	torture_arm(false); /* what start-up makes is not the run's */
	if (!stage_open(s, e))
		abort();
	torture_arm(true);
	claim_post(s);
	for (int i = 0; i < STEPS_MAX && (i == 0 || s->loop.count > 0); i++) {
		drive_step(s->loop.drive, 10);
		loop_bury(&s->loop);
		while (s->runner.queue.count > 0)
			answer(s, queue_get(&s->runner.queue));
	}
	drive_step(s->loop.drive, 0); /* an answer of a bucket may be left */
	good = stage_judge(s, s->loop.count > 0 || lease_count(&s->runner.lease) > 0, e);
	stage_close(s);
	return good;
}

static bool held_run(struct err *e)
{
	char text[2000];

	return held(service_document(text, sizeof(text)), e);
}

/* With an access token that is asked for, fetched and kept, and answers that are looked for and kept. */
static bool held_token(struct err *e)
{
	char text[2000];

	return held(service_document_oauth(text, sizeof(text)), e);
}

const bool torture_needs_server = true;
const struct torture_scene torture_scenes[] = {
	{ "held-run", held_run },
	{ "held-token", held_token },
	{ NULL, NULL },
};

void torture_prepare(void)
{
	service_begin();
}

void torture_end(void)
{
	service_end();
}
