"""Many small runs: how many of one page each begin, collect, commit and end in a second, over many workspaces."""
import plant
from report import measured

NAME = "small"
ROWS = [("small runs of one page, 100 workspaces", "runs/s", "400, each with its history", None)]
PIPELINES = 10
RECORDS = 20


def paused(stack, places, yes):
    stack.sql("INSERT INTO work.lane (tenant_id, paused) SELECT unnest('{%s}'::uuid[]), %s "
              "ON CONFLICT (tenant_id) DO UPDATE SET paused = excluded.paused" % (
                  ",".join(place.tenant for place in places), "true" if yes else "false"))


def round_of(house, places):
    """All runs are asked for, then begin at once. Runs a second, from the first start to the last end. What was written
    before is written out before they are asked for: between the two would be a checkpoint at the worst of times, after
    which each page of theirs is logged whole."""
    stack = house.stack
    house.settle()
    paused(stack, places, True)
    asked = sum(plant.at_once(4, lambda place: place.ask_all(), places), [])
    paused(stack, places, False)
    house.forget_live()
    row, = stack.sql("""
        WITH asked AS (SELECT unnest('{%s}'::uuid[]) AS execution_id)
        SELECT count(*) FILTER (WHERE x.state = 'success' AND x.pages = 1),
            extract(epoch FROM max(x.completed_at) - min(x.started_at)),
            (SELECT count(*) FROM collect.ledger l JOIN asked USING (execution_id)),
            (SELECT count(DISTINCT j.execution_id) FROM collect.journal j JOIN asked USING (execution_id))
        FROM collect.collector_executions x JOIN asked ON asked.execution_id = x.id""" % ",".join(asked))
    well, seconds, pages, journals = int(row[0]), float(row[1]), int(row[2]), int(row[3])
    assert well == pages == journals == len(asked), "%d asked, %d ended well, %d pages, %d journals" % (
        len(asked), well, pages, journals)
    return len(asked) / seconds


def bench(house):
    workspaces, rounds = (5, 2) if house.short else (100, 3)
    stage = plant.Plant(house, [plant.pipeline("p%02d" % i) for i in range(PIPELINES)])
    places = plant.at_once(4, lambda _: stage.install(RECORDS), range(workspaces))
    round_of(house, places)
    values = []
    for revision in range(2, 2 + rounds):
        house.revise(revision)  # each run has something to write
        values.append(round_of(house, places))
    return [measured(ROWS[0], values, held=lambda rate: rate >= 400,
                     note="%d runs of %d records a round, all due at once" % (workspaces * PIPELINES, RECORDS))]
