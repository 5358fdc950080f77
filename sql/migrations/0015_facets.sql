-- How the marketplace is narrowed down: by category, tag, publisher, way to authenticate, and whether the
-- platform has looked at it; searched by streams and publisher, too.
-- Locks: market.listing while its rows are written anew.
SET LOCAL ROLE catchment_owner;

CREATE FUNCTION market.auth_type(document json) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog
RETURN coalesce(document -> 'dataSource' -> 'authConfig' ->> 'type', 'None');

-- Every word that a search finds: of the name first, then data source, tags, category, streams and
-- publisher, then the description.
CREATE FUNCTION market.listing_words(document json, publisher text) RETURNS tsvector
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog
RETURN (SELECT market.words(document -> 'collector' ->> 'name', 'A')
	|| market.words(concat_ws(' ', document -> 'dataSource' ->> 'name', document -> 'dataSource' ->> 'category',
		publisher,
		(SELECT string_agg(t, ' ') FROM json_array_elements_text(
			coalesce(document -> 'dataSource' -> 'tags', '[]')) t),
		(SELECT string_agg(concat_ws(' ', p ->> 'stream', p ->> 'name'), ' ')
			FROM json_array_elements(collect.release_pipelines(document, NULL)) p)), 'B')
	|| market.words(document -> 'collector' ->> 'description', 'C'));

-- The platform has approved the version that is listed, and not merely let it pass.
CREATE FUNCTION market.is_verified(l market.listing) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog
RETURN l.approval = 'approved' AND l.reviewed_version IS NOT DISTINCT FROM l.latest_version;

-- As migrate, whom no policy binds; the owner would touch no row.
RESET ROLE;
UPDATE market.listing l SET auth_type = market.auth_type(r.document), released_at = r.published_at,
	search = market.listing_words(r.document, l.publisher)
FROM market.release r WHERE r.collector_id = l.collector_id AND r.version = l.latest_version;
SET LOCAL ROLE catchment_owner;

CREATE FUNCTION market.listing_doc(l market.listing) RETURNS json
LANGUAGE sql STABLE SET search_path = pg_catalog
RETURN json_build_object('id', l.collector_id, 'name', l.name, 'description', l.description,
	'publisher', l.publisher, 'isVerified', market.is_verified(l),
	'rating', CASE WHEN l.rating_count > 0 THEN round(l.rating_sum::numeric / l.rating_count, 1) END,
	'ratingCount', l.rating_count, 'installs', l.installs, 'dataSource', l.data_source,
	'version', l.latest_version, 'category', l.category, 'tags', l.tags, 'authType', l.auth_type,
	'publishedAt', util.utc(l.published_at), 'updatedAt', util.utc(l.released_at));

GRANT EXECUTE ON FUNCTION market.auth_type, market.listing_words, market.is_verified, market.listing_doc TO catchment_web;
