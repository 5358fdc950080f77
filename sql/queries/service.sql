-- What runs and tests keep of the services that they ask: access tokens. Both roles use these, each inside
-- a transaction that has opened the tenant.

-- name: service_token_take :one (owner uuid, hash text, refused bigint, lease uuid, ttl interval)
SELECT state, version, access, renew_in_ms, refresh_version, refresh
FROM collect.token_take($1, $2, $3, $4, $5)

-- name: service_token_keep :one (owner uuid, lease uuid, version bigint, kid bigint, access bytea,
--   refresh bytea, life_ms bigint, renew_ms bigint)
SELECT collect.token_keep($1, $2, $3, $4, $5, $6, $7, $8)

-- name: service_token_let_go :one (owner uuid, lease uuid, refused text)
SELECT collect.token_let_go($1, $2, $3)

-- name: service_token_enter :one (tenant uuid, owner uuid, lease uuid)
SELECT collect.token_enter($1, $2, $3)

-- name: service_pace :one (tenant uuid, service text, pace numeric, seconds numeric, rate numeric, burst numeric)
SELECT work.pace($1, $2, $3::float8, $4::float8, $5::float8, $6::float8)

-- name: service_answer_find :maybe (owner uuid, key text)
SELECT k.fresh_until > clock_timestamp(), k.etag, k.modified, k.headers, k.body FROM collect.kept_answers k
WHERE k.tenant_id = util.tenant() AND k.owner_id = $1 AND k.key = $2

-- name: service_answer_keep :one (owner uuid, key text, life_ms bigint, etag text, modified text, headers json,
--   body bytea)
SELECT collect.answer_keep($1, $2, $3, $4, $5, $6, $7)

-- name: service_answer_renew :one (owner uuid, key text, life_ms bigint)
SELECT collect.answer_renew($1, $2, $3)
