-- The rules of docs/ARCHITECTURE.md about tables, roles and functions, read from the system
-- catalogue. Each rule is a branch of tap.breach; each is broken once on purpose (and undone), because
-- a check that cannot fail is worse than none.
SET search_path = tap, pg_catalog;
SET client_min_messages = warning;

CREATE VIEW tap.ours AS
SELECT c.oid, c.oid::regclass::text AS name, c.relkind, c.relowner, c.relrowsecurity, c.relforcerowsecurity,
	c.reloptions,
	substring(obj_description(c.oid, 'pg_class') FROM '^class: (tenant|shared|control|identity)\. ') AS class,
	(SELECT a.attnum FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id'
		AND NOT a.attisdropped) AS tenant_column
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname !~ '^(pg_|information_schema$|tap$)';
CREATE VIEW tap.our_table AS SELECT * FROM tap.ours WHERE relkind IN ('r', 'p');

CREATE VIEW tap.our_function AS
SELECT p.oid::regprocedure::text AS name, p.*
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname !~ '^(pg_|information_schema$|tap$)';

CREATE VIEW tap.login AS
SELECT r.* FROM pg_roles r WHERE r.rolcanlogin AND r.rolname LIKE 'catchment\_%';
-- migrate acts as the owner, backup reads all: two doors that only an operator opens
CREATE VIEW tap.everyday AS
SELECT * FROM tap.login WHERE rolname NOT IN ('catchment_migrate', 'catchment_backup');

CREATE FUNCTION tap.own_rows(tenant_column text) RETURNS text LANGUAGE sql IMMUTABLE
RETURN format('(%s = (NULLIF(current_setting(''app.tenant_id''::text, true), ''''::text))::uuid)', tenant_column);

CREATE VIEW tap.our_policy AS
SELECT t.name || ' policy ' || p.polname AS name, t.oid AS table_oid, t.class, p.polcmd, p.polpermissive,
	p.polqual::text || coalesce(p.polwithcheck::text, '') AS tree,
	pg_get_expr(p.polqual, p.polrelid) AS reads, pg_get_expr(p.polwithcheck, p.polrelid) AS writes,
	p.polroles = '{0}' AS everybody,
	ARRAY(SELECT r.rolname::text FROM pg_roles r WHERE r.oid = ANY (p.polroles) ORDER BY 1) AS roles
FROM pg_policy p JOIN tap.our_table t ON t.oid = p.polrelid;

CREATE VIEW tap.our_index AS
SELECT i.indexrelid::regclass::text AS name, i.indrelid AS table_oid, i.indisunique, i.indisprimary,
	i.indkey, i.indpred IS NOT NULL AS is_partial,
	coalesce(obj_description(i.indexrelid, 'pg_class'),
		(SELECT obj_description(h.inhparent, 'pg_class') FROM pg_inherits h WHERE h.inhrelid = i.indexrelid))
		LIKE 'exempt: %' AS is_exempt
FROM pg_index i JOIN tap.our_table t ON t.oid = i.indrelid;

-- The only columns of shared tables that may change, and by whom.
CREATE VIEW tap.may_change AS
SELECT * FROM (VALUES ('market.listing', 'catchment_web', 'name,description,publisher,data_source,category,'
	'category_folded,tags,tags_folded,auth_type,search,latest_version,offered_version,is_listed,approval,updated_at,'
	'released_at')) AS v (name, role, columns);

CREATE VIEW tap.breach AS
SELECT 'every table names its class' AS rule, t.name AS what FROM tap.our_table t WHERE t.class IS NULL
UNION ALL
SELECT 'a tenant table has tenant_id uuid NOT NULL', t.name FROM tap.our_table t
WHERE t.class = 'tenant' AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = t.oid
	AND a.attnum = t.tenant_column AND a.attnotnull AND a.atttypid = 'uuid'::regtype)
UNION ALL
SELECT 'a tenant table has a primary key', t.name FROM tap.our_table t
WHERE t.class = 'tenant' AND NOT EXISTS (SELECT FROM tap.our_index i WHERE i.table_oid = t.oid AND i.indisprimary)
UNION ALL
SELECT 'a key of a tenant table begins with tenant_id', i.name FROM tap.our_table t
JOIN tap.our_index i ON i.table_oid = t.oid
WHERE t.class = 'tenant' AND i.indisunique AND i.indkey[0] IS DISTINCT FROM t.tenant_column
UNION ALL
SELECT 'an index of a tenant table begins with tenant_id', i.name FROM tap.our_table t
JOIN tap.our_index i ON i.table_oid = t.oid
WHERE t.class = 'tenant' AND NOT i.indisunique AND NOT coalesce(i.is_exempt, false)
	AND i.indkey[0] IS DISTINCT FROM t.tenant_column
UNION ALL
SELECT 'a foreign key of a tenant table begins with tenant_id', t.name || ' ' || k.conname
FROM tap.our_table t JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype = 'f'
LEFT JOIN tap.our_table o ON o.oid = k.confrelid
WHERE t.class = 'tenant' AND o.class IS DISTINCT FROM 'shared'
	AND (k.conkey[1] IS DISTINCT FROM t.tenant_column
		OR (o.class = 'tenant' AND k.confkey[1] IS DISTINCT FROM o.tenant_column))
UNION ALL
SELECT 'an index stands behind each foreign key between tenant tables', t.name || ' ' || k.conname
FROM tap.our_table t JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype = 'f'
JOIN tap.our_table o ON o.oid = k.confrelid AND o.class = 'tenant'
WHERE t.class = 'tenant' AND NOT EXISTS (SELECT FROM tap.our_index i WHERE i.table_oid = t.oid
	AND NOT i.is_partial AND (i.indkey::int2[])[0:cardinality(k.conkey) - 1] = k.conkey)
UNION ALL
SELECT 'shared and control tables refer to no tenant table', t.name || ' ' || k.conname
FROM tap.our_table t JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype = 'f'
JOIN tap.our_table o ON o.oid = k.confrelid AND o.class = 'tenant' WHERE t.class IN ('shared', 'control')
UNION ALL
SELECT 'a control table has no foreign key', t.name || ' ' || k.conname
FROM tap.our_table t JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype = 'f' WHERE t.class = 'control'
UNION ALL
SELECT 'a control table holds ids, times and names only', t.name || '.' || a.attname
FROM tap.our_table t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE t.class = 'control' AND a.atttypid IN ('json'::regtype, 'jsonb'::regtype, 'bytea'::regtype)
UNION ALL
SELECT 'row security is enabled and forced', t.name FROM tap.our_table t
WHERE t.name <> 'migration.applied' AND NOT (t.relrowsecurity AND t.relforcerowsecurity)
UNION ALL
SELECT 'one policy of a tenant table binds everybody to the own rows, for all commands', t.name
FROM tap.our_table t WHERE t.class = 'tenant' AND NOT EXISTS (SELECT FROM tap.our_policy p
	WHERE p.table_oid = t.oid AND p.everybody AND p.polpermissive AND p.polcmd = '*'
		AND p.reads = tap.own_rows('tenant_id') AND p.writes = tap.own_rows('tenant_id'))
UNION ALL
SELECT 'no second policy opens a tenant table to a login role', p.name FROM tap.our_policy p
WHERE p.class = 'tenant' AND p.roles <> '{catchment_auth}' AND p.polpermissive AND NOT (p.everybody
	AND p.reads = tap.own_rows('tenant_id') AND p.writes = tap.own_rows('tenant_id'))
UNION ALL
SELECT 'a policy of a control table shows responders own rows only', p.name FROM tap.our_policy p
JOIN tap.our_table t ON t.oid = p.table_oid
WHERE p.class = 'control' AND p.polpermissive AND p.roles NOT IN ('{catchment_run}', '{catchment_auth}')
	AND (t.tenant_column IS NOT NULL OR t.name = 'identity.tenants') AND NOT (NOT p.everybody
	AND p.reads = tap.own_rows(CASE t.name WHEN 'identity.tenants' THEN 'id' ELSE 'tenant_id' END)
	AND p.writes = tap.own_rows(CASE t.name WHEN 'identity.tenants' THEN 'id' ELSE 'tenant_id' END))
UNION ALL
SELECT 'a policy of an identity table is for auth alone', p.name FROM tap.our_policy p
WHERE p.class = 'identity' AND p.roles <> '{catchment_auth}'
UNION ALL
SELECT 'a policy has no subquery and calls nothing but current_setting', p.name FROM tap.our_policy p
WHERE p.tree ~ '\{(SUBLINK|SUBPLAN|QUERY)' OR EXISTS (SELECT FROM regexp_matches(p.tree, ':funcid (\d+)', 'g') m
	WHERE m[1]::oid <> 'current_setting(text, boolean)'::regprocedure)
UNION ALL
SELECT 'no login role may touch an identity table', t.name || ' ' || l.rolname
FROM tap.our_table t CROSS JOIN tap.everyday l
WHERE t.class = 'identity' AND (has_table_privilege(l.oid, t.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE,'
	' REFERENCES, TRIGGER') OR has_any_column_privilege(l.oid, t.oid, 'SELECT, INSERT, UPDATE, REFERENCES'))
UNION ALL
SELECT 'a shared table is changed in its listed columns only', format('%s.%s %s', t.name, a.attname, l.rolname)
FROM tap.our_table t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 CROSS JOIN tap.everyday l
WHERE t.class = 'shared' AND has_column_privilege(l.oid, t.oid, a.attnum, 'UPDATE')
	AND NOT EXISTS (SELECT FROM tap.may_change m WHERE m.name = t.name AND m.role = l.rolname
		AND a.attname = ANY (string_to_array(m.columns, ',')))
UNION ALL
SELECT 'nothing is deleted from a shared table', t.name || ' ' || l.rolname
FROM tap.our_table t CROSS JOIN tap.everyday l
WHERE t.class = 'shared' AND has_table_privilege(l.oid, t.oid, 'DELETE')
UNION ALL
SELECT 'the policy for rows of a shared table follows its publisher', p.name FROM tap.our_policy p
WHERE p.class = 'shared' AND p.polcmd <> 'r' AND p.roles <> '{catchment_auth}' AND p.polpermissive
	AND p.writes IS DISTINCT FROM tap.own_rows('publisher_tenant')
UNION ALL
SELECT 'no login role may truncate, refer to, or put triggers on a table', t.name || ' ' || l.rolname
FROM tap.our_table t CROSS JOIN tap.everyday l
WHERE has_table_privilege(l.oid, t.oid, 'TRUNCATE, REFERENCES, TRIGGER')
UNION ALL
SELECT 'nothing is granted to everybody', c.oid::regclass::text FROM pg_class c
JOIN tap.ours t ON t.oid = c.oid, aclexplode(c.relacl) g WHERE g.grantee = 0
UNION ALL
SELECT 'a login role owns nothing', pg_describe_object(d.classid, d.objid, d.objsubid) || ' ' || l.rolname
FROM tap.login l JOIN pg_shdepend d ON d.refclassid = 'pg_authid'::regclass AND d.refobjid = l.oid
	AND d.deptype = 'o'
WHERE d.dbid IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
UNION ALL
SELECT 'a login role has no power of its own', l.rolname FROM tap.login l
WHERE l.rolsuper OR l.rolcreatedb OR l.rolcreaterole OR l.rolreplication
	OR (l.rolbypassrls AND l.rolname NOT IN ('catchment_migrate', 'catchment_backup'))
UNION ALL
SELECT 'no login role may become another role', l.rolname || ' ' || r.rolname
FROM tap.everyday l CROSS JOIN pg_roles r WHERE r.oid <> l.oid AND pg_has_role(l.oid, r.oid, 'MEMBER')
UNION ALL
SELECT 'no login role may create in a schema', n.nspname || ' ' || l.rolname
FROM pg_namespace n CROSS JOIN tap.everyday l
WHERE n.nspname !~ '^(pg_|information_schema$|tap$)' AND has_schema_privilege(l.oid, n.oid, 'CREATE')
UNION ALL
SELECT 'only the runner makes temporary tables, nobody makes schemas', l.rolname
FROM tap.everyday l WHERE has_database_privilege(l.oid, current_database(), 'CREATE')
	OR (has_database_privilege(l.oid, current_database(), 'TEMPORARY') AND l.rolname <> 'catchment_run')
UNION ALL
SELECT 'a function has a fixed search_path', f.name FROM tap.our_function f
WHERE NOT coalesce('search_path=pg_catalog' = ANY (f.proconfig), false)
	AND (f.prosecdef OR f.prosqlbody IS NULL) -- a body in the SQL standard's form was bound when it was made
UNION ALL
SELECT 'nobody runs a function without a grant', f.name FROM tap.our_function f,
	aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) g WHERE g.grantee = 0
UNION ALL
SELECT 'a SECURITY DEFINER function belongs to a role without powers', f.name FROM tap.our_function f
JOIN pg_roles r ON r.oid = f.proowner WHERE f.prosecdef AND (r.rolsuper OR r.rolbypassrls OR r.rolcanlogin)
UNION ALL
SELECT 'no function glues SQL together', f.name FROM tap.our_function f
WHERE f.prosrc ~* '\mEXECUTE\M[^;]*\|\|' OR f.prosrc ~* '\mEXECUTE\M(?!\s+format\s*\()'
	OR f.prosrc ~* '\mFOR\M\s+\w+\s+IN\s+EXECUTE\M(?!\s+format\s*\()'
UNION ALL
SELECT 'a view runs with the rights of its reader', v.name FROM tap.ours v
WHERE v.relkind = 'v' AND NOT coalesce('security_invoker=true' = ANY (v.reloptions), false)
UNION ALL
SELECT 'there is no materialised view: it would have no row security', v.name FROM tap.ours v WHERE v.relkind = 'm'
UNION ALL
SELECT 'there is no sequence: ids are UUIDv7', s.name FROM tap.ours s WHERE s.relkind = 'S'
UNION ALL
SELECT 'sealed bytes are for those who open them', l.rolname FROM tap.everyday l
WHERE l.rolname NOT IN ('catchment_trial', 'catchment_run')
	AND (has_column_privilege(l.oid, 'collect.secrets', 'sealed', 'SELECT')
		OR has_column_privilege(l.oid, 'collect.tokens', 'access_sealed', 'SELECT')
		OR has_column_privilege(l.oid, 'collect.tokens', 'refresh_sealed', 'SELECT'))
UNION ALL
SELECT 'nothing stands in schema public', t.name FROM tap.ours t
JOIN pg_class c ON c.oid = t.oid WHERE c.relnamespace = 'public'::regnamespace;

-- Does what breaks a rule, looks whether the rule sees it, undoes it.
CREATE FUNCTION tap.bites(p_rule text, p_mutant text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	found text[];
BEGIN
	BEGIN
		EXECUTE p_mutant;
		SELECT array_agg(b.what) INTO found FROM tap.breach b WHERE b.rule = p_rule;
		RAISE EXCEPTION USING ERRCODE = 'ZZ000';
	EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
		NULL;
	END;
	RETURN tap.ok(found IS NOT NULL, 'bites: ' || p_rule) || coalesce(E'\n# missed: ' ||
		CASE WHEN found IS NULL THEN p_mutant END, '');
END $$;

CREATE TEMPORARY TABLE mutant (rule text, sql text);
INSERT INTO mutant VALUES
('every table names its class', 'CREATE TABLE work.x ()'),
('every table names its class', 'COMMENT ON TABLE work.work IS ''class: tenants. many'''),
('a tenant table has tenant_id uuid NOT NULL',
	'ALTER TABLE collect.quarantine DROP CONSTRAINT quarantine_pkey; ALTER TABLE collect.quarantine ALTER tenant_id DROP NOT NULL'),
('a tenant table has tenant_id uuid NOT NULL', 'COMMENT ON TABLE work.runner IS ''class: tenant. x'''),
('a tenant table has a primary key', 'ALTER TABLE collect.quarantine DROP CONSTRAINT quarantine_pkey'),
('a key of a tenant table begins with tenant_id', 'CREATE UNIQUE INDEX x ON collect.streams (id)'),
('a key of a tenant table begins with tenant_id', 'ALTER TABLE collect.data_sources ADD UNIQUE (name, tenant_id)'),
('an index of a tenant table begins with tenant_id', 'CREATE INDEX x ON collect.records (stream_id, tenant_id)'),
('an index of a tenant table begins with tenant_id', 'CREATE INDEX x ON collect.journal ((entry::text))'),
('an index of a tenant table begins with tenant_id', 'COMMENT ON INDEX identity.members_of_user IS NULL'),
('a foreign key of a tenant table begins with tenant_id', 'ALTER TABLE collect.secrets ADD x uuid REFERENCES identity.users'),
('a foreign key of a tenant table begins with tenant_id',
	'ALTER TABLE collect.streams ADD UNIQUE (id, tenant_id); ALTER TABLE collect.secrets ADD FOREIGN KEY (tenant_id, owner_id) REFERENCES collect.streams (id, tenant_id)'),
('an index stands behind each foreign key between tenant tables', 'DROP INDEX collect.quarantine_of_stream'),
('shared and control tables refer to no tenant table',
	'ALTER TABLE market.release ADD FOREIGN KEY (publisher_tenant, collector_id) REFERENCES collect.data_collectors'),
('a control table has no foreign key', 'ALTER TABLE work.lane ADD FOREIGN KEY (tenant_id) REFERENCES identity.tenants'),
('a control table holds ids, times and names only', 'ALTER TABLE work.work ADD config json'),
('row security is enabled and forced', 'ALTER TABLE collect.secrets DISABLE ROW LEVEL SECURITY'),
('row security is enabled and forced', 'ALTER TABLE work.work NO FORCE ROW LEVEL SECURITY'),
('row security is enabled and forced',
	'CREATE TABLE collect.journal_x PARTITION OF collect.journal FOR VALUES FROM (''00000000-0000-7000-8000-000000000000'') TO (''00000000-0000-7000-8000-000000000001'')'),
('one policy of a tenant table binds everybody to the own rows, for all commands', 'DROP POLICY own_rows ON collect.records'),
('one policy of a tenant table binds everybody to the own rows, for all commands',
	'ALTER POLICY own_rows ON collect.records WITH CHECK (true)'),
('one policy of a tenant table binds everybody to the own rows, for all commands',
	'DO $x$ BEGIN EXECUTE format(''DROP POLICY own_rows ON collect.ledger_%s'', to_char(now(), ''YYYYMM'')); END $x$'),
('one policy of a tenant table binds everybody to the own rows, for all commands',
	'ALTER POLICY own_rows ON collect.secrets TO catchment_web'),
('no second policy opens a tenant table to a login role',
	'CREATE POLICY x ON collect.secrets FOR SELECT TO catchment_run USING (true)'),
('no second policy opens a tenant table to a login role', 'CREATE POLICY x ON collect.secrets USING (true)'),
('a policy of a control table shows responders own rows only', 'CREATE POLICY x ON work.work TO catchment_web USING (true)'),
('a policy of a control table shows responders own rows only', 'CREATE POLICY x ON identity.tenants FOR SELECT USING (true)'),
('a policy of an identity table is for auth alone', 'CREATE POLICY x ON identity.users TO catchment_web USING (true)'),
('a policy has no subquery and calls nothing but current_setting',
	'CREATE POLICY x ON collect.secrets AS RESTRICTIVE USING (tenant_id = util.tenant())'),
('a policy has no subquery and calls nothing but current_setting',
	'CREATE POLICY x ON collect.secrets AS RESTRICTIVE USING (EXISTS (SELECT FROM work.lane))'),
('no login role may touch an identity table', 'GRANT SELECT ON identity.users TO catchment_web'),
('no login role may touch an identity table', 'GRANT SELECT (email) ON identity.users TO catchment_run'),
('no login role may touch an identity table', 'GRANT DELETE ON identity.tokens TO PUBLIC'),
('a shared table is changed in its listed columns only', 'GRANT UPDATE (installs) ON market.listing TO catchment_web'),
('a shared table is changed in its listed columns only', 'GRANT UPDATE ON market.release TO catchment_trial'),
('nothing is deleted from a shared table', 'GRANT DELETE ON market.listing TO catchment_web'),
('the policy for rows of a shared table follows its publisher', 'ALTER POLICY publisher_inserts ON market.release WITH CHECK (true)'),
('no login role may truncate, refer to, or put triggers on a table', 'GRANT TRUNCATE ON work.lane TO catchment_run'),
('nothing is granted to everybody', 'GRANT SELECT ON market.release TO PUBLIC'),
('a login role owns nothing', 'ALTER TABLE work.lane OWNER TO catchment_run'),
('a login role owns nothing', 'CREATE SCHEMA x AUTHORIZATION catchment_migrate'),
('a login role has no power of its own', 'ALTER ROLE catchment_web BYPASSRLS'),
('a login role has no power of its own', 'ALTER ROLE catchment_backup SUPERUSER'),
('no login role may become another role', 'GRANT catchment_auth TO catchment_web'),
('no login role may create in a schema', 'GRANT CREATE ON SCHEMA util TO catchment_export'),
('no login role may create in a schema', 'GRANT CREATE ON SCHEMA public TO PUBLIC'),
('only the runner makes temporary tables, nobody makes schemas',
	'DO $x$ BEGIN EXECUTE format(''GRANT TEMPORARY ON DATABASE %I TO PUBLIC'', current_database()); END $x$'),
('a function has a fixed search_path', 'ALTER FUNCTION identity.my_role RESET ALL'),
('a function has a fixed search_path', 'CREATE FUNCTION util.x() RETURNS int LANGUAGE sql AS ''SELECT 1'''),
('nobody runs a function without a grant', 'GRANT EXECUTE ON FUNCTION identity.enter TO PUBLIC'),
('nobody runs a function without a grant', 'CREATE FUNCTION util.x() RETURNS int LANGUAGE sql RETURN 1'),
('a SECURITY DEFINER function belongs to a role without powers', 'ALTER FUNCTION identity.enter OWNER TO CURRENT_USER'),
('no function glues SQL together',
	'CREATE FUNCTION util.x(t text) RETURNS void LANGUAGE plpgsql AS ''BEGIN EXECUTE format(''''SELECT %I'''', t) || t; END'''),
('no function glues SQL together',
	'CREATE FUNCTION util.x(t text) RETURNS void LANGUAGE plpgsql AS ''BEGIN EXECUTE t; END'''),
('a view runs with the rights of its reader', 'CREATE VIEW collect.x AS SELECT * FROM collect.records'),
('there is no materialised view: it would have no row security', 'CREATE MATERIALIZED VIEW collect.x AS SELECT * FROM collect.records'),
('there is no sequence: ids are UUIDv7', 'ALTER TABLE work.lane ADD n serial'),
('sealed bytes are for those who open them', 'GRANT SELECT (sealed) ON collect.secrets TO catchment_web'),
('sealed bytes are for those who open them', 'GRANT SELECT ON collect.secrets TO catchment_export'),
('sealed bytes are for those who open them', 'GRANT SELECT (refresh_sealed) ON collect.tokens TO catchment_web'),
('nothing stands in schema public', 'CREATE TABLE public.x ()');

CREATE TEMPORARY TABLE rule AS SELECT DISTINCT m.rule FROM mutant m ORDER BY 1;

SELECT plan((SELECT count(*) FROM rule)::int + (SELECT count(*) FROM mutant)::int + 2);
SELECT is((SELECT array_agg(b.what ORDER BY b.what) FROM tap.breach b WHERE b.rule = r.rule), NULL, r.rule)
FROM rule r ORDER BY r.rule;
SELECT tap.bites(m.rule, m.sql) FROM mutant m;
SELECT set_eq($$SELECT replace(r[1], '''''', '''') FROM
		regexp_matches(pg_get_viewdef('tap.breach'), 'SELECT ''((?:[^'']|'''')+)''::text', 'g') r$$,
	'SELECT rule FROM rule', 'each rule has a mutant');
SELECT cmp_ok((SELECT count(*) FROM tap.our_table WHERE class = 'tenant'), '>=', 60::bigint,
	'the rules look at something: the tenant tables and their partitions');
SELECT * FROM finish();
