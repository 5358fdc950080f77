/*
 * bare_load - the least that brings records from an upstream into PostgreSQL, as the product's limit
 *
 *     bare_load WAY DSN ADDRESS RECORDS CONNECTIONS BATCH [text]
 *
 * Two streams of RECORDS records each, of the upstream at ADDRESS, in pages of 250; one thread and one
 * connection does both, or each of two does one. BATCH is how many records a transaction holds. The ways:
 *
 *     copy    COPY into bench.plain, a table with the product's columns and no row level security
 *     merge   COPY into a temporary table, then INSERT ... ON CONFLICT into bench.records, the product's
 *             own table in another schema, under its policy; `text`: staged as text and cast
 *     check   keys and hashes to the server, which joins them with bench.records: nothing may differ
 *
 * tests/bench/bare.sql makes the tables. Prints seconds, records, and seconds of CPU of this program.
 */
#include "config.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "tests/bench/bare_load.h"
#include "lib/base/poison.h"

#define STREAMS 2
#define PAGE    250

struct worker {
	struct writer writer;
	pthread_t thread;
	pthread_barrier_t *start;
	long records, batch;
	int from, to; /* streams */
};

static const struct way *const ways[] = { &WAY_COPY, &WAY_MERGE, &WAY_CHECK };

void bytes_add(struct bytes *b, const void *p, size_t n)
{
	if (b->len + n > b->room) {
		b->room = (b->len + n) * 2;
		b->p = realloc(b->p, b->room);
		if (!b->p)
			bare_die("memory", "none");
	}
	memcpy(b->p + b->len, p, n);
	b->len += n;
}

void bytes_number(struct bytes *b, uint64_t n, size_t width)
{
	unsigned char out[8];

	for (size_t i = 0; i < width; i++)
		out[i] = (unsigned char)(n >> 8 * (width - 1 - i));
	bytes_add(b, out, width);
}

void writer_need(struct writer *w, PGresult *r, ExecStatusType wanted)
{
	if (PQresultStatus(r) != wanted)
		bare_die("database", PQerrorMessage(w->db));
	PQclear(r);
}

void writer_exec(struct writer *w, const char *sql)
{
	PGresult *r = PQexec(w->db, sql);

	if (PQresultStatus(r) != PGRES_COMMAND_OK && PQresultStatus(r) != PGRES_TUPLES_OK)
		bare_die(sql, PQerrorMessage(w->db));
	PQclear(r);
}

/* Every stream is a tenant of its own, as its number. */
static void stream_set(struct writer *w, int stream)
{
	memset(w->tenant_bytes, 0, sizeof(w->tenant_bytes));
	memset(w->stream_bytes, 0, sizeof(w->stream_bytes));
	w->tenant_bytes[15] = (unsigned char)(stream + 1);
	w->stream_bytes[15] = (unsigned char)(stream + 101);
	snprintf(w->tenant, sizeof(w->tenant), "00000000-0000-0000-0000-0000000000%02x",
	         stream + 1);
	snprintf(w->stream, sizeof(w->stream), "00000000-0000-0000-0000-0000000000%02x",
	         stream + 101);
}

static void stream_load(struct worker *k, struct source *s, int stream)
{
	struct writer *w = &k->writer;
	const struct bare_record *records;

	stream_set(w, stream);
	for (long from = 0; from < k->records; from += PAGE) {
		size_t n = source_page(s, from, &records);

		if (n == 0)
			bare_die("upstream", "a page is empty");
		w->way->take(w, records, n);
		w->pending += n;
		if ((long)w->pending >= k->batch || from + PAGE >= k->records) {
			w->way->flush(w);
			w->pending = 0;
		}
	}
}

static void *worker_main(void *arg)
{
	struct worker *k = arg;
	struct writer *w = &k->writer;
	struct source *s = source_new(w->options->address, PAGE);

	w->db = PQconnectdb(w->options->dsn);
	if (PQstatus(w->db) != CONNECTION_OK)
		bare_die("database", PQerrorMessage(w->db));
	w->way->open(w);
	pthread_barrier_wait(k->start);
	for (int i = k->from; i < k->to; i++)
		stream_load(k, s, i);
	pthread_barrier_wait(k->start);
	PQfinish(w->db);
	source_free(s);
	free(w->rows.p);
	free(w->more.p);
	return NULL;
}

static double seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void run(const struct load_options *options, const struct way *way, long records,
                int connections, long batch)
{
	struct worker workers[STREAMS] = { 0 };
	pthread_barrier_t start;
	double wall, cpu;

	pthread_barrier_init(&start, NULL, (unsigned)connections + 1);
	for (int i = 0; i < connections; i++) {
		struct worker *k = &workers[i];

		*k = (struct worker){ .start = &start,
			              .records = records,
			              .batch = batch,
			              .from = i * STREAMS / connections,
			              .to = (i + 1) * STREAMS / connections };
		k->writer.options = options;
		k->writer.way = way;
		if (pthread_create(&k->thread, NULL, worker_main, k) != 0)
			bare_die("thread", "refused");
	}
	pthread_barrier_wait(&start);
	wall = seconds(CLOCK_MONOTONIC);
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	pthread_barrier_wait(&start);
	wall = seconds(CLOCK_MONOTONIC) - wall;
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	for (int i = 0; i < connections; i++)
		pthread_join(workers[i].thread, NULL);
	pthread_barrier_destroy(&start);
	printf("%.6f %ld %.6f\n", wall, records * STREAMS, cpu);
}

int main(int argc, char **argv)
{
	const struct way *way = NULL;
	struct load_options options = { 0 };
	long records, connections, batch;

	for (size_t i = 0; argc >= 7 && i < sizeof(ways) / sizeof(ways[0]); i++)
		if (strcmp(argv[1], ways[i]->name) == 0)
			way = ways[i];
	records = way ? strtol(argv[4], NULL, 10) : 0;
	connections = way ? strtol(argv[5], NULL, 10) : 0;
	batch = way ? strtol(argv[6], NULL, 10) : 0;
	if (records < 1 || batch < 1 || connections < 1 || connections > STREAMS) {
		fprintf(stderr, "usage: bare_load copy|merge|check DSN ADDRESS RECORDS "
		                "CONNECTIONS BATCH [text]\n");
		return 2;
	}
	options.dsn = argv[2];
	options.address = argv[3];
	options.staged_as_text = argc > 7 && strcmp(argv[7], "text") == 0;
	curl_global_init(CURL_GLOBAL_DEFAULT);
	run(&options, way, records, (int)connections, batch);
	curl_global_cleanup();
	return 0;
}
