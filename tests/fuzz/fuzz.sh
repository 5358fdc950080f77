#!/bin/bash
# Plays the fuzz targets that are named, FUZZ_SECONDS each: with libFuzzer, which follows what the code does,
# where clang-14 is installed; else with our own mutations. Run by `make fuzz` in a build folder. What
# libFuzzer has found new stays in fuzz/found/TARGET there, for the next time.
set -u
SOURCE=$(cd "${top_srcdir:?}" && pwd)
: "${FUZZ_SECONDS:=60}"

# One target: ok or not ok, its name, and how many inputs it took.
with_mutations() { # program
	local name log
	name=$(basename "$1" .tap)
	log=fuzz-$name.log
	if FUZZ_SEED=$(date +%s) "$1" >"$log" 2>&1; then
		echo "ok - $name: $(sed -n 's/^ok 2 .* over \([0-9]*\) mutations$/\1/p' "$log") runs by mutations"
	else
		tail -n 40 "$log"
		echo "not ok - $name: $log"
	fi
}

# A build of its own, all of it seen by libFuzzer, whose main comes before ours.
clang_build() {
	[ -e Makefile ] || "$SOURCE/configure" --quiet --with-sanitizer=address,undefined CC=clang-14 \
		CFLAGS="-g -O1 -fsanitize=fuzzer-no-link" || return 1
	make -s -j"$(nproc)" all && make -s -j"$(nproc)" LDFLAGS=-fsanitize=fuzzer "$@"
}

with_libfuzzer() { # program
	local name
	name=$(basename "$1" .tap)
	mkdir -p "found/$name"
	if "./$1" -max_total_time="$FUZZ_SECONDS" -max_len=4096 -timeout=20 -rss_limit_mb=2048 -artifact_prefix="fuzz-finding-$name." \
		"found/$name" "$SOURCE/tests/fuzz/corpus/$name" >"found/$name.log" 2>&1; then
		echo "ok - $name: $(sed -n 's/^Done \([0-9]*\) runs.*/\1 runs/p' "found/$name.log"), $(grep -oE 'cov: [0-9]+' "found/$name.log" | tail -n 1)"
	else
		tail -n 40 "found/$name.log"
		echo "not ok - $name: found/$name.log"
	fi
}

# As many at once as there are processors.
play() { # with programs...
	local with=$1
	shift
	export -f "$with"
	export SOURCE FUZZ_SECONDS
	printf '%s\n' "$@" | xargs -P "$(nproc)" -I '{}' bash -c "$with {}" | tee fuzz.log
	! grep -q '^not ok' fuzz.log && [ "$(grep -c '^ok' fuzz.log)" = $# ]
}

if ! command -v clang-14 >/dev/null; then
	echo "clang-14 is not installed: our own mutations, which do not see what the code does"
	make -s -j"$(nproc)" "$@" >fuzz-build.log 2>&1 || { tail -n 20 fuzz-build.log; exit 1; }
	play with_mutations "$@"
elif mkdir -p fuzz && cd fuzz && clang_build "$@" >build.log 2>&1; then
	play with_libfuzzer "$@"
else
	echo "the fuzz targets do not build: $PWD/build.log"
	tail -n 20 build.log
	exit 1
fi
