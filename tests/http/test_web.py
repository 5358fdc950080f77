"""nginx, catchmentd and the frame together: routing, limits, reloads. The families are stand-ins
(tests/web/echo.c), so no database is needed. CATCHMENT_BUILD names the build folder."""
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import pytest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
WORKERS = 19  # of all families, cgi/supervisor/table.c
BUILD = pathlib.Path(os.environ.get("CATCHMENT_BUILD", "."))
FAMILIES = "account admin datasources collectors marketplace instances trials exports".split()
WITH_US = ["setpriv", "--pdeathsig", "TERM"]  # an interrupted test leaves nothing running
ID = "0190a2b4-7d4e-7c3a-9f00-000000000001"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def children(pid):
    try:
        return {int(child) for child in pathlib.Path("/proc/%d/task/%d/children" % (pid, pid)).read_text().split()}
    except OSError:  # it has just ended
        return set()


def serves(pid):
    try:
        return pathlib.Path("/proc/%d/stat" % pid).read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


class Stack:
    """A private nginx and catchmentd with stand-ins for all families."""

    def __init__(self, settings="", rate="500r/s"):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="web."))
        self.port = free_port()
        self.programs = self.dir / "libexec"
        self.programs.mkdir()
        for name in FAMILIES:
            (self.programs / ("catchment-%s.fcgi" % name)).symlink_to((BUILD / "tests/web/echo").resolve())
        (self.dir / "cursor.key").write_bytes(os.urandom(32))
        (self.dir / "nginx").mkdir()
        (self.dir / "extra").write_text("")
        (self.dir / "conf").write_text(
            "RUN_DIR=%s\nLIBEXEC_DIR=%s\nCURSOR_KEY=%s/cursor.key\nWORKERS_RUNNER=0\n%s"
            % (self.dir, self.programs, self.dir, settings))
        text = (SOURCE / "nginx/nginx.conf.in").read_text()
        for name, value in (("PORT", self.port), ("RUN_DIR", self.dir), ("STATE_DIR", self.dir / "nginx"),
                            ("LOG_DIR", self.dir), ("DATA_DIR", SOURCE), ("EXTRA_SERVERS", self.dir / "extra")):
            text = text.replace("@%s@" % name, str(value))
        assert "rate=500r/s" in text
        (self.dir / "nginx.conf").write_text(text.replace("rate=500r/s", "rate=" + rate))
        self.log = open(self.dir / "catchment.log", "ab")
        self.nginx = subprocess.Popen(
            [*WITH_US, "/usr/sbin/nginx", "-p", str(self.dir / "nginx"), "-c", str(self.dir / "nginx.conf"),
             "-e", str(self.dir / "nginx.log"), "-g",
             "daemon off;" + (" user root;" if os.geteuid() == 0 else "")])
        self.start_supervisor()
        self.wait_ready()

    def start_supervisor(self):
        self.supervisor = subprocess.Popen(
            [*WITH_US, str(BUILD / "cgi/supervisor/catchmentd"), "--conf", str(self.dir / "conf")], stderr=self.log)

    def wait_ready(self):
        for _ in range(200):
            try:
                if self.get("/readyz")[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(0.05)
        raise AssertionError(self.lines())

    def wait_event(self, event):
        deadline = time.monotonic() + 10
        while '"event":"%s"' % event not in self.lines():
            assert time.monotonic() < deadline, self.lines()[-2000:]
            time.sleep(0.02)

    def lines(self):
        return (self.dir / "catchment.log").read_text()

    def ask(self, method, path, headers=None, body=None, timeout=20):
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            link.request(method, path, body=body, headers=headers or {})
            answer = link.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            link.close()

    def get(self, path, headers=None):
        return self.ask("GET", path, headers)

    def raw(self, data, timeout=5):
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as s:
            s.sendall(data)
            answer = b""
            while True:
                try:
                    part = s.recv(65536)
                except ConnectionResetError:
                    return answer
                if not part:
                    return answer
                answer += part

    def families(self):
        return children(self.supervisor.pid)

    def pids(self):
        """Of those that serve: a family's workers, or the family itself where it has one."""
        return {pid for family in self.families() for pid in children(family) or {family}}

    def first_set(self):
        """Its pids, once each process serves: /readyz speaks for one, while others may still be starting."""
        self.wait_event("ready")
        pids = self.pids()
        assert len(pids) == WORKERS
        return pids

    def close(self):
        self.supervisor.terminate()
        status = self.supervisor.wait(40)
        self.nginx.terminate()
        self.nginx.wait(20)
        shutil.rmtree(self.dir)
        return status


@pytest.fixture(scope="module")
def stack():
    s = Stack()
    yield s
    assert s.close() == 0


def problem(answer, status, code):
    seen, headers, body = answer
    assert (seen, headers["Content-Type"]) == (status, "application/problem+json"), answer
    document = json.loads(body)
    assert document["status"] == status and document["code"] == code
    assert document["title"] and document["detail"] and document["type"]
    assert re.fullmatch("[0-9a-f]{32}", document["instance"])
    assert headers["X-Request-Id"] == document["instance"]


@pytest.mark.parametrize("method,path,family", [
    ("GET", "/api/v1/tenants", "account"),
    ("GET", "/api/tenant", "account"),
    ("POST", "/api/v1/sign-in", "account"),
    ("POST", "/api/v1/invitations/%s/accept" % ID, "account"),
    ("GET", "/api/datasources", "datasources"),
    ("POST", "/api/datasources/manual", "datasources"),
    ("GET", "/api/v1/collectors/" + ID, "collectors"),
    ("POST", "/api/collectors/%s/publish" % ID, "collectors"),
    ("POST", "/api/collectors/%s/execute" % ID, "trials"),
    ("POST", "/api/v1/collectors/%s/test-connection" % ID, "trials"),
    ("POST", "/api/collectors/%s/install" % ID, "marketplace"),
    ("GET", "/api/marketplace/collectors", "marketplace"),
    ("POST", "/api/marketplace/collectors/test-connection", "trials"),
    ("GET", "/api/collector-instances", "instances"),
    ("GET", "/api/collector-instances/%s/executions" % ID, "instances"),
    ("POST", "/api/collector-instances/%s/execute" % ID, "instances"),
    ("POST", "/api/collector-instances/%s/execute?wait=0" % ID, "trials"),
    ("GET", "/api/v1/executions/%s" % ID, "instances"),
])
def test_a_path_reaches_its_family(stack, method, path, family):
    status, headers, body = stack.ask(method, path)
    assert status == 200, body
    document = json.loads(body)
    assert document["family"] == "catchment-%s.fcgi" % family
    assert document["path"] == re.sub(r"^/api(/v1)?|\?.*", "", path)


@pytest.mark.parametrize("path", ["/", "/api", "/api/", "/api/v1", "/api/nothing", "/api/tenantsx", "/index.html",
                                  "/api/v2/tenants", "/%00", "/api/tenants/;x/a/b/c"])
def test_any_other_path_is_a_problem_404_or_400(stack, path):
    status, headers, body = stack.get(path)
    assert status in (400, 404) and headers["Content-Type"] == "application/problem+json", body


@pytest.mark.parametrize("path", ["/_slow", "/_stream", "/_errors/404"])
def test_what_is_nginx_s_own_is_no_address(stack, path):
    status, headers, body = stack.get(path)
    assert status == 404 and headers["Content-Type"].startswith("text/html"), body


def test_records_stream_while_they_are_made(stack):
    link = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=10)
    link.request("GET", "/api/executions/%s/records.ndjson?wait=100" % ID)
    begin = time.monotonic()
    answer = link.getresponse()
    first = answer.readline()
    assert time.monotonic() - begin < 0.6
    rest = answer.read()
    assert time.monotonic() - begin > 0.8
    assert json.loads(first)["family"] == "catchment-exports.fcgi" and rest.count(b"\n") == 9
    assert answer.headers["Content-Type"] == "application/x-ndjson"


def test_what_nginx_refuses_is_a_problem_too(stack):
    problem(stack.ask("POST", "/api/tenants", {"Content-Type": "application/json"}, b" " * (1 << 20) + b"{}"),
            413, "body_too_large")
    problem(stack.get("/api/" + "x" * 9000), 414, "url_too_long")
    problem(stack.get("/api/tenants", {"X-Long": "x" * 9000}), 431, "headers_too_large")
    problem(stack.ask("TRACE", "/api/tenants"), 405, "method_not_allowed")


@pytest.mark.parametrize("data", [
    b"POST /api/tenants HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    b"POST /api/tenants HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    b"POST /api/tenants HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
    b"GET /api/tenants HTTP/1.1\r\nHost: localhost\r\nHost: other\r\n\r\n",
    b"GET /api/tenants HTTP/1.1\r\n\r\n",
    b"NONSENSE\r\n\r\n",
])
def test_broken_requests_are_400_at_the_door(stack, data):
    head, _, body = stack.raw(data).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400") or (not head.startswith(b"HTTP") and b'"status":400' in head + body)
    assert b"application/problem+json" in head or not head.startswith(b"HTTP")


def test_an_unknown_host_gets_no_answer(stack):
    assert stack.raw(b"GET /healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n") == b""
    assert stack.raw(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").startswith(b"HTTP/1.1 200")


def test_chunked_bodies_arrive_whole_and_are_limited(stack):
    body = json.dumps({"a": "x" * 300000}).encode()
    status, _, answer = stack.ask("POST", "/api/tenants", {"Content-Type": "application/json"},
                                  iter([body[:7], body[7:200000], body[200000:]]))
    assert (status, json.loads(answer)["bytes"]) == (200, len(body))
    status = stack.ask("POST", "/api/tenants", {"Content-Type": "application/json"}, iter([b" " * 700000] * 2))[0]
    assert status == 413


def test_slow_clients_hold_no_worker(stack):
    links = [socket.create_connection(("127.0.0.1", stack.port)) for _ in range(50)]
    for n, link in enumerate(links):
        link.sendall(b"POST /api/tenants HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                     b"Content-Length: 100\r\n\r\n{" if n % 2 else b"GET /api/tenants HTTP/1.1\r\nHo")
    begin = time.monotonic()
    assert stack.get("/api/tenants")[0] == 200
    assert time.monotonic() - begin < 0.5
    for link in links:
        link.close()


def test_gzip_makes_the_etag_weak_and_it_still_matches(stack):
    etag = stack.get("/api/tenants")[1]["ETag"]
    assert etag.startswith('"')
    document = stack.ask("GET", "/healthz", {"If-None-Match": "W/" + stack.get("/healthz")[1]["ETag"]})
    assert document[0] == 304 and document[2] == b""


MARKET = "/api/marketplace/collectors"


def test_of_many_who_miss_at_once_one_asks(stack):
    answers, before = [], stack.lines().count("GET " + MARKET)
    asks = [threading.Thread(target=lambda: answers.append(stack.get(MARKET + "?wait=300"))) for _ in range(12)]
    for ask in asks:
        ask.start()
    for ask in asks:
        ask.join()
    assert [status for status, _, _ in answers] == [200] * 12
    assert stack.lines().count("GET " + MARKET) == before + 1
    assert sorted({headers["Cache-Status"] for _, headers, _ in answers}) == ["nginx; fwd=uri-miss", "nginx; hit"]
    assert len({headers["X-Request-Id"] for _, headers, _ in answers}) == 12


def test_while_one_asks_again_others_have_the_old_answer(stack):
    path, late = MARKET + "?wait=400", []
    assert stack.get(path)[1]["Cache-Status"] == "nginx; fwd=uri-miss"
    time.sleep(6.1)
    again = threading.Thread(target=lambda: late.append(stack.get(path)))
    again.start()
    time.sleep(0.1)
    begin = time.monotonic()
    assert stack.get(path)[1]["Cache-Status"] == "nginx; hit; detail=stale"
    assert time.monotonic() - begin < 0.2
    again.join()
    assert late[0][1]["Cache-Status"] == "nginx; fwd=stale"
    assert stack.get(path)[1]["Cache-Status"] == "nginx; hit"


def test_no_failure_is_kept(stack):
    for path in (MARKET + "?fail=true", MARKET + "?nonsense=1", MARKET + "/a/b"):
        first, second = stack.get(path), stack.get(path)
        assert first[0] == second[0] and first[0] >= 400, (path, first)
        for _, headers, body in (first, second):
            assert headers["Cache-Status"] == "nginx; fwd=uri-miss" and headers["Cache-Control"] == "no-store"
            assert json.loads(body)["instance"] == headers["X-Request-Id"]
    assert stack.get(MARKET + "?fail=false")[0] == 200


def test_what_no_responder_called_shared_is_not_kept(stack):
    for _ in range(2):  # the stand-in shares its list alone
        status, headers, _ = stack.get(MARKET + "/" + ID)
        assert (status, headers["Cache-Control"]) == (200, "private, no-cache")
        assert headers["Cache-Status"] == "nginx; fwd=uri-miss"
    assert "Cache-Status" not in stack.get("/api/tenants")[1]


def test_a_flood_from_one_address_is_429(stack):
    own = Stack()
    try:
        path = own.dir / "nginx.conf"
        path.write_text(path.read_text().replace("rate=500r/s", "rate=1r/s").replace("burst=1000", "burst=3"))
        own.nginx.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        answers = [own.get("/healthz") for _ in range(12)]
        refused = [a for a in answers if a[0] == 429]
        assert 5 <= len(refused) <= 10
        problem(refused[0], 429, "rate_limited")
        assert refused[0][1]["Retry-After"] == "1"
    finally:
        own.close()


def test_a_worker_that_dies_costs_one_answer(stack):
    problem(stack.get("/api/tenants/crash"), 502, "no_answer")
    assert [stack.get("/api/tenants")[0] for _ in range(20)] == [200] * 20
    deadline = time.monotonic() + 3
    while len(stack.pids()) < WORKERS and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(stack.pids()) == WORKERS


def test_a_worker_that_cannot_start_again_leaves_the_others_serving():
    own = Stack()
    try:
        before, families = own.first_set(), own.families()
        time.sleep(1.1)  # who ends later has had a life
        good = (own.dir / "conf").read_text()
        (own.dir / "conf").write_text(good + "LOG_LEVEL=nonsense\n")
        pid = json.loads(own.get("/api/tenants")[2])["pid"]
        os.kill(pid, signal.SIGKILL)
        assert [own.get("/api/tenants")[0] for _ in range(20)] == [200] * 20
        assert own.families() == families and pid not in own.pids() and before - {pid} <= own.pids()
        (own.dir / "conf").write_text(good)
        deadline = time.monotonic() + 10
        while len(own.pids()) < WORKERS:
            assert time.monotonic() < deadline, own.lines()[-2000:]
            time.sleep(0.05)
        assert own.families() == families
    finally:
        own.close()


def load(stack, stop, results):
    while not stop.is_set():
        try:
            status = stack.get("/api/tenants?wait=2")[0]
        except OSError as e:
            status = repr(e)
        results.append(status)


def test_reloads_under_load_lose_no_request():
    own, stop, results = Stack(rate="100000r/s"), threading.Event(), []
    try:
        before = own.first_set()
        clients = [threading.Thread(target=load, args=(own, stop, results)) for _ in range(8)]
        for client in clients:
            client.start()
        for _ in range(8):
            seen = own.lines().count("reload_done")
            own.supervisor.send_signal(signal.SIGHUP)
            deadline = time.monotonic() + 10
            while own.lines().count("reload_done") == seen:
                assert time.monotonic() < deadline, own.lines()[-2000:]
                time.sleep(0.02)
        stop.set()
        for client in clients:
            client.join()
        assert len(results) > 500
        assert [r for r in results if r != 200] == []
        deadline = time.monotonic() + 10
        while len(own.pids()) != WORKERS:
            assert time.monotonic() < deadline, own.pids()
            time.sleep(0.05)
        assert not own.pids() & before
    finally:
        stop.set()
        own.close()


def berth(pid):
    words = pathlib.Path("/proc/%d/environ" % pid).read_bytes().split(b"\0")
    return next((word for word in words if word.startswith(b"RUNNER_BERTH=")), None)  # before exec: the parent's


def test_a_berth_goes_to_a_successor_and_to_nobody_else():
    # One for all of a service, or one that a reload keeps, would declare living runners dead.
    own = Stack(rate="100000r/s")
    try:
        own.first_set()
        before = own.families()
        berths = {berth(pid): pid for pid in before}
        assert len(berths) == len(before)
        victim = min(pid for pid in before if children(pid))
        its, workers = berth(victim), children(victim)
        os.kill(victim, signal.SIGKILL)
        deadline = time.monotonic() + 10
        while not (own.families() - before):
            assert time.monotonic() < deadline, own.lines()[-2000:]
            own.get("/api/tenants")
        successor, = own.families() - before
        while any(serves(pid) for pid in workers):  # nobody would stop or replace them
            assert time.monotonic() < deadline, workers
            time.sleep(0.02)
        while berth(successor) is None:
            assert time.monotonic() < deadline
        assert berth(successor) == its
        own.supervisor.send_signal(signal.SIGHUP)
        own.wait_event("reload_done")
        deadline = time.monotonic() + 10
        while own.families() & (before | {successor}):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert not {berth(pid) for pid in own.families()} & set(berths)
    finally:
        own.close()


def no_worker_can_start(own, before):
    (own.dir / "cursor.key").rename(own.dir / "away")
    own.supervisor.send_signal(signal.SIGHUP)


def one_family_fails_while_the_others_serve(own, before):
    program = own.programs / "catchment-exports.fcgi"
    program.unlink()
    program.write_text("#!/bin/sh\nwhile [ ! -e %s/fail ]; do sleep 0.05; done; exit 1\n" % own.dir)
    program.chmod(0o755)
    own.supervisor.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + 10
    while json.loads(own.get("/api/tenants")[2])["pid"] in before:
        assert time.monotonic() < deadline, own.lines()[-2000:]
    (own.dir / "fail").touch()


@pytest.mark.parametrize("reload", [no_worker_can_start, one_family_fails_while_the_others_serve])
def test_a_set_that_cannot_start_does_not_replace_one_that_works(reload):
    own, stop, results = Stack(rate="100000r/s"), threading.Event(), []
    try:
        before = own.first_set()  # a worker that is still starting would miss the key too
        clients = [threading.Thread(target=load, args=(own, stop, results)) for _ in range(4)]
        for client in clients:
            client.start()
        reload(own, before)
        own.wait_event("reload_failed")
        deadline = time.monotonic() + 10
        while own.pids() != before:
            assert time.monotonic() < deadline, (own.pids(), before)
            time.sleep(0.05)
        told = len(results)
        while len(results) < told + 50:
            assert time.monotonic() < deadline, results[-50:]
            time.sleep(0.02)
        stop.set()
        for client in clients:
            client.join()
        assert [r for r in results if r != 200] == []
        assert own.pids() == before and "reload_done" not in own.lines()
    finally:
        stop.set()
        own.close()


def test_requests_in_flight_end_well_when_everything_stops():
    own, results = Stack(), []
    threads = [threading.Thread(target=lambda: results.append(own.get("/api/tenants?wait=1000")[0])) for _ in range(2)]
    for t in threads:
        t.start()
    time.sleep(0.4)
    begin = time.monotonic()
    own.supervisor.terminate()
    for t in threads:
        t.join()
    assert results == [200, 200]
    assert own.supervisor.wait(5) == 0 and time.monotonic() - begin < 3
    own.close()


def test_draining_says_so_before_it_stops():
    own = Stack("DRAIN_SECONDS=2\n")
    own.supervisor.terminate()
    time.sleep(0.3)
    problem(own.get("/readyz"), 503, "draining")
    assert own.get("/healthz")[0] == 200 and own.get("/api/tenants")[0] == 200
    assert own.supervisor.wait(6) == 0
    assert own.get("/healthz")[0] == 502
    own.close()


def test_children_do_not_outlive_a_killed_supervisor():
    own = Stack()
    pids = own.first_set() | own.families()
    own.supervisor.kill()
    own.supervisor.wait()
    deadline = time.monotonic() + 3
    while any(pathlib.Path("/proc/%d" % p).exists() for p in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(pathlib.Path("/proc/%d" % p).exists() for p in pids)
    own.close()


def test_a_program_that_keeps_dying_is_not_started_in_a_rush():
    own = Stack("EXTRA_BROKEN=/bin/false\n")
    try:
        time.sleep(2)
        tries = own.lines().count("EXTRA_BROKEN")
        assert 3 <= tries <= 6, own.lines()
    finally:
        own.close()


def test_two_supervisors_never_share_a_folder(stack):
    second = subprocess.run([str(BUILD / "cgi/supervisor/catchmentd"), "--conf", str(stack.dir / "conf")],
                            capture_output=True, text=True, timeout=10)
    assert second.returncode == 1 and "runs_already" in second.stderr
    assert stack.get("/api/tenants")[0] == 200


def test_one_line_in_the_log_for_each_request(stack):
    headers = stack.get("/api/v1/tenants?wait=1")[1]
    time.sleep(0.1)
    lines = [json.loads(line) for line in stack.lines().splitlines()]
    found = [line for line in lines if line.get("requestId") == headers["X-Request-Id"]]
    assert len(found) == 1
    assert re.match(r"GET /api/v1/tenants 200 \d+ ms \d+ bytes$", found[0]["msg"])


@pytest.mark.parametrize("args,status,word", [
    (["--help"], 0, "usage"), (["--version"], 0, "echo.fcgi"), (["--nonsense"], 2, "usage"), (["x"], 2, "usage"),
    ([], 1, "CURSOR_KEY")])
def test_the_command_line_of_a_responder(args, status, word):
    done = subprocess.run([str(BUILD / "tests/web/echo"), *args], capture_output=True, text=True, timeout=10,
                          stdin=subprocess.DEVNULL)
    assert done.returncode == status and word in done.stdout + done.stderr


def test_check_needs_no_socket(stack):
    done = subprocess.run([str(BUILD / "tests/web/echo"), "--conf", str(stack.dir / "conf"), "--check"],
                          capture_output=True, text=True, timeout=10, stdin=subprocess.DEVNULL)
    assert done.returncode == 0 and "routes are fine" in done.stdout, done.stderr
    done = subprocess.run([str(BUILD / "tests/web/echo"), "--conf", str(stack.dir / "conf")],
                          capture_output=True, text=True, timeout=10, stdin=subprocess.DEVNULL)
    assert done.returncode == 1 and "no_socket" in done.stderr
