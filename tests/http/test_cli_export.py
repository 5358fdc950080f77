"""catchment export: whole files under their final names, or nothing."""
import hashlib
import http.server
import json
import os
import signal
import subprocess
import threading
import time

import pytest
from cli import DONE, FAILED, LATER, NOT_FOUND, USAGE, environment, program, run
from conftest import wait_until
from market import Collector, collect, collector_body

COUNT = 1250


@pytest.fixture(scope="module")
def owner(make_tenant):
    return make_tenant()


@pytest.fixture(scope="module")
def instance(make_tenant, owner, upstream_url):
    body = collector_body()
    body["pipelines"][0]["staticParameters"]["limit"] = 250
    return collect(owner, Collector(make_tenant(), collector=body).publish(), upstream_url, COUNT)


@pytest.fixture(scope="module")
def data(owner, instance):
    """What the API sends, without its last line."""
    body = owner.get(f"/collector-instances/{instance}/records.ndjson").body
    return body[:body.rindex(b"\n", 0, -1) + 1]


def test_a_file_holds_the_records_and_its_hash_is_said(owner, instance, data, tmp_path):
    path = tmp_path / "records.ndjson"
    ran = run(owner, "export", instance, "--output", str(path))
    assert path.read_bytes() == data and ran.out == b""
    assert f"{COUNT} records, {len(data)} bytes, sha256 {hashlib.sha256(data).hexdigest()}" in ran.said
    assert os.listdir(tmp_path) == ["records.ndjson"]


def test_without_a_file_records_go_to_standard_output(owner, instance, data):
    ran = run(owner, "export", instance)
    assert ran.out == data and "as the server counted" in ran.said


def test_a_file_that_was_there_is_replaced_only_by_a_whole_one(owner, instance, data, tmp_path):
    path = tmp_path / "records.ndjson"
    path.write_text("old")
    run(owner, "export", instance, "--stream", "none", "--output", str(path), code=NOT_FOUND)
    assert path.read_text() == "old"
    run(owner, "export", instance, "--output", str(path))
    assert path.read_bytes() == data


def test_a_file_is_made_with_the_users_mask(owner, instance, tmp_path):
    path = tmp_path / "records.ndjson"
    run(owner, "export", instance, "--output", str(path))
    mask = os.umask(0)
    os.umask(mask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~mask


def test_csv_is_asked_for_at_its_own_address(owner, instance, tmp_path):
    path = tmp_path / "records.csv"
    answer = owner.send("GET", f"/collector-instances/{instance}/records.csv")
    if answer.status == 404:
        ran = run(owner, "export", instance, "--format", "csv", "--output", str(path), code=NOT_FOUND)
        assert "--format ndjson" in ran.said and not path.exists()
    else:
        run(owner, "export", instance, "--format", "csv", "--output", str(path))
        assert path.stat().st_size > 1000


@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_a_wrong_stream_is_told_those_that_are(owner, instance, form):
    ran = run(owner, "export", instance, "--stream", "zzz", "--format", form, code=NOT_FOUND)
    assert "Name one of these: getProducts" in ran.said and "CSV" not in ran.said


@pytest.mark.parametrize("words", [["instance", "get"], ["instance", "records"], ["export"], ["execution", "list"]])
def test_an_installation_that_is_not_here_may_be_in_another_workspace(owner, make_tenant, instance, words):
    for who, one in ((owner, "01890000-0000-7000-8000-000000000000"), (make_tenant(), instance)):
        ran = run(who, *words, one, code=NOT_FOUND)
        assert "no such installation in this workspace" in ran.said and "another one of yours" in ran.said


def test_a_folder_that_is_not_there_is_said_before_anything_is_asked(owner, instance, tmp_path):
    ran = run(owner, "export", instance, "--output", str(tmp_path / "none" / "x"), code=USAGE)
    assert "cannot be written" in ran.said


def test_a_full_disk_is_said(owner, instance):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([program(), "export", instance], env=environment(owner), stdout=full,
                              stderr=subprocess.PIPE, timeout=60, check=False)
    assert done.returncode == FAILED and b"No space left" in done.stderr


@pytest.mark.parametrize("words", [
    ["export", "{instance}"], ["export", "{instance}", "--format", "csv"], ["instance", "records", "{instance}", "--all", "--json"],
    ["instance", "records", "{instance}"], ["instance", "list", "--json"], ["openapi"], ["completion", "bash"], ["--help"]])
def test_a_reader_who_has_seen_enough_is_no_failure(owner, instance, words):
    """As with | head -1: it ends as every program does whose reader has gone, and says nothing."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as gone:
        done = subprocess.run([program(), *(word.format(instance=instance) for word in words)],
                              env=environment(owner), stdout=gone, stderr=subprocess.PIPE, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (-signal.SIGPIPE, b"")


def test_a_full_disk_is_said_of_all_that_is_printed(owner, instance):
    for words in (["instance", "records", instance], ["openapi"], ["--help"]):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([program(), *words], env=environment(owner), stdout=full,
                                  stderr=subprocess.PIPE, timeout=60, check=False)
        assert done.returncode == FAILED and done.stderr.count(b"could not be written") == 1, (words, done.stderr)


@pytest.mark.parametrize("words", [[], ["a", "b"], ["a", "--format", "xml"]])
def test_wrong_usage(owner, words):
    run(owner, "export", *words, code=USAGE)


# --- a server that sends something else ---

LINES = b'{"id":1}\n{"id":2}\n{"id":3}\n'


def trailer(records=3, data=LINES):
    return json.dumps({"_catchment": {"records": records, "sha256": hashlib.sha256(data).hexdigest()}},
                      separators=(",", ":")).encode() + b"\n"


class Server:
    """Answers every request with given parts; None breaks the connection off, a number waits."""

    def __init__(self, *parts, length=None):
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                server.path = self.path
                self.send_response(200)
                if length is None:
                    self.send_header("Transfer-Encoding", "chunked")
                else:
                    self.send_header("Content-Length", str(length))
                self.end_headers()
                try:
                    for part in parts:
                        if part is None:
                            self.close_connection = True
                            return
                        if isinstance(part, float):
                            time.sleep(part)
                            continue
                        self.wfile.write(part if length is not None else b"%x\r\n%b\r\n" % (len(part), part))
                        self.wfile.flush()
                    if length is None:
                        self.wfile.write(b"0\r\n\r\n")
                except OSError:
                    pass

            def log_message(self, *_):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.http.server_close()


@pytest.mark.parametrize("parts", [
    [LINES + trailer()],
    [LINES, trailer()],
    [bytes([byte]) for byte in LINES + trailer()],
    [trailer(0, b"")],
    [LINES * 200 + trailer(600, LINES * 200)],
])
def test_an_export_is_whole_however_it_is_cut_into_pieces(parts, tmp_path):
    path = tmp_path / "x"
    with Server(*parts) as server:
        run(None, "export", "a/b", "--output", str(path), CATCHMENT_URL=server.url)
        assert server.path == "/api/v1/collector-instances/a%2Fb/records.ndjson"
    body = b"".join(parts)
    assert path.read_bytes() == body[:body.index(b'{"_catchment"')]


@pytest.mark.parametrize("parts, why", [
    ([LINES], "no last line"),
    ([LINES, trailer()[:-5]], "half a last line"),
    ([LINES, trailer(2)], "a wrong count"),
    ([LINES, trailer(3, LINES + b"x")], "a wrong hash"),
    ([LINES[:10], LINES[12:], trailer()], "bytes lost in between"),
    ([b""], "nothing"),
    ([LINES, None], "a connection that breaks"),
    ([LINES * 1000, None], "a connection that breaks late"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_what_is_not_whole_leaves_no_file(parts, why, tmp_path):
    path = tmp_path / "x"
    with Server(*parts) as server:
        ran = run(None, "export", "a", "--output", str(path), CATCHMENT_URL=server.url, code=LATER)
    assert "Run the same command again" in ran.said and "left as it was" in ran.said
    assert os.listdir(tmp_path) == []


def test_a_program_that_is_killed_leaves_nothing(tmp_path):
    with Server(LINES * 1000, 30.0) as server:
        process = subprocess.Popen([program(), "export", "a", "--output", str(tmp_path / "x")],
                                   env=environment(None, CATCHMENT_URL=server.url), stderr=subprocess.DEVNULL)
        wait_until(lambda: hasattr(server, "path"))
        time.sleep(0.5)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert os.listdir(tmp_path) == []


def test_a_large_export_takes_little_memory(tmp_path):
    """300 MB pass through 64 MB of address space that is used."""
    block = b'{"id":"' + b"x" * 1000 + b'"}\n'
    chunk = block * 1000
    hasher = hashlib.sha256()
    for _ in range(300):
        hasher.update(chunk)
    last = json.dumps({"_catchment": {"records": 300000, "sha256": hasher.hexdigest()}}).encode().replace(b" ", b"")
    with Server(*[chunk] * 300, last + b"\n") as server:
        process = subprocess.Popen([program(), "export", "a", "--output", str(tmp_path / "x")],
                                   env=environment(None, CATCHMENT_URL=server.url))
        _, status, usage = os.wait4(process.pid, 0)
    assert os.waitstatus_to_exitcode(status) == DONE
    assert (tmp_path / "x").stat().st_size == 300 * len(chunk)
    assert usage.ru_maxrss < 200 * 1024  # KiB; sanitizers take their share


def test_a_redirect_elsewhere_does_not_get_the_token(tmp_path, owner):
    seen = []

    class Elsewhere(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append(self.headers["Authorization"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    other = http.server.HTTPServer(("127.0.0.1", 0), Elsewhere)
    threading.Thread(target=other.serve_forever, daemon=True).start()

    class Here(Elsewhere):
        def do_GET(self):
            self.send_response(302)
            self.send_header("Location", f"http://127.0.0.1:{other.server_port}/")
            self.end_headers()

    here = http.server.HTTPServer(("127.0.0.1", 0), Here)
    threading.Thread(target=here.serve_forever, daemon=True).start()
    run(owner, "instance", "list", CATCHMENT_URL=f"http://127.0.0.1:{here.server_port}", code=LATER)
    here.shutdown()
    other.shutdown()
    assert seen == []
