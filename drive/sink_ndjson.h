/*
 * sink_ndjson - records to one file, a line each; what happened to another, for a person
 *
 * Ownership: the files are the caller's.
 * Errors:    a write that fails ends the run as failed (output_failed).
 * Threads:   one.
 */
#ifndef CATCHMENT_DRIVE_SINK_NDJSON_H
#define CATCHMENT_DRIVE_SINK_NDJSON_H

#include <stdio.h>

#include "drive/drive.h"

struct sink_ndjson {
	FILE *out, *err;
	size_t records_max;      /* 0: all */
	bool verbose;            /* every note, not only waits and quarantines */
	void (*unwritten)(void); /* when out cannot be written; may end the program */
	/* results */
	size_t written;
	bool waiting;
	enum run_status status;
};

extern const struct sink SINK_NDJSON; /* its arg is a struct sink_ndjson */

#endif
