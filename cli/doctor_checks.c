/* doctor_checks - the table of checks, and those that are more than a query */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>

#include "cli/doctor.h"
#include "lib/base/clock.h"
#include "lib/crypt/seal.h"
#include "lib/db/migrate.h"
#include "lib/http/guard.h"
#include "lib/base/poison.h"

#define CLOCK_WARNING_MS 2000
#define CLOCK_ERROR_MS   30000
#define DISK_WARNING     15 /* percent free */
#define DISK_ERROR       5
#define WIDE_BITS        8 /* a range of fewer bits is no list of one's own addresses */

/* clang-format off: a row a check */
const struct doctor_check doctor_checks[] = {
	{ "migrations", "the schema is this version's", 0, doctor_migrations, 0, NULL, false,
	  "Programs of this version refuse to serve a schema of another.",
	  "Run: catchment migrate. If a file was changed, install the version that applied it." },
	{ "sight", "the doctor sees all sessions", Q_DOCTOR_SIGHT, NULL, 0, NULL, false,
	  "Slow statements and long transactions of others stay unseen.",
	  "As a superuser run sql/roles.sql again." },
	{ "roles", "each role is what it should be", Q_DOCTOR_ROLES, NULL, 0, NULL, false,
	  "The roles are the walls between tenants and programs; this one has a hole or is gone.",
	  "As a superuser take the attribute or membership away, or run sql/roles.sql again." },
	{ "grants", "each role may do its work and no more", Q_DOCTOR_GRANTS, NULL, 0, NULL, false,
	  "A program will fail at its work, or reads what it must not.",
	  "GRANT what is missing, REVOKE what is too much; a restore without roles leaves such "
	  "gaps." },
	{ "row-security", "row level security is forced on every table", Q_DOCTOR_ROW_SECURITY,
	  NULL, 0, NULL, false,
	  "One forgotten condition in a query would show a tenant another's rows.",
	  "ALTER TABLE ... ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; find out who took "
	  "it off." },
	{ "clock", "this machine and the database agree on the time", 0, doctor_clock, 0, NULL,
	  false, "Leases, tokens and rate limits are judged by two clocks that differ.",
	  "Let both machines keep time by NTP, such as systemd-timesyncd or chrony." },
	{ "disk", "there is room on the disk", 0, doctor_disk, 0, NULL, false,
	  "A database without room stops, and takes longer to start again than to feed.",
	  "Make room, or move the data to a larger disk, before it is full." },
	{ "statistics", "the planner knows its tables", Q_DOCTOR_STATISTICS, NULL, 0, NULL, false,
	  "Plans are made for a table as it was; queries may become slow all at once.",
	  "Run ANALYZE on it; if it comes back, look whether autovacuum is on and keeps up." },
	{ "unused-indexes", "every large index is used", Q_DOCTOR_UNUSED_INDEXES, NULL, 30,
	  "unused-days", true, "Each write keeps it up to date, and no query gains from it.",
	  "If a month without a use is enough of a proof, tell the developers; do not drop it by "
	  "hand." },
	{ "invalid-indexes", "every index is valid", Q_DOCTOR_INVALID_INDEXES, NULL, 0, NULL, false,
	  "Making it concurrently was broken off, or it was found broken.",
	  "Run REINDEX INDEX CONCURRENTLY on it." },
	{ "slow-now", "no statement runs for long", Q_DOCTOR_SLOW_NOW, NULL, 1000, "slow-ms", true,
	  "A statement of over a second holds a connection, and perhaps locks, that others wait "
	  "for.",
	  "If it is none of yours, end it: SELECT pg_cancel_backend(pid). If it is Catchment's, "
	  "look at "
	  "its plan and at the statistics above." },
	{ "slow-often", "no statement is slow again and again", Q_DOCTOR_SLOW_OFTEN, NULL, 1000,
	  "slow-ms", true, "This is where the database's time goes (from pg_stat_statements).",
	  "Look at its plan with EXPLAIN (ANALYZE, BUFFERS)." },
	{ "long-transactions", "no transaction stays open", Q_DOCTOR_LONG_TRANSACTIONS, NULL, 300,
	  "long-s", true, "Nothing that died since it began can be cleaned up, in any table.",
	  "Find its owner; end it with SELECT pg_terminate_backend(pid), or ROLLBACK PREPARED." },
	{ "dead-rows", "autovacuum keeps up", Q_DOCTOR_DEAD_ROWS, NULL, 0, NULL, false,
	  "The table grows and slows down though nobody needs those rows.",
	  "Run VACUUM (ANALYZE) on it; see long-transactions and replication-slots for what holds "
	  "it up." },
	{ "connections", "there are connections to spare", Q_DOCTOR_CONNECTIONS, NULL, 0, NULL,
	  false, "At the limit new requests are refused.",
	  "Fewer workers or runners, or a higher limit (max_connections needs a restart)." },
	{ "partitions", "the coming months have partitions", Q_DOCTOR_PARTITIONS, NULL, 0, NULL,
	  false,
	  "Rows of that month fall into the default partition, from where they are hard to move.",
	  "Run: catchment migrate. It makes a year of them." },
	{ "runners", "a runner is alive", Q_DOCTOR_RUNNERS, NULL, 0, NULL, false,
	  "Nothing runs until one comes back; what is due waits.",
	  "Start catchmentd or catchment-runner, and look into its log." },
	{ "queue", "what is due is begun, and ends", Q_DOCTOR_QUEUE, NULL, 60, NULL, true,
	  "Runners are too few or stuck, or reaping does not happen.",
	  "Look at the runners' logs and at RUNNER_MAX_RUNS; start another runner." },
	{ "replication-slots", "no replication slot holds the log back", Q_DOCTOR_REPLICATION_SLOTS,
	  NULL, 0, NULL, false,
	  "The server keeps all of its log for somebody who does not come: the disk fills.",
	  "Bring its reader back, or SELECT pg_drop_replication_slot(name)." },
	{ "keys", "the sealing keys fit the database", 0, doctor_keys, 0, NULL, false,
	  "Secrets that tenants have entered, or tokens got with them, cannot be opened or sealed.",
	  "Bring the key files back from their backup; see Rotating the sealing key in "
	  "OPERATING.md." },
	{ "egress", "EGRESS_ALLOW opens no more than it must", 0, doctor_egress, 0, NULL, false,
	  "A tenant's collector could reach your own network, or be read on its way.",
	  "Name single addresses and ports in EGRESS_ALLOW, and leave EGRESS_HTTP at 0." },
	{ NULL, NULL, 0, NULL, 0, NULL, false, NULL, NULL },
};
/* clang-format on */

static void tell(void *arg, enum migrate_event event, int number, const char *name)
{
	struct doctor *d = arg;

	(void)number;
	if (event == MIGRATE_PENDING)
		doctor_find(d, true, name, "is not applied");
}

bool doctor_migrations(struct doctor *d, struct err *e)
{
	struct migrate migrate = { .tell = tell, .arg = d, .check = true };
	struct err why = { 0 };
	size_t n;

	if (!conf_need(d->cli->conf, "DB_MIGRATE", &migrate.conninfo, e))
		return false;
	migrate.folder =
		conf_get(d->cli->conf, "MIGRATIONS_DIR", CATCHMENT_DATADIR "/sql/migrations");
	if (!migrate_run(&migrate, &n, &why))
		doctor_find(d, true, "migrations", "%s", why.msg);
	return true;
}

bool doctor_clock(struct doctor *d, struct err *e)
{
	int64_t before = clock_wall_ms(), theirs, off;
	struct db_rows *rows;

	if (!db_run(d->cli->db, Q_DOCTOR_CLOCK, DB_NO_ARGS, d->cli->arena, &rows, e))
		return false;
	theirs = db_get_int(rows, 0, 0);
	off = theirs - (before + clock_wall_ms()) / 2;
	if (off > CLOCK_WARNING_MS || off < -CLOCK_WARNING_MS)
		doctor_find(d, off > CLOCK_ERROR_MS || off<-CLOCK_ERROR_MS, "the database",
		                                           "is %.1f s %s this machine",
		                                           (double)llabs(off) / 1000, off> 0
		                       ? "ahead of"
		                       : "behind");
	return true;
}

static void room_look(struct doctor *d, const char *path)
{
	struct statvfs s;
	uint64_t percent;

	if (path == NULL || statvfs(path, &s) != 0 || s.f_blocks == 0)
		return;
	percent = (uint64_t)s.f_bavail * 100 / s.f_blocks;
	if (percent < DISK_WARNING)
		doctor_find(d, percent < DISK_ERROR, path,
		            "has %" PRIu64 " %% free: %" PRIu64 " MiB", percent,
		            (uint64_t)s.f_bavail * s.f_frsize / (1024 * 1024));
}

/* The data's disk when the database is on this machine, and where large bodies go. */
bool doctor_disk(struct doctor *d, struct err *e)
{
	struct db_rows *rows;

	if (!db_run(d->cli->db, Q_DOCTOR_PLACE, DB_NO_ARGS, d->cli->arena, &rows, e))
		return false;
	room_look(d, db_get(rows, 0, 0).p);
	room_look(d, conf_get(d->cli->conf, "TMPDIR", "/tmp"));
	return true;
}

/* --- keys --- */

static bool has_kid(const struct seal_keys *keys, int64_t kid)
{
	for (size_t i = 0; i < seal_keys_count(keys); i++)
		if ((int64_t)seal_keys_kid(keys, i) == kid)
			return true;
	return false;
}

/* Keys that the database remembers must be there and be the same. */
static bool kept_look(struct doctor *d, const struct seal_keys *keys, struct err *e)
{
	struct db_rows *rows;

	if (!db_run(d->cli->db, Q_OPERATOR_SEAL_KEYS, DB_NO_ARGS, d->cli->arena, &rows, e))
		return false;
	for (size_t r = 0; r < db_count(rows); r++) {
		int64_t kid = db_get_int(rows, r, 0);
		const char *subject = arena_printf(d->cli->arena, "key %08" PRIx64, (uint64_t)kid);
		struct err why = { 0 };
		char value[33];

		if (!has_kid(keys, kid)) {
			if (db_get_int(rows, r, 3) > 0)
				doctor_find(d, true, subject, "is in no file and seals %s values",
				            db_get(rows, r, 3).p);
		} else if (!seal_check_value(keys, (uint32_t)kid, value, &why)) {
			doctor_find(d, true, subject, "%s", why.msg);
		} else if (!str_eq_text(db_get(rows, r, 1), value)) {
			doctor_find(d, true, subject, "is another key than the database knows");
		}
	}
	return true;
}

static bool unknown_look(struct doctor *d, const struct seal_keys *keys, struct err *e)
{
	struct db_rows *rows;

	if (!db_run(d->cli->db, Q_DOCTOR_SEALED, DB_NO_ARGS, d->cli->arena, &rows, e))
		return false;
	for (size_t r = 0; r < db_count(rows); r++)
		if (!has_kid(keys, db_get_int(rows, r, 0)))
			doctor_find(d, true, db_get(rows, r, 2).p,
			            "%s are sealed by key %08" PRIx64 ", which no file holds",
			            db_get(rows, r, 1).p, (uint64_t)db_get_int(rows, r, 0));
	return true;
}

bool doctor_keys(struct doctor *d, struct err *e)
{
	const char *public_path = conf_get(d->cli->conf, "SEAL_PUBLIC", NULL);
	const char *private_path = conf_get(d->cli->conf, "SEAL_PRIVATE", NULL);
	struct seal_keys *keys = NULL;
	struct err why = { 0 };
	bool ok;

	if (str_of(public_path).len == 0 || str_of(private_path).len == 0) {
		doctor_find(d, false, "keys",
		            "SEAL_PUBLIC or SEAL_PRIVATE is not set: not looked at");
		return true;
	}
	if (!seal_keys_load(public_path, private_path, &keys, &why)) {
		doctor_find(d, true, private_path, "%s", why.msg);
		return true;
	}
	ok = kept_look(d, keys, e) && unknown_look(d, keys, e);
	seal_keys_free(keys);
	return ok;
}

/* --- egress --- */

static void range_look(struct doctor *d, struct str rule)
{
	struct str net, rest, bits, port;
	int64_t n;

	rule = str_trim(rule);
	if (rule.len == 0 || !str_cut(rule, '/', &net, &rest))
		return;
	if (!str_cut(rest, ':', &bits, &port))
		bits = rest;
	if (str_int(bits, 0, 128, &n) && n <= WIDE_BITS)
		doctor_find(d, n == 0, arena_text(d->cli->arena, rule), "is %s",
		            n == 0 ? "every address there is" : "a very wide range");
}

bool doctor_egress(struct doctor *d, struct err *e)
{
	struct str rest = str_of(conf_get(d->cli->conf, "EGRESS_ALLOW", "")), rule;
	struct guard *guard = NULL;
	struct err why = { 0 };

	(void)e;
	if (!guard_from_conf(d->cli->conf, &guard, &why))
		doctor_find(d, true, "EGRESS_ALLOW", "%s", why.msg);
	guard_free(guard);
	while (str_cut(rest, ',', &rule, &rest))
		range_look(d, rule);
	range_look(d, rest);
	if (conf_flag(d->cli->conf, "EGRESS_HTTP", false))
		doctor_find(d, false, "EGRESS_HTTP", "lets http out to every public address");
	return true;
}
