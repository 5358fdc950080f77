-- The platform's own administration: who has no platform role reaches none of it, by whatever way.
SET search_path = tap, pg_catalog;
SET client_min_messages = warning;
CALL tap.two_tenants();
CALL tap.installations();
-- user 1 administers the platform (tenant 1 published the collector), user 2 is an owner of a tenant
INSERT INTO identity.platform_roles VALUES (tap.id(11), 'admin');
INSERT INTO identity.users (id, email, password_phc) VALUES (tap.id(13), 'dev@example.com', 'x'), (tap.id(14), 'boss@example.com', 'x');
INSERT INTO identity.platform_roles VALUES (tap.id(13), 'developer'), (tap.id(14), 'owner');
INSERT INTO work.work (tenant_id, id, kind, subject_id, state, due_at, last_code) VALUES
	(tap.id(2), tap.id(61), 'pipeline', tap.id(61), 'ready', now() - interval '5 minutes', NULL),
	(tap.id(2), tap.id(62), 'pipeline', tap.id(62), 'ready', now() + interval '5 minutes', 'rate_limited'),
	(tap.id(1), tap.id(63), 'pipeline', tap.id(63), 'ready', now() + interval '5 minutes', 'rate_limited'),
	(tap.id(1), tap.id(64), 'pipeline', tap.id(64), 'paused', 'infinity', 'credential_refused');
INSERT INTO work.runner (id, host, lease_until) VALUES (tap.id(71), 'here', now() + interval '1 hour'),
	(tap.id(72), 'gone', now() - interval '1 minute');
INSERT INTO work.work (tenant_id, id, kind, subject_id, state, runner_id)
VALUES (tap.id(1), tap.id(65), 'pipeline', tap.id(65), 'running', tap.id(72));

-- every function that the responders may call, with the least role that it needs
CREATE TEMPORARY TABLE door (call text, least text);
INSERT INTO door VALUES ('platform.overview_doc()', 'developer'), ('platform.measures_doc()', 'developer'),
	('platform.queue_doc()', 'developer'), ('platform.tenant_list(NULL, 50, NULL, NULL)', 'developer'),
	('platform.tenant_get(tap.id(2))', 'developer'), ('platform.tenant_limit(tap.id(2), 1, NULL)', 'admin'),
	('platform.user_list(NULL, 50, NULL, NULL)', 'admin'), ('platform.user_get(tap.id(12))', 'admin'),
	('platform.user_set_active(tap.id(12), false)', 'admin'),
	('platform.listing_review(tap.id(50), ''rejected'', ''no'', NULL)', 'admin');
CREATE FUNCTION pg_temp.refusal(d door, p_user int) RETURNS text LANGUAGE sql
RETURN tap.refusal('catchment_web', tap.id(2), 'SELECT ' || d.call, tap.id(p_user));

SELECT plan((SELECT 4 * count(*) + count(*) FILTER (WHERE least = 'admin') FROM door)::int + 26);
SELECT set_eq($$SELECT p.oid::regproc::text FROM pg_proc p WHERE p.pronamespace = 'platform'::regnamespace
		AND has_function_privilege('catchment_web', p.oid, 'EXECUTE')
		AND p.proname NOT IN ('need', 'listing_doc')$$,
	$$SELECT split_part(call, '(', 1) FROM door$$, 'each function that a responder may call is asked below');
SELECT is(pg_temp.refusal(d, 12), '42501 role_missing', 'an owner of a tenant is refused: ' || d.call) FROM door d;
SELECT is(tap.refusal('catchment_web', tap.id(2), 'SELECT ' || d.call), '42501 role_missing', 'nobody is refused, too: ' || d.call) FROM door d;
SELECT is(pg_temp.refusal(d, 13), '42501 role_missing', 'a developer of the platform changes nothing, reads no address: ' || d.call)
FROM door d WHERE d.least = 'admin';
SELECT is(pg_temp.refusal(d, CASE d.least WHEN 'developer' THEN 13 ELSE 11 END), 'accepted', 'the least role is let in: ' || d.call) FROM door d;
SELECT is(tap.refusal(r, tap.id(1), 'SELECT platform.overview_doc()', tap.id(11)), '42501', 'not by way of ' || r)
FROM unnest('{catchment_trial,catchment_export,catchment_run}'::text[]) r;
SELECT is(bool_or(has_function_privilege(r, p.oid, 'EXECUTE')), false, r || ' runs no function of the platform')
FROM unnest('{catchment_trial,catchment_export,catchment_run}'::text[]) r, pg_proc p WHERE p.pronamespace = 'platform'::regnamespace GROUP BY r;
SELECT ok(p.prosecdef AND p.proowner = 'catchment_auth'::regrole, 'it runs as auth: ' || d.call)
FROM door d JOIN pg_proc p ON p.oid::regproc::text = split_part(d.call, '(', 1);

-- around the functions
SELECT is(tap.refusal('catchment_web', tap.id(1), 'SELECT * FROM identity.platform_roles', tap.id(11)), '42501', 'web reads no role');
SELECT is(tap.refusal('catchment_web', tap.id(1), 'INSERT INTO identity.platform_roles VALUES (tap.id(12), ''owner'')', tap.id(11)), '42501', 'nor gives one');
SELECT is(tap.refusal('catchment_web', tap.id(1), 'SELECT platform.note(''x'', ''x'', NULL, tap.id(2), ''{}'')', tap.id(11)), '42501', 'nor writes into another tenant''s log');
SELECT is(tap.act('catchment_web', tap.id(2), 'UPDATE market.listing SET approval = ''rejected''', tap.id(11)), 0::bigint, 'nor judges another''s listing');
SELECT is(tap.refusal('catchment_web', tap.id(1), 'UPDATE market.listing SET approval_reason = ''fine''', tap.id(11)), '42501', 'nor puts words into a reviewer''s mouth');
SELECT is(tap.act('catchment_web', tap.id(1), 'UPDATE work.lane SET max_running = 9 WHERE tenant_id = tap.id(2)', tap.id(11)), 0::bigint, 'nor sets another tenant''s limit');
SELECT is(tap.refusal('catchment_auth', tap.id(1), 'SELECT pipelines FROM collect.data_collectors'), '42501', 'auth counts collectors and reads none');
SELECT is(tap.refusal('catchment_auth', tap.id(1), 'SELECT tenant_config FROM collect.collector_instances'), '42501', 'or installations');
SELECT is(tap.refusal('catchment_auth', tap.id(1), 'SELECT * FROM collect.records'), '42501', 'and never records');

-- what the doors do
CREATE FUNCTION pg_temp.ask(p_sql text, p_user int DEFAULT 11) RETURNS text LANGUAGE sql
RETURN tap.ask('catchment_web', tap.id(2), p_sql, tap.id(p_user));
SELECT is(pg_temp.ask($$SELECT j ->> 'due', j ->> 'running', j ->> 'waiting', j ->> 'paused', j ->> 'expiredLeases',
	j -> 'waitingFor' -> 0 ->> 'count', json_array_length(j -> 'runners') FROM platform.queue_doc() AS q (j)$$),
	'1,1,2,1,1,2,2', 'the queue is counted over all tenants');
SELECT ok((SELECT pg_temp.ask('SELECT platform.queue_doc() ->> ''oldestDueSeconds''')::int BETWEEN 299 AND 310), 'and says how late it is');
DO $$ BEGIN PERFORM pg_temp.ask('SELECT platform.tenant_limit(tap.id(2), NULL, true)'); END $$;
SELECT is(pg_temp.ask($$SELECT j ->> 'due', j ->> 'held' FROM platform.queue_doc() AS q (j)$$), '0,2', 'what a suspended tenant has is held, not due');
DO $$ BEGIN PERFORM tap.ask('catchment_run', NULL, 'SELECT work.claim(tap.id(71), 10, 10, ''1 hour'')'); END $$;
SELECT is((SELECT count(*) FROM work.work WHERE tenant_id = tap.id(2) AND state = 'running'), 0::bigint, 'and is not claimed');
SELECT is(tap.ask('catchment_web', tap.id(2), 'SELECT collect.queue_doc(tap.id(2)) ->> ''code''', tap.id(12)), 'workspace_suspended', 'the tenant is told why');
DO $$ BEGIN PERFORM pg_temp.ask('SELECT platform.tenant_limit(tap.id(2), 3, false)');
	PERFORM tap.ask('catchment_run', NULL, 'SELECT work.claim(tap.id(71), 10, 10, ''1 hour'')'); END $$;
SELECT is((SELECT concat_ws(' ', claims, max_running) FROM work.runner, work.lane WHERE id = tap.id(71) AND tenant_id = tap.id(2)), '1 3', 'lifted, it is claimed, and the claim is counted');
UPDATE work.runner SET counted_at = date_trunc('minute', clock_timestamp()) - interval '1 minute' WHERE counted_at > '-infinity';
SELECT is(pg_temp.ask('SELECT platform.queue_doc() ->> ''claimsPerMinute'''), '1', 'the pace is that of the last whole minute');
SELECT is((SELECT count(*) FROM audit.entries WHERE action = 'tenant.limit' AND tenant_id = tap.id(2) AND user_id = tap.id(11)), 2::bigint, 'each change is in the log of the tenant');
SELECT is(pg_temp.refusal(ROW('platform.user_set_active(tap.id(14), false)', '')::door, 11), 'CA403 role_missing', 'nobody shuts a higher role out');
SELECT is(pg_temp.refusal(ROW('platform.user_set_active(tap.id(11), false)', '')::door, 11), 'CA409 own_user', 'or himself');
SELECT * FROM finish();
