"""Exactly once: runs of many workspaces while runners are killed and put to sleep, and PostgreSQL crashes.

Half of the streams append, half are synchronised in full. The simulated API's ledger says what was
served; every committed page and every stored record is then counted in the database."""
import concurrent.futures
import json
import os
import random
import signal
import threading
import time

import play
from proof import Figure, Mutant, Promise

NAME = "exact"
RECORDS, LIMIT = 125, 25
PAGES = RECORDS // LIMIT
# a third of a second a page, so that there is a middle to be hit in
SLOW = "products=%d,fault=drip,drip_bytes=6000,drip_ms=80" % RECORDS
PIPELINES = ("append-small", "small-pages")

# runs, kills, pauses past the lease (simulated, real), crashes of PostgreSQL, workspaces
SIZES = {"full": (10000, 200, 48, 2, 5, 100), "mutant": (600, 12, 30, 0, 0, 20), "short": (40, 4, 3, 0, 0, 4)}

PROMISES = [
    Promise("1", "10,000 runs, 50,000 pages, 200 kill -9 of the runner, 5 crashes of PostgreSQL, 50 pauses past the "
            "lease: 0 records lost, 0 doubled"),
    Promise("1b", "after them a full sync marks exactly what vanished"),
    Promise("3", "every stale write is refused and logged; no page of a run counts twice"),
]

STALE = "This page was committed already, or by a newer run."
MUTANTS = [
    Mutant("no fence", ("1", "3"), (
        ("sql/migrations/0008_work.sql",
         "WHERE w.tenant_id = p_tenant AND w.id = p_work AND w.lease_token = p_token AND w.state = 'running'\n"
         "\tFOR NO KEY UPDATE;",
         "WHERE w.tenant_id = p_tenant AND w.id = p_work\n\tFOR NO KEY UPDATE;"),
        ("sql/migrations/0009_runs.sql",
         "g.subject_id = p_subject AND g.seq = p_seq AND g.fence <= p_token;\n\tIF NOT FOUND THEN\n"
         "\t\tPERFORM util.fail(409, 'stale_cursor', '" + STALE,
         "g.subject_id = p_subject;\n\tIF NOT FOUND THEN\n"
         "\t\tPERFORM util.fail(409, 'stale_cursor', '" + STALE))),
    Mutant("cursor committed apart from the records", ("1",), (
        ("runner/commit_page.c",
         "db_str(job->state)));\n\tif (!db_run(c->db, Q_RUNNER_STAGING_FIND",
         "db_str(job->state)));\n\tif (!db_commit(c->db, e))\n\t\treturn false;\n\tcommit_enter(c, &job->claim);\n"
         "\tif (!db_run(c->db, Q_RUNNER_STAGING_FIND"),)),
    Mutant("whatever was not met again has vanished, page by page", ("1b",), (
        ("runner/commit_page.c", "hashes[n++] = hash_prefix(s->c, r->key);",
         "n == 0 ? (void)(hashes[n++] = hash_prefix(s->c, r->key)) : (void)0;"),)),
]


class Field:
    """The streams that are run again and again, and what the database says of them."""

    def __init__(self, stack, workspaces, rounds):
        self.stack, self.rounds = stack, rounds
        stage = play.Stage(stack)
        self.installed = [stage.install(SLOW) for _ in range(workspaces)]
        self.streams = [(one, pipeline) for one in self.installed for pipeline in PIPELINES]
        self.total = len(self.streams) * rounds
        self.instances = {one.id for one in self.installed}

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
        """Asks for what may run next; share of all runs may have been asked for. Answers how many ended well."""
        runs = self.runs()
        asked = sum(n for n, _, _ in runs.values())
        idle = [(one, pipeline) for one, pipeline in self.streams
                if runs.get((one.id, pipeline), (0, 0, 0))[1] == 0 and runs.get((one.id, pipeline), (0,))[0] < self.rounds]
        random.shuffle(idle)
        for future in [pool.submit(ask_for, *one) for one in idle[:max(0, int(self.total * share) + 100 - asked)]]:
            future.result()
        return sum(well for _, _, well in runs.values()), asked, sum(live for _, live, _ in runs.values())


def ask_for(installed, pipeline):
    try:
        installed.ask(pipeline)
    except (AssertionError, OSError, ValueError):
        pass  # the database was away: it is asked for again


class Trouble(threading.Thread):
    """What is done to the product, one after the other, while runs are under way."""

    def __init__(self, stack, kills, naps, long_naps, crashes):
        super().__init__(daemon=True)
        self.stack, self.second, self.failed = stack, stack.another_runner(), None
        self.acts = [self.kill] * kills + [self.nap] * naps + [self.long_nap] * long_naps + [self.crash] * crashes
        random.shuffle(self.acts)
        self.total, self.done = len(self.acts), 0

    def run(self):
        try:
            for act in self.acts:
                time.sleep(1.05 + random.random() * 0.4)  # what lives less than a second is started again later
                act()
                self.done += 1
        except Exception as failed:
            self.failed = failed

    def share(self):
        assert not self.failed, "the trouble itself failed: %s" % self.failed
        return (self.done + 1) / (self.total + 1)

    def kill(self):
        pid = self.stack.own_runner()
        os.kill(pid, signal.SIGKILL)
        play.until(lambda: not play.alive(pid), 5, "the runner is gone")

    def asleep(self, seconds, lapse):
        pid = self.stack.own_runner()
        os.kill(pid, signal.SIGSTOP)
        try:
            if lapse:
                self.stack.leases_lapse(self.stack.leases() - {self.second.lease})
            time.sleep(seconds)
        finally:
            os.kill(pid, signal.SIGCONT)

    def nap(self):
        self.asleep(0.3 + random.random() * 0.5, True)

    def long_nap(self):
        self.asleep(37, False)  # its lease, and the other runner's look for what has lapsed

    def crash(self):
        # as pg_ctl -m immediate does; what keeps the stack starts it again
        os.kill(int((self.stack.state / "data/postmaster.pid").read_text().split()[0]), signal.SIGQUIT)
        time.sleep(2)

    def end(self):
        self.second.terminate()
        self.second.wait(30)


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
    ids = [str(json.loads(one)["id"]) for one in field.installed[0].served("products=%d" % RECORDS)]
    return numbers(field, """
        WITH streams AS (SELECT s.tenant_id, s.id, CASE s.strategy WHEN 'append' THEN (SELECT count(*)
                FROM collect.collector_executions x WHERE x.tenant_id = s.tenant_id
                AND x.collector_instance_id = s.instance_id AND x.pipeline_id = s.pipeline_id) ELSE 1 END AS due
            FROM collect.streams s WHERE s.instance_id IN INSTANCES),
        seen AS (SELECT r.stream_id, r.data->>'id' AS number, count(*) AS n FROM collect.records r
            WHERE r.stream_id IN (SELECT id FROM streams) GROUP BY 1, 2)
        SELECT sum(greatest(0, s.due - coalesce(seen.n, 0))), sum(greatest(0, coalesce(seen.n, 0) - s.due))
        FROM streams s CROSS JOIN unnest('{%s}'::text[]) i LEFT JOIN seen ON seen.stream_id = s.id AND seen.number = i
    """ % ",".join(ids))


def count_pages(field):
    """(runs, ended well, pages committed, of them twice or not of this run)"""
    return numbers(field, """
        WITH runs AS (SELECT x.tenant_id, x.id, x.state FROM collect.collector_executions x WHERE x.collector_instance_id IN INSTANCES),
        pages AS (SELECT l.execution_id, l.page, count(*) AS n, min(l.kept) AS kept FROM collect.ledger l
            JOIN runs ON runs.tenant_id = l.tenant_id AND runs.id = l.execution_id GROUP BY 1, 2)
        SELECT (SELECT count(*) FROM runs), (SELECT count(*) FROM runs WHERE state = 'success'),
            (SELECT sum(n) FROM pages), (SELECT sum(n - 1) FROM pages) +
            (SELECT count(*) FROM pages WHERE page NOT BETWEEN 1 AND %d OR kept <> %d)
    """ % (PAGES, LIMIT))


def refusals(stack):
    """How often a runner's log tells of a write that the fence refused."""
    return sum(text.count(b"lost_lease") + text.count(b"stale_cursor") for path, text in stack.logs().items()
               if path.name in ("catchment.log", "second-runner.log"))


def vanishing(field):
    """How many streams mark what they should after 20 records went upstream, of all that are synchronised."""
    gone = 20
    for one in field.installed:
        one.play("products=%d,gone=%d" % (RECORDS, gone))
    asked = [(one, one.ask("small-pages")) for one in field.installed]
    ends = [one.ended(execution, 120) for one, execution in asked]
    right = numbers(field, """SELECT count(*) FROM collect.streams s WHERE s.pipeline_id = 'small-pages' AND s.instance_id IN INSTANCES
        AND %d = (SELECT count(*) FROM collect.records r WHERE r.tenant_id = s.tenant_id AND r.stream_id = s.id AND r.vanished_at IS NOT NULL)
        AND %d = (SELECT count(*) FROM collect.records r WHERE r.tenant_id = s.tenant_id AND r.stream_id = s.id)""" % (gone, RECORDS))[0]
    return sum(right and end["recordsVanished"] == gone for end in ends), right, len(ends)


def campaign(house, size):
    stack = house.stack
    runs, kills, naps, long_naps, crashes, workspaces = SIZES[size]
    before = refusals(stack)
    field = Field(stack, workspaces, runs // (workspaces * len(PIPELINES)))
    trouble = Trouble(stack, kills, naps, long_naps, crashes)
    trouble.start()
    try:
        collect(field, trouble, 300 + 4 * trouble.total)
    finally:
        trouble.end()
    lost, doubled = count_records(field)
    asked, well, pages, wrong = count_pages(field)
    served = sum(line["status"] == 200 for one in field.installed for line in one.ledger())
    refused = refusals(stack) - before
    _, right, streams = vanishing(field)
    tried = "%d runs, %d pages committed of %d served, %d kills, %d pauses, %d crashes" % (
        asked, pages, served, kills, naps + long_naps, crashes)
    return {
        "1": Figure("%s: %d lost, %d doubled, %d of %d runs ended well" % (tried, lost, doubled, well, asked),
                    lost == doubled == 0 and well == asked and pages == asked * PAGES),
        "1b": Figure("%d of %d streams" % (right, streams), right == streams),
        "3": Figure("%d stale writes refused, %d pages counted twice or wrongly" % (refused, wrong),
                    wrong == 0 and (refused > 0 or size == "short")),
    }
