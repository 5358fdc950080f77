-- Kept answers were pruned only where others were written: what an installation kept stayed for ever once
-- its pipelines no longer cached, or no longer ran. The runner's sweep looks at each tenant once a day.
-- Locks: work.lane, a moment; its new column has a constant default.
SET LOCAL ROLE catchment_owner;

ALTER TABLE work.lane ADD kept_looked_at timestamptz NOT NULL DEFAULT '-infinity';

-- What nobody renewed for a week goes, p_rows of a tenant at most; a tenant with more comes first next time.
-- Called outside of any tenant, in a transaction of its own: it sets one tenant after another. It waits for
-- nobody: a lane or an answer that is locked is in use, and seen to the next time. But who claims from a lane
-- waits for it, so the runner asks for few.
CREATE FUNCTION work.kept_prune(p_lanes int, p_rows int) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
	t uuid;
	n bigint;
	gone bigint := 0;
BEGIN
	FOR t IN SELECT l.tenant_id FROM work.lane l WHERE l.kept_looked_at < clock_timestamp() - interval '1 day'
		ORDER BY l.kept_looked_at, l.tenant_id LIMIT p_lanes FOR NO KEY UPDATE SKIP LOCKED
	LOOP
		PERFORM set_config('app.tenant_id', t::text, true);
		WITH old AS MATERIALIZED (SELECT o.owner_id, o.key FROM collect.kept_answers o
			WHERE o.tenant_id = t AND o.stored_at < clock_timestamp() - interval '7 days'
			LIMIT p_rows FOR UPDATE SKIP LOCKED)
		DELETE FROM collect.kept_answers k USING old
		WHERE k.tenant_id = t AND k.owner_id = old.owner_id AND k.key = old.key;
		GET DIAGNOSTICS n = ROW_COUNT;
		gone := gone + n;
		IF n < p_rows THEN
			UPDATE work.lane l SET kept_looked_at = clock_timestamp() WHERE l.tenant_id = t;
		END IF;
	END LOOP;
	PERFORM set_config('app.tenant_id', '', true);
	RETURN gone;
END $$;
GRANT EXECUTE ON FUNCTION work.kept_prune TO catchment_run;
