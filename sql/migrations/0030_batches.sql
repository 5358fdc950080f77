-- A commit holds one page of a run or several that follow each other. Their records come as arrays in the same flight as
-- the rest: a staging table cost three round trips a page, and what read it was planned anew after each commit, since
-- emptying it tells every plan that it changed. What runs at each commit is PL/pgSQL: PostgreSQL plans the statements of a
-- function in SQL at each call, and those of one in PL/pgSQL once a connection.
SET LOCAL ROLE catchment_owner;

DROP FUNCTION collect.page_begin(uuid, bigint, bigint, text);
DROP FUNCTION collect.page_merge(uuid, bigint);
DROP FUNCTION collect.page_end(uuid, uuid, bigint, bigint, bigint[], bigint, bigint, json);

-- Step one of a commit: compare and swap. The caller has done work.enter in this transaction. p_steps: how many pages
-- follow, or one for a state without a page.
CREATE FUNCTION collect.page_begin(p_subject uuid, p_token bigint, p_seq bigint, p_steps bigint, p_state text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
	UPDATE collect.progress g SET seq = g.seq + p_steps, fence = p_token, state = p_state, updated_at = clock_timestamp()
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

-- Which of these records a stream does not hold as they are: their places, from 1. Records alone that differ need to be
-- sent.
CREATE FUNCTION collect.page_differing(p_stream uuid, p_keys text[], p_hashes bytea[]) RETURNS bigint[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog SET plan_cache_mode = force_generic_plan
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off SET jit = off AS $$
DECLARE
	t CONSTANT uuid := util.tenant();
BEGIN
	RETURN (SELECT coalesce(array_agg(i.place), '{}') FROM unnest(p_keys, p_hashes) WITH ORDINALITY AS i (key, hash, place)
		-- LIMIT makes it one look-up a key: as a plain join it read the whole stream once a page while nobody had
		-- analysed the table
		LEFT JOIN LATERAL (SELECT k.content_hash, k.vanished_at FROM collect.records k WHERE k.tenant_id = t
			AND k.stream_id = p_stream AND k.record_key = i.key LIMIT 1) o ON true
		WHERE o.content_hash IS DISTINCT FROM i.hash OR o.vanished_at IS NOT NULL);
END $$;

-- Step two: records are written where they are new or differ; of one key there is one. p_seqs says which page a record
-- came with, as a number of progress; page p_first is the first of p_pages. p_look: records that are there already are
-- looked for before; otherwise most are thought to be new or changed. Answers by page what was new and what was changed,
-- and how many that had vanished are back.
CREATE FUNCTION collect.page_write(p_stream uuid, p_first bigint, p_pages bigint, p_look boolean, p_seqs bigint[], p_keys text[],
	p_key_hashes bigint[], p_hashes bytea[], p_data json[], OUT fresh bigint[], OUT changed bigint[], OUT back bigint)
LANGUAGE plpgsql SET search_path = pg_catalog SET plan_cache_mode = force_generic_plan
-- A batch is small, the stream may be large: look each key up, whatever the statistics said when this plan was made.
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off SET jit = off AS $$
DECLARE
	t CONSTANT uuid := util.tenant();
	n CONSTANT bigint := cardinality(p_keys);
	written record;
BEGIN
	fresh := array_fill(0::bigint, ARRAY[p_pages::int]);
	changed := fresh;
	back := 0;
	IF n = 0 THEN
		RETURN;
	END IF;
	IF NOT p_look THEN
		FOR written IN
			WITH merged AS (
				INSERT INTO collect.records AS r (tenant_id, stream_id, record_key, key_hash, content_hash, data, seq)
				SELECT t, p_stream, unnest(p_keys), unnest(p_key_hashes), unnest(p_hashes), unnest(p_data), unnest(p_seqs)
				ON CONFLICT (tenant_id, stream_id, record_key) DO UPDATE SET content_hash = excluded.content_hash,
					data = excluded.data, seq = excluded.seq, changed_at = clock_timestamp()
				-- what had vanished has to be counted as back: below
				WHERE r.content_hash <> excluded.content_hash AND r.vanished_at IS NULL
				RETURNING r.seq - p_first + 1 AS page, r.xmax = 0 AS is_fresh)
			SELECT m.page, count(*) FILTER (WHERE m.is_fresh) AS fresh, count(*) FILTER (WHERE NOT m.is_fresh) AS changed
			FROM merged m GROUP BY m.page
		LOOP
			fresh[written.page] := written.fresh;
			changed[written.page] := written.changed;
			back := back + written.fresh + written.changed;
		END LOOP;
		IF back = n THEN
			back := 0;
			RETURN;
		END IF;
		back := 0;
	END IF;
	FOR written IN
		WITH differing AS (
			-- what is there already is left out here, since even a conflict that updates nothing locks its row, and that is
			-- written down
			SELECT i.*, o.vanished_at IS NOT NULL AS is_back
			FROM unnest(p_keys, p_key_hashes, p_hashes, p_data, p_seqs) AS i (key, key_hash, hash, data, seq)
			LEFT JOIN LATERAL (SELECT k.content_hash, k.vanished_at FROM collect.records k WHERE k.tenant_id = t
				AND k.stream_id = p_stream AND k.record_key = i.key LIMIT 1) o ON true
			WHERE o.content_hash IS DISTINCT FROM i.hash OR o.vanished_at IS NOT NULL),
		merged AS (
			INSERT INTO collect.records AS r (tenant_id, stream_id, record_key, key_hash, content_hash, data, seq)
			SELECT t, p_stream, d.key, d.key_hash, d.hash, d.data, d.seq FROM differing d
			ON CONFLICT (tenant_id, stream_id, record_key) DO UPDATE SET content_hash = excluded.content_hash,
				data = excluded.data, seq = excluded.seq, changed_at = clock_timestamp(), vanished_at = NULL
			WHERE r.content_hash <> excluded.content_hash OR r.vanished_at IS NOT NULL
			RETURNING r.seq - p_first + 1 AS page, r.xmax = 0 AS is_fresh)
		SELECT m.page, count(*) FILTER (WHERE m.is_fresh) AS fresh, count(*) FILTER (WHERE NOT m.is_fresh) AS changed,
			(SELECT count(*) FROM differing d WHERE d.is_back) AS back
		FROM merged m GROUP BY m.page
	LOOP
		fresh[written.page] := fresh[written.page] + written.fresh;
		changed[written.page] := changed[written.page] + written.changed;
		back := written.back;
	END LOOP;
END $$;

-- Step three: what the pages add to the history. Arrays hold one figure for each page; p_hash_counts says how many of
-- p_key_hashes belong to it. p_counts holds the commit's own figures. The stream's count moves by what came and came
-- back; counting it anew would read the whole stream at each end.
CREATE FUNCTION collect.page_end(p_execution uuid, p_stream uuid, p_seq bigint, p_page bigint, p_kept bigint[],
	p_quarantined bigint[], p_fresh bigint[], p_changed bigint[], p_back bigint, p_key_hashes bigint[], p_hash_counts bigint[],
	p_counts json) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
	t CONSTANT uuid := util.tenant();
	kept bigint := 0;
	quarantined bigint := 0;
	fresh bigint := 0;
	changed bigint := 0;
	hash int := 1;
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
	UPDATE collect.collector_executions x SET pages = x.pages + cardinality(p_kept),
		requests = x.requests + (p_counts ->> 'requests')::bigint,
		retries = x.retries + (p_counts ->> 'retries')::bigint,
		bytes = x.bytes + (p_counts ->> 'bytes')::bigint,
		records_processed = x.records_processed + kept,
		records_new = x.records_new + fresh,
		records_changed = x.records_changed + changed,
		records_unchanged = x.records_unchanged + kept - fresh - changed,
		records_filtered = x.records_filtered + (p_counts ->> 'filtered')::bigint,
		records_duplicate = x.records_duplicate + (p_counts ->> 'duplicates')::bigint,
		records_quarantined = x.records_quarantined + quarantined
	WHERE x.tenant_id = t AND x.id = p_execution;
	IF fresh + p_back > 0 THEN
		UPDATE collect.streams s SET record_count = s.record_count + fresh + p_back
		WHERE s.tenant_id = t AND s.id = p_stream;
	END IF;
END $$;

-- Adds figures by page.
CREATE FUNCTION util.sum(a bigint[], b bigint[]) RETURNS bigint[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog AS $$
BEGIN
	FOR i IN 1 .. cardinality(a) LOOP
		a[i] := a[i] + b[i];
	END LOOP;
	RETURN a;
END $$;

GRANT EXECUTE ON FUNCTION collect.page_begin, collect.page_differing, collect.page_write, collect.page_end, util.sum
	TO catchment_run;
