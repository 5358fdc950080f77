/* Drives: what becomes of a request that waits at the gate, or behind its intent, when the run is
 * to stop. */
#include "config.h"

#include <stdio.h>

#include "drive/drive.h"
#include "lib/base/clock.h"
#include "tests/unit/engine_play.h"
#include "tests/unit/rude_server.h"

#include "lib/base/poison.h"

#define SOURCE                                                                                     \
	"{'name':'API','baseUrl':'http://127.0.0.1:%d',"                                           \
	"'configFields':[{'name':'token','type':'Password'}],"                                     \
	"'functions':[{'id':'f','name':'items','path':'%s','method':'%s','parameters':[]}]}"
#define PIPELINE                                                                                   \
	"{'name':'p','functionId':'f','processingSteps':[{'type':'api-call','name':'call'}]}"
#define PATIENCE_MS 10000

struct stage {
	struct server *server;
	struct guard *guard;
	struct play *play; /* for its plan and config */
	struct drive *drive;
	struct drive_run *run; /* NULL once it is over */
	enum gate_answer gate;
	int64_t gate_wait_ms;
	int asked, open_first; /* questions at the gate; so many of them are granted */
	bool intent_out, parked, ended;
	enum run_status status;
	char code[64], state[RUN_STATE_MAX];
	struct run_counts counts;
	int requests_noted;
};

static void on_note(void *arg, struct drive_run *r, const struct run_note *n)
{
	struct stage *s = arg;

	(void)r;
	s->requests_noted += strcmp(n->kind, "request") == 0;
}

static void on_page(void *arg, struct drive_run *r, const struct run_page *page)
{
	(void)arg;
	(void)page;
	drive_page_done(r, true, NULL);
}

static void on_intent(void *arg, struct drive_run *r, struct str state)
{
	struct stage *s = arg;

	(void)r;
	(void)state;
	s->intent_out = true;
}

static void over(struct stage *s, const char *code)
{
	struct str state = drive_run_state(s->run);

	snprintf(s->code, sizeof s->code, "%s", code);
	snprintf(s->state, sizeof s->state, STR_FMT, STR_ARG(state));
	s->counts = drive_run_counts(s->run);
}

static void on_park(void *arg, struct drive_run *r, const struct run_wait *wait)
{
	struct stage *s = arg;

	(void)r;
	s->parked = true;
	over(s, wait->code);
}

static void on_end(void *arg, struct drive_run *r, const struct run_end *end)
{
	struct stage *s = arg;

	(void)r;
	s->ended = true;
	s->status = end->status;
	over(s, end->code);
}

static enum gate_answer on_ask(void *arg, struct drive_run *r, int64_t *wait_ms)
{
	struct stage *s = arg;

	(void)r;
	*wait_ms = s->gate_wait_ms;
	return s->asked++ < s->open_first ? GATE_OPEN : s->gate;
}

static void on_throttle(void *arg, struct drive_run *r, int64_t wait_ms)
{
	(void)arg;
	(void)r;
	(void)wait_ms;
}

static const struct sink sink = {
	.note = on_note, .page = on_page, .intent = on_intent, .park = on_park, .end = on_end
};
static const struct gate gate = { .ask = on_ask, .throttle = on_throttle };

static void stage_open(struct stage *s, const char *path, const char *method)
{
	char allow[64], source[1000];
	struct err e = { 0 };

	s->server = server_start();
	snprintf(allow, sizeof allow, "127.0.0.1/32:%d", server_port(s->server));
	assert_true(guard_new(allow, true, &s->guard, &e));
	snprintf(source, sizeof source, SOURCE, server_port(s->server), path, method);
	s->play = play_new(source, PIPELINE);
	assert_true(drive_new(&(struct drive_options){ .guard = s->guard }, &s->drive, &e));
	assert_true(drive_start(s->drive,
	                        &(struct drive_start){ .run = { .plan = s->play->plan,
	                                                        .config = s->play->config,
	                                                        .execution_id = "e1",
	                                                        .seed = 7 },
	                                               .pool = "t/i",
	                                               .sink = &sink,
	                                               .sink_arg = s,
	                                               .gate = &gate,
	                                               .gate_arg = s },
	                        &s->run, &e));
}

static void stage_close(struct stage *s)
{
	drive_free(s->drive);
	guard_free(s->guard);
	server_stop(s->server);
	play_free(s->play);
}

/* Steps until *flag is set. */
static void until(struct stage *s, const bool *flag)
{
	int64_t deadline = clock_mono_ms() + PATIENCE_MS;

	while (!*flag) {
		assert_true(clock_mono_ms() < deadline);
		drive_step(s->drive, 50);
	}
}

static void until_asked(struct stage *s, int times)
{
	int64_t deadline = clock_mono_ms() + PATIENCE_MS;

	while (s->asked < times) {
		assert_true(clock_mono_ms() < deadline);
		drive_step(s->drive, 50);
	}
}

static void test_retry_at_gate_parks(void **state)
{
	struct stage s = { .gate = GATE_LATER, .open_first = 1 };

	(void)state;
	stage_open(&s, "/hangup", "GET");
	until_asked(&s, 2); /* the first attempt failed, the second one waits at the gate */
	drive_leave(s.run, false);
	drive_step(s.drive, 0);
	assert_true(s.parked);
	assert_string_equal(s.code, "runner_stopping");
	assert_int_equal(s.counts.requests, 1);
	assert_int_equal(s.requests_noted, 1); /* it is noted when it leaves, not when it waits */
	stage_close(&s);
}

static void test_gate_counts_nothing(void **state)
{
	struct stage s = { .gate = GATE_WAIT, .gate_wait_ms = 60000 };

	(void)state;
	stage_open(&s, "/plain", "GET");
	until(&s, &s.parked);
	assert_string_equal(s.code, "rate_limited");
	assert_int_equal(s.counts.requests, 0);
	assert_int_equal(server_requests(s.server), 0);
	stage_close(&s);
}

static void test_cancel_behind_intent(void **state)
{
	struct stage s = { .gate = GATE_OPEN };

	(void)state;
	stage_open(&s, "/plain", "POST");
	until(&s, &s.intent_out);
	drive_cancel(s.run);
	drive_page_done(s.run, true, NULL);
	until(&s, &s.ended);
	assert_int_equal(s.status, RUN_CANCELLED);
	assert_int_equal(s.counts.requests, 0);
	assert_int_equal(server_requests(s.server), 0);
	stage_close(&s);
}

static void test_leave_behind_intent(void **state)
{
	struct stage s = { .gate = GATE_OPEN };

	(void)state;
	stage_open(&s, "/plain", "POST");
	until(&s, &s.intent_out);
	drive_leave(s.run, false);
	drive_page_done(s.run, true, NULL);
	until(&s, &s.parked);
	assert_null(strstr(s.state, "intent")); /* the committed one is withdrawn by this state */
	assert_non_null(strstr(s.state, "\"plan\""));
	assert_int_equal(server_requests(s.server), 0);
	stage_close(&s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST("a retry that waits at the gate parks when the drive is left",
		     test_retry_at_gate_parks),
		TEST("a request that the gate held back is not counted", test_gate_counts_nothing),
		TEST("a run that is cancelled while its intent is committed sends nothing",
		     test_cancel_behind_intent),
		TEST("a run that leaves while its intent is committed withdraws it",
		     test_leave_behind_intent),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("drive_gate", tests, NULL, NULL);
}
