"""A clean stop: the runner is told to stop under full load, and the supervisor to replace everything while
people ask."""
import os
import re
import signal
import time

import play
from field import Field, Trouble, collect, count_pages, count_records, worst_of_99
from proof import Figure, Mutant, Promise
from visitors import Visitors

NAME = "stop"
SETTINGS = "RUNNER_SERVICE_RUNS=0\n"
DRIP_MS = 200  # most of a second a page
BROKEN = b"\nLOG_LEVEL=nonsense\n"
SLOW_S = 3  # a request that waits longer has met nobody

# workspaces (two streams each), runs of each stream, their records, stops, reloads
SIZES = {"full": (100, 3, 500, 20, 20), "mutant": (20, 2, 250, 4, 6), "short": (4, 1, 150, 2, 2)}

PROMISES = [
    Promise("8", "SIGTERM of a runner that holds 200 runs: it ends within 10 s (p99), leaves no row running, and "
            "no page is lost or fetched for nothing"),
    Promise("8b", "20 reloads of catchmentd while people ask, one of them with settings that do not work: no request "
            "is lost, none waits %d s" % SLOW_S),
]

MUTANTS = [
    Mutant("no drain", ("8",), (("runner/main.c", "if (p->stops > 1 || for_ms > DRAIN_END_MS) {", "if (p->stops > 0) {"),)),
    Mutant("a set that does not work takes over", ("8b",), (
        ("cgi/supervisor/child.c", "bool failed = all->reload_failed,", "bool failed = false,"),)),
    Mutant("a responder that ends with a request in hand", ("8b",), (
        ("lib/web/loop.c", "\tsigaddset(&blocked, SIGTERM);\n", ""),
        ("lib/web/loop.c", "\tstopping = 1;\n", "\traise(SIGKILL);\n"))),
]


class Stops:
    """Each act is one stop of the supervisor's runner, while it holds what it can."""

    def __init__(self, stack):
        self.stack, self.times, self.held, self.left = stack, [], [], 0

    def stop(self):
        pid = self.stack.own_runner()
        lease, held = play.until(self.holder, 30, "the runner holds runs", 0.1)
        began = time.monotonic()
        os.kill(pid, signal.SIGTERM)
        play.until(lambda: not play.alive(pid), 40, "the runner stops")
        self.times.append(time.monotonic() - began)
        self.held.append(held)
        self.left += int(self.stack.sql("SELECT count(*) FROM work.work WHERE state = 'running' AND runner_id = '%s'" % lease)[0][0])

    def holder(self):
        """(the runner that catchmentd keeps, how many runs it holds), once these are most of what it can have."""
        rows = self.stack.sql("SELECT r.id, count(w.id) FROM work.runner r JOIN work.work w ON w.runner_id = r.id AND w.state = 'running' "
                              "WHERE r.berth IS NOT NULL AND NOT r.draining AND r.lease_until > clock_timestamp() GROUP BY 1")
        most = max(rows, key=lambda row: int(row[1]), default=None)
        return most and (most[0], int(most[1]))


def stopped(stack, workspaces, rounds, records, stops):
    field, acts = Field(stack, workspaces, rounds, records, DRIP_MS), Stops(stack)
    trouble = Trouble([acts.stop] * stops + [field.hasten], 1.2)
    trouble.start()
    collect(field, trouble, 240 + 15 * stops)
    lost, doubled = count_records(field)
    asked, well, pages, wrong = count_pages(field)
    served = sum(line["status"] == 200 for one in field.installed for line in one.ledger())
    worst = worst_of_99(acts.times)
    return Figure("%d stops with %d runs in hand: %.1f s (p99), %d rows left running; %d of %d runs ended well, %d records lost, "
                  "%d doubled, %d pages fetched for nothing" % (
                      stops, sum(acts.held) // stops, worst, acts.left, well, asked, lost, doubled, served - pages),
                  worst <= 10 and acts.left == lost == doubled == wrong == 0 and served == pages == asked * field.pages and well == asked)


def judged(stack):
    """How many reloads catchmentd has ended, well or not."""
    log = stack.state / "log/catchment.log"
    return len(re.findall(rb'"event":"reload_(?:done|failed)"', log.read_bytes()))


def reload(stack, daemon, seconds=40):
    before = judged(stack)
    os.kill(daemon, signal.SIGHUP)
    play.until(lambda: judged(stack) > before, seconds, "the reload ends")


def reload_broken(stack, daemon):
    """With settings that no program starts with; they are mended five seconds later."""
    conf = stack.state / "catchment.conf"
    good = conf.read_bytes()
    conf.write_bytes(good + BROKEN)
    try:
        reload(stack, daemon)
        time.sleep(5)
    finally:
        conf.write_bytes(good)


def reloaded(stack, reloads):
    daemon, = stack.processes(stack.program("catchmentd"))
    with Visitors(stack, 4, 0) as people:
        for i in range(reloads):
            (reload_broken if i == 0 else reload)(stack, daemon)
            time.sleep(0.3)
    return Figure("%d reloads: %s" % (reloads, people.told()),
                  people.total > 100 and people.well == people.total and people.longest_s < SLOW_S)


def campaign(house, size):
    workspaces, rounds, records, stops, reloads = SIZES[size]
    return {"8": stopped(house.stack, workspaces, rounds, records, stops), "8b": reloaded(house.stack, reloads)}
