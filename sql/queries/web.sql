-- What the frame itself asks: who is there, was this done already, is the schema new enough.

-- name: web_enter :one (token bytea, scope text, role text, ip text)
SELECT user_id, tenant_id, role, scopes, token_id
FROM identity.enter($1, $2, $3, $4)

-- Behind web_enter, on routes of the platform's own.
-- name: web_platform :one (role text)
SELECT platform.need($1)

-- name: web_idempotency_begin :one (key text, route text, body bytea)
SELECT state, status, body, location
FROM identity.idempotency_begin($1, $2, $3)

-- name: web_idempotency_end :one (key text, route text, status int, body text, location text)
SELECT identity.idempotency_end($1, $2, $3, $4, $5) IS NULL AS ended

-- name: web_migration_number :one
SELECT coalesce(max(number), 0) FROM migration.applied

-- Null: signed out meanwhile.
-- name: web_who :one (token bytea)
SELECT identity.who($1)
