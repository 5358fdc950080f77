#include "config.h"

#include <inttypes.h>

#include "drive/sink_memory.h"
#include "drive/sink_ndjson.h"
#include "lib/base/clock.h"
#include "lib/base/poison.h"

static void ndjson_note(void *arg, struct drive_run *r, const struct run_note *n)
{
	struct sink_ndjson *s = arg;
	char at[CLOCK_TEXT_MAX];

	(void)r;
	if (s->verbose || strcmp(n->kind, "wait") == 0 || strcmp(n->kind, "quarantine") == 0)
		fprintf(s->err, "%s %s " STR_FMT "\n", clock_format(n->at_ms, at), n->kind,
		        STR_ARG(n->json));
}

/* A line per record: a record's own line breaks are white space between tokens, since inside a
 * JSON text they are escaped. */
static void record_write(FILE *out, struct str bytes)
{
	size_t from = 0;

	for (size_t i = 0; i < bytes.len; i++) {
		if (bytes.p[i] != '\n' && bytes.p[i] != '\r')
			continue;
		fwrite(bytes.p + from, 1, i - from, out);
		from = i + 1;
	}
	fwrite(bytes.p + from, 1, bytes.len - from, out);
	fputc('\n', out);
}

static void ndjson_page(void *arg, struct drive_run *r, const struct run_page *page)
{
	struct sink_ndjson *s = arg;
	struct err e = { 0 };
	bool enough = false;

	for (size_t i = 0; i < page->count && !enough; i++) {
		if (page->records[i].fate != RECORD_KEEP)
			continue;
		record_write(s->out, page->records[i].bytes);
		s->written++;
		enough = s->records_max && s->written >= s->records_max;
	}
	if (fflush(s->out) != 0 || ferror(s->out)) {
		if (s->unwritten)
			s->unwritten();
		err_set(&e, ERR_UNAVAILABLE, "output_failed",
		        "The records could not be written; look at where the output goes.");
		drive_page_done(r, false, &e);
		return;
	}
	if (enough)
		drive_finish(r, "the limit of records that was asked for");
	drive_page_done(r, true, NULL);
}

static void counts_say(const struct sink_ndjson *s, const struct drive_run *r)
{
	struct run_counts c = drive_run_counts(r);

	fprintf(s->err,
	        "%zu records written, %" PRId64 " pages, %" PRId64 " requests (%" PRId64
	        " retries), %" PRId64 " filtered, %" PRId64 " duplicates, %" PRId64
	        " quarantined, %" PRId64 " bytes\n",
	        s->written, c.pages, c.requests, c.retries, c.filtered, c.duplicates, c.quarantined,
	        c.bytes);
}

static void ndjson_park(void *arg, struct drive_run *r, const struct run_wait *wait)
{
	struct sink_ndjson *s = arg;
	char at[CLOCK_TEXT_MAX];

	s->waiting = true;
	s->status = RUN_FAILED;
	counts_say(s, r);
	fprintf(s->err, "waiting: %s: %s Run it again after %s.\n", wait->code, wait->message,
	        clock_format(wait->until_ms, at));
}

static void ndjson_end(void *arg, struct drive_run *r, const struct run_end *end)
{
	struct sink_ndjson *s = arg;

	s->status = end->status;
	counts_say(s, r);
	fprintf(s->err, "%s%s%s%s%s", run_status_name(end->status), end->code[0] ? ": " : "",
	        end->code, end->message[0] ? ": " : "", end->message);
	fprintf(s->err, "%s%s\n", end->stop[0] ? "; stopped because of: " : "", end->stop);
}

const struct sink SINK_NDJSON = {
	.note = ndjson_note, .page = ndjson_page, .park = ndjson_park, .end = ndjson_end
};
