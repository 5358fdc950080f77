-- Sessions of browsers: a sign-in token that rested for 12 hours has ended; the head of a page learns
-- who is there, and opens nothing by that.
SET search_path = tap, pg_catalog;
SET client_min_messages = warning;
CALL tap.two_tenants();
SELECT no_plan();

CREATE FUNCTION pg_temp.enter(n int) RETURNS text LANGUAGE sql
RETURN tap.refusal('catchment_web', NULL, format('SELECT identity.enter(tap.token(%s), '''', '''', NULL)', n));
CREATE FUNCTION pg_temp.who(n int) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
	doc json;
BEGIN
	PERFORM set_config('role', 'catchment_web', true);
	doc := identity.who(tap.token(n));
	PERFORM set_config('role', 'none', true);
	RETURN doc;
END $$;

-- idle
UPDATE identity.tokens SET kind = 'sign-in', created_at = clock_timestamp() - interval '11 hours' WHERE id = tap.id(21);
SELECT is(pg_temp.enter(1), 'accepted', 'a sign-in that was made 11 hours ago enters');
UPDATE identity.tokens SET last_used_at = NULL, created_at = clock_timestamp() - interval '13 hours' WHERE id = tap.id(21);
SELECT is(pg_temp.enter(1), '28000 token_invalid', 'one that nobody used for 13 hours does not');
SELECT is(pg_temp.who(1)::text, NULL, 'nor does a page know anybody by it');
UPDATE identity.tokens SET last_used_at = clock_timestamp() - interval '11 hours', created_at = clock_timestamp() - interval '6 days'
WHERE id = tap.id(21);
SELECT is(pg_temp.enter(1), 'accepted', 'one that is older but was used 11 hours ago does');
UPDATE identity.tokens SET kind = 'api', last_used_at = clock_timestamp() - interval '1 year' WHERE id = tap.id(21);
SELECT is(pg_temp.enter(1), 'accepted', 'an API token may rest for as long as it likes');

-- who
SELECT is(pg_temp.who(1) #>> '{user,email}', 'user1@example.com', 'a page knows who is there');
SELECT is(pg_temp.who(1) #>> '{tenant,name}', 'Tenant 1', '... and in which workspace');
SELECT is(pg_temp.who(1) #>> '{tenant,owner}', 'true', '... and what the person may do there');
SELECT is(json_array_length(pg_temp.who(1) -> 'tenants'), 1, '... and of no workspace but the person''s own');
SELECT is(pg_temp.who(1) #>> '{user,admin}', 'false', '... and that nobody is platform administrator by being an owner');
INSERT INTO identity.platform_roles VALUES (tap.id(11), 'admin');
SELECT is(pg_temp.who(1) #>> '{user,admin}', 'true', '... but by a platform role');
UPDATE identity.members SET role = 'viewer' WHERE tenant_id = tap.id(1);
SELECT is(concat_ws(' ', pg_temp.who(1) #>> '{tenant,editor}', pg_temp.who(1) #>> '{tenant,admin}'), 'false false',
	'a viewer is shown no button of an editor');
SELECT is(pg_temp.who(9)::text, NULL, 'an unknown token is nobody');
UPDATE identity.users SET is_active = false WHERE id = tap.id(11);
SELECT is(pg_temp.who(1)::text, NULL, 'neither is a disabled user');
UPDATE identity.users SET is_active = true WHERE id = tap.id(11);
UPDATE identity.tokens SET revoked_at = clock_timestamp() WHERE id = tap.id(21);
SELECT is(pg_temp.who(1)::text, NULL, 'nor a token that was revoked');
UPDATE identity.tokens SET revoked_at = NULL WHERE id = tap.id(21);

BEGIN;
SET LOCAL ROLE catchment_web;
SELECT identity.who(tap.token(1)) IS NOT NULL AS known \gset
SELECT is(coalesce(current_setting('app.tenant_id', true), ''), '', 'asking who is there opens no workspace');
COMMIT;
SELECT is(tap.refusal('catchment_run', NULL, 'SELECT identity.who(tap.token(1))'), '42501', 'the runner may not ask');
SELECT is(tap.refusal('catchment_web', NULL, 'SELECT identity.token_is_good(NULL)'), '42501', 'what tokens hold is for enter and who alone');

SELECT * FROM finish();
