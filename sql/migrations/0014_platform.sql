-- Administering the platform itself: who may, what they see of all tenants (counts, never rows), and
-- what they decide. Each function asks who calls it, so that reaching one is not enough.
-- Locks: market.listing and work.runner for a moment, to gain columns.
SET LOCAL ROLE catchment_owner;

CREATE SCHEMA platform;
GRANT USAGE ON SCHEMA platform TO catchment_web, catchment_auth;
GRANT CREATE ON SCHEMA platform TO catchment_auth; -- to own its functions

-- What a reviewer said, and of which version: a later one is another question. And what the next
-- migration narrows the marketplace by. PostgreSQL 15.20 alters no table whose row type is used by the
-- body of a function: it goes, and the next migration makes it anew.
DROP FUNCTION market.listing_doc;
ALTER TABLE market.listing ADD COLUMN approval_reason text NOT NULL DEFAULT '',
	ADD COLUMN reviewed_version text, ADD COLUMN reviewed_at timestamptz,
	ADD COLUMN auth_type text NOT NULL DEFAULT 'None',
	ADD COLUMN released_at timestamptz NOT NULL DEFAULT clock_timestamp(); -- of the latest version
GRANT UPDATE (auth_type, released_at) ON market.listing TO catchment_web;
GRANT UPDATE (approval, approval_reason, reviewed_version, reviewed_at, updated_at) ON market.listing
	TO catchment_auth;

-- auth counts the tenants' rows; the columns granted hold nothing of theirs.
CREATE POLICY auth_counts ON collect.data_collectors FOR SELECT TO catchment_auth USING (true);
CREATE POLICY auth_counts ON collect.collector_instances FOR SELECT TO catchment_auth USING (true);
CREATE POLICY auth_counts ON collect.collector_executions FOR SELECT TO catchment_auth USING (true);
GRANT SELECT (tenant_id) ON collect.data_collectors TO catchment_auth;
GRANT SELECT (tenant_id, created_at) ON collect.collector_instances TO catchment_auth;
GRANT SELECT (id, state, duration_ms) ON collect.collector_executions TO catchment_auth;
CREATE POLICY auth_reads ON work.work FOR SELECT TO catchment_auth USING (true);
CREATE POLICY auth_reads ON work.runner FOR SELECT TO catchment_auth USING (true);
CREATE POLICY auth_all ON work.lane TO catchment_auth USING (true) WITH CHECK (true);
GRANT SELECT ON work.work, work.runner TO catchment_auth;
GRANT SELECT, INSERT, UPDATE ON work.lane TO catchment_auth;

CREATE FUNCTION platform.rank(role text) RETURNS int
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog
RETURN array_position(ARRAY['developer', 'admin', 'owner'], role);

CREATE FUNCTION platform.role_of(p_user uuid) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
RETURN (SELECT r.role FROM identity.platform_roles r WHERE r.user_id = p_user);

-- Refuses whoever has not that platform role, or a higher one. The frame asks it behind
-- identity.enter, in the same flight; every function below asks it once more.
CREATE FUNCTION platform.need(p_least text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
	IF platform.rank(platform.role_of(util.caller())) >= platform.rank(p_least) THEN
		RETURN; -- an unknown role or user has no rank, and is refused
	END IF;
	RAISE EXCEPTION USING ERRCODE = '42501', HINT = 'role_missing',
		MESSAGE = format('This needs the platform role %s; an operator gives it with catchment user role.', p_least);
END $$;

-- Into the log of the administrator's own workspace, and of the one that it concerns.
CREATE FUNCTION platform.note(p_action text, p_kind text, p_object uuid, p_tenant uuid, p_detail json)
RETURNS void
LANGUAGE sql SET search_path = pg_catalog
BEGIN ATOMIC
	INSERT INTO audit.entries (tenant_id, user_id, action, object_kind, object_id, detail, ip)
	SELECT t.id, util.caller(), p_action, p_kind, p_object, p_detail,
		CASE WHEN t.id = util.tenant() THEN nullif(current_setting('app.ip', true), '') END
	FROM (SELECT util.tenant() UNION SELECT p_tenant) AS t (id) WHERE t.id IS NOT NULL;
END;

-- Listings are shared: whoever may read one may be shown this.
CREATE FUNCTION platform.listing_doc(l market.listing) RETURNS json
LANGUAGE sql STABLE SET search_path = pg_catalog
RETURN json_build_object('id', l.collector_id, 'name', l.name, 'description', l.description,
	'publisher', l.publisher, 'publisherTenant', l.publisher_tenant, 'category', l.category, 'tags', l.tags,
	'version', l.latest_version, 'approvalStatus', l.approval, 'isListed', l.is_listed,
	'approvalReason', nullif(l.approval_reason, ''), 'reviewedVersion', l.reviewed_version,
	'reviewedAt', util.utc(l.reviewed_at), 'installs', l.installs, 'ratingCount', l.rating_count,
	'submittedAt', (SELECT util.utc(r.published_at) FROM market.release r
		WHERE r.collector_id = l.collector_id AND r.version = l.latest_version));
GRANT EXECUTE ON FUNCTION platform.listing_doc TO catchment_web;

-- A verdict on one. p_version null: whichever is the latest.
CREATE FUNCTION platform.listing_review(p_id uuid, p_verdict text, p_reason text, p_version text)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
	l record;
BEGIN
	PERFORM platform.need('admin');
	SELECT x.publisher_tenant, x.latest_version, x.approval INTO l FROM market.listing x
	WHERE x.collector_id = p_id FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	IF p_version <> l.latest_version THEN
		PERFORM util.fail(409, 'version_changed', format(
			'Version %s was published meanwhile. Look at it, then decide.', l.latest_version), '/version');
	END IF;
	UPDATE market.listing x SET approval = p_verdict, approval_reason = p_reason,
		reviewed_version = l.latest_version, reviewed_at = clock_timestamp(), updated_at = clock_timestamp()
	WHERE x.collector_id = p_id;
	PERFORM platform.note('listing.' || p_verdict, 'collector', p_id, l.publisher_tenant, json_build_object(
		'version', l.latest_version, 'from', l.approval, 'reason', p_reason));
	RETURN true;
END $$;

-- Tenants: names, counts, limits.
CREATE FUNCTION platform.tenant_doc(w identity.tenants) RETURNS json
LANGUAGE sql STABLE SET search_path = pg_catalog
RETURN json_build_object('id', w.id, 'name', w.name, 'createdAt', util.utc(w.created_at),
	'deletedAt', util.utc(w.deleted_at),
	'members', (SELECT count(*) FROM identity.members m WHERE m.tenant_id = w.id),
	'collectors', (SELECT count(*) FROM collect.data_collectors c WHERE c.tenant_id = w.id),
	'instances', (SELECT count(*) FROM collect.collector_instances i WHERE i.tenant_id = w.id),
	'listings', (SELECT count(*) FROM market.listing l WHERE l.publisher_tenant = w.id AND l.is_listed),
	'running', (SELECT count(*) FROM work.work k WHERE k.tenant_id = w.id AND k.state = 'running'),
	'waiting', (SELECT count(*) FROM work.work k WHERE k.tenant_id = w.id AND k.state = 'ready'),
	'maxRunning', coalesce((SELECT a.max_running FROM work.lane a WHERE a.tenant_id = w.id), 4),
	'isSuspended', coalesce((SELECT a.paused FROM work.lane a WHERE a.tenant_id = w.id), false));

CREATE FUNCTION platform.tenant_list(p_after uuid, p_limit bigint, p_q text, p_suspended boolean,
	OUT items json, OUT next uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
	PERFORM platform.need('developer');
	WITH page AS (
		SELECT w AS one, w.id FROM identity.tenants w
		WHERE w.deleted_at IS NULL AND (p_after IS NULL OR w.id < p_after)
			AND (p_q IS NULL OR position(lower(p_q) IN lower(w.name)) > 0 OR w.id::text = p_q)
			AND (p_suspended IS NULL OR p_suspended = coalesce(
				(SELECT a.paused FROM work.lane a WHERE a.tenant_id = w.id), false))
		ORDER BY w.id DESC LIMIT p_limit + 1),
	shown AS (SELECT * FROM page ORDER BY id DESC LIMIT p_limit)
	SELECT coalesce((SELECT json_agg(platform.tenant_doc(s.one) ORDER BY s.id DESC) FROM shown s), '[]'),
		CASE WHEN (SELECT count(*) FROM page) > p_limit THEN (SELECT s.id FROM shown s ORDER BY s.id LIMIT 1) END
	INTO items, next;
END $$;

CREATE FUNCTION platform.tenant_get(p_id uuid) RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
	PERFORM platform.need('developer');
	RETURN (SELECT platform.tenant_doc(w) FROM identity.tenants w WHERE w.id = p_id);
END $$;

-- What is null stays. A suspended tenant begins no run; one that is under way ends, or parks.
CREATE FUNCTION platform.tenant_limit(p_id uuid, p_max_running int, p_suspended boolean) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
	PERFORM platform.need('admin');
	PERFORM 1 FROM identity.tenants w WHERE w.id = p_id AND w.deleted_at IS NULL FOR KEY SHARE;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	INSERT INTO work.lane AS a (tenant_id, max_running, paused)
	VALUES (p_id, coalesce(p_max_running, 4), coalesce(p_suspended, false))
	ON CONFLICT (tenant_id) DO UPDATE SET max_running = coalesce(p_max_running, a.max_running),
		paused = coalesce(p_suspended, a.paused);
	PERFORM platform.note('tenant.limit', 'tenant', p_id, p_id, json_strip_nulls(json_build_object(
		'maxRunning', p_max_running, 'isSuspended', p_suspended)));
	RETURN true;
END $$;

-- Users.
CREATE FUNCTION platform.user_doc(u identity.users) RETURNS json
LANGUAGE sql STABLE SET search_path = pg_catalog
RETURN json_build_object('id', u.id, 'email', u.email, 'name', u.name, 'isActive', u.is_active,
	'platformRole', platform.role_of(u.id), 'createdAt', util.utc(u.created_at),
	'lastSignInAt', util.utc(u.last_sign_in_at),
	'tenants', (SELECT count(*) FROM identity.members m JOIN identity.tenants w ON w.id = m.tenant_id
		AND w.deleted_at IS NULL WHERE m.user_id = u.id));

CREATE FUNCTION platform.user_list(p_after uuid, p_limit bigint, p_q text, p_active boolean,
	OUT items json, OUT next uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
	PERFORM platform.need('admin');
	WITH page AS (
		SELECT u AS one, u.id FROM identity.users u
		WHERE (p_after IS NULL OR u.id < p_after) AND (p_active IS NULL OR u.is_active = p_active)
			AND (p_q IS NULL OR position(lower(p_q) IN u.email || ' ' || lower(u.name)) > 0)
		ORDER BY u.id DESC LIMIT p_limit + 1),
	shown AS (SELECT * FROM page ORDER BY id DESC LIMIT p_limit)
	SELECT coalesce((SELECT json_agg(platform.user_doc(s.one) ORDER BY s.id DESC) FROM shown s), '[]'),
		CASE WHEN (SELECT count(*) FROM page) > p_limit THEN (SELECT s.id FROM shown s ORDER BY s.id LIMIT 1) END
	INTO items, next;
END $$;

CREATE FUNCTION platform.user_get(p_id uuid) RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
	PERFORM platform.need('admin');
	RETURN (SELECT platform.user_doc(u) FROM identity.users u WHERE u.id = p_id);
END $$;

-- Who is let in no more has no token and no session either, at once.
CREATE FUNCTION platform.user_set_active(p_id uuid, p_active boolean) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
	was boolean;
BEGIN
	PERFORM platform.need('admin');
	SELECT u.is_active INTO was FROM identity.users u WHERE u.id = p_id FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	IF p_id = util.caller() THEN
		PERFORM util.fail(409, 'own_user', 'You cannot shut yourself out. Ask another administrator to do it.');
	END IF;
	IF coalesce(platform.rank(platform.role_of(p_id)), 0) > platform.rank(platform.role_of(util.caller())) THEN
		PERFORM util.fail(403, 'role_missing', 'This user''s platform role is above yours.');
	END IF;
	IF was = p_active THEN
		RETURN true;
	END IF;
	UPDATE identity.users u SET is_active = p_active WHERE u.id = p_id;
	IF NOT p_active THEN
		UPDATE identity.tokens k SET revoked_at = clock_timestamp() WHERE k.user_id = p_id AND k.revoked_at IS NULL;
	END IF;
	PERFORM platform.note(CASE WHEN p_active THEN 'user.activate' ELSE 'user.deactivate' END, 'user', p_id, NULL, '{}');
	RETURN true;
END $$;

-- Claims are counted where they are made, by the minute: the last whole one is the pace.
ALTER TABLE work.runner ADD COLUMN counted_at timestamptz NOT NULL DEFAULT '-infinity',
	ADD COLUMN claims int NOT NULL DEFAULT 0, ADD COLUMN claims_before int NOT NULL DEFAULT 0;

CREATE FUNCTION work.claims_count(p_runner uuid, p_n int) RETURNS void
LANGUAGE sql SET search_path = pg_catalog
BEGIN ATOMIC
	UPDATE work.runner r SET counted_at = m.at,
		claims = p_n + CASE WHEN r.counted_at = m.at THEN r.claims ELSE 0 END,
		claims_before = CASE WHEN r.counted_at = m.at THEN r.claims_before
			WHEN r.counted_at = m.at - interval '1 minute' THEN r.claims ELSE 0 END
	FROM (SELECT date_trunc('minute', clock_timestamp()) AS at) m
	WHERE r.id = p_runner;
END;
GRANT EXECUTE ON FUNCTION work.claims_count TO catchment_run;

-- Claims in three statements: with one, READ COMMITTED let 4 run against a limit of 2, since the count
-- and the lock saw different moments.
CREATE OR REPLACE FUNCTION work.claim(p_runner uuid, p_n int, p_per_tenant int, p_max_run interval)
RETURNS TABLE (tenant_id uuid, work_id uuid, kind text, subject_id uuid, execution_id uuid,
	lease_token bigint, attempt int, crashes int)
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
	lanes uuid[];
	at timestamptz; -- a value, so that an index stops there; clock_timestamp() would be asked of each row
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
	-- 3: the hint for the next claimer; a full lane is out of sight until somebody leaves running
	UPDATE work.lane x SET served_at = clock_timestamp(), next_due_at = CASE
		WHEN (SELECT count(*) FROM work.work r WHERE r.tenant_id = x.tenant_id AND r.state = 'running')
			>= x.max_running THEN 'infinity'
		ELSE coalesce((SELECT min(w.due_at) FROM work.work w
			WHERE w.tenant_id = x.tenant_id AND w.state = 'ready'), 'infinity') END
	WHERE x.tenant_id = ANY (lanes);
	IF n > 0 THEN
		PERFORM work.claims_count(p_runner, n);
	END IF;
END $$;

CREATE FUNCTION platform.claims_before(r work.runner) RETURNS int
LANGUAGE sql STABLE SET search_path = pg_catalog
RETURN CASE r.counted_at WHEN date_trunc('minute', clock_timestamp()) THEN r.claims_before
	WHEN date_trunc('minute', clock_timestamp()) - interval '1 minute' THEN r.claims ELSE 0 END;

-- The queue's health, of control tables alone.
CREATE FUNCTION platform.queue_doc() RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
	at CONSTANT timestamptz := clock_timestamp();
BEGIN
	PERFORM platform.need('developer');
	RETURN (WITH item AS (
		SELECT w.state, w.due_at, w.last_code, w.attempt, coalesce(a.paused, false) AS held,
			w.state = 'running' AND (r.id IS NULL OR r.lease_until < at) AS is_lost
		FROM work.work w LEFT JOIN work.lane a ON a.tenant_id = w.tenant_id
		LEFT JOIN work.runner r ON r.id = w.runner_id WHERE w.state <> 'idle'),
	total AS (SELECT count(*) FILTER (WHERE i.state = 'ready' AND NOT i.held AND i.due_at <= at) AS due,
			count(*) FILTER (WHERE i.state = 'ready' AND i.held) AS held,
			count(*) FILTER (WHERE i.state = 'running') AS running,
			count(*) FILTER (WHERE i.state = 'ready' AND NOT i.held AND i.due_at > at) AS waiting,
			count(*) FILTER (WHERE i.state = 'paused') AS paused, count(*) FILTER (WHERE i.state = 'dead') AS dead,
			count(*) FILTER (WHERE i.is_lost) AS lost,
			min(i.due_at) FILTER (WHERE i.state = 'ready' AND NOT i.held AND i.due_at <= at) AS oldest
		FROM item i)
	SELECT json_build_object('at', util.utc(at), 'due', t.due, 'running', t.running, 'waiting', t.waiting,
		'held', t.held, 'paused', t.paused, 'dead', t.dead, 'oldestDueAt', util.utc(t.oldest),
		'oldestDueSeconds', coalesce(floor(extract(epoch FROM at - t.oldest))::bigint, 0), 'expiredLeases', t.lost,
		'waitingFor', (SELECT coalesce(json_agg(json_build_object('code', g.code, 'count', g.n) ORDER BY g.n DESC, g.code), '[]')
			FROM (SELECT coalesce(nullif(i.last_code, ''), 'retry') AS code, count(*) AS n FROM item i
				WHERE i.state = 'ready' AND NOT i.held AND i.due_at > at GROUP BY 1) g),
		'suspendedTenants', (SELECT count(*) FROM work.lane a JOIN identity.tenants w ON w.id = a.tenant_id
			WHERE a.paused AND w.deleted_at IS NULL),
		'claimsPerMinute', (SELECT coalesce(sum(platform.claims_before(r)), 0) FROM work.runner r),
		'runners', (SELECT coalesce(json_agg(json_build_object('id', r.id, 'host', r.host,
				'startedAt', util.utc(r.started_at), 'leaseUntil', util.utc(r.lease_until),
				'state', CASE WHEN r.lease_until < at THEN 'lost' WHEN r.draining THEN 'draining' ELSE 'alive' END,
				'running', (SELECT count(*) FROM work.work w WHERE w.runner_id = r.id AND w.state = 'running'),
				'claimsPerMinute', platform.claims_before(r)) ORDER BY r.started_at DESC, r.id), '[]')
			FROM work.runner r))
	FROM total t);
END $$;

-- What one looks at first.
CREATE FUNCTION platform.overview_doc() RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
	at CONSTANT timestamptz := clock_timestamp();
BEGIN
	PERFORM platform.need('developer');
	RETURN json_build_object('at', util.utc(at), 'role', platform.role_of(util.caller()),
		'tenants', (SELECT count(*) FROM identity.tenants w WHERE w.deleted_at IS NULL),
		'suspendedTenants', (SELECT count(*) FROM work.lane a JOIN identity.tenants w ON w.id = a.tenant_id
			WHERE a.paused AND w.deleted_at IS NULL),
		'users', (SELECT count(*) FROM identity.users u WHERE u.is_active),
		'collectors', (SELECT count(*) FROM collect.data_collectors), 'instances', (SELECT count(*) FROM collect.collector_instances),
		'listings', (SELECT count(*) FROM market.listing l WHERE l.is_listed AND l.approval = 'approved'),
		'awaitingApproval', (SELECT count(*) FROM market.listing l WHERE l.approval = 'pending'),
		'due', (SELECT count(*) FROM work.work w WHERE w.state = 'ready' AND w.due_at <= at),
		'running', (SELECT count(*) FROM work.work w WHERE w.state = 'running'),
		'runners', (SELECT count(*) FROM work.runner r WHERE r.lease_until >= at));
END $$;

-- The platform's measures beside their targets. Sums over all tenants; the last seven days of runs.
CREATE FUNCTION platform.measures_doc() RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
	since CONSTANT uuid := util.uuid_floor(clock_timestamp() - interval '7 days');
BEGIN
	PERFORM platform.need('developer');
	RETURN (WITH run AS (SELECT count(*) AS n,
			count(*) FILTER (WHERE x.state IN ('success', 'partial', 'failed', 'timeout')) AS ended,
			count(*) FILTER (WHERE x.state IN ('failed', 'timeout')) AS failed,
			percentile_cont(0.95) WITHIN GROUP (ORDER BY x.duration_ms) FILTER (WHERE x.duration_ms IS NOT NULL) AS p95
		FROM collect.collector_executions x WHERE x.id >= since),
	tenant AS (SELECT count(*) AS n, count(*) FILTER (WHERE EXISTS (SELECT FROM collect.collector_instances i
			WHERE i.tenant_id = w.id AND i.created_at < w.created_at + interval '30 days')) AS began
		FROM identity.tenants w WHERE w.deleted_at IS NULL)
	SELECT json_build_object('at', util.utc(clock_timestamp()), 'measures', json_build_array(
		json_build_object('code', 'tenants_with_connector', 'unit', '%', 'target', 60, 'isGoodAbove', true,
			'value', round(100.0 * t.began / nullif(t.n, 0), 1)),
		json_build_object('code', 'executions_per_connector_week', 'unit', '', 'target', 50, 'isGoodAbove', true,
			'value', round(r.n::numeric / nullif((SELECT count(*) FROM collect.collector_instances), 0), 1)),
		json_build_object('code', 'executions_failed', 'unit', '%', 'target', 5, 'isGoodAbove', false,
			'value', round(100.0 * r.failed / nullif(r.ended, 0), 1)),
		json_build_object('code', 'execution_time_p95', 'unit', 's', 'target', 10, 'isGoodAbove', false,
			'value', round((r.p95 / 1000)::numeric, 1))))
	FROM run r, tenant t);
END $$;

-- A collector as every answer shows it, with what a reviewer said of it.
CREATE OR REPLACE FUNCTION collect.collector_doc(c collect.data_collectors) RETURNS json
LANGUAGE sql STABLE SET search_path = pg_catalog
RETURN (SELECT json_build_object('id', c.id, 'tenantId', c.tenant_id, 'name', c.name,
		'description', c.description, 'dataSourceId', c.data_source_id, 'dataSourceName', d.name,
		'stage', c.stage, 'approvalStatus', coalesce(l.approval, c.approval_status),
		'approvalReason', CASE WHEN l.approval = 'rejected' THEN nullif(l.approval_reason, '') END,
		'creatorConfig', collect.config_doc(c.id, c.creator_config), 'pipelines', c.pipelines,
		'isPublished', c.is_published, 'isListed', coalesce(l.is_listed, false),
		'publishedAt', util.utc(c.published_at), 'publishedBy', c.published_by,
		'releaseVersion', c.release_version,
		'marketplaceUrl', CASE WHEN c.is_published THEN '/marketplace/collectors/' || c.id END,
		'isActive', c.is_active, 'version', c.version, 'createdBy', collect.author(c.created_by),
		'createdAt', util.utc(c.created_at), 'updatedAt', util.utc(c.updated_at))
	FROM collect.data_sources d LEFT JOIN market.listing l ON l.collector_id = c.id
	WHERE d.tenant_id = c.tenant_id AND d.id = c.data_source_id);

-- What publishing now would freeze.
CREATE FUNCTION collect.draft_document(c collect.data_collectors, d collect.data_sources) RETURNS json
LANGUAGE sql STABLE SET search_path = pg_catalog
RETURN json_build_object('collector', json_build_object('id', c.id, 'name', c.name,
		'description', c.description, 'pipelines', c.pipelines),
	'dataSource', collect.data_source_definition(d));
GRANT EXECUTE ON FUNCTION collect.draft_document TO catchment_web;

-- Why a run that was asked for has not begun; since now a lane may be closed from outside.
CREATE OR REPLACE FUNCTION collect.queue_doc(p_tenant uuid) RETURNS json
LANGUAGE sql STABLE
RETURN (SELECT CASE WHEN q.held
	THEN json_build_object('code', 'workspace_suspended', 'message',
		'The platform''s administrators have suspended this workspace; nothing begins until they lift it.',
		'until', NULL)
	WHEN q.running >= q.most
	THEN json_build_object('code', 'workspace_limit', 'message', format(
		'%s runs of this workspace are under way, and it may have %s at once; this one follows.',
		q.running, q.most), 'until', NULL)
	ELSE json_build_object('code', 'queued', 'message', 'It begins as soon as a runner takes it.',
		'until', NULL) END
	FROM (SELECT (SELECT count(*) FROM work.work w WHERE w.tenant_id = p_tenant AND w.state = 'running') AS running,
		coalesce((SELECT l.max_running FROM work.lane l WHERE l.tenant_id = p_tenant), 4) AS most,
		coalesce((SELECT l.paused FROM work.lane l WHERE l.tenant_id = p_tenant), false) AS held) q);

CREATE OR REPLACE FUNCTION identity.user_doc(p_user uuid) RETURNS json
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
RETURN (SELECT json_build_object('id', u.id, 'email', u.email, 'name', u.name,
	'createdAt', util.utc(u.created_at), 'lastSignInAt', util.utc(u.last_sign_in_at),
	'platformRole', platform.role_of(u.id))
	FROM identity.users u WHERE u.id = p_user);

GRANT EXECUTE ON FUNCTION platform.rank, platform.note, platform.tenant_doc, platform.user_doc,
	platform.claims_before TO catchment_auth;
DO $own$
DECLARE
	f regprocedure;
BEGIN
	FOR f IN SELECT p.oid::regprocedure FROM pg_proc p
		WHERE p.pronamespace = 'platform'::regnamespace AND p.prosecdef
	LOOP
		EXECUTE format('ALTER FUNCTION %s OWNER TO catchment_auth', f);
		EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', f);
	END LOOP;
END $own$;
RESET ROLE;
SET LOCAL ROLE catchment_auth;
GRANT EXECUTE ON FUNCTION platform.need, platform.listing_review, platform.tenant_list, platform.tenant_get,
	platform.tenant_limit, platform.user_list, platform.user_get, platform.user_set_active,
	platform.queue_doc, platform.overview_doc, platform.measures_doc TO catchment_web;
RESET ROLE;
SET LOCAL ROLE catchment_owner;
