/*
 * How long a page of a hundred rows takes: make tests/bench/tpl && tests/bench/tpl
 *
 * Prints the pages' sizes, and the median over many rounds in microseconds: all of tpl_render, for a
 * plain table and for a rich one, and what the validation of the document takes of it.
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

static double check_us(struct str doc)
{
	static double rounds[ROUNDS];
	struct scan_value root;
	struct err e = { 0 };

	for (int i = 0; i < ROUNDS; i++) {
		double start = now_us();

		if (!scan_check(doc, &root, &e))
			return -1;
		rounds[i] = now_us() - start;
	}
	return median(rounds);
}

static double render_us(const struct tpl *t, struct str doc, struct buf *out)
{
	static double rounds[ROUNDS];
	struct tpl_input in = { doc, STR("{\"csrf\":\"x\",\"theme\":\"dark\"}") };
	struct arena *a = arena_new(MIB);
	struct err e = { 0 };
	bool ok = true;

	for (int i = 0; i < ROUNDS && ok; i++) {
		double start = now_us();

		buf_reset(out);
		arena_reset(a);
		ok = tpl_render(t, in, a, out, &e);
		rounds[i] = now_us() - start;
	}
	arena_free(a);
	return ok ? median(rounds) : -1;
}

int main(void)
{
	static const struct tpl *const pages[] = { &tpl_rows_plain, &tpl_rows_list };
	struct buf doc, out;

	buf_init(&doc, MIB);
	buf_init(&out, MIB);
	make_document(&doc);
	printf("%d rows, document %zu bytes: validation %.1f us\n", ROWS_N, doc.len,
	       check_us(buf_view(&doc)));
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		double us = render_us(pages[i], buf_view(&doc), &out);

		printf("%s: page %zu bytes, %.1f us with validation\n", pages[i]->name, out.len,
		       us);
	}
	buf_free(&doc);
	buf_free(&out);
	return 0;
}
