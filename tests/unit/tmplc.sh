#!/bin/sh
# The template compiler: what it refuses, each with file and line, and that it leaves nothing behind
# then; and that what it makes is the same whatever the order of its arguments.
set -u
top=${top_srcdir:-.}
tool=$(pwd)/tests/unit/tmplc
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
count=0
failures=0

fail() {
	echo "FAIL: $1"
	cat "$dir/err"
	failures=$((failures + 1))
}

compile() { # files...
	"$tool" --root "$dir" --source "$dir/out.c" --header "$dir/out.h" --include out.h --guard G \
		"$@" 2>"$dir/err"
}

# The page's text comes on standard input, and begins at its second line.
page() {
	rm -rf "$dir/out.c" "$dir/out.h" "$dir/part" "$dir/layout"
	mkdir "$dir/part" "$dir/layout"
	{ echo '{{! shape: TestList}}' && cat; } >"$dir/page.html"
	printf '%s\n' '<b>' '{{state}}</b>' >"$dir/part/state.html"
	printf '%s\n' '<p>' '{{>part/loop}}' >"$dir/part/loop.html"
	printf '%s\n' '{{>part/pong}}' >"$dir/part/ping.html"
	printf '%s\n' '{{>part/ping}}' >"$dir/part/pong.html"
	printf '%s\n' '<title>{{$title}}{{/title}}</title>' >"$dir/layout/l.html"
	set -- "$dir"/part/*.html "$dir"/layout/*.html
	compile "$dir/page.html" "$@"
}

accepts() { # sentence
	count=$((count + 1))
	page || fail "$1: it was refused"
}

refuses() { # sentence, line, words; the file is page.html unless the line names another
	count=$((count + 1))
	case $2 in
	*:*) place=$dir/$2 ;;
	*) place=$dir/page.html:$2 ;;
	esac
	if page; then
		fail "$1: it was accepted"
	elif ! grep -qF -- "$place: " "$dir/err" || ! grep -qF -- "$3" "$dir/err"; then
		fail "$1: expected $place and: $3"
	elif [ -e "$dir/out.c" ] || [ -e "$dir/out.h" ]; then
		fail "$1: it left a table behind"
	fi
}

# Where a value may not stand, whatever its name: the text, then the words.
refuses_each() { # the rows on standard input: words|text
	while IFS='|' read -r words text; do
		printf '\n%s\n' "$text" >"$dir/row"
		refuses "$text" 3 "$words" <"$dir/row"
	done
}

cat >"$dir/rows" <<'END'
blocks inline scripts|<script>{{name}}</script>
blocks inline scripts|<script>{{#yes}}{{/yes}}</script>
blocks inline scripts|<script>var x = 1;</script>
blocks inline scripts|<SCRIPT type="application/json">{{json any}}</SCRIPT>
blocks inline styles|<style>{{name}}</style>
blocks inline styles|<style>a { color: red }</style>
blocks on* attributes|<a onclick="{{name}}">
blocks on* attributes|<a ONCLICK="x()">
blocks on* attributes|<a onclick>
blocks on* attributes|<a onclick{{#yes}}{{/yes}}>
blocks on* attributes|<a onclick {{#yes}}{{/yes}}>
blocks style attributes|<a style="{{name}}">
blocks style attributes|<a Style='color: red'>
is not quoted|<a title={{name}}>
is not quoted|<a title= {{name}}>
is not quoted|<a title=x>
is not quoted|<a title=x{{name}}>
is not quoted|<a title={{#yes}}"x"{{/yes}}>
outside of an attribute's quotes|<a {{name}}>
outside of an attribute's quotes|<a title="x"{{name}}>
outside of an attribute's quotes|<a title {{name}}>
outside of an attribute's quotes|<a /{{name}}>
name is made by a template|<a data-{{name}}="x">
a tag's name is made by a template|<{{name}}>
a tag's name is made by a template|<h{{name}}>
a tag's name is made by a template|</{{name}}>
a tag's name is made by a template|<{{#yes}}a{{/yes}}>
a tag's name is made by a template|<title></{{name}}>
no space between two attributes|<h{{#yes}}1{{/yes}}>
no space between two attributes|<a {{#yes}}hidden{{/yes}}>
no space between two attributes|<a title="x"id="y">
no space between two attributes|<a{{#yes}} title="x"{{/yes}}id="y">
in a comment|<!-- {{name}} -->
in a comment|<!-- {{#yes}}x{{/yes}} -->
in a comment|<!-{{name}}
in a comment|<!-- - {{name}} -->
in a comment|<!doctype {{name}}>
two dashes in a comment|<!-- a -- b -->
begins with {{url x}} or a literal path|<a href="{{name}}">
begins with {{url x}} or a literal path|<a HREF='{{name}}'>
begins with {{url x}} or a literal path|<img src="{{name}}">
begins with {{url x}} or a literal path|<form action="{{name}}">
begins with {{url x}} or a literal path|<button formaction="{{name}}">
begins with {{url x}} or a literal path|<video poster="{{name}}">
begins with {{url x}} or a literal path|<object data="{{name}}">
begins with {{url x}} or a literal path|<q cite="{{name}}">
begins with {{url x}} or a literal path|<use xlink:href="{{name}}">
complete the URL's scheme|<a href="java{{name}}">
complete the URL's scheme|<a href="x{{#yes}}{{name}}{{/yes}}">
scheme is http, https or mailto|<a href="javascript:alert(1)">
scheme is http, https or mailto|<a href="JavaScript:{{name}}">
scheme is http, https or mailto|<a href="data:text/html,x">
a URL begins with|<a href=" javascript:alert(1)">
no tab and no line break|<a href="	javascript:alert(1)">
without references|<a href="java&#115;cript:alert(1)">
stands in a URL's host|<a href="https://{{name}}/">
stands in a URL's host|<a href="https://a.{{name}}/">
a URL's host is missing|<a href="https:///{{name}}">
is followed by ://|<a href="https:x/{{name}}">
another site's address|<a href="//{{name}}">
another site's address|<a href="/\{{name}}">
first segment could be empty|<a href="/{{name}}/{{url}}">
first segment could be empty|<a href="/{{#yes}}{{/yes}}{{name}}\x">
ends in another place|<a href="/{{#yes}}x{{/yes}}/{{name}}">
lengthen the host|<a href="{{url url}}{{name}}">
only ? or # may follow|<a href="{{url url}}/{{name}}">
it stands at its beginning|<a href="/x{{url url}}">
only {{x}} and {{url x}} stand in a URL|<a href="/x{{json any}}">
list of URLs|<img srcset="{{name}}">
list of URLs|<a ping="/x?{{name}}">
a whole document|<iframe srcdoc="x">
a meaning that no escape fits|<meta http-equiv="refresh" content="{{name}}">
a meaning that no escape fits|<meta content="{{name}}" http-equiv="refresh">
a meaning that no escape fits|<meta content="{{name}}"{{#yes}} http-equiv="refresh"{{/yes}}>
may set URLs|<set attributeName="href" to="{{name}}">
an iframe holds no text|<iframe src="/x">{{name}}</iframe>
xmp is obsolete|<xmp>{{name}}</xmp>
plaintext is obsolete|<plaintext>{{name}}
another element's end tag|<title></p>{{name}}</title>
< begins no tag|<title><b>{{name}}</b></title>
< begins no tag|1 < 2
an end tag has no attributes|</a title="x">
does not end with />|<script src="/x.js"/>
ends in another place of HTML|{{#yes}}<a title="{{/yes}}">
ends in another place of HTML|<a title="{{#yes}}">{{/yes}}
ends in another place of HTML|<a title="{{#yes}}" id="{{/yes}}">
ends in another place of HTML|{{#yes}}<title>{{/yes}}</title>
in a comment|{{#yes}}<!-- {{/yes}}
no raw form|{{{name}}}
no raw form|{{&name}}
the delimiters are|{{=<% %>=}}
is neither a variable nor|{{a b}}
is neither a variable nor|{{}}
is neither a variable nor|{{a..b}}
is neither a variable nor|{{url}} {{raw name}}
is no name of a variable|{{#a b}}{{/a b}}
is no name of a template|{{>../secret}}
is no name of a block|{{<layout/l}}{{$a.b}}{{/a.b}}{{/layout/l}}
is not closed; a tag ends|{{name
closes nothing|{{/name}}
must be closed|{{#yes}}{{#name}}{{/yes}}{{/name}}
must be closed|{{#yes}}{{/name}}
is never closed|{{#yes}}
is never closed|{{^yes}}
is never closed|{{<layout/l}}
named once|{{! shape: TestRow}}
there is no template "part/none"|{{>part/none}}
there is no template "layout/none"|{{<layout/none}}{{/layout/none}}
a page is not included|{{>page}}
the layout has no block|{{<layout/l}}{{$body}}{{/body}}{{/layout/l}}
this block is given twice|{{<layout/l}}{{$title}}{{/title}}{{$title}}{{/title}}{{/layout/l}}
this would be lost|{{<layout/l}}text{{/layout/l}}
this would be lost|{{<layout/l}}{{name}}{{/layout/l}}
no shape has "nobody" here|{{nobody}}
no shape has "owner.nobody" here|{{owner.nobody}}
no shape has "name.x" here|{{name.x}}
no shape has "nobody" here|{{#nobody}}{{/nobody}}
no shape has "nobody" here|{{^nobody}}{{/nobody}}
no shape has "nobody" here|{{#rows}}{{nobody}}{{/rows}}
no shape has "state" here|{{#rows}}{{/rows}}{{state}}
no shape has "page.nobody" here|{{page.nobody}}
no shape has "page.user.nobody" here|{{page.user.nobody}}
no shape has "title" here|{{title}}
no shape has "doc.state" here|{{#rows}}{{doc.state}}{{/rows}}
too many parts|{{any.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a}}
is a secret|{{password}}
is a secret|{{#rows}}{{secret}}{{/rows}}
is a secret|{{#rows}}{{#secret}}{{/secret}}{{/rows}}
a list stands where a value belongs|{{rows}}
a list stands where a value belongs|{{owner}}
a list stands where a value belongs|<a href="{{url owner}}">
END
refuses_each <"$dir/rows"

refuses "a name that a part's place does not have" part/state.html:2 \
	'no shape has "state" here (included from' <<'END'
{{>part/state}}
END
refuses "a part in a place where its value may not stand" part/state.html:1 "(included from" <<'END'
<title>{{#rows}}{{>part/state}}{{/rows}}</title>
END
refuses "a part that includes itself" part/loop.html:2 '"part/loop" includes itself' <<'END'
{{>part/loop}}
END
refuses "parts that include each other" part/pong.html:1 '"part/ping" includes itself' <<'END'
{{>part/ping}}
END
refuses "a page that ends in a tag" 1 "ends inside a tag" <<'END'
<a title="x"
END
refuses "a page that ends in a comment" 1 "ends inside a tag" <<'END'
<!-- x
END
refuses "a tag over two lines" 3 "is not closed on its line" <<'END'
text
{{name
{{n}}
END
refuses "a mistake behind many lines, at its own line" 6 "is not quoted" <<'END'
text
{{#rows}}
{{! of two
lines }}
<a title={{name}}>
{{/rows}}
END
accepts "what the rules allow" <<'END'
<!doctype html><!-- a comment -->
<script src="/static/x.js" defer></script>
<meta http-equiv="refresh" content="5"><meta name="csrf" content="{{page.csrf}}">
<a href="{{url url}}?a={{name}}" href='/x/{{name}}#{{name}}'></a><a href="https://a.org/{{name}}">
<a href="mailto:{{name}}" title="{{url url}}">x > 1</a><br/><input disabled value="{{name}}"/>
{{#rows}}{{>part/state}}{{/rows}}
END

# Pages by themselves.
printf 'x\n' >"$dir/bare.html"
printf '{{! shape: Nobody}}\n' >"$dir/unknown.html"
printf '{{! shape: TestList}}\n' >"$dir/part/shaped.html"
printf '{{! shape: TestList}}\377\n' >"$dir/bytes.html"
printf '{{! shape: TestList}}\n' >"$dir/a-b.html"
for row in 'bare.html:1: a page begins with {{! shape: NAME}}' \
	'unknown.html:1: there is no shape "Nobody"' 'part/shaped.html:1: a part or layout' \
	'bytes.html:1: the file is not UTF-8 text' 'missing.html:1: No such file'; do
	count=$((count + 1))
	if compile "$dir/${row%%:*}"; then
		fail "$row: it was accepted"
	elif ! grep -qF -- "$dir/$row" "$dir/err"; then
		fail "$row"
	fi
done
count=$((count + 1))
if compile "$dir/a-b.html" "$dir/a-b.html" || ! grep -q 'two templates named "a-b"' "$dir/err"; then
	fail "a template twice"
fi

# Two runs, in two orders: the same bytes.
pages=$top/tests/data/tpl
count=$((count + 1))
make_table() { # to, files...
	to=$1
	shift
	"$tool" --root "$pages" --source "$dir/$to.c" --header "$dir/$to.h" --include t.h --guard G \
		"$@" 2>"$dir/err" || fail "the tests' own pages"
}
make_table one "$pages/layout/page.html" "$pages/part/badge.html" "$pages/rows/list.html"
make_table two "$pages/rows/list.html" "$pages/part/badge.html" "$pages/layout/page.html"
cmp "$dir/one.c" "$dir/two.c" && cmp "$dir/one.h" "$dir/two.h" || fail "the order of arguments shows"

echo "$count cases, $failures failed"
[ "$count" -gt 100 ] && [ "$failures" = 0 ]
