-- What a runner that stops has just claimed, or could not end, is due again at once, and counts as no crash: nobody lost
-- it. Before, such a row waited for somebody's reap.

SET LOCAL ROLE catchment_owner;

CREATE OR REPLACE FUNCTION work.runner_stop(p_runner uuid) RETURNS void
LANGUAGE sql SET search_path = pg_catalog
BEGIN ATOMIC
	WITH held AS (
		SELECT w.tenant_id, w.id FROM work.work w WHERE w.runner_id = p_runner AND w.state = 'running'
		ORDER BY w.tenant_id, w.id FOR UPDATE)
	UPDATE work.work w SET state = CASE WHEN w.execution_id IS NULL THEN 'dead' ELSE 'ready' END,
		runner_id = NULL, claimed_at = NULL, deadline_at = NULL, lease_token = w.lease_token + 1,
		last_code = 'runner_stopping', attempt = greatest(0, w.attempt - 1), due_at = clock_timestamp()
	FROM held WHERE w.tenant_id = held.tenant_id AND w.id = held.id;
	DELETE FROM work.runner r WHERE r.id = p_runner;
END;
