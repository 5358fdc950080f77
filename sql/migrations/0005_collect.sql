-- Data sources, collectors, installations, their secrets, and what was collected.
-- Definitions are json, not jsonb: they are answered member by member as they were written.
SET LOCAL ROLE catchment_owner;

CREATE TABLE collect.data_sources (
	tenant_id         uuid NOT NULL DEFAULT nullif(current_setting('app.tenant_id', true), '')::uuid,
	id                uuid NOT NULL,
	name              text NOT NULL CHECK (name <> ''),
	description       text NOT NULL DEFAULT '',
	protocol          text NOT NULL DEFAULT 'REST' CHECK (protocol IN ('REST', 'GraphQL', 'SOAP')),
	base_url          text,           -- template; null: from the config fields
	config_fields     json NOT NULL DEFAULT '[]',
	auth_config       json,
	headers           json,
	functions         json NOT NULL DEFAULT '[]',
	rate_limit_config json,
	cache_config      json,
	category          text,
	tags              json NOT NULL DEFAULT '[]',
	is_active         boolean NOT NULL DEFAULT true,
	version           bigint NOT NULL DEFAULT 1,
	created_by        uuid NOT NULL DEFAULT nullif(current_setting('app.user_id', true), '')::uuid,
	created_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
	updated_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
	PRIMARY KEY (tenant_id, id),
	CONSTRAINT data_sources__name_taken UNIQUE (tenant_id, name)
);
CALL util.make_tenant('collect.data_sources', 'API definition templates; never a credential.');
GRANT SELECT, INSERT, UPDATE, DELETE ON collect.data_sources TO catchment_web;
GRANT SELECT ON collect.data_sources TO catchment_trial;

CREATE TABLE collect.data_collectors (
	tenant_id       uuid NOT NULL DEFAULT nullif(current_setting('app.tenant_id', true), '')::uuid,
	id              uuid NOT NULL,
	name            text NOT NULL CHECK (name <> ''),
	description     text NOT NULL DEFAULT '',
	data_source_id  uuid NOT NULL,
	stage           text NOT NULL DEFAULT 'Draft' CHECK (stage IN ('Draft', 'Dev', 'Stage', 'Production')),
	approval_status text NOT NULL DEFAULT 'none' CHECK (approval_status IN ('none', 'pending', 'approved', 'rejected')),
	creator_config  json NOT NULL DEFAULT '{}', -- plain values; secrets stand in collect.secrets
	pipelines       json NOT NULL DEFAULT '[]',
	is_published    boolean NOT NULL DEFAULT false,
	published_at    timestamptz,
	published_by    text,
	release_version text,             -- the latest published SemVer
	is_active       boolean NOT NULL DEFAULT true,
	version         bigint NOT NULL DEFAULT 1, -- of the draft's row
	created_by      uuid NOT NULL DEFAULT nullif(current_setting('app.user_id', true), '')::uuid,
	created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
	updated_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
	PRIMARY KEY (tenant_id, id),
	CONSTRAINT data_collectors__name_taken UNIQUE (tenant_id, name),
	CONSTRAINT data_collectors__data_source_in_use
		FOREIGN KEY (tenant_id, data_source_id) REFERENCES collect.data_sources
);
CALL util.make_tenant('collect.data_collectors', 'Workflow templates: pipelines of steps on a data source.');
CREATE INDEX data_collectors_by_source ON collect.data_collectors (tenant_id, data_source_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON collect.data_collectors TO catchment_web;
GRANT SELECT ON collect.data_collectors TO catchment_trial;

-- Sealed values of config fields; owner_id is a collector (its test config) or an instance. The web
-- role writes and sees that a value is set; only trial and run read the sealed bytes.
CREATE TABLE collect.secrets (
	tenant_id  uuid NOT NULL DEFAULT nullif(current_setting('app.tenant_id', true), '')::uuid,
	owner_id   uuid NOT NULL,
	field      text NOT NULL,
	version    bigint NOT NULL DEFAULT 1, -- bound into the seal
	kid        bigint NOT NULL,
	sealed     bytea NOT NULL,
	updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	PRIMARY KEY (tenant_id, owner_id, field)
);
CALL util.make_tenant('collect.secrets', 'Sealed config values, bound to tenant, owner, field and version.');
CREATE INDEX secrets_by_kid ON collect.secrets (tenant_id, kid);
GRANT SELECT (tenant_id, owner_id, field, version, kid, updated_at), INSERT, DELETE,
	UPDATE (version, kid, sealed, updated_at) ON collect.secrets TO catchment_web;
GRANT SELECT ON collect.secrets TO catchment_trial, catchment_run;
GRANT UPDATE (kid, sealed, version, updated_at) ON collect.secrets TO catchment_run; -- re-sealing

-- A config as every answer shows it: plain values as they are, of secrets only that they are set.
CREATE FUNCTION collect.config_doc(p_owner uuid, p_plain json) RETURNS json
LANGUAGE sql STABLE SET search_path = pg_catalog
RETURN (SELECT coalesce(json_object_agg(x.name, x.value), '{}') FROM (
	SELECT p.key AS name, p.value FROM json_each(p_plain) p
	UNION ALL
	SELECT s.field, json_build_object('set', true, 'updatedAt', util.utc(s.updated_at))
	FROM collect.secrets s WHERE s.tenant_id = util.tenant() AND s.owner_id = p_owner) x);
GRANT EXECUTE ON FUNCTION collect.config_doc TO catchment_web, catchment_trial;

-- The definition alone, member by member as it was written: what compiles, is tested and freezes into a
-- release. Members that were not given are left out.
CREATE FUNCTION collect.data_source_definition(d collect.data_sources) RETURNS json
LANGUAGE sql STABLE SET search_path = pg_catalog
RETURN (SELECT json_object_agg(m.name, m.value ORDER BY m.place) FROM (VALUES
	(1, 'name', to_json(d.name)), (2, 'description', to_json(d.description)),
	(3, 'protocol', to_json(d.protocol)), (4, 'baseUrl', to_json(d.base_url)),
	(5, 'configFields', d.config_fields), (6, 'authConfig', d.auth_config), (7, 'headers', d.headers),
	(8, 'functions', d.functions), (9, 'rateLimitConfig', d.rate_limit_config),
	(10, 'cacheConfig', d.cache_config), (11, 'category', to_json(d.category)), (12, 'tags', d.tags),
	(13, 'isActive', to_json(d.is_active))) AS m (place, name, value)
	WHERE m.value IS NOT NULL);

-- Whoever made it, by the address that members see; null once that user has left.
CREATE FUNCTION collect.author(p_user uuid) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog
RETURN (SELECT m.email FROM identity.members m WHERE m.tenant_id = util.tenant() AND m.user_id = p_user);

CREATE FUNCTION collect.data_source_doc(d collect.data_sources) RETURNS json
LANGUAGE sql STABLE SET search_path = pg_catalog
RETURN (SELECT json_object_agg(m.key, m.value ORDER BY m.part, m.place) FROM (
	SELECT 1 AS part, 1 AS place, 'id' AS key, to_json(d.id) AS value
	UNION ALL SELECT 1, 2, 'tenantId', to_json(d.tenant_id)
	UNION ALL SELECT 2, row_number() OVER ()::int, j.key, j.value
		FROM json_each(collect.data_source_definition(d)) j
	UNION ALL SELECT 3, 1, 'version', to_json(d.version)
	UNION ALL SELECT 3, 2, 'createdBy', to_json(collect.author(d.created_by))
	UNION ALL SELECT 3, 3, 'createdAt', to_json(util.utc(d.created_at))
	UNION ALL SELECT 3, 4, 'updatedAt', to_json(util.utc(d.updated_at))) m);

-- In lists: what one needs to choose.
CREATE FUNCTION collect.data_source_summary(d collect.data_sources) RETURNS json
LANGUAGE sql STABLE SET search_path = pg_catalog
RETURN json_build_object('id', d.id, 'name', d.name, 'description', d.description, 'protocol', d.protocol,
	'category', d.category, 'tags', d.tags, 'functions', json_array_length(d.functions),
	'collectors', (SELECT count(*) FROM collect.data_collectors c
		WHERE c.tenant_id = d.tenant_id AND c.data_source_id = d.id),
	'isActive', d.is_active, 'version', d.version, 'createdAt', util.utc(d.created_at),
	'updatedAt', util.utc(d.updated_at));

GRANT EXECUTE ON FUNCTION collect.data_source_definition, collect.author, collect.data_source_doc,
	collect.data_source_summary TO catchment_web, catchment_trial;
