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
