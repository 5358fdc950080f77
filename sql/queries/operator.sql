-- What the command line asks, as the migrate role: an operator, outside every tenant.

-- name: operator_months_ahead :one ()
SELECT util.months_ahead();

-- name: operator_users :many ()
SELECT u.id, u.email, u.name, CASE WHEN u.is_active THEN 'active' ELSE 'disabled' END,
	util.utc(u.created_at),
	(SELECT count(*) FROM identity.members m WHERE m.user_id = u.id),
	(SELECT p.role FROM identity.platform_roles p WHERE p.user_id = u.id)
FROM identity.users u ORDER BY u.created_at, u.id;

-- name: operator_user_add :one (id uuid, email text, phc text, name text, tenant uuid, tenant_name text)
SELECT identity.sign_up($1, lower($2), $3, $4, $5, $6);

-- A user who is let in no more has no tokens either, at once.
-- name: operator_user_active :maybe (email text, active bool)
WITH who AS (UPDATE identity.users u SET is_active = $2 WHERE u.email = lower($1) RETURNING u.id),
ended AS (UPDATE identity.tokens k SET revoked_at = clock_timestamp() FROM who
	WHERE k.user_id = who.id AND k.revoked_at IS NULL AND NOT $2)
SELECT id FROM who;

-- Who administers the platform itself; a null role takes it away.
-- name: operator_user_role :maybe (email text, role text)
WITH who AS (SELECT u.id FROM identity.users u WHERE u.email = lower($1)),
given AS (INSERT INTO identity.platform_roles (user_id, role)
	SELECT who.id, $2 FROM who WHERE $2 IS NOT NULL
	ON CONFLICT (user_id) DO UPDATE SET role = excluded.role),
taken AS (DELETE FROM identity.platform_roles p USING who WHERE p.user_id = who.id AND $2 IS NULL)
SELECT id FROM who;

-- name: operator_user_password :maybe (email text, phc text)
WITH who AS (UPDATE identity.users u SET password_phc = $2 WHERE u.email = lower($1) RETURNING u.id),
ended AS (UPDATE identity.tokens k SET revoked_at = clock_timestamp() FROM who
	WHERE k.user_id = who.id AND k.revoked_at IS NULL)
SELECT id FROM who;

-- name: operator_tenants :many ()
SELECT w.id, w.name, (SELECT count(*) FROM identity.members m WHERE m.tenant_id = w.id),
	(SELECT count(*) FROM collect.collector_instances i WHERE i.tenant_id = w.id),
	coalesce((SELECT l.max_running FROM work.lane l WHERE l.tenant_id = w.id), 4),
	util.utc(w.created_at)
FROM identity.tenants w WHERE w.deleted_at IS NULL ORDER BY w.created_at, w.id;

-- name: operator_tenant_limit :maybe (tenant uuid, max_running int)
INSERT INTO work.lane AS l (tenant_id, max_running)
SELECT w.id, $2 FROM identity.tenants w WHERE w.id = $1 AND w.deleted_at IS NULL
ON CONFLICT (tenant_id) DO UPDATE SET max_running = excluded.max_running
RETURNING l.tenant_id;

-- name: operator_member :maybe (email text, tenant uuid)
SELECT m.user_id, m.tenant_id FROM identity.members m
JOIN identity.tenants w ON w.id = m.tenant_id AND w.deleted_at IS NULL
WHERE m.email = lower($1) AND ($2::uuid IS NULL OR m.tenant_id = $2)
ORDER BY m.created_at LIMIT 1;

-- name: operator_token_add :one (id uuid, hash bytea, user_id uuid, tenant uuid, name text, prefix text, scopes text[], expires timestamptz)
SELECT identity.token_insert($1, $2, $3, $4, 'api', $5, $6, $7, $8);

-- name: operator_token_revoke :maybe (prefix text)
UPDATE identity.tokens k SET revoked_at = clock_timestamp()
WHERE k.prefix = $1 AND k.revoked_at IS NULL RETURNING k.id;

-- name: operator_tokens :many (email text)
SELECT k.prefix, k.kind, k.name, array_to_string(k.scopes, ' '), util.utc(k.expires_at),
	util.utc(k.last_used_at), k.tenant_id
FROM identity.tokens k JOIN identity.users u ON u.id = k.user_id
WHERE u.email = lower($1) AND k.revoked_at IS NULL
	AND (k.expires_at IS NULL OR k.expires_at > clock_timestamp())
ORDER BY k.created_at;

-- name: operator_seal_keys :many ()
SELECT s.kid, s.check_value, util.utc(s.created_at),
	(SELECT count(*) FROM collect.secrets x WHERE x.kid = s.kid)
	+ (SELECT count(*) FROM collect.tokens x WHERE x.access_kid = s.kid)
	+ (SELECT count(*) FROM collect.tokens x WHERE x.refresh_kid = s.kid)
FROM work.seal_key s ORDER BY s.created_at;

-- name: operator_seal_key_add :exec (kid bigint, check_value text)
INSERT INTO work.seal_key (kid, check_value) VALUES ($1, $2) ON CONFLICT DO NOTHING;
