#!/bin/bash
# ./start from the outside: the demo's story, a second start, the options, the failures. TAP.
# usage: tests/start.sh STATE_DIR
set -u
state=$1
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

"$top/start" --detach --state "$state" --port 18180
ok $? "a first start succeeds"
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
try "the creator cannot see the tenant's installation" \
	[ "$(get "/collector-instances/$INSTANCE_ID" "$CREATOR_TOKEN" | jq -r .status)" = 404 ]

"$top/start" --detach --state "$state" 2>&1 | grep -q 'runs already'
ok $? "a start beside a running one says so"
"$top/start" --stop --state "$state"
ok $? "--stop stops it"
try "nothing listens any more" sh -c "! curl -s -o /dev/null $CATCHMENT_URL/healthz"

began=$(date +%s%N)
"$top/start" --detach --state "$state"
ok $? "a second start succeeds"
took=$((($(date +%s%N) - began) / 1000000))
echo "# the second start took $took ms"
try "the second start is ready within 3 seconds" [ "$took" -le 3000 ]
try "the second start kept the data" \
	[ "$(get "/collector-instances/$INSTANCE_ID/executions" "$TENANT_TOKEN" | jq .totalExecutions)" = 2 ]
"$top/start" --detach --no-demo --state "$state.other" --port 18180 2>"$state.message"
try "a taken port is refused" [ $? != 0 ]
try "the refusal names the port and the remedy" grep -q '18180.*--port' "$state.message"
"$top/start" --stop --state "$state"
"$top/start" --bogus 2>/dev/null
try "an unknown option is refused with status 2" [ $? = 2 ]
"$top/start" --detach --reset --no-demo --state "$state"
ok $? "--reset starts over"
try "--reset forgets the data" [ "$(get "/collector-instances" "$TENANT_TOKEN" | jq -r .status)" = 401 ]
"$top/start" --stop --state "$state"
rm -rf "$state" "$state.other" "$state.history" "$state.message"
echo "1..$n"
