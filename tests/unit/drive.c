/* drive - what becomes of requests, pages, waits and ends, against a small API of our own */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#include "drive/gate.h"
#include "drive/load.h"
#include "drive/once.h"
#include "drive/sink_memory.h"
#include "drive/sink_ndjson.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "tests/unit/drive_server.h"
#include "lib/base/poison.h"

#define KEY "very-secret-key-1234"

struct fixture {
	struct arena *arena;
	int port;
	struct guard *guard;
	struct drive *drive;
	struct loaded *loaded;
	struct sink_memory memory;
	struct err e;
};

static int setup(void **state)
{
	static struct fixture f;
	char allow[40];

	f = (struct fixture){ .arena = arena_new(16 << 20), .port = drive_server_start() };
	snprintf(allow, sizeof(allow), "127.0.0.1/32:%d", f.port);
	assert_true(guard_new(allow, false, &f.guard, &f.e));
	assert_true(drive_new(&(struct drive_options){ .guard = f.guard }, &f.drive, &f.e));
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	drive_free(f->drive);
	load_free(f->loaded);
	guard_free(f->guard);
	arena_free(f->arena);
	return 0;
}

static const char *document(struct fixture *f)
{
	return arena_printf(
		f->arena,
		"{\"dataSource\":{\"name\":\"API\",\"protocol\":\"REST\",\"baseUrl\":"
		"\"http://127.0.0.1:%d/{config.scene}\",\"configFields\":[{\"name\":\"scene\","
		"\"type\":\"Text\",\"label\":\"Scene\",\"required\":true},{\"name\":\"key\","
		"\"type\":"
		"\"Password\",\"label\":\"Key\",\"required\":true,\"encrypted\":true}],"
		"\"authConfig\":{\"type\":\"Custom\",\"details\":{\"headerName\":\"X-Key\","
		"\"headerValue\":\"{config.key}\"}},\"functions\":[{\"id\":\"items\",\"name\":"
		"\"getItems\",\"method\":\"GET\",\"path\":\"/items\",\"requiresAuth\":true}]},"
		"\"collector\":{\"pipelines\":[{\"id\":\"p1\",\"name\":\"Items\",\"functionId\":"
		"\"items\",\"dataIngestion\":{\"strategy\":\"incremental\",\"cursorField\":\"at\"},"
		"\"processingSteps\":[{\"name\":\"Fetch\",\"type\":\"api-call\",\"enabled\":true},"
		"{\"name\":\"Paginate\",\"type\":\"pagination\",\"enabled\":true,\"config\":{"
		"\"type\":"
		"\"cursor\",\"cursorParam\":\"cursor\",\"cursorPath\":\"next_cursor\"}},{\"name\":"
		"\"Store\",\"type\":\"store-database\",\"enabled\":true}]}]}}",
		f->port);
}

static bool load(struct fixture *f, const char *scene, const struct load_options *more)
{
	struct load_options o = more ? *more : (struct load_options){ 0 };

	o.document = str_of(document(f));
	if (!o.config.len)
		o.config = str_of(
			arena_printf(f->arena, "{\"scene\":\"%s\",\"key\":\"" KEY "\"}", scene));
	load_free(f->loaded);
	f->loaded = NULL;
	return load_pipeline(&o, &f->loaded, &f->e);
}

static struct drive_start start_of(struct fixture *f, const char *scene, const struct sink *sink,
                                   void *arg)
{
	if (!load(f, scene, NULL))
		fail_msg("%s: %s", f->e.slug, f->e.msg);
	return (struct drive_start){ .run = { .plan = f->loaded->plan,
		                              .config = f->loaded->config,
		                              .execution_id = "x",
		                              .seed = 1 },
		                     .pool = "t/o",
		                     .sink = sink,
		                     .sink_arg = arg };
}

static void step_until(struct fixture *f, const bool *over, int64_t ms)
{
	int64_t end = clock_mono_ms() + ms;

	while (!*over && clock_mono_ms() < end)
		drive_step(f->drive, 50);
}

/* ---- a sink that writes down what it is told, and answers late ---- */

struct told {
	char text[500];
	struct drive_run *run;
	struct run_page page;
	bool page_out, over;
	char state[4096], cursor[100];
};

static void told_add(struct told *t, const char *word, const char *code)
{
	size_t len = strlen(t->text);

	snprintf(t->text + len, sizeof(t->text) - len, "%s%s%s ", word, code[0] ? ":" : "", code);
}

static void told_note(void *arg, struct drive_run *r, const struct run_note *n)
{
	(void)arg;
	(void)r;
	assert_null(memmem(n->json.p, n->json.len, KEY, strlen(KEY)));
}

static void told_page(void *arg, struct drive_run *r, const struct run_page *page)
{
	struct told *t = arg;

	t->run = r;
	t->page = *page;
	t->page_out = true;
	told_add(t, "page", page->last ? "last" : "");
	snprintf(t->state, sizeof(t->state), STR_FMT, STR_ARG(page->state_after));
}

static void told_over(struct told *t, const char *word, const char *code, const struct drive_run *r)
{
	struct str cursor = drive_run_cursor(r), state = drive_run_state(r);

	told_add(t, word, code);
	snprintf(t->cursor, sizeof(t->cursor), STR_FMT, STR_ARG(cursor));
	if (state.len > 0)
		snprintf(t->state, sizeof(t->state), STR_FMT, STR_ARG(state));
	t->over = true;
}

static void told_park(void *arg, struct drive_run *r, const struct run_wait *wait)
{
	told_over(arg, "park", wait->code, r);
}

static void told_end(void *arg, struct drive_run *r, const struct run_end *end)
{
	struct told *t = arg;

	told_add(t, "end", run_status_name(end->status));
	told_over(t, end->complete ? "complete" : "", end->code, r);
}

static const struct sink SINK_TOLD = {
	.note = told_note, .page = told_page, .park = told_park, .end = told_end
};

static void pages_commit(struct fixture *f, struct told *t, int pages)
{
	for (int i = 0; i < pages && !t->over; i++) {
		step_until(f, &t->page_out, 3000);
		assert_true(t->page_out);
		t->page_out = false;
		drive_page_done(t->run, true, NULL);
	}
}

static struct drive_run *begin(struct fixture *f, const char *scene, struct told *t)
{
	struct drive_start s = start_of(f, scene, &SINK_TOLD, t);
	struct drive_run *r;

	assert_true(drive_start(f->drive, &s, &r, &f->e));
	return r;
}

static void hands_out_pages_in_order(void **state)
{
	struct fixture *f = *state;
	struct told t = { 0 };

	begin(f, "pages", &t);
	step_until(f, &t.page_out, 3000);
	for (int i = 0; i < 5; i++)
		drive_step(f->drive, 5);
	assert_string_equal(t.text, "page "); /* nothing more while it is with the sink */
	pages_commit(f, &t, 3);
	step_until(f, &t.over, 3000);
	assert_string_equal(t.text, "page page page:last end:success complete ");
	assert_string_equal(t.cursor, "2025-01-03T12:00:00Z");
	assert_int_equal(drive_count(f->drive), 0);
}

static void refused_page_ends_with_its_error(void **state)
{
	struct fixture *f = *state;
	struct told t = { 0 };
	struct err e = { 0 };

	begin(f, "pages", &t);
	step_until(f, &t.page_out, 3000);
	err_set(&e, ERR_DB, "database", "No.");
	drive_page_done(t.run, false, &e);
	step_until(f, &t.over, 1000);
	assert_string_equal(t.text, "page end:failed :database ");
}

static void dropped_page_ends_silently(void **state)
{
	struct fixture *f = *state;
	struct told t = { 0 };

	begin(f, "pages", &t);
	step_until(f, &t.page_out, 3000);
	drive_page_done(t.run, false, NULL);
	drive_step(f->drive, 0);
	assert_string_equal(t.text, "page ");
	assert_int_equal(drive_count(f->drive), 0);
}

static void taken_page_outlives_its_run(void **state)
{
	struct fixture *f = *state;
	struct told t = { 0 };
	struct run_page *page;

	begin(f, "pages", &t);
	step_until(f, &t.page_out, 3000);
	page = drive_page_take(t.run);
	assert_non_null(page);
	assert_true(drive_abort(t.run));
	drive_step(f->drive, 0);
	assert_string_equal(t.text, "page ");
	assert_int_equal(drive_count(f->drive), 0);
	assert_int_equal(page->records[0].bytes.p[0], '{');
	assert_int_equal(page->state_after.p[0], '{');
	run_page_free(page);
}

static void run_ends_when_a_taken_page_is_refused(void **state)
{
	struct fixture *f = *state;
	struct told t = { 0 };
	struct err e = { 0 };

	begin(f, "pages", &t);
	step_until(f, &t.page_out, 3000);
	run_page_free(drive_page_take(t.run));
	drive_page_done(t.run, true, NULL); /* the next page may come meanwhile */
	err_set(&e, ERR_DB, "database", "No.");
	drive_fail(t.run, &e);
	step_until(f, &t.over, 1000);
	assert_string_equal(t.text, "page end:failed :database ");
}

static void long_wait_parks(void **state)
{
	struct fixture *f = *state;
	struct told t = { 0 };

	begin(f, "busy", &t);
	pages_commit(f, &t, 1);
	step_until(f, &t.over, 3000);
	assert_string_equal(t.text, "page park:upstream_rate_limited ");
}

static void leaving_finishes_the_page(void **state)
{
	struct fixture *f = *state;
	struct told t = { 0 };
	struct drive_run *r = begin(f, "pages", &t);

	drive_step(f->drive, 0); /* the first request is out */
	drive_leave(r, false);
	pages_commit(f, &t, 1);
	step_until(f, &t.over, 3000);
	assert_string_equal(t.text, "page park:runner_stopping ");
}

static void leaving_now_gives_up_and_goes_on_behind_the_last_page(void **state)
{
	struct fixture *f = *state;
	struct told t = { 0 }, again = { 0 };
	struct drive_run *r = begin(f, "hang", &t);
	struct drive_start s;

	pages_commit(f, &t, 1);
	drive_step(f->drive, 50);
	drive_leave(r, false);
	drive_step(f->drive, 50);
	assert_false(t.over); /* an answer is still hoped for */
	drive_leave(r, true);
	step_until(f, &t.over, 1000);
	assert_string_equal(t.text, "page park:runner_stopping ");
	s = start_of(f, "pages", &SINK_TOLD, &again);
	s.run.state = str_of(t.state);
	assert_true(drive_start(f->drive, &s, &r, &f->e));
	pages_commit(f, &again, 2);
	step_until(f, &again.over, 3000);
	assert_string_equal(again.text, "page page:last end:success complete ");
}

static void cancel_ends_a_run_that_hangs(void **state)
{
	struct fixture *f = *state;
	struct told t = { 0 };
	struct drive_run *r = begin(f, "hang", &t);

	pages_commit(f, &t, 1);
	drive_step(f->drive, 50);
	drive_cancel(r);
	step_until(f, &t.over, 1000);
	assert_string_equal(t.text, "page end:cancelled :cancelled ");
}

static void hanging_run_stalls(void **state)
{
	struct fixture *f = *state;
	struct told t = { 0 };

	drive_free(f->drive);
	assert_true(drive_new(&(struct drive_options){ .guard = f->guard, .stall_ms = 100 },
	                      &f->drive, &f->e));
	begin(f, "hang", &t);
	pages_commit(f, &t, 1);
	step_until(f, &t.over, 3000);
	assert_string_equal(t.text, "page end:failed :stalled ");
}

/* ---- gates ---- */

static void bucket_keeps_the_rate(void **state)
{
	struct gate_bucket b;
	int granted = 0;

	(void)state;
	gate_bucket_init(&b, 10, 5, 0);
	for (int64_t now = 0; now <= 10000; now++)
		granted += gate_bucket_take(&b, now) == 0;
	assert_in_range(granted, 104, 105); /* burst 5, then 10 a second */
}

static void bucket_says_how_long_to_wait(void **state)
{
	struct gate_bucket b;

	(void)state;
	gate_bucket_init(&b, 10, 1, 0);
	assert_int_equal(gate_bucket_take(&b, 0), 0);
	assert_int_equal(gate_bucket_take(&b, 0), 100);
	assert_int_equal(gate_bucket_take(&b, 100), 0);
	gate_bucket_block(&b, 100, 5000);
	assert_int_equal(gate_bucket_take(&b, 100), 5000);
	assert_int_not_equal(gate_bucket_take(&b, 5100), 0); /* it begins again from nothing */
	assert_int_equal(gate_bucket_take(&b, 5200), 0);
}

static enum gate_answer later(void *arg, struct drive_run *r, int64_t *wait_ms)
{
	(void)r;
	(void)wait_ms;
	++*(int *)arg;
	return GATE_LATER;
}

static void gate_holds_a_request_until_it_opens(void **state)
{
	static const struct gate GATE = { .ask = later };
	struct fixture *f = *state;
	struct told t = { 0 };
	int asked = 0;
	struct drive_start s = start_of(f, "pages", &SINK_TOLD, &t);
	struct drive_run *r;

	s.gate = &GATE;
	s.gate_arg = &asked;
	assert_true(drive_start(f->drive, &s, &r, &f->e));
	drive_step(f->drive, 50);
	assert_int_equal(asked, 1);
	drive_gate_open(r, 10); /* not yet */
	drive_step(f->drive, 50);
	assert_int_equal(asked, 2);
	drive_gate_open(r, 0);
	step_until(f, &t.page_out, 3000);
	assert_string_equal(t.text, "page ");
	drive_page_done(r, true, NULL);
	drive_step(f->drive, 0);
	drive_gate_open(r, 60000); /* longer than the loop holds */
	drive_step(f->drive, 0);
	assert_string_equal(t.text, "page park:rate_limited ");
}

/* ---- sinks ---- */

static struct sink_memory *memory_run(struct fixture *f, const char *scene,
                                      struct sink_memory_options o, int64_t time_max_ms)
{
	o.arena = f->arena;
	sink_memory_init(&f->memory, &o);
	if (!drive_run_once(
		    &(struct drive_once){ .drive.guard = f->guard,
	                                  .start = start_of(f, scene, &SINK_MEMORY, &f->memory),
	                                  .time_max_ms = time_max_ms,
	                                  .time_stop = "A test takes a second at most." },
		    &f->e))
		fail_msg("%s", f->e.msg);
	return &f->memory;
}

static void memory_keeps_steps_and_records_without_secrets(void **state)
{
	struct sink_memory *m = memory_run(*state, "pages", (struct sink_memory_options){ 0 }, 0);
	struct buf b;

	assert_string_equal(sink_memory_status(m), "success");
	assert_int_equal(m->record_count, 6);
	assert_null(m->bounded);
	assert_int_equal(m->counts.requests, 3);
	assert_string_equal(m->notes[0].kind, "request");
	buf_init(&b, 1 << 20);
	sink_memory_write(m, &b);
	assert_non_null(strstr(b.p, "\"records\":[{\"id\":1,"));
	assert_null(strstr(b.p, KEY));
	buf_free(&b);
}

static void memory_that_shows_a_part_says_why_the_whole_ended(void **state)
{
	struct sink_memory *m =
		memory_run(*state, "pages", (struct sink_memory_options){ .records_max = 5 }, 0);

	assert_non_null(m->bounded);
	assert_string_equal(m->bounded, arena_printf(m->o.arena,
	                                             "The first 5 records are shown; it read on to "
	                                             "its end: %s.",
	                                             m->end.stop));
	assert_true(m->end.complete && m->end.stop[0]);
}

static void memory_stops_at_its_bounds(void **state)
{
	static const struct {
		const char *name;
		struct sink_memory_options o;
		size_t records, pages;
	} rows[] = {
		{ "two pages", { .pages_max = 2 }, 4, 2 },
		{ "three records", { .records_max = 3 }, 3, 2 },
		{ "one record, and yet the second page", { .records_max = 1 }, 1, 2 },
		{ "one page, because it was asked for",
		  { .records_max = 1, .pages_max = 1 },
		  1,
		  1 },
		{ "few bytes", { .bytes_max = 1 }, 0, 1 },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct sink_memory *m = memory_run(*state, "pages", rows[i].o, 0);

		row_check(rows[i].name, m->bounded != NULL);
		row_check(rows[i].name, m->record_count == rows[i].records);
		row_check(rows[i].name, m->pages == rows[i].pages);
		row_check(rows[i].name, m->end.status == RUN_SUCCESS && !m->end.complete);
	}
}

static void memory_says_waiting_and_failed(void **state)
{
	struct sink_memory *m = memory_run(*state, "busy", (struct sink_memory_options){ 0 }, 0);

	assert_string_equal(sink_memory_status(m), "waiting");
	assert_non_null(strstr(m->wait.message, "A test does not wait that long"));
	assert_null(strstr(m->wait.message, "goes on")); /* nothing does */
	m = memory_run(*state, "denied", (struct sink_memory_options){ 0 }, 0);
	assert_string_equal(sink_memory_status(m), "failed");
	assert_string_equal(m->end.code, "credential_rejected");
	assert_int_equal(m->record_count, 2);
	m = memory_run(*state, "denied", (struct sink_memory_options){ .records_max = 1 }, 0);
	assert_string_equal(sink_memory_status(m), "failed");
	assert_null(m->bounded); /* it read to no end */
}

static void test_ends_when_its_time_is_up(void **state)
{
	int64_t start = clock_mono_ms();
	struct sink_memory *m = memory_run(*state, "hang", (struct sink_memory_options){ 0 }, 300);

	assert_in_range(clock_mono_ms() - start, 290, 2000);
	assert_string_equal(m->end.stop, "A test takes a second at most.");
}

static void ndjson_writes_a_line_per_record(void **state)
{
	struct fixture *f = *state;
	FILE *out = tmpfile(), *err = tmpfile();
	struct sink_ndjson sink = { .out = out, .err = err, .records_max = 5 };
	struct drive_start s = start_of(f, "pages", &SINK_NDJSON, &sink);
	char text[1000] = "";
	int lines = 0;

	assert_true(
		drive_run_once(&(struct drive_once){ .drive.guard = f->guard, .start = s }, &f->e));
	rewind(out);
	while (fgets(text, sizeof(text), out))
		lines++;
	assert_int_equal(lines, 5);
	assert_memory_equal(text, "{\"id\":5,", 8);
	rewind(err);
	assert_non_null(fgets(text, sizeof(text), err));
	assert_non_null(strstr(text, "5 records written, 3 pages, 3 requests"));
	fclose(out);
	fclose(err);
}

static void ndjson_that_cannot_write_fails(void **state)
{
	struct fixture *f = *state;
	FILE *full = fopen("/dev/full", "w"), *err = tmpfile();
	struct sink_ndjson sink = { .out = full, .err = err };
	struct drive_start s = start_of(f, "pages", &SINK_NDJSON, &sink);

	assert_true(
		drive_run_once(&(struct drive_once){ .drive.guard = f->guard, .start = s }, &f->e));
	assert_int_equal(sink.status, RUN_FAILED);
	fclose(full);
	fclose(err);
}

/* ---- loading ---- */

static void load_refuses_with_a_remedy(void **state)
{
	static const struct {
		const char *config, *pipeline, *slug;
		enum run_remedy remedy;
	} rows[] = {
		{ "{\"scene\":\"a\",\"key\":\"k\"}", "p2", "pipeline_unknown", REMEDY_DEFINITION },
		{ "{\"key\":\"k\"}", "p1", "config_invalid", REMEDY_TENANT },
		{ "{\"scene\":\"a\"}", "p1", "config_invalid", REMEDY_TENANT },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ROWS(rows); i++) {
		err_clear(&f->e);
		row_check(rows[i].slug,
		          !load(f, "",
		                &(struct load_options){ .config = str_of(rows[i].config),
		                                        .pipeline_id = rows[i].pipeline }));
		row_check(f->e.slug, strcmp(f->e.slug, rows[i].slug) == 0);
		row_check(f->e.slug, load_remedy(&f->e) == rows[i].remedy);
	}
}

static void load_opens_sealed_secrets_of_this_place_only(void **state)
{
	struct fixture *f = *state;
	char folder[] = "/tmp/drive.XXXXXX";
	const char *public_path, *private_path;
	struct seal_keys *keys;
	struct seal_place place = {
		.tenant = uuid_v7(), .owner = uuid_v7(), .field = "key", .version = 3
	};
	struct load_sealed sealed = { .field = "key", .version = 3 };
	struct load_options o = { .config = STR("{\"scene\":\"a\"}"),
		                  .sealed = &sealed,
		                  .sealed_count = 1,
		                  .tenant = place.tenant,
		                  .owner = place.owner };
	uint32_t kid;

	assert_non_null(mkdtemp(folder));
	public_path = arena_printf(f->arena, "%s/p", folder);
	private_path = arena_printf(f->arena, "%s/s", folder);
	assert_true(seal_keys_add(public_path, private_path, &kid, &f->e));
	assert_true(seal_keys_load(public_path, private_path, &keys, &f->e));
	assert_true(seal_close(f->arena, keys, &place, STR(KEY), &sealed.blob, &f->e));
	o.keys = keys;
	assert_true(load(f, "", &o));
	sealed.version = 4;
	assert_false(load(f, "", &o));
	assert_string_equal(f->e.slug, "credential_unreadable");
	assert_int_equal(load_remedy(&f->e), REMEDY_TENANT);
	seal_keys_free(keys);
	unlink(public_path);
	unlink(private_path);
	rmdir(folder);
}

#define CASE(sentence, function)                                                                   \
	{                                                                                          \
		.name = (sentence), .test_func = (function), .setup_func = setup,                  \
		.teardown_func = teardown                                                          \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE("pages leave in order, one at a time", hands_out_pages_in_order),
		CASE("a page that is refused ends its run with the error",
		     refused_page_ends_with_its_error),
		CASE("a page that is not ours any more ends its run silently",
		     dropped_page_ends_silently),
		CASE("a page that was taken outlives its run", taken_page_outlives_its_run),
		CASE("a run ends when a page that was taken is refused",
		     run_ends_when_a_taken_page_is_refused),
		CASE("a wait longer than the loop holds parks the run", long_wait_parks),
		CASE("a leaving run finishes the page in hand", leaving_finishes_the_page),
		CASE("a run that leaves at once goes on behind its last page",
		     leaving_now_gives_up_and_goes_on_behind_the_last_page),
		CASE("cancelling ends a run whose answer does not come",
		     cancel_ends_a_run_that_hangs),
		CASE("a run without progress ends as stalled", hanging_run_stalls),
		CASE("a bucket grants its burst and its rate, no more", bucket_keeps_the_rate),
		CASE("a bucket says how long to wait, also after a 429",
		     bucket_says_how_long_to_wait),
		CASE("a request waits for its gate, and parks when that takes long",
		     gate_holds_a_request_until_it_opens),
		CASE("the memory sink keeps steps and records, never a secret",
		     memory_keeps_steps_and_records_without_secrets),
		CASE("a test that shows a part says why the whole ended",
		     memory_that_shows_a_part_says_why_the_whole_ended),
		CASE("the memory sink stops at each of its bounds and says so",
		     memory_stops_at_its_bounds),
		CASE("a test that would wait or fails says why", memory_says_waiting_and_failed),
		CASE("a test ends when its time is up", test_ends_when_its_time_is_up),
		CASE("records are written a line each, up to the limit",
		     ndjson_writes_a_line_per_record),
		CASE("output that cannot be written fails the run", ndjson_that_cannot_write_fails),
		CASE("what cannot be loaded names its remedy", load_refuses_with_a_remedy),
		CASE("a sealed secret opens in its own place and version only",
		     load_opens_sealed_secrets_of_this_place_only),
	};

	log_open("drive", LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
