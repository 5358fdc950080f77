#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/conf.h"
#include "lib/base/poison.h"

#define FILE_MAX_BYTES (1024 * 1024)

struct setting {
	struct setting *next;
	char *value; /* behind the key, in the same memory */
	char key[];
};

struct conf {
	struct setting *first; /* the newest first, so that a later one wins */
};

/* Where a line of the file is wrong. */
struct place {
	const char *path;
	int line;
};

static bool add(struct conf *c, struct str key, struct str value, struct err *e)
{
	struct setting *s = malloc(sizeof(*s) + key.len + value.len + 2);

	if (!s)
		return err_set(e, ERR_BUG, "no_memory", "There is no memory for the settings.");
	if (key.len > 0)
		memcpy(s->key, key.p, key.len);
	s->key[key.len] = '\0';
	s->value = s->key + key.len + 1;
	if (value.len > 0)
		memcpy(s->value, value.p, value.len);
	s->value[value.len] = '\0';
	s->next = c->first;
	c->first = s;
	return true;
}

static bool is_key(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];
		bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';

		if (!letter && (i == 0 || c < '0' || c > '9'))
			return false;
	}
	return s.len > 0;
}

static bool wrong(const struct place *at, struct err *e, const char *what)
{
	return err_set(e, ERR_INPUT, "conf_invalid", "Line %d of %s %s.", at->line, at->path, what);
}

/* What stands between double quotes: sh and systemd drop the backslash before these. */
static void unescape(struct str in, struct buf *out)
{
	for (size_t i = 0; i < in.len; i++) {
		if (in.p[i] == '\\' && i + 1 < in.len && strchr("\"\\$`", in.p[i + 1]))
			i++;
		buf_char(out, in.p[i]);
	}
}

/* The length of a quoted text with its quotes, or 0 when it does not end. */
static size_t quoted_len(struct str s)
{
	char quote = s.p[0];

	for (size_t i = 1; i < s.len; i++) {
		if (quote == '"' && s.p[i] == '\\')
			i++;
		else if (s.p[i] == quote)
			return i + 1;
	}
	return 0;
}

static bool read_value(struct str text, const struct place *at, struct buf *out, struct err *e)
{
	struct str inner, rest;
	size_t n;

	if (text.len == 0 || (text.p[0] != '"' && text.p[0] != '\'')) {
		for (size_t i = 0; i < text.len; i++)
			if (strchr(" \t\"'\\", text.p[i]))
				return wrong(at, e,
				             "has a value with a blank, a quote or a backslash; "
				             "put the value in single quotes");
		buf_str(out, text);
		return true;
	}
	n = quoted_len(text);
	if (n == 0)
		return wrong(at, e, "has a quote that does not end");
	rest = str_trim(str_after(text, n));
	if (rest.len > 0 && rest.p[0] != '#')
		return wrong(at, e, "has something behind the closing quote; remove it");
	inner = (struct str){ text.p + 1, n - 2 };
	if (text.p[0] == '"')
		unescape(inner, out);
	else
		buf_str(out, inner);
	return true;
}

static bool read_line(struct conf *c, struct str line, const struct place *at, struct err *e)
{
	struct str key, text;
	struct buf value;
	bool ok;

	line = str_trim(line);
	if (line.len == 0 || line.p[0] == '#')
		return true;
	if (!str_cut(line, '=', &key, &text) || !is_key(key))
		return wrong(at, e,
		             "is not a setting; write KEY=value without blanks around the =");
	if (text.len > 0 && (text.p[0] == ' ' || text.p[0] == '\t'))
		return wrong(at, e, "has a blank after the =; remove it");
	buf_init(&value, FILE_MAX_BYTES);
	ok = read_value(text, at, &value, e);
	if (ok && value.failed)
		ok = err_set(e, ERR_BUG, "no_memory", "There is no memory for the settings.");
	ok = ok && add(c, key, buf_view(&value), e);
	buf_free(&value);
	return ok;
}

static bool read_lines(struct conf *c, struct str text, const char *path, struct err *e)
{
	struct place at = { path, 0 };
	struct str line;

	if (text.len > 0 && memchr(text.p, '\0', text.len))
		return err_set(e, ERR_INPUT, "conf_invalid",
		               "%s holds a NUL byte; it must be a text file of KEY=value lines.",
		               path);
	while (text.len > 0) {
		if (!str_cut(text, '\n', &line, &text)) {
			line = text;
			text.len = 0;
		}
		at.line++;
		if (!read_line(c, line, &at, e))
			return false;
	}
	return true;
}

static bool slurp(const char *path, struct buf *out, struct err *e)
{
	FILE *f = fopen(path, "re");
	char chunk[4096];
	bool failed;
	size_t n;

	if (!f) {
		err_set(e, ERR_NOT_FOUND, "conf_unreadable",
		        "The settings file %s cannot be opened; check that it is there and that "
		        "this user may read it.",
		        path);
		return err_detail(e, "%s", strerror(errno));
	}
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_add(out, chunk, n);
	failed = ferror(f);
	fclose(f);
	if (failed)
		return err_set(e, ERR_NOT_FOUND, "conf_unreadable",
		               "The settings file %s cannot be read; is it a folder?", path);
	if (out->failed)
		return err_set(e, ERR_INPUT, "conf_invalid",
		               "The settings file %s is larger than 1 MiB.", path);
	return true;
}

static bool read_file(struct conf *c, const char *path, struct err *e)
{
	struct buf text;
	bool ok;

	buf_init(&text, FILE_MAX_BYTES);
	ok = slurp(path, &text, e) && read_lines(c, buf_view(&text), path, e);
	buf_free(&text);
	return ok;
}

/* Copied, so that a later setenv cannot change what was read at start. */
static bool read_environment(struct conf *c, struct err *e)
{
	struct str key, value;

	for (char **at = environ; at && *at; at++)
		if (str_cut(str_of(*at), '=', &key, &value) && is_key(key) &&
		    !add(c, key, value, e))
			return false;
	return true;
}

bool conf_load(const char *path, struct conf **out, struct err *e)
{
	struct conf *c = calloc(1, sizeof(*c));

	if (!c)
		return err_set(e, ERR_BUG, "no_memory", "There is no memory for the settings.");
	if ((path && !read_file(c, path, e)) || !read_environment(c, e)) {
		conf_free(c);
		return false;
	}
	*out = c;
	return true;
}

void conf_free(struct conf *c)
{
	if (!c)
		return;
	while (c->first) {
		struct setting *s = c->first;

		c->first = s->next;
		free(s);
	}
	free(c);
}

const char *conf_get(const struct conf *c, const char *key, const char *fallback)
{
	for (const struct setting *s = c->first; s; s = s->next)
		if (strcmp(s->key, key) == 0)
			return s->value;
	return fallback;
}

bool conf_need(const struct conf *c, const char *key, const char **out, struct err *e)
{
	const char *value = conf_get(c, key, NULL);

	if (!value || !value[0])
		return err_set(e, ERR_INPUT, "conf_missing",
		               "The setting %s is missing; set it in the settings file or in the "
		               "environment.",
		               key);
	*out = value;
	return true;
}

bool conf_int(const struct conf *c, const char *key, int64_t fallback, int64_t min, int64_t max,
              int64_t *out, struct err *e)
{
	const char *value = conf_get(c, key, NULL);

	if (!value) {
		*out = fallback;
		return true;
	}
	if (!str_int(str_of(value), min, max, out))
		return err_set(e, ERR_INPUT, "conf_invalid",
		               "The setting %s must be a whole number from %lld to %lld.", key,
		               (long long)min, (long long)max);
	return true;
}

bool conf_flag(const struct conf *c, const char *key, bool fallback)
{
	static const char *const yes[] = { "1", "yes", "true", "on" };
	const char *value = conf_get(c, key, NULL);

	if (!value)
		return fallback;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		if (str_eq_nocase(str_of(value), yes[i]))
			return true;
	return false;
}

void conf_each(const struct conf *c, const char *prefix,
               void (*fn)(void *, const char *key, const char *value), void *arg)
{
	for (const struct setting *s = c->first; s; s = s->next)
		if (str_starts(str_of(s->key), prefix) && conf_get(c, s->key, NULL) == s->value)
			fn(arg, s->key, s->value); /* an older one of the same key is hidden */
}
