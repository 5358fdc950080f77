-- What a publisher's own workspace does with its collectors does not count in the marketplace; a stream was
-- collected when something was; the audit log keeps who acted by name.
-- Locks: market.listing for some rows, then audit.entries for a moment, to gain a column. Responders of before
-- do not count own installations themselves any more: start the new ones soon after.
UPDATE market.listing l SET installs = greatest(0, l.installs - 1)
WHERE EXISTS (SELECT FROM collect.collector_instances i
	WHERE i.collector_id = l.collector_id AND i.tenant_id = l.publisher_tenant);
WITH own AS (DELETE FROM market.ratings t USING market.listing l
	WHERE l.collector_id = t.collector_id AND l.publisher_tenant = t.tenant_id
	RETURNING t.collector_id, t.stars, t.review_id),
gone AS (DELETE FROM market.review v USING own WHERE v.id = own.review_id)
UPDATE market.listing l SET rating_sum = greatest(0, l.rating_sum - own.stars),
	rating_count = greatest(0, l.rating_count - 1)
FROM own WHERE l.collector_id = own.collector_id;
SET LOCAL ROLE catchment_owner;

-- Nobody rates what is his own.
CREATE OR REPLACE FUNCTION market.rate(p_collector uuid, p_stars int, p_comment text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
	old market.ratings;
BEGIN
	IF NOT EXISTS (SELECT FROM market.listing l WHERE l.collector_id = p_collector AND l.is_listed
		AND l.approval = 'approved') THEN
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

-- As before, but a stream was collected only when a run kept something, or ended well without.
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
		failed_executions = i.failed_executions + (p_state IN ('failed', 'timeout'))::int,
		last_successful_execution_at = CASE WHEN p_state IN ('success', 'partial')
			THEN clock_timestamp() ELSE i.last_successful_execution_at END
	FROM collect.collector_executions x
	WHERE x.tenant_id = util.tenant() AND x.id = p_execution AND i.tenant_id = x.tenant_id
		AND i.id = x.collector_instance_id;
	RETURN vanished;
END $$;

-- As before; in the log of the workspace that it concerns it was the platform, not a person of that house.
CREATE OR REPLACE FUNCTION platform.note(p_action text, p_kind text, p_object uuid, p_tenant uuid, p_detail json)
RETURNS void
LANGUAGE sql SET search_path = pg_catalog
BEGIN ATOMIC
	INSERT INTO audit.entries (tenant_id, user_id, action, object_kind, object_id, detail, ip)
	SELECT t.id, CASE WHEN t.id = util.tenant() THEN util.caller() END, p_action, p_kind, p_object, p_detail,
		CASE WHEN t.id = util.tenant() THEN nullif(current_setting('app.ip', true), '') END
	FROM (SELECT util.tenant() UNION SELECT p_tenant) AS t (id) WHERE t.id IS NOT NULL;
END;
RESET ROLE;
SET LOCAL ROLE catchment_auth;

-- As before; a publisher's own installation is a test of it, no reason for others to trust it.
CREATE OR REPLACE FUNCTION market.count(p_collector uuid, p_installs int, p_stars int, p_ratings int) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog
BEGIN ATOMIC
	UPDATE market.listing l SET rating_sum = greatest(0, l.rating_sum + p_stars),
		rating_count = greatest(0, l.rating_count + p_ratings),
		installs = greatest(0, l.installs + CASE WHEN l.publisher_tenant = util.tenant() THEN 0 ELSE p_installs END)
	WHERE l.collector_id = p_collector;
END;

-- As before; who leaves is not removed by anybody.
CREATE OR REPLACE FUNCTION identity.member_remove(p_user uuid, p_version bigint DEFAULT -1) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
	old text;
BEGIN
	old := identity.member_hold(p_user, p_version);
	IF old IS NULL THEN
		RETURN false;
	END IF;
	IF identity.role_rank(old) > coalesce(identity.role_rank(identity.my_role()), 0) THEN
		PERFORM util.fail(403, 'role_missing', 'Only an owner may remove an owner.');
	END IF;
	IF old = 'owner' AND identity.owners_left_without(p_user) = 0 THEN
		PERFORM util.fail(409, 'last_owner', 'A workspace needs an owner. Make someone else owner first.');
	END IF;
	DELETE FROM identity.members m WHERE m.tenant_id = util.tenant() AND m.user_id = p_user;
	UPDATE identity.tokens k SET revoked_at = clock_timestamp()
	WHERE k.tenant_id = util.tenant() AND k.user_id = p_user AND k.revoked_at IS NULL;
	UPDATE identity.invitations i SET revoked_at = clock_timestamp() -- no way back through these
	WHERE i.tenant_id = util.tenant() AND i.invited_by = p_user AND i.accepted_at IS NULL AND i.revoked_at IS NULL;
	PERFORM audit.write(CASE WHEN p_user = util.caller() THEN 'member.leave' ELSE 'member.remove' END, 'user', p_user);
	RETURN true;
END $$;

-- In the audit log a name stays when its owner leaves.
CREATE FUNCTION identity.name_actor() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
	NEW.email := (SELECT u.email FROM identity.users u WHERE u.id = NEW.user_id);
	RETURN NEW;
END $$;
REVOKE EXECUTE ON FUNCTION identity.name_actor FROM PUBLIC;
GRANT EXECUTE ON FUNCTION identity.name_actor TO catchment_owner;
RESET ROLE;
SET LOCAL ROLE catchment_owner;
ALTER TABLE audit.entries ADD COLUMN email text;
CREATE TRIGGER name_actor BEFORE INSERT ON audit.entries FOR EACH ROW EXECUTE FUNCTION identity.name_actor();
RESET ROLE;
