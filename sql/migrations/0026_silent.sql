-- A run whose runner is silent says so, as every other wait does.

SET LOCAL ROLE catchment_owner;

CREATE POLICY web_reads ON work.runner FOR SELECT TO catchment_web, catchment_trial USING (true);
GRANT SELECT (id, lease_until) ON work.runner TO catchment_web, catchment_trial;

-- Why a run that has begun stands still though it waits for nothing of its own; null while its runner is heard
-- of. A runner beats every 8 to 12 s, and each beat extends its lease to 30 s: one that has less than 15 s left has
-- missed a beat.
CREATE FUNCTION collect.silence_doc(p_tenant uuid, p_subject uuid) RETURNS json
LANGUAGE sql STABLE SET search_path = pg_catalog
RETURN (SELECT CASE WHEN w.state = 'ready'
	THEN json_build_object('code', coalesce(w.last_code, 'queued'), 'message',
		'The runner that held this run has gone; another one goes on after the last page that was kept.',
		'until', util.utc(w.due_at))
	WHEN w.state = 'running' AND (r.id IS NULL OR r.lease_until < clock_timestamp() + interval '15 seconds')
	THEN json_build_object('code', 'runner_silent', 'message',
		'Nothing is heard of the runner that holds this run. If it stays so, another one goes on after the last page that was kept.',
		'until', util.utc(greatest(r.lease_until, clock_timestamp()))) END
	FROM work.work w LEFT JOIN work.runner r ON r.id = w.runner_id
	WHERE w.tenant_id = p_tenant AND w.kind = 'pipeline' AND w.subject_id = p_subject);
GRANT EXECUTE ON FUNCTION collect.silence_doc TO catchment_web, catchment_trial, catchment_run;

-- As before, and what has begun may stand still.
CREATE OR REPLACE FUNCTION collect.execution_doc(x collect.collector_executions) RETURNS json
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
