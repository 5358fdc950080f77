"""The frame against a real database: tokens, idempotency keys, cursors, versions. The account family
serves; tests/pg.sh gives a private PostgreSQL. CATCHMENT_BUILD names the build folder."""
import json
import os
import signal
import subprocess
import threading
import time

import pytest

from test_web import BUILD, FAMILIES, SOURCE, Stack, problem

JSON = {"Content-Type": "application/json"}
MIGRATIONS_MISSING = b"migrations_missing"


class Server:
    """A private PostgreSQL that ends with us."""

    def __init__(self):
        self.process = subprocess.Popen(
            ["sh", str(SOURCE / "tests/pg.sh"), "sh", "-c", 'echo "$CATCHMENT_TEST_DB"; exec cat'],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.conninfo = self.process.stdout.readline().strip()
        assert self.conninfo, "tests/pg.sh gave no database"
        self.sql("CREATE DATABASE catchment", "postgres")
        subprocess.run(["psql", "-qX", "-v", "ON_ERROR_STOP=1", self.role("postgres"), "-f",
                        str(SOURCE / "sql/roles.sql")], check=True, stdout=subprocess.DEVNULL)

    def role(self, user, database="catchment"):
        words = [w for w in self.conninfo.split() if not w.startswith(("user=", "dbname="))]
        return " ".join(words + ["dbname=" + database, "user=" + user])

    def sql(self, text, database="catchment"):
        done = subprocess.run(["psql", "-qXAt", "-v", "ON_ERROR_STOP=1", self.role("postgres", database), "-c", text],
                              check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def settings(self):
        lines = ["DB_%s='%s'" % (r.upper(), self.role("catchment_" + r)) for r in ("migrate", "web", "trial", "export")]
        lines += ["WORKERS_%s=0" % name.upper() for name in FAMILIES if name != "account"]
        return "\n".join(lines + ["WORKERS_ACCOUNT=4", "PASSWORD_LOG2N=5", "RATE_PER_MINUTE=0", ""])

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)


class Account(Stack):
    """The real account family."""

    def __init__(self, database, settings=""):
        self.database = database
        super().__init__(database.settings() + settings, rate="100000r/s")

    def start_supervisor(self):
        program = self.programs / "catchment-account.fcgi"
        program.unlink()
        program.symlink_to((BUILD / "catchment-account.fcgi").resolve())
        super().start_supervisor()

    def wait_ready(self):
        for _ in range(200):
            try:
                status, _, body = self.get("/readyz")
                if status == 200 or MIGRATIONS_MISSING in body:
                    return
            except OSError:
                pass
            time.sleep(0.05)
        raise AssertionError(self.lines())

    def migrate(self):
        subprocess.run([str(BUILD / "catchment"), "--conf", str(self.dir / "conf"), "migrate"], check=True,
                       capture_output=True, env=dict(os.environ, MIGRATIONS_DIR=str(SOURCE / "sql/migrations")))

    def sign_up(self, email):
        status, _, body = self.ask("POST", "/api/v1/sign-up", JSON, json.dumps(
            {"email": email, "password": "a long enough password 1", "name": email[0], "workspace": email}))
        assert status == 201, body
        return json.loads(body)["token"]


@pytest.fixture(scope="module")
def database():
    d = Server()
    yield d
    d.close()


@pytest.fixture(scope="module")
def account(database):
    a = Account(database)
    try:
        problem(a.get("/readyz"), 503, "migrations_missing")
        assert a.get("/healthz")[0] == 200
        a.migrate()
        assert a.get("/readyz")[0] == 200
        yield a
    finally:
        status = a.close()
    assert status == 0


@pytest.fixture(scope="module")
def alice(account):
    return {"Authorization": "Bearer " + account.sign_up("alice@example.com")}


@pytest.fixture(scope="module")
def bob(account):
    return {"Authorization": "Bearer " + account.sign_up("bob@example.com")}


def with_key(headers, key):
    return dict(headers, **JSON, **{"Idempotency-Key": key})


def test_every_query_can_be_prepared(account):
    done = subprocess.run([str(BUILD / "catchment-account.fcgi"), "--conf", str(account.dir / "conf"), "--check"],
                          capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr


def test_tokens_that_do_not_count_are_401(account, alice):
    token = json.loads(account.ask("POST", "/api/tokens", dict(alice, **JSON),
                                   '{"name":"t","scopes":["tenant:read"]}')[2])
    bearer = {"Authorization": "Bearer " + token["token"]}
    assert account.get("/api/tenant", bearer)[0] == 200
    answer = account.get("/api/members", bearer)
    problem(answer, 403, "scope_missing")
    assert 'error="insufficient_scope", scope="members:read"' in answer[1]["WWW-Authenticate"]
    assert account.ask("DELETE", "/api/tokens/" + token["id"], alice)[0] == 204
    answer = account.get("/api/tenant", bearer)
    problem(answer, 401, "token_invalid")
    assert 'error="invalid_token"' in answer[1]["WWW-Authenticate"]
    # Who asks comes first: nothing is told about the body.
    problem(account.ask("POST", "/api/tenants", dict(bearer, **JSON), "{}"), 401, "token_invalid")


def test_a_repeated_key_gives_the_first_answer(account, alice):
    first = account.ask("POST", "/api/tenants", with_key(alice, "r1"), '{"name":"Repeated"}')
    again = account.ask("POST", "/api/v1/tenants", with_key(alice, "r1"), '{"name":"Repeated"}')
    assert (first[0], first[2]) == (again[0], again[2]) and first[0] == 201
    assert "Idempotency-Replayed" not in first[1] and again[1]["Idempotency-Replayed"] == "true"
    problem(account.ask("POST", "/api/tenants", with_key(alice, "r1"), '{"name":"Other"}'), 422, "idempotency_mismatch")


def test_twenty_copies_at_once_make_one_object(account, alice):
    for turn in range(5):
        name, seen = "Once%d" % turn, []
        copies = [threading.Thread(target=lambda: seen.append(account.ask(
            "POST", "/api/tenants", with_key(alice, name), json.dumps({"name": name})))) for _ in range(20)]
        for copy in copies:
            copy.start()
        for copy in copies:
            copy.join()
        assert {answer[0] for answer in seen} <= {201, 409}
        assert len({answer[2] for answer in seen if answer[0] == 201}) == 1
        assert all(answer[1]["Retry-After"] == "1" for answer in seen if answer[0] == 409)
        assert account.get("/api/tenants", alice)[2].count(b'"%s"' % name.encode()) == 1


def test_an_answer_with_a_secret_is_not_kept(account, alice, database):
    body = '{"name":"secret","scopes":["tenant:read"]}'
    first = account.ask("POST", "/api/tokens", with_key(alice, "s1"), body)
    assert first[0] == 201 and first[1]["Cache-Control"] == "no-store"
    problem(account.ask("POST", "/api/tokens", with_key(alice, "s1"), body), 409, "idempotency_answer_not_kept")
    token = json.loads(first[2])["token"]
    assert database.sql("SELECT count(*) FROM identity.idempotency k WHERE k::text LIKE '%%%s%%'" % token) == "0"


def test_a_failed_request_sets_its_key_free(account, alice):
    assert account.ask("POST", "/api/tenants", with_key(alice, "f1"), '{"name":""}')[0] == 422
    assert account.ask("POST", "/api/tenants", with_key(alice, "f1"), '{"name":"Mended"}')[0] == 201


def test_keys_of_two_tenants_do_not_meet(account, alice, bob):
    for who in (alice, bob):
        answer = account.ask("POST", "/api/tenants", with_key(who, "same"), '{"name":"Same"}')
        assert answer[0] == 201 and "Idempotency-Replayed" not in answer[1]


def test_cursors_lead_on_for_their_tenant_and_path_only(account, alice, bob):
    page = json.loads(account.get("/api/audit?limit=1", alice)[2])
    following = json.loads(account.get("/api/audit?limit=1&cursor=" + page["nextCursor"], alice)[2])
    assert following["entries"][0]["id"] != page["entries"][0]["id"]
    problem(account.get("/api/audit?cursor=" + page["nextCursor"], bob), 400, "cursor_invalid")
    problem(account.get("/api/tokens?cursor=" + page["nextCursor"], alice), 400, "cursor_invalid")
    seen, cursor = [], ""
    while cursor is not None:
        page = json.loads(account.get("/api/audit?limit=2" + (cursor and "&cursor=" + cursor), alice)[2])
        seen += [entry["id"] for entry in page["entries"]]
        cursor = page["nextCursor"]
    assert len(seen) == len(set(seen)) > 4


def test_versions_guard_changes(account, bob):
    status, headers, body = account.get("/api/tenant", bob)
    etag = headers["ETag"]
    assert account.ask("GET", "/api/tenant", dict(bob, **{"If-None-Match": etag}))[0] == 304
    change = dict(bob, **JSON)
    assert account.ask("PATCH", "/api/tenant", dict(change, **{"If-Match": etag}), '{"name":"New"}')[0] == 200
    answer = account.ask("PATCH", "/api/tenant", dict(change, **{"If-Match": etag}), '{"name":"Newer"}')
    problem(answer, 412, json.loads(answer[2])["code"])
    current = account.get("/api/tenant", bob)[1]["ETag"]
    assert current.startswith(answer[1]["ETag"][:-1])
    assert account.ask("GET", "/api/tenant", dict(bob, **{"If-None-Match": etag}))[0] == 200


def test_workers_killed_on_the_way_leave_each_object_once(account, alice, database):
    """The answer is stored with the work: whatever dies, repeating a key makes exactly one."""
    end, made, kills, broken = time.monotonic() + 8, [], [], []

    def create(number):
        turn = 0
        while time.monotonic() < end:
            name = "Killed%d-%d" % (number, turn)
            turn += 1
            while True:
                status = account.ask("POST", "/api/tenants", with_key(alice, name), json.dumps({"name": name}))[0]
                if status == 201:
                    break
                broken.append(status)
                assert status in (409, 502, 503) and time.monotonic() < end + 20
                time.sleep(0.01)
            made.append(name)

    clients = [threading.Thread(target=create, args=(n,)) for n in range(6)]
    for client in clients:
        client.start()
    while time.monotonic() < end:
        for pid in sorted(account.pids())[:1]:  # the oldest
            os.kill(pid, signal.SIGKILL)
            kills.append(pid)
        time.sleep(0.4)
    for client in clients:
        client.join()
    assert len(kills) >= 10 and 502 in broken
    counts = database.sql("SELECT count(*), count(DISTINCT name) FROM identity.tenants WHERE name LIKE 'Killed%'")
    assert counts == "%d|%d" % (len(made), len(made))


def test_a_database_restart_is_503_then_all_is_well(account, alice, database):
    # terminated and gone: a request on its way meanwhile is rightly 503, since it may have been done
    database.sql("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'catchment_web'")
    assert [account.get("/api/tenant", alice)[0] for _ in range(10)] == [200] * 10
    database.sql("ALTER DATABASE catchment ALLOW_CONNECTIONS false", "postgres")
    database.sql("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'catchment_web'", "postgres")
    answer = account.get("/api/tenant", alice)
    assert answer[0] == 503 and int(answer[1]["Retry-After"]) >= 1
    assert account.get("/healthz")[0] == 200 and account.get("/readyz")[0] == 503
    database.sql("ALTER DATABASE catchment ALLOW_CONNECTIONS true", "postgres")
    assert account.get("/api/tenant", alice)[0] == 200
