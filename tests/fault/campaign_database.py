"""The database misbehaves: it restarts, crashes, loses connections, has none left, keeps old rows, has no
room. Meanwhile runs go on at a steady pace, and people ask.

The ledger tells the pace afterwards: each run asks for its next page as soon as the page before has committed."""
import bisect
import contextlib
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

import play
from field import Field, back_up, count_pages, count_records, kill_own, postmaster
from proof import Figure, Mutant, Promise, not_run, part_of
from visitors import Visitors

NAME = "database"
ALONE = True
SETTINGS = "RUNNER_SERVICE_RUNS=0\n"
DRIP_MS = 100  # two pages and a half a second for each run
WINDOW_S, SOON_S, PACE = 3, 10, 0.95
STAYS_LEAST, STAYS_ONCE = 0.8, 0.9  # of one window, of two: runs in step, a page of each more or less
MOST_S = 10  # of an answer
CLAIM_MS = 50
OFFERED = 30  # short runs a second, beside long ones
KILL_S, LEAST_MET = 3, 1 / 3  # between kills of a runner; part of the long runs that each meets
CROWDED = 50  # without them
ELSEWHERE = Figure("not part of this form", None)

# workspaces (two streams each), restarts, seconds of killed connections, of no connections left, of killed
# runners, of a held snapshot, disk full
SIZES = {"full": (12, 20, 60, 8, 90, 90, True), "mutant": (6, 2, 16, 4, 15, 15, True), "short": (3, 0, 4, 0, 0, 0, False)}
# which promises need which of these alone
NEEDED = {"5": (1,), "5b": (2, 3), "5c": (1, 2, 3), "5d": (6,), "6": (4,), "7": (5,)}


PROMISES = [
    Promise("5", "20 restarts of PostgreSQL, fast ones and crashes by turns: back to 95 %% of the pace within %d s, "
            "and in the end nothing is lost or doubled" % SOON_S),
    Promise("5b", "a connection killed each second for 60 s, each third one the runner's, with work in hand if there is one: 95 %% of the pace; then none left: "
            "back to it within %d s; in the end nothing is lost or doubled" % SOON_S),
    Promise("5c", "meanwhile API and pages answer, or say 503 with Retry-After: nothing else, within %d s; and no 503 any more %d s after "
            "it is over" % (MOST_S, SOON_S)),
    Promise("5d", "the tables' disk is full: 503 with Retry-After for what cannot be written, back within %d s, nothing lost" % SOON_S),
    Promise("6", "one of two runners killed every 3 s for 90 s: at least 90 % of what is asked for is done meanwhile, and long "
            "runs keep 90 % of their pace"),
    Promise("7", "a snapshot held for 90 s while %d runs a second are due: no backlog grows, 95 %% of claims within %d ms" % (CROWDED, CLAIM_MS)),
]

MUTANTS = [
    Mutant("a runner that does not wait for the database", ("5", "5b"), (
        ("runner/committer.c", 'return e->code == ERR_UNAVAILABLE && strcmp(e->slug, "out_of_memory") != 0;', "return false;"),)),
    Mutant("a database that is away is an internal error", ("5c",), (("lib/web/reply.c", "[ERR_UNAVAILABLE] = 503", "[ERR_UNAVAILABLE] = 500"),)),
    Mutant("no berth", ("6",), (
        ("sql/migrations/0021_berths.sql",
         "\tUPDATE work.runner r SET lease_until = least(r.lease_until, clock_timestamp()) WHERE r.berth = p_berth;\n", ""),)),
    Mutant("one run a look, and a look a second", ("7",), (
        ("runner/keeper.c", "n = room < CLAIM_BATCH ? room : CLAIM_BATCH;", "n = room > 0;"),
        ("runner/keeper.c", "\tk->claim_ms = clock_mono_ms() + CLAIM_LEAST_MS; /* there may be more */\n", ""),
        ("runner/keeper.c", "return now < k->yield_ms || (!k->look_claims && now < k->claim_ms) || claim(k, e);", "return now < k->claim_ms || claim(k, e);"))),
    Mutant("a full disk is an internal error", ("5d",), (("lib/db/sqlstate.c", '{ "53", ERR_UNAVAILABLE, "database_full", 10,', '{ "53", ERR_DB, "database_full", 10,'),)),
]


# --- the pace ---

class Pace:
    """How many pages a second are committed while nothing is wrong, and since."""

    def __init__(self, field, seconds=8):
        self.field = field
        time.sleep(3)  # until all are under way
        began = time.time()
        time.sleep(seconds)
        self.usual = self.between(began, began + seconds)
        assert self.usual > 0, "nothing is under way"

    def between(self, since, until, at=None):
        at = at or self.field.committed_at()
        return (bisect.bisect(at, until) - bisect.bisect(at, since)) / (until - since)

    def back(self, since, at):
        """After how many seconds a window of time has the usual pace."""
        for step in range(SOON_S * 10):
            if self.between(since + step / 10, since + step / 10 + WINDOW_S, at) >= PACE * self.usual:
                return step / 10
        return SOON_S + 1.0

    def stays(self, over, at, seconds=WINDOW_S):
        """The part of the usual pace that is left when it has to be back: what was caught up has been by then. A window
        holds a page of each run more or less than the next."""
        return self.between(over + SOON_S, over + SOON_S + seconds, at) / self.usual


# --- troubles; each answers when it was over ---

def restart_fast(stack):
    pid = postmaster(stack)
    os.kill(pid, signal.SIGINT)
    play.until(lambda: not play.alive(pid), 30, "PostgreSQL ends")
    return back_up(stack)


def crash_inside(stack):
    """One server process killed: PostgreSQL drops every connection and recovers from its log."""
    victim = int(stack.sql("SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'")[0][0])
    os.kill(victim, signal.SIGKILL)
    play.until(lambda: not play.alive(victim), 5, "it is gone")
    return back_up(stack)


def restarts(stack, n):
    """When each began, and when PostgreSQL was back. The next begins when it is clear how the one before ended."""
    troubles = []
    for i in range(n):
        troubles.append((time.time(), (crash_inside if i % 2 else restart_fast)(stack)))
        time.sleep(SOON_S + WINDOW_S)
    return troubles


# The first connection of theirs that has work in hand within a second, or else any; whether it had.
KILL = """CREATE FUNCTION pg_temp.kill_one() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    victim record;
BEGIN
    FOR i IN 1 .. 80 LOOP
        PERFORM pg_stat_clear_snapshot();
        SELECT pid, state IN ('active', 'idle in transaction') AS busy INTO victim FROM pg_stat_activity
        WHERE application_name LIKE '%s' ORDER BY 2 DESC, random() LIMIT 1;
        EXIT WHEN victim.busy;
        PERFORM pg_sleep(0.01);
    END LOOP;
    PERFORM pg_terminate_backend(victim.pid);
    RETURN victim.busy;
END $$;
SELECT pg_temp.kill_one()"""


def connections_killed(stack, seconds):
    """Of connections killed, the runner's and anybody's: (how many, how many of them with work in hand). Each third is
    the runner's. People keep those of responders busy; a runner that lost one each two seconds was at 95 to 97 % of
    its pace."""
    killed = {"catchment-runner": [], "catchment-%": []}
    for second in range(seconds):
        next_at, whose = time.monotonic() + 1, "catchment-%" if second % 3 else "catchment-runner"
        killed[whose] += [row for row in stack.sql(KILL % whose) if row[0]]
        time.sleep(max(0, next_at - time.monotonic()))
    return [(len(rows), rows.count(["t"])) for rows in killed.values()]


# Takes every connection that there is, also those that become free: the first bytes of the protocol,
# then silence.
HOLDER = """
import socket, struct, sys, time
words = b"user\\0catchment_web\\0database\\0catchment\\0\\0"
held = []
while True:
    one = socket.socket(socket.AF_UNIX)
    try:
        one.connect(sys.argv[1] + "/.s.PGSQL.5432")
        one.sendall(struct.pack("!ii", len(words) + 8, 196608) + words)
        full = one.recv(1) != b"R"
    except OSError:
        full = True
    if full:
        one.close()
        time.sleep(0.02)
    else:
        held.append(one)
"""


def connections_taken(stack, seconds):
    full = no_room(stack)
    holder = subprocess.Popen(stack.as_owner(sys.executable, "-c", HOLDER, stack.sockets), cwd="/")
    try:
        time.sleep(2)
        stack.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'catchment-%'")
        time.sleep(seconds)
    finally:
        holder.kill()
        holder.wait()
    over = time.time()
    assert no_room(stack) > full, "there was room for connections all the time"
    return over


def no_room(stack):
    """How often PostgreSQL had no connection left."""
    return len(re.findall(rb"too many clients already|remaining connection slots", stack.logs()[stack.state / "log/postgres.log"]))


# --- a held snapshot ---

BEATS = 4  # a second
PLACES, EACH = 20, 5  # workspaces, and pipelines of each

# So many of those that are idle are due at once, as when the time of their schedule has come.
DUE = """WITH idle AS (SELECT w.tenant_id, w.id, w.subject_id FROM work.work w WHERE w.kind = 'pipeline' AND w.state = 'idle'
        AND w.tenant_id IN (SELECT tenant_id FROM collect.collector_instances WHERE id IN ('%s')) ORDER BY random() LIMIT %d FOR UPDATE),
    made AS (INSERT INTO collect.collector_executions (tenant_id, id, collector_instance_id, subject_id, pipeline_id, pipeline_name,
            release_version) SELECT g.tenant_id, util.uuid_v7(), g.instance_id, g.subject_id, g.pipeline_id, g.pipeline_id, c.release_version
        FROM idle JOIN collect.progress g USING (tenant_id, subject_id) JOIN collect.collector_instances c
            ON c.tenant_id = g.tenant_id AND c.id = g.instance_id RETURNING tenant_id, subject_id, id),
    due AS (UPDATE work.work w SET state = 'ready', execution_id = made.id, due_at = clock_timestamp(), attempt = 0, crashes = 0,
            last_code = NULL FROM made WHERE w.tenant_id = made.tenant_id AND w.kind = 'pipeline' AND w.subject_id = made.subject_id
        RETURNING 1)
    SELECT count(*) FROM due"""


class Offers(threading.Thread):
    """Short runs, due at a steady pace; and how many wait though they are due, each time before more are."""

    def __init__(self, stack, per_second):
        super().__init__(daemon=True)
        self.stack, self.per_second, self.waiting, self.asked, self.leave = stack, per_second, [], 0, threading.Event()
        self.failed = None
        stage = play.Stage(stack, [play.pipeline("short-%d" % i, limit=50) for i in range(EACH)])
        self.installed = [stage.install("products=50") for _ in range(PLACES)]
        for one in self.installed:
            for execution in one.api.post("/collector-instances/%s/execute" % one.id, {})["executions"]:
                one.ended(execution["executionId"])
        self.ids = "', '".join(one.id for one in self.installed)

    def run(self):
        try:
            self.offer()
        except Exception as failed:
            self.failed = failed

    def offer(self):
        began, beats = time.monotonic(), 0
        while not self.leave.is_set():
            self.waiting.append(int(self.stack.sql("SELECT count(*) FROM work.work WHERE state = 'ready' AND due_at < clock_timestamp()")[0][0]))
            n = self.per_second * (time.monotonic() - began) - self.asked  # what a slow beat left out comes with the next
            self.asked += int(self.stack.sql(DUE % (self.ids, max(1, n)))[0][0])
            beats += 1
            time.sleep(max(0, began + beats / BEATS - time.monotonic()))

    def end(self):
        self.leave.set()
        self.join(30)
        assert not self.failed, "no more runs were due: %s" % self.failed

    def counted(self, since):
        """(runs asked for since then, of them ended well by now)"""
        return [int(n) for n in self.stack.sql(
            "SELECT count(*), count(*) FILTER (WHERE state = 'success') FROM collect.collector_executions "
            "WHERE created_at >= to_timestamp(%f) AND collector_instance_id IN ('%s')" % (since, self.ids))[0]]


def runners_killed(stack, field, seconds):
    """(since when, until when, runs asked for then, of them ended well, kills, how often a long run lost its runner) with
    one of two runners killed again and again. The other one has room for half of the long runs: it would soon
    have all of them, and a kill would cost nothing."""
    good, conf = stack.state / "catchment.conf", stack.state / "second.conf"
    shutil.copy2(good, conf)
    os.chown(conf, good.stat().st_uid, good.stat().st_gid)
    with conf.open("a") as settings:
        settings.write("\nRUNNER_MAX_RUNS=%d\n" % (len(field.streams) // 2))
    second, offers = stack.another_runner(conf), Offers(stack, OFFERED)
    offers.start()
    try:
        kill_own(stack)  # so that the second one has some of the runs
        time.sleep(3)
        began, end, kills, lost = time.time(), time.monotonic() + seconds, 0, field.losses()
        while time.monotonic() < end:
            kill_own(stack)
            kills += 1
            time.sleep(KILL_S)
        offers.end()
        until, met = time.time(), field.losses() - lost
        assert sum(live for _, live, _ in field.runs().values()) == len(field.streams), "a long run has ended before"
        return began, until, *offers.counted(began), kills, met
    finally:
        second.terminate()
        second.wait(30)


CLAIM = re.compile(rb"duration: ([\d.]+) ms  execute [^:]*: SELECT tenant_id, work_id, kind, subject_id")


@contextlib.contextmanager
def statements_timed(stack):
    """The server logs how long each statement of the runners takes, without the records that came with it."""
    def told(how):
        """Committed first: a connection that comes back at once must find the role as it is meant."""
        for setting in ("log_parameter_max_length", "log_min_duration_statement"):
            stack.sql("ALTER ROLE catchment_run %s" % how % setting)
        stack.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'catchment_run'")
    told("SET %s = 0")
    try:
        yield
    finally:
        told("RESET %s")


def snapshot_held(stack, seconds):
    if not seconds:
        return ELSEWHERE
    offers = Offers(stack, CROWDED)
    log = stack.state / "log/postgres.log"
    with statements_timed(stack):
        since = log.stat().st_size
        holder = threading.Thread(target=stack.sql, args=("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM work.work; SELECT pg_sleep(%d); COMMIT" % seconds,))
        holder.start()
        offers.start()
        holder.join()
        offers.end()
        claims = sorted(float(ms) for ms in CLAIM.findall(log.read_bytes()[since:]))
    third = len(offers.waiting) // 3
    first, last = (sum(part) / third for part in (offers.waiting[:third], offers.waiting[-third:]))
    slow = claims[len(claims) * 95 // 100] if claims else 1e9
    return Figure("%d s, %d runs asked for, %.1f waited at first, %.1f at the end; 95 %% of %d claims within %.1f ms" % (
        seconds, offers.asked, first, last, len(claims), slow), slow < CLAIM_MS and last <= first + CROWDED / 10
                      and offers.asked >= 0.9 * CROWDED * seconds)


# --- disk full ---

class NoDisk(Exception):
    """It could not be mounted."""


class SmallDisk:
    """The tables of this house on a disk of their own, with little room. Its log of changes stays where it is:
    without room for that PostgreSQL stops, and no program can help."""

    ROOM = 256 << 20  # all that the runs write afterwards

    def __init__(self, house):
        self.house, self.base = house, pathlib.Path(house.state) / "data/base"
        self.aside = self.base.with_name("base.aside")

    def __enter__(self):
        self.house.stop()
        self.mount()
        try:
            subprocess.run(["cp", "-a", "%s/." % self.aside, self.base], check=True)
            shutil.rmtree(self.aside)
            self.house.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.house.stop()
        if subprocess.run(["umount", self.base], check=False).returncode:
            subprocess.run(["umount", "--lazy", self.base], check=False)

    def mount(self):
        used = int(subprocess.run(["du", "-sb", self.base], capture_output=True, text=True, check=True).stdout.split()[0])
        owner = self.base.stat()
        self.base.rename(self.aside)
        self.base.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%d,uid=%d,gid=%d,mode=700" % (
            used + used // 8 + self.ROOM, owner.st_uid, owner.st_gid), "catchment-fault", self.base], capture_output=True, text=True, check=False)
        if done.returncode:
            self.base.rmdir()
            self.aside.rename(self.base)
            raise NoDisk(done.stderr.strip())

    def fill(self):
        filler = os.open(self.base / "filler", os.O_CREAT | os.O_WRONLY, 0o600)
        with contextlib.suppress(OSError):
            while True:
                os.write(filler, bytes(1 << 16))
        os.close(filler)

    def free(self):
        (self.base / "filler").unlink()


def disk_full(house, workspaces):
    if os.geteuid() != 0:
        return not_run("only root can give PostgreSQL a small disk")
    try:
        with SmallDisk(house) as disk:
            return filled(house.stack, workspaces, disk)
    except NoDisk as refused:
        return not_run(str(refused))


def filled(stack, workspaces, disk):
    field = steady(stack, workspaces, 4000)
    pace = Pace(field)
    with Visitors(stack) as people:
        disk.fill()
        began = time.time()
        time.sleep(8)
        disk.free()
        over = time.time()
        time.sleep(SOON_S + 2 * WINDOW_S)
    at = field.committed_at()
    back, stays, meanwhile = pace.back(over, at), pace.stays(over, at, 2 * WINDOW_S), pace.between(began + 2, over, at)
    field.hasten()
    field.ended(90)
    lost, doubled = count_records(field)
    _, well, _, wrong = count_pages(field)
    full = stack.logs()[stack.state / "log/postgres.log"].count(b"No space left on device")
    return Figure("%d statements met it, the pace fell from %.1f to %.1f pages a second and was back after %.1f s, and after %d s at %.0f %%; %s; %d lost, "
                  "%d doubled" % (full, pace.usual, meanwhile, back, SOON_S, 100 * stays, people.told(), lost, doubled),
        full > 0 and people.away > 0 and back <= SOON_S and stays >= STAYS_ONCE and not people.wrong and people.longest_s < MOST_S and lost == doubled == wrong == 0 and well == len(field.streams))


# --- all of it ---

def steady(stack, workspaces, records):
    """Long runs, all under way."""
    field = Field(stack, workspaces, 1, records, DRIP_MS)
    for one, pipeline in field.streams:
        one.ask(pipeline)
    return field


def exact(field):
    field.hasten()
    field.ended(240)
    lost, doubled = count_records(field)
    asked, well, pages, wrong = count_pages(field)
    return Figure("%d runs, %d pages: %d lost, %d doubled" % (asked, pages, lost, doubled),
                  lost == doubled == wrong == 0 and well == asked and pages == asked * field.pages)


def campaign(house, size):
    stack = house.stack
    workspaces, n, killed_s, taken_s, runners_s, held_s, disk = part_of(SIZES[size], NEEDED, house)
    field = steady(stack, workspaces, 25 * (60 + int(2.5 * (40 + n * 16 + killed_s + taken_s + runners_s))))
    pace = Pace(field, 3 if size == "short" else 8)
    with Visitors(stack) as people:
        troubles = restarts(stack, n)
        began = time.time()
        killed = connections_killed(stack, killed_s)
        ended = time.time()
        freed = connections_taken(stack, taken_s) if taken_s else None
        time.sleep(SOON_S + 2 * WINDOW_S if freed else 0)
        calm = time.time()
    kills = runners_killed(stack, field, runners_s) if runners_s else None
    kept, at = exact(field), field.committed_at()
    overs = [over for _, over in troubles]
    back, stays = max((pace.back(over, at) for over in overs), default=0), [pace.stays(over, at) for over in overs] or [1]
    mean = sum(stays) / len(stays)
    snapshot = snapshot_held(stack, held_s)
    found = {
        "5": Figure("%d restarts, back after at most %.1f s (%.1f pages a second), and after %d s at %.0f %% of the pace (%.0f %% at "
                    "least); in the end %s" % (n, back, pace.usual, SOON_S, 100 * mean, 100 * min(stays), kept.text),
                    back <= SOON_S and mean >= PACE and min(stays) >= STAYS_LEAST and kept.held),
        "5b": killed_figure(pace, at, (began, ended, freed), killed, kept),
        "5c": people_figure(people, [*troubles, (began, freed or ended)], calm, n),
        "6": pace_figure(pace, at, kills, len(field.streams)), "7": snapshot}
    found["5d"] = disk_full(house, workspaces) if disk else ELSEWHERE
    return found


def killed_figure(pace, at, times, killed, kept):
    began, ended, freed = times
    if ended - began < 1:
        return ELSEWHERE
    (own, own_busy), (other, other_busy) = killed
    rate = pace.between(began, ended, at) / pace.usual
    back, stays = (pace.back(freed, at), pace.stays(freed, at, 2 * WINDOW_S)) if freed else (0, 1)
    return Figure("%d connections killed, %d of them with work in hand; %d were the runner's, %d of them with work in hand: "
                  "%.0f %% of the pace meanwhile; with none left, back after %.1f s, and after %d s at %.0f %%; in the end %s" % (
                      own + other, own_busy + other_busy, own, own_busy, 100 * rate, back, SOON_S, 100 * stays, kept.text),
                  rate >= PACE and back <= SOON_S and stays >= STAYS_ONCE and kept.held and own + other >= 0.9 * (ended - began - 1)
                  and (own_busy >= own / 2 and own_busy + other_busy >= (own + other) / 2 or own + other < 10))


def people_figure(people, troubles, calm, restarted):
    """calm: when people left, long after the last of the troubles."""
    stops = [began for began, _ in troubles[1:]] + [calm]
    late = sum(people.between(over + SOON_S, stop)[1] for (_, over), stop in zip(troubles, stops))
    back = all(people.between(over, stop)[0] > 0 for (_, over), stop in zip(troubles, stops) if stop > over + SOON_S)
    return Figure("%s; %d 503 more than %d s after it was over" % (people.told(), late, SOON_S),
                  people.total > 20 and not people.wrong and people.longest_s < MOST_S and late == 0 and back
                  and (people.away > 0 or not restarted))


def pace_figure(pace, at, kills, runs):
    """What is asked for steadily is done as steadily. Each loss costs the runs that it meets what they had of a page, and
    a fifth of a second. Kills that are late, or meet few of the long runs, show nothing."""
    if not kills:
        return ELSEWHERE
    since, until, asked, well, killed, met = kills
    kept, offered, due = pace.between(since, until, at) / pace.usual, OFFERED * (until - since), (until - since) / (KILL_S + 0.4)
    return Figure("%d kills, %.1f of %d long runs met by each; %d of %d runs asked for in %.0f s had ended well (%.0f %%); long runs went "
                  "on at %.1f %% of their pace" % (
                      killed, met / killed, runs, well, asked, until - since, 100 * well / max(1, asked), 100 * kept),
                  asked >= 0.9 * offered and well >= 0.9 * asked and kept >= 0.9 and killed >= due and met >= killed * runs * LEAST_MET)
