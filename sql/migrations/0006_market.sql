-- What is published: immutable releases, one listing per collector, ratings. The marketplace and
-- installations read here only, never the creator's rows.
SET LOCAL ROLE catchment_owner;

CREATE TABLE market.release (
	collector_id     uuid NOT NULL,
	version          text NOT NULL,     -- SemVer 2.0.0
	publisher_tenant uuid NOT NULL DEFAULT nullif(current_setting('app.tenant_id', true), '')::uuid,
	ordinal          bigint NOT NULL,   -- 1, 2, 3 in order of publishing
	document         json NOT NULL,     -- {"collector":{...,"pipelines"},"dataSource":{...}}; no config value
	release_notes    text NOT NULL DEFAULT '',
	breaking         json NOT NULL DEFAULT '[]', -- what breaks against the release before
	published_by     text NOT NULL,
	published_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
	PRIMARY KEY (collector_id, version),
	CONSTRAINT release__version_taken UNIQUE (collector_id, ordinal)
);
CALL util.make_shared('market.release', 'Frozen, published collectors; never updated or deleted.', 'publisher_tenant');
GRANT SELECT, INSERT ON market.release TO catchment_web;
GRANT SELECT ON market.release TO catchment_trial, catchment_run, catchment_export;

CREATE TABLE market.listing (
	collector_id     uuid PRIMARY KEY,
	publisher_tenant uuid NOT NULL DEFAULT nullif(current_setting('app.tenant_id', true), '')::uuid,
	name             text NOT NULL,
	description      text NOT NULL DEFAULT '',
	publisher        text NOT NULL,   -- shown name
	data_source      json NOT NULL,   -- {"name","requiredConfig":[...]} as browsing shows it
	category         text,
	category_folded  text NOT NULL DEFAULT '',
	tags             json NOT NULL DEFAULT '[]',
	tags_folded      text[] NOT NULL DEFAULT '{}',
	search           tsvector NOT NULL DEFAULT '',
	latest_version   text NOT NULL,
	is_listed        boolean NOT NULL DEFAULT true,
	approval         text NOT NULL DEFAULT 'approved' CHECK (approval IN ('pending', 'approved', 'rejected')),
	installs         bigint NOT NULL DEFAULT 0,
	rating_sum       bigint NOT NULL DEFAULT 0,
	rating_count     bigint NOT NULL DEFAULT 0,
	published_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
	updated_at       timestamptz NOT NULL DEFAULT clock_timestamp()
);
CALL util.make_shared('market.listing', 'One row per published collector, with its public counts.', 'publisher_tenant');
CREATE POLICY publisher_updates ON market.listing FOR UPDATE TO catchment_web
	USING (publisher_tenant = nullif(current_setting('app.tenant_id', true), '')::uuid)
	WITH CHECK (publisher_tenant = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY auth_counts ON market.listing FOR UPDATE TO catchment_auth USING (true) WITH CHECK (true);
CREATE INDEX listing_search ON market.listing USING gin (search);
CREATE INDEX listing_category ON market.listing (category_folded) WHERE is_listed;
-- A collector belongs to whom its listing names: nobody else adds a release to it. Checked at COMMIT,
-- so that release and listing may be written in any order.
ALTER TABLE market.listing ADD UNIQUE (collector_id, publisher_tenant);
ALTER TABLE market.release ADD CONSTRAINT release__not_the_publisher FOREIGN KEY (collector_id, publisher_tenant)
	REFERENCES market.listing (collector_id, publisher_tenant) DEFERRABLE INITIALLY DEFERRED;
GRANT SELECT, INSERT, UPDATE (name, description, publisher, data_source, category, category_folded, tags,
	tags_folded, search, latest_version, is_listed, approval, updated_at) ON market.listing TO catchment_web;
GRANT SELECT ON market.listing TO catchment_trial, catchment_auth;
GRANT UPDATE (installs, rating_sum, rating_count) ON market.listing TO catchment_auth;

-- The words of a text as searches ask for them: letters and digits, whatever stands between them.
CREATE FUNCTION market.words(t text, weight "char") RETURNS tsvector
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog
RETURN setweight(to_tsvector('simple', regexp_replace(coalesce(t, ''), '[^[:alnum:]]+', ' ', 'g')), weight);
GRANT EXECUTE ON FUNCTION market.words TO catchment_web;

CREATE TABLE market.ratings (
	tenant_id    uuid NOT NULL DEFAULT nullif(current_setting('app.tenant_id', true), '')::uuid,
	collector_id uuid NOT NULL REFERENCES market.listing,
	stars        int NOT NULL CHECK (stars BETWEEN 1 AND 5),
	comment      text NOT NULL DEFAULT '',
	rated_by     uuid NOT NULL DEFAULT nullif(current_setting('app.user_id', true), '')::uuid,
	updated_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
	PRIMARY KEY (tenant_id, collector_id)
);
CALL util.make_tenant('market.ratings', 'One rating per tenant and collector, revisable.');
GRANT SELECT, INSERT, UPDATE, DELETE ON market.ratings TO catchment_web;

-- Tenants' rows fold into the public counts by difference, in the transaction that changes them.
CREATE FUNCTION market.count(p_collector uuid, p_installs int, p_stars int, p_ratings int) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog
BEGIN ATOMIC
	UPDATE market.listing l SET installs = greatest(0, l.installs + p_installs),
		rating_sum = greatest(0, l.rating_sum + p_stars),
		rating_count = greatest(0, l.rating_count + p_ratings)
	WHERE l.collector_id = p_collector;
END;
ALTER FUNCTION market.count OWNER TO catchment_auth;
RESET ROLE;
SET LOCAL ROLE catchment_auth;
REVOKE EXECUTE ON FUNCTION market.count FROM PUBLIC;
GRANT EXECUTE ON FUNCTION market.count TO catchment_web;
