# Tests of the schema; ./check runs tests/sql/run.sh, which needs pgTAP.
dist_check_SCRIPTS += tests/sql/run.sh
EXTRA_DIST += tests/sql/setup.sql tests/sql/catalogue.sql
