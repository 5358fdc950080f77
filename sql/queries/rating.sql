-- Ratings: a tenant's own, and what everybody reads of them.

-- name: rating_put :one (collector uuid, stars int, comment text)
SELECT market.rate($1, $2, normalize($3, NFC))

-- name: rating_delete :one (collector uuid)
SELECT market.unrate($1)

-- name: rating_get :maybe (collector uuid)
SELECT json_build_object('collectorId', t.collector_id, 'stars', t.stars, 'comment', t.comment,
	'ratedAt', util.utc(t.updated_at))
FROM market.ratings t WHERE t.tenant_id = util.tenant() AND t.collector_id = $1

-- name: rating_list :maybe (collector uuid, after text, row_limit bigint)
WITH page AS (
	SELECT v.* FROM market.review v
	WHERE v.collector_id = $1 AND ($2::text IS NULL OR v.id < $2::uuid)
	ORDER BY v.id DESC LIMIT $3 + 1),
shown AS (SELECT * FROM page ORDER BY id DESC LIMIT $3)
SELECT coalesce((SELECT json_agg(json_build_object('id', s.id, 'stars', s.stars, 'comment', s.comment,
		'ratedAt', util.utc(s.rated_at)) ORDER BY s.id DESC) FROM shown s), '[]'),
	CASE WHEN (SELECT count(*) FROM page) > $3 THEN (SELECT min(s.id::text) FROM shown s) END,
	json_build_object('collectorId', l.collector_id, 'average', CASE WHEN l.rating_count > 0
		THEN round(l.rating_sum::numeric / l.rating_count, 1) END, 'count', l.rating_count)::text
FROM market.listing l WHERE l.collector_id = $1 AND l.is_listed AND l.approval = 'approved'
