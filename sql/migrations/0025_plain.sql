-- What is said of runs, ratings and accounts is what happened: partial runs are counted by themselves, too, and
-- a stream was collected when something was; a rating of one's own or of what is not listed, a workspace that
-- may run nothing and a deactivated account each have their own sentence; a switch of workspaces is no sign-in;
-- scopes of the platform go to those who have a role there.
-- Locks: collect.collector_instances for a moment, to gain a column, and its rows that have partial runs.
SET LOCAL ROLE catchment_owner;

-- PostgreSQL 15.20 alters no table whose row type is used by the body of a function: it goes, and comes anew below.
DROP FUNCTION collect.instance_doc;
ALTER TABLE collect.collector_instances ADD COLUMN partial_executions bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN collect.collector_instances.partial_executions IS 'Of the successful ones: something was set aside.';
GRANT UPDATE (partial_executions) ON collect.collector_instances TO catchment_run;

-- As before, and it counts the partial ones; a stream was collected only when a run kept something, or ended
-- well without.
CREATE OR REPLACE FUNCTION collect.run_end(p_subject uuid, p_execution uuid, p_stream uuid, p_token bigint, p_seq bigint,
	p_state text, p_code text, p_message text, p_stop text, p_cursor text, p_mark_vanished boolean,
	p_counts json) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
	vanished bigint := 0;
	final text := p_state;
BEGIN
	-- the database itself may have set records aside, also before the run was last parked
	IF p_state = 'success' AND EXISTS (SELECT FROM collect.collector_executions x
		WHERE x.tenant_id = util.tenant() AND x.id = p_execution AND x.records_quarantined > 0) THEN
		final := 'partial';
	END IF;
	UPDATE collect.progress g SET seq = g.seq + 1, fence = p_token, state = '', execution_id = NULL,
		cursor_value = CASE WHEN p_cursor <> '' THEN p_cursor ELSE g.cursor_value END,
		updated_at = clock_timestamp()
	WHERE g.tenant_id = util.tenant() AND g.subject_id = p_subject AND g.seq = p_seq AND g.fence <= p_token;
	IF NOT FOUND THEN
		PERFORM util.fail(409, 'stale_cursor', 'This run was taken over by a newer one.');
	END IF;
	-- A record that was quarantined without its key may be any of those stored: then nothing vanishes.
	IF p_mark_vanished AND NOT EXISTS (SELECT FROM collect.quarantine q WHERE q.tenant_id = util.tenant()
		AND q.execution_id = p_execution AND q.record_key IS NULL) THEN
		vanished := collect.mark_vanished(p_execution, p_stream);
	END IF;
	UPDATE collect.collector_executions x SET state = final,
		error_code = CASE WHEN final <> p_state THEN 'records_quarantined' ELSE nullif(p_code, '') END,
		error_message = CASE WHEN final <> p_state
			THEN 'Some records could not be stored and were set aside; the list of them says why.'
			ELSE nullif(p_message, '') END, stop_reason = nullif(p_stop, ''),
		records_vanished = x.records_vanished + vanished,
		requests = x.requests + (p_counts ->> 'requests')::bigint,
		retries = x.retries + (p_counts ->> 'retries')::bigint,
		bytes = x.bytes + (p_counts ->> 'bytes')::bigint,
		waited_ms = x.waited_ms + (p_counts ->> 'waitedMs')::bigint,
		completed_at = clock_timestamp(), wait_code = NULL, wait_message = NULL, wait_until = NULL,
		duration_ms = (extract(epoch FROM clock_timestamp() - coalesce(x.started_at, x.created_at)) * 1000)::bigint
	WHERE x.tenant_id = util.tenant() AND x.id = p_execution;
	UPDATE collect.streams s SET record_count = s.record_count - vanished, collected_at = CASE
			WHEN final IN ('success', 'partial') OR x.pages > 0 THEN x.completed_at ELSE s.collected_at END
	FROM collect.collector_executions x
	WHERE x.tenant_id = util.tenant() AND x.id = p_execution AND s.tenant_id = x.tenant_id AND s.id = p_stream;
	UPDATE collect.collector_instances i SET
		successful_executions = i.successful_executions + (p_state IN ('success', 'partial'))::int,
		partial_executions = i.partial_executions + (final = 'partial')::int,
		failed_executions = i.failed_executions + (p_state IN ('failed', 'timeout'))::int,
		last_successful_execution_at = CASE WHEN p_state IN ('success', 'partial')
			THEN clock_timestamp() ELSE i.last_successful_execution_at END
	FROM collect.collector_executions x
	WHERE x.tenant_id = util.tenant() AND x.id = p_execution AND i.tenant_id = x.tenant_id
		AND i.id = x.collector_instance_id;
	RETURN vanished;
END $$;

CREATE FUNCTION collect.instance_doc(i collect.collector_instances) RETURNS json
LANGUAGE sql STABLE SET search_path = pg_catalog
RETURN (SELECT json_build_object('instanceId', i.id, 'collectorId', i.collector_id,
		'collectorName', r.document -> 'collector' -> 'name', 'tenantId', i.tenant_id,
		'instanceName', i.instance_name, 'status', CASE WHEN i.is_active THEN 'Active' ELSE 'Inactive' END,
		'releaseVersion', i.release_version, 'latestVersion', market.offered(l),
		'config', collect.config_doc(i.id, i.tenant_config),
		'totalExecutions', i.total_executions, 'successfulExecutions', i.successful_executions,
		'partialExecutions', i.partial_executions, 'failedExecutions', i.failed_executions, 'lastExecutedAt', util.utc(i.last_executed_at),
		'lastSuccessfulExecutionAt', util.utc(i.last_successful_execution_at),
		'pipelines', collect.release_pipelines(r.document, NULL),
		'version', i.version, 'installedAt', util.utc(i.created_at), 'updatedAt', util.utc(i.updated_at))
	FROM market.release r LEFT JOIN market.listing l ON l.collector_id = r.collector_id
	WHERE r.collector_id = i.collector_id AND r.version = i.release_version);
GRANT EXECUTE ON FUNCTION collect.instance_doc TO catchment_web, catchment_trial;

-- As before, but nobody rates what is his own, and who has what is not listed learns why it cannot be rated.
CREATE OR REPLACE FUNCTION market.rate(p_collector uuid, p_stars int, p_comment text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
	old market.ratings;
BEGIN
	IF NOT EXISTS (SELECT FROM market.listing l WHERE l.collector_id = p_collector AND l.is_listed
		AND l.approval = 'approved') THEN
		IF EXISTS (SELECT FROM collect.collector_instances i WHERE i.tenant_id = util.tenant()
				AND i.collector_id = p_collector) THEN
			PERFORM util.fail(409, 'not_listed', 'This collector is not in the marketplace now, so it takes no ratings. '
				'Rate it when it is there again.');
		END IF;
		PERFORM util.fail(404, 'not_found', 'There is no such collector in the marketplace.');
	END IF;
	PERFORM 1 FROM collect.collector_instances i
	WHERE i.tenant_id = util.tenant() AND i.collector_id = p_collector FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		PERFORM util.fail(403, 'not_installed', 'Install this collector first; then you can rate it.');
	END IF;
	IF EXISTS (SELECT FROM market.listing l WHERE l.collector_id = p_collector
		AND l.publisher_tenant = util.tenant()) THEN
		PERFORM util.fail(403, 'own_collector', 'A workspace does not rate what it publishes itself.');
	END IF;
	SELECT * INTO old FROM market.ratings t
	WHERE t.tenant_id = util.tenant() AND t.collector_id = p_collector FOR UPDATE;
	INSERT INTO market.ratings AS t (tenant_id, collector_id, stars, comment, review_id)
	VALUES (util.tenant(), p_collector, p_stars, p_comment,
		market.review_set(p_collector, old.review_id, p_stars, p_comment))
	ON CONFLICT (tenant_id, collector_id) DO UPDATE SET stars = excluded.stars, comment = excluded.comment,
		review_id = excluded.review_id, rated_by = util.caller(), updated_at = clock_timestamp();
	PERFORM market.count(p_collector, 0, p_stars - coalesce(old.stars, 0),
		CASE WHEN old.stars IS NULL THEN 1 ELSE 0 END);
	PERFORM audit.write('collector.rate', 'collector', p_collector, json_build_object('stars', p_stars));
END $$;

-- As before; where nothing may run, nothing follows either.
CREATE OR REPLACE FUNCTION collect.queue_doc(p_tenant uuid) RETURNS json
LANGUAGE sql STABLE
RETURN (SELECT CASE WHEN q.held
	THEN json_build_object('code', 'workspace_suspended', 'message',
		'The platform''s administrators have suspended this workspace; nothing begins until they lift it.',
		'until', NULL)
	WHEN q.most = 0
	THEN json_build_object('code', 'workspace_limit', 'message',
		'The platform lets this workspace run nothing at present. Ask the platform''s administrators.', 'until', NULL)
	WHEN q.running >= q.most
	THEN json_build_object('code', 'workspace_limit', 'message', format(
		'%s runs of this workspace are under way, and it may have %s at once; this one follows.',
		q.running, q.most), 'until', NULL)
	ELSE json_build_object('code', 'queued', 'message', 'It begins as soon as a runner takes it.',
		'until', NULL) END
	FROM (SELECT (SELECT count(*) FROM work.work w WHERE w.tenant_id = p_tenant AND w.state = 'running') AS running,
		coalesce((SELECT l.max_running FROM work.lane l WHERE l.tenant_id = p_tenant), 4) AS most,
		coalesce((SELECT l.paused FROM work.lane l WHERE l.tenant_id = p_tenant), false) AS held) q);
RESET ROLE;
SET LOCAL ROLE catchment_auth;

-- As before, but for deactivated users, too: only who has the password is told so, by sign_in_end.
CREATE OR REPLACE FUNCTION identity.sign_in_begin(p_email text, p_net text)
RETURNS TABLE (user_id uuid, password_phc text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
	wait_s int;
BEGIN
	SELECT ceil(extract(epoch FROM max(s.blocked_until) - clock_timestamp()))::int INTO wait_s
	FROM identity.sign_in_throttle s
	WHERE s.key IN ('user:' || p_email, 'net:' || p_net) AND s.blocked_until > clock_timestamp();
	IF wait_s > 0 THEN
		PERFORM util.fail(429, 'too_many_sign_ins',
			format('Too many failed sign-ins. Try again in %s seconds.', wait_s), '', wait_s);
	END IF;
	RETURN QUERY SELECT u.id, u.password_phc FROM (SELECT 1) one
		LEFT JOIN identity.users u ON u.email = p_email;
END $$;

-- As before; nobody is let in who is deactivated, and who is in already switches.
CREATE OR REPLACE FUNCTION identity.sign_in_end(p_user uuid, p_email text, p_tenant uuid, p_token_id uuid, p_hash bytea,
	p_prefix text, p_new_phc text) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
	chosen uuid;
BEGIN
	IF NOT EXISTS (SELECT FROM identity.users u WHERE u.id = p_user AND u.is_active) THEN
		PERFORM util.fail(403, 'user_deactivated',
			'This account is deactivated. Ask the administrators of this platform to activate it again.');
	END IF;
	SELECT m.tenant_id INTO chosen FROM identity.members m
	JOIN identity.tenants w ON w.id = m.tenant_id AND w.deleted_at IS NULL
	WHERE m.user_id = p_user AND (p_tenant IS NULL OR m.tenant_id = p_tenant)
	ORDER BY m.created_at, m.tenant_id LIMIT 1;
	IF chosen IS NULL AND p_tenant IS NULL THEN -- all were left or deleted: a new one, or nothing lets them in again
		chosen := util.uuid_v7();
		PERFORM identity.tenant_create(chosen, 'Workspace of ' || p_email, p_user);
	ELSIF chosen IS NULL THEN
		PERFORM util.fail(403, 'no_tenant',
			'You are not a member of this workspace. Ask its owner for an invitation.', '/tenantId');
	END IF;
	DELETE FROM identity.sign_in_throttle s WHERE s.key = 'user:' || p_email;
	UPDATE identity.users u SET last_sign_in_at = clock_timestamp(),
		password_phc = coalesce(p_new_phc, u.password_phc) WHERE u.id = p_user;
	INSERT INTO identity.tokens (id, token_hash, user_id, tenant_id, kind, name, prefix, scopes, expires_at)
	VALUES (p_token_id, p_hash, p_user, chosen, 'sign-in', 'Sign-in', p_prefix, '{*}',
		clock_timestamp() + interval '7 days');
	INSERT INTO audit.entries (tenant_id, user_id, action, object_kind, object_id)
	VALUES (chosen, p_user, CASE WHEN util.caller() IS NULL THEN 'user.sign-in' ELSE 'tenant.switch' END, 'user', p_user);
	RETURN chosen;
END $$;

-- As before; a scope that can never be used is not given away.
CREATE OR REPLACE FUNCTION identity.token_create(p_id uuid, p_hash bytea, p_name text, p_prefix text, p_scopes text[],
	p_expires timestamptz, p_own_scopes text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
	s text;
BEGIN
	FOREACH s IN ARRAY p_scopes LOOP
		IF NOT identity.scope_allows(p_own_scopes, s) THEN
			PERFORM util.fail(403, 'scope_missing',
				format('Your own token lacks the scope %s, so it cannot give it away.', s), '/scopes');
		END IF;
		IF s LIKE 'platform:%' AND platform.role_of(util.caller()) IS NULL THEN
			PERFORM util.fail(403, 'platform_role_missing',
				format('The scope %s is for those who administer the platform; you have no role there. Leave it out.', s),
				'/scopes');
		END IF;
	END LOOP;
	INSERT INTO identity.tokens (id, token_hash, user_id, tenant_id, kind, name, prefix, scopes, expires_at)
	VALUES (p_id, p_hash, util.caller(), util.tenant(), 'api', p_name, p_prefix, p_scopes, p_expires);
	PERFORM audit.write('token.create', 'token', p_id, json_build_object('name', p_name, 'scopes', p_scopes));
END $$;
RESET ROLE;

UPDATE collect.collector_instances i SET partial_executions = x.n
FROM (SELECT x.tenant_id, x.collector_instance_id AS id, count(*) AS n FROM collect.collector_executions x
	WHERE x.state = 'partial' GROUP BY 1, 2) x
WHERE x.tenant_id = i.tenant_id AND x.id = i.id;
