-- The marketplace: what is published, approved and listed.

-- name: listing_list :one (after json, row_limit bigint, q text, category text, tag text, sort text)
WITH asked AS (
	SELECT market.search_query($3) AS words, -($1::json ->> 0)::numeric AS weight, $1::json ->> 1 AS word,
		($1::json ->> 2)::uuid AS id),
ranked AS (
	SELECT l AS listing, l.collector_id AS id, a.id AS after, -a.weight AS after_weight, a.word AS after_word,
		CASE $6
			WHEN 'relevance' THEN ts_rank(l.search, a.words)::numeric
			WHEN 'rating' THEN coalesce(l.rating_sum::numeric / nullif(l.rating_count, 0), 0)
			WHEN 'newest' THEN extract(epoch FROM l.published_at)
			WHEN 'name' THEN 0
			ELSE l.installs END AS weight,
		CASE $6 WHEN 'name' THEN lower(l.name) ELSE '' END AS word
	FROM market.listing l, asked a
	WHERE l.is_listed AND l.approval = 'approved'
		AND ($3::text IS NULL OR l.search @@ a.words)
		AND ($4::text IS NULL OR l.category_folded = util.fold($4))
		AND ($5::text IS NULL OR l.tags_folded @> ARRAY[util.fold($5)])),
page AS (
	SELECT r.* FROM ranked r
	WHERE r.after IS NULL OR (-r.weight, r.word, r.id) > (-r.after_weight, r.after_word, r.after)
	ORDER BY -r.weight, r.word, r.id LIMIT $2 + 1),
shown AS (SELECT * FROM page ORDER BY -weight, word, id LIMIT $2)
SELECT coalesce((SELECT json_agg(market.listing_doc(s.listing) ORDER BY -s.weight, s.word, s.id) FROM shown s),
		'[]'),
	CASE WHEN (SELECT count(*) FROM page) > $2 THEN (SELECT json_build_array(s.weight::text, s.word, s.id)::text
		FROM shown s ORDER BY -s.weight DESC, s.word DESC, s.id DESC LIMIT 1) END

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
JOIN market.release r ON r.collector_id = l.collector_id AND r.version = l.latest_version
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
LEFT JOIN market.release r ON r.collector_id = l.collector_id AND r.version = coalesce($2, l.latest_version)
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
