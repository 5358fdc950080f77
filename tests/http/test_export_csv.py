"""Exports as CSV: a table that any reader takes, that no spreadsheet runs, of any size, whole or broken off."""
import csv
import glob
import http.client
import io
import json
import os
import signal
import time

import pytest
from conftest import Client
from market import PRODUCTS, Collector, collect, collector_body, install, install_shop, run

SPECIAL = {
    "equals": "=1+1", "plus": "+1", "minus": "-1", "at": "@SUM(A1)", "tab": "\tx", "return": "\rx", "quote": 'say "hi"',
    "comma": "a,b", "lines": "a\r\nb", "blank": " a ", "empty": "", "nothing": None, "yes": True, "low": -12.50,
    "wide": "Grüße 😀", "nested": {"a": [1, "x,\"y\""]}, "list": [], "inner": "a=1", "=head": "x", "a,b": "y",
}


def published(creator, limit=250, **transform):
    body = collector_body()
    body["pipelines"][0]["staticParameters"]["limit"] = limit
    if transform:
        body["pipelines"][0]["processingSteps"][2]["config"] = transform
    return Collector(creator, collector=body).publish()


@pytest.fixture(scope="module")
def owner(make_tenant):
    return make_tenant()


@pytest.fixture(scope="module")
def path(owner, make_tenant, upstream_url):
    return f"/collector-instances/{collect(owner, published(make_tenant()), upstream_url, 1250)}/records.csv"


@pytest.fixture(scope="module")
def special(owner, make_tenant, upstream_url):
    collector = published(make_tenant(), pick=["id"], set=SPECIAL)
    return f"/collector-instances/{collect(owner, collector, upstream_url, 3)}/records.csv"


def table(body):
    """Header and rows, read strictly: RFC 4180 ends lines with CR LF."""
    text = body.decode()
    assert text.endswith("\r\n")
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert len({len(row) for row in rows}) == 1
    return rows[0], rows[1:]


def lines(owner, path):
    """The same records as NDJSON, numbers as they are written."""
    body = owner.get(path.replace(".csv", ".ndjson")).body
    return [json.loads(line, parse_int=str, parse_float=str) for line in body.splitlines()[:-1]]


def test_every_record_is_a_row_under_every_member(owner, path):
    answer = owner.get(path)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8; header=present"
    head, rows = table(answer.body)
    records = lines(owner, path)
    assert len(rows) == len(records) == 1250
    assert head == list(records[0])  # in the order in which they are met
    for row, record in zip(rows, records):
        for name, cell in zip(head, row):
            value = record[name]
            if isinstance(value, (dict, list)):
                assert json.loads(cell, parse_int=str, parse_float=str) == value
            elif isinstance(value, bool):
                assert cell == str(value).lower()
            else:
                assert cell.lstrip("'") == ("" if value is None else value), name


def test_a_number_keeps_all_its_digits(owner, path):
    head, rows = table(owner.get(path).body)
    records = lines(owner, path)
    place = head.index("id")
    assert [row[place] for row in rows] == [record["id"] for record in records]


def test_no_cell_is_taken_for_a_formula(owner, special):
    answer = owner.get(special)
    head, rows = table(answer.body)
    cells = dict(zip(head, rows[0]))
    assert {n: cells[n] for n in ("equals", "plus", "minus", "at", "tab", "return")} == {
        "equals": "'=1+1", "plus": "'+1", "minus": "'-1", "at": "'@SUM(A1)", "tab": "'\tx", "return": "'\rx"}
    assert cells["'=head"] == "x" and cells["inner"] == "a=1"
    assert cells["low"] == "-12.5", "a number is none"
    for row in [head] + rows:
        assert not [c for c in row if c[:1] in "=+@\t\r" and c]


def test_cells_are_quoted_as_rfc_4180_says(owner, special):
    answer = owner.get(special)
    head, rows = table(answer.body)
    cells = dict(zip(head, rows[0]))
    assert {n: cells[n] for n in ("quote", "comma", "lines", "blank", "yes", "wide", "list", "a,b")} == {
        "quote": 'say "hi"', "comma": "a,b", "lines": "a\r\nb", "blank": " a ", "yes": "true",
        "wide": "Grüße 😀", "list": "[]", "a,b": "y"}
    assert json.loads(cells["nested"]) == SPECIAL["nested"]
    assert b'"say ""hi"""' in answer.body


def test_an_empty_text_is_told_from_nothing(owner, special):
    body = owner.get(special + "?fields=empty,nothing,absent").body
    assert body == b"empty,nothing,absent\r\n" + b'"",,\r\n' * 3


def test_fields_choose_columns_their_order_and_what_is_inside(owner, path):
    records = lines(owner, path)
    head, rows = table(owner.get(path + "?fields=title,id,variants.0.sku").body)
    assert head == ["title", "id", "variants.0.sku"]
    assert rows == [[r["title"], r["id"], r["variants"][0]["sku"] or ""] for r in records]


def test_a_row_of_one_column_is_never_an_empty_line(owner, special):
    assert owner.get(special + "?fields=nothing").body == b"nothing\r\n" + b'""\r\n' * 3


def test_members_that_only_later_records_have_are_columns_too(tenant, make_tenant, upstream_url):
    instance = install_shop(tenant, published(make_tenant()), upstream_url, products=300, poison="huge", at=299,
                            poison_bytes=1000)
    [done] = run(tenant, instance, PRODUCTS)
    where = f"/collector-instances/{instance}/records.csv"
    records = lines(tenant, where)
    late = [name for record in records for name in record if name not in records[0]]
    head, rows = table(tenant.get(where).body)
    assert late and set(late) <= set(head) and len(rows) == done["recordsProcessed"]


@pytest.mark.parametrize("query, pointer, code", [
    ("fields=", "fields", "field_invalid"), ("fields=id,,title", "fields", "field_invalid"),
    ("fields=id,", "fields", "field_invalid"), ("fields=" + "x" * 4001, "fields", "too_long"),
    ("fields=" + "a," * 1000 + "a", "fields", "too_many_columns"), ("limit=5", "limit", "unknown_parameter"),
    ("vanished=maybe", "vanished", "wrong_type")])
def test_a_wrong_parameter_is_named(owner, path, query, pointer, code):
    if query == "fields=":
        assert owner.get(f"{path}?{query}").status == 200  # an empty parameter is none
        return
    answer = owner.get(f"{path}?{query}", 422)
    assert answer.pointers() == {pointer: code} or answer["code"] == code, answer.json


def test_strangers_get_nothing_and_members_need_the_scope(owner, other_tenant, anyone, path):
    other_tenant.get(path, 404, "not_found")
    anyone.get(path, 401)
    owner.with_scopes("instances:write").get(path, 403, "scope_missing")
    owner.member("viewer").get(path)
    assert owner.post(path, {}, 405).headers["Allow"] == "OPTIONS, GET, HEAD"


def test_only_who_takes_csv_gets_it(owner, path):
    owner.get(path, headers={"Accept": "text/csv"})
    owner.get(path, 406, headers={"Accept": "application/x-ndjson"})
    owner.get(path.replace(".csv", ".ndjson"), 406, headers={"Accept": "text/csv"})


def test_the_file_has_its_name_and_the_log_its_entry(owner, path):
    answer = owner.ask("HEAD", path, 200)
    assert answer.body == b"" and answer.headers["Content-Disposition"].endswith('.csv"')
    entry = owner.get("/audit?action=records.export&limit=1")["entries"][0]
    assert entry["detail"]["format"] == "csv"


def test_a_stream_without_records_is_an_empty_table(tenant, make_tenant, upstream_url):
    collector = published(make_tenant())
    instance = install_shop(tenant, collector, upstream_url, products=0)
    run(tenant, instance, PRODUCTS)
    where = f"/collector-instances/{instance}/records.csv"
    assert tenant.get(where + "?fields=id").body == b"id\r\n"
    assert tenant.get(where).body == b"\r\n"  # a head without names
    never = install(tenant, published(make_tenant()))["instanceId"]
    tenant.get(f"/collector-instances/{never}/records.csv", 404, "stream_not_found")


# --- any size

MANY = 100_000


@pytest.fixture(scope="module")
def large(make_tenant, upstream_url):
    tenant = make_tenant()
    collector = published(make_tenant(), pick=["id", "title", "vendor", "status", "variants", "created_at"])
    instance = install_shop(tenant, collector, upstream_url, products=MANY)
    [done] = run(tenant, instance, PRODUCTS, 300)
    assert (done["status"], done["recordsProcessed"]) == ("Success", MANY), done
    tenant.export = f"/collector-instances/{instance}/records.csv"
    return tenant


def workers():
    """{pid: folder in /proc} of this stack's workers of exports."""
    found = {}
    for folder in glob.glob("/proc/[0-9]*"):
        try:
            with open(folder + "/cmdline", "rb") as file:
                words = file.read().decode(errors="replace")
        except OSError:
            continue
        if words.startswith(os.environ["CATCHMENT_STATE"] + "/") and "catchment-exports" in words:
            found[int(folder.rsplit("/", 1)[1])] = folder
    return found


def most_memory():
    """The highest resident size, in MiB, that a worker of exports of this stack ever had."""
    found = []
    for folder in workers().values():
        try:
            with open(folder + "/status", encoding="ascii", errors="replace") as file:
                found += [int(line.split()[1]) // 1024 for line in file if line.startswith("VmHWM")]
        except (OSError, ValueError):
            continue
    return max(found)


def allowed_memory():
    """MiB; AddressSanitizer keeps 256 MiB of what was freed, and more around what is in use."""
    with open(os.environ["CATCHMENT_STATE"] + "/app/libexec/catchment/catchment-exports.fcgi", "rb") as file:
        return 448 if b"__asan_" in file.read() else 64


@pytest.mark.skipif("CATCHMENT_STATE" not in os.environ, reason="needs the stack's processes")
def test_a_hundred_thousand_records_arrive_whole_in_bounded_memory(large):
    began = time.monotonic()
    head, rows = table(large.get(large.export).body)
    took = time.monotonic() - began
    assert len(rows) == MANY and len({row[head.index("id")] for row in rows}) == MANY
    assert most_memory() < allowed_memory(), "MiB"
    assert took < 60


class Reader:
    """A client that reads a little at a time."""

    def __init__(self, client, path):
        self.connection = http.client.HTTPConnection(client.base.hostname, client.base.port, timeout=30)
        self.connection.request("GET", "/api/v1" + path, headers={
            "Host": client.base.netloc, "Authorization": "Bearer " + client.token})
        self.response = self.connection.getresponse()


@pytest.mark.parametrize("kind", ["csv", "ndjson"])
def test_an_export_that_fails_breaks_the_connection_off(large, kind):
    """The last chunk never comes: no reader takes the part for the whole."""
    made = large.post("/tokens", {"name": "short", "scopes": ["records:read"]})
    one = Reader(large.with_token(made["token"]), large.export.replace("csv", kind))
    assert one.response.status == 200 and one.response.read(1000)
    large.delete("/tokens/" + made["id"])
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        while one.response.read(1 << 20):
            pass
    one.connection.close()


@pytest.mark.skipif("CATCHMENT_STATE" not in os.environ, reason="needs the stack's processes")
@pytest.mark.parametrize("kind", ["csv", "ndjson"])
def test_an_export_whose_worker_is_killed_breaks_off(large, kind):
    one = Reader(large, large.export.replace("csv", kind))
    assert one.response.status == 200 and one.response.read(1000)
    for pid in workers():
        os.kill(pid, signal.SIGKILL)
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        while one.response.read(1 << 20):
            pass
    one.connection.close()


def test_the_worker_that_broke_one_off_serves_the_next(owner, path):
    for _ in range(40):
        assert owner.get(path + "?fields=id").body.count(b"\r\n") == 1251
