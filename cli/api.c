/* api - reads a command's words and options, asks, shows. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/api.h"
#include "lib/base/buf.h"
#include "lib/base/poison.h"

#define BODY_MAX    ((size_t)8 * 1024 * 1024)
#define OPTIONS_MAX 16
#define PATH_MAX_   1500
#define PAGES_MAX   100000

bool api_file_read(struct cli *cli, const char *path, struct str *out, struct err *e)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	char chunk[16384];
	struct buf b;
	size_t n;
	bool ok;

	if (f == NULL)
		return err_set(e, ERR_SYNTAX, "file_unreadable",
		               "The file %.150s cannot be read: %s.", path, strerror(errno));
	buf_init(&b, BODY_MAX);
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0 && !b.failed)
		buf_add(&b, chunk, n);
	ok = !ferror(f) && !b.failed && b.len > 0;
	if (f != stdin)
		fclose(f);
	*out = arena_copy(cli->arena, buf_view(&b));
	buf_free(&b);
	return ok ||
	       err_set(e, ERR_SYNTAX, "file_unreadable",
	               "The file %.150s is empty, larger than 8 MiB, or cannot be read.", path);
}

/* --- what is asked --- */

struct values { /* of a row's options, in their order */
	const char *text[OPTIONS_MAX];
	bool flag[OPTIONS_MAX];
};

static size_t options_count(const struct api *api)
{
	size_t n = 0;

	while (api->options != NULL && api->options[n].name != NULL)
		n++;
	return n;
}

static bool is_flag(const struct api_option *o)
{
	return o->where == API_QUERY_FLAG || o->where == API_LOCAL_FLAG ||
	       o->where == API_BODY_FLAG;
}

static bool options_read(struct api_asked *a, int *argc, char **argv, struct values *v)
{
	struct cli_option list[OPTIONS_MAX];
	size_t n = 0, own = options_count(a->api);

	for (; n < own; n++)
		list[n] =
			is_flag(&a->api->options[n])
				? (struct cli_option){ a->api->options[n].name, NULL, &v->flag[n] }
				: (struct cli_option){ a->api->options[n].name, &v->text[n], NULL };
	if (a->api->pages) {
		list[n++] = (struct cli_option){ "limit", &a->limit, NULL };
		list[n++] = (struct cli_option){ "cursor", &a->cursor, NULL };
		list[n++] = (struct cli_option){ "all", NULL, &a->all };
	}
	if (a->api->erases != NULL)
		list[n++] = (struct cli_option){ "yes", NULL, &a->yes };
	if (!cli_options(argc, argv, list, n))
		return false;
	for (size_t i = 0; i < own; i++) {
		a->flag = a->flag || (a->api->options[i].where == API_LOCAL_FLAG && v->flag[i]);
		if (a->api->options[i].needed && v->text[i] == NULL) {
			fprintf(stderr, "catchment: --%s is needed.\n", a->api->options[i].name);
			return false;
		}
	}
	return true;
}

static int words_needed(const char *path)
{
	int n = 0;

	for (; *path != '\0'; path++)
		n += *path == '%';
	return n;
}

static bool words_fit(const struct api *api, int argc)
{
	int need = words_needed(api->path) + api->file;

	return argc == need || (api->word != NULL && argc == need + 1);
}

/* The path with each word in its place, percent-encoded: no word reaches another path. */
static const char *path_make(struct arena *arena, const char *path, char **words)
{
	const char *made;
	struct buf b;

	buf_init(&b, PATH_MAX_);
	for (; *path != '\0'; path++) {
		if (*path != '%') {
			buf_char(&b, *path);
			continue;
		}
		if (strcmp(*words, ".") == 0 || strcmp(*words, "..") == 0)
			buf_text(&b, "-"); /* a dot segment would be taken out of the path */
		else
			buf_url(&b, str_of(*words));
		words++;
		path++;
	}
	made = b.failed ? NULL : arena_text(arena, buf_view(&b));
	buf_free(&b);
	return made;
}

static void query_add(struct buf *b, const char *name, const char *value)
{
	if (value == NULL)
		return;
	buf_char(b, b->len == 0 ? '?' : '&');
	buf_text(b, name);
	buf_char(b, '=');
	buf_url(b, str_of(value));
}

static const char *query_make(const struct api_asked *a, const struct values *v, const char *word)
{
	const char *made;
	struct buf b;

	buf_init(&b, PATH_MAX_);
	for (size_t i = 0; i < options_count(a->api); i++) {
		const struct api_option *o = &a->api->options[i];

		if (o->where == API_QUERY ||
		    (o->where == API_BODY && a->flag && a->api->flag_path != NULL))
			query_add(&b, o->member, v->text[i]);
		if (o->where == API_QUERY_FLAG && v->flag[i])
			query_add(&b, o->member, "true");
	}
	if (a->api->word != NULL)
		query_add(&b, a->api->word, word);
	query_add(&b, "limit", a->limit);
	made = b.failed ? NULL : arena_text(a->cli->arena, buf_view(&b));
	buf_free(&b);
	return made;
}

static bool member_add(struct api_asked *a, struct buf *b, const struct api_option *o,
                       const char *value, struct err *e)
{
	struct str file = { NULL, 0 };

	if (o->where == API_BODY_FLAG)
		file = STR("true");
	else if (o->where != API_BODY && !api_file_read(a->cli, value, &file, e))
		return false;
	buf_char(b, b->len == 0 ? '{' : ',');
	buf_json_string(b, str_of(o->member));
	buf_char(b, ':');
	if (o->where == API_BODY_FILE || o->where == API_BODY_FLAG)
		buf_str(b, file);
	else
		buf_json_string(b, o->where == API_BODY ? str_of(value) : file);
	return true;
}

/* A file's JSON goes out as it stands: nothing here rounds its numbers. */
static bool body_make(struct api_asked *a, const struct values *v, const char *file, struct err *e)
{
	struct buf b;
	bool ok = true;

	if (a->api->file)
		return api_file_read(a->cli, file, &a->body, e);
	a->body = str_of(a->api->body);
	buf_init(&b, BODY_MAX + PATH_MAX_);
	for (size_t i = 0; i < options_count(a->api) && ok; i++)
		if ((v->text[i] != NULL && a->api->options[i].where != API_QUERY) ||
		    (v->flag[i] && a->api->options[i].where == API_BODY_FLAG))
			ok = member_add(a, &b, &a->api->options[i], v->text[i], e);
	if (b.len > 0) {
		buf_char(&b, '}');
		a->body = arena_copy(a->cli->arena, buf_view(&b));
	}
	ok = ok &&
	     (!b.failed || err_set(e, ERR_SYNTAX, "too_large", "What was given is too large."));
	buf_free(&b);
	return ok;
}

static bool asked_make(struct api_asked *a, int argc, char **argv, const struct values *v,
                       struct err *e)
{
	bool instead = a->flag && a->api->flag_path != NULL;
	int words = words_needed(a->api->path);

	a->path = path_make(a->cli->arena, instead ? a->api->flag_path : a->api->path, argv);
	a->query = query_make(a, v, argc > words ? argv[words] : NULL);
	if (a->path == NULL || a->query == NULL)
		return err_set(e, ERR_SYNTAX, "too_long", "What was given is too long for a URL.");
	return body_make(a, v, a->api->file ? argv[words] : NULL, e);
}

/* --- asking --- */

int api_ask(struct api_asked *a, const char *path, struct http_answer **answer)
{
	struct err e = { 0 };
	bool instead = a->flag && a->api->flag_path != NULL;
	struct call call = {
		.method = instead ? HTTP_GET : a->api->method,
		.path = path,
		.body = instead ? (struct str){ NULL, 0 } : a->body,
	};

	if (!call_send(a->caller, &call, answer, &e))
		return call_failed(&e);
	return call_good(*answer) ? CLI_DONE : call_refused(a->cli, *answer);
}

/* What cannot be undone is asked for, by a person or by --yes. */
static int may_erase(const struct api_asked *a, const char *what)
{
	char line[16];

	if (a->api->erases == NULL || a->yes)
		return CLI_DONE;
	if (a->cli->no_input || !isatty(STDIN_FILENO)) {
		fputs("catchment: This cannot be undone; say --yes if you mean it.\n", stderr);
		return CLI_USAGE;
	}
	fprintf(stderr, "%s (%s) Type yes: ", a->api->erases, what);
	if (fgets(line, sizeof(line), stdin) != NULL && strcmp(line, "yes\n") == 0)
		return CLI_DONE;
	fputs("Nothing was done.\n", stderr);
	return CLI_FAILED;
}

static int show(struct api_asked *a, const struct http_answer *answer, struct str *cursor)
{
	struct err e = { 0 };

	*cursor = (struct str){ NULL, 0 };
	if (a->cli->json)
		view_bytes(answer->body);
	if (answer->body.len > 0 && !view_answer(a->cli, a->api, answer->body, cursor, &e))
		return cli_say(&e);
	if (a->api->done != NULL && !(a->flag && a->api->flag_path != NULL))
		fprintf(stderr, "%s\n", a->api->done);
	if (a->api->judge != NULL)
		return a->api->judge(a->cli, answer->body);
	return cli_written(CLI_DONE);
}

static const char *page_path(const struct api_asked *a, const char *cursor)
{
	struct buf b;
	const char *made;

	buf_init(&b, 4 * PATH_MAX_);
	buf_text(&b, a->path);
	buf_text(&b, a->query);
	if (cursor != NULL) {
		buf_text(&b, *a->query != '\0' ? "&cursor=" : "?cursor=");
		buf_url(&b, str_of(cursor));
	}
	made = arena_text(a->cli->arena, buf_view(&b));
	buf_free(&b);
	return made;
}

static int ask_and_show(struct api_asked *a)
{
	const char *cursor = a->cursor;
	struct http_answer *answer;
	struct str next;
	int code = CLI_DONE;

	for (int n = 0; n < PAGES_MAX && code == CLI_DONE; n++) {
		code = api_ask(a, page_path(a, cursor), &answer);
		if (code == CLI_DONE && a->flag && a->api->after != NULL)
			return a->api->after(a, answer);
		if (code == CLI_DONE)
			code = show(a, answer, &next);
		if (code != CLI_DONE || next.len == 0)
			return code;
		cursor = arena_text(a->cli->arena, next);
		if (a->cli->json && a->all)
			fputc('\n', stdout); /* between two documents */
		if (!a->all) {
			if (a->api->pages && !a->cli->json)
				fprintf(stderr, "There are more: add --all, or --cursor %s\n",
				        cursor);
			return code;
		}
	}
	return code;
}

int cli_api(struct cli *cli, int argc, char **argv)
{
	struct api_asked a = { .cli = cli, .api = cli->verb->api };
	struct values v = { 0 };
	struct err e = { 0 };
	int code;

	if (!options_read(&a, &argc, argv, &v) || !words_fit(a.api, argc))
		return cli_usage(cli->verb->noun, cli->verb->verb);
	if (!asked_make(&a, argc, argv, &v, &e))
		return call_failed(&e);
	code = may_erase(&a, argc > 0 ? argv[0] : "");
	if (code != CLI_DONE)
		return code;
	code = call_open(cli, &a.caller, &e) ? ask_and_show(&a) : call_failed(&e);
	call_close(a.caller);
	return code;
}
