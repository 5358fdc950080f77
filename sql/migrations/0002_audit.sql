-- Who did what, from the first day. Rows are only ever added.
SET LOCAL ROLE catchment_owner;

CREATE TABLE audit.entries (
	tenant_id   uuid NOT NULL,
	id          uuid NOT NULL DEFAULT util.uuid_v7(),
	at          timestamptz NOT NULL DEFAULT clock_timestamp(),
	user_id     uuid,           -- null: the program itself
	action      text NOT NULL,  -- "collector.publish"
	object_kind text NOT NULL,
	object_id   uuid,
	detail      json NOT NULL DEFAULT '{}', -- never a value of a config or a credential
	ip          text,
	PRIMARY KEY (tenant_id, id)
) PARTITION BY RANGE (id);
CALL util.make_tenant('audit.entries', 'Who did what and when; appended only.');
CREATE POLICY auth_appends ON audit.entries FOR INSERT TO catchment_auth WITH CHECK (true);
GRANT SELECT, INSERT ON audit.entries TO catchment_web, catchment_trial;
GRANT INSERT ON audit.entries TO catchment_run, catchment_auth, catchment_export;

CREATE FUNCTION audit.write(action text, object_kind text, object_id uuid,
	detail json DEFAULT '{}') RETURNS void
LANGUAGE sql SET search_path = pg_catalog
BEGIN ATOMIC
	INSERT INTO audit.entries (tenant_id, user_id, action, object_kind, object_id, detail, ip)
	VALUES (util.tenant(), util.caller(), action, object_kind, object_id, detail,
		nullif(current_setting('app.ip', true), ''));
END;
GRANT EXECUTE ON FUNCTION audit.write TO catchment_web, catchment_trial, catchment_export,
	catchment_run, catchment_auth;

CALL util.make_partitions('audit.entries');
