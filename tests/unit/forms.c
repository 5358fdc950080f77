/* Forms: answers that are no plain JSON list, through whole runs. */
#include "config.h"

#include <stdio.h>

#include "tests/unit/engine_play.h"

#include "lib/base/poison.h"

#define SOURCE                                                                                     \
	"{'name':'API','configFields':[]%s%s,'functions':["                                        \
	"{'id':'f','name':'items','path':'/a'%s}]}"
#define PIPELINE                                                                                   \
	"{'name':'p','functionId':'f','processingSteps':[{'name':'c','type':'api-call'}%s]}"

/* clang-format off */
#define PAGE(text) { 200, text, NULL, HTTP_FAULT_NONE }
#define TYPED(type, text) { 200, text, "Content-Type: " type, HTTP_FAULT_NONE }
#define PAGED(config) ",{'name':'p','type':'pagination','config':" config "}"
/* clang-format on */

struct row {
	const char *name, *function, *source, *steps;
	struct scripted answers[4];
	size_t count;
	const char *transcript, *said; /* said: in the message of the end, or NULL */
};

/* clang-format off */
static const struct row rows[] = {
	{ "a map's records have their names as keys", ",'recordsKind':'map'", "",
	  ",{'name':'v','type':'validate','config':{'required':['x']}}",
	  { PAGE("{'a':{'id':1,'x':1.50},'b':{'id':2}}") }, 1,
	  "> GET https://api.example/a\n= 1: 1 !2(validation_failed)\n"
	  ". partial records_quarantined complete \"single page\"\n", NULL },
	{ "records that were made are compared as a page too", ",'recordsKind':'scalars'", "",
	  PAGED("{'type':'page'}"),
	  { PAGE("[1,2]"), PAGE("[1,2]"), PAGE("[1,2]") }, 3, NULL, "sent the same page three times" },
	{ "other made records are other pages", ",'recordsKind':'scalars'", "",
	  PAGED("{'type':'page'}"),
	  { PAGE("[1,2]"), PAGE("[1,3]"), PAGE("[1,2]"), PAGE("[]") }, 4, NULL, "" },
	{ "uneven columns end the run and say which", ",'recordsKind':'columns'", "", "",
	  { PAGE("{'time':[1,2],'value':[3]}") }, 1,
	  "> GET https://api.example/a\n. failed records_uneven\n", "\"time\" and \"value\"" },
	/* errors with a good status */
	{ "ok is not true", ",'okPath':'ok'", "", "", { PAGE("{'ok':false,'error':'invalid_auth','items':[]}") }, 1,
	  "> GET https://api.example/a\n. failed upstream_error\n",
	  "answered with status 200, but says that it failed: invalid_auth. The answer begins: {\"ok\":false," },
	{ "ok is true", ",'okPath':'ok'", "", "", { PAGE("{'ok':true,'items':[{'id':1}]}") }, 1,
	  "> GET https://api.example/a\n= 1: 1\n. success complete \"single page\"\n", NULL },
	{ "ok is missing", "", ",'okPath':'ok'", "", { PAGE("{'items':[]}") }, 1,
	  "> GET https://api.example/a\n. failed upstream_error\n", "says that it failed. The answer begins: {\"items\"" },
	{ "a function's place goes before the source's", ",'okPath':'code','okValue':0", ",'okPath':'ok','okValue':'yes'", "",
	  { PAGE("{'code':0.0,'items':[{'id':1}]}") }, 1,
	  "> GET https://api.example/a\n= 1: 1\n. success complete \"single page\"\n", NULL },
	{ "another value than the good one", ",'okPath':'status','okValue':'success'", "", "",
	  { PAGE("{'status':'error','data':[],'result':{'message':'x'},'msg':'no such account'}") }, 1, NULL,
	  "failed: no such account." },
	{ "GraphQL's errors", ",'errorPath':'errors'", "", "",
	  { PAGE("{'errors':[{'message':'Field x is unknown','path':['x']}],'data':[]}") }, 1,
	  "> GET https://api.example/a\n. failed upstream_error\n", "failed: Field x is unknown." },
	{ "no errors in the end", ",'errorPath':'errors'", "", "", { PAGE("{'errors':[],'data':[{'id':1}]}") , }, 1,
	  NULL, "name the records path" },
	{ "an error code of zero is none", ",'errorPath':'errcode','recordsPath':'data'", "", "",
	  { PAGE("{'errcode':0,'data':[{'id':1}]}") }, 1,
	  "> GET https://api.example/a\n= 1: 1\n. success complete \"single page\"\n", NULL },
	{ "no content is no error", ",'okPath':'ok'", "", "", { { 204, "", NULL, 0 } }, 1,
	  "> GET https://api.example/a\n= 1:\n. success complete \"single page\"\n", NULL },
	{ "an error on a later page keeps the first", ",'okPath':'ok'", "", PAGED("{'type':'page'}"),
	  { PAGE("{'ok':true,'items':[{'id':1}]}"), PAGE("{'ok':false,'items':[]}") }, 2,
	  "> GET https://api.example/a?page=1\n= 1: 1\n> GET https://api.example/a?page=2\n"
	  ". failed upstream_error\n", "1 record of 1 page is kept" },
	/* lines */
	{ "NDJSON by its type, with empty lines, without a last line break", "", "", "",
	  { TYPED("application/x-ndjson; charset=utf-8", "{'id':1,'n':1.10}\r\n\n {'id':2}\n{'id':3}") }, 1,
	  "> GET https://api.example/a\n= 1: 1 2 3\n. success complete \"single page\"\n", NULL },
	{ "NDJSON by its name, records below a path, empty bodies", ",'bodyFormat':'ndjson','recordsPath':'r'", "",
	  PAGED("{'type':'page'}"), { PAGE("{'r':{'id':1}}\n{'r':null}\n"), PAGE("") }, 2,
	  "> GET https://api.example/a?page=1\n= 1: 1\n> GET https://api.example/a?page=2\n= 2:\n"
	  ". success complete \"empty page\"\n", NULL },
	{ "a bad line has its number", ",'bodyFormat':'ndjson'", "", "", { PAGE("{'id':1}\n\n{'id':}\n{'id':2}\n") }, 1,
	  "> GET https://api.example/a\n. failed bad_body\n", "Line 3: " },
	{ "a line without its record has its number", ",'bodyFormat':'ndjson','recordsPath':'r'", "", "",
	  { PAGE("{'r':{}}\n{'s':1}\n") }, 1, "> GET https://api.example/a\n. failed records_not_found\n", "Line 2 " },
	{ "a last line that was cut is asked for again", ",'bodyFormat':'ndjson'", "", "",
	  { PAGE("{'id':1}\n{'id'"), PAGE("{'id':1}\n{'id':2}\n") }, 2, NULL, "" },
	{ "CSV", ",'bodyFormat':'csv'", "",
	  ",{'name':'v','type':'validate','config':{'types':{'id':'string','a':'string'}}}",
	  { PAGE("\xEF\xBB\xBFid,a\r\n1,0010.50\r\n'2,3','say ''hi''\r\nthere'\r\n\r\n4,") }, 1,
	  "> GET https://api.example/a\n= 1: 1 2,3 4\n. success complete \"single page\"\n", NULL },
	{ "CSV of a header alone, of nothing", ",'bodyFormat':'csv'", "", PAGED("{'type':'offset'}"),
	  { PAGE("id,a\n") }, 1, NULL, "" },
	{ "a short row has its line", ",'bodyFormat':'csv'", "", "", { PAGE("id,a\n'1\n',2\n3\n") }, 1,
	  "> GET https://api.example/a\n. failed bad_body\n", "Line 4: the row has 1 values, the header names 2" },
	{ "a long row has its line", ",'bodyFormat':'csv'", "", "", { PAGE("id,a\n1,2,3\n") }, 1,
	  "> GET https://api.example/a\n. failed bad_body\n", "Line 2: the row has more than 2 values" },
	{ "text behind a quoted value", ",'bodyFormat':'csv'", "", "", { PAGE("id\n'1'x\n") }, 1,
	  "> GET https://api.example/a\n. failed bad_body\n", "Line 2: text stands behind a quoted value" },
	{ "bytes that are no UTF-8", ",'bodyFormat':'csv'", "", "", { PAGE("id\n1\n\xff\n") }, 1,
	  "> GET https://api.example/a\n. failed bad_body\n", "is not UTF-8" },
	{ "a quoted value that was cut is asked for again", ",'bodyFormat':'csv'", "", "",
	  { PAGE("id\n'1"), PAGE("id\n'1'\n") }, 2, NULL, "" },
	/* the next page's address */
	{ "an address in the body, whole, from the root, below the base, or a query", "",
	  ",'baseUrl':'https://api.example/v1/'", PAGED("{'type':'next-url','nextUrlPath':'@odata\\\\.nextLink'}"),
	  { PAGE("{'items':[{'id':1}],'@odata.nextLink':'https://api.example/v1/a?p=2'}"),
	    PAGE("{'items':[{'id':2}],'@odata.nextLink':'/v1/a?p=3'}"),
	    PAGE("{'items':[{'id':3}],'@odata.nextLink':'b/a?p=4'}"),
	    PAGE("{'items':[{'id':4}],'@odata.nextLink':null}") }, 4,
	  "> GET https://api.example/v1/a\n= 1: 1\n> GET https://api.example/v1/a?p=2\n= 2: 2\n"
	  "> GET https://api.example/v1/a?p=3\n= 3: 3\n> GET https://api.example/v1/b/a?p=4\n= 4: 4\n"
	  ". success complete \"no next link\"\n", NULL },
	{ "a query alone belongs to the page it stood in", "", ",'baseUrl':'https://api.example/v1'",
	  PAGED("{'type':'next-url','nextUrlPath':'next'}"),
	  { PAGE("{'items':[],'next':'?p=2'}"), PAGE("{'items':[{'id':2}]}") }, 2,
	  "> GET https://api.example/v1/a\n= 1:\n> GET https://api.example/v1/a?p=2\n= 2: 2\n"
	  ". success complete \"no next link\"\n", NULL },
	{ "an address in a header", "", "", PAGED("{'type':'next-url','nextUrlHeader':'X-Next'}"),
	  { { 200, "[{'id':1}]", "x-next: /a?p=2", 0 }, PAGE("[{'id':2}]") }, 2,
	  "> GET https://api.example/a\n= 1: 1\n> GET https://api.example/a?p=2\n= 2: 2\n"
	  ". success complete \"no next link\"\n", NULL },
	{ "an address at another server is refused", "", "", PAGED("{'type':'next-url','nextUrlPath':'next'}"),
	  { PAGE("{'items':[{'id':1}],'next':'https://evil.example/a'}") }, 1,
	  "> GET https://api.example/a\n. failed next_link_refused\n", "another server" },
	{ "two slashes lead to another server too", "", "", PAGED("{'type':'next-url','nextUrlPath':'next'}"),
	  { PAGE("{'items':[{'id':1}],'next':'//evil.example/a'}") }, 1,
	  "> GET https://api.example/a\n. failed next_link_refused\n", "another server" },
	{ "another scheme is no web address", "", "", PAGED("{'type':'next-url','nextUrlPath':'next'}"),
	  { PAGE("{'items':[{'id':1}],'next':'file:///etc/passwd'}") }, 1,
	  "> GET https://api.example/a\n. failed next_link_refused\n", NULL },
	/* a cursor in the body */
	{ "GraphQL: a cursor deep in the body", ",'method':'POST','replay':'safe','recordsPath':'data.items.nodes',"
	  "'body':{'query':'query($after:String){items(after:$after){nodes{id}}}','variables':{'first':2}}", "",
	  PAGED("{'type':'cursor','cursorParam':'variables.after','cursorPath':'data.items.pageInfo.endCursor',"
	        "'hasMorePath':'data.items.pageInfo.hasNextPage','inject':'body','sizeParam':'variables.first','pageSize':2}"),
	  { PAGE("{'data':{'items':{'nodes':[{'id':1}],'pageInfo':{'endCursor':'12','hasNextPage':true}}}}"),
	    PAGE("{'data':{'items':{'nodes':[{'id':2}],'pageInfo':{'endCursor':'13','hasNextPage':false}}}}") }, 2,
	  "> POST https://api.example/a {\"query\":\"query($after:String){items(after:$after){nodes{id}}}\","
	  "\"variables\":{\"first\":2}}\n= 1: 1\n"
	  "> POST https://api.example/a {\"query\":\"query($after:String){items(after:$after){nodes{id}}}\","
	  "\"variables\":{\"first\":2,\"after\":\"12\"}}\n= 2: 2\n"
	  ". success complete \"the answer says that there is no more\"\n", NULL },
	{ "a cursor that its parameter calls a number", ",'method':'POST','replay':'safe',"
	  "'parameters':[{'name':'after','location':'body','type':'integer'}]", "",
	  PAGED("{'type':'cursor','cursorParam':'after'}"),
	  { PAGE("{'items':[{'id':1}],'after':9007199254740993}"), PAGE("{'items':[{'id':2}]}") }, 2,
	  "> POST https://api.example/a {}\n= 1: 1\n"
	  "> POST https://api.example/a {\"after\":9007199254740993}\n= 2: 2\n"
	  ". success complete \"no next cursor\"\n", NULL },
	{ "an offset in the body is a number", ",'method':'POST','replay':'safe'", "",
	  PAGED("{'type':'offset','pageSize':2,'inject':'body','offsetParam':'page.offset','limitParam':'page.limit'}"),
	  { PAGE("[{'id':1},{'id':2}]"), PAGE("[{'id':3}]") }, 2,
	  "> POST https://api.example/a {\"page\":{\"offset\":0,\"limit\":2}}\n= 1: 1 2\n"
	  "> POST https://api.example/a {\"page\":{\"offset\":2,\"limit\":2}}\n= 2: 3\n"
	  ". success complete \"short page\"\n", NULL },
};
/* clang-format on */

static void forms_are_read_as_their_transcripts_say(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		const struct row *r = &rows[i];
		char source[2000], pipeline[2000];
		struct play *p;

		snprintf(source, sizeof source, SOURCE,
		         strstr(r->source, "baseUrl") ? "" : ",'baseUrl':'https://api.example'",
		         r->source, r->function);
		snprintf(pipeline, sizeof pipeline, PIPELINE, r->steps);
		p = play_new(source, pipeline);
		play_script(p, r->answers, r->count);
		if ((r->transcript && strcmp(p->log.p, r->transcript) != 0) ||
		    p->sent != r->count || (r->said && !strstr(p->message, r->said)) ||
		    (r->said && !*r->said && *p->message))
			fail_msg("%s:\n%s\nexpected:\n%s\n%s", r->name, p->log.p,
			         r->transcript ? r->transcript : r->said, p->message);
		play_free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("forms are read as their transcripts say",
		     forms_are_read_as_their_transcripts_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
