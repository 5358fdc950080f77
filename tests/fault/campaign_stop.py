"""A clean stop: the runner is told to stop under full load, and the supervisor to replace everything while
people ask."""
import os
import re
import signal
import statistics
import time

import field
import play
from proof import Figure, Mutant, Promise
from visitors import Visitors

NAME = "stop"
ALONE = True
SETTINGS = "RUNNER_SERVICE_RUNS=0\n"
DRIP_MS = 500  # two seconds a page: a run outlives several stops
BROKEN = b"\nLOG_LEVEL=nonsense\n"
PATIENCE_S = 4  # until a runner that has just begun holds all of its runs again
SLOW_S = 3  # a request that waits longer has met nobody
TRIAL_MS = 700

# workspaces (two streams each), runs of each stream, their records, stops, reloads
SIZES = {"full": (100, 3, 500, 20, 20), "mutant": (20, 2, 250, 4, 6), "short": (4, 1, 150, 2, 2)}

PROMISES = [
    Promise("8", "SIGTERM of a runner that holds 200 runs, whether their upstreams answer or hang: it ends within 10 s, lets each "
            "of them go, and no page is lost or fetched for nothing"),
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
    """Each act is one stop of the supervisor's runner, once it holds so many runs, or has had time for it."""

    def __init__(self, stack, enough):
        self.stack, self.enough, self.times, self.held, self.left = stack, enough, [], [], 0

    def stop(self):
        pid, late = self.stack.own_runner(), time.monotonic() + PATIENCE_S
        held = play.until(lambda: self.holds(self.enough if time.monotonic() < late else 1), 30, "the runner holds runs", 0.1)
        began = time.monotonic()
        os.kill(pid, signal.SIGTERM)
        play.until(lambda: not play.alive(pid), 40, "the runner stops")
        self.times.append(time.monotonic() - began)
        self.held.append(len(held))
        let_go = {(execution, token) for _, event, execution, token in field.events(self.stack) if event in ("park", "end")}
        self.left += len((held - let_go) | (held & self.running()))

    def running(self):
        """{(execution, token)} that the queue has as under way."""
        rows = self.stack.sql("SELECT execution_id, lease_token FROM work.work WHERE state = 'running'")
        return {(execution, int(token)) for execution, token in rows}

    def holds(self, n):
        """{(execution, token)} of the runner that catchmentd keeps, once they are so many."""
        rows = self.stack.sql("SELECT w.execution_id, w.lease_token FROM work.runner r JOIN work.work w ON w.runner_id = r.id "
                              "WHERE w.state = 'running' AND r.berth IS NOT NULL AND NOT r.draining AND r.lease_until > clock_timestamp()")
        return {(execution, int(token)) for execution, token in rows} if len(rows) >= n else None


def stopped(stack, workspaces, rounds, records, stops):
    runs = field.Field(stack, workspaces, rounds, records, DRIP_MS, ahead=2 * workspaces)
    enough = len(runs.streams) * 9 // 10
    acts = Stops(stack, enough)
    trouble = field.Trouble([acts.stop] * stops + [runs.hasten], 1.2)
    trouble.start()
    field.collect(runs, trouble, 240 + 15 * stops)
    lost, doubled = field.count_records(runs)
    asked, well, pages, wrong = field.count_pages(runs)
    served = sum(line["status"] == 200 for one in runs.installed for line in one.ledger())
    silence = stopped_in_silence(stack, runs, enough)
    worst, usual = max(*acts.times, *silence.times), statistics.median(acts.held)
    return Figure("%d stops with %d runs in hand (median): at most %.1f s, %d of them not let go; %.1f s with %d that wait for upstreams "
                  "which do not answer, %d not let go; %d of %d runs ended well, %d records lost, %d doubled, %d pages fetched for "
                  "nothing" % (stops, usual, max(acts.times), acts.left, *silence.times, *silence.held, silence.left, well, asked,
                               lost, doubled, served - pages),
                  worst <= 10 and min(usual, *silence.held) >= enough and acts.left == silence.left == lost == doubled == wrong == 0
                  and served == pages == asked * runs.pages and well == asked)


def stopped_in_silence(stack, runs, enough):
    """One stop while as many runs wait for answers that never come."""
    acts = Stops(stack, enough)
    for one in runs.installed:
        one.play("fault=hang,ms=600000")
    asked = [(one, one.ask(pipeline)) for one, pipeline in runs.streams]
    acts.stop()
    for one, execution in asked:
        one.cancel(execution)
    return acts


def judged(stack):
    """How the reloads ended so far: done or failed."""
    log = stack.state / "log/catchment.log"
    return re.findall(rb'"event":"reload_(done|failed)"', log.read_bytes())


def reload(stack, daemon, seconds=40):
    before = len(judged(stack))
    os.kill(daemon, signal.SIGHUP)
    play.until(lambda: len(judged(stack)) > before, seconds, "the reload ends")


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


def tried_well(answer):
    """The simulated API is replaced with all others, and its own nginx says 502 meanwhile: that was answered too."""
    tried, = answer.json["pipelines"]
    return tried["status"] == "success" or tried["error"]["code"] == "upstream_unavailable"


def creators(stack):
    """People who try a collector whose API takes most of a second, until it is itself replaced and forgets that: some
    responder has always one of these in hand."""
    stage, scenario = play.Stage(stack, [play.pipeline("slow")]), play.unique("slow")
    stack.scenario(scenario, "products=2,fault=hang,ms=%d" % TRIAL_MS)
    body = {"maxPages": 1, "config": {"address": "%s/s/%s" % (stack.upstream.url, scenario), "apiKey": "key"}}
    path = "/api/v1/collectors/%s/execute" % stage.collector
    return Visitors(stack, 2, 0.01, stage.creator, [("POST", path, body)], tried_well)


def reloaded(stack, reloads):
    daemon, = stack.processes(stack.program("catchmentd"))
    before = len(judged(stack))
    trying = creators(stack)
    with Visitors(stack, 4, 0.01) as people, trying:  # nginx takes 500 a second of one address
        for i in range(reloads):
            (reload_broken if i == 0 else reload)(stack, daemon)
            time.sleep(0.3)
    done = judged(stack)[before:].count(b"done")
    return Figure("%d reloads, %d of them into new programs: %s; of trials of a slow API %s" % (
        reloads, done, people.told(), trying.told()), done == reloads - 1 and people.total > 100
        and trying.well >= reloads
        and all(they.well == they.total and they.longest_s < SLOW_S for they in (people, trying)))


def campaign(house, size):
    workspaces, rounds, records, stops, reloads = SIZES[size]
    return {"8": stopped(house.stack, workspaces, rounds, records, stops), "8b": reloaded(house.stack, reloads)}
