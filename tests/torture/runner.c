/*
 * The ways of a run through runner/: the loop that holds it, whose committer is played here; and a committer that
 * writes to PostgreSQL what a run asks of it.
 */
#include "config.h"

#include <libpq-fe.h>
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
#define SEED_MAX  10000

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
		                        .plans = s->runner.plans,
		                        .pipeline_id = "p1",
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
	for (size_t i = 0; i < job->batch.count; i++)
		s->records += job->batch.pages[i]->kept;
	if (job->kind == JOB_END || job->kind == JOB_PARK)
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
	queue_init(&s->runner.queue, 8, 0);
	s->runner.plans = plan_cache_new();
	if (!s->runner.plans || s->runner.keeper_fd < 0 || !lease_init(&s->runner.lease, 4))
		return err_set(e, ERR_UNAVAILABLE, "no_stage", "There is nothing to stand on.");
	if (!mail_open(&s->runner.mail, e) ||
	    !guard_new(service_allow(), false, &s->runner.guard, e) ||
	    !drive_new(&(struct drive_options){ .guard = s->runner.guard, .wait_max_ms = 1 },
	               &s->loop.drive, e))
		return false;
	drive_after_turn(s->loop.drive, loop_post, &s->loop);
	return drive_watch(s->loop.drive, s->runner.mail.fd, loop_letters, &s->loop, e);
}

static void stage_close(struct stage *s)
{
	loop_bury(&s->loop);
	drive_free(s->loop.drive);
	plan_cache_free(s->runner.plans);
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
			answer(s, queue_get(&s->runner.queue, NULL));
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

/* ---- a committer ---- */

/* The committer's thread is played by this one: it ends when there are no more jobs. It is armed once it has its
 * memory and its connection, without which it ends the process by design. */
struct job *__real_queue_get(struct job_queue *, struct job_hand *);
struct job *__wrap_queue_get(struct job_queue *, struct job_hand *);
struct job *__wrap_queue_get(struct job_queue *q, struct job_hand *hand)
{
	torture_arm(q->count > 0);
	return q->count > 0 ? __real_queue_get(q, hand) : NULL;
}

static PGconn *other; /* opened once; one play after another asks over it */
static char *seed;

static void shell(const char *file)
{
	char command[1000];

	snprintf(command, sizeof(command),
	         "psql \"$CATCHMENT_TEST_DB\" -qX -v ON_ERROR_STOP=1 -f '%s/%s' >/dev/null",
	         torture_top(), file);
	if (system(command) != 0)
		abort();
}

static PGresult *ask(const char *sql)
{
	PGresult *answer = PQexec(other, sql);

	if (PQresultStatus(answer) != PGRES_COMMAND_OK && PQresultStatus(answer) != PGRES_TUPLES_OK)
		abort();
	return answer;
}

struct written {
	struct record records[RECORDS];
	char texts[RECORDS][40], keys[RECORDS][16];
	struct run_page page;
	struct job begin, commit, end;
};

/* The server refuses one of them, so that it is looked for behind savepoints. */
static void page_fill(struct written *w)
{
	for (int i = 0; i < RECORDS; i++) {
		struct record *r = &w->records[i];

		snprintf(w->keys[i], sizeof(w->keys[i]), "k%d", i);
		snprintf(w->texts[i], sizeof(w->texts[i]), i == 2 ? "{\"broken" : "{\"id\":%d}", i);
		*r = (struct record){ .bytes = str_of(w->texts[i]),
			              .key = str_of(w->keys[i]),
			              .key_hash = i,
			              .fate = RECORD_KEEP };
		crypt_sha256(r->bytes, r->hash);
	}
	w->page = (struct run_page){
		.number = 1,
		.records = w->records,
		.count = RECORDS,
		.kept = RECORDS,
		.state_after = STR("{\"here\":1}"),
	};
}

static struct job job_of(enum job_kind kind)
{
	return (struct job){
		.kind = kind,
		.claim = { .tenant = id(1),
		           .work = id(7),
		           .subject = id(5),
		           .execution = id(6),
		           .token = 7 },
		.seq = -1,
		.stream = id(4),
		.strategy = PLAN_FULL_SYNC,
		.counts = { .requests = 1 },
	};
}

static void jobs_fill(struct written *w)
{
	page_fill(w);
	w->begin = job_of(JOB_BEGIN);
	w->commit = job_of(JOB_PAGE);
	w->commit.seq = 0;
	w->commit.batch = (struct batch){ .pages = { &w->page }, .count = 1 };
	w->commit.journal = journal_new();
	journal_add(w->commit.journal, "page", clock_wall_ms(), STR("{}"));
	w->end = job_of(JOB_END);
	w->end.status = RUN_SUCCESS;
	w->end.outcome = "done";
}

/* True: done. Nobody else holds the run, so that none may be lost. */
static bool job_judge(const struct job *job, struct err *e)
{
	if (job->result == JOB_FAILED && !err_is_set(e))
		*e = job->err;
	return job->result == JOB_DONE;
}

/* What the page left in the database. */
static long records_stored(void)
{
	PGresult *answer = ask("SELECT count(*) FROM collect.records");
	long n = strtol(PQgetvalue(answer, 0, 0), NULL, 10);

	PQclear(answer);
	return n;
}

static bool any_lost(const struct written *w)
{
	if (w->begin.result == JOB_LOST || w->commit.result == JOB_LOST ||
	    w->end.result == JOB_LOST)
		return true;
	return w->commit.result == JOB_DONE && records_stored() != RECORDS - 1;
}

static bool commits(struct err *e)
{
	static struct written w;
	struct runner r = { .keeper_fd = -1, .committers = 1 };
	char conninfo[300];
	bool good;

	torture_arm(false);
	PQclear(ask(seed));
	snprintf(conninfo, sizeof(conninfo), "%s user=catchment_run", getenv("CATCHMENT_TEST_DB"));
	r.conninfo = conninfo;
	queue_init(&r.queue, 8, 0);
	if (!lease_init(&r.lease, 4) || !mail_open(&r.mail, e))
		abort();
	lease_take(&r.lease, &(struct uuid){ { 8 } }, clock_mono_ms());
	jobs_fill(&w);
	if (!queue_put(&r.queue, &w.begin) || !queue_put(&r.queue, &w.commit) ||
	    !queue_put(&r.queue, &w.end))
		abort();
	(void)committer_main(&r);
	torture_arm(false);
	good = job_judge(&w.begin, e) & job_judge(&w.commit, e) & job_judge(&w.end, e);
	if (any_lost(&w)) {
		good = false;
		err_clear(e);
	}
	load_free(w.begin.begun.loaded);
	free(w.begin.begun.state);
	free(w.begin.begun.cursor);
	journal_free(w.commit.journal);
	mail_close(&r.mail);
	lease_reset(&r.lease);
	queue_reset(&r.queue);
	return good;
}

const bool torture_needs_server = true;
const struct torture_scene torture_scenes[] = {
	{ "held-run", held_run },
	{ "held-token", held_token },
	{ "committer", commits },
	{ NULL, NULL },
};

static char *file_text(const char *file)
{
	char path[1000], *text = calloc(1, SEED_MAX);
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", torture_top(), file);
	f = fopen(path, "re");
	if (!text || !f || fread(text, 1, SEED_MAX - 1, f) == 0)
		abort();
	fclose(f);
	return text;
}

void torture_prepare(void)
{
	char folder[1000];
	struct err e = { 0 };
	size_t n;

	snprintf(folder, sizeof(folder), "%s/sql/migrations", torture_top());
	shell("sql/roles.sql");
	if (!migrate_run(
		    &(struct migrate){ .conninfo = getenv("CATCHMENT_TEST_DB"), .folder = folder },
		    &n, &e))
		abort();
	other = PQconnectdb(getenv("CATCHMENT_TEST_DB"));
	seed = file_text("tests/data/sql/runner_seed.sql");
	service_begin();
}

void torture_end(void)
{
	service_end();
	PQfinish(other);
	free(seed);
}
