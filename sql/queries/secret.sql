-- Sealed values of configs. The web role sees that they are set, never the sealed bytes.

-- name: secret_list :many (owner uuid)
SELECT s.field, s.version FROM collect.secrets s WHERE s.tenant_id = util.tenant() AND s.owner_id = $1

-- name: secret_put :exec (owner uuid, field text, version bigint, kid bigint, sealed bytea)
INSERT INTO collect.secrets (owner_id, field, version, kid, sealed) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (tenant_id, owner_id, field) DO UPDATE SET version = $3, kid = $4, sealed = $5,
	updated_at = clock_timestamp()

-- name: secret_delete :exec (owner uuid, field text)
DELETE FROM collect.secrets s WHERE s.tenant_id = util.tenant() AND s.owner_id = $1 AND s.field = $2

-- name: secret_erase :exec (owner uuid)
DELETE FROM collect.secrets s WHERE s.tenant_id = util.tenant() AND s.owner_id = $1

-- name: secret_key_find :maybe (kid bigint)
SELECT k.check_value FROM work.seal_key k WHERE k.kid = $1

-- name: secret_key_add :exec (kid bigint, check_value text)
INSERT INTO work.seal_key (kid, check_value) VALUES ($1, $2) ON CONFLICT DO NOTHING
