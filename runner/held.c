/* held: what committers answer, letters, and the end of a held */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "runner/held_parts.h"
#include "lib/base/poison.h"

void held_run_gone(struct held *h)
{
	bucket_leave(&h->loop->buckets, &h->seat);
	h->run = NULL;
}

void held_bury(struct held *h)
{
	struct loop *loop = h->loop;

	h->buried = true;
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

/* A job that is out reads only what it owns, so the run may go before its answer. */
void held_drop(struct held *h)
{
	h->dropped = true;
	held_batch_drop(&h->batch);
	if (h->run && !drive_abort(h->run))
		return; /* its token comes first: then its vault, and its end */
	if (h->run)
		held_run_gone(h);
	if (!h->job_out && !h->buried)
		held_bury(h);
}

void held_stir(struct held *h)
{
	if (h->stirred)
		return;
	h->stirred = true;
	h->next_stirred = h->loop->stirred;
	h->loop->stirred = h;
}

void loop_post(void *arg)
{
	struct loop *loop = arg;
	struct held *h;

	while ((h = loop->stirred)) {
		loop->stirred = h->next_stirred;
		h->stirred = false;
		if (!h->buried)
			held_post_next(h);
	}
}

static void stirred_forget_buried(struct loop *loop)
{
	struct held **at = &loop->stirred;

	while (*at)
		if ((*at)->buried)
			*at = (*at)->next_stirred;
		else
			at = &(*at)->next_stirred;
}

void loop_bury(struct loop *loop)
{
	struct held *h;

	if (loop->buried)
		stirred_forget_buried(loop);
	while ((h = loop->buried)) {
		loop->buried = h->next;
		journal_free(h->journal);
		held_batch_drop(&h->batch);
		held_job_clear(&h->following);
		free(h->resume);
		load_free(h->loaded);
		free(h);
	}
}

/* The database gives no answer: another runner, or this one later, takes the run up. */
bool held_is_away(const struct err *e)
{
	return e->code == ERR_UNAVAILABLE && strcmp(e->slug, "out_of_memory") != 0;
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
	else if (j->kind != JOB_BEGIN && !held_is_aside(j->kind))
		log_info(names[j->kind],
		         "execution=%s token=%" PRId64 " seq=%" PRId64
		         " outcome=%s code=%s work=%s",
		         h->execution, h->claim.token, j->seq,
		         j->kind == JOB_END ? run_status_name(j->status) : result_names[j->result],
		         j->code, j->left_state);
}

/* What the run was told of as kept is not: whatever it does next ends as failed, and begins later behind
 * what was committed. */
static void page_lost(struct held *h, const struct err *e)
{
	bool waits = h->full || h->job.kind == JOB_INTENT;

	h->broken = true;
	h->full = false;
	held_batch_drop(&h->batch);
	free(h->resume);
	h->resume = NULL;
	if (h->run && waits)
		drive_page_done(h->run, false, e); /* ends: held_end says what is left to say */
	else if (h->run)
		drive_fail(h->run, e);
	else
		held_post_failed(h, REMEDY_RETRY_LATER, e->slug, e->msg);
}

static void page_answered(struct held *h)
{
	struct err e = h->job.err;

	if (h->job.result == JOB_DONE) {
		h->seq += job_steps(&h->job);
		h->moved = h->moved || h->job.kind == JOB_PAGE;
		if (h->job.kind == JOB_PAGE) {
			h->told = h->telling;
			h->path = h->job.next_path;
		} else {
			drive_page_done(h->run, true, NULL); /* an intent tells no counts */
		}
	} else if (h->job.result == JOB_LOST || held_is_away(&e)) {
		held_drop(h);
	} else {
		page_lost(h, &e);
	}
}

/* The run goes without a word: it is another's, or nobody's. */
static void held_over(struct held *h)
{
	h->dropped = true;
	held_batch_drop(&h->batch);
	if (h->run) {
		drive_page_done(h->run, false, NULL);
		held_run_gone(h);
	}
	held_bury(h);
}

/* The one answer that the run waits for is not to be had. */
static void aside_failed(struct held *h)
{
	struct err e = h->job.err;

	if (h->job.result == JOB_LOST || held_is_away(&e))
		held_over(h);
	else
		drive_page_done(h->run, false, &e);
}

static void token_answered(struct held *h)
{
	struct job_token t = h->job.token;
	bool keeping = h->job.kind == JOB_TOKEN_KEEP;

	if (h->job.result != JOB_DONE) {
		aside_failed(h);
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
}

static void kept_answered(struct held *h)
{
	struct run_cached *kept = h->job.kept;

	h->job.kept = NULL;
	if (h->job.result == JOB_DONE)
		drive_cache_found(h->run, kept);
	else
		aside_failed(h);
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

static void answer_serve(struct held *h)
{
	switch (h->job.kind) {
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
}

/* Whoever is dropped waits for nothing but its token, which is nobody's any more once it is kept. */
static bool is_over(const struct held *h)
{
	return h->dropped && (!h->run || h->job.kind == JOB_TOKEN_KEEP);
}

static void held_answered(struct held *h)
{
	h->job_out = false;
	log_context(NULL, h->tenant);
	result_log(h);
	if (!held_is_aside(h->job.kind))
		journal_settle(h);
	if (h->job.kind == JOB_BEGIN)
		held_begun(h);
	else if (is_over(h))
		held_over(h);
	else if (!h->dropped)
		answer_serve(h);
	held_job_clear(&h->job);
	if (!h->buried)
		held_stir(h);
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
			held_begin(loop, &claims->claims[i]);
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
		if (!h->dropped)
			held_drop(h);
	}
}
