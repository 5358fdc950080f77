-- Who comes in and with what rights; the throttle of sign-ins; invitations, owners, repeated requests.
SET search_path = tap, pg_catalog;
SET client_min_messages = warning;
CALL tap.two_tenants();
SELECT no_plan();

CREATE FUNCTION pg_temp.enter(n int, p_scope text DEFAULT '', p_role text DEFAULT '') RETURNS text LANGUAGE sql
RETURN tap.refusal('catchment_web', NULL, format('SELECT identity.enter(tap.token(%s), %L, %L, NULL)', n, p_scope, p_role));
-- as user 1 of tenant 1
CREATE FUNCTION pg_temp.web(p_sql text) RETURNS text LANGUAGE sql VOLATILE
RETURN tap.ask('catchment_web', tap.id(1), p_sql, tap.id(11));
CREATE FUNCTION pg_temp.refused(p_sql text) RETURNS text LANGUAGE sql VOLATILE
RETURN tap.refusal('catchment_web', tap.id(1), p_sql, tap.id(11));

-- enter
SELECT is(pg_temp.enter(1), 'accepted', 'a good token enters');
SELECT is(pg_temp.enter(9), '28000 token_invalid', 'an unknown token does not');
UPDATE identity.tokens SET expires_at = clock_timestamp() - interval '1 second' WHERE id = tap.id(21);
SELECT is(pg_temp.enter(1), '28000 token_invalid', 'an expired token does not');
UPDATE identity.tokens SET expires_at = NULL, revoked_at = clock_timestamp() WHERE id = tap.id(21);
SELECT is(pg_temp.enter(1), '28000 token_invalid', 'a revoked token does not');
UPDATE identity.tokens SET revoked_at = NULL WHERE id = tap.id(21);
UPDATE identity.users SET is_active = false WHERE id = tap.id(11);
SELECT is(pg_temp.enter(1), '28000 token_invalid', 'the token of a disabled user does not');
UPDATE identity.users SET is_active = true WHERE id = tap.id(11);
UPDATE identity.tenants SET deleted_at = clock_timestamp() WHERE id = tap.id(1);
SELECT is(pg_temp.enter(1), '28000 token_invalid', 'a token into a deleted tenant does not');
UPDATE identity.tenants SET deleted_at = NULL WHERE id = tap.id(1);
DELETE FROM identity.members WHERE tenant_id = tap.id(2);
SELECT is(pg_temp.enter(2), '28000 token_invalid', 'a token of somebody who is no member any more does not');
INSERT INTO identity.members (tenant_id, user_id, role, email) VALUES (tap.id(2), tap.id(12), 'owner', 'user2@example.com');

CREATE TEMPORARY TABLE scope (has text[], needs text, answer text);
INSERT INTO scope VALUES ('{*}', 'collectors:write', 'accepted'), ('{collectors:write}', 'collectors:read', 'accepted'),
	('{collectors:read}', 'collectors:read', 'accepted'), ('{collectors:read}', 'collectors:write', '42501 scope_missing'),
	('{collectors:write}', 'instances:read', '42501 scope_missing'), ('{}', '', 'accepted'), ('{}', 'x:read', '42501 scope_missing');
CREATE FUNCTION pg_temp.with_scope(s scope) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	UPDATE identity.tokens SET scopes = s.has WHERE id = tap.id(21);
	RETURN pg_temp.enter(1, s.needs);
END $$;
SELECT is(pg_temp.with_scope(s), s.answer, format('a token with %s that needs "%s": %s', s.has, s.needs, s.answer)) FROM scope s;
UPDATE identity.tokens SET scopes = '{*}' WHERE id = tap.id(21);

CREATE TEMPORARY TABLE rank (has text, needs text, answer text);
INSERT INTO rank SELECT h.r, n.r, CASE WHEN h.p >= n.p THEN 'accepted' ELSE '42501 role_missing' END
FROM unnest('{viewer,editor,admin,owner}'::text[]) WITH ORDINALITY h (r, p), unnest('{viewer,editor,admin,owner}'::text[]) WITH ORDINALITY n (r, p);
INSERT INTO rank VALUES ('viewer', '', 'accepted'), ('owner', 'root', '42501 role_missing');
CREATE FUNCTION pg_temp.with_rank(r rank) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	UPDATE identity.members SET role = r.has WHERE tenant_id = tap.id(1);
	RETURN pg_temp.enter(1, '', r.needs);
END $$;
SELECT is(pg_temp.with_rank(r), r.answer, format('a %s where "%s" is needed: %s', r.has, r.needs, r.answer)) FROM rank r;
UPDATE identity.members SET role = 'owner' WHERE tenant_id = tap.id(1);

BEGIN;
SET LOCAL ROLE catchment_web;
SELECT user_id FROM identity.enter(tap.token(1), '', '', '10.0.0.1') \gset
COMMIT;
SELECT is((SELECT last_ip FROM identity.tokens WHERE id = tap.id(21)), '10.0.0.1', 'enter notes the last use');
BEGIN READ ONLY;
SET LOCAL ROLE catchment_export;
SELECT user_id FROM identity.enter(tap.token(2), '', '', '10.0.0.1') \gset
COMMIT;
SELECT is(:'user_id'::uuid, tap.id(12), 'enter works in a read-only transaction (a replica)');

-- sign-in throttle
CREATE FUNCTION pg_temp.fail_sign_in(p_email text, p_net text DEFAULT 'n') RETURNS int LANGUAGE plpgsql AS $$
BEGIN
	PERFORM tap.ask('catchment_web', NULL, format('SELECT identity.sign_in_failed(%L, %L)', p_email, p_net));
	RETURN coalesce((SELECT greatest(0, round(extract(epoch FROM blocked_until - clock_timestamp())))
		FROM identity.sign_in_throttle WHERE key = 'user:' || p_email AND isfinite(blocked_until)), 0);
END $$;
SELECT is(ARRAY(SELECT pg_temp.fail_sign_in('a@example.com') FROM generate_series(1, 12)),
	'{0,0,0,0,30,60,120,240,480,900,900,900}'::int[], 'the fifth failure blocks for 30 s, doubling up to 15 minutes');
SELECT is(tap.refusal('catchment_web', NULL, $$SELECT identity.sign_in_begin('a@example.com', 'other')$$),
	'CA429 too_many_sign_ins', 'a blocked address is refused');
SELECT is(tap.ask('catchment_web', NULL, $$SELECT password_phc FROM identity.sign_in_begin('user1@example.com', 'other')$$), 'phc',
	'others are not');
SELECT is(tap.ask('catchment_web', NULL, $$SELECT count(*), count(user_id) FROM identity.sign_in_begin('nobody@example.com', 'other')$$),
	'1,0', 'an unknown address answers a row without a user');
UPDATE identity.sign_in_throttle SET at = at - interval '61 minutes', blocked_until = blocked_until - interval '61 minutes';
SELECT is(pg_temp.fail_sign_in('a@example.com'), 0, 'after an hour without failures they are forgotten');
SELECT is((SELECT max(pg_temp.fail_sign_in('u' || n || '@example.com', 'net1')) FROM generate_series(1, 20) n), 0,
	'one failure each of twenty users blocks none of them');
SELECT is(tap.refusal('catchment_web', NULL, $$SELECT identity.sign_in_begin('user1@example.com', 'net1')$$),
	'CA429 too_many_sign_ins', 'but their network');
UPDATE identity.sign_in_throttle SET at = at - interval '25 hours' WHERE key LIKE 'user:u%';
SELECT pg_temp.fail_sign_in('z@example.com') FROM generate_series(1, 3) \g /dev/null
SELECT is((SELECT count(*) FROM identity.sign_in_throttle WHERE key LIKE 'user:u%'), 0::bigint, 'old failures are swept along');
SELECT tap.ask('catchment_web', NULL, $$SELECT identity.sign_in_end(tap.id(11), 'a@example.com', NULL, tap.id(29), sha256('\x29'), 'ct', NULL)$$) AS tenant \gset
SELECT is(:'tenant'::uuid, tap.id(1), 'a sign-in opens the oldest membership');
SELECT ok(NOT EXISTS (SELECT FROM identity.sign_in_throttle WHERE key = 'user:a@example.com'), 'and forgets the failures');
SELECT is(tap.refusal('catchment_web', NULL, $$SELECT identity.sign_in_end(tap.id(11), 'a', tap.id(2), tap.id(28), sha256('\x28'), 'ct', NULL)$$),
	'CA403 no_tenant', 'nobody signs in to a tenant he is not a member of');

-- password and tokens
SELECT pg_temp.web($$SELECT identity.password_set('new', NULL)$$) \g /dev/null
SELECT is((SELECT revoked_at IS NOT NULL FROM identity.tokens WHERE id = tap.id(29)), true, 'a new password ends the other sign-ins');
SELECT is(pg_temp.refused($$SELECT identity.token_create(tap.id(40), sha256('\x40'), 'n', 'p', '{a:write}', NULL, '{a:read}')$$),
	'CA403 scope_missing', 'a token cannot give a scope it lacks');
SELECT is(pg_temp.refused($$SELECT identity.token_create(tap.id(40), sha256('\x40'), 'n', 'p', '{a:read}', NULL, '{a:write}')$$),
	'accepted', 'but one that it includes');
SELECT is(pg_temp.web($$SELECT identity.token_revoke(tap.id(22))$$), 'f', 'another tenant''s token cannot be revoked');
SELECT is(pg_temp.web($$SELECT count(*) FROM identity.tokens_seen()$$), '1', 'an owner sees the live tokens of the tenant');

-- invitations
SELECT is(pg_temp.refused($$SELECT identity.invitation_create(tap.id(60), 'user1@example.com', 'viewer', sha256('i'), now() + interval '1 day')$$),
	'CA409 already_member', 'a member is not invited again');
SELECT pg_temp.web($$SELECT identity.invitation_create(tap.id(60), 'user2@example.com', 'viewer', sha256('i'), now() + interval '1 day')$$) \g /dev/null
SELECT is(tap.ask('catchment_web', NULL, $$SELECT email, user_id FROM identity.invitation_find(sha256('i'))$$),
	'user2@example.com,' || tap.id(12), 'an invitation is found by its token');
SELECT is(tap.refusal('catchment_web', NULL, $$SELECT identity.invitation_accept(sha256('x'), NULL, NULL, NULL)$$), 'CA404 invitation_invalid',
	'a wrong token accepts nothing');
UPDATE identity.invitations SET expires_at = now() WHERE id = tap.id(60);
SELECT is(tap.refusal('catchment_web', NULL, $$SELECT identity.invitation_accept(sha256('i'), NULL, NULL, NULL)$$), 'CA404 invitation_invalid',
	'an expired invitation is not accepted');
UPDATE identity.invitations SET expires_at = now() + interval '1 day' WHERE id = tap.id(60);
SELECT is(tap.refusal('catchment_web', NULL, $$SELECT identity.invitation_accept(sha256('i'), tap.id(14), 'N', 'phc')$$), 'CA409 address_taken',
	'a password for somebody new does not open the account of who came first');
SELECT is(tap.ask('catchment_web', NULL, $$SELECT identity.invitation_accept(sha256('i'), NULL, NULL, NULL)$$), tap.id(12)::text, 'a good one is');
SELECT is((SELECT role FROM identity.members WHERE tenant_id = tap.id(1) AND user_id = tap.id(12)), 'viewer', 'with its role');
SELECT is(tap.refusal('catchment_web', NULL, $$SELECT identity.invitation_accept(sha256('i'), NULL, NULL, NULL)$$), 'CA404 invitation_invalid',
	'once only');
SELECT pg_temp.web($$SELECT identity.invitation_create(tap.id(61), 'new@example.com', 'editor', sha256('j'), now() + interval '1 day')$$) \g /dev/null
SELECT pg_temp.web($$SELECT identity.invitation_create(tap.id(62), 'new@example.com', 'editor', sha256('k'), now() + interval '1 day')$$) \g /dev/null
SELECT is(tap.refusal('catchment_web', NULL, $$SELECT identity.invitation_accept(sha256('j'), tap.id(13), 'N', 'phc')$$), 'CA404 invitation_invalid',
	'a second invitation replaces the first');
SELECT is(tap.ask('catchment_web', NULL, $$SELECT identity.invitation_accept(sha256('k'), tap.id(13), 'N', 'phc')$$), tap.id(13)::text, 'somebody new becomes a user');

-- members
SELECT is(pg_temp.refused($$SELECT identity.member_set_role(tap.id(11), 'editor')$$), 'CA409 last_owner', 'the last owner stays one');
SELECT is(pg_temp.refused($$SELECT identity.member_remove(tap.id(11))$$), 'CA409 last_owner', 'and is not removed');
SELECT is(pg_temp.web($$SELECT identity.member_set_role(tap.id(12), 'admin')$$), 't', 'an owner makes an admin');
SELECT is(tap.refusal('catchment_web', tap.id(1), $$SELECT identity.member_set_role(tap.id(12), 'owner')$$, tap.id(12)),
	'CA403 role_missing', 'an admin makes no owner');
SELECT is(tap.refusal('catchment_web', tap.id(1), $$SELECT identity.member_remove(tap.id(11))$$, tap.id(12)),
	'CA403 role_missing', 'and removes none');
SELECT is(tap.refusal('catchment_web', tap.id(1), $$SELECT identity.invitation_create(tap.id(63), 'o@example.com', 'owner', sha256('l'), now())$$, tap.id(12)),
	'CA403 role_missing', 'nor invites one');
SELECT is(tap.refusal('catchment_web', tap.id(1), $$SELECT identity.invitation_create(tap.id(63), 'o@example.com', 'viewer', sha256('l'), now())$$, tap.id(77)),
	'CA403 role_missing', 'and who is no member invites nobody');
SELECT is(pg_temp.web($$SELECT identity.member_set_role(tap.id(12), 'owner')$$), 't', 'with a second owner');
SELECT is(pg_temp.web($$SELECT identity.member_set_role(tap.id(11), 'owner')$$), 't', 'nothing is in the way');
SELECT is(pg_temp.web($$SELECT identity.member_remove(tap.id(12))$$), 't', 'of removing one');
SELECT is(pg_temp.web($$SELECT identity.member_remove(tap.id(12))$$), 'f', 'who then is not there');

-- idempotency
CREATE FUNCTION pg_temp.again(p_key text, p_route text, p_body bytea, p_status int DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
BEGIN
	PERFORM set_config('role', 'catchment_web', true), set_config('app.tenant_id', tap.id(1)::text, true);
	SELECT concat_ws(' ', b.state, b.status, b.body, b.location) INTO answer FROM identity.idempotency_begin(p_key, p_route, p_body) b;
	IF p_status IS NOT NULL THEN
		PERFORM identity.idempotency_end(p_key, p_route, p_status, CASE WHEN p_status = 200 THEN '{}' END, '/x/1');
	END IF;
	PERFORM set_config('role', 'none', true), set_config('app.tenant_id', '', true);
	RETURN answer;
END $$;
SELECT is(pg_temp.again('a', 'POST /x', '\x01', 200), 'new', 'a new key');
SELECT is(pg_temp.again('a', 'POST /x', '\x01'), 'replay 200 {} /x/1', 'the same again gets the first answer');
SELECT is(pg_temp.again('a', 'POST /x', '\x02'), 'mismatch', 'with another body it is refused');
SELECT is(pg_temp.again('a', 'POST /y', '\x01'), 'mismatch', 'on another route too');
SELECT is(pg_temp.again('b', 'POST /x', '\x01', 201), 'new', 'an answer that showed a secret');
SELECT is(pg_temp.again('b', 'POST /x', '\x01'), 'done 201 /x/1', 'is not kept');
SELECT is(pg_temp.again('c', 'POST /x', '\x01', 102), 'new', 'a slow one');
SELECT is(pg_temp.again('c', 'POST /x', '\x01'), 'in_flight', 'is at work');
UPDATE identity.idempotency SET created_at = created_at - interval '6 minutes' WHERE key = 'c';
SELECT is(pg_temp.again('c', 'POST /x', '\x01', 200), 'new', 'for five minutes');
UPDATE identity.idempotency SET created_at = created_at - interval '25 hours' WHERE key IN ('a', 'b');
SELECT is(pg_temp.again('a', 'POST /x', '\x09', 204), 'new', 'after a day a key is new again');
SELECT is((SELECT count(*) FROM identity.idempotency WHERE key = 'b'), 0::bigint, 'and old keys are swept along');
SELECT is(pg_temp.again('a', 'POST /x', '\x09'), 'replay 204 /x/1', 'an answer without a body is an answer');

-- the tenant goes
INSERT INTO work.work (tenant_id, id, kind, subject_id, state, runner_id) VALUES (tap.id(1), tap.id(70), 'call', tap.id(71), 'running', tap.id(72));
SELECT pg_temp.web('SELECT identity.tenant_delete(), work.tenant_stop()') \g /dev/null
SELECT is(pg_temp.enter(1), '28000 token_invalid', 'a deleted tenant''s tokens enter nowhere');
SELECT ok((SELECT paused FROM work.lane WHERE tenant_id = tap.id(1)), 'its lane is closed');
SELECT ok((SELECT cancel_requested FROM work.work WHERE id = tap.id(70)), 'what runs is asked to stop');
SELECT * FROM finish();
