# Copies of the source tree to build in; sourced by ./start and ./check, which never write to a
# checkout: it may be read-only, somebody else's, or built in by hand.

# tree_copy FROM TO: brings TO up to date, with the times of FROM's files so that make sees what changed.
tree_copy() {
	local from=$1 to=$2
	mkdir -p "$to" && tree_files "$from" >"$to/.files.new" || return 1
	# what the checkout no longer has
	if [ -e "$to/.files" ]; then
		comm -z -23 "$to/.files" "$to/.files.new" | (cd "$to" && xargs -0 -r rm -f) || return 1
	fi
	tar -C "$from" --null --no-recursion -T "$to/.files.new" -cf - | tar -C "$to" --no-same-owner -xf - || return 1
	mv "$to/.files.new" "$to/.files"
}

# The files of a checkout but for what autoconf, make and tests make there, NUL between them.
tree_files() {
	(cd "$1" && find . \( -name .git -o -name autom4te.cache -o -name __pycache__ -o -name .deps \
		-o -name .dirstamp -o -path ./build -o -path './build-*' ! -path './build-aux*' \
		-o -name '*.o' -o -name '*.a' -o -name '*~' -o -name '*.log' -o -name '*.trs' \
		-o -path ./Makefile -o -path ./config.status -o -path ./config.h -o -path ./stamp-h1 \) -prune \
		-o -type f -print0) | LC_ALL=C sort -z
}

# tree_configure SOURCE: makes `configure` where it is missing or older than what it is made of.
tree_configure() {
	[ -x "$1/configure" ] && [ "$1/configure" -nt "$1/configure.ac" ] || (cd "$1" && autoreconf -fi)
}
