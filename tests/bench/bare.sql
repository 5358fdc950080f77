-- The bare programs' tables, made anew: the product's own table of records, with and without its policy.
-- Whatever becomes of that table becomes of these.
DROP SCHEMA IF EXISTS bench CASCADE;
CREATE SCHEMA bench AUTHORIZATION catchment_owner;
GRANT USAGE ON SCHEMA bench TO catchment_run;
SET ROLE catchment_owner;
CREATE TABLE bench.plain (LIKE collect.records INCLUDING ALL);
CREATE TABLE bench.records (LIKE collect.records INCLUDING ALL);
DO $$
DECLARE
	options text := (SELECT array_to_string(c.reloptions, ', ') FROM pg_class c WHERE c.oid = 'collect.records'::regclass);
BEGIN
	IF options <> '' THEN
		EXECUTE format('ALTER TABLE bench.plain SET (%s)', options);
		EXECUTE format('ALTER TABLE bench.records SET (%s)', options);
	END IF;
END $$;
CALL util.make_tenant('bench.records', 'What the bench merges into.');
GRANT SELECT, INSERT, UPDATE ON bench.plain, bench.records TO catchment_run;
RESET ROLE;
