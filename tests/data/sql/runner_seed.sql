-- One tenant with one installation, one subject and one run that a runner holds under token 7.
SET client_min_messages = warning;
BEGIN;
SELECT set_config('app.tenant_id', '00000000-0000-7000-8000-000000000001', true),
	set_config('app.user_id', '00000000-0000-7000-8000-0000000000ff', true);
TRUNCATE collect.collector_instances, collect.records, collect.ledger, collect.journal, work.work,
	work.lane, work.runner, market.release, market.listing CASCADE;
INSERT INTO market.listing (collector_id, name, publisher, data_source, latest_version)
VALUES ('00000000-0000-7000-8000-000000000002', 'x', 'x', '{}', '1.0.0');
INSERT INTO market.release (collector_id, version, ordinal, document, published_by)
VALUES ('00000000-0000-7000-8000-000000000002', '1.0.0', 1, '{}', 'x');
INSERT INTO collect.collector_instances (id, collector_id, release_version, instance_name)
VALUES ('00000000-0000-7000-8000-000000000003', '00000000-0000-7000-8000-000000000002', '1.0.0', 'x');
INSERT INTO collect.streams (id, instance_id, pipeline_id, name, strategy)
VALUES ('00000000-0000-7000-8000-000000000004', '00000000-0000-7000-8000-000000000003', 'p', 's', 'full-sync');
INSERT INTO collect.progress (subject_id, kind, instance_id, pipeline_id, stream_id)
VALUES ('00000000-0000-7000-8000-000000000005', 'pipeline', '00000000-0000-7000-8000-000000000003', 'p',
	'00000000-0000-7000-8000-000000000004');
INSERT INTO collect.collector_executions (id, collector_instance_id, subject_id, pipeline_id, pipeline_name,
	release_version, state)
VALUES ('00000000-0000-7000-8000-000000000006', '00000000-0000-7000-8000-000000000003',
	'00000000-0000-7000-8000-000000000005', 'p', 'p', '1.0.0', 'running');
INSERT INTO work.runner (id, host, lease_until)
VALUES ('00000000-0000-7000-8000-000000000008', 'x', clock_timestamp() + interval '1 hour');
INSERT INTO work.work (tenant_id, id, kind, subject_id, execution_id, state, lease_token, runner_id, claimed_at)
VALUES ('00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000007', 'pipeline',
	'00000000-0000-7000-8000-000000000005', '00000000-0000-7000-8000-000000000006', 'running', 7,
	'00000000-0000-7000-8000-000000000008', clock_timestamp());
COMMIT;
