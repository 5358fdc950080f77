"""Exports: a stream's records as NDJSON, whole, counted, hashed, and stoppable."""
import hashlib
import json
import re
import socket
import time

import pytest
from conftest import wait_until
from market import PRODUCTS, Collector, collect, collector_body, install, install_shop, run

MANY = 8000  # about 6 MB: more than the sockets in between can hold


@pytest.fixture(scope="module")
def collector(make_tenant):
    body = collector_body()
    body["pipelines"][0]["staticParameters"]["limit"] = 250
    return Collector(make_tenant(), collector=body).publish()


@pytest.fixture(scope="module")
def owner(make_tenant):
    return make_tenant()


@pytest.fixture(scope="module")
def path(owner, collector, upstream_url):
    return f"/collector-instances/{collect(owner, collector, upstream_url, 1250)}/records.ndjson"


@pytest.fixture(scope="module")
def large(make_tenant, collector, upstream_url):
    tenant = make_tenant()
    tenant.export = f"/collector-instances/{collect(tenant, collector, upstream_url, MANY)}/records.ndjson"
    return tenant


def check_trailer(body):
    """The records' lines; the last line counts and hashes the bytes before it."""
    assert body.endswith(b"\n")
    lines = body.splitlines(keepends=True)
    trailer = json.loads(lines[-1])
    assert list(trailer) == ["_catchment"]
    before = b"".join(lines[:-1])
    assert trailer["_catchment"] == {"records": len(lines) - 1, "sha256": hashlib.sha256(before).hexdigest()}
    return [line.decode() for line in lines[:-1]]


class Slow:
    """A client that reads when it is told to."""

    def __init__(self, client, path):
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.settimeout(30)
        self.socket.connect((client.base.hostname, client.base.port))
        self.socket.sendall(f"GET /api/v1{path} HTTP/1.1\r\nHost: {client.base.netloc}\r\n"
                            f"Authorization: Bearer {client.token}\r\nConnection: close\r\n\r\n".encode())
        self.seen = self.socket.recv(2048)
        self.status = int(self.seen.split(b" ")[1])

    def rest(self):
        while True:
            more = self.socket.recv(1 << 20)
            if not more:
                return self.seen
            self.seen += more

    def close(self):
        self.socket.close()


def test_every_record_is_a_line_and_the_last_line_counts_and_hashes(owner, path):
    answer = owner.get(path)
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    lines = check_trailer(answer.body)
    assert len(lines) == 1250
    keys = [str(json.loads(line)["id"]) for line in lines]
    assert keys == sorted(set(keys))


def test_records_are_exported_as_they_are_stored(owner, path):
    """Numbers that a double cannot hold, escapes and order of members survive."""
    line = check_trailer(owner.get(path).body)[0]
    key = json.loads(line)["id"]
    listed = owner.get(path.replace(".ndjson", f"?key={key}")).body.decode()
    stored = listed[listed.index('"data" : ') + 9:] if '"data" : ' in listed else listed
    assert re.sub(r"[\r\n]", " ", stored).startswith(line.rstrip("\n"))
    assert re.search(r'"checksum":\s?\d{16,}', line)


def test_the_file_is_named_by_ids_alone(owner, path):
    instance = path.split("/")[2]
    stream = owner.get(f"/collector-instances/{instance}/streams")["streams"][0]["streamId"]
    assert owner.get(path).headers["Content-Disposition"] == (
        f'attachment; filename="records-{instance}-{stream}.ndjson"')


def test_an_export_is_not_cached_or_compressed_and_has_no_length(owner, path):
    answer = owner.get(path, headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Length"] is None and answer.headers["Content-Encoding"] is None
    assert answer.headers["Cache-Control"] == "private, no-cache"


def test_a_head_request_has_no_body(owner, path):
    answer = owner.ask("HEAD", path, 200)
    assert answer.body == b"" and answer.headers["Content-Type"] == "application/x-ndjson"
    check_trailer(owner.get(path).body)


@pytest.mark.parametrize("stream", ["getProducts", PRODUCTS])
def test_a_stream_is_named_by_name_or_pipeline(owner, path, stream):
    assert len(check_trailer(owner.get(f"{path}?stream={stream}").body)) == 1250


def test_a_stream_is_named_by_id(owner, path):
    [stream] = [s["streamId"] for s in owner.get(path.rsplit("/", 1)[0] + "/streams")["streams"]
                if s["recordCount"]]
    assert len(check_trailer(owner.get(f"{path}?stream={stream}").body)) == 1250


def test_a_stream_that_is_not_there_is_404(owner, path):
    answer = owner.get(f"{path}?stream=nothing", 404, "stream_not_found")
    assert "Name one of these: getProducts" in answer["detail"], "it names those that are"


def test_an_installation_that_never_ran_has_no_stream(tenant, collector):
    instance = install(tenant, collector)["instanceId"]
    tenant.get(f"/collector-instances/{instance}/records.ndjson", 404, "stream_not_found")


@pytest.mark.parametrize("query, pointer, code", [
    ("vanished=maybe", "vanished", "wrong_type"), ("limit=5", "limit", "unknown_parameter"),
    ("stream=a&stream=b", "stream", "repeated")])
def test_a_wrong_parameter_is_named(owner, path, query, pointer, code):
    assert owner.get(f"{path}?{query}", 422).pointers() == {pointer: code}


def test_another_workspace_gets_nothing(other_tenant, anyone, path):
    other_tenant.get(path, 404, "not_found")
    anyone.get(path, 401)


def test_it_needs_the_scope_of_records_and_any_role(owner, path):
    owner.with_scopes("instances:write").get(path, 403, "scope_missing")
    owner.with_scopes("records:read").get(path)
    owner.member("viewer").get(path)


def test_other_methods_are_refused(owner, path):
    assert owner.post(path, {}, 405).headers["Allow"] == "OPTIONS, GET, HEAD"


def test_it_is_in_the_audit_log(owner, path):
    owner.get(path)
    entry = owner.get("/audit?action=records.export&limit=1")["entries"][0]
    assert entry["objectId"] == path.split("/")[2] and set(entry["detail"]) == {"streamId", "format"}


def test_a_large_export_arrives_whole(large):
    assert len(check_trailer(large.get(large.export).body)) == MANY


def test_large_records_arrive_whole_too(tenant, collector, upstream_url):
    instance = install_shop(tenant, collector, upstream_url, products=30, poison="huge", at=3,
                            poison_bytes=900_000)
    [done] = run(tenant, instance, PRODUCTS)
    lines = check_trailer(tenant.get(f"/collector-instances/{instance}/records.ndjson").body)
    assert len(lines) == done["recordsProcessed"] and max(map(len, lines)) > 900_000, done


def test_two_at_once_and_the_third_is_told_to_wait(large, owner, path):
    first, second = Slow(large, large.export), Slow(large, large.export)
    try:
        assert (first.status, second.status) == (200, 200)
        third = large.get(large.export, 429, "too_many_exports")
        assert int(third.headers["Retry-After"]) > 0
        check_trailer(owner.get(path).body)  # another workspace has two of its own
        body = first.rest()
        assert b'"_catchment"' in body[-200:]
        wait_until(lambda: large.send("GET", large.export).status == 200, 10)
    finally:
        first.close()
        second.close()


def test_a_client_that_leaves_stops_it_within_a_second(large):
    def busy():
        one = Slow(large, large.export)
        status = one.status
        one.close()
        return status == 429

    wait_until(lambda: not busy(), 10)
    time.sleep(1)
    one, two = Slow(large, large.export), Slow(large, large.export)
    large.get(large.export, 429, "too_many_exports")
    one.close()
    two.close()
    time.sleep(1)
    assert len(check_trailer(large.get(large.export).body)) == MANY


def test_a_token_that_is_revoked_in_the_middle_ends_it_without_a_trailer(large):
    time.sleep(1)
    made = large.post("/tokens", {"name": "short", "scopes": ["records:read"]})
    one = Slow(large.with_token(made["token"]), large.export)
    assert one.status == 200
    large.delete("/tokens/" + made["id"])
    body = one.rest()
    one.close()
    assert b"_catchment" not in body and len(body) < MANY * 700
