"""The queue alone: claims and finishes a second over many connections, without any work between them."""
import plant
from report import measured

NAME = "queue"
SETTINGS = "WORKERS_RUNNER=0\n"  # the only claims are the bench's
ROWS = [
    ("claim and finish, one by one, 16 connections", "runs/s", "1,300", None),
    ("claim and finish, ten at a time, 16 connections", "runs/s", "8,000", None),
]
CONNECTIONS = 16


def seed(house, workspaces, due):
    """So many due runs for each of so many workspaces, and nothing else in the queue."""
    house.stack.sql("""
        TRUNCATE work.work, work.lane;
        INSERT INTO work.work (tenant_id, id, kind, subject_id, state, due_at)
        SELECT t.id, util.uuid_v7(), 'pipeline', util.uuid_v7(), 'ready', clock_timestamp()
        FROM (SELECT util.uuid_v7() AS id FROM generate_series(1, %d)) t, generate_series(1, %d)""" % (workspaces, due))
    house.stack.sql("VACUUM ANALYZE work.work, work.lane")
    house.settle()


def rate(house, batch, workspaces, due, seconds):
    seed(house, workspaces, due)
    finished, took, _ = house.bare("bare_queue", house.dsn(), CONNECTIONS, batch, seconds)
    return finished / took


def bench(house):
    workspaces, due, seconds, rounds = (100, 20, 0.5, 2) if house.short else (1000, 80, 5, 3)
    pairs = [plant.in_turn(i, lambda: rate(house, 1, workspaces, due, seconds), lambda: rate(house, 10, workspaces, due, seconds))
             for i in range(rounds)]
    return [measured(ROWS[k], [pair[k] for pair in pairs], held=lambda one, least=least: one >= least,
                     note="%d workspaces with %d due runs each" % (workspaces, due))
            for k, least in enumerate((1300, 8000))]
