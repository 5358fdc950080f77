-- Pages at the database's pace. PostgreSQL 15 plans an SQL function anew in each statement that calls it,
-- but for one that it can write into the statement: an expression, without a SET of its own, and no more
-- volatile than it says. These were bound to pg_catalog when they were made, so no search_path reaches
-- them without a SET either; those that call to_char or the clock now say so. What has to be a query of
-- its own becomes PL/pgSQL, whose plans stay with the connection. All of it answers as before.
-- Locks: none that anybody waits for.
SET LOCAL ROLE catchment_owner;

ALTER FUNCTION util.utc(timestamptz) STABLE RESET search_path;
ALTER FUNCTION util.json_join(json, json) RESET search_path;
ALTER FUNCTION identity.role_rank(text) RESET search_path;
ALTER FUNCTION identity.scope_allows(text[], text) RESET search_path;
ALTER FUNCTION collect.stream_doc(collect.streams) RESET search_path;

-- The same document from rows that its list has joined already, where one row after the other was looked up.
CREATE FUNCTION collect.collector_summary(c collect.data_collectors, d collect.data_sources, l market.listing)
RETURNS json
LANGUAGE sql STABLE
RETURN json_build_object('id', c.id, 'name', c.name, 'description', c.description,
	'dataSourceId', c.data_source_id, 'dataSourceName', d.name, 'stage', c.stage,
	'approvalStatus', coalesce(l.approval, c.approval_status),
	'pipelines', json_array_length(c.pipelines), 'isPublished', c.is_published,
	'isListed', coalesce(l.is_listed, false), 'releaseVersion', c.release_version,
	'version', c.version, 'createdAt', util.utc(c.created_at), 'updatedAt', util.utc(c.updated_at));
GRANT EXECUTE ON FUNCTION collect.collector_summary(collect.data_collectors, collect.data_sources, market.listing)
	TO catchment_web, catchment_trial;

RESET ROLE;
SET LOCAL ROLE catchment_auth;

ALTER FUNCTION identity.token_is_good(identity.tokens) VOLATILE RESET search_path;
ALTER FUNCTION identity.membership_doc(identity.tenants, text) STABLE RESET search_path;

-- As in 0013; only, what is no query is no statement of its own: assignments and the row that it returns
-- are expressions, which PL/pgSQL evaluates without the executor.
CREATE OR REPLACE FUNCTION identity.enter(p_token bytea, p_scope text, p_role text, p_ip text)
RETURNS TABLE (user_id uuid, tenant_id uuid, role text, scopes text[], token_id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
	used timestamptz;
	done text;
BEGIN
	SELECT k.id, k.user_id, k.tenant_id, k.scopes, k.last_used_at, m.role
	INTO token_id, user_id, tenant_id, scopes, used, role
	FROM identity.tokens k
	JOIN identity.users u ON u.id = k.user_id AND u.is_active
	JOIN identity.members m ON m.tenant_id = k.tenant_id AND m.user_id = k.user_id
	JOIN identity.tenants w ON w.id = k.tenant_id AND w.deleted_at IS NULL
	WHERE k.token_hash = p_token AND identity.token_is_good(k);
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = '28000', HINT = 'token_invalid',
			MESSAGE = 'This token is not valid. Sign in again, or make a new token.';
	END IF;
	IF NOT identity.scope_allows(scopes, p_scope) THEN
		RAISE EXCEPTION USING ERRCODE = '42501', HINT = 'scope_missing',
			MESSAGE = format('This token lacks the scope %s.', p_scope);
	END IF;
	IF identity.role_rank(role) >= identity.role_rank(coalesce(nullif(p_role, ''), 'viewer')) THEN
		NULL; -- so that an unknown role refuses: its rank is null
	ELSE
		RAISE EXCEPTION USING ERRCODE = '42501', HINT = 'role_missing',
			MESSAGE = format('This needs the role %s; yours is %s.', p_role, role);
	END IF;
	done := set_config('app.tenant_id', tenant_id::text, true);
	done := set_config('app.user_id', user_id::text, true);
	done := set_config('app.ip', coalesce(p_ip, ''), true);
	-- Last use to the minute is enough; a write in each request is not worth more. Never wait for it:
	-- the row stays locked until the request that writes it ends, and others with this token would queue.
	IF (used IS NULL OR used < clock_timestamp() - interval '1 minute')
			AND current_setting('transaction_read_only') = 'off' THEN
		UPDATE identity.tokens k SET last_used_at = clock_timestamp(), last_ip = p_ip
		WHERE k.id = (SELECT n.id FROM identity.tokens n WHERE n.id = token_id FOR NO KEY UPDATE SKIP LOCKED);
	END IF;
	RETURN NEXT;
END $$;

-- As in 0013, planned once.
CREATE OR REPLACE FUNCTION identity.who(p_token bytea) RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
	RETURN (SELECT json_build_object(
			'user', json_build_object('id', u.id, 'name', u.name, 'email', u.email,
				'admin', EXISTS (SELECT FROM identity.platform_roles p WHERE p.user_id = u.id)),
			'tenant', identity.membership_doc(w, m.role),
			'tenants', (SELECT json_agg(identity.membership_doc(ow, o.role) ORDER BY ow.name, ow.id)
				FROM identity.members o JOIN identity.tenants ow ON ow.id = o.tenant_id AND ow.deleted_at IS NULL
				WHERE o.user_id = u.id))
		FROM identity.tokens k
		JOIN identity.users u ON u.id = k.user_id AND u.is_active
		JOIN identity.members m ON m.tenant_id = k.tenant_id AND m.user_id = k.user_id
		JOIN identity.tenants w ON w.id = k.tenant_id AND w.deleted_at IS NULL
		WHERE k.token_hash = p_token AND identity.token_is_good(k));
END $$;
RESET ROLE;
