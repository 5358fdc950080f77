#include "config.h"

#include "drive/once.h"
#include "lib/base/clock.h"
#include "lib/base/poison.h"

static void serve(struct drive *d, struct drive_run *r, const struct drive_once *o)
{
	int64_t deadline = o->time_max_ms ? clock_mono_ms() + o->time_max_ms : INT64_MAX;
	bool told = false;

	while (drive_count(d) > 0) {
		int64_t left = deadline - clock_mono_ms();

		if (left <= 0 && !told) {
			drive_finish(r, o->time_stop ? o->time_stop : "the time limit");
			told = true;
		}
		drive_step(d, told || !o->time_max_ms ? -1 : left < 0 ? 0 : left);
	}
}

bool drive_run_once(const struct drive_once *o, struct err *e)
{
	struct drive_start start = o->start;
	struct drive *d;
	struct drive_run *r;
	bool ok;

	if (!drive_new(&o->drive, &d, e))
		return false;
	start.run.once = true;
	ok = drive_start(d, &start, &r, e);
	if (ok)
		serve(d, r, o);
	drive_free(d);
	return ok;
}
