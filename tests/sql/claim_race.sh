#!/bin/sh
# Clients that race for the queue: claims against limits, beside requests, ends, parks, reaps and sweeps.
# Prints TAP. tests/sql/run.sh calls it with a database of its own in CATCHMENT_TEST_DB.
set -eu
seconds=${CATCHMENT_RACE_S:-3}
pgbench=$(command -v pgbench || ls "${CATCHMENT_TEST_PG_BIN:-/nowhere}/pgbench" /usr/lib/postgresql/*/bin/pgbench 2>/dev/null | tail -1)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
sql() { psql -XAtq -v ON_ERROR_STOP=1 -d "$CATCHMENT_TEST_DB" "$@"; }
n=0
is() { # have, want, what is claimed
	n=$((n + 1))
	if [ "$1" = "$2" ]; then echo "ok $n - $3"; else
		echo "not ok $n - $3"
		echo "# have: $1, want: $2"
		[ ! -s "$dir/errors" ] || sed 's/^/# /' "$dir/errors" | head -20
	fi
}
# race NAME=WEIGHT... : eight clients run the named scripts for a while
race() {
	set -- $(for one; do echo "-f $dir/${one%=*}.bench@${one#*=}"; done)
	"$pgbench" -n -c 8 -j 2 -T "$seconds" "$@" "$CATCHMENT_TEST_DB" >"$dir/out" 2>"$dir/errors" || true
	grep -v -i '^pgbench (' "$dir/errors" >"$dir/failed" || true
}
deadlocks() { sql -c "SELECT pg_sleep(0.3), pg_stat_clear_snapshot()" >/dev/null
	sql -c "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"; }

sql >/dev/null <<'E2'
SET client_min_messages = warning;
-- twelve tenants with one installation of two pipelines each, limits 1, 2, 3
DO $$ BEGIN
	PERFORM set_config('app.tenant_id', tap.id(1)::text, true);
	INSERT INTO market.release (collector_id, version, ordinal, document, published_by)
	VALUES (tap.id(50), '1.0.0', 1, tap.release_document(), 'x');
	INSERT INTO market.listing (collector_id, name, publisher, data_source, latest_version) VALUES (tap.id(50), 'x', 'x', '{}', '1.0.0');
	FOR n IN 1..12 LOOP
		INSERT INTO collect.collector_instances (tenant_id, id, collector_id, release_version, instance_name, created_by)
		VALUES (tap.id(n), tap.id(100 + n), tap.id(50), '1.0.0', 'x', tap.id(1));
		INSERT INTO work.lane (tenant_id, max_running) VALUES (tap.id(n), 1 + n % 3);
		INSERT INTO work.work (tenant_id, id, kind, subject_id, state, due_at)
		SELECT tap.id(n), util.uuid_v7(), 'call', util.uuid_v7(), 'ready', clock_timestamp() FROM generate_series(1, 20);
	END LOOP;
	INSERT INTO work.runner (id, host, lease_until) SELECT tap.id(900 + n), 'x', 'infinity' FROM generate_series(1, 4) n;
END $$;
CREATE TABLE tap.too_many (tenant_id uuid, running bigint);
CREATE TABLE tap.granted (at timestamptz);
CREATE TABLE tap.ended (outcome text);
GRANT INSERT ON tap.granted, tap.ended TO catchment_run;

CREATE FUNCTION tap.watch() RETURNS void LANGUAGE sql BEGIN ATOMIC
	INSERT INTO tap.too_many SELECT w.tenant_id, count(*) FROM work.work w JOIN work.lane l USING (tenant_id)
	WHERE w.state = 'running' GROUP BY w.tenant_id, l.max_running HAVING count(*) > l.max_running;
END;
CREATE FUNCTION tap.some_running() RETURNS work.work LANGUAGE sql VOLATILE
RETURN (SELECT w FROM work.work w WHERE w.state = 'running' ORDER BY random() LIMIT 1);
-- one transaction of a run's end, in the runner's order
CREATE FUNCTION tap.leave() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	w work.work := tap.some_running();
	at bigint;
BEGIN
	IF w.id IS NULL THEN RETURN; END IF;
	PERFORM set_config('role', 'catchment_run', true);
	PERFORM work.enter(w.tenant_id, w.id, w.lease_token);
	IF w.execution_id IS NULL THEN
		PERFORM work.release(w.tenant_id, w.id, w.lease_token, 'park', '0', NULL);
	ELSE
		SELECT g.seq INTO at FROM collect.progress g WHERE g.subject_id = w.subject_id;
		PERFORM collect.run_begin(w.subject_id, w.execution_id, w.lease_token);
		PERFORM work.release(w.tenant_id, w.id, w.lease_token, 'done', NULL, NULL);
		PERFORM collect.run_end(w.subject_id, w.execution_id, NULL, w.lease_token, at, 'success', '', '', '', '', false,
			'{"requests":0,"retries":0,"bytes":0,"waitedMs":0}');
		INSERT INTO tap.ended VALUES ('success');
	END IF;
EXCEPTION WHEN SQLSTATE 'CA409' THEN NULL; -- somebody else was faster
END $$;
CREATE FUNCTION tap.request(n int, p_which text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('role', 'catchment_web', true), set_config('app.tenant_id', tap.id(n)::text, true),
		set_config('app.user_id', tap.id(1)::text, true);
	PERFORM collect.request_runs(tap.id(100 + n), collect.release_pipelines(tap.release_document(), p_which), 'manual', NULL);
EXCEPTION WHEN SQLSTATE 'CA409' THEN NULL;
END $$;
CREATE FUNCTION tap.lose() RETURNS void LANGUAGE plpgsql AS $$ -- four runs, of a runner that died
BEGIN
	UPDATE work.work w SET runner_id = tap.id(999) FROM (SELECT tenant_id, id FROM work.work WHERE state = 'running'
		ORDER BY random() LIMIT 4 FOR UPDATE SKIP LOCKED) x WHERE w.tenant_id = x.tenant_id AND w.id = x.id AND w.state = 'running';
	-- those of before wait longer each time, or not at all any more: the race needs them
	UPDATE work.work SET crashes = 0, due_at = least(due_at, clock_timestamp()), state = 'ready'
	WHERE (tenant_id, id) IN (SELECT tenant_id, id FROM work.work WHERE state = 'dead' OR state = 'ready' AND crashes > 0
		FOR UPDATE SKIP LOCKED);
END $$;
-- what must not be done: lanes, counts and rows in one statement, that is, of one moment
CREATE FUNCTION tap.claim_at_once(p_runner uuid) RETURNS void LANGUAGE sql SET search_path = pg_catalog BEGIN ATOMIC
	WITH lanes AS (SELECT l.tenant_id, l.max_running FROM work.lane l ORDER BY l.served_at LIMIT 3 FOR NO KEY UPDATE SKIP LOCKED),
	pick AS (SELECT w.tenant_id, w.id FROM lanes l CROSS JOIN LATERAL (SELECT c.tenant_id, c.id FROM work.work c
		WHERE c.tenant_id = l.tenant_id AND c.state = 'ready' ORDER BY c.due_at
		LIMIT greatest(0, l.max_running - (SELECT count(*) FROM work.work r WHERE r.tenant_id = l.tenant_id AND r.state = 'running')::int)
		FOR UPDATE SKIP LOCKED) w)
	UPDATE work.work w SET state = 'running', runner_id = p_runner, lease_token = w.lease_token + 1 FROM pick
	WHERE w.tenant_id = pick.tenant_id AND w.id = pick.id;
END;
E2

cat >"$dir/claim.bench" <<'E2'
\set r random(901, 904)
BEGIN;
SET LOCAL ROLE catchment_run;
SELECT count(*) FROM work.claim(tap.id(:r), 10, 3, interval '1 hour');
COMMIT;
E2
cat >"$dir/at_once.bench" <<'E2'
\set r random(901, 904)
SELECT tap.claim_at_once(tap.id(:r));
E2
cat >"$dir/leave.bench" <<'E2'
SELECT tap.leave();
E2
cat >"$dir/request.bench" <<'E2'
\set t random(1, 12)
\set p random(1, 3)
SELECT tap.request(:t, CASE :p WHEN 1 THEN 'p1' WHEN 2 THEN 'p2' END);
E2
cat >"$dir/reap.bench" <<'E2'
SELECT tap.lose();
BEGIN;
SET LOCAL ROLE catchment_run;
SELECT count(*) FROM work.reap(100);
COMMIT;
E2
cat >"$dir/sweep.bench" <<'E2'
SELECT work.sweep();
E2
cat >"$dir/watch.bench" <<'E2'
SELECT tap.watch();
E2
cat >"$dir/take.bench" <<'E2'
WITH t AS (SELECT work.take(tap.id(1), 'shop', 1, 50, 20) AS wait_s) INSERT INTO tap.granted SELECT clock_timestamp() FROM t WHERE wait_s = 0;
E2

echo 1..9
race claim=4 leave=6 request=3 reap=1 watch=2
is "$(cat "$dir/failed")" "" "claims, ends, requests and reaps race without an error"
is "$(sql -c "SELECT count(*) FROM tap.too_many")" 0 "no tenant ever runs more than its limit"
is "$(sql -c "SELECT count(*) > 5 FROM tap.ended")" t "and work was done meanwhile"
is "$(sql -c "SELECT count(*) FROM work.lane l WHERE l.next_due_at > clock_timestamp()
	AND (SELECT count(*) FROM work.work w WHERE w.tenant_id = l.tenant_id AND w.state = 'running') < l.max_running
	AND EXISTS (SELECT FROM work.work w WHERE w.tenant_id = l.tenant_id AND w.state = 'ready' AND w.due_at <= clock_timestamp())")" 0 \
	"no lane with work that could run is out of sight"
is "$(sql -c "SELECT count(*) FROM collect.collector_executions x WHERE x.state IN ('pending', 'running', 'waiting')
	AND NOT EXISTS (SELECT FROM work.work w WHERE w.execution_id = x.id AND w.state IN ('ready', 'running'))")" 0 \
	"each run that has not ended has its work"
seconds=1
race claim=4 leave=6 request=2 reap=2 sweep=4
is "$(cat "$dir/failed")" "" "the sweep is in nobody's way"
is "$(deadlocks)" 0 "nothing ever waited in a circle"
seconds=2
race at_once=4 leave=6 watch=2
is "$(sql -c "SELECT count(*) > 0 FROM tap.too_many")" t "a claim in one statement breaks the limits, so the test would see it"
race take=1
is "$(sql -c "SELECT count(*) > 60 AND count(*) <= 20 + 50 * extract(epoch FROM max(at) - min(at)) + 1 FROM tap.granted")" t \
	"eight clients are granted rate times time plus burst, and no more"
