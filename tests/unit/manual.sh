#!/bin/sh
# The manual and the completion against the one table of commands, as catchment --help shows it: every
# command has its place with each of its options, and neither knows another; the pages are well formed.
set -u
top=${top_srcdir:-.}
program=${top_builddir:-.}/catchment
page=$top/docs/man/catchment.1
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
failures=0
fail() {
	echo "FAIL: $1"
	failures=$((failures + 1))
}

"$program" --help >"$dir/help" || fail "--help has exit code 0"
awk '/^Options/ { exit } /^  [a-z]/ { words = substr($0, 3, 20); sub(/ +$/, "", words); print words }' \
	"$dir/help" | sort >"$dir/commands"
[ "$(wc -l <"$dir/commands")" -gt 40 ] || fail "--help lists the commands"

options_of() { grep -oE -- '--[a-z-]+' | grep -vx -- '--help' | sort -u; }
# the head of an item of the page, from .It Xo to .Xc
head_of() { awk -v want=".Ic $1" '/^\.It Xo/ { on = 0 } $0 == want { on = 1 } /^\.Xc/ { on = 0 } on' "$page"; }

while read -r noun verb; do
	command="$noun${verb:+ $verb}"
	# shellcheck disable=SC2086
	"$program" $command --help >"$dir/usage" || fail "$command --help has exit code 0"
	head -n 1 "$dir/usage" | options_of >"$dir/wanted"
	[ -n "$(head_of "$command")" ] || fail "catchment.1 lacks: $command"
	head_of "$command" | grep -oE 'Fl -[a-z-]+' | sed 's/^Fl -/--/' | sort -u | cmp -s - "$dir/wanted" ||
		fail "catchment.1 has other options of $command than: $(tr '\n' ' ' <"$dir/wanted")"
	COMMAND="$noun $verb" bash -c '"$0" completion bash >"$1" && . "$1"
		set -- $COMMAND
		COMP_WORDS=(catchment "$@" x --) COMP_CWORD=$(($# + 2)); _catchment; printf "%s\n" "${COMPREPLY[@]}"' \
		"$program" "$dir/completion" | options_of | cmp -s - "$dir/wanted" ||
		fail "the completion has other options of $command than: $(tr '\n' ' ' <"$dir/wanted")"
done <"$dir/commands"

sed -n 's/^\.Ic \([a-z]* *[a-z]*\)$/\1/p' "$page" | sort | comm -13 "$dir/commands" - >"$dir/more"
[ ! -s "$dir/more" ] || fail "catchment.1 has commands that are none: $(cat "$dir/more")"
# each exit code that --help lists has its place
sed -n '/^Exit codes/,/^$/s/^  \([0-9]\)  .*/.It \1/p' "$dir/help" | while read -r item; do
	grep -qxF "$item" "$page" || echo "$item"
done >"$dir/codes"
[ ! -s "$dir/codes" ] || fail "catchment.1 lacks exit codes: $(cat "$dir/codes")"

if command -v mandoc >/dev/null; then
	for file in "$top"/docs/man/*.[18]; do
		mandoc -T lint -W warning "$file" >"$dir/lint" || fail "$(cat "$dir/lint")"
	done
else
	echo "mandoc is not installed; the pages' form was not looked at."
fi
echo "$(wc -l <"$dir/commands") commands, $failures failures"
[ $failures -eq 0 ]
