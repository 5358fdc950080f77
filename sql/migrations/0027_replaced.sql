-- Of one key twice in a page the later record replaces the earlier one. Where they differ that is a change, as it is
-- when they come with different pages; what is stored already, and what comes again as it was, is unchanged.

SET LOCAL ROLE catchment_owner;

CREATE OR REPLACE FUNCTION collect.page_merge(p_stream uuid, p_seq bigint, OUT fresh bigint, OUT changed bigint)
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
	SELECT count(*) FILTER (WHERE m.is_fresh), count(*) FILTER (WHERE NOT m.is_fresh)
			+ CASE WHEN (SELECT count(*) FROM pg_temp.staging) = (SELECT count(*) FROM last) THEN 0
			ELSE (SELECT count(*) FROM (SELECT s.record_key, s.content_hash, lead(s.content_hash)
					OVER (PARTITION BY s.record_key ORDER BY s.ordinal) AS next FROM pg_temp.staging s) v
				WHERE v.next <> v.content_hash AND NOT EXISTS (SELECT FROM collect.records k WHERE k.tenant_id = t
					AND k.stream_id = p_stream AND k.record_key = v.record_key AND k.content_hash = v.content_hash)) END,
		(SELECT count(*) FROM differing d WHERE d.is_back)
	INTO fresh, changed, back FROM merged m;
	IF fresh + back > 0 THEN
		UPDATE collect.streams s SET record_count = s.record_count + fresh + back
		WHERE s.tenant_id = t AND s.id = p_stream;
	END IF;
END $$;
