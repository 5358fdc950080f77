"""Whatever form an API answers in, `catchment run` reads every record of it, digit for digit."""
import csv
import io
import itertools
import json
import os
import pathlib
import socket
import subprocess
import urllib.parse
import urllib.request

import pytest

numbers = itertools.count(1)


class Api:
    """One scenario of the simulated APIs, and collectors that read it."""

    def __init__(self, url, program, folder):
        self.url, self.program, self.folder = url, program, folder
        self.port = urllib.parse.urlsplit(url).port
        self.name = "forms%d-%d" % (os.getpid(), next(numbers))

    def address(self, settings=""):
        return "%s/s/%s%s" % (self.url, self.name, "," + settings if settings else "")

    def get(self, path, settings=""):
        with urllib.request.urlopen(self.address(settings) + path, timeout=30) as answer:
            return answer.read().decode()

    def run(self, function, settings="", pagination=None, steps=(), source=None, ingestion=None):
        """(exit status, the lines of records, what it said)"""
        call = [{"name": "call", "type": "api-call", "config": {"retries": 0}}]
        if pagination:
            call.append({"name": "pages", "type": "pagination", "config": pagination})
        document = {
            "dataSource": dict({"name": "Forms", "baseUrl": self.address(settings), "configFields": [],
                                "functions": [dict({"id": "f", "name": "f"}, **function)]}, **(source or {})),
            "collector": {"pipelines": [{"name": "p", "functionId": "f", "dataIngestion": ingestion or {},
                                         "processingSteps": call + list(steps)}]}}
        file = self.folder / ("%s.json" % self.name)
        file.write_text(json.dumps(document))
        done = subprocess.run([self.program, "run", str(file), "--allow", "127.0.0.1/32:%d" % self.port],
                              capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout.splitlines(), done.stderr

    def ledger(self):
        with urllib.request.urlopen("%s/_ledger?scenario=%s" % (self.url, self.name), timeout=30) as answer:
            return [json.loads(line) for line in answer.read().decode().splitlines()]


@pytest.fixture
def shop(upstream_url, tmp_path):
    state = os.environ.get("CATCHMENT_STATE")
    if not state:
        pytest.skip("CATCHMENT_STATE names no installed programs")
    return Api(upstream_url, str(pathlib.Path(state) / "app/bin/catchment"), tmp_path)


def test_a_run_of_the_command_line_promises_no_other_when_the_api_is_down(shop):
    with socket.socket() as taken:  # bound and not listening: nothing answers there
        taken.bind(("127.0.0.1", 0))
        shop.port = taken.getsockname()[1]
        shop.url = "http://127.0.0.1:%d" % shop.port
        status, lines, said = shop.run({"path": "/whole/products"})
    assert status == 1 and lines == [] and "Try it again later" in said, said
    assert "by itself" not in said and "goes on" not in said, said


def exact(text):
    """JSON with its numbers as they were written."""
    return json.loads(text, parse_int=str, parse_float=str)


PLAIN = "products=7,poison=decimal"


def plain(shop):
    return exact(shop.get("/whole/products", PLAIN))


def test_a_map_gives_each_record_with_its_key(shop):
    want = [dict({"_key": record["id"]}, **record) for record in plain(shop)]
    status, lines, said = shop.run({"path": "/whole/products", "recordsKind": "map"}, PLAIN + ",form=map")
    assert status == 0 and [exact(line) for line in lines] == want, said


def test_columns_become_rows(shop):
    want = plain(shop)
    names = list(want[0])
    status, lines, said = shop.run({"path": "/page/products", "recordsPath": "items", "recordsKind": "columns"},
                                   PLAIN + ",form=columns,body=object")
    assert status == 0 and [exact(line) for line in lines] == [
        {name: record.get(name) for name in names} for record in want], said


def test_scalars_become_values(shop):
    status, lines, said = shop.run({"path": "/whole/products", "recordsKind": "scalars"}, PLAIN + ",form=scalars")
    assert status == 0 and [exact(line) for line in lines] == [
        {"value": record["id"]} for record in plain(shop)], said


def test_rows_take_the_names_of_the_columns(shop):
    want = [record for record in plain(shop) if "spoilt" not in record]
    function = {"path": "/whole/products", "recordsKind": "arrays", "recordsColumns": list(want[0])}
    status, lines, said = shop.run(function, "products=5,form=arrays")
    assert status == 0 and [exact(line) for line in lines] == want[:5], said


def test_one_object_is_one_record(shop):
    status, lines, said = shop.run({"path": "/page/products", "recordsPath": "items", "recordsKind": "single"},
                                   PLAIN + ",form=single")
    assert status == 0 and [exact(line) for line in lines] == plain(shop)[:1], said


def ids(lines):
    return [json.loads(line)["id"] for line in lines]


def all_ids(shop, settings="products=23"):
    return [json.loads(record)["id"] for record in
            map(json.dumps, json.loads(shop.get("/whole/products", settings)))]


@pytest.mark.parametrize("link", ["absolute", "relative", "below"])
def test_the_next_address_in_a_body_is_followed(shop, link):
    settings = "products=23,body=object,next_in=body" + ("" if link == "absolute" else ",link=" + link)
    status, lines, said = shop.run({"path": "/link/products?per_page=5", "recordsPath": "items"}, settings,
                                   {"type": "next-url", "nextUrlPath": "next"})
    assert status == 0 and ids(lines) == all_ids(shop), said
    assert sum("/link/" in line["path"] for line in shop.ledger()) == 5


@pytest.mark.parametrize("link,port", [("metadata", 80), ("other", 80)])
def test_the_next_address_elsewhere_is_refused(shop, link, port):
    status, lines, said = shop.run({"path": "/link/products?per_page=5", "recordsPath": "items"},
                                   "products=23,body=object,next_in=body,link=" + link,
                                   {"type": "next-url", "nextUrlPath": "next"})
    assert status == 1 and "next_link_refused" in said, said
    assert len([line for line in shop.ledger() if "/link/" in line["path"]]) == 1


def test_a_cursor_goes_into_the_body(shop):
    function = {"path": "/search/products", "method": "POST", "replay": "safe", "recordsPath": "items",
                "body": {"limit": 5}}
    status, lines, said = shop.run(function, "products=23", {
        "type": "cursor", "cursorParam": "cursor", "cursorPath": "next_cursor", "inject": "body"})
    assert status == 0 and ids(lines) == all_ids(shop), said


GRAPHQL = {"path": "/graphql/products", "method": "POST", "replay": "safe", "recordsPath": "data.products.nodes",
           "body": {"query": "query($first:Int!,$after:String){products(first:$first,after:$after){"
                             "nodes{id title} pageInfo{hasNextPage endCursor}}}", "variables": {"first": 5}}}
GRAPHQL_PAGES = {"type": "cursor", "cursorParam": "variables.after", "inject": "body",
                 "cursorPath": "data.products.pageInfo.endCursor",
                 "hasMorePath": "data.products.pageInfo.hasNextPage"}


def test_graphql_is_walked_to_its_end(shop):
    status, lines, said = shop.run(GRAPHQL, "products=23", GRAPHQL_PAGES)
    assert status == 0 and ids(lines) == all_ids(shop), said
    assert len([line for line in shop.ledger() if "/graphql/" in line["path"]]) == 5


def test_an_error_that_comes_with_status_200_ends_the_run_with_its_words(shop):
    function = {"path": "/cursor/products?limit=5", "recordsPath": "items", "okPath": "ok"}
    pages = {"type": "cursor", "cursorParam": "cursor", "cursorPath": "next_cursor"}
    status, lines, said = shop.run(function, "products=23,ok=1", pages)
    assert status == 0 and ids(lines) == all_ids(shop), said
    status, lines, said = shop.run(function, "products=23,ok=1,fault=error_200,on_page=3", pages)
    assert status == 1 and len(lines) == 10, said
    assert "upstream_error" in said and "failed: The quota is used up" in said, said


def test_graphql_errors_end_the_run_with_their_words(shop):
    source = {"errorPath": "errors"}
    status, lines, said = shop.run(GRAPHQL, "products=23", GRAPHQL_PAGES, source=source)
    assert status == 0 and len(lines) == 23, said
    status, lines, said = shop.run(GRAPHQL, "products=23,fault=error_200,on_page=2", GRAPHQL_PAGES, source=source)
    assert status == 1 and len(lines) == 5, said
    assert "upstream_error" in said and "failed: The quota is used up" in said, said


@pytest.mark.parametrize("function", [{}, {"bodyFormat": "ndjson"}])
def test_lines_of_json_are_records_byte_for_byte(shop, function):
    status, lines, said = shop.run(dict({"path": "/header/products?limit=10"}, **function),
                                   "products=23,poison=decimal,form=ndjson",
                                   {"type": "cursor", "cursorParam": "cursor", "cursorHeader": "X-Next-Cursor"})
    assert status == 0, said
    assert lines == shop.get("/whole/products", "products=23,poison=decimal,form=ndjson").splitlines()


def test_lines_that_were_cut_are_no_page(shop):
    status, lines, said = shop.run({"path": "/whole/products", "bodyFormat": "ndjson"},
                                   "products=9,form=ndjson,fault=bad_json")
    assert status == 1 and lines == [] and "body_truncated" in said, said


def test_rows_of_csv_are_records_of_texts(shop):
    settings = "products=23,poison=decimal,form=csv"
    rows = list(csv.DictReader(io.StringIO(shop.get("/whole/products", settings), newline="")))
    assert len(rows) == 23 and len(rows[0]) > 5
    status, lines, said = shop.run({"path": "/page/products?per_page=10", "bodyFormat": "csv"}, settings,
                                   {"type": "page", "pageSize": 10})
    assert status == 0 and [json.loads(line) for line in lines] == rows, said


def flat(value, name=""):
    out = {}
    for key, inner in value.items():
        if isinstance(inner, dict) and inner:
            out.update(flat(inner, name + key + "_"))
        else:
            out[name + key] = inner
    return out


def test_flattened_records_keep_every_value(shop):
    step = {"name": "flat", "type": "transform", "config": {"flatten": {"separator": "_"}}}
    status, lines, said = shop.run({"path": "/whole/orders"}, "orders=9", steps=[step])
    orders = exact(shop.get("/whole/orders", "orders=9"))
    assert any(isinstance(value, dict) for order in orders for value in order.values())
    assert status == 0 and [exact(line) for line in lines] == [flat(order) for order in orders], said


def test_members_are_set_from_templates_digit_for_digit(shop):
    step = {"name": "set", "type": "transform", "config": {"set": {
        "copy": "{{record.checksum}}", "from.file": "{{record.id}} of {now|%Y}", "kind": "product"}}}
    status, lines, said = shop.run({"path": "/whole/products"}, "products=7", steps=[step])
    products = exact(shop.get("/whole/products", "products=7"))
    assert status == 0 and len(lines) == 7, said
    for line, product in zip(map(exact, lines), products):
        year = line["from"]["file"].split(" of ")[1]
        assert len(year) == 4 and year.isdigit()
        assert line == dict(product, copy=product["checksum"], kind="product",
                            **{"from": {"file": "%s of %s" % (product["id"], year)}})
