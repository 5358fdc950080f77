# Turns sql/queries/*.sql into lib/db/queries.h (enum query) and lib/db/queries.c (the table).
#
#   awk -v header=OUT.h -v source=OUT.c -v guard=NAME -v include=PATH -f queries.awk FILE...
#
# A query begins with a line such as
#   -- name: offer_insert :exec (id uuid, title text, price_cents bigint)
# (its parameters may go on over further comment lines) and ends at the next one. Comments are
# dropped. Whatever could only fail at run time, or hide a query built from text, stops the build
# here with file and line: see the calls of refuse().

function refuse(line, text) {
	printf "%s:%d: %s\n", file, line, text > "/dev/stderr"
	failed = 1
	exit 1
}

function trim(s) {
	gsub(/^[ \t\r]+|[ \t\r]+$/, "", s)
	return s
}

# The SQL of one line without its comments and strings is appended to `bare`, without its comments
# only to `sql`. `state` is what the line ends in: "" code, ' or " a quotation, * a block comment,
# or the tag of a dollar quotation.
function scan(s,    i, c, two, rest) {
	for (i = 1; i <= length(s); ) {
		c = substr(s, i, 1)
		two = substr(s, i, 2)
		rest = substr(s, i)
		if (state == "*") {
			if (two == "*/")
				state = ""
			i += two == "*/" ? 2 : 1
		} else if (state == "'" || state == "\"") {
			if (state == "'" && escapes && c == "\\") {
				sql = sql two
				i += 2
				continue
			}
			if (c == state)
				state = "" # a doubled quote opens the next quotation at once
			sql = sql c
			i++
		} else if (state != "") {
			if (substr(rest, 1, length(state)) == state) {
				sql = sql state
				i += length(state)
				state = ""
			} else {
				sql = sql c
				i++
			}
		} else if (two == "--") {
			break
		} else if (two == "/*") {
			state = "*"
			i += 2
		} else if (c == "'" || c == "\"") {
			escapes = bare ~ /(^|[^A-Za-z0-9_$])[eE]$/
			state = c
			sql = sql c
			bare = bare " "
			i++
		} else if (c == "$" && match(rest, /^[$]([A-Za-z_][A-Za-z0-9_]*)?[$]/)) {
			state = substr(rest, 1, RLENGTH)
			sql = sql state
			bare = bare " "
			i += RLENGTH
		} else {
			sql = sql c
			bare = bare c
			i++
		}
	}
	sub(/[ \t\r]+$/, "", sql)
	sql = sql "\n"
	bare = bare "\n"
}

function literal(s,    i, c, out) {
	out = ""
	for (i = 1; i <= length(s); i++) {
		c = substr(s, i, 1)
		if (c == "\\" || c == "\"")
			c = "\\" c
		else if (c == "\t")
			c = "\\t"
		else if (c == "?")
			c = "\\?" # a trigraph is not one
		out = out c
	}
	return out
}

function params_parse(    n, i, part, words, type) {
	nparams = 0
	types = ""
	if (params == "")
		return
	n = split(params, part, ",")
	for (i = 1; i <= n; i++) {
		part[i] = trim(part[i])
		if (part[i] !~ /^[a-z][a-z0-9_]* +[a-z]/)
			refuse(at, name ": parameter " i " must read: name type")
		words = part[i]
		type = words
		sub(/^[a-z][a-z0-9_]* +/, "", type)
		gsub(/ +/, " ", type)
		if (!(type in type_of))
			refuse(at, name ": the type \"" type "\" is not in the table of tools/queries.awk")
		types = types (i > 1 ? ", " : "") type_of[type]
	}
	nparams = n
}

function dollars_check(    rest, n, i, seen) {
	rest = bare
	while (match(rest, /[$][0-9]+/)) {
		n = substr(rest, RSTART + 1, RLENGTH - 1) + 0
		if (n < 1 || n > nparams)
			refuse(at, name ": $" n " is used, but " nparams " parameters are declared")
		seen[n] = 1
		rest = substr(rest, RSTART + RLENGTH)
	}
	for (i = 1; i <= nparams; i++)
		if (!(i in seen))
			refuse(at, name ": $" i " is declared, but not used")
	for (i in seen)
		delete seen[i]
}

function words_check(    low) {
	low = " " tolower(bare)
	gsub(/[ \t\n]+/, " ", low)
	if (low ~ /[^a-z0-9_]format ?\(/)
		refuse(at, name ": format() builds text; write the query out, or pass a parameter")
	if (low ~ /[^a-z0-9_]execute[^a-z0-9_]/)
		refuse(at, name ": EXECUTE runs text that was built; write the query out")
	if (low ~ /^ *do( |$)/)
		refuse(at, name ": a DO block hides its statements; write them as queries")
	if (low ~ /;/)
		refuse(at, name ": one statement per query; put a \"-- name:\" line before the second")
	if (kind == "copy" && low !~ /^ ?copy .* from stdin/)
		refuse(at, name ": a :copy query reads COPY ... FROM STDIN (FORMAT binary)")
	if (kind == "copy" && low !~ /binary/)
		refuse(at, name ": a :copy query needs (FORMAT binary)")
	if (kind != "copy" && low ~ /^ *copy /)
		refuse(at, name ": COPY needs the kind :copy")
	if ((kind == "listen") != (low ~ /^ *listen /))
		refuse(at, name ": LISTEN and the kind :listen go together")
	if ((kind == "copy" || kind == "listen") && nparams > 0)
		refuse(at, name ": a :" kind " query takes no parameters")
}

function finish() {
	if (name == "")
		return
	if (open_params)
		refuse(at, name ": the list of parameters is not closed")
	if (state != "")
		refuse(at, name ": a quotation or comment is not closed")
	sub(/^[ \t\n]+/, "", sql)
	sub(/[ \t\n;]+$/, "", sql)
	sub(/[ \t\n;]+$/, "", bare)
	if (sql == "")
		refuse(at, name ": there is no SQL under this name")
	params_parse()
	dollars_check()
	words_check()
	count++
	names[count] = name
	kinds[count] = kind
	nparams_of[count] = nparams
	types_of[count] = types
	sqls[count] = sql
	places[count] = short ":" at
	name = ""
}

function start(line,    head, words, n) {
	finish()
	at = FNR
	head = line
	sub(/^-- *name:[ \t]*/, "", head)
	params = ""
	open_params = 0
	if (match(head, /\(/)) {
		params = substr(head, RSTART + 1)
		head = trim(substr(head, 1, RSTART - 1))
		open_params = 1
	}
	n = split(trim(head), words, /[ \t]+/)
	if (n < 1 || words[1] !~ /^[a-z][a-z0-9_]*$/)
		refuse(at, "a query's name is lower case letters, digits and _, beginning with a letter")
	if (n < 2)
		refuse(at, words[1] ": the kind is missing; add one of :one :maybe :many :exec :copy :listen")
	if (n > 2 || substr(words[2], 1, 1) != ":" || !(substr(words[2], 2) in is_kind))
		refuse(at, words[1] ": \"" words[2] "\" is no kind; use one of " \
			":one :maybe :many :exec :copy :listen")
	if (words[1] in place)
		refuse(at, words[1] ": this name is taken by " place[words[1]])
	name = words[1]
	kind = substr(words[2], 2)
	place[name] = file ":" at
	sql = bare = state = ""
	if (open_params)
		params_close()
}

function params_close(    end) {
	end = index(params, ")")
	if (!end)
		return
	if (trim(substr(params, end + 1)) != "")
		refuse(at, name ": nothing may follow the list of parameters")
	params = trim(substr(params, 1, end - 1))
	gsub(/[ \t\r]+/, " ", params)
	open_params = 0
}

BEGIN {
	n = split("one maybe many exec copy listen", list, " ")
	for (i = 1; i <= n; i++)
		is_kind[list[i]] = 1
	n = split("bool=BOOL boolean=BOOL bytea=BYTEA bigint=INT8 smallint=INT2 int=INT4 integer=INT4 " \
		"text=TEXT json=JSON inet=INET date=DATE timestamptz=TIMESTAMPTZ interval=INTERVAL " \
		"numeric=NUMERIC uuid=UUID jsonb=JSONB", list, " ")
	for (i = 1; i <= n; i++) {
		split(list[i], pair, "=")
		type_of[pair[1]] = "DB_TYPE_" pair[2]
		type_of[pair[1] "[]"] = "DB_TYPE_" pair[2] "_ARRAY"
	}
	type_of["double precision"] = "DB_TYPE_FLOAT8"
	type_of["double precision[]"] = "DB_TYPE_FLOAT8_ARRAY"
	count = 0
	name = ""
}

FNR == 1 {
	finish()
	file = FILENAME
	short = FILENAME
	sub(/^.*\//, "", short)
}

/^-- *name:/ {
	if (name != "" && state != "" )
		refuse(at, name ": a quotation or comment is not closed")
	start($0)
	next
}

tolower($0) ~ /^[ \t]*-- *name *:/ || tolower($0) ~ /^--[ \t]*name +[a-z0-9_]+ +:/ {
	refuse(FNR, "this looks like a name line; write it as: -- name: <name> :<kind> (<parameters>)")
}

open_params && /^--/ {
	more = $0
	sub(/^--/, "", more)
	params = params " " more
	params_close()
	next
}

name == "" {
	if ($0 !~ /^[ \t\r]*(--.*)?$/)
		refuse(FNR, "SQL stands before the first \"-- name:\" line")
	next
}

{ scan($0) }

function header_write(    i) {
	print "/* Made by tools/queries.awk; edit the .sql files instead. */" > header
	print "#ifndef " guard > header
	print "#define " guard > header
	print "" > header
	print "enum query {" > header
	for (i = 1; i <= count; i++)
		print "\tQ_" toupper(names[i]) ", /* " places[i] " */" > header
	print "\tQUERY__MAX" > header
	print "};" > header
	print "" > header
	print "#endif" > header
}

function source_write(    i, j, n, line) {
	print "/* Made by tools/queries.awk; edit the .sql files instead. */" > source
	print "#include \"config.h\"" > source
	print "" > source
	print "#include \"lib/db/query.h\"" > source
	print "" > source
	print "#include \"" include "\"" > source
	print "" > source
	for (i = 1; i <= count; i++)
		if (nparams_of[i] > 0)
			print "static const unsigned types_" names[i] "[] = { " types_of[i] " };" > source
	print "" > source
	print "const struct db_query db_queries[QUERY__MAX + 1] = {" > source
	for (i = 1; i <= count; i++) {
		print "\t[Q_" toupper(names[i]) "] = {" > source
		print "\t\t.name = \"" names[i] "\"," > source
		print "\t\t.kind = DB_KIND_" toupper(kinds[i]) "," > source
		print "\t\t.nparams = " nparams_of[i] "," > source
		if (nparams_of[i] > 0)
			print "\t\t.types = types_" names[i] "," > source
		n = split(sqls[i], line, "\n")
		for (j = 1; j <= n; j++)
			print (j == 1 ? "\t\t.sql = \"" : "\t\t       \"") literal(line[j]) \
				(j < n ? "\\n\"" : "\",") > source
		print "\t}," > source
	}
	print "};" > source
	print "const size_t db_queries_count = QUERY__MAX;" > source
}

END {
	if (failed)
		exit 1
	finish()
	if (failed)
		exit 1
	header_write()
	source_write()
	close(header)
	close(source)
}
