/* bare_page - see bare_page.h */
#include "config.h"

#include <curl/curl.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/bare_page.h"
#include "lib/base/poison.h"

#define ADDRESS_MAX 300
#define BUFFER      (256 * 1024)

struct source {
	CURL *curl;
	EVP_MD *sha256;
	EVP_MD_CTX *hasher;
	const char *address;
	long limit;
	char *body;
	size_t len, room;
	struct bare_record *records;
};

void bare_die(const char *what, const char *detail)
{
	fprintf(stderr, "bare: %s: %s\n", what, detail);
	exit(1);
}

static size_t body_take(char *bytes, size_t one, size_t n, void *arg)
{
	struct source *s = arg;

	if (s->len + n > s->room) {
		s->room = (s->len + n) * 2;
		s->body = realloc(s->body, s->room);
		if (!s->body)
			bare_die("memory", "none");
	}
	memcpy(s->body + s->len, bytes, n);
	s->len += n;
	return one * n;
}

struct source *source_new(const char *address, long limit)
{
	struct source *s = calloc(1, sizeof(*s));

	if (!s || !(s->records = calloc((size_t)limit, sizeof(*s->records))) ||
	    !(s->curl = curl_easy_init()))
		bare_die("memory", "none");
	s->address = address;
	s->limit = limit;
	s->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	s->hasher = EVP_MD_CTX_new();
	curl_easy_setopt(s->curl, CURLOPT_WRITEFUNCTION, body_take);
	curl_easy_setopt(s->curl, CURLOPT_WRITEDATA, s);
	curl_easy_setopt(s->curl, CURLOPT_BUFFERSIZE, (long)BUFFER);
	curl_easy_setopt(s->curl, CURLOPT_FAILONERROR, 1L);
	return s;
}

void source_free(struct source *s)
{
	curl_easy_cleanup(s->curl);
	EVP_MD_CTX_free(s->hasher);
	EVP_MD_free(s->sha256);
	free(s->records);
	free(s->body);
	free(s);
}

static void fetch(struct source *s, long from)
{
	char address[ADDRESS_MAX];
	CURLcode code;

	snprintf(address, sizeof(address), "%s/products?limit=%ld&cursor=%ld", s->address, s->limit,
	         from);
	curl_easy_setopt(s->curl, CURLOPT_URL, address);
	s->len = 0;
	code = curl_easy_perform(s->curl);
	if (code != CURLE_OK)
		bare_die(address, curl_easy_strerror(code));
}

/* ---- the bytes ---- */

static size_t sequence_len(const unsigned char *p, size_t left)
{
	size_t n = *p < 0x80   ? 1
	           : *p < 0xC2 ? 0
	           : *p < 0xE0 ? 2
	           : *p < 0xF0 ? 3
	           : *p < 0xF5 ? 4
	                       : 0;

	if (n == 0 || n > left)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xC0) != 0x80)
			return 0;
	if ((p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F) ||
	    (p[0] == 0xF0 && p[1] < 0x90) || (p[0] == 0xF4 && p[1] > 0x8F))
		return 0;
	return n;
}

static bool is_utf8(const char *bytes, size_t len)
{
	const unsigned char *p = (const unsigned char *)bytes, *end = p + len;

	while (p < end) {
		uint64_t eight;
		size_t n;

		if (end - p >= 8) {
			memcpy(&eight, p, 8);
			if (!(eight & UINT64_C(0x8080808080808080))) {
				p += 8;
				continue;
			}
		}
		n = sequence_len(p, (size_t)(end - p));
		if (n == 0)
			return false;
		p += n;
	}
	return true;
}

/* Behind the closing quote of a string whose opening one is at p. */
static const char *string_skip(const char *p, const char *end)
{
	for (p++; p < end; p++) {
		const char *quote = memchr(p, '"', (size_t)(end - p)), *back = quote;

		if (!quote)
			break;
		while (back > p && back[-1] == '\\')
			back--;
		if ((quote - back) % 2 == 0)
			return quote + 1;
		p = quote;
	}
	bare_die("page", "a string has no end");
}

/* Behind the object at p. */
static const char *object_skip(const char *p, const char *end)
{
	int depth = 0;

	while (p < end) {
		char c = *p;

		if (c == '"') {
			p = string_skip(p, end);
			continue;
		}
		if (c == '{' || c == '[')
			depth++;
		if (c == '}' || c == ']')
			depth--;
		p++;
		if (depth == 0)
			return p;
	}
	bare_die("page", "an object has no end");
}

static void hash(struct source *s, const void *bytes, size_t len, unsigned char out[BARE_HASH])
{
	if (EVP_DigestInit_ex2(s->hasher, s->sha256, NULL) != 1 ||
	    EVP_DigestUpdate(s->hasher, bytes, len) != 1 ||
	    EVP_DigestFinal_ex(s->hasher, out, NULL) != 1)
		bare_die("hash", "refused");
}

static void record_make(struct source *s, struct bare_record *r)
{
	static const char first[] = "{\"id\":";
	unsigned char key[BARE_HASH];
	uint64_t prefix = 0;

	if (memcmp(r->bytes, first, sizeof(first) - 1) != 0)
		bare_die("page", "a record does not begin with its id");
	r->key = r->bytes + sizeof(first) - 1;
	r->key_len = strcspn(r->key, ",");
	hash(s, r->key, r->key_len, key);
	for (int i = 0; i < 8; i++)
		prefix = prefix << 8 | key[i];
	r->key_hash = (int64_t)prefix;
	hash(s, r->bytes, r->len, r->hash);
}

size_t source_page(struct source *s, long from, const struct bare_record **records)
{
	const char *p, *end;
	size_t n = 0;

	fetch(s, from);
	if (!is_utf8(s->body, s->len))
		bare_die("page", "it is not UTF-8");
	end = s->body + s->len;
	p = memchr(s->body, '[', s->len);
	if (!p)
		bare_die("page", "it has no array");
	for (p++; p < end && *p == '{'; n++) {
		const char *begin = p;

		if (n == (size_t)s->limit)
			bare_die("page", "it is longer than asked for");
		p = object_skip(p, end);
		s->records[n] = (struct bare_record){ .bytes = begin, .len = (size_t)(p - begin) };
		record_make(s, &s->records[n]);
		if (p < end && *p == ',')
			p++;
	}
	*records = s->records;
	return n;
}
