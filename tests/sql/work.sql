-- The queue: claims and limits, how a run leaves, what is taken back, leases, rate limits, hints.
SET search_path = tap, pg_catalog;
SET client_min_messages = warning;
SELECT no_plan();

CREATE FUNCTION pg_temp.run(p_sql text) RETURNS text LANGUAGE sql VOLATILE RETURN tap.ask('catchment_run', NULL, p_sql);
CREATE FUNCTION pg_temp.refused(p_sql text) RETURNS text LANGUAGE sql VOLATILE RETURN tap.refusal('catchment_run', NULL, p_sql);
-- n ready works of a tenant, ids from p_from
CREATE PROCEDURE pg_temp.ready(p_tenant int, p_from int, p_n int DEFAULT 1) LANGUAGE sql AS $$
	INSERT INTO work.work (tenant_id, id, kind, subject_id, execution_id, state, due_at)
	SELECT tap.id(p_tenant), tap.id(p_from + i), 'pipeline', tap.id(p_from + i), tap.id(p_from + i), 'ready', clock_timestamp()
	FROM generate_series(0, p_n - 1) i $$;
CREATE FUNCTION pg_temp.claim(p_n int, p_per_tenant int DEFAULT 10, p_runner int DEFAULT 900) RETURNS int LANGUAGE sql VOLATILE
RETURN pg_temp.run(format('SELECT count(*) FROM work.claim(tap.id(%s), %s, %s, interval ''1 hour'')', p_runner, p_n, p_per_tenant))::int;
CREATE FUNCTION pg_temp.release(p_tenant int, p_id int, p_outcome text, p_delay text DEFAULT '0', p_code text DEFAULT NULL) RETURNS text
LANGUAGE sql VOLATILE
RETURN pg_temp.run(format('SELECT state FROM work.release(tap.id(%s), tap.id(%s), (SELECT lease_token FROM work.work WHERE id = tap.id(%2$s)), %L, %L, %L)',
	p_tenant, p_id, p_outcome, p_delay, p_code));
CREATE FUNCTION pg_temp.row(p_id int) RETURNS work.work LANGUAGE sql VOLATILE RETURN (SELECT w FROM work.work w WHERE id = tap.id(p_id));
CREATE FUNCTION pg_temp.lane(p_tenant int) RETURNS text LANGUAGE sql VOLATILE RETURN (SELECT CASE WHEN next_due_at = 'infinity' THEN 'hidden'
	WHEN next_due_at > clock_timestamp() THEN 'later' ELSE 'due' END FROM work.lane WHERE tenant_id = tap.id(p_tenant));
CREATE PROCEDURE pg_temp.clean() LANGUAGE sql AS $$ DELETE FROM work.work; DELETE FROM work.lane; DELETE FROM work.runner;
	INSERT INTO work.runner (id, host, lease_until) VALUES (tap.id(900), 'a', clock_timestamp() + interval '1 hour'),
		(tap.id(901), 'b', clock_timestamp() + interval '1 hour') $$;

-- whoever takes back what a dead runner held tells the others
SELECT is(pg_temp.run('SELECT work.wake(''catchment_work'') IS NOT NULL'), 't', 'a runner may wake the others');

-- claims
CALL pg_temp.clean();
CALL pg_temp.ready(1, 1, 7);
SELECT is(pg_temp.claim(100), 4, 'a tenant runs as many as its limit');
SELECT is(pg_temp.lane(1), 'hidden', 'a full lane is out of sight');
SELECT is(pg_temp.claim(100), 0, 'and nothing of it is claimed');
SELECT is((SELECT array_agg(DISTINCT ROW(lease_token, attempt, runner_id)::text) FROM work.work WHERE state = 'running'),
	ARRAY[format('(1,1,%s)', tap.id(900))], 'a claim raises token and attempt and names its runner');
SELECT is(pg_temp.release(1, 1, 'done'), 'idle', 'one leaves');
SELECT is(pg_temp.lane(1), 'due', 'and the lane is seen again');
SELECT is(pg_temp.claim(100), 1, 'for one more');
UPDATE work.lane SET max_running = 6;
SELECT is(pg_temp.lane(1), 'due', 'a raised limit shows a full lane');
SELECT is(pg_temp.claim(100), 2, 'and fills it');
UPDATE work.lane SET max_running = 0;
SELECT is(pg_temp.claim(100), 0, 'a limit of 0 claims nothing');

CALL pg_temp.clean();
CALL pg_temp.ready(1, 1, 50);
CALL pg_temp.ready(2, 101); CALL pg_temp.ready(3, 102); CALL pg_temp.ready(4, 103);
SELECT is(pg_temp.run('SELECT count(DISTINCT tenant_id) FROM work.claim(tap.id(900), 8, 2, interval ''1 hour'')'), '4',
	'one claim of eight serves four tenants, however much one of them has');
CALL pg_temp.clean();
CALL pg_temp.ready(1, 1, 50);
UPDATE work.lane SET max_running = 100;
SELECT pg_temp.claim(5, 5) \g /dev/null
CALL pg_temp.ready(2, 101);
SELECT is(pg_temp.run('SELECT tenant_id FROM work.claim(tap.id(900), 1, 1, interval ''1 hour'')'), tap.id(2)::text,
	'who was served last comes last');
CALL pg_temp.clean();
CALL pg_temp.ready(1, 1);
UPDATE work.work SET due_at = clock_timestamp() + interval '1 hour';
SELECT is(pg_temp.claim(10), 0, 'what is not due is not claimed');
SELECT is(pg_temp.lane(1), 'later', 'the lane shows when it will be');
UPDATE work.work SET due_at = clock_timestamp();
UPDATE work.lane SET paused = true;
SELECT is(pg_temp.claim(10), 0, 'a paused lane is not claimed from');
UPDATE work.lane SET paused = false;
UPDATE work.runner SET draining = true;
SELECT is(pg_temp.claim(10), 0, 'a draining runner claims nothing');
UPDATE work.runner SET draining = false, lease_until = clock_timestamp();
SELECT is(pg_temp.claim(10), 0, 'nor does one whose lease is over');
SELECT is(pg_temp.run('SELECT work.runner_beat(tap.id(900), interval ''30 s'', false)'), 'f', 'a beat after expiry is refused');
SELECT is(pg_temp.run('SELECT count(*) FROM work.claim(tap.id(999), 1, 1, interval ''1 hour'')'), '0', 'nor does one that nobody knows');
SELECT pg_temp.run('SELECT work.runner_start(tap.id(902), ''c'', interval ''30 s'')') \g /dev/null
SELECT is(pg_temp.run('SELECT work.runner_beat(tap.id(902), interval ''60 s'', true)'), 't', 'a beat in time is taken');
SELECT ok((SELECT draining AND lease_until > clock_timestamp() + interval '50 s' FROM work.runner WHERE id = tap.id(902)), 'and extends the lease');

-- a successor under the same supervisor knows that who was there before has ended
SELECT pg_temp.run('SELECT work.runner_start(tap.id(903), ''d'', interval ''30 s'', tap.id(1))') \g /dev/null
SELECT pg_temp.run('SELECT work.runner_start(tap.id(904), ''d'', interval ''30 s'', tap.id(2))') \g /dev/null
SELECT pg_temp.run('SELECT work.runner_start(tap.id(905), ''d'', interval ''30 s'', tap.id(1))') \g /dev/null
SELECT is((SELECT array_agg(lease_until > clock_timestamp() ORDER BY id) FROM work.runner WHERE id IN (tap.id(902), tap.id(903), tap.id(904), tap.id(905))),
	'{true,false,true,true}', 'it ends the lease of its own berth alone');

-- enter
CALL pg_temp.clean();
CALL pg_temp.ready(1, 1);
SELECT is(pg_temp.refused('SELECT work.enter(tap.id(1), tap.id(1), 0)'), 'CA409 lost_lease', 'what does not run is not entered');
SELECT pg_temp.claim(1) \g /dev/null
SELECT is(pg_temp.refused('SELECT work.enter(tap.id(1), tap.id(1), 0)'), 'CA409 lost_lease', 'an old token does not enter');
SELECT is(pg_temp.refused('SELECT work.enter(tap.id(2), tap.id(1), 1)'), 'CA409 lost_lease', 'nor another tenant');
SELECT is(pg_temp.refused('SELECT work.enter(tap.id(1), tap.id(1), 1)'), 'accepted', 'the token of the claim does');

-- leaving
SELECT is(pg_temp.release(1, 1, 'park', '1 hour'), 'ready', 'a parked run is ready');
SELECT is(((pg_temp.row(1)).attempt, (pg_temp.row(1)).lease_token)::text, '(0,1)', 'its attempt is given back, its token stays');
SELECT cmp_ok((pg_temp.row(1)).due_at, '>', clock_timestamp() + interval '59 min', 'it is due after its delay');
SELECT is(pg_temp.refused('SELECT work.release(tap.id(1), tap.id(1), 1, ''done'', NULL, NULL)'), 'CA409 lost_lease', 'who left cannot leave again');
UPDATE work.work SET due_at = clock_timestamp();
SELECT pg_temp.claim(1) \g /dev/null
UPDATE work.work SET cancel_requested = true;
SELECT pg_temp.release(1, 1, 'park', '1 hour') \g /dev/null
SELECT is((pg_temp.row(1)).due_at <= clock_timestamp(), true, 'a run that was asked to stop does not wait');
SELECT pg_temp.claim(1) \g /dev/null
SELECT is(pg_temp.refused('SELECT work.release(tap.id(1), tap.id(1), 3, ''parked'', NULL, NULL)'), '22023', 'an unknown outcome is refused');
SELECT is(pg_temp.release(1, 1, 'retry', NULL, 'timeout_total'), 'ready', 'a failed run with attempts left is ready');
SELECT is((pg_temp.row(1)).last_code, 'timeout_total', 'with its code');
CREATE FUNCTION pg_temp.backoff(p_attempt int) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
	most numeric := 0;
	wait_s numeric;
BEGIN
	FOR i IN 1..40 LOOP
		UPDATE work.work SET state = 'running', runner_id = tap.id(900), attempt = p_attempt, max_attempts = 100 WHERE id = tap.id(1);
		PERFORM work.release(tap.id(1), tap.id(1), (pg_temp.row(1)).lease_token, 'retry', NULL, NULL);
		wait_s := extract(epoch FROM (pg_temp.row(1)).due_at - clock_timestamp());
		IF wait_s < -1 THEN RETURN -1; END IF;
		most := greatest(most, wait_s);
	END LOOP;
	RETURN most;
END $$;
SELECT ok(pg_temp.backoff(a) BETWEEN 0.6 * least(21600, 5 * 2 ^ a) AND least(21600, 5 * 2 ^ a),
	format('40 waits after attempt %s are spread up to %s s', a, least(21600, 5 * 2 ^ a))) FROM unnest('{1,3,12,60}'::int[]) a;
UPDATE work.work SET state = 'running', runner_id = tap.id(900), attempt = 12, max_attempts = 12;
SELECT is(pg_temp.release(1, 1, 'retry'), 'dead', 'after the last attempt it is dead');
SELECT is((pg_temp.row(1)).due_at, 'infinity', 'and never due');
UPDATE work.work SET state = 'running', runner_id = tap.id(900), attempt = 3, crashes = 2;
SELECT is(pg_temp.release(1, 1, 'paused', NULL, 'credential_rejected'), 'paused', 'a run that the tenant must mend is paused');
UPDATE work.work SET state = 'running', runner_id = tap.id(900), attempt = 3, crashes = 2;
SELECT is(pg_temp.release(1, 1, 'done'), 'idle', 'a good end is idle');
SELECT is(((pg_temp.row(1)).attempt, (pg_temp.row(1)).crashes)::text, '(0,0)', 'attempts and crashes are forgotten');

-- taking back
CREATE FUNCTION pg_temp.reap() RETURNS text LANGUAGE sql VOLATILE
RETURN pg_temp.run('SELECT r.work_id, r.old_token, r.state, r.code FROM work.reap(100) r ORDER BY 1');
CALL pg_temp.clean();
CALL pg_temp.ready(1, 1, 3);
SELECT pg_temp.claim(3) \g /dev/null
SELECT is(pg_temp.reap(), '', 'what a living runner holds is left alone');
UPDATE work.work SET deadline_at = clock_timestamp() - interval '20 s' WHERE id = tap.id(1);
SELECT is(pg_temp.reap(), '', 'a deadline has 30 s of grace');
UPDATE work.work SET deadline_at = clock_timestamp() - interval '31 s' WHERE id = tap.id(1);
SELECT is(pg_temp.reap(), tap.id(1) || ',1,ready,deadline_passed', 'then the run is taken back');
UPDATE work.work SET runner_id = tap.id(999) WHERE id = tap.id(2);
SELECT is(pg_temp.reap(), tap.id(2) || ',1,ready,runner_lost', 'the run of a runner that nobody knows is');
UPDATE work.runner SET lease_until = clock_timestamp() - interval '1 ms';
SELECT is(pg_temp.reap(), tap.id(3) || ',1,ready,runner_lost', 'that of one whose lease is over is');
SELECT is((SELECT array_agg(DISTINCT ROW(lease_token, attempt, crashes, runner_id)::text) FROM work.work), '{"(2,0,1,)"}',
	'a token higher, the attempt given back, a crash counted');
SELECT cmp_ok((SELECT max(due_at) FROM work.work), '<=', clock_timestamp(), 'and due at once, the first time');
SELECT is(pg_temp.lane(1), 'due', 'the lane knows');
UPDATE work.work SET state = 'running', runner_id = tap.id(999) WHERE id = tap.id(3);
SELECT is(pg_temp.reap(), tap.id(3) || ',2,ready,runner_lost', 'a run that loses its next runner too');
SELECT ok((pg_temp.row(3)).due_at BETWEEN clock_timestamp() + interval '1 s' AND clock_timestamp() + interval '4 s', 'waits for seconds');
UPDATE work.work SET state = 'running', runner_id = tap.id(999), crashes = 4, execution_id = NULL WHERE id = tap.id(1);
UPDATE work.work SET state = 'running', runner_id = tap.id(999), crashes = 5 WHERE id = tap.id(2);
SELECT is(pg_temp.run('SELECT r.work_id, r.state FROM work.reap(9) r ORDER BY 1'), tap.id(1) || ',dead; ' || tap.id(2) || ',ready',
	'after five crashes a run is handed out once more, to write its end; without a run it is dead');
UPDATE work.runner SET lease_until = clock_timestamp() + interval '1 hour';
UPDATE work.work SET due_at = clock_timestamp() WHERE state = 'ready';
SELECT is(pg_temp.run('SELECT crashes FROM work.claim(tap.id(900), 9, 9, interval ''1 h'') WHERE crashes = 5'), '5', 'the claim says so');
SELECT is(pg_temp.release(1, 2, 'dead', NULL, 'runner_lost'), 'dead', 'and the run dies');
UPDATE work.work SET claimed_at = clock_timestamp() - interval '19 s' WHERE id = tap.id(3);
SELECT is(pg_temp.run('SELECT count(*) FROM work.abandon(tap.id(900), ''{}'')'), '0', 'a young claim may be on its way');
UPDATE work.work SET claimed_at = clock_timestamp() - interval '21 s' WHERE id = tap.id(3);
SELECT is(pg_temp.run('SELECT count(*) FROM work.abandon(tap.id(900), ARRAY[tap.id(3)])'), '0', 'what the runner holds stays');
SELECT is(pg_temp.run('SELECT work_id FROM work.abandon(tap.id(900), ''{}'')'), tap.id(3)::text, 'what it lost is given back');
SELECT is(pg_temp.run('SELECT work_id FROM work.claim(tap.id(900), 9, 9, interval ''1 h'') WHERE work_id = tap.id(3)'), tap.id(3)::text,
	'it may be claimed again');
SELECT w.crashes, w.lease_token FROM work.work w WHERE w.id = tap.id(3) \gset was_
SELECT pg_temp.run('SELECT work.runner_stop(tap.id(900))') \g /dev/null
SELECT is((SELECT count(*) FROM work.runner WHERE id = tap.id(900)), 0::bigint, 'a runner that stops is gone');
SELECT is((SELECT format('%s %s %s %s', w.state, w.due_at <= clock_timestamp(), w.last_code, w.crashes) FROM work.work w WHERE w.id = tap.id(3)),
	'ready t runner_stopping ' || :was_crashes, 'what it still held is due at once, and nobody lost it');
SELECT ok((SELECT w.lease_token > :was_lease_token FROM work.work w WHERE w.id = tap.id(3)), 'its token is worth nothing now');

-- hints
CALL pg_temp.clean();
CALL pg_temp.ready(1, 1); CALL pg_temp.ready(2, 2); CALL pg_temp.ready(3, 3);
UPDATE work.lane SET next_due_at = 'infinity';
DELETE FROM work.lane WHERE tenant_id = tap.id(2);
UPDATE work.lane SET max_running = 0 WHERE tenant_id = tap.id(3);
UPDATE work.lane SET next_due_at = 'infinity' WHERE tenant_id = tap.id(3);
SELECT pg_temp.run('SELECT work.sweep()') \g /dev/null
SELECT is(pg_temp.lane(1), 'due', 'the sweep repairs a lost hint');
SELECT is(pg_temp.lane(2), 'due', 'and a lost lane');
SELECT is(pg_temp.lane(3), 'hidden', 'but a full lane stays out of sight');

-- kept answers that nobody renews
CALL pg_temp.clean();
CALL pg_temp.ready(1, 1); CALL pg_temp.ready(2, 2);
INSERT INTO collect.kept_answers (tenant_id, owner_id, key, stored_at, fresh_until, etag, modified, headers, body)
SELECT tap.id(t), tap.id(40), 'k' || i, clock_timestamp() - i * interval '1 day', now(), '', '', '[]', ''
FROM generate_series(1, 2) t, generate_series(5, 11) i;
CREATE FUNCTION pg_temp.kept() RETURNS text LANGUAGE sql VOLATILE RETURN (SELECT string_agg(x.n::text, ' ' ORDER BY x.tenant_id)
	FROM (SELECT k.tenant_id, count(*) AS n FROM collect.kept_answers k GROUP BY k.tenant_id) x);
SELECT is(pg_temp.run('SELECT work.kept_prune(10, 3)'), '6', 'what nobody renewed for a week goes, so many at once');
SELECT is(pg_temp.run('SELECT work.kept_prune(1, 3)'), '2', 'a tenant that has more is seen to again');
SELECT is(pg_temp.kept(), '2 4', 'before the next one');
SELECT is(pg_temp.run('SELECT work.kept_prune(10, 3)'), '2', 'then that one');
SELECT is(pg_temp.kept(), '2 2', 'and what is younger stays');
UPDATE collect.kept_answers SET stored_at = stored_at - interval '8 days';
SELECT is(pg_temp.run('SELECT work.kept_prune(10, 3)'), '0', 'the same day a tenant is not looked at again');
UPDATE work.lane SET kept_looked_at = kept_looked_at - interval '25 hours';
SELECT is(pg_temp.run('SELECT work.kept_prune(10, 3)'), '4', 'the next day it is');

-- a claim reads what is due, not what waits
CALL pg_temp.clean();
INSERT INTO work.work (tenant_id, id, kind, subject_id, state, due_at)
SELECT tap.id(1), tap.id(i), 'call', tap.id(i), CASE WHEN i > 10000 THEN 'idle' ELSE 'ready' END, clock_timestamp() + i * interval '1 hour'
FROM generate_series(0, 20000) i;
VACUUM ANALYZE work.work; -- what is dead must not count
CREATE FUNCTION pg_temp.rows_read() RETURNS bigint LANGUAGE sql VOLATILE -- of this session, not yet reported
RETURN pg_stat_get_xact_tuples_fetched('work.work'::regclass) + pg_stat_get_xact_tuples_returned('work.work'::regclass)
	+ (SELECT sum(pg_stat_get_xact_tuples_fetched(i.indexrelid) + pg_stat_get_xact_tuples_returned(i.indexrelid))
		FROM pg_index i WHERE i.indrelid = 'work.work'::regclass);
BEGIN;
SELECT pg_temp.rows_read() AS before \gset
SELECT pg_temp.claim(10) AS claimed, pg_temp.rows_read() - :before AS rows_read \gset
COMMIT;
SELECT is(:claimed, 1, 'of 10,001 ready runs one is due');
SELECT cmp_ok(:rows_read, '<', 50, 'and of 20,001 rows fewer than 50 are read');

-- rate limits: 10 a second, burst 20
CREATE PROCEDURE pg_temp.later(p_seconds numeric) LANGUAGE sql AS $$
	UPDATE work.bucket SET refilled_at = refilled_at - make_interval(secs => p_seconds),
		throttled_at = throttled_at - make_interval(secs => p_seconds), blocked_until = blocked_until - make_interval(secs => p_seconds) $$;
-- Between two calls no time passes for the bucket, however busy the machine is.
CREATE TABLE pg_temp.last_call (at timestamptz);
INSERT INTO pg_temp.last_call VALUES (clock_timestamp());
CREATE FUNCTION pg_temp.at_once(p_sql text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	past_s numeric;
BEGIN
	SELECT extract(epoch FROM clock_timestamp() - c.at) INTO past_s FROM pg_temp.last_call c;
	CALL pg_temp.later(-past_s);
	UPDATE pg_temp.last_call SET at = clock_timestamp();
	RETURN pg_temp.run(p_sql);
END $$;
CREATE FUNCTION pg_temp.take(n numeric, p_rate numeric DEFAULT 10, p_burst numeric DEFAULT 20) RETURNS numeric LANGUAGE sql VOLATILE
RETURN round(pg_temp.at_once(format('SELECT work.take(tap.id(1), ''shop'', %s, %s, %s)', n, p_rate, p_burst))::numeric, 1);
CREATE FUNCTION pg_temp.throttle(p_seconds text) RETURNS text LANGUAGE sql VOLATILE
RETURN pg_temp.at_once(format('SELECT work.throttle(tap.id(1), ''shop'', %s, 10, 20)', p_seconds));
SELECT is(pg_temp.take(20), 0.0, 'a new bucket is full');
SELECT is(pg_temp.take(5), 0.5, 'then one waits for the rate');
CALL pg_temp.later(1);
SELECT is(pg_temp.take(10), 0.0, 'a second later a second''s worth is there');
CALL pg_temp.later(3600);
SELECT is(pg_temp.take(20), 0.0, 'never more than the burst');
SELECT is(pg_temp.take(1), 0.1, 'however long it was');
CALL pg_temp.later(-5);
SELECT is(pg_temp.take(1), 0.1, 'a clock that goes back costs nothing');
CALL pg_temp.later(3600);
SELECT is(pg_temp.take(30), 0.0, 'more than the burst is granted by a full bucket');
SELECT is(pg_temp.take(1), 1.1, 'and then paid back');
CALL pg_temp.later(10);
SELECT is(pg_temp.take(100, 50, 100), 0.0, 'a raised limit counts at once');
SELECT pg_temp.throttle('120') \g /dev/null
SELECT is(pg_temp.take(1), 120.0, 'a refusal by the service blocks for as long as it said');
SELECT pg_temp.throttle('5') FROM generate_series(1, 20) \g /dev/null
SELECT is((SELECT round(rate::numeric, 2) FROM work.bucket), 7.00, 'refusals of requests sent together lower the pace once');
CALL pg_temp.later(120);
SELECT is(pg_temp.take(1), 0.0, 'when the block is over, one goes first');
SELECT is(pg_temp.take(7), 1.0, 'the others wait at the lower pace');
CALL pg_temp.later(240);
SELECT is(pg_temp.take(20), 0.0, 'after four minutes');
SELECT is(pg_temp.take(9), 1.0, 'the pace has come back by a fifth');
CALL pg_temp.later(600);
SELECT pg_temp.take(20) \g /dev/null
SELECT is(pg_temp.take(10), 1.0, 'and then wholly, not more');
SELECT pg_temp.throttle(s) FROM unnest('{-5,0}'::text[]) s \g /dev/null
SELECT is(pg_temp.take(1), 1.0, 'the least block is a second');
SELECT pg_temp.throttle('9e11') \g /dev/null
SELECT is(pg_temp.take(1), 86400.0, 'the longest a day');

-- one host over all tenants
CREATE FUNCTION pg_temp.both(p_tenant int, p_n numeric, p_host_rate numeric) RETURNS numeric LANGUAGE sql VOLATILE
RETURN round(pg_temp.run(format('SELECT work.take_both(tap.id(%s), ''host'', %s, 10, 20, %s)', p_tenant, p_n, p_host_rate))::numeric, 1);
SELECT is(pg_temp.both(1, 20, 25), 0.0, 'the host has room for the first tenant');
SELECT is(pg_temp.both(2, 10, 25), 0.2, 'a second tenant waits for the host, though its own bucket is full');
SELECT is((SELECT tokens FROM work.bucket WHERE tenant_id = tap.id(2) AND service = 'host'), NULL, 'and its own bucket was not asked');
SELECT is(pg_temp.both(1, 5, 25), 0.5, 'a tenant past its own limit waits for that');
SELECT ok((SELECT tokens >= 5 FROM work.bucket WHERE tenant_id <> tap.id(1) AND service = 'host'), 'what the host had granted is given back');
SELECT is(pg_temp.both(3, 20, 0), 0.0, 'without a limit for the host only the tenant''s own counts');

-- runs at once that talk to one service
CALL pg_temp.clean();
CALL pg_temp.ready(1, 1, 2);
CALL pg_temp.ready(2, 11, 2);
SELECT is(pg_temp.claim(20), 4, 'four runs of two tenants are claimed');
CREATE FUNCTION pg_temp.enter_service(p_tenant int, p_id int, p_token text DEFAULT '(SELECT lease_token FROM work.work WHERE id = tap.id(%s))')
RETURNS text LANGUAGE sql VOLATILE RETURN format('SELECT work.service_enter(tap.id(%s), tap.id(%s), ' || p_token || ', ''host'', 2)', p_tenant, p_id, p_id);
SELECT is(pg_temp.run(pg_temp.enter_service(1, 1)), 't', 'the first finds a place at the service');
SELECT is(pg_temp.run(pg_temp.enter_service(1, 1)), 't', 'and keeps it when it asks again');
SELECT is(pg_temp.run(pg_temp.enter_service(2, 11)), 't', 'so does the second, of another tenant');
SELECT is(pg_temp.run(pg_temp.enter_service(2, 12)), 'f', 'the third finds it full');
SELECT pg_temp.release(1, 1, 'done') \g /dev/null
SELECT is(pg_temp.run(pg_temp.enter_service(2, 12)), 't', 'a run that ended leaves its place');
SELECT pg_temp.release(2, 12, 'park', '-1 second') \g /dev/null
SELECT is(pg_temp.claim(20), 1, 'a parked run is claimed again');
SELECT is((pg_temp.row(12)).service, NULL, 'and holds no place until it enters anew');
SELECT * FROM finish();
