/* Packed files: what comes out, and what is refused; then whole runs over packed bodies. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/unpack.h"
#include "tests/unit/engine_play.h"
#include "tests/upstream/pack.h"

#include "lib/base/poison.h"

#define MAX (1 << 20)

struct out {
	struct buf bytes;
	size_t files;
	struct err e;
	bool good;
};

static struct out unpacked(struct str body)
{
	struct out o = { .good = false };

	buf_init(&o.bytes, MAX);
	o.good = unpack(unpack_kind_of(body), body, &o.bytes, &o.files, &o.e);
	return o;
}

static void expect(struct str body, const char *text, size_t files)
{
	struct out o = unpacked(body);

	if (!o.good)
		fail_msg("%s: %s", text, o.e.msg);
	assert_true(str_eq_text(buf_view(&o.bytes), text));
	assert_int_equal(o.files, files);
	buf_free(&o.bytes);
}

static void refuse(struct str body, const char *slug)
{
	struct out o = unpacked(body);

	if (o.good || strcmp(o.e.slug, slug) != 0)
		fail_msg("%s, not %s: %s", o.good ? "good" : o.e.slug, slug, o.e.msg);
	buf_free(&o.bytes);
}

static struct buf gzip_of(const char *text)
{
	struct buf b;

	buf_init(&b, MAX);
	pack_gzip(str_of(text), &b);
	return b;
}

static void gzip_gives_its_bytes_and_those_of_further_members(void **state)
{
	struct buf two = gzip_of("one\n");

	(void)state;
	expect(buf_view(&two), "one\n", 1);
	pack_gzip(STR("two\n"), &two);
	expect(buf_view(&two), "one\ntwo\n", 1);
	buf_add(&two, "\0\0\0", 3);
	expect(buf_view(&two), "one\ntwo\n", 1);
	buf_free(&two);
	two = gzip_of("");
	expect(buf_view(&two), "", 1);
	buf_free(&two);
	expect(STR("plain"), "plain", 1);
}

static void a_zip_gives_its_files_one_behind_the_other(void **state)
{
	struct buf inner = gzip_of("two"), zip;
	const struct str files[] = { STR("one\n"), buf_view(&inner), STR("three") };

	(void)state;
	buf_init(&zip, MAX);
	pack_zip(files, 3, &zip);
	expect(buf_view(&zip), "one\ntwo\nthree", 3);
	buf_reset(&zip);
	pack_zip(files, 0, &zip);
	expect(buf_view(&zip), "", 0);
	buf_free(&zip);
	buf_free(&inner);
}

/* Whatever is cut off, nothing is taken for the whole. */
static void what_was_cut_is_never_good(void **state)
{
	const struct str file = STR("{\"id\":1}\n{\"id\":2}\n");
	struct buf gzip = gzip_of(file.p), zip;

	(void)state;
	buf_init(&zip, MAX);
	pack_zip(&file, 1, &zip);
	for (size_t n = 2; n < gzip.len; n++)
		refuse((struct str){ gzip.p, n }, "body_truncated");
	for (size_t n = 4; n < zip.len; n++)
		refuse((struct str){ zip.p, n }, "body_truncated");
	buf_free(&gzip);
	buf_free(&zip);
}

/* Each byte of a good file spoilt in turn: another result would be records that nobody sent. */
static void a_spoilt_byte_is_never_other_content(void **state)
{
	const struct str file = STR("{\"id\":1}\n{\"id\":2}\n");
	struct buf packed[2] = { gzip_of(file.p) };

	(void)state;
	buf_init(&packed[1], MAX);
	pack_zip(&file, 1, &packed[1]);
	for (size_t k = 0; k < 2; k++)
		for (size_t i = k == 0 ? 2 : 4; i < packed[k].len; i++) {
			struct out o;

			packed[k].p[i] ^= 1;
			o = unpacked(buf_view(&packed[k]));
			assert_true(!o.good || o.files == 0 || o.bytes.len == 0 ||
			            str_eq(buf_view(&o.bytes), file));
			buf_free(&o.bytes);
			packed[k].p[i] ^= 1;
		}
	buf_free(&packed[0]);
	buf_free(&packed[1]);
}

static void a_bomb_costs_the_buffer_and_no_more(void **state)
{
	char *spaces = malloc(2 * MAX);
	struct buf gzip, zip;
	struct str file;

	(void)state;
	memset(spaces, ' ', 2 * MAX);
	buf_init(&gzip, MAX);
	buf_init(&zip, MAX);
	pack_gzip((struct str){ spaces, 2 * MAX }, &gzip);
	refuse(buf_view(&gzip), "body_too_large");
	file = buf_view(&gzip);
	pack_zip(&file, 1, &zip);
	refuse(buf_view(&zip), "body_too_large");
	buf_free(&gzip);
	buf_free(&zip);
	free(spaces);
}

static void archives_of_other_kinds_are_refused_with_their_name(void **state)
{
	const struct str file = STR("{}");
	struct buf zip;
	struct out o;
	size_t entry;

	(void)state;
	buf_init(&zip, MAX);
	pack_zip(&file, 1, &zip);
	/* the directory's second entry: the first is the folder's, 46 bytes and its name */
	for (entry = 0; memcmp(zip.p + entry, "PK\1\2", 4) != 0; entry++)
		;
	entry += 46 + 2;
	zip.p[entry + 8] |= 1;
	o = unpacked(buf_view(&zip));
	assert_non_null(strstr(o.e.msg, "encrypted"));
	buf_free(&o.bytes);
	zip.p[entry + 8] = 0;
	zip.p[entry + 10] = 9;
	o = unpacked(buf_view(&zip));
	assert_non_null(strstr(o.e.msg, "neither stored nor deflated"));
	buf_free(&o.bytes);
	zip.p[entry + 10] = 8;
	memset(zip.p + entry + 24, 0xFF, 4);
	o = unpacked(buf_view(&zip));
	assert_non_null(strstr(o.e.msg, "ZIP64"));
	buf_free(&o.bytes);
	buf_free(&zip);
}

/*
 * Runs
 */

#define SOURCE                                                                                     \
	"{'name':'API','baseUrl':'https://api.example','configFields':[],'functions':["            \
	"{'id':'f','name':'items','path':'/a','parameters':[{'name':'page'}]%s}]}"
#define PIPELINE                                                                                   \
	"{'name':'p','functionId':'f','processingSteps':[{'name':'c','type':'api-call'},"          \
	"{'name':'p','type':'pagination','config':{'type':'page'}}]}"

enum packing { GZIP, ZIP_OF_GZIP, ZIP_OF_TWO, CUT_ONCE, PLAIN, SPOILT };

struct packed_row {
	const char *name, *function, *type;
	enum packing packing;
	const char *pages[3]; /* texts; NULL at the end */
	const char *transcript, *said;
};

/* clang-format off */
#define ENDS "> GET https://api.example/a?page=1\n= 1: 1 2\n> GET https://api.example/a?page=2\n= 2: 3\n" \
	"> GET https://api.example/a?page=3\n= 3:\n. success complete \"empty page\"\n"
#define LINES { "{\"id\":1}\n{\"id\":2}", "{\"id\":3}", "" }
#define LISTS { "[{\"id\":1},{\"id\":2}]", "[{\"id\":3}]", "[]" }

static const struct packed_row packed_rows[] = {
	{ "gzip files of JSON", ",'bodyPacking':'gzip'", NULL, GZIP, LISTS, ENDS, NULL },
	{ "gzip files by their type", "", "Content-Type: application/gzip", GZIP, LISTS, ENDS, NULL },
	{ "what the transport has unpacked already", ",'bodyPacking':'gzip'", NULL, PLAIN, LISTS, ENDS, NULL },
	{ "NDJSON in gzip in a zip", ",'bodyPacking':'zip','bodyFormat':'ndjson'", NULL, ZIP_OF_GZIP, LINES, ENDS, NULL },
	{ "NDJSON in two files", ",'bodyPacking':'zip','bodyFormat':'ndjson'", NULL, ZIP_OF_TWO, LINES,
	  "> GET https://api.example/a?page=1\n= 1: 1 2 1 2\n> GET https://api.example/a?page=2\n= 2: 3 3\n"
	  "> GET https://api.example/a?page=3\n= 3:\n. success complete \"empty page\"\n", NULL },
	{ "CSV", ",'bodyPacking':'gzip','bodyFormat':'csv'", NULL, GZIP, { "id\n1\n2\n", "id\n3\n", "id\n" }, ENDS, NULL },
	{ "a body that was cut is asked for again", ",'bodyPacking':'gzip'", NULL, CUT_ONCE, LISTS, NULL, "" },
	{ "JSON in two files", ",'bodyPacking':'zip'", NULL, ZIP_OF_TWO, LISTS,
	  "> GET https://api.example/a?page=1\n. failed bad_body\n", "The archive holds 2 files" },
	{ "a file that is spoilt", ",'bodyPacking':'gzip'", NULL, SPOILT, LISTS,
	  "> GET https://api.example/a?page=1\n. failed bad_body\n", "packed body cannot be read" },
	{ "packed bytes where nobody expects them", "", NULL, GZIP, LISTS,
	  "> GET https://api.example/a?page=1\n. failed bad_body\n", "It begins:" },
};
/* clang-format on */

static void pack_page(enum packing packing, struct str text, size_t n, struct buf *out)
{
	struct buf gzip;
	struct str files[2];

	buf_init(&gzip, MAX);
	pack_gzip(text, &gzip);
	files[0] = files[1] = packing == ZIP_OF_GZIP ? buf_view(&gzip) : text;
	if (packing == PLAIN)
		buf_str(out, text);
	else if (packing == ZIP_OF_GZIP || packing == ZIP_OF_TWO)
		pack_zip(files, packing == ZIP_OF_TWO ? 2 : 1, out);
	else
		buf_str(out, (struct str){ gzip.p, gzip.len - (packing == CUT_ONCE && n == 0) });
	if (packing == SPOILT)
		out->p[out->len - 5] ^= 1;
	buf_free(&gzip);
}

/* The n-th request; with CUT_ONCE the second asks for the first page again. */
static void packed_answer(struct play *p, const struct http_request *request, size_t n)
{
	const struct packed_row *r = p->arg;
	size_t page = r->packing == CUT_ONCE && n > 0 ? n - 1 : n;
	struct buf b;

	(void)request;
	buf_init(&b, MAX);
	pack_page(r->packing, str_of(r->pages[page]), n, &b);
	play_answer(p, (struct scripted){ 200, "", r->type, HTTP_FAULT_NONE });
	free((char *)p->next->body.p);
	p->next->body.p = malloc(b.len ? b.len : 1);
	p->next->body.len = b.len;
	if (b.len)
		memcpy((char *)p->next->body.p, b.p, b.len);
	buf_free(&b);
}

static void packed_bodies_are_read_as_their_transcripts_say_also_when_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(packed_rows); i++)
		for (size_t cut = 0; cut < 2; cut++) {
			const struct packed_row *r = &packed_rows[i];
			char source[1000];
			struct play *p;

			snprintf(source, sizeof source, SOURCE, r->function);
			p = play_new(source, PIPELINE);
			p->arg = (void *)r;
			p->answer = packed_answer;
			p->cut_after = cut;
			play_run(p);
			if ((r->transcript && strcmp(p->log.p, r->transcript) != 0) ||
			    (r->said && (*r->said ? !strstr(p->message, r->said) : *p->message)))
				fail_msg("%s:\n%s\nexpected:\n%s\n%s", r->name, p->log.p,
				         r->transcript ? r->transcript : r->said, p->message);
			play_free(p);
		}
}

/* Packing hides a secret from whoever searches for it, and from nobody else. */
static void a_packed_body_with_a_live_secret_is_not_kept(void **state)
{
	static const struct packed_row secret = { .packing = GZIP,
		                                  .type = "Content-Type: application/gzip",
		                                  .pages = { "[{\"k\":\"s3cr3t-t0ken\"}]" } },
				       other = { .packing = GZIP,
		                                 .type = "Content-Type: application/gzip",
		                                 .pages = { "[{\"k\":\"other\"}]" } };
	const struct packed_row *const rows[] = { &secret, &other };

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct play *p = play_new(
			"{'name':'API','baseUrl':'https://api.example','configFields':[{'name':"
			"'token','type':'Password'}],'cacheConfig':{'ttlSeconds':60},'functions':["
			"{'id':'f','name':'items','path':'/a'}]}",
			"{'name':'p','functionId':'f'}");

		p->arg = (void *)rows[i];
		p->answer = packed_answer;
		p->options.caches = true;
		play_run(p);
		assert_string_equal(p->code, "");
		assert_int_equal(p->kept_count, i);
		play_free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("gzip gives its bytes and those of further members",
		     gzip_gives_its_bytes_and_those_of_further_members),
		TEST("a zip gives its files one behind the other",
		     a_zip_gives_its_files_one_behind_the_other),
		TEST("what was cut is never good", what_was_cut_is_never_good),
		TEST("a spoilt byte is never other content", a_spoilt_byte_is_never_other_content),
		TEST("a bomb costs the buffer and no more", a_bomb_costs_the_buffer_and_no_more),
		TEST("archives of other kinds are refused with their name",
		     archives_of_other_kinds_are_refused_with_their_name),
		TEST("packed bodies are read as their transcripts say, also when cut",
		     packed_bodies_are_read_as_their_transcripts_say_also_when_cut),
		TEST("a packed body with a live secret is not kept",
		     a_packed_body_with_a_live_secret_is_not_kept),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
