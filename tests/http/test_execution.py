"""Runs: asked for, watched, stopped, repeated. Needs a runner and the simulated shop."""
import concurrent.futures
import re

import pytest
from conftest import TIME, UUID, check_shape, contains, unique, wait_until
from market import ORDERS, PRODUCTS, Collector, collector_body, ended, install_shop, run
from pages import person_of

COUNTS = ("recordsProcessed", "recordsNew", "recordsChanged", "recordsUnchanged", "recordsVanished",
          "recordsFiltered", "recordsDuplicate", "recordsQuarantined", "pages", "requests", "retries",
          "bytes", "waitedMs", "attempts")
EXECUTION = {
    "executionId": UUID, "instanceId": UUID, "pipelineId": str, "pipelineName": str, "releaseVersion": str,
    "trigger": str, "status": re.compile("Pending|Running|Success|Partial|Failed|Timeout|Cancelled"),
    "waiting": (None, {"code": str, "message": str, "until": (None, TIME)}),
    "createdAt": TIME, "startedAt": (None, TIME), "completedAt": (None, TIME), "durationMs": (None, int),
    **{name: int for name in COUNTS}, "stopReason": (None, str), "cancelRequested": bool,
    "retryOf": (None, UUID), "error": (None, {"code": str, "message": str})}
HISTORY = {"instanceId": UUID, "instanceName": str, "totalExecutions": int, "successfulExecutions": int, "partialExecutions": int, "gonePipelines": list,
           "failedExecutions": int, "lastExecutedAt": (None, TIME), "recentExecutions": [EXECUTION],
           "pipelines": [{"id": str, "name": str, "stream": str, "strategy": str}],
           "nextCursor": (None, str)}


@pytest.fixture(scope="module")
def published(make_tenant):
    return Collector(make_tenant()).publish()


@pytest.fixture()
def shop(tenant, published, upstream_url):
    """An installation of the demo's shop: 1,250 products and 523 orders."""
    return "/collector-instances/" + install_shop(tenant, published, upstream_url)


@pytest.fixture()
def hanging(tenant, published, upstream_url):
    """One whose first page comes, and whose second does not."""
    return "/collector-instances/" + install_shop(tenant, published, upstream_url,
                                                  fault="hang", on_page=2, ms=20000)


@pytest.fixture(scope="module")
def history(make_tenant, published, upstream_url):
    """A workspace with both pipelines run, then one of them again."""
    client = make_tenant()
    client.instance = install_shop(client, published, upstream_url, products=120, orders=30)
    client.path = "/collector-instances/" + client.instance
    client.first = run(client, client.instance)
    client.second = run(client, client.instance, ORDERS)
    return client


def test_examples_7_and_8_a_run_of_both_pipelines_collects_everything(tenant, shop):
    asked = tenant.post(shop + "/execute", {}, 202)
    check_shape(asked.json, {"instanceId": UUID, "executions": [EXECUTION]})
    assert [one["pipelineId"] for one in asked["executions"]] == [PRODUCTS, ORDERS]
    done = [ended(tenant, one["executionId"]) for one in asked["executions"]]
    assert [(one["status"], one["recordsProcessed"]) for one in done] == [("Success", 1250), ("Success", 523)]

    answer = tenant.get(shop + "/executions")
    check_shape(answer.json, HISTORY)
    contains(answer.json, {"instanceId": shop.split("/")[-1], "instanceName": "My Shopify Sync",
                           "totalExecutions": 2, "successfulExecutions": 2, "failedExecutions": 0})
    by_pipeline = {one["pipelineId"]: one for one in answer["recentExecutions"]}
    contains(by_pipeline[PRODUCTS], {"pipelineName": "Product Sync Pipeline", "status": "Success",
                                     "recordsProcessed": 1250, "recordsNew": 1250, "pages": 13})
    contains(by_pipeline[ORDERS], {"pipelineName": "Order Sync Pipeline", "status": "Success",
                                   "recordsProcessed": 523})
    one = by_pipeline[PRODUCTS]
    assert one["startedAt"] <= one["completedAt"] and one["durationMs"] > 0
    assert answer["lastExecutedAt"] == tenant.get(shop)["lastExecutedAt"]


def test_example_7_a_run_of_one_pipeline(tenant, shop):
    asked = tenant.post(shop + "/execute", {"pipelineId": ORDERS}, 202)
    [one] = asked["executions"]
    assert one["status"] == "Pending" and one["trigger"] == "manual" and one["pipelineId"] == ORDERS
    assert asked.headers["Location"] == "/api/v1/executions/" + one["executionId"]
    assert ended(tenant, one["executionId"])["recordsProcessed"] == 523


def test_a_body_may_be_left_out(tenant, hanging):
    asked = tenant.ask("POST", hanging + "/execute", 202)
    for one in asked["executions"]:
        tenant.post(f"/executions/{one['executionId']}/cancel", None, 202)


@pytest.mark.parametrize("body, pointer, code", [
    ({"pipelineId": "nothing"}, "/pipelineId", "pipeline_unknown"),
    ({"pipelineId": 5}, "/pipelineId", "wrong_type"), ({"pipeline": "x"}, "/pipeline", "unknown_field")])
def test_a_wrong_request_is_refused_with_its_place(tenant, shop, body, pointer, code):
    assert tenant.post(shop + "/execute", body, 422).pointers() == {pointer: code}
    assert tenant.get(shop + "/executions")["totalExecutions"] == 0


def test_asking_twice_gives_the_same_run(tenant, hanging):
    first = tenant.post(hanging + "/execute", {"pipelineId": PRODUCTS}, 202)["executions"]
    again = tenant.post(hanging + "/execute", {"pipelineId": PRODUCTS}, 200)["executions"]
    assert [one["executionId"] for one in first] == [one["executionId"] for one in again]
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        rest = list(pool.map(lambda _: tenant.post(hanging + "/execute", {"pipelineId": PRODUCTS}, 200),
                             range(6)))
    assert {one["executions"][0]["executionId"] for one in rest} == {first[0]["executionId"]}
    tenant.post(f"/executions/{first[0]['executionId']}/cancel", None, 202)


def test_a_running_run_is_cancelled_at_its_page_and_keeps_what_it_has(tenant, hanging):
    [one] = tenant.post(hanging + "/execute", {"pipelineId": PRODUCTS}, 202)["executions"]
    path = "/executions/" + one["executionId"]
    wait_until(lambda: tenant.get(path)["pages"] == 1)
    check_shape(tenant.post(path + "/cancel", None, 202).json, {"executionId": UUID, "status": "Running"})
    assert tenant.get(path)["cancelRequested"] is True
    last = ended(tenant, one["executionId"])
    check_shape(last, EXECUTION)
    assert last["status"] == "Cancelled" and last["recordsProcessed"] == 100
    assert tenant.get(hanging + "/streams")["streams"][0]["recordCount"] == 100
    tenant.post(path + "/cancel", None, 409, "already_ended")


def test_an_installation_with_a_run_under_way_is_not_uninstalled_or_upgraded(tenant, hanging):
    [one] = tenant.post(hanging + "/execute", {"pipelineId": PRODUCTS}, 202)["executions"]
    path = "/executions/" + one["executionId"]
    wait_until(lambda: tenant.get(path)["status"] == "Running")
    tenant.post(hanging + "/upgrade", {}, 409, "instance_running")
    tenant.delete(hanging, 409, "instance_running")
    tenant.post(path + "/cancel", None, 202)
    ended(tenant, one["executionId"])
    tenant.delete(hanging)
    tenant.get(path, 404)


def test_a_failed_run_says_why_and_can_be_tried_again(tenant, published, upstream_url):
    name = unique("refusing").replace(" ", "-")
    instance = install_shop(tenant, published, upstream_url, name, products=60, secret="shpat_right")
    [failed] = run(tenant, instance, PRODUCTS)
    check_shape(failed, EXECUTION)
    assert failed["status"] == "Failed" and failed["error"]["code"] == "credential_rejected"
    assert tenant.get(f"/collector-instances/{instance}")["failedExecutions"] == 1
    path = f"/executions/{failed['executionId']}"
    tenant.patch(f"/collector-instances/{instance}", {"tenantConfig": {"apiKey": "shpat_right"}})
    asked = tenant.post(path + "/retry", None, 202)
    [again] = asked["executions"]
    assert (again["retryOf"], again["trigger"], again["pipelineId"]) == (failed["executionId"], "retry", PRODUCTS)
    done = ended(tenant, again["executionId"])
    assert (done["status"], done["recordsProcessed"]) == ("Success", 60)


def test_a_page_that_fails_for_a_moment_is_asked_for_again(tenant, published, upstream_url):
    instance = install_shop(tenant, published, upstream_url, products=250, fault="503", on_page=2, times=1)
    [done] = run(tenant, instance, PRODUCTS)
    assert (done["status"], done["recordsProcessed"], done["retries"]) == ("Success", 250, 1)


def test_a_second_run_writes_only_what_changed(history):
    [again] = run(history, history.instance, PRODUCTS)
    assert (again["recordsProcessed"], again["recordsNew"], again["recordsUnchanged"]) == (120, 0, 120)


def test_the_history_is_paged_and_filtered(history):
    path = history.path + "/executions"
    ids = [one["executionId"] for one in history.get(path)["recentExecutions"]]
    assert ids == sorted(ids, reverse=True) and len(ids) >= 3
    assert [one["executionId"] for one in history.every(path + "?limit=1", "recentExecutions")] == ids
    assert len(history.get(path + "?status=Success")["recentExecutions"]) == len(ids)
    assert history.get(path + "?status=Failed")["recentExecutions"] == []
    assert history.get(path + "?status=Lost", 422).pointers() == {"status": "not_a_choice"}


def test_a_cursor_of_the_history_is_bound_to_installation_filter_and_workspace(history, other_tenant):
    path = history.path + "/executions?limit=1"
    cursor = history.get(path)["nextCursor"]
    history.get(f"{path}&cursor={cursor}")
    for wrong in (f"{path}&status=Success&cursor={cursor}", f"{path}&cursor={cursor}x",
                  f"/collector-instances?cursor={cursor}"):
        history.get(wrong, 400, "cursor_invalid")
    other_tenant.get(f"{path}&cursor={cursor}", 400, "cursor_invalid")
    other_tenant.get(path, 404, "not_found")


def kinds_of(answer):
    return [entry["kind"] for entry in answer["entries"]]


def test_a_run_and_its_log_are_shown(history):
    one = history.first[0]
    check_shape(history.get("/executions/" + one["executionId"]).json, EXECUTION)
    path = f"/executions/{one['executionId']}/log"
    answer = history.get(path)
    check_shape(answer.json, {"executionId": UUID, "instanceId": UUID, "pipelineName": str, "live": False,
                              "nextCursor": (None, str),
                              "entries": [{"id": UUID, "at": TIME, "kind": str, "level": str, "entry": dict}]})
    assert not history.get(path + "?level=warning")["entries"]
    assert len(history.get(path + "?q=limit%3D100")["entries"]) == kinds_of(answer).count("request")
    entries = history.every(path + "?limit=2", "entries")
    kinds = [entry["kind"] for entry in entries]
    assert "request" in kinds and kinds == [entry["kind"] for entry in answer["entries"]]
    only = history.get(path + "?kind=request")["entries"]
    assert only and {entry["kind"] for entry in only} == {"request"}


def test_no_log_tells_a_secret(history):
    for one in history.first + history.second:
        for entry in history.every(f"/executions/{one['executionId']}/log", "entries"):
            assert "shpat_bob_key_67890" not in str(entry)
    assert b"shpat_bob" not in history.get(history.path + "/executions").body


def test_a_run_without_bad_records_has_an_empty_quarantine(history):
    answer = history.get(f"/executions/{history.first[0]['executionId']}/quarantine")
    check_shape(answer.json, {"executionId": UUID, "instanceId": UUID, "pipelineName": str, "records": list,
                              "nextCursor": None})
    assert answer["records"] == []


def test_records_that_cannot_be_stored_are_quarantined_and_shown(tenant, published, upstream_url):
    instance = install_shop(tenant, published, upstream_url, products=40, poison="nul", at=7)
    [done] = run(tenant, instance, PRODUCTS)
    assert (done["recordsProcessed"], done["recordsQuarantined"]) == (39, 1)
    [bad] = tenant.get(f"/executions/{done['executionId']}/quarantine")["records"]
    check_shape(bad, {"id": UUID, "page": int, "code": str, "message": str, "recordKey": (None, str),
                      "at": TIME, "size": int, "base64": str, "text": str, "truncated": False})
    contains(tenant.get(f"/collector-instances/{instance}").json,
             {"totalExecutions": 1, "successfulExecutions": 1, "partialExecutions": 1, "failedExecutions": 0})
    page = person_of(tenant).get(f"/collector-instances/{instance}")
    counts = [(e.one("dt").text, e.one("dd").text) for e in page.main.one("dl", **{"class": "stats"}).all("div")]
    assert counts == [("Records", "39"), ("Runs", "1"), ("Successful", "0"), ("Partial", "1"), ("Failed", "0")]
    page = person_of(tenant).get("/")
    assert "No run failed." in page.text and done["executionId"] in page.html


def test_runs_of_a_pipeline_that_is_gone_can_be_asked_for(make_tenant, upstream_url):
    tenant = make_tenant()
    made = Collector(make_tenant()).publish()
    instance = install_shop(tenant, made, upstream_url, products=3, orders=2)
    run(tenant, instance, ORDERS)
    assert tenant.get(f"/collector-instances/{instance}/executions")["gonePipelines"] == []
    made.change(pipelines=made.body["pipelines"][:1]).publish("2.0.0")
    tenant.post(f"/collector-instances/{instance}/upgrade", {"version": "2.0.0", "acceptBreaking": True}, 200)
    [gone] = tenant.get(f"/collector-instances/{instance}/executions")["gonePipelines"]
    assert gone["id"] == ORDERS
    form = person_of(tenant).get(f"/collector-instances/{instance}/executions").form(
        f"/collector-instances/{instance}/executions")
    assert ORDERS in form.options("pipelineId")
    assert len(form.fill(pipelineId=ORDERS).press("Filter").rows()) == 1


OBJECT = [("GET", ""), ("GET", "/log"), ("GET", "/quarantine"), ("POST", "/cancel"), ("POST", "/retry")]


@pytest.mark.parametrize("method, rest", OBJECT)
def test_a_run_of_another_workspace_is_404(history, other_tenant, anyone, method, rest):
    path = f"/executions/{history.first[0]['executionId']}{rest}"
    theirs = other_tenant.ask(method, path, 404)
    none = other_tenant.ask(method, f"/executions/00000000-0000-7000-8000-000000000000{rest}", 404)
    assert {**theirs.json, "instance": ""} == {**none.json, "instance": ""}
    other_tenant.ask(method, f"/executions/0{rest}", 404)
    anyone.ask(method, path, 401)


def test_running_needs_a_role_and_a_scope(history):
    path = f"/executions/{history.first[0]['executionId']}"
    viewer = history.member("viewer")
    viewer.get(path)
    viewer.post(path + "/cancel", None, 403, "role_missing")
    viewer.post(path + "/retry", None, 403, "role_missing")
    history.with_scopes("executions:read").post(path + "/retry", None, 403, "scope_missing")
    history.with_scopes("instances:read").get(path, 403, "scope_missing")


def test_the_same_request_sent_again_starts_one_run(tenant, shop):
    key = {"Idempotency-Key": unique("run").replace(" ", "-")}
    first = tenant.post(shop + "/execute", {"pipelineId": ORDERS}, 202, headers=key)
    ended(tenant, first["executions"][0]["executionId"])
    again = tenant.post(shop + "/execute", {"pipelineId": ORDERS}, 202, headers=key)
    assert again.json == first.json and again.headers["Idempotency-Replayed"] == "true"
    tenant.post(shop + "/execute", {"pipelineId": PRODUCTS}, 422, "idempotency_mismatch", headers=key)
    assert tenant.get(shop + "/executions")["totalExecutions"] == 1


def test_each_tenant_runs_with_its_own_config(tenant, other_tenant, published, upstream_url):
    mine = install_shop(tenant, published, upstream_url, products=30)
    theirs = install_shop(other_tenant, published, upstream_url, products=70)
    [a], [b] = run(tenant, mine, PRODUCTS), run(other_tenant, theirs, PRODUCTS)
    assert (a["recordsProcessed"], b["recordsProcessed"]) == (30, 70)
