/* stream - an installation's stream by what a query names it, and the words when it is not there */
#include "config.h"

#include "cgi/part/stream.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

bool part_instance_missing(struct req *r, struct err *e)
{
	static const struct req_way ways[] = {
		{ "/collector-instances", "Look in the list of instances" },
		{ "/tenants", "Switch to another workspace" },
		{ NULL, NULL },
	};

	req_ways_out(r, ways);
	return err_set(e, ERR_NOT_FOUND, "not_found",
	               "There is no such installation in this workspace. It may be in another one "
	               "of yours: then switch to that. Otherwise look for it in the list.");
}

bool part_stream_missing(struct req *r, struct err *e)
{
	struct db_rows *rows;

	if (!req_run(r, Q_RECORD_STREAM_NAMES, DB_ARGS(db_uuid(&r->params[0])), &rows, e))
		return false;
	if (db_count(rows) == 0)
		return part_instance_missing(r, e);
	if (!db_get(rows, 0, 0).p)
		return err_set(e, ERR_NOT_FOUND, "stream_not_found",
		               "There is no stream yet. A stream exists once its pipeline was "
		               "asked to run.");
	return err_set(e, ERR_NOT_FOUND, "stream_not_found",
	               "There is no such stream here. Name one of these: " STR_FMT ".",
	               STR_ARG(db_get(rows, 0, 0)));
}

bool part_stream_find(struct req *r, struct uuid *stream, struct err *e)
{
	const char *name = json_text(r->query, "stream", NULL);
	struct db_rows *rows;

	if (!req_run(r, Q_RECORD_STREAM, DB_ARGS(db_uuid(&r->params[0]), db_text(name)), &rows, e))
		return false;
	if (db_count(rows) == 0 || !db_get_uuid(rows, 0, 0, stream))
		return part_stream_missing(r, e);
	return true;
}
