#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drive/gate.h"
#include "drive/sink_memory.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/utf8.h"
#include "lib/crypt/crypt.h"
#include "runner/held.h"
#include "lib/base/poison.h"

#define CRASHES_MAX      5
#define SERVICE_AGAIN_MS 2000 /* a full service is asked for a place again */

struct held {
	struct held *prev, *next;
	struct loop *loop;
	struct claim claim;
	struct loaded *loaded;
	struct drive_run *run; /* NULL: not begun, or over */
	struct job job;
	bool job_out, dropped, cancelled;
	bool moved; /* a page was committed since the claim */
	struct journal *journal;
	char *resume;                    /* malloc'ed: the run's state when it ended or parked */
	struct run_counts told, telling; /* what commits have counted; what the job out will have */
	int64_t seq;
	struct uuid stream, instance;
	struct uuid token_lease; /* nil: the plan needs no access tokens */
	int64_t token_version;   /* of the last look: what a new one follows */
	struct bucket_seat seat;
	char execution[UUID_TEXT_MAX], work[UUID_TEXT_MAX], tenant[UUID_TEXT_MAX];
};

/* Whole code points that PostgreSQL can hold; texts of a run may be longer than their column, and may
 * have been cut within a character before. */
static void text_put(char *out, size_t size, const char *text)
{
	struct str rest = str_of(text);
	size_t len = 0;

	while (rest.len > 0) {
		char bytes[4];
		size_t n = utf8_encode(str_utf8_next(&rest), bytes);

		if (len + n >= size)
			break;
		memcpy(out + len, bytes, n);
		len += n;
	}
	out[len] = '\0';
}

/* ---- jobs ---- */

static void held_bury(struct held *h);

static struct run_counts held_counts(const struct held *h)
{
	return h->run ? drive_run_counts(h->run) : h->telling;
}

static void job_init(struct held *h, enum job_kind kind)
{
	struct run_counts now = held_counts(h);

	h->telling = now;
	h->job = (struct job){
		.letter.kind = LETTER_JOB,
		.kind = kind,
		.owner = h,
		.claim = h->claim,
		.seq = h->seq,
		.stream = h->stream,
		.strategy = h->loaded ? plan_strategy(h->loaded->plan) : PLAN_INCREMENTAL,
		.counts = { .requests = now.requests - h->told.requests,
		            .retries = now.retries - h->told.retries,
		            .bytes = now.bytes - h->told.bytes,
		            .waited_ms = now.waited_ms - h->told.waited_ms },
		.resume = h->resume,
		.token = { .owner = h->instance, .lease = h->token_lease },
	};
	h->resume = NULL;
}

static void token_wipe(struct job_token *t)
{
	secret_free(t->access);
	secret_free(t->refresh);
	t->access = t->refresh = NULL;
}

/* Beside the run's commits it asks for tokens and kept answers. */
static bool is_aside(enum job_kind kind)
{
	return kind == JOB_TOKEN_TAKE || kind == JOB_TOKEN_KEEP || kind == JOB_KEPT_FIND;
}

/* The journal waits for the next commit of the run itself. */
static void aside_post(struct held *h)
{
	h->job_out = queue_put(&h->loop->runner->queue, &h->job);
	if (h->job_out)
		return;
	log_error("queue_full", "execution=%s token=%" PRId64 ": dropped", h->execution,
	          h->claim.token);
	token_wipe(&h->job.token);
	drive_page_done(h->run, false, NULL);
}

static void job_post(struct held *h)
{
	journal_close(h->journal);
	h->job.journal = h->journal;
	h->journal = journal_new(); /* NULL: what follows is not journalled */
	h->job_out = queue_put(&h->loop->runner->queue, &h->job);
	if (h->job_out)
		return;
	log_error("queue_full", "execution=%s token=%" PRId64 ": dropped", h->execution,
	          h->claim.token);
	if (!h->run)
		held_bury(h);
}

static void post_simple(struct held *h, enum job_kind kind)
{
	job_init(h, kind);
	job_post(h);
}

static void post_park(struct held *h, const struct run_wait *wait)
{
	job_init(h, JOB_PARK);
	h->job.until_ms = wait->until_ms;
	text_put(h->job.code, sizeof(h->job.code), wait->code);
	text_put(h->job.message, sizeof(h->job.message), wait->message);
	job_post(h);
}

/* What becomes of the work row. A definition that must change leaves it idle: after mending, the
 * tenant runs it again by hand. A fault of ours is a dead letter for the operator to see. */
static const char *outcome_of(const struct held *h, const struct run_end *end)
{
	static const char *const by_remedy[] = {
		[REMEDY_NONE] = "done",     [REMEDY_RETRY_LATER] = "retry",
		[REMEDY_TENANT] = "paused", [REMEDY_DEFINITION] = "done",
		[REMEDY_BUG] = "dead",
	};

	if (end->status != RUN_FAILED)
		return "done";
	return end->remedy == REMEDY_RETRY_LATER && h->moved ? "again" : by_remedy[end->remedy];
}

static void post_end(struct held *h, const struct run_end *end, struct str cursor)
{
	bool well = end->status == RUN_SUCCESS || end->status == RUN_PARTIAL;

	job_init(h, JOB_END);
	h->job.status = end->status;
	h->job.outcome = outcome_of(h, end);
	h->job.mark_vanished = well && end->complete && h->job.strategy == PLAN_FULL_SYNC;
	if (well && end->complete && cursor.len > 0)
		h->job.cursor = strndup(cursor.p, cursor.len);
	text_put(h->job.code, sizeof(h->job.code), end->code);
	text_put(h->job.message, sizeof(h->job.message), end->message);
	text_put(h->job.stop, sizeof(h->job.stop), end->stop);
	job_post(h);
}

static void post_failed(struct held *h, enum run_remedy remedy, const char *code,
                        const char *message)
{
	post_end(h,
	         &(struct run_end){ .status = RUN_FAILED,
	                            .remedy = remedy,
	                            .code = code,
	                            .message = message,
	                            .stop = "" },
	         STR(""));
}

/* ---- the sink ---- */

static void held_note(void *arg, struct drive_run *r, const struct run_note *n)
{
	struct held *h = arg;

	(void)r;
	journal_add(h->journal, n->kind, n->at_ms, n->json);
}

static void held_page(void *arg, struct drive_run *r, const struct run_page *page)
{
	struct held *h = arg;

	(void)r;
	job_init(h, JOB_PAGE);
	h->job.page = page;
	h->job.state = page->state_after;
	job_post(h);
	if (!h->job_out)
		drive_page_done(h->run, false, NULL);
}

static void held_intent(void *arg, struct drive_run *r, struct str state)
{
	struct held *h = arg;

	(void)r;
	job_init(h, JOB_INTENT);
	h->job.state = state;
	job_post(h);
	if (!h->job_out)
		drive_page_done(h->run, false, NULL);
}

static void run_gone(struct held *h)
{
	bucket_leave(&h->loop->buckets, &h->seat);
	h->run = NULL;
}

/* The run is over: what it leaves is taken while it is still there. */
static void run_left(struct held *h, const struct drive_run *r)
{
	struct str state = drive_run_state(r);

	h->telling = drive_run_counts(r);
	h->resume = state.len > 0 ? strndup(state.p, state.len) : NULL;
	run_gone(h);
}

static void held_park(void *arg, struct drive_run *r, const struct run_wait *wait)
{
	struct held *h = arg;

	run_left(h, r);
	if (h->dropped)
		held_bury(h);
	else
		post_park(h, wait);
}

static void held_end(void *arg, struct drive_run *r, const struct run_end *end)
{
	struct held *h = arg;
	struct str cursor = drive_run_cursor(r);

	run_left(h, r);
	if (h->dropped)
		held_bury(h);
	else
		post_end(h, end, plan_has_cursor(h->loaded->plan) ? cursor : STR(""));
}

static const struct sink SINK_HELD = { .note = held_note,
	                               .page = held_page,
	                               .intent = held_intent,
	                               .park = held_park,
	                               .end = held_end };

static enum gate_answer held_ask(void *arg, struct drive_run *r, int64_t *wait_ms)
{
	struct held *h = arg;

	return bucket_ask(&h->loop->buckets, &h->seat, r, wait_ms);
}

static void held_throttle(void *arg, struct drive_run *r, int64_t wait_ms)
{
	struct held *h = arg;

	(void)r;
	bucket_throttle(&h->loop->buckets, &h->seat, wait_ms);
}

static void held_pace(void *arg, struct drive_run *r, const struct run_quota *quota)
{
	struct held *h = arg;

	(void)r;
	bucket_pace(&h->loop->buckets, &h->seat, quota);
}

static const struct gate GATE_HELD = { .ask = held_ask,
	                               .throttle = held_throttle,
	                               .pace = held_pace };

/* ---- access tokens and kept answers ---- */

static void held_token_take(void *arg, struct drive_run *r, int64_t refused)
{
	struct held *h = arg;

	(void)r;
	job_init(h, JOB_TOKEN_TAKE);
	h->job.token.hash = plan_auth_hash(h->loaded->plan);
	h->job.token.refused = refused;
	aside_post(h);
}

static void held_token_keep(void *arg, struct drive_run *r, const struct run_token *token)
{
	struct held *h = arg;
	struct job_token *t = &h->job.token;

	(void)r;
	job_init(h, JOB_TOKEN_KEEP);
	t->version = h->token_version;
	t->life_ms = token->life_ms;
	t->renew_in_ms = token->renew_in_ms;
	t->access = secret_copy(token->access);
	t->refresh = token->refresh ? secret_copy(token->refresh) : NULL;
	if (t->access && (t->refresh || !token->refresh)) {
		aside_post(h);
		return;
	}
	token_wipe(t);
	drive_page_done(h->run, false,
	                &(struct err){ .code = ERR_UNAVAILABLE,
	                               .slug = "out_of_memory",
	                               .msg = "There is not enough memory." });
}

static void held_kept_find(void *arg, struct drive_run *r, const char *key)
{
	struct held *h = arg;

	(void)r;
	job_init(h, JOB_KEPT_FIND);
	h->job.kept_key = key;
	aside_post(h);
}

static const struct shelf SHELF_HELD = { .find = held_kept_find };
static const struct vault VAULT_HELD = { .take = held_token_take, .keep = held_token_keep };

/* ---- from claim to run ---- */

static void lease_line(struct held *h)
{
	char line[200];
	int n = snprintf(
		line, sizeof(line),
		"{\"message\":\"The runner that held this run was lost; it goes on from its "
		"last committed page.\",\"crashes\":%d,\"token\":%" PRId64 "}",
		h->claim.crashes, h->claim.token);

	journal_add(h->journal, "lease", clock_wall_ms(), (struct str){ line, (size_t)n });
}

static void held_first_job(struct held *h)
{
	if (h->claim.crashes > 0)
		lease_line(h);
	if (strcmp(h->claim.kind, "pipeline") != 0 || uuid_is_nil(&h->claim.execution)) {
		log_error("unknown_work", "work=%s kind=%s cannot be run by this version", h->work,
		          h->claim.kind);
		post_simple(h, JOB_LET_GO);
	} else if (h->claim.crashes >= CRASHES_MAX) {
		post_failed(
			h, REMEDY_BUG, "runner_lost",
			"The runner was lost five times in a row while it held this run, so it is "
			"not tried again by itself. Pages committed before are kept. Tell the "
			"operator, then run it again.");
	} else {
		post_simple(h, JOB_BEGIN);
	}
}

static void held_new(struct loop *loop, const struct claim *claim)
{
	struct held *h = calloc(1, sizeof(*h));

	if (!h) {
		lease_drop(&loop->runner->lease, &claim->work, claim->token); /* now a stray */
		return;
	}
	h->loop = loop;
	h->claim = *claim;
	h->seq = -1;
	uuid_format(&claim->work, h->work);
	uuid_format(&claim->execution, h->execution);
	uuid_format(&claim->tenant, h->tenant);
	h->next = loop->first;
	if (h->next)
		h->next->prev = h;
	loop->first = h;
	loop->count++;
	h->journal = journal_new();
	held_first_job(h);
}

static void held_bury(struct held *h)
{
	struct loop *loop = h->loop;

	if (h->prev)
		h->prev->next = h->next;
	else
		loop->first = h->next;
	if (h->next)
		h->next->prev = h->prev;
	loop->count--;
	bucket_leave(&loop->buckets, &h->seat);
	lease_drop(&loop->runner->lease, &h->claim.work, h->claim.token);
	h->next = loop->buried;
	loop->buried = h;
	keeper_wake(loop->runner); /* there is room, here or in the tenant's lane */
}

void loop_bury(struct loop *loop)
{
	struct held *h;

	while ((h = loop->buried)) {
		loop->buried = h->next;
		journal_free(h->journal);
		free(h->resume);
		load_free(h->loaded);
		free(h);
	}
}

static bool run_open(struct held *h, const struct job_begun *b, struct err *e)
{
	char pool[2 * UUID_TEXT_MAX + 2], instance[UUID_TEXT_MAX];
	const struct plan *plan = h->loaded->plan;
	const struct gate_limit limit = gate_limit(plan_rate_per_s(plan), plan_rate_burst(plan));
	uint64_t seed;

	crypt_random(&seed, sizeof(seed));
	snprintf(pool, sizeof(pool), "%s/%s", h->tenant, uuid_format(&b->instance, instance));
	if (!bucket_join(&h->loop->buckets, &h->seat, &h->claim.tenant, h->loaded->service,
	                 limit.rate_per_s, limit.burst))
		return err_set(e, ERR_UNAVAILABLE, "out_of_memory", "There is not enough memory.");
	if (plan_auth_hash(plan))
		h->token_lease = uuid_v7();
	return drive_start(h->loop->drive,
	                   &(struct drive_start){ .run = { .plan = plan,
	                                                   .config = h->loaded->config,
	                                                   .state = str_of(b->state),
	                                                   .cursor = str_of(b->cursor),
	                                                   .execution_id = h->execution,
	                                                   .seed = seed },
	                                          .pool = pool,
	                                          .sink = &SINK_HELD,
	                                          .sink_arg = h,
	                                          .gate = &GATE_HELD,
	                                          .gate_arg = h,
	                                          .vault = &VAULT_HELD,
	                                          .vault_arg = h,
	                                          .shelf = &SHELF_HELD,
	                                          .shelf_arg = h },
	                   &h->run, e);
}

static void cancelled_end(struct held *h)
{
	post_end(h,
	         &(struct run_end){ .status = RUN_CANCELLED,
	                            .code = "cancelled",
	                            .message = "Cancelled. Pages committed so far are kept.",
	                            .stop = "" },
	         STR(""));
}

static void begun_go(struct held *h, const struct job_begun *b)
{
	struct err e = { 0 };

	if (b->cancel_requested || h->cancelled) {
		cancelled_end(h);
	} else if (!h->loaded) {
		e = h->job.err;
		post_failed(h, load_remedy(&e), e.slug, e.msg);
	} else if (h->loop->draining) {
		post_park(h,
		          &(struct run_wait){ .until_ms = clock_wall_ms(),
		                              .code = "runner_stopping",
		                              .message = "The runner was stopped before this run "
		                                         "went on; another one takes it." });
	} else if (b->service_full) {
		post_park(h, &(struct run_wait){
				     .until_ms = clock_wall_ms() + SERVICE_AGAIN_MS,
				     .code = "service_busy",
				     .message = "As many runs as may talk to this service at once "
						"are under way; this one follows." });
	} else if (!run_open(h, b, &e)) {
		log_err(LOG_WARN, "run_new", &e);
		post_failed(h, load_remedy(&e), e.slug, e.msg);
	} else {
		log_info("begin", "execution=%s token=%" PRId64 " seq=%" PRId64 " resumed=%d",
		         h->execution, h->claim.token, h->seq, b->resumed);
	}
}

/* The database gives no answer: another runner, or this one later, takes the run up. */
static bool is_away(const struct err *e)
{
	return e->code == ERR_UNAVAILABLE && strcmp(e->slug, "out_of_memory") != 0;
}

/* The run could not be opened. Letting go leaves the work idle, so it is for runs that have ended
 * already, or went with their installation; any other must not be left behind without a reason. */
static void begin_failed(struct held *h)
{
	struct err e = h->job.err;
	bool over = strcmp(e.slug, "execution_ended") == 0 || strcmp(e.slug, "stale_cursor") == 0;

	free(h->job.begun.state);
	free(h->job.begun.cursor);
	if (h->dropped || is_away(&e) || strcmp(e.slug, "lost_lease") == 0)
		held_bury(h);
	else if (over)
		post_simple(h, JOB_LET_GO);
	else
		post_failed(h, load_remedy(&e), e.slug, e.msg);
}

static void begun(struct held *h)
{
	struct job_begun b = h->job.begun;

	if (h->job.result != JOB_DONE) {
		begin_failed(h);
		return;
	}
	h->loaded = b.loaded;
	h->seq = h->job.seq;
	h->stream = h->job.stream;
	h->instance = b.instance;
	if (h->dropped)
		held_bury(h);
	else
		begun_go(h, &b);
	free(b.state);
	free(b.cursor);
}

/* ---- answers of committers ---- */

static const char *const result_names[] = {
	[JOB_DONE] = "done", [JOB_LOST] = "lost", [JOB_FAILED] = "failed"
};

static void result_log(const struct held *h)
{
	static const char *const names[JOB__MAX] = {
		[JOB_BEGIN] = "begin",
		[JOB_PAGE] = "commit",
		[JOB_INTENT] = "intent",
		[JOB_PARK] = "park",
		[JOB_END] = "end",
		[JOB_LET_GO] = "let_go",
		[JOB_TOKEN_TAKE] = "token_take",
		[JOB_TOKEN_KEEP] = "token_keep",
		[JOB_KEPT_FIND] = "kept_find",
	};
	const struct job *j = &h->job;

	if (j->result == JOB_LOST)
		log_warn("lost_lease",
		         "execution=%s token=%" PRId64 " seq=%" PRId64
		         " at %s: %s; nothing more is "
		         "written under this token",
		         h->execution, h->claim.token, j->seq, names[j->kind], j->err.slug);
	else if (j->result == JOB_FAILED)
		log_err(LOG_ERROR, names[j->kind], &j->err);
	else if (j->kind == JOB_PAGE)
		log_debug("commit",
		          "execution=%s token=%" PRId64 " seq=%" PRId64 " new=%" PRId64
		          " changed=%" PRId64,
		          h->execution, h->claim.token, j->seq + 1, j->fresh, j->changed);
	else if (j->kind == JOB_TOKEN_KEEP)
		log_info("token_keep", "execution=%s version=%" PRId64, h->execution,
		         j->token.kept);
	else if (j->kind != JOB_BEGIN && !is_aside(j->kind))
		log_info(names[j->kind],
		         "execution=%s token=%" PRId64 " seq=%" PRId64
		         " outcome=%s code=%s work=%s",
		         h->execution, h->claim.token, j->seq,
		         j->kind == JOB_END ? run_status_name(j->status) : result_names[j->result],
		         j->code, j->left_state);
}

/* The run goes without a word: it is another's, or nobody's. */
static void run_bury(struct held *h)
{
	drive_page_done(h->run, false, NULL);
	run_gone(h);
	held_bury(h);
}

/* After this the drive may have called the sink again, and the job may be out once more. */
static void page_answered(struct held *h)
{
	struct err e = h->job.err;
	bool done = h->job.result == JOB_DONE;
	bool silent = h->dropped || h->job.result == JOB_LOST || is_away(&e);

	if (done) {
		h->seq++;
		h->told = h->telling;
		h->moved = h->moved || h->job.kind == JOB_PAGE;
	}
	if (done && !h->dropped) {
		drive_page_done(h->run, true, NULL);
	} else if (!done && !silent) {
		drive_page_done(h->run, false, &e); /* ends: held_end posts what is left to say */
	} else {
		run_bury(h);
	}
}

/* A token of the run that is gone meanwhile is nobody's any more. */
static void token_answered(struct held *h)
{
	struct job_token t = h->job.token;
	bool keeping = h->job.kind == JOB_TOKEN_KEEP;

	h->job.token.access = h->job.token.refresh = NULL;
	if (h->job.result != JOB_DONE) {
		page_answered(h);
	} else if (h->dropped) {
		run_bury(h);
	} else if (keeping) {
		h->token_version = t.kept;
		drive_token_kept(h->run, t.kept);
	} else {
		h->token_version = t.version;
		drive_token_found(h->run, &(struct run_found){ .kind = t.kind,
		                                               .access = t.access,
		                                               .version = t.version,
		                                               .renew_in_ms = t.renew_in_ms,
		                                               .refresh = t.refresh });
	}
	token_wipe(&t);
}

/* A look that failed is as a commit that failed: the database is away, or the run is another's. */
static void kept_answered(struct held *h)
{
	struct run_cached *kept = h->job.kept;

	h->job.kept = NULL;
	if (h->job.result == JOB_DONE && !h->dropped) {
		drive_cache_found(h->run, kept);
		return;
	}
	if (kept)
		kept->release(&kept->answer);
	if (h->job.result != JOB_DONE)
		page_answered(h);
	else
		run_bury(h);
}

static void journal_settle(struct held *h)
{
	bool back = h->job.result == JOB_FAILED && h->journal && h->journal->count == 0;

	if (back) { /* for the next commit: the end */
		journal_free(h->journal);
		h->journal = h->job.journal;
	} else {
		journal_free(h->job.journal);
	}
	h->job.journal = NULL;
}

static void held_answered(struct held *h)
{
	h->job_out = false;
	log_context(NULL, h->tenant);
	result_log(h);
	if (!is_aside(h->job.kind))
		journal_settle(h);
	free(h->job.cursor);
	free(h->job.resume);
	h->job.cursor = h->job.resume = NULL;
	switch (h->job.kind) {
	case JOB_BEGIN:
		begun(h);
		break;
	case JOB_PAGE:
	case JOB_INTENT:
		page_answered(h);
		break;
	case JOB_KEPT_FIND:
		kept_answered(h);
		break;
	case JOB_TOKEN_TAKE:
	case JOB_TOKEN_KEEP:
		token_answered(h);
		break;
	default:
		held_bury(h); /* done, or a stray of the next beats */
	}
	log_context(NULL, NULL);
}

/* ---- letters ---- */

static void cancels_serve(struct loop *loop, const struct letter_cancels *l)
{
	for (struct held *h = loop->first; h; h = h->next)
		for (size_t i = 0; i < l->count; i++) {
			if (!uuid_eq(&h->claim.work, &l->works[i]) || h->cancelled)
				continue;
			h->cancelled = true;
			if (h->run)
				drive_cancel(h->run);
		}
}

static void letter_serve(struct loop *loop, struct letter *letter)
{
	struct job *job = (struct job *)letter;
	struct letter_claims *claims = (struct letter_claims *)letter;

	switch (letter->kind) {
	case LETTER_JOB:
		if (job->kind == JOB_TAKE || job->kind == JOB_THROTTLE || job->kind == JOB_PACE)
			bucket_answered(&loop->buckets, job);
		else
			held_answered(job->owner);
		return;
	case LETTER_CLAIMS:
		for (size_t i = 0; i < claims->count; i++)
			held_new(loop, &claims->claims[i]);
		break;
	case LETTER_CANCELS:
		cancels_serve(loop, (struct letter_cancels *)letter);
		break;
	case LETTER_LEASE_LOST:
		loop_drop(loop);
		break;
	}
	free(letter);
}

void loop_letters(void *arg)
{
	struct loop *loop = arg;
	struct letter *next;

	for (struct letter *l = mail_take(&loop->runner->mail); l; l = next) {
		next = l->next;
		letter_serve(loop, l);
	}
}

void loop_drain(struct loop *loop, bool now)
{
	loop->draining = true;
	for (struct held *h = loop->first; h; h = h->next)
		if (h->run)
			drive_leave(h->run, now);
}

void loop_drop(struct loop *loop)
{
	struct held *next;

	for (struct held *h = loop->first; h; h = next) {
		next = h->next;
		if (h->dropped)
			continue;
		h->dropped = true;
		if (h->run && !drive_abort(h->run))
			continue;
		if (!h->job_out) {
			run_gone(h);
			held_bury(h);
		}
	}
}
