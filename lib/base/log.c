#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/base/utf8.h"
#include "lib/base/poison.h"

#define LINE_MAX_BYTES 4096
#define TAIL_BYTES     3 /* "}\n after a text that was cut */
#define NAME_MAX_BYTES 64
#define ID_MAX_BYTES   128

static const char *const level_names[LOG__MAX] = {
	[LOG_DEBUG] = "debug",
	[LOG_INFO] = "info",
	[LOG_WARN] = "warn",
	[LOG_ERROR] = "error",
};

/* Written by log_open alone, before there are threads. */
static char program_name[NAME_MAX_BYTES] = "catchment";
static enum log_level least_level = LOG_INFO;

static _Thread_local char context_request[ID_MAX_BYTES];
static _Thread_local char context_tenant[ID_MAX_BYTES];

/* On the stack: a line about missing memory must not ask for memory. */
struct line {
	char p[LINE_MAX_BYTES];
	size_t len;
};

static void copy_cut(char *out, size_t size, const char *text)
{
	size_t n = text ? strnlen(text, size - 1) : 0;

	if (n > 0)
		memcpy(out, text, n);
	out[n] = '\0';
}

void log_open(const char *program, enum log_level least)
{
	copy_cut(program_name, sizeof(program_name), program);
	least_level = least;
}

bool log_level_parse(const char *text, enum log_level *out)
{
	for (int i = 0; i < LOG__MAX; i++) {
		if (strcmp(text, level_names[i]) == 0) {
			*out = (enum log_level)i;
			return true;
		}
	}
	return false;
}

void log_context(const char *request_id, const char *tenant)
{
	copy_cut(context_request, sizeof(context_request), request_id);
	copy_cut(context_tenant, sizeof(context_tenant), tenant);
}

/* False when it does not fit beside the tail. */
static bool line_add(struct line *l, const char *p, size_t n)
{
	if (n > sizeof(l->p) - TAIL_BYTES - l->len)
		return false;
	memcpy(l->p + l->len, p, n);
	l->len += n;
	return true;
}

static bool line_add_code_point(struct line *l, uint32_t cp)
{
	char out[8];

	if (cp == '"' || cp == '\\')
		return line_add(l, (char[]){ '\\', (char)cp }, 2);
	if (cp == '\n')
		return line_add(l, "\\n", 2);
	if (cp < 0x20 || (cp >= 0x7F && cp < 0xA0))
		return line_add(l, out,
		                (size_t)snprintf(out, sizeof(out), "\\u%04x", (unsigned)cp));
	return line_add(l, out, utf8_encode(cp, out));
}

/* Takes the bytes that stand for themselves off the text, as many as fit. */
static void line_add_plain(struct line *l, struct str *s)
{
	size_t room = sizeof(l->p) - TAIL_BYTES - l->len, n = 0;

	while (n < s->len && n < room && s->p[n] >= 0x20 && s->p[n] < 0x7F && s->p[n] != '"' &&
	       s->p[n] != '\\')
		n++;
	memcpy(l->p + l->len, s->p, n);
	l->len += n;
	s->p += n;
	s->len -= n;
}

/* Appends ,"name":"text" and cuts the text where the line is full. */
static void line_field(struct line *l, const char *name, const char *text)
{
	struct str s = str_of(text);
	char head[40];
	int n = snprintf(head, sizeof(head), "%s\"%s\":\"", l->len > 1 ? "," : "", name);

	if (s.len == 0 || l->len + (size_t)n + 2 * TAIL_BYTES > sizeof(l->p))
		return;
	line_add(l, head, (size_t)n);
	do
		line_add_plain(l, &s);
	while (s.len > 0 && line_add_code_point(l, str_utf8_next(&s)));
	l->p[l->len++] = '"'; /* the tail's byte; line_write counts on the other two */
}

static void line_write(struct line *l)
{
	ssize_t n;

	l->p[l->len++] = '}';
	l->p[l->len++] = '\n';
	do
		n = write(STDERR_FILENO, l->p, l->len);
	while (n < 0 && errno == EINTR);
}

/* A build outside the tree compiles with a path before the house's own. */
static const char *inner_path(const char *file)
{
	static const char own[] = "lib/base/log.c";
	size_t outer = strlen(__FILE__) - (sizeof(own) - 1);

	return file && strncmp(file, __FILE__, outer) == 0 ? file + outer : file;
}

static void line_begin(struct line *l, enum log_level level, const char *event)
{
	char at[CLOCK_TEXT_MAX], text[CLOCK_TEXT_MAX];
	int64_t now_ms = clock_wall_ms();

	/* Always with milliseconds, so that lines compare as text. */
	snprintf(at, sizeof(at), "%.19s.%03dZ", clock_format(now_ms, text), (int)(now_ms % 1000));
	l->p[0] = '{';
	l->len = 1;
	line_field(l, "at", at);
	line_field(l, "level", level_names[level]);
	line_field(l, "program", program_name);
	line_field(l, "event", event);
	line_field(l, "requestId", context_request);
	line_field(l, "tenant", context_tenant);
}

static void line_source(struct line *l, const char *file, int line)
{
	char text[200];

	snprintf(text, sizeof(text), "%s:%d", inner_path(file), line);
	line_field(l, "source", text);
}

void log_at(enum log_level level, const char *file, int line, const char *event, const char *fmt,
            ...)
{
	char msg[LINE_MAX_BYTES];
	struct line l;
	va_list args;
	int saved = errno;

	if (level < least_level)
		return;
	line_begin(&l, level, event);
	line_source(&l, file, line);
	va_start(args, fmt);
	if (vsnprintf(msg, sizeof(msg), fmt, args) < 0)
		msg[0] = '\0';
	va_end(args);
	line_field(&l, "msg", msg);
	line_write(&l);
	errno = saved;
}

void log_err(enum log_level level, const char *event, const struct err *e)
{
	struct line l;
	int saved = errno;

	if (level < least_level)
		return;
	line_begin(&l, level, event);
	if (e->file)
		line_source(&l, e->file, e->line);
	line_field(&l, "code", err_code_name(e->code));
	line_field(&l, "slug", e->slug);
	line_field(&l, "pointer", e->pointer);
	line_field(&l, "msg", e->msg);
	line_field(&l, "detail", e->detail);
	line_write(&l);
	errno = saved;
}
