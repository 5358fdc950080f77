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

-- name: execution_list :one (instance uuid, after text, row_limit bigint, state text)
WITH page AS (
	SELECT x.* FROM collect.collector_executions x
	WHERE x.tenant_id = util.tenant() AND x.collector_instance_id = $1
		AND ($2::text IS NULL OR x.id < $2::uuid)
		AND ($4::text IS NULL OR x.state = ANY (string_to_array($4, ',')))
	ORDER BY x.id DESC LIMIT $3 + 1),
shown AS (SELECT * FROM page ORDER BY id DESC LIMIT $3)
SELECT coalesce((SELECT json_agg(collect.execution_doc(s::collect.collector_executions) ORDER BY s.id DESC)
		FROM shown s), '[]'),
	CASE WHEN (SELECT count(*) FROM page) > $3 THEN (SELECT min(s.id::text) FROM shown s) END,
	json_build_object('instanceId', i.id, 'instanceName', i.instance_name,
		'totalExecutions', i.total_executions, 'successfulExecutions', i.successful_executions,
		'failedExecutions', i.failed_executions, 'lastExecutedAt', util.utc(i.last_executed_at))::text
FROM collect.collector_instances i WHERE i.tenant_id = util.tenant() AND i.id = $1

-- name: execution_log :one (id uuid, after text, row_limit bigint, kind text)
WITH page AS (
	SELECT j.* FROM collect.journal j
	WHERE j.tenant_id = util.tenant() AND j.execution_id = $1 AND ($2::text IS NULL OR j.id > $2::uuid)
		AND ($4::text IS NULL OR j.kind = $4)
	ORDER BY j.id LIMIT $3 + 1),
shown AS (SELECT * FROM page ORDER BY id LIMIT $3)
SELECT coalesce((SELECT json_agg(json_build_object('id', s.id, 'at', util.utc(s.at), 'kind', s.kind,
		'entry', s.entry) ORDER BY s.id) FROM shown s), '[]'),
	CASE WHEN (SELECT count(*) FROM page) > $3 THEN (SELECT max(s.id::text) FROM shown s) END,
	json_build_object('executionId', x.id)::text
FROM collect.collector_executions x WHERE x.tenant_id = util.tenant() AND x.id = $1

-- name: execution_quarantine :one (id uuid, after text, row_limit bigint)
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
	json_build_object('executionId', x.id)::text
FROM collect.collector_executions x WHERE x.tenant_id = util.tenant() AND x.id = $1

-- name: execution_cancel :one (id uuid)
SELECT collect.request_cancel($1)

-- name: execution_wake :one ()
SELECT work.wake('catchment_work')

-- name: execution_wake_cancel :one ()
SELECT work.wake('catchment_cancel')
