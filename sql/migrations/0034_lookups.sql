-- Records are looked up by a plain join: a subquery with LIMIT, one for each key, took as long again as the look-ups
-- themselves. What it was there for, that nothing reads the whole stream while nobody has analysed the table, is said to
-- the planner by leaving it no other way: without bitmaps and kept rows, each key is looked up in the primary key.
-- Locks: none.
SET LOCAL ROLE catchment_owner;

-- As before.
CREATE OR REPLACE FUNCTION collect.page_differing(p_stream uuid, p_keys text[], p_hashes bytea[]) RETURNS bigint[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog SET plan_cache_mode = force_generic_plan
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off SET enable_bitmapscan = off
SET enable_material = off SET jit = off AS $$
DECLARE
	t CONSTANT uuid := util.tenant();
BEGIN
	RETURN (SELECT coalesce(array_agg(i.place), '{}') FROM unnest(p_keys, p_hashes) WITH ORDINALITY AS i (key, hash, place)
		LEFT JOIN collect.records o ON o.tenant_id = t AND o.stream_id = p_stream AND o.record_key = i.key
		WHERE o.content_hash IS DISTINCT FROM i.hash OR o.vanished_at IS NOT NULL);
END $$;

-- As before.
CREATE OR REPLACE FUNCTION collect.page_write(p_stream uuid, p_first bigint, p_pages bigint, p_look boolean, p_seqs bigint[], p_keys text[],
	p_key_hashes bigint[], p_hashes bytea[], p_data json[], OUT fresh bigint[], OUT changed bigint[], OUT back bigint)
LANGUAGE plpgsql SET search_path = pg_catalog SET plan_cache_mode = force_generic_plan
-- A batch is small, the stream may be large: look each key up, whatever the statistics said when this plan was made.
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off SET enable_bitmapscan = off
SET enable_material = off SET jit = off AS $$
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
			LEFT JOIN collect.records o ON o.tenant_id = t AND o.stream_id = p_stream AND o.record_key = i.key
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

-- As before; and of the ledger's months those alone are opened in which the run has written: from a day before it was
-- asked for, if all of its pages are there. Where the clock was set back by more, all months are looked through; where
-- pages are missing all the same, nothing vanishes, since who was met on them is not known.
CREATE OR REPLACE FUNCTION collect.mark_vanished(p_execution uuid, p_stream uuid) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog SET plan_cache_mode = force_generic_plan SET enable_nestloop = off
SET work_mem = '32MB' SET jit = off AS $$
DECLARE
	t CONSTANT uuid := util.tenant();
	since uuid;
	n bigint;
BEGIN
	SELECT util.uuid_floor(x.created_at - interval '1 day'), x.pages INTO since, n FROM collect.collector_executions x
	WHERE x.tenant_id = t AND x.id = p_execution;
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
