"""However an API pages, remembers and packs: `catchment run` sees every record of it once."""
import json
import urllib.request

import pytest
from conftest import unique
from market import Collector, install, run

from test_forms import Api, all_ids, ids, shop  # noqa: F401  (a fixture)

TWENTY_THREE = "products=23"


def asked(shop, part):
    """The parameters of each request whose path holds this part."""
    return [dict(pair.split("=", 1) for pair in line["query"].split("&") if pair)
            for line in shop.ledger() if part in line["path"]]


def walked(shop, function, settings, pagination=None, ingestion=None, requests=None):
    """The ids of a run that ended well; the same as the whole list holds."""
    part = function["path"].split("?")[0]
    status, lines, said = shop.run(function, settings, pagination, ingestion=ingestion)
    assert status == 0, said
    assert ids(lines) == all_ids(shop, TWENTY_THREE), said
    if requests:
        assert len([line for line in shop.ledger() if part in line["path"]]) == requests
    return said


def test_a_cursor_and_totals_in_headers(shop):
    walked(shop, {"path": "/header/products?limit=5"}, TWENTY_THREE,
           {"type": "cursor", "cursorParam": "cursor", "cursorPath": "header:X-Next-Cursor"}, requests=5)
    walked(shop, {"path": "/offset/products", "recordsPath": "items"}, TWENTY_THREE + ",hide=has_more",
           {"type": "offset", "pageSize": 5, "totalPath": "header:X-Total-Count"}, requests=5)


def test_a_flag_that_is_true_at_the_end(shop):
    walked(shop, {"path": "/page/products", "recordsPath": "items"}, TWENTY_THREE + ",ends=1,hide=total+has_more",
           {"type": "page", "sizeParam": "per_page", "pageSize": 5, "endPath": "end"}, requests=5)


def test_a_page_that_is_not_there_ends_the_list(shop):
    function = {"path": "/page/products", "recordsPath": "items"}
    pages = {"type": "page", "sizeParam": "per_page", "pageSize": 23}
    settings = TWENTY_THREE + ",past=404,hide=total+has_more"
    status, lines, said = shop.run(function, settings, pages)
    assert status == 1 and len(lines) == 23, said
    shop.name += "b"
    walked(shop, function, settings, dict(pages, stop="http-404"), requests=2)


def test_a_scroll_is_read_until_a_page_is_empty(shop):
    function = {"path": "/cursor/products?limit=5", "recordsPath": "items"}
    pages = {"type": "cursor", "cursorParam": "cursor", "cursorPath": "next_cursor"}
    settings = TWENTY_THREE + ",scroll=1,hide=has_more"
    status, lines, said = shop.run(function, settings, pages)
    assert status == 1 and "cursor_loop" in said, said
    shop.name += "b"
    walked(shop, function, settings, dict(pages, stop="empty-page"), requests=6)


def test_a_link_that_must_have_results(shop):
    function = {"path": "/link/products?per_page=5"}
    settings = TWENTY_THREE + ",results=1"
    walked(shop, function, settings, {"type": "link", "require": {"results": "true"}}, requests=5)
    status, lines, said = shop.run(function, settings, {"type": "link"})
    assert status == 1 and "cursor_loop" in said, said


def test_only_the_cursor_behind_the_first_page(shop):
    function = {"path": "/cursor/products", "recordsPath": "items",
                "parameters": [{"name": "updated_since", "default": "2024-01-01T00:00:00Z"},
                               {"name": "limit", "type": "integer", "default": 5}]}
    pages = {"type": "cursor", "cursorParam": "cursor", "cursorPath": "next_cursor"}
    # pages behind the first are as long as the API likes: here its default
    walked(shop, function, TWENTY_THREE + ",only_cursor=1", dict(pages, exclusive=True), requests=2)
    status, lines, said = shop.run(function, TWENTY_THREE + ",only_cursor=1", pages)
    assert status == 1 and len(lines) == 5 and "Nothing may stand beside the cursor" in said, said


def test_later_pages_by_a_request_of_their_own(shop):
    function = {"path": "/search/products", "method": "POST", "replay": "safe", "recordsPath": "items",
                "body": {"limit": 12}}
    pages = {"type": "cursor", "cursorPath": "next_cursor", "hasMorePath": "has_more",
             "nextRequest": {"pathSuffix": "/continue", "body": {"cursor": "{next}"}}}
    walked(shop, function, TWENTY_THREE + ",continue=1", pages, requests=2)


def test_a_session_is_carried_to_later_pages(shop):
    function = {"path": "/page/products?per_page=5", "recordsPath": "items"}
    pages = {"type": "page", "totalPagesPath": "total_pages"}
    status, lines, said = shop.run(function, TWENTY_THREE + ",session=1", pages)
    assert status == 1 and len(lines) == 5 and "need the session_id" in said, said
    shop.name += "b"
    walked(shop, function, TWENTY_THREE + ",session=1",
           dict(pages, carry={"param": "session_id", "path": "session_id"}), requests=5)


def test_a_position_within_a_text(shop):
    function = {"path": "/sql/products", "recordsPath": "items",
                "parameters": [{"name": "query", "default": "SELECT * FROM p STARTPOSITION {offset} MAXRESULTS 5"}]}
    walked(shop, function, TWENTY_THREE + ",hide=total+has_more",
           {"type": "offset", "inject": "template", "firstOffset": 1, "pageSize": 5}, requests=5)


@pytest.mark.parametrize("form,written,sent", [
    ("unix", "unix", "1735691400"), ("compact", "%Y%m%d", "20250101"), ("date", "date", "2025-01-01"),
    ("gte", "gte|{iso8601}", "gte|2025-01-01T00:30:00Z"), ("iso", "iso8601", "2025-01-01T00:30:00Z")])
def test_a_cursor_is_written_as_the_api_wants_it(shop, form, written, sent):
    function = {"path": "/cursor/products", "recordsPath": "items",
                "parameters": [{"name": "updated_since", "default": "{cursor}"}]}
    status, lines, said = shop.run(function, "products=60,since_form=" + form, ingestion={
        "strategy": "incremental", "cursorField": "updated_at", "cursorFormat": written,
        "cursorStart": "2025-01-01T00:30:00Z"})
    assert status == 0, said
    want = all_ids(shop, "products=60")
    assert ids(lines) == (want[30:] if len(sent) > 10 or form == "unix" else want[:50]), said
    assert asked(shop, "/cursor/")[0]["updated_since"] == sent


def test_a_list_that_comes_newest_first_ends_at_the_cursor(shop):
    function = {"path": "/page/products", "recordsPath": "items"}
    pages = {"type": "page", "sizeParam": "per_page", "pageSize": 5}
    status, lines, said = shop.run(function, TWENTY_THREE + ",newest=1", pages, ingestion={
        "strategy": "incremental", "cursorField": "updated_at", "stopAtCursor": True,
        "cursorStart": "2025-01-01T00:16:30Z"})
    assert status == 0, said
    newest_first = list(reversed(all_ids(shop, TWENTY_THREE)))
    assert ids(lines) == newest_first[:10], said
    assert len(asked(shop, "/page/")) == 2


def test_windows_of_time_cover_all_of_it(shop):
    settings = "products=400,step_s=86400,window_days=100"
    function = {"path": "/cursor/products", "recordsPath": "items",
                "parameters": [{"name": "updated_since", "default": "{cursor}"},
                               {"name": "limit", "type": "integer", "default": 60}]}
    pages = {"type": "cursor", "cursorParam": "cursor", "cursorPath": "next_cursor"}
    ingestion = {"strategy": "incremental", "cursorField": "updated_at", "cursorStart": "2025-01-01",
                 "window": {"maxDays": 100, "endParam": "updated_before"}}
    status, lines, said = shop.run(function, settings, pages, ingestion=ingestion)
    assert status == 0, said
    met = ids(lines)
    # what stands on the edge of two windows is met twice
    assert set(met) == set(all_ids(shop, "products=400,step_s=86400")) and len(met) == 403, said
    edges = [(one["updated_since"], one["updated_before"]) for one in asked(shop, "/cursor/") if "cursor" not in one]
    assert edges[0] == ("2025-01-01T00:00:00Z", "2025-04-11T00:00:00Z")
    assert all(left[1] == right[0] for left, right in zip(edges, edges[1:])) and len(edges) > 4
    ingestion["window"]["maxDays"] = 101
    status, lines, said = shop.run(function, settings, pages, ingestion=ingestion)
    assert status == 1 and "at most 100 days apart" in said, said


@pytest.mark.parametrize("settings,function", [
    (",packed=gzip", {"bodyPacking": "gzip"}),
    (",packed=zip,form=ndjson", {"bodyPacking": "zip", "bodyFormat": "ndjson"}),
    (",packed=gzip,packed_type=application%2Fgzip", {}),
    (",form=ndjson", {"bodyPacking": "gzip", "bodyFormat": "ndjson"}),
])
def test_packed_files_are_read(shop, settings, function):
    walked(shop, dict({"path": "/whole/products"}, **function), TWENTY_THREE + settings)


#
# Second runs, by the runner
#


class Remembered:
    """An installation whose scenario is stored, so that it can change between two runs."""

    def __init__(self, tenant, upstream_url, function, pages, ingestion, settings):
        self.tenant, self.url, self.name = tenant, upstream_url, unique("walk").replace(" ", "-")
        self.change(settings)
        source = {"name": unique("Walks"), "baseUrl": "%s/s/%s" % (upstream_url, self.name), "configFields": [],
                  "functions": [dict({"id": "f", "name": "f", "recordsPath": "items"}, **function)]}
        collector = {"name": unique("Walks"), "pipelines": [{
            "name": "p", "functionId": "f", "dataIngestion": ingestion, "processingSteps": [
                {"name": "call", "type": "api-call"},
                {"name": "pages", "type": "pagination", "config": pages}]}]}
        published = Collector(tenant, source, collector).publish()
        self.instance = install(tenant, published, {})["instanceId"]

    def change(self, settings):
        self.settings = settings
        request = urllib.request.Request("%s/_scenario/%s" % (self.url, self.name), settings.encode(), method="PUT")
        urllib.request.urlopen(request, timeout=30).close()

    def run(self):
        """(records that came, what the requests asked for)"""
        urllib.request.urlopen(urllib.request.Request(
            "%s/_ledger?scenario=%s" % (self.url, self.name), method="DELETE"), timeout=30).close()
        self.change(self.settings)
        done, = run(self.tenant, self.instance)
        assert done["status"] == "Success", done
        with urllib.request.urlopen("%s/_ledger?scenario=%s" % (self.url, self.name), timeout=30) as answer:
            lines = [json.loads(line) for line in answer.read().decode().splitlines()]
        return done, [dict(pair.split("=", 1) for pair in line["query"].split("&") if pair) for line in lines]


BY_CURSOR = {"type": "cursor", "cursorParam": "cursor", "cursorPath": "next_cursor"}


def test_a_token_begins_the_next_run_of_an_installation(tenant, upstream_url):
    walk = Remembered(tenant, upstream_url, {"path": "/cursor/products?limit=10"},
                      dict(BY_CURSOR, syncToken={"param": "sync_token", "path": "sync_token"}),
                      {"strategy": "incremental"}, "products=23,sync=1")
    first, asked_first = walk.run()
    assert first["recordsProcessed"] == 23 and not any("sync_token" in one for one in asked_first)
    walk.change("products=23,sync=1,touched=3")
    second, asked_second = walk.run()
    assert second["recordsProcessed"] == second["recordsChanged"] == 3 and second["recordsVanished"] == 0
    assert asked_second[0]["sync_token"].startswith("sync-")
    third, asked_third = walk.run()
    assert third["recordsProcessed"] == 0 and asked_third[0]["sync_token"] > asked_second[0]["sync_token"]


def test_newest_first_reads_in_the_second_run_what_is_new(tenant, upstream_url):
    walk = Remembered(tenant, upstream_url, {"path": "/page/products"},
                      {"type": "page", "sizeParam": "per_page", "pageSize": 5},
                      {"strategy": "incremental", "cursorField": "updated_at", "stopAtCursor": True},
                      "products=23,newest=1")
    first, asked_first = walk.run()
    assert first["recordsProcessed"] == 23 and len(asked_first) == 5
    walk.change("products=23,newest=1,touched=3")
    second, asked_second = walk.run()
    assert second["recordsChanged"] == 3 and second["recordsProcessed"] == 5 and len(asked_second) == 1
    assert second["stopReason"] == "the cursor was reached"


def test_windows_go_on_where_the_last_run_was(tenant, upstream_url):
    walk = Remembered(tenant, upstream_url,
                      {"path": "/cursor/products",
                       "parameters": [{"name": "updated_since", "default": "{cursor}"}]},
                      BY_CURSOR, {"strategy": "incremental", "cursorField": "updated_at", "cursorStart": "2025-01-01",
                                  "window": {"maxDays": 100, "endParam": "updated_before"}},
                      "products=23,step_s=86400,window_days=100")
    first, asked_first = walk.run()
    assert first["recordsUnchanged"] + first["recordsNew"] == 23 and len(asked_first) > 4
    second, asked_second = walk.run()
    # the last window that was whole is behind us, the one up to now is not
    assert len(asked_second) == 1 and second["recordsProcessed"] == 0
    assert asked_second[0]["updated_since"] == asked_first[-1]["updated_since"]
