/*
 * keeper - the thread that keeps the lease, claims work, reaps what died, hears of cancels
 *
 * The table is the truth, notes only shorten the wait: without any the keeper looks every two
 * seconds at most. One claimer per process, in batches: sixty-four claimers at once were five times
 * slower than sixteen.
 */
#include "config.h"

#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/crypt/crypt.h"
#include "lib/db/db.h"
#include "lib/db/queries.h"
#include "runner/runner.h"
#include "lib/base/poison.h"

#define ARENA_MAX      ((size_t)64 * 1024 * 1024)
#define CLAIM_BATCH    16
#define CLAIM_PER_LANE 4
#define CLAIM_IDLE_MS  1500 /* with its jitter less than two seconds */
#define CLAIM_LEAST_MS 10   /* for others to join, but after a full claim or a note */
#define REAP_MS        5000
#define REAP_AGAIN_MS  200
#define NEW_REAPS      2  /* the first of which may have met another runner's */
#define YIELD_MS       10 /* of a newcomer to runners that live */
#define REAP_BATCH     100
#define SWEEP_MS       30000
#define PRUNE_LANES    10 /* a sweep */
#define PRUNE_ROWS     50
#define RETRY_MS       1000

struct keeper {
	struct runner *runner;
	struct db *db;
	struct arena *arena;
	bool has_id, told_draining;
	bool look_claims, look_cancels;
	int reaps;                                    /* under this id */
	int64_t beat_ms, claim_ms, reap_ms, sweep_ms; /* monotonic: when next */
	int64_t yield_ms;                             /* no claim before */
	size_t owed; /* runs that were taken back and not claimed, as far as it knows */
};

void keeper_wake(struct runner *r)
{
	uint64_t one = 1;

	if (write(r->keeper_fd, &one, sizeof(one)) < 0)
		return; /* full: it is awake */
}

/* ms, give or take a fifth. */
static int64_t jitter(int64_t ms)
{
	uint32_t r;

	crypt_random(&r, sizeof(r));
	return ms - ms / 5 + (int64_t)(r % (uint32_t)(2 * ms / 5 + 1));
}

/* ---- the lease ---- */

static void lease_gone(struct keeper *k, const char *why)
{
	struct letter *letter = calloc(1, sizeof(*letter));
	struct uuid id = lease_id(&k->runner->lease);
	char text[UUID_TEXT_MAX];

	lease_lose(&k->runner->lease);
	k->has_id = false;
	log_warn("lease_lost", "runner=%s: %s; every run is dropped", uuid_format(&id, text), why);
	if (!letter)
		return; /* the main loop sees by itself that the lease is not trusted */
	letter->kind = LETTER_LEASE_LOST;
	mail_post(&k->runner->mail, letter);
}

static bool id_take(struct keeper *k, struct err *e)
{
	struct uuid old = lease_id(&k->runner->lease), id = uuid_v7();
	int64_t start = clock_mono_ms();
	char text[UUID_TEXT_MAX];

	/* what the old id still holds in the table is free for all as soon as the id is gone */
	if (!uuid_is_nil(&old) &&
	    !db_run(k->db, Q_RUNNER_STOP, DB_ARGS(db_uuid(&old)), k->arena, NULL, e))
		return false;
	if (!db_run(k->db, Q_RUNNER_START,
	            DB_ARGS(db_uuid(&id), db_text(k->runner->host), db_text("30 seconds"),
	                    db_uuid(k->runner->has_berth ? &k->runner->berth : NULL)),
	            k->arena, NULL, e))
		return false;
	k->reap_ms = 0; /* what a predecessor in this berth held */
	k->reaps = 0;
	lease_take(&k->runner->lease, &id, start);
	k->has_id = true;
	k->beat_ms = start + LEASE_BEAT_S * 1000;
	log_info("runner_started", "runner=%s host=%s", uuid_format(&id, text), k->runner->host);
	return true;
}

static bool strays_return(struct keeper *k, struct err *e)
{
	struct uuid id = lease_id(&k->runner->lease), execution, work;
	struct uuid *held = arena_array(k->arena, k->runner->lease.room_max, sizeof(*held));
	char texts[2][UUID_TEXT_MAX];
	struct db_rows *rows;
	size_t n;

	if (!held)
		return true;
	n = lease_list(&k->runner->lease, held);
	if (!db_run(k->db, Q_RUNNER_ABANDON, DB_ARGS(db_uuid(&id), db_uuids(k->arena, held, n)),
	            k->arena, &rows, e))
		return false;
	for (size_t i = 0; i < db_count(rows); i++) {
		db_get_uuid(rows, i, 1, &work);
		db_get_uuid(rows, i, 2, &execution);
		log_warn("stray_returned", "work=%s execution=%s token=%" PRId64,
		         uuid_format(&work, texts[0]), uuid_format(&execution, texts[1]),
		         db_get_int(rows, i, 3));
	}
	return true;
}

static bool beat(struct keeper *k, struct err *e)
{
	struct uuid id = lease_id(&k->runner->lease);
	bool draining = k->runner->draining;
	int64_t start = clock_mono_ms();
	struct db_rows *rows;

	if (!db_run(k->db, Q_RUNNER_BEAT,
	            DB_ARGS(db_uuid(&id), db_text("30 seconds"), db_bool(draining)), k->arena,
	            &rows, e))
		return false;
	if (!db_get_bool(rows, 0, 0)) {
		lease_gone(k, "the beat came too late");
		return true;
	}
	lease_renew(&k->runner->lease, start);
	k->told_draining = draining;
	k->beat_ms = start + jitter(LEASE_BEAT_S * 1000);
	k->look_cancels = true; /* in case a note was lost */
	return strays_return(k, e);
}

/* ---- claims ---- */

static void claim_read(const struct db_rows *rows, size_t i, struct claim *c)
{
	struct str kind = db_get(rows, i, 2);

	db_get_uuid(rows, i, 0, &c->tenant);
	db_get_uuid(rows, i, 1, &c->work);
	memcpy(c->kind, kind.p, kind.len < sizeof(c->kind) ? kind.len : sizeof(c->kind) - 1);
	db_get_uuid(rows, i, 3, &c->subject);
	db_get_uuid(rows, i, 4, &c->execution);
	c->token = db_get_int(rows, i, 5);
	c->attempt = (int)db_get_int(rows, i, 6);
	c->crashes = (int)db_get_int(rows, i, 7);
}

static void claims_post(struct keeper *k, const struct db_rows *rows)
{
	size_t n = db_count(rows);
	struct letter_claims *l = calloc(1, sizeof(*l) + n * sizeof(l->claims[0]));
	char texts[3][UUID_TEXT_MAX];

	if (!l)
		return; /* strays: given back with a later beat */
	l->letter.kind = LETTER_CLAIMS;
	l->count = n;
	for (size_t i = 0; i < n; i++) {
		struct claim *c = &l->claims[i];

		claim_read(rows, i, c);
		lease_hold(&k->runner->lease, &c->work, c->token);
		log_info("claim",
		         "work=%s execution=%s token=%" PRId64 " tenant=%s attempt=%d crashes=%d",
		         uuid_format(&c->work, texts[0]), uuid_format(&c->execution, texts[1]),
		         c->token, uuid_format(&c->tenant, texts[2]), c->attempt, c->crashes);
	}
	mail_post(&k->runner->mail, &l->letter);
}

static bool next_due(struct keeper *k, struct err *e)
{
	struct db_rows *rows;
	int64_t wait = jitter(CLAIM_IDLE_MS), due;

	if (!db_run(k->db, Q_RUNNER_NEXT_DUE, DB_NO_ARGS, k->arena, &rows, e))
		return false;
	if (db_get(rows, 0, 0).p) {
		due = db_get_int(rows, 0, 0);
		if (due < wait)
			wait = due > CLAIM_LEAST_MS ? due : CLAIM_LEAST_MS;
	}
	k->claim_ms = clock_mono_ms() + wait;
	return true;
}

static bool claim(struct keeper *k, struct err *e)
{
	struct uuid id = lease_id(&k->runner->lease);
	size_t room = lease_room(&k->runner->lease), n = room < CLAIM_BATCH ? room : CLAIM_BATCH;
	struct db_rows *rows;

	k->look_claims = false;
	k->claim_ms = clock_mono_ms() + jitter(CLAIM_IDLE_MS);
	if (n == 0 || k->runner->draining || !lease_trusted(&k->runner->lease))
		return true;
	if (!db_run(k->db, Q_RUNNER_CLAIM,
	            DB_ARGS(db_uuid(&id), db_int((int64_t)n), db_int(CLAIM_PER_LANE),
	                    db_text(RUNNER_MAX_RUN)),
	            k->arena, &rows, e))
		return false;
	k->owed = db_count(rows) > 0 && db_count(rows) < k->owed ? k->owed - db_count(rows) : 0;
	if (db_count(rows) == 0)
		return next_due(k, e);
	claims_post(k, rows);
	k->claim_ms = clock_mono_ms() + CLAIM_LEAST_MS; /* there may be more */
	k->look_claims = db_count(rows) == n || k->owed > 0;
	return true;
}

/* ---- reaping, sweeping, cancels ---- */

/* What killed the one before a newcomer may kill it too: those that live are told, and look first. */
static bool reaped_tell(struct keeper *k, size_t n, bool is_new, struct err *e)
{
	k->look_claims = true;
	k->owed += n;
	if (!db_run(k->db, Q_RUNNER_WAKE, DB_NO_ARGS, k->arena, NULL, e))
		return false;
	if (is_new)
		k->yield_ms = clock_mono_ms() + YIELD_MS;
	return true;
}

static bool reap(struct keeper *k, struct err *e)
{
	bool is_new = k->reaps < NEW_REAPS;
	struct db_rows *rows;
	struct uuid work, execution;
	char texts[2][UUID_TEXT_MAX];

	/* another runner's reap may have been under way, which sees what was lost before it began */
	k->reap_ms = clock_mono_ms() + (k->reaps == 0 ? REAP_AGAIN_MS : jitter(REAP_MS));
	if (!db_run(k->db, Q_RUNNER_REAP, DB_ARGS(db_int(REAP_BATCH)), k->arena, &rows, e))
		return false;
	for (size_t i = 0; i < db_count(rows); i++) {
		db_get_uuid(rows, i, 1, &work);
		db_get_uuid(rows, i, 2, &execution);
		log_warn("reap", "work=%s execution=%s token=%" PRId64 " state=%s code=%s",
		         uuid_format(&work, texts[0]), uuid_format(&execution, texts[1]),
		         db_get_int(rows, i, 3), db_get(rows, i, 4).p, db_get(rows, i, 5).p);
	}
	if (db_count(rows) == REAP_BATCH)
		k->reap_ms = 0; /* there may be more, and they have waited long enough */
	else if (is_new)
		k->reaps++;
	return db_count(rows) == 0 || reaped_tell(k, db_count(rows), is_new, e);
}

/* One workspace a transaction: its lane is locked meanwhile, and this thread keeps the lease. */
static bool prune(struct keeper *k, struct err *e)
{
	for (int i = 0; i < PRUNE_LANES; i++)
		if (!db_run(k->db, Q_RUNNER_KEPT_PRUNE, DB_ARGS(db_int(1), db_int(PRUNE_ROWS)),
		            k->arena, NULL, e))
			return false;
	return true;
}

static bool sweep(struct keeper *k, struct err *e)
{
	k->sweep_ms = clock_mono_ms() + jitter(SWEEP_MS);
	return db_run(k->db, Q_RUNNER_SWEEP, DB_NO_ARGS, k->arena, NULL, e) && prune(k, e);
}

static bool cancels(struct keeper *k, struct err *e)
{
	struct uuid id = lease_id(&k->runner->lease);
	struct letter_cancels *l;
	struct db_rows *rows;

	k->look_cancels = false;
	if (!db_run(k->db, Q_RUNNER_CANCELLED, DB_ARGS(db_uuid(&id)), k->arena, &rows, e))
		return false;
	if (db_count(rows) == 0)
		return true;
	l = calloc(1, sizeof(*l) + db_count(rows) * sizeof(l->works[0]));
	if (!l)
		return true;
	l->letter.kind = LETTER_CANCELS;
	l->count = db_count(rows);
	for (size_t i = 0; i < l->count; i++)
		db_get_uuid(rows, i, 0, &l->works[i]);
	mail_post(&k->runner->mail, &l->letter);
	return true;
}

/* ---- the loop ---- */

static bool keeper_connect(struct keeper *k, struct err *e)
{
	return db_ready(k->db, e) && db_listen(k->db, Q_RUNNER_LISTEN_WORK, e) &&
	       db_listen(k->db, Q_RUNNER_LISTEN_CANCEL, e);
}

static bool turn(struct keeper *k, struct err *e)
{
	int64_t now = clock_mono_ms();

	if (!keeper_connect(k, e))
		return false;
	if (!k->has_id)
		return id_take(k, e);
	if ((now >= k->beat_ms || (k->runner->draining && !k->told_draining)) && !beat(k, e))
		return false;
	if (!k->has_id)
		return true; /* the beat was refused */
	if (now >= k->reap_ms && !reap(k, e))
		return false;
	if (now >= k->sweep_ms && !sweep(k, e))
		return false;
	if (k->look_cancels && !cancels(k, e))
		return false;
	return now < k->yield_ms || (!k->look_claims && now < k->claim_ms) || claim(k, e);
}

static void on_note(void *arg, const char *channel, const char *payload)
{
	struct keeper *k = arg;

	(void)payload;
	if (strcmp(channel, "catchment_cancel") == 0)
		k->look_cancels = true;
	else
		k->look_claims = true;
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void notes(struct keeper *k)
{
	struct err e = { 0 };

	if (db_notes(k->db, on_note, k, &e))
		return;
	k->look_claims = true; /* what was notified while away is not told again */
	k->look_cancels = true;
}

/* Sleeps until the next thing is due, a note arrives or the main loop calls. Notes that came with an
 * answer are read before: their socket is quiet by now. */
static void rest(struct keeper *k, bool failed)
{
	int64_t now = clock_mono_ms(), until = k->beat_ms;
	struct pollfd fds[2] = { { .fd = k->runner->keeper_fd, .events = POLLIN },
		                 { .fd = db_fd(k->db), .events = POLLIN } };
	uint64_t count;

	if (!failed)
		notes(k);
	until = least(least(until, k->claim_ms), least(k->reap_ms, k->sweep_ms));
	if (failed)
		until = now + jitter(RETRY_MS);
	else if (k->look_claims && now < k->yield_ms)
		until = least(k->reap_ms, k->yield_ms);
	else if (!k->has_id || k->look_claims || k->look_cancels)
		return;
	if (until > now)
		poll(fds, fds[1].fd < 0 || failed ? 1 : 2, (int)least(until - now, 60000));
	/* A place has become free, or a lane has; others will in the same moment. */
	if (fds[0].revents && read(k->runner->keeper_fd, &count, sizeof(count)) > 0)
		k->claim_ms = least(k->claim_ms, clock_mono_ms() + CLAIM_LEAST_MS);
	if (fds[1].revents)
		notes(k);
}

static bool keeper_open(struct keeper *k, struct err *e)
{
	k->arena = arena_new_run(ARENA_MAX);
	k->db = k->runner->keeper_db;
	return k->arena ||
	       err_set(e, ERR_UNAVAILABLE, "out_of_memory", "There is not enough memory.");
}

/* The row goes, so that nobody waits for this runner's lease to end. */
static void farewell(struct keeper *k)
{
	struct uuid id = lease_id(&k->runner->lease);
	struct err e = { 0 };

	if (k->has_id && !db_run(k->db, Q_RUNNER_STOP, DB_ARGS(db_uuid(&id)), k->arena, NULL, &e))
		log_err(LOG_WARN, "runner_stop", &e);
}

void *keeper_main(void *arg)
{
	struct keeper k = { .runner = arg, .look_claims = true };
	struct err e = { 0 };
	bool failed = false;

	if (!keeper_open(&k, &e)) {
		log_err(LOG_ERROR, "keeper", &e);
		abort(); /* as in committer_main */
	}
	while (!k.runner->stopping) {
		err_clear(&e);
		arena_reset(k.arena);
		if (!turn(&k, &e)) {
			db_rollback(k.db);
			if (!failed)
				log_err(LOG_WARN, "keeper", &e);
			failed = true;
		} else {
			failed = false;
		}
		if (k.has_id && !lease_trusted(&k.runner->lease))
			lease_gone(&k, "no beat came through in time");
		rest(&k, failed);
	}
	farewell(&k);
	arena_free(k.arena);
	return NULL;
}
