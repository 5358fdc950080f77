"""However an API pages, remembers and packs: `catchment run` sees every record of it once."""
import json

import pytest

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


def test_a_token_begins_the_next_run(shop):
    function = {"path": "/cursor/products?limit=5", "recordsPath": "items"}
    pages = {"type": "cursor", "cursorParam": "cursor", "cursorPath": "next_cursor",
             "syncToken": {"param": "sync_token", "path": "sync_token"}}
    said = walked(shop, function, TWENTY_THREE + ",sync=1", pages, {"strategy": "incremental"}, requests=5)
    assert "sync_token" not in json.dumps(shop.ledger()), said
