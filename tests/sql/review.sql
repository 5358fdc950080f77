-- Ratings: a tenant's own, one per collector; the public reads stars and words, never who.
SET search_path = tap, pg_catalog;
SET client_min_messages = warning;
CALL tap.two_tenants();
CALL tap.installations();
-- collector 60 is another workspace's, and both have installed it
INSERT INTO market.listing (collector_id, publisher_tenant, name, publisher, data_source, latest_version)
VALUES (tap.id(60), tap.id(3), 'Shop', 'Tenant 3', '{}', '1.0.0');
INSERT INTO market.release (collector_id, version, publisher_tenant, ordinal, document, published_by)
VALUES (tap.id(60), '1.0.0', tap.id(3), 1, tap.release_document(), 'Tenant 3');
INSERT INTO collect.collector_instances (tenant_id, id, collector_id, release_version, instance_name, created_by)
SELECT tap.id(n), tap.id(160 + n), tap.id(60), '1.0.0', 'Their shop', tap.id(10 + n) FROM generate_series(1, 2) n;
SELECT plan(14);

CREATE FUNCTION pg_temp.rate(p_tenant int, p_stars int) RETURNS text LANGUAGE sql AS $$
	SELECT tap.ask('catchment_web', tap.id(p_tenant),
		format('SELECT market.rate(tap.id(60), %s, ''%s stars'')', p_stars, p_stars), tap.id(10 + p_tenant)) $$;
CREATE FUNCTION pg_temp.seen() RETURNS text LANGUAGE sql AS $$
	SELECT (SELECT concat_ws(' ', rating_sum, rating_count) FROM market.listing WHERE collector_id = tap.id(60))
		|| ': ' || tap.ask('catchment_web', NULL, 'SELECT stars, comment FROM market.review ORDER BY id') $$;
DO $$ BEGIN PERFORM pg_temp.rate(1, 4); END $$;
SELECT is(pg_temp.seen(), '4 1: 4,"4 stars"', 'a rating is counted, and read by everybody');
DO $$ BEGIN PERFORM pg_temp.rate(1, 2); END $$;
SELECT is(pg_temp.seen(), '2 1: 2,"2 stars"', 'a revised one takes the place of the old');
DO $$ BEGIN PERFORM pg_temp.rate(2, 5); END $$;
SELECT is(pg_temp.seen(), '7 2: 2,"2 stars"; 5,"5 stars"', 'another tenant has its own');
SELECT is(tap.ask('catchment_web', tap.id(1), 'SELECT count(*), max(stars) FROM market.ratings'), '1,2', 'a tenant reads its own row only');
SELECT is(tap.ask('catchment_web', NULL, 'SELECT count(*) FROM market.ratings'), '0', 'nobody reads none');
SELECT hasnt_column('market', 'review', 'tenant_id', 'what is public does not say who');
SELECT is(tap.refusal('catchment_web', tap.id(1), $$INSERT INTO market.review (collector_id, stars, comment)
	VALUES (tap.id(60), 5, 'x')$$), '42501', 'nobody writes it directly');
SELECT is(tap.refusal('catchment_web', tap.id(1), 'DELETE FROM market.review'), '42501', 'or takes it away');
SELECT is(tap.refusal('catchment_run', tap.id(1), 'SELECT market.review_set(tap.id(60), NULL, 5, ''x'')'), '42501', 'a runner rates nothing');
DO $$ BEGIN PERFORM tap.ask('catchment_web', tap.id(1), 'SELECT market.unrate(tap.id(60))', tap.id(11)); END $$;
SELECT is(pg_temp.seen(), '5 1: 5,"5 stars"', 'a rating that is taken back is gone everywhere');
SELECT is(tap.refusal('catchment_web', tap.id(1), 'SELECT market.unrate(tap.id(60))', tap.id(11)), 'CA404 not_found', 'once');
SELECT is(tap.refusal('catchment_web', tap.id(1), 'SELECT market.rate(tap.id(49), 5, ''x'')', tap.id(11)), 'CA404 not_found', 'what is not listed cannot be rated');
SELECT is(tap.refusal('catchment_web', tap.id(1), 'SELECT market.rate(tap.id(50), 5, ''x'')', tap.id(11)), 'CA403 own_collector', 'nobody rates what is his own');
DO $$ BEGIN PERFORM tap.act('catchment_web', tap.id(n), 'SELECT market.count(tap.id(50), 1, 0, 0)', tap.id(10 + n)) FROM generate_series(1, 2) n; END $$;
SELECT is((SELECT installs FROM market.listing WHERE collector_id = tap.id(50)), 1::bigint, 'and an installation by its publisher does not count');
SELECT * FROM finish();
