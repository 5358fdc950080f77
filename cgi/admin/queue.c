/* queue - the platform at a glance: overview, measures, the queue's health */
#include "config.h"

#include "cgi/admin/admin.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

#define COUNT(member, words)                                                                       \
	{                                                                                          \
		.name = (member), .kind = SHAPE_INTEGER, .flags = SHAPE_REQUIRED,                  \
		.max = INT64_MAX, .help = (words)                                                  \
	}

static const struct field overview_fields[] = {
	{ .name = "at", .kind = SHAPE_TIME, .flags = SHAPE_REQUIRED },
	{ .name = "role", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED, .help = "Your own, here" },
	COUNT("tenants", "Workspaces that are not deleted"),
	COUNT("suspendedTenants", "Of these"),
	COUNT("users", "Active ones"),
	COUNT("collectors", "Drafts and published ones of all workspaces"),
	COUNT("instances", "Instances"),
	COUNT("listings", "Shown in the marketplace"),
	COUNT("awaitingApproval", "Listings that a reviewer has to look at"),
	COUNT("due", "Runs that could begin now"),
	COUNT("running", "Runs in the hands of a runner"),
	COUNT("runners", "Whose lease holds"),
	{ .name = NULL },
};
const struct shape admin_overview_doc = { .name = "PlatformOverview", .fields = overview_fields };

static const struct field measure_fields[] = {
	{ .name = "code", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "value",
	  .kind = SHAPE_NUMBER,
	  .flags = SHAPE_REQUIRED | SHAPE_NULLABLE,
	  .max = INT64_MAX,
	  .help = "null: nothing to measure yet" },
	{ .name = "target", .kind = SHAPE_NUMBER, .flags = SHAPE_REQUIRED, .max = INT64_MAX },
	{ .name = "unit", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED, .help = "%, s, or none" },
	{ .name = "isGoodAbove",
	  .kind = SHAPE_BOOLEAN,
	  .flags = SHAPE_REQUIRED,
	  .help = "Good at or above the target, else below it" },
	{ .name = NULL },
};
static const struct shape measure_doc = { .name = "PlatformMeasure", .fields = measure_fields };

static const struct field measures_fields[] = {
	{ .name = "at", .kind = SHAPE_TIME, .flags = SHAPE_REQUIRED },
	{ .name = "measures",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .of = &measure_doc,
	  .help = "Runs count for the last seven days" },
	{ .name = NULL },
};
const struct shape admin_measures_doc = { .name = "PlatformMeasures", .fields = measures_fields };

static const struct field waiting_fields[] = {
	{ .name = "code",
	  .kind = SHAPE_LINE,
	  .flags = SHAPE_REQUIRED,
	  .help = "Why, as executions show it" },
	COUNT("count", "Runs that wait for it"),
	{ .name = NULL },
};
static const struct shape waiting_doc = { .name = "QueueReason", .fields = waiting_fields };

static const char *const runner_states[] = { "alive", "draining", "lost", NULL };

static const struct field runner_fields[] = {
	{ .name = "id", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "host", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "startedAt", .kind = SHAPE_TIME, .flags = SHAPE_REQUIRED },
	{ .name = "leaseUntil", .kind = SHAPE_TIME, .flags = SHAPE_REQUIRED },
	{ .name = "state",
	  .kind = SHAPE_CHOICE,
	  .flags = SHAPE_REQUIRED,
	  .choices = runner_states,
	  .help = "lost: its lease has run out; it is shown for an hour" },
	COUNT("running", "Runs in its hands"),
	COUNT("claimsPerMinute", "In the last whole minute"),
	{ .name = NULL },
};
static const struct shape runner_doc = { .name = "QueueRunner", .fields = runner_fields };

static const struct field queue_fields[] = {
	{ .name = "at", .kind = SHAPE_TIME, .flags = SHAPE_REQUIRED },
	COUNT("due", "Could begin now"),
	{ .name = "oldestDueAt", .kind = SHAPE_TIME, .flags = SHAPE_REQUIRED | SHAPE_NULLABLE },
	COUNT("oldestDueSeconds", "How long the oldest of these has been due"),
	COUNT("running", "In the hands of a runner"),
	COUNT("expiredLeases", "Of these, whose runner is lost; others take them over"),
	COUNT("waiting", "Due later: rate limits, retries"),
	{ .name = "waitingFor",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .max = 1000,
	  .of = &waiting_doc },
	COUNT("held", "Ready, but their workspace is suspended"),
	COUNT("paused", "Their workspace must act first"),
	COUNT("dead", "Ended for good, until asked for again"),
	COUNT("suspendedTenants", "Workspaces that begin no run"),
	COUNT("claimsPerMinute", "Of all runners, in the last whole minute"),
	{ .name = "runners",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .max = 10000,
	  .of = &runner_doc },
	{ .name = NULL },
};
const struct shape admin_queue_doc = { .name = "PlatformQueue", .fields = queue_fields };

static bool document(struct req *r, enum query query, struct err *e)
{
	struct db_rows *rows;

	return req_run_last(r, query, DB_NO_ARGS, &rows, e) && reply_document(r, rows, e);
}

bool admin_overview(struct req *r, struct err *e)
{
	return document(r, Q_ADMIN_OVERVIEW, e);
}

bool admin_measures(struct req *r, struct err *e)
{
	return document(r, Q_ADMIN_MEASURES, e);
}

bool admin_queue(struct req *r, struct err *e)
{
	return document(r, Q_ADMIN_QUEUE, e);
}
