-- Installations.

-- name: instance_list :one (after text, row_limit bigint, search text)
WITH page AS (
	SELECT i.* FROM collect.collector_instances i
	WHERE i.tenant_id = util.tenant() AND ($1::text IS NULL OR i.id < $1::uuid)
		AND ($3::text IS NULL OR position(lower($3) IN lower(i.instance_name)) > 0)
	ORDER BY i.id DESC LIMIT $2 + 1),
shown AS (SELECT * FROM page ORDER BY id DESC LIMIT $2)
SELECT coalesce((SELECT json_agg(collect.instance_doc(s::collect.collector_instances) ORDER BY s.id DESC)
		FROM shown s), '[]'),
	CASE WHEN (SELECT count(*) FROM page) > $2 THEN (SELECT min(s.id::text) FROM shown s) END

-- name: instance_get :maybe (id uuid)
SELECT collect.instance_doc(i), i.version FROM collect.collector_instances i
WHERE i.tenant_id = util.tenant() AND i.id = $1

-- name: instance_lock :maybe (id uuid)
SELECT i.version, i.release_version, i.tenant_config, r.document -> 'dataSource'
FROM collect.collector_instances i
JOIN market.release r ON r.collector_id = i.collector_id AND r.version = i.release_version
WHERE i.tenant_id = util.tenant() AND i.id = $1 FOR NO KEY UPDATE OF i

-- name: instance_update :exec (id uuid, name text, config json, active bool)
UPDATE collect.collector_instances i SET instance_name = coalesce(normalize($2, NFC), i.instance_name),
	tenant_config = coalesce($3, i.tenant_config), is_active = coalesce($4, i.is_active),
	version = i.version + 1, updated_at = clock_timestamp()
WHERE i.tenant_id = util.tenant() AND i.id = $1

-- name: instance_resume :exec (id uuid)
UPDATE work.work w SET state = 'idle', attempt = 0, crashes = 0
FROM collect.progress g
WHERE g.tenant_id = util.tenant() AND g.instance_id = $1 AND w.tenant_id = g.tenant_id
	AND w.subject_id = g.subject_id AND w.state IN ('paused', 'dead')

-- name: instance_changed :one (id uuid, name text, status text, config json)
SELECT audit.write('instance.update', 'instance', $1,
	json_strip_nulls(json_build_object('name', $2::text, 'status', $3::text, 'configFields', $4::json)))

-- name: instance_live :one (id uuid)
SELECT count(*) FROM collect.progress g
JOIN collect.collector_executions x ON x.tenant_id = g.tenant_id AND x.subject_id = g.subject_id
	AND x.state IN ('pending', 'running', 'waiting')
WHERE g.tenant_id = util.tenant() AND g.instance_id = $1

-- name: instance_erase :one (id uuid)
SELECT collect.instance_erase($1)

-- A version that was withdrawn from the list may still be moved to by those who have the collector;
-- one that was never approved may not. No row: no such installation; null: no such version.
-- name: instance_releases :maybe (id uuid, version text)
SELECT old.version, new.version, old.document, new.document, i.tenant_config,
	new.release_notes, util.utc(new.published_at), market.release_hosts(old.document),
	market.release_hosts(new.document), i.version,
	(SELECT coalesce(json_agg(o.version ORDER BY o.ordinal DESC), '[]') FROM (SELECT r.version, r.ordinal
		FROM market.release r WHERE r.collector_id = l.collector_id AND r.version <> old.version
		ORDER BY r.ordinal DESC LIMIT 50) o),
	(SELECT coalesce(json_object_agg(z.field, true), '{}') FROM collect.secrets z
		WHERE z.tenant_id = i.tenant_id AND z.owner_id = i.id),
	coalesce(l.is_listed, false)
FROM collect.collector_instances i
JOIN market.release old ON old.collector_id = i.collector_id AND old.version = i.release_version
LEFT JOIN market.listing l ON l.collector_id = i.collector_id AND l.approval = 'approved'
LEFT JOIN market.release new ON new.collector_id = i.collector_id
	AND new.version = coalesce($2, market.newer(l, i.release_version), i.release_version)
	AND (l.collector_id IS NOT NULL OR new.version = i.release_version) -- what is withdrawn goes on as it is
WHERE i.tenant_id = util.tenant() AND i.id = $1

-- name: instance_upgrade :exec (id uuid, version text, config json)
UPDATE collect.collector_instances i SET release_version = $2, tenant_config = $3,
	version = i.version + 1, updated_at = clock_timestamp()
WHERE i.tenant_id = util.tenant() AND i.id = $1

-- name: instance_upgraded :one (id uuid, from_version text, to_version text, breaking json)
SELECT audit.write('instance.upgrade', 'instance', $1,
	json_build_object('from', $2::text, 'to', $3::text, 'breaking', $4::json))

-- What the pages of installations show beside the document.
-- name: instance_list_page :one (after text, row_limit bigint, search text)
WITH page AS (
	SELECT i.* FROM collect.collector_instances i
	WHERE i.tenant_id = util.tenant() AND ($1::text IS NULL OR i.id < $1::uuid)
		AND ($3::text IS NULL OR position(lower($3) IN lower(i.instance_name)) > 0)
	ORDER BY i.id DESC LIMIT $2 + 1),
shown AS (SELECT * FROM page ORDER BY id DESC LIMIT $2)
SELECT coalesce((SELECT json_agg(json_build_object('instance', collect.instance_doc(s::collect.collector_instances),
		'upgradeTo', (SELECT market.newer(l, s.release_version) FROM market.listing l
			WHERE l.collector_id = s.collector_id AND l.approval = 'approved'),
		'lastRun', (SELECT collect.execution_doc(x) FROM collect.collector_executions x
			WHERE x.tenant_id = s.tenant_id AND x.collector_instance_id = s.id ORDER BY x.id DESC LIMIT 1),
		'records', (SELECT coalesce(sum(t.record_count), 0) FROM collect.streams t
			WHERE t.tenant_id = s.tenant_id AND t.instance_id = s.id)) ORDER BY s.id DESC)
		FROM shown s), '[]'),
	CASE WHEN (SELECT count(*) FROM page) > $2 THEN (SELECT min(s.id::text) FROM shown s) END,
	json_build_object('q', $3::text)::text

-- name: instance_page :maybe (id uuid)
SELECT json_build_object('instance', collect.instance_doc(i),
	'live', EXISTS (SELECT FROM collect.collector_executions x WHERE x.tenant_id = i.tenant_id
		AND x.collector_instance_id = i.id AND x.state IN ('pending', 'running', 'waiting')),
	'upgradeTo', (SELECT market.newer(l, i.release_version) FROM market.listing l
		WHERE l.collector_id = i.collector_id AND l.approval = 'approved'),
	'cleanRuns', i.successful_executions - i.partial_executions,
	'isOffered', EXISTS (SELECT FROM market.listing l WHERE l.collector_id = i.collector_id
		AND l.approval = 'approved' AND l.is_listed),
	'configFields', coalesce(r.document -> 'dataSource' -> 'configFields', '[]'),
	'streams', coalesce((SELECT json_agg(collect.stream_doc(s)
			ORDER BY collect.pipeline_place(r.document, s.pipeline_id), s.created_at DESC, s.id)
		FROM collect.streams s WHERE s.tenant_id = i.tenant_id AND s.instance_id = i.id), '[]'),
	'records', (SELECT coalesce(sum(s.record_count), 0) FROM collect.streams s
		WHERE s.tenant_id = i.tenant_id AND s.instance_id = i.id),
	'waits', coalesce((SELECT json_agg(json_build_object('executionId', x.id, 'pipelineName', x.pipeline_name, 'code', w.doc ->> 'code',
			'message', w.doc ->> 'message', 'until', w.doc ->> 'until', 'since', util.utc(w.since),
			'forMs', (extract(epoch FROM clock_timestamp() - w.since) * 1000)::bigint) ORDER BY x.id DESC)
		FROM collect.collector_executions x, LATERAL (SELECT collect.execution_doc(x) -> 'waiting' AS doc,
			coalesce((SELECT j.at FROM collect.journal j WHERE j.tenant_id = x.tenant_id AND j.execution_id = x.id
				ORDER BY j.id DESC LIMIT 1), x.created_at) AS since) w
		WHERE x.tenant_id = i.tenant_id AND x.collector_instance_id = i.id AND x.state IN ('pending', 'running', 'waiting')
			AND json_typeof(w.doc) = 'object'), '[]'),
	'runs', coalesce((SELECT json_agg(collect.execution_doc(n.run::collect.collector_executions) ORDER BY n.id DESC)
		FROM (SELECT x AS run, x.id FROM collect.collector_executions x WHERE x.tenant_id = i.tenant_id
			AND x.collector_instance_id = i.id ORDER BY x.id DESC LIMIT 20) n), '[]'))
FROM collect.collector_instances i
JOIN market.release r ON r.collector_id = i.collector_id AND r.version = i.release_version
WHERE i.tenant_id = util.tenant() AND i.id = $1
