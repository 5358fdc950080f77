-- The queue at its own pace. A trigger keeps the lanes' hints, whoever changes work; but a claim sees to its lanes
-- itself, and a place at a service changes nothing that a lane tells of: both say so for their statement (app.lanes),
-- which spares them the trigger's. Whoever says so without doing it leaves a hint behind that work.sweep repairs.
-- Locks: work.work for a moment, to change its trigger.
SET LOCAL ROLE catchment_owner;

DROP TRIGGER lane_after_update ON work.work;
CREATE TRIGGER lane_after_update AFTER UPDATE ON work.work
	REFERENCING OLD TABLE AS old NEW TABLE AS fresh FOR EACH STATEMENT
	WHEN (current_setting('app.lanes', true) IS DISTINCT FROM 'kept') EXECUTE FUNCTION work.lane_touch();

-- As before; and it counts itself, since a function in SQL is planned at each call.
CREATE OR REPLACE FUNCTION work.claim(p_runner uuid, p_n int, p_per_tenant int, p_max_run interval)
RETURNS TABLE (tenant_id uuid, work_id uuid, kind text, subject_id uuid, execution_id uuid,
	lease_token bigint, attempt int, crashes int)
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
	lanes uuid[];
	at timestamptz; -- a value, so that an index stops there; clock_timestamp() would be asked of each row
	minute timestamptz;
	said text;
	n int;
BEGIN
	PERFORM 1 FROM work.runner r
	WHERE r.id = p_runner AND r.lease_until > clock_timestamp() AND NOT r.draining FOR KEY SHARE;
	IF NOT FOUND THEN
		RETURN;
	END IF;
	-- 1: take the lanes
	SELECT array_agg(x.tenant_id) INTO lanes FROM (
		SELECT l.tenant_id FROM work.lane l
		WHERE NOT l.paused AND l.next_due_at <= clock_timestamp()
		ORDER BY l.served_at LIMIT greatest(1, (p_n + p_per_tenant - 1) / p_per_tenant)
		FOR NO KEY UPDATE SKIP LOCKED) x;
	IF lanes IS NULL THEN
		RETURN;
	END IF;
	at := clock_timestamp();
	said := set_config('app.lanes', 'kept', true);
	-- 2: a new snapshot sees every claim of whoever held these lanes before; count, never keep counts
	RETURN QUERY
	WITH pick AS (
		SELECT w.tenant_id, w.id FROM unnest(lanes) AS l (tenant_id)
		JOIN work.lane t ON t.tenant_id = l.tenant_id
		CROSS JOIN LATERAL (
			SELECT c.tenant_id, c.id FROM work.work c
			WHERE c.tenant_id = l.tenant_id AND c.state = 'ready' AND c.due_at <= at
			ORDER BY c.due_at
			LIMIT greatest(0, least(p_per_tenant, t.max_running - (SELECT count(*) FROM work.work r
				WHERE r.tenant_id = l.tenant_id AND r.state = 'running')::int))
			FOR UPDATE SKIP LOCKED) w
		LIMIT p_n)
	UPDATE work.work w SET state = 'running', runner_id = p_runner, lease_token = w.lease_token + 1,
		attempt = w.attempt + 1, claimed_at = clock_timestamp(), deadline_at = clock_timestamp() + p_max_run,
		service = NULL
	FROM pick WHERE w.tenant_id = pick.tenant_id AND w.id = pick.id
	RETURNING w.tenant_id, w.id, w.kind, w.subject_id, w.execution_id, w.lease_token, w.attempt, w.crashes;
	GET DIAGNOSTICS n = ROW_COUNT;
	said := set_config('app.lanes', '', true);
	-- 3: the hint for the next claimer; a full lane is out of sight until somebody leaves running
	UPDATE work.lane x SET served_at = clock_timestamp(), next_due_at = CASE
		WHEN (SELECT count(*) FROM work.work r WHERE r.tenant_id = x.tenant_id AND r.state = 'running')
			>= x.max_running THEN 'infinity'
		ELSE coalesce((SELECT min(w.due_at) FROM work.work w
			WHERE w.tenant_id = x.tenant_id AND w.state = 'ready'), 'infinity') END
	WHERE x.tenant_id = ANY (lanes);
	IF n > 0 THEN
		minute := date_trunc('minute', at);
		UPDATE work.runner r SET counted_at = minute,
			claims = n + CASE WHEN r.counted_at = minute THEN r.claims ELSE 0 END,
			claims_before = CASE WHEN r.counted_at = minute THEN r.claims_before
				WHEN r.counted_at = minute - interval '1 minute' THEN r.claims ELSE 0 END
		WHERE r.id = p_runner;
	END IF;
END $$;
DROP FUNCTION work.claims_count(uuid, int);

-- As before.
CREATE OR REPLACE FUNCTION work.service_enter(p_tenant uuid, p_work uuid, p_token bigint, p_service text, p_max int)
RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
	said text;
	entered boolean;
BEGIN
	PERFORM pg_advisory_xact_lock(hashtextextended(p_service, 13));
	IF (SELECT count(*) FROM work.work w WHERE w.service = p_service AND w.state = 'running'
		AND (w.tenant_id, w.id) <> (p_tenant, p_work)) >= p_max THEN
		RETURN false;
	END IF;
	said := set_config('app.lanes', 'kept', true);
	UPDATE work.work w SET service = p_service
	WHERE w.tenant_id = p_tenant AND w.id = p_work AND w.lease_token = p_token AND w.state = 'running';
	entered := FOUND;
	said := set_config('app.lanes', '', true);
	IF NOT entered THEN
		PERFORM util.fail(409, 'lost_lease', 'Another runner has taken this run over.');
	END IF;
	RETURN true;
END $$;
