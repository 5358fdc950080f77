-- Publishing: a draft is frozen into a release, and its listing shows the latest.

-- What would be published now.
-- name: release_draft :maybe (id uuid)
SELECT c.version, collect.draft_document(c, d)
FROM collect.data_collectors c
JOIN collect.data_sources d ON d.tenant_id = c.tenant_id AND d.id = c.data_source_id
WHERE c.tenant_id = util.tenant() AND c.id = $1 FOR NO KEY UPDATE OF c

-- Behind the lock of the draft: a statement of its own sees what others published while it waited.
-- name: release_versions :one (id uuid)
SELECT coalesce(json_agg(r.version), '[]') FROM market.release r WHERE r.collector_id = $1

-- name: release_insert :exec (id uuid, version text, document json, notes text, breaking json)
INSERT INTO market.release (collector_id, version, ordinal, document, release_notes, breaking, published_by)
SELECT $1, $2, coalesce(max(r.ordinal), 0) + 1, $3, normalize($4, NFC), $5, collect.author(util.caller())
FROM market.release r WHERE r.collector_id = $1

-- The same to look at, with whom it concerns.
-- name: release_preview :maybe (id uuid)
SELECT c.version, collect.draft_document(c, d), r.version, r.document,
	market.release_hosts(collect.draft_document(c, d)), coalesce(l.installs, 0),
	coalesce(l.approval <> 'approved' AND l.approval_reason <> '', false), coalesce(NOT l.is_listed, false),
	c.release_version
FROM collect.data_collectors c
JOIN collect.data_sources d ON d.tenant_id = c.tenant_id AND d.id = c.data_source_id
LEFT JOIN market.listing l ON l.collector_id = c.id
LEFT JOIN market.release r ON r.collector_id = c.id AND r.version = market.offered(l)
WHERE c.tenant_id = util.tenant() AND c.id = $1

-- What a reviewer has rejected is looked at again, whether or not all else needs review.
-- name: release_listing :exec (id uuid, version text, document json, required json, approval text)
INSERT INTO market.listing AS l (collector_id, name, description, publisher, data_source, category,
	category_folded, tags, tags_folded, auth_type, search, latest_version, approval)
SELECT $1, d.name, d.description, d.publisher,
	json_build_object('name', d.source ->> 'name', 'requiredConfig', $4::json), d.category,
	util.fold(coalesce(d.category, '')), d.tags,
	coalesce((SELECT array_agg(util.fold(t)) FROM json_array_elements_text(d.tags) t), '{}'),
	market.auth_type($3), market.listing_words($3, d.publisher), $2, $5
FROM (SELECT x.document -> 'collector' ->> 'name' AS name, x.document -> 'collector' ->> 'description' AS description,
		x.document -> 'dataSource' AS source, x.document -> 'dataSource' ->> 'category' AS category,
		coalesce(x.document -> 'dataSource' -> 'tags', '[]') AS tags, market.my_publisher_name() AS publisher
	FROM (SELECT $3::json AS document) x) d
ON CONFLICT (collector_id) DO UPDATE SET name = excluded.name, description = excluded.description,
	publisher = excluded.publisher, data_source = excluded.data_source, category = excluded.category,
	category_folded = excluded.category_folded, tags = excluded.tags, tags_folded = excluded.tags_folded,
	auth_type = excluded.auth_type, search = excluded.search, latest_version = excluded.latest_version, offered_version = NULL,
	approval = CASE WHEN l.approval <> 'approved' AND l.approval_reason <> '' THEN 'pending' ELSE excluded.approval END,
	updated_at = clock_timestamp(), released_at = clock_timestamp()

-- A pre-release beside a release proper: the listing stays as it is, but for what a reviewer has to see.
-- name: release_beside :exec (id uuid, version text, offered text, approval text)
UPDATE market.listing l SET latest_version = $2, offered_version = $3,
	approval = CASE WHEN l.approval <> 'approved' AND l.approval_reason <> '' THEN 'pending' ELSE $4 END,
	updated_at = clock_timestamp()
WHERE l.collector_id = $1

-- name: release_published :exec (id uuid, version text)
UPDATE collect.data_collectors c SET stage = 'Production', approval_status = l.approval, is_published = true,
	published_at = r.published_at, published_by = r.published_by, release_version = $2,
	version = c.version + 1, updated_at = clock_timestamp()
FROM market.release r JOIN market.listing l ON l.collector_id = r.collector_id
WHERE c.tenant_id = util.tenant() AND c.id = $1 AND r.collector_id = c.id AND r.version = $2

-- name: release_answer :one (id uuid)
SELECT json_build_object('id', c.id, 'name', c.name, 'isPublished', c.is_published,
	'publishedAt', util.utc(c.published_at), 'publishedBy', c.published_by,
	'marketplaceUrl', '/marketplace/collectors/' || c.id, 'version', r.version,
	'releaseNotes', r.release_notes, 'breaking', r.breaking, 'stage', c.stage,
	'approvalStatus', c.approval_status)
FROM collect.data_collectors c
JOIN market.release r ON r.collector_id = c.id AND r.version = c.release_version
WHERE c.tenant_id = util.tenant() AND c.id = $1

-- name: release_list :maybe (id uuid, after text, row_limit bigint)
WITH page AS (
	SELECT r.* FROM market.release r
	WHERE r.collector_id = $1 AND r.publisher_tenant = util.tenant()
		AND ($2::text IS NULL OR r.ordinal < $2::bigint)
	ORDER BY r.ordinal DESC LIMIT $3 + 1),
shown AS (SELECT * FROM page ORDER BY ordinal DESC LIMIT $3)
SELECT coalesce((SELECT json_agg(json_build_object('version', s.version, 'releaseNotes', s.release_notes,
		'breaking', s.breaking, 'publishedAt', util.utc(s.published_at), 'publishedBy', s.published_by)
		ORDER BY s.ordinal DESC) FROM shown s), '[]'),
	CASE WHEN (SELECT count(*) FROM page) > $3 THEN (SELECT min(s.ordinal)::text FROM shown s) END
FROM collect.data_collectors c WHERE c.tenant_id = util.tenant() AND c.id = $1

-- name: release_get :maybe (id uuid, version text)
SELECT json_build_object('version', r.version, 'releaseNotes', r.release_notes, 'breaking', r.breaking,
	'publishedAt', util.utc(r.published_at), 'publishedBy', r.published_by,
	'collector', r.document -> 'collector', 'dataSource', r.document -> 'dataSource')
FROM collect.data_collectors c
JOIN market.release r ON r.collector_id = c.id AND r.version = $2 AND r.publisher_tenant = c.tenant_id
WHERE c.tenant_id = util.tenant() AND c.id = $1

-- name: release_list_set :exec (id uuid, listed bool)
UPDATE market.listing l SET is_listed = $2, updated_at = clock_timestamp()
WHERE l.collector_id = $1 AND l.publisher_tenant = util.tenant()
