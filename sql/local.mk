# Each noun's queries live in sql/queries/<noun>.sql; tools/queries.awk turns them into C.
# One line per noun, in alphabetical order: QUERIES += sql/queries/<noun>.sql
QUERIES =
QUERIES += sql/queries/web.sql

EXTRA_DIST += $(QUERIES)
