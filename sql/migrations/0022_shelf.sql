-- What a publisher's own workspace does with its collectors does not count in the marketplace; the audit log
-- keeps who acted by name.
-- Locks: market.listing for some rows, then audit.entries for a moment, to gain a column. Responders of before
-- do not count own installations themselves any more: start the new ones soon after.
UPDATE market.listing l SET installs = greatest(0, l.installs - 1)
WHERE EXISTS (SELECT FROM collect.collector_instances i
	WHERE i.collector_id = l.collector_id AND i.tenant_id = l.publisher_tenant);
WITH own AS (DELETE FROM market.ratings t USING market.listing l
	WHERE l.collector_id = t.collector_id AND l.publisher_tenant = t.tenant_id
	RETURNING t.collector_id, t.stars, t.review_id),
gone AS (DELETE FROM market.review v USING own WHERE v.id = own.review_id)
UPDATE market.listing l SET rating_sum = greatest(0, l.rating_sum - own.stars),
	rating_count = greatest(0, l.rating_count - 1)
FROM own WHERE l.collector_id = own.collector_id;
SET LOCAL ROLE catchment_owner;

-- As before; in the log of the workspace that it concerns it was the platform, not a person of that house.
CREATE OR REPLACE FUNCTION platform.note(p_action text, p_kind text, p_object uuid, p_tenant uuid, p_detail json)
RETURNS void
LANGUAGE sql SET search_path = pg_catalog
BEGIN ATOMIC
	INSERT INTO audit.entries (tenant_id, user_id, action, object_kind, object_id, detail, ip)
	SELECT t.id, CASE WHEN t.id = util.tenant() THEN util.caller() END, p_action, p_kind, p_object, p_detail,
		CASE WHEN t.id = util.tenant() THEN nullif(current_setting('app.ip', true), '') END
	FROM (SELECT util.tenant() UNION SELECT p_tenant) AS t (id) WHERE t.id IS NOT NULL;
END;
RESET ROLE;
SET LOCAL ROLE catchment_auth;

-- As before; a publisher's own installation is a test of it, no reason for others to trust it.
CREATE OR REPLACE FUNCTION market.count(p_collector uuid, p_installs int, p_stars int, p_ratings int) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog
BEGIN ATOMIC
	UPDATE market.listing l SET rating_sum = greatest(0, l.rating_sum + p_stars),
		rating_count = greatest(0, l.rating_count + p_ratings),
		installs = greatest(0, l.installs + CASE WHEN l.publisher_tenant = util.tenant() THEN 0 ELSE p_installs END)
	WHERE l.collector_id = p_collector;
END;

-- As before; who leaves is not removed by anybody.
CREATE OR REPLACE FUNCTION identity.member_remove(p_user uuid, p_version bigint DEFAULT -1) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
	old text;
BEGIN
	old := identity.member_hold(p_user, p_version);
	IF old IS NULL THEN
		RETURN false;
	END IF;
	IF identity.role_rank(old) > coalesce(identity.role_rank(identity.my_role()), 0) THEN
		PERFORM util.fail(403, 'role_missing', 'Only an owner may remove an owner.');
	END IF;
	IF old = 'owner' AND identity.owners_left_without(p_user) = 0 THEN
		PERFORM util.fail(409, 'last_owner', 'A workspace needs an owner. Make someone else owner first.');
	END IF;
	DELETE FROM identity.members m WHERE m.tenant_id = util.tenant() AND m.user_id = p_user;
	UPDATE identity.tokens k SET revoked_at = clock_timestamp()
	WHERE k.tenant_id = util.tenant() AND k.user_id = p_user AND k.revoked_at IS NULL;
	UPDATE identity.invitations i SET revoked_at = clock_timestamp() -- no way back through these
	WHERE i.tenant_id = util.tenant() AND i.invited_by = p_user AND i.accepted_at IS NULL AND i.revoked_at IS NULL;
	PERFORM audit.write(CASE WHEN p_user = util.caller() THEN 'member.leave' ELSE 'member.remove' END, 'user', p_user);
	RETURN true;
END $$;

-- In the audit log a name stays when its owner leaves.
CREATE FUNCTION identity.name_actor() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
	NEW.email := (SELECT u.email FROM identity.users u WHERE u.id = NEW.user_id);
	RETURN NEW;
END $$;
REVOKE EXECUTE ON FUNCTION identity.name_actor FROM PUBLIC;
GRANT EXECUTE ON FUNCTION identity.name_actor TO catchment_owner;
RESET ROLE;
SET LOCAL ROLE catchment_owner;
ALTER TABLE audit.entries ADD COLUMN email text;
CREATE TRIGGER name_actor BEFORE INSERT ON audit.entries FOR EACH ROW EXECUTE FUNCTION identity.name_actor();
RESET ROLE;
