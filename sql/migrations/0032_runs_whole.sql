-- The history of runs is one table. By month it cost each of a run's statements more than the rest of it: whoever
-- updates a row of a partitioned table by a statement that was planned before opens all its partitions with all their
-- indexes, and a run that lives is looked for by its subject and its installation, which no month narrows. A run is one
-- row here, so what is too old can be deleted row by row; its journal and its ledger, which are only written and hold
-- nearly all of the history, stay partitioned. docs/PERFORMANCE.md has the figures.
-- Locks: collect.collector_instances and collect.collector_executions while the rows move, in this order, which is
-- everybody's: else a page that asks for both would wait for the move, and the move's end for the page. Migrate with many
-- runs when nobody works: what waits for longer than its role's statement_timeout is told to come again.
SET LOCAL ROLE catchment_owner;
LOCK TABLE collect.collector_instances, collect.collector_executions IN ACCESS EXCLUSIVE MODE;

DROP FUNCTION collect.execution_doc(collect.collector_executions);
DROP FUNCTION collect.run_wait(uuid, text, text, timestamptz, json);
ALTER TABLE collect.collector_executions RENAME TO executions_by_month;

CREATE TABLE collect.collector_executions (
	LIKE collect.executions_by_month INCLUDING DEFAULTS INCLUDING CONSTRAINTS
) WITH (fillfactor = 70); -- its counters move with each commit: on the same page, without its indexes
ALTER TABLE collect.executions_by_month NO FORCE ROW LEVEL SECURITY; -- the owner moves every tenant's
INSERT INTO collect.collector_executions SELECT * FROM collect.executions_by_month;
DROP TABLE collect.executions_by_month;
ALTER TABLE collect.collector_executions ADD PRIMARY KEY (tenant_id, id);
-- one query of the owner checks the foreign key of all rows: it has to see every tenant's
ALTER TABLE collect.collector_instances NO FORCE ROW LEVEL SECURITY;
ALTER TABLE collect.collector_executions
	ADD FOREIGN KEY (tenant_id, collector_instance_id) REFERENCES collect.collector_instances ON DELETE CASCADE;
ALTER TABLE collect.collector_instances FORCE ROW LEVEL SECURITY;
CREATE INDEX collector_executions_of_instance ON collect.collector_executions (tenant_id, collector_instance_id, id);
CREATE INDEX collector_executions_live ON collect.collector_executions (tenant_id, subject_id)
	WHERE state IN ('pending', 'running', 'waiting');
CALL util.make_tenant('collect.collector_executions', 'One run of a pipeline, with its history.');
GRANT SELECT, INSERT, UPDATE ON collect.collector_executions TO catchment_web, catchment_trial, catchment_run;
GRANT DELETE ON collect.collector_executions TO catchment_web;
GRANT SELECT ON collect.collector_executions TO catchment_export;
CREATE POLICY auth_counts ON collect.collector_executions FOR SELECT TO catchment_auth USING (true);
GRANT SELECT (tenant_id, id, state, duration_ms) ON collect.collector_executions TO catchment_auth;
ANALYZE collect.collector_executions;

CREATE OR REPLACE FUNCTION util.months_ahead() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
SET lock_timeout = '5s' AS $$ -- rather fail and be called again than hold up whoever comes behind
BEGIN
	CALL util.make_partitions('audit.entries');
	CALL util.make_partitions('collect.journal');
	CALL util.make_partitions('collect.ledger');
END $$;

-- As before.
CREATE FUNCTION collect.execution_doc(x collect.collector_executions) RETURNS json
LANGUAGE sql STABLE SET search_path = pg_catalog
RETURN json_build_object(
	'executionId', x.id, 'instanceId', x.collector_instance_id, 'pipelineId', x.pipeline_id,
	'pipelineName', x.pipeline_name, 'releaseVersion', x.release_version, 'trigger', x.trigger,
	'status', CASE x.state WHEN 'waiting' THEN 'Running' ELSE initcap(x.state) END,
	'waiting', CASE x.state
		WHEN 'waiting' THEN json_build_object('code', x.wait_code, 'message', x.wait_message,
			'until', util.utc(x.wait_until))
		WHEN 'running' THEN collect.silence_doc(x.tenant_id, x.subject_id)
		WHEN 'pending' THEN collect.queue_doc(x.tenant_id) END,
	'createdAt', util.utc(x.created_at), 'startedAt', util.utc(x.started_at),
	'completedAt', util.utc(x.completed_at), 'durationMs', x.duration_ms,
	'recordsProcessed', x.records_processed, 'recordsNew', x.records_new,
	'recordsChanged', x.records_changed, 'recordsUnchanged', x.records_unchanged,
	'recordsVanished', x.records_vanished, 'recordsFiltered', x.records_filtered,
	'recordsDuplicate', x.records_duplicate, 'recordsQuarantined', x.records_quarantined,
	'pages', x.pages, 'requests', x.requests, 'retries', x.retries, 'bytes', x.bytes,
	'waitedMs', x.waited_ms, 'attempts', x.attempts, 'stopReason', x.stop_reason,
	'cancelRequested', x.cancel_requested, 'retryOf', x.retry_of,
	'error', CASE WHEN x.error_code IS NOT NULL THEN json_build_object('code', x.error_code,
		'message', x.error_message) END);

-- As before, planned once a connection.
CREATE FUNCTION collect.run_wait(p_execution uuid, p_code text, p_message text, p_until timestamptz, p_counts json)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
	UPDATE collect.collector_executions x SET state = 'waiting', wait_code = p_code, wait_message = p_message,
		wait_until = p_until,
		requests = x.requests + (p_counts ->> 'requests')::bigint,
		retries = x.retries + (p_counts ->> 'retries')::bigint,
		bytes = x.bytes + (p_counts ->> 'bytes')::bigint,
		waited_ms = x.waited_ms + (p_counts ->> 'waitedMs')::bigint
			+ greatest(0, extract(epoch FROM p_until - clock_timestamp()) * 1000)::bigint
	WHERE x.tenant_id = util.tenant() AND x.id = p_execution
		AND x.state IN ('pending', 'running'); -- pending: it could not even begin
END $$;

-- As before; what the run came to is asked of its row once.
CREATE OR REPLACE FUNCTION collect.run_end(p_subject uuid, p_execution uuid, p_stream uuid, p_token bigint, p_seq bigint,
	p_state text, p_code text, p_message text, p_stop text, p_cursor text, p_mark_vanished boolean,
	p_counts json) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
	t CONSTANT uuid := util.tenant();
	at CONSTANT timestamptz := clock_timestamp();
	well CONSTANT boolean := p_state IN ('success', 'partial');
	vanished bigint := 0;
	ended record;
BEGIN
	UPDATE collect.progress g SET seq = g.seq + 1, fence = p_token, state = '', execution_id = NULL,
		cursor_value = CASE WHEN p_cursor <> '' THEN p_cursor ELSE g.cursor_value END, updated_at = at
	WHERE g.tenant_id = t AND g.subject_id = p_subject AND g.seq = p_seq AND g.fence <= p_token;
	IF NOT FOUND THEN
		PERFORM util.fail(409, 'stale_cursor', 'This run was taken over by a newer one.');
	END IF;
	-- A record that was quarantined without its key may be any of those stored: then nothing vanishes.
	IF p_mark_vanished AND NOT EXISTS (SELECT FROM collect.quarantine q WHERE q.tenant_id = t
		AND q.execution_id = p_execution AND q.record_key IS NULL) THEN
		vanished := collect.mark_vanished(p_execution, p_stream);
	END IF;
	-- the database itself may have set records aside, also before the run was last parked
	UPDATE collect.collector_executions x SET
		state = CASE WHEN p_state = 'success' AND x.records_quarantined > 0 THEN 'partial' ELSE p_state END,
		error_code = CASE WHEN p_state = 'success' AND x.records_quarantined > 0 THEN 'records_quarantined'
			ELSE nullif(p_code, '') END,
		error_message = CASE WHEN p_state = 'success' AND x.records_quarantined > 0
			THEN 'Some records could not be stored and were set aside; the list of them says why.'
			ELSE nullif(p_message, '') END, stop_reason = nullif(p_stop, ''),
		records_vanished = x.records_vanished + vanished,
		requests = x.requests + (p_counts ->> 'requests')::bigint,
		retries = x.retries + (p_counts ->> 'retries')::bigint,
		bytes = x.bytes + (p_counts ->> 'bytes')::bigint,
		waited_ms = x.waited_ms + (p_counts ->> 'waitedMs')::bigint,
		completed_at = clock_timestamp(), wait_code = NULL, wait_message = NULL, wait_until = NULL,
		duration_ms = (extract(epoch FROM clock_timestamp() - coalesce(x.started_at, x.created_at)) * 1000)::bigint
	WHERE x.tenant_id = t AND x.id = p_execution
	RETURNING x.state, x.pages, x.completed_at, x.collector_instance_id INTO ended;
	UPDATE collect.streams s SET record_count = s.record_count - vanished,
		collected_at = CASE WHEN well OR ended.pages > 0 THEN ended.completed_at ELSE s.collected_at END
	WHERE s.tenant_id = t AND s.id = p_stream;
	UPDATE collect.collector_instances i SET
		successful_executions = i.successful_executions + well::int,
		partial_executions = i.partial_executions + (ended.state = 'partial')::int,
		failed_executions = i.failed_executions + (p_state IN ('failed', 'timeout'))::int,
		last_successful_execution_at = CASE WHEN well THEN ended.completed_at ELSE i.last_successful_execution_at END
	WHERE i.tenant_id = t AND i.id = ended.collector_instance_id;
	RETURN vanished;
END $$;

GRANT EXECUTE ON FUNCTION collect.execution_doc TO catchment_web, catchment_trial, catchment_run;
GRANT EXECUTE ON FUNCTION collect.run_wait TO catchment_run;

RESET ROLE;
SET LOCAL ROLE catchment_auth;

-- As before; a week of runs is found by the key of each workspace, where it was found by its month.
CREATE OR REPLACE FUNCTION platform.measures_doc() RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
	since CONSTANT uuid := util.uuid_floor(clock_timestamp() - interval '7 days');
BEGIN
	PERFORM platform.need('developer');
	RETURN (WITH run AS (SELECT count(*) AS n,
			count(*) FILTER (WHERE x.state IN ('success', 'partial', 'failed', 'timeout')) AS ended,
			count(*) FILTER (WHERE x.state IN ('failed', 'timeout')) AS failed,
			percentile_cont(0.95) WITHIN GROUP (ORDER BY x.duration_ms) FILTER (WHERE x.duration_ms IS NOT NULL) AS p95
		FROM identity.tenants w JOIN collect.collector_executions x ON x.tenant_id = w.id AND x.id >= since),
	tenant AS (SELECT count(*) AS n, count(*) FILTER (WHERE EXISTS (SELECT FROM collect.collector_instances i
			WHERE i.tenant_id = w.id AND i.created_at < w.created_at + interval '30 days')) AS began
		FROM identity.tenants w WHERE w.deleted_at IS NULL)
	SELECT json_build_object('at', util.utc(clock_timestamp()), 'measures', json_build_array(
		json_build_object('code', 'tenants_with_connector', 'unit', '%', 'target', 60, 'isGoodAbove', true,
			'value', round(100.0 * t.began / nullif(t.n, 0), 1)),
		json_build_object('code', 'executions_per_connector_week', 'unit', '', 'target', 50, 'isGoodAbove', true,
			'value', round(r.n::numeric / nullif((SELECT count(*) FROM collect.collector_instances), 0), 1)),
		json_build_object('code', 'executions_failed', 'unit', '%', 'target', 5, 'isGoodAbove', false,
			'value', round(100.0 * r.failed / nullif(r.ended, 0), 1)),
		json_build_object('code', 'execution_time_p95', 'unit', 's', 'target', 10, 'isGoodAbove', false,
			'value', round((r.p95 / 1000)::numeric, 1))))
	FROM run r, tenant t);
END $$;
