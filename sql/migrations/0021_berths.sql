-- A runner's place under its supervisor, so that its successor there can say at once that it is dead:
-- what it held is taken back without waiting for its lease.
-- Locks: work.runner for a moment, to gain a column.
SET LOCAL ROLE catchment_owner;

ALTER TABLE work.runner ADD COLUMN berth uuid;
COMMENT ON COLUMN work.runner.berth IS 'Drawn by the supervisor for one place among its children; who starts there knows that all before it have ended.';

-- p_berth: NULL for a runner that nobody replaces. Older programs call it with three values.
DROP FUNCTION work.runner_start(uuid, text, interval);
CREATE FUNCTION work.runner_start(p_runner uuid, p_host text, p_ttl interval, p_berth uuid DEFAULT NULL) RETURNS void
LANGUAGE sql SET search_path = pg_catalog
BEGIN ATOMIC
	UPDATE work.runner r SET lease_until = '-infinity' WHERE r.berth = p_berth;
	INSERT INTO work.runner (id, host, lease_until, berth)
	VALUES (p_runner, p_host, clock_timestamp() + p_ttl, p_berth);
END;
REVOKE EXECUTE ON FUNCTION work.runner_start FROM PUBLIC;
GRANT EXECUTE ON FUNCTION work.runner_start TO catchment_run;
