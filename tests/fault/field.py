"""What campaigns share: streams that run again and again while there is trouble, what the database counts
of them afterwards, and what runners wrote in their logs."""
import concurrent.futures
import datetime
import json
import math
import os
import random
import re
import signal
import threading
import time

import play

LIMIT = 25
MOST_IDS = 5000  # in one statement: it is an argument of psql's
PIPELINES = ("append-small", "small-pages")
RUNNER_LOGS = ("catchment.log", "second-runner.log")
REAPED = re.compile(rb'"event":"reap"[^\n]*execution=(\S+)')


class Field:
    """The streams that are run again and again, and what the database says of them. A page takes as long as
    it takes to drip, so that there is a middle to be hit in: four times drip_ms."""

    def __init__(self, stack, workspaces, rounds, records=125, drip_ms=80, ahead=100):
        self.stack, self.rounds, self.records, self.pages, self.ahead = stack, rounds, records, records // LIMIT, ahead
        stage = play.Stage(stack)
        self.installed = [stage.install("products=%d,fault=drip,drip_bytes=6000,drip_ms=%d" % (records, drip_ms))
                          for _ in range(workspaces)]
        self.streams = [(one, pipeline) for one in self.installed for pipeline in PIPELINES]
        self.total = len(self.streams) * rounds
        self.instances = {one.id for one in self.installed}

    def hasten(self):
        """The rest comes as fast as it can."""
        for one in self.installed:
            one.play("products=%d" % self.records)

    def ended(self, seconds):
        play.until(lambda: all(live == 0 for _, live, _ in self.runs().values()), seconds, "all runs end", 0.5)

    def committed_at(self):
        """When each page was committed, in seconds since 1970."""
        rows = self.stack.sql("SELECT extract(epoch FROM l.at) FROM collect.ledger l JOIN collect.collector_executions x "
                              "ON x.tenant_id = l.tenant_id AND x.id = l.execution_id WHERE x.collector_instance_id IN ('%s') "
                              "ORDER BY 1" % "', '".join(self.instances))
        return [float(at) for at, in rows]

    def losses(self):
        """How often runs of theirs have lost their runner."""
        own = {row[0].encode() for row in self.stack.sql(
            "SELECT id FROM collect.collector_executions WHERE collector_instance_id IN ('%s')" % "', '".join(self.instances))}
        return sum(execution in own for path, text in self.stack.logs().items() if path.name in RUNNER_LOGS
                   for execution in REAPED.findall(text))

    def runs(self):
        """{(instance, pipeline): (asked, live, well)}; what the database says, whenever it is there."""
        def ask():
            try:
                return self.stack.sql(
                    "SELECT collector_instance_id, pipeline_id, count(*), "
                    "count(*) FILTER (WHERE state IN ('pending', 'running', 'waiting')), "
                    "count(*) FILTER (WHERE state = 'success') FROM collect.collector_executions GROUP BY 1, 2") or [[]]
            except AssertionError:
                return None
        return {(row[0], row[1]): tuple(map(int, row[2:])) for row in play.until(ask, 60, "PostgreSQL answers")
                if row and row[0] in self.instances}

    def ask_all(self, share, pool):
        """Asks for what may run next; share of all runs, and so many ahead, may have been asked for. Answers how many
        ended well, were asked for, and live."""
        runs = self.runs()
        asked = sum(n for n, _, _ in runs.values())
        idle = [(one, pipeline) for one, pipeline in self.streams
                if runs.get((one.id, pipeline), (0, 0, 0))[1] == 0 and runs.get((one.id, pipeline), (0,))[0] < self.rounds]
        random.shuffle(idle)
        for future in [pool.submit(ask_for, *one) for one in idle[:max(0, int(self.total * share) + self.ahead - asked)]]:
            future.result()
        return sum(well for _, _, well in runs.values()), asked, sum(live for _, live, _ in runs.values())


def ask_for(installed, pipeline):
    try:
        installed.ask(pipeline)
    except (AssertionError, OSError, ValueError):
        pass  # the database was away: it is asked for again


class Trouble(threading.Thread):
    """What is done to the product, one after the other, while runs are under way. pause_s is the least time
    between two acts."""

    def __init__(self, acts, pause_s):
        super().__init__(daemon=True)
        self.acts, self.pause_s, self.failed = list(acts), pause_s, None
        self.total, self.done = len(self.acts), 0

    def run(self):
        try:
            for act in self.acts:
                time.sleep(self.pause_s + random.random() * 0.4)
                act()
                self.done += 1
        except Exception as failed:
            self.failed = failed

    def share(self):
        assert not self.failed, "the trouble itself failed: %s" % self.failed
        return (self.done + 1) / (self.total + 1)


def kill_own(stack):
    pid = stack.own_runner()
    os.kill(pid, signal.SIGKILL)
    play.until(lambda: not play.alive(pid), 5, "the runner is gone")


def postmaster(stack):
    return int((stack.state / "data/postmaster.pid").read_text().split()[0])


def back_up(stack, seconds=30):
    """When PostgreSQL answers again, in seconds since 1970; it has so long for it."""
    def answers():
        try:
            return stack.sql("SELECT 1")
        except AssertionError:
            return None
    play.until(answers, seconds, "PostgreSQL answers")
    return time.time()


def crash(stack):
    """As pg_ctl -m immediate does; what keeps the stack starts it again."""
    os.kill(postmaster(stack), signal.SIGQUIT)


def collect(field, trouble, seconds):
    """Runs all rounds through the trouble. Fails when the runs do not end."""
    end = time.monotonic() + seconds
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        while True:
            share = trouble.share()
            _, asked, live = field.ask_all(share, pool)
            if asked >= field.total and live == 0 and not trouble.is_alive():
                return
            assert time.monotonic() < end, "%d of %d runs were asked for and %d are still under way after %d s" % (
                asked, field.total, live, seconds)
            time.sleep(0.3)


def numbers(field, text):
    """One row of numbers of a statement over this field's instances."""
    within = "('%s')" % "', '".join(sorted(field.instances))
    return [int(cell or 0) for cell in field.stack.sql(text.replace("INSTANCES", within))[0]]


def count_records(field):
    """(lost, doubled) over all streams. Each id that the simulated API has stands once for each run that
    appended it, and once where everything is synchronised."""
    ids = [str(json.loads(one)["id"]) for one in field.installed[0].served("products=%d" % field.records)]
    counts = [numbers(field, """
        WITH streams AS (SELECT s.tenant_id, s.id, CASE s.strategy WHEN 'append' THEN (SELECT count(*)
                FROM collect.collector_executions x WHERE x.tenant_id = s.tenant_id
                AND x.collector_instance_id = s.instance_id AND x.pipeline_id = s.pipeline_id) ELSE 1 END AS due
            FROM collect.streams s WHERE s.instance_id IN INSTANCES),
        seen AS (SELECT r.stream_id, r.data->>'id' AS number, count(*) AS n FROM collect.records r
            WHERE r.stream_id IN (SELECT id FROM streams) GROUP BY 1, 2)
        SELECT sum(greatest(0, s.due - coalesce(seen.n, 0))), sum(greatest(0, coalesce(seen.n, 0) - s.due))
        FROM streams s CROSS JOIN unnest('{%s}'::text[]) i LEFT JOIN seen ON seen.stream_id = s.id AND seen.number = i
    """ % ",".join(ids[at:at + MOST_IDS])) for at in range(0, len(ids), MOST_IDS)]
    return [sum(column) for column in zip(*counts)]


def count_pages(field):
    """(runs, ended well, pages committed, what is wrong: pages committed twice or not of their run, and runs that
    append and have not appended each record once, however they add up)"""
    return numbers(field, """
        WITH runs AS (SELECT x.tenant_id, x.id, x.state, s.strategy FROM collect.collector_executions x
            JOIN collect.progress g ON g.tenant_id = x.tenant_id AND g.subject_id = x.subject_id
            JOIN collect.streams s ON s.tenant_id = g.tenant_id AND s.id = g.stream_id
            WHERE x.collector_instance_id IN INSTANCES),
        pages AS (SELECT l.execution_id, l.page, count(*) AS n, min(l.kept) AS kept, sum(l.fresh) AS fresh FROM collect.ledger l
            JOIN runs ON runs.tenant_id = l.tenant_id AND runs.id = l.execution_id GROUP BY 1, 2)
        SELECT (SELECT count(*) FROM runs), (SELECT count(*) FROM runs WHERE state = 'success'),
            (SELECT sum(n) FROM pages), (SELECT sum(n - 1) FROM pages) +
            (SELECT count(*) FROM pages WHERE page NOT BETWEEN 1 AND %d OR kept <> %d) +
            (SELECT count(*) FROM runs LEFT JOIN (SELECT execution_id, sum(fresh) AS fresh FROM pages GROUP BY 1) p
                ON p.execution_id = runs.id WHERE strategy = 'append' AND state = 'success' AND fresh IS DISTINCT FROM %d)
    """ % (field.pages, LIMIT, field.records))


REFUSED = re.compile(rb"^\S+ \S+ \S+ \S+ catchment_run HINT:  (?:lost_lease|stale_cursor)$", re.M)


def refusals(stack):
    """How many writes the fence refused: (by PostgreSQL's log, by the runners' own)."""
    logs = stack.logs()
    return (sum(len(REFUSED.findall(text)) for path, text in logs.items() if path.name == "postgres.log"),
            sum(text.count(b'"event":"lost_lease"') for path, text in logs.items() if path.name in RUNNER_LOGS))


EVENT = re.compile(rb'"at":"([^"]+)"[^\n]*"event":"(claim|park|end)"[^\n]*execution=(\S+) token=(\d+)')


def events(stack):
    """(when, "claim", "park" or "end", execution, token) of all runners' logs; when in seconds since 1970."""
    return [(moment(at.decode()), event.decode(), execution.decode(), int(token))
            for path, text in stack.logs().items() if path.name in RUNNER_LOGS
            for at, event, execution, token in EVENT.findall(text)]


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def at_most(share, values):
    """The value that this share of all does not go beyond. Of none: 0."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)] if values else 0
