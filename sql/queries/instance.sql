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
SELECT i.version, i.collector_id, i.release_version, i.tenant_config, r.document, i.instance_name
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

-- name: instance_audit :one (id uuid, action text, detail json)
SELECT audit.write($2, 'instance', $1, $3)

-- name: instance_running :one (id uuid)
SELECT count(*) FROM work.work w JOIN collect.progress g ON g.tenant_id = w.tenant_id
	AND g.subject_id = w.subject_id
WHERE g.tenant_id = util.tenant() AND g.instance_id = $1 AND w.state = 'running'

-- name: instance_erase :one (id uuid)
SELECT collect.instance_erase($1)

-- name: instance_releases :maybe (id uuid, version text)
SELECT old.document, new.document, new.version, new.release_notes, old.version
FROM collect.collector_instances i
JOIN market.release old ON old.collector_id = i.collector_id AND old.version = i.release_version
JOIN market.listing l ON l.collector_id = i.collector_id AND l.approval = 'approved'
JOIN market.release new ON new.collector_id = i.collector_id AND new.version = coalesce($2, l.latest_version)
WHERE i.tenant_id = util.tenant() AND i.id = $1

-- name: instance_upgrade :exec (id uuid, version text, config json)
UPDATE collect.collector_instances i SET release_version = $2, tenant_config = coalesce($3, i.tenant_config),
	version = i.version + 1, updated_at = clock_timestamp()
WHERE i.tenant_id = util.tenant() AND i.id = $1
