-- Runs: asking for them, watching them, stopping them.

-- name: execution_request :many (instance uuid, pipeline text, trigger text, retry_of uuid)
SELECT n.execution_id, n.is_new
FROM collect.request_runs($1, coalesce((SELECT collect.release_pipelines(r.document, $2)
		FROM collect.collector_instances i
		JOIN market.release r ON r.collector_id = i.collector_id AND r.version = i.release_version
		WHERE i.tenant_id = util.tenant() AND i.id = $1), '[]'::json), $3, $4) n

-- name: execution_documents :one (instance uuid, executions uuid[])
SELECT json_build_object('instanceId', $1::uuid, 'executions', coalesce((
	SELECT json_agg(collect.execution_doc(x) ORDER BY array_position($2, x.id)) FROM collect.collector_executions x
	WHERE x.tenant_id = util.tenant() AND x.id = ANY ($2)), '[]'))

-- name: execution_live :one (executions uuid[])
SELECT count(*) FROM collect.collector_executions x
WHERE x.tenant_id = util.tenant() AND x.id = ANY ($1) AND x.state IN ('pending', 'running', 'waiting')

-- name: execution_waited :one (instance uuid, executions uuid[], row_limit bigint)
SELECT json_build_object('instanceId', $1::uuid,
	'executions', coalesce(json_agg(collect.execution_doc(x) ORDER BY array_position($2, x.id)), '[]'),
	'firstRecords', coalesce(json_agg(json_build_object('executionId', x.id, 'records', coalesce((
		SELECT json_agg(n.data) FROM (SELECT c.data FROM collect.records c
			JOIN collect.progress g ON g.tenant_id = x.tenant_id AND g.subject_id = x.subject_id
			WHERE c.tenant_id = x.tenant_id AND c.stream_id = g.stream_id AND c.vanished_at IS NULL
			ORDER BY c.record_key LIMIT $3) n), '[]')) ORDER BY array_position($2, x.id)), '[]'))
FROM collect.collector_executions x
WHERE x.tenant_id = util.tenant() AND x.id = ANY ($2)

-- name: execution_get :maybe (id uuid)
SELECT collect.execution_doc(x) FROM collect.collector_executions x
WHERE x.tenant_id = util.tenant() AND x.id = $1

-- name: execution_of :maybe (id uuid)
SELECT x.collector_instance_id, x.pipeline_id, x.state FROM collect.collector_executions x
WHERE x.tenant_id = util.tenant() AND x.id = $1

-- name: execution_list :maybe (instance uuid, after text, row_limit bigint, state text, pipeline text)
WITH page AS (
	SELECT x.* FROM collect.collector_executions x
	WHERE x.tenant_id = util.tenant() AND x.collector_instance_id = $1
		AND ($2::text IS NULL OR x.id < $2::uuid)
		AND ($4::text IS NULL OR x.state = ANY (string_to_array($4, ',')))
		AND ($5::text IS NULL OR x.pipeline_id = $5)
	ORDER BY x.id DESC LIMIT $3 + 1),
shown AS (SELECT * FROM page ORDER BY id DESC LIMIT $3)
SELECT coalesce((SELECT json_agg(collect.execution_doc(s::collect.collector_executions) ORDER BY s.id DESC)
		FROM shown s), '[]'),
	CASE WHEN (SELECT count(*) FROM page) > $3 THEN (SELECT min(s.id::text) FROM shown s) END,
	json_build_object('instanceId', i.id, 'instanceName', i.instance_name,
		'totalExecutions', i.total_executions, 'successfulExecutions', i.successful_executions,
		'partialExecutions', i.partial_executions, 'failedExecutions', i.failed_executions, 'lastExecutedAt', util.utc(i.last_executed_at),
		'pipelines', collect.release_pipelines(r.document, NULL),
		'gonePipelines', coalesce((SELECT json_agg(json_build_object('id', g.pipeline_id, 'name', g.name) ORDER BY g.name)
			FROM (SELECT s.pipeline_id, coalesce((SELECT x.pipeline_name FROM collect.collector_executions x
					WHERE x.tenant_id = i.tenant_id AND x.collector_instance_id = i.id AND x.pipeline_id = s.pipeline_id
					ORDER BY x.id DESC LIMIT 1), s.pipeline_id) AS name
				FROM collect.streams s WHERE s.tenant_id = i.tenant_id AND s.instance_id = i.id
					AND collect.pipeline_place(r.document, s.pipeline_id) = 1000000
				GROUP BY s.pipeline_id) g), '[]'))::text
FROM collect.collector_instances i
JOIN market.release r ON r.collector_id = i.collector_id AND r.version = i.release_version
WHERE i.tenant_id = util.tenant() AND i.id = $1

-- A level is what the line says: error, warning or info. ?level= asks for that one and worse.
-- name: execution_log :maybe (id uuid, after text, row_limit bigint, kind text, level text, search text)
WITH line AS (
	SELECT j.*, CASE
		WHEN j.kind = 'stop' AND j.entry ->> 'code' IS NOT NULL THEN 'error'
		WHEN j.kind = 'response' AND (j.entry ->> 'fault' IS NOT NULL OR j.entry ->> 'status' ~ '^[45]') THEN 'error'
		WHEN j.kind IN ('request', 'response', 'page', 'stop') THEN 'info' ELSE 'warning' END AS level FROM collect.journal j
	WHERE j.tenant_id = util.tenant() AND j.execution_id = $1 AND ($2::text IS NULL OR j.id > $2::uuid)
		AND ($4::text IS NULL OR j.kind = $4)
		AND ($6::text IS NULL OR position(lower($6) IN lower(j.kind || ' ' || j.entry::text)) > 0)),
page AS (
	SELECT * FROM line
	WHERE $5::text IS NULL OR array_position('{info,warning,error}', level) >= array_position('{info,warning,error}', $5)
	ORDER BY id LIMIT $3 + 1),
shown AS (SELECT * FROM page ORDER BY id LIMIT $3)
SELECT coalesce((SELECT json_agg(json_build_object('id', s.id, 'at', util.utc(s.at), 'kind', s.kind,
		'level', s.level, 'entry', s.entry) ORDER BY s.id) FROM shown s), '[]'),
	CASE WHEN (SELECT count(*) FROM page) > $3 THEN (SELECT max(s.id::text) FROM shown s) END,
	json_build_object('executionId', x.id, 'instanceId', x.collector_instance_id,
		'pipelineName', (collect.execution_doc(x) ->> 'pipelineName'),
		'live', x.state IN ('pending', 'running', 'waiting'))::text
FROM collect.collector_executions x WHERE x.tenant_id = util.tenant() AND x.id = $1

-- It waits since it last did something; waited_ms counts a wait whole when it begins, so what is still
-- to come is taken off.
-- A run as its page shows it: what it did, page by page, from the newest 600 lines of its journal. A
-- step ends with the page that it brought.
-- name: execution_page :maybe (id uuid)
WITH line AS (
	SELECT j.*, CASE
		WHEN j.kind = 'stop' AND j.entry ->> 'code' IS NOT NULL THEN 'error'
		WHEN j.kind = 'response' AND (j.entry ->> 'fault' IS NOT NULL OR j.entry ->> 'status' ~ '^[45]') THEN 'error'
		WHEN j.kind IN ('request', 'response', 'page', 'stop') THEN 'info' ELSE 'warning' END AS level FROM collect.journal j
	WHERE j.tenant_id = util.tenant() AND j.execution_id = $1 ORDER BY j.id DESC LIMIT 600),
placed AS (
	SELECT l.*, count(*) FILTER (WHERE l.kind = 'page') OVER (ORDER BY l.id
		ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS step FROM line l),
step AS (
	SELECT p.step, min(p.id::text) AS id, bool_or(p.level = 'error')
			AND (bool_or(p.kind = 'stop') OR NOT bool_or(p.kind = 'wait')) AS bad,
		bool_or(p.kind = 'wait') AS waited, max(p.entry ->> 'page') FILTER (WHERE p.kind = 'page') AS page,
		max(p.entry ->> 'records') FILTER (WHERE p.kind = 'page') AS records,
		max(p.entry ->> 'message') FILTER (WHERE p.kind = 'wait') AS waited_for,
		max(coalesce(p.entry ->> 'message', p.entry ->> 'stop')) FILTER (WHERE p.kind = 'stop') AS ended,
		json_agg(json_build_object('id', p.id, 'at', util.utc(p.at), 'kind', p.kind, 'level', p.level,
			'entry', p.entry) ORDER BY p.id) AS lines
	FROM placed p GROUP BY p.step)
SELECT json_build_object('execution', collect.execution_doc(x), 'instanceName', i.instance_name,
	'collectorName', r.document -> 'collector' -> 'name',
	'live', x.state IN ('pending', 'running', 'waiting'),
	'waits', coalesce((SELECT json_agg(json_build_object('executionId', x.id, 'pipelineName', x.pipeline_name, 'code', w.doc ->> 'code',
			'message', w.doc ->> 'message', 'until', w.doc ->> 'until', 'since', util.utc(w.since),
			'forMs', (extract(epoch FROM clock_timestamp() - w.since) * 1000)::bigint))
		FROM (SELECT collect.execution_doc(x) -> 'waiting' AS doc, coalesce((SELECT j.at FROM collect.journal j
			WHERE j.tenant_id = x.tenant_id AND j.execution_id = x.id ORDER BY j.id DESC LIMIT 1), x.created_at) AS since) w
		WHERE json_typeof(w.doc) = 'object'), '[]'),
	'waitedSoFarMs', greatest(0, least(x.waited_ms - CASE WHEN x.state = 'waiting'
		THEN greatest(0, extract(epoch FROM x.wait_until - clock_timestamp()) * 1000) ELSE 0 END, x.duration_ms))::bigint,
	'stream', (SELECT s.id FROM collect.progress g JOIN collect.streams s ON s.tenant_id = g.tenant_id
		AND s.id = g.stream_id WHERE g.tenant_id = x.tenant_id AND g.subject_id = x.subject_id),
	'earlier', (SELECT count(*) FROM line) = 600,
	'steps', coalesce((SELECT json_agg(json_build_object('id', s.id, 'pageNumber', s.page, 'records', s.records,
		'bad', s.bad, 'waited', s.waited, 'waitedFor', s.waited_for, 'ended', s.ended,
		'open', s.step = (SELECT min(b.step) FROM step b WHERE b.bad), 'lines', s.lines) ORDER BY s.step)
		FROM step s), '[]'))
FROM collect.collector_executions x
JOIN collect.collector_instances i ON i.tenant_id = x.tenant_id AND i.id = x.collector_instance_id
JOIN market.release r ON r.collector_id = i.collector_id AND r.version = x.release_version
WHERE x.tenant_id = util.tenant() AND x.id = $1

-- name: execution_quarantine :maybe (id uuid, after text, row_limit bigint)
WITH page AS (
	SELECT q.* FROM collect.quarantine q
	WHERE q.tenant_id = util.tenant() AND q.execution_id = $1 AND ($2::text IS NULL OR q.id > $2::uuid)
	ORDER BY q.id LIMIT $3 + 1),
shown AS (SELECT * FROM page ORDER BY id LIMIT $3)
SELECT coalesce((SELECT json_agg(json_build_object('id', s.id, 'page', s.page, 'code', s.slug,
		'message', s.why, 'recordKey', s.record_key, 'at', util.utc(s.created_at), 'size', length(s.bytes),
		'base64', translate(encode(substring(s.bytes FROM 1 FOR 16384), 'base64'), E'\n', ''),
		'truncated', length(s.bytes) > 16384) ORDER BY s.id) FROM shown s), '[]'),
	CASE WHEN (SELECT count(*) FROM page) > $3 THEN (SELECT max(s.id::text) FROM shown s) END,
	json_build_object('executionId', x.id, 'instanceId', x.collector_instance_id,
		'pipelineName', (collect.execution_doc(x) ->> 'pipelineName'))::text
FROM collect.collector_executions x WHERE x.tenant_id = util.tenant() AND x.id = $1

-- name: execution_cancel :one (id uuid)
SELECT collect.request_cancel($1)

-- name: execution_wake :one ()
SELECT work.wake('catchment_work')

-- name: execution_wake_cancel :one ()
SELECT work.wake('catchment_cancel')
