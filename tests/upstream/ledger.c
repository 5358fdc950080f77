/* ledger - see ledger.h */
#include "config.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/upstream/ledger.h"
#include "lib/base/poison.h"

#define LINE_MAX_BYTES ((size_t)20 << 20)

bool ledger_open(struct ledger *l, const char *path, struct err *e)
{
	l->path = path;
	l->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	return l->fd >= 0 ? true : err_errno(e, ERR_UNAVAILABLE, "no_ledger", path);
}

static void line_append(const struct ledger *l, struct buf *b)
{
	buf_char(b, '\n');
	if (b->failed || write(l->fd, b->p, b->len) != (ssize_t)b->len)
		fprintf(stderr, "upstream: a ledger line was lost\n");
}

static void member(struct buf *b, const char *name, const char *text)
{
	buf_printf(b, ",\"%s\":", name);
	buf_json_string(b, str_of(text ? text : ""));
}

static bool is_credential(const struct ask *k, const char *name)
{
	return strcmp(name, ask_setting_or(k, "auth_name", "api_key")) == 0;
}

/* The query with a credential's value cut to its last 4 characters. */
static void query_write(const struct ask *k, struct buf *b)
{
	struct buf q;

	buf_init(&q, (size_t)1 << 16);
	for (size_t i = 0; i < k->params.n; i++) {
		const char *v = k->params.list[i].value;
		bool hide = is_credential(k, k->params.list[i].name);
		buf_printf(&q, "%s%s=%s", i ? "&" : "", k->params.list[i].name, hide ? "..." : "");
		buf_text(&q, hide && strlen(v) > 4 ? v + strlen(v) - 4 : v);
	}
	buf_text(b, ",\"query\":");
	buf_json_string(b, buf_view(&q));
	buf_free(&q);
}

void ledger_write(const struct ledger *l, const struct ask *k, const struct answer *a)
{
	struct buf b;

	buf_init(&b, LINE_MAX_BYTES);
	buf_printf(&b, "{\"at\":%" PRId64, k->at_ms);
	member(&b, "scenario", k->scenario);
	member(&b, "method", k->method);
	member(&b, "path", k->path);
	query_write(k, &b);
	buf_printf(&b, ",\"status\":%d", a->status);
	member(&b, "fault", a->fault);
	buf_printf(&b, ",\"count\":%" PRId64, a->served.count);
	if (a->served.count > 0)
		buf_printf(&b, ",\"first\":%" PRId64 ",\"last\":%" PRId64, a->served.first,
		           a->served.last);
	if (ask_setting_is(k, "ledger", "full"))
		buf_printf(&b, ",\"ids\":[%s]", a->served.ids.len ? a->served.ids.p : "");
	member(&b, "auth", a->auth);
	member(&b, "credential", a->credential);
	member(&b, "user_agent", ask_header(k, "HTTP_USER_AGENT"));
	member(&b, "idempotency_key", ask_header(k, "HTTP_IDEMPOTENCY_KEY"));
	buf_printf(&b, ",\"body_bytes\":%zu}", k->body.len);
	line_append(l, &b);
	buf_free(&b);
}

void ledger_forget(const struct ledger *l, const char *scenario)
{
	struct buf b;

	buf_init(&b, 256);
	buf_printf(&b, "{\"forget\":\"%s\"}", scenario);
	line_append(l, &b);
	buf_free(&b);
}

bool ledger_read(const struct ledger *l, const char *scenario, struct buf *out, struct err *e)
{
	FILE *f = fopen(l->path, "re");
	char *line = NULL, mark[128], forget[128];
	size_t cap = 0;
	ssize_t n;

	if (!f)
		return err_errno(e, ERR_UNAVAILABLE, "no_ledger", l->path);
	snprintf(mark, sizeof(mark), ",\"scenario\":\"%s\",", scenario ? scenario : "");
	snprintf(forget, sizeof(forget), "{\"forget\":\"%s\"}\n", scenario ? scenario : "");
	while ((n = getline(&line, &cap, f)) > 0) {
		if (scenario && strcmp(line, forget) == 0)
			buf_reset(out);
		else if (!scenario || strstr(line, mark))
			buf_add(out, line, (size_t)n);
	}
	free(line);
	fclose(f);
	return true;
}
