-- Months of history: each row lands in the partition of its id; a month that comes late takes over
-- what the default partition has caught; a lookup by id reads one partition.
SET search_path = tap, pg_catalog;
SET client_min_messages = warning;
CALL tap.two_tenants();
CALL tap.installations();
SELECT plan(12);

SELECT is((SELECT count(*) FROM pg_inherits WHERE inhparent = t::regclass), 15::bigint, t || ' has 14 months and the rest')
FROM unnest('{audit.entries,collect.journal,collect.ledger}'::text[]) t;
SELECT is((SELECT array_agg(DISTINCT split_part(b, ' ', 1)) FROM (SELECT tableoid::regclass::text AS b FROM audit.entries) x),
	ARRAY['audit.entries_' || to_char(now() AT TIME ZONE 'UTC', 'YYYYMM')], 'what happens now is in this month');
SELECT ok(NOT EXISTS (SELECT FROM generate_series(1, 300), LATERAL (SELECT util.uuid_v7('2026-03-01 00:00:00+00') AS id) u
	WHERE NOT (id >= util.uuid_floor('2026-03-01 00:00:00+00') AND id < util.uuid_floor('2026-03-01 00:00:00.001+00') AND id::text ~ '^.{14}7.{4}[89ab]')),
	'an id stands at its millisecond, is of version 7 and of its variant');

-- next month was forgotten
SELECT to_char(now() AT TIME ZONE 'UTC' + interval '1 month', 'YYYYMM') AS next,
	util.uuid_v7(date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' + interval '40 days') AS late \gset
DROP TABLE audit.entries_:next;
DROP TABLE collect.ledger_:next;
INSERT INTO audit.entries (tenant_id, id, action, object_kind) SELECT tap.id(n), :'late', 'late', 'x' FROM generate_series(1, 2) n;
INSERT INTO collect.ledger (tenant_id, id, execution_id, stream_id, seq, page, kept, fresh, changed, quarantined, key_hashes)
VALUES (tap.id(1), :'late', tap.id(1), tap.id(1), 1, 1, 0, 0, 0, 0, '{}');
SELECT is((SELECT array_agg(DISTINCT tableoid::regclass::text) FROM audit.entries WHERE action = 'late'), '{audit.entries_default}',
	'without its month a row is caught by the rest');
SELECT tap.ask('catchment_migrate', NULL, 'SELECT util.months_ahead()') \g /dev/null
SELECT is((SELECT array_agg(DISTINCT tableoid::regclass::text) FROM audit.entries WHERE action = 'late'), ARRAY['audit.entries_' || :'next'],
	'the month comes late and takes its rows over, those of every tenant');
SELECT is((SELECT count(*) FROM audit.entries WHERE action = 'late'), 2::bigint, 'none is lost');
SELECT ok((SELECT relforcerowsecurity FROM pg_class WHERE oid = 'audit.entries_default'::regclass), 'the rest is protected as before');
SELECT is((SELECT relkind::text || reloptions::text FROM pg_class WHERE oid = 'collect.collector_executions'::regclass), 'r{fillfactor=70}',
	'runs are one table, with room for their counters');
SELECT is((SELECT count(*) FROM pg_constraint WHERE conrelid = 'collect.collector_executions'::regclass AND contype = 'f'), 1::bigint,
	'and go with their installation');

CREATE FUNCTION pg_temp.partitions_read(p_sql text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	line text;
	n bigint := 0;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN ' || p_sql LOOP
		n := n + (line ~ 'Scan .*on ledger_')::int;
	END LOOP;
	RETURN n;
END $$;
SELECT is(pg_temp.partitions_read(format('SELECT * FROM collect.ledger WHERE tenant_id = tap.id(1) AND id = %L', :'late')), 1::bigint,
	'one partition is read for one id');
SELECT * FROM finish();
