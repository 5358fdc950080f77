/* Paginators: scripted answers and the transcripts they must give; then every cut of every run. */
#include "config.h"

#include <stdio.h>

#include "engine/link.h"
#include "tests/unit/engine_play.h"

#include "lib/base/poison.h"

#define SOURCE                                                                                     \
	"{'name':'API','baseUrl':'https://api.example/v1',"                                        \
	"'configFields':[{'name':'token','type':'Password'}],"                                     \
	"'functions':[{'id':'items','name':'items','path':'/items','recordsPath':'items',"         \
	"'parameters':[{'name':'limit','type':'number'},{'name':'cursor'},{'name':'status'},"      \
	"{'name':'page','type':'integer'},{'name':'offset','type':'integer'},"                     \
	"{'name':'since'}]}]}"
#define PIPELINE(params, paging)                                                                   \
	"{'name':'p','functionId':'items','staticParameters':" params ",'processingSteps':["       \
	"{'name':'call','type':'api-call'},"                                                       \
	"{'name':'paging','type':'pagination','config':" paging "}]}"
#define ITEMS "https://api.example/v1/items"

/* clang-format off */
#define PAGE(text) { 200, text, NULL, HTTP_FAULT_NONE }
#define LINKED(text, header) { 200, text, header, HTTP_FAULT_NONE }
/* clang-format on */

struct row {
	const char *name, *params, *paging;
	struct scripted answers[8];
	size_t count;
	const char *transcript;
};

/* clang-format off */
static const struct row rows[] = {
	{ "none is one request", "{'limit':5}", "{'type':'none'}",
	  { PAGE("{'items':[{'id':1}],'cursor':'more'}") }, 1,
	  "> GET " ITEMS "?limit=5\n= 1: 1\n. success complete \"single page\"\n" },
	{ "a cursor in the body's member of the parameter's name", "{}",
	  "{'type':'cursor','cursorParam':'cursor'}",
	  { PAGE("{'items':[{'id':1}],'cursor':'a b&c'}"),
	    PAGE("{'items':[{'id':2}],'cursor':null}") }, 2,
	  "> GET " ITEMS "\n= 1: 1\n> GET " ITEMS "?cursor=a%20b%26c\n= 2: 2\n"
	  ". success complete \"no next cursor\"\n" },
	{ "a cursor in the Link header's URL goes before the body", "{'limit':2}",
	  "{'type':'cursor','cursorParam':'cursor'}",
	  { LINKED("{'items':[{'id':1}],'cursor':'body'}",
	         "Link: <https://api.example/v1/items?cursor=x%2By&limit=2>; rel=\"next\""),
	    LINKED("{'items':[{'id':2}]}",
	           "Link: <https://api.example/v1/items?cursor=b>; rel=\"previous\"") }, 2,
	  "> GET " ITEMS "?limit=2\n= 1: 1\n> GET " ITEMS "?limit=2&cursor=x%2By\n= 2: 2\n"
	  ". success complete \"no next cursor\"\n" },
	{ "a cursor at a path that is named goes before the Link header", "{}",
	  "{'type':'cursor','cursorParam':'cursor','cursorPath':'next'}",
	  { LINKED("{'items':[{'id':1}],'next':'body'}",
	           "Link: <https://api.example/v1/items?cursor=header>; rel=\"next\""),
	    LINKED("{'items':[{'id':2}]}",
	           "Link: <https://api.example/v1/items?cursor=header>; rel=\"next\"") }, 2,
	  "> GET " ITEMS "\n= 1: 1\n> GET " ITEMS "?cursor=body\n= 2: 2\n"
	  ". success complete \"no next cursor\"\n" },
	{ "a cursor at a path, a number", "{}",
	  "{'type':'cursor','cursorParam':'cursor','cursorPath':'meta.next'}",
	  { PAGE("{'items':[{'id':1}],'meta':{'next':9007199254740993}}"),
	    PAGE("{'items':[{'id':2}],'meta':{}}") }, 2,
	  "> GET " ITEMS "\n= 1: 1\n> GET " ITEMS "?cursor=9007199254740993\n= 2: 2\n"
	  ". success complete \"no next cursor\"\n" },
	{ "a cursor in a header", "{}",
	  "{'type':'cursor','cursorParam':'cursor','cursorHeader':'X-Next'}",
	  { LINKED("{'items':[{'id':1}]}", "x-next: n1"), PAGE("{'items':[{'id':2}]}") }, 2,
	  "> GET " ITEMS "\n= 1: 1\n> GET " ITEMS "?cursor=n1\n= 2: 2\n"
	  ". success complete \"no next cursor\"\n" },
	{ "a cursor of the last record, with has_more", "{}",
	  "{'type':'cursor','cursorParam':'cursor','cursorPath':'lastRecord.id','hasMorePath':'more'}",
	  { PAGE("{'items':[{'id':'a'},{'id':'b'}],'more':true}"),
	    PAGE("{'items':[{'id':'c'}],'more':false}") }, 2,
	  "> GET " ITEMS "\n= 1: a b\n> GET " ITEMS "?cursor=b\n= 2: c\n"
	  ". success complete \"the answer says that there is no more\"\n" },
	{ "a cursor of the last record ends on an empty page", "{}",
	  "{'type':'cursor','cursorParam':'cursor','cursorPath':'lastRecord.id'}",
	  { PAGE("{'items':[{'id':'a'}]}"), PAGE("{'items':[]}") }, 2,
	  "> GET " ITEMS "\n= 1: a\n> GET " ITEMS "?cursor=a\n= 2:\n"
	  ". success complete \"empty page\"\n" },
	{ "more promised without a cursor is no silent end", "{}",
	  "{'type':'cursor','cursorParam':'cursor','hasMorePath':'more'}",
	  { PAGE("{'items':[{'id':1}],'more':true}") }, 1,
	  "> GET " ITEMS "\n. failed cursor_missing\n" },
	{ "parameters of the first page only", "{'status':'any','limit':1}",
	  "{'type':'cursor','cursorParam':'cursor','firstPageOnlyParams':['status']}",
	  { PAGE("{'items':[{'id':1}],'cursor':'x'}"), PAGE("{'items':[{'id':2}]}") }, 2,
	  "> GET " ITEMS "?limit=1&status=any\n= 1: 1\n> GET " ITEMS "?limit=1&cursor=x\n= 2: 2\n"
	  ". success complete \"no next cursor\"\n" },
	{ "the same cursor again is a loop", "{}", "{'type':'cursor','cursorParam':'cursor'}",
	  { PAGE("{'items':[{'id':1}],'cursor':'x'}"), PAGE("{'items':[{'id':2}],'cursor':'x'}") }, 2,
	  "> GET " ITEMS "\n= 1: 1\n> GET " ITEMS "?cursor=x\n. failed cursor_loop\n" },
	{ "a cycle of cursors is a loop", "{}", "{'type':'cursor','cursorParam':'cursor'}",
	  { PAGE("{'items':[{'id':1}],'cursor':'a'}"), PAGE("{'items':[{'id':2}],'cursor':'b'}"),
	    PAGE("{'items':[{'id':3}],'cursor':'a'}") }, 3,
	  "> GET " ITEMS "\n= 1: 1\n> GET " ITEMS "?cursor=a\n= 2: 2\n> GET " ITEMS "?cursor=b\n"
	  ". failed cursor_loop\n" },
	{ "three empty pages that promise more are a loop", "{}",
	  "{'type':'cursor','cursorParam':'cursor'}",
	  { PAGE("{'items':[],'cursor':'a'}"), PAGE("{'items':[],'cursor':'b'}"),
	    PAGE("{'items':[],'cursor':'c'}") }, 3,
	  "> GET " ITEMS "\n= 1:\n> GET " ITEMS "?cursor=a\n= 2:\n> GET " ITEMS "?cursor=b\n"
	  ". failed cursor_loop\n" },
	{ "links, absolute, by path and by query", "{'limit':2}", "{'type':'link'}",
	  { LINKED("{'items':[{'id':1}]}", "Link: <https://API.example:443/v1/items?p=2>; rel=next"),
	    LINKED("{'items':[{'id':2}]}", "Link: </v1/items?p=3>; rel=\"next\""),
	    LINKED("{'items':[{'id':3}]}", "Link: <?p=4>; rel=\"next\", <?p=1>; rel=\"first\""),
	    LINKED("{'items':[{'id':4}]}", "Link: <?p=1>; rel=\"first\"") }, 4,
	  "> GET " ITEMS "?limit=2\n= 1: 1\n> GET https://API.example:443/v1/items?p=2\n= 2: 2\n"
	  "> GET https://API.example:443/v1/items?p=3\n= 3: 3\n"
	  "> GET https://API.example:443/v1/items?p=4\n= 4: 4\n"
	  ". success complete \"no next link\"\n" },
	{ "a link in the body", "{}", "{'type':'link','urlPath':'next'}",
	  { PAGE("{'items':[{'id':1}],'next':'items?p=2'}"),
	    PAGE("{'items':[{'id':2}],'next':''}") }, 2,
	  "> GET " ITEMS "\n= 1: 1\n> GET " ITEMS "?p=2\n= 2: 2\n"
	  ". success complete \"no next link\"\n" },
	{ "a link to another host is refused", "{}", "{'type':'link'}",
	  { LINKED("{'items':[{'id':1}]}", "Link: <https://evil.example/v1/items?p=2>; rel=next") }, 1,
	  "> GET " ITEMS "\n. failed next_link_refused\n" },
	{ "a link to another scheme is refused", "{}", "{'type':'link'}",
	  { LINKED("{'items':[{'id':1}]}", "Link: <http://api.example/v1/items?p=2>; rel=next") }, 1,
	  "> GET " ITEMS "\n. failed next_link_refused\n" },
	{ "a link to another port by two slashes is refused", "{}", "{'type':'link'}",
	  { LINKED("{'items':[{'id':1}]}", "Link: <//api.example:8443/v1/items>; rel=next") }, 1,
	  "> GET " ITEMS "\n. failed next_link_refused\n" },
	{ "a link with a user is refused", "{}", "{'type':'link'}",
	  { LINKED("{'items':[{'id':1}]}", "Link: <https://api.example@evil.example/>; rel=next") }, 1,
	  "> GET " ITEMS "\n. failed next_link_refused\n" },
	{ "a link to an allowed origin is followed", "{}",
	  "{'type':'link','allowedOrigins':['https://eu.example']}",
	  { LINKED("{'items':[{'id':1}]}", "Link: <https://eu.example/i?p=2>; rel=next"),
	    PAGE("{'items':[{'id':2}]}") }, 2,
	  "> GET " ITEMS "\n= 1: 1\n> GET https://eu.example/i?p=2\n= 2: 2\n"
	  ". success complete \"no next link\"\n" },
	{ "pages end on a short one", "{'limit':2}", "{'type':'page','sizeParam':'limit'}",
	  { PAGE("{'items':[{'id':1},{'id':2}]}"), PAGE("{'items':[{'id':3}]}") }, 2,
	  "> GET " ITEMS "?limit=2&page=1\n= 1: 1 2\n> GET " ITEMS "?limit=2&page=2\n= 2: 3\n"
	  ". success complete \"short page\"\n" },
	{ "a short first page may be a server that caps sizes, so it ends on an empty one",
	  "{'limit':100}", "{'type':'page','sizeParam':'limit'}",
	  { PAGE("{'items':[{'id':1},{'id':2}]}"), PAGE("{'items':[{'id':3},{'id':4}]}"),
	    PAGE("{'items':[{'id':5}]}"), PAGE("{'items':[]}") }, 4,
	  "> GET " ITEMS "?limit=100&page=1\n= 1: 1 2\n> GET " ITEMS "?limit=100&page=2\n= 2: 3 4\n"
	  "> GET " ITEMS "?limit=100&page=3\n= 3: 5\n> GET " ITEMS "?limit=100&page=4\n= 4:\n"
	  ". success complete \"empty page\"\n" },
	{ "a short first page that comes again is all there is", "{'limit':100}",
	  "{'type':'page','sizeParam':'limit'}",
	  { PAGE("{'items':[{'id':1},{'id':2}]}"), PAGE("{'items':[{'id':1},{'id':2}]}") }, 2,
	  "> GET " ITEMS "?limit=100&page=1\n= 1: 1 2\n> GET " ITEMS "?limit=100&page=2\n= 2: 1 2\n"
	  ". success complete \"the same short page again\"\n" },
	{ "offsets behind a server that caps sizes lose nothing", "{}",
	  "{'type':'offset','pageSize':100}",
	  { PAGE("{'items':[{'id':1},{'id':2}]}"), PAGE("{'items':[{'id':3}]}"),
	    PAGE("{'items':[]}") }, 3,
	  "> GET " ITEMS "?limit=100&offset=0\n= 1: 1 2\n> GET " ITEMS "?limit=100&offset=2\n= 2: 3\n"
	  "> GET " ITEMS "?limit=100&offset=3\n= 3:\n. success complete \"empty page\"\n" },
	{ "pages end on an empty one, and may begin at 0", "{}", "{'type':'page','firstPage':0}",
	  { PAGE("{'items':[{'id':1},{'id':2}]}"), PAGE("{'items':[]}") }, 2,
	  "> GET " ITEMS "?page=0\n= 1: 1 2\n> GET " ITEMS "?page=1\n= 2:\n"
	  ". success complete \"empty page\"\n" },
	{ "pages end at the total of pages, though they are short", "{}",
	  "{'type':'page','sizeParam':'limit','pageSize':50,'totalPagesPath':'pages'}",
	  { PAGE("{'items':[{'id':1}],'pages':2}"), PAGE("{'items':[{'id':2}],'pages':2}") }, 2,
	  "> GET " ITEMS "?limit=50&page=1\n= 1: 1\n> GET " ITEMS "?limit=50&page=2\n= 2: 2\n"
	  ". success complete \"total reached\"\n" },
	{ "the same page three times is a loop", "{}", "{'type':'page'}",
	  { PAGE("{'items':[{'id':1}]}"), PAGE("{'items':[{'id':1}]}"),
	    PAGE("{'items':[{'id':1}]}") }, 3,
	  "> GET " ITEMS "?page=1\n= 1: 1\n> GET " ITEMS "?page=2\n= 2: 1\n> GET " ITEMS "?page=3\n"
	  ". failed cursor_loop\n" },
	{ "empty pages that say has_more", "{}", "{'type':'page','hasMorePath':'more'}",
	  { PAGE("{'items':[],'more':true}"), PAGE("{'items':[],'more':true}"),
	    PAGE("{'items':[],'more':true}") }, 3,
	  "> GET " ITEMS "?page=1\n= 1:\n> GET " ITEMS "?page=2\n= 2:\n> GET " ITEMS "?page=3\n"
	  ". failed cursor_loop\n" },
	{ "offsets go on by what came, until a short page", "{}",
	  "{'type':'offset','pageSize':2}",
	  { PAGE("{'items':[{'id':1},{'id':2}]}"), PAGE("{'items':[{'id':3}]}") }, 2,
	  "> GET " ITEMS "?limit=2&offset=0\n= 1: 1 2\n> GET " ITEMS "?limit=2&offset=2\n= 2: 3\n"
	  ". success complete \"short page\"\n" },
	{ "offsets with a total survive a server that caps the page", "{'limit':100}",
	  "{'type':'offset','totalPath':'total'}",
	  { PAGE("{'items':[{'id':1},{'id':2}],'total':3}"),
	    PAGE("{'items':[{'id':3}],'total':3}") }, 2,
	  "> GET " ITEMS "?limit=100&offset=0\n= 1: 1 2\n> GET " ITEMS "?limit=100&offset=2\n= 2: 3\n"
	  ". success complete \"total reached\"\n" },
	{ "an empty page before the total is no complete end", "{}",
	  "{'type':'offset','totalPath':'total'}",
	  { PAGE("{'items':[{'id':1},{'id':2}],'total':5}"), PAGE("{'items':[],'total':5}") }, 2,
	  "> GET " ITEMS "?offset=0\n= 1: 1 2\n> GET " ITEMS "?offset=2\n= 2:\n"
	  ". success \"empty page before the total\"\n" },
	{ "maxPages is an end, but not a complete one", "{}",
	  "{'type':'cursor','cursorParam':'cursor','maxPages':1}",
	  { PAGE("{'items':[{'id':1}],'cursor':'x'}") }, 1,
	  "> GET " ITEMS "\n= 1: 1\n. success \"maxPages reached\"\n" },
	{ "maxPages that meets the end is complete", "{}",
	  "{'type':'cursor','cursorParam':'cursor','maxPages':1}",
	  { PAGE("{'items':[{'id':1}]}") }, 1,
	  "> GET " ITEMS "\n= 1: 1\n. success complete \"no next cursor\"\n" },
	{ "no content is an empty page", "{}", "{'type':'page'}", { { 204, "", NULL, 0 } }, 1,
	  "> GET " ITEMS "?page=1\n= 1:\n. success complete \"empty page\"\n" },
	{ "a cursor that holds the secret is not stored", "{}",
	  "{'type':'cursor','cursorParam':'cursor'}",
	  { PAGE("{'items':[{'id':1}],'cursor':'s3cr3t-t0ken'}") }, 1,
	  "> GET " ITEMS "\n. failed next_link_refused\n" },
};
/* clang-format on */

static void paginators_ask_and_stop_as_their_transcripts_say(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		char pipeline[2000];
		struct play *p;

		snprintf(pipeline, sizeof pipeline, PIPELINE("%s", "%s"), rows[i].params,
		         rows[i].paging);
		p = play_new(SOURCE, pipeline);
		play_script(p, rows[i].answers, rows[i].count);
		if (strcmp(p->log.p, rows[i].transcript) != 0 || p->sent != rows[i].count)
			fail_msg("%s:\n%s\nexpected:\n%s\n%s", rows[i].name, p->log.p,
			         rows[i].transcript, p->message);
		play_free(p);
	}
}

/*
 * An upstream of many records, for runs that are cut
 */

#define RECORDS 23
#define SIZE    4

static int64_t asked(struct play *p, const struct http_request *q, const char *name, int64_t other)
{
	struct str value;
	int64_t n;

	if (link_param_find(p->a, secret_expose(q->url.wire), name, &value) &&
	    str_int(value, 0, 1000, &n))
		return n;
	return other;
}

static void items_write(struct buf *b, int64_t from)
{
	buf_text(b, "{\"items\":[");
	for (int64_t i = from; i < from + SIZE && i < RECORDS; i++)
		buf_printf(b, "%s{\"id\":%d,\"at\":\"2024-01-%02d\"}", i > from ? "," : "", (int)i,
		           (int)(i % 28) + 1);
	buf_char(b, ']');
}

/* Answers every paginator's way of asking at once. */
static void many_answer(struct play *p, const struct http_request *q, size_t n)
{
	int64_t page = asked(p, q, "page", -1), offset = asked(p, q, "offset", -1);
	int64_t from = asked(p, q, "cursor", 0);
	char link[200] = "";
	struct buf b;

	(void)n;
	if (page >= 0)
		from = (page - 1) * SIZE;
	if (offset >= 0)
		from = offset;
	buf_init(&b, 1 << 20);
	items_write(&b, from);
	if (from + SIZE < RECORDS) {
		buf_printf(&b, ",\"next\":%d", (int)from + SIZE);
		snprintf(link, sizeof link, "Link: <" ITEMS "?cursor=%d>; rel=\"next\"",
		         (int)from + SIZE);
	}
	buf_printf(&b, ",\"more\":%s}", from + SIZE < RECORDS ? "true" : "false");
	play_answer(p, (struct scripted){ 200, b.p, link, HTTP_FAULT_NONE });
	buf_free(&b);
}

static const char *const many_pagings[] = {
	"{'type':'none'}",
	"{'type':'cursor','cursorParam':'cursor'}",
	"{'type':'cursor','cursorParam':'cursor','cursorPath':'next'}",
	"{'type':'cursor','cursorParam':'cursor','cursorPath':'next','maxPages':3}",
	"{'type':'link'}",
	"{'type':'page'}",
	"{'type':'page','sizeParam':'limit','pageSize':4}",
	"{'type':'page','hasMorePath':'more'}",
	"{'type':'offset','pageSize':4}",
	"{'type':'offset'}",
};

static struct str many_play(struct arena *a, const char *paging, size_t cut_after)
{
	char pipeline[2000];
	struct play *p;
	struct str log;

	snprintf(pipeline, sizeof pipeline,
	         PIPELINE("{'since':'{cursor} {now}','status':'any'}", "%s"), paging);
	p = play_new(SOURCE, pipeline);
	p->cut_after = cut_after;
	p->answer = many_answer;
	p->options.cursor = STR("2023-05-05T00:00:00Z");
	play_run(p);
	log = arena_copy(a, buf_view(&p->log));
	play_free(p);
	return log;
}

/* Without the pass's own cursor and clock in the state, the requests behind a cut would differ. */
static void a_run_rebuilt_after_any_page_gives_exactly_the_remaining_pages(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(many_pagings); i++) {
		struct arena *a = arena_new(16 << 20);
		struct str whole = many_play(a, many_pagings[i], 0);

		assert_non_null(strstr(whole.p, "2023-05-05"));
		for (size_t cut = 1; cut <= 7; cut++) {
			struct str parts = many_play(a, many_pagings[i], cut);

			if (!str_eq(whole, parts))
				fail_msg("%s cut after every %zu pages:\n%s\nuncut:\n%s",
				         many_pagings[i], cut, parts.p, whole.p);
		}
		arena_free(a);
	}
}

struct cycle {
	int before, length; /* cursors before the cycle, and in it */
};

static void cycle_answer(struct play *p, const struct http_request *q, size_t n)
{
	const struct cycle *c = p->arg;
	int64_t now = asked(p, q, "cursor", 0);
	int64_t next = now + 1 < c->before + c->length ? now + 1 : c->before;
	char body[100];

	snprintf(body, sizeof body, "{\"items\":[{\"id\":%zu}],\"cursor\":%d}", n, (int)next);
	play_answer(p, (struct scripted){ 200, body, NULL, HTTP_FAULT_NONE });
}

static void every_cycle_of_cursors_is_found_also_across_rebuilds(void **state)
{
	(void)state;
	for (int before = 1; before < 12; before += 2)
		for (int length = 1; length < 12; length += 3)
			for (size_t cut = 0; cut < 2; cut++) {
				struct cycle c = { before, length };
				struct play *p =
					play_new(SOURCE, PIPELINE("{}", "{'type':'cursor',"
				                                        "'cursorParam':'cursor'}"));

				p->arg = &c;
				p->answer = cycle_answer;
				p->cut_after = cut;
				play_run(p);
				assert_string_equal(p->code, "cursor_loop");
				assert_true(p->sent <= (size_t)(4 * (before + length) + 4));
				play_free(p);
			}
}

static void links_are_resolved_as_rfc_3986_says(void **state)
{
	static const struct {
		const char *base, *reference, *result; /* NULL: refused */
	} cases[] = {
		{ "https://a.example/b/c?d", "https://x.example/y", "https://x.example/y" },
		{ "https://a.example/b/c?d", "//x.example/y", "https://x.example/y" },
		{ "https://a.example/b/c?d", "/y?z", "https://a.example/y?z" },
		{ "https://a.example/b/c?d", "?z", "https://a.example/b/c?z" },
		{ "https://a.example/b/c?d", "y", "https://a.example/b/y" },
		{ "https://a.example", "y", "https://a.example/y" },
		{ "https://a.example?q", "?z", "https://a.example?z" },
		{ "https://a.example/b", "/y#part", "https://a.example/y" },
		{ "https://a.example/b", "file:///etc/passwd", NULL },
		{ "https://a.example/b", "javascript:alert(1)", NULL },
		{ "https://a.example/b", "https://u@x.example/", NULL },
		{ "https://a.example/b", "https://", NULL },
		{ "https://a.example/b", "https:///x", NULL },
		{ "https://a.example/b", "https://x.example\\@a.example/", NULL },
	};
	struct arena *a = arena_new(1 << 20);

	(void)state;
	for (size_t i = 0; i < ROWS(cases); i++) {
		struct str out;
		bool good =
			link_resolve(a, str_of(cases[i].base), str_of(cases[i].reference), &out);

		row_check(cases[i].reference, good == (cases[i].result != NULL));
		row_check(cases[i].reference, !good || str_eq_text(out, cases[i].result));
	}
	assert_true(str_eq_text(link_param_drop(a, STR("https://a/?k=1&x=2&k=3"), "k"),
	                        "https://a/?x=2"));
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("paginators ask and stop as their transcripts say",
		     paginators_ask_and_stop_as_their_transcripts_say),
		TEST("a run rebuilt after any page gives exactly the remaining pages",
		     a_run_rebuilt_after_any_page_gives_exactly_the_remaining_pages),
		TEST("every cycle of cursors is found, also across rebuilds",
		     every_cycle_of_cursors_is_found_also_across_rebuilds),
		TEST("links are resolved as RFC 3986 says", links_are_resolved_as_rfc_3986_says),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
