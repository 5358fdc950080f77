-- API tokens of the workspace.

-- name: token_list :one (after text, row_limit bigint, kind text, asking uuid)
WITH page AS (
	SELECT t.* FROM identity.tokens_seen() t
	WHERE ($1::text IS NULL OR t.id < $1::uuid) AND ($3::text IS NULL OR t.kind = $3)
	ORDER BY t.id DESC LIMIT $2 + 1),
shown AS (SELECT * FROM page ORDER BY id DESC LIMIT $2)
SELECT coalesce(json_agg(json_build_object('id', s.id, 'kind', s.kind, 'name', s.name, 'prefix', s.prefix,
		'scopes', s.scopes, 'email', s.email, 'createdAt', util.utc(s.created_at),
		'expiresAt', util.utc(s.expires_at), 'lastUsedAt', util.utc(s.last_used_at), 'lastIp', s.last_ip,
		'mine', s.user_id = util.caller(), 'current', s.id = $4) ORDER BY s.id DESC), '[]'),
	CASE WHEN (SELECT count(*) FROM page) > $2 THEN (SELECT min(s2.id::text) FROM shown s2) END
FROM shown s

-- name: token_get :maybe (id uuid)
SELECT json_build_object('id', t.id, 'kind', t.kind, 'name', t.name, 'prefix', t.prefix,
	'scopes', t.scopes, 'email', t.email, 'createdAt', util.utc(t.created_at),
	'expiresAt', util.utc(t.expires_at), 'lastUsedAt', util.utc(t.last_used_at), 'lastIp', t.last_ip)
FROM identity.tokens_seen() t WHERE t.id = $1

-- What a new token takes over from an own one: name, scopes, days to live (null: the default).
-- name: token_mine :maybe (id uuid)
SELECT t.name, t.scopes::text, ceil(extract(epoch FROM t.expires_at - t.created_at) / 86400)::bigint
FROM identity.tokens_seen() t WHERE t.id = $1 AND t.user_id = util.caller()

-- name: token_create :one (id uuid, hash bytea, name text, prefix text, scopes text[], days bigint, own_scopes text[])
SELECT identity.token_create($1, $2, normalize($3, NFC), $4, $5,
	clock_timestamp() + $6 * interval '1 day', $7)

-- name: token_revoke :one (id uuid)
SELECT identity.token_revoke($1)
