/* doctor - catchment doctor: looks, and says what it found, what it means, what to do */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>

#include "cli/doctor.h"
#include "cli/table.h"
#include "lib/base/buf.h"
#include "lib/base/poison.h"

#define TEXT_MAX   600
#define REPORT_MAX ((size_t)4 << 20)

void doctor_find(struct doctor *d, bool error, const char *subject, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list args;

	if (d->count == DOCTOR_FINDINGS_MAX)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	d->findings[d->count++] = (struct doctor_finding){
		.check = d->now,
		.error = error,
		.subject = arena_strdup(d->cli->arena, subject),
		.found = arena_strdup(d->cli->arena, text),
	};
}

/* --- looking --- */

static int64_t parameter_of(const struct doctor *d)
{
	const struct {
		const char *name, *value;
	} asked[] = { { "slow-ms", d->slow_ms },
		      { "long-s", d->long_s },
		      { "unused-days", d->unused_days } };
	int64_t n = d->now->fallback;

	for (size_t i = 0; d->now->option != NULL && i < sizeof(asked) / sizeof(asked[0]); i++)
		if (strcmp(asked[i].name, d->now->option) == 0)
			(void)str_int(str_of(asked[i].value), 0, INT32_MAX, &n);
	return n;
}

static bool rows_look(struct doctor *d, struct err *e)
{
	struct db_rows *rows;
	struct db_arg arg = db_int(parameter_of(d));

	if (!db_run(d->cli->db, (enum query)d->now->query, &arg, d->now->takes ? 1 : 0,
	            d->cli->arena, &rows, e))
		return false;
	for (size_t r = 0; r < db_count(rows); r++)
		doctor_find(d, str_eq_text(db_get(rows, r, 0), "error"), db_get(rows, r, 1).p, "%s",
		            db_get(rows, r, 2).p);
	return true;
}

/* A check that cannot be performed is no reason to leave out the others. */
static void check_perform(struct doctor *d, const struct doctor_check *check)
{
	struct err e = { 0 };

	d->now = check;
	if (!(check->look != NULL ? check->look(d, &e) : rows_look(d, &e)))
		doctor_find(d, true, check->name, "could not be looked at: %s (%s)", e.msg,
		            e.detail);
}

/* --- saying --- */

static size_t found_by(const struct doctor *d, const struct doctor_check *check, bool *error)
{
	size_t n = 0;

	for (size_t i = 0; i < d->count; i++) {
		if (d->findings[i].check != check)
			continue;
		n++;
		*error = *error || d->findings[i].error;
	}
	return n;
}

static void line(struct table_look look, const char *before, const char *text, const char *after)
{
	fputs(before, stdout);
	table_text(str_of(text), look, stdout);
	fputs(after, stdout);
}

static void check_say(const struct doctor *d, const struct doctor_check *check)
{
	struct table_look look = table_look();
	bool error = false;
	size_t n = found_by(d, check, &error);
	const char *word = n == 0 ? "ok" : error ? "error" : "warning";
	const char *colour = look.colours ? words_colour(str_of(word)) : "";

	printf("%s%-8s%s %-18s %s\n", colour, word, *colour != '\0' ? "\033[0m" : "", check->name,
	       check->title);
	if (n == 0)
		return;
	for (size_t i = 0; i < d->count; i++) {
		if (d->findings[i].check != check)
			continue;
		line(look, "           ", d->findings[i].subject, " ");
		line(look, "", d->findings[i].found, "\n");
	}
	printf("         It means: %s\n         Do: %s\n", check->meaning, check->remedy);
}

static void member(struct buf *b, const char *before, const char *text)
{
	buf_text(b, before);
	buf_json_string(b, str_of(text));
}

static void json_say(const struct doctor *d)
{
	struct buf b;

	buf_init(&b, REPORT_MAX);
	buf_text(&b, "{\"checks\":[");
	for (const struct doctor_check *c = doctor_checks; c->name != NULL; c++) {
		bool error = false;
		size_t n = found_by(d, c, &error);

		member(&b, c == doctor_checks ? "{\"check\":" : ",{\"check\":", c->name);
		member(&b, ",\"state\":", n == 0 ? "ok" : error ? "error" : "warning");
		buf_char(&b, '}');
	}
	buf_text(&b, "],\"findings\":[");
	for (size_t i = 0; i < d->count; i++) {
		const struct doctor_finding *f = &d->findings[i];

		member(&b, i > 0 ? ",{\"check\":" : "{\"check\":", f->check->name);
		member(&b, ",\"severity\":", f->error ? "error" : "warning");
		member(&b, ",\"subject\":", f->subject);
		member(&b, ",\"finding\":", f->found);
		member(&b, ",\"meaning\":", f->check->meaning);
		member(&b, ",\"remedy\":", f->check->remedy);
		buf_char(&b, '}');
	}
	puts(b.failed ? "" : (buf_text(&b, "]}"), b.p));
	buf_free(&b);
}

static int report(const struct doctor *d)
{
	size_t errors = 0;

	for (size_t i = 0; i < d->count; i++)
		errors += d->findings[i].error;
	if (d->cli->json)
		json_say(d);
	else
		for (const struct doctor_check *c = doctor_checks; c->name != NULL; c++)
			check_say(d, c);
	fprintf(stderr, "%zu errors, %zu warnings.\n", errors, d->count - errors);
	return errors > 0 ? CLI_FAILED : CLI_DONE;
}

static bool is_number(const char *text)
{
	int64_t n;

	return text == NULL || str_int(str_of(text), 0, INT32_MAX, &n);
}

int cli_doctor(struct cli *cli, int argc, char **argv)
{
	struct doctor *d = arena_alloc(cli->arena, sizeof(*d));
	const struct cli_option options[] = {
		{ "slow-ms", &d->slow_ms, NULL },
		{ "long-s", &d->long_s, NULL },
		{ "unused-days", &d->unused_days, NULL },
	};
	struct err e = { 0 };

	d->cli = cli;
	if (!cli_options(&argc, argv, options, 3) || argc != 0 || !is_number(d->slow_ms) ||
	    !is_number(d->long_s) || !is_number(d->unused_days))
		return cli_usage("doctor", "");
	if (!cli_db(cli, &e)) {
		(void)cli_say(&e);
		return e.code == ERR_UNAVAILABLE ? CLI_LATER : CLI_FAILED;
	}
	for (const struct doctor_check *c = doctor_checks; c->name != NULL; c++)
		check_perform(d, c);
	return report(d);
}
