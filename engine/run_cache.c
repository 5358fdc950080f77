/*
 * run_cache - GET answers that are used again: looked for before asking, asked about when they are old,
 * offered with the page that they made (RFC 9111)
 *
 * The driver keeps them, for one installation and its config alone. The key names the request without what
 * shows who asks: a token changes, the config it stands for does not.
 */
#include "config.h"

#include "engine/run_parts.h"
#include "engine/weave.h"

#include "lib/base/poison.h"

#define CACHED_BODY_MAX    (1024 * 1024)
#define CACHED_HEADERS_MAX (16 * 1024)

bool run_cache_due(const struct run *r)
{
	return r->caches && r->plan->cache_ms > 0 && !r->cache.looked &&
	       run_request_plan(r)->method == HTTP_GET &&
	       run_request_plan(r)->replay == REPLAY_SAFE;
}

static void hash_put(struct buf *b, struct arena *a, struct http_text text)
{
	unsigned char sum[CRYPT_DIGEST_MAX];
	size_t n = weave_digest(CRYPT_DIGEST_SHA256, text.wire, sum);
	struct str hex = crypt_hex(a, (struct str){ (char *)sum, n });

	buf_str(b, hex);
}

bool run_cache_key(struct run *r)
{
	struct str hex;
	struct buf b;

	buf_init(&b, 64 * 1024);
	buf_text(&b, r->plan->hash);
	hash_put(&b, r->asking, r->request.url);
	for (size_t i = 0; i < r->request.header_count; i++) {
		buf_text(&b, r->request.headers[i].name);
		hash_put(&b, r->asking, r->request.headers[i].value);
	}
	if (r->request.body.wire) /* a GET may have one, with the page in it */
		hash_put(&b, r->asking, r->request.body);
	hex = b.failed ? (struct str){ NULL, 0 }
	               : crypt_sha256_hex(r->asking, buf_view(&b), CRYPT_SHA256);
	buf_free(&b);
	/* A hash that found no memory is missing from the key: another request's would be the same. */
	if (hex.len != sizeof r->cache.key - 1 || arena_failed(r->asking))
		return false;
	memcpy(r->cache.key, hex.p, sizeof r->cache.key);
	return true;
}

static void entry_drop(struct run *r)
{
	if (r->cache.entry)
		r->cache.entry->release(&r->cache.entry->answer);
	r->cache.entry = NULL;
}

void run_cache_free(struct run *r)
{
	entry_drop(r);
}

/* The next page looks anew. */
void run_cache_done(struct run *r)
{
	entry_drop(r);
	r->cache.looked = false;
}

static bool serve(struct run *r, struct run_cached *entry, int64_t now_ms)
{
	r->cache.entry = NULL;
	r->cache.looked = false; /* it is kept already */
	if (!run_answer_good(r, &entry->answer, now_ms)) {
		entry->release(&entry->answer);
		return false;
	}
	r->answer = &entry->answer;
	r->release = entry->release;
	return true;
}

void run_cache_found(struct run *r, struct run_cached *entry, int64_t now_ms)
{
	if (r->phase != PHASE_FIND) {
		if (entry)
			entry->release(&entry->answer);
		return;
	}
	r->phase = PHASE_ASK;
	r->cache.looked = true;
	r->cache.entry = entry;
	if (!entry || !entry->fresh)
		return;
	r->request_id++;
	r->cache.serving = true;
	run_note_request(r, now_ms);
	run_note_response(r, &entry->answer, now_ms);
	r->cache.serving = false;
	serve(r, entry, now_ms);
}

static bool has_word(struct str text, const char *word)
{
	struct str one;

	while (text.len > 0) {
		if (!str_cut(text, ',', &one, &text)) {
			one = text;
			text.len = 0;
		}
		if (str_eq_nocase(str_trim(one), word))
			return true;
	}
	return false;
}

static bool asks_each_time(const struct http_answer *answer)
{
	return has_word(http_answer_header(answer, "Cache-Control"), "no-cache");
}

/* 304: what is kept is still so (section 4.3.3). */
bool run_cache_confirmed(struct run *r, const struct http_answer *answer, int64_t now_ms)
{
	struct run_cached *entry = r->cache.entry;
	int64_t life_ms = r->plan->cache_ms;

	if (!entry || answer->fault != HTTP_FAULT_NONE || answer->status != 304)
		return false;
	if (asks_each_time(answer) || asks_each_time(&entry->answer))
		life_ms = 0;
	if (serve(r, entry, now_ms)) {
		r->cache.put = (struct run_cache_put){ .key = r->cache.key,
			                               .touch = true,
			                               .life_ms = life_ms };
		r->page.cache = &r->cache.put;
	}
	return true;
}

/* A session's cookie is one client's; no-store and Vary: * say no themselves (sections 3 and 4.1). What is
 * no text would come back as another header than it was. */
static bool may_be_kept(const struct http_answer *answer)
{
	for (size_t i = 0; i < answer->header_count; i++) {
		const struct http_answer_header *h = &answer->headers[i];

		if (str_eq_nocase(h->name, "Set-Cookie") || !str_utf8_valid(h->value) ||
		    (str_eq_nocase(h->name, "Cache-Control") && has_word(h->value, "no-store")) ||
		    (str_eq_nocase(h->name, "Vary") && has_word(h->value, "*")))
			return false;
	}
	return answer->status == 200 && answer->body.len <= CACHED_BODY_MAX;
}

/* [["Link","<...>"],...]: what paging may read. */
static struct str headers_write(struct run *r, const struct http_answer *answer)
{
	struct str out = { NULL, 0 };
	struct buf b;

	buf_init(&b, CACHED_HEADERS_MAX);
	buf_char(&b, '[');
	for (size_t i = 0; i < answer->header_count; i++) {
		buf_text(&b, i ? ",[" : "[");
		buf_json_string(&b, answer->headers[i].name);
		buf_char(&b, ',');
		buf_json_string(&b, answer->headers[i].value);
		buf_char(&b, ']');
	}
	buf_char(&b, ']');
	if (!b.failed)
		out = arena_copy(r->paging, buf_view(&b));
	buf_free(&b);
	return out;
}

/* What holds a live secret is not kept in the clear. */
static bool is_clean(struct run *r, struct str text)
{
	return run_redact(r, r->paging, text).p == text.p;
}

void run_cache_offer(struct run *r, const struct http_answer *answer)
{
	struct str headers;

	if (!r->cache.looked || !may_be_kept(answer))
		return;
	headers = headers_write(r, answer);
	if (!headers.p || !is_clean(r, headers) || !is_clean(r, answer->body) ||
	    !is_clean(r, buf_view(&r->unpacked)))
		return;
	r->cache.put = (struct run_cache_put){
		.key = r->cache.key,
		.life_ms = asks_each_time(answer) ? 0 : r->plan->cache_ms,
		.etag = http_answer_header(answer, "ETag"),
		.modified = http_answer_header(answer, "Last-Modified"),
		.headers = headers,
		.body = answer->body,
	};
	r->page.cache = &r->cache.put;
}
