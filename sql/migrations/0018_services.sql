-- What services say of themselves: a bucket also follows the pace that an answer's headers ask for, so that
-- all runners slow down before they are told to.
-- Locks: work.bucket, a moment; its new columns have constant defaults.
SET LOCAL ROLE catchment_owner;

ALTER TABLE work.bucket
	ADD paced_rate  double precision NOT NULL DEFAULT 'infinity' CHECK (paced_rate > 0), -- until paced_until
	ADD paced_until timestamptz NOT NULL DEFAULT '-infinity';

-- As before, and no faster than the pace that was asked for. That pace is not the bucket's own: when its
-- time is over nothing has to recover.
CREATE OR REPLACE FUNCTION work.take(p_tenant uuid, p_service text, p_n double precision, p_rate double precision,
	p_burst double precision) RETURNS double precision
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
	b work.bucket;
	at timestamptz;
	have double precision;
	pace double precision;
	gait double precision;
BEGIN
	SELECT * INTO b FROM work.bucket k WHERE k.tenant_id = p_tenant AND k.service = p_service FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		INSERT INTO work.bucket (tenant_id, service, rate, full_rate, burst, tokens)
		VALUES (p_tenant, p_service, p_rate, p_rate, p_burst, p_burst) ON CONFLICT DO NOTHING;
		SELECT * INTO b FROM work.bucket k WHERE k.tenant_id = p_tenant AND k.service = p_service FOR NO KEY UPDATE;
	END IF;
	at := clock_timestamp();
	IF b.blocked_until > at THEN
		RETURN extract(epoch FROM b.blocked_until - at);
	END IF;
	-- after a throttle the pace recovers by 5 % of the full rate a minute; the strictest limit wins
	pace := CASE WHEN b.throttled_at IS NULL THEN p_rate ELSE least(p_rate, b.rate + 0.05 * b.full_rate
		* greatest(0, extract(epoch FROM at - b.throttled_at) / 60)) END;
	gait := CASE WHEN b.paced_until > at THEN least(pace, b.paced_rate) ELSE pace END;
	have := least(p_burst, b.tokens + gait * greatest(0, extract(epoch FROM at - b.refilled_at)));
	IF have >= least(p_n, p_burst) THEN
		UPDATE work.bucket k SET tokens = have - p_n, refilled_at = at, full_rate = p_rate, burst = p_burst,
			rate = pace, throttled_at = CASE WHEN pace >= p_rate THEN NULL ELSE at END
		WHERE k.tenant_id = p_tenant AND k.service = p_service;
		RETURN 0;
	END IF;
	RETURN (least(p_n, p_burst) - have) / gait;
END $$;

-- An answer said how many requests are left and until when. p_pace a second until p_seconds have passed;
-- 0: none are left, silence until then. The latest word counts, but nothing shortens a silence.
CREATE FUNCTION work.pace(p_tenant uuid, p_service text, p_pace double precision, p_seconds double precision,
	p_rate double precision, p_burst double precision) RETURNS void
LANGUAGE sql SET search_path = pg_catalog
BEGIN ATOMIC
	INSERT INTO work.bucket AS k (tenant_id, service, rate, full_rate, burst, tokens, refilled_at, paced_rate,
		paced_until, blocked_until)
	SELECT p_tenant, p_service, p_rate, p_rate, p_burst, 1, u.at, greatest(p_pace, 0.001), u.until,
		CASE WHEN p_pace > 0 THEN '-infinity' ELSE u.until END
	FROM (SELECT clock_timestamp() AS at,
		clock_timestamp() + least(greatest(p_seconds, 0.05), 86400) * interval '1 second' AS until) u
	ON CONFLICT (tenant_id, service) DO UPDATE SET
		paced_rate = CASE WHEN p_pace > 0 THEN excluded.paced_rate ELSE k.paced_rate END,
		paced_until = CASE WHEN p_pace > 0 THEN excluded.paced_until ELSE k.paced_until END,
		blocked_until = greatest(k.blocked_until, excluded.blocked_until),
		tokens = least(k.tokens, 1),
		refilled_at = greatest(k.refilled_at, excluded.refilled_at, k.blocked_until, excluded.blocked_until);
END;
GRANT EXECUTE ON FUNCTION work.pace TO catchment_run, catchment_trial;

-- Answers that are used again (cacheConfig): within one installation and its config alone, bounded, dropped
-- when the config changes. Written with the page that an answer made.
CREATE TABLE collect.kept_answers (
	tenant_id   uuid NOT NULL DEFAULT nullif(current_setting('app.tenant_id', true), '')::uuid,
	owner_id    uuid NOT NULL,
	key         text NOT NULL, -- SHA-256 of the request without what shows who asks
	stored_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
	fresh_until timestamptz NOT NULL,
	etag        text NOT NULL,
	modified    text NOT NULL,
	headers     json NOT NULL,
	body        bytea NOT NULL CHECK (octet_length(body) <= 1048576),
	PRIMARY KEY (tenant_id, owner_id, key)
);
CALL util.make_tenant('collect.kept_answers', 'GET answers that are used again, for one installation and config.');
GRANT SELECT, INSERT, UPDATE, DELETE ON collect.kept_answers TO catchment_run;
GRANT SELECT (tenant_id, owner_id, stored_at), DELETE ON collect.kept_answers TO catchment_web;

-- At most 32 MiB for one installation; the oldest go first, and whatever nobody renewed for a week.
CREATE FUNCTION collect.answer_keep(p_owner uuid, p_key text, p_life_ms bigint, p_etag text, p_modified text,
	p_headers json, p_body bytea) RETURNS void
LANGUAGE sql SET search_path = pg_catalog
BEGIN ATOMIC
	INSERT INTO collect.kept_answers (owner_id, key, fresh_until, etag, modified, headers, body)
	VALUES (p_owner, p_key, clock_timestamp() + p_life_ms * interval '1 millisecond', p_etag, p_modified,
		p_headers, p_body)
	ON CONFLICT (tenant_id, owner_id, key) DO UPDATE SET stored_at = clock_timestamp(),
		fresh_until = excluded.fresh_until, etag = excluded.etag, modified = excluded.modified,
		headers = excluded.headers, body = excluded.body;
	DELETE FROM collect.kept_answers k USING (
		SELECT x.key, x.stored_at, sum(octet_length(x.body)) OVER (ORDER BY x.stored_at DESC, x.key) AS bytes
		FROM collect.kept_answers x WHERE x.tenant_id = util.tenant() AND x.owner_id = p_owner) o
	WHERE k.tenant_id = util.tenant() AND k.owner_id = p_owner AND k.key = o.key
		AND (o.bytes > 33554432 OR o.stored_at < clock_timestamp() - interval '7 days');
END;

CREATE FUNCTION collect.answer_renew(p_owner uuid, p_key text, p_life_ms bigint) RETURNS void
LANGUAGE sql SET search_path = pg_catalog
BEGIN ATOMIC
	UPDATE collect.kept_answers k SET stored_at = clock_timestamp(),
		fresh_until = clock_timestamp() + p_life_ms * interval '1 millisecond'
	WHERE k.tenant_id = util.tenant() AND k.owner_id = p_owner AND k.key = p_key;
END;
GRANT EXECUTE ON FUNCTION collect.answer_keep, collect.answer_renew TO catchment_run;

CREATE OR REPLACE FUNCTION collect.got_with_config_drop() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
	r CONSTANT json := row_to_json(CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END);
	owner CONSTANT uuid := r ->> TG_ARGV[0];
BEGIN
	DELETE FROM collect.tokens k WHERE k.tenant_id = (r ->> 'tenant_id')::uuid AND k.owner_id = owner;
	DELETE FROM collect.kept_answers k WHERE k.tenant_id = (r ->> 'tenant_id')::uuid AND k.owner_id = owner;
	RETURN NULL;
END $$;
