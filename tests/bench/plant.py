"""What the bench's modules work with: a stack with PostgreSQL as durable as it comes, an upstream that is no
bottleneck, the bare programs, and workspaces that collect from it."""
import concurrent.futures
import os
import pathlib
import signal
import subprocess
import time

import report  # noqa: F401  (finds the campaigns' modules)
import house as houses
import play

# All workspaces talk to one upstream, and it is no one's to spare. The bench's own is the only address let through.
SETTINGS = """EGRESS_ALLOW=127.0.0.1/32:%d
RUNNER_HOST_RATE=0
RUNNER_SERVICE_RUNS=0
"""
FUNCTION = {"id": "products", "name": "products", "method": "GET", "path": "/products", "recordsPath": "products",
            "parameters": [play.parameter("cursor"), play.parameter("limit")]}
SOURCE = {**play.SOURCE, "name": "Bench API", "functions": [FUNCTION],
          "rateLimitConfig": {"requestsPerSecond": 10000, "burst": 10000}}
PAGE = 250
TICKS = os.sysconf("SC_CLK_TCK")


def pipeline(name, limit=PAGE, steps=(), **more):
    return play.pipeline(name, "products", play.CURSOR, limit=limit, steps=steps, timeout=60, **more)


class Bench(houses.House):
    """A campaign's house, with the bench's upstream beside it. short: as small as shows that it works."""

    def __init__(self, folder, settings="", postgres="", short=False):
        self.upstream_port, self.short, self.upstream = houses.free_port(), short, None
        super().__init__(folder, None, SETTINGS % self.upstream_port + settings, postgres)

    def __exit__(self, *_):
        if self.upstream:
            self.upstream.kill()
            self.upstream.wait()
        super().__exit__()

    # --- programs of the bench's own ---

    def program(self, name):
        tree = self.state / "build/tree"
        made = subprocess.run(["make", "-s", "-C", tree, "tests/bench/" + name], capture_output=True, text=True, check=False)
        assert made.returncode == 0, made.stdout + made.stderr
        return str(tree / "tests/bench" / name)

    def dsn(self):
        return "host=%s dbname=catchment user=catchment_run" % self.stack.sockets

    def bare(self, name, *words):
        """What a bare program prints, as the user who owns the database."""
        done = subprocess.run(self.stack.as_owner(self.program(name), *map(str, words)), capture_output=True, text=True,
                              cwd="/", check=False)
        assert done.returncode == 0, "%s %s: %s" % (name, words, done.stderr)
        return [float(word) for word in done.stdout.split()]

    def upstream_begin(self):
        if not self.upstream:
            self.upstream = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", self.program("bare_upstream"),
                                              str(self.upstream_port)],
                                             stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, cwd="/")
            assert self.upstream.stdout.readline() == b"listening\n", "the upstream did not start"

    def address(self, records):
        """Where that many records are."""
        return "http://127.0.0.1:%d/%s" % (self.upstream_port, records)

    def revise(self, revision):
        """From now on every record is in its revision 1 to 9."""
        answer = play.Api("http://127.0.0.1:%d" % self.upstream_port)("GET", "/_revision/%d" % revision, raw=True)
        assert answer.status == 200, answer

    # --- the database ---

    def sql_file(self, name):
        with open(pathlib.Path(__file__).with_name(name), encoding="utf-8") as text:
            self.stack.sql(text.read())

    def settle(self):
        """What was written before shall not be written out while the next thing is measured."""
        self.stack.sql("CHECKPOINT")

    def forget_records(self):
        self.stack.sql("TRUNCATE collect.records, collect.ledger, collect.journal")

    def forget_live(self):
        """Nothing is under way any more."""
        play.until(lambda: self.stack.sql(
            "SELECT count(*) FROM collect.collector_executions WHERE state IN ('pending', 'running', 'waiting')") == [["0"]],
            600, "all runs end", 1)

    # --- processes ---

    def new_runner(self):
        """The runner, started anew; what it held comes back."""
        before, leases = self.stack.own_runner(), self.stack.leases()
        time.sleep(1.1)  # what lives less than a second is started again later
        os.kill(before, signal.SIGTERM)
        play.until(lambda: not play.alive(before), 30, "the runner ends")
        play.until(lambda: self.stack.leases() - leases, 30, "another one starts", 0.1)
        return self.stack.own_runner()

    def own_processes(self):
        """Ours: not the simulated API, which catchmentd keeps for tests, not PostgreSQL, not nginx."""
        programs = str(self.state / "app/libexec/catchment") + "/"
        found = []
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                name = (folder / "cmdline").read_bytes().split(b"\0")[0].decode("utf-8", "replace")
            except OSError:
                continue
            if name.startswith(programs) and name != programs + "upstream":
                found.append(int(folder.name))
        return found

    def memory_mib(self, pids):
        """Their proportional set size: what is shared counts once over all who share it. Who holds secrets shows that
        to root alone; for anybody else all of its resident memory counts."""
        def kib(pid):
            try:
                return status_kib("/proc/%d/smaps_rollup" % pid, "Pss")
            except PermissionError:
                return status_kib("/proc/%d/status" % pid, "VmRSS")
        return sum(map(kib, pids)) / 1024


def status_kib(path, name):
    for line in pathlib.Path(path).read_text(encoding="ascii").splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1])
    raise AssertionError("%s has no %s" % (path, name))


def peak_mib(pid):
    return status_kib("/proc/%d/status" % pid, "VmHWM") / 1024


def cpu_s(pid):
    """Of all its threads, user and system."""
    fields = pathlib.Path("/proc/%d/stat" % pid).read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def at_once(workers, act, items):
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        return list(pool.map(act, items))


def in_turn(round_number, *acts):
    """Who begins changes from round to round; answers come in the order of acts."""
    order = range(len(acts)) if round_number % 2 == 0 else reversed(range(len(acts)))
    found = {i: acts[i]() for i in order}
    return [found[i] for i in range(len(acts))]


class Plant:
    """A published collector of the bench's upstream."""

    def __init__(self, house, pipelines):
        self.house, self.stack = house, house.stack
        house.upstream_begin()
        creator = play.sign_up(self.stack.url, "creator")
        source = creator.post("/datasources/manual", SOURCE, status=201)["id"]
        self.collector = creator.post("/collectors", {
            "name": play.unique("Bench"), "dataSourceId": source, "pipelines": pipelines}, status=201)["id"]
        creator.post("/collectors/%s/publish" % self.collector, {"version": "1.0.0"})

    def install(self, records):
        return Place(self, self.house.address(records))


class Place(play.Installed):
    """One workspace with the collector installed."""

    def __init__(self, plant, address):
        self.stack, self.name = plant.stack, play.unique("b")
        self.api = play.sign_up(self.stack.url, "tenant")
        self.id = self.api.post("/collectors/%s/install" % plant.collector, {
            "instanceName": "Bench", "tenantConfig": {"address": address, "apiKey": "key-" + self.name}},
            status=201)["instanceId"]
        self.tenant, = self.stack.sql("SELECT tenant_id FROM collect.collector_instances WHERE id = '%s'" % self.id)[0]

    def ask_all(self):
        made = self.api.post("/collector-instances/%s/execute" % self.id, {})
        return [one["executionId"] for one in made["executions"]]


def collected(places, name):
    """Runs that pipeline in all places at once. Answers seconds from the first start to the last end, and the sums of
    records, new, changed; all as the database has them."""
    asked = [(place, place.ask(name)) for place in places]
    for place, execution in asked:
        def over(place=place, execution=execution):
            now = place.execution(execution)
            return now if now["status"] not in play.LIVE else None
        ended = play.until(over, 1200, "execution %s ends" % execution, 0.2)
        assert ended["status"] == "Success", ended
    row, = places[0].stack.sql(
        "SELECT extract(epoch FROM max(completed_at) - min(started_at)), sum(records_processed), sum(records_new), "
        "sum(records_changed) FROM collect.collector_executions WHERE id IN ('%s')" % "', '".join(e for _, e in asked))
    return [float(cell) for cell in row]
