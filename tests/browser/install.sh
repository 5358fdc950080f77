#!/bin/sh
# Installs what judges pages, in the versions that package-lock.json pins, into a folder of its own.
#
# usage: install.sh FOLDER   (then CATCHMENT_NODE=FOLDER for pytest)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
cp "$here/package.json" "$here/package-lock.json" "$1/"
cp "$here/npmrc" "$1/.npmrc"
cd "$1"
# npm trusts whom the machine trusts: behind some proxies it knows nobody else
[ -n "${NODE_EXTRA_CA_CERTS:-}" ] || [ ! -r /etc/ssl/certs/ca-certificates.crt ] ||
	export NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
HOME=$1 npm ci --cache "$1/cache" --fetch-retries 1 >npm.log 2>&1 || {
	tail -n 15 npm.log >&2
	echo "npm could not install axe-core and html-validate, without which pages cannot be judged. This needs the npm registry: mend the network (or npm's proxy settings), then run this again." >&2
	exit 1
}
rm -rf cache
