-- The marketplace: what is published, approved and listed.

-- What fits each filter by itself: a facet counts what fits all filters but its own. Facets come with
-- the first page; those behind it are about the same listings.
-- name: listing_list :one (after json, row_limit bigint, q text, category text, tag text, sort text, auth text, publisher text, verified bool)
WITH asked AS (
	SELECT market.search_query($3) AS words, ($1::json ->> 0)::numeric AS weight, $1::json ->> 1 AS word,
		($1::json ->> 2)::uuid AS id),
fit AS MATERIALIZED (
	SELECT l AS listing, l.collector_id, l.category, l.category_folded, l.tags, l.tags_folded, l.auth_type,
		l.publisher, market.is_verified(l) AS is_verified,
		CASE $6
			WHEN 'relevance' THEN ts_rank(l.search, a.words)::numeric
			WHEN 'rating' THEN coalesce(l.rating_sum::numeric / nullif(l.rating_count, 0), 0)
			WHEN 'newest' THEN extract(epoch FROM l.published_at)
			WHEN 'updated' THEN extract(epoch FROM l.released_at)
			WHEN 'name' THEN 0
			ELSE l.installs END AS weight,
		CASE $6 WHEN 'name' THEN lower(l.name) ELSE '' END AS word,
		$4::text IS NULL OR l.category_folded = util.fold($4) AS in_category,
		$5::text IS NULL OR l.tags_folded @> ARRAY[util.fold($5)] AS in_tag,
		$7::text IS NULL OR l.auth_type = $7 AS in_auth,
		$8::text IS NULL OR lower(l.publisher) = lower($8) AS in_publisher,
		$9::bool IS NULL OR market.is_verified(l) = $9 AS in_verified
	FROM market.listing l, asked a
	WHERE l.is_listed AND l.approval = 'approved' AND ($3::text IS NULL OR l.search @@ a.words)),
page AS (
	SELECT f.listing, f.collector_id AS id, f.weight, f.word FROM fit f, asked a
	WHERE f.in_category AND f.in_tag AND f.in_auth AND f.in_publisher AND f.in_verified
		AND (a.id IS NULL OR (-f.weight, f.word, f.collector_id) > (a.weight, a.word, a.id))
	ORDER BY -f.weight, f.word, f.collector_id LIMIT $2 + 1),
shown AS (SELECT * FROM page ORDER BY -weight, word, id LIMIT $2),
facet AS (
	SELECT 'category' AS name, min(f.category) AS value, count(*) AS n FROM fit f
	WHERE f.in_tag AND f.in_auth AND f.in_publisher AND f.in_verified AND f.category_folded <> ''
	GROUP BY f.category_folded
	UNION ALL
	SELECT 'authType', f.auth_type, count(*) FROM fit f
	WHERE f.in_category AND f.in_tag AND f.in_publisher AND f.in_verified GROUP BY f.auth_type
	UNION ALL
	SELECT 'publisher', min(f.publisher), count(*) FROM fit f
	WHERE f.in_category AND f.in_tag AND f.in_auth AND f.in_verified GROUP BY lower(f.publisher)
	UNION ALL
	SELECT 'verified', f.is_verified::text, count(*) FROM fit f
	WHERE f.in_category AND f.in_tag AND f.in_auth AND f.in_publisher GROUP BY f.is_verified
	UNION ALL
	SELECT 'tag', min(t.one), count(DISTINCT f.collector_id) FROM fit f, json_array_elements_text(f.tags) AS t (one)
	WHERE f.in_category AND f.in_auth AND f.in_publisher AND f.in_verified AND util.fold(t.one) <> ''
	GROUP BY util.fold(t.one)),
ranked AS (
	SELECT f.*, row_number() OVER (PARTITION BY f.name ORDER BY f.n DESC, f.value) AS place FROM facet f)
SELECT coalesce((SELECT json_agg(market.listing_doc(s.listing) ORDER BY -s.weight, s.word, s.id) FROM shown s),
		'[]'),
	CASE WHEN (SELECT count(*) FROM page) > $2 THEN (SELECT json_build_array((-s.weight)::text, s.word, s.id)::text
		FROM shown s ORDER BY -s.weight DESC, s.word DESC, s.id DESC LIMIT 1) END,
	CASE WHEN $1::json IS NULL THEN (SELECT '{"total":' || (SELECT count(*) FROM fit f WHERE f.in_category
			AND f.in_tag AND f.in_auth AND f.in_publisher AND f.in_verified)
		|| ',"facets":{' || string_agg(to_json(k.name)::text || ':' || coalesce((SELECT json_agg(json_build_object(
			'value', r.value, 'count', r.n) ORDER BY r.place)::text FROM ranked r
			WHERE r.name = k.name AND r.place <= 50), '[]'), ',' ORDER BY k.place) || '}}'
		FROM unnest(ARRAY['category', 'authType', 'publisher', 'verified', 'tag']) WITH ORDINALITY AS k (name, place)) END

-- name: listing_get :maybe (id uuid)
SELECT util.json_join(market.listing_doc(l), util.json_join(market.release_detail(r), json_build_object(
	'ratings', json_build_object(
		'average', CASE WHEN l.rating_count > 0 THEN round(l.rating_sum::numeric / l.rating_count, 1) END,
		'count', l.rating_count,
		'stars', (SELECT json_object_agg(n.stars, (SELECT count(*) FROM market.review v
				WHERE v.collector_id = l.collector_id AND v.stars = n.stars) ORDER BY n.stars DESC)
			FROM generate_series(1, 5) AS n (stars))),
	'versions', (SELECT json_agg(market.release_doc(o) ORDER BY o.ordinal DESC) FROM market.release o
		WHERE o.collector_id = l.collector_id))))
FROM market.listing l
JOIN market.release r ON r.collector_id = l.collector_id AND r.version = market.offered(l)
WHERE l.collector_id = $1 AND l.is_listed AND l.approval = 'approved'

-- name: listing_release :maybe (id uuid, version text)
SELECT util.json_join(json_build_object('collectorId', l.collector_id,
	'name', r.document -> 'collector' -> 'name', 'publisher', l.publisher),
	util.json_join(market.release_doc(r), market.release_detail(r)))
FROM market.listing l
JOIN market.release r ON r.collector_id = l.collector_id AND r.version = $2
WHERE l.collector_id = $1 AND l.is_listed AND l.approval = 'approved'

-- name: listing_install :maybe (id uuid, version text)
SELECT r.version, r.document -> 'dataSource'
FROM market.listing l
LEFT JOIN market.release r ON r.collector_id = l.collector_id AND r.version = coalesce($2, market.offered(l))
WHERE l.collector_id = $1 AND l.is_listed AND l.approval = 'approved'

-- name: listing_installed :one (id uuid, collector uuid, version text, name text, config json)
SELECT collect.instance_install($1, $2, $3, $4, $5)

-- name: listing_installation :one (id uuid)
SELECT json_build_object('instanceId', i.id, 'collectorId', i.collector_id,
	'collectorName', r.document -> 'collector' -> 'name', 'tenantId', i.tenant_id,
	'instanceName', i.instance_name, 'status', CASE WHEN i.is_active THEN 'Active' ELSE 'Inactive' END,
	'installedAt', util.utc(i.created_at), 'releaseVersion', i.release_version, 'version', i.version), i.version
FROM collect.collector_instances i
JOIN market.release r ON r.collector_id = i.collector_id AND r.version = i.release_version
WHERE i.tenant_id = util.tenant() AND i.id = $1

-- What this workspace has of a collector: its instance, its rating.
-- name: listing_mine :one (collector uuid)
SELECT json_build_object('installed', (SELECT json_build_object('instanceId', i.id, 'instanceName', i.instance_name)
		FROM collect.collector_instances i WHERE i.tenant_id = util.tenant() AND i.collector_id = $1
		ORDER BY i.id LIMIT 1),
	'rating', (SELECT json_build_object('collectorId', t.collector_id, 'stars', t.stars, 'comment', t.comment,
		'ratedAt', util.utc(t.updated_at)) FROM market.ratings t
		WHERE t.tenant_id = util.tenant() AND t.collector_id = $1),
	'isOwn', EXISTS (SELECT FROM market.listing l WHERE l.collector_id = $1
		AND l.publisher_tenant = util.tenant()))::text
