#!/bin/bash
# Plays the fuzz targets that are named, FUZZ_SECONDS each: with libFuzzer, which follows what the code does,
# where clang-14 is installed; else with our own mutations. Run by `make fuzz` in a build folder. What
# libFuzzer has found new stays in fuzz/found/TARGET there, for the next time.
set -u
SOURCE=$(cd "${top_srcdir:?}" && pwd)
: "${FUZZ_SECONDS:=60}"
failed=0

with_mutations() {
	for program in "$@"; do
		name=$(basename "$program" .tap)
		FUZZ_SEED=$(date +%s) "$program" || failed=1
	done
}

# A build of its own, all of it seen by libFuzzer, whose main comes before ours.
clang_build() {
	mkdir -p fuzz && cd fuzz || return 1
	[ -e Makefile ] || "$SOURCE/configure" --quiet --with-sanitizer=address,undefined CC=clang-14 \
		CFLAGS="-g -O1 -fsanitize=fuzzer-no-link" || return 1
	make -s -j"$(nproc)" all >build.log 2>&1 && make -s -j"$(nproc)" LDFLAGS=-fsanitize=fuzzer "$@" >>build.log 2>&1
}

with_libfuzzer() {
	for program in "$@"; do
		name=$(basename "$program" .tap)
		mkdir -p "found/$name"
		if "./$program" -max_total_time="$FUZZ_SECONDS" -max_len=4096 -timeout=20 -rss_limit_mb=2048 -artifact_prefix="fuzz-finding-$name." \
			"found/$name" "$SOURCE/tests/fuzz/corpus/$name" >"found/$name.log" 2>&1; then
			echo "ok - $name: $(sed -n 's/^Done \([0-9]*\) runs.*/\1 runs/p' "found/$name.log"), $(grep -oE 'cov: [0-9]+' "found/$name.log" | tail -n 1)"
		else
			tail -n 40 "found/$name.log"
			echo "not ok - $name: found/$name.log"
			failed=1
		fi
	done
}

if ! command -v clang-14 >/dev/null; then
	echo "clang-14 is not installed: our own mutations, which do not see what the code does"
	with_mutations "$@"
elif clang_build "$@"; then
	with_libfuzzer "$@"
else
	tail -n 20 build.log
	failed=1
fi
exit $failed
