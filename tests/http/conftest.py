"""What every HTTP test uses: a running stack, clients of fresh workspaces, and how answers look.

CATCHMENT_URL names the stack (./start prints it), UPSTREAM_URL the simulated API beside it. Each
test makes workspaces of its own, so tests neither see nor disturb each other.
"""
import http.client
import itertools
import json
import os
import re
import secrets
import subprocess
import time
import urllib.parse

import pytest

import schema

PASSWORD = "a long enough password"
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\Z")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z")
DATA = os.path.join(os.path.dirname(__file__), "..", "data")
counter = itertools.count()
# Nobody's answer about the marketplace may be five seconds old (test_market_cache.py), but with a condition.
PAST_THE_CACHE = {"If-Modified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"}


descriptions = {}  # by server; None: it describes nothing (the simulated API)


def described(base):
    """The description that a server gives of itself."""
    if base.netloc not in descriptions:
        connection = http.client.HTTPConnection(base.hostname, base.port, timeout=30)
        try:
            connection.request("GET", "/api/v1/openapi.json", headers={"Host": base.netloc})
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        found = response.status == 200 and response.headers["Content-Type"] == "application/json"
        descriptions[base.netloc] = schema.Description(json.loads(body)) if found else None
    return descriptions[base.netloc]


def check_described(base, method, path, body, answer):
    """Each answer, whatever a test looks at in it, is as the API describes itself; so is each body
    that was taken."""
    below = re.match(r"/api(?:/v1)?(/.*)", "/api/v1" + path if path.startswith("/") else "/" + path)
    description = described(base) if below else None
    if description:
        wrong = description.judge(method, below[1], answer)
        if body is not None and 200 <= answer.status < 300:
            wrong += description.judge_taken(method, below[1], body)
        assert not wrong, (method, path, answer.status, wrong[:5], answer.body[:500])


def unique(word):
    return f"{word} {next(counter)}-{secrets.token_hex(4)}"


def seed(name):
    """A document of the first seed's examples."""
    with open(os.path.join(DATA, "seed-000", name), encoding="utf-8") as file:
        return json.load(file)


def once(pairs):
    """An object whose names stand once each; readers differ in what they make of others."""
    names = [name for name, _ in pairs]
    assert len(names) == len(set(names)), ("a name twice in one object", names)
    return dict(pairs)


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self):
        return json.loads(self.body, object_pairs_hook=once)

    def __getitem__(self, member):
        return self.json[member]

    def pointers(self):
        """{pointer: code} of a problem document."""
        return {p.get("pointer", p.get("parameter")): p["code"] for p in self.json.get("errors", [])}


def check_problem(answer):
    """Every refusal has the same shape (RFC 9457)."""
    assert answer.headers["Content-Type"] == "application/problem+json", answer.body[:300]
    problem = answer.json
    for member, kind in (("type", str), ("title", str), ("status", int), ("detail", str),
                         ("instance", str), ("code", str)):
        assert isinstance(problem[member], kind), (member, problem)
    assert problem["status"] == answer.status
    assert 10 < len(problem["detail"]) < 400, problem
    for entry in problem.get("errors", []):
        assert "pointer" in entry or "parameter" in entry, problem
        assert entry["code"] and entry["detail"], problem
    assert not re.search(r"SELECT|INSERT|UPDATE |pg_|\.c:\d|/usr/|/home/", answer.body.decode()), problem


class Client:
    """Speaks to one stack as one user; each call asserts the status that it expects."""

    def __init__(self, base, token=None):
        self.base = urllib.parse.urlsplit(base)
        self.token = token
        self.profile = None

    def send(self, method, path, body=None, headers=None, raw=None):
        """The answer, whatever it is. raw is sent as it stands, body as JSON."""
        sent = {"Host": self.base.netloc}
        payload = raw
        if body is not None:
            payload = json.dumps(body).encode()
        if payload is not None:
            sent["Content-Type"] = "application/json"
        if self.token:
            sent["Authorization"] = "Bearer " + self.token
        elif path.startswith("/marketplace/"):
            sent.update(PAST_THE_CACHE)
        sent.update(headers or {})
        sent = {name: value for name, value in sent.items() if value is not None}
        connection = http.client.HTTPConnection(self.base.hostname, self.base.port, timeout=90)
        try:
            connection.request(method, "/api/v1" + path if path.startswith("/") else "/" + path,
                               body=payload, headers=sent)
            response = connection.getresponse()
            answer = Answer(response.status, response.headers, response.read())
        finally:
            connection.close()
        assert answer.status not in (500, 502), (method, path, answer.body[:500])
        check_described(self.base, method, path, body, answer)
        return answer

    def ask(self, method, path, status, code=None, **rest):
        answer = self.send(method, path, **rest)
        assert answer.status == status, (method, path, answer.status, answer.body[:800])
        if status >= 400:
            check_problem(answer)
            if code:
                assert answer["code"] == code, answer.json
        return answer

    def get(self, path, status=200, code=None, **rest):
        return self.ask("GET", path, status, code, **rest)

    def post(self, path, body=None, status=201, code=None, **rest):
        return self.ask("POST", path, status, code, body=body, **rest)

    def put(self, path, body=None, status=200, code=None, **rest):
        return self.ask("PUT", path, status, code, body=body, **rest)

    def patch(self, path, body=None, status=200, code=None, **rest):
        return self.ask("PATCH", path, status, code, body=body, **rest)

    def delete(self, path, status=204, code=None, **rest):
        return self.ask("DELETE", path, status, code, **rest)

    def with_token(self, token):
        other = Client(self.base.geturl(), token)
        other.profile = self.profile
        return other

    def with_scopes(self, *scopes):
        return self.with_token(self.post("/tokens", {"name": unique("t"), "scopes": list(scopes)})["token"])

    def member(self, role):
        """A new user who joined this workspace with that role."""
        email = unique("m").replace(" ", "-") + "@example.com"
        token = self.post("/invitations", {"email": email, "role": role})["token"]
        answer = Client(self.base.geturl()).post(
            "/invitations/accept", {"token": token, "password": PASSWORD, "name": role})
        other = self.with_token(answer["token"])
        other.profile = answer.json
        return other

    def every(self, path, nouns, **rest):
        """All items of a list, page by page."""
        cursor, out = "", []
        while cursor is not None:
            more = ("&" if "?" in path else "?") + "cursor=" + cursor if cursor else ""
            page = self.get(path + more, **rest)
            out += page[nouns]
            cursor = page["nextCursor"]
            assert ('rel="next"' in page.headers.get("Link", "")) == (cursor is not None)
        return out


@pytest.fixture(scope="session")
def api():
    url = os.environ.get("CATCHMENT_URL")
    if not url:
        pytest.skip("CATCHMENT_URL names no running stack")
    return url.rstrip("/")


@pytest.fixture(scope="session")
def upstream_url():
    url = os.environ.get("UPSTREAM_URL")
    if not url:
        pytest.skip("UPSTREAM_URL names no simulated API")
    return url.rstrip("/")


@pytest.fixture(scope="session")
def anyone(api):
    """Nobody in particular: no token."""
    return Client(api)


@pytest.fixture(scope="session")
def make_tenant(api):
    """Signs a new user up; the client speaks for its new workspace."""
    def make(**members):
        email = unique("user").replace(" ", "-") + "@example.com"
        body = {"email": email, "password": PASSWORD, "name": "Test", "workspace": unique("Space")}
        body.update(members)
        client = Client(api)
        answer = client.post("/sign-up", body)
        client.token = answer["token"]
        client.profile = answer.json
        client.email = body["email"]
        client.tenant = answer["tenant"]["id"]
        client.workspace = answer["tenant"]["name"]
        client.user = answer["user"]["id"]
        return client
    return make


def as_owner(state, *words):
    """A program as the system user whom the stack belongs to: the database knows no other."""
    owner = os.stat(state + "/data")
    become = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if os.geteuid() != owner.st_uid else {}
    return subprocess.run(words, capture_output=True, text=True, cwd="/", **become)


def operate(state, *words):
    return as_owner(state, state + "/app/bin/catchment", "--conf", state + "/catchment.conf", *words)


@pytest.fixture(scope="module", autouse=True)
def forgiven():
    """All tests come from one network, which may fail to sign in twenty times an hour: what a module did
    on purpose is forgotten when it ends, so that nobody after it is kept waiting."""
    yield
    state = os.environ.get("CATCHMENT_STATE")
    if state:
        with open(state + "/run/address", encoding="utf-8") as address:
            sockets = dict(word.split("=", 1) for word in address.read().split())["SOCKETS"]
        done = as_owner(state, "psql", "-h", sockets, "-U", "postgres", "-qXc", "DELETE FROM identity.sign_in_throttle",
                        "catchment")
        assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def make_administrator(make_tenant):
    """A user of a new workspace with a role on the platform, given as an operator gives it."""
    state = os.environ.get("CATCHMENT_STATE")
    if not state:
        pytest.skip("CATCHMENT_STATE names no installed programs")

    def make(role):
        client = make_tenant()
        client.operate = lambda *words: operate(state, *words)
        done = client.operate("user", "role", client.email, role)
        assert done.returncode == 0, done.stderr
        return client
    return make


@pytest.fixture()
def tenant(make_tenant):
    return make_tenant()


@pytest.fixture()
def other_tenant(make_tenant):
    return make_tenant()


@pytest.fixture(scope="module")
def shared_tenant(make_tenant):
    """For tests that only read, or only write what is their own."""
    return make_tenant()


def check_shape(value, shape, at=""):
    """shape: a type, a regular expression, a tuple of alternatives, [shape of the items], or a dict
    of members; a member whose name ends in ? may be absent. Members beyond those fail."""
    if isinstance(shape, dict):
        assert isinstance(value, dict), (at, value)
        names = {name.rstrip("?") for name in shape}
        assert set(value) <= names, (at, "beyond the shape", set(value) - names)
        for name, inner in shape.items():
            if name.endswith("?") and name.rstrip("?") not in value:
                continue
            assert name.rstrip("?") in value, (at, "absent", name)
            check_shape(value[name.rstrip("?")], inner, at + "/" + name.rstrip("?"))
    elif isinstance(shape, list):
        assert isinstance(value, list), (at, value)
        for i, item in enumerate(value):
            check_shape(item, shape[0], f"{at}/{i}")
    elif isinstance(shape, tuple):
        for one in shape:
            try:
                return check_shape(value, one, at)
            except AssertionError:
                continue
        raise AssertionError((at, value, "is none of", shape))
    elif isinstance(shape, re.Pattern):
        assert isinstance(value, str) and shape.match(value), (at, value, shape.pattern)
    elif shape is None or isinstance(shape, (str, bool, int)):
        assert value == shape and type(value) is type(shape), (at, value, shape)
    elif shape is int:
        assert type(value) is int, (at, value)
    else:
        assert isinstance(value, shape), (at, value, shape)
    return None


def contains(value, part, at=""):
    """Everything in part is in value, as it is written there."""
    if isinstance(part, dict):
        for name, inner in part.items():
            assert name in value, (at, name)
            contains(value[name], inner, at + "/" + name)
    elif isinstance(part, list):
        assert len(value) == len(part), (at, value, part)
        for i, (a, b) in enumerate(zip(value, part)):
            contains(a, b, f"{at}/{i}")
    else:
        assert value == part and type(value) is type(part), (at, value, part)


def wait_until(ask, seconds=20):
    """The first true answer of ask(), or a failure."""
    end = time.monotonic() + seconds
    while True:
        found = ask()
        if found:
            return found
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)
