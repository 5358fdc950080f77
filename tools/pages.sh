#!/bin/sh
# Compiles the pages of one family, with the parts and layouts that all of them share.
# usage: tools/pages.sh TMPLC SRCDIR templates/FAMILY.c PAGE.html ...   writes FAMILY.h beside it
# Of the pages those in templates/FAMILY are taken.
set -eu
tmplc=$1 src=$2 out=${3%.c}
shift 3
pages=
for page in "$@"; do
	case $page in
	"$out"/*) pages="$pages $src/$page" ;;
	esac
done
mkdir -p templates
# shellcheck disable=SC2086
"$tmplc" --root "$src/templates" --source "$out.c.tmp" --header "$out.h.tmp" --include "$out.h" \
	--guard "CATCHMENT_$(echo "$out" | tr a-z/ A-Z_)_H" \
	"$src"/templates/layout/*.html "$src"/templates/part/*.html "$src"/templates/shared/*.html $pages
mv -f "$out.h.tmp" "$out.h"
mv -f "$out.c.tmp" "$out.c"
