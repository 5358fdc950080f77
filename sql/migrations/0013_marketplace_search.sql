-- A listing is searched by its words as we cut them, not as PostgreSQL's parser would (which reads
-- "tag-3" as a word and a negative number): whoever publishes need not know how.
-- Locks: none worth naming; rows that are there are filled once.
SET LOCAL ROLE catchment_owner;

-- Letters and digits, in lower case, in order. A word of 200 characters is enough to be found by.
CREATE FUNCTION market.words(t text) RETURNS text[]
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog
RETURN (SELECT coalesce(array_agg(left(w.word, 200) ORDER BY w.place), '{}')
	FROM regexp_split_to_table(lower(t), '[^[:alnum:]]+') WITH ORDINALITY AS w (word, place) WHERE w.word <> '');

-- The words of one text with their places and one weight.
CREATE FUNCTION market.words_vector(t text, weight text) RETURNS tsvector
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog
RETURN (SELECT coalesce(string_agg(format('''%s'':%s%s', w.word, w.place, weight), ' '), '')::tsvector
	FROM unnest(market.words(t)) WITH ORDINALITY AS w (word, place));

CREATE OR REPLACE FUNCTION market.search_query(q text) RETURNS tsquery
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog
RETURN (SELECT string_agg(format('''%s'':*', w.word), ' & ')::tsquery FROM unnest(market.words(q)) AS w (word));

CREATE FUNCTION market.listing_fold() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
	NEW.category_folded := coalesce(util.fold(NEW.category), '');
	NEW.tags_folded := ARRAY(SELECT util.fold(t.tag) FROM json_array_elements_text(NEW.tags) AS t (tag));
	NEW.search := market.words_vector(NEW.name, 'A')
		|| market.words_vector((SELECT string_agg(t.tag, ' ') FROM json_array_elements_text(NEW.tags) AS t (tag)), 'B')
		|| market.words_vector(NEW.description, 'C');
	RETURN NEW;
END $$;
CREATE TRIGGER listing_fold BEFORE INSERT OR UPDATE OF name, description, category, tags ON market.listing
	FOR EACH ROW EXECUTE FUNCTION market.listing_fold();
GRANT EXECUTE ON FUNCTION market.words, market.words_vector TO catchment_web;
RESET ROLE;
SET LOCAL ROLE catchment_migrate;
UPDATE market.listing l SET name = l.name;
