-- A full sync that met everything is over without a look at any record, and what a page has shown stands in its row of
-- the ledger. Locks: each month of the ledger, against other changes of its definition only.
SET LOCAL ROLE catchment_owner;

-- 250 hashes, of a usual page, are 2,000 bytes, and 2,032 is where a row is made smaller: so nearly each page was tried to be
-- compressed, in vain, since hashes do not repeat, and then laid into a table beside. Up to a thousand stay where they are.
ALTER TABLE collect.ledger ALTER COLUMN key_hashes SET STORAGE EXTERNAL;

-- A partitioned table has no such settings, so its months have.
CREATE PROCEDURE collect.ledger_whole()
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
	part regclass;
BEGIN
	FOR part IN SELECT i.inhrelid FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
		WHERE i.inhparent = 'collect.ledger'::regclass AND c.reloptions::text NOT LIKE '%toast_tuple_target%' IS NOT FALSE
	LOOP
		EXECUTE format('ALTER TABLE %s SET (toast_tuple_target = 8160)', part);
	END LOOP;
END $$;
CALL collect.ledger_whole();

-- As before, and months to come are like those that are there.
CREATE OR REPLACE FUNCTION util.months_ahead() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
SET lock_timeout = '5s' AS $$ -- rather fail and be called again than hold up whoever comes behind
BEGIN
	CALL util.make_partitions('audit.entries');
	CALL util.make_partitions('collect.journal');
	CALL util.make_partitions('collect.ledger');
	CALL collect.ledger_whole();
END $$;

-- As before; p_more: how many records of this commit are new or back, which the stream does not count yet. If nothing was
-- set aside, what was met is there; and if it is as much as is there, nothing is missing. That is found in the ledger, where
-- a look at each record read the whole stream.
DROP FUNCTION collect.mark_vanished(uuid, uuid, bigint);
CREATE FUNCTION collect.mark_vanished(p_execution uuid, p_stream uuid, p_pages bigint, p_more bigint) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog SET plan_cache_mode = force_generic_plan SET enable_nestloop = off
SET work_mem = '32MB' SET jit = off AS $$
DECLARE
	t CONSTANT uuid := util.tenant();
	since uuid;
	pages bigint;
	aside bigint;
	n bigint;
BEGIN
	SELECT util.uuid_floor(x.created_at - interval '1 day'), x.pages + p_pages INTO since, pages
	FROM collect.collector_executions x WHERE x.tenant_id = t AND x.id = p_execution;
	SELECT count(*), sum(l.quarantined) INTO n, aside FROM collect.ledger l
	WHERE l.tenant_id = t AND l.id >= since AND l.execution_id = p_execution;
	IF n IS DISTINCT FROM pages THEN
		since := '00000000-0000-0000-0000-000000000000';
		SELECT count(*), sum(l.quarantined) INTO n, aside FROM collect.ledger l
		WHERE l.tenant_id = t AND l.id >= since AND l.execution_id = p_execution;
		IF n IS DISTINCT FROM pages THEN
			RETURN 0;
		END IF;
	END IF;
	IF aside = 0 AND (SELECT s.record_count + p_more FROM collect.streams s WHERE s.tenant_id = t AND s.id = p_stream) =
		(SELECT count(*) FROM (SELECT DISTINCT unnest(l.key_hashes) FROM collect.ledger l
			WHERE l.tenant_id = t AND l.id >= since AND l.execution_id = p_execution AND l.stream_id = p_stream) met) THEN
		RETURN 0;
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
GRANT EXECUTE ON FUNCTION collect.mark_vanished TO catchment_run;

-- As before, and says so to mark_vanished.
CREATE OR REPLACE FUNCTION collect.page_end(p_execution uuid, p_stream uuid, p_seq bigint, p_page bigint, p_kept bigint[],
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
			ELSE collect.mark_vanished(p_execution, p_stream, cardinality(p_kept), fresh + p_back) END;
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
