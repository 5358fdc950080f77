/* Transfers beside each other: pools, the budget, cancelling, and being driven. */
#include "config.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/http/loop.h"
#include "tests/unit/http_world.h"

#include "lib/base/poison.h"

#define MIB         (1 << 20)
#define PATIENCE_MS 60000 /* for what comes at once, but not under valgrind on a busy machine */

/* --- pools --- */

static void a_pool_uses_its_connection_again_and_no_other_pools(void **state)
{
	struct world *w = *state;
	char url[256];

	local_url(w, url, "/plain");
	for (int i = 0; i < 3; i++)
		assert_fault(fetch(w, "/plain"), HTTP_FAULT_NONE, "/plain");
	assert_int_equal(server_accepts(w->server), 1);
	w->done = 0;
	(void)send_to(w, "tenant/two", (struct http_request){ 0 }, url);
	run_until(w, 1);
	assert_fault(w->answer, HTTP_FAULT_NONE, "/plain");
	assert_int_equal(server_accepts(w->server), 2);
	assert_int_equal(server_requests(w->server), 4);
}

static void an_idle_pool_is_closed(void **state)
{
	struct world *w = *state;
	struct http_pool *before;
	int64_t end_ms;

	http_free(w->http);
	w->http = http_of(w, (struct http_options){ .pool_idle_s = 1 });
	assert_fault(fetch(w, "/plain"), HTTP_FAULT_NONE, "/plain");
	before = http_pool(w->http, "tenant/one");
	assert_ptr_equal(before, http_pool(w->http, "tenant/one"));
	end_ms = clock_mono_ms() + 1500;
	while (clock_mono_ms() < end_ms)
		http_step(w->http, 100);
	assert_fault(fetch(w, "/plain"), HTTP_FAULT_NONE, "/plain");
	assert_int_equal(server_accepts(w->server), 2);
}

static void many_transfers_run_at_once(void **state)
{
	struct world *w = *state;
	char url[256], pool[32];

	http_free(w->http);
	w->http = http_of(w, (struct http_options){ 0 }); /* patient: a hundred take their time */
	local_url(w, url, "/half-mib");
	w->done = 0;
	for (int i = 0; i < 100; i++) {
		snprintf(pool, sizeof(pool), "tenant/%d", i % 10);
		(void)send_to(w, pool, (struct http_request){ 0 }, url);
	}
	assert_int_equal(http_active(w->http), 100);
	run_until(w, 100);
	assert_int_equal(http_active(w->http), 0);
	assert_fault(w->answer, HTTP_FAULT_NONE, "/half-mib");
	assert_int_equal(w->answer->body.len, MIB / 2);
}

static void transfers_beyond_the_budget_wait_and_all_arrive(void **state)
{
	struct world *w = *state;
	char url[256];

	http_free(w->http);
	w->http = http_of(w, (struct http_options){ .bytes_max = 2 * MIB });
	local_url(w, url, "/half-mib");
	w->done = 0;
	for (int i = 0; i < 40; i++)
		(void)send_to(w, "tenant/one", (struct http_request){ 0 }, url);
	run_until(w, 40);
	assert_fault(w->answer, HTTP_FAULT_NONE, "/half-mib");
	assert_int_equal(w->answer->body.len, MIB / 2);
}

struct hoard {
	struct http_answer *kept[16];
	int count;
};

static void on_hoard(void *arg, struct http_answer *a)
{
	struct hoard *hoard = arg;

	hoard->kept[hoard->count++] = http_answer_keep(a);
}

static void hoard_until(struct world *w, struct hoard *hoard, int count, int64_t ms)
{
	int64_t end_ms = clock_mono_ms() + ms;

	while (hoard->count < count && clock_mono_ms() < end_ms) {
		http_step(w->http, 50);
		/* Not a byte over the budget, whatever stands in files. */
		assert_true(atomic_load(&w->http->budget->used) <= MIB);
	}
}

/* With http_may_grow always true, the third arrives while the first two fill the budget. */
static void kept_answers_hold_back_new_ones_until_they_are_freed(void **state)
{
	struct world *w = *state;
	struct hoard hoard = { 0 };
	struct secret *wire;
	struct http_request r = { .timeout_ms = PATIENCE_MS };
	char url[256];

	http_free(w->http);
	w->http = http_of(w, (struct http_options){ .bytes_max = MIB });
	wire = secret_new(str_of(local_url(w, url, "/half-mib")));
	r.url = (struct http_text){ wire, url };
	for (int i = 0; i < 2; i++) {
		assert_non_null(http_send(http_pool(w->http, "x"), &r, on_hoard, &hoard));
		hoard_until(w, &hoard, i + 1, PATIENCE_MS);
	}
	assert_int_equal(atomic_load(&w->http->budget->used), MIB);
	for (int i = 0; i < 6; i++)
		assert_non_null(http_send(http_pool(w->http, "x"), &r, on_hoard, &hoard));
	hoard_until(w, &hoard, 3, 500);
	assert_int_equal(hoard.count, 2);
	http_answer_free(hoard.kept[0]);
	http_answer_free(hoard.kept[1]);
	for (int freed = 2; freed < 8; freed++) {
		hoard_until(w, &hoard, freed + 1, PATIENCE_MS);
		assert_true(hoard.count > freed);
		assert_fault(hoard.kept[freed], HTTP_FAULT_NONE, "kept");
		assert_int_equal(hoard.kept[freed]->body.len, MIB / 2);
		http_answer_free(hoard.kept[freed]);
	}
	assert_int_equal(atomic_load(&w->http->budget->used), 0);
	assert_int_equal(atomic_load(&w->http->budget->kept), 0);
	secret_free(wire);
}

/* --- cancelling, and being driven --- */

static void a_cancelled_transfer_says_so_at_once(void **state)
{
	struct world *w = *state;
	struct http_transfer *t;
	char url[256];

	t = send_to(w, "tenant/one", (struct http_request){ 0 }, local_url(w, url, "/brook"));
	for (int i = 0; i < 500 && atomic_load(&w->http->budget->used) == 0; i++)
		http_step(w->http, 20);
	http_cancel(t);
	assert_int_equal(w->done, 1);
	assert_fault(w->answer, HTTP_FAULT_CANCELLED, "/brook");
	assert_int_equal(w->answer->status, 200);
	assert_true(w->answer->body.len > 0);
	t = send_to(w, "tenant/one", (struct http_request){ 0 }, local_url(w, url, "/plain"));
	http_cancel(t); /* before its first step */
	t = send_to(w, "tenant/one", (struct http_request){ 0 }, "http://10.0.0.1/");
	http_cancel(t); /* a refused one, before it is delivered */
	assert_int_equal(w->done, 3);
	http_step(w->http, 0);
	assert_int_equal(w->done, 3);
	assert_int_equal(http_active(w->http), 0);
	assert_fault(fetch(w, "/plain"), HTTP_FAULT_NONE, "/plain");
}

static void an_http_is_freed_with_transfers_under_way(void **state)
{
	struct world *w = *state;
	char url[256];

	for (int i = 0; i < 5; i++)
		(void)send_to(w, "tenant/one", (struct http_request){ 0 },
		              local_url(w, url, "/brook"));
	(void)send_to(w, "tenant/one", (struct http_request){ 0 }, "http://10.0.0.1/");
	http_step(w->http, 50);
	w->done = 0;
	http_free(w->http);
	w->http = NULL;
	assert_int_equal(w->done, 0);
}

struct chain {
	struct world *w;
	struct http_transfer *victim;
	int left;
};

static void on_chain(void *arg, struct http_answer *a)
{
	struct chain *c = arg;
	char url[256];
	struct secret *wire = secret_new(str_of(local_url(c->w, url, "/plain")));
	const struct http_request r = { .url = { wire, url } };

	assert_fault(a, HTTP_FAULT_NONE, "chain");
	if (c->victim != NULL) {
		struct http_transfer *victim = c->victim;

		c->victim = NULL;
		http_cancel(victim);
	}
	if (--c->left > 0)
		assert_non_null(http_send(http_pool(c->w->http, "chain"), &r, on_chain, c));
	secret_free(wire);
}

static void done_may_send_and_cancel(void **state)
{
	struct world *w = *state;
	struct chain c = { .w = w, .left = 20 };
	char url[256];
	struct secret *wire = secret_new(str_of(local_url(w, url, "/plain")));
	const struct http_request r = { .url = { wire, url } };
	int64_t end_ms = clock_mono_ms() + PATIENCE_MS;

	c.victim = send_to(w, "chain", (struct http_request){ 0 }, local_url(w, url, "/hang"));
	assert_non_null(http_send(http_pool(w->http, "chain"), &r, on_chain, &c));
	while (c.left > 0 && clock_mono_ms() < end_ms)
		http_step(w->http, 1000);
	assert_int_equal(c.left, 0);
	assert_int_equal(w->done, 1);
	assert_fault(w->answer, HTTP_FAULT_CANCELLED, "victim");
	secret_free(wire);
}

/* A caller with an epoll of its own steps only when the descriptor says so. */
static void the_descriptor_tells_when_there_is_work(void **state)
{
	struct world *w = *state;
	struct pollfd p = { .fd = http_fd(w->http), .events = POLLIN };
	char url[256];

	http_step(w->http, 0);
	assert_int_equal(poll(&p, 1, 50), 0);
	static const char *const row[] = { "/plain", "/hang", "/drip" };
	for (size_t i = 0; i < 3; i++) {
		int steps = 0;

		w->done = 0;
		(void)send_to(w, "tenant/one", (struct http_request){ .timeout_ms = 5000 },
		              local_url(w, url, row[i]));
		while (w->done == 0) {
			assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
			http_step(w->http, 0);
			steps++;
		}
		assert_true(steps < 200); /* and does not when there is none */
	}
	w->done = 0;
	(void)send_to(w, "tenant/one", (struct http_request){ 0 }, "http://10.0.0.1/");
	assert_int_equal(poll(&p, 1, 1000), 1);
	http_step(w->http, 0);
	assert_int_equal(w->done, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_pool_uses_its_connection_again_and_no_other_pools),
		TEST(an_idle_pool_is_closed),
		TEST(many_transfers_run_at_once),
		TEST(transfers_beyond_the_budget_wait_and_all_arrive),
		TEST(kept_answers_hold_back_new_ones_until_they_are_freed),
		TEST(a_cancelled_transfer_says_so_at_once),
		TEST(an_http_is_freed_with_transfers_under_way),
		TEST(done_may_send_and_cancel),
		TEST(the_descriptor_tells_when_there_is_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
