#!/bin/bash
# ./start from the outside: the demo's story, a second start, the options, the failures. TAP.
# usage: tests/start.sh STATE_DIR [PORT]
set -u
state=$1
port=${2:-18180}
top=$(cd "$(dirname "$0")/.." && pwd)
n=0

ok() { # test's exit status, sentence
	n=$((n + 1))
	[ "$1" = 0 ] && echo "ok $n - $2" || echo "not ok $n - $2"
}

try() { # sentence, command...
	what=$1
	shift
	"$@"
	ok $? "$what"
}

get() { # path, token
	curl -sS -H "Authorization: Bearer $2" "$CATCHMENT_URL/api/v1$1"
}

# A start that is refused: with another status than 0, and a message that says what to do.
refused() { # sentence, pattern of the message, arguments of ./start
	local what=$1 pattern=$2
	shift 2
	"$top/start" "$@" >"$state.message" 2>&1
	[ $? != 0 ] && grep -qE -- "$pattern" "$state.message"
	ok $? "$what"
	sed 's/^/# /' "$state.message"
}

# Processes whose command line names this state folder: all but nginx's workers and PostgreSQL's own.
ours() {
	local pid found=
	for pid in /proc/[0-9]*; do
		pid=${pid#/proc/}
		[ "$pid" != $$ ] && { tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null | grep -qF "$state/" && found="$found $pid"
	done
	echo $found
}

nobody_left() {
	for _ in $(seq 100); do
		[ -n "$(ours)" ] || { ! curl -s -o /dev/null "http://127.0.0.1:$port/healthz" && return; }
		sleep 0.1
	done
	return 1
}

ready() {
	for _ in $(seq 300); do
		curl -fs -o /dev/null "http://127.0.0.1:$port/readyz" && return
		sleep 0.1
	done
	return 1
}

began=$(date +%s)
"$top/start" --detach --state "$state" --port "$port"
ok $? "a first start succeeds"
echo "# it took $(($(date +%s) - began)) s"
. "$state/demo.env"
try "demo.env can be read by its owner alone" [ "$(stat -c %a "$state/demo.env")" = 600 ]
get "/collector-instances/$INSTANCE_ID/executions" "$TENANT_TOKEN" >"$state.history"
try "the demo's tenant sees two executions" [ "$(jq .totalExecutions "$state.history")" = 2 ]
try "both executions were successful" [ "$(jq .successfulExecutions "$state.history")" = 2 ]
try "they processed 1250 products and 523 orders" \
	[ "$(jq -c '[.recentExecutions[].recordsProcessed] | sort' "$state.history")" = "[523,1250]" ]
try "the tenant's records can be read" \
	[ "$(get "/collector-instances/$INSTANCE_ID/records?limit=200" "$TENANT_TOKEN" | jq '.records | length')" = 200 ]
try "the export holds every product and its trailer" \
	[ "$(get "/collector-instances/$INSTANCE_ID/records.ndjson?stream=getProducts" "$TENANT_TOKEN" | wc -l)" = 1251 ]
# a browser without scripts: the form's cookie, then the page behind it
page_as_bob() {
	curl -sS -o /dev/null -c "$state.jar" --data-urlencode 'email=bob@example.com' \
		--data-urlencode 'password=catchment demo bob' "$CATCHMENT_URL/sign-in" &&
		curl -sS -b "$state.jar" "$CATCHMENT_URL/collector-instances" | grep -q 'My Shopify Sync'
}
try "the tenant signs in at the page and sees the installation" page_as_bob
try "the creator cannot see the tenant's installation" \
	[ "$(get "/collector-instances/$INSTANCE_ID" "$CREATOR_TOKEN" | jq -r .status)" = 404 ]
roots=0
for pid in $(ours); do
	[ "$(stat -c %u "/proc/$pid" 2>/dev/null)" != 0 ] || roots=$((roots + 1))
done
try "nothing of the product runs as root" [ "$roots" = 0 ]

"$top/start" --detach --state "$state" 2>&1 | grep -q 'runs already'
ok $? "a start beside a running one says so"
refused "another port for a running one is refused with the remedy" '--stop --state' \
	--detach --state "$state" --port $((port + 6))
"$top/start" --stop --state "$state"
ok $? "--stop stops it"
try "nothing is left of it" nobody_left
"$top/start" --stop --state "$state" 2>&1 | grep -q 'Nothing runs'
ok $? "--stop of nothing says so"

began=$(date +%s%N)
"$top/start" --detach --state "$state"
ok $? "a second start succeeds"
took=$((($(date +%s%N) - began) / 1000000))
echo "# the second start took $took ms"
try "the second start is ready within 3 seconds" [ "$took" -le 3000 ]
try "the second start kept the data" \
	[ "$(get "/collector-instances/$INSTANCE_ID/executions" "$TENANT_TOKEN" | jq .totalExecutions)" = 2 ]
refused "a taken port is refused with the remedy" "$port.*--port" --detach --no-demo --state "$state.other" --port "$port"

# the process that stays is killed: the kernel tells the others
kill -9 "$(cat "$state/run/start.pid")"
try "nothing survives a kill -9 for long" nobody_left
"$top/start" --detach --state "$state"
ok $? "a start after a kill -9 succeeds"
kill -9 $(ours) 2>/dev/null
"$top/start" --detach --state "$state"
ok $? "a start after a kill -9 of every process at once succeeds"
try "the data survived it" \
	[ "$(get "/collector-instances/$INSTANCE_ID/executions" "$TENANT_TOKEN" | jq .totalExecutions)" = 2 ]

# one of the three is killed: it is started again, four times a minute
own() { # program: its process that ./start has started
	local pid
	for pid in $(ours); do
		[ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$1" ] &&
			[ "$(awk '/^PPid:/ {print $2}' "/proc/$pid/status")" = "$(cat "$state/run/start.pid")" ] && echo "$pid"
	done
}
succeeded() { # program, its former process
	local now
	for _ in $(seq 300); do
		now=$(own "$1")
		[ -n "$now" ] && [ "$now" != "$2" ] && ready && return
		sleep 0.1
	done
	return 1
}
"$top/start" --stop --state "$state" 2>/dev/null
"$top/start" --detach --state "$state" --port "$port"
for program in postgres nginx catchmentd; do
	former=$(own $program)
	# a query that goes on for a while after its server is gone
	[ $program != postgres ] || psql -h "$SOCKETS" -U postgres -qc 'SELECT count(*) FROM generate_series(1, 30000000)' \
		catchment >/dev/null 2>&1 &
	sleep 0.3
	kill -9 "$former"
	try "a killed $program is started again" succeeded $program "$former"
	try "and the data is there" \
		[ "$(get "/collector-instances/$INSTANCE_ID/executions" "$TENANT_TOKEN" | jq .totalExecutions)" = 2 ]
done
try "the log says so" grep -q 'postgres ended by itself and is started again' "$state/log/start.log"
former=$(own catchmentd)
kill -9 "$former"
try "the fourth time, too" succeeded catchmentd "$former"
kill -9 "$(own catchmentd)"
try "the fifth time everything ends, and the port is free" nobody_left
try "and the log says why" grep -q 'the fifth end within a minute' "$state/log/start.log"
"$top/start" --detach --state "$state" --port "$port"
ok $? "a start with the same port succeeds then"
for program in postgres nginx; do
	former=$(own $program) beside=$(own catchmentd)
	kill -9 "$former" "$beside"
	try "a $program and a catchmentd that are killed together" succeeded $program "$former"
	try "are both started again" succeeded catchmentd "$beside"
done
"$top/start" --stop --state "$state" 2>/dev/null

# in the foreground
for signal in INT TERM HUP KILL; do
	# a background process of a script ignores INT, and one below nohup HUP, as its children then do: a
	# terminal of somebody's own does not
	/usr/bin/perl -e '$SIG{INT} = $SIG{HUP} = "DEFAULT"; exec @ARGV' "$top/start" --state "$state" >"$state.message" 2>&1 &
	start=$!
	ready
	sleep 0.3
	kill -$signal $start
	wait $start 2>/dev/null
	try "a start in the foreground takes everything with it on SIG$signal" nobody_left
done

"$top/start" --detach --state "$state" --port $((port + 4))
ok $? "a start with another port succeeds"
port=$((port + 4))
. "$state/demo.env"
try "demo.env follows the port" [ "$CATCHMENT_URL" = "http://127.0.0.1:$port" ]
try "the demo's tenant can collect again, from the same address" \
	[ "$(curl -sS -X POST -H "Authorization: Bearer $TENANT_TOKEN" -H 'Content-Type: application/json' -d '{}' \
		"$CATCHMENT_URL/api/v1/collector-instances/$INSTANCE_ID/execute?wait=60" >/dev/null &&
		get "/collector-instances/$INSTANCE_ID/executions" "$TENANT_TOKEN" | jq .successfulExecutions)" = 4 ]
"$top/start" --detach --reset --no-demo --state "$state"
ok $? "--reset starts over"
try "--reset forgets the data" [ "$(get "/collector-instances" "$TENANT_TOKEN" | jq -r .status)" = 401 ]
"$top/start" --stop --state "$state"

"$top/start" --bogus 2>/dev/null
try "an unknown option is refused with status 2" [ $? = 2 ]
refused "a port that is no number is refused" '1024 to 65000' --port 80x
refused "a port of the system is refused" '1024 to 65000' --port 80
refused "a state folder with spaces is refused" '--state DIR' --state "$state.with space"
mkdir "$state.full" && touch "$state.full/precious"
refused "a folder with other things in it is refused" '--state DIR' --reset --state "$state.full"
try "nothing in that folder was touched" [ "$(ls -A "$state.full")" = precious ]
refused "a state folder that cannot be made is refused" '--state DIR' --state "$state.full/precious/deeper"

rm -rf "$state" "$state.other" "$state.full" "$state.history" "$state.message"
echo "1..$n"
