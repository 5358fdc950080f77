-- The only way to the identity tables. Each function belongs to the auth role, runs with its rights
-- and a fixed search_path, and tells the caller no more than it must.
SET LOCAL ROLE catchment_owner;

CREATE FUNCTION identity.role_rank(role text) RETURNS int
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog
RETURN array_position(ARRAY['viewer', 'editor', 'admin', 'owner'], role);

-- "x:write" includes "x:read"; "*" includes all.
CREATE FUNCTION identity.scope_allows(scopes text[], need text) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog
RETURN need IS NULL OR need = '' OR '*' = ANY (scopes) OR need = ANY (scopes)
	OR (need LIKE '%:read' AND replace(need, ':read', ':write') = ANY (scopes));

-- Checks a token and opens its tenant for this transaction: the one place that sets the tenant for
-- a responder. 28000: who are you; 42501: not with this scope or role (HINT says which).
CREATE FUNCTION identity.enter(p_token bytea, p_scope text, p_role text, p_ip text)
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
	WHERE k.token_hash = p_token AND k.revoked_at IS NULL
		AND (k.expires_at IS NULL OR k.expires_at > clock_timestamp());
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

-- Sign-in in two steps, because the hash is checked outside the database. An unknown address gets
-- user_id null: the caller then checks a hash of its own, so that both take the same time.
CREATE FUNCTION identity.sign_in_begin(p_email text, p_net text)
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
		LEFT JOIN identity.users u ON u.email = p_email AND u.is_active;
END $$;

-- The fifth failure within an hour blocks for 30 s, doubling up to 15 minutes. A network has twenty. An
-- hour without one forgets them; a day later the row goes, so that invented addresses do not pile up.
CREATE FUNCTION identity.sign_in_failed(p_email text, p_net text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog
BEGIN ATOMIC
	DELETE FROM identity.sign_in_throttle s WHERE s.key IN (
		SELECT o.key FROM identity.sign_in_throttle o WHERE o.at < clock_timestamp() - interval '1 day'
		ORDER BY o.at LIMIT 10 FOR UPDATE SKIP LOCKED);
	INSERT INTO identity.sign_in_throttle AS s (key, failures)
	VALUES ('user:' || p_email, 1), ('net:' || p_net, 1)
	ON CONFLICT (key) DO UPDATE SET
		failures = CASE WHEN s.at < clock_timestamp() - interval '1 hour' THEN 1 ELSE s.failures + 1 END,
		at = clock_timestamp(),
		blocked_until = CASE
			WHEN s.at < clock_timestamp() - interval '1 hour' THEN '-infinity'
			WHEN s.failures + 1 >= (CASE WHEN s.key LIKE 'net:%' THEN 20 ELSE 5 END)
			THEN clock_timestamp() + least(interval '15 minutes', interval '30 seconds'
				* power(2, least(10, s.failures + 1 - (CASE WHEN s.key LIKE 'net:%' THEN 20 ELSE 5 END))))
			ELSE s.blocked_until END;
END;

-- For an operator, at the command line: the audit names nobody.
CREATE FUNCTION identity.token_insert(p_id uuid, p_hash bytea, p_user uuid, p_tenant uuid, p_kind text,
	p_name text, p_prefix text, p_scopes text[], p_expires timestamptz) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog
BEGIN ATOMIC
	INSERT INTO identity.tokens (id, token_hash, user_id, tenant_id, kind, name, prefix, scopes, expires_at)
	VALUES (p_id, p_hash, p_user, p_tenant, p_kind, p_name, p_prefix, p_scopes, p_expires);
	INSERT INTO audit.entries (tenant_id, action, object_kind, object_id, detail)
	VALUES (p_tenant, 'token.create', 'token', p_id, json_build_object('name', p_name, 'scopes', p_scopes,
		'for', p_user));
END;

CREATE FUNCTION identity.user_doc(p_user uuid) RETURNS json
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
RETURN (SELECT json_build_object('id', u.id, 'email', u.email, 'name', u.name,
	'createdAt', util.utc(u.created_at), 'lastSignInAt', util.utc(u.last_sign_in_at))
	FROM identity.users u WHERE u.id = p_user);

-- The tenants of a user, oldest first.
CREATE FUNCTION identity.tenants_of(p_user uuid) RETURNS json
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
RETURN (SELECT coalesce(json_agg(json_build_object('id', w.id, 'name', w.name, 'role', m.role)
		ORDER BY m.created_at, w.id), '[]')
	FROM identity.members m JOIN identity.tenants w ON w.id = m.tenant_id AND w.deleted_at IS NULL
	WHERE m.user_id = p_user);

CREATE FUNCTION identity.tenant_create(p_tenant uuid, p_name text, p_user uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog
BEGIN ATOMIC
	INSERT INTO identity.tenants (id, name) VALUES (p_tenant, p_name);
	INSERT INTO identity.members (tenant_id, user_id, role, email, name)
	SELECT p_tenant, u.id, 'owner', u.email, u.name FROM identity.users u WHERE u.id = p_user;
	INSERT INTO audit.entries (tenant_id, user_id, action, object_kind, object_id)
	VALUES (p_tenant, p_user, 'tenant.create', 'tenant', p_tenant);
END;

CREATE FUNCTION identity.sign_up(p_user uuid, p_email text, p_phc text, p_name text, p_tenant uuid,
	p_tenant_name text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog
BEGIN ATOMIC
	INSERT INTO identity.users (id, email, name, password_phc, last_sign_in_at)
	VALUES (p_user, p_email, p_name, p_phc, clock_timestamp());
	SELECT identity.tenant_create(p_tenant, p_tenant_name, p_user);
END;

-- After the password was right: a token for the chosen tenant (null: the oldest membership).
CREATE FUNCTION identity.sign_in_end(p_user uuid, p_email text, p_tenant uuid, p_token_id uuid, p_hash bytea,
	p_prefix text, p_new_phc text) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
	chosen uuid;
BEGIN
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
	VALUES (chosen, p_user, 'user.sign-in', 'user', p_user);
	RETURN chosen;
END $$;

-- The functions below act for whoever entered: app.user_id in app.tenant_id.

-- A new password ends all other sign-ins and sessions.
CREATE FUNCTION identity.password_set(p_phc text, p_keep_token bytea) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog
BEGIN ATOMIC
	UPDATE identity.users u SET password_phc = p_phc WHERE u.id = util.caller();
	UPDATE identity.tokens k SET revoked_at = clock_timestamp()
	WHERE k.user_id = util.caller() AND k.kind = 'sign-in' AND k.token_hash IS DISTINCT FROM p_keep_token
		AND k.revoked_at IS NULL;
	DELETE FROM identity.sessions s WHERE s.user_id = util.caller();
	SELECT audit.write('user.password', 'user', util.caller());
END;

CREATE FUNCTION identity.profile_set(p_name text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog
BEGIN ATOMIC
	UPDATE identity.users u SET name = p_name WHERE u.id = util.caller();
	UPDATE identity.members m SET name = p_name, version = m.version + 1 WHERE m.user_id = util.caller();
	SELECT audit.write('user.update', 'user', util.caller());
END;

CREATE FUNCTION identity.token_create(p_id uuid, p_hash bytea, p_name text, p_prefix text, p_scopes text[],
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
	END LOOP;
	INSERT INTO identity.tokens (id, token_hash, user_id, tenant_id, kind, name, prefix, scopes, expires_at)
	VALUES (p_id, p_hash, util.caller(), util.tenant(), 'api', p_name, p_prefix, p_scopes, p_expires);
	PERFORM audit.write('token.create', 'token', p_id, json_build_object('name', p_name, 'scopes', p_scopes));
END $$;

-- An owner or admin sees every token of the tenant, others their own.
CREATE FUNCTION identity.tokens_seen()
RETURNS TABLE (id uuid, kind text, name text, prefix text, scopes text[], created_at timestamptz,
	expires_at timestamptz, last_used_at timestamptz, last_ip text, email text, user_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
BEGIN ATOMIC
	SELECT k.id, k.kind, k.name, k.prefix, k.scopes, k.created_at, k.expires_at, k.last_used_at, k.last_ip,
		m.email, k.user_id
	FROM identity.tokens k
	JOIN identity.members m ON m.tenant_id = k.tenant_id AND m.user_id = k.user_id
	JOIN identity.members me ON me.tenant_id = util.tenant() AND me.user_id = util.caller()
	WHERE k.tenant_id = util.tenant() AND k.revoked_at IS NULL
		AND (k.expires_at IS NULL OR k.expires_at > clock_timestamp())
		AND (k.user_id = util.caller() OR me.role IN ('admin', 'owner'));
END;

CREATE FUNCTION identity.token_revoke(p_id uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
	UPDATE identity.tokens k SET revoked_at = clock_timestamp()
	WHERE k.id = p_id AND k.id IN (SELECT t.id FROM identity.tokens_seen() t);
	IF FOUND THEN
		PERFORM audit.write('token.revoke', 'token', p_id);
		RETURN true;
	END IF;
	RETURN false;
END $$;

CREATE FUNCTION identity.sign_out(p_token bytea) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog
BEGIN ATOMIC
	UPDATE identity.tokens k SET revoked_at = clock_timestamp()
	WHERE k.token_hash = p_token AND k.revoked_at IS NULL;
END;

CREATE FUNCTION identity.tenant_update(p_name text, p_version bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
	v bigint;
BEGIN
	UPDATE identity.tenants w SET name = p_name, version = w.version + 1
	WHERE w.id = util.tenant() AND (p_version < 0 OR w.version = p_version) RETURNING w.version INTO v;
	IF NOT FOUND THEN
		PERFORM util.fail(412, 'stale', 'This workspace was changed meanwhile. Read it again, then repeat your change.');
	END IF;
	PERFORM audit.write('tenant.update', 'tenant', util.tenant());
	RETURN v;
END $$;

-- The tenant disappears for everybody at once; its rows are erased by the care job later.
CREATE FUNCTION identity.tenant_delete() RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog
BEGIN ATOMIC
	UPDATE identity.tenants w SET deleted_at = clock_timestamp() WHERE w.id = util.tenant();
	UPDATE identity.tokens k SET revoked_at = clock_timestamp()
	WHERE k.tenant_id = util.tenant() AND k.revoked_at IS NULL;
	SELECT audit.write('tenant.delete', 'tenant', util.tenant());
END;

CREATE FUNCTION identity.owners_left_without(p_user uuid) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
RETURN (SELECT count(*) FROM identity.members m
	WHERE m.tenant_id = util.tenant() AND m.role = 'owner' AND m.user_id <> p_user);

CREATE FUNCTION identity.my_role() RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
RETURN (SELECT m.role FROM identity.members m
	WHERE m.tenant_id = util.tenant() AND m.user_id = util.caller());

-- One change of members at a time. The role of one, null if there is none; 412 at another version.
CREATE FUNCTION identity.member_hold(p_user uuid, p_version bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
	held record;
BEGIN
	PERFORM 1 FROM identity.tenants w WHERE w.id = util.tenant() FOR NO KEY UPDATE;
	SELECT m.role, m.version INTO held FROM identity.members m
	WHERE m.tenant_id = util.tenant() AND m.user_id = p_user;
	IF FOUND AND p_version >= 0 AND held.version <> p_version THEN
		PERFORM util.fail(412, 'stale', 'This member was changed meanwhile. Read it again, then repeat your change.');
	END IF;
	RETURN held.role;
END $$;

-- Nobody hands out or takes away a role above his own; a tenant keeps at least one owner.
CREATE FUNCTION identity.member_set_role(p_user uuid, p_role text, p_version bigint DEFAULT -1) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
	old text;
BEGIN
	old := identity.member_hold(p_user, p_version);
	IF old IS NULL THEN
		RETURN false;
	END IF;
	IF greatest(identity.role_rank(p_role), identity.role_rank(old)) > coalesce(identity.role_rank(identity.my_role()), 0) THEN
		PERFORM util.fail(403, 'role_missing', 'Only an owner may change who is an owner.', '/role');
	END IF;
	IF old = 'owner' AND p_role <> 'owner' AND identity.owners_left_without(p_user) = 0 THEN
		PERFORM util.fail(409, 'last_owner', 'A workspace needs an owner. Make someone else owner first.', '/role');
	END IF;
	UPDATE identity.members m SET role = p_role, version = m.version + 1
	WHERE m.tenant_id = util.tenant() AND m.user_id = p_user;
	PERFORM audit.write('member.role', 'user', p_user, json_build_object('from', old, 'to', p_role));
	RETURN true;
END $$;

CREATE FUNCTION identity.member_remove(p_user uuid, p_version bigint DEFAULT -1) RETURNS boolean
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
	PERFORM audit.write('member.remove', 'user', p_user);
	RETURN true;
END $$;

CREATE FUNCTION identity.invitation_create(p_id uuid, p_email text, p_role text, p_hash bytea,
	p_expires timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
	IF identity.role_rank(p_role) > coalesce(identity.role_rank(identity.my_role()), 0) THEN
		PERFORM util.fail(403, 'role_missing', 'You cannot invite someone to a role above yours.', '/role');
	END IF;
	IF EXISTS (SELECT FROM identity.members m WHERE m.tenant_id = util.tenant() AND m.email = p_email) THEN
		PERFORM util.fail(409, 'already_member', 'This person is a member already.', '/email');
	END IF;
	UPDATE identity.invitations i SET revoked_at = clock_timestamp() -- a new link replaces the old one
	WHERE i.tenant_id = util.tenant() AND i.email = p_email AND i.accepted_at IS NULL AND i.revoked_at IS NULL;
	INSERT INTO identity.invitations (tenant_id, id, email, role, invited_by, expires_at)
	VALUES (util.tenant(), p_id, p_email, p_role, util.caller(), p_expires);
	INSERT INTO identity.invitation_tokens (token_hash, tenant_id, invitation_id)
	VALUES (p_hash, util.tenant(), p_id);
	PERFORM audit.write('invitation.create', 'invitation', p_id, json_build_object('email', p_email, 'role', p_role));
END $$;

CREATE FUNCTION identity.invitation_revoke(p_id uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
	UPDATE identity.invitations i SET revoked_at = clock_timestamp()
	WHERE i.tenant_id = util.tenant() AND i.id = p_id AND i.accepted_at IS NULL AND i.revoked_at IS NULL;
	IF FOUND THEN
		PERFORM audit.write('invitation.revoke', 'invitation', p_id);
		RETURN true;
	END IF;
	RETURN false;
END $$;

-- Single use. Returns who is invited where; no row when the link is no longer good.
CREATE FUNCTION identity.invitation_find(p_hash bytea)
RETURNS TABLE (tenant_id uuid, invitation_id uuid, email text, role text, tenant_name text, user_id uuid)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog
BEGIN ATOMIC
	SELECT i.tenant_id, i.id, i.email, i.role, w.name, u.id
	FROM identity.invitation_tokens t
	JOIN identity.invitations i ON i.tenant_id = t.tenant_id AND i.id = t.invitation_id
	JOIN identity.tenants w ON w.id = i.tenant_id AND w.deleted_at IS NULL
	LEFT JOIN identity.users u ON u.email = i.email
	WHERE t.token_hash = p_hash AND i.accepted_at IS NULL AND i.revoked_at IS NULL
		AND i.expires_at > clock_timestamp()
	FOR UPDATE OF i;
END;

-- p_new_user is set with name and hash for somebody new; else the invited address has a user.
CREATE FUNCTION identity.invitation_accept(p_hash bytea, p_new_user uuid, p_name text, p_phc text) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
	i record;
	who uuid;
BEGIN
	SELECT * INTO i FROM identity.invitation_find(p_hash);
	IF NOT FOUND THEN
		PERFORM util.fail(404, 'invitation_invalid',
			'This invitation was used, revoked or has expired. Ask for a new one.');
	END IF;
	who := i.user_id;
	-- The address may have got a user since the caller looked: then nobody has proved that password.
	IF (who IS NULL) <> (p_phc IS NOT NULL) THEN
		PERFORM util.fail(409, 'address_taken',
			'This address has just got a user. Accept again, with the password of that user.', '/password');
	END IF;
	IF who IS NULL THEN
		INSERT INTO identity.users (id, email, name, password_phc) VALUES (p_new_user, i.email, p_name, p_phc);
		who := p_new_user;
	END IF;
	INSERT INTO identity.members (tenant_id, user_id, role, email, name)
	SELECT i.tenant_id, u.id, i.role, u.email, u.name FROM identity.users u WHERE u.id = who
	ON CONFLICT DO NOTHING;
	UPDATE identity.invitations v SET accepted_at = clock_timestamp()
	WHERE v.tenant_id = i.tenant_id AND v.id = i.invitation_id;
	DELETE FROM identity.invitation_tokens t WHERE t.token_hash = p_hash;
	INSERT INTO audit.entries (tenant_id, user_id, action, object_kind, object_id)
	VALUES (i.tenant_id, who, 'invitation.accept', 'invitation', i.invitation_id);
	RETURN who;
END $$;

-- Idempotency-Key: the answer is stored in the transaction that did the work, so a killed responder
-- leaves neither. The lock makes a copy that arrives meanwhile answer 409 instead of waiting. A slow
-- route, which works between two transactions, stores status 102 (processing) in the first; it
-- counts for 5 minutes, longer than any such route lives. A null status sets the key free.
CREATE FUNCTION identity.idempotency_begin(p_key text, p_route text, p_body bytea,
	OUT state text, OUT status int, OUT body text, OUT location text)
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
	kept record;
BEGIN
	-- For idempotency_end: of a slow route even when a copy holds the lock at this moment.
	PERFORM set_config('app.idempotency_body', encode(p_body, 'hex'), true);
	IF NOT pg_try_advisory_xact_lock(hashtextextended(util.tenant()::text || p_key, 7)) THEN
		state := 'in_flight';
		RETURN;
	END IF;
	SELECT * INTO kept FROM identity.idempotency k WHERE k.tenant_id = util.tenant() AND k.key = p_key;
	IF NOT FOUND THEN
		state := 'new';
	ELSIF kept.created_at < clock_timestamp() - (CASE WHEN kept.status = 102
			THEN interval '5 minutes' ELSE interval '24 hours' END) THEN
		DELETE FROM identity.idempotency k WHERE k.tenant_id = util.tenant() AND k.key = p_key;
		state := 'new';
	ELSIF kept.route <> p_route OR kept.body_hash <> p_body THEN
		state := 'mismatch';
	ELSIF kept.status = 102 THEN
		state := 'in_flight';
	ELSE
		state := CASE WHEN kept.body IS NULL AND kept.status <> 204 THEN 'done' ELSE 'replay' END;
		status := kept.status;
		body := kept.body;
		location := kept.location;
	END IF;
END $$;

CREATE FUNCTION identity.idempotency_end(p_key text, p_route text, p_status int, p_body text,
	p_location text) RETURNS void
LANGUAGE sql SET search_path = pg_catalog
BEGIN ATOMIC
	DELETE FROM identity.idempotency k WHERE k.tenant_id = util.tenant() AND k.key = p_key;
	DELETE FROM identity.idempotency k WHERE k.tenant_id = util.tenant() AND k.key IN (
		SELECT o.key FROM identity.idempotency o
		WHERE o.tenant_id = util.tenant() AND o.created_at < clock_timestamp() - interval '24 hours'
		ORDER BY o.created_at LIMIT 10 FOR UPDATE SKIP LOCKED);
	INSERT INTO identity.idempotency (tenant_id, key, route, body_hash, status, body, location)
	SELECT util.tenant(), p_key, p_route, decode(current_setting('app.idempotency_body'), 'hex'), p_status,
		p_body, p_location
	WHERE p_status IS NOT NULL;
END;

DO $own$
DECLARE
	f regprocedure;
BEGIN
	-- every SECURITY DEFINER function of identity belongs to auth, and to the roles that need it
	FOR f IN SELECT p.oid::regprocedure FROM pg_proc p
		WHERE p.pronamespace = 'identity'::regnamespace AND p.prosecdef
	LOOP
		EXECUTE format('ALTER FUNCTION %s OWNER TO catchment_auth', f);
		EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', f);
	END LOOP;
END $own$;
RESET ROLE;
SET LOCAL ROLE catchment_auth;
GRANT EXECUTE ON FUNCTION identity.enter TO catchment_web, catchment_trial, catchment_export;
GRANT EXECUTE ON FUNCTION identity.sign_in_begin, identity.sign_in_failed, identity.sign_in_end,
	identity.sign_up, identity.user_doc, identity.tenants_of, identity.tenant_create, identity.password_set, identity.profile_set, identity.token_create, identity.tokens_seen,
	identity.token_revoke, identity.sign_out, identity.tenant_update,
	identity.tenant_delete, identity.member_set_role, identity.member_remove, identity.my_role,
	identity.invitation_create, identity.invitation_revoke, identity.invitation_find,
	identity.invitation_accept
	TO catchment_web;
GRANT EXECUTE ON FUNCTION identity.sign_up, identity.user_doc, identity.tenants_of,
	identity.tenant_create, identity.token_insert TO catchment_migrate;
RESET ROLE;
SET LOCAL ROLE catchment_owner;
GRANT EXECUTE ON FUNCTION identity.role_rank, identity.scope_allows, identity.idempotency_begin,
	identity.idempotency_end TO catchment_web, catchment_trial, catchment_export, catchment_auth;
