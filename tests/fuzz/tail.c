/*
 * What the command line makes of a server's bytes: an export's last line, in whatever pieces it comes, a
 * refusal, times, and texts for a terminal. The input is an export, a NUL, and an answer's body.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "cli/call.h"
#include "cli/table.h"
#include "cli/tail.h"
#include "lib/base/buf.h"
#include "tests/fuzz/fuzz.h"

#include "lib/base/poison.h"

#define OUT_MAX (1 << 20)
#define NOW_MS  INT64_C(1700000000000)

/* What call.c asks of the program's main, which is not linked. */
bool cli_conf(struct cli *cli, struct err *e)
{
	(void)cli;
	return err_set(e, ERR_BUG, "no_settings", "There are no settings.");
}

bool cli_secret_read(struct cli *cli, const char *path, const char *what, struct str *out,
                     struct err *e)
{
	(void)path;
	(void)what;
	(void)out;
	return cli_conf(cli, e);
}

int cli_say(const struct err *e)
{
	return e->msg[0] ? CLI_FAILED : CLI_DONE;
}

/* --- an export --- */

struct result {
	struct buf out;
	bool good, checked;
	char hex[2 * CRYPT_SHA256 + 1];
	int64_t records;
};

static bool keep(void *arg, struct str bytes)
{
	buf_str(arg, bytes);
	return true;
}

static void play(struct str text, bool lines, size_t piece, struct result *r)
{
	struct tail t = { .put = keep, .arg = &r->out, .lines = lines };
	struct err e = { 0 };

	buf_init(&r->out, OUT_MAX);
	must(tail_begin(&t, &e));
	while (text.len > 0) {
		size_t n = text.len < piece ? text.len : piece;

		must(tail_add(&t, (struct str){ text.p, n }));
		text = str_after(text, n);
	}
	r->good = tail_end(&t, &r->checked, r->hex, &e);
	r->records = t.records;
	must(r->good || strcmp(e.slug, "export_cut") == 0);
	must(t.bytes == (int64_t)r->out.len && !r->out.failed);
}

static void same(const struct result *a, const struct result *b)
{
	must(a->good == b->good && a->checked == b->checked && a->records == b->records);
	must(strcmp(a->hex, b->hex) == 0 && str_eq(buf_view(&a->out), buf_view(&b->out)));
}

/* What is passed on is all, or all but the last line. */
static void whole(struct str text, const struct result *r, bool lines)
{
	struct str out = buf_view(&r->out);
	unsigned char sum[CRYPT_SHA256];
	char hex[2 * CRYPT_SHA256 + 1];

	must(out.len <= text.len && (out.len == 0 || memcmp(text.p, out.p, out.len) == 0));
	must(r->checked || (out.len == text.len && r->good == !lines));
	must(!r->checked || text.len - out.len <= TAIL_MAX);
	crypt_sha256(out, sum);
	for (size_t i = 0; i < CRYPT_SHA256; i++)
		snprintf(hex + 2 * i, 3, "%02x", sum[i]);
	must(strcmp(hex, r->hex) == 0);
}

/* A true last line behind the data is taken off. */
static void with_last_line(struct str data, const struct result *r)
{
	struct result again;
	struct buf b;

	buf_init(&b, OUT_MAX);
	buf_str(&b, data);
	buf_printf(&b, "{\"_catchment\":{\"records\":%lld,\"sha256\":\"%s\"}}\n",
	           (long long)r->records, r->hex);
	play(buf_view(&b), true, 100, &again);
	must(again.good && again.checked && str_eq(buf_view(&again.out), data));
	buf_free(&again.out);
	buf_free(&b);
}

static void export(struct str text)
{
	struct result one, two;

	for (int lines = 0; lines < 2; lines++) {
		play(text, lines, text.len + 1, &one);
		play(text, lines, text.len % 7 + 1, &two);
		same(&one, &two);
		whole(text, &one, lines);
		if (!one.checked && (text.len == 0 || text.p[text.len - 1] == '\n'))
			with_last_line(text, &one);
		buf_free(&one.out);
		buf_free(&two.out);
	}
}

/* --- an answer --- */

/* No byte below a space, but the line breaks and tabs that a person may have written. */
static void shown(struct str text)
{
	char *out = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&out, &len);

	must(f != NULL);
	table_text(text, (struct table_look){ .people = true }, f);
	must(fclose(f) == 0);
	for (size_t i = 0; i < len; i++)
		must((unsigned char)out[i] >= ' ' && out[i] != 0x7F);
	free(out);
}

static void answer(struct str body)
{
	struct arena *a = arena_new(8 << 20);
	struct http_answer it = { .status = 404, .body = body, .detail = "" };
	struct str time = words_time(a, body, NOW_MS);

	must(!call_problem_is(&it, "not_found") || memmem(body.p, body.len, "detail", 6) ||
	     memchr(body.p, '\\', body.len));
	must(time.p == body.p || (time.len > 0 && time.len < 40));
	shown(body);
	arena_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct str text = { (const char *)bytes, len }, data = text, body = { "", 0 };

	str_cut(text, '\0', &data, &body);
	export(data);
	answer(body);
	return 0;
}
