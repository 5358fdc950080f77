#!/bin/sh
# Each header of lib, engine and drive compiles alone: whoever includes it needs to know no other.
set -eu

top=${top_srcdir:-$(dirname "$0")/../..}
build=$(pwd)
cc=${CC:-cc}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

count=0
failed=0
for header in $(cd "$top" && find lib engine drive -name '*.h' | LC_ALL=C sort); do
	# config.h comes first, as in every source file.
	printf '#include "config.h"\n#include "%s"\n#include "%s"\n' "$header" "$header" \
		>"$work/one.c"
	# shellcheck disable=SC2086
	if ! $cc -std=gnu11 -fsyntax-only -Wall -Wextra -Werror ${HEADER_CFLAGS-} \
		-I "$build" -I "$top" "$work/one.c" 2>"$work/why"; then
		echo "$header does not compile alone:"
		sed 's/^/  /' "$work/why"
		failed=$((failed + 1))
	fi
	count=$((count + 1))
done

echo "$count headers compiled alone, $failed failed"
[ "$count" -gt 0 ] && [ "$failed" -eq 0 ]
