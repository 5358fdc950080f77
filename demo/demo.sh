#!/bin/bash
# The worked demo, through the public API alone: read it as documentation of the API.
#
# usage: demo.sh CATCHMENT_URL SHOP_URL ENV_FILE
#
# Alice describes the shop's API once and publishes a collector on it; Bob finds the collector in the
# marketplace, installs it with his own address and token, runs it, and has his records.
set -euo pipefail
api=$1/api/v1
shop=$2
env_file=$3
here=$(cd "$(dirname "$0")" && pwd)

# Every POST carries an Idempotency-Key made of what it asks: a demo that was interrupted is told the
# same answers when it runs again, and goes on where it stopped. (Runs and tests need none: asking for a
# run that is under way gives that run, and a test changes nothing.)
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT

# call METHOD PATH [TOKEN] < body: prints the answer; stops with the problem document on an error.
call() {
	local body status key=()
	body=$(cat)
	case $2 in */execute*) ;; *) key=(-H "Idempotency-Key: demo-$(printf '%s' "$1$2$body" | sha256sum | cut -c1-32)") ;; esac
	status=$(printf '%s' "$body" | curl -sS -o "$answer" -w '%{http_code}' -X "$1" "$api$2" \
		${3:+-H "Authorization: Bearer $3"} -H 'Content-Type: application/json' \
		"${key[@]}" ${body:+--data-binary @-})
	case $status in
	2*) cat "$answer" ;;
	*)
		echo "demo: $1 $api$2 answered $status:" >&2
		cat "$answer" >&2
		exit 1
		;;
	esac
}

told() {
	printf '  %s\n' "$*" >&2
}

# sign_up EMAIL PASSWORD NAME WORKSPACE: prints a token; who has an account already signs in.
sign_up() {
	if curl -sS -o /dev/null -w '%{http_code}' "$api/sign-in" -H 'Content-Type: application/json' \
		--data-binary "$(jq -n --arg e "$1" --arg p "$2" '{email: $e, password: $p}')" | grep -qx 200; then
		jq -n --arg e "$1" --arg p "$2" '{email: $e, password: $p}' | call POST /sign-in | jq -r .token
	else
		jq -n --arg e "$1" --arg p "$2" --arg n "$3" --arg w "$4" \
			'{email: $e, password: $p, name: $n, workspace: $w}' | call POST /sign-up | jq -r .token
	fi
}

# 1. Two people sign up; each gets a workspace and a token.
creator=$(sign_up alice@example.com 'catchment demo alice' Alice 'Alice Connectors')
told "Alice signed up"

# 2. Alice describes the API: which config it needs, how it authenticates, what it can do.
source=$(call POST /datasources/manual "$creator" <"$here/datasource.json" | jq -r .id)
told "Alice made the data source \"Shopify API\""

# 3. She builds a collector on it, with a config of her own that is used for her tests alone.
collector=$(jq --arg source "$source" --arg shop "$shop" '. + {dataSourceId: $source,
	creatorConfig: {shopUrl: $shop, apiKey: "shpat_alice_test_key_12345", apiVersion: "2024-01"}}' \
	"$here/collector.json" | call POST /collectors "$creator" | jq -r .id)
tested=$(echo '{"useCreatorConfig": true}' | call POST "/collectors/$collector/execute" "$creator" |
	jq '[.pipelines[].recordsRead] | add')
told "Alice built the collector and tested it: $tested records read, none stored"

# 4. She publishes it.
jq -n '{version: "1.0.0", releaseNotes: "Initial release - syncs Shopify products and orders"}' |
	call POST "/collectors/$collector/publish" "$creator" >/dev/null
told "Alice published version 1.0.0"

# 5. Bob finds it in the marketplace (which anybody may browse) and installs it with his own config.
tenant=$(sign_up bob@example.com 'catchment demo bob' Bob 'Bob Retail')
found=$(call GET '/marketplace/collectors?category=ecommerce&publisher=Alice%20Connectors' "$tenant" </dev/null |
	jq -r '.collectors[] | select(.name == "Shopify Product & Order Sync") | .id')
instance=$(jq -n --arg shop "$shop" '{instanceName: "My Shopify Sync",
	tenantConfig: {shopUrl: $shop, apiKey: "shpat_bob_key_67890", apiVersion: "2024-01"}}' |
	call POST "/collectors/$found/install" "$tenant" | jq -r .instanceId)
told "Bob found it in the marketplace and installed it"

# 6. He runs it; ?wait= answers when the executions have ended.
echo '{}' | call POST "/collector-instances/$instance/execute?wait=60" "$tenant" >/dev/null
call GET "/collector-instances/$instance/executions" "$tenant" </dev/null |
	jq -r '.recentExecutions[] | "  \(.pipelineName): \(.status), \(.recordsProcessed) records in \(.durationMs) ms"' >&2

umask 077
cat >"$env_file" <<TEXT
CATCHMENT_URL=$1
CREATOR_TOKEN=$creator
TENANT_TOKEN=$tenant
COLLECTOR_ID=$collector
INSTANCE_ID=$instance
TEXT
