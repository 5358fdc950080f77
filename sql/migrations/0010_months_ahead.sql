-- `catchment migrate` calls this at every start: a year of partitions always stands ready.
SET LOCAL ROLE catchment_owner;

CREATE FUNCTION util.months_ahead() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
SET lock_timeout = '5s' AS $$ -- rather fail and be called again than hold up whoever comes behind
BEGIN
	CALL util.make_partitions('audit.entries');
	CALL util.make_partitions('collect.collector_executions', 70);
	CALL util.make_partitions('collect.journal');
	CALL util.make_partitions('collect.ledger');
END $$;
REVOKE EXECUTE ON FUNCTION util.months_ahead FROM PUBLIC;
GRANT EXECUTE ON FUNCTION util.months_ahead TO catchment_migrate;

-- Readiness compares what is applied with what the program brings. `catchment migrate` made the table
-- before there was an owner; nobody who signs in owns anything.
RESET ROLE;
ALTER SCHEMA migration OWNER TO catchment_owner;
ALTER TABLE migration.applied OWNER TO catchment_owner;
GRANT USAGE ON SCHEMA migration TO catchment_web, catchment_trial, catchment_export, catchment_run;
GRANT SELECT ON migration.applied TO catchment_web, catchment_trial, catchment_export, catchment_run;
