-- What the marketplace shows, how it is searched, ratings, and installing.
-- Locks: market.ratings for a moment, to gain a column.
SET LOCAL ROLE catchment_owner;

-- Ratings are tenant rows, so nobody else may read them. What everybody reads of them stands here:
-- stars, words and a date, never who. A revised rating gets a new id, so the newest come first.
CREATE TABLE market.review (
	collector_id uuid NOT NULL,
	id           uuid NOT NULL DEFAULT util.uuid_v7(),
	stars        int NOT NULL CHECK (stars BETWEEN 1 AND 5),
	comment      text NOT NULL,
	rated_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
	PRIMARY KEY (collector_id, id)
);
ALTER TABLE market.review ENABLE ROW LEVEL SECURITY;
ALTER TABLE market.review FORCE ROW LEVEL SECURITY;
CREATE POLICY readable ON market.review FOR SELECT USING (true);
CREATE POLICY auth_writes ON market.review TO catchment_auth USING (true) WITH CHECK (true);
COMMENT ON TABLE market.review IS 'class: shared. What everybody may read of a rating.';
GRANT SELECT ON market.review TO catchment_web;
GRANT SELECT, INSERT, DELETE ON market.review TO catchment_auth;
ALTER TABLE market.ratings ADD COLUMN review_id uuid;

-- Two objects as one, members in order.
CREATE FUNCTION util.json_join(a json, b json) RETURNS json
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog
RETURN (left(rtrim(a::text), -1) || ',' || substr(ltrim(b::text), 2))::json;

-- The words of a search, each the beginning of a word: shop prod -> 'shop':* & 'prod':*. Null when
-- nothing was asked for, or nothing that is a word.
CREATE FUNCTION market.search_query(q text) RETURNS tsquery
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog
RETURN (SELECT to_tsquery('simple', string_agg(quote_literal(w) || ':*', ' & '))
	FROM regexp_split_to_table(lower(q), '[^[:alnum:]]+') w WHERE w <> '');

-- The hosts that a release speaks to, when its author fixed them, in whole or in part (then with the
-- placeholders of the rest); none: the tenant's own address.
CREATE FUNCTION market.release_hosts(document json) RETURNS json
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog
RETURN (SELECT coalesce(json_agg(CASE WHEN m.found[1] ~ '\{' THEN m.found[1] ELSE lower(m.found[1]) END), '[]')
	FROM regexp_match(document -> 'dataSource' ->> 'baseUrl',
		'^https?://((?:[^/?#{}@:]|\{[^{}]*\})+)(?::[0-9]+)?(?:[/?#]|$)', 'i') AS m (found)
	WHERE m.found IS NOT NULL AND m.found[1] !~ '^\{[^{}]*\}$');

CREATE FUNCTION market.listing_doc(l market.listing) RETURNS json
LANGUAGE sql STABLE SET search_path = pg_catalog
RETURN json_build_object('id', l.collector_id, 'name', l.name, 'description', l.description,
	'publisher', l.publisher,
	'rating', CASE WHEN l.rating_count > 0 THEN round(l.rating_sum::numeric / l.rating_count, 1) END,
	'ratingCount', l.rating_count, 'installs', l.installs, 'dataSource', l.data_source,
	'version', l.latest_version, 'category', l.category, 'tags', l.tags,
	'publishedAt', util.utc(l.published_at));

-- What a release asks for and fills, as browsing and upgrading show it; its steps stay inside.
CREATE FUNCTION market.release_doc(r market.release) RETURNS json
LANGUAGE sql STABLE SET search_path = pg_catalog
RETURN json_build_object('version', r.version, 'releaseNotes', r.release_notes, 'breaking', r.breaking,
	'publishedAt', util.utc(r.published_at));

CREATE FUNCTION market.release_detail(r market.release) RETURNS json
LANGUAGE sql STABLE SET search_path = pg_catalog
RETURN json_build_object(
	'configFields', coalesce(r.document -> 'dataSource' -> 'configFields', '[]'),
	'streams', collect.release_pipelines(r.document, NULL),
	'hosts', market.release_hosts(r.document));

-- Public words and counts follow a tenant's rating. p_stars null: the rating is gone.
CREATE FUNCTION market.review_set(p_collector uuid, p_old uuid, p_stars int, p_comment text) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
	made uuid;
BEGIN
	DELETE FROM market.review v WHERE v.collector_id = p_collector AND v.id = p_old;
	IF p_stars IS NOT NULL THEN
		INSERT INTO market.review (collector_id, stars, comment) VALUES (p_collector, p_stars, p_comment)
		RETURNING id INTO made;
	END IF;
	RETURN made;
END $$;

-- One rating per tenant. The installation's row keeps two changes of one tenant apart.
CREATE FUNCTION market.rate(p_collector uuid, p_stars int, p_comment text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
	old market.ratings;
BEGIN
	IF NOT EXISTS (SELECT FROM market.listing l WHERE l.collector_id = p_collector AND l.is_listed
		AND l.approval = 'approved') THEN
		PERFORM util.fail(404, 'not_found', 'There is no such collector in the marketplace.');
	END IF;
	PERFORM 1 FROM collect.collector_instances i
	WHERE i.tenant_id = util.tenant() AND i.collector_id = p_collector FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		PERFORM util.fail(403, 'not_installed', 'Install this collector first; then you can rate it.');
	END IF;
	SELECT * INTO old FROM market.ratings t
	WHERE t.tenant_id = util.tenant() AND t.collector_id = p_collector FOR UPDATE;
	INSERT INTO market.ratings AS t (tenant_id, collector_id, stars, comment, review_id)
	VALUES (util.tenant(), p_collector, p_stars, p_comment,
		market.review_set(p_collector, old.review_id, p_stars, p_comment))
	ON CONFLICT (tenant_id, collector_id) DO UPDATE SET stars = excluded.stars, comment = excluded.comment,
		review_id = excluded.review_id, rated_by = util.caller(), updated_at = clock_timestamp();
	PERFORM market.count(p_collector, 0, p_stars - coalesce(old.stars, 0),
		CASE WHEN old.stars IS NULL THEN 1 ELSE 0 END);
	PERFORM audit.write('collector.rate', 'collector', p_collector, json_build_object('stars', p_stars));
END $$;

CREATE FUNCTION market.unrate(p_collector uuid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
	old market.ratings;
BEGIN
	DELETE FROM market.ratings t WHERE t.tenant_id = util.tenant() AND t.collector_id = p_collector
	RETURNING * INTO old;
	IF old.stars IS NULL THEN
		PERFORM util.fail(404, 'not_found', 'This workspace has not rated this collector.');
	END IF;
	PERFORM market.review_set(p_collector, old.review_id, NULL, NULL);
	PERFORM market.count(p_collector, 0, -old.stars, -1);
	PERFORM audit.write('collector.unrate', 'collector', p_collector);
END $$;

-- Where a pipeline stands in a release: the order in which its author thinks of it. Behind all others
-- when the release has it no longer.
CREATE FUNCTION collect.pipeline_place(document json, pipeline text) RETURNS bigint
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog
RETURN coalesce((SELECT min(p.place) FROM json_array_elements(document -> 'collector' -> 'pipelines')
	WITH ORDINALITY AS p (one, place) WHERE p.one ->> 'id' = pipeline), 1000000);
GRANT EXECUTE ON FUNCTION collect.pipeline_place TO catchment_web, catchment_trial, catchment_export;

-- One installation per tenant and collector. Its secrets follow in the same transaction.
CREATE FUNCTION collect.instance_install(p_id uuid, p_collector uuid, p_version text, p_name text,
	p_config json) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
	INSERT INTO collect.collector_instances (id, collector_id, release_version, instance_name, tenant_config)
	VALUES (p_id, p_collector, p_version, normalize(p_name, NFC), p_config)
	ON CONFLICT (tenant_id, collector_id) DO NOTHING;
	IF NOT FOUND THEN
		PERFORM util.fail(409, 'already_installed',
			'This workspace has installed this collector already. Change that installation, or upgrade it.');
	END IF;
	PERFORM market.count(p_collector, 1, 0, 0);
	PERFORM audit.write('instance.install', 'instance', p_id,
		json_build_object('collectorId', p_collector, 'version', p_version));
END $$;

GRANT EXECUTE ON FUNCTION util.json_join, market.search_query, market.release_hosts, market.listing_doc,
	market.release_doc, market.release_detail, market.rate, market.unrate, collect.instance_install
	TO catchment_web;
ALTER FUNCTION market.review_set OWNER TO catchment_auth;
RESET ROLE;
SET LOCAL ROLE catchment_auth;
REVOKE EXECUTE ON FUNCTION market.review_set FROM PUBLIC;
GRANT EXECUTE ON FUNCTION market.review_set TO catchment_web;
