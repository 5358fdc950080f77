-- Members of the workspace, and invitations into it.

-- name: member_list :one (after text, row_limit bigint)
WITH page AS (
	SELECT m.user_id, m.email, m.name, m.role, m.created_at, m.version FROM identity.members m
	WHERE m.tenant_id = util.tenant() AND ($1::text IS NULL OR m.user_id > $1::uuid)
	ORDER BY m.user_id LIMIT $2 + 1),
shown AS (SELECT * FROM page ORDER BY user_id LIMIT $2)
SELECT coalesce(json_agg(json_build_object('userId', s.user_id, 'email', s.email, 'name', s.name,
		'role', s.role, 'joinedAt', util.utc(s.created_at), 'version', s.version) ORDER BY s.user_id), '[]'),
	CASE WHEN (SELECT count(*) FROM page) > $2 THEN (SELECT max(s2.user_id::text) FROM shown s2) END
FROM shown s

-- name: member_get :maybe (user_id uuid)
SELECT json_build_object('userId', m.user_id, 'email', m.email, 'name', m.name, 'role', m.role,
	'joinedAt', util.utc(m.created_at), 'version', m.version), m.version
FROM identity.members m WHERE m.tenant_id = util.tenant() AND m.user_id = $1

-- name: member_set_role :one (user_id uuid, role text, version bigint)
SELECT identity.member_set_role($1, $2, $3)

-- name: member_remove :one (user_id uuid, version bigint)
SELECT identity.member_remove($1, $2)

-- name: invitation_list :one (after text, row_limit bigint)
WITH page AS (
	SELECT i.* FROM identity.invitations i
	WHERE i.tenant_id = util.tenant() AND i.accepted_at IS NULL AND i.revoked_at IS NULL
		AND ($1::text IS NULL OR i.id < $1::uuid)
	ORDER BY i.id DESC LIMIT $2 + 1),
shown AS (SELECT * FROM page ORDER BY id DESC LIMIT $2)
SELECT coalesce(json_agg(json_build_object('id', s.id, 'email', s.email, 'role', s.role,
		'createdAt', util.utc(s.created_at), 'expiresAt', util.utc(s.expires_at),
		'expired', s.expires_at <= clock_timestamp()) ORDER BY s.id DESC), '[]'),
	CASE WHEN (SELECT count(*) FROM page) > $2 THEN (SELECT min(s2.id::text) FROM shown s2) END
FROM shown s

-- name: invitation_create :one (id uuid, email text, role text, hash bytea)
SELECT identity.invitation_create($1, $2, $3, $4, clock_timestamp() + interval '7 days')

-- name: invitation_get :maybe (id uuid)
SELECT json_build_object('id', i.id, 'email', i.email, 'role', i.role,
	'createdAt', util.utc(i.created_at), 'expiresAt', util.utc(i.expires_at))
FROM identity.invitations i WHERE i.tenant_id = util.tenant() AND i.id = $1

-- name: invitation_revoke :one (id uuid)
SELECT identity.invitation_revoke($1)

-- name: invitation_find :maybe (hash bytea)
SELECT f.tenant_id, f.email, f.user_id FROM identity.invitation_find($1) f

-- name: invitation_shown :maybe (hash bytea)
SELECT json_build_object('email', f.email, 'role', f.role, 'workspace', f.tenant_name,
	'known', f.user_id IS NOT NULL), f.user_id
FROM identity.invitation_find($1) f

-- name: invitation_accept :one (hash bytea, new_user uuid, name text, phc text)
SELECT identity.invitation_accept($1, $2, normalize($3, NFC), $4)
