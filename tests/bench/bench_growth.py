"""Whether things cost more when there is a thousand times more of everything: of records in a stream, of runs in
its history, of workspaces and installations beside it."""
import http.client
import os
import signal
import statistics
import time

import plant
from report import measured

NAME = "growth"
ROWS = [
    ("a page of 20 records as JSON", "times its cost before", "at most 1.5", None),
    ("a page of 20 runs as JSON", "times its cost before", "at most 1.5", None),
    ("a claim and its finish", "times its cost before", "at most 1.5", None),
    ("a page's commit, all changed", "times its cost before", "at most 1.5", None),
]
POLLED = 1000  # records that the upstream has
PAGE = 25
ROUNDS = 9
GETS = 300


def seed_records(house, place, n):
    """Records that the upstream never shows, in the stream that it fills."""
    house.stack.sql("""
        INSERT INTO collect.records (tenant_id, stream_id, record_key, key_hash, content_hash, data, seq)
        SELECT s.tenant_id, s.id, 'seed-' || n, n, sha256(n::text::bytea),
            json_build_object('id', 'seed-' || n, 'title', 'Record ' || n, 'text', repeat(md5(n::text), 24)), 1
        FROM collect.streams s, generate_series(1, %d) n WHERE s.instance_id = '%s';
        UPDATE collect.streams SET record_count = record_count + %d WHERE instance_id = '%s'""" % (n, place.id, n, place.id))


def seed_runs(house, place, n):
    """Runs that ended well, of the past month, with a page each."""
    house.stack.sql("""
        CREATE TEMP TABLE past AS SELECT util.uuid_v7(at) AS id, at FROM generate_series(1, %d) n,
            LATERAL (SELECT clock_timestamp() - n * interval '20 seconds' AS at) a;
        INSERT INTO collect.collector_executions (tenant_id, id, collector_instance_id, subject_id, pipeline_id, pipeline_name,
            release_version, state, created_at, started_at, completed_at, duration_ms, pages, requests, records_processed)
        SELECT g.tenant_id, p.id, g.instance_id, g.subject_id, g.pipeline_id, g.pipeline_id, i.release_version, 'success', p.at,
            p.at, p.at, 1000, 1, 1, 25
        FROM past p, collect.progress g JOIN collect.collector_instances i ON i.tenant_id = g.tenant_id AND i.id = g.instance_id
        WHERE g.instance_id = '%s';
        INSERT INTO collect.ledger (tenant_id, id, execution_id, stream_id, seq, page, kept, fresh, changed, quarantined,
            key_hashes, at) SELECT g.tenant_id, util.uuid_v7(p.at), p.id, g.stream_id, 0, 1, 25, 0, 0, 0,
            '{}', p.at FROM past p, collect.progress g WHERE g.instance_id = '%s'""" % (n, place.id, place.id))


def seed_workspaces(house, place, n):
    """Workspaces with an installation each, whose next run is due tomorrow."""
    house.stack.sql("""
        CREATE TEMP TABLE copy AS SELECT util.uuid_v7() AS tenant, util.uuid_v7() AS instance, util.uuid_v7() AS stream,
            util.uuid_v7() AS subject FROM generate_series(1, %d);
        INSERT INTO identity.tenants (id, name) SELECT tenant, 'Seed ' || tenant FROM copy;
        INSERT INTO collect.collector_instances (tenant_id, id, collector_id, release_version, instance_name, tenant_config,
            created_by) SELECT c.tenant, c.instance, i.collector_id, i.release_version, i.instance_name, i.tenant_config,
            i.created_by FROM copy c, collect.collector_instances i WHERE i.id = '%s';
        INSERT INTO collect.streams (tenant_id, id, instance_id, pipeline_id, name, strategy)
            SELECT tenant, stream, instance, 'everything', 'products', 'incremental' FROM copy;
        INSERT INTO collect.progress (tenant_id, subject_id, kind, instance_id, pipeline_id, stream_id)
            SELECT tenant, subject, 'pipeline', instance, 'everything', stream FROM copy;
        INSERT INTO work.work (tenant_id, id, kind, subject_id, state, due_at)
            SELECT tenant, util.uuid_v7(), 'pipeline', subject, 'ready', clock_timestamp() + interval '1 day' FROM copy""" % (
                n, place.id))


# --- what things cost ---

def get_us(place, path):
    """The median of many GETs over one connection, in microseconds."""
    at = place.api.at
    link = http.client.HTTPConnection(at.hostname, at.port, timeout=30)
    times = []
    for _ in range(GETS):
        began = time.perf_counter()
        link.request("GET", "/api/v1/collector-instances/%s/%s" % (place.id, path),
                     headers={"Authorization": "Bearer " + place.api.token})
        answer = link.getresponse()
        answer.read()
        times.append(time.perf_counter() - began)
        assert answer.status == 200, path
    link.close()
    return statistics.median(times) * 1e6


def claim_us(house):
    """A claim and its finish over one connection, beside everything else that is in the queue. The runner sleeps."""
    runner = house.stack.own_runner()
    os.kill(runner, signal.SIGSTOP)
    try:
        house.stack.sql("""
            INSERT INTO work.work (tenant_id, id, kind, subject_id, state, due_at)
            SELECT t.id, util.uuid_v7(), 'script', util.uuid_v7(), 'ready', clock_timestamp()
            FROM (SELECT util.uuid_v7() AS id FROM generate_series(1, 10)) t, generate_series(1, 500)""")
        _, _, us = house.bare("bare_queue", house.dsn(), 1, 1, 2)
    finally:
        house.stack.sql("DELETE FROM work.lane WHERE tenant_id IN (SELECT tenant_id FROM work.work WHERE kind = 'script'); "
                        "DELETE FROM work.work WHERE kind = 'script'; DELETE FROM work.runner WHERE host = 'bench'")
        os.kill(runner, signal.SIGCONT)
    return us


def commit_us(house, place):
    """What a page of a run takes, when all its records have changed."""
    values = []
    for i in range(ROUNDS):
        house.revise(i % 2 + 1)
        seconds, *counts = plant.collected([place], "everything")
        if i > 0:
            assert counts == [POLLED, 0, POLLED], counts
            values.append(seconds / (POLLED / PAGE) * 1e6)
    return statistics.median(values)


def costs(house, place):
    house.stack.sql("VACUUM ANALYZE")
    house.settle()
    return (get_us(place, "records?limit=20"), get_us(place, "executions?limit=20"), claim_us(house), commit_us(house, place))


def bench(house):
    times = 20 if house.short else 1000
    stage = plant.Plant(house, [plant.pipeline("everything", limit=PAGE, ingestion={
        "strategy": "incremental", "cursorField": "updated_at"})])
    place = stage.install(POLLED)
    plant.collected([place], "everything")
    seed_runs(house, place, 100)
    seed_workspaces(house, place, 10)
    before = costs(house, place)
    seed_records(house, place, POLLED * (times - 1))
    seed_runs(house, place, 100 * (times - 1))
    seed_workspaces(house, place, 10 * (times - 1))
    after = costs(house, place)
    return [measured(row, [after[k] / before[k]], held=lambda one: one <= 1.5,
                     note="%.0f µs among %d records, 100 runs, 10 workspaces; %.0f µs with %d times as many" % (
                         before[k], POLLED, after[k], times)) for k, row in enumerate(ROWS)]
