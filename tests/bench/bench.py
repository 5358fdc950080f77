#!/usr/bin/python3 -B
"""Measures how fast the product is, beside bare programs that do as little as gives the same.

usage: bench.py [--short] [--folder DIR] [--port N] [NAME ...]
       bench.py --page

Without a name it measures all. The figures go to tests/bench/results.json and docs/PERFORMANCE.md. Ends with
1 when a goal was not reached.

A module is bench_<noun>.py with NAME, ROWS and bench(house), which answers a dict for each row: name, figure,
unit, limit, ratio, goal, held, and if it likes spread and note (report.measured makes them). A row is (name,
unit, goal, least ratio to the limit, or None). house is a plant.Bench that has just been started, with the
module's SETTINGS and POSTGRES where it has them; PACKAGES names lists of tools/packages.sh that it needs more than
the product does. Rounds interleave what is compared; figures are medians.

Nothing else may run on the machine meanwhile; the page says when others were busy."""
import argparse
import importlib
import itertools
import os
import pathlib
import signal
import sys
import time

import report
import house as houses
import plant

NAMES = ["load", "small", "runner", "queue", "rest", "growth", "web"]


def modules():
    """Those that there are, in the order of the page."""
    here = pathlib.Path(__file__).resolve().parent
    return {name: importlib.import_module("bench_" + name) for name in NAMES if (here / ("bench_%s.py" % name)).exists()}


def busy_cores():
    """How many cores somebody had in the last moment."""
    def times():
        with open("/proc/stat", encoding="ascii") as stat:
            ticks = [int(word) for word in stat.readline().split()[1:9]]
        return sum(ticks), ticks[3] + ticks[4]  # idle, and idle for a disk
    (total, idle), _ = times(), time.sleep(2)
    total_later, idle_later = times()
    return (1 - (idle_later - idle) / (total_later - total)) * os.cpu_count()


def figures(module, folder, short):
    """How many cores others have while the product is at rest, and what the module measured."""
    with plant.Bench(folder, getattr(module, "SETTINGS", ""), getattr(module, "POSTGRES", ""), short) as house:
        time.sleep(1)
        return busy_cores(), module.bench(house)


def shown(one):
    text = "%s: %s%s %s" % (one["name"], report.number(one["figure"]), report.spread({"spread": None, **one}), one["unit"])
    if one["ratio"] is not None:
        text += ", %.2f of %s" % (one["ratio"], report.number(one["limit"]))
    if one["goal"]:
        text += "; goal: %s: %s" % (one["goal"], report.proof.word(one["held"], "held", "NOT HELD", "not said"))
    return text + ("; " + one["note"] if one.get("note") else "")


def main():
    known = modules()
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--short", action="store_true", help="small sizes, to see that it works; nothing is written down")
    words.add_argument("--folder", help="the folder to work in; it stays afterwards, so that the next time builds less")
    words.add_argument("--port", type=int, help="the first of the ports to take")
    words.add_argument("--page", action="store_true", help="make the page anew from what was measured, and measure nothing")
    words.add_argument("names", nargs="*", metavar="NAME", choices=[[], *known], help=", ".join(known))
    asked = words.parse_args()
    if asked.page:
        report.keep(None, [], [(name, row[0]) for name, module in known.items() for row in module.ROWS])
        return 0
    if asked.port:
        houses.FIRST_PORTS = itertools.count(asked.port, 2)
    houses.install("PACKAGES_RUN", *(words for name in asked.names or known for words in getattr(known[name], "PACKAGES", ())))
    folder = pathlib.Path(asked.folder) if asked.folder else houses.working_folder()
    order = [(name, row[0]) for name, module in known.items() for row in module.ROWS]
    began, found = time.monotonic(), []
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # who ends it leaves no stack behind
    try:
        folder.mkdir(mode=0o755, exist_ok=True)
        for name in dict.fromkeys(asked.names or known):
            busy, reached = figures(known[name], folder, asked.short)
            for one in reached:
                print("%s: %s" % (name, shown(one)), flush=True)
            found += reached
            if not asked.short:
                report.keep(name, reached, order, busy)
    finally:
        if not asked.folder:
            houses.remove(folder)
    missed = sum(one["held"] is False for one in found)
    print("%d figures in %d minutes; %d goals held, %d not" % (
        len(found), (time.monotonic() - began) // 60, sum(one["held"] is True for one in found), missed))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
