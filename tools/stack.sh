# A private PostgreSQL and nginx with the whole product behind them; sourced by ./start.
#
# Everything lives below $STATE: data/ (PostgreSQL), keys/, run/ (sockets, pids, nginx's temporary
# files), log/, app/ (the installed programs), catchment.conf. Needs APP, PORT, UPSTREAM_PORT.

pg_bin=$(pg_config --bindir 2>/dev/null || echo /usr/lib/postgresql/15/bin)
PATH=$PATH:/usr/sbin:/sbin:$pg_bin

# Socket paths are limited to 107 bytes: a deep state folder keeps its sockets in /tmp instead.
stack_sockets() {
	local LC_ALL=C # lengths in bytes
	SOCKETS=$STATE/run
	if [ ${#STATE} -gt 80 ]; then
		SOCKETS=$(cat "$STATE/run/sockets" 2>/dev/null)
		[ -n "$SOCKETS" ] && [ -d "$SOCKETS" ] && [ -O "$SOCKETS" ] ||
			SOCKETS=$(mktemp -d /tmp/catchment.XXXXXX) ||
			die "No folder for sockets could be made in /tmp. Choose a shorter path with --state DIR."
		printf '%s\n' "$SOCKETS" >"$STATE/run/sockets"
	fi
	mkdir -p "$STATE/run" "$STATE/log" "$STATE/keys"
	chmod 700 "$SOCKETS" "$STATE/run" "$STATE/keys"
}

stack_dsn() { # role
	echo "host=$SOCKETS dbname=catchment user=catchment_$1"
}

stack_initdb() {
	# made aside and moved last: whatever interrupts it leaves no half of a data folder behind
	local fresh=$STATE/data/new
	[ -s "$STATE/data/PG_VERSION" ] && [ -s "$STATE/data/pg_ident.conf" ] &&
		grep -q '^catchment ' "$STATE/data/pg_ident.conf" && return
	mkdir -p "$STATE/data" && chmod 700 "$STATE/data" && find "$STATE/data" -mindepth 1 -delete
	env -i PATH="$PATH" HOME="$STATE" LC_ALL=C.UTF-8 initdb -D "$fresh" -U postgres -E UTF8 \
		--locale=C.UTF-8 --auth=peer --no-instructions >"$STATE/log/initdb.log" 2>&1 ||
		die "PostgreSQL could not make its data folder. The end of $STATE/log/initdb.log says why:
$(grep -E 'error|could not|No space' "$STATE/log/initdb.log" | tail -n 3)
Mend it (make room on the disk, or choose another folder with --state DIR), then start again."
	# one system user may act as each of our roles; nobody else may connect, not even root
	echo "local all all peer map=catchment" >"$fresh/pg_hba.conf"
	for role in postgres catchment_migrate catchment_web catchment_trial catchment_export \
		catchment_run catchment_backup; do
		echo "catchment $(id -un) $role"
	done >"$fresh/pg_ident.conf"
	# PG_VERSION goes last: without it the next start begins anew
	find "$fresh" -mindepth 1 -maxdepth 1 ! -name PG_VERSION -exec mv -t "$STATE/data" {} +
	mv "$fresh/PG_VERSION" "$STATE/data/" && rmdir "$fresh"
}

# Does any process of ours still work in that folder? PostgreSQL's all do, until they have ended.
stack_in_use() {
	local process
	for process in /proc/[0-9]*; do
		[ "$(readlink "$process/cwd" 2>/dev/null)" = "$1" ] && return 0
	done
	return 1
}

# The server of a start that was killed may still be dying, and a new one refuses to start beside it:
# wait for its end. One that has ended but was not reaped yet leaves its file behind; nobody uses the
# data then, so the file may go.
stack_leftover() {
	local pid tries=0
	pid=$(head -n 1 "$STATE/data/postmaster.pid" 2>/dev/null)
	while [ -n "$pid" ] && [ $tries -lt 600 ]; do
		if ! is_alive "$pid" && ! stack_in_use "$STATE/data"; then
			rm -f "$STATE/data/postmaster.pid"
			return
		fi
		tries=$((tries + 1))
		sleep 0.05
	done
}

stack_postgres() {
	stack_leftover
	rm -f "$SOCKETS"/.s.PGSQL.5432*
	env -i PATH="$PATH" HOME="$STATE" LC_ALL=C.UTF-8 setpriv --pdeathsig INT \
		postgres -D "$STATE/data" -k "$SOCKETS" -c listen_addresses='' -c max_connections=100 \
		-c jit=off -c log_min_error_statement=panic -c log_line_prefix='%m [%p] %u ' \
		-c default_toast_compression=lz4 ${CATCHMENT_PG_OPTIONS:-} \
		>>"$STATE/log/postgres.log" 2>&1 &
	postgres_pid=$!
	tries=0
	until pg_isready -q -h "$SOCKETS" -U postgres 2>/dev/null; do
		tries=$((tries + 1))
		kill -0 $postgres_pid 2>/dev/null && [ $tries -lt 600 ] ||
			die "PostgreSQL did not start. The end of $STATE/log/postgres.log says why:
$(tail -n 3 "$STATE/log/postgres.log")"
		sleep 0.05
	done
}

stack_database() {
	if ! psql -h "$SOCKETS" -U postgres -Atqc "SELECT 1 FROM pg_database WHERE datname = 'catchment'" postgres |
		grep -qx 1; then
		createdb -h "$SOCKETS" -U postgres catchment || die "The database could not be created."
	fi
	psql -h "$SOCKETS" -U postgres -qX -v ON_ERROR_STOP=1 -f "$APP/share/catchment/sql/roles.sql" \
		catchment >"$STATE/log/roles.log" 2>&1 ||
		die "The database roles could not be made. $STATE/log/roles.log says why."
	"$APP/bin/catchment" --conf "$STATE/catchment.conf" migrate >"$STATE/log/migrate.log" 2>&1 ||
		die "The migrations failed: $(tail -n 2 "$STATE/log/migrate.log")"
}

stack_conf() {
	{
		echo "# Written by ./start at each start; docs/OPERATING.md explains each setting."
		for role in migrate web trial export run; do
			echo "DB_$(echo $role | tr a-z A-Z)='$(stack_dsn $role)'"
		done
		echo "RUN_DIR=$SOCKETS"
		echo "LIBEXEC_DIR=$APP/libexec/catchment"
		echo "SEAL_PUBLIC=$STATE/keys/seal.pub"
		echo "SEAL_PRIVATE=$STATE/keys/open.key"
		echo "CURSOR_KEY=$STATE/keys/cursor.key"
		echo "RATE_FILE=$STATE/run/rate"
		echo "TMPDIR=$STATE/run"
		echo "EGRESS_ALLOW=127.0.0.1/32:$UPSTREAM_PORT"
		echo "EXTRA_UPSTREAM='$APP/libexec/catchment/upstream --socket $SOCKETS/upstream.sock --workers ${CATCHMENT_UPSTREAM_WORKERS:-2} --ledger $STATE/run/upstream.ledger'"
		[ -z "${CATCHMENT_EXTRA_CONF:-}" ] || cat "$CATCHMENT_EXTRA_CONF"
	} >"$STATE/catchment.conf"
}

stack_keys() {
	"$APP/bin/catchment" --conf "$STATE/catchment.conf" keys init >>"$STATE/log/keys.log" 2>&1 ||
		die "The sealing keys could not be made or read: $(tail -n 1 "$STATE/log/keys.log")"
}

# Workers of an nginx that was killed go on, and hold its ports.
stack_orphans() {
	local pid
	for pid in $(session_pids $$); do
		[ "$(cat "/proc/$pid/comm" 2>/dev/null)" != nginx ] || kill -KILL "$pid" 2>/dev/null
	done
}

stack_nginx() {
	sed -e "s|@UPSTREAM_LISTEN@|127.0.0.1:$UPSTREAM_PORT|" -e "s|@UPSTREAM_SOCKET@|$SOCKETS/upstream.sock|" \
		"$APP/share/catchment/nginx/upstream.conf.in" >"$STATE/run/upstream.conf"
	mkdir -p "$STATE/run/nginx"
	sed -e "s|@PORT@|$PORT|g" -e "s|@RUN_DIR@|$SOCKETS|g" -e "s|@STATE_DIR@|$STATE/run/nginx|g" \
		-e "s|@LOG_DIR@|$STATE/log|g" -e "s|@DATA_DIR@|$APP/share/catchment|g" \
		-e "s|@EXTRA_SERVERS@|$STATE/run/upstream.conf|g" \
		"$APP/share/catchment/nginx/nginx.conf.in" >"$STATE/run/nginx.conf"
	setpriv --pdeathsig TERM nginx -p "$STATE/run/nginx" -c "$STATE/run/nginx.conf" -e "$STATE/log/nginx.log" \
		-g 'daemon off;' 2>>"$STATE/log/nginx.log" &
	nginx_pid=$!
}

stack_catchment() {
	rm -f "$SOCKETS"/upstream.sock
	setpriv --pdeathsig TERM "$APP/libexec/catchment/catchmentd" --conf "$STATE/catchment.conf" \
		2>>"$STATE/log/catchment.log" &
	catchmentd_pid=$!
}

stack_ready() {
	tries=0
	until curl -fsS -o /dev/null "http://127.0.0.1:$PORT/readyz" 2>/dev/null; do
		tries=$((tries + 1))
		for pid in $postgres_pid $nginx_pid $catchmentd_pid; do
			kill -0 "$pid" 2>/dev/null || tries=9999
		done
		[ $tries -lt 300 ] || die "Catchment did not become ready. The ends of its logs in $STATE/log:
$(tail -n 2 "$STATE/log/nginx.log" "$STATE/log/catchment.log" 2>/dev/null)"
		sleep 0.05
	done
}

# The one of the three that has ended, as $ended; false: they live.
stack_ended() {
	ended=
	kill -0 "$catchmentd_pid" 2>/dev/null || ended=catchment # its program is catchmentd
	kill -0 "$nginx_pid" 2>/dev/null || ended=nginx
	kill -0 "$postgres_pid" 2>/dev/null || ended=postgres
	[ -n "$ended" ]
}

# Starts again whichever of the three ends by itself; gives up, with a word why, at the fifth end within a
# minute. Who ended while another one was started is not waited for any more, so each is looked at first.
stack_watch() {
	local pid ended ends=()
	while stack_ended || wait -n -p pid $postgres_pid $nginx_pid $catchmentd_pid || [ -n "${pid:-}" ]; do
		pid=
		stack_ended || continue
		ends+=("$SECONDS")
		if [ ${#ends[@]} -ge 5 ] && [ $((SECONDS - ends[-5])) -lt 60 ]; then
			echo "$ended ended by itself, the fifth end within a minute. The end of $STATE/log/$ended.log says why:
$(tail -n 3 "$STATE/log/$ended.log")
Mend it, then start it again with ./start."
			return
		fi
		echo "$(date -u +%FT%TZ) $ended ended by itself and is started again; $STATE/log/$ended.log says why."
		[ $ended != nginx ] || stack_orphans
		stack_$ended
	done
}

stack_stop() {
	trap '' HUP INT TERM
	stack_end TERM "${catchmentd_pid:-}"
	stack_end TERM "${nginx_pid:-}"
	# INT is the fast shutdown; TERM would wait for every client to leave
	stack_end INT "${postgres_pid:-}"
	catchmentd_pid= nginx_pid= postgres_pid=
	# workers of a killed nginx hold its ports
	stop_session $$
	# a folder of sockets in /tmp goes with what it was for
	[ "${SOCKETS:-$STATE/run}" = "$STATE/run" ] || rm -rf "$SOCKETS" "$STATE/run/sockets"
}

stack_end() { # signal, pid or nothing
	[ -n "$2" ] || return 0
	kill -"$1" "$2" 2>/dev/null
	wait "$2" 2>/dev/null
}

# The process that stays, when there is one and it is this state folder's.
running_pid() {
	local pid
	[ -s "$STATE/run/start.pid" ] || return 1
	read -r pid <"$STATE/run/start.pid"
	kill -0 "$pid" 2>/dev/null || return 1
	case $(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null) in
	*"--phase-serve --state $STATE "*) echo "$pid" ;;
	*) return 1 ;;
	esac
}

stop_running() {
	local pid
	if ! pid=$(running_pid); then
		stop_leftovers
		return
	fi
	kill -TERM "$pid" 2>/dev/null
	for _ in $(seq 400); do
		kill -0 "$pid" 2>/dev/null || return 0
		sleep 0.1
	done
	die "Process $pid did not stop within 40 seconds. Look at $STATE/log, or end it with: kill -9 $pid"
}

# What a killed process left behind: everything that it started is in its session. PostgreSQL, nginx
# and catchmentd were told by the kernel that it died; who has not ended soon is ended. Fails when
# there was nothing.
stop_leftovers() {
	local sid
	[ -s "$STATE/run/start.pid" ] || return 1
	read -r sid <"$STATE/run/start.pid"
	# a living leader is somebody else with the same number
	! is_alive "$sid" && [ -n "$(session_pids "$sid")" ] || return 1
	stop_session "$sid"
}

# Ends who is left of a session, but for its leader.
stop_session() { # session
	local left signal= tries=0
	left=$(session_pids "$1")
	while [ -n "$left" ]; do
		tries=$((tries + 1))
		case $tries in
		10) signal=INT ;; # of PostgreSQL the fast way
		20) signal=TERM ;;
		300) signal=KILL ;;
		400) die "These processes of an earlier start do not end: $left. End them with: kill -9 $left" ;;
		esac
		# shellcheck disable=SC2086
		[ -z "$signal" ] || kill -$signal $left 2>/dev/null
		signal=
		sleep 0.1
		left=$(session_pids "$1")
	done
}

# One that has ended but was not reaped yet is no more alive than one that is gone.
is_alive() { # pid
	[ -d "/proc/$1" ] && ! grep -q '^State:.*Z' "/proc/$1/status" 2>/dev/null
}

# Processes of a session but for its leader, and who asks.
session_pids() { # session
	local stat line
	for stat in /proc/[0-9]*/stat; do
		{ read -r line <"$stat"; } 2>/dev/null || continue
		# pid (name) state parent group session: the name may hold spaces and parentheses
		# shellcheck disable=SC2086
		set -- "$1" ${line##*) }
		[ "$5" = "$1" ] && { [ $EUID = 0 ] || [ -O "${stat%/stat}" ]; } && [ "$2" != Z ] &&
			[ "${line%% *}" != "$1" ] && [ "${line%% *}" != "$BASHPID" ] && printf '%s ' "${line%% *}"
	done
	return 0
}

port_is_free() {
	! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}
