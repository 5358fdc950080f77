-- Documents that several queries show: one function each, so that an answer cannot differ by the way
-- it was asked for.
SET LOCAL ROLE catchment_owner;

-- The pipelines of a release as collect.request_runs takes them: id, name, stream, strategy.
CREATE FUNCTION collect.release_pipelines(document json, only_pipeline text) RETURNS json
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog
RETURN (SELECT coalesce(json_agg(json_build_object(
		'id', p.one ->> 'id', 'name', p.one ->> 'name',
		'stream', coalesce((SELECT f ->> 'name' FROM json_array_elements(document -> 'dataSource' -> 'functions') f
			WHERE p.one ->> 'functionId' IN (f ->> 'id', f ->> 'name') LIMIT 1), p.one ->> 'functionId'),
		'strategy', coalesce(p.one -> 'dataIngestion' ->> 'strategy', 'full-sync')) ORDER BY p.place), '[]')
	FROM json_array_elements(document -> 'collector' -> 'pipelines') WITH ORDINALITY AS p (one, place)
	WHERE only_pipeline IS NULL OR p.one ->> 'id' = only_pipeline);

CREATE FUNCTION collect.stream_doc(s collect.streams) RETURNS json
LANGUAGE sql STABLE SET search_path = pg_catalog
RETURN json_build_object('streamId', s.id, 'pipelineId', s.pipeline_id, 'name', s.name,
	'strategy', s.strategy, 'recordCount', s.record_count, 'collectedAt', util.utc(s.collected_at));

GRANT EXECUTE ON FUNCTION collect.release_pipelines, collect.stream_doc TO catchment_web, catchment_trial,
	catchment_export;

-- An installation as every answer shows it; collect.config_doc hides secrets.
CREATE FUNCTION collect.instance_doc(i collect.collector_instances) RETURNS json
LANGUAGE sql STABLE SET search_path = pg_catalog
RETURN (SELECT json_build_object('instanceId', i.id, 'collectorId', i.collector_id,
		'collectorName', r.document -> 'collector' -> 'name', 'tenantId', i.tenant_id,
		'instanceName', i.instance_name, 'status', CASE WHEN i.is_active THEN 'Active' ELSE 'Inactive' END,
		'releaseVersion', i.release_version, 'latestVersion', l.latest_version,
		'config', collect.config_doc(i.id, i.tenant_config),
		'totalExecutions', i.total_executions, 'successfulExecutions', i.successful_executions,
		'failedExecutions', i.failed_executions, 'lastExecutedAt', util.utc(i.last_executed_at),
		'lastSuccessfulExecutionAt', util.utc(i.last_successful_execution_at),
		'pipelines', collect.release_pipelines(r.document, NULL),
		'version', i.version, 'installedAt', util.utc(i.created_at), 'updatedAt', util.utc(i.updated_at))
	FROM market.release r LEFT JOIN market.listing l ON l.collector_id = r.collector_id
	WHERE r.collector_id = i.collector_id AND r.version = i.release_version);

-- Uninstalling erases everything that was collected, in this transaction.
CREATE FUNCTION collect.instance_erase(p_instance uuid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
	i collect.collector_instances;
	resting bigint;
BEGIN
	SELECT * INTO i FROM collect.collector_instances c
	WHERE c.tenant_id = util.tenant() AND c.id = p_instance FOR UPDATE;
	IF NOT FOUND THEN
		PERFORM util.fail(404, 'not_found', 'There is no such installation.');
	END IF;
	-- A runner locks a run's work row first, the installation last. Here it is the other way round: so
	-- take the work rows without waiting, and what cannot be had counts as running.
	SELECT count(*) INTO resting FROM (SELECT FROM work.work w
		JOIN collect.progress g ON g.tenant_id = w.tenant_id AND g.subject_id = w.subject_id
		WHERE g.tenant_id = i.tenant_id AND g.instance_id = i.id AND w.state <> 'running'
		FOR UPDATE OF w SKIP LOCKED) s;
	IF resting < (SELECT count(*) FROM work.work w
		JOIN collect.progress g ON g.tenant_id = w.tenant_id AND g.subject_id = w.subject_id
		WHERE g.tenant_id = i.tenant_id AND g.instance_id = i.id) THEN
		PERFORM util.fail(409, 'instance_running',
			'A run is under way. Cancel it, wait until it has stopped, then uninstall.');
	END IF;
	DELETE FROM work.work w USING collect.progress g WHERE g.tenant_id = i.tenant_id AND g.instance_id = i.id
		AND w.tenant_id = g.tenant_id AND w.subject_id = g.subject_id;
	DELETE FROM collect.records c USING collect.streams s WHERE s.tenant_id = i.tenant_id
		AND s.instance_id = i.id AND c.tenant_id = s.tenant_id AND c.stream_id = s.id;
	DELETE FROM collect.journal j USING collect.collector_executions x WHERE x.tenant_id = i.tenant_id
		AND x.collector_instance_id = i.id AND j.tenant_id = x.tenant_id AND j.execution_id = x.id;
	DELETE FROM collect.ledger d USING collect.collector_executions x WHERE x.tenant_id = i.tenant_id
		AND x.collector_instance_id = i.id AND d.tenant_id = x.tenant_id AND d.execution_id = x.id;
	DELETE FROM collect.secrets z WHERE z.tenant_id = i.tenant_id AND z.owner_id = i.id;
	DELETE FROM collect.collector_instances c WHERE c.tenant_id = i.tenant_id AND c.id = i.id; -- the rest cascades
	PERFORM market.count(i.collector_id, -1, 0, 0);
	PERFORM audit.write('instance.uninstall', 'instance', i.id, json_build_object('name', i.instance_name));
END $$;

GRANT EXECUTE ON FUNCTION collect.instance_doc TO catchment_web, catchment_trial;
GRANT EXECUTE ON FUNCTION collect.instance_erase TO catchment_web;

-- A collector as every answer shows it: its draft, what became of it in the marketplace, and of the
-- creator's test config what collect.config_doc shows.
CREATE FUNCTION collect.collector_doc(c collect.data_collectors) RETURNS json
LANGUAGE sql STABLE SET search_path = pg_catalog
RETURN (SELECT json_build_object('id', c.id, 'tenantId', c.tenant_id, 'name', c.name,
		'description', c.description, 'dataSourceId', c.data_source_id, 'dataSourceName', d.name,
		'stage', c.stage, 'approvalStatus', coalesce(l.approval, c.approval_status),
		'creatorConfig', collect.config_doc(c.id, c.creator_config), 'pipelines', c.pipelines,
		'isPublished', c.is_published, 'isListed', coalesce(l.is_listed, false),
		'publishedAt', util.utc(c.published_at), 'publishedBy', c.published_by,
		'releaseVersion', c.release_version,
		'marketplaceUrl', CASE WHEN c.is_published THEN '/marketplace/collectors/' || c.id END,
		'isActive', c.is_active, 'version', c.version, 'createdBy', collect.author(c.created_by),
		'createdAt', util.utc(c.created_at), 'updatedAt', util.utc(c.updated_at))
	FROM collect.data_sources d LEFT JOIN market.listing l ON l.collector_id = c.id
	WHERE d.tenant_id = c.tenant_id AND d.id = c.data_source_id);

CREATE FUNCTION collect.collector_summary(c collect.data_collectors) RETURNS json
LANGUAGE sql STABLE SET search_path = pg_catalog
RETURN (SELECT json_build_object('id', c.id, 'name', c.name, 'description', c.description,
		'dataSourceId', c.data_source_id, 'dataSourceName', d.name, 'stage', c.stage,
		'approvalStatus', coalesce(l.approval, c.approval_status),
		'pipelines', json_array_length(c.pipelines), 'isPublished', c.is_published,
		'isListed', coalesce(l.is_listed, false), 'releaseVersion', c.release_version,
		'version', c.version, 'createdAt', util.utc(c.created_at), 'updatedAt', util.utc(c.updated_at))
	FROM collect.data_sources d LEFT JOIN market.listing l ON l.collector_id = c.id
	WHERE d.tenant_id = c.tenant_id AND d.id = c.data_source_id);

GRANT EXECUTE ON FUNCTION collect.collector_doc, collect.collector_summary TO catchment_web, catchment_trial;
