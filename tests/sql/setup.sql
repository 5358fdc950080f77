-- What every test of this folder stands on: pgTAP in a schema of its own, and two ways to act as
-- one of the house's roles. Loaded once into the database that the tests are copied from.
CREATE SCHEMA tap;
CREATE EXTENSION pgtap SCHEMA tap;
GRANT USAGE ON SCHEMA tap TO PUBLIC;

-- Runs one statement as a role, with a tenant (null: none) and a user set as identity.enter would
-- set them, and returns what it answered: rows with '; ' between them, columns with ','.
CREATE FUNCTION tap.ask(p_role text, p_tenant uuid, p_sql text, p_user uuid DEFAULT NULL) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	one record;
	answer text;
BEGIN
	PERFORM set_config('app.tenant_id', coalesce(p_tenant::text, ''), true),
		set_config('app.user_id', coalesce(p_user::text, ''), true), set_config('role', p_role, true);
	FOR one IN EXECUTE p_sql LOOP
		answer := concat_ws('; ', answer, trim(BOTH '()' FROM one::text));
	END LOOP;
	PERFORM set_config('role', 'none', true), set_config('app.tenant_id', '', true),
		set_config('app.user_id', '', true);
	RETURN coalesce(answer, '');
END $$;

-- The same for a statement that returns no row: how many rows it touched.
CREATE FUNCTION tap.act(p_role text, p_tenant uuid, p_sql text, p_user uuid DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
	n bigint;
BEGIN
	PERFORM set_config('app.tenant_id', coalesce(p_tenant::text, ''), true),
		set_config('app.user_id', coalesce(p_user::text, ''), true), set_config('role', p_role, true);
	EXECUTE p_sql;
	GET DIAGNOSTICS n = ROW_COUNT;
	PERFORM set_config('role', 'none', true), set_config('app.tenant_id', '', true),
		set_config('app.user_id', '', true);
	RETURN n;
END $$;

-- Runs a statement that must be refused, undoes what it did, and returns why: SQLSTATE and slug, or
-- 'accepted'.
CREATE FUNCTION tap.refusal(p_role text, p_tenant uuid, p_sql text, p_user uuid DEFAULT NULL) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	slug text;
	state text;
BEGIN
	PERFORM tap.act(p_role, p_tenant, p_sql, p_user);
	RAISE EXCEPTION USING ERRCODE = 'ZZ000';
EXCEPTION
	WHEN SQLSTATE 'ZZ000' THEN
		RETURN 'accepted';
	WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, slug = PG_EXCEPTION_HINT;
		RETURN CASE WHEN state LIKE 'CA%' OR state = '28000' OR slug LIKE '%\_missing'
			THEN state || ' ' || slug ELSE state END;
END $$;

-- An id that is easy to read in a test: tap.id(3) = 00000000-0000-7000-8000-000000000003.
CREATE FUNCTION tap.id(n int) RETURNS uuid LANGUAGE sql IMMUTABLE
RETURN ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid;

-- Two tenants, two users; user 1 owns tenant 1, user 2 owns tenant 2. Tokens \x01.., \x02...
CREATE FUNCTION tap.token(n int) RETURNS bytea LANGUAGE sql IMMUTABLE
RETURN sha256(int4send(n));
CREATE PROCEDURE tap.two_tenants() LANGUAGE plpgsql AS $$
BEGIN
	FOR n IN 1..2 LOOP
		PERFORM identity.sign_up(tap.id(10 + n), 'user' || n || '@example.com', 'phc', 'User ' || n,
			tap.id(n), 'Tenant ' || n);
		PERFORM identity.token_insert(tap.id(20 + n), tap.token(n), tap.id(10 + n), tap.id(n), 'api',
			'Test', 'ct_' || n, '{*}', NULL);
	END LOOP;
END $$;

-- A release by tenant 1 with pipelines p1 and p2, and installations of it: tap.id(100 + n) in tenant n.
CREATE FUNCTION tap.release_document() RETURNS json LANGUAGE sql IMMUTABLE RETURN $$
	{"collector": {"name": "Shop", "pipelines": [{"id": "p1", "name": "Products", "functionId": "products"},
	{"id": "p2", "name": "Orders", "functionId": "orders"}]}, "dataSource": {"name": "Shop API", "functions": []}}
	$$::json;
CREATE PROCEDURE tap.installations() LANGUAGE plpgsql AS $$
BEGIN
	PERFORM tap.act('catchment_web', tap.id(1), $i$
		INSERT INTO market.release (collector_id, version, ordinal, document, published_by)
		VALUES (tap.id(50), '1.0.0', 1, tap.release_document(), 'Tenant 1')$i$);
	PERFORM tap.act('catchment_web', tap.id(1), $i$
		INSERT INTO market.listing (collector_id, name, publisher, data_source, latest_version)
		VALUES (tap.id(50), 'Shop', 'Tenant 1', '{}', '1.0.0')$i$);
	FOR n IN 1..2 LOOP
		PERFORM tap.act('catchment_web', tap.id(n), format($i$
			INSERT INTO collect.collector_instances (id, collector_id, release_version, instance_name)
			VALUES (tap.id(%s), tap.id(50), '1.0.0', 'My shop')$i$, 100 + n), tap.id(10 + n));
	END LOOP;
END $$;
