/*
 * How long a page of a hundred rows takes: make tests/bench/tpl && tests/bench/tpl
 *
 * Prints the page's size, and the median over many rounds in microseconds: all of tpl_render, and
 * of that the validation of the document.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lib/json/scan.h"
#include "tests/unit/tpl_pages.h"
#include "lib/base/poison.h"

#define ROUNDS 2001
#define ROWS_N 100
#define MIB    (1024 * 1024)

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void make_document(struct buf *b)
{
	buf_text(b, "{\"rows\": [");
	for (int i = 0; i < ROWS_N; i++)
		buf_printf(
			b,
			"%s{\"id\": \"01900000-0000-7000-8000-%012d\", \"name\": \"Orders & more "
			"%d\", \"state\": \"completed\", \"checked\": %s, \"records\": %d, "
			"\"startedAt\": \"2026-11-20T12:42:19.123Z\", \"tags\": [\"a\", "
			"\"b\"], \"owner\": {\"name\": \"Ada\", \"site\": "
			"\"https://example.org/%d\"}}",
			i > 0 ? ", " : "", i, i, i % 2 ? "true" : "false", i * 997, i);
	buf_text(b, "], \"nextCursor\": \"abc\", \"name\": \"bench\"}");
}

static double median(double *rounds)
{
	qsort(rounds, ROUNDS, sizeof(*rounds), by_size);
	return rounds[ROUNDS / 2];
}

int main(void)
{
	static double whole[ROUNDS], check[ROUNDS];
	struct arena *a = arena_new(MIB);
	struct scan_value root;
	struct err e = { 0 };
	struct buf doc, out;

	buf_init(&doc, MIB);
	buf_init(&out, MIB);
	make_document(&doc);
	for (int i = 0; i < ROUNDS; i++) {
		struct tpl_input in = { buf_view(&doc),
			                STR("{\"csrf\":\"x\",\"theme\":\"dark\"}") };
		double start = now_us();

		buf_reset(&out);
		arena_reset(a);
		if (!tpl_render(&tpl_rows_list, in, a, &out, &e)) {
			fprintf(stderr, "%s\n", e.msg);
			return 1;
		}
		whole[i] = now_us() - start;
		start = now_us();
		if (!scan_check(in.doc, &root, &e))
			return 1;
		check[i] = now_us() - start;
	}
	printf("%d rows, document %zu bytes, page %zu bytes: %.1f us, of which validation %.1f "
	       "us\n",
	       ROWS_N, doc.len, out.len, median(whole), median(check));
	buf_free(&doc);
	buf_free(&out);
	arena_free(a);
	return 0;
}
