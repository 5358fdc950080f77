#!/bin/sh
# Requests of one token beside each other: none waits for another. Prints TAP; tests/sql/run.sh calls it.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
sql() { psql -XAtq -v ON_ERROR_STOP=1 -d "$CATCHMENT_TEST_DB" "$@"; }
sql -c 'CALL tap.two_tenants()'
echo 1..2
sql >"$dir/first" <<'E2' &
BEGIN;
SET LOCAL ROLE catchment_web;
SELECT tenant_id FROM identity.enter(tap.token(1), '', '', '10.0.0.1');
SELECT pg_sleep(2);
COMMIT;
E2
sleep 0.7 # the first has entered, and holds what it has locked
if second=$(sql <<'E2'
SET statement_timeout = '500ms';
BEGIN;
SET LOCAL ROLE catchment_web;
SELECT tenant_id = tap.id(1) FROM identity.enter(tap.token(1), '', '', '10.0.0.2');
COMMIT;
E2
) && [ "$second" = t ]; then echo "ok 1 - a request enters while another of its token is at work"; else
	echo "not ok 1 - a request enters while another of its token is at work"
fi
wait
last=$(sql -c "SELECT last_ip FROM identity.tokens WHERE id = tap.id(21)")
if [ "$last" = 10.0.0.1 ]; then echo "ok 2 - the first has noted its use"; else
	echo "not ok 2 - the first has noted its use"
	echo "# have: $last"
fi
