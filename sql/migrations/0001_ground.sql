-- What everything stands on: schemas, the four classes of tables, errors, times, ids, partitions.
-- Locks: none worth naming, all objects are new.
SET LOCAL ROLE catchment_owner;

CREATE SCHEMA util;
CREATE SCHEMA identity;
CREATE SCHEMA collect;
CREATE SCHEMA market;
CREATE SCHEMA work;
CREATE SCHEMA audit;
GRANT USAGE ON SCHEMA util, identity, collect, market, work, audit
	TO catchment_web, catchment_trial, catchment_export, catchment_run, catchment_auth;
GRANT CREATE ON SCHEMA identity, market TO catchment_auth; -- to own its functions
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

-- One way to write a time: UTC, to the second.
CREATE FUNCTION util.utc(t timestamptz) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog
RETURN to_char(t AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"');

-- UUIDv7 (RFC 9562) for rows that the database makes in sets; single ids come from the program.
CREATE FUNCTION util.uuid_v7(at timestamptz DEFAULT clock_timestamp()) RETURNS uuid
LANGUAGE sql VOLATILE PARALLEL SAFE SET search_path = pg_catalog
RETURN encode(
	set_bit(set_bit(
		overlay(uuid_send(gen_random_uuid())
			PLACING substring(int8send((extract(epoch FROM at) * 1000)::bigint) FROM 3)
			FROM 1 FOR 6),
		52, 1), 53, 1), 'hex')::uuid;

-- The least UUIDv7 of a moment: bounds of partitions.
CREATE FUNCTION util.uuid_floor(at timestamptz) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog
RETURN encode(substring(int8send((extract(epoch FROM at) * 1000)::bigint) FROM 3)
	|| '\x00000000000000000000'::bytea, 'hex')::uuid;

-- An error for the user: SQLSTATE CA<status>, the sentence, the slug as HINT, the JSON Pointer as
-- COLUMN, seconds to wait as DETAIL. lib/db/sqlstate.c reads them back.
CREATE FUNCTION util.fail(status int, slug text, sentence text, pointer text DEFAULT '',
	retry_after_s int DEFAULT 0) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
	RAISE EXCEPTION USING ERRCODE = 'CA' || status::text, MESSAGE = sentence, HINT = slug,
		COLUMN = pointer, DETAIL = retry_after_s::text;
END $$;

-- These two stand in nearly every WHERE: without a SET of their own they are inlined. Their bodies were
-- bound to pg_catalog when they were made, so no search_path reaches them.
CREATE FUNCTION util.tenant() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('app.tenant_id', true), '')::uuid;

CREATE FUNCTION util.caller() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('app.user_id', true), '')::uuid;

-- Letters and digits in lower case: how categories are compared (E-commerce = ecommerce).
CREATE FUNCTION util.fold(t text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog
RETURN lower(regexp_replace(t, '[^[:alnum:]]', '', 'g'));

-- The four classes of tables. Each call writes the class into the table's comment, where
-- tests/sql/catalogue.sql looks for it. Policies are inline, without functions, so that they stay
-- leakproof and would survive a move to another PostgreSQL that forbids subqueries in them.
CREATE PROCEDURE util.make_tenant(t regclass, purpose text)
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
	EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', t);
	EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', t);
	EXECUTE format('CREATE POLICY own_rows ON %s'
		' USING (tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid)'
		' WITH CHECK (tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid)', t);
	EXECUTE format('COMMENT ON TABLE %s IS %L', t, concat('class: tenant. ', purpose));
END $$;

CREATE PROCEDURE util.make_control(t regclass, purpose text, tenant_column text DEFAULT 'tenant_id')
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
	EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', t);
	EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', t);
	IF tenant_column <> '' THEN
		EXECUTE format('CREATE POLICY own_rows ON %s TO catchment_web, catchment_trial'
			' USING (%I = nullif(current_setting(''app.tenant_id'', true), '''')::uuid)'
			' WITH CHECK (%I = nullif(current_setting(''app.tenant_id'', true), '''')::uuid)',
			t, tenant_column, tenant_column);
	END IF;
	EXECUTE format('CREATE POLICY run_all ON %s TO catchment_run USING (true) WITH CHECK (true)', t);
	EXECUTE format('COMMENT ON TABLE %s IS %L', t, concat('class: control. ', purpose));
END $$;

CREATE PROCEDURE util.make_shared(t regclass, purpose text, publisher_column text)
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
	EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', t);
	EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', t);
	EXECUTE format('CREATE POLICY readable ON %s FOR SELECT USING (true)', t);
	EXECUTE format('CREATE POLICY publisher_inserts ON %s FOR INSERT'
		' WITH CHECK (%I = nullif(current_setting(''app.tenant_id'', true), '''')::uuid)',
		t, publisher_column);
	EXECUTE format('COMMENT ON TABLE %s IS %L', t, concat('class: shared. ', purpose));
END $$;

CREATE PROCEDURE util.make_identity(t regclass, purpose text)
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
	EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', t);
	EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', t);
	EXECUTE format('CREATE POLICY auth_only ON %s TO catchment_auth USING (true) WITH CHECK (true)', t);
	EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO catchment_auth', t);
	EXECUTE format('COMMENT ON TABLE %s IS %L', t, concat('class: identity. ', purpose));
END $$;

-- Monthly partitions of a history table, for this month, the one before and twelve ahead; a default
-- partition catches the rest, so that no insert ever fails for want of one. Each partition carries
-- the parent's row security (policies of a parent do not protect a partition that is named).
-- A month that comes late takes its rows over from the default partition, which otherwise forbids it.
-- Made apart and attached: readers and writers of the parent go on meanwhile.
CREATE PROCEDURE util.make_month(parent regclass, part text, rest text, first date, fill int)
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
	since CONSTANT uuid := util.uuid_floor(first::timestamp AT TIME ZONE 'UTC');
	until CONSTANT uuid := util.uuid_floor((first + interval '1 month') AT TIME ZONE 'UTC');
BEGIN
	EXECUTE format('CREATE TABLE %s (LIKE %s INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)'
		' WITH (fillfactor = %s)', part, parent, fill);
	IF to_regclass(rest) IS NOT NULL THEN
		EXECUTE format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY', rest); -- the owner moves every tenant's
		EXECUTE format('CREATE TABLE %s_late (LIKE %s)', part, parent);
		EXECUTE format('WITH late AS (DELETE FROM %s WHERE id >= %L AND id < %L RETURNING *)'
			' INSERT INTO %s_late SELECT * FROM late', rest, since, until, part);
		EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', rest);
	END IF;
	-- Attached empty: a foreign key is checked for all rows of a table by one query of the owner, which
	-- forced row security shows nothing; row by row it is not bound by that.
	EXECUTE format('ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (%L) TO (%L)', parent, part, since, until);
	IF to_regclass(rest) IS NOT NULL THEN
		EXECUTE format('INSERT INTO %s SELECT * FROM %s_late', part, part);
		EXECUTE format('DROP TABLE %s_late', part);
	END IF;
END $$;

CREATE PROCEDURE util.make_partitions(parent regclass, fill int DEFAULT 100)
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
	stem text;
	rest text;
	part text;
	first date;
BEGIN
	SELECT format('%I.', n.nspname), c.relname INTO stem, rest
	FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = parent;
	stem := stem || rest; -- tables of ours need no quotes
	rest := stem || '_default';
	FOR i IN -1..12 LOOP
		first := (date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => i))::date;
		part := stem || to_char(first, '_YYYYMM');
		CONTINUE WHEN to_regclass(part) IS NOT NULL;
		CALL util.make_month(parent, part, rest, first, fill);
		CALL util.make_tenant(to_regclass(part), 'One month of ' || parent::text || '.');
	END LOOP;
	IF to_regclass(rest) IS NULL THEN
		EXECUTE format('CREATE TABLE %s PARTITION OF %s DEFAULT', rest, parent);
		CALL util.make_tenant(to_regclass(rest), 'What no month of ' || parent::text || ' takes.');
	END IF;
END $$;

GRANT EXECUTE ON FUNCTION util.utc, util.uuid_v7, util.uuid_floor, util.fail, util.tenant,
	util.caller, util.fold
	TO catchment_web, catchment_trial, catchment_export, catchment_run, catchment_auth;
