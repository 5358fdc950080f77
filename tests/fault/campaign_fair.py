"""Fair, within limits, safe to repeat: many workspaces that want more than there is, limits of services over
several runners, POSTs that are sent again, and requests that must not be.

Starts are measured in the database: from the moment a run was asked for to the moment it began."""
import concurrent.futures
import http.client
import os
import random
import signal
import statistics
import threading
import time

import play
from field import at_most
from proof import Figure, Mutant, Promise, not_run

NAME = "fair"
ALONE = True
# the limits of what is asked, over all tenants, are not what is looked at here
SETTINGS = "RUNNER_HOST_RATE=0\nRUNNER_SERVICE_RUNS=0\n"

PROMISES = [
    Promise("9", "100,000 due runs of one workspace, quick or hanging: it runs 4 at most, its limit; 10 others start "
            "within 1 s (p99), and not later than twice as late as when nothing else is due (median, from 0.1 s on)"),
    Promise("9b", "199 workspaces at their limit, with more runs due: the 200th starts within 1 s (p99)"),
    Promise("10", "a service's rate is kept by three runners: never more requests than rate * (t + 0.1 s) + burst"),
    Promise("10b", "a 429 with Retry-After 120 stops all three runners, but for one request of each that is on its way, "
            "until its time; runs wait, none fails"),
    Promise("15", "1,000 POSTs of 20 copies at once, responders killed meanwhile: one object each, one answer each"),
    Promise("15b", "a request that must not be repeated is sent once at most, whenever the runner is killed: the run "
            "ends well or as outcome_unknown"),
]
MUTANTS = [
    Mutant("workspaces at their limit stay in sight, oldest first", ("9b",), (
        ("sql/migrations/0033_queue.sql", "ORDER BY l.served_at LIMIT", "ORDER BY l.tenant_id LIMIT"),
        ("sql/migrations/0033_queue.sql", ">= x.max_running THEN 'infinity'", ">= x.max_running THEN clock_timestamp()"))),
    Mutant("no limit per workspace", ("9",), (
        ("sql/migrations/0033_queue.sql",
         "LIMIT greatest(0, least(p_per_tenant, t.max_running - (SELECT count(*) FROM work.work r\n"
         "\t\t\t\tWHERE r.tenant_id = l.tenant_id AND r.state = 'running')::int))",
         "LIMIT p_per_tenant"),
        ("sql/migrations/0033_queue.sql", ">= x.max_running THEN 'infinity'", ">= 100000 THEN 'infinity'"))),
    Mutant("what a bucket gave is not written down", ("10",), (
        ("sql/migrations/0018_services.sql", "SET tokens = have - p_n", "SET tokens = have"),)),
    Mutant("a 429 does not block the bucket", ("10b",), (
        ("sql/migrations/0018_services.sql",
         "\tIF b.blocked_until > at THEN\n\t\tRETURN extract(epoch FROM b.blocked_until - at);\n\tEND IF;\n", ""),)),
    Mutant("an Idempotency-Key that was used is not looked for", ("15",), (
        ("sql/migrations/0004_identity_functions.sql",
         "SELECT * INTO kept FROM identity.idempotency k WHERE k.tenant_id = util.tenant() AND k.key = p_key;",
         "SELECT * INTO kept FROM identity.idempotency k WHERE false;"),)),
    Mutant("no intent is written down before a request that must not be repeated", ("15b",), (
        ("drive/drive_run.c", "if (!r->act.intent || !r->sink->intent) {",
         "if (!r->act.intent || !r->sink->intent || r->act.intent) {"),)),
]

# due runs of the greedy one, rounds of its neighbours; greedy workspaces, starts of the last one; seconds of a
# rate, of a silence; POSTs, copies; kills while POSTs are under way upstream
SIZES = {"full": (100000, 15, 199, 60, 20, 120, 1000, 20, 12), "mutant": (3000, 3, 70, 10, 8, 10, 60, 10, 3),
         "short": (400, 1, 4, 3, 1, 3, 10, 4, 1)}

LIST = play.pipeline("list", limit=50)
MANY = [play.pipeline("p%02d" % i, limit=50, timeout=60) for i in range(50)]
CHANGE = {"id": "change", "name": "change", "method": "POST", "path": "/cursor/products", "parameters": [],
          "body": {"title": "New"}, "recordsPath": "product", "recordsKind": "single"}
NEIGHBOURS = 10
LIMIT = 4  # runs at once of a workspace that asked for no other limit


class Open(play.Stage):
    """A published collector of an API that asks for no key."""

    def __init__(self, stack, pipelines, **more):
        self.stack, self.creator = stack, play.sign_up(stack.url, "creator")
        source = {**play.SOURCE, "configFields": play.SOURCE["configFields"][:1],
                  "functions": [*play.SOURCE["functions"], CHANGE], **more}
        del source["authConfig"]
        self.source = self.creator.post("/datasources/manual", source, status=201)["id"]
        self.collector = self.creator.post("/collectors", {
            "name": play.unique("Open"), "dataSourceId": self.source, "pipelines": pipelines}, status=201)["id"]
        self.creator.post("/collectors/%s/publish" % self.collector, {"version": "1.0.0"})

    def install(self, settings=""):
        return Place(self, settings)


class Place(play.Installed):
    def __init__(self, stage, settings):
        self.stack, self.name = stage.stack, play.unique("s")
        self.play(settings)
        self.api = play.sign_up(self.stack.url, "tenant")
        self.id = self.api.post("/collectors/%s/install" % stage.collector, {
            "instanceName": "Play", "tenantConfig": {
                "address": "%s/s/%s" % (self.stack.upstream.url, self.name)}}, status=201)["instanceId"]
        self.tenant, = self.stack.sql("SELECT tenant_id FROM collect.collector_instances WHERE id = '%s'" % self.id)[0]

    def ask_all(self):
        made = self.api.post("/collector-instances/%s/execute" % self.id, {})
        return [one["executionId"] for one in made["executions"]]

    def lane(self, setting):
        self.stack.sql("INSERT INTO work.lane (tenant_id) VALUES ('%s') ON CONFLICT DO NOTHING; "
                       "UPDATE work.lane SET %s WHERE tenant_id = '%s'" % (self.tenant, setting, self.tenant))


def at_once(workers, act, items):
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        return list(pool.map(act, items))


def starts(stack, executions):
    """Seconds from asking to beginning, or to now where a run has not begun."""
    rows = stack.sql("SELECT extract(epoch FROM coalesce(started_at, clock_timestamp()) - created_at) "
                     "FROM collect.collector_executions WHERE id IN ('%s')" % "', '".join(executions))
    return [float(row[0]) for row in rows]


def run(place):
    execution = place.ask("list")
    try:
        place.ended(execution, 20)
    except AssertionError:
        pass  # how late it is says more than that it is late
    return execution


def rounds(stack, places, n):
    """Each place runs n times, all at the same time; how late each run began. Who waits for ever waits once."""
    late = []
    while len(late) < n * len(places) and max(late, default=0) < 10:
        late += starts(stack, at_once(len(places), run, places))
    return late


# --- 9: one who wants very much ---

def flood(stack, place, runs):
    """So many due runs of one workspace, as the queue would have made them: a subject, an execution and a
    work row each, of copies of its installation with fifty pipelines each."""
    stack.sql("""
        CREATE TEMP TABLE one AS SELECT * FROM collect.collector_instances WHERE id = '%s';
        CREATE TEMP TABLE copy AS SELECT util.uuid_v7() AS collector, util.uuid_v7() AS id
            FROM generate_series(1, %d);
        INSERT INTO market.listing (collector_id, publisher_tenant, name, publisher, data_source, latest_version, is_listed)
            SELECT c.collector, l.publisher_tenant, l.name, l.publisher, l.data_source, l.latest_version, false
            FROM copy c, one JOIN market.listing l USING (collector_id);
        INSERT INTO market.release (collector_id, version, publisher_tenant, ordinal, document, published_by)
            SELECT c.collector, r.version, r.publisher_tenant, r.ordinal, r.document, r.published_by
            FROM copy c, one JOIN market.release r ON r.collector_id = one.collector_id AND r.version = one.release_version;
        INSERT INTO collect.collector_instances (tenant_id, id, collector_id, release_version, instance_name, tenant_config,
            created_by) SELECT one.tenant_id, c.id, c.collector, one.release_version, one.instance_name, one.tenant_config,
            one.created_by FROM copy c, one;
        CREATE TEMP TABLE due AS SELECT one.tenant_id, c.id AS instance, one.release_version AS version,
            'p' || lpad(p::text, 2, '0') AS pipeline, util.uuid_v7() AS stream, util.uuid_v7() AS subject,
            util.uuid_v7() AS execution FROM one, copy c, generate_series(0, 49) p;
        INSERT INTO collect.streams (tenant_id, id, instance_id, pipeline_id, name, strategy)
            SELECT tenant_id, stream, instance, pipeline, pipeline, 'full-sync' FROM due;
        INSERT INTO collect.progress (tenant_id, subject_id, kind, instance_id, pipeline_id, stream_id)
            SELECT tenant_id, subject, 'pipeline', instance, pipeline, stream FROM due;
        INSERT INTO collect.collector_executions (tenant_id, id, collector_instance_id, subject_id, pipeline_id,
            pipeline_name, release_version) SELECT tenant_id, execution, instance, subject, pipeline, pipeline, version
            FROM due;
        INSERT INTO work.work (tenant_id, id, kind, subject_id, execution_id, state, due_at)
            SELECT tenant_id, util.uuid_v7(), 'pipeline', subject, execution, 'ready', clock_timestamp() FROM due;
        """ % (place.id, runs // len(MANY)))


def how_many(stack, tenant, state):
    return int(stack.sql("SELECT count(*) FROM work.work WHERE tenant_id = '%s' AND state = '%s'" % (tenant, state))[0][0])


class Watch(threading.Thread):
    """with Watch(stack, tenant) as them: ...; then them.most is how many of its runs were at work at once, looked at a
    hundred times a second."""

    LOOK = """CREATE FUNCTION pg_temp.most() RETURNS int LANGUAGE plpgsql AS $$
        DECLARE
            most int := 0;
        BEGIN
            FOR i IN 1 .. 50 LOOP
                most := greatest(most, (SELECT count(*) FROM work.work WHERE tenant_id = '%s' AND state = 'running'));
                PERFORM pg_sleep(0.01);
            END LOOP;
            RETURN most;
        END $$;
        SELECT pg_temp.most()"""

    def __init__(self, stack, tenant):
        super().__init__(daemon=True)
        self.stack, self.tenant, self.most, self.leave, self.failed = stack, tenant, 0, threading.Event(), None

    def run(self):
        try:
            while not self.leave.is_set():
                self.most = max(self.most, int(self.stack.sql(self.LOOK % self.tenant)[0][0]))
        except Exception as failed:
            self.failed = failed

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.leave.set()
        self.join(30)
        assert not self.failed and not self.is_alive(), "nobody watched: %s" % self.failed


def greedy(stack, size):
    runs, n = SIZES[size][0:2]
    greedy_one = Open(stack, MANY).install("products=2")
    stage = Open(stack, [LIST])
    neighbours = at_once(4, lambda _: stage.install("products=2"), range(NEIGHBOURS))
    rounds(stack, neighbours, 1)
    idle = rounds(stack, neighbours, n)
    flood(stack, greedy_one, runs)
    try:
        first = how_many(stack, greedy_one.tenant, "ready")
        with Watch(stack, greedy_one.tenant) as quick:
            beside = rounds(stack, neighbours, n)
        ran = first - how_many(stack, greedy_one.tenant, "ready")
        greedy_one.play("products=2,fault=hang,ms=20000")
        time.sleep(2)  # until it holds as many hanging runs as it gets
        with Watch(stack, greedy_one.tenant) as hanging:
            beside += rounds(stack, neighbours, n)
    finally:
        greedy_one.lane("paused = true")
    late, usual = at_most(0.99, beside), statistics.median(idle)
    return Figure("%d due, %d of them ran meanwhile, %d at once at most, and %d when they hung; %d starts of others: p99 %.2f s, median "
                  "%.3f s; with nothing else due: p99 %.2f s, median %.3f s" % (
                      first, ran, quick.most, hanging.most, len(beside), late, statistics.median(beside), at_most(0.99, idle), usual),
                  ran > 0 and 0 < hanging.most <= LIMIT and 0 < quick.most <= LIMIT and late < 1 and statistics.median(beside) <= max(0.1, 2 * usual))


# --- 9b: many who want much ---

def crowd(stack, size):
    workspaces, n = SIZES[size][2:4]
    many, stage = Open(stack, MANY[:20]), Open(stack, [LIST])
    places = at_once(4, lambda _: many.install("products=2,fault=hang,ms=30000"), range(workspaces))
    last = stage.install("products=2")
    at_once(4, lambda place: place.ask_all(), places)
    tenants = "', '".join(place.tenant for place in places)
    try:
        def at_their_limit():
            return len(stack.sql("SELECT 1 FROM work.work WHERE state = 'running' AND tenant_id IN ('%s') GROUP BY tenant_id "
                                 "HAVING count(*) = %d" % (tenants, LIMIT)))
        end = time.monotonic() + 30
        while at_their_limit() < workspaces * 0.9 and time.monotonic() < end:
            time.sleep(0.2)
        full = at_their_limit()
        late = rounds(stack, [last], n)
    finally:
        for place in places:
            place.lane("paused = true")
    return Figure("%d workspaces with 20 due runs each, %d of them at their limit at once; %d starts of one more: p99 %.2f s, "
                  "median %.3f s" % (workspaces, full, len(late), at_most(0.99, late), statistics.median(late)),
                  at_most(0.99, late) < 1 and full >= workspaces * 0.9)


# --- 10: what a service allows ---

RATE, BURST = 25, 10
WAITS = ("upstream_rate_limited", "rate_limited")  # of the run that was told to, and of those beside it


class Fleet:
    """Two runners more."""

    def __init__(self, stack):
        self.stack, self.others = stack, []

    def __enter__(self):
        self.others = [self.stack.another_runner() for _ in range(2)]
        return self

    def __exit__(self, *_):
        for one in self.others:
            one.terminate()
        for one in self.others:
            one.wait(30)

    def share(self, place):
        """How many runners have held the place's runs, once each of the three has taken some: two sleep while
        one takes its own."""
        pids, seen = [self.stack.own_runner(), *(one.pid for one in self.others)], set()

        def so_many(n):
            seen.update(row[0] for row in self.stack.sql(
                "SELECT runner_id FROM work.work WHERE tenant_id = '%s' AND state = 'running'" % place.tenant))
            return len(seen) >= n
        for i, awake in enumerate(pids):
            asleep = [pid for pid in pids if pid != awake]
            try:
                for pid in asleep:
                    os.kill(pid, signal.SIGSTOP)
                place.lane("max_running = %d" % (4 * i + 4))
                play.until(lambda n=i + 1: so_many(n), 20, "another runner takes its share", 0.05)
            finally:
                for pid in asleep:
                    os.kill(pid, signal.SIGCONT)
        return len(seen)


def busy(stack, settings, limit, rate, burst):
    """A workspace with a dozen runs due at a service with a rate; none begins yet."""
    pipelines = [play.pipeline("r%02d" % i, limit=limit) for i in range(12)]
    place = Open(stack, pipelines, rateLimitConfig={"requestsPerSecond": rate, "burst": burst}).install(settings)
    place.lane("max_running = 0")
    return place, place.ask_all()


def pace(stack, size):
    """The service takes its time, so that runs are still under way when the third runner takes its share,
    also where nothing else holds them back."""
    seconds = SIZES[size][4]
    place, executions = busy(stack, "fault=hang,ms=120,products=%d" % max(5, RATE * seconds // 12 * 5), 5, RATE, BURST)
    with Fleet(stack) as fleet:
        holders = fleet.share(place)
        ends = [place.ended(one, 60 + 3 * seconds)["status"] for one in executions]
    times = [line["at"] / 1000 for line in place.ledger()]
    # between any two requests there were no more than that, give or take a tenth of a second on the way
    over = max(n + 1 - i - BURST - RATE * (at - since + 0.1) for i, since in enumerate(times) for n, at in enumerate(times) if n >= i)
    return Figure("%d requests in %.1f s by %d runners at %d a second and %d at once: at most %.1f over" % (
        len(times), times[-1] - times[0], holders, RATE, BURST, max(0, over)),
        over <= 0 and set(ends) == {"Success"} and holders == 3)


def silence(stack, size):
    seconds = SIZES[size][5]
    records, fine = (30, 10) if size == "short" else (60, 20)
    place, executions = busy(stack, "products=%d,fault=429,retry_after=%d,after=%d,times=1" % (records, seconds, fine), 15, 8, 2)
    with Fleet(stack) as fleet:
        holders = fleet.share(place)
        at, = play.until(lambda: [line["at"] / 1000 for line in place.ledger() if line["status"] == 429], 30,
                         "the upstream refuses", 0.05)
        time.sleep(1.5)
        mid = [place.execution(one)["waiting"] for one in executions]
        ends = [place.ended(one, seconds + 60)["status"] for one in executions]
    later = [line["at"] / 1000 - at for line in place.ledger() if line["at"] / 1000 > at]
    strays = sum(1 < one < seconds for one in later)
    waits = sum(one is not None and one["code"] in WAITS for one in mid)
    failed = sum(one != "Success" for one in ends)
    return Figure("%d runners, silence of %d s: %d requests in its first second, %d after that; %d of %d runs said that they "
                  "wait for it, %d failed" % (holders, seconds, sum(one <= 1 for one in later), strays, waits, len(mid), failed),
                  strays == 0 and sum(one <= 1 for one in later) <= holders and failed == 0 and waits >= len(mid) / 2 and holders == 3)


# --- 15: what is sent again ---

class Killer(threading.Thread):
    """kill -9 of a responder of one family, again and again."""

    def __init__(self, stack, family):
        super().__init__(daemon=True)
        self.stack, self.family, self.over, self.kills = stack, stack.program("catchment-%s.fcgi" % family), False, 0

    def run(self):
        while not self.over:
            time.sleep(0.4 + random.random() * 0.8)
            workers = self.stack.processes(self.family)
            if workers and not self.over:
                try:
                    os.kill(random.choice(workers), signal.SIGKILL)
                    self.kills += 1
                except ProcessLookupError:
                    pass


def post_until_answered(api, name):
    """What a careful client does: the same POST until it has an answer. Answers the new workspace's id, or
    the refusal."""
    for _ in range(200):
        try:
            answer = api("POST", "/tenants", {"name": name}, headers={"Idempotency-Key": name}, timeout=20)
        except (OSError, http.client.HTTPException, ValueError):  # a responder died in the middle of it
            continue
        if answer.status == 201:
            return answer.json["id"]
        if answer.status not in (409, 429, 500, 502, 503, 504):
            return "%d" % answer.status
        time.sleep(0.05)
    return "no answer"


def repeats(stack, size):
    posts, copies = SIZES[size][6:8]
    apis = [play.sign_up(stack.url, "poster") for _ in range(10)]
    names = [play.unique("Repeat") for _ in range(posts)]
    killer = Killer(stack, "account")
    killer.start()
    answers = {}
    try:
        with concurrent.futures.ThreadPoolExecutor(copies) as pool:
            for i, name in enumerate(names):
                api = apis[i % len(apis)]
                answers[name] = set(pool.map(lambda _: post_until_answered(api, name), range(copies)))
    finally:
        killer.over = True
        killer.join()
    rows = stack.sql("SELECT name, count(*), min(id::text) FROM identity.tenants WHERE name IN ('%s') GROUP BY name" %
                     "', '".join(names))
    made = {name: (int(n), one) for name, n, one in rows}
    single = sum(made.get(name, (0,))[0] == 1 for name in names)
    told = sum(answers[name] == {made.get(name, (0, None))[1]} for name in names)
    return Figure("%d POSTs, %d copies each, %d responders killed: %d made one object, %d gave one answer to all copies" % (
        posts, copies, killer.kills, single, told), single == told == posts and (killer.kills > 0 or size == "short"))


# --- 15b: what may not be sent again ---

def unrepeatable(stack, size):
    kills, runs = SIZES[size][8], 12
    change = play.pipeline("change", "change", None, retries=5)
    stage = Open(stack, [change])
    places = at_once(4, lambda _: stage.install("fault=hang,ms=700"), range(runs))
    ends, twice = [], 0
    for _ in range(kills):
        before = [len(place.ledger()) for place in places]
        pid = stack.own_runner()
        time.sleep(1)  # what lives less than a second is started again later
        executions = at_once(runs, lambda place: place.ask("change"), places)
        time.sleep(random.random() * 1.6)  # before it is sent, while it is answered, after that
        os.kill(pid, signal.SIGKILL)
        ends += [place.ended(one, 90) for place, one in zip(places, executions)]
        twice += sum(len(place.ledger()) - was > 1 for place, was in zip(places, before))
    codes = [end["error"]["code"] if end["error"] else end["status"] for end in ends]
    unknown, well = codes.count("outcome_unknown"), codes.count("Success")
    return Figure("%d runs, %d kills: %d ended well, %d as outcome_unknown, %d otherwise; %d requests were sent twice" % (
        len(ends), kills, well, unknown, len(ends) - well - unknown, twice),
        twice == 0 and well + unknown == len(ends) and (unknown > 0 < well or size != "full"))


PARTS = {"10": pace, "10b": silence, "15": repeats, "9": greedy, "9b": crowd, "15b": unrepeatable}


def campaign(house, size):
    wanted = getattr(house, "breaks", None) or PARTS
    found = {"10": not_run("test_pace.py does in short what this does")} if size == "short" else {}
    return {**found, **{number: part(house.stack, size) for number, part in PARTS.items()
                        if number in wanted and number not in found}}
