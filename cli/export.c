/* export - catchment export: all records of a stream, checked, to a file or standard output */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/api.h"
#include "cli/tail.h"
#include "lib/base/buf.h"
#include "lib/base/poison.h"

#define PATH_BYTES 1500

/* A file that has no name until it is whole: whatever ends the program leaves nothing behind. */
struct target {
	const char *path; /* NULL: standard output */
	int fd;
	int error;        /* errno of a failed write */
	char named[4096]; /* a passing name, "" while it has none */
};

struct exporting {
	struct cli *cli;
	const char *instance, *stream, *format;
	bool vanished;
	struct target target;
	struct tail tail;
};

/* --- the file --- */

static const char *folder_of(struct arena *a, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return ".";
	return slash == path ? "/" : arena_text(a, (struct str){ path, (size_t)(slash - path) });
}

/* File systems that have no nameless files (NFS, some overlays) get a hidden name. */
static bool target_open(struct cli *cli, struct target *t, struct err *e)
{
	mode_t mask;

	t->fd = STDOUT_FILENO;
	if (t->path == NULL || strcmp(t->path, "-") == 0) {
		t->path = NULL;
		return true;
	}
	t->fd = open(folder_of(cli->arena, t->path), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
	if (t->fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT)) {
		snprintf(t->named, sizeof(t->named), "%s.XXXXXX", t->path);
		t->fd = mkostemp(t->named, O_CLOEXEC);
		mask = umask(0);
		(void)umask(mask);
		if (t->fd >= 0)
			(void)fchmod(t->fd, 0666 & ~mask);
		else
			t->named[0] = '\0';
	}
	return t->fd >= 0 ||
	       err_set(e, ERR_SYNTAX, "output_unwritable", "The file %.150s cannot be written: %s.",
	               t->path, strerror(errno));
}

static bool target_put(void *arg, struct str bytes)
{
	struct target *t = arg;

	while (bytes.len > 0) {
		ssize_t n = write(t->fd, bytes.p, bytes.len);

		if (n < 0 && errno != EINTR) {
			t->error = errno;
			if (t->path == NULL)
				cli_reader_check();
			return false;
		}
		bytes = str_after(bytes, n > 0 ? (size_t)n : 0);
	}
	return true;
}

static bool name_it(struct target *t)
{
	char own[64];

	snprintf(own, sizeof(own), "/proc/self/fd/%d", t->fd);
	for (int i = 0; t->named[0] == '\0' && i < 100; i++) {
		snprintf(t->named, sizeof(t->named), "%s.%d-%d", t->path, (int)getpid(), i);
		if (linkat(AT_FDCWD, own, AT_FDCWD, t->named, AT_SYMLINK_FOLLOW) == 0)
			return true;
		t->named[0] = '\0';
		if (errno != EEXIST)
			return false;
	}
	return t->named[0] != '\0';
}

/* The whole file takes the final name in one step. */
static bool target_keep(struct target *t, struct err *e)
{
	if (t->path == NULL)
		return true;
	if (fsync(t->fd) == 0 && name_it(t) && rename(t->named, t->path) == 0) {
		t->named[0] = '\0';
		return true;
	}
	return err_set(e, ERR_INPUT, "output_unwritable",
	               "The file %.150s could not be finished: %s. Make room there, then run the "
	               "same command again.",
	               t->path, strerror(errno));
}

static void target_close(struct target *t)
{
	if (t->path == NULL)
		return;
	if (t->named[0] != '\0')
		(void)unlink(t->named);
	if (t->fd >= 0)
		close(t->fd);
}

/* --- the request --- */

static const char *path_make(const struct exporting *x)
{
	const char *made;
	struct buf b;

	buf_init(&b, PATH_BYTES);
	buf_text(&b, "/collector-instances/");
	buf_url(&b, str_of(x->instance));
	buf_printf(&b, "/records.%s", x->format);
	if (x->stream != NULL) {
		buf_text(&b, "?stream=");
		buf_url(&b, str_of(x->stream));
	}
	if (x->vanished)
		buf_text(&b, x->stream != NULL ? "&vanished=true" : "?vanished=true");
	made = b.failed ? NULL : arena_text(x->cli->arena, buf_view(&b));
	buf_free(&b);
	return made;
}

static int write_failed(const struct target *t)
{
	fprintf(stderr,
	        "catchment: %s cannot be written: %s. Make room there, then run the same "
	        "command again.\n",
	        t->path != NULL ? t->path : "Standard output", strerror(t->error));
	return CLI_FAILED;
}

static int broke_off(const struct exporting *x, const struct err *e)
{
	int code = call_failed(e);

	if (x->tail.bytes > 0)
		fprintf(stderr, "  It broke off after %lld records, %lld bytes.\n",
		        (long long)x->tail.records, (long long)x->tail.bytes);
	fprintf(stderr, "  %s Run the same command again: it begins anew.\n",
	        x->target.path != NULL ? "The file was left as it was."
	                               : "What was printed is not whole.");
	return code;
}

static int said_done(const struct exporting *x, bool checked, const char *hex)
{
	if (x->tail.lines)
		fprintf(stderr, "%lld records, %lld bytes, sha256 %s: as the server counted.\n",
		        (long long)x->tail.records, (long long)x->tail.bytes, hex);
	else
		fprintf(stderr, "%lld bytes, sha256 %s%s\n", (long long)x->tail.bytes, hex,
		        checked ? ": as the server counted."
		                : "; the server sent no count to hold it against.");
	return CLI_DONE;
}

static int finish(struct exporting *x)
{
	char hex[2 * CRYPT_SHA256 + 1];
	struct err e = { 0 };
	bool checked;

	if (!tail_end(&x->tail, &checked, hex, &e))
		return x->tail.failed ? write_failed(&x->target) : broke_off(x, &e);
	if (!target_keep(&x->target, &e))
		return cli_say(&e);
	return said_done(x, checked, hex);
}

static int transfer(struct exporting *x, struct caller *caller)
{
	struct call call = { .method = HTTP_GET, .sink = tail_add, .sink_arg = &x->tail };
	struct http_answer *answer;
	struct err e = { 0 };
	int code;

	call.path = path_make(x);
	if (call.path == NULL) {
		fputs("catchment: What was given is too long for a URL.\n", stderr);
		return CLI_USAGE;
	}
	if (!call_send(caller, &call, &answer, &e))
		return x->tail.failed ? write_failed(&x->target) : broke_off(x, &e);
	if (call_good(answer))
		return finish(x);
	code = call_refused(x->cli, answer);
	if (!x->tail.lines && call_problem_is(answer, "path_unknown"))
		fputs("  This server does not export CSV; --format ndjson works.\n", stderr);
	return code;
}

static int perform(struct exporting *x)
{
	struct caller *caller = NULL;
	struct err e = { 0 };
	int code;

	if (!call_open(x->cli, &caller, &e) || !target_open(x->cli, &x->target, &e) ||
	    !tail_begin(&x->tail, &e))
		code = call_failed(&e);
	else
		code = transfer(x, caller);
	crypt_hasher_free(x->tail.hasher);
	target_close(&x->target);
	call_close(caller);
	return code;
}

int cli_export(struct cli *cli, int argc, char **argv)
{
	struct exporting x = { .cli = cli, .format = "ndjson", .target = { .fd = -1 } };
	const struct cli_option options[] = {
		{ "stream", &x.stream, NULL },
		{ "format", &x.format, NULL },
		{ "output", &x.target.path, NULL },
		{ "vanished", NULL, &x.vanished },
	};

	if (!cli_options(&argc, argv, options, 4) || argc != 1 ||
	    (strcmp(x.format, "ndjson") != 0 && strcmp(x.format, "csv") != 0))
		return cli_usage("export", "");
	x.instance = argv[0];
	x.tail = (struct tail){
		.put = target_put,
		.arg = &x.target,
		.lines = strcmp(x.format, "ndjson") == 0,
	};
	return perform(&x);
}
