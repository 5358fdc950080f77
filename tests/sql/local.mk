# Tests of the schema; ./check runs tests/sql/run.sh, which needs pgTAP.
dist_check_SCRIPTS += tests/sql/run.sh tests/sql/claim_race.sh tests/sql/token_race.sh
EXTRA_DIST += tests/sql/setup.sql tests/sql/catalogue.sql tests/sql/execution.sql \
  tests/sql/history.sql tests/sql/identity.sql tests/sql/isolation.sql tests/sql/market.sql \
  tests/sql/pace.sql tests/sql/platform.sql tests/sql/review.sql \
  tests/sql/session.sql tests/sql/tokens.sql \
  tests/sql/work.sql
