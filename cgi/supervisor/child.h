/*
 * child - processes of the table: started, watched, replaced, reloaded, stopped
 *
 * A child that ends is started again: at once after a second of life or an orderly end, else after a
 * pause that doubles from 0.1 to 5 seconds. A reload starts a second set; when each responder of it
 * has said that it is ready, and the others have lived for a moment, the first set is told to end;
 * if one ends instead, or takes too long, the second set goes. The sockets stay open throughout, so
 * no connection is refused.
 *
 * Each place has a berth, a UUID in its children's environment (RUNNER_BERTH). A child starts there only
 * when the one before it has been waited for: a runner may take back at once what a runner of the same
 * berth held.
 *
 * Times are milliseconds of the monotonic clock, passed in.
 * Ownership: the set borrows the table.
 * Errors:    logged; a supervisor goes on.
 * Threads:   one, signals blocked.
 */
#ifndef CATCHMENT_SUPERVISOR_CHILD_H
#define CATCHMENT_SUPERVISOR_CHILD_H

#include <stdint.h>
#include <sys/types.h>

#include "cgi/supervisor/table.h"
#include "lib/base/uuid.h"

#define CHILDREN_MAX 512

struct child {
	const struct service *service; /* NULL: this place is free */
	pid_t pid;                     /* 0: not running */
	int generation;
	int failures;              /* in a row */
	bool ready;                /* a responder has said so; others are from the start */
	bool retiring;             /* told to end; not replaced */
	char berth[UUID_TEXT_MAX]; /* the same for who replaces it, and for nobody else */
	int64_t started_ms;
	int64_t due_ms;  /* start then, while pid is 0 */
	int64_t kill_ms; /* SIGKILL then; 0: never */
};

struct children {
	const struct table *table;
	struct child list[CHILDREN_MAX];
	int64_t stop_timeout_ms; /* between SIGTERM and SIGKILL */
	int generation;
	int64_t settle_ms; /* a reload is not judged well before; 0: none is under way */
	int ready_read_fd,
		ready_write_fd; /* pids of ready responders; non-blocking, close-on-exec */
	bool reload_failed, reload_again;
	bool stopping;
};

void children_start(struct children *, const struct table *, int64_t now_ms);
void children_ready_take(struct children *); /* when ready_read_fd is readable */
bool children_all_ready(const struct children *);
void children_reap(struct children *, int64_t now_ms); /* after SIGCHLD */
void children_reload(struct children *, int64_t now_ms);
void children_stop(struct children *, int64_t now_ms);
/* Does what is due; returns the milliseconds until something else is, or -1. */
int children_tick(struct children *, int64_t now_ms);
size_t children_running(const struct children *);

#endif
