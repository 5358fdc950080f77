-- The marketplace is open to everybody: it names the workspace that published, never a person's e-mail
-- address. The workspace itself still reads who of it published (published_by).
-- Locks: market.listing while its rows are written anew.
SET LOCAL ROLE catchment_owner;

-- What everybody may read of a workspace's name. Some are called after an address, as sign-up did when it
-- was given no name; of an address only the part before the @ is shown.
CREATE FUNCTION market.publisher_name(workspace text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog
RETURN regexp_replace(workspace, '([^\s@]+)@\S+', '\1', 'g');

CREATE FUNCTION market.my_publisher_name() RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog
RETURN (SELECT market.publisher_name(w.name) FROM identity.tenants w WHERE w.id = util.tenant());
GRANT EXECUTE ON FUNCTION market.publisher_name, market.my_publisher_name TO catchment_web;
COMMENT ON COLUMN market.listing.publisher IS 'What is shown of the workspace''s name; follows when it is renamed.';
COMMENT ON COLUMN market.release.published_by IS 'The member who published, for the workspace''s own eyes.';

-- As migrate, whom no policy binds; the owner would touch no row.
RESET ROLE;
UPDATE market.listing l SET publisher = market.publisher_name(w.name),
	search = market.listing_words(r.document, market.publisher_name(w.name))
FROM market.release r, identity.tenants w
WHERE r.collector_id = l.collector_id AND r.version = l.latest_version AND w.id = l.publisher_tenant;
