/*
 * frame - one request from its parameters to its log line: the order of all checks
 */
#include "config.h"

#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/web/private.h"
#include "lib/base/poison.h"

static bool input_read(struct req *r, struct err *e)
{
	return route_params_read(r, e) && query_read(r, e) && request_if_match_read(r, e) &&
	       request_body_read(r, e);
}

/* What is wrong with the input is told only to those who may send it at all. */
static bool refuse_input(struct req *r, struct err *e)
{
	struct err denied = { 0 };

	if (!route_asks_who(r->route))
		return false;
	if (!transaction_enter(r, &denied)) {
		r->problems->count = 0;
		*e = denied;
	}
	return false;
}

/* With CHECK_ANSWERS: an answer that is not of its route's shape is our bug, said as one. Documents
 * that our own reader does not take (records with numbers beyond 64 bits) are let through. */
static bool answer_fits(struct req *r, struct err *e)
{
	struct problems *ps = problems_new(r->arena);
	struct err unread = { 0 };
	json_t *document;

	if (!r->app->check_answers || r->reply->streaming || r->reply->body.len == 0 ||
	    !json_read(r->arena, r->reply->body, &document, &unread))
		return true;
	if (r->route->out == NULL)
		return err_set(e, ERR_BUG, "answer_shape", "This route declares no answer.");
	if (shape_check_answer(r->route->out, document, ps))
		return true;
	err_set(e, ERR_BUG, "answer_shape", "The answer is not of its shape.");
	return err_detail(e, "%s %s: %s at %s", r->route->path, r->route->out->name,
	                  ps->list[0].slug, ps->list[0].pointer);
}

/* A handler that asked the database nothing has not been seen by identity.enter either. */
static bool finish(struct req *r, struct err *e)
{
	if (route_asks_who(r->route) && !r->private_->entered && !transaction_enter(r, e))
		return false;
	if (!r->reply->done)
		return err_set(e, ERR_BUG, "no_answer",
		               "The handler of this route gave no answer.");
	if (!answer_fits(r, e))
		return false;
	if (!(r->private_->idempotent != IDEMPOTENT_NONE ? idempotent_end(r, e) : req_commit(r, e)))
		return false;
	return !r->private_->page.on || view_finish(r, e);
}

static bool who_read(struct req *r, struct err *e)
{
	return r->private_->page.on ? session_read(r, e) : token_read(r, e);
}

static bool answer(struct req *r, struct err *e)
{
	if (!route_find(r, e))
		return false;
	if (r->reply->done)
		return true;
	if (!request_accept_check(r, e) || !who_read(r, e) || !rate_take(r, e))
		return false;
	if (!input_read(r, e))
		return refuse_input(r, e);
	if (!idempotent_begin(r, e))
		return false;
	if (r->reply->done)
		return req_commit(r, e) && (!r->private_->page.on || view_finish(r, e));
	return r->route->handle(r, e) && finish(r, e);
}

/* The page of a form that was refused is made by its own route; if that fails too, it is an error. */
static void fail_page(struct req *r, struct err *e)
{
	while (view_failed(r, e) && !(r->route->handle(r, e) && finish(r, e)))
		if (r->app->db)
			db_rollback(r->app->db);
}

static void fail(struct req *r, struct err *e)
{
	if (!err_is_set(e) && !r->private_->page.sent.act)
		err_set(e, ERR_BUG, "no_reason", "A handler failed without saying why.");
	if (r->app->db)
		db_rollback(r->app->db);
	if (r->reply->streaming) { /* too late for another answer; the trailer is missing */
		log_err(LOG_WARN, "stream_broken", e);
		if (r->private_->io->cut)
			r->private_->io->cut(r->private_->io->at);
		return;
	}
	if (r->private_->page.on) {
		fail_page(r, e);
		return;
	}
	reply_problem(r, e);
	idempotent_failed(r);
}

static void log_request(const struct req *r)
{
	const struct web_private *p = r->private_;

	log_info("request", "%s %s%.200s %d %lld ms %zu bytes", p->method_name, p->prefix, r->path,
	         r->reply->status, (long long)(clock_mono_ms() - p->started_ms), p->bytes_sent);
}

void frame_serve(const struct app *app, struct arena *arena, char **envp, const struct web_io *io)
{
	struct req *r = request_new(app, arena, envp, io);
	struct err e = { 0 };
	bool ok;

	log_context(r->id, NULL);
	ok = answer(r, &e);
	if (!ok)
		fail(r, &e);
	reply_send(r);
	if (ok)
		transaction_wake(r);
	if (app->db)
		db_rollback(app->db); /* nothing is open here, but a bug must not reach the next */
	log_request(r);
	log_context(NULL, NULL);
	arena_reset(arena);
}
