#!/bin/sh
# usage: tests/pg.sh COMMAND [ARGUMENT...]
#
# Runs COMMAND against a private PostgreSQL that lives as long as it does: a new cluster in a short
# folder under /tmp (a socket's path may have 107 bytes), no TCP port, nothing kept on disk safely.
# CATCHMENT_TEST_DB is its conninfo, as superuser. Exits with COMMAND's status; 77 when PostgreSQL
# is not installed. A server cannot run as root, so root gives it to an unprivileged user.
set -u

find_bin() {
	for dir in "$(pg_config --bindir 2>/dev/null)" /usr/lib/postgresql/*/bin /usr/local/pgsql/bin; do
		[ -x "$dir/initdb" ] && [ -x "$dir/postgres" ] && found=$dir
	done
	[ -n "${found-}" ]
}
find_bin || {
	echo "PostgreSQL's server is not installed; install the package postgresql-15." >&2
	exit 77
}
bin=$found
path=$PATH

dir=$(mktemp -d /tmp/cpg.XXXXXX) || exit 1
server=
as=
stop() {
	trap '' HUP INT TERM
	if [ -n "$server" ]; then
		kill -INT "$server" 2>/dev/null # fast shutdown: a listening session would hold up SIGTERM's
		wait "$server"
	fi
	rm -rf "$dir"
}
trap 'stop' EXIT
trap 'exit 130' HUP INT TERM

if [ "$(id -u)" = 0 ]; then
	user=nobody
	id postgres >/dev/null 2>&1 && user=postgres
	chown "$user" "$dir"
	as="setpriv --reuid=$user --regid=$(id -g "$user") --clear-groups"
fi

clean() { # the caller's locale and PG* settings must not reach the server
	# shellcheck disable=SC2086 # $as is several words, or none
	(cd / && exec env -i PATH="$path" HOME="$dir" LC_ALL=C.UTF-8 $as "$@")
}

clean "$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync \
	>"$dir/initdb.log" 2>&1 || {
	cat "$dir/initdb.log" >&2
	exit 1
}
death=
setpriv --pdeathsig INT true 2>/dev/null && death="setpriv --pdeathsig INT"
# shellcheck disable=SC2086
(cd / && exec env -i PATH="$path" HOME="$dir" LC_ALL=C.UTF-8 $as $death "$bin/postgres" \
	-D "$dir/data" -k "$dir" -c listen_addresses= -c unix_socket_permissions=0700 \
	-c fsync=off -c full_page_writes=off -c synchronous_commit=off -c max_connections=100 \
	-c shared_buffers=64MB -c log_min_messages=warning) >"$dir/server.log" 2>&1 &
server=$!

tries=0
until "$bin/pg_isready" -q -h "$dir" -U postgres -d postgres; do
	tries=$((tries + 1))
	if [ "$tries" -gt 150 ] || ! kill -0 "$server" 2>/dev/null; then
		echo "The private PostgreSQL did not start:" >&2
		cat "$dir/server.log" >&2
		exit 1
	fi
	sleep 0.1
done

CATCHMENT_TEST_DB="host=$dir user=postgres dbname=postgres"
CATCHMENT_TEST_PG_BIN=$bin
export CATCHMENT_TEST_DB CATCHMENT_TEST_PG_BIN
"$@"
status=$?
[ -z "${CATCHMENT_TEST_PG_LOG-}" ] || cat "$dir/server.log" >&2
exit "$status"
