/* held: the jobs that a run posts, and what they say */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/utf8.h"
#include "runner/held_parts.h"
#include "lib/base/poison.h"

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

static struct run_counts held_counts(const struct held *h)
{
	return h->run ? drive_run_counts(h->run) : h->telling;
}

void held_job_init(struct held *h, enum job_kind kind)
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

void held_token_wipe(struct job_token *t)
{
	secret_free(t->access);
	secret_free(t->refresh);
	t->access = t->refresh = NULL;
}

/* Beside the run's commits it asks for tokens and kept answers. */
bool held_is_aside(enum job_kind kind)
{
	return kind == JOB_TOKEN_TAKE || kind == JOB_TOKEN_KEEP || kind == JOB_KEPT_FIND;
}

/* The journal waits for the next commit of the run itself. */
void held_post_aside(struct held *h)
{
	h->job_out = queue_put(&h->loop->runner->queue, &h->job);
	if (h->job_out)
		return;
	log_error("queue_full", "execution=%s token=%" PRId64 ": dropped", h->execution,
	          h->claim.token);
	held_token_wipe(&h->job.token);
	drive_page_done(h->run, false, NULL);
}

void held_post_job(struct held *h)
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

void held_post(struct held *h, enum job_kind kind)
{
	held_job_init(h, kind);
	held_post_job(h);
}

void held_post_park(struct held *h, const struct run_wait *wait)
{
	held_job_init(h, JOB_PARK);
	h->job.until_ms = wait->until_ms;
	text_put(h->job.code, sizeof(h->job.code), wait->code);
	text_put(h->job.message, sizeof(h->job.message), wait->message);
	held_post_job(h);
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

void held_post_end(struct held *h, const struct run_end *end, struct str cursor)
{
	bool well = end->status == RUN_SUCCESS || end->status == RUN_PARTIAL;

	held_job_init(h, JOB_END);
	h->job.status = end->status;
	h->job.outcome = outcome_of(h, end);
	h->job.mark_vanished = well && end->complete && h->job.strategy == PLAN_FULL_SYNC;
	if (well && end->complete && cursor.len > 0)
		h->job.cursor = strndup(cursor.p, cursor.len);
	text_put(h->job.code, sizeof(h->job.code), end->code);
	text_put(h->job.message, sizeof(h->job.message), end->message);
	text_put(h->job.stop, sizeof(h->job.stop), end->stop);
	held_post_job(h);
}

void held_post_failed(struct held *h, enum run_remedy remedy, const char *code, const char *message)
{
	held_post_end(h,
	              &(struct run_end){ .status = RUN_FAILED,
	                                 .remedy = remedy,
	                                 .code = code,
	                                 .message = message,
	                                 .stop = "" },
	              STR(""));
}
