-- A refresh token that replaced the one before must be kept, or the installation is locked out: also when
-- whoever fetched it was away for longer than its lease (a database that was gone, a process that stood
-- still) and somebody else has the lease now. So a row remembers the leases that ran out over its version.
-- Locks: collect.tokens, a moment; its new column has a constant default.
SET LOCAL ROLE catchment_owner;

ALTER TABLE collect.tokens ADD past_leases uuid[] NOT NULL DEFAULT '{}', -- the last few, of this version
	ADD lease_version bigint NOT NULL DEFAULT 0; -- what the lease of now has seen

CREATE FUNCTION collect.token_lease_over() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
	IF NEW.lease_until > OLD.lease_until THEN
		NEW.lease_version := NEW.version;
	END IF;
	IF NEW.version <> OLD.version THEN
		NEW.past_leases := '{}';
	ELSIF NEW.lease_id IS DISTINCT FROM OLD.lease_id AND OLD.lease_until > '-infinity' THEN
		NEW.past_leases := (OLD.lease_id || OLD.past_leases)[1:8];
	END IF;
	RETURN NEW;
END $$;
GRANT EXECUTE ON FUNCTION collect.token_lease_over TO catchment_run, catchment_trial;
CREATE TRIGGER lease_over BEFORE UPDATE ON collect.tokens
	FOR EACH ROW EXECUTE FUNCTION collect.token_lease_over();

-- As before; and a refresh token that was rotated is kept under a lease that ran out, as long as nobody has
-- kept another. Whoever holds the lease now asked later, so what it fetches replaces that.
CREATE OR REPLACE FUNCTION collect.token_keep(p_owner uuid, p_lease uuid, p_version bigint, p_kid bigint, p_access bytea,
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
		lease_until = CASE WHEN k.lease_id = p_lease THEN '-infinity' ELSE k.lease_until END,
		refused_code = NULL, refused_at = NULL
	WHERE k.tenant_id = util.tenant() AND k.owner_id = p_owner
		AND ((k.lease_id = p_lease AND k.version IN (p_version - 1, p_version))
			OR (p_refresh IS NOT NULL AND p_lease = ANY (k.past_leases) AND k.version = p_version - 1));
	RETURN FOUND;
END $$;

-- As before, but a refusal says something of the token that was asked with: not of a newer one.
CREATE OR REPLACE FUNCTION collect.token_let_go(p_owner uuid, p_lease uuid, p_refused text) RETURNS void
LANGUAGE sql SET search_path = pg_catalog
BEGIN ATOMIC
	UPDATE collect.tokens k SET lease_until = '-infinity',
		refused_code = CASE WHEN k.version = k.lease_version THEN coalesce(p_refused, k.refused_code) ELSE k.refused_code END,
		refused_at = CASE WHEN p_refused IS NULL OR k.version <> k.lease_version THEN k.refused_at ELSE clock_timestamp() END
	WHERE k.tenant_id = util.tenant() AND k.owner_id = p_owner AND k.lease_id = p_lease
		AND k.lease_until > '-infinity';
END;

CREATE OR REPLACE FUNCTION collect.token_enter(p_tenant uuid, p_owner uuid, p_lease uuid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
	PERFORM set_config('app.tenant_id', p_tenant::text, true), set_config('app.user_id', '', true);
	PERFORM 1 FROM collect.tokens k WHERE k.tenant_id = p_tenant AND k.owner_id = p_owner
		AND (k.lease_id = p_lease OR p_lease = ANY (k.past_leases)) FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		PERFORM set_config('app.tenant_id', '', true);
		PERFORM util.fail(409, 'token_lease_lost', 'Somebody else fetches this token now.');
	END IF;
END $$;
