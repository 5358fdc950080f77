"""What the runner itself takes: CPU a record, and memory whatever the number of records."""
import os

import plant
from report import measured

NAME = "runner"
ROWS = [
    ("CPU of the runner, no transforms", "µs/record", "at most 1.5", None),
    ("CPU of the runner, pick, rename and cast on 5 fields", "µs/record", "at most 5", None),
    ("memory at a thousand records", "MiB", "at most 20", None),
    ("memory at a million records", "MiB", "at most 20, and no more than at a thousand", None),
    ("memory at 10 million records", "MiB", "at most 20, and no more than at a thousand", None),
    ("memory with pages of 60 MiB", "MiB", "the same over 8 pages as over 2", None),
]
STEPS = [{"name": "Shape", "type": "transform", "config": {
    "pick": ["id", "title", "vendor", "checksum", "rating"],
    "rename": {"id": "number", "title": "name", "vendor": "maker", "checksum": "sum", "rating": "stars"},
    "cast": {"number": "string", "name": "string", "maker": "string", "sum": "string", "stars": "string"}}}]
BIG_PAGE = 72000  # records
FLAT = 1.1


def cpu_us(house, stage, name, records):
    """Microseconds of the runner's CPU for each record of a first load of two streams."""
    house.forget_records()
    places = [stage.install(records) for _ in range(2)]
    runner = house.stack.own_runner()
    house.settle()
    before = plant.cpu_s(runner)
    _, processed, new, _ = plant.collected(places, name)
    assert processed == new == 2 * records, (processed, new)
    return (plant.cpu_s(runner) - before) / processed * 1e6


def peak(house, stage, name, records):
    """The most that a new runner held in memory over one run of so many records."""
    house.forget_records()
    place, runner = stage.install(records), house.new_runner()
    plant.collected([place], name)
    return plant.peak_mib(runner)


def cpu_rows(house, stage, short):
    records, rounds = (5000, 2) if short else (100000, 3)
    pairs = [[cpu_us(house, stage, name, records) for name in ("everything", "shaped")] for _ in range(rounds)]
    return [measured(ROWS[k], [pair[k] for pair in pairs], held=lambda us, most=most: us <= most)
            for k, most in enumerate((1.5, 5))]


def memory_rows(house, stage, short):
    least = peak(house, stage, "everything", 1000)
    rows = [measured(ROWS[2], [least], held=lambda mib: mib <= 20)]
    sizes = [10000 if short else 1000000]
    if os.environ.get("BENCH_LONG"):
        sizes.append(10000000)
    for k, records in enumerate(sizes):
        rows.append(measured(ROWS[3 + k], [peak(house, stage, "everything", records)],
                             held=lambda mib: mib <= 20 and mib <= FLAT * least))
    page = 2000 if short else BIG_PAGE
    few, many = (peak(house, stage, "big", page * pages) for pages in (2, 8))
    rows.append(measured(ROWS[5], [many], held=lambda mib: mib <= FLAT * few, note="%.0f MiB over 2 pages" % few))
    return rows


def bench(house):
    stage = plant.Plant(house, [
        plant.pipeline("everything"),
        plant.pipeline("shaped", steps=STEPS, ingestion={"primaryKey": "number"}),
        plant.pipeline("big", limit=2000 if house.short else BIG_PAGE)])
    return cpu_rows(house, stage, house.short) + memory_rows(house, stage, house.short)
