-- A pre-release is for who asks for it by its name: while there is a release proper, the marketplace offers
-- that one, and an upgrade goes to it.
-- Locks: market.listing for a moment, to gain a column.
SET LOCAL ROLE catchment_owner;

ALTER TABLE market.listing ADD COLUMN offered_version text;
COMMENT ON COLUMN market.listing.offered_version IS 'Null: latest_version, which was published last.';
GRANT UPDATE (offered_version) ON market.listing TO catchment_web;

CREATE FUNCTION market.offered(l market.listing) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog
RETURN coalesce(l.offered_version, l.latest_version);

CREATE FUNCTION market.is_prerelease(version text) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog
RETURN position('-' IN split_part(version, '+', 1)) > 0;

-- The three numbers, then whether it is a release proper: arrays compare as SemVer's precedence does, but
-- for pre-releases of one version, whose order of publishing tells them apart.
CREATE FUNCTION market.version_rank(version text) RETURNS numeric[]
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog
RETURN string_to_array(split_part(split_part(version, '+', 1), '-', 1), '.')::numeric[]
	|| (NOT market.is_prerelease(version))::int::numeric;

-- What an installation of that version is offered: a newer one, or nothing (null).
CREATE FUNCTION market.newer(l market.listing, p_than text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog
RETURN (SELECT o.version FROM market.release o JOIN market.release t ON t.collector_id = o.collector_id
		AND t.version = p_than
	WHERE o.collector_id = l.collector_id AND o.version = market.offered(l)
		AND (market.version_rank(o.version), o.ordinal) > (market.version_rank(t.version), t.ordinal));

-- As before, of the version that is offered.
CREATE OR REPLACE FUNCTION market.is_verified(l market.listing) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog
RETURN l.approval = 'approved' AND l.reviewed_version IS NOT DISTINCT FROM market.offered(l);

CREATE OR REPLACE FUNCTION market.listing_doc(l market.listing) RETURNS json
LANGUAGE sql STABLE SET search_path = pg_catalog
RETURN json_build_object('id', l.collector_id, 'name', l.name, 'description', l.description,
	'publisher', l.publisher, 'isVerified', market.is_verified(l),
	'rating', CASE WHEN l.rating_count > 0 THEN round(l.rating_sum::numeric / l.rating_count, 1) END,
	'ratingCount', l.rating_count, 'installs', l.installs, 'dataSource', l.data_source,
	'version', market.offered(l), 'category', l.category, 'tags', l.tags, 'authType', l.auth_type,
	'publishedAt', util.utc(l.published_at), 'updatedAt', util.utc(l.released_at));

GRANT EXECUTE ON FUNCTION market.offered, market.is_prerelease, market.version_rank, market.newer
	TO catchment_web, catchment_trial, catchment_export;
RESET ROLE;

-- As migrate, whom no policy binds: pre-releases that were published over a release proper.
UPDATE market.listing l SET offered_version = (SELECT o.version FROM market.release o
	WHERE o.collector_id = l.collector_id AND NOT market.is_prerelease(o.version) ORDER BY o.ordinal DESC LIMIT 1)
WHERE market.is_prerelease(l.latest_version);
