-- The workspace's audit log, newest first.

-- name: audit_list :one (after text, row_limit bigint, action text, user_id text, object_id text)
WITH page AS (
	SELECT a.* FROM audit.entries a
	WHERE a.tenant_id = util.tenant() AND ($1::text IS NULL OR a.id < $1::uuid)
		AND (nullif($3::text, '') IS NULL OR a.action = $3)
		AND (nullif($4::text, '') IS NULL OR a.user_id = $4::uuid)
		AND (nullif($5::text, '') IS NULL OR a.object_id = $5::uuid)
	ORDER BY a.id DESC LIMIT $2 + 1),
shown AS (SELECT * FROM page ORDER BY id DESC LIMIT $2)
SELECT coalesce(json_agg(json_build_object('id', s.id, 'at', util.utc(s.at), 'action', s.action,
		'objectKind', s.object_kind, 'objectId', s.object_id, 'userId', s.user_id,
		'email', coalesce(s.email, (SELECT m.email FROM identity.members m -- older than the column
			WHERE m.tenant_id = s.tenant_id AND m.user_id = s.user_id)),
		'ip', s.ip, 'detail', s.detail) ORDER BY s.id DESC), '[]'),
	CASE WHEN (SELECT count(*) FROM page) > $2 THEN (SELECT min(s2.id::text) FROM shown s2) END,
	json_build_object('filter', json_build_object('action', nullif($3, ''), 'userId', nullif($4, ''),
		'objectId', nullif($5, ''), 'active', coalesce(nullif($3, ''), nullif($4, ''), nullif($5, '')) IS NOT NULL))::text
FROM shown s
