-- Asking for runs and stopping them; what a runner writes: begin, pages, waits, ends; the counts.
SET search_path = tap, pg_catalog;
SET client_min_messages = warning;
CALL tap.two_tenants();
CALL tap.installations();
SELECT no_plan();

CREATE FUNCTION pg_temp.web(p_sql text, p_role text DEFAULT 'catchment_web') RETURNS text LANGUAGE sql VOLATILE
RETURN tap.ask(p_role, tap.id(1), p_sql, tap.id(11));
CREATE FUNCTION pg_temp.refused(p_sql text) RETURNS text LANGUAGE sql VOLATILE
RETURN tap.refusal('catchment_web', tap.id(1), p_sql, tap.id(11));
CREATE FUNCTION pg_temp.ask(p_pipelines text, p_role text DEFAULT 'catchment_web') RETURNS text LANGUAGE sql VOLATILE
RETURN pg_temp.web(format('SELECT string_agg(is_new::text, ''+'') FROM collect.request_runs(tap.id(101), (SELECT json_agg(json_build_object('
	'''id'', p, ''name'', upper(p), ''stream'', ''s_'' || p, ''strategy'', ''full-sync'')) FROM unnest(string_to_array(%L, '','')) p), ''manual'', NULL)',
	p_pipelines), p_role);

-- asking
SELECT is(tap.refusal('catchment_web', tap.id(1), $$SELECT collect.request_runs(tap.id(102), '[]', 'manual', NULL)$$), 'CA404 not_found',
	'another tenant''s installation is not there');
UPDATE collect.collector_instances SET is_active = false WHERE id = tap.id(101);
SELECT is(pg_temp.refused($$SELECT collect.request_runs(tap.id(101), '[]', 'manual', NULL)$$), 'CA409 instance_inactive', 'an inactive installation does not run');
UPDATE collect.collector_instances SET is_active = true WHERE id = tap.id(101);
SELECT is(pg_temp.web($$SELECT count(*) FROM collect.request_runs(tap.id(101),
	collect.release_pipelines(tap.release_document(), 'no such'), 'manual', NULL)$$), '0', 'an unknown pipeline makes no run');
SELECT is(pg_temp.ask('p1,p2'), 'true+true', 'the first ask makes a run of each pipeline');
SELECT is(pg_temp.ask('p2,p1'), 'false+false', 'the second answers with these');
SELECT is((SELECT count(*) || ' ' || count(DISTINCT w.execution_id) FROM work.work w JOIN collect.collector_executions x
	ON x.id = w.execution_id AND x.subject_id = w.subject_id WHERE w.state = 'ready' AND x.state = 'pending'), '2 2', 'each has its work, due now');
SELECT is((SELECT next_due_at <= clock_timestamp() FROM work.lane WHERE tenant_id = tap.id(1)), true, 'and the lane knows');
SELECT is((SELECT total_executions FROM collect.collector_instances WHERE id = tap.id(101)), 2::bigint, 'two executions are counted, not four');
SELECT is(pg_temp.ask('p1,p3', 'catchment_trial'), 'false+true', 'a trial may ask, too');

-- the runner's side
INSERT INTO work.runner (id, host, lease_until) VALUES (tap.id(900), 'a', clock_timestamp() + interval '1 hour');
CREATE TEMPORARY TABLE held (pipeline text, tenant uuid, work uuid, subject uuid, execution uuid, token bigint, stream uuid);
CREATE PROCEDURE pg_temp.claim() LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM held;
	INSERT INTO held SELECT g.pipeline_id, c.tenant_id, c.work_id, c.subject_id, c.execution_id, c.lease_token, g.stream_id
	FROM work.claim(tap.id(900), 10, 10, interval '1 hour') c JOIN collect.progress g ON g.subject_id = c.subject_id;
END $$;
-- runs a statement as the runner inside a claimed run; $1.. are written :work, :subject, ...
CREATE FUNCTION pg_temp.filled(p_pipeline text, p_sql text) RETURNS text LANGUAGE sql STABLE
RETURN (SELECT replace(replace(replace(replace(p_sql, ':subject', quote_literal(subject) || '::uuid'), ':execution', quote_literal(execution) || '::uuid'),
	':token', token::text), ':stream', quote_literal(stream) || '::uuid') FROM held WHERE pipeline = p_pipeline);
CREATE FUNCTION pg_temp.enter(p_pipeline text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	h held;
BEGIN
	SELECT * INTO h FROM held WHERE pipeline = p_pipeline;
	PERFORM work.enter(h.tenant, h.work, h.token);
END $$;
CREATE FUNCTION pg_temp.run(p_pipeline text, p_sql text) RETURNS text LANGUAGE sql VOLATILE
RETURN tap.ask('catchment_run', tap.id(1), pg_temp.filled(p_pipeline, p_sql));
CREATE FUNCTION pg_temp.run_refused(p_pipeline text, p_sql text) RETURNS text LANGUAGE sql VOLATILE
RETURN tap.refusal('catchment_run', tap.id(1), pg_temp.filled(p_pipeline, p_sql));
-- a page of "key=value" words; of one key there is one
CREATE FUNCTION pg_temp.page(p_pipeline text, p_words text, p_seq bigint, p_look boolean DEFAULT true) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
BEGIN
	PERFORM pg_temp.run(p_pipeline, format('SELECT collect.page_begin(:subject, :token, %s, 1, ''state'')', p_seq));
	SELECT pg_temp.run(p_pipeline, format('SELECT m.fresh[1], m.changed[1], collect.page_end(:execution, :stream, %1$s, 1, ARRAY[%2$s]::bigint[], ''{0}'', m.fresh,'
		' m.changed, m.back, %3$L::bigint[], ARRAY[%2$s]::bigint[], ''{"requests": 1, "retries": 0, "bytes": 10, "waitedMs": 3, "filtered": 2, "duplicates": 0}'')'
		' FROM collect.page_write(:stream, %1$s, 1, %4$L, array_fill(%1$s::bigint, ARRAY[%2$s]), %5$L::text[], %3$L::bigint[], %6$L::bytea[], %7$L::json[]) m',
		p_seq + 1, count(*), array_agg(hashtext(k)), p_look, array_agg(k), array_agg(convert_to(v, 'UTF8')), array_agg(to_json(v)))) INTO answer
	FROM (SELECT split_part(w, '=', 1), split_part(w, '=', 2) FROM regexp_split_to_table(p_words, ' ') w) t (k, v);
	RETURN regexp_replace(answer, '0$', '') || (SELECT record_count FROM collect.streams s JOIN held h ON h.stream = s.id WHERE h.pipeline = p_pipeline)::text;
END $$;
CREATE FUNCTION pg_temp.finish(p_pipeline text, p_seq bigint, p_vanish bool DEFAULT true) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
BEGIN
	answer := pg_temp.run(p_pipeline, format('SELECT collect.run_end(:subject, :execution, :stream, :token, %s, ''success'', '''', '''', ''no_more'', ''c9'', %L,'
		'''{"requests": 1, "retries": 2, "bytes": 3, "waitedMs": 4}'')', p_seq, p_vanish));
	PERFORM work.release(h.tenant, h.work, h.token, 'done', NULL, NULL) FROM held h WHERE h.pipeline = p_pipeline;
	RETURN answer || ' ' || (SELECT record_count FROM collect.streams s JOIN held h ON h.stream = s.id WHERE h.pipeline = p_pipeline);
END $$;
CREATE FUNCTION pg_temp.alive() RETURNS bool LANGUAGE sql VOLATILE RETURN (SELECT bool_and(s.record_count = (SELECT count(*) FROM collect.records r
	WHERE r.stream_id = s.id AND r.vanished_at IS NULL)) FROM collect.streams s);

CALL pg_temp.claim();
SELECT is((SELECT count(*) FROM held), 3::bigint, 'a runner claims the runs');
SELECT is(pg_temp.run('p1', 'SELECT pipeline_id, seq, state, cursor_value, cancel_requested, resumed FROM collect.run_begin(:subject, :execution, :token)'),
	'p1,0,"","",f,f', 'a first run begins at the beginning');
SELECT is((SELECT x.state || x.attempts FROM collect.collector_executions x JOIN held h ON h.execution = x.id WHERE pipeline = 'p1'), 'running1', 'and is running');
SELECT is(pg_temp.page('p1', 'a=1 b=1 c=1', 0), '3,0,3', 'three new records');
SELECT is(pg_temp.run_refused('p1', 'SELECT collect.page_begin(:subject, :token, 0, 1, '''')'), 'CA409 stale_cursor', 'the same page again is refused');
SELECT is(pg_temp.run_refused('p1', 'SELECT collect.page_begin(:subject, :token, 2, 1, '''')'), 'CA409 stale_cursor', 'so is one too far');
SELECT is(pg_temp.run_refused('p1', 'SELECT collect.page_begin(:subject, :token - 1, 1, 1, '''')'), 'CA409 stale_cursor', 'and an older fence');
SELECT is(pg_temp.run_refused('p1', 'SELECT collect.run_begin(:subject, :execution, :token - 1)'), 'CA409 stale_cursor', 'which does not begin either');
SELECT is(pg_temp.run_refused('p1', 'SELECT collect.page_begin(:subject, :token, 1, 1, repeat(''ä'', 32769))'), '23514', 'a state has 64 KiB, not letters');
SELECT is(pg_temp.page('p1', 'a=1 d=2', 1, false), '1,0,4', 'one more, and one that is there already, without a look before');
SELECT is((SELECT data::text || seq FROM collect.records WHERE record_key = 'd'), '"2"2', 'is written');
SELECT xmin AS before FROM collect.records WHERE record_key = 'a' \gset
SELECT is(pg_temp.page('p1', 'a=1 b=2', 2), '0,1,4', 'what has changed is written');
SELECT is((SELECT xmin::text FROM collect.records WHERE record_key = 'a'), :'before'::text, 'what has not is not');
SELECT is((SELECT ROW(pages, requests, records_processed, records_new, records_changed, records_unchanged, records_filtered)::text
	FROM collect.collector_executions x JOIN held h ON h.execution = x.id WHERE pipeline = 'p1'), '(3,3,7,4,1,2,6)', 'the run counts');
SELECT is((SELECT array_agg(seq || ':' || kept || fresh || changed ORDER BY seq) FROM collect.ledger), '{1:330,2:210,3:201}', 'the ledger has each page');

-- a runner that is silent, then lost
PREPARE why AS SELECT pg_temp.web($$SELECT collect.execution_doc(x) -> 'waiting' ->> 'code' FROM collect.collector_executions x WHERE state = 'running' AND pipeline_id = 'p1'$$);
SELECT is(pg_temp.web($$SELECT (collect.execution_doc(x) ->> 'waiting') IS NULL FROM collect.collector_executions x WHERE state = 'running' AND pipeline_id = 'p1'$$),
	't', 'a run whose runner is heard of waits for nothing');
UPDATE work.runner SET lease_until = clock_timestamp() + interval '14 seconds' WHERE id = tap.id(900);
SELECT results_eq('why', ARRAY['runner_silent'], 'one whose runner has missed a beat says so');
UPDATE work.work w SET state = 'ready', runner_id = NULL, last_code = 'runner_lost' FROM held h WHERE w.id = h.work AND pipeline = 'p1';
SELECT results_eq('why', ARRAY['runner_lost'], 'and one that another runner may take');
UPDATE work.work w SET state = 'running', runner_id = tap.id(900), last_code = NULL FROM held h WHERE w.id = h.work AND pipeline = 'p1';
UPDATE work.runner SET lease_until = clock_timestamp() + interval '1 hour' WHERE id = tap.id(900);

-- wait, go on under a new claim
SELECT pg_temp.run('p1', $$SELECT collect.run_wait(:execution, 'upstream_rate_limited', 'Wait', clock_timestamp() + interval '10 s',
	'{"requests": 1, "retries": 1, "bytes": 0, "waitedMs": 0}')$$) \g /dev/null
SELECT is((SELECT x.state || ' ' || wait_code || ' ' || requests || ' ' || (waited_ms BETWEEN 9009 AND 10009) FROM collect.collector_executions x JOIN held h
	ON h.execution = x.id WHERE pipeline = 'p1'), 'waiting upstream_rate_limited 4 true', 'a waiting run says why');
SELECT is(pg_temp.web($$SELECT collect.execution_doc(x) ->> 'status' FROM collect.collector_executions x WHERE state = 'waiting'$$), 'Running', 'and shows as running');
SELECT work.release(tenant, work, token, 'park', '0', NULL) FROM held \g /dev/null
SELECT is(pg_temp.ask('p1'), 'false', 'asking for a waiting run answers with it');
CALL pg_temp.claim();
SELECT is(pg_temp.run('p1', 'SELECT seq, state, resumed FROM collect.run_begin(:subject, :execution, :token)'), '3,state,t', 'a resumed run gets its state');
SELECT is((SELECT wait_code FROM collect.collector_executions x JOIN held h ON h.execution = x.id WHERE pipeline = 'p1'), NULL, 'and waits no more');
SELECT is(pg_temp.finish('p1', 3), '0 4', 'a good end; all records were met');
SELECT is((SELECT ROW(g.state, g.cursor_value, g.seq, g.execution_id)::text FROM collect.progress g JOIN held h ON h.subject = g.subject_id WHERE pipeline = 'p1'),
	'("",c9,4,)', 'the state is empty, the cursor kept');
SELECT is((SELECT ROW(x.state, stop_reason, requests, retries, duration_ms >= 0, waited_ms BETWEEN 9013 AND 10013)::text FROM collect.collector_executions x JOIN held h ON h.execution = x.id
	WHERE pipeline = 'p1'), '(success,no_more,5,3,t,t)', 'the run has ended; what its pages waited counts too');
SELECT is((SELECT ROW(successful_executions, failed_executions, last_successful_execution_at IS NOT NULL)::text FROM collect.collector_instances WHERE id = tap.id(101)),
	'(1,0,t)', 'the installation counts it');
SELECT is(pg_temp.run_refused('p1', 'SELECT collect.run_begin(:subject, :execution, :token)'), 'CA409 execution_ended', 'an ended run does not begin again');

-- vanish and return
SELECT is(pg_temp.ask('p1'), 'true', 'after the end a new run is made');
CALL pg_temp.claim();
SELECT pg_temp.run('p1', 'SELECT seq FROM collect.run_begin(:subject, :execution, :token)') AS seq \gset
SELECT is(pg_temp.page('p1', 'a=1', :seq), '0,0,4', 'a pass that meets one record');
SELECT is(pg_temp.finish('p1', :seq + 1), '3 1', 'marks the others as vanished');
SELECT is((SELECT records_vanished FROM collect.collector_executions x JOIN held h ON h.execution = x.id WHERE pipeline = 'p1'), 3::bigint, 'and counts them');
SELECT pg_temp.ask('p1') \g /dev/null
CALL pg_temp.claim();
SELECT pg_temp.run('p1', 'SELECT seq FROM collect.run_begin(:subject, :execution, :token)') AS seq \gset
SELECT is(pg_temp.page('p1', 'b=2 c=9 e=1', :seq, false), '1,2,4', 'who returns is changed, not new, and counts again');
INSERT INTO collect.quarantine (tenant_id, stream_id, execution_id, page, slug, why, bytes) SELECT tenant, stream, execution, 1, 'x', 'y', '\x00' FROM held WHERE pipeline = 'p1';
SELECT is(pg_temp.finish('p1', :seq + 1), '0 4', 'with a record quarantined without its key nothing vanishes');
SELECT pg_temp.ask('p1') \g /dev/null
CALL pg_temp.claim();
SELECT pg_temp.run('p1', 'SELECT seq FROM collect.run_begin(:subject, :execution, :token)') AS seq \gset
SELECT is(pg_temp.finish('p1', :seq, false), '0 4', 'an incomplete pass marks nothing');
SELECT pg_temp.ask('p1') \g /dev/null
CALL pg_temp.claim();
SELECT pg_temp.run('p1', 'SELECT seq FROM collect.run_begin(:subject, :execution, :token)') AS seq \gset
SELECT pg_temp.page('p1', 'b=2 c=9 e=1', :seq) \g /dev/null
UPDATE collect.ledger l SET id = util.uuid_v7(now() - interval '40 days') FROM held h WHERE h.execution = l.execution_id AND h.pipeline = 'p1';
SELECT is(pg_temp.finish('p1', :seq + 1), '1 3', 'what was met counts as met, though the clock was set back by a month meanwhile');
SELECT pg_temp.ask('p1') \g /dev/null
CALL pg_temp.claim();
SELECT pg_temp.run('p1', 'SELECT seq FROM collect.run_begin(:subject, :execution, :token)') AS seq \gset
SELECT pg_temp.page('p1', 'b=2', :seq) \g /dev/null
DELETE FROM collect.ledger l USING held h WHERE h.execution = l.execution_id AND h.pipeline = 'p1';
SELECT is(pg_temp.finish('p1', :seq + 1), '0 3', 'where a page is missing from the ledger nothing vanishes');
SELECT ok(pg_temp.alive(), 'the counts of all streams are those of their records');

-- as much was met as is there: no record is looked at, or this one would be missed
SELECT pg_temp.ask('p1') \g /dev/null
CALL pg_temp.claim();
SELECT pg_temp.run('p1', 'SELECT seq FROM collect.run_begin(:subject, :execution, :token)') AS seq \gset
SELECT pg_temp.page('p1', 'b=2 c=9 e=1', :seq) \g /dev/null
UPDATE collect.records SET key_hash = key_hash + 1 WHERE record_key = 'b';
SELECT is(pg_temp.finish('p1', :seq + 1), '0 3', 'a pass that meets everything looks at no record');
UPDATE collect.records SET key_hash = key_hash - 1 WHERE record_key = 'b';
SELECT pg_temp.ask('p1') \g /dev/null
CALL pg_temp.claim();
SELECT pg_temp.run('p1', 'SELECT seq FROM collect.run_begin(:subject, :execution, :token)') AS seq \gset
SELECT pg_temp.page('p1', 'b=2 c=9', :seq) \g /dev/null
SELECT pg_temp.run('p1', format('SELECT collect.page_begin(:subject, :token, %s, 2, '''', true)', :seq + 1)) \g /dev/null
SELECT is(pg_temp.run('p1', format($$SELECT collect.page_end(:execution, :stream, %1$s, 2, '{1}', '{0}', m.fresh, m.changed, m.back,
	ARRAY[hashtext('f')]::bigint[], '{1}', '{"requests": 1, "retries": 0, "bytes": 1, "waitedMs": 0}', 'success', '', '', 'no_more', true)
	FROM collect.page_write(:stream, %1$s, 1, true, ARRAY[%1$s::bigint], '{f}', ARRAY[hashtext('f')]::bigint[], '{"\\x31"}', '{1}') m$$, :seq + 2)),
	'1', 'one that is new in the last commit does not stand for one that was not met');
SELECT work.release(tenant, work, token, 'done', NULL, NULL) FROM held WHERE pipeline = 'p1' \g /dev/null
SELECT ok(pg_temp.alive(), 'and the counts are still those of the records');

-- a page that is the last one
SELECT pg_temp.ask('p1') \g /dev/null
CALL pg_temp.claim();
SELECT pg_temp.run('p1', 'SELECT seq FROM collect.run_begin(:subject, :execution, :token)') AS seq \gset
SELECT pg_temp.run('p1', format('SELECT collect.page_begin(:subject, :token, %s, 2, '''', true, ''c10'')', :'seq')) \g /dev/null
SELECT is(pg_temp.run('p1', format($$SELECT collect.page_end(:execution, :stream, %s, 1, '{2}', '{1}', '{0}', '{0}', 0, '{1,2}', '{2}',
	'{"requests": 1, "retries": 0, "bytes": 10, "waitedMs": 0, "filtered": 0, "duplicates": 0}', 'success', '', '', 'no_more', true)$$, :seq + 1)), '3', 'a page may be the last one, and mark what it has not shown');
SELECT is((SELECT ROW(g.state, g.cursor_value, g.seq - :seq, g.execution_id)::text FROM collect.progress g JOIN held h ON h.subject = g.subject_id WHERE pipeline = 'p1'),
	'("",c10,2,)', 'then progress is that of an end');
SELECT is((SELECT ROW(x.state, error_code, stop_reason, pages, records_processed, records_quarantined, completed_at IS NOT NULL)::text
	FROM collect.collector_executions x JOIN held h ON h.execution = x.id WHERE pipeline = 'p1'), '(partial,records_quarantined,no_more,1,2,1,t)',
	'the run has ended, and what that page set aside counts');
UPDATE work.lane SET next_due_at = 'infinity';
SELECT work.release(tenant, work, token, 'done', NULL, NULL) FROM held WHERE pipeline = 'p1' \g /dev/null
SELECT is((SELECT next_due_at <= clock_timestamp() FROM work.lane WHERE tenant_id = tap.id(1)), true, 'who leaves running shows its lane again');

-- stopping
SELECT is(pg_temp.refused('SELECT collect.request_cancel(tap.id(1))'), 'CA404 not_found', 'an unknown run is not stopped');
SELECT is(pg_temp.refused(format('SELECT collect.request_cancel(%L)', execution)), 'CA409 already_ended', 'an ended run neither') FROM held WHERE pipeline = 'p1';
SELECT pg_temp.ask('p1') \g /dev/null
SELECT id AS pending FROM collect.collector_executions WHERE state = 'pending' AND pipeline_id = 'p1' \gset
SELECT is(tap.refusal('catchment_web', tap.id(2), format('SELECT collect.request_cancel(%L)', :'pending')), 'CA404 not_found', 'another tenant''s is not there');
SELECT is(pg_temp.web(format('SELECT collect.request_cancel(%L)', :'pending')), 'Cancelled', 'a pending run is cancelled at once');
SELECT is((SELECT ROW(w.state, w.due_at, x.state, x.cancel_requested)::text FROM collect.collector_executions x JOIN work.work w USING (subject_id) WHERE x.id = :'pending'),
	'(idle,infinity,cancelled,t)', 'its work is idle');
SELECT is(pg_temp.ask('p1'), 'true', 'it can be asked for again');
CALL pg_temp.claim();
SELECT is(pg_temp.web(format('SELECT collect.request_cancel(%L)', execution)), 'Running', 'a running one is asked to stop') FROM held WHERE pipeline = 'p1';
SELECT is(pg_temp.web(format('SELECT collect.request_cancel(%L)', execution)), 'Running', 'twice does no harm') FROM held WHERE pipeline = 'p1';
SELECT ok(cancel_requested, 'the runner sees it in the table') FROM work.work JOIN held ON work = id WHERE pipeline = 'p1';
SELECT is((SELECT state || cancel_requested FROM collect.collector_executions JOIN held ON execution = id WHERE pipeline = 'p1'), 'pendingtrue', 'the run goes on until its next page');
SELECT pg_temp.run('p1', 'SELECT seq FROM collect.run_begin(:subject, :execution, :token)') \g /dev/null
SELECT pg_temp.run('p1', $$SELECT collect.run_wait(:execution, 'x', 'y', clock_timestamp() + interval '1 hour', '{"requests":0,"retries":0,"bytes":0,"waitedMs":0}')$$) \g /dev/null
SELECT work.release(tenant, work, token, 'park', '1 hour', NULL) FROM held WHERE pipeline = 'p1' \g /dev/null
SELECT cmp_ok(due_at, '<=', clock_timestamp(), 'parked meanwhile, it is due at once') FROM work.work JOIN held ON work = id WHERE pipeline = 'p1';
CALL pg_temp.claim();
SELECT is(pg_temp.run('p1', 'SELECT cancel_requested FROM collect.run_begin(:subject, :execution, :token)'), 't', 'and who claims it is told');
SELECT work.release(tenant, work, token, 'park', '1 hour', NULL) FROM held WHERE pipeline = 'p1' \g /dev/null
UPDATE collect.collector_executions SET state = 'waiting', wait_code = 'x', wait_message = 'y', wait_until = now() WHERE id = (SELECT execution FROM held WHERE pipeline = 'p1');
SELECT is(pg_temp.web(format('SELECT collect.request_cancel(%L)', execution)), 'Cancelled', 'a waiting run is cancelled at once') FROM held WHERE pipeline = 'p1';
SELECT is(pg_temp.run_refused('p1', 'SELECT collect.page_begin(:subject, :token, (SELECT seq - 1 FROM collect.progress WHERE subject_id = :subject), 1, '''')'),
	'CA409 stale_cursor', 'whoever held it before writes no page any more');
UPDATE work.work SET state = 'running', runner_id = tap.id(900) WHERE id = (SELECT work FROM held WHERE pipeline = 'p1');
SELECT is(pg_temp.refused($$SELECT collect.request_runs(tap.id(101), '[{"id":"p1","name":"P1","stream":"s_p1","strategy":"full-sync"}]', 'manual', NULL)$$),
	'CA409 run_ending', 'no run is made that nobody would claim');
SELECT is(pg_temp.refused('SELECT collect.instance_erase(tap.id(101))'), 'CA409 instance_running', 'an installation that runs is not erased');
UPDATE work.work SET state = 'idle', runner_id = NULL;
SELECT is(pg_temp.refused('SELECT collect.instance_erase(tap.id(102))'), 'CA404 not_found', 'nor another tenant''s');
SELECT pg_temp.web('SELECT collect.instance_erase(tap.id(101))') \g /dev/null
SELECT is((SELECT array_agg(n) FROM (SELECT count(*) FROM collect.records UNION ALL SELECT count(*) FROM collect.streams UNION ALL SELECT count(*) FROM collect.progress
	UNION ALL SELECT count(*) FROM collect.collector_executions UNION ALL SELECT count(*) FROM collect.ledger UNION ALL SELECT count(*) FROM collect.quarantine
	UNION ALL SELECT count(*) FROM work.work WHERE tenant_id = tap.id(1)) AS t (n)), '{0,0,0,0,0,0,0}'::bigint[], 'erased, nothing of it is left');
SELECT * FROM finish();
