-- The queue. One row per subject, not per run, so a second live run of a subject cannot be written.
-- Two clocks: a lease per runner (cheap to keep), a deadline per run. The fencing token grows at each
-- claim and reap; every write of a run carries it. Control tables hold ids and times only and have no
-- foreign keys, so that they can live apart from the tenants' data one day.
SET LOCAL ROLE catchment_owner;

CREATE TABLE work.lane (
	tenant_id   uuid PRIMARY KEY,
	served_at   timestamptz NOT NULL DEFAULT '-infinity',
	next_due_at timestamptz NOT NULL DEFAULT 'infinity', -- a hint; infinity when full or idle
	max_running int NOT NULL DEFAULT 4 CHECK (max_running BETWEEN 0 AND 1000),
	paused      boolean NOT NULL DEFAULT false
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);
CALL util.make_control('work.lane', 'One row per tenant with work: fairness and the claim lock.');
CREATE INDEX lane_pick ON work.lane (served_at) INCLUDE (next_due_at) WHERE NOT paused;
GRANT SELECT, INSERT, UPDATE ON work.lane TO catchment_web, catchment_trial, catchment_run;

CREATE TABLE work.runner (
	id          uuid PRIMARY KEY,
	host        text NOT NULL,
	started_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
	lease_until timestamptz NOT NULL,
	draining    boolean NOT NULL DEFAULT false
) WITH (fillfactor = 50);
CALL util.make_control('work.runner', 'One row per living runner: its lease.', '');
GRANT SELECT, INSERT, UPDATE, DELETE ON work.runner TO catchment_run;

CREATE TABLE work.work (
	tenant_id    uuid NOT NULL,
	id           uuid NOT NULL,
	kind         text NOT NULL CHECK (kind IN ('pipeline', 'backfill', 'script', 'call', 'care')),
	subject_id   uuid NOT NULL,
	execution_id uuid,
	state        text NOT NULL DEFAULT 'idle' CHECK (state IN ('idle', 'ready', 'running', 'paused', 'dead')),
	due_at       timestamptz NOT NULL DEFAULT 'infinity',
	lease_token  bigint NOT NULL DEFAULT 0,
	runner_id    uuid,
	claimed_at   timestamptz,
	deadline_at  timestamptz,
	attempt      int NOT NULL DEFAULT 0,
	max_attempts int NOT NULL DEFAULT 12,
	crashes      int NOT NULL DEFAULT 0, -- in a row without a commit between them
	crash_seq    bigint,                 -- where the run stood when it went on after the last one
	last_code    text,
	service      text,                   -- whom the run talks to, once it has entered there
	cancel_requested boolean NOT NULL DEFAULT false, -- for the runner that holds it: it sees no tenant's rows
	PRIMARY KEY (tenant_id, id),
	UNIQUE (tenant_id, kind, subject_id),
	CHECK ((state = 'running') = (runner_id IS NOT NULL)),
	CHECK (crashes <= 5)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500,
	autovacuum_vacuum_cost_delay = 0);
CALL util.make_control('work.work', 'One row per subject: when it is due, who runs it, under which token.');
CREATE INDEX work_ready ON work.work (tenant_id, due_at) WHERE state = 'ready';
CREATE INDEX work_running ON work.work (tenant_id) WHERE state = 'running';
CREATE INDEX work_by_service ON work.work (service) WHERE state = 'running' AND service IS NOT NULL;
CREATE INDEX work_by_runner ON work.work (runner_id) WHERE state = 'running';
GRANT SELECT, INSERT, UPDATE, DELETE ON work.work TO catchment_web;
GRANT SELECT, INSERT, UPDATE ON work.work TO catchment_trial, catchment_run;

CREATE TABLE work.bucket (
	tenant_id     uuid NOT NULL, -- nil: the service's host, over all tenants
	service       text NOT NULL, -- host[:port]
	rate          double precision NOT NULL CHECK (rate > 0),  -- per second, as it stands now
	full_rate     double precision NOT NULL CHECK (full_rate > 0),
	burst         double precision NOT NULL CHECK (burst >= 1),
	tokens        double precision NOT NULL,
	refilled_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
	throttled_at  timestamptz,
	blocked_until timestamptz NOT NULL DEFAULT '-infinity',
	PRIMARY KEY (tenant_id, service)
) WITH (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);
CALL util.make_control('work.bucket', 'Token buckets that all runners share.');
GRANT SELECT ON work.bucket TO catchment_web;
GRANT SELECT, INSERT, UPDATE ON work.bucket TO catchment_run, catchment_trial;

CREATE TABLE work.seal_key (
	kid         bigint PRIMARY KEY,
	check_value text NOT NULL,
	created_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
CALL util.make_control('work.seal_key', 'Check values of sealing keys: a wrong key file refuses to start.', '');
CREATE POLICY check_all ON work.seal_key TO catchment_web, catchment_trial USING (true) WITH CHECK (true);
GRANT SELECT, INSERT ON work.seal_key TO catchment_run, catchment_trial, catchment_web;

-- Lane hints: one upsert per tenant and statement, in tenant order; row by row, parallel reaps
-- deadlock. Ready work pulls the hint forward; whoever leaves running frees a place, so the lane must
-- be looked at again.
CREATE FUNCTION work.lane_touch() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
	IF TG_OP = 'INSERT' THEN
		INSERT INTO work.lane AS l (tenant_id, next_due_at)
		SELECT n.tenant_id, min(n.due_at) FROM fresh n WHERE n.state = 'ready'
		GROUP BY n.tenant_id ORDER BY n.tenant_id
		ON CONFLICT (tenant_id) DO UPDATE SET next_due_at = excluded.next_due_at
		WHERE l.next_due_at > excluded.next_due_at;
	ELSE
		INSERT INTO work.lane AS l (tenant_id, next_due_at)
		SELECT c.tenant_id, min(c.due_at) FROM (
			SELECT n.tenant_id, n.due_at FROM fresh n JOIN old o USING (tenant_id, id)
			WHERE n.state = 'ready' AND (o.state <> 'ready' OR n.due_at < o.due_at)
			UNION ALL
			SELECT o.tenant_id, clock_timestamp() FROM fresh n JOIN old o USING (tenant_id, id)
			WHERE o.state = 'running' AND n.state <> 'running') c
		GROUP BY c.tenant_id ORDER BY c.tenant_id
		ON CONFLICT (tenant_id) DO UPDATE SET next_due_at = excluded.next_due_at
		WHERE l.next_due_at > excluded.next_due_at;
	END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER lane_after_insert AFTER INSERT ON work.work
	REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION work.lane_touch();
CREATE TRIGGER lane_after_update AFTER UPDATE ON work.work
	REFERENCING OLD TABLE AS old NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION work.lane_touch();

CREATE FUNCTION work.lane_limit_touch() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
	NEW.next_due_at := least(NEW.next_due_at, clock_timestamp());
	RETURN NEW;
END $$;
CREATE TRIGGER lane_limit BEFORE UPDATE OF max_running, paused ON work.lane
	FOR EACH ROW EXECUTE FUNCTION work.lane_limit_touch();

-- The runner's lease. A beat extends only what has not expired; refused means: drop everything and
-- come back under a new id.
CREATE FUNCTION work.runner_start(p_runner uuid, p_host text, p_ttl interval) RETURNS void
LANGUAGE sql SET search_path = pg_catalog
BEGIN ATOMIC
	INSERT INTO work.runner (id, host, lease_until) VALUES (p_runner, p_host, clock_timestamp() + p_ttl);
END;

CREATE FUNCTION work.runner_beat(p_runner uuid, p_ttl interval, p_draining boolean) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
	UPDATE work.runner r SET lease_until = clock_timestamp() + p_ttl, draining = p_draining
	WHERE r.id = p_runner AND r.lease_until > clock_timestamp();
	RETURN FOUND;
END $$;

-- Claims in three statements: with one, READ COMMITTED let 4 run against a limit of 2, since the count
-- and the lock saw different moments.
CREATE FUNCTION work.claim(p_runner uuid, p_n int, p_per_tenant int, p_max_run interval)
RETURNS TABLE (tenant_id uuid, work_id uuid, kind text, subject_id uuid, execution_id uuid,
	lease_token bigint, attempt int, crashes int)
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
	lanes uuid[];
	at timestamptz; -- a value, so that an index stops there; clock_timestamp() would be asked of each row
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
	-- 3: the hint for the next claimer; a full lane is out of sight until somebody leaves running
	UPDATE work.lane x SET served_at = clock_timestamp(), next_due_at = CASE
		WHEN (SELECT count(*) FROM work.work r WHERE r.tenant_id = x.tenant_id AND r.state = 'running')
			>= x.max_running THEN 'infinity'
		ELSE coalesce((SELECT min(w.due_at) FROM work.work w
			WHERE w.tenant_id = x.tenant_id AND w.state = 'ready'), 'infinity') END
	WHERE x.tenant_id = ANY (lanes);
END $$;

-- Opens the tenant of a claimed run for this transaction: the one place that sets the tenant for the
-- runner. The row lock keeps reap and release away until the transaction ends.
CREATE FUNCTION work.enter(p_tenant uuid, p_work uuid, p_token bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
	PERFORM 1 FROM work.work w
	WHERE w.tenant_id = p_tenant AND w.id = p_work AND w.lease_token = p_token AND w.state = 'running'
	FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		PERFORM util.fail(409, 'lost_lease', 'Another runner has taken this run over.');
	END IF;
	PERFORM set_config('app.tenant_id', p_tenant::text, true), set_config('app.user_id', '', true);
END $$;

-- Leaves running. Outcomes:
--   done    nothing to do until asked again; attempts and crashes forgotten
--   park    wait until p_delay has passed (rate limits, draining): the attempt is given back
--   retry   failed, worth another attempt after backoff: full jitter, random * min(6 h, 5 s * 2^attempt);
--           with attempts used up: dead
--   again   like retry, but pages were committed since the claim: attempts begin anew
--   paused  the tenant must act first;  dead  the collector must change
-- A run that was asked to stop does not wait: it is due at once, and whoever claims it ends it.
-- Returns the state it left, and when it is due again.
CREATE FUNCTION work.release(p_tenant uuid, p_work uuid, p_token bigint, p_outcome text, p_delay interval,
	p_code text, OUT state text, OUT due_at timestamptz)
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
	IF coalesce(p_outcome, '') NOT IN ('done', 'park', 'retry', 'again', 'paused', 'dead') THEN
		RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('work.release knows no outcome %L', p_outcome);
	END IF;
	UPDATE work.work w SET runner_id = NULL, claimed_at = NULL, deadline_at = NULL, last_code = p_code,
		state = CASE
			WHEN p_outcome = 'done' THEN 'idle'
			WHEN p_outcome IN ('park', 'again') THEN 'ready'
			WHEN p_outcome = 'retry' AND w.attempt < w.max_attempts THEN 'ready'
			WHEN p_outcome = 'paused' THEN 'paused'
			ELSE 'dead' END,
		due_at = CASE
			WHEN p_outcome IN ('park', 'retry', 'again') AND w.cancel_requested THEN clock_timestamp()
			WHEN p_outcome = 'park' THEN clock_timestamp() + coalesce(p_delay, '0')
			WHEN p_outcome = 'retry' AND w.attempt < w.max_attempts THEN clock_timestamp() + random()
				* least(interval '6 hours', interval '5 seconds' * power(2, least(w.attempt, 20)))
			WHEN p_outcome = 'again' THEN clock_timestamp() + random() * interval '10 seconds'
			ELSE 'infinity' END,
		attempt = CASE WHEN p_outcome IN ('done', 'paused') THEN 0 WHEN p_outcome = 'again' THEN 1
			WHEN p_outcome = 'park' THEN greatest(0, w.attempt - 1) ELSE w.attempt END,
		crashes = CASE WHEN p_outcome = 'retry' THEN w.crashes ELSE 0 END, cancel_requested = false
	WHERE w.tenant_id = p_tenant AND w.id = p_work AND w.lease_token = p_token AND w.state = 'running'
	RETURNING w.state, w.due_at INTO release.state, release.due_at;
	IF NOT FOUND THEN
		PERFORM util.fail(409, 'lost_lease', 'Another runner has taken this run over.');
	END IF;
END $$;

-- A run goes on after a crash. Crashes count while it gets nowhere: five in a row are poison, but a long
-- run may meet any number of them.
CREATE FUNCTION work.crash_mark(p_tenant uuid, p_work uuid, p_token bigint, p_seq bigint) RETURNS void
LANGUAGE sql SET search_path = pg_catalog
BEGIN ATOMIC
	UPDATE work.work w SET crash_seq = p_seq,
		crashes = CASE WHEN w.crash_seq IS DISTINCT FROM p_seq THEN 1 ELSE w.crashes END
	WHERE w.tenant_id = p_tenant AND w.id = p_work AND w.lease_token = p_token AND w.crashes > 0;
END;

-- Takes runs back from runners that died and from runs past their deadline. One reaper at a time; rows
-- in the middle of a page commit are locked and therefore spared. Returns what was taken. After the
-- fifth crash the run is still handed out once more: whoever claims it only writes its end
-- (runner_lost), since a claim is the one door to a tenant's rows.
CREATE FUNCTION work.reap(p_max int)
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
		due_at = clock_timestamp() + (0.1 + random() * 2.9 * least(1, w.crashes / 3.0)) * interval '1 second'
	FROM gone WHERE w.tenant_id = gone.tenant_id AND w.id = gone.id
	RETURNING w.tenant_id, w.id, w.execution_id, w.lease_token - 1, w.state, w.last_code;
	DELETE FROM work.runner r WHERE r.lease_until < clock_timestamp() - interval '1 hour';
END $$;

-- Gives back what this runner holds in the table, but not in its memory: a claim whose answer was
-- lost, a release that failed. Young claims are spared, their answer may be on its way.
CREATE FUNCTION work.abandon(p_runner uuid, p_held uuid[])
RETURNS TABLE (tenant_id uuid, work_id uuid, execution_id uuid, old_token bigint)
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
	RETURN QUERY
	WITH stray AS (
		SELECT w.tenant_id, w.id FROM work.work w
		WHERE w.runner_id = p_runner AND w.state = 'running' AND w.id <> ALL (p_held)
			AND w.claimed_at < clock_timestamp() - interval '20 seconds'
		ORDER BY w.tenant_id LIMIT 100 FOR UPDATE SKIP LOCKED)
	UPDATE work.work w SET state = CASE WHEN w.execution_id IS NULL THEN 'dead' ELSE 'ready' END,
		runner_id = NULL, claimed_at = NULL, deadline_at = NULL, lease_token = w.lease_token + 1,
		crashes = least(5, w.crashes + 1), last_code = 'runner_lost',
		attempt = greatest(0, w.attempt - 1), due_at = clock_timestamp()
	FROM stray WHERE w.tenant_id = stray.tenant_id AND w.id = stray.id
	RETURNING w.tenant_id, w.id, w.execution_id, w.lease_token - 1;
END $$;

-- The end of a runner, or of its id: what it still holds is anybody's at once.
CREATE FUNCTION work.runner_stop(p_runner uuid) RETURNS void
LANGUAGE sql SET search_path = pg_catalog
BEGIN ATOMIC
	DELETE FROM work.runner r WHERE r.id = p_runner;
END;

-- Wakes the runners: empty, since ids travel in the tables, and in a transaction of its own, since a
-- NOTIFY holds a lock of the whole server until its commit has reached the disk (measured: 480 to
-- 680 commits a second with it inside the request's transaction, 3,500 without). Losing one costs a
-- runner's next look, at most two seconds.
CREATE FUNCTION work.wake(p_channel text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
	PERFORM set_config('synchronous_commit', 'off', true), pg_notify(p_channel, '');
END $$;

-- Hints are only hints: this repairs whatever a lost race left behind. It never waits for a lane, or it
-- and a reap would wait for each other; a lane that is locked is being looked after.
CREATE FUNCTION work.sweep() RETURNS void
LANGUAGE sql SET search_path = pg_catalog
BEGIN ATOMIC
	INSERT INTO work.lane (tenant_id)
	SELECT DISTINCT w.tenant_id FROM work.work w WHERE w.state = 'ready'
		AND NOT EXISTS (SELECT FROM work.lane l WHERE l.tenant_id = w.tenant_id)
	ORDER BY w.tenant_id ON CONFLICT DO NOTHING;
	WITH late AS (
		SELECT l.tenant_id, d.due_at FROM work.lane l
		JOIN (SELECT w.tenant_id, min(w.due_at) AS due_at FROM work.work w WHERE w.state = 'ready'
			GROUP BY w.tenant_id) d ON d.tenant_id = l.tenant_id
		WHERE d.due_at < l.next_due_at
			AND (SELECT count(*) FROM work.work r WHERE r.tenant_id = l.tenant_id AND r.state = 'running')
				< l.max_running
		FOR NO KEY UPDATE OF l SKIP LOCKED)
	UPDATE work.lane l SET next_due_at = late.due_at FROM late WHERE late.tenant_id = l.tenant_id;
END;

-- A tenant that is deleted runs nothing any more: its lane closes, what runs is asked to stop.
CREATE FUNCTION work.tenant_stop() RETURNS void
LANGUAGE sql SET search_path = pg_catalog
BEGIN ATOMIC
	UPDATE work.work w SET cancel_requested = true
	WHERE w.tenant_id = util.tenant() AND w.state = 'running' AND NOT w.cancel_requested;
	INSERT INTO work.lane (tenant_id, paused) VALUES (util.tenant(), true)
	ON CONFLICT (tenant_id) DO UPDATE SET paused = true;
END;

-- Takes n tokens: 0 = granted, else seconds to wait. A runner asks for up to one second's worth and
-- never while it holds another lock. The clock is read after the row lock. Who asks for more than the
-- burst gets it from a full bucket, and the next ones wait for the debt.
CREATE FUNCTION work.take(p_tenant uuid, p_service text, p_n double precision, p_rate double precision,
	p_burst double precision) RETURNS double precision
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
	b work.bucket;
	at timestamptz;
	have double precision;
	pace double precision;
BEGIN
	SELECT * INTO b FROM work.bucket k WHERE k.tenant_id = p_tenant AND k.service = p_service FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		INSERT INTO work.bucket (tenant_id, service, rate, full_rate, burst, tokens)
		VALUES (p_tenant, p_service, p_rate, p_rate, p_burst, p_burst) ON CONFLICT DO NOTHING;
		SELECT * INTO b FROM work.bucket k WHERE k.tenant_id = p_tenant AND k.service = p_service FOR NO KEY UPDATE;
	END IF;
	at := clock_timestamp();
	IF b.blocked_until > at THEN
		RETURN extract(epoch FROM b.blocked_until - at);
	END IF;
	-- after a throttle the pace recovers by 5 % of the full rate a minute; the strictest limit wins
	pace := CASE WHEN b.throttled_at IS NULL THEN p_rate ELSE least(p_rate, b.rate + 0.05 * b.full_rate
		* greatest(0, extract(epoch FROM at - b.throttled_at) / 60)) END;
	have := least(p_burst, b.tokens + pace * greatest(0, extract(epoch FROM at - b.refilled_at)));
	IF have >= least(p_n, p_burst) THEN
		UPDATE work.bucket k SET tokens = have - p_n, refilled_at = at, full_rate = p_rate, burst = p_burst,
			rate = pace, throttled_at = CASE WHEN pace >= p_rate THEN NULL ELSE at END
		WHERE k.tenant_id = p_tenant AND k.service = p_service;
		RETURN 0;
	END IF;
	RETURN (least(p_n, p_burst) - have) / pace;
END $$;

-- The strictest of two buckets: the service for this tenant, and the service's host over all tenants
-- (p_host_rate a second; 0: no such limit). Always locked in this order. What the host granted goes
-- back when the tenant's own bucket says wait.
CREATE FUNCTION work.take_both(p_tenant uuid, p_service text, p_n double precision, p_rate double precision,
	p_burst double precision, p_host_rate double precision) RETURNS double precision
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
	everybody CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
	wait_s double precision;
BEGIN
	IF p_host_rate <= 0 THEN
		RETURN work.take(p_tenant, p_service, p_n, p_rate, p_burst);
	END IF;
	wait_s := work.take(everybody, p_service, p_n, p_host_rate, greatest(p_host_rate, 1));
	IF wait_s > 0 THEN
		RETURN wait_s;
	END IF;
	wait_s := work.take(p_tenant, p_service, p_n, p_rate, p_burst);
	IF wait_s > 0 THEN
		UPDATE work.bucket k SET tokens = least(k.burst, k.tokens + p_n)
		WHERE k.tenant_id = everybody AND k.service = p_service;
	END IF;
	RETURN wait_s;
END $$;

-- A place among the runs that talk to a service at once, over all tenants and runners; the run is a
-- claimed one. False: full, park and come back. The lock makes two that come together count each other.
CREATE FUNCTION work.service_enter(p_tenant uuid, p_work uuid, p_token bigint, p_service text, p_max int)
RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
	PERFORM pg_advisory_xact_lock(hashtextextended(p_service, 13));
	IF (SELECT count(*) FROM work.work w WHERE w.service = p_service AND w.state = 'running'
		AND (w.tenant_id, w.id) <> (p_tenant, p_work)) >= p_max THEN
		RETURN false;
	END IF;
	UPDATE work.work w SET service = p_service
	WHERE w.tenant_id = p_tenant AND w.id = p_work AND w.lease_token = p_token AND w.state = 'running';
	IF NOT FOUND THEN
		PERFORM util.fail(409, 'lost_lease', 'Another runner has taken this run over.');
	END IF;
	RETURN true;
END $$;

-- A 429 from anyone stops everyone on that service until it is over; then one request goes first, and
-- the pace is lower. Requests that were on their way together are refused together: they lower it once.
CREATE FUNCTION work.throttle(p_tenant uuid, p_service text, p_seconds double precision,
	p_rate double precision, p_burst double precision) RETURNS void
LANGUAGE sql SET search_path = pg_catalog
BEGIN ATOMIC
	INSERT INTO work.bucket AS k (tenant_id, service, rate, full_rate, burst, tokens, refilled_at, throttled_at,
		blocked_until)
	SELECT p_tenant, p_service, greatest(p_rate * 0.7, 0.01), p_rate, p_burst, 1, u.at, u.at, u.at
	FROM (SELECT clock_timestamp() + least(greatest(p_seconds, 1), 86400) * interval '1 second' AS at) u
	ON CONFLICT (tenant_id, service) DO UPDATE SET
		rate = CASE WHEN k.blocked_until > clock_timestamp() THEN k.rate
			ELSE greatest(least(k.rate, excluded.full_rate) * 0.7, 0.01) END,
		blocked_until = greatest(k.blocked_until, excluded.blocked_until), tokens = 1,
		refilled_at = greatest(k.blocked_until, excluded.blocked_until),
		throttled_at = greatest(k.blocked_until, excluded.blocked_until);
END;

GRANT EXECUTE ON FUNCTION work.runner_start, work.runner_beat, work.runner_stop, work.claim, work.enter,
	work.release, work.crash_mark, work.reap, work.abandon, work.sweep, work.take,
	work.take_both, work.throttle, work.service_enter TO catchment_run;
GRANT EXECUTE ON FUNCTION work.take, work.throttle TO catchment_trial;
GRANT EXECUTE ON FUNCTION work.wake TO catchment_web, catchment_trial;
GRANT EXECUTE ON FUNCTION work.tenant_stop TO catchment_web;
GRANT EXECUTE ON FUNCTION work.lane_touch, work.lane_limit_touch
	TO catchment_web, catchment_trial, catchment_run;
