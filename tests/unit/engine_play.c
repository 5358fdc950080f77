#include "config.h"

#include <stdio.h>

#include "engine/definition.h"
#include "tests/unit/engine_play.h"

#include "lib/base/poison.h"

#define HEADERS_MAX 8
#define STEPS_MAX   5000 /* a run that does not end fails its test */

static struct play *playing; /* release() has no argument of its own */

struct play *play_new(const char *source, const char *pipeline)
{
	struct play *p = calloc(1, sizeof *p);
	struct config_secret secret;
	struct problems *ps;
	json_t *ds, *pipelines;

	p->a = arena_new(64 << 20);
	ps = problems_new(p->a);
	ds = doc_read(p->a, source);
	pipelines = doc_read(p->a, arena_printf(p->a, "[%s]", pipeline));
	if (!definition_check_data_source(ds, "", ps) ||
	    !definition_check_pipelines(p->a, ds, pipelines, "", ps) ||
	    !plan_compile(p->a, ds, json_array_get(pipelines, 0), "", &p->plan, ps)) {
		doc_has_problem(ps, "", "");
		fail_msg("the plan does not compile");
	}
	secret = (struct config_secret){ "token", secret_new_in(p->a, STR("s3cr3t-t0ken")) };
	p->config = config_new(p->a, json_object_get(ds, "configFields"), doc_read(p->a, "{}"),
	                       &secret, 1);
	p->now_ms = 1700000000000;
	p->options = (struct run_options){
		.plan = p->plan, .config = p->config, .execution_id = "e1", .seed = 7
	};
	buf_init(&p->log, 16 << 20);
	playing = p;
	return p;
}

void play_free(struct play *p)
{
	secret_free(p->vault_access);
	secret_free(p->vault_refresh);
	assert_int_equal(p->outstanding, 0);
	buf_free(&p->log);
	arena_free(p->a);
	free(p);
}

static void answer_release(struct http_answer *answer)
{
	for (size_t i = 0; i < answer->header_count; i++) {
		free((char *)answer->headers[i].name.p);
		free((char *)answer->headers[i].value.p);
	}
	free((void *)answer->headers);
	free((char *)answer->body.p);
	free(answer);
	playing->outstanding--;
}

/* No NUL behind it: a read past the end is found. */
static struct str heap_copy(struct str s)
{
	char *p = malloc(s.len ? s.len : 1);

	memcpy(p, s.p, s.len);
	return (struct str){ p, s.len };
}

static void headers_fill(struct http_answer *answer, const char *text)
{
	struct http_answer_header *list = calloc(HEADERS_MAX, sizeof *list);
	struct str rest = str_of(text), line, tail, name, value;

	while (rest.len > 0 && answer->header_count < HEADERS_MAX) {
		if (!str_cut(rest, '\n', &line, &tail)) {
			line = rest;
			tail.len = 0;
		}
		str_cut(line, ':', &name, &value);
		list[answer->header_count++] =
			(struct http_answer_header){ heap_copy(name), heap_copy(str_trim(value)) };
		rest = tail;
	}
	answer->headers = list;
}

void play_answer(struct play *p, struct scripted s)
{
	struct http_answer *answer = calloc(1, sizeof *answer);
	char *body;

	answer->status = s.status;
	answer->fault = s.fault;
	answer->elapsed_ms = 10;
	answer->body = heap_copy(str_of(s.body ? s.body : ""));
	body = (char *)answer->body.p;
	for (size_t i = 0; i < answer->body.len; i++)
		if (body[i] == '\'')
			body[i] = '"';
	headers_fill(answer, s.headers);
	p->outstanding++;
	p->next = answer;
}

static void script_answer(struct play *p, const struct http_request *request, size_t n)
{
	(void)request;
	if (n >= p->script_count)
		fail_msg("request %zu has no scripted answer:\n%s", n + 1, p->log.p);
	play_answer(p, p->script[n]);
}

static void log_request(struct play *p, const struct run_act *act)
{
	const struct http_request *q = act->request;

	if (p->quiet_requests)
		return;
	buf_printf(&p->log, "> %s%s %s", act->intent ? "intent " : "", http_method_names[q->method],
	           q->url.shown);
	if (q->body.wire)
		buf_printf(&p->log, " %s", q->body.shown);
	buf_char(&p->log, '\n');
}

static void log_page(struct play *p, const struct run_page *page)
{
	static const char *const marks[] = { "", "~", "=", "!" };

	buf_printf(&p->log, "= %d:", (int)page->number);
	for (size_t i = 0; i < page->count; i++) {
		const struct record *r = &page->records[i];

		buf_printf(&p->log, " %s" STR_FMT, marks[r->fate],
		           STR_ARG(r->fate == RECORD_DROP_FILTER || r->fate == RECORD_DROP_DUPLICATE
		                           ? r->bytes
		                           : r->key));
		if (r->fate == RECORD_QUARANTINE)
			buf_printf(&p->log, "(%s)", r->slug);
	}
	buf_char(&p->log, '\n');
}

static void log_end(struct play *p, const struct run_end *end)
{
	static const char *const words[] = { "success", "partial", "failed", "timeout",
		                             "cancelled" };

	buf_printf(&p->log, ". %s%s%s%s", words[end->status], *end->code ? " " : "", end->code,
	           end->complete ? " complete" : "");
	if (*end->stop)
		buf_printf(&p->log, " \"%s\"", end->stop);
	buf_char(&p->log, '\n');
	p->remedy = end->remedy;
	snprintf(p->code, sizeof p->code, "%s", end->code);
	snprintf(p->message, sizeof p->message, "%s", end->message);
}

static void run_begin(struct play *p)
{
	struct err e = { 0 };

	p->options.now_ms = p->now_ms;
	if (!run_new(&p->options, &p->run, &e))
		fail_msg("run_new: %s", e.msg);
}

/* Forgets the run and builds it anew from what was committed. */
static void rebuild(struct play *p)
{
	struct str state = run_state(p->run);

	assert_true(state.len < sizeof p->state);
	memcpy(p->state, state.p, state.len);
	p->options.state = (struct str){ p->state, state.len };
	/* By now the greatest stored value has moved; the pass must not notice. */
	p->options.cursor = STR("2999-01-01T00:00:00Z");
	run_free(p->run);
	run_begin(p);
}

static void cache_keep(struct play *p, const struct run_cache_put *put)
{
	struct play_kept *k = NULL;

	for (size_t i = 0; i < p->kept_count; i++)
		if (strcmp(p->kept[i].key, put->key) == 0)
			k = &p->kept[i];
	if (!k)
		k = &p->kept[p->kept_count++];
	buf_printf(&p->log, "+ kept%s\n", put->touch ? " still" : "");
	k->until_ms = p->now_ms + put->life_ms;
	if (put->touch)
		return;
	snprintf(k->key, sizeof k->key, "%s", put->key);
	k->etag = arena_text(p->a, put->etag);
	k->body = arena_copy(p->a, put->body);
}

static void page_commit(struct play *p, const struct run_page *page)
{
	struct str after;

	log_page(p, page);
	if (page->cache)
		cache_keep(p, page->cache);
	after = arena_copy(p->a, page->state_after);
	run_page_committed(p->run);
	assert_true(str_eq(run_state(p->run), after));
	if (p->cut_after && page->number % p->cut_after == 0)
		rebuild(p);
}

static void send(struct play *p, const struct run_act *act)
{
	log_request(p, act);
	p->answer(p, act->request, p->sent++);
	p->now_ms += 10;
	run_feed(p->run, act->request_id, p->next, p->now_ms, answer_release);
}

static void wait(struct play *p, const struct run_act *act)
{
	int ms = (int)(act->wait.until_ms - p->now_ms);

	buf_printf(&p->log, "* %s ", act->wait.code);
	if (ms % 1000 == 0)
		buf_printf(&p->log, "%d", ms);
	else
		buf_char(&p->log, '~');
	buf_text(&p->log, act->wait.throttled ? " throttled\n" : "\n");
	if (strcmp(act->wait.code, "token_refreshing") != 0)
		assert_true(strstr(act->wait.message, "items") ||
		            strstr(act->wait.message, "access token"));
	if (p->cancel_at_wait)
		run_cancel(p->run);
	else
		p->now_ms = act->wait.until_ms;
	if (p->cut_at_wait)
		rebuild(p);
}

/* A driver that keeps answers: p->kept by key, with their age on the play's clock. */
static void kept_release(struct http_answer *answer)
{
	playing->outstanding--;
	free(answer);
}

static void cache_find(struct play *p, const struct run_act *act)
{
	struct run_cached *found = NULL;

	for (size_t i = 0; i < p->kept_count; i++) {
		struct play_kept *k = &p->kept[i];

		if (strcmp(k->key, act->cache_key) != 0)
			continue;
		found = calloc(1, sizeof *found);
		found->answer = (struct http_answer){ .status = 200, .body = k->body };
		found->fresh = p->now_ms < k->until_ms;
		found->etag = k->etag;
		found->modified = "";
		found->release = kept_release;
		p->outstanding++;
	}
	buf_printf(&p->log, "? kept %s\n", !found ? "no" : found->fresh ? "fresh" : "old");
	run_cache_found(p->run, found, p->now_ms);
}

/* A driver that keeps one token, as the database would; p->vault_busy times somebody else fetches. */
static void token_find(struct play *p, const struct run_act *act)
{
	struct run_found f = { .kind = RUN_TOKEN_FETCH, .refresh = p->vault_refresh };

	if (p->vault_busy > 0) {
		p->vault_busy--;
		f.kind = RUN_TOKEN_WAIT;
	} else if (p->vault_access && p->vault_version > act->token_refused &&
	           (p->vault_renew_ms == 0 || p->vault_renew_ms > p->now_ms)) {
		f = (struct run_found){ .kind = RUN_TOKEN_READY,
			                .access = p->vault_access,
			                .version = p->vault_version,
			                .renew_in_ms = p->vault_renew_ms
			                                       ? p->vault_renew_ms - p->now_ms
			                                       : 0 };
	}
	buf_printf(&p->log, "? token %s\n",
	           f.kind == RUN_TOKEN_FETCH   ? "fetch"
	           : f.kind == RUN_TOKEN_READY ? "ready"
	                                       : "wait");
	run_token_found(p->run, &f, p->now_ms);
}

static void token_keep(struct play *p, const struct run_act *act)
{
	const struct run_token *t = act->token;

	secret_free(p->vault_access);
	p->vault_access = secret_copy(t->access);
	if (t->refresh) {
		secret_free(p->vault_refresh);
		p->vault_refresh = secret_copy(t->refresh);
	}
	p->vault_renew_ms = t->renew_in_ms ? p->now_ms + t->renew_in_ms : 0;
	p->vault_version++;
	buf_printf(&p->log, "+ token %d life %d%s\n", (int)p->vault_version, (int)t->life_ms,
	           t->refresh ? " rotated" : "");
	run_token_kept(p->run, p->vault_version);
}

void play_run(struct play *p)
{
	struct run_act act;

	run_begin(p);
	for (int i = 0; i < STEPS_MAX; i++) {
		switch (run_next(p->run, p->now_ms, &act)) {
		case RUN_SEND:
			send(p, &act);
			break;
		case RUN_PAGE:
			page_commit(p, act.page);
			break;
		case RUN_WAIT:
			wait(p, &act);
			break;
		case RUN_BUSY:
			fail_msg("busy without a request");
			break;
		case RUN_FIND:
			cache_find(p, &act);
			break;
		case RUN_TOKEN:
			token_find(p, &act);
			break;
		case RUN_KEEP:
			token_keep(p, &act);
			break;
		case RUN_END:
			log_end(p, &act.end);
			snprintf(p->cursor, sizeof p->cursor, STR_FMT, STR_ARG(run_cursor(p->run)));
			run_free(p->run);
			return;
		}
	}
	fail_msg("the run does not end:\n%.2000s", p->log.p);
}

void play_script(struct play *p, const struct scripted *script, size_t count)
{
	p->script = script;
	p->script_count = count;
	p->answer = script_answer;
	play_run(p);
}
