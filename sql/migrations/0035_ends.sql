-- The end of a run, one look at each of its rows. A run that ended with its last page wrote its progress, its history
-- and its stream twice in that transaction, once for the page and once for the end; and a row that its own transaction
-- has written before has its foreign key asked again. A small run is half of that, so a page may be the last one now,
-- and an end without a page is one of no pages. What a run begins with is read from the rows as they are written, and
-- whoever leaves running sees to its lane itself.
-- Locks: none.
SET LOCAL ROLE catchment_owner;

DROP FUNCTION collect.page_begin(uuid, bigint, bigint, bigint, text);
DROP FUNCTION collect.mark_vanished(uuid, uuid);
DROP FUNCTION collect.page_end(uuid, uuid, bigint, bigint, bigint[], bigint[], bigint[], bigint[], bigint, bigint[], bigint[],
	json);

CREATE OR REPLACE FUNCTION collect.run_begin(p_subject uuid, p_execution uuid, p_token bigint)
RETURNS TABLE (document text, instance_id uuid, pipeline_id text, stream_id uuid, config text, seq bigint,
	state text, cursor_value text, cancel_requested boolean, resumed boolean)
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
	t CONSTANT uuid := util.tenant();
	stood collect.progress;
	begun record;
BEGIN
	UPDATE collect.progress g SET fence = p_token,
		state = CASE WHEN g.execution_id = p_execution THEN g.state ELSE '' END,
		execution_id = p_execution, updated_at = clock_timestamp()
	WHERE g.tenant_id = t AND g.subject_id = p_subject AND g.fence <= p_token
	RETURNING g.* INTO stood;
	IF NOT FOUND THEN
		PERFORM util.fail(409, 'stale_cursor', 'This run was taken over by a newer one.');
	END IF;
	UPDATE collect.collector_executions x SET state = 'running', wait_code = NULL, wait_message = NULL,
		wait_until = NULL, attempts = x.attempts + 1, started_at = coalesce(x.started_at, clock_timestamp())
	WHERE x.tenant_id = t AND x.id = p_execution AND x.state IN ('pending', 'running', 'waiting')
	RETURNING x.cancel_requested, x.release_version INTO begun;
	IF NOT FOUND THEN
		PERFORM util.fail(409, 'execution_ended', 'This execution has ended already.');
	END IF;
	RETURN QUERY
	SELECT r.document::text, i.id, stood.pipeline_id, stood.stream_id, i.tenant_config::text, stood.seq, stood.state,
		stood.cursor_value, begun.cancel_requested, stood.state <> ''
	FROM collect.collector_instances i
	JOIN market.release r ON r.collector_id = i.collector_id AND r.version = begun.release_version
	WHERE i.tenant_id = t AND i.id = stood.instance_id;
END $$;

-- Step one of a commit: compare and swap. The caller has done work.enter in this transaction. p_steps: how many pages
-- follow, or one for a state without a page. p_over: the run ends with this commit; then p_steps counts its end as one
-- more, and p_cursor is what the next run goes on from, if it is not empty.
CREATE FUNCTION collect.page_begin(p_subject uuid, p_token bigint, p_seq bigint, p_steps bigint, p_state text,
	p_over boolean DEFAULT false, p_cursor text DEFAULT '') RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
	t CONSTANT uuid := util.tenant();
BEGIN
	UPDATE collect.progress g SET seq = g.seq + p_steps, fence = p_token, state = p_state,
		execution_id = CASE WHEN NOT p_over THEN g.execution_id END,
		cursor_value = CASE WHEN p_cursor <> '' THEN p_cursor ELSE g.cursor_value END, updated_at = clock_timestamp()
	WHERE g.tenant_id = t AND g.subject_id = p_subject AND g.seq = p_seq AND g.fence <= p_token;
	IF NOT FOUND THEN
		PERFORM util.fail(409, 'stale_cursor', 'This page was committed already, or by a newer run.');
	END IF;
	IF p_over THEN
		RETURN; -- what it leaves running with says what its losses come to
	END IF;
	-- A run that gets on is not what kills its runners: only losses without a page between them count.
	-- Looked for first, since an update that finds nothing fires the lanes' trigger all the same.
	PERFORM 1 FROM work.work w WHERE w.tenant_id = t AND w.kind = 'pipeline' AND w.subject_id = p_subject AND w.crashes > 0;
	IF FOUND THEN
		UPDATE work.work w SET crashes = 0 WHERE w.tenant_id = t AND w.kind = 'pipeline' AND w.subject_id = p_subject;
	END IF;
END $$;

-- As before; p_pages of the run's pages stand in the ledger already, and not yet in its history.
CREATE FUNCTION collect.mark_vanished(p_execution uuid, p_stream uuid, p_pages bigint) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog SET plan_cache_mode = force_generic_plan SET enable_nestloop = off
SET work_mem = '32MB' SET jit = off AS $$
DECLARE
	t CONSTANT uuid := util.tenant();
	since uuid;
	n bigint;
BEGIN
	SELECT util.uuid_floor(x.created_at - interval '1 day'), x.pages + p_pages INTO since, n
	FROM collect.collector_executions x WHERE x.tenant_id = t AND x.id = p_execution;
	IF n IS DISTINCT FROM (SELECT count(*) FROM collect.ledger l
		WHERE l.tenant_id = t AND l.id >= since AND l.execution_id = p_execution) THEN
		since := '00000000-0000-0000-0000-000000000000';
		IF n IS DISTINCT FROM (SELECT count(*) FROM collect.ledger l
			WHERE l.tenant_id = t AND l.execution_id = p_execution) THEN
			RETURN 0;
		END IF;
	END IF;
	UPDATE collect.records r SET vanished_at = clock_timestamp()
	WHERE r.tenant_id = t AND r.stream_id = p_stream AND r.vanished_at IS NULL
		AND NOT EXISTS (SELECT FROM (
			SELECT unnest(l.key_hashes) AS h FROM collect.ledger l
			WHERE l.tenant_id = t AND l.id >= since AND l.execution_id = p_execution AND l.stream_id = p_stream) met
			WHERE met.h = r.key_hash);
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN n;
END $$;

-- What a run marks as vanished whose pages all come with its end: their keys are at hand, and the ledger need not be
-- asked.
CREATE FUNCTION collect.mark_unseen(p_stream uuid, p_key_hashes bigint[]) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog SET plan_cache_mode = force_generic_plan SET enable_nestloop = off
SET jit = off AS $$
DECLARE
	t CONSTANT uuid := util.tenant();
	n bigint;
BEGIN
	UPDATE collect.records r SET vanished_at = clock_timestamp()
	WHERE r.tenant_id = t AND r.stream_id = p_stream AND r.vanished_at IS NULL
		AND NOT EXISTS (SELECT FROM unnest(p_key_hashes) AS met (h) WHERE met.h = r.key_hash);
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN n;
END $$;

-- Step three: the history of these pages; and, where p_state says so, the end of the run. Answers how many records
-- have vanished. All records that were set aside, of these pages too, are written down before.
CREATE FUNCTION collect.page_end(p_execution uuid, p_stream uuid, p_seq bigint, p_page bigint, p_kept bigint[],
	p_quarantined bigint[], p_fresh bigint[], p_changed bigint[], p_back bigint, p_key_hashes bigint[], p_hash_counts bigint[],
	p_counts json, p_state text DEFAULT NULL, p_code text DEFAULT NULL, p_message text DEFAULT NULL,
	p_stop text DEFAULT NULL, p_mark_vanished boolean DEFAULT false) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
	t CONSTANT uuid := util.tenant();
	well CONSTANT boolean := coalesce(p_state IN ('success', 'partial'), false);
	kept bigint := 0;
	quarantined bigint := 0;
	fresh bigint := 0;
	changed bigint := 0;
	vanished bigint := 0;
	hash int := 1;
	at timestamptz;
	ended record;
BEGIN
	FOR i IN 1 .. cardinality(p_kept) LOOP
		INSERT INTO collect.ledger (tenant_id, execution_id, stream_id, seq, page, kept, fresh, changed, quarantined, key_hashes)
		VALUES (t, p_execution, p_stream, p_seq + i - 1, p_page + i - 1, p_kept[i], p_fresh[i], p_changed[i],
			p_quarantined[i], p_key_hashes[hash : hash + p_hash_counts[i]::int - 1]);
		hash := hash + p_hash_counts[i];
		kept := kept + p_kept[i];
		quarantined := quarantined + p_quarantined[i];
		fresh := fresh + p_fresh[i];
		changed := changed + p_changed[i];
	END LOOP;
	-- A record that was quarantined without its key may be any of those stored: then nothing vanishes.
	IF p_mark_vanished AND NOT EXISTS (SELECT FROM collect.quarantine q WHERE q.tenant_id = t
		AND q.execution_id = p_execution AND q.record_key IS NULL) THEN
		vanished := CASE WHEN p_page = 1 THEN collect.mark_unseen(p_stream, p_key_hashes)
			ELSE collect.mark_vanished(p_execution, p_stream, cardinality(p_kept)) END;
	END IF;
	at := clock_timestamp();
	UPDATE collect.collector_executions x SET pages = x.pages + cardinality(p_kept),
		requests = x.requests + (p_counts ->> 'requests')::bigint,
		retries = x.retries + (p_counts ->> 'retries')::bigint,
		bytes = x.bytes + (p_counts ->> 'bytes')::bigint,
		waited_ms = x.waited_ms + coalesce((p_counts ->> 'waitedMs')::bigint, 0),
		records_processed = x.records_processed + kept,
		records_new = x.records_new + fresh,
		records_changed = x.records_changed + changed,
		records_unchanged = x.records_unchanged + kept - fresh - changed,
		records_filtered = x.records_filtered + coalesce((p_counts ->> 'filtered')::bigint, 0),
		records_duplicate = x.records_duplicate + coalesce((p_counts ->> 'duplicates')::bigint, 0),
		records_quarantined = x.records_quarantined + quarantined,
		records_vanished = x.records_vanished + vanished,
		-- the database itself may have set records aside, also before the run was last parked
		state = CASE WHEN p_state IS NULL THEN x.state
			WHEN p_state = 'success' AND x.records_quarantined + quarantined > 0 THEN 'partial' ELSE p_state END,
		error_code = CASE WHEN p_state = 'success' AND x.records_quarantined + quarantined > 0 THEN 'records_quarantined'
			ELSE nullif(p_code, '') END,
		error_message = CASE WHEN p_state = 'success' AND x.records_quarantined + quarantined > 0
			THEN 'Some records could not be stored and were set aside; the list of them says why.'
			ELSE nullif(p_message, '') END, stop_reason = nullif(p_stop, ''),
		wait_code = NULL, wait_message = NULL, wait_until = NULL,
		completed_at = CASE WHEN p_state IS NOT NULL THEN at END,
		duration_ms = CASE WHEN p_state IS NOT NULL
			THEN (extract(epoch FROM at - coalesce(x.started_at, x.created_at)) * 1000)::bigint END
	WHERE x.tenant_id = t AND x.id = p_execution
	RETURNING x.state, x.pages, x.collector_instance_id INTO ended;
	IF fresh + p_back > 0 OR p_state IS NOT NULL THEN
		UPDATE collect.streams s SET record_count = s.record_count + fresh + p_back - vanished,
			collected_at = CASE WHEN p_state IS NOT NULL AND (well OR ended.pages > 0) THEN at ELSE s.collected_at END
		WHERE s.tenant_id = t AND s.id = p_stream;
	END IF;
	IF p_state IS NOT NULL THEN
		UPDATE collect.collector_instances i SET
			successful_executions = i.successful_executions + well::int,
			partial_executions = i.partial_executions + (ended.state = 'partial')::int,
			failed_executions = i.failed_executions + (p_state IN ('failed', 'timeout'))::int,
			last_successful_execution_at = CASE WHEN well THEN at ELSE i.last_successful_execution_at END
		WHERE i.tenant_id = t AND i.id = ended.collector_instance_id;
	END IF;
	RETURN vanished;
END $$;

-- The end of a run whose pages are all there.
CREATE OR REPLACE FUNCTION collect.run_end(p_subject uuid, p_execution uuid, p_stream uuid, p_token bigint, p_seq bigint,
	p_state text, p_code text, p_message text, p_stop text, p_cursor text, p_mark_vanished boolean,
	p_counts json) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
	none CONSTANT bigint[] := '{}';
BEGIN
	PERFORM collect.page_begin(p_subject, p_token, p_seq, 1, '', true, p_cursor);
	RETURN collect.page_end(p_execution, p_stream, p_seq, 0, none, none, none, none, 0, none, none, p_counts, p_state, p_code,
		p_message, p_stop, p_mark_vanished);
END $$;

-- As before, and without the trigger: whoever leaves running makes room in its lane, so it is looked at next. The lane
-- is locked also where its hint stays, since a claim that counts may just be about to put it out of sight.
CREATE OR REPLACE FUNCTION work.release(p_tenant uuid, p_work uuid, p_token bigint, p_outcome text, p_delay interval,
	p_code text, OUT state text, OUT due_at timestamptz)
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
	said text;
	hint timestamptz;
BEGIN
	IF coalesce(p_outcome, '') NOT IN ('done', 'park', 'retry', 'again', 'paused', 'dead') THEN
		RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('work.release knows no outcome %L', p_outcome);
	END IF;
	said := set_config('app.lanes', 'kept', true);
	UPDATE work.work w SET runner_id = NULL, claimed_at = NULL, deadline_at = NULL, last_code = p_code,
		state = CASE
			WHEN p_outcome = 'done' THEN 'idle'
			WHEN p_outcome IN ('park', 'again') THEN 'ready'
			WHEN p_outcome = 'retry' AND w.attempt < w.max_attempts THEN 'ready'
			WHEN p_outcome = 'paused' THEN 'paused'
			ELSE 'dead' END,
		due_at = CASE
			WHEN p_outcome IN ('park', 'retry', 'again') AND w.cancel_requested THEN clock_timestamp()
			WHEN p_outcome = 'park' THEN clock_timestamp() + coalesce(p_delay, '0')
			WHEN p_outcome = 'retry' AND w.attempt < w.max_attempts THEN clock_timestamp() + random()
				* least(interval '6 hours', interval '5 seconds' * power(2, least(w.attempt, 20)))
			WHEN p_outcome = 'again' THEN clock_timestamp() + random() * interval '10 seconds'
			ELSE 'infinity' END,
		attempt = CASE WHEN p_outcome IN ('done', 'paused') THEN 0 WHEN p_outcome = 'again' THEN 1
			WHEN p_outcome = 'park' THEN greatest(0, w.attempt - 1) ELSE w.attempt END,
		crashes = CASE WHEN p_outcome = 'retry' THEN w.crashes ELSE 0 END, cancel_requested = false
	WHERE w.tenant_id = p_tenant AND w.id = p_work AND w.lease_token = p_token AND w.state = 'running'
	RETURNING w.state, w.due_at INTO release.state, release.due_at;
	IF NOT FOUND THEN
		PERFORM util.fail(409, 'lost_lease', 'Another runner has taken this run over.');
	END IF;
	said := set_config('app.lanes', '', true);
	SELECT l.next_due_at INTO hint FROM work.lane l WHERE l.tenant_id = p_tenant FOR NO KEY UPDATE;
	IF hint > clock_timestamp() THEN -- else nothing is written: while a snapshot is held each version of a lane stays
		UPDATE work.lane l SET next_due_at = clock_timestamp() WHERE l.tenant_id = p_tenant;
	END IF;
END $$;

GRANT EXECUTE ON FUNCTION collect.page_begin, collect.page_end, collect.mark_vanished,
	collect.mark_unseen TO catchment_run;
