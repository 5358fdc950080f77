-- Access tokens: who fetches the next one, what is kept, what goes with its config.
SET search_path = tap, pg_catalog;
SET client_min_messages = warning;
CALL tap.two_tenants();
SELECT no_plan();

CREATE FUNCTION pg_temp.run(p_sql text) RETURNS text LANGUAGE sql VOLATILE RETURN tap.ask('catchment_run', tap.id(1), p_sql);
CREATE FUNCTION pg_temp.take(p_lease int, p_refused bigint DEFAULT 0, p_hash text DEFAULT 'h') RETURNS text LANGUAGE sql VOLATILE
RETURN pg_temp.run(format('SELECT state || ''/'' || version FROM collect.token_take(tap.id(40), %L, %s, tap.id(%s), ''60 seconds'')',
	p_hash, p_refused, p_lease));
CREATE FUNCTION pg_temp.keep(p_lease int, p_version bigint, p_refresh text DEFAULT NULL, p_life bigint DEFAULT 3600000) RETURNS text
LANGUAGE sql VOLATILE
RETURN pg_temp.run(format('SELECT collect.token_keep(tap.id(40), tap.id(%s), %s, 1, ''\x01'', %L, %s, %s)',
	p_lease, p_version, p_refresh, p_life, p_life * 8 / 10));
CREATE PROCEDURE pg_temp.later(p_s int) LANGUAGE sql AS $$ UPDATE collect.tokens SET renew_at = renew_at - p_s * interval '1 second',
	expires_at = expires_at - p_s * interval '1 second', lease_until = lease_until - p_s * interval '1 second' $$;

SELECT is(pg_temp.take(1), 'fetch/0', 'the first one fetches');
SELECT is(pg_temp.take(2), 'wait/0', 'the second waits');
SELECT is(pg_temp.take(1), 'fetch/0', 'the first may ask again');
SELECT is(pg_temp.keep(2, 1), 'f', 'who has no lease keeps nothing');
SELECT is(pg_temp.keep(1, 1, '\x07'), 't', 'what was fetched is kept');
SELECT is(pg_temp.keep(1, 1, '\x07'), 't', 'and once more when the answer to COMMIT was lost');
SELECT is(pg_temp.take(2), 'ready/1', 'now all have it');
SELECT is(pg_temp.take(2, 1), 'fetch/1', 'a version that was refused is replaced by the first who says so');
SELECT is(pg_temp.take(3, 1), 'wait/1', 'by nobody else');
SELECT is(pg_temp.take(3), 'ready/1', 'who was not refused goes on with it');
SELECT is(pg_temp.keep(2, 2), 't', 'a token without a new refresh token');
SELECT is((SELECT refresh_version || encode(refresh_sealed, 'hex') FROM collect.tokens), '107', 'leaves the old one');
CALL pg_temp.later(3000);
SELECT is(pg_temp.take(4), 'fetch/2', 'it is renewed before its life is over');
SELECT is(pg_temp.take(5), 'ready/2', 'and does for the others meanwhile');
CALL pg_temp.later(59);
SELECT is(pg_temp.take(5), 'ready/2', 'as long as the lease holds');
CALL pg_temp.later(2);
SELECT is(pg_temp.take(5), 'fetch/2', 'a lease that ran out is anybody''s');
SELECT is(pg_temp.keep(4, 3), 'f', 'and whoever held it keeps no access token');
SELECT is(pg_temp.keep(9, 3, '\x08'), 'f', 'nor does who never held it keep a refresh token');
SELECT is(pg_temp.keep(4, 3, '\x08'), 't', 'but a refresh token that replaced the one before is kept: there is no other');
SELECT is(pg_temp.take(6, 2), 'ready/3', 'all go on with it');
SELECT is(pg_temp.keep(4, 4, '\x09'), 'f', 'once');
SELECT is(pg_temp.keep(5, 3, '\x0a'), 't', 'and what its follower fetched meanwhile is newer');
SELECT is((SELECT encode(refresh_sealed, 'hex') FROM collect.tokens), '0a', 'so that counts');
SELECT is(pg_temp.take(5, 3), 'fetch/3', 'the next one is fetched');
SELECT pg_temp.run('SELECT collect.token_let_go(tap.id(40), tap.id(5), ''auth_refused'')') \g /dev/null
SELECT is((SELECT refused_code FROM collect.tokens), 'auth_refused', 'a refusal is noted');
SELECT is(pg_temp.take(6, 3), 'fetch/3', 'and the lease is free');
SELECT is(pg_temp.keep(6, 4), 't', 'the next one');
SELECT is((SELECT refused_code FROM collect.tokens), NULL, 'forgets the refusal');
SELECT is(pg_temp.take(7, 0, 'other'), 'fetch/5', 'another definition voids what was got');
SELECT is((SELECT refresh_sealed FROM collect.tokens), NULL, 'its refresh token too');
CALL pg_temp.later(61);
SELECT is(pg_temp.take(8, 0, 'other'), 'fetch/5', 'a lease that ran out once more');

-- storing under the lease, though the run may be another's by then
SELECT is(tap.refusal('catchment_run', NULL, 'SELECT collect.token_enter(tap.id(1), tap.id(40), tap.id(8))'), 'accepted',
	'the lease opens its tenant');
SELECT is(tap.refusal('catchment_run', NULL, 'SELECT collect.token_enter(tap.id(1), tap.id(40), tap.id(7))'), 'accepted',
	'the one before too, which may bring a refresh token');
SELECT is(tap.refusal('catchment_run', NULL, 'SELECT collect.token_enter(tap.id(1), tap.id(40), tap.id(6))'), 'CA409 token_lease_lost',
	'another lease does not');
SELECT is(tap.refusal('catchment_run', NULL, 'SELECT collect.token_enter(tap.id(2), tap.id(40), tap.id(7))'), 'CA409 token_lease_lost',
	'nor another tenant');

-- what goes with its config
CREATE FUNCTION pg_temp.after(p_sql text) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('app.tenant_id', tap.id(1)::text, true), set_config('app.user_id', tap.id(11)::text, true);
	INSERT INTO collect.tokens (owner_id, auth_hash) VALUES (tap.id(41), 'h') ON CONFLICT DO NOTHING;
	INSERT INTO collect.kept_answers (owner_id, key, fresh_until, etag, modified, headers, body)
	VALUES (tap.id(41), 'k', now(), '', '', '[]', '') ON CONFLICT DO NOTHING;
	PERFORM tap.act('catchment_web', tap.id(1), p_sql);
	RETURN (SELECT count(*) FROM collect.tokens WHERE owner_id = tap.id(41))
		+ (SELECT count(*) FROM collect.kept_answers WHERE owner_id = tap.id(41));
END $$;
SELECT set_config('app.tenant_id', tap.id(1)::text, false), set_config('app.user_id', tap.id(11)::text, false) \g /dev/null
INSERT INTO collect.data_sources (id, name) VALUES (tap.id(31), 'Shop API');
INSERT INTO collect.data_collectors (id, name, data_source_id) VALUES (tap.id(41), 'Shop', tap.id(31));
SELECT is(pg_temp.after('INSERT INTO collect.secrets (owner_id, field, kid, sealed) VALUES (tap.id(41), ''s'', 1, ''\x00'')'), 0::bigint,
	'a secret that is entered voids tokens and kept answers');
SELECT is(pg_temp.after('UPDATE collect.secrets SET kid = 2 WHERE owner_id = tap.id(41)'), 2::bigint, 'one that is sealed anew does not');
SELECT is(pg_temp.after('UPDATE collect.secrets SET version = 2 WHERE owner_id = tap.id(41)'), 0::bigint, 'one that changes does');
SELECT is(pg_temp.after('UPDATE collect.data_collectors SET creator_config = ''{"a":1}'' WHERE id = tap.id(41)'), 0::bigint,
	'a plain value that changes does');
SELECT is(pg_temp.after('UPDATE collect.data_collectors SET description = ''x'', creator_config = ''{"a":1}'' WHERE id = tap.id(41)'), 2::bigint,
	'a config that stays the same does not');
SELECT is(pg_temp.after('DELETE FROM collect.secrets WHERE owner_id = tap.id(41)'), 0::bigint, 'a secret that is removed does');
SELECT is(pg_temp.after('DELETE FROM collect.data_collectors WHERE id = tap.id(41)'), 0::bigint, 'and so does the end of the owner');

-- the pace that answers ask for
CREATE FUNCTION pg_temp.bucket(p_n float8 DEFAULT 1) RETURNS numeric LANGUAGE sql VOLATILE
RETURN round(work.take(tap.id(1), 'x', p_n, 10, 10)::numeric, 1);
SELECT work.pace(tap.id(1), 'x', 2, 60, 10, 10) \g /dev/null
SELECT is(pg_temp.bucket(), 0.0, 'one goes at once');
SELECT is(pg_temp.bucket(), 0.5, 'the next at the pace of the service');
UPDATE work.bucket SET paced_until = clock_timestamp(), refilled_at = clock_timestamp() - interval '1 second';
SELECT is(pg_temp.bucket(10), 0.0, 'when its time is over the bucket is what it was');
SELECT work.pace(tap.id(1), 'x', 0, 30, 10, 10) \g /dev/null
SELECT is(pg_temp.bucket(), 30.0, 'nothing left is silence');
SELECT work.pace(tap.id(1), 'x', 5, 60, 10, 10) \g /dev/null
SELECT is(pg_temp.bucket(), 30.0, 'which a late word does not shorten');
SELECT * FROM finish();
