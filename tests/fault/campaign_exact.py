"""Exactly once: runs of many workspaces while runners are killed and put to sleep, and PostgreSQL crashes.

Half of the streams append, half are synchronised in full. The simulated API's ledger says what was
served; every committed page and every stored record is then counted in the database."""
import json
import os
import random
import signal
import time

from field import PIPELINES, Field, Trouble, back_up, collect, count_pages, count_records, crash, kill_own, numbers, refusals
from proof import Figure, Mutant, Promise

NAME = "exact"
TOLD = 0.95
# runs, kills, pauses past the lease (simulated, real), crashes of PostgreSQL, workspaces
SIZES = {"full": (10000, 200, 48, 2, 5, 100), "mutant": (240, 12, 12, 0, 0, 8), "short": (40, 4, 3, 0, 0, 4)}

PROMISES = [
    Promise("1", "10,000 runs, 50,000 pages, 200 kill -9 of the runner, 5 crashes of PostgreSQL, 50 pauses past the "
            "lease (2 of them real, 48 with a lease that is ended meanwhile): 0 records lost, 0 doubled, 0 marked as vanished"),
    Promise("1b", "after them a full sync marks exactly what vanished"),
    Promise("3", "every stale write is refused and logged; no page of a run counts twice"),
]

STALE = "This page was committed already, or by a newer run."
MUTANTS = [
    Mutant("no fence, and append keys that tell each claim's copy apart", ("1", "3"), (
        ("runner/commit_rows.c", "rows->job->seq + 1 + (int64_t)page, i));",
         "rows->job->seq * 1000 + rows->job->claim.token, i));"),
        ("sql/migrations/0008_work.sql",
         "WHERE w.tenant_id = p_tenant AND w.id = p_work AND w.lease_token = p_token AND w.state = 'running'\n"
         "\tFOR NO KEY UPDATE;",
         "WHERE w.tenant_id = p_tenant AND w.id = p_work\n\tFOR NO KEY UPDATE;"),
        ("sql/migrations/0035_ends.sql",
         "g.subject_id = p_subject AND g.seq = p_seq AND g.fence <= p_token;\n\tIF NOT FOUND THEN\n"
         "\t\tPERFORM util.fail(409, 'stale_cursor', '" + STALE,
         "g.subject_id = p_subject;\n\tIF NOT FOUND THEN\n"
         "\t\tPERFORM util.fail(409, 'stale_cursor', '" + STALE))),
    Mutant("cursor committed apart from the records, 50 ms before", ("1",), (
        ("runner/commit_page.c", "#include <string.h>\n", "#include <string.h>\n#include <time.h>\n"),
        ("runner/commit_page.c",
         "\tpages_open(c, job);\n",
         "\tpages_open(c, job);\n\tif (!db_commit(c->db, e))\n\t\treturn false;\n"
         "\tnanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);\n\tcommit_enter(c, &job->claim);\n"))),
    Mutant("whatever was not met again has vanished, page by page", ("1b",), (
        ("runner/commit_page.c", "seen[(*n)++] = r->key_hash;",
         "i == 0 ? (void)(seen[(*n)++] = r->key_hash) : (void)0;"),)),
]


class Naps:
    """A runner asleep while its lease lapses, beside a second one that takes over."""

    def __init__(self, stack):
        self.stack, self.second = stack, stack.another_runner()

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

    def end(self):
        self.second.terminate()
        self.second.wait(30)


def crash_and_wait(stack):
    crash(stack)
    time.sleep(1)  # it has not ended at once
    back_up(stack, 60)


def troubles(stack, naps, counts):
    """All acts, shuffled; counts: kills, naps, long naps, crashes."""
    kinds = (lambda: kill_own(stack), naps.nap, naps.long_nap, lambda: crash_and_wait(stack))
    acts = [act for act, n in zip(kinds, counts) for _ in range(n)]
    random.shuffle(acts)
    return Trouble(acts, 2)  # a run that meets the fifth before its first page is given up, and rightly


def ids(field, settings):
    return {str(json.loads(one)["id"]) for one in field.installed[0].served(settings)}


def vanishing(field):
    """How many streams mark what they should, and nothing else, after 20 records went upstream, of all that are
    synchronised."""
    shown = "products=%d" % field.records
    fewer = shown + ",gone=20"
    gone = ids(field, shown) - ids(field, fewer)
    assert len(gone) == 20
    for one in field.installed:
        one.play(fewer)
    ends = [one.ended(execution, 120) for one, execution in [(one, one.ask("small-pages")) for one in field.installed]]
    right, = numbers(field, """SELECT count(*) FROM collect.streams s WHERE s.pipeline_id = 'small-pages' AND s.instance_id IN INSTANCES
        AND '%d 0 %d' = (SELECT concat_ws(' ', count(*) FILTER (WHERE r.data ->> 'id' = ANY ('{%s}') AND r.vanished_at IS NOT NULL),
            count(*) FILTER (WHERE r.data ->> 'id' <> ALL ('{%s}') AND r.vanished_at IS NOT NULL), count(*))
            FROM collect.records r WHERE r.tenant_id = s.tenant_id AND r.stream_id = s.id)""" % (
                len(gone), field.records, ",".join(gone), ",".join(gone)))
    return right if all(end["recordsVanished"] == len(gone) for end in ends) else 0, len(ends)


def campaign(house, size):
    stack = house.stack
    runs, kills, naps, long_naps, crashes, workspaces = SIZES[size]
    before = refusals(stack)
    field = Field(stack, workspaces, runs // (workspaces * len(PIPELINES)))
    sleepers = Naps(stack)
    trouble = troubles(stack, sleepers, (kills, naps, long_naps, crashes))
    trouble.start()
    try:
        collect(field, trouble, 300 + 4 * trouble.total)
    finally:
        sleepers.end()
    lost, doubled = count_records(field)
    asked, well, pages, wrong = count_pages(field)
    served = sum(line["status"] == 200 for one in field.installed for line in one.ledger())
    refused, logged = (now - then for now, then in zip(refusals(stack), before))
    marked, = numbers(field, "SELECT sum(records_vanished) FROM collect.collector_executions WHERE collector_instance_id IN INSTANCES")
    right, streams = vanishing(field)
    due = asked * field.pages
    tried = "%d runs, %d of %d pages committed, %d served, %d kills, %d pauses, %d crashes" % (
        asked, pages, due, served, kills, naps + long_naps, crashes)
    return {
        "1": Figure("%s: %d lost, %d doubled, %d marked as vanished, %d of %d runs ended well" % (
            tried, lost, doubled, marked, well, asked), lost == doubled == marked == 0 and well == asked and pages == due),
        "1b": Figure("%d of %d streams" % (right, streams), right == streams),
        # who is killed between the refusal and its line tells nobody
        "3": Figure("%d stale writes refused, %d told by the runners; %d pages counted twice or wrongly" % (refused, logged, wrong),
                    wrong == 0 and logged >= TOLD * refused - 1 and (refused >= naps + long_naps or size != "full")),
    }
