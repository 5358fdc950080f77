-- Installations, their runs, and the streams of records that the runs fill.
SET LOCAL ROLE catchment_owner;

CREATE TABLE collect.collector_instances (
	tenant_id                    uuid NOT NULL DEFAULT nullif(current_setting('app.tenant_id', true), '')::uuid,
	id                           uuid NOT NULL,
	collector_id                 uuid NOT NULL,
	release_version              text NOT NULL,
	instance_name                text NOT NULL CHECK (instance_name <> ''),
	tenant_config                json NOT NULL DEFAULT '{}', -- plain values; secrets stand in collect.secrets
	is_active                    boolean NOT NULL DEFAULT true,
	last_executed_at             timestamptz,
	last_successful_execution_at timestamptz,
	total_executions             bigint NOT NULL DEFAULT 0,
	successful_executions        bigint NOT NULL DEFAULT 0,
	failed_executions            bigint NOT NULL DEFAULT 0,
	schedule_enabled             boolean NOT NULL DEFAULT false,
	schedule_config              json,
	version                      bigint NOT NULL DEFAULT 1,
	created_by                   uuid NOT NULL DEFAULT nullif(current_setting('app.user_id', true), '')::uuid,
	created_at                   timestamptz NOT NULL DEFAULT clock_timestamp(),
	updated_at                   timestamptz NOT NULL DEFAULT clock_timestamp(),
	PRIMARY KEY (tenant_id, id),
	CONSTRAINT collector_instances__already_installed UNIQUE (tenant_id, collector_id),
	FOREIGN KEY (collector_id, release_version) REFERENCES market.release -- shared: same on every node
);
CALL util.make_tenant('collect.collector_instances', 'A tenant''s installation of a published collector.');
GRANT SELECT, INSERT, UPDATE, DELETE ON collect.collector_instances TO catchment_web;
GRANT SELECT, UPDATE (total_executions, last_executed_at) ON collect.collector_instances TO catchment_trial;
GRANT SELECT ON collect.collector_instances TO catchment_export;
GRANT SELECT, UPDATE (last_executed_at, last_successful_execution_at, total_executions,
	successful_executions, failed_executions) ON collect.collector_instances TO catchment_run;

CREATE TABLE collect.streams (
	tenant_id    uuid NOT NULL DEFAULT nullif(current_setting('app.tenant_id', true), '')::uuid,
	id           uuid NOT NULL,
	instance_id  uuid NOT NULL,
	pipeline_id  text NOT NULL,
	name         text NOT NULL,
	strategy     text NOT NULL CHECK (strategy IN ('full-sync', 'incremental', 'append')),
	record_count bigint NOT NULL DEFAULT 0, -- live ones; vanished are not counted
	created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
	collected_at timestamptz,
	PRIMARY KEY (tenant_id, id),
	UNIQUE (tenant_id, instance_id, pipeline_id, name),
	FOREIGN KEY (tenant_id, instance_id) REFERENCES collect.collector_instances ON DELETE CASCADE
) WITH (fillfactor = 70);
CALL util.make_tenant('collect.streams', 'Where a pipeline''s records go.');
GRANT SELECT, INSERT, UPDATE, DELETE ON collect.streams TO catchment_web;
GRANT SELECT, INSERT, UPDATE ON collect.streams TO catchment_run;
GRANT SELECT, INSERT, UPDATE (strategy) ON collect.streams TO catchment_trial; -- it asks for runs, too
GRANT SELECT ON collect.streams TO catchment_export;

-- Where a subject (whatever owns a cursor) stands. seq moves by one with each commit: a writer whose
-- expected seq or fence is old is refused, so a page is never counted twice.
CREATE TABLE collect.progress (
	tenant_id    uuid NOT NULL DEFAULT nullif(current_setting('app.tenant_id', true), '')::uuid,
	subject_id   uuid NOT NULL,
	kind         text NOT NULL CHECK (kind IN ('pipeline', 'backfill', 'script', 'call', 'care')),
	instance_id  uuid,
	pipeline_id  text,
	stream_id    uuid,
	seq          bigint NOT NULL DEFAULT 0,
	fence        bigint NOT NULL DEFAULT 0,
	state        text NOT NULL DEFAULT '' CHECK (octet_length(state) <= 65536), -- of an unfinished run
	cursor_value text NOT NULL DEFAULT '',  -- greatest value of a pass that ended well
	execution_id uuid,                      -- the run that state belongs to
	updated_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
	PRIMARY KEY (tenant_id, subject_id),
	UNIQUE (tenant_id, instance_id, pipeline_id),
	FOREIGN KEY (tenant_id, instance_id) REFERENCES collect.collector_instances ON DELETE CASCADE
) WITH (fillfactor = 50);
CALL util.make_tenant('collect.progress', 'One row per subject: cursor, state, sequence, fence.');
GRANT SELECT, INSERT, UPDATE, DELETE ON collect.progress TO catchment_web;
GRANT SELECT, INSERT, UPDATE ON collect.progress TO catchment_run;
GRANT SELECT, INSERT, UPDATE ON collect.progress TO catchment_trial;

CREATE TABLE collect.collector_executions (
	tenant_id             uuid NOT NULL DEFAULT nullif(current_setting('app.tenant_id', true), '')::uuid,
	id                    uuid NOT NULL,
	collector_instance_id uuid NOT NULL,
	subject_id            uuid NOT NULL,
	pipeline_id           text NOT NULL,
	pipeline_name         text NOT NULL,
	release_version       text NOT NULL,
	trigger               text NOT NULL DEFAULT 'manual',
	state                 text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'running', 'waiting',
		'success', 'partial', 'failed', 'timeout', 'cancelled')),
	wait_code             text,        -- while waiting: why, and until when
	wait_message          text,
	wait_until            timestamptz,
	cancel_requested      boolean NOT NULL DEFAULT false,
	created_at            timestamptz NOT NULL DEFAULT clock_timestamp(),
	started_at            timestamptz,
	completed_at          timestamptz,
	duration_ms           bigint,
	attempts              int NOT NULL DEFAULT 0,
	pages                 bigint NOT NULL DEFAULT 0,
	requests              bigint NOT NULL DEFAULT 0,
	retries               bigint NOT NULL DEFAULT 0,
	bytes                 bigint NOT NULL DEFAULT 0,
	waited_ms             bigint NOT NULL DEFAULT 0,
	records_processed     bigint NOT NULL DEFAULT 0, -- kept by the steps and stored (or found unchanged)
	records_new           bigint NOT NULL DEFAULT 0,
	records_changed       bigint NOT NULL DEFAULT 0,
	records_unchanged     bigint NOT NULL DEFAULT 0,
	records_vanished      bigint NOT NULL DEFAULT 0,
	records_filtered      bigint NOT NULL DEFAULT 0,
	records_duplicate     bigint NOT NULL DEFAULT 0,
	records_quarantined   bigint NOT NULL DEFAULT 0,
	stop_reason           text,
	error_code            text,
	error_message         text,
	requested_by          uuid,
	retry_of              uuid,
	PRIMARY KEY (tenant_id, id),
	FOREIGN KEY (tenant_id, collector_instance_id) REFERENCES collect.collector_instances ON DELETE CASCADE
) PARTITION BY RANGE (id);
CALL util.make_tenant('collect.collector_executions', 'One run of a pipeline, with its history.');
CREATE INDEX collector_executions_of_instance ON collect.collector_executions (tenant_id, collector_instance_id, id);
CREATE INDEX collector_executions_live ON collect.collector_executions (tenant_id, subject_id)
	WHERE state IN ('pending', 'running', 'waiting');
GRANT SELECT, INSERT, UPDATE ON collect.collector_executions TO catchment_web, catchment_trial, catchment_run;
GRANT SELECT ON collect.collector_executions TO catchment_export;

CREATE TABLE collect.journal (
	tenant_id    uuid NOT NULL DEFAULT nullif(current_setting('app.tenant_id', true), '')::uuid,
	id           uuid NOT NULL DEFAULT util.uuid_v7(),
	execution_id uuid NOT NULL,
	at           timestamptz NOT NULL,
	kind         text NOT NULL, -- request, response, wait, page, quarantine, stop, lease, left_out
	entry        json NOT NULL, -- secrets are masked before they arrive here
	PRIMARY KEY (tenant_id, id)
) PARTITION BY RANGE (id);
CALL util.make_tenant('collect.journal', 'What a run did, step by step.');
CREATE INDEX journal_of_execution ON collect.journal (tenant_id, execution_id, id);
GRANT SELECT ON collect.journal TO catchment_web, catchment_trial, catchment_export;
GRANT INSERT, SELECT ON collect.journal TO catchment_run;

CREATE TABLE collect.ledger (
	tenant_id    uuid NOT NULL DEFAULT nullif(current_setting('app.tenant_id', true), '')::uuid,
	id           uuid NOT NULL DEFAULT util.uuid_v7(),
	execution_id uuid NOT NULL,
	stream_id    uuid NOT NULL,
	seq          bigint NOT NULL, -- of progress, after this commit
	page         bigint NOT NULL, -- within the run
	kept         int NOT NULL,
	fresh        int NOT NULL,
	changed      int NOT NULL,
	quarantined  int NOT NULL,
	key_hashes   bigint[] NOT NULL, -- 64-bit prefixes: full sync finds what vanished
	at           timestamptz NOT NULL DEFAULT clock_timestamp(),
	PRIMARY KEY (tenant_id, id)
) PARTITION BY RANGE (id);
CALL util.make_tenant('collect.ledger', 'One row per committed page.');
CREATE INDEX ledger_of_execution ON collect.ledger (tenant_id, execution_id, page);
GRANT SELECT ON collect.ledger TO catchment_web, catchment_trial, catchment_export;
GRANT INSERT, SELECT ON collect.ledger TO catchment_run;

-- Records land as json, byte for byte: no number changes, no member moves (docs/ARCHITECTURE.md).
CREATE TABLE collect.records (
	tenant_id     uuid NOT NULL,
	stream_id     uuid NOT NULL,
	record_key    text NOT NULL,
	key_hash      bigint NOT NULL,
	content_hash  bytea NOT NULL,
	data          json NOT NULL,
	seq           bigint NOT NULL, -- of the commit that wrote it last
	first_seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	changed_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
	vanished_at   timestamptz,
	-- no foreign key: it would cost a lookup per record; the commit has locked the stream's progress
	PRIMARY KEY (tenant_id, stream_id, record_key)
) WITH (fillfactor = 85);
ALTER TABLE collect.records ALTER COLUMN data SET COMPRESSION lz4;
CALL util.make_tenant('collect.records', 'What was collected, one row per key and stream.');
GRANT SELECT ON collect.records TO catchment_web, catchment_trial, catchment_export;
GRANT SELECT, INSERT, UPDATE ON collect.records TO catchment_run;
GRANT DELETE ON collect.records TO catchment_web; -- uninstalling erases; so below

CREATE TABLE collect.quarantine (
	tenant_id    uuid NOT NULL DEFAULT nullif(current_setting('app.tenant_id', true), '')::uuid,
	id           uuid NOT NULL DEFAULT util.uuid_v7(),
	stream_id    uuid NOT NULL,
	execution_id uuid NOT NULL,
	page         bigint NOT NULL,
	slug         text NOT NULL,
	why          text NOT NULL,
	record_key   text,
	bytes        bytea NOT NULL, -- as received; PostgreSQL cannot hold it as json
	created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
	PRIMARY KEY (tenant_id, id),
	FOREIGN KEY (tenant_id, stream_id) REFERENCES collect.streams ON DELETE CASCADE
);
CALL util.make_tenant('collect.quarantine', 'Records that could not be stored, kept as bytes, shown to the tenant.');
CREATE INDEX quarantine_of_execution ON collect.quarantine (tenant_id, execution_id, id);
CREATE INDEX quarantine_of_stream ON collect.quarantine (tenant_id, stream_id, id);
GRANT SELECT ON collect.quarantine TO catchment_web, catchment_trial, catchment_export;
GRANT INSERT, SELECT ON collect.quarantine TO catchment_run;
GRANT DELETE ON collect.quarantine, collect.journal, collect.ledger, collect.collector_executions
	TO catchment_web;

CALL util.make_partitions('collect.collector_executions', 70); -- its counters move with each page
CALL util.make_partitions('collect.journal');
CALL util.make_partitions('collect.ledger');
