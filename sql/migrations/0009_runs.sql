-- Asking for runs, and what a runner writes: begin, page, park, end. All of them run with the rights
-- of their caller, inside the tenant that identity.enter or work.enter has opened.
SET LOCAL ROLE catchment_owner;

-- Why a run that was asked for has not begun.
CREATE FUNCTION collect.queue_doc(p_tenant uuid) RETURNS json
LANGUAGE sql STABLE
RETURN (SELECT CASE WHEN q.running >= q.most
	THEN json_build_object('code', 'workspace_limit', 'message', format(
		'%s runs of this workspace are under way, and it may have %s at once; this one follows.',
		q.running, q.most), 'until', NULL)
	ELSE json_build_object('code', 'queued', 'message', 'It begins as soon as a runner takes it.',
		'until', NULL) END
	FROM (SELECT (SELECT count(*) FROM work.work w WHERE w.tenant_id = p_tenant AND w.state = 'running') AS running,
		coalesce((SELECT l.max_running FROM work.lane l WHERE l.tenant_id = p_tenant), 4) AS most) q);

-- One execution as every answer shows it. Statuses are spelled as the API spells them; waiting shows
-- as Running with its reason.
CREATE FUNCTION collect.execution_doc(x collect.collector_executions) RETURNS json
LANGUAGE sql STABLE SET search_path = pg_catalog
RETURN json_build_object(
	'executionId', x.id, 'instanceId', x.collector_instance_id, 'pipelineId', x.pipeline_id,
	'pipelineName', x.pipeline_name, 'releaseVersion', x.release_version, 'trigger', x.trigger,
	'status', CASE x.state WHEN 'waiting' THEN 'Running' ELSE initcap(x.state) END,
	'waiting', CASE x.state
		WHEN 'waiting' THEN json_build_object('code', x.wait_code, 'message', x.wait_message,
			'until', util.utc(x.wait_until))
		WHEN 'pending' THEN collect.queue_doc(x.tenant_id) END,
	'createdAt', util.utc(x.created_at), 'startedAt', util.utc(x.started_at),
	'completedAt', util.utc(x.completed_at), 'durationMs', x.duration_ms,
	'recordsProcessed', x.records_processed, 'recordsNew', x.records_new,
	'recordsChanged', x.records_changed, 'recordsUnchanged', x.records_unchanged,
	'recordsVanished', x.records_vanished, 'recordsFiltered', x.records_filtered,
	'recordsDuplicate', x.records_duplicate, 'recordsQuarantined', x.records_quarantined,
	'pages', x.pages, 'requests', x.requests, 'retries', x.retries, 'bytes', x.bytes,
	'waitedMs', x.waited_ms, 'attempts', x.attempts, 'stopReason', x.stop_reason,
	'cancelRequested', x.cancel_requested, 'retryOf', x.retry_of,
	'error', CASE WHEN x.error_code IS NOT NULL THEN json_build_object('code', x.error_code,
		'message', x.error_message) END);

-- Streams and progress of an installation's pipelines, made at the first run, then locked with their
-- work rows: two requests for one subject, a first one too, come one after the other.
CREATE FUNCTION collect.subjects_make(p_tenant uuid, p_instance uuid, p_pipelines json) RETURNS void
LANGUAGE sql SET search_path = pg_catalog
BEGIN ATOMIC
	INSERT INTO collect.streams (tenant_id, id, instance_id, pipeline_id, name, strategy)
	SELECT p_tenant, util.uuid_v7(), p_instance, x.id, x.stream, x.strategy
	FROM json_to_recordset(p_pipelines) AS x (id text, stream text, strategy text) ORDER BY x.id
	ON CONFLICT (tenant_id, instance_id, pipeline_id, name) DO NOTHING;
	INSERT INTO collect.progress (tenant_id, subject_id, kind, instance_id, pipeline_id, stream_id)
	SELECT p_tenant, util.uuid_v7(), 'pipeline', p_instance, x.id, s.id
	FROM json_to_recordset(p_pipelines) AS x (id text, stream text)
	JOIN collect.streams s ON s.tenant_id = p_tenant AND s.instance_id = p_instance
		AND s.pipeline_id = x.id AND s.name = x.stream
	ORDER BY x.id ON CONFLICT (tenant_id, instance_id, pipeline_id) DO NOTHING;
	SELECT FROM work.work w
	JOIN collect.progress g ON g.tenant_id = w.tenant_id AND g.subject_id = w.subject_id
	WHERE g.tenant_id = p_tenant AND g.instance_id = p_instance AND w.kind = 'pipeline'
		AND g.pipeline_id IN (SELECT x ->> 'id' FROM json_array_elements(p_pipelines) x)
	ORDER BY w.subject_id FOR NO KEY UPDATE OF w;
	SELECT FROM collect.progress g
	WHERE g.tenant_id = p_tenant AND g.instance_id = p_instance
		AND g.pipeline_id IN (SELECT x ->> 'id' FROM json_array_elements(p_pipelines) x)
	ORDER BY g.subject_id FOR UPDATE;
END;

-- Asks for a run of each pipeline of an instance (or of one). A subject that is being run already
-- answers with that run: asking twice makes one run. p_pipelines: [{"id","name","stream","strategy"}]
-- of the installed release, in order.
-- Locks are taken in one order by everybody, or they would wait for each other: work rows (all that are
-- needed, by subject), the lane or these subjects' rows, the installation's counters last.
CREATE FUNCTION collect.request_runs(p_instance uuid, p_pipelines json, p_trigger text, p_retry_of uuid)
RETURNS TABLE (execution_id uuid, is_new boolean)
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
	i record;
	p record;
	live uuid;
	subjects uuid[] := '{}';
	executions uuid[] := '{}';
	asked int := 0;
BEGIN
	SELECT * INTO i FROM collect.collector_instances c
	WHERE c.tenant_id = util.tenant() AND c.id = p_instance FOR KEY SHARE;
	IF NOT FOUND THEN
		PERFORM util.fail(404, 'not_found', 'There is no such installation.');
	END IF;
	IF NOT i.is_active THEN
		PERFORM util.fail(409, 'instance_inactive', 'This installation is inactive. Activate it, then run it.');
	END IF;
	PERFORM collect.subjects_make(i.tenant_id, i.id, p_pipelines);
	FOR p IN
		SELECT x.*, g.subject_id AS subject
		FROM ROWS FROM (json_to_recordset(p_pipelines) AS (id text, name text, stream text, strategy text))
			WITH ORDINALITY AS x (id, name, stream, strategy, place)
		JOIN collect.progress g ON g.tenant_id = i.tenant_id AND g.instance_id = i.id AND g.pipeline_id = x.id
		ORDER BY x.place
	LOOP
		SELECT x.id INTO live FROM collect.collector_executions x
		WHERE x.tenant_id = i.tenant_id AND x.subject_id = p.subject
			AND x.state IN ('pending', 'running', 'waiting') ORDER BY x.id DESC LIMIT 1;
		is_new := NOT FOUND;
		execution_id := CASE WHEN is_new THEN util.uuid_v7() ELSE live END;
		RETURN NEXT;
		CONTINUE WHEN NOT is_new;
		INSERT INTO collect.collector_executions (tenant_id, id, collector_instance_id, subject_id,
			pipeline_id, pipeline_name, release_version, trigger, requested_by, retry_of)
		VALUES (i.tenant_id, execution_id, i.id, p.subject, p.id, p.name, i.release_version,
			p_trigger, util.caller(), p_retry_of);
		-- the release may name the pipeline's stream or strategy anew
		UPDATE collect.streams s SET strategy = p.strategy
		WHERE s.tenant_id = i.tenant_id AND s.instance_id = i.id AND s.pipeline_id = p.id AND s.name = p.stream
			AND s.strategy <> p.strategy;
		UPDATE collect.progress g SET stream_id = s.id FROM collect.streams s
		WHERE g.tenant_id = i.tenant_id AND g.subject_id = p.subject AND s.tenant_id = i.tenant_id
			AND s.instance_id = i.id AND s.pipeline_id = p.id AND s.name = p.stream
			AND g.stream_id IS DISTINCT FROM s.id;
		subjects := subjects || p.subject;
		executions := executions || execution_id;
	END LOOP;
	IF subjects = '{}' THEN
		RETURN;
	END IF;
	INSERT INTO work.work AS w (tenant_id, id, kind, subject_id, execution_id, state, due_at)
	SELECT i.tenant_id, util.uuid_v7(), 'pipeline', u.subject, u.execution, 'ready', clock_timestamp()
	FROM unnest(subjects, executions) AS u (subject, execution) ORDER BY u.subject
	ON CONFLICT (tenant_id, kind, subject_id) DO UPDATE SET execution_id = excluded.execution_id,
		state = 'ready', due_at = excluded.due_at, attempt = 0, crashes = 0, last_code = NULL,
		cancel_requested = false
	WHERE w.state <> 'running';
	GET DIAGNOSTICS asked = ROW_COUNT;
	IF asked < cardinality(subjects) THEN -- else the run would wait for a claim that never comes
		PERFORM util.fail(409, 'run_ending', 'The run before this one is just ending. Ask again.', '', 1);
	END IF;
	UPDATE collect.collector_instances c SET total_executions = c.total_executions + asked,
		last_executed_at = clock_timestamp() WHERE c.tenant_id = i.tenant_id AND c.id = i.id;
END $$;

-- Asks a run to stop. One that is not in a runner's hands ends at once; a running one at its next page.
CREATE FUNCTION collect.request_cancel(p_execution uuid) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
	x collect.collector_executions;
	idle boolean;
BEGIN
	SELECT * INTO x FROM collect.collector_executions e
	WHERE e.tenant_id = util.tenant() AND e.id = p_execution;
	IF NOT FOUND THEN
		PERFORM util.fail(404, 'not_found', 'There is no such execution.');
	END IF;
	-- work before execution, as a page commit locks them
	PERFORM 1 FROM work.work w WHERE w.tenant_id = x.tenant_id AND w.kind = 'pipeline'
		AND w.subject_id = x.subject_id FOR NO KEY UPDATE;
	SELECT * INTO x FROM collect.collector_executions e
	WHERE e.tenant_id = util.tenant() AND e.id = p_execution FOR NO KEY UPDATE;
	IF x.state NOT IN ('pending', 'running', 'waiting') THEN
		PERFORM util.fail(409, 'already_ended', 'This execution has ended already.');
	END IF;
	UPDATE work.work w SET state = 'idle', due_at = 'infinity', attempt = 0, crashes = 0,
		cancel_requested = false
	WHERE w.tenant_id = x.tenant_id AND w.kind = 'pipeline' AND w.subject_id = x.subject_id
		AND w.execution_id = x.id AND w.state <> 'running';
	idle := FOUND;
	UPDATE work.work w SET cancel_requested = true
	WHERE w.tenant_id = x.tenant_id AND w.kind = 'pipeline' AND w.subject_id = x.subject_id
		AND w.execution_id = x.id AND w.state = 'running';
	UPDATE collect.collector_executions e SET cancel_requested = true,
		state = CASE WHEN idle THEN 'cancelled' ELSE e.state END,
		error_code = CASE WHEN idle THEN 'cancelled' ELSE e.error_code END,
		error_message = CASE WHEN idle THEN 'Cancelled before it went on. Pages committed so far are kept.'
			ELSE e.error_message END,
		wait_code = CASE WHEN NOT idle THEN e.wait_code END,
		wait_message = CASE WHEN NOT idle THEN e.wait_message END,
		wait_until = CASE WHEN NOT idle THEN e.wait_until END,
		completed_at = CASE WHEN idle THEN clock_timestamp() END,
		duration_ms = CASE WHEN idle THEN (extract(epoch FROM clock_timestamp()
			- coalesce(e.started_at, e.created_at)) * 1000)::bigint END
	WHERE e.tenant_id = x.tenant_id AND e.id = x.id;
	IF idle THEN
		UPDATE collect.progress g SET state = '', execution_id = NULL, seq = g.seq + 1
		WHERE g.tenant_id = x.tenant_id AND g.subject_id = x.subject_id;
	END IF;
	PERFORM audit.write('execution.cancel', 'execution', x.id);
	RETURN CASE WHEN idle THEN 'Cancelled' ELSE 'Running' END;
END $$;

-- A claimed run begins, or goes on: everything the runner needs, in one row. Secrets come with
-- collect.run_secrets. The state of an older execution is not continued.
CREATE FUNCTION collect.run_begin(p_subject uuid, p_execution uuid, p_token bigint)
RETURNS TABLE (document text, instance_id uuid, pipeline_id text, stream_id uuid, config text, seq bigint,
	state text, cursor_value text, cancel_requested boolean, resumed boolean)
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
	UPDATE collect.progress g SET fence = p_token,
		state = CASE WHEN g.execution_id = p_execution THEN g.state ELSE '' END,
		execution_id = p_execution, updated_at = clock_timestamp()
	WHERE g.tenant_id = util.tenant() AND g.subject_id = p_subject AND g.fence <= p_token;
	IF NOT FOUND THEN
		PERFORM util.fail(409, 'stale_cursor', 'This run was taken over by a newer one.');
	END IF;
	UPDATE collect.collector_executions x SET state = 'running', wait_code = NULL, wait_message = NULL,
		wait_until = NULL, attempts = x.attempts + 1, started_at = coalesce(x.started_at, clock_timestamp())
	WHERE x.tenant_id = util.tenant() AND x.id = p_execution AND x.state IN ('pending', 'running', 'waiting');
	IF NOT FOUND THEN
		PERFORM util.fail(409, 'execution_ended', 'This execution has ended already.');
	END IF;
	RETURN QUERY
	SELECT r.document::text, i.id, g.pipeline_id, g.stream_id, i.tenant_config::text, g.seq, g.state,
		g.cursor_value, x.cancel_requested, g.state <> ''
	FROM collect.progress g
	JOIN collect.collector_instances i ON i.tenant_id = g.tenant_id AND i.id = g.instance_id
	JOIN collect.collector_executions x ON x.tenant_id = g.tenant_id AND x.id = p_execution
	JOIN market.release r ON r.collector_id = i.collector_id AND r.version = x.release_version
	WHERE g.tenant_id = util.tenant() AND g.subject_id = p_subject;
END $$;

-- Step one of a page commit: compare and swap. The caller has done work.enter in this transaction.
CREATE FUNCTION collect.page_begin(p_subject uuid, p_token bigint, p_seq bigint, p_state text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
	UPDATE collect.progress g SET seq = g.seq + 1, fence = p_token, state = p_state,
		updated_at = clock_timestamp()
	WHERE g.tenant_id = util.tenant() AND g.subject_id = p_subject AND g.seq = p_seq AND g.fence <= p_token;
	IF NOT FOUND THEN
		PERFORM util.fail(409, 'stale_cursor', 'This page was committed already, or by a newer run.');
	END IF;
	-- A run that gets on is not what kills its runners: only losses without a page between them count.
	-- Looked for first, since an update that finds nothing fires the lanes' trigger all the same.
	PERFORM 1 FROM work.work w WHERE w.tenant_id = util.tenant() AND w.kind = 'pipeline'
		AND w.subject_id = p_subject AND w.crashes > 0;
	IF FOUND THEN
		UPDATE work.work w SET crashes = 0 WHERE w.tenant_id = util.tenant() AND w.kind = 'pipeline'
			AND w.subject_id = p_subject;
	END IF;
END $$;

-- Step two: the staged records (pg_temp.staging: ordinal, record_key, key_hash, content_hash, data) are
-- merged. Of one key twice in a page the later wins. Unchanged records are not written. The stream's
-- count moves by what came and came back; counting it anew would read the whole stream at each end.
CREATE FUNCTION collect.page_merge(p_stream uuid, p_seq bigint, OUT fresh bigint, OUT changed bigint)
LANGUAGE plpgsql SET search_path = pg_catalog
-- The staged page is small and never analysed, the stream may be large: look each key up, whatever
-- the statistics said when this plan was made.
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off SET jit = off AS $$
DECLARE
	t CONSTANT uuid := util.tenant();
	back bigint; -- vanished once, now met again
BEGIN
	WITH last AS (
		SELECT DISTINCT ON (s.record_key) s.record_key, s.key_hash, s.content_hash, s.data
		FROM pg_temp.staging s ORDER BY s.record_key, s.ordinal DESC),
	differing AS (
		-- what is there already is left out here, since even a conflict that updates nothing locks
		-- its row, and that is written down
		SELECT l.*, o.vanished_at IS NOT NULL AS is_back FROM last l
		-- LIMIT makes it one look-up a key: as a plain join it read the whole stream once a page
		-- while nobody had analysed the table
		LEFT JOIN LATERAL (SELECT k.record_key, k.content_hash, k.vanished_at FROM collect.records k
			WHERE k.tenant_id = t AND k.stream_id = p_stream AND k.record_key = l.record_key LIMIT 1) o
			ON true
		WHERE o.record_key IS NULL OR o.content_hash <> l.content_hash OR o.vanished_at IS NOT NULL),
	merged AS (
		INSERT INTO collect.records AS r (tenant_id, stream_id, record_key, key_hash, content_hash, data, seq)
		SELECT t, p_stream, l.record_key, l.key_hash, l.content_hash, l.data, p_seq FROM differing l
		ON CONFLICT (tenant_id, stream_id, record_key) DO UPDATE SET content_hash = excluded.content_hash,
			data = excluded.data, seq = excluded.seq, changed_at = clock_timestamp(), vanished_at = NULL
		WHERE r.content_hash <> excluded.content_hash OR r.vanished_at IS NOT NULL
		RETURNING r.xmax = 0 AS is_fresh)
	SELECT count(*) FILTER (WHERE m.is_fresh), count(*) FILTER (WHERE NOT m.is_fresh),
		(SELECT count(*) FROM differing d WHERE d.is_back)
	INTO fresh, changed, back FROM merged m;
	IF fresh + back > 0 THEN
		UPDATE collect.streams s SET record_count = s.record_count + fresh + back
		WHERE s.tenant_id = t AND s.id = p_stream;
	END IF;
END $$;

-- Step three: what the page adds to the history. p_counts holds the page's own figures.
CREATE FUNCTION collect.page_end(p_execution uuid, p_stream uuid, p_seq bigint, p_page bigint,
	p_key_hashes bigint[], p_fresh bigint, p_changed bigint, p_counts json) RETURNS void
LANGUAGE sql SET search_path = pg_catalog
BEGIN ATOMIC
	INSERT INTO collect.ledger (tenant_id, execution_id, stream_id, seq, page, kept, fresh, changed,
		quarantined, key_hashes)
	VALUES (util.tenant(), p_execution, p_stream, p_seq, p_page, (p_counts ->> 'kept')::int, p_fresh, p_changed,
		(p_counts ->> 'quarantined')::int, p_key_hashes);
	UPDATE collect.collector_executions x SET pages = x.pages + 1,
		requests = x.requests + (p_counts ->> 'requests')::bigint,
		retries = x.retries + (p_counts ->> 'retries')::bigint,
		bytes = x.bytes + (p_counts ->> 'bytes')::bigint,
		records_processed = x.records_processed + (p_counts ->> 'kept')::bigint,
		records_new = x.records_new + p_fresh,
		records_changed = x.records_changed + p_changed,
		records_unchanged = x.records_unchanged + (p_counts ->> 'kept')::bigint - p_fresh - p_changed,
		records_filtered = x.records_filtered + (p_counts ->> 'filtered')::bigint,
		records_duplicate = x.records_duplicate + (p_counts ->> 'duplicates')::bigint,
		records_quarantined = x.records_quarantined + (p_counts ->> 'quarantined')::bigint
	WHERE x.tenant_id = util.tenant() AND x.id = p_execution;
END;

-- A run lets go and waits: its state is committed already. Counts of requests since its last page
-- come along.
CREATE FUNCTION collect.run_wait(p_execution uuid, p_code text, p_message text, p_until timestamptz,
	p_counts json) RETURNS void
LANGUAGE sql SET search_path = pg_catalog
BEGIN ATOMIC
	UPDATE collect.collector_executions x SET state = 'waiting', wait_code = p_code, wait_message = p_message,
		wait_until = p_until,
		requests = x.requests + (p_counts ->> 'requests')::bigint,
		retries = x.retries + (p_counts ->> 'retries')::bigint,
		bytes = x.bytes + (p_counts ->> 'bytes')::bigint,
		waited_ms = x.waited_ms + (p_counts ->> 'waitedMs')::bigint
			+ greatest(0, extract(epoch FROM p_until - clock_timestamp()) * 1000)::bigint
	WHERE x.tenant_id = util.tenant() AND x.id = p_execution
		AND x.state IN ('pending', 'running'); -- pending: it could not even begin
END;

-- Marks the records of a stream that no page of a run has met. One pass over the stream against a hash
-- of what was met, whatever the statistics say: they know nothing of what stands in an array, and a
-- nested loop over a million of each would never end.
CREATE FUNCTION collect.mark_vanished(p_execution uuid, p_stream uuid) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog SET enable_nestloop = off SET work_mem = '32MB' SET jit = off AS $$
DECLARE
	n bigint;
BEGIN
	UPDATE collect.records r SET vanished_at = clock_timestamp()
	WHERE r.tenant_id = util.tenant() AND r.stream_id = p_stream AND r.vanished_at IS NULL
		AND NOT EXISTS (SELECT FROM (
			SELECT unnest(l.key_hashes) AS h FROM collect.ledger l
			WHERE l.tenant_id = util.tenant() AND l.execution_id = p_execution AND l.stream_id = p_stream) met
			WHERE met.h = r.key_hash);
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN n;
END $$;

-- A run ends. A complete full sync marks what it did not meet; p_cursor '' keeps the cursor. Counts of
-- requests that led to no page come along, so that the history is whole.
CREATE FUNCTION collect.run_end(p_subject uuid, p_execution uuid, p_stream uuid, p_token bigint, p_seq bigint,
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
	UPDATE collect.streams s SET collected_at = clock_timestamp(), record_count = s.record_count - vanished
	WHERE s.tenant_id = util.tenant() AND s.id = p_stream;
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

GRANT EXECUTE ON FUNCTION collect.execution_doc, collect.queue_doc TO catchment_web, catchment_trial, catchment_run;
GRANT EXECUTE ON FUNCTION collect.subjects_make, collect.request_runs, collect.request_cancel TO catchment_web, catchment_trial;
GRANT EXECUTE ON FUNCTION collect.run_begin, collect.page_begin, collect.page_merge, collect.page_end,
	collect.run_wait, collect.mark_vanished, collect.run_end TO catchment_run;
