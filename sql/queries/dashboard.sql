-- What a workspace's start shows: the runs that go on, the last failures of a week, what is installed.
-- A CTE that is read thrice is materialized by itself: each run of the workspace would become a document.

-- name: dashboard_get :one ()
WITH runs AS NOT MATERIALIZED (
	SELECT x.id, x.subject_id, x.collector_instance_id, x.state, x.completed_at, x.created_at,
		json_build_object('id', x.id, 'instanceId', x.collector_instance_id, 'instanceName', i.instance_name,
			'pipelineName', x.pipeline_name, 'state', x.state,
			'message', CASE WHEN x.state = 'waiting' THEN x.wait_message ELSE x.error_message END,
			'createdAt', util.utc(x.created_at), 'completedAt', util.utc(x.completed_at),
			'records', x.records_processed) AS doc
	FROM collect.collector_executions x
	JOIN collect.collector_instances i ON i.tenant_id = x.tenant_id AND i.id = x.collector_instance_id
	WHERE x.tenant_id = util.tenant()),
newest AS (
	SELECT i.id, i.instance_name, i.is_active, i.last_executed_at
	FROM collect.collector_instances i WHERE i.tenant_id = util.tenant()
	ORDER BY i.last_executed_at DESC NULLS LAST, i.id DESC LIMIT 10)
SELECT json_build_object(
	'running', (SELECT coalesce(json_agg(l.doc ORDER BY l.id DESC), '[]') FROM (
		SELECT r.id, r.doc FROM runs r WHERE r.state IN ('pending', 'running', 'waiting')
		ORDER BY r.id DESC LIMIT 10) l),
	'failed', (SELECT coalesce(json_agg(l.doc ORDER BY l.id DESC), '[]') FROM (
		SELECT r.id, r.doc FROM runs r
		WHERE r.state IN ('failed', 'timeout') AND r.id > util.uuid_floor(clock_timestamp() - interval '7 days')
		ORDER BY r.id DESC LIMIT 5) l),
	'partial', (SELECT coalesce(json_agg(l.doc ORDER BY l.id DESC), '[]') FROM (
		SELECT r.id, r.doc FROM runs r
		WHERE r.state = 'partial' AND r.id > util.uuid_floor(clock_timestamp() - interval '7 days')
		ORDER BY r.id DESC LIMIT 5) l),
	'instances', (SELECT coalesce(json_agg(json_build_object('id', n.id, 'name', n.instance_name,
			'status', CASE WHEN n.is_active THEN 'Active' ELSE 'Inactive' END,
			'records', (SELECT coalesce(sum(s.record_count), 0) FROM collect.streams s
				WHERE s.tenant_id = util.tenant() AND s.instance_id = n.id),
			'last', (SELECT r.doc FROM runs r WHERE r.collector_instance_id = n.id ORDER BY r.id DESC LIMIT 1))
		ORDER BY n.last_executed_at DESC NULLS LAST, n.id DESC), '[]') FROM newest n),
	'instanceCount', (SELECT count(*) FROM collect.collector_instances i WHERE i.tenant_id = util.tenant()),
	'collectorCount', (SELECT count(*) FROM collect.data_collectors c WHERE c.tenant_id = util.tenant()),
	'dataSourceCount', (SELECT count(*) FROM collect.data_sources d WHERE d.tenant_id = util.tenant()),
	'memberCount', (SELECT count(*) FROM identity.members m WHERE m.tenant_id = util.tenant()))
