"""What the tests of whole runs play with: a running stack, its API, the simulated API behind it.

CATCHMENT_URL, UPSTREAM_URL and CATCHMENT_STATE (its state folder) name the stack; ./check sets them.
One creator publishes one collector with many pipelines; each test installs it in a workspace of its
own, with a scenario of its own, so tests do not disturb each other and may run at once."""
import base64
import hashlib
import http.client
import itertools
import json
import os
import pathlib
import secrets
import signal
import subprocess
import time
import urllib.parse

LIVE = ("Pending", "Running")
numbers = itertools.count(1)
session = secrets.token_hex(4)


def unique(name):
    return "%s-%s-%d" % (name, session, next(numbers))


def until(true, seconds, what, pause=0.02):
    """Asks again and again; the answer as soon as it is true."""
    end = time.monotonic() + seconds
    while True:
        answer = true()
        if answer:
            return answer
        assert time.monotonic() < end, "%s: not within %s s" % (what, seconds)
        time.sleep(pause)


class Answer:
    def __init__(self, status, headers, raw):
        self.status, self.headers, self.raw = status, headers, raw

    @property
    def json(self):
        return json.loads(self.raw)

    def __repr__(self):
        return "%d %s" % (self.status, self.raw[:2000].decode("utf-8", "replace"))


class Api:
    """One caller of the API; keeps no connection, so a restarted server is no surprise."""

    def __init__(self, url, token=None):
        self.url, self.token = url.rstrip("/"), token
        self.at = urllib.parse.urlsplit(self.url)

    def __call__(self, method, path, body=None, headers=None, timeout=90, raw=False):
        link = http.client.HTTPConnection(self.at.hostname, self.at.port, timeout=timeout)
        headers = dict(headers or {})
        if self.token:
            headers["Authorization"] = "Bearer " + self.token
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
        try:
            link.request(method, path if raw else "/api/v1" + path, body=body, headers=headers)
            answer = link.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            link.close()

    def ok(self, method, path, body=None, status=None, **more):
        answer = self(method, path, body, **more)
        assert answer.status == status if status else 200 <= answer.status < 300, \
            "%s %s answered %r" % (method, path, answer)
        return answer.json if answer.raw else None

    def get(self, path, **more):
        return self.ok("GET", path, **more)

    def post(self, path, body=None, **more):
        return self.ok("POST", path, body, **more)


def sign_up(url, name):
    """A new user with a workspace of its own."""
    api = Api(url)
    mail = unique(name) + "@example.com"
    api.token = api.post("/sign-up", {"email": mail, "password": "a long password " + session,
                                      "name": name, "workspace": unique(name)}, status=201)["token"]
    api.mail = mail
    return api


# --- the definition that everybody plays with ---

def parameter(name, kind="string", **more):
    return {"name": name, "type": kind, "location": "query", **more}


def function(way, *names):
    return {"id": way, "name": way, "method": "GET", "path": "/%s/products" % way,
            "parameters": [parameter(name) for name in names]}


SOURCE = {
    "name": "Play API", "description": "Serves what a scenario says", "protocol": "REST",
    "configFields": [
        {"name": "address", "type": "Url", "label": "Address", "required": True},
        {"name": "apiKey", "type": "Password", "label": "Key", "required": True, "encrypted": True}],
    "authConfig": {"type": "ApiKey",
                   "details": {"name": "X-Api-Key", "location": "header", "value": "{config.apiKey}"}},
    "functions": [
        function("cursor", "cursor", "limit", "updated_since"), function("page", "page", "per_page"),
        function("offset", "offset", "limit"), function("link", "page", "per_page"),
        function("header", "cursor", "limit"), function("whole")],
    "category": "Play",
}
CURSOR = {"type": "cursor", "cursorParam": "cursor", "cursorPath": "next_cursor", "hasMorePath": "has_more"}


def pipeline(name, way="cursor", paging=CURSOR, limit=None, ingestion=None, steps=(), retries=1,
             timeout=10, **statics):
    if limit:
        statics["per_page" if way in ("page", "link") else "limit"] = str(limit)
    made = {"id": name, "name": "Play " + name, "functionId": way, "staticParameters": statics,
            "processingSteps": [
                {"name": "Ask", "type": "api-call",
                 "config": {"retries": retries, "timeoutSeconds": timeout}},
                *([{"name": "Turn", "type": "pagination", "config": paging}] if paging else []),
                *steps, {"name": "Store", "type": "store-database"}]}
    if ingestion:
        made["dataIngestion"] = ingestion
    return made


PIPELINES = [
    pipeline("by-cursor", limit=50),
    pipeline("hasty", limit=50, timeout=1),
    pipeline("small-pages", limit=25, retries=5),
    pipeline("by-page", "page", {"type": "page", "hasMorePath": "has_more"}, limit=50),
    pipeline("by-offset", "offset", {"type": "offset", "pageSize": 50, "totalPath": "total"}),
    pipeline("by-link", "link", {"type": "link"}, limit=50),
    pipeline("by-header", "header", {"type": "cursor", "cursorParam": "cursor",
                                     "cursorHeader": "X-Next-Cursor"}, limit=50),
    pipeline("whole", "whole", None),
    pipeline("incremental", limit=50, updated_since="{cursor}",
             ingestion={"strategy": "incremental", "cursorField": "updated_at"}),
    pipeline("append", limit=50, ingestion={"strategy": "append"}),
    pipeline("append-small", limit=25, retries=5, ingestion={"strategy": "append"}),
]


class Stack:
    """The running stack: where it is, and its programs."""

    def __init__(self, url, upstream, state):
        self.url, self.upstream, self.state = url, Api(upstream), pathlib.Path(state)
        address = (self.state / "run/address").read_text()
        self.sockets = dict(word.split("=", 1) for word in address.split())["SOCKETS"]
        self.uid = (self.state / "data").stat().st_uid
        self.others = []  # runners beside catchmentd's

    # --- the simulated API ---

    def scenario(self, name, settings):
        self.upstream.ok("PUT", "/_scenario/" + name, settings.encode(), raw=True)

    def ledger(self, name):
        """What the simulated API served in a scenario, in order."""
        answer = self.upstream("GET", "/_ledger?scenario=" + name, raw=True)
        return [json.loads(line) for line in answer.raw.splitlines()]

    # --- programs and the database, as the user who owns them ---

    def as_owner(self, *words):
        if os.geteuid() == self.uid:
            return list(words)
        return ["setpriv", "--reuid=%d" % self.uid, "--regid=%d" % self.uid, "--clear-groups",
                *words]

    def sql(self, text):
        """Rows of a statement, run as the database's superuser, whom no policy binds."""
        done = subprocess.run(
            self.as_owner("psql", "-h", self.sockets, "-U", "postgres", "-AtqX", "-F", "\t",
                          "-v", "ON_ERROR_STOP=1", "-c", text, "catchment"),
            capture_output=True, text=True, cwd="/")
        assert done.returncode == 0, done.stderr
        return [line.split("\t") for line in done.stdout.splitlines()]

    def processes(self, program):
        """Ids of this stack's processes of that program, by their command lines."""
        found = []
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                words = (folder / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if words[0].decode("utf-8", "replace") == str(program):
                found.append(int(folder.name))
        return sorted(found)

    def program(self, name):
        return str(self.state / "app/libexec/catchment" / name)

    def runners(self):
        return self.processes(self.program("catchment-runner"))

    def own_runner(self):
        """The runner that catchmentd keeps, once there is one."""
        daemon = until(lambda: self.processes(self.program("catchmentd")), 10, "catchmentd")[0]

        def child():
            for pid in self.runners():
                if int(pathlib.Path("/proc/%d/stat" % pid).read_text().rsplit(")", 1)[1].split()[1]) == daemon:
                    return pid
        return until(child, 20, "catchmentd starts a runner")

    def leases(self):
        """Ids of the runners that the database knows."""
        return {row[0] for row in self.sql("SELECT id FROM work.runner")}

    def another_runner(self, conf=None):
        """A second runner, beside catchmentd's; its lease is second.lease."""
        before = self.leases()
        log = open(self.state / "log/second-runner.log", "ab")
        second = subprocess.Popen(
            self.as_owner(self.program("catchment-runner"), "--conf", str(conf or self.state / "catchment.conf")),
            stderr=log, stdin=subprocess.DEVNULL, cwd="/")
        self.others.append(second)
        second.lease, = until(lambda: self.leases() - before, 20, "a second runner starts")
        return second

    def others_end(self):
        for one in self.others:
            one.kill()
            one.wait()
        self.others = []

    def leases_lapse(self, leases):
        """Half a minute passes for these leases: what they held may be taken, and is, as some runner
        would do within five seconds."""
        self.sql("UPDATE work.runner SET lease_until = clock_timestamp() - interval '1 second' "
                 "WHERE id = ANY ('{%s}');"
                 "SELECT count(*) FROM work.reap(100)" % ",".join(leases))

    def kill_runner(self, beside=()):
        """kill -9 of catchmentd's runner, and its lease's time passes; beside: leases of others."""
        pid, leases = self.own_runner(), self.leases() - set(beside)
        os.kill(pid, signal.SIGKILL)
        until(lambda: not alive(pid), 5, "the runner is gone")
        self.leases_lapse(leases)

    def logs(self):
        return {path: path.read_bytes() for path in sorted((self.state / "log").iterdir())
                if path.is_file()}


def alive(pid):
    try:
        return pathlib.Path("/proc/%d/stat" % pid).read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


class Stage:
    """The published collector."""

    def __init__(self, stack, pipelines=None):
        self.stack = stack
        self.creator = sign_up(stack.url, "creator")
        source = self.creator.post("/datasources/manual", SOURCE, status=201)["id"]
        self.collector = self.creator.post("/collectors", {
            "name": unique("Play"), "dataSourceId": source, "pipelines": pipelines or PIPELINES}, status=201)["id"]
        self.creator.post("/collectors/%s/publish" % self.collector, {"version": "1.0.0"})

    def install(self, settings="", key=None, address=None):
        return Installed(self, settings, key, address)


class Installed:
    """One workspace with the collector installed, and one scenario that its runs collect from."""

    def __init__(self, stage, settings, key, address):
        self.stack, self.name = stage.stack, unique("s")
        self.play(settings)
        self.api = sign_up(self.stack.url, "tenant")
        self.key = key or "key-" + secrets.token_hex(12)
        self.id = self.api.post("/collectors/%s/install" % stage.collector, {
            "instanceName": "Play", "tenantConfig": {
                "address": address or "%s/s/%s" % (self.stack.upstream.url, self.name),
                "apiKey": self.key}}, status=201)["instanceId"]

    def play(self, settings):
        self.stack.scenario(self.name, settings)

    def ledger(self):
        return self.stack.ledger(self.name)

    def ask(self, pipeline="by-cursor"):
        made = self.api.post("/collector-instances/%s/execute" % self.id, {"pipelineId": pipeline})
        return made["executions"][0]["executionId"]

    def execution(self, execution):
        return self.api.get("/executions/" + execution)

    def ended(self, execution, seconds=30):
        def over():
            now = self.execution(execution)
            return now if now["status"] not in LIVE else None
        return until(over, seconds, "execution %s ends" % execution, 0.05)

    def settled(self, execution, seconds=30, shortest_s=3):
        """Over, or in a wait that a test does not sit out."""
        def still():
            now = self.execution(execution)
            if now["status"] not in LIVE:
                return now
            waiting = now["waiting"]
            # a run that nobody has taken yet waits too, but not until a moment
            return now if waiting and waiting["until"] and seconds_until(waiting["until"]) > shortest_s else None
        return until(still, seconds, "execution %s settles" % execution, 0.05)

    def run(self, pipeline="by-cursor", seconds=30):
        return self.ended(self.ask(pipeline), seconds)

    def cancel(self, execution):
        return self.api.post("/executions/%s/cancel" % execution, status=202)

    def listed(self, path, member):
        items, cursor = [], ""
        while cursor is not None:
            page = self.api.get("%s%slimit=200%s" % (
                path, "&" if "?" in path else "?",
                "&cursor=" + urllib.parse.quote(cursor) if cursor else ""))
            items += page[member]
            cursor = page["nextCursor"]
        return items

    def log(self, execution, kind=None):
        path = "/executions/%s/log" % execution
        return self.listed(path + ("?kind=" + kind if kind else ""), "entries")

    def quarantine(self, execution):
        return self.listed("/executions/%s/quarantine" % execution, "records")

    def export(self, pipeline="by-cursor", vanished=False):
        """The records' own bytes; the trailer is checked and left out."""
        answer = self.api("GET", "/collector-instances/%s/records.ndjson?stream=%s%s" % (
            self.id, pipeline, "&vanished=true" if vanished else ""))
        assert answer.status == 200, answer
        lines = answer.raw.splitlines(keepends=True)
        trailer = json.loads(lines.pop())["_catchment"]
        assert trailer == {"records": len(lines),
                           "sha256": hashlib.sha256(b"".join(lines)).hexdigest()}
        return [line[:-1] for line in lines]

    def served(self, settings="", rest="whole/products"):
        """The bytes of each record that the simulated API has, in its order."""
        answer = self.stack.upstream("GET", "/s/%s/%s" % (unique("look") + ("," + settings if settings else ""),
                                                         rest), raw=True)
        assert answer.status == 200, answer
        return elements(answer.raw)


def elements(array):
    """The bytes of the elements of a JSON array, found by brackets and quotes alone."""
    found, depth, quoted, escaped, start = [], 0, False, False, 1
    for i, c in enumerate(array):
        if quoted:
            quoted = escaped or c != 0x22
            escaped = not escaped and c == 0x5C
        elif c == 0x22:
            quoted = True
        elif c in b"[{":
            depth += 1
        elif c in b"]}":
            depth -= 1
        if not quoted and (c == 0x2C and depth == 1 or depth == 0):
            found.append(array[start:i].strip())
            start = i + 1
            if depth == 0:
                break
    return found


def seconds_until(text):
    import datetime
    at = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (at - datetime.datetime.now(datetime.timezone.utc)).total_seconds()


def forms(secret):
    """How a secret may look where it should not be: raw, base64, hex, percent-encoded."""
    raw = secret.encode()
    forms = {raw, raw.hex().encode(), raw.hex().upper().encode(),
             urllib.parse.quote(secret, safe="").encode(), urllib.parse.quote_plus(secret).encode(),
             json.dumps(secret)[1:-1].encode()}
    for cut in range(3):  # inside a longer text base64 shifts by 0, 1 or 2 bytes
        forms.add(base64.b64encode(raw[cut:])[:(len(raw) - cut) // 3 * 4])
        forms.add(base64.urlsafe_b64encode(raw[cut:])[:(len(raw) - cut) // 3 * 4])
    return forms


def leaks(secret, data):
    """The forms of a secret that stand in these bytes."""
    return [form for form in forms(secret) if form in data]
