#!/bin/sh
# catchment doctor: a healthy database has no finding; each thing that is broken on purpose is found by
# its check, with its severity, and by no other; mended, it is gone.
set -u
top=${top_srcdir:-.}
program=$(cd "${top_builddir:-.}" && pwd)/catchment
if [ -z "${CATCHMENT_TEST_DB-}" ]; then
	exec "$top/tests/pg.sh" sh "$0" "$@"
fi
dir=$(mktemp -d) || exit 1
sleepers=
stop() {
	# shellcheck disable=SC2086
	[ -z "$sleepers" ] || kill $sleepers 2>/dev/null
	rm -rf "$dir"
}
trap stop EXIT
trap 'exit 130' HUP INT TERM
failures=0
looked=0

sql() { psql -X -q -At -v ON_ERROR_STOP=1 -d "$CATCHMENT_TEST_DB dbname=house" "$@"; }
settings() { # further lines
	cat >"$dir/conf" <<END
DB_MIGRATE='$CATCHMENT_TEST_DB dbname=house user=catchment_migrate'
MIGRATIONS_DIR=$migrations
SEAL_PUBLIC=$dir/seal.pub
SEAL_PRIVATE=$dir/open.key
CURSOR_KEY=$dir/cursor.key
EGRESS_ALLOW=127.0.0.1/32:8081
END
	[ $# = 0 ] || printf '%s\n' "$@" >>"$dir/conf"
}
doctor() { "$program" --conf "$dir/conf" doctor "$@" >"$dir/out" 2>"$dir/err"; }
fail() {
	echo "FAIL: $1"
	cat "$dir/out" "$dir/err"
	failures=$((failures + 1))
}
findings() { # every check but the disk, which is this machine's, that is not ok: "error roles" ...
	sed -nE 's/^(error|warning) +([a-z-]+) .*/\1 \2/p' "$dir/out" | grep -v ' disk$'
}

finds() { # severity, check, words of the finding, [options of doctor...]; others must be silent
	severity=$1 check=$2 words=$3
	shift 3
	doctor "$@"
	status=$?
	looked=$((looked + 1))
	if [ "$(findings | grep -vx "${also:-none}")" != "$severity $check" ]; then
		fail "$check: expected \"$severity $check\" alone, for: $words"
	elif ! grep -qF -- "$words" "$dir/out"; then
		fail "$check: the finding lacks: $words"
	elif [ "$severity" = error ] && [ $status != 1 ]; then
		fail "$check: exit code $status for an error"
	fi
}
fine() { # after what, [options...]
	what=$1
	shift
	doctor "$@"
	[ -z "$(findings)" ] || fail "$what: something is still found"
}
broken_by() { # SQL, then as finds; the SQL that mends is in $mend
	sql -c "$1" || fail "could not break: $1"
	shift
	finds "$@"
	sql -c "$mend" || fail "could not mend: $mend"
	fine "$2"
}
session() { # SQL, as a session of its own that stays until it is ended
	sql -c "$1" >/dev/null 2>&1 &
	sleepers="$sleepers $!"
}
session_end() {
	sql -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'house' AND pid <> pg_backend_pid()" >/dev/null
	wait
	sleepers=
}
until_true() { # SQL of a boolean
	tries=0
	until [ "$(sql -c "SELECT $1")" = t ]; do
		tries=$((tries + 1))
		[ $tries -lt 100 ] || return
		sleep 0.1
	done
}

migrations=$(cd "$top/sql/migrations" && pwd)
settings
# the cluster is ours alone; what follows changes its roles
psql -X -q -d "$CATCHMENT_TEST_DB" -c "CREATE DATABASE house" || exit 1
sql -f "$top/sql/roles.sql" || exit 1
"$program" --conf "$dir/conf" migrate 2>"$dir/err" || { cat "$dir/err"; exit 1; }
"$program" --conf "$dir/conf" keys init && "$program" --conf "$dir/conf" keys check >/dev/null || exit 1

doctor
[ "$(findings)" = "error runners" ] || fail "without a runner, that alone is found"
sql -c "INSERT INTO work.runner (id, host, lease_until) VALUES (gen_random_uuid(), 'test', now() + interval '1 hour')"
doctor && [ -z "$(findings)" ] || fail "a healthy database has no finding and exit code 0"
doctor --json && grep -qE '^\{"checks":\[\{"check":"migrations","state":"ok"\}' "$dir/out" || fail "--json says the same"

# --- roles, grants, row level security ---
also="error grants" # who is a superuser, or reads all, reads identity tables, too
mend="ALTER ROLE catchment_web NOSUPERUSER"
broken_by "ALTER ROLE catchment_web SUPERUSER" error roles "is a superuser"
also=
mend="ALTER ROLE catchment_web NOBYPASSRLS"
broken_by "ALTER ROLE catchment_web BYPASSRLS" error roles "passes by row level security"
mend="ALTER ROLE catchment_owner NOLOGIN"
broken_by "ALTER ROLE catchment_owner LOGIN" error roles "may sign in"
mend="ALTER ROLE catchment_run NOCREATEROLE"
broken_by "ALTER ROLE catchment_run CREATEROLE" error roles "may make roles or databases"
mend="ALTER ROLE gone RENAME TO catchment_backup"
broken_by "ALTER ROLE catchment_backup RENAME TO gone" error roles "is missing"
also="error grants"
mend="REVOKE catchment_backup FROM catchment_export"
broken_by "GRANT catchment_backup TO catchment_export" error roles "is a member of catchment_backup"
also=
mend="GRANT INSERT ON collect.records TO catchment_run"
broken_by "REVOKE INSERT ON collect.records FROM catchment_run" error grants "lacks INSERT on collect.records"
mend="GRANT CONNECT ON DATABASE house TO catchment_web"
broken_by "REVOKE CONNECT ON DATABASE house FROM catchment_web" error grants "may not connect"
mend="REVOKE ALL ON work.lane FROM PUBLIC"
broken_by "GRANT SELECT ON work.lane TO PUBLIC" error grants "has SELECT on work.lane"
mend="REVOKE SELECT ON identity.tokens FROM catchment_web"
broken_by "GRANT SELECT ON identity.tokens TO catchment_web" error grants "may read identity tables"
mend="GRANT pg_monitor TO catchment_migrate"
broken_by "REVOKE pg_monitor FROM catchment_migrate" warning sight "does not see"
mend="ALTER TABLE collect.records ENABLE ROW LEVEL SECURITY"
broken_by "ALTER TABLE collect.records DISABLE ROW LEVEL SECURITY" error row-security "collect.records has row level security off"
mend="ALTER TABLE collect.records FORCE ROW LEVEL SECURITY"
broken_by "ALTER TABLE collect.records NO FORCE ROW LEVEL SECURITY" error row-security "does not force"
mend="DROP TABLE work.bare"
broken_by "CREATE TABLE work.bare (); ALTER TABLE work.bare ENABLE ROW LEVEL SECURITY; ALTER TABLE work.bare FORCE ROW LEVEL SECURITY" \
	error row-security "work.bare has no policy"

# --- tables and indexes ---
sql -c "CREATE SCHEMA scratch"
mend="DROP TABLE scratch.t"
broken_by "CREATE TABLE scratch.t WITH (autovacuum_enabled = false) AS SELECT generate_series(1, 5000) AS n" \
	warning statistics "5000 rows, and was never analyzed"
sql -c "CREATE TABLE scratch.t WITH (autovacuum_enabled = false) AS SELECT generate_series(1, 20000) AS n" -c "ANALYZE scratch.t"
fine "a table that was analyzed"
broken_by "INSERT INTO scratch.t SELECT generate_series(1, 60000)" warning statistics "rows changed since"
sql -c "CREATE TABLE scratch.t WITH (autovacuum_enabled = false) AS SELECT generate_series(1, 30000) AS n"
sql -c "DELETE FROM scratch.t WHERE n > 1000" -c "ANALYZE scratch.t"
finds warning dead-rows "29000 dead rows"
sql -c "VACUUM scratch.t"
fine "a table that was vacuumed"
sql -c "DROP TABLE scratch.t" -c "CREATE TABLE scratch.t AS SELECT generate_series(1, 600000) AS n" -c "ANALYZE scratch.t"
fine "a table without an index"
sql -c "CREATE INDEX idle ON scratch.t (n)"
fine "an index that is younger than its statistics' month"
sql -c "SELECT pg_stat_reset()" >/dev/null
sql -c "ANALYZE scratch.t"
fine "statistics that were reset just now"
sleep 1
finds warning unused-indexes "and never used" --unused-days 0
sql -c "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'scratch.idle'::regclass"
finds error invalid-indexes "scratch.idle is not valid"
sql -c "DROP TABLE scratch.t"
fine "without it"

# --- sessions ---
# a runner's staging tables live as long as its connection, and nobody analyzes them
printf '%s;\n' "CREATE TEMPORARY TABLE staging AS SELECT generate_series(1, 50000) AS n" "SELECT pg_sleep(1.1)" \
	"DELETE FROM staging" "SELECT pg_sleep(1.1)" "SELECT pg_sleep(61)" | sql >/dev/null 2>&1 &
sleepers=$!
seen="EXISTS (SELECT FROM pg_stat_user_tables WHERE relname = 'staging' AND n_dead_tup > 40000)"
until_true "$seen"
[ "$(sql -c "SELECT $seen")" = t ] || fail "a session's own table has statistics"
fine "a session's own tables" --slow-ms 60000
session_end
session "SELECT pg_sleep(60)"
until_true "EXISTS (SELECT FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' AND query_start < clock_timestamp() - interval '1.2 s')"
finds warning slow-now "SELECT pg_sleep(60)"
fine "with patience" --slow-ms 60000
finds_long() { doctor --slow-ms 60000 --long-s 1; }
finds_long
[ "$(findings)" = "warning long-transactions" ] || fail "a transaction that is open for longer than --long-s"
session_end
fine "once it has ended"
sql -c "ALTER ROLE catchment_web CONNECTION LIMIT 1"
psql -X -q -d "$CATCHMENT_TEST_DB dbname=house user=catchment_web" -c "SELECT pg_sleep(60)" >/dev/null 2>&1 &
sleepers=$!
until_true "EXISTS (SELECT FROM pg_stat_activity WHERE usename = 'catchment_web')"
finds error connections "catchment_web has 1 of at most 1 connections" --slow-ms 60000
session_end
sql -c "ALTER ROLE catchment_web CONNECTION LIMIT -1"
# what the extension's view would say
mend="DROP VIEW public.pg_stat_statements"
broken_by "CREATE VIEW public.pg_stat_statements AS SELECT 7::bigint AS calls, 2500.4::float8 AS mean_exec_time, 'SELECT slow()'::text AS query,
	(SELECT oid FROM pg_database WHERE datname = 'house') AS dbid; GRANT USAGE ON SCHEMA public TO catchment_migrate;
	GRANT SELECT ON public.pg_stat_statements TO catchment_migrate" warning slow-often "7 times took 2500 ms on average: SELECT slow()"

# --- partitions and the queue ---
month=$(date -u -d "$(date -u +%Y-%m-15) 1 month" +%Y%m)
mend="SELECT util.months_ahead()"
broken_by "DROP TABLE collect.journal_$month" error partitions "collect.journal has no partition for"
ids="(SELECT '0192f3a0-0000-7000-8000-000000000001'::uuid AS t) i"
mend="DELETE FROM work.work; DELETE FROM work.lane"
broken_by "INSERT INTO work.work (tenant_id, id, kind, subject_id, state, due_at) SELECT t, t, 'pipeline', t, 'ready', now() - interval '5 min' FROM $ids" \
	warning queue "1 runs are due since"
sql -c "INSERT INTO work.work (tenant_id, id, kind, subject_id, state, due_at) SELECT t, t, 'pipeline', t, 'ready', now() FROM $ids"
fine "what is due just now"
sql -c "UPDATE work.work SET due_at = now() - interval '5 min'" -c "UPDATE work.lane SET paused = true"
fine "a workspace that is paused"
sql -c "$mend"
broken_by "INSERT INTO work.work (tenant_id, id, kind, subject_id, state, runner_id, claimed_at) SELECT t, t, 'pipeline', t, 'running', t, now() - interval '5 min' FROM $ids" \
	error queue "is held by a runner that is gone"
sql -c "INSERT INTO work.runner (id, host, lease_until) SELECT t, 'x', now() - interval '5 min' FROM $ids"
broken_by "INSERT INTO work.work (tenant_id, id, kind, subject_id, state, runner_id, claimed_at) SELECT t, t, 'pipeline', t, 'running', t, now() - interval '5 min' FROM $ids" \
	error queue "whose lease ran out"
sql -c "DELETE FROM work.runner WHERE host = 'x'"
mend="UPDATE work.runner SET lease_until = now() + interval '1 hour'"
broken_by "UPDATE work.runner SET lease_until = now() - interval '1 s'" error runners "the last lease ran out at"
mend="SELECT pg_drop_replication_slot('idle')"
broken_by "SELECT pg_create_physical_replication_slot('idle', true)" warning replication-slots "idle is not in use and holds"

# --- migrations, keys, settings ---
migrations=$dir/migrations
cp -R "$top/sql/migrations" "$migrations"
chmod -R u+w "$migrations"
next=$(printf '%04d' $(($(ls "$migrations" | sed -n '$s/^0*\([0-9]*\)_.*/\1/p') + 1)))
echo 'SELECT 1;' >"$migrations/${next}_more.sql"
settings
finds error migrations "${next}_more.sql is not applied"
rm "$migrations/${next}_more.sql"
fine "all are applied"
echo '-- changed' >>"$migrations/0001_ground.sql"
finds error migrations "0001_ground.sql"
migrations=$(cd "$top/sql/migrations" && pwd)
settings
mv "$dir/open.key" "$dir/away"
finds error keys "open.key"
mv "$dir/away" "$dir/open.key"
mend="UPDATE work.seal_key SET check_value = (SELECT v FROM scratch.kept); DROP TABLE scratch.kept"
broken_by "CREATE TABLE scratch.kept AS SELECT check_value AS v FROM work.seal_key; UPDATE work.seal_key SET check_value = repeat('0', 32)" \
	error keys "is another key than the database knows"
[ "$(sql -c "SELECT string_agg(table_name || '.' || column_name, ' ' ORDER BY 1) FROM information_schema.columns
	WHERE column_name LIKE '%sealed' AND data_type = 'bytea'")" = "secrets.sealed tokens.access_sealed tokens.refresh_sealed" ] ||
	fail "each sealed column is one that doctor_sealed and operator_seal_keys count"
owner="gen_random_uuid(), gen_random_uuid()"
mend="DELETE FROM collect.secrets"
broken_by "INSERT INTO collect.secrets (tenant_id, owner_id, field, kid, sealed) VALUES ($owner, 'f', 7, '')" \
	error keys "secrets 1 are sealed by key 00000007, which no file holds"
mend="DELETE FROM collect.tokens"
broken_by "INSERT INTO collect.tokens (tenant_id, owner_id, auth_hash, access_kid, access_sealed) VALUES ($owner, 'h', 8, '')" \
	error keys "access tokens 1 are sealed by key 00000008"
broken_by "INSERT INTO collect.tokens (tenant_id, owner_id, auth_hash, refresh_kid, refresh_sealed) VALUES ($owner, 'h', 9, '')" \
	error keys "refresh tokens 1 are sealed by key 00000009"
mend="DELETE FROM collect.tokens; DELETE FROM work.seal_key WHERE kid = 9"
broken_by "INSERT INTO work.seal_key (kid, check_value) VALUES (9, repeat('0', 32)); INSERT INTO collect.tokens
	(tenant_id, owner_id, auth_hash, access_kid, refresh_kid) VALUES ($owner, 'h', 9, 9)" error keys "is in no file and seals 2 values"
settings "SEAL_PUBLIC="
finds warning keys "not looked at"
settings "EGRESS_ALLOW=0.0.0.0/0:443"
finds error egress "0.0.0.0/0:443 is every address there is"
settings "EGRESS_ALLOW=127.0.0.1/32:80,10.0.0.0/8:443"
finds warning egress "10.0.0.0/8:443 is a very wide range"
settings "EGRESS_ALLOW=nonsense"
finds error egress "EGRESS_ALLOW"
settings "EGRESS_HTTP=1"
finds warning egress "EGRESS_HTTP"
settings
fine "all is mended"

# --- what cannot be looked at ---
"$program" --conf "$dir/conf" doctor --slow-ms soon >"$dir/out" 2>"$dir/err"
[ $? = 2 ] || fail "wrong usage has exit code 2"
sed -i "s/dbname=house/dbname=nowhere/" "$dir/conf"
doctor
[ $? != 0 ] && grep -q '^catchment: ' "$dir/err" || fail "a database that is away is said"

echo "$looked things broken on purpose, $failures failures"
[ "$looked" -gt 25 ] && [ $failures -eq 0 ]
