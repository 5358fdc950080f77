#!/bin/bash
# A picture of every page, light, dark and narrow, as the demo's people see it.
#
# usage: screenshots.sh FOLDER   (make screenshots in a build folder)
#
# CATCHMENT_URL and UPSTREAM_URL name a running stack; without them one is started, and stopped again.
set -u
SOURCE=$(cd "$(dirname "$0")/../.." && pwd)
. "$SOURCE/tools/packages.sh"
. "$SOURCE/tools/stack.sh"
[ $# = 1 ] || { sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2; }
mkdir -p "$1" && folder=$(cd "$1" && pwd) || die "The folder $1 could not be made."
# shellcheck disable=SC2086
need_packages $PACKAGES_RUN $PACKAGES_BROWSER

if [ -z "${CATCHMENT_URL:-}" ]; then
	port=18280
	until port_is_free "$port" && port_is_free $((port + 1)); do
		port=$((port + 2))
	done
	state=$(mktemp -d "${TMPDIR:-/tmp}/catchment-screenshots.XXXXXX") || exit 1
	chmod 755 "$state"
	trap '"$SOURCE/start" --stop --state "$state/stack" >/dev/null 2>&1; rm -rf "$state"' EXIT
	trap 'exit 130' INT TERM
	# a person who looks at every page at once asks for more than the limit allows
	echo RATE_PER_MINUTE=100000 >"$state/extra.conf"
	CATCHMENT_EXTRA_CONF=$state/extra.conf "$SOURCE/start" --detach --state "$state/stack" --port "$port" || exit 1
	. "$state/stack/run/address"
	export CATCHMENT_URL UPSTREAM_URL
fi
/usr/bin/python3 -B "$SOURCE/tests/browser/screenshots.py" "$folder"
