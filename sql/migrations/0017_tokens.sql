-- Access tokens of OAuth2, kept between runs, and the lease under which one is fetched: of all runs and
-- tests that want a new one, one asks the token endpoint and the others wait for what it gets.
-- Locks: new objects, and triggers on three tables (a moment each).
SET LOCAL ROLE catchment_owner;

CREATE TABLE collect.tokens (
	tenant_id       uuid NOT NULL DEFAULT nullif(current_setting('app.tenant_id', true), '')::uuid,
	owner_id        uuid NOT NULL,            -- an installation, or a collector (its test config)
	auth_hash       text NOT NULL,            -- what it was got with; another definition voids it
	version         bigint NOT NULL DEFAULT 0, -- grows with each token; bound into the seals
	access_kid      bigint,
	access_sealed   bytea,
	refresh_version bigint,                   -- a refresh token may outlive many access tokens
	refresh_kid     bigint,
	refresh_sealed  bytea,
	obtained_at     timestamptz,
	expires_at      timestamptz,              -- null: the endpoint did not say
	renew_at        timestamptz,
	lease_id        uuid,                     -- who fetches the next one
	lease_until     timestamptz NOT NULL DEFAULT '-infinity',
	refused_code    text,                     -- the endpoint's last refusal; null after a success
	refused_at      timestamptz,
	PRIMARY KEY (tenant_id, owner_id)
);
CALL util.make_tenant('collect.tokens', 'Access and refresh tokens of OAuth2, sealed; the lease to fetch one.');
CREATE INDEX tokens_by_kid ON collect.tokens (tenant_id, access_kid);
GRANT SELECT, INSERT, UPDATE, DELETE ON collect.tokens TO catchment_run, catchment_trial;
GRANT SELECT (tenant_id, owner_id, version, obtained_at, expires_at, refused_code, refused_at), DELETE
	ON collect.tokens TO catchment_web;

-- A token that does, or leave to fetch one (the caller's lease, for p_ttl), or somebody else has it.
-- p_refused: a version that the service refused. state: ready, fetch, wait.
CREATE FUNCTION collect.token_take(p_owner uuid, p_hash text, p_refused bigint, p_lease uuid, p_ttl interval,
	OUT state text, OUT version bigint, OUT access bytea, OUT renew_in_ms bigint, OUT refresh_version bigint,
	OUT refresh bytea)
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
	t collect.tokens;
	at timestamptz;
BEGIN
	INSERT INTO collect.tokens (owner_id, auth_hash) VALUES (p_owner, p_hash) ON CONFLICT DO NOTHING;
	SELECT * INTO t FROM collect.tokens k WHERE k.tenant_id = util.tenant() AND k.owner_id = p_owner
	FOR NO KEY UPDATE;
	at := clock_timestamp();
	state := 'wait';
	IF t.owner_id IS NULL THEN -- its config changed this moment: the next look makes it anew
		RETURN;
	END IF;
	IF t.auth_hash <> p_hash THEN
		UPDATE collect.tokens k SET auth_hash = p_hash, version = k.version + 1, access_sealed = NULL,
			access_kid = NULL, refresh_sealed = NULL, refresh_kid = NULL, refresh_version = NULL, expires_at = NULL,
			renew_at = NULL, lease_id = NULL, lease_until = '-infinity'
		WHERE k.tenant_id = t.tenant_id AND k.owner_id = p_owner RETURNING * INTO t;
	END IF;
	version := t.version;
	IF t.access_sealed IS NOT NULL AND t.version > p_refused THEN
		access := t.access_sealed;
		renew_in_ms := greatest(1, extract(epoch FROM t.renew_at - at) * 1000);
		IF t.renew_at IS NULL OR t.renew_at > at THEN
			state := 'ready';
			RETURN;
		END IF;
		-- due, but somebody is at it: the old one does for a while
		IF t.lease_until > at AND t.lease_id <> p_lease AND t.expires_at > at + interval '5 seconds' THEN
			state := 'ready';
			renew_in_ms := 2000;
			RETURN;
		END IF;
	END IF;
	access := NULL;
	IF t.lease_until > at AND t.lease_id <> p_lease THEN
		RETURN;
	END IF;
	state := 'fetch';
	refresh := t.refresh_sealed;
	refresh_version := t.refresh_version;
	UPDATE collect.tokens k SET lease_id = p_lease, lease_until = at + p_ttl
	WHERE k.tenant_id = t.tenant_id AND k.owner_id = p_owner;
END $$;

-- Stores what was fetched and ends the lease, in one. False: the lease is somebody else's, or the config
-- changed meanwhile. Sent twice, it stores the same again.
CREATE FUNCTION collect.token_keep(p_owner uuid, p_lease uuid, p_version bigint, p_kid bigint, p_access bytea,
	p_refresh bytea, p_life_ms bigint, p_renew_ms bigint) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
	at CONSTANT timestamptz := clock_timestamp();
BEGIN
	UPDATE collect.tokens k SET version = p_version, access_kid = p_kid, access_sealed = p_access,
		refresh_version = CASE WHEN p_refresh IS NULL THEN k.refresh_version ELSE p_version END,
		refresh_kid = CASE WHEN p_refresh IS NULL THEN k.refresh_kid ELSE p_kid END,
		refresh_sealed = coalesce(p_refresh, k.refresh_sealed), obtained_at = at,
		expires_at = CASE WHEN p_life_ms > 0 THEN at + p_life_ms * interval '1 millisecond' END,
		renew_at = CASE WHEN p_life_ms > 0 THEN at + p_renew_ms * interval '1 millisecond' END,
		lease_until = '-infinity', refused_code = NULL, refused_at = NULL
	WHERE k.tenant_id = util.tenant() AND k.owner_id = p_owner AND k.lease_id = p_lease
		AND k.version IN (p_version - 1, p_version);
	RETURN FOUND;
END $$;

-- Whoever lets go of its run lets go of its lease. p_refused: what the endpoint said, or null.
CREATE FUNCTION collect.token_let_go(p_owner uuid, p_lease uuid, p_refused text) RETURNS void
LANGUAGE sql SET search_path = pg_catalog
BEGIN ATOMIC
	UPDATE collect.tokens k SET lease_until = '-infinity', refused_code = coalesce(p_refused, k.refused_code),
		refused_at = CASE WHEN p_refused IS NULL THEN k.refused_at ELSE clock_timestamp() END
	WHERE k.tenant_id = util.tenant() AND k.owner_id = p_owner AND k.lease_id = p_lease
		AND k.lease_until > '-infinity';
END;
GRANT EXECUTE ON FUNCTION collect.token_take, collect.token_keep, collect.token_let_go
	TO catchment_run, catchment_trial;

-- What was got with a config goes when the config changes: another client, another secret, another address.
CREATE FUNCTION collect.got_with_config_drop() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
	r CONSTANT json := row_to_json(CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END);
	owner CONSTANT uuid := r ->> TG_ARGV[0];
BEGIN
	DELETE FROM collect.tokens k WHERE k.tenant_id = (r ->> 'tenant_id')::uuid AND k.owner_id = owner;
	RETURN NULL;
END $$;
GRANT EXECUTE ON FUNCTION collect.got_with_config_drop TO catchment_web, catchment_run;
CREATE TRIGGER got_with_config AFTER INSERT OR DELETE ON collect.secrets
	FOR EACH ROW EXECUTE FUNCTION collect.got_with_config_drop('owner_id');
CREATE TRIGGER got_with_config_changed AFTER UPDATE OF version ON collect.secrets
	FOR EACH ROW WHEN (OLD.version <> NEW.version) EXECUTE FUNCTION collect.got_with_config_drop('owner_id');
CREATE TRIGGER got_with_config AFTER DELETE ON collect.collector_instances
	FOR EACH ROW EXECUTE FUNCTION collect.got_with_config_drop('id');
CREATE TRIGGER got_with_config_changed AFTER UPDATE OF tenant_config ON collect.collector_instances
	FOR EACH ROW WHEN (OLD.tenant_config::text <> NEW.tenant_config::text)
	EXECUTE FUNCTION collect.got_with_config_drop('id');
CREATE TRIGGER got_with_config AFTER DELETE ON collect.data_collectors
	FOR EACH ROW EXECUTE FUNCTION collect.got_with_config_drop('id');
CREATE TRIGGER got_with_config_changed AFTER UPDATE OF creator_config, data_source_id ON collect.data_collectors
	FOR EACH ROW WHEN (OLD.creator_config::text <> NEW.creator_config::text
		OR OLD.data_source_id <> NEW.data_source_id)
	EXECUTE FUNCTION collect.got_with_config_drop('id');

-- Opens the tenant for storing what was fetched under a token's lease, though the run may meanwhile be
-- another runner's: a refresh token that replaces the one before must not be lost with the run.
CREATE FUNCTION collect.token_enter(p_tenant uuid, p_owner uuid, p_lease uuid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
	PERFORM set_config('app.tenant_id', p_tenant::text, true), set_config('app.user_id', '', true);
	PERFORM 1 FROM collect.tokens k
	WHERE k.tenant_id = p_tenant AND k.owner_id = p_owner AND k.lease_id = p_lease FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		PERFORM set_config('app.tenant_id', '', true);
		PERFORM util.fail(409, 'token_lease_lost', 'Somebody else fetches this token now.');
	END IF;
END $$;
GRANT EXECUTE ON FUNCTION collect.token_enter TO catchment_run;
