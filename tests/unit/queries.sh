#!/bin/sh
# tools/queries.awk: what it makes of good queries, and that it refuses each kind of bad one with
# file and line.
set -u
tool=${top_srcdir:-.}/tools/queries.awk
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
failures=0

generate() { # the query text comes on standard input; several files: their names as arguments
	[ $# -gt 0 ] || { cat >"$dir/in.sql" && set -- "$dir/in.sql"; }
	rm -f "$dir/q.h" "$dir/q.c"
	${AWK:-awk} -v header="$dir/q.h" -v source="$dir/q.c" -v guard=G -v include=q.h \
		-f "$tool" "$@" 2>"$dir/err"
}

fail() {
	echo "FAIL: $1"
	cat "$dir/err"
	failures=$((failures + 1))
}

accepts() { # sentence, then text that queries.c must hold
	if ! generate; then
		fail "$1: it was refused"
	elif ! grep -qF -- "$2" "$dir/q.c"; then
		fail "$1: queries.c lacks: $2"
		cat "$dir/q.c"
	fi
}

refuses() { # sentence, line, words
	if generate; then
		fail "$1: it was accepted"
	elif ! grep -qF "in.sql:$2: " "$dir/err" || ! grep -qF -- "$3" "$dir/err"; then
		fail "$1: expected line $2 and: $3"
	elif [ -e "$dir/q.c" ]; then
		fail "$1: it left a table behind"
	fi
}

accepts "parameters become type ids" '{ DB_TYPE_UUID, DB_TYPE_TEXT_ARRAY, DB_TYPE_FLOAT8 }' <<'END'
-- name: a_b :exec (id uuid, names text[], share double precision)
INSERT INTO t VALUES ($1, $2, $3);
END
accepts "a list of parameters may go on over comment lines" '.nparams = 2,' <<'END'
-- name: a_b :maybe (id uuid,
--                   name text)
SELECT $1, $2
END
accepts "comments are dropped and strings are kept" \
	"\"SELECT 'it''s -- no /* comment', \\\"a--b\\\", E'x\\\\'--',\\n\"" <<'END'
-- name: a_b :one
SELECT 'it''s -- no /* comment', "a--b", E'x\'--', /* gone
-- gone */ 1 -- gone
END
accepts "quotes, backslashes and question marks are escaped" '\"a\" \\ \?\?=' <<'END'
-- name: a_b :one
SELECT '"a" \ ??='
END
accepts "a dollar quotation is text, whatever it holds" 'kind = DB_KIND_EXEC' <<'END'
-- name: a_b :exec
CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $x$ BEGIN PERFORM $1; -- no
END; $x$;
END
accepts "the same parameter may be used twice" '.nparams = 1,' <<'END'
-- name: a_b :many (n bigint)
SELECT $1 + $1
END
accepts "COPY has a kind of its own" 'kind = DB_KIND_COPY' <<'END'
-- name: a_copy :copy
COPY t (a, b)
FROM STDIN (FORMAT binary);
END
accepts "ON CONFLICT DO UPDATE is no DO block, FORMAT no function call" 'DO UPDATE' <<'END'
-- name: a_b :exec
INSERT INTO t VALUES ('x') ON CONFLICT (a) DO UPDATE SET a = information;
END

refuses "a name twice" 4 "is taken by" <<'END'
-- name: a_b :one
SELECT 1;

-- name: a_b :one
SELECT 2;
END
refuses "a parameter that is not declared" 2 '$2 is used, but 1 parameters' <<'END'

-- name: a_b :one (id uuid)
SELECT $1, $2;
END
refuses "a parameter that is not used" 1 '$2 is declared, but not used' <<'END'
-- name: a_b :one (id uuid, name text)
SELECT $1, '$2';
END
refuses "a parameter without a type" 1 "must read: name type" <<'END'
-- name: a_b :one (id)
SELECT $1;
END
refuses "an unknown type" 1 '"money" is not in the table' <<'END'
-- name: a_b :one (price money)
SELECT $1;
END
refuses "a missing kind" 1 "the kind is missing" <<'END'
-- name: a_b
SELECT 1;
END
refuses "a missing kind before parameters" 1 "the kind is missing" <<'END'
-- name: a_b (id uuid)
SELECT $1;
END
refuses "an unknown kind" 1 '":some" is no kind' <<'END'
-- name: a_b :some
SELECT 1;
END
refuses "a name in capitals" 1 "lower case" <<'END'
-- name: A_B :one
SELECT 1;
END
refuses "a name line of another form" 3 "looks like a name line" <<'END'
-- name: a_b :one
SELECT 1
-- Name: a_c :one
SELECT 2
END
refuses "format()" 1 "format() builds text" <<'END'
-- name: a_b :one
SELECT Format ('%s', 1);
END
refuses "EXECUTE" 1 "EXECUTE runs text" <<'END'
-- name: a_b :exec
execute x;
END
refuses "a DO block" 1 "DO block" <<'END'
-- name: a_b :exec
DO $$ BEGIN END $$;
END
refuses "two statements" 1 "one statement per query" <<'END'
-- name: a_b :exec
DELETE FROM a; DELETE FROM b;
END
refuses "a query without SQL" 1 "no SQL under this name" <<'END'
-- name: a_b :exec
-- nothing
-- name: a_c :one
SELECT 1
END
refuses "SQL before the first name" 2 "before the first" <<'END'
-- hello
SELECT 1;
END
refuses "a string that is not closed" 1 "is not closed" <<'END'
-- name: a_b :one
SELECT 'x;
-- name: a_c :one
SELECT 1
END
refuses "a list of parameters that is not closed" 1 "is not closed" <<'END'
-- name: a_b :one (id uuid
SELECT $1
END
refuses "COPY in text form" 1 "FORMAT binary" <<'END'
-- name: a_b :copy
COPY t FROM STDIN;
END
refuses "COPY of another kind" 1 "kind :copy" <<'END'
-- name: a_b :exec
COPY t FROM STDIN (FORMAT binary);
END
refuses "LISTEN of another kind" 1 "go together" <<'END'
-- name: a_b :exec
LISTEN news;
END

printf -- '-- name: a_b :one\nSELECT 1\n' >"$dir/one.sql"
printf -- '\n-- name: a_b :one\nSELECT 1\n' >"$dir/two.sql"
if generate "$dir/one.sql" "$dir/two.sql" || ! grep -q "two.sql:2: .*one.sql:1" "$dir/err"; then
	fail "a name twice in two files: both places must be told"
fi
[ "$failures" = 0 ] && echo "queries.awk does as its comment says"
exit $((failures > 0))
