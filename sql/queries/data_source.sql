-- Data sources: definitions of APIs. A document comes in whole and is split into its columns here.

-- name: data_source_list :one (after text, row_limit bigint, search text, category text, tag text)
WITH page AS (
	SELECT d AS source, d.id FROM collect.data_sources d
	WHERE d.tenant_id = util.tenant() AND ($1::text IS NULL OR d.id < $1::uuid)
		AND ($3::text IS NULL OR position(lower(normalize($3, NFC)) IN lower(d.name || ' ' || d.description)) > 0)
		AND ($4::text IS NULL OR util.fold(d.category) = util.fold($4))
		AND ($5::text IS NULL OR EXISTS (SELECT FROM json_array_elements_text(d.tags) t
			WHERE util.fold(t) = util.fold($5)))
	ORDER BY d.id DESC LIMIT $2 + 1),
shown AS (SELECT * FROM page ORDER BY id DESC LIMIT $2)
SELECT coalesce((SELECT json_agg(collect.data_source_summary(s.source) ORDER BY s.id DESC) FROM shown s), '[]'),
	CASE WHEN (SELECT count(*) FROM page) > $2 THEN (SELECT min(s.id::text) FROM shown s) END

-- name: data_source_get :maybe (id uuid)
SELECT left(collect.data_source_doc(d)::text, -1) || ',"usedBy":' || coalesce((
	SELECT json_agg(json_build_object('id', u.id, 'name', u.name, 'stage', u.stage) ORDER BY u.id DESC)
	FROM (SELECT c.id, c.name, c.stage FROM collect.data_collectors c
		WHERE c.tenant_id = d.tenant_id AND c.data_source_id = d.id ORDER BY c.id DESC LIMIT 200) u)::text,
	'[]') || '}', d.version
FROM collect.data_sources d
WHERE d.tenant_id = util.tenant() AND d.id = $1

-- name: data_source_lock :maybe (id uuid)
SELECT d.version, collect.data_source_definition(d) FROM collect.data_sources d
WHERE d.tenant_id = util.tenant() AND d.id = $1 FOR NO KEY UPDATE

-- For a collector that refers to it: it must neither go away nor move to another address before the
-- collector's secrets are written.
-- name: data_source_use :maybe (id uuid)
SELECT collect.data_source_definition(d), d.is_active FROM collect.data_sources d
WHERE d.tenant_id = util.tenant() AND d.id = $1 FOR SHARE

-- name: data_source_insert :exec (id uuid, document json)
INSERT INTO collect.data_sources (id, name, description, protocol, base_url, config_fields, auth_config,
	headers, functions, rate_limit_config, cache_config, category, tags, is_active)
SELECT $1, normalize(d ->> 'name', NFC), normalize(coalesce(d ->> 'description', ''), NFC),
	coalesce(d ->> 'protocol', 'REST'), nullif(d ->> 'baseUrl', ''), coalesce(d -> 'configFields', '[]'),
	d -> 'authConfig', d -> 'headers', d -> 'functions', d -> 'rateLimitConfig', d -> 'cacheConfig',
	nullif(normalize(d ->> 'category', NFC), ''), coalesce(d -> 'tags', '[]'),
	coalesce((d ->> 'isActive')::boolean, true)
FROM (SELECT $2::json) AS x (d)

-- name: data_source_update :exec (id uuid, document json)
UPDATE collect.data_sources s SET name = normalize(d ->> 'name', NFC),
	description = normalize(coalesce(d ->> 'description', ''), NFC),
	protocol = coalesce(d ->> 'protocol', 'REST'), base_url = nullif(d ->> 'baseUrl', ''),
	config_fields = coalesce(d -> 'configFields', '[]'), auth_config = d -> 'authConfig',
	headers = d -> 'headers', functions = d -> 'functions', rate_limit_config = d -> 'rateLimitConfig',
	cache_config = d -> 'cacheConfig', category = nullif(normalize(d ->> 'category', NFC), ''),
	tags = coalesce(d -> 'tags', '[]'), is_active = coalesce((d ->> 'isActive')::boolean, true),
	version = s.version + 1, updated_at = clock_timestamp()
FROM (SELECT $2::json) AS x (d)
WHERE s.tenant_id = util.tenant() AND s.id = $1

-- Collectors that keep secrets for this data source's address.
-- name: data_source_secret_owners :many (id uuid)
SELECT c.id, c.creator_config FROM collect.data_collectors c
WHERE c.tenant_id = util.tenant() AND c.data_source_id = $1
	AND EXISTS (SELECT FROM collect.secrets s WHERE s.tenant_id = c.tenant_id AND s.owner_id = c.id)
ORDER BY c.id FOR NO KEY UPDATE OF c

-- name: data_source_users :one (id uuid)
SELECT count(*) FROM collect.data_collectors c WHERE c.tenant_id = util.tenant() AND c.data_source_id = $1

-- name: data_source_delete :exec (id uuid)
DELETE FROM collect.data_sources d WHERE d.tenant_id = util.tenant() AND d.id = $1

-- name: data_source_audit :one (id uuid, action text)
SELECT audit.write($2, 'data_source', $1)
