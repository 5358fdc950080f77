-- Publishing: releases never change and belong to their publisher; counts move by difference.
SET search_path = tap, pg_catalog;
SET client_min_messages = warning;
CALL tap.two_tenants();
CALL tap.installations();
SELECT plan(21);

CREATE FUNCTION pg_temp.counts(p_installs int, p_stars int, p_ratings int) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM tap.ask('catchment_web', tap.id(2), format('SELECT market.count(tap.id(50), %s, %s, %s)', p_installs, p_stars, p_ratings));
	RETURN (SELECT concat_ws(' ', installs, rating_sum, rating_count) FROM market.listing);
END $$;
SELECT is(pg_temp.counts(1, 0, 0), '1 0 0', 'an installation counts');
SELECT is(pg_temp.counts(0, 5, 1), '1 5 1', 'so does a rating');
SELECT is(pg_temp.counts(0, -3, 0), '1 2 1', 'a revised one moves the sum');
SELECT is(pg_temp.counts(-9, -9, -9), '0 0 0', 'no count falls below nothing');
SELECT is(tap.refusal('catchment_web', tap.id(1), 'UPDATE market.listing SET installs = 9'), '42501', 'a publisher cannot count himself');
SELECT is(tap.refusal('catchment_run', tap.id(1), 'SELECT market.count(tap.id(50), 1, 0, 0)'), '42501', 'nor can a runner');
SELECT is(tap.ask('catchment_web', tap.id(2), 'SELECT count(*) FROM market.release'), '1', 'everybody reads a release');
SELECT is(tap.refusal('catchment_web', tap.id(1), $$UPDATE market.release SET document = '{}'$$), '42501', 'nobody changes one');
SELECT is(tap.refusal('catchment_web', tap.id(1), 'DELETE FROM market.release'), '42501', 'or takes it back');
SELECT is(tap.refusal('catchment_web', tap.id(2), $$INSERT INTO market.release (collector_id, version, publisher_tenant, ordinal, document, published_by)
	VALUES (tap.id(51), '1.0.0', tap.id(1), 1, '{}', 'x')$$), '42501', 'nobody publishes in another''s name');
CREATE FUNCTION pg_temp.foist() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM tap.act('catchment_web', tap.id(2), $i$INSERT INTO market.release (collector_id, version, ordinal, document, published_by)
		VALUES (tap.id(50), '2.0.0', 2, '{}', 'x')$i$);
	SET CONSTRAINTS ALL IMMEDIATE;
	RETURN 'accepted';
EXCEPTION WHEN foreign_key_violation THEN
	RETURN 'refused';
END $$;
SELECT is(pg_temp.foist(), 'refused', 'nor a release of another''s collector');
SELECT is(tap.act('catchment_web', tap.id(1), $$INSERT INTO market.release (collector_id, version, ordinal, document, published_by)
	VALUES (tap.id(50), '1.1.0', 2, '{}', 'x')$$), 1::bigint, 'its publisher adds to it');
SELECT is(tap.act('catchment_web', tap.id(2), $$UPDATE market.listing SET name = 'x'$$), 0::bigint, 'a listing is changed by its publisher only');
SELECT is(tap.act('catchment_web', tap.id(1), $$UPDATE market.listing SET name = 'x', is_listed = false$$), 1::bigint, 'who may hide it');
SELECT is(tap.refusal('catchment_web', tap.id(1), $$UPDATE market.listing SET publisher_tenant = tap.id(2)$$), '42501', 'but not give it away');
SELECT is(tap.refusal('catchment_web', tap.id(1), $$INSERT INTO market.ratings (collector_id, stars) VALUES (tap.id(50), 6)$$, tap.id(11)), '23514', 'six stars are too many');

-- Input, what everybody may read of it, and why.
SELECT is(market.publisher_name(t.workspace), t.shown, t.why) FROM (VALUES
	('Alice Connectors', 'Alice Connectors', 'a publisher is shown by the name of its workspace'),
	('Workspace of alice@example.com', 'Workspace of alice', 'an address in a name is cut'),
	('ann+x@a.example, bob@b', 'ann+x bob', 'so is each of several'),
	('a@b@c d', 'a d', 'and one with two signs'),
	('Bread @ home', 'Bread @ home', 'a sign by itself is none')) AS t (workspace, shown, why);
SELECT * FROM finish();
