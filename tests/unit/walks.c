/* Walks: the rarer ways in which APIs page and remember, whole and cut after every page. */
#include "config.h"

#include <stdio.h>

#include "engine/definition.h"
#include "tests/unit/engine_play.h"

#include "lib/base/poison.h"

#define SOURCE                                                                                     \
	"{'name':'API','baseUrl':'https://api.example','configFields':["                           \
	"{'name':'token','type':'Password'},{'name':'start','type':'Text'}],'functions':["         \
	"{'id':'f','name':'items','path':'/a','recordsPath':'items'%s}]}"
#define PIPELINE                                                                                   \
	"{'name':'p','functionId':'f','dataIngestion':{%s},'processingSteps':["                    \
	"{'name':'c','type':'api-call'}%s]}"
#define A "https://api.example/a"

/* clang-format off */
#define PAGE(text) { 200, text, NULL, HTTP_FAULT_NONE }
#define LINKED(text, header) { 200, text, header, HTTP_FAULT_NONE }
#define PAGED(config) ",{'name':'p','type':'pagination','config':" config "}"
#define SINCE(param) ",'parameters':[{'name':'" param "','default':'{cursor}'}]"
#define INCREMENTAL "'strategy':'incremental','cursorField':'at'"

/* The clock stands at 2023-11-14T22:13:20Z. */
static const struct row {
	const char *name, *function, *ingestion, *steps, *since;
	struct scripted answers[6];
	size_t count;
	const char *transcript;
	const char *cursor; /* of the run, at its end; NULL: not looked at */
} rows[] = {
	/* where an answer says what comes next */
	{ "a cursor, more, the total: all in headers", "", "",
	  PAGED("{'type':'cursor','cursorParam':'c','cursorPath':'header:X-Next','hasMorePath':'header:x-more'}"), "",
	  { LINKED("{'items':[{'id':1}]}", "X-Next: n1\nX-More: true"),
	    LINKED("{'items':[{'id':2}]}", "X-Next: n2\nX-More: false") }, 2,
	  "> GET " A "\n= 1: 1\n> GET " A "?c=n1\n= 2: 2\n"
	  ". success complete \"the answer says that there is no more\"\n", NULL },
	{ "the number of pages in a header", "", "",
	  PAGED("{'type':'page','totalPagesPath':'header:X-WP-TotalPages'}"), "",
	  { LINKED("{'items':[{'id':1}]}", "x-wp-totalpages: 2"), LINKED("{'items':[{'id':2}]}", "x-wp-totalpages: 2") }, 2,
	  "> GET " A "?page=1\n= 1: 1\n> GET " A "?page=2\n= 2: 2\n. success complete \"total reached\"\n", NULL },
	{ "an end that is true on the last page, though it has a cursor", "", "",
	  PAGED("{'type':'cursor','cursorParam':'c','cursorPath':'after','endPath':'end_of_stream'}"), "",
	  { PAGE("{'items':[{'id':1}],'after':'x','end_of_stream':false}"),
	    PAGE("{'items':[{'id':2}],'after':'y','end_of_stream':true}") }, 2,
	  "> GET " A "\n= 1: 1\n> GET " A "?c=x\n= 2: 2\n"
	  ". success complete \"the answer says that there is no more\"\n", NULL },
	{ "an end that is false says that there is more", "", "", PAGED("{'type':'page','endPath':'last'}"), "",
	  { PAGE("{'items':[],'last':false}"), PAGE("{'items':[{'id':2}],'last':true}") }, 2,
	  "> GET " A "?page=1\n= 1:\n> GET " A "?page=2\n= 2: 2\n"
	  ". success complete \"the answer says that there is no more\"\n", NULL },
	{ "the cursor of the greatest record", "", "",
	  PAGED("{'type':'cursor','cursorParam':'after','cursorPath':'maxRecord.id','stop':'short-page','pageSize':2}"), "",
	  { PAGE("{'items':[{'id':'1000'},{'id':'999'}]}"), PAGE("{'items':[{'id':'1001'}]}") }, 2,
	  "> GET " A "\n= 1: 1000 999\n> GET " A "?after=1000\n= 2: 1001\n. success complete \"short page\"\n", NULL },
	{ "a link that must have an attribute", "", "",
	  PAGED("{'type':'link','require':{'results':'true'}}"), "",
	  { LINKED("{'items':[{'id':1}]}", "Link: </a?c=0>; rel=\"previous\"; results=\"false\", </a?c=2>; rel=\"next\"; results=\"true\""),
	    LINKED("{'items':[{'id':2}]}", "Link: </a?c=3>; rel=\"next\"; results=\"false\"; cursor=\"0:3:0\"") }, 2,
	  "> GET " A "\n= 1: 1\n> GET " A "?c=2\n= 2: 2\n. success complete \"no next link\"\n", NULL },
	/* what ends the pages */
	{ "a scroll keeps its cursor until a page is empty", "", "",
	  PAGED("{'type':'cursor','cursorParam':'scroll','stop':'empty-page'}"), "",
	  { PAGE("{'items':[{'id':1}],'scroll':'s'}"), PAGE("{'items':[{'id':2}],'scroll':'s'}"),
	    PAGE("{'items':[{'id':3}],'scroll':'s'}"), PAGE("{'items':[],'scroll':'s'}") }, 4,
	  "> GET " A "\n= 1: 1\n> GET " A "?scroll=s\n= 2: 2\n> GET " A "?scroll=s\n= 3: 3\n> GET " A "?scroll=s\n= 4:\n"
	  ". success complete \"empty page\"\n", NULL },
	{ "a scroll that does not move is a loop", "", "",
	  PAGED("{'type':'cursor','cursorParam':'scroll','stop':'empty-page'}"), "",
	  { PAGE("{'items':[{'id':1}],'scroll':'s'}"), PAGE("{'items':[{'id':1}],'scroll':'s'}"),
	    PAGE("{'items':[{'id':1}],'scroll':'s'}"), PAGE("{'items':[{'id':1}],'scroll':'s'}") }, 4,
	  "> GET " A "\n= 1: 1\n> GET " A "?scroll=s\n= 2: 1\n> GET " A "?scroll=s\n= 3: 1\n> GET " A "?scroll=s\n"
	  ". failed cursor_loop\n", NULL },
	{ "short pages that are no end", "", "", PAGED("{'type':'page','sizeParam':'n','pageSize':2,'stop':'empty-page'}"), "",
	  { PAGE("{'items':[{'id':1},{'id':2}]}"), PAGE("{'items':[{'id':3}]}"), PAGE("{'items':[{'id':4},{'id':5}]}"),
	    PAGE("{'items':[]}") }, 4,
	  "> GET " A "?n=2&page=1\n= 1: 1 2\n> GET " A "?n=2&page=2\n= 2: 3\n> GET " A "?n=2&page=3\n= 3: 4 5\n"
	  "> GET " A "?n=2&page=4\n= 4:\n. success complete \"empty page\"\n", NULL },
	{ "a short page at once", "", "", PAGED("{'type':'page','sizeParam':'n','pageSize':2,'stop':'short-page'}"), "",
	  { PAGE("{'items':[{'id':1}]}") }, 1, "> GET " A "?n=2&page=1\n= 1: 1\n. success complete \"short page\"\n", NULL },
	{ "a page that is not there ends the list", "", "", PAGED("{'type':'page','firstPage':0,'stop':'http-404'}"), "",
	  { PAGE("{'items':[{'id':1}]}"), PAGE("{'items':[{'id':2}]}"), { 404, "{'name':'Not Found'}", NULL, 0 } }, 3,
	  "> GET " A "?page=0\n= 1: 1\n> GET " A "?page=1\n= 2: 2\n> GET " A "?page=2\n= 3:\n"
	  ". success complete \"not found behind the last page\"\n", NULL },
	{ "a first page that is not there is an error", "", "", PAGED("{'type':'page','stop':'http-404'}"), "",
	  { { 404, "{}", NULL, 0 } }, 1, "> GET " A "?page=1\n. failed not_found_upstream\n", NULL },
	{ "offsets have a greatest one", "", "", PAGED("{'type':'offset','pageSize':2,'maxOffset':3}"), "",
	  { PAGE("{'items':[{'id':1},{'id':2}]}"), PAGE("{'items':[{'id':3},{'id':4}]}") }, 2,
	  "> GET " A "?limit=2&offset=0\n= 1: 1 2\n> GET " A "?limit=2&offset=2\n= 2: 3 4\n"
	  ". success \"maxOffset reached\"\n", NULL },
	{ "one page is all that is asked for, and a next one is told", "", "", "", "",
	  { LINKED("{'items':[{'id':1}]}", "Link: </a?c=2>; rel=\"next\"") }, 1,
	  "> GET " A "\n= 1: 1\n. success complete \"single page; no step asks for the next one that its Link names\"\n", NULL },
	/* limits */
	{ "a refusal of a quota that is used up ends with it", "", "", "", "",
	  { { 429, "{}", "X-RateLimit-Remaining: 0\nX-RateLimit-Reset: 3000", 0 }, PAGE("{'items':[{'id':1}]}") }, 2,
	  "> GET " A "\n* upstream_rate_limited 3000000 throttled\n> GET " A "\n= 1: 1\n. success complete \"single page\"\n", NULL },
	{ "a refusal while the quota lasts is another limit's", "", "", "", "",
	  { { 429, "{}", "X-RateLimit-Remaining: 12\nX-RateLimit-Reset: 3000", 0 }, PAGE("{'items':[{'id':1}]}") }, 2,
	  "> GET " A "\n* upstream_rate_limited ~ throttled\n> GET " A "\n= 1: 1\n. success complete \"single page\"\n", NULL },
	{ "a 403 of a quota that is used up is no refusal of the credential", "", "", "", "",
	  { { 403, "{}", "X-RateLimit-Remaining: 0\nX-RateLimit-Reset: 3000", 0 }, PAGE("{'items':[{'id':1}]}") }, 2,
	  "> GET " A "\n* upstream_rate_limited 3000000 throttled\n> GET " A "\n= 1: 1\n. success complete \"single page\"\n", NULL },
	{ "any other 403 is one", "", "", "", "", { { 403, "{}", "X-RateLimit-Remaining: 1\nX-RateLimit-Reset: 3000", 0 } }, 1,
	  "> GET " A "\n. failed access_denied\n", NULL },
	/* what later pages are asked with */
	{ "only the cursor behind the first page", ",'parameters':[{'name':'q','default':'x'},{'name':'n','default':2}]", "",
	  PAGED("{'type':'cursor','cursorParam':'c','sizeParam':'n','pageSize':2,'exclusive':true}"), "",
	  { PAGE("{'items':[{'id':1}],'c':'a'}"), PAGE("{'items':[{'id':2}]}") }, 2,
	  "> GET " A "?q=x&n=2\n= 1: 1\n> GET " A "?c=a\n= 2: 2\n. success complete \"no next cursor\"\n", NULL },
	{ "only the cursor in a body", ",'method':'POST','replay':'safe','body':{'q':{'x':1},'n':2}", "",
	  PAGED("{'type':'cursor','cursorParam':'c','inject':'body','exclusive':true}"), "",
	  { PAGE("{'items':[{'id':1}],'c':'a'}"), PAGE("{'items':[{'id':2}]}") }, 2,
	  "> POST " A " {\"q\":{\"x\":1},\"n\":2}\n= 1: 1\n> POST " A " {\"c\":\"a\"}\n= 2: 2\n"
	  ". success complete \"no next cursor\"\n", NULL },
	{ "another path and body for later pages", ",'method':'POST','replay':'safe','body':{'path':'','limit':2},"
	  "'parameters':[{'name':'X-Team','location':'header','default':'t'},{'name':'q','default':'1'}]", "",
	  PAGED("{'type':'cursor','cursorPath':'cursor','hasMorePath':'has_more',"
	        "'nextRequest':{'pathSuffix':'/continue','body':{'cursor':'{next}'}}}"), "",
	  { PAGE("{'items':[{'id':1}],'cursor':'a\\\\b','has_more':true}"), PAGE("{'items':[{'id':2}],'cursor':'c','has_more':false}") }, 2,
	  "> POST " A "?q=1 {\"path\":\"\",\"limit\":2}\n= 1: 1\n> POST " A "/continue {\"cursor\":\"a\\\\b\"}\n= 2: 2\n"
	  ". success complete \"the answer says that there is no more\"\n", NULL },
	{ "an offset within a query", ",'parameters':[{'name':'query','default':'select * startposition {offset} maxresults 2'}]", "",
	  PAGED("{'type':'offset','inject':'template','firstOffset':1,'pageSize':2}"), "",
	  { PAGE("{'items':[{'id':1},{'id':2}]}"), PAGE("{'items':[{'id':3}]}") }, 2,
	  "> GET " A "?query=select%20%2A%20startposition%201%20maxresults%202\n= 1: 1 2\n"
	  "> GET " A "?query=select%20%2A%20startposition%203%20maxresults%202\n= 2: 3\n. success complete \"short page\"\n", NULL },
	{ "an offset in a body is a number where it stands alone", ",'method':'POST','replay':'safe',"
	  "'parameters':[{'name':'from','location':'body','type':'integer','default':'{offset}'}]", "",
	  PAGED("{'type':'offset','inject':'template','pageSize':1}"), "",
	  { PAGE("{'items':[{'id':1}]}"), PAGE("{'items':[]}") }, 2,
	  "> POST " A " {\"from\":0}\n= 1: 1\n> POST " A " {\"from\":1}\n= 2:\n. success complete \"empty page\"\n", NULL },
	{ "a session's id is carried to later pages", "", "",
	  PAGED("{'type':'page','firstPage':0,'carry':{'param':'session','path':'session_id'}}"), "",
	  { PAGE("{'items':[{'id':1}],'session_id':'s 1'}"), PAGE("{'items':[{'id':2}]}"), PAGE("{'items':[]}") }, 3,
	  "> GET " A "?page=0\n= 1: 1\n> GET " A "?page=1&session=s%201\n= 2: 2\n> GET " A "?page=2&session=s%201\n= 3:\n"
	  ". success complete \"empty page\"\n", NULL },
	{ "a session's id that holds the credential is not stored", "", "",
	  PAGED("{'type':'page','carry':{'param':'session','path':'session_id'}}"), "",
	  { PAGE("{'items':[{'id':1}],'session_id':'s3cr3t-t0ken'}") }, 1, "> GET " A "?page=1\n. failed next_link_refused\n", NULL },
	/* the stream's cursor, as requests want it */
	{ "a cursor in seconds, kept as a time", SINCE("since"), INCREMENTAL ",'cursorFormat':'unix'", "", "2023-05-05T00:00:00Z",
	  { PAGE("{'items':[{'id':1,'at':1683244801},{'id':2,'at':1683244800}]}") }, 1,
	  "> GET " A "?since=1683244800\n= 1: 1 2\n. success complete \"single page\"\n", "2023-05-05T00:00:01Z" },
	{ "a cursor of an earlier definition, in seconds", SINCE("since"), INCREMENTAL ",'cursorFormat':'date','overlap':'1d'", "", "1683244801",
	  { PAGE("{'items':[]}") }, 1, "> GET " A "?since=2023-05-04\n= 1:\n. success complete \"single page\"\n", "" },
	{ "records that write it otherwise", SINCE("filter"), INCREMENTAL ",'cursorFormat':'gte|{iso8601}','recordTimeFormat':'/Date(ms)/'", "", "2023-05-05T00:00:00Z",
	  { PAGE("{'items':[{'id':1,'at':'/Date(1683244801500+0000)/'},{'id':2,'at':'soon'}]}") }, 1,
	  "> GET " A "?filter=gte%7C2023-05-05T00%3A00%3A00Z\n= 1: 1 2\n. success complete \"single page\"\n", "2023-05-05T00:00:01.500Z" },
	{ "records in RFC 2822 are compared as times", SINCE("since"), INCREMENTAL ",'cursorFormat':'date','recordTimeFormat':'rfc2822'", "", "",
	  { PAGE("{'items':[{'id':1,'at':'Fri, 05 May 2023 00:00:00 +0000'},{'id':2,'at':'Wed, 03 May 2023 00:00:00 +0000'}]}") }, 1,
	  "> GET " A "\n= 1: 1 2\n. success complete \"single page\"\n", "2023-05-05T00:00:00Z" },
	{ "a compact day of request and record", ",'parameters':[{'name':'q','default':'[{cursor} TO {now|%Y%m%d}]'}]", INCREMENTAL ",'cursorFormat':'%Y%m%d'", "", "2023-05-05T00:00:00Z",
	  { PAGE("{'items':[{'id':1,'at':'20230507'}]}") }, 1,
	  "> GET " A "?q=%5B20230505%20TO%2020231114%5D\n= 1: 1\n. success complete \"single page\"\n", "2023-05-07T00:00:00Z" },
	{ "where a stream begins", SINCE("since"), INCREMENTAL ",'cursorFormat':'unix','cursorStart':'{now-1h}'", "", "",
	  { PAGE("{'items':[]}") }, 1, "> GET " A "?since=1699996400\n= 1:\n. success complete \"single page\"\n", "" },
	{ "a beginning without a value is none", SINCE("since"), INCREMENTAL ",'cursorStart':'{config.start}'", "", "",
	  { PAGE("{'items':[]}") }, 1, "> GET " A "\n= 1:\n. success complete \"single page\"\n", "" },
	{ "a cursor in a header", ",'parameters':[{'name':'If-Modified-Since','location':'header','default':'{cursor}'}]", INCREMENTAL ",'cursorFormat':'rfc2822'", "", "2023-05-05T00:00:00Z",
	  { PAGE("{'items':[]}") }, 1, "> GET " A "\n= 1:\n. success complete \"single page\"\n", "" },
	{ "a filter of our own where the API has none, at first", "", INCREMENTAL ",'cursorFormat':'unix_ms'",
	  ",{'name':'f','type':'filter','config':{'condition':'cursor === null || at >= cursor'}}", "",
	  { PAGE("{'items':[{'id':1,'at':1683244800000}]}") }, 1, "> GET " A "\n= 1: 1\n. success complete \"single page\"\n", "2023-05-05T00:00:00Z" },
	{ "a filter of our own, later", "", INCREMENTAL ",'cursorFormat':'unix_ms'",
	  ",{'name':'f','type':'filter','config':{'condition':'cursor === null || at >= cursor'}}", "2023-05-05T00:00:00Z",
	  { PAGE("{'items':[{'id':1,'at':1683244799999},{'id':2,'at':1683244800000}]}") }, 1,
	  "> GET " A "\n= 1: ~{\"id\":1,\"at\":1683244799999} 2\n. success complete \"single page\"\n", "2023-05-05T00:00:00Z" },
	/* newest first */
	{ "newest first ends behind the cursor", "", INCREMENTAL ",'stopAtCursor':true", PAGED("{'type':'page'}"), "2023-05-05T00:00:00Z",
	  { PAGE("{'items':[{'id':9,'at':'2023-05-07T00:00:00Z'}]}"),
	    PAGE("{'items':[{'id':8,'at':'2023-05-05T00:00:00Z'},{'id':7,'at':'2023-05-04T00:00:00Z'}]}") }, 2,
	  "> GET " A "?page=1\n= 1: 9\n> GET " A "?page=2\n= 2: 8 7\n. success complete \"the cursor was reached\"\n", "2023-05-07T00:00:00Z" },
	{ "newest first, records that a filter drops", "", INCREMENTAL ",'stopAtCursor':true",
	  PAGED("{'type':'page'}") ",{'name':'f','type':'filter','config':{'condition':'at >= cursor'}}", "2023-05-05T00:00:00Z",
	  { PAGE("{'items':[{'id':7,'at':'2023-05-04T00:00:00Z'}]}") }, 1,
	  "> GET " A "?page=1\n= 1: ~{\"id\":7,\"at\":\"2023-05-04T00:00:00Z\"}\n. success complete \"the cursor was reached\"\n", "" },
	{ "newest first without a cursor reads all", "", INCREMENTAL ",'stopAtCursor':true", PAGED("{'type':'page'}"), "",
	  { PAGE("{'items':[{'id':9,'at':'2023-05-07T00:00:00Z'}]}"), PAGE("{'items':[]}") }, 2,
	  "> GET " A "?page=1\n= 1: 9\n> GET " A "?page=2\n= 2:\n. success complete \"empty page\"\n", "2023-05-07T00:00:00Z" },
	/* windows */
	{ "windows of time, one after another, to now", SINCE("from"),
	  INCREMENTAL ",'cursorFormat':'date','cursorStart':'2023-11-01','window':{'maxDays':5,'endParam':'to'}", PAGED("{'type':'cursor','cursorParam':'c'}"), "2023-11-03T06:00:00Z",
	  { PAGE("{'items':[{'id':1,'at':'2023-11-04'}],'c':'x'}"), PAGE("{'items':[]}"), PAGE("{'items':[]}"),
	    PAGE("{'items':[{'id':2,'at':'2023-11-13'}]}") }, 4,
	  "> GET " A "?from=2023-11-03&to=2023-11-08\n= 1: 1\n> GET " A "?from=2023-11-03&c=x&to=2023-11-08\n= 2:\n"
	  "> GET " A "?from=2023-11-08&to=2023-11-13\n= 3:\n> GET " A "?from=2023-11-13&to=2023-11-14\n= 4: 2\n"
	  ". success complete \"no next cursor\"\n", "2023-11-13T06:00:00Z" },
	{ "the last window leaves the cursor where the one before it ended", ",'parameters':[{'name':'q','default':'{window.start|unix}-{window.end|unix}'}]",
	  INCREMENTAL ",'cursorStart':'{now-36h}','window':{'maxDays':1}", "", "",
	  { PAGE("{'items':[]}"), PAGE("{'items':[]}") }, 2,
	  "> GET " A "?q=1699870400-1699956800\n= 1:\n> GET " A "?q=1699956800-1700000000\n= 2:\n"
	  ". success complete \"single page\"\n", "2023-11-14T10:13:20Z" },
	{ "a window that is cut short by maxPages is not passed", SINCE("from"),
	  INCREMENTAL ",'cursorStart':'2023-11-01','window':{'maxDays':5}", PAGED("{'type':'cursor','cursorParam':'c','maxPages':1}"), "",
	  { PAGE("{'items':[{'id':1,'at':'2023-11-02T00:00:00Z'}],'c':'x'}") }, 1,
	  "> GET " A "?from=2023-11-01T00%3A00%3A00Z\n= 1: 1\n. success \"maxPages reached\"\n", "2023-11-02T00:00:00Z" },
	{ "a record of the future does not move the windows there", SINCE("from"),
	  INCREMENTAL ",'cursorFormat':'date','cursorStart':'2023-11-10','window':{'maxDays':3}", "", "",
	  { PAGE("{'items':[{'id':1,'at':'2030-01-01'},{'id':2,'at':'2023-11-11'}]}"), PAGE("{'items':[{'id':3,'at':'2023-11-14'}]}") }, 2,
	  "> GET " A "?from=2023-11-10\n= 1: 1 2\n> GET " A "?from=2023-11-13\n= 2: 3\n"
	  ". success complete \"single page\"\n", "2023-11-14T00:00:00Z" },
	/* steps */
	{ "the cursor goes out a step further than it was", SINCE("offset"), INCREMENTAL ",'cursorStep':1", "", "41",
	  { PAGE("{'items':[{'id':1,'at':42},{'id':2,'at':43}]}") }, 1,
	  "> GET " A "?offset=42\n= 1: 1 2\n. success complete \"single page\"\n", "43" },
	{ "a step without a cursor is none", SINCE("offset"), INCREMENTAL ",'cursorStep':1", "", "",
	  { PAGE("{'items':[{'id':1,'at':42}]}") }, 1,
	  "> GET " A "\n= 1: 1\n. success complete \"single page\"\n", "42" },
	{ "a step from what is no whole number is none", SINCE("offset"), INCREMENTAL ",'cursorStep':1", "", "9223372036854775807",
	  { PAGE("{'items':[]}") }, 1, "> GET " A "?offset=9223372036854775807\n= 1:\n. success complete \"single page\"\n", "" },
	/* a token for the next run */
	{ "a token of the last page is the cursor", "", "'strategy':'append'",
	  PAGED("{'type':'cursor','cursorParam':'c','syncToken':{'param':'syncToken','path':'sync'}}"), "t0",
	  { PAGE("{'items':[{'id':1}],'c':'x'}"), PAGE("{'items':[{'id':2}],'sync':'t1'}") }, 2,
	  "> GET " A "?syncToken=t0\n= 1: 1\n> GET " A "?c=x&syncToken=t0\n= 2: 2\n. success complete \"no next cursor\"\n", "t1" },
	{ "a token in a body, none at first", ",'method':'POST','replay':'safe'", "'strategy':'incremental'",
	  PAGED("{'type':'cursor','cursorParam':'c','inject':'body','syncToken':{'param':'syncToken','path':'header:X-Sync'}}"), "",
	  { LINKED("{'items':[{'id':1}]}", "X-Sync: t1") }, 1,
	  "> POST " A " {}\n= 1: 1\n. success complete \"no next cursor\"\n", "t1" },
	{ "a token that is the next run's address", "", "'strategy':'append'",
	  PAGED("{'type':'next-url','nextUrlPath':'next','syncToken':{'path':'delta'}}"), "https://api.example/a?delta=0",
	  { PAGE("{'items':[{'id':1}],'next':'/a?p=2'}"), PAGE("{'items':[{'id':2}],'delta':'https://api.example/a?delta=1'}") }, 2,
	  "> GET " A "?delta=0\n= 1: 1\n> GET " A "?p=2\n= 2: 2\n. success complete \"no next link\"\n", "https://api.example/a?delta=1" },
	{ "an address of another server is no token", "", "'strategy':'append'",
	  PAGED("{'type':'next-url','nextUrlPath':'next','syncToken':{'path':'delta'}}"), "",
	  { PAGE("{'items':[{'id':2}],'delta':'https://evil.example/a?delta=1'}") }, 1,
	  "> GET " A "\n. failed next_link_refused\n", "" },
	{ "a token that holds the credential is not stored", "", "'strategy':'append'",
	  PAGED("{'type':'cursor','cursorParam':'c','syncToken':{'param':'s','path':'sync'}}"), "",
	  { PAGE("{'items':[{'id':2}],'sync':'s3cr3t-t0ken'}") }, 1, "> GET " A "\n. failed next_link_refused\n", "" },
};
/* clang-format on */

static struct play *row_play(const struct row *r, size_t cut_after)
{
	char source[2000], pipeline[3000];
	struct play *p;

	snprintf(source, sizeof source, SOURCE, r->function);
	snprintf(pipeline, sizeof pipeline, PIPELINE, r->ingestion, r->steps);
	p = play_new(source, pipeline);
	p->cut_after = cut_after;
	p->options.cursor = str_of(r->since);
	play_script(p, r->answers, r->count);
	return p;
}

static void walks_go_as_their_transcripts_say_also_when_cut_after_every_page(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		for (size_t cut = 0; cut < 3; cut++) {
			const struct row *r = &rows[i];
			struct play *p = row_play(r, cut);

			if (strcmp(p->log.p, r->transcript) != 0 || p->sent != r->count ||
			    (r->cursor && strcmp(p->cursor, r->cursor) != 0))
				fail_msg("%s, cut after %zu:\n%s\nexpected:\n%s\n%s\ncursor %s",
				         r->name, cut, p->log.p, r->transcript, p->message,
				         p->cursor);
			play_free(p);
		}
}

/* Transcripts show no headers. */
static void headers_note(struct play *p, const struct http_request *request, size_t n)
{
	static const struct scripted pages[] = { PAGE("{'items':[{'id':1}],'next':'a'}"),
		                                 PAGE("{'items':[{'id':2}]}") };

	for (size_t i = 0; i < request->header_count; i++)
		if (strncmp(request->headers[i].name, "X-", 2) == 0)
			buf_printf(&p->log, "%s\n", request->headers[i].name);
	play_answer(p, pages[n]);
}

static void a_header_of_the_first_page_stays_there_also_where_later_ones_differ(void **state)
{
	struct play *p;
	char source[1000];

	(void)state;
	snprintf(source, sizeof source, SOURCE,
	         ",'parameters':[{'name':'X-First','location':'header','default':'x'},"
	         "{'name':'X-Team','location':'header','default':'t'}]");
	p = play_new(source,
	             "{'name':'p','functionId':'f','processingSteps':[{'name':'c','type':"
	             "'api-call'},{'name':'p','type':'pagination','config':{'type':'cursor',"
	             "'cursorPath':'next','firstPageOnlyParams':['X-First'],'nextRequest':"
	             "{'pathSuffix':'/b','method':'POST','body':{'c':'{next}'}}}}]}");
	p->answer = headers_note;
	play_run(p);
	assert_string_equal(p->log.p, "> GET " A "\nX-First\nX-Team\n= 1: 1\n"
	                              "> intent POST " A "/b {\"c\":\"a\"}\nX-Team\n= 2: 2\n"
	                              ". success complete \"no next cursor\"\n");
	play_free(p);
}

static void what_authenticates_in_a_query_is_not_taken_from_links(void **state)
{
	static const struct scripted pages[] = {
		LINKED("{'items':[{'id':1}]}",
		       "Link: </a?p=2&key=s3cr3t-t0ken&app=x&n=1>; rel=\"next\""),
		PAGE("{'items':[{'id':2}]}")
	};
	struct play *p = play_new(
		"{'name':'API','baseUrl':'https://api.example','configFields':["
		"{'name':'token','type':'Password'}],'authConfig':{'type':'Custom','details':"
		"{'queryParams':{'app':'x','key':'{config.token}'}}},'functions':["
		"{'id':'f','name':'items','path':'/a','recordsPath':'items'}]}",
		"{'name':'p','functionId':'f','processingSteps':[{'name':'c','type':'api-call'},"
		"{'name':'p','type':'pagination','config':{'type':'link'}}]}");

	(void)state;
	play_script(p, pages, ROWS(pages));
	assert_string_equal(p->log.p, "> GET " A "?app=x&key=[redacted]\n= 1: 1\n"
	                              "> GET " A "?p=2&n=1&app=x&key=[redacted]\n= 2: 2\n"
	                              ". success complete \"no next link\"\n");
	play_free(p);
}

/*
 * What is refused when a definition is saved
 */

struct refusal {
	const char *function, *ingestion, *paging;
	const char *pointer, *slug;
};

#define STEP   "/processingSteps/1/config"
#define INGEST "/dataIngestion"

/* clang-format off */
static const struct refusal refusals[] = {
	{ "", "", "{'type':'cursor'}", STEP "/cursorParam", "required" },
	{ "", "", "{'type':'cursor','inject':'template'}", STEP "/cursorPath", "required" },
	{ "", "", "{'type':'cursor','cursorPath':'c','inject':'template'}", STEP "/inject", "position_not_named" },
	{ "", "", "{'type':'cursor','cursorPath':'c','nextRequest':{'body':{}}}", STEP "/nextRequest", "position_not_named" },
	{ "", "", "{'type':'cursor','cursorPath':'c','nextRequest':{'path':'x{next}'}}", STEP "/nextRequest/path", "path_invalid" },
	{ "", "", "{'type':'cursor','cursorPath':'c','nextRequest':{'body':{'a':'{config.none}{next}'}}}", STEP "/nextRequest/body/a", "unknown_config_field" },
	{ "", "", "{'type':'cursor','cursorPath':'c','nextRequest':{'url':'x'}}", STEP "/nextRequest/url", "unknown_field" },
	{ "", "", "{'type':'cursor','cursorParam':'c','cursorPath':'header:'}", STEP "/cursorPath", "header_invalid" },
	{ "", "", "{'type':'cursor','cursorParam':'c','hasMorePath':'header:a b'}", STEP "/hasMorePath", "header_invalid" },
	{ "", "", "{'type':'cursor','cursorParam':'c','stop':'short-page'}", STEP "/stop", "page_size_unknown" },
	{ "", "", "{'type':'cursor','cursorParam':'c','stop':'never'}", STEP "/stop", "not_a_choice" },
	{ "", "", "{'type':'cursor','cursorParam':'c','endPath':'a..b'}", STEP "/endPath", "path_invalid" },
	{ "", "", "{'type':'link','require':{}}", STEP "/require", "too_few_items" },
	{ "", "", "{'type':'page','carry':{'path':'a'}}", STEP "/carry/param", "required" },
	{ "", "", "{'type':'page','carry':{'path':'a..','param':'p'}}", STEP "/carry/path", "path_invalid" },
	{ "", "", "{'type':'page','syncToken':{'path':'a'}}", STEP "/syncToken/param", "required" },
	{ "", "", "{'type':'page','syncToken':{'param':'a'}}", STEP "/syncToken/path", "required" },
	{ "", "'strategy':'append','cursorField':'at'", "{'type':'page','syncToken':{'path':'a','param':'b'}}", INGEST "/cursorField", "not_used" },
	{ "", "'strategy':'append','overlap':60", "{'type':'page','syncToken':{'path':'a','param':'b'}}", INGEST "/overlap", "not_used" },
	{ "", "'strategy':'append','cursorStep':1", "{'type':'page','syncToken':{'path':'a','param':'b'}}", INGEST "/cursorStep", "not_used" },
	{ "", "", "{'type':'page','syncToken':{'path':'a','param':'b'}}", INGEST "/strategy", "not_allowed" },
	{ ",'parameters':[{'name':'q','default':'{offset}'}]", "", "{'type':'offset'}", "/functionId", "position_not_named" },
	{ ",'parameters':[{'name':'q','default':'{window.end}'}]", "", "{'type':'none'}", INGEST "/window", "required" },
	{ "", "", "{'type':'cursor','cursorPath':'c','nextRequest':{'method':'POST','body':{'a':'{next}','b':'{window.end}'}}}", INGEST "/window", "required" },
	{ "", INCREMENTAL ",'overlap':5,'cursorStep':1", "{'type':'none'}", INGEST "/cursorStep", "not_allowed" },
	{ "", INCREMENTAL ",'cursorStep':0", "{'type':'none'}", INGEST "/cursorStep", "out_of_range" },
	{ "", "'window':{'maxDays':1}", "{'type':'none'}", INGEST "/cursorStart", "required" },
	{ "", "'window':{}", "{'type':'none'}", INGEST "/window/maxDays", "required" },
	{ "", "'cursorFormat':'iso'", "{'type':'none'}", INGEST "/cursorFormat", "time_format_invalid" },
	{ "", "'recordTimeFormat':'%Q'", "{'type':'none'}", INGEST "/recordTimeFormat", "time_format_invalid" },
	{ "", "'cursorStart':'{config.none}'", "{'type':'none'}", INGEST "/cursorStart", "unknown_config_field" },
	{ "", "'cursorStart':'{cursor}'", "{'type':'none'}", INGEST "/cursorStart", "unknown_name" },
	{ "", "'cursorField':'at','stopAtCursor':true", "{'type':'none'}", INGEST "/stopAtCursor", "not_allowed" },
	{ "", "'strategy':'append','stopAtCursor':true", "{'type':'none'}", INGEST "/stopAtCursor", "not_allowed" },
	{ "", INCREMENTAL ",'stopAtCursor':true,'cursorStart':'{now}','window':{'maxDays':1}", "{'type':'none'}", INGEST "/stopAtCursor", "not_allowed" },
};
/* clang-format on */

static void what_cannot_work_is_refused_at_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(refusals); i++) {
		const struct refusal *r = &refusals[i];
		struct arena *a = arena_new(8 << 20);
		struct problems *ps = problems_new(a);
		json_t *ds = doc_read(a, arena_printf(a, SOURCE, r->function));
		json_t *list =
			doc_read(a, arena_printf(a, "[" PIPELINE "]", r->ingestion,
		                                 arena_printf(a,
		                                              ",{'name':'p','type':'pagination',"
		                                              "'config':%s}",
		                                              r->paging)));
		const char *pointer = arena_printf(a, "/pipelines/0%s", r->pointer);

		if (!definition_check_data_source(ds, "", ps))
			doc_has_problem(ps, "", "");
		if (definition_check_pipelines(a, ds, list, "/pipelines", ps) ||
		    !doc_has_problem(ps, pointer, r->slug))
			fail_msg("row %zu: no %s at %s", i, r->slug, pointer);
		arena_free(a);
	}
}

/* Fails with windows that begin in 1970: thousands that nobody asked for. */
static void windows_without_a_beginning_do_not_begin(void **state)
{
	static const char *const starts[] = { "{config.start}", "soon" };

	(void)state;
	for (size_t i = 0; i < ROWS(starts); i++) {
		char source[2000], pipeline[3000];
		struct err e = { 0 };
		struct run *run;
		struct play *p;

		snprintf(source, sizeof source, SOURCE, SINCE("from"));
		snprintf(pipeline, sizeof pipeline,
		         "{'name':'p','functionId':'f','dataIngestion':{" INCREMENTAL
		         ",'cursorStart':'%s','window':{'maxDays':1}},'processingSteps':["
		         "{'name':'c','type':'api-call'}]}",
		         starts[i]);
		p = play_new(source, pipeline);
		if (run_new(&p->options, &run, &e))
			fail_msg("%s: a run begins", starts[i]);
		assert_string_equal(e.slug, "value_missing");
		assert_non_null(strstr(e.msg, "cursorStart"));
		play_free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("walks go as their transcripts say, also when cut after every page",
		     walks_go_as_their_transcripts_say_also_when_cut_after_every_page),
		TEST("a header of the first page stays there, also where later ones differ",
		     a_header_of_the_first_page_stays_there_also_where_later_ones_differ),
		TEST("what authenticates in a query is not taken from links",
		     what_authenticates_in_a_query_is_not_taken_from_links),
		TEST("windows without a beginning do not begin",
		     windows_without_a_beginning_do_not_begin),
		TEST("what cannot work is refused at its place",
		     what_cannot_work_is_refused_at_its_place),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
