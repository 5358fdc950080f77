"""Never stuck, soon noticed: runs whose upstream never answers, while the runners that hold them die, stop,
or live on past a run's deadline.

When something happened is read from the runners' own logs: each claim tells which run, under which token."""
import concurrent.futures
import os
import signal
import time

import field
import play
from proof import Figure, Mutant, Promise, part_of

NAME = "stuck"
ALONE = True
SETTINGS = "RUNNER_MAX_RUNS=3000\nRUNNER_SERVICE_RUNS=0\n"
SILENT = "fault=hang,ms=600000"
WAITED_S = 12  # for runs that should be claimed again within two
HASTY_S, GRACE_S = 5, 5  # a hasty request's limit, and how late its end may be seen

# workspaces, patient pipelines, hasty ones, runs to lose runners with, kills that the supervisor sees,
# stops, runners that nobody sees die, runs of each of those, of their lease's time what is not waited for,
# how long runs are past their deadline when the watch begins, how long it is
SIZES = {"full": (20, 45, 5, 180, 20, 4, 3, 40, 0, 25, 40),
         "mutant": (6, 45, 5, 250, 3, 1, 2, 15, 18, 50, 25),
         "short": (3, 3, 1, 4, 1, 1, 0, 2, 0, 25, 3)}
# which promises need which of these alone
NEEDED = {"2": (6, 8), "2b": (4,), "2c": (5,), "4": (9, 10)}

PROMISES = [
    Promise("2", "from kill -9 of a runner that nobody watches to its runs re-claimed: at most 45 s (p99, at a run's first loss)"),
    Promise("2b", "the same where its supervisor saw it die: at most 2 s (p99, at a run's first loss)"),
    Promise("2c", "from a run's release at SIGTERM to re-claimed: at most 2 s (p99)"),
    Promise("4", "under 1,000 hanging upstreams no run is past its deadline by more than 60 s, no request past "
            "its limit by more than %d s" % GRACE_S),
]

MUTANTS = [
    Mutant("a lease that never lapses", ("2",), (
        ("sql/migrations/0036_regained.sql", "WHERE w.state = 'running' AND (r.id IS NULL OR r.lease_until < clock_timestamp()\n",
         "WHERE w.state = 'running' AND (r.id IS NULL OR r.lease_until < '-infinity'\n"),)),
    Mutant("no berth", ("2b",), (
        ("sql/migrations/0021_berths.sql",
         "\tUPDATE work.runner r SET lease_until = least(r.lease_until, clock_timestamp()) WHERE r.berth = p_berth;\n", ""),)),
    Mutant("a reaper that takes one batch at a time", ("2b",), (
        ("runner/keeper.c", "\tif (db_count(rows) == REAP_BATCH)\n\t\tk->reap_ms = 0;", "\tif (k->reap_ms < 0)\n\t\tk->reap_ms = 0;"),)),
    Mutant("no release at SIGTERM", ("2c",), (
        ("runner/main.c", "if (p->stops > 1 || for_ms > DRAIN_END_MS) {", "if (p->stops > 0) {"),
        ("runner/keeper.c", "if (k->has_id && !db_run(k->db, Q_RUNNER_STOP", "if (!k->db && !db_run(k->db, Q_RUNNER_STOP"))),
    Mutant("no deadline", ("4",), (
        ("sql/migrations/0036_regained.sql", "OR w.deadline_at + interval '30 seconds' < clock_timestamp())", ")"),)),
    Mutant("requests without a limit of their own", ("4",), (
        ("lib/http/request.c", "r->timeout_ms > 0 ? r->timeout_ms : TOTAL_MS", "TOTAL_MS"),)),
]


def pipelines(patient, hasty):
    return [*(play.pipeline("patient-%d" % i, timeout=60, retries=5) for i in range(patient)),
            *(play.pipeline("hasty-%d" % i, timeout=HASTY_S, retries=0) for i in range(hasty))]


class Crowd:
    """Runs of many workspaces, none of which ever gets an answer."""

    def __init__(self, stack, workspaces, made):
        self.stack = stack
        stage = play.Stage(stack, made)
        self.installed = [stage.install(SILENT) for _ in range(workspaces)]
        self.left = [(one, p["id"]) for p in made for one in self.installed]
        self.asked = []

    def ask(self, n):
        """Asks for n more runs, and waits until runners hold them."""
        now, self.left = self.left[:n], self.left[n:]
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            self.asked += zip((one for one, _ in now), pool.map(lambda which: which[0].ask(which[1]), now))
        # a place in its lane for each
        self.stack.sql("UPDATE work.lane l SET max_running = greatest(max_running, 1000) WHERE tenant_id IN (SELECT tenant_id "
                       "FROM collect.collector_executions WHERE collector_instance_id IN ('%s'))" % "', '".join(
                           one.id for one in self.installed))
        play.until(lambda: self.running() >= len(self.asked) * 0.9, 60, "runners hold the runs", 0.2)

    def running(self):
        return len(self.held("state = 'running'"))

    def held(self, condition):
        """{execution: token} of this crowd's runs of which that is true."""
        mine = {execution for _, execution in self.asked}
        return {execution: int(token) for execution, token in self.stack.sql(
            "SELECT execution_id, lease_token FROM work.work WHERE execution_id IS NOT NULL AND " + condition) if execution in mine}

    def held_by(self, lease):
        return self.held("state = 'running' AND runner_id = '%s'" % lease)

    def end(self):
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda which: which[0].api("POST", "/executions/%s/cancel" % which[1]), self.asked))


def own_lease(stack):
    """The id of the runner that the supervisor keeps."""
    return play.until(lambda: stack.sql("SELECT id FROM work.runner WHERE berth IS NOT NULL AND lease_until > clock_timestamp() "
                                        "ORDER BY started_at DESC LIMIT 1"), 20, "catchmentd's runner is there")[0][0]


def again(stack, held, began, seconds):
    """How long it took until each of these runs was claimed again: a list of seconds. What was not, counts as
    the whole time of waiting."""
    def claimed():
        first = {}
        for at, event, execution, token in field.events(stack):
            if event == "claim" and token > held.get(execution, token):
                first[execution] = min(at, first.get(execution, at))
        return first
    try:
        play.until(lambda: len(claimed()) == len(held) or time.time() > began + seconds, seconds + 60, "", 0.2)
    except AssertionError:
        pass
    first = claimed()
    return [first.get(execution, began + seconds) - began for execution in held]


def forget_losses(stack):
    """Who loses its runner again and again without a page between waits longer each time, and is given up after
    five losses. These runs never get a page; what is measured is how soon a loss is noticed."""
    stack.sql("UPDATE work.work SET crashes = 0 WHERE crashes > 0")


def kill_seen(stack, crowd):
    lease = own_lease(stack)
    play.until(lambda: crowd.held_by(lease), 10, "the supervisor's runner holds a run")
    time.sleep(1.1)  # what lives less than a second is started again later
    held = crowd.held_by(lease)
    began = time.time()
    forget_losses(stack)
    field.kill_own(stack)
    return again(stack, held, began, WAITED_S)


def holding_runner(stack, crowd, n):
    """A runner that nobody watches, once it holds n more runs: whoever else would take them sleeps."""
    runner, others = stack.another_runner(), stack.runners()
    others.remove(runner.pid)
    try:
        for pid in others:
            os.kill(pid, signal.SIGSTOP)
        crowd.ask(n)
        play.until(lambda: len(crowd.held_by(runner.lease)) >= n, 15, "the second runner holds the runs", 0.1)
    finally:
        for pid in others:
            os.kill(pid, signal.SIGCONT)
    return runner


def stop(stack, crowd, n):
    runner = holding_runner(stack, crowd, n)
    held = crowd.held_by(runner.lease)
    runner.send_signal(signal.SIGTERM)
    runner.wait(30)
    ended = time.time()
    released = {execution: at for at, event, execution, token in field.events(stack)
                if event == "park" and held.get(execution) == token}
    found = []
    for execution, token in held.items():
        found += again(stack, {execution: token}, released.get(execution, ended), WAITED_S)
    return found


class Unseen:
    """Runners that nobody watches die: started one after the other, killed together."""

    def __init__(self, stack, crowd, n, each, spared_s):
        self.stack, self.spared_s, self.held, self.began = stack, spared_s, {}, time.time()
        runners = [holding_runner(stack, crowd, each) for _ in range(n)]
        for runner in runners:
            self.held.update(crowd.held_by(runner.lease))
        forget_losses(stack)
        for runner in runners:
            runner.kill()
            runner.wait()
        self.began = time.time() - spared_s
        if runners:
            stack.sql("UPDATE work.runner SET lease_until = lease_until - interval '%d seconds' WHERE id IN ('%s')" % (
                spared_s, "', '".join(runner.lease for runner in runners)))

    def noticed(self):
        return again(self.stack, self.held, self.began, 46)


def watch(crowd, spared, past_s, seconds):
    """The most seconds past a deadline, and past a hasty request's limit, seen once a second. spared: runs of
    which nothing but their runner's lease may tell."""
    patient, hasty = (
        "execution_id IN (SELECT id FROM collect.collector_executions WHERE pipeline_id LIKE '%s-%%')" % kind
        for kind in ("patient", "hasty"))
    crowd.stack.sql("UPDATE work.work SET deadline_at = clock_timestamp() - interval '%d seconds' "
                    "WHERE state = 'running' AND execution_id <> ALL ('{%s}') AND %s" % (past_s, ",".join(spared), patient))
    worst, end = [0.0, 0.0], time.monotonic() + seconds
    while time.monotonic() < end:
        row = crowd.stack.sql("SELECT coalesce(extract(epoch FROM max(clock_timestamp() - deadline_at) FILTER (WHERE %s)), 0), "
                              "coalesce(extract(epoch FROM max(clock_timestamp() - claimed_at) FILTER (WHERE %s)), 0) - %d "
                              "FROM work.work WHERE state = 'running'" % (patient, hasty, HASTY_S))[0]
        worst = [max(old, float(new)) for old, new in zip(worst, row)]
        time.sleep(1)
    return worst


def within(times, limit, what):
    if not times:
        return Figure("not reached", None)
    worst = field.at_most(0.99, times)
    return Figure("%.1f s (p99 of %d runs, longest %.1f s)%s" % (worst, len(times), max(times), what),
                  worst <= limit and max(times) < max(WAITED_S, limit + 1))


def several(times, act, *arguments):
    """What so many acts found, up to the first that found what nobody should wait for."""
    found = []
    for _ in range(times):
        found += act(*arguments)
        if max(found, default=0) >= WAITED_S:
            break
    return found


def campaign(house, size):
    stack = house.stack
    workspaces, patient, hasty, first, kills, stops, unseen, each, spared, past, watched = part_of(SIZES[size], NEEDED, house)
    crowd = Crowd(stack, workspaces, pipelines(patient, hasty))
    try:
        crowd.ask(first)
        seen = several(kills, kill_seen, stack, crowd)
        if max(seen, default=0) >= WAITED_S:  # then nobody takes over, and the rest would wait for ever
            stops = unseen = 0
        released = several(stops, stop, stack, crowd, each)
        lost = Unseen(stack, crowd, unseen, each, spared)
        crowd.ask(len(crowd.left))
        overdue, late = watch(crowd, lost.held, past, watched)
        noticed = lost.noticed()
    finally:
        crowd.end()
    return {
        "2": within(noticed, 45, ", %d runners" % unseen),
        "2b": within(seen, 2, ", %d kills" % kills),
        "2c": within(released, 2, ", %d stops" % stops),
        "4": Figure("%d runs: at most %.0f s past a deadline, %.0f s past a request's limit" % (
            len(crowd.asked), overdue, max(0, late)), past <= overdue <= 60 and late <= GRACE_S),
    }
