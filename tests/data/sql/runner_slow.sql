-- Marking a record takes a tenth of a second.
CREATE OR REPLACE FUNCTION public.slow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_sleep(0.1);
	RETURN NEW;
END $$;
GRANT EXECUTE ON FUNCTION public.slow TO PUBLIC;
CREATE OR REPLACE TRIGGER slow BEFORE UPDATE OF vanished_at ON collect.records
FOR EACH ROW EXECUTE FUNCTION public.slow();
