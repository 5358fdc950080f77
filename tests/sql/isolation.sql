-- What a role of one tenant sees and can do to the rows of another: nothing. Every tenant table that a
-- login role may touch is asked, with rows of two tenants in it.
SET search_path = tap, pg_catalog;
SET client_min_messages = warning;
CALL tap.two_tenants();
CALL tap.installations();

DO $fill$ BEGIN
	FOR n IN 1..2 LOOP
		PERFORM set_config('app.tenant_id', tap.id(n)::text, true), set_config('app.user_id', tap.id(10 + n)::text, true);
		INSERT INTO identity.idempotency (key, route, body_hash, status) VALUES ('k', 'POST /x', '\x00', 200);
		INSERT INTO identity.invitations (tenant_id, id, email, role, invited_by, expires_at)
		VALUES (tap.id(n), tap.id(30), 'x@example.com', 'viewer', tap.id(10 + n), now());
		INSERT INTO collect.data_sources (id, name) VALUES (tap.id(31), 'Shop API');
		INSERT INTO collect.data_collectors (id, name, data_source_id) VALUES (tap.id(32), 'Shop', tap.id(31));
		INSERT INTO collect.secrets (owner_id, field, kid, sealed) VALUES (tap.id(32), 'token', 1, '\x00');
		INSERT INTO collect.tokens (owner_id, auth_hash, access_sealed) VALUES (tap.id(32), 'x', '\x00');
		INSERT INTO collect.kept_answers (owner_id, key, fresh_until, etag, modified, headers, body)
		VALUES (tap.id(32), 'k', now(), '', '', '[]', '\x00');
		INSERT INTO market.ratings (collector_id, stars) VALUES (tap.id(50), n);
		INSERT INTO collect.streams (id, instance_id, pipeline_id, name, strategy)
		VALUES (tap.id(33), tap.id(100 + n), 'p1', 'products', 'full-sync');
		INSERT INTO collect.progress (subject_id, kind, instance_id, pipeline_id)
		VALUES (tap.id(34), 'pipeline', tap.id(100 + n), 'p1');
		INSERT INTO collect.collector_executions (id, collector_instance_id, subject_id, pipeline_id, pipeline_name, release_version)
		VALUES (tap.id(35), tap.id(100 + n), tap.id(34), 'p1', 'Products', '1.0.0');
		INSERT INTO collect.journal (execution_id, at, kind, entry) VALUES (tap.id(35), now(), 'stop', '{}');
		INSERT INTO collect.ledger (execution_id, stream_id, seq, page, kept, fresh, changed, quarantined, key_hashes)
		VALUES (tap.id(35), tap.id(33), 1, 1, 1, 1, 0, 0, '{1}');
		INSERT INTO collect.records (tenant_id, stream_id, record_key, key_hash, content_hash, data, seq)
		VALUES (tap.id(n), tap.id(33), 'a', 1, '\x00', '{}', 1);
		INSERT INTO collect.quarantine (stream_id, execution_id, page, slug, why, bytes)
		VALUES (tap.id(33), tap.id(35), 1, 'x', 'y', '\x00');
		INSERT INTO work.work (tenant_id, id, kind, subject_id) VALUES (tap.id(n), tap.id(36), 'pipeline', tap.id(34));
		INSERT INTO work.lane (tenant_id) VALUES (tap.id(n)) ON CONFLICT DO NOTHING;
		INSERT INTO work.bucket (tenant_id, service, rate, full_rate, burst, tokens) VALUES (tap.id(n), 'x', 1, 1, 1, 1);
	END LOOP;
END $fill$;

CREATE TEMPORARY TABLE door AS
SELECT r.rolname AS role, c.oid, c.oid::regclass::text AS name,
	has_table_privilege(r.rolname, c.oid, 'INSERT') AS may_insert
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN (VALUES ('catchment_web'), ('catchment_trial'), ('catchment_export'), ('catchment_run')) AS r (rolname)
WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^(pg_|tap$|information_schema$)' AND has_any_column_privilege(r.rolname, c.oid, 'SELECT')
	AND (obj_description(c.oid, 'pg_class') LIKE 'class: tenant.%'
		OR (c.oid::regclass::text IN ('work.work', 'work.lane', 'work.bucket') AND r.rolname <> 'catchment_run'));

CREATE FUNCTION pg_temp.columns(p_role text, p_table oid, p_prefix text DEFAULT '') RETURNS text LANGUAGE sql
RETURN (SELECT string_agg(p_prefix || quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute a
	WHERE a.attrelid = p_table AND a.attnum > 0 AND NOT a.attisdropped
		AND has_column_privilege(p_role, p_table, a.attnum, 'INSERT'));
-- tenant 2's row, brought by tenant 1
CREATE FUNCTION pg_temp.smuggle(d door) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	row_json text;
BEGIN
	EXECUTE format('SELECT to_json(t) FROM %s t WHERE tenant_id = tap.id(2) LIMIT 1', d.name) INTO STRICT row_json;
	RETURN tap.refusal(d.role, tap.id(1), format('INSERT INTO %s (%s) SELECT %s FROM json_populate_record(NULL::%s, %L) j',
		d.name, pg_temp.columns(d.role, d.oid), pg_temp.columns(d.role, d.oid, 'j.'), d.name, row_json));
END $$;
CREATE FUNCTION pg_temp.touched(d door, p_command text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN tap.act(d.role, tap.id(1), format(p_command, d.name))::text;
EXCEPTION WHEN insufficient_privilege THEN
	RETURN '0';
END $$;

SELECT plan((SELECT 4 * count(*) + count(*) FILTER (WHERE may_insert) FROM door)::int + 13);
SELECT cmp_ok((SELECT count(*) FROM door), '>', 30::bigint, 'there is something to ask');
SELECT is(tap.ask(d.role, NULL, format('SELECT count(*) FROM %s', d.name)), '0',
	d.role || ' without a tenant sees no row of ' || d.name) FROM door d;
SELECT is(tap.ask(d.role, tap.id(1), format('SELECT DISTINCT tenant_id FROM %s', d.name)), tap.id(1)::text,
	d.role || ' sees its tenant''s rows of ' || d.name || ' and no others') FROM door d;
SELECT is(pg_temp.smuggle(d), '42501', d.role || ' cannot put another tenant''s row into ' || d.name)
FROM door d WHERE d.may_insert;
SELECT is(pg_temp.touched(d, 'UPDATE %s SET tenant_id = tenant_id WHERE tenant_id = tap.id(2)'), '0',
	d.role || ' cannot change another tenant''s rows of ' || d.name) FROM door d;
SELECT is(pg_temp.touched(d, 'DELETE FROM %s WHERE tenant_id = tap.id(2)'), '0',
	d.role || ' cannot delete another tenant''s rows of ' || d.name) FROM door d;

SELECT is(tap.refusal('catchment_web', tap.id(1), 'UPDATE collect.records SET tenant_id = tap.id(2)'), '42501',
	'a row cannot be given away');
SELECT is(tap.refusal('catchment_run', tap.id(1), 'UPDATE collect.records SET tenant_id = tap.id(2)'), '42501',
	'the runner cannot give a row away either');
SELECT is(tap.refusal('catchment_web', tap.id(1), 'SELECT * FROM collect.journal_default'), '42501',
	'a partition is not reached past its parent');
SELECT is(tap.ask('catchment_web', tap.id(1), 'SELECT id FROM identity.tenants'), tap.id(1)::text,
	'of the tenants a responder sees its own');
SELECT is(tap.refusal('catchment_web', tap.id(1), format('SELECT * FROM identity.%I', t)), '42501',
	'web reads no row of identity.' || t) FROM unnest('{users,tokens}'::text[]) t;
SELECT is(tap.refusal('catchment_web', tap.id(1), 'SELECT sealed FROM collect.secrets'), '42501',
	'web does not read sealed bytes');
SELECT is(tap.act('catchment_web', tap.id(1), $$INSERT INTO collect.secrets (owner_id, field, kid, sealed)
	VALUES (tap.id(32), 'token', 2, '\x01') ON CONFLICT (tenant_id, owner_id, field)
	DO UPDATE SET kid = excluded.kid, sealed = '\x01', version = secrets.version + 1$$), 1::bigint,
	'but writes them, also over what is there (by parameter: excluded.sealed would be read)');

-- the setting lives as long as the transaction
BEGIN;
SET LOCAL ROLE catchment_web;
SELECT tenant_id AS entered FROM identity.enter(tap.token(1), '', '', '10.0.0.1') \gset
SELECT current_setting('app.tenant_id') AS open \gset
COMMIT;
SELECT is(:'entered'::text, tap.id(1)::text, 'enter says which tenant was opened');
SELECT is(:'open'::text, tap.id(1)::text, 'the tenant is open after enter');
SELECT is(nullif(current_setting('app.tenant_id', true), ''), NULL, 'after COMMIT the tenant is closed');
SELECT is(tap.ask('catchment_web', NULL, 'SELECT count(*) FROM collect.records'), '0', 'and no row is seen');
SELECT * FROM finish();
