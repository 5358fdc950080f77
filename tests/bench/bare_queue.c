/*
 * bare_queue - many connections that claim what is due and finish it, as runners would without any work
 *
 *     bare_queue DSN CONNECTIONS BATCH SECONDS
 *
 * Each connection is a runner of its own: it claims up to BATCH runs with work.claim and leaves them with
 * work.release, a transaction each, until the time is over or nothing is due. Prints how many were
 * finished, in how many seconds, and the median of a round (claim and finish) in microseconds.
 */
#include "config.h"

#include <libpq-fe.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/poison.h"

#define CONNECTIONS_MAX 64
#define ROUNDS_MAX      100000
#define LIST_MAX        (64 * 1024)
#define PER_TENANT      "4"

struct worker {
	pthread_t thread;
	pthread_barrier_t *start;
	const char *dsn, *batch;
	PGconn *db;
	char runner[64];
	double until;
	long finished, rounds;
	float *times; /* of each round, in microseconds */
};

static void die(const char *what, const char *detail)
{
	fprintf(stderr, "bare_queue: %s: %s\n", what, detail);
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static PGresult *need(struct worker *k, PGresult *r)
{
	if (PQresultStatus(r) != PGRES_TUPLES_OK && PQresultStatus(r) != PGRES_COMMAND_OK)
		die("database", PQerrorMessage(k->db));
	return r;
}

static void worker_open(struct worker *k)
{
	const char *runner[] = { k->runner };

	k->db = PQconnectdb(k->dsn);
	if (PQstatus(k->db) != CONNECTION_OK)
		die("database", PQerrorMessage(k->db));
	k->times = calloc(ROUNDS_MAX, sizeof(*k->times));
	if (!k->times)
		die("memory", "none");
	PQclear(need(k, PQprepare(k->db, "claim",
	                          "SELECT tenant_id, work_id, lease_token "
	                          "FROM work.claim($1, $2, " PER_TENANT ", '1 hour')",
	                          0, NULL)));
	/* in the order of tenants, as everybody takes their lanes */
	PQclear(need(k,
	             PQprepare(k->db, "finish",
	                       "SELECT count(*) FROM (SELECT * FROM unnest($1::uuid[], $2::uuid[], "
	                       "$3::bigint[]) AS u (tenant, work, token) ORDER BY tenant, work "
	                       "OFFSET 0) u, LATERAL "
	                       "work.release(u.tenant, u.work, u.token, 'done', '0', NULL)",
	                       0, NULL)));
	PQclear(need(k, PQexecParams(k->db, "SELECT work.runner_start($1, 'bench', '1 hour')", 1,
	                             NULL, runner, NULL, NULL, 0)));
}

/* One column of an answer as an array's text. */
static void column(const PGresult *r, int which, char *out)
{
	size_t at = 0;

	for (int i = 0; i < PQntuples(r); i++) {
		int n = snprintf(out + at, LIST_MAX - at, "%s%s", i ? "," : "{",
		                 PQgetvalue(r, i, which));

		at += (size_t)n;
		if (at + 2 > LIST_MAX)
			die("list", "BATCH is too large");
	}
	memcpy(out + at, "}", 2);
}

static int claim(struct worker *k, char lists[3][LIST_MAX])
{
	const char *values[] = { k->runner, k->batch };
	PGresult *r = need(k, PQexecPrepared(k->db, "claim", 2, values, NULL, NULL, 0));
	int n = PQntuples(r);

	for (int i = 0; n > 0 && i < 3; i++)
		column(r, i, lists[i]);
	PQclear(r);
	return n;
}

static void *worker_main(void *arg)
{
	struct worker *k = arg;
	char lists[3][LIST_MAX];
	const char *const values[] = { lists[0], lists[1], lists[2] };
	int idle = 0;

	worker_open(k);
	pthread_barrier_wait(k->start);
	pthread_barrier_wait(k->start); /* k->until is set between the two */
	while (now() < k->until && idle < 100) {
		double began = now();
		int n = claim(k, lists);

		idle = n > 0 ? 0 : idle + 1; /* others may hold what is left for a moment */
		if (n == 0)
			continue;
		PQclear(need(k, PQexecPrepared(k->db, "finish", 3, values, NULL, NULL, 0)));
		k->finished += n;
		k->times[k->rounds++ % ROUNDS_MAX] = (float)((now() - began) * 1e6);
	}
	PQfinish(k->db);
	return NULL;
}

static int by_size(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

static float median(const struct worker *workers, int n)
{
	float *all = NULL, middle;
	size_t count = 0;

	for (int i = 0; i < n; i++) {
		size_t more =
			(size_t)(workers[i].rounds < ROUNDS_MAX ? workers[i].rounds : ROUNDS_MAX);

		all = realloc(all, (count + more + 1) * sizeof(*all));
		if (!all)
			die("memory", "none");
		memcpy(all + count, workers[i].times, more * sizeof(*all));
		count += more;
	}
	if (count == 0)
		die("queue", "nothing was due");
	qsort(all, count, sizeof(*all), by_size);
	middle = all[count / 2];
	free(all);
	return middle;
}

static void run(struct worker *workers, int n, double for_s)
{
	pthread_barrier_t start;
	double began;
	long finished = 0;

	pthread_barrier_init(&start, NULL, (unsigned)n + 1);
	for (int i = 0; i < n; i++) {
		struct worker *k = &workers[i];

		k->start = &start;
		snprintf(k->runner, sizeof(k->runner), "00000000-0000-0000-0001-%010ld%02d",
		         (long)(time(NULL) % 10000000000), i);
		if (pthread_create(&k->thread, NULL, worker_main, k) != 0)
			die("thread", "refused");
	}
	pthread_barrier_wait(&start);
	began = now();
	for (int i = 0; i < n; i++)
		workers[i].until = began + for_s;
	pthread_barrier_wait(&start);
	for (int i = 0; i < n; i++) {
		pthread_join(workers[i].thread, NULL);
		finished += workers[i].finished;
	}
	printf("%ld %.6f %.1f\n", finished, now() - began, (double)median(workers, n));
}

int main(int argc, char **argv)
{
	static struct worker workers[CONNECTIONS_MAX];
	long n = argc == 5 ? strtol(argv[2], NULL, 10) : 0;

	if (n < 1 || n > CONNECTIONS_MAX) {
		fprintf(stderr, "usage: bare_queue DSN CONNECTIONS BATCH SECONDS\n");
		return 2;
	}
	for (long i = 0; i < n; i++) {
		workers[i].dsn = argv[1];
		workers[i].batch = argv[3];
	}
	run(workers, (int)n, strtod(argv[4], NULL));
	return 0;
}
