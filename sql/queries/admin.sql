-- Administering the platform. Functions of the schema platform look into all tenants; listings and
-- releases are everybody's to read.

-- name: admin_overview :one ()
SELECT platform.overview_doc()

-- name: admin_measures :one ()
SELECT platform.measures_doc()

-- name: admin_queue :one ()
SELECT platform.queue_doc()

-- What platform.need('admin') would say, for pages that offer no more than is allowed.
-- name: admin_may_change :one ()
SELECT coalesce(identity.user_doc(util.caller()) ->> 'platformRole', '') IN ('admin', 'owner')

-- name: admin_listing_list :one (after uuid, row_limit bigint, q text, approval text, listed bool)
WITH page AS (
	SELECT l AS listing, l.collector_id AS id FROM market.listing l
	WHERE ($1::uuid IS NULL OR l.collector_id < $1)
		AND ($3::text IS NULL OR position(lower(normalize($3, NFC)) IN lower(l.name || ' ' || l.publisher)) > 0)
		AND ($4::text IS NULL OR l.approval = $4) AND ($5::bool IS NULL OR l.is_listed = $5)
	ORDER BY l.collector_id DESC LIMIT $2 + 1),
shown AS (SELECT * FROM page ORDER BY id DESC LIMIT $2)
SELECT coalesce((SELECT json_agg(platform.listing_doc(s.listing) ORDER BY s.id DESC) FROM shown s), '[]'),
	CASE WHEN (SELECT count(*) FROM page) > $2 THEN (SELECT s.id FROM shown s ORDER BY s.id LIMIT 1) END

-- name: admin_listing_get :maybe (id uuid)
SELECT util.json_join(platform.listing_doc(l), util.json_join(market.release_detail(r),
	json_build_object('releaseNotes', r.release_notes, 'breaking', r.breaking,
		'publishedAt', util.utc(r.published_at), 'document', r.document)))
FROM market.listing l
JOIN market.release r ON r.collector_id = l.collector_id AND r.version = l.latest_version
WHERE l.collector_id = $1

-- name: admin_listing_review :one (id uuid, verdict text, reason text, version text)
SELECT platform.listing_review($1, $2, normalize($3, NFC), $4)

-- name: admin_tenant_list :one (after uuid, row_limit bigint, q text, suspended bool)
SELECT t.items, t.next FROM platform.tenant_list($1, $2, normalize($3, NFC), $4) t

-- name: admin_tenant_get :maybe (id uuid)
SELECT t FROM platform.tenant_get($1) t WHERE t IS NOT NULL

-- name: admin_tenant_limit :one (id uuid, max_running int, suspended bool)
SELECT platform.tenant_limit($1, $2, $3)

-- name: admin_user_list :one (after uuid, row_limit bigint, q text, active bool)
SELECT u.items, u.next FROM platform.user_list($1, $2, normalize($3, NFC), $4) u

-- name: admin_user_get :maybe (id uuid)
SELECT u FROM platform.user_get($1) u WHERE u IS NOT NULL

-- name: admin_user_set_active :one (id uuid, active bool)
SELECT platform.user_set_active($1, $2)
