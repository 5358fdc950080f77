# Each noun's queries live in sql/queries/<noun>.sql; tools/queries.awk turns them into C.
# One line per noun, in alphabetical order: QUERIES += sql/queries/<noun>.sql
QUERIES =
QUERIES += sql/queries/migration.sql
QUERIES += sql/queries/admin.sql
QUERIES += sql/queries/audit.sql
QUERIES += sql/queries/collector.sql
QUERIES += sql/queries/dashboard.sql
QUERIES += sql/queries/data_source.sql
QUERIES += sql/queries/doctor.sql
QUERIES += sql/queries/execution.sql
QUERIES += sql/queries/instance.sql
QUERIES += sql/queries/listing.sql
QUERIES += sql/queries/member.sql
QUERIES += sql/queries/operator.sql
QUERIES += sql/queries/rating.sql
QUERIES += sql/queries/record.sql
QUERIES += sql/queries/service.sql
QUERIES += sql/queries/tenant.sql
QUERIES += sql/queries/token.sql
QUERIES += sql/queries/trial.sql
QUERIES += sql/queries/user.sql
QUERIES += sql/queries/runner.sql
QUERIES += sql/queries/release.sql
QUERIES += sql/queries/secret.sql
QUERIES += sql/queries/web.sql

EXTRA_DIST += $(QUERIES)
nobase_dist_pkgdata_DATA += sql/roles.sql
MIGRATIONS = \
  sql/migrations/0001_ground.sql \
  sql/migrations/0002_audit.sql \
  sql/migrations/0003_identity.sql \
  sql/migrations/0004_identity_functions.sql \
  sql/migrations/0005_collect.sql \
  sql/migrations/0006_market.sql \
  sql/migrations/0007_instances.sql \
  sql/migrations/0008_work.sql \
  sql/migrations/0009_runs.sql \
  sql/migrations/0010_months_ahead.sql \
  sql/migrations/0011_documents.sql \
  sql/migrations/0012_marketplace.sql \
  sql/migrations/0013_sessions.sql \
  sql/migrations/0014_platform.sql \
  sql/migrations/0015_facets.sql \
  sql/migrations/0016_records.sql \
  sql/migrations/0017_tokens.sql \
  sql/migrations/0018_services.sql \
  sql/migrations/0019_token_leases.sql \
  sql/migrations/0020_kept_prune.sql \
  sql/migrations/0021_berths.sql \
  sql/migrations/0022_shelf.sql \
  sql/migrations/0023_publisher.sql \
  sql/migrations/0024_offered.sql \
  sql/migrations/0025_plain.sql \
  sql/migrations/0026_silent.sql \
  sql/migrations/0027_replaced.sql \
  sql/migrations/0028_sweep.sql \
  sql/migrations/0029_farewell.sql \
  sql/migrations/0030_batches.sql \
  sql/migrations/0031_web.sql \
  sql/migrations/0032_runs_whole.sql \
  sql/migrations/0033_queue.sql \
  sql/migrations/0034_lookups.sql \
  sql/migrations/0035_ends.sql \
  sql/migrations/0036_regained.sql \
  sql/migrations/0037_heard.sql \
  sql/migrations/0038_ledger.sql
nobase_dist_pkgdata_DATA += $(MIGRATIONS)
