-- The roles, made once per cluster by a superuser (./start does it; docs/OPERATING.md tells how
-- to do it by hand). Safe to run again. Connect to the catchment database to run it.
--
--   owner    owns every object; nobody signs in as it
--   migrate  signs in for `catchment migrate` only; BYPASSRLS, since under FORCEd policies a data
--            migration run as the owner would touch no row
--   auth     owns the functions that answer "who is this?"; the only one that reads identity tables
--   web      the responders; trial: tests and test connections; export: streams; run: the runner
--   backup   pg_dump
DO $roles$
DECLARE
	r record;
BEGIN
	FOR r IN SELECT * FROM (VALUES
		('catchment_owner',   'NOLOGIN'),
		('catchment_auth',    'NOLOGIN'),
		('catchment_migrate', 'LOGIN BYPASSRLS'),
		('catchment_web',     'LOGIN'),
		('catchment_trial',   'LOGIN'),
		('catchment_export',  'LOGIN'),
		('catchment_run',     'LOGIN'),
		('catchment_backup',  'LOGIN BYPASSRLS')) AS v(name, options)
	LOOP
		IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = r.name) THEN
			EXECUTE format('CREATE ROLE %I NOSUPERUSER NOCREATEDB NOCREATEROLE %s', r.name, r.options);
		END IF;
	END LOOP;
END $roles$;

GRANT catchment_auth TO catchment_owner;    -- so that it can hand functions over
GRANT catchment_owner TO catchment_migrate;
GRANT pg_read_all_data TO catchment_backup;
GRANT pg_monitor TO catchment_migrate;       -- for `catchment doctor`: what others do, and how long

-- A request that cannot finish must not hold a worker; a transaction that idles holds locks.
ALTER ROLE catchment_web    SET statement_timeout = '10s';
ALTER ROLE catchment_trial  SET statement_timeout = '10s';
ALTER ROLE catchment_export SET statement_timeout = '60s';
ALTER ROLE catchment_run    SET statement_timeout = '60s';
ALTER ROLE catchment_web    SET idle_in_transaction_session_timeout = '10s';
ALTER ROLE catchment_trial  SET idle_in_transaction_session_timeout = '10s';
ALTER ROLE catchment_export SET idle_in_transaction_session_timeout = '10s';
ALTER ROLE catchment_run    SET idle_in_transaction_session_timeout = '10s';
-- The runner looks everything up by its key. Plans that were made while a table was small, or with statistics from
-- before it grew, read the whole of it instead: with 100,000 rows that had just come the begin of each run took 0.2 s.
ALTER ROLE catchment_run    SET enable_seqscan = off;
ALTER ROLE catchment_run    SET jit = off; -- what such a plan seems to cost would have it compiled
-- And so it needs no statement planned for the values at hand: one plan serves a connection.
ALTER ROLE catchment_run    SET plan_cache_mode = force_generic_plan;
ALTER ROLE catchment_web    SET log_parameter_max_length_on_error = 0;
ALTER ROLE catchment_run    SET log_parameter_max_length_on_error = 0;

REVOKE ALL ON SCHEMA public FROM PUBLIC;
DO $db$
BEGIN
	EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
	EXECUTE format('GRANT CONNECT ON DATABASE %I TO catchment_web, catchment_trial, catchment_export,'
	               ' catchment_run, catchment_backup', current_database());
	EXECUTE format('GRANT CONNECT, CREATE ON DATABASE %I TO catchment_migrate, catchment_owner',
	               current_database());
	-- staging tables are the runner's alone
	EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO catchment_run', current_database());
END $db$;
