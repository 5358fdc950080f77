/*
 * sink_memory - keeps what a test wants to show: every step, the first records, how it went
 *
 * Bounded in records, pages and bytes; where a bound stopped the run, `bounded` says so in a
 * sentence. A test does not park: a wait that is too long ends it, and `waiting` says why.
 *
 * Ownership: everything belongs to the arena given, which outlives the sink.
 * Errors:    out of memory drops later entries and sets `bounded`.
 * Threads:   one.
 */
#ifndef CATCHMENT_DRIVE_SINK_MEMORY_H
#define CATCHMENT_DRIVE_SINK_MEMORY_H

#include "drive/drive.h"
#include "lib/base/buf.h"

struct sink_memory_options {
	struct arena *arena;
	size_t records_max; /* 0: 100 */
	size_t pages_max;   /* 0: 3 */
	size_t notes_max;   /* 0: 500 */
	size_t bytes_max;   /* of notes and records; 0: 4 MiB */
};

struct sink_memory_note {
	const char *kind;
	int64_t at_ms;
	struct str json;
};

struct sink_memory {
	struct sink_memory_options o;
	struct sink_memory_note *notes;
	size_t note_count;
	struct str *records; /* JSON, as they would be stored */
	size_t record_count;
	size_t bytes;
	size_t pages;
	bool left_out; /* records were read that are not shown */
	bool ended, waiting;
	struct run_end end;   /* texts copied */
	struct run_wait wait; /* when waiting */
	struct run_counts counts;
	const char *bounded; /* NULL: nothing was left out */
	int64_t started_ms, elapsed_ms;
	char cursor[256]; /* greatest value met; cut when longer */
};

void sink_memory_init(struct sink_memory *, const struct sink_memory_options *);
extern const struct sink SINK_MEMORY; /* its arg is a struct sink_memory */

/* "success", "partial", "failed", "timeout", "cancelled" or "waiting". */
const char *sink_memory_status(const struct sink_memory *);
/* One object: status, error {code, message}, stop, bounded, durationMs, counts {}, steps [{kind, at,
 * detail}], records []. */
void sink_memory_write(const struct sink_memory *, struct buf *);
const char *run_status_name(enum run_status); /* "success" and its kin */

#endif
