/* held: the jobs that a run posts, and what they say */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
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

/* Beside the run's commits it asks for tokens and kept answers. */
bool held_is_aside(enum job_kind kind)
{
	return kind == JOB_TOKEN_TAKE || kind == JOB_TOKEN_KEEP || kind == JOB_KEPT_FIND;
}

void held_batch_drop(struct batch *b)
{
	for (size_t i = 0; i < b->count; i++)
		run_page_free(b->pages[i]);
	*b = (struct batch){ 0 };
}

void held_job_clear(struct job *job)
{
	held_batch_drop(&job->batch);
	journal_free(job->journal);
	if (job->kept)
		job->kept->release(&job->kept->answer);
	secret_free(job->token.access);
	secret_free(job->token.refresh);
	free(job->state);
	free(job->kept_key);
	free(job->cursor);
	free(job->resume);
	job->journal = NULL;
	job->kept = NULL;
	job->token.access = job->token.refresh = NULL;
	job->state = job->kept_key = job->cursor = job->resume = NULL;
}

static struct job job_of(const struct held *h, enum job_kind kind)
{
	return (struct job){
		.letter.kind = LETTER_JOB,
		.kind = kind,
		.owner = (void *)h,
		.claim = h->claim,
		.stream = h->stream,
		.strategy = h->loaded ? plan_strategy(h->loaded->plan) : PLAN_INCREMENTAL,
		.token = { .owner = h->instance, .lease = h->token_lease },
	};
}

struct job *held_follow(struct held *h, enum job_kind kind)
{
	held_job_clear(&h->following);
	if (h->run)
		h->asked = drive_run_counts(h->run);
	h->following = job_of(h, kind);
	h->following.resume = h->resume;
	h->resume = NULL;
	h->follows = true;
	held_stir(h);
	return &h->following;
}

/* A good end takes the last pages along: nothing has to be decided between them. */
static bool takes_pages(const struct job *job)
{
	return job->kind == JOB_END && strcmp(job->outcome, "done") == 0 &&
	       (job->status == RUN_SUCCESS || job->status == RUN_PARTIAL);
}

/* Pages leave before what follows them. */
static void job_choose(struct held *h)
{
	if (h->batch.count > 0 && !(h->follows && takes_pages(&h->following))) {
		h->job = job_of(h, JOB_PAGE);
		h->telling = h->paged;
	} else {
		h->job = h->following;
		h->following = (struct job){ 0 };
		h->follows = false;
		h->telling = h->asked;
	}
	h->job.batch = h->batch;
	h->batch = (struct batch){ 0 };
	h->job.path = h->path;
	h->job.seq = h->seq;
	h->job.counts =
		(struct job_counts){ .requests = h->telling.requests - h->told.requests,
		                     .retries = h->telling.retries - h->told.retries,
		                     .bytes = h->telling.bytes - h->told.bytes,
		                     .waited_ms = h->telling.waited_ms - h->told.waited_ms };
}

void held_post_next(struct held *h)
{
	if (h->job_out || (!h->follows && h->batch.count == 0))
		return;
	job_choose(h);
	if (!held_is_aside(h->job.kind)) { /* those leave the journal to the run's next commit */
		journal_close(h->journal);
		h->job.journal = h->journal;
		h->journal = journal_new(); /* NULL: what follows is not journalled */
	}
	h->job_out = queue_put(&h->loop->runner->queue, &h->job);
	if (!h->job_out) {
		log_error("queue_full", "execution=%s token=%" PRId64 ": dropped", h->execution,
		          h->claim.token);
		held_job_clear(&h->job);
		held_drop(h);
	} else if (h->full) {
		h->full = false;
		drive_page_done(h->run, true, NULL);
	}
}

void held_post_park(struct held *h, const struct run_wait *wait)
{
	struct job *job = held_follow(h, JOB_PARK);

	job->until_ms = wait->until_ms;
	text_put(job->code, sizeof(job->code), wait->code);
	text_put(job->message, sizeof(job->message), wait->message);
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
	struct job *job = held_follow(h, JOB_END);

	job->status = end->status;
	job->outcome = outcome_of(h, end);
	job->mark_vanished = well && end->complete && job->strategy == PLAN_FULL_SYNC;
	if (well && end->complete && cursor.len > 0)
		job->cursor = strndup(cursor.p, cursor.len);
	text_put(job->code, sizeof(job->code), end->code);
	text_put(job->message, sizeof(job->message), end->message);
	text_put(job->stop, sizeof(job->stop), end->stop);
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
