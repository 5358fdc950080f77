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
	UPDATE work.runner r SET lease_until = least(r.lease_until, clock_timestamp()) WHERE r.berth = p_berth;
	INSERT INTO work.runner (id, host, lease_until, berth)
	VALUES (p_runner, p_host, clock_timestamp() + p_ttl, p_berth);
END;
REVOKE EXECUTE ON FUNCTION work.runner_start FROM PUBLIC;
GRANT EXECUTE ON FUNCTION work.runner_start TO catchment_run;

-- As before, but who loses its runner again and again without a page between waits longer each time, up to
-- half a minute or more: five losses came in two minutes while each had to wait for a lease, and would come in
-- seconds now, before whatever kills the runners is over.
CREATE OR REPLACE FUNCTION work.reap(p_max int)
RETURNS TABLE (tenant_id uuid, work_id uuid, execution_id uuid, old_token bigint, state text, code text)
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
	IF NOT pg_try_advisory_xact_lock(7220001) THEN
		RETURN;
	END IF;
	RETURN QUERY
	WITH gone AS (
		SELECT w.tenant_id, w.id, (r.id IS NULL OR r.lease_until < clock_timestamp()) AS lost
		FROM work.work w LEFT JOIN work.runner r ON r.id = w.runner_id
		WHERE w.state = 'running' AND (r.id IS NULL OR r.lease_until < clock_timestamp()
			OR w.deadline_at + interval '30 seconds' < clock_timestamp())
		ORDER BY w.tenant_id LIMIT p_max FOR UPDATE OF w SKIP LOCKED)
	UPDATE work.work w SET
		state = CASE WHEN w.execution_id IS NULL THEN 'dead' ELSE 'ready' END,
		runner_id = NULL, claimed_at = NULL, deadline_at = NULL, lease_token = w.lease_token + 1,
		crashes = least(5, w.crashes + 1), last_code = CASE WHEN gone.lost THEN 'runner_lost' ELSE 'deadline_passed' END,
		attempt = greatest(0, w.attempt - 1),
		due_at = clock_timestamp() + CASE w.crashes WHEN 0 THEN 0.1 ELSE power(3.2, least(w.crashes, 4)) * (0.5 + random() / 2) END
			* interval '1 second'
	FROM gone WHERE w.tenant_id = gone.tenant_id AND w.id = gone.id
	RETURNING w.tenant_id, w.id, w.execution_id, w.lease_token - 1, w.state, w.last_code;
	DELETE FROM work.runner r WHERE r.lease_until < clock_timestamp() - interval '1 hour';
END $$;
