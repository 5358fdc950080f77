-- As before, but whose runner is lost, or whose deadline has passed, for the first time since its last page or its last
-- release is due at once. The tenth of a second that it waited was a sixth of what a killed runner cost its runs; only
-- who loses one again has to wait for whatever kills them to be over.
-- Locks: none.
SET LOCAL ROLE catchment_owner;

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
		due_at = clock_timestamp() + CASE w.crashes WHEN 0 THEN 0 ELSE power(3.2, least(w.crashes, 4)) * (0.5 + random() / 2) END
			* interval '1 second'
	FROM gone WHERE w.tenant_id = gone.tenant_id AND w.id = gone.id
	RETURNING w.tenant_id, w.id, w.execution_id, w.lease_token - 1, w.state, w.last_code;
	DELETE FROM work.runner r WHERE r.lease_until < clock_timestamp() - interval '1 hour';
END $$;
