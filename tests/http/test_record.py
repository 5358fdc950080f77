"""Records as the tenant reads them: streams, lists, filters, bytes as they came."""
import json
import re
import urllib.parse
import urllib.request

import pytest
from conftest import TIME, UUID, check_shape
from market import ORDERS, PRODUCTS, Collector, install, install_shop, run

STREAM = {"streamId": UUID, "pipelineId": str, "name": str, "strategy": str, "recordCount": int,
          "collectedAt": (None, TIME)}
RECORD = {"key": str, "firstSeenAt": TIME, "changedAt": TIME, "vanishedAt": (None, TIME), "data": object}


@pytest.fixture(scope="module")
def published(make_tenant):
    return Collector(make_tenant()).publish()


@pytest.fixture(scope="module")
def owner(make_tenant, published, upstream_url):
    client = make_tenant()
    instance = install_shop(client, published, upstream_url, products=130, orders=20)
    assert [one["status"] for one in run(client, instance)] == ["Success", "Success"]
    client.path = f"/collector-instances/{instance}"
    client.records = client.path + "/records"
    return client


def test_streams_and_how_much_they_hold(owner):
    answer = owner.get(owner.path + "/streams")
    check_shape(answer.json, {"instanceId": UUID, "streams": [STREAM]})
    assert [(s["name"], s["pipelineId"], s["recordCount"], s["strategy"]) for s in answer["streams"]] == [
        ("getProducts", PRODUCTS, 130, "full-sync"), ("getOrders", ORDERS, 20, "full-sync")]


def test_an_installation_that_never_ran_has_no_streams(tenant, published):
    path = "/collector-instances/" + install(tenant, published)["instanceId"]
    assert tenant.get(path + "/streams")["streams"] == []
    tenant.get(path + "/records", 404, "stream_not_found")


def test_records_are_paged_in_the_order_of_their_keys(owner):
    answer = owner.get(owner.records)
    check_shape(answer.json, {**STREAM, "records": [RECORD], "nextCursor": str})
    assert len(answer["records"]) == 50 and answer["recordCount"] == 130
    whole = owner.every(owner.records + "?limit=40", "records")
    keys = [one["key"] for one in whole]
    assert len(keys) == 130 and keys == sorted(set(keys))
    assert all(str(one["data"]["id"]) == one["key"] for one in whole)


@pytest.mark.parametrize("stream, count", [("getOrders", 20), (ORDERS, 20), (PRODUCTS, 130)])
def test_a_stream_is_named_by_name_or_pipeline(owner, stream, count):
    assert len(owner.get(f"{owner.records}?limit=200&stream={stream}")["records"]) == count


def test_a_stream_is_named_by_id(owner):
    stream = owner.get(owner.path + "/streams")["streams"][1]["streamId"]
    assert owner.get(f"{owner.records}?stream={stream}")["name"] == "getOrders"


def test_a_stream_that_is_not_there_is_404(owner):
    answer = owner.get(owner.records + "?stream=nothing", 404, "stream_not_found")
    assert "getOrders, getProducts" in answer["detail"], "it names those that are"


def test_one_record_is_found_by_its_key(owner):
    key = owner.get(owner.records + "?limit=1")["records"][0]["key"]
    assert [one["key"] for one in owner.get(f"{owner.records}?key={key}")["records"]] == [key]
    assert owner.get(owner.records + "?key=nothing")["records"] == []


def test_records_are_found_by_the_value_of_a_field(owner):
    one = owner.get(owner.records + "?limit=1")["records"][0]
    found = owner.get(f"{owner.records}?field=id&value={one['key']}")["records"]
    assert [r["key"] for r in found] == [one["key"]]
    title = one["data"]["title"]
    found = owner.get(f"{owner.records}?limit=200&field=title&value={urllib.parse.quote(title)}")["records"]
    assert one["key"] in [r["key"] for r in found] and {r["data"]["title"] for r in found} == {title}
    for odd in ("no.such.member", "a%22b", "a%5Cb", "%7B", ".", "title.0"):
        assert owner.get(f"{owner.records}?field={odd}&value=x")["records"] == []


def keys(client, query):
    return [one["key"] for one in client.every(f"{client.records}?{query}", "records")]


def test_records_are_found_by_how_their_key_begins(owner):
    whole = keys(owner, "limit=200")
    prefix = whole[40][:-4]
    expected = [key for key in whole if key.startswith(prefix)]
    assert 0 < len(expected) < len(whole)
    assert keys(owner, f"keyPrefix={prefix}") == keys(owner, f"keyPrefix={prefix}&limit=1") == expected
    assert keys(owner, f"keyPrefix={prefix}&key={expected[0]}") == expected[:1]
    assert keys(owner, "keyPrefix=%25") == keys(owner, "keyPrefix=_") == []  # no pattern


def test_records_are_sorted_by_their_last_change(tenant, make_tenant, upstream_url):
    """Three states of one shop: what the last run changed comes first, and pages go through all once."""
    collector = Collector(make_tenant()).publish()
    instance = install_shop(tenant, collector, upstream_url, products=60)
    run(tenant, instance, PRODUCTS)
    tenant.records = f"/collector-instances/{instance}/records"
    for sort in ("newest", "oldest"):
        shown = tenant.get(f"{tenant.records}?sort={sort}&limit=200")["records"]
        times = [one["changedAt"] for one in shown]
        assert len(shown) == 60 and times == sorted(times, reverse=sort == "newest")
        for size in (1, 7, 60):
            assert keys(tenant, f"sort={sort}&limit={size}") == [one["key"] for one in shown]
    first = keys(tenant, "sort=newest&limit=200")
    assert keys(tenant, f"sort=newest&keyPrefix={first[5]}") == [first[5]]
    assert keys(tenant, "sort=oldest&vanished=true") == [] and len(keys(tenant, "sort=oldest&vanished=false")) == 60
    title = tenant.get(f"{tenant.records}?key={first[5]}")["records"][0]["data"]["title"]
    assert first[5] in keys(tenant, "sort=newest&field=title&value=" + urllib.parse.quote(title))


def test_a_cursor_of_one_order_is_none_of_another(owner):
    cursor = owner.get(owner.records + "?sort=newest&limit=1")["nextCursor"]
    owner.get(f"{owner.records}?sort=oldest&limit=1&cursor={cursor}", 400, "cursor_invalid")
    owner.get(f"{owner.records}?limit=1&cursor={cursor}", 400, "cursor_invalid")


def test_one_record_says_which_run_wrote_it(owner):
    listed = owner.get(owner.records + "?limit=3")["records"][2]
    answer = owner.get(f"{owner.records}/{listed['key']}")
    check_shape(answer.json, {**STREAM, **RECORD, "lastWrite": {"executionId": UUID, "page": int, "at": TIME}})
    assert {name: answer[name] for name in RECORD} == listed and answer["name"] == "getProducts"
    run_ = owner.get("/executions/" + answer["lastWrite"]["executionId"])
    assert run_["pipelineId"] == PRODUCTS and 1 <= answer["lastWrite"]["page"] <= run_["pages"]
    order = owner.get(f"{owner.records}?stream={ORDERS}&limit=1")["records"][0]["key"]
    assert owner.get(f"{owner.records}/{order}?stream={ORDERS}")["pipelineId"] == ORDERS
    owner.get(f"{owner.records}/{order}", 404, "not_found")
    owner.get(f"{owner.records}/{order}?stream=nothing", 404, "stream_not_found")
    owner.get(f"{owner.records}/%2F%3F%25", 404, "not_found")


def test_field_and_value_go_together(owner):
    owner.get(owner.records + "?field=id", 422, "field_and_value")
    owner.get(owner.records + "?value=id", 422, "field_and_value")


@pytest.mark.parametrize("query, pointer, code", [
    ("limit=0", "limit", "out_of_range"), ("limit=1000000000", "limit", "out_of_range"),
    ("changedSince=yesterday", "changedSince", "date_invalid"),
    ("changedSince=2026-02-30T00:00:00Z", "changedSince", "date_invalid"),
    ("vanished=perhaps", "vanished", "wrong_type"), ("filter=x", "filter", "unknown_parameter"),
    ("key=a&key=b", "key", "repeated"), ("sort=size", "sort", "not_a_choice"),
    ("keyPrefix=" + "x" * 513, "keyPrefix", "too_long")])
def test_a_wrong_parameter_is_named(owner, query, pointer, code):
    assert owner.get(f"{owner.records}?{query}", 422).pointers() == {pointer: code}


def test_an_empty_parameter_was_left_out(owner):
    whole = owner.get(owner.records).json["records"]
    assert owner.get(owner.records + "?key=&keyPrefix=&sort=&field=&value=&changedSince=&vanished=&stream=").json["records"] == whole


def test_numbers_arrive_as_the_api_wrote_them(owner):
    """Integers above 2^53 and decimals of twenty digits, which a double would change."""
    body = owner.get(owner.records + "?limit=5").body.decode()
    for text in re.findall(r'"(?:checksum|rating)":\s*([0-9.]+)', body):
        number = json.loads(text, parse_float=str, parse_int=str)
        assert number == text
    assert any(int(n) > 2 ** 53 for n in re.findall(r'"checksum":\s*(\d+)', body))
    assert any(len(n) > 17 for n in re.findall(r'"rating":\s*([0-9.]+)', body))


def test_what_changed_since_a_time(owner):
    assert len(owner.get(owner.records + "?limit=200&changedSince=2020-01-01T00:00:00Z")["records"]) == 130
    assert owner.get(owner.records + "?changedSince=2100-01-01T00:00:00%2B02:00")["records"] == []


def test_what_vanished_upstream_is_marked_and_left_out_of_exports(tenant, published, upstream_url):
    name = "vanish" + tenant.tenant[-8:]

    def scenario(text):
        urllib.request.urlopen(urllib.request.Request(
            f"{upstream_url}/_scenario/{name}", data=text.encode(), method="PUT")).read()
    scenario("products=60")
    instance = install_shop(tenant, published, upstream_url, name)
    run(tenant, instance, PRODUCTS)
    scenario("products=60,gone=5")
    [done] = run(tenant, instance, PRODUCTS)
    assert (done["recordsVanished"], done["recordsUnchanged"]) == (5, 55)
    path = f"/collector-instances/{instance}/records"
    gone = tenant.get(path + "?vanished=true")["records"]
    assert len(gone) == 5 and all(one["vanishedAt"] for one in gone)
    assert len(tenant.get(path + "?vanished=false&limit=200")["records"]) == 55
    assert len(tenant.get(path + "?limit=200")["records"]) == 60
    assert tenant.get(path)["recordCount"] == 55
    assert len(tenant.get(path + ".ndjson").body.splitlines()) == 55 + 1
    assert len(tenant.get(path + ".ndjson?vanished=true").body.splitlines()) == 60 + 1


def test_a_cursor_is_bound_to_stream_filter_and_workspace(owner, other_tenant):
    path = owner.records + "?limit=1"
    cursor = owner.get(path)["nextCursor"]
    owner.get(f"{path}&cursor={cursor}")
    for wrong in (f"{path}&stream=getOrders&cursor={cursor}", f"{path}&vanished=true&cursor={cursor}",
                  f"{path}&cursor={cursor[1:]}", f"{path}&cursor=AAAA"):
        owner.get(wrong, 400, "cursor_invalid")
    other_tenant.get(f"{path}&cursor={cursor}", 400, "cursor_invalid")


def test_another_workspace_and_nobody_see_nothing(owner, other_tenant, anyone):
    for path in (owner.records, owner.path + "/streams"):
        other_tenant.get(path, 404)
        anyone.get(path, 401)


def test_reading_needs_the_scope_and_any_role(owner):
    for path in (owner.records, owner.path + "/streams"):
        owner.with_scopes("instances:read", "executions:run").get(path, 403, "scope_missing")
        owner.with_scopes("records:read").get(path)
        owner.member("viewer").get(path)
