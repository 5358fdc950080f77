/*
 * commit_kept - answers that are used again: found for a run, written with the page that they made
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "lib/db/queries.h"
#include "runner/commit.h"
#include "lib/base/poison.h"

#define HEADERS_MAX 100

/* One block of memory: the answer, its headers, and all their texts. */
struct kept {
	struct run_cached cached; /* first */
	struct http_answer_header headers[HEADERS_MAX];
	char texts[];
};

static void kept_release(struct http_answer *answer)
{
	free(answer);
}

static char *put(char **at, struct str s)
{
	char *start = *at;

	if (s.len > 0)
		memcpy(start, s.p, s.len);
	start[s.len] = '\0';
	*at += s.len + 1;
	return start;
}

static void headers_fill(struct kept *k, const json_t *list, char **at)
{
	const json_t *pair;
	size_t i;

	json_array_foreach(list, i, pair)
	{
		struct http_answer_header *h = &k->headers[k->cached.answer.header_count];
		struct str name = str_of(json_string_value(json_array_get(pair, 0)));
		struct str value = str_of(json_string_value(json_array_get(pair, 1)));

		if (k->cached.answer.header_count == HEADERS_MAX)
			break;
		h->name = (struct str){ put(at, name), name.len };
		h->value = (struct str){ put(at, value), value.len };
		k->cached.answer.header_count++;
	}
}

static struct run_cached *kept_make(struct committer *c, const struct db_rows *rows)
{
	struct str etag = db_get(rows, 0, 1), modified = db_get(rows, 0, 2),
		   headers = db_get(rows, 0, 3), body = db_get_bytes(rows, 0, 4);
	json_t *list = NULL;
	struct err e = { 0 };
	struct kept *k;
	char *at;

	if (!json_read(c->arena, headers, &list, &e))
		return NULL;
	k = calloc(1, sizeof(*k) + etag.len + modified.len + headers.len + body.len + 8);
	if (!k)
		return NULL;
	at = k->texts;
	k->cached.fresh = db_get_bool(rows, 0, 0);
	k->cached.etag = put(&at, etag);
	k->cached.modified = put(&at, modified);
	k->cached.answer.status = 200;
	k->cached.answer.headers = k->headers;
	k->cached.answer.detail = "";
	k->cached.answer.body = (struct str){ put(&at, body), body.len };
	k->cached.release = kept_release;
	headers_fill(k, list, &at);
	return &k->cached;
}

bool commit_kept_find(struct committer *c, struct job *job, struct err *e)
{
	struct db_rows *rows;

	job->kept = NULL;
	commit_enter(c, &job->claim);
	db_queue_rows(c->db, Q_SERVICE_ANSWER_FIND,
	              DB_ARGS(db_uuid(&job->token.owner), db_text(job->kept_key)), c->arena, &rows);
	if (!db_commit(c->db, e))
		return false;
	if (db_count(rows) > 0)
		job->kept = kept_make(c, rows);
	return true;
}

void commit_kept_queue(struct committer *c, const struct job *job, const struct run_page *page)
{
	const struct run_cache_put *p = page->cache;
	const struct uuid *owner = &job->token.owner;

	if (!p)
		return;
	if (p->touch)
		db_queue(c->db, Q_SERVICE_ANSWER_RENEW,
		         DB_ARGS(db_uuid(owner), db_text(p->key), db_int(p->life_ms)));
	else
		db_queue(c->db, Q_SERVICE_ANSWER_KEEP,
		         DB_ARGS(db_uuid(owner), db_text(p->key), db_int(p->life_ms),
		                 db_str(p->etag.p ? p->etag : STR("")),
		                 db_str(p->modified.p ? p->modified : STR("")), db_str(p->headers),
		                 db_bytes(p->body)));
}
