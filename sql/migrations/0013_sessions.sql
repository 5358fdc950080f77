-- Browsers. A session is a sign-in token in a cookie, so the table of sessions that was foreseen goes,
-- and a sign-in that nobody used for 12 hours has ended. Locks: none that anybody waits for.
SET LOCAL ROLE catchment_auth;

CREATE OR REPLACE FUNCTION identity.password_set(p_phc text, p_keep_token bytea) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog
BEGIN ATOMIC
	UPDATE identity.users u SET password_phc = p_phc WHERE u.id = util.caller();
	UPDATE identity.tokens k SET revoked_at = clock_timestamp()
	WHERE k.user_id = util.caller() AND k.kind = 'sign-in' AND k.token_hash IS DISTINCT FROM p_keep_token
		AND k.revoked_at IS NULL;
	SELECT audit.write('user.password', 'user', util.caller());
END;

-- Is a token good now? One rule for those who enter and for the head of each page.
CREATE FUNCTION identity.token_is_good(k identity.tokens) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog
RETURN k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > clock_timestamp())
	AND (k.kind <> 'sign-in' OR coalesce(k.last_used_at, k.created_at) > clock_timestamp() - interval '12 hours');
REVOKE EXECUTE ON FUNCTION identity.token_is_good FROM PUBLIC;

CREATE OR REPLACE FUNCTION identity.enter(p_token bytea, p_scope text, p_role text, p_ip text)
RETURNS TABLE (user_id uuid, tenant_id uuid, role text, scopes text[], token_id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
	t record;
BEGIN
	SELECT k.id, k.user_id, k.tenant_id, k.scopes, k.last_used_at, m.role INTO t
	FROM identity.tokens k
	JOIN identity.users u ON u.id = k.user_id AND u.is_active
	JOIN identity.members m ON m.tenant_id = k.tenant_id AND m.user_id = k.user_id
	JOIN identity.tenants w ON w.id = k.tenant_id AND w.deleted_at IS NULL
	WHERE k.token_hash = p_token AND identity.token_is_good(k);
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = '28000', HINT = 'token_invalid',
			MESSAGE = 'This token is not valid. Sign in again, or make a new token.';
	END IF;
	IF NOT identity.scope_allows(t.scopes, p_scope) THEN
		RAISE EXCEPTION USING ERRCODE = '42501', HINT = 'scope_missing',
			MESSAGE = format('This token lacks the scope %s.', p_scope);
	END IF;
	IF identity.role_rank(t.role) >= identity.role_rank(coalesce(nullif(p_role, ''), 'viewer')) THEN
		NULL; -- so that an unknown role refuses: its rank is null
	ELSE
		RAISE EXCEPTION USING ERRCODE = '42501', HINT = 'role_missing',
			MESSAGE = format('This needs the role %s; yours is %s.', p_role, t.role);
	END IF;
	PERFORM set_config('app.tenant_id', t.tenant_id::text, true),
		set_config('app.user_id', t.user_id::text, true),
		set_config('app.ip', coalesce(p_ip, ''), true);
	-- Last use to the minute is enough; a write in each request is not worth more. Never wait for it:
	-- the row stays locked until the request that writes it ends, and others with this token would queue.
	IF (t.last_used_at IS NULL OR t.last_used_at < clock_timestamp() - interval '1 minute')
			AND current_setting('transaction_read_only') = 'off' THEN
		UPDATE identity.tokens k SET last_used_at = clock_timestamp(), last_ip = p_ip
		WHERE k.id = (SELECT n.id FROM identity.tokens n WHERE n.id = t.id FOR NO KEY UPDATE SKIP LOCKED);
	END IF;
	RETURN QUERY SELECT t.user_id, t.tenant_id, t.role, t.scopes, t.id;
END $$;

CREATE FUNCTION identity.membership_doc(w identity.tenants, p_role text) RETURNS json
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog
RETURN json_build_object('id', w.id, 'name', w.name, 'role', p_role,
	'editor', identity.role_rank(p_role) >= 2, 'admin', identity.role_rank(p_role) >= 3,
	'owner', identity.role_rank(p_role) >= 4);
REVOKE EXECUTE ON FUNCTION identity.membership_doc FROM PUBLIC;

-- For the head of each page: who is there, where, and where else the same person may go. Null for a
-- token that is no longer good. It opens nothing.
CREATE FUNCTION identity.who(p_token bytea) RETURNS json
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
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
REVOKE EXECUTE ON FUNCTION identity.who FROM PUBLIC;
GRANT EXECUTE ON FUNCTION identity.who TO catchment_web, catchment_trial;

RESET ROLE;
SET LOCAL ROLE catchment_owner;
DROP TABLE identity.sessions;
