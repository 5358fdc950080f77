#!/bin/sh
# usage: tests/sql/run.sh [FILE...]
#
# Tests of the schema: pgTAP files, and clients that race each other (*.sh that print TAP). Each runs
# in a copy of one migrated database, two at a time, so that tests may commit.
#
#   CATCHMENT_TEST_DB  conninfo of a superuser; without it a private server is made (tests/pg.sh).
#                      A database without our schema gets it.
#   CATCHMENT          path of the catchment program that migrates; without it psql applies the files
#   CATCHMENT_RACE_S   seconds that the races last (3)
#
# Exits with 0 when all passed, 77 when PostgreSQL or pgTAP is not installed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
sql="psql -X -q -v ON_ERROR_STOP=1"

# The conninfo of another database, as another user; of words given twice libpq takes the last.
as_user() { echo "$CATCHMENT_TEST_DB dbname=$1${2:+ user=$2}"; }

if [ "${1-}" = --one ]; then # called by prove: one file, one copy
	name=t_$$_$(basename "$2" | tr -c 'a-z0-9\n' _)
	first=$CATCHMENT_TEST_DB
	$sql -d "$first" -c "CREATE DATABASE $name TEMPLATE $CATCHMENT_TEST_TEMPLATE" >&2
	trap '$sql -d "$first" -c "DROP DATABASE $name WITH (FORCE)" >&2' EXIT
	CATCHMENT_TEST_DB=$(as_user "$name")
	export CATCHMENT_TEST_DB
	sed -n '/^REVOKE ALL ON SCHEMA public/,$p' "$top/sql/roles.sql" | # rights on it are not copied
		$sql -d "$CATCHMENT_TEST_DB" >&2
	case $2 in
	*.sh) sh "$2" ;;
	*) $sql -At -d "$CATCHMENT_TEST_DB" -f "$2" ;;
	esac
	exit
fi

[ -n "${CATCHMENT_TEST_DB-}" ] || exec "$top/tests/pg.sh" "$0" "$@"
if [ -z "$($sql -At -d "$CATCHMENT_TEST_DB" \
	-c "SELECT 1 FROM pg_available_extensions WHERE name = 'pgtap'")" ]; then
	echo "pgTAP is not installed; install the package postgresql-15-pgtap." >&2
	exit 77
fi

migrate() {
	$sql -d "$1" -f "$top/sql/roles.sql"
	conninfo=$(as_user "$2" catchment_migrate)
	if [ -n "${CATCHMENT-}" ]; then
		DB_MIGRATE=$conninfo MIGRATIONS_DIR=$top/sql/migrations "$CATCHMENT" migrate
		return
	fi
	# the table that lib/db/migrate.c makes before the first file
	awk '/^-- name: migration_(schema_create|table_create|table_comment)/ { on = 1; next }
		/^-- name:/ { on = 0 } on' "$top/sql/queries/migration.sql" |
		PGOPTIONS='-c client_min_messages=warning' $sql -d "$conninfo"
	for file in "$top"/sql/migrations/*.sql; do
		$sql -1 -d "$conninfo" -f "$file"
	done
}

template=house_$$
trap '$sql -d "$CATCHMENT_TEST_DB" -c "DROP DATABASE IF EXISTS $template" >/dev/null 2>&1' EXIT
$sql -d "$CATCHMENT_TEST_DB" -c "CREATE DATABASE $template"
house=$(as_user "$template")
migrate "$house" "$template"
PGOPTIONS='-c client_min_messages=warning' $sql -d "$house" -f "$here/setup.sql"
[ $# -gt 0 ] || {
	set --
	for file in $(ls "$here" | grep -E "\.sql$|_race\.sh$"); do
		[ "$file" = setup.sql ] || set -- "$@" "$here/$file"
	done
}
CATCHMENT_TEST_TEMPLATE=$template
export CATCHMENT_TEST_TEMPLATE
status=0
prove -j2 --failures --comments --exec "sh $0 --one" "$@" || status=$?
exit "$status"
