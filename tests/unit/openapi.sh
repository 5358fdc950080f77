#!/bin/sh
# The program that merges the families' routes: what it refuses, and that it is deterministic.
# Runs in the build folder.
set -u
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
ASAN_OPTIONS=detect_leaks=0
export ASAN_OPTIONS
failures=0
result() { # status, sentence
	[ "$1" = 0 ] && return
	echo "not so: $2"
	failures=$((failures + 1))
}
family() { # name, path, shape's member, type, more members of the row
	cat <<TEXT
{"family":"$1","health":[],"routes":[{"method":"GET","path":"$2","summary":"Shows it","access":"public",
 "out":"Thing","status":200,"flags":[],"also":[]${5:-}}],"shapes":[{"name":"Thing","isTaken":false,
 "taken":{"type":"object","properties":{"$3":{"type":"$4"}}},"given":{"type":"object","properties":{"$3":{"type":"$4"}}}}]}
TEXT
}
merge() { # files...
	tools/openapi 1.0 "$@" >"$dir/out" 2>"$dir/err"
}

family one /one id string >"$dir/one"
family two /two id string >"$dir/two"
family two /two id integer >"$dir/other"
family two /one id string >"$dir/twin"
family two /one id string ',"query":[{"name":"wait","required":true,"schema":{"type":"integer"}}]' >"$dir/apart"

merge "$dir/one" "$dir/two"
result $? "families are merged"
cp "$dir/out" "$dir/first" && merge "$dir/two" "$dir/one"
cmp -s "$dir/out" "$dir/first"
result $? "their order does not matter"
! merge "$dir/one" "$dir/other" && grep -q 'Thing: two different shapes have this name' "$dir/err"
result $? "two shapes of one name are refused"
! merge "$dir/one" "$dir/twin" && grep -q '/one: this is served twice' "$dir/err"
result $? "two families that serve the same are refused"
merge "$dir/one" "$dir/apart" && grep -q '"wait"' "$dir/out"
result $? "unless a parameter tells them apart"
sed 's/"out":"Thing"/"out":"Nothing"/' "$dir/one" >"$dir/lost"
! merge "$dir/lost" && grep -q 'Nothing: a route names this shape' "$dir/err"
result $? "a shape that nobody prints is refused"
[ $failures = 0 ]
