-- Records as the tenant reads them. The stored json goes out byte for byte.

-- name: record_stream :maybe (instance uuid, stream text)
SELECT s.id, s.name FROM collect.streams s
JOIN collect.collector_instances i ON i.tenant_id = s.tenant_id AND i.id = s.instance_id
JOIN market.release r ON r.collector_id = i.collector_id AND r.version = i.release_version
WHERE s.tenant_id = util.tenant() AND s.instance_id = $1
	AND ($2::text IS NULL OR s.id::text = $2 OR s.name = $2 OR s.pipeline_id = $2)
ORDER BY collect.pipeline_place(r.document, s.pipeline_id), s.created_at DESC, s.id LIMIT 1

-- No row: no such installation; null: no stream yet. A refusal is a sentence, so not all of many stand there.
-- name: record_stream_names :maybe (instance uuid)
SELECT CASE WHEN length(n.names) > 150 THEN left(n.names, 150) || '…' ELSE n.names END
FROM collect.collector_instances i, LATERAL (SELECT string_agg(s.name, ', ' ORDER BY s.name) AS names
	FROM collect.streams s WHERE s.tenant_id = i.tenant_id AND s.instance_id = i.id) n
WHERE i.tenant_id = util.tenant() AND i.id = $1

-- name: record_stream_list :maybe (instance uuid)
SELECT json_build_object('instanceId', $1::uuid, 'streams', coalesce((
	SELECT json_agg(collect.stream_doc(s)
		ORDER BY collect.pipeline_place(r.document, s.pipeline_id), s.created_at DESC, s.id)
	FROM collect.streams s
	WHERE s.tenant_id = util.tenant() AND s.instance_id = $1), '[]'))
FROM collect.collector_instances i
JOIN market.release r ON r.collector_id = i.collector_id AND r.version = i.release_version
WHERE i.tenant_id = util.tenant() AND i.id = $1

-- No row: there is no such stream. Which of several is the first one is asked of the release, whose document
-- is read then alone.
-- name: record_list :maybe (instance uuid, stream text, after text, row_limit bigint, key text, field text[], value text, vanished bool, since timestamptz, prefix text)
SELECT p.items, p.next, collect.stream_doc(st.stream)::text
FROM (SELECT s AS stream, s.id FROM collect.streams s
		JOIN collect.collector_instances i ON i.tenant_id = s.tenant_id AND i.id = s.instance_id
		JOIN market.release r ON r.collector_id = i.collector_id AND r.version = i.release_version
		WHERE s.tenant_id = util.tenant() AND s.instance_id = $1
			AND ($2::text IS NULL OR s.id::text = $2 OR s.name = $2 OR s.pipeline_id = $2)
		ORDER BY CASE WHEN count(*) OVER () > 1 THEN collect.pipeline_place(r.document, s.pipeline_id) END,
			s.created_at DESC, s.id LIMIT 1) st,
	LATERAL (SELECT coalesce(json_agg(n.doc ORDER BY n.record_key) FILTER (WHERE n.place <= $4), '[]') AS items,
			CASE WHEN count(*) > $4 THEN max(n.record_key) FILTER (WHERE n.place <= $4) END AS next
		FROM (SELECT c.record_key, collect.record_doc(c) AS doc, row_number() OVER (ORDER BY c.record_key) AS place
			FROM collect.records c
			WHERE c.tenant_id = util.tenant() AND c.stream_id = st.id AND ($3::text IS NULL OR c.record_key > $3)
				AND ($5::text IS NULL OR c.record_key = $5)
				AND ($6::text[] IS NULL OR c.data #>> $6 = $7)
				AND ($8::bool IS NULL OR (c.vanished_at IS NOT NULL) = $8)
				AND ($9::timestamptz IS NULL OR c.changed_at >= $9)
				AND ($10::text IS NULL OR c.record_key ^@ $10)
			ORDER BY c.record_key LIMIT $4 + 1) n) p

-- The same by the time of the last change, newest or oldest first. No index helps: it would cost every
-- commit of a changed record, this costs a walk over the stream to who asks.
-- name: record_list_changed :one (stream uuid, after json, row_limit bigint, key text, field text[], value text, vanished bool, since timestamptz, prefix text, newest bool)
WITH page AS (
	SELECT c AS record, c.record_key, p.place FROM collect.records c,
		LATERAL (SELECT CASE WHEN $10 THEN -1 ELSE 1 END * extract(epoch FROM c.changed_at) AS place) p
	WHERE c.tenant_id = util.tenant() AND c.stream_id = $1
		AND ($2::json IS NULL OR (p.place, c.record_key) > (($2 ->> 0)::numeric, $2 ->> 1))
		AND ($4::text IS NULL OR c.record_key = $4)
		AND ($5::text[] IS NULL OR c.data #>> $5 = $6)
		AND ($7::bool IS NULL OR (c.vanished_at IS NOT NULL) = $7)
		AND ($8::timestamptz IS NULL OR c.changed_at >= $8)
		AND ($9::text IS NULL OR c.record_key ^@ $9)
	ORDER BY p.place, c.record_key LIMIT $3 + 1),
shown AS (SELECT * FROM page ORDER BY place, record_key LIMIT $3)
SELECT coalesce((SELECT json_agg(collect.record_doc(s.record) ORDER BY s.place, s.record_key) FROM shown s), '[]'),
	CASE WHEN (SELECT count(*) FROM page) > $3 THEN (SELECT json_build_array(s.place::text, s.record_key)::text
		FROM shown s ORDER BY s.place DESC, s.record_key DESC LIMIT 1) END,
	collect.stream_doc(st)::text
FROM collect.streams st WHERE st.tenant_id = util.tenant() AND st.id = $1

-- One record, and the page of which run wrote it last: the ledger's row is as old as the change, so it
-- is found by its id's time.
-- name: record_get :maybe (stream uuid, key text)
SELECT util.json_join(collect.stream_doc(st), util.json_join(collect.record_doc(c), json_build_object('lastWrite',
	(SELECT json_build_object('executionId', l.execution_id, 'page', l.page, 'at', util.utc(l.at))
		FROM collect.ledger l
		WHERE l.tenant_id = c.tenant_id AND l.stream_id = c.stream_id AND l.seq = c.seq
			AND l.id >= util.uuid_floor(c.changed_at - interval '5 seconds')
			AND l.id < util.uuid_floor(c.changed_at + interval '5 minutes')
		ORDER BY l.id LIMIT 1))))
FROM collect.records c JOIN collect.streams st ON st.tenant_id = c.tenant_id AND st.id = c.stream_id
WHERE c.tenant_id = util.tenant() AND c.stream_id = $1 AND c.record_key = $2

-- A page ends behind the record that fills 8 MiB, however many rows were asked for: the responder
-- holds it in memory.
-- name: record_export :many (stream uuid, after text, row_limit bigint, vanished bool)
SELECT n.record_key, n.data
FROM (SELECT m.record_key, m.data, sum(octet_length(m.data::text)) OVER (ORDER BY m.record_key
		ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS bytes_before
	FROM (SELECT c.record_key, c.data FROM collect.records c
		WHERE c.tenant_id = util.tenant() AND c.stream_id = $1 AND ($2::text IS NULL OR c.record_key > $2)
			AND ($4 OR c.vanished_at IS NULL)
		ORDER BY c.record_key LIMIT $3) m) n
WHERE coalesce(n.bytes_before, 0) < 8388608
ORDER BY n.record_key

-- Exports: one of two places per tenant, held by the connection until it is given back or lost.
-- name: record_export_begin :one
SELECT CASE WHEN pg_try_advisory_lock(hashtextextended('export:' || util.tenant()::text, 1)) THEN 1
	WHEN pg_try_advisory_lock(hashtextextended('export:' || util.tenant()::text, 2)) THEN 2 ELSE 0 END

-- name: record_export_end :one (tenant uuid, slot bigint)
SELECT pg_advisory_unlock(hashtextextended('export:' || $1::text, $2))

-- name: record_export_audit :one (instance uuid, stream uuid, format text)
SELECT audit.write('records.export', 'instance', $1, json_build_object('streamId', $2, 'format', $3))

-- A page for reading: the last changed first where sorting is cheap, by key in longer streams; the
-- members that most of these records have, as columns.
-- name: record_page :one (stream uuid, after json, row_limit bigint, key text, vanished bool, since timestamptz)
WITH st AS (
	SELECT s AS stream, s.record_count <= 100000 AS newest_first FROM collect.streams s
	WHERE s.tenant_id = util.tenant() AND s.id = $1),
page AS (
	SELECT c.*, CASE WHEN st.newest_first THEN -extract(epoch FROM c.changed_at) ELSE 0 END AS place
	FROM collect.records c, st
	WHERE c.tenant_id = util.tenant() AND c.stream_id = $1
		AND ($2::json IS NULL OR (CASE WHEN st.newest_first THEN -extract(epoch FROM c.changed_at) ELSE 0 END,
			c.record_key) > (($2::json ->> 0)::numeric, $2::json ->> 1))
		AND ($4::text IS NULL OR c.record_key LIKE replace(replace(replace($4, '\', '\\'), '%', '\%'), '_', '\_') || '%')
		AND ($5::bool IS NULL OR (c.vanished_at IS NOT NULL) = $5)
		AND ($6::timestamptz IS NULL OR c.changed_at >= $6)
	ORDER BY place, c.record_key LIMIT $3 + 1),
shown AS (
	SELECT p.*, CASE WHEN json_typeof(p.data) = 'object' THEN p.data ELSE '{}'::json END AS object
	FROM page p ORDER BY p.place, p.record_key LIMIT $3),
named AS (
	SELECT k.name, min(k.at) AS at FROM shown s, json_each(s.object) WITH ORDINALITY AS k (name, value, at)
	WHERE json_typeof(k.value) NOT IN ('object', 'array') AND k.name <> ''
	GROUP BY k.name ORDER BY count(*) DESC, min(k.at), k.name LIMIT 5),
columns AS (SELECT n.name, row_number() OVER (ORDER BY n.at, n.name) AS place FROM named n)
SELECT coalesce((SELECT json_agg(json_build_object('key', s.record_key, 'changedAt', util.utc(s.changed_at),
		'vanishedAt', util.utc(s.vanished_at), 'cells', coalesce((SELECT json_agg(json_build_object('name', k.name,
			'value', left(s.object ->> k.name, 80)) ORDER BY k.place) FROM columns k), '[]'))
		ORDER BY s.place, s.record_key) FROM shown s), '[]'),
	CASE WHEN (SELECT count(*) FROM page) > $3 THEN (SELECT json_build_array(s.place::text, s.record_key)::text
		FROM shown s ORDER BY s.place DESC, s.record_key DESC LIMIT 1) END,
	util.json_join(collect.stream_doc(st.stream), json_build_object('instanceId', i.id, 'instanceName', i.instance_name,
		'newestFirst', st.newest_first, 'wantedKey', $4::text, 'wantedVanished', $5::bool,
		'columns', coalesce((SELECT json_agg(k.name ORDER BY k.place) FROM columns k), '[]'),
		'streams', (SELECT json_agg(util.json_join(collect.stream_doc(o), json_build_object('selected', o.id = $1))
			ORDER BY o.created_at, o.id) FROM collect.streams o
			WHERE o.tenant_id = i.tenant_id AND o.instance_id = i.id)))::text
FROM st JOIN collect.collector_instances i ON i.tenant_id = util.tenant() AND i.id = (st.stream).instance_id

-- name: record_one :maybe (stream uuid, key text)
SELECT json_build_object('instanceId', i.id, 'instanceName', i.instance_name, 'streamId', s.id, 'name', s.name,
	'key', c.record_key, 'firstSeenAt', util.utc(c.first_seen_at), 'changedAt', util.utc(c.changed_at),
	'vanishedAt', util.utc(c.vanished_at)), c.data::text
FROM collect.records c
JOIN collect.streams s ON s.tenant_id = c.tenant_id AND s.id = c.stream_id
JOIN collect.collector_instances i ON i.tenant_id = s.tenant_id AND i.id = s.instance_id
WHERE c.tenant_id = util.tenant() AND c.stream_id = $1 AND c.record_key = $2
