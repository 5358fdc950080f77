-- What pages ask again and again is planned with the statement that asks, not each time anew: it has to
-- stand in the statement's plan as an expression.
SET search_path = tap, pg_catalog;
SET client_min_messages = warning;
CALL tap.two_tenants();
CALL tap.installations();
INSERT INTO collect.data_sources (tenant_id, id, name, created_by) VALUES (tap.id(1), tap.id(31), 'Shop API', tap.id(11));
INSERT INTO collect.data_collectors (tenant_id, id, name, data_source_id, created_by, release_version, pipelines) VALUES
	(tap.id(1), tap.id(32), 'A draft', tap.id(31), tap.id(11), NULL, '[{}, {}]'),
	(tap.id(1), tap.id(50), 'A published "one"', tap.id(31), tap.id(11), '1.0.0', '[]');
SELECT plan(15);

CREATE FUNCTION pg_temp.plan_of(p_sql text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text;
	lines text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (VERBOSE, COSTS off) SELECT ' || p_sql LOOP
		lines := lines || line || E'\n';
	END LOOP;
	RETURN lines;
END $$;
SELECT alike(pg_temp.plan_of('identity.my_role()'), '%identity.my_role(%', 'a function that is called shows in the plan');
SELECT unalike(pg_temp.plan_of(t.sql), '%' || t.name || '(%', t.name || ' is an expression of the statement')
FROM (VALUES
	('util.utc', 'util.utc(u.created_at) FROM identity.users u'),
	('util.json_join', 'util.json_join(l.data_source, l.tags) FROM market.listing l'),
	('identity.role_rank', 'identity.role_rank(m.role) FROM identity.members m'),
	('identity.scope_allows', 'identity.scope_allows(k.scopes, k.name) FROM identity.tokens k'),
	('identity.token_is_good', 'FROM identity.tokens k WHERE identity.token_is_good(k)'),
	('identity.membership_doc', 'identity.membership_doc(w, w.name) FROM identity.tenants w'),
	('collect.stream_doc', 'collect.stream_doc(s) FROM collect.streams s'),
	('collect.record_doc', 'collect.record_doc(c) FROM collect.records c'),
	('collect.collector_summary', 'collect.collector_summary(c, d, l) FROM collect.data_collectors c
		JOIN collect.data_sources d ON d.tenant_id = c.tenant_id AND d.id = c.data_source_id
		LEFT JOIN market.listing l ON l.collector_id = c.id')) AS t (name, sql);

SELECT is(string_agg(collect.collector_summary(c, d, l)::text, E'\n' ORDER BY c.id),
	string_agg(collect.collector_summary(c)::text, E'\n' ORDER BY c.id), 'a collector reads the same, however it was joined')
FROM collect.data_collectors c
JOIN collect.data_sources d ON d.tenant_id = c.tenant_id AND d.id = c.data_source_id
LEFT JOIN market.listing l ON l.collector_id = c.id;
SELECT is(count(*), 2::bigint, 'a draft and a published one') FROM collect.data_collectors;

-- A commit looks its records up by their keys and reads nothing else of the stream, whatever is known of the table.
INSERT INTO collect.records (tenant_id, stream_id, record_key, key_hash, content_hash, data, seq)
SELECT tap.id(1), tap.id(60), 'k' || i, i, '\x00', '{}', 1 FROM generate_series(1, 1000) i;
SELECT is(reltuples, -1::real, 'nobody has analysed the records') FROM pg_class WHERE oid = 'collect.records'::regclass;

CREATE FUNCTION pg_temp.rows_read(p_sql text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	at CONSTANT text := 'SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relid = ''collect.records''::regclass';
	before bigint;
	after bigint;
BEGIN
	PERFORM set_config('app.tenant_id', tap.id(1)::text, true);
	EXECUTE at INTO before;
	EXECUTE p_sql;
	EXECUTE at INTO after;
	RETURN after - before;
END $$;
SELECT is(pg_temp.rows_read($$SELECT collect.page_differing(tap.id(60), '{k1,k2,k3,new}', '{"\\x00","\\x00","\\x01","\\x00"}')$$), 3::bigint,
	'of those that are there one row each is read to see what differs');
SELECT cmp_ok(pg_temp.rows_read($$SELECT collect.page_write(tap.id(60), 2, 1, true, '{2,2,2}', '{k1,k2,k3}', '{1,2,3}',
	'{"\\x00","\\x00","\\x01"}', ARRAY['{}', '{}', '{"a":1}']::json[])$$), '<=', 6::bigint, 'and to write what does');
SELECT * FROM finish();
