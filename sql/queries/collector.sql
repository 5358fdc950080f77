-- Collectors: drafts of a workspace. What is published stands in market.release (release.sql).

-- One row more than asked for says whether there is a next page.
-- name: collector_list :one (after text, row_limit bigint, search text, stage text, source uuid)
SELECT coalesce(json_agg(p.doc ORDER BY p.id DESC) FILTER (WHERE p.place <= $2), '[]'),
	CASE WHEN count(*) > $2 THEN min(p.id::text) FILTER (WHERE p.place <= $2) END
FROM (SELECT c.id, collect.collector_summary(c, d, l) AS doc, row_number() OVER (ORDER BY c.id DESC) AS place
	FROM collect.data_collectors c
	JOIN collect.data_sources d ON d.tenant_id = c.tenant_id AND d.id = c.data_source_id
	LEFT JOIN market.listing l ON l.collector_id = c.id
	WHERE c.tenant_id = util.tenant() AND ($1::text IS NULL OR c.id < $1::uuid)
		AND ($3::text IS NULL OR position(lower(normalize($3, NFC)) IN lower(c.name || ' ' || c.description)) > 0)
		AND ($4::text IS NULL OR c.stage = $4) AND ($5::uuid IS NULL OR c.data_source_id = $5)
	ORDER BY c.id DESC LIMIT $2 + 1) p

-- name: collector_get :maybe (id uuid)
SELECT left(collect.collector_doc(c)::text, -1) || ',"installs":' || coalesce((
	SELECT l.installs FROM market.listing l WHERE l.collector_id = c.id), 0) || '}', c.version
FROM collect.data_collectors c
WHERE c.tenant_id = util.tenant() AND c.id = $1

-- Before the collector itself: a change of the data source locks in this order, too.
-- name: collector_source_hold :maybe (id uuid)
SELECT d.id FROM collect.data_sources d
WHERE d.tenant_id = util.tenant() AND d.id = (SELECT c.data_source_id FROM collect.data_collectors c
	WHERE c.tenant_id = util.tenant() AND c.id = $1) FOR SHARE

-- The stage is left out: it stays as it is unless it is sent.
-- name: collector_lock :maybe (id uuid)
SELECT c.version, json_build_object('name', c.name, 'description', c.description,
		'dataSourceId', c.data_source_id, 'pipelines', c.pipelines),
	c.creator_config, collect.data_source_definition(d)
FROM collect.data_collectors c
JOIN collect.data_sources d ON d.tenant_id = c.tenant_id AND d.id = c.data_source_id
WHERE c.tenant_id = util.tenant() AND c.id = $1 FOR NO KEY UPDATE OF c

-- name: collector_insert :exec (id uuid, document json, config json)
INSERT INTO collect.data_collectors (id, name, description, data_source_id, stage, pipelines, creator_config)
SELECT $1, normalize(c ->> 'name', NFC), normalize(coalesce(c ->> 'description', ''), NFC),
	(c ->> 'dataSourceId')::uuid, coalesce(c ->> 'stage', 'Draft'), c -> 'pipelines', $3
FROM (SELECT $2::json) AS x (c)

-- name: collector_update :exec (id uuid, document json, config json)
UPDATE collect.data_collectors t SET name = normalize(c ->> 'name', NFC),
	description = normalize(coalesce(c ->> 'description', ''), NFC),
	data_source_id = (c ->> 'dataSourceId')::uuid, stage = coalesce(c ->> 'stage', t.stage),
	pipelines = c -> 'pipelines', creator_config = coalesce($3, t.creator_config),
	version = t.version + 1, updated_at = clock_timestamp()
FROM (SELECT $2::json) AS x (c)
WHERE t.tenant_id = util.tenant() AND t.id = $1

-- Is it listed, and how many other workspaces have it installed?
-- name: collector_standing :maybe (id uuid)
SELECT c.version, c.is_published, coalesce(l.is_listed, false), coalesce(l.installs, 0)
FROM collect.data_collectors c LEFT JOIN market.listing l ON l.collector_id = c.id
WHERE c.tenant_id = util.tenant() AND c.id = $1 FOR NO KEY UPDATE OF c

-- name: collector_delete :exec (id uuid)
DELETE FROM collect.data_collectors c WHERE c.tenant_id = util.tenant() AND c.id = $1

-- name: collector_audit :one (id uuid, action text, detail json)
SELECT audit.write($2, 'collector', $1, coalesce($3, '{}'))
