# Debian packages, by what they are for; sourced by ./start and ./check.
#
# need_packages LIST...: installs what is missing, as root or through sudo; on a machine where neither
# works it prints the line to run and stops.

# building and running
PACKAGES_RUN="gcc libc6-dev make autoconf automake pkg-config libfcgi-dev libpq-dev libjansson-dev
	libcurl4-openssl-dev libssl-dev zlib1g-dev postgresql-15 nginx ca-certificates curl jq"
# testing, on top of it
PACKAGES_CHECK="libcmocka-dev clang-format-14 python3-pytest python3-pytest-xdist postgresql-15-pgtap perl openssl xz-utils mandoc"
# testing pages, on top of both; npm brings what judges them
PACKAGES_BROWSER="chromium chromium-driver python3-selenium nodejs npm"
# campaigns against the C code: make fuzz, memory, coverage
PACKAGES_FAULT="clang-14 libclang-rt-14-dev valgrind gcovr"
# whom pages are measured beside, on top of what runs it: make bench
PACKAGES_BENCH="wrk nodejs node-pg php-fpm php-pgsql"

say() {
	printf '%s\n' "$*" >&2
}

die() {
	printf '%s\n' "$*" >&2
	exit 1
}

missing_packages() {
	for package in "$@"; do
		case $package in
		# any nginx or npm will do: what matters is the program
		nginx) [ -x /usr/sbin/nginx ] && continue ;;
		npm) command -v npm >/dev/null && continue ;;
		esac
		dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
			printf '%s ' "$package"
	done
}

need_packages() {
	local missing as_root=
	command -v dpkg-query >/dev/null || die "This needs Debian 12: dpkg was not found. Elsewhere, install by hand what docs/OPERATING.md lists."
	missing=$(missing_packages "$@")
	[ -n "$missing" ] || return 0
	if [ "$(id -u)" != 0 ]; then
		as_root=sudo
		command -v sudo >/dev/null && sudo -v 2>/dev/null || sudo true 2>/dev/null ||
			die "These packages are missing, and $(id -un) may not install them with sudo. As root, run this, then ./start or ./check again:
  apt-get update && apt-get install --no-install-recommends $missing"
	fi
	say "Installing Debian packages: $missing"
	install_packages
}

# Uses missing and as_root.
install_packages() {
	local log policy= ok=yes
	log=$(mktemp) || die "No temporary file could be made in ${TMPDIR:-/tmp}. Make room there."
	# Debian would otherwise create and start a database cluster and a web server of its own. The
	# private ones that ./start makes use neither their ports nor their data.
	case " $missing" in
	*" postgresql-15 "*)
		if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
			$as_root mkdir -p /etc/postgresql-common
			echo 'create_main_cluster = false' |
				$as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
		fi
		;;
	esac
	if [ ! -e /usr/sbin/policy-rc.d ]; then
		trap '$as_root rm -f /usr/sbin/policy-rc.d; exit 130' INT TERM HUP
		policy=ours
		printf '#!/bin/sh\nexit 101\n' | $as_root tee /usr/sbin/policy-rc.d >/dev/null
		$as_root chmod 755 /usr/sbin/policy-rc.d
	fi
	apt_install >"$log" 2>&1 || { $as_root apt-get update && apt_install; } >"$log" 2>&1 || ok=no
	if [ "$policy" = ours ]; then
		$as_root rm -f /usr/sbin/policy-rc.d
		trap - INT TERM HUP
	fi
	if [ $ok = no ]; then
		grep -E '^(E|W|Err):' "$log" | head -n 10 >&2 || tail -n 10 "$log" >&2
		rm -f "$log"
		die "apt-get could not install the packages above. Mend what it names (the network, /etc/apt/sources.list, the disk), then run this again."
	fi
	rm -f "$log"
}

apt_install() {
	# shellcheck disable=SC2086
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
		-o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold $missing </dev/null
}
