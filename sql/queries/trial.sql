-- What a test needs: definitions, configs, sealed secrets of the own tenant.

-- name: trial_collector :maybe (id uuid)
SELECT c.name, c.pipelines, collect.data_source_definition(d), c.creator_config
FROM collect.data_collectors c
JOIN collect.data_sources d ON d.tenant_id = c.tenant_id AND d.id = c.data_source_id
WHERE c.tenant_id = util.tenant() AND c.id = $1

-- name: trial_instance :maybe (id uuid)
SELECT i.instance_name, r.document -> 'collector' -> 'pipelines', r.document -> 'dataSource', i.tenant_config
FROM collect.collector_instances i
JOIN market.release r ON r.collector_id = i.collector_id AND r.version = i.release_version
WHERE i.tenant_id = util.tenant() AND i.id = $1

-- name: trial_listing :maybe (id uuid)
SELECT l.name, r.document -> 'collector' -> 'pipelines', r.document -> 'dataSource', '{}'::json
FROM market.listing l JOIN market.release r ON r.collector_id = l.collector_id AND r.version = market.offered(l)
WHERE l.collector_id = $1 AND l.approval = 'approved'
	AND (l.is_listed OR l.publisher_tenant = util.tenant())

-- name: trial_secrets :many (owner uuid)
SELECT s.field, s.version, s.sealed FROM collect.secrets s
WHERE s.tenant_id = util.tenant() AND s.owner_id = $1 ORDER BY s.field

-- name: trial_audit :one (action text, kind text, id uuid)
SELECT audit.write($1, $2, $3)

-- One request to a service, as the runner asks for it: how many milliseconds to wait before asking again.
-- name: trial_take :one (service text, rate numeric, burst numeric)
SELECT ceil(work.take(util.tenant(), $1, 1, $2::float8, $3::float8) * 1000)::bigint

-- name: trial_throttle :one (service text, seconds numeric, rate numeric, burst numeric)
SELECT work.throttle(util.tenant(), $1, $2::float8, $3::float8, $4::float8)

-- name: trial_begin :one (slots bigint)
SELECT EXISTS (SELECT FROM generate_series(1, $1) slot
	WHERE pg_try_advisory_lock(hashtextextended(util.tenant()::text || 'trial' || slot, 11)) LIMIT 1)

-- name: trial_end :one ()
SELECT pg_advisory_unlock_all()
