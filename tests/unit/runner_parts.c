/* runner - what its threads share: the queue of jobs, the lease and the mailbox */
#include "config.h"

#include <pthread.h>
#include <string.h>

#include "tests/unit/unit.h"

#include "lib/base/clock.h"
#include "runner/runner.h"
#include "lib/base/poison.h"

static void queue_is_bounded_and_in_order(void **state)
{
	struct job jobs[3] = { { .seq = 1 }, { .seq = 2 }, { .seq = 3 } };
	struct job_queue q;

	(void)state;
	queue_init(&q, 2, 0);
	assert_true(queue_put(&q, &jobs[0]));
	assert_true(queue_put(&q, &jobs[1]));
	assert_false(queue_put(&q, &jobs[2]));
	assert_int_equal(queue_get(&q, NULL)->seq, 1);
	queue_close(&q);
	assert_false(queue_put(&q, &jobs[2]));
	assert_int_equal(queue_get(&q, NULL)->seq, 2); /* what was taken in is still done */
	assert_null(queue_get(&q, NULL));
	assert_true(queue_pause(&q, 60000)); /* nobody sleeps through a closing */
	queue_reset(&q);
}

static void jobs_that_would_wait_let_others_go_first(void **state)
{
	struct uuid one = uuid_v7(), two = uuid_v7();
	struct job jobs[] = {
		{ .seq = 1, .kind = JOB_PAGE, .claim.tenant = one, .batch.bytes = 1 << 20 },
		{ .seq = 2, .kind = JOB_PAGE, .claim.tenant = two, .batch.bytes = 1 << 20 },
		{ .seq = 3, .kind = JOB_END, .claim.tenant = one },
		{ .seq = 4, .kind = JOB_PARK, .claim.tenant = one },
		{ .seq = 5, .kind = JOB_LET_GO, .claim.tenant = two },
		{ .seq = 6, .kind = JOB_BEGIN, .claim.tenant = one },
	};
	struct job_hand hands[4];
	struct job_queue q;

	(void)state;
	queue_init(&q, 8, 1);
	for (size_t i = 0; i < 4; i++)
		queue_join(&q, &hands[i]);
	for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++)
		assert_true(queue_put(&q, &jobs[i]));
	assert_int_equal(queue_get(&q, &hands[0])->seq, 1);
	assert_int_equal(queue_get(&q, &hands[1])->seq, 3); /* one heavy job is under way */
	assert_int_equal(queue_get(&q, &hands[2])->seq, 5); /* and somebody leaves the first */
	assert_int_equal(queue_get(&q, &hands[3])->seq, 6);
	assert_int_equal(queue_get(&q, &hands[1])->seq, 4); /* its own is done */
	queue_leave(&q, &hands[0]);
	assert_int_equal(queue_get(&q, &hands[2])->seq, 2);
	queue_close(&q);
	assert_null(queue_get(&q, &hands[3]));
	queue_reset(&q);
}

static void a_run_of_few_pages_is_light(void **state)
{
	struct run_page first = { .number = 1 }, later = { .number = 7 };
	struct job whole = { .seq = 1, .kind = JOB_END, .mark_vanished = true, .batch.count = 1 },
		   rest = whole;
	struct job_hand hands[3];
	struct job_queue q;

	(void)state;
	whole.batch.pages[0] = &first;
	rest.batch.pages[0] = &later;
	rest.seq = 2;
	whole.claim.tenant = uuid_v7();
	queue_init(&q, 8, 1);
	for (size_t i = 0; i < 3; i++)
		queue_join(&q, &hands[i]);
	assert_true(queue_put(&q, &rest));
	assert_true(queue_put(&q, &whole));
	assert_int_equal(queue_get(&q, &hands[0])->seq, 2);
	assert_int_equal(queue_get(&q, &hands[1])->seq, 1); /* beside the heavy one */
	queue_reset(&q);
}

struct waiter {
	struct job_queue *q;
	struct job *got;
};

static void *waiter_main(void *arg)
{
	struct waiter *w = arg;
	struct job_hand hand;

	queue_join(w->q, &hand);
	w->got = queue_get(w->q, &hand);
	queue_leave(w->q, &hand);
	return NULL;
}

static void who_waits_is_woken_by_the_hand_that_opens(void **state)
{
	struct job jobs[] = { { .seq = 1, .kind = JOB_END }, { .seq = 2, .kind = JOB_END } };
	struct job_hand hand;
	struct job_queue q;
	struct waiter w = { .q = &q };
	pthread_t thread;

	(void)state;
	queue_init(&q, 8, 1);
	queue_join(&q, &hand);
	assert_true(queue_put(&q, &jobs[0]) && queue_put(&q, &jobs[1]));
	assert_int_equal(queue_get(&q, &hand)->seq, 1);
	assert_int_equal(pthread_create(&thread, NULL, waiter_main, &w), 0);
	nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL); /* it waits by now */
	queue_close(&q);                                            /* which wakes it, too early */
	nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
	queue_leave(&q, &hand);
	pthread_join(thread, NULL);
	assert_ptr_equal(w.got, &jobs[1]);
	queue_reset(&q);
}

static void nobody_is_passed_for_ever(void **state)
{
	struct job heavy = { .seq = 1, .kind = JOB_PAGE, .batch.bytes = 1 << 20 }, light[100];
	struct job_hand hands[2];
	struct job_queue q;
	struct job *got;
	int passed = 0;

	(void)state;
	queue_init(&q, 200, 1);
	queue_join(&q, &hands[0]);
	queue_join(&q, &hands[1]);
	assert_true(queue_put(&q, &heavy));
	assert_ptr_equal(queue_get(&q, &hands[0]), &heavy);
	assert_true(queue_put(&q, &heavy)); /* the next one waits for the first */
	for (size_t i = 0; i < 100; i++) {
		light[i] = (struct job){ .seq = 2, .kind = JOB_BEGIN };
		assert_true(queue_put(&q, &light[i]));
	}
	for (; heavy.passed < 64; passed++)
		assert_int_equal(queue_get(&q, &hands[1])->seq, 2);
	assert_int_equal(passed, 64);
	queue_leave(&q, &hands[0]);
	got = queue_get(&q, &hands[1]);
	assert_ptr_equal(got, &heavy);
	queue_reset(&q);
}

static void lease_ends_by_itself(void **state)
{
	struct lease l;
	struct uuid a = uuid_v7(), b = uuid_v7(), out[2];
	int64_t now = clock_mono_ms();

	(void)state;
	assert_true(lease_init(&l, 2));
	assert_false(lease_trusted(&l));
	lease_take(&l, &a, now);
	assert_true(lease_trusted(&l));
	lease_renew(&l, now - (LEASE_TTL_S - LEASE_MARGIN_S) * 1000 - 1);
	assert_false(lease_trusted(&l));
	lease_hold(&l, &a, 1);
	lease_hold(&l, &b, 2);
	assert_int_equal(lease_room(&l), 0);
	lease_drop(&l, &a, 2); /* another claim of the same work */
	assert_int_equal(lease_list(&l, out), 2);
	lease_drop(&l, &a, 1);
	assert_int_equal(lease_list(&l, out), 1);
	assert_true(uuid_eq(&out[0], &b));
	lease_reset(&l);
}

static void letters_arrive_in_order(void **state)
{
	struct letter one = { .kind = LETTER_CLAIMS }, two = { .kind = LETTER_JOB };
	struct mailbox m;
	struct err e = { 0 };

	(void)state;
	assert_true(mail_open(&m, &e));
	assert_null(mail_take(&m));
	mail_post(&m, &one);
	mail_post(&m, &two);
	assert_ptr_equal(mail_take(&m), &one);
	assert_ptr_equal(one.next, &two);
	assert_null(mail_take(&m));
	mail_close(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("the queue keeps its order and its bound", queue_is_bounded_and_in_order),
		TEST("jobs that would only wait let others go first",
		     jobs_that_would_wait_let_others_go_first),
		TEST("a run of few pages is no heavy job", a_run_of_few_pages_is_light),
		TEST("who waits is woken by the hand that opens",
		     who_waits_is_woken_by_the_hand_that_opens),
		TEST("nobody is passed for ever", nobody_is_passed_for_ever),
		TEST("a lease ends by itself and knows its runs", lease_ends_by_itself),
		TEST("letters arrive in order", letters_arrive_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
