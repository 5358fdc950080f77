-- A record as every answer shows it.
SET LOCAL ROLE catchment_owner;

CREATE FUNCTION collect.record_doc(c collect.records) RETURNS json
LANGUAGE sql STABLE
RETURN json_build_object('key', c.record_key, 'firstSeenAt', util.utc(c.first_seen_at),
	'changedAt', util.utc(c.changed_at), 'vanishedAt', util.utc(c.vanished_at), 'data', c.data);
GRANT EXECUTE ON FUNCTION collect.record_doc TO catchment_web, catchment_trial;
