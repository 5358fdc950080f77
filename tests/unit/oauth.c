/* Credentials that a run works for: access tokens of OAuth2, signatures, extras of each kind. */
#include "config.h"

#include <stdio.h>

#include "engine/definition.h"
#include "tests/unit/engine_play.h"

#include "lib/base/poison.h"

/* Computed by another program: HMAC-SHA256 with the key "s3cr3t-t0ken". */
#define HMAC_HEX   "987c890ccac34f66e7f467306041d0fdd402538b421423705c25da67c2120fc7"
#define HMAC_QUERY "b239144118fc054b4e51705bd20a67f935f42463f344770602600abf6edfa833"
#define SIGV4_HEX  "6f0c896b8a9646ed25af45fa3292f7af3f66503672bcf3bb82abf81e2b1afa64"

#define SOURCE(auth)                                                                               \
	"{'name':'API','baseUrl':'https://api.example/v1',"                                        \
	"'configFields':[{'name':'token','type':'Password'},"                                      \
	"{'name':'id','type':'Text','default':'AKIDEXAMPLE'}],"                                    \
	"'authConfig':" auth ",'functions':[{'id':'items','name':'items','path':'/items',"         \
	"'parameters':[{'name':'page','type':'integer'}]}]}"
#define PIPELINE                                                                                   \
	"{'name':'p','functionId':'items','processingSteps':[{'type':'api-call','name':'call'},"   \
	"{'type':'pagination','name':'paging','config':{'type':'page'}}]}"
#define OAUTH(more)                                                                                \
	SOURCE("{'type':'OAuth2','details':{'tokenUrl':'https://id.example/token',"                \
	       "'clientId':'{config.id}','clientSecret':'{config.token}'" more "}}")
#define CLIENT  OAUTH("")
#define REFRESH OAUTH(",'grant':'refresh_token','refreshToken':'{config.token}'")

#define BODY    "grant_type=client_credentials&client_id=AKIDEXAMPLE&client_secret=[redacted]\n"
#define FETCH   "? token fetch\n> POST https://id.example/token " BODY
#define PAGE(n) "> GET https://api.example/v1/items?page=" n "\n"
#define TOKEN(t)                                                                                   \
	{                                                                                          \
		200, "{'access_token':'" t "','token_type':'bearer','expires_in':3600}", NULL,     \
			HTTP_FAULT_NONE                                                            \
	}
#define SAYS(code, text)                                                                           \
	{                                                                                          \
		code, text, NULL, HTTP_FAULT_NONE                                                  \
	}
#define LAST  SAYS(200, "[]")
#define FIRST SAYS(200, "[{'id':1}]")
#define DONE  "= 2:\n. success complete \"empty page\"\n"

/* clang-format off */
struct row {
	const char *name, *source;
	struct scripted answers[6];
	size_t count;
	const char *transcript, *words;
};

static const struct row rows[] = {
	{ "a token is fetched once and kept", CLIENT, { TOKEN("abcdef"), FIRST, LAST }, 3,
	  FETCH "+ token 1 life 3600000\n" PAGE("1") "= 1: 1\n" PAGE("2") DONE, NULL },
	{ "an answer without a life is used until it is refused", CLIENT,
	  { SAYS(200, "{'access_token':'abcdef'}"), FIRST, LAST }, 3,
	  FETCH "+ token 1 life 0\n" PAGE("1") "= 1: 1\n" PAGE("2") DONE, NULL },
	{ "a token that lives no second serves a request", CLIENT,
	  { SAYS(200, "{'access_token':'abcdef','expires_in':'0.5'}"), FIRST, LAST }, 3,
	  FETCH "+ token 1 life 0\n" PAGE("1") "= 1: 1\n" PAGE("2") DONE, NULL },
	{ "a refused token is replaced once, then the request is sent again", CLIENT,
	  { TOKEN("abcdef"), SAYS(401, ""), TOKEN("ghijkl"), FIRST, LAST }, 5,
	  FETCH "+ token 1 life 3600000\n" PAGE("1") FETCH "+ token 2 life 3600000\n" PAGE("1")
	  "= 1: 1\n" PAGE("2") DONE, NULL },
	{ "two refusals in a row end the run", CLIENT,
	  { TOKEN("abcdef"), SAYS(401, ""), TOKEN("ghijkl"), SAYS(401, "") }, 4,
	  FETCH "+ token 1 life 3600000\n" PAGE("1") FETCH "+ token 2 life 3600000\n" PAGE("1")
	  ". failed credential_rejected\n", "The upstream refused the credential" },
	{ "after a good answer a refusal is worth another token", CLIENT,
	  { SAYS(200, "{'access_token':'a1a1'}"), FIRST, SAYS(401, ""),
	    SAYS(200, "{'access_token':'a2a2'}"), LAST }, 5,
	  FETCH "+ token 1 life 0\n" PAGE("1") "= 1: 1\n" PAGE("2") FETCH "+ token 2 life 0\n" PAGE("2")
	  DONE, NULL },
	{ "the endpoint's refusal has a sentence of its own", CLIENT,
	  { SAYS(400, "{'error':'invalid_client','error_description':'s3cr3t-t0ken is wrong'}") }, 1,
	  FETCH ". failed auth_refused\n",
	  "The token endpoint refused to give an access token (status 400, invalid_client: [redacted] "
	  "is wrong): access token (POST https://id.example/token). Nothing was kept. Check the client "
	  "and its secret, connect this instance again, then run it again." },
	{ "a good status without a token is a refusal too", CLIENT,
	  { SAYS(200, "{'code':40105,'message':'no such app'}") }, 1, FETCH ". failed auth_refused\n",
	  "The token endpoint's answer holds no access token (status 200, no such app)" },
	{ "an endpoint that fails is asked again", CLIENT,
	  { SAYS(503, ""), TOKEN("abcdef"), FIRST, LAST }, 4,
	  FETCH "* upstream_unavailable ~\n" FETCH "+ token 1 life 3600000\n" PAGE("1") "= 1: 1\n"
	  PAGE("2") DONE, NULL },
	{ "an endpoint's rate limit is not the service's", CLIENT,
	  { { 429, "", "Retry-After: 7", HTTP_FAULT_NONE }, TOKEN("abcdef"), FIRST, LAST }, 4,
	  FETCH "* upstream_rate_limited 7000\n" FETCH "+ token 1 life 3600000\n" PAGE("1")
	  "= 1: 1\n" PAGE("2") DONE, NULL },
	{ "a rotated refresh token is kept with the access token, and used next", REFRESH,
	  { SAYS(200, "{'access_token':'abcdef','refresh_token':'r2r2','expires_in':1}"), SAYS(401, ""),
	    SAYS(200, "{'access_token':'ghijkl','refresh_token':'r3r3'}"), FIRST, LAST }, 5,
	  "? token fetch\n> POST https://id.example/token grant_type=refresh_token&refresh_token="
	  "[redacted]&client_id=AKIDEXAMPLE&client_secret=[redacted]\n+ token 1 life 1000 rotated\n"
	  PAGE("1") "? token fetch\n> POST https://id.example/token grant_type=refresh_token&"
	  "refresh_token=[redacted]&client_id=AKIDEXAMPLE&client_secret=[redacted]\n"
	  "+ token 2 life 0 rotated\n" PAGE("1") "= 1: 1\n" PAGE("2") DONE, NULL },
	{ "Basic and JSON, with scope, audience and more", OAUTH(
	  ",'tokenAuth':'basic','tokenBody':'json','scope':'a b','audience':'https://x','tokenParams':"
	  "{'account':'{config.id}'},'accessTokenPath':'data.token','expiresInPath':'data.ttl'"),
	  { SAYS(200, "{'data':{'token':'abcdef','ttl':60}}"), FIRST, LAST }, 3,
	  "? token fetch\n> POST https://id.example/token {\"grant_type\":\"client_credentials\","
	  "\"account\":\"AKIDEXAMPLE\",\"scope\":\"a b\",\"audience\":\"https://x\"}\n"
	  "+ token 1 life 60000\n" PAGE("1") "= 1: 1\n" PAGE("2") DONE, NULL },
	{ "a token endpoint below the base address, the token in the query", SOURCE(
	  "{'type':'OAuth2','details':{'tokenUrl':'/oauth/token','clientId':'x','clientSecret':"
	  "'{config.token}','location':'query'}}"), { TOKEN("abcdef"), LAST }, 2,
	  "? token fetch\n> POST https://api.example/v1/oauth/token grant_type=client_credentials&"
	  "client_id=x&client_secret=[redacted]\n+ token 1 life 3600000\n> GET https://api.example/v1/"
	  "items?page=1&access_token=[redacted]\n= 1:\n. success complete \"empty page\"\n", NULL },
};

/* clang-format on */

static void access_tokens_are_fetched_kept_and_renewed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		const struct row *r = &rows[i];
		struct play *p = play_new(r->source, PIPELINE);

		play_script(p, r->answers, r->count);
		if (strcmp(p->log.p, r->transcript) != 0)
			fail_msg("%s:\n%s\nwanted:\n%s", r->name, p->log.p, r->transcript);
		if (r->words && !strstr(p->message, r->words))
			fail_msg("%s: %s", r->name, p->message);
		play_free(p);
	}
}

/* ---- what is on the wire ---- */

struct look {
	const char *header, *query; /* of the last request for data; NULL: not looked for */
	char found[600], url[600];
};

static void look_answer(struct play *p, const struct http_request *q, size_t n)
{
	struct look *l = p->arg;
	struct str url = secret_expose(q->url.wire);

	(void)n;
	snprintf(l->url, sizeof l->url, STR_FMT, STR_ARG(url));
	if (strstr(q->url.shown, "id.example")) {
		play_answer(p, (struct scripted)TOKEN("abcdef"));
		return;
	}
	for (size_t i = 0; l->header && i < q->header_count; i++)
		if (strcmp(q->headers[i].name, l->header) == 0) {
			struct str v = secret_expose(q->headers[i].value.wire);

			snprintf(l->found, sizeof l->found, STR_FMT, STR_ARG(v));
			assert_null(strstr(q->headers[i].value.shown, "s3cr3t"));
		}
	assert_null(strstr(q->url.shown, "s3cr3t"));
	play_answer(p, (struct scripted)LAST);
}

/* clang-format off */
static const struct {
	const char *name, *auth, *header, *value, *url;
} wires[] = {
	{ "a Bearer header", "{'type':'OAuth2','details':{'tokenUrl':'https://id.example/token',"
	  "'clientSecret':'{config.token}'}}", "Authorization", "Bearer abcdef", NULL },
	{ "another header and prefix", "{'type':'OAuth2','details':{'tokenUrl':'https://id.example/token',"
	  "'clientSecret':'{config.token}','name':'X-Token','prefix':'tok=',"
	  "'extraHeaders':{'X-Id':'{config.id}'}}}", "X-Token", "tok=abcdef", NULL },
	{ "extra headers", "{'type':'OAuth2','details':{'tokenUrl':'https://id.example/token',"
	  "'clientSecret':'{config.token}','extraHeaders':{'developer-token':'{config.token}'}}}",
	  "developer-token", "s3cr3t-t0ken", NULL },
	{ "Bearer with a prefix of its own", "{'type':'Bearer','details':{'token':'{config.token}',"
	  "'prefix':'Zoho-oauthtoken ','headerName':'X-Auth'}}", "X-Auth",
	  "Zoho-oauthtoken s3cr3t-t0ken", NULL },
	{ "several values in the query", "{'type':'Custom','details':{'queryParams':{'key':'{config.id}',"
	  "'token':'{config.token}'}}}", NULL, NULL,
	  "https://api.example/v1/items?page=1&key=AKIDEXAMPLE&token=s3cr3t-t0ken" },
	{ "an HMAC in a header", "{'type':'Hmac','details':{'key':'{config.token}','text':"
	  "'{method}|{host}|{path}|{query}|{timestamp}|{bodyHash}','name':'X-Sign','value':"
	  "'v1 {config.id}:{signature}','extraHeaders':{'X-Time':'{timestamp}'}}}", "X-Sign",
	  /* printf 'GET|api.example|/v1/items|page=1|1700000000|e3b0...b855' | openssl dgst -hmac */
	  "v1 AKIDEXAMPLE:" HMAC_HEX, NULL },
	{ "its time", "{'type':'Hmac','details':{'key':'{config.token}','text':'x','name':'X-Sign',"
	  "'timestampFormat':'http_date','extraHeaders':{'X-Time':'{timestamp}'}}}", "X-Time",
	  "Tue, 14 Nov 2023 22:13:20 GMT", NULL },
	{ "an HMAC in the query, over the query before it", "{'type':'Hmac','details':{'key':"
	  "'{config.token}','text':'{query}','name':'signature','location':'query','timestampFormat':"
	  "'unix_ms','queryParams':{'timestamp':'{timestamp}'}}}", NULL, NULL,
	  "https://api.example/v1/items?page=1&timestamp=1700000000000&signature=" HMAC_QUERY },
	{ "SigV4", "{'type':'AwsSigV4','details':{'region':'us-east-1','service':'service','accessKey':"
	  "'{config.id}','secretKey':'{config.token}'}}", "Authorization",
	  "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20231114/us-east-1/service/aws4_request, "
	  "SignedHeaders=host;x-amz-date, Signature=" SIGV4_HEX, NULL },
};

/* clang-format on */

static void the_wire_has_what_the_definition_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(wires); i++) {
		char source[2000];
		struct look look = { .header = wires[i].header };
		struct play *p;

		snprintf(source, sizeof source, SOURCE("%s"), wires[i].auth);
		p = play_new(source, PIPELINE);
		p->arg = &look;
		p->answer = look_answer;
		play_run(p);
		if (wires[i].value && strcmp(look.found, wires[i].value) != 0)
			fail_msg("%s: %s", wires[i].name, look.found);
		if (wires[i].url && strcmp(look.url, wires[i].url) != 0)
			fail_msg("%s: %s", wires[i].name, look.url);
		play_free(p);
	}
}

/* ---- leases and lives ---- */

static void a_run_waits_for_whoever_fetches(void **state)
{
	static const struct scripted script[] = { LAST };
	struct play *p = play_new(CLIENT, PIPELINE);

	(void)state;
	p->vault_access = secret_new(STR("stored"));
	p->vault_version = 3;
	p->vault_busy = 2;
	play_script(p, script, 1);
	assert_string_equal(p->log.p, "? token wait\n* token_refreshing ~\n? token wait\n"
	                              "* token_refreshing ~\n? token ready\n" PAGE(
					      "1") "= 1:\n. success complete \"empty page\"\n");
	play_free(p);
}

/* Each request takes 10 ms of the play's clock, so a life of 30 ms is over after the second page. */
static void slow_answer(struct play *p, const struct http_request *q, size_t n)
{
	if (strstr(q->url.shown, "id.example")) {
		play_answer(p,
		            (struct scripted)SAYS(200, "{'access_token':'abcdef','expires_in':1}"));
	} else {
		p->now_ms += 500;
		play_answer(p, n < 5 ? (struct scripted)FIRST : (struct scripted)LAST);
	}
}

static void a_token_is_renewed_before_its_life_is_over(void **state)
{
	struct play *p = play_new(CLIENT, PIPELINE);

	(void)state;
	p->answer = slow_answer;
	p->quiet_requests = true;
	play_run(p);
	assert_non_null(strstr(p->log.p, "+ token 1 life 1000\n= 1: 1\n= 2: 1\n? token fetch\n"
	                                 "+ token 2 life 1000\n"));
	play_free(p);
}

static void a_cancelled_run_keeps_the_token_that_is_on_its_way(void **state)
{
	static const struct scripted token = TOKEN("abcdef");
	struct play *p = play_new(CLIENT, PIPELINE);
	struct run_act act;
	struct err e = { 0 };
	struct http_answer answer = { .status = 200, .body = arena_copy(p->a, str_of(token.body)) };

	(void)state;
	for (size_t i = 0; i < answer.body.len; i++)
		if (answer.body.p[i] == '\'')
			((char *)answer.body.p)[i] = '"';
	p->options.now_ms = p->now_ms;
	assert_true(run_new(&p->options, &p->run, &e));
	assert_int_equal(run_next(p->run, p->now_ms, &act), RUN_TOKEN);
	run_token_found(p->run, &(struct run_found){ .kind = RUN_TOKEN_FETCH }, p->now_ms);
	assert_int_equal(run_next(p->run, p->now_ms, &act), RUN_SEND);
	assert_true(run_token_is_out(p->run));
	run_cancel(p->run);
	assert_int_equal(run_next(p->run, p->now_ms, &act), RUN_BUSY);
	run_feed(p->run, act.request_id ? act.request_id : 1, &answer, p->now_ms, NULL);
	assert_int_equal(run_next(p->run, p->now_ms, &act), RUN_KEEP);
	assert_true(secret_eq(act.token->access, STR("abcdef")));
	run_token_kept(p->run, 1);
	assert_int_equal(run_next(p->run, p->now_ms, &act), RUN_END);
	assert_int_equal(act.end.status, RUN_CANCELLED);
	run_free(p->run);
	play_free(p);
}

static void no_note_shows_a_token(void **state)
{
	struct play *p = play_new(CLIENT, PIPELINE);
	struct run_act act;
	struct err e = { 0 };
	const struct run_note *notes;
	struct http_answer token = { .status = 200,
		                     .body = STR("{\"access_token\":\"acc-ess-1\"}") };
	struct http_answer echo = { .status = 200,
		                    .body = STR("[{\"id\":1,\"h\":\"Bearer acc-ess-1\"}]") };
	size_t seen = 0;

	(void)state;
	p->options.now_ms = p->now_ms;
	p->options.verbose = true;
	assert_true(run_new(&p->options, &p->run, &e));
	run_next(p->run, p->now_ms, &act);
	run_token_found(p->run, &(struct run_found){ .kind = RUN_TOKEN_FETCH }, p->now_ms);
	for (int i = 0; i < 4; i++) {
		enum run_want want = run_next(p->run, p->now_ms, &act);
		size_t n;

		if (want == RUN_SEND)
			run_feed(p->run, act.request_id, i == 0 ? &token : &echo, p->now_ms, NULL);
		else if (want == RUN_KEEP)
			run_token_kept(p->run, 1);
		n = run_notes(p->run, &notes);
		for (size_t k = 0; k < n; k++, seen++)
			assert_null(memmem(notes[k].json.p, notes[k].json.len, "acc-ess-1", 9));
	}
	assert_true(seen >= 4);
	run_free(p->run);
	play_free(p);
}

/* ---- what is refused when it is saved ---- */

/* clang-format off */
static const struct {
	const char *auth, *at, *slug;
} refusals[] = {
#define BAD(details, at, slug)                                                                     \
	{ "{'type':'OAuth2','details':{" details "}}", "/authConfig/details" at, slug }
	BAD("'tokenUrl':'https://i.example','clientSecret':'abc'", "/clientSecret",
	    "credential_in_template"),
	BAD("'tokenUrl':'https://i.example'", "/clientSecret", "required"),
	BAD("'clientSecret':'{config.token}'", "/tokenUrl", "required"),
	BAD("'tokenUrl':'i.example','clientSecret':'{config.token}'", "/tokenUrl", "url_invalid"),
	BAD("'tokenUrl':'/t?x=1','clientSecret':'{config.token}'", "/tokenUrl", "path_invalid"),
	BAD("'tokenUrl':'https://{config.token}.example/t','clientSecret':'{config.token}'", "/tokenUrl",
	    "secret_in_host"),
	BAD("'tokenUrl':'/t','clientSecret':'{config.nobody}'", "/clientSecret", "unknown_config_field"),
	BAD("'tokenUrl':'/t','clientSecret':'{config.token}','grant':'authorization_code'", "/grant",
	    "not_available"),
	BAD("'tokenUrl':'/t','clientSecret':'{config.token}','grant':'refresh_token'", "/refreshToken",
	    "required"),
	BAD("'tokenUrl':'/t','clientSecret':'{config.token}','refreshToken':'{config.token}'",
	    "/refreshToken", "not_used"),
	BAD("'tokenUrl':'/t','clientSecret':'{config.token}','tokenAuth':'header'", "/tokenAuth",
	    "not_a_choice"),
	BAD("'tokenUrl':'/t','clientSecret':'{config.token}','extraHeaders':{'Host':'x'}",
	    "/extraHeaders/Host", "header_reserved"),
	BAD("'tokenUrl':'/t','clientSecret':'{config.token}','name':'X Y'", "/name", "header_invalid"),
	BAD("'tokenUrl':'/t','clientSecret':'{config.token}','accessTokenPath':'a..b'",
	    "/accessTokenPath", "path_invalid"),
	{ "{'type':'Custom','details':{}}", "/authConfig/details/headerName", "required" },
	{ "{'type':'Custom','details':{'extraHeaders':{'X-A':'b'}}}", "/authConfig/details/headerName",
	  "required" },
	{ "{'type':'Hmac','details':{'key':'abc','text':'x','name':'X'}}", "/authConfig/details/key",
	  "credential_in_template" },
	{ "{'type':'Hmac','details':{'key':'{config.token}','text':'x','name':'X','value':'y'}}",
	  "/authConfig/details/value", "signature_missing" },
	{ "{'type':'Hmac','details':{'key':'{config.token}','text':'x','name':'X','algorithm':'md5'}}",
	  "/authConfig/details/algorithm", "not_a_choice" },
	{ "{'type':'AwsSigV4','details':{'region':'x','service':'s','accessKey':'{config.id}'}}",
	  "/authConfig/details/secretKey", "required" },
};

/* clang-format on */

static void a_definition_is_refused_with_the_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(refusals); i++) {
		struct arena *a = arena_new(8 << 20);
		struct problems *ps = problems_new(a);
		char source[2000];

		snprintf(source, sizeof source, SOURCE("%s"), refusals[i].auth);
		assert_false(definition_check_data_source(doc_read(a, source), "", ps));
		if (!doc_has_problem(ps, refusals[i].at, refusals[i].slug))
			fail_msg("row %zu: %s", i, refusals[i].auth);
		arena_free(a);
	}
}

/* ---- answers that are used again ---- */

#define KEEPS(more)                                                                                \
	"{'name':'API','baseUrl':'https://api.example/v1','configFields':[{'name':'token','type':" \
	"'Password'}],'cacheConfig':{'ttlSeconds':60}" more ",'functions':[{'id':'items','name':"  \
	"'items','path':'/items','parameters':[{'name':'page','type':'integer'}]}]}"
#define ALONE     "{'name':'p','functionId':'items'}"
#define GET_ITEMS "> GET https://api.example/v1/items\n"
#define PASS      "= 1: 1\n"
#define ENDS      ". success complete \"single page\"\n"

static void kept_play(struct play *p, struct scripted answer, int64_t later_ms, const char *wanted)
{
	size_t before = p->log.len;
	struct scripted script[1] = { answer };

	p->now_ms += later_ms;
	p->options.caches = true;
	p->sent = 0;
	p->options.state = STR("");
	play_script(p, script, answer.status ? 1 : 0);
	if (strcmp(p->log.p + before, wanted) != 0)
		fail_msg("%s\nwanted:\n%s", p->log.p + before, wanted);
}

static void an_answer_is_used_again_for_its_time_then_asked_about(void **state)
{
	static const struct scripted good = { 200, "[{'id':1}]", "ETag: \"e1\"", HTTP_FAULT_NONE },
				     other = { 200, "[{'id':2}]", "ETag: \"e2\"", HTTP_FAULT_NONE },
				     same = { 304, "", NULL, HTTP_FAULT_NONE },
				     none = { 0, "", NULL, 0 };
	struct play *p = play_new(KEEPS(""), ALONE);

	(void)state;
	kept_play(p, good, 0, "? kept no\n" GET_ITEMS PASS "+ kept\n" ENDS);
	kept_play(p, none, 30000, "? kept fresh\n" PASS ENDS);
	kept_play(p, same, 31000, "? kept old\n" GET_ITEMS PASS "+ kept still\n" ENDS);
	kept_play(p, none, 59000, "? kept fresh\n" PASS ENDS);
	kept_play(p, other, 2000, "? kept old\n" GET_ITEMS "= 1: 2\n+ kept\n" ENDS);
	play_free(p);
}

static void what_says_no_is_not_kept(void **state)
{
	static const char *const headers[] = { "Set-Cookie: a=b",
		                               "Cache-Control: private, no-store", "Vary: *" };

	(void)state;
	for (size_t i = 0; i < ROWS(headers); i++) {
		struct play *p = play_new(KEEPS(""), ALONE);

		kept_play(p, (struct scripted){ 200, "[{'id':1}]", headers[i], HTTP_FAULT_NONE }, 0,
		          "? kept no\n" GET_ITEMS PASS ENDS);
		play_free(p);
	}
}

static void what_asks_to_be_asked_about_is_never_fresh(void **state)
{
	struct play *p = play_new(KEEPS(""), ALONE);

	(void)state;
	kept_play(p,
	          (struct scripted){ 200, "[{'id':1}]", "Cache-Control: no-cache\nETag: \"x\"",
	                             HTTP_FAULT_NONE },
	          0, "? kept no\n" GET_ITEMS PASS "+ kept\n" ENDS);
	for (int i = 0; i < 2; i++)
		kept_play(p,
		          (struct scripted){ 304, "", "Cache-Control: no-cache", HTTP_FAULT_NONE },
		          10, "? kept old\n" GET_ITEMS PASS "+ kept still\n" ENDS);
	play_free(p);
}

static void an_answer_with_a_live_secret_is_not_kept(void **state)
{
	struct play *p = play_new(KEEPS(""), ALONE);

	(void)state;
	kept_play(p,
	          (struct scripted){ 200, "[{'id':1,'k':'s3cr3t-t0ken'}]", NULL, HTTP_FAULT_NONE },
	          0, "? kept no\n" GET_ITEMS PASS ENDS);
	play_free(p);
}

/* PostgreSQL holds no such text: keeping it would refuse the page with it. */
static void an_answer_whose_headers_are_no_text_is_not_kept(void **state)
{
	struct play *p = play_new(KEEPS(""), ALONE);

	(void)state;
	kept_play(p, (struct scripted){ 200, "[{'id':1}]", "ETag: \"caf\xE9\"", HTTP_FAULT_NONE },
	          0, "? kept no\n" GET_ITEMS PASS ENDS);
	play_free(p);
}

static void pages_whose_position_stands_in_a_body_are_kept_apart(void **state)
{
	static const struct scripted pages[] = {
		{ 200, "{'items':[{'id':1}],'after':'a'}", NULL, HTTP_FAULT_NONE },
		{ 200, "{'items':[{'id':2}]}", NULL, HTTP_FAULT_NONE },
	};
	struct play *p = play_new(
		"{'name':'API','baseUrl':'https://api.example','cacheConfig':{'ttlSeconds':60},"
		"'functions':[{'id':'f','name':'items','path':'/a','recordsPath':'items',"
		"'body':{'size':1}}]}",
		"{'name':'p','functionId':'f','processingSteps':[{'name':'c','type':'api-call'},"
		"{'name':'n','type':'pagination','config':{'type':'cursor','cursorParam':'after',"
		"'inject':'body'}}]}");

	(void)state;
	p->options.caches = true;
	play_script(p, pages, ROWS(pages));
	assert_string_equal(p->log.p,
	                    "? kept no\n> GET https://api.example/a {\"size\":1}\n= 1: 1\n+ kept\n"
	                    "? kept no\n> GET https://api.example/a {\"size\":1,\"after\":\"a\"}\n"
	                    "= 2: 2\n+ kept\n. success complete \"no next cursor\"\n");
	play_free(p);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST("access tokens are fetched, kept and renewed",
		     access_tokens_are_fetched_kept_and_renewed),
		TEST("the wire has what the definition says",
		     the_wire_has_what_the_definition_says),
		TEST("a run waits for whoever fetches", a_run_waits_for_whoever_fetches),
		TEST("a token is renewed before its life is over",
		     a_token_is_renewed_before_its_life_is_over),
		TEST("a cancelled run keeps the token that is on its way",
		     a_cancelled_run_keeps_the_token_that_is_on_its_way),
		TEST("no note shows a token", no_note_shows_a_token),
		TEST("an answer is used again for its time, then asked about",
		     an_answer_is_used_again_for_its_time_then_asked_about),
		TEST("what says no is not kept", what_says_no_is_not_kept),
		TEST("what asks to be asked about is never fresh",
		     what_asks_to_be_asked_about_is_never_fresh),
		TEST("an answer with a live secret is not kept",
		     an_answer_with_a_live_secret_is_not_kept),
		TEST("an answer whose headers are no text is not kept",
		     an_answer_whose_headers_are_no_text_is_not_kept),
		TEST("pages whose position stands in a body are kept apart",
		     pages_whose_position_stands_in_a_body_are_kept_apart),
		TEST("a definition is refused with the place",
		     a_definition_is_refused_with_the_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
