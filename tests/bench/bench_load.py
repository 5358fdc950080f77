"""How fast records come in: what is new, what is there already, what has changed. Two streams at once, beside the
bare programs of bare_load.c in the shape that is fastest here."""
import itertools

import plant
from report import measured

NAME = "load"
ROWS = [
    ("first load", "records/s", "0.85 of the best bare staging and merge under the same policy", 0.85),
    ("first load, against a bare COPY", "records/s", "", None),
    ("again, nothing changed", "records/s", "0.85 of the bare hash pre-check", 0.85),
    ("again, all changed", "records/s", "0.85 of the bare staging and merge", 0.85),
]
BATCHES = (250, 1000, 5000, 20000)
STREAMS = 2
RECORDS = 200000  # in each stream


class Bare:
    """The bare programs over one upstream."""

    def __init__(self, house):
        self.house = house

    def rate(self, way, records, connections, batch, *more):
        seconds, n, _ = self.house.bare("bare_load", way, self.house.dsn(), self.house.address(records), records,
                                        connections, batch, *more)
        return n / seconds

    def best(self, way, records, shapes, prepare):
        """The fastest shape of a way: connections, records a transaction, and how they are staged."""
        reached = {}
        for shape in shapes:
            prepare()
            self.house.settle()
            reached[shape] = self.rate(way, records, *shape)
        return max(reached, key=reached.get)


def shape_word(shape):
    connections, batch, *staged = shape
    return "%d connection%s, %d records a transaction%s" % (
        connections, "s" if connections > 1 else "", batch, ", staged as " + staged[0] if staged else "")


def shapes_found(house, bare, records):
    """The best bare shapes for {copy, merge, check, change}."""
    both = list(itertools.product((2, 1), BATCHES))
    staged = list(itertools.product((2, 1), BATCHES, ("json", "text")))

    def empty():
        house.stack.sql("TRUNCATE bench.plain, bench.records")

    def filled():
        empty()
        house.revise(1)
        bare.rate("merge", records, 2, 5000)
        house.revise(2)
    found = {"copy": bare.best("copy", records, both, empty),
             "merge": bare.best("merge", records, staged, empty)}
    empty()
    house.revise(1)
    bare.rate("merge", records, 2, 5000)
    found["check"] = bare.best("check", records, both, lambda: None)
    found["change"] = bare.best("merge", records, staged, filled)
    house.revise(1)
    return found


def product(house, places, records, new, changed):
    """Records a second of one pass over all places, which must find so many new and changed."""
    house.settle()
    seconds, *counts = plant.collected(places, "everything")
    assert counts == [records * len(places), new, changed], counts
    return records * len(places) / seconds


def round_of(house, bare, stage, shapes, i, records):
    """One round: {row: (product, bare)}."""
    total = records * STREAMS

    def limit(way, shape):
        house.settle()
        return bare.rate(way, records, *shape)
    house.forget_records()
    house.sql_file("bare.sql")
    house.revise(1)
    places = [stage.install(records) for _ in range(STREAMS)]
    first, copy, merge = plant.in_turn(
        i, lambda: product(house, places, records, total, 0), lambda: limit("copy", shapes["copy"]),
        lambda: limit("merge", shapes["merge"]))
    again, check = plant.in_turn(i, lambda: product(house, places, records, 0, 0), lambda: limit("check", shapes["check"]))
    house.revise(2)
    changed, change = plant.in_turn(
        i, lambda: product(house, places, records, 0, total), lambda: limit("merge", shapes["change"]))
    return ((first, merge), (first, copy), (again, check), (changed, change))


def bench(house):
    records, rounds = (5000, 2) if house.short else (RECORDS, 3)
    bare, stage = Bare(house), plant.Plant(house, [plant.pipeline("everything")])
    house.sql_file("bare.sql")
    shapes = shapes_found(house, bare, records if house.short else records // 4)
    pairs = [round_of(house, bare, stage, shapes, i, records) for i in range(rounds)]
    ways = ("merge", "copy", "check", "change")
    return [measured(row, [one[k][0] for one in pairs], [one[k][1] for one in pairs],
                     note="%d records in %d streams; the bare way is best with %s" % (
                         records * STREAMS, STREAMS, shape_word(shapes[ways[k]])))
            for k, row in enumerate(ROWS)]
