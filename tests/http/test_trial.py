"""Trying things while somebody waits: a collector's test, and "test connection" in its three forms."""
import base64
import calendar
import json
import re
import threading
import time
import urllib.parse

import pytest
from conftest import TIME, UUID, Client, check_shape, seed, unique

KEY = "shpat_a+key/with=signs&3%-9f7"
STEP = {"kind": str, "at": str, "detail": dict}
PIPELINE = {"requests": list, 
    "pipelineId": str, "pipelineName": str, "recordsRead": int,
    "status": ("success", "partial", "failed", "timeout", "waiting"),
    "error": (None, {"code": str, "message": str, "pointer?": str, "field?": str}), "stop?": (None, str),
    "bounded?": (None, str), "durationMs": int, "counts?": dict, "steps": [STEP], "records": list,
}
TRIAL = {"collectorId": UUID, "collectorName": str, "pipelineId": (None, str), "stored": False, "limits": {"pages": int, "records": int, "seconds": int},
         "pipelines": [PIPELINE]}
CONNECTION = {"ok": bool, "code": str, "message": str, "durationMs": int, "pipeline": PIPELINE}


def looks(secret):
    """A secret raw, percent-encoded, as JSON text, in hex, and within base64 at each of three places."""
    raw = secret.encode()
    found = {secret, urllib.parse.quote(secret, safe=""), urllib.parse.quote_plus(secret),
             json.dumps(secret)[1:-1], raw.hex(), raw.hex().upper()}
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for cut in range(3):
            found.add(encode(raw[cut:])[:(len(raw) - cut) // 3 * 4].decode())
    return found


def hidden(answer, secret=KEY):
    text = answer.body.decode()
    shown = [look for look in looks(secret) if look in text]
    assert not shown, "the secret is shown as %s" % shown
    return True


class Bench:
    """A creator's collector on the shop, and the scenario that it asks."""

    def __init__(self, creator, upstream_url, settings="", config=None, **source):
        self.creator, self.upstream = creator, Client(upstream_url)
        self.scenario = unique("trial").replace(" ", "-")
        self.play(settings)
        self.config = {"shopUrl": "%s/s/%s" % (upstream_url, self.scenario), "apiKey": KEY,
                       "apiVersion": "2024-01", **(config or {})}
        self.source = creator.post("/datasources/manual", {**seed("datasource.json"), **source})["id"]
        body = {**seed("collector.json"), "name": unique("Sync"), "dataSourceId": self.source,
                "creatorConfig": self.config}
        made = creator.post("/collectors", body)
        self.id, self.pipelines = made["id"], [p["id"] for p in made["pipelines"]]

    def play(self, settings):
        self.upstream.ask("PUT", "_scenario/" + self.scenario, 204, raw=settings.encode())

    def ledger(self):
        body = self.upstream.get("_ledger?scenario=" + self.scenario).body
        return [json.loads(line) for line in body.splitlines()]

    def execute(self, body=None, status=200, **rest):
        return self.creator.post("/collectors/%s/execute" % self.id, body, status=status, **rest)


@pytest.fixture
def bench(tenant, upstream_url):
    return Bench(tenant, upstream_url)


def steps(pipeline, kind):
    return [step["detail"] for step in pipeline["steps"] if step["kind"] == kind]


def test_example_3_tries_one_pipeline_with_the_creators_config(bench):
    answer = bench.execute({"pipelineId": bench.pipelines[0], "useCreatorConfig": True})
    check_shape(answer.json, TRIAL)
    assert answer["collectorId"] == bench.id
    pipeline, = answer["pipelines"]
    assert (pipeline["pipelineId"], pipeline["status"], pipeline["error"]) == (bench.pipelines[0], "success", None)
    assert pipeline["recordsRead"] > 0 and pipeline["records"][0]["id"] > 7e12
    asked = steps(pipeline, "request")
    assert asked[0]["url"].startswith(bench.config["shopUrl"] + "/admin/api/2024-01/products.json?")
    assert asked[0]["method"] == "GET" and "limit=100" in asked[0]["url"]
    assert len(asked) == len(bench.ledger()), "every request is shown, and no other was sent"
    assert {line["credential"] for line in bench.ledger()} == {KEY[-4:]}


def test_each_request_stands_with_its_answer_and_as_a_command(bench):
    answer = bench.execute({"pipelineId": bench.pipelines[0], "maxPages": 1, "maxRecords": 3})
    pipeline, = answer["pipelines"]
    assert answer["limits"]["pages"] == 1 and answer["limits"]["records"] == len(pipeline["records"]) == 3
    request, = pipeline["requests"]
    assert request["number"] == 1 and request["method"] == "GET" and request["status"] == 200
    assert request["bytes"] > 0 and request["durationMs"] >= 0 and "products" in request["responseBody"]
    assert request["curl"].startswith("curl '" + bench.config["shopUrl"])
    assert "-H 'X-Shopify-Access-Token: " in request["curl"] and KEY not in request["curl"]


def test_without_a_pipeline_all_are_tried(bench):
    for body in (None, {}, {"useCreatorConfig": True}):
        answer = bench.execute(body)
        assert [p["pipelineId"] for p in answer["pipelines"]] == bench.pipelines


def test_requests_and_responses_are_shown_and_the_key_is_not(bench):
    # Fails with config_redact, or with the shown form of a value, switched off.
    answer = bench.execute({"useCreatorConfig": True})
    pipeline = answer["pipelines"][0]
    request, response = steps(pipeline, "request")[0], steps(pipeline, "response")[0]
    header = {name.lower(): value for name, value in request["headers"].items()}
    assert header["x-shopify-access-token"] and KEY not in header["x-shopify-access-token"]
    assert response["status"] == 200 and response["bytes"] > 1000 and response["elapsedMs"] >= 0
    assert '"products"' in response["body"]
    assert any(name.lower() == "content-type" for name in response["headers"])
    hidden(answer)


@pytest.mark.parametrize("auth", [
    {"type": "ApiKey", "details": {"name": "api_key", "location": "query", "value": "{config.apiKey}"}},
    {"type": "ApiKey", "details": {"name": "X-Api-Key", "location": "header", "value": "{config.apiKey}"}},
    {"type": "Bearer", "details": {"token": "{config.apiKey}"}},
    {"type": "Basic", "details": {"username": "alice", "password": "{config.apiKey}"}},
], ids=lambda auth: auth["type"] + auth["details"].get("location", ""))
def test_the_key_is_hidden_wherever_it_travels(tenant, upstream_url, auth):
    # /echo answers with what it was sent, so the response would show the key too.
    function = {"id": "func-get-products", "name": "echo", "method": "GET", "path": "/echo", "parameters": [
        {"name": "limit", "location": "query"}, {"name": "page_info", "location": "query"}]}
    other = {**function, "id": "func-get-orders", "name": "echo2", "parameters": [
        {"name": "status", "location": "query"}, {"name": "limit", "location": "query"}]}
    bench = Bench(tenant, upstream_url, authConfig=auth, functions=[function, other])
    answer = bench.execute({"useCreatorConfig": True})
    body = steps(answer["pipelines"][0], "response")[0]["body"]
    assert "user-agent" in body, "the echo is shown"
    hidden(answer)
    assert bench.ledger()[0]["credential"] == KEY[-4:]


def test_a_test_is_bounded_says_so_and_stores_nothing(bench):
    # Fails with the bounds left out of the run's budget: 13 pages would be read.
    answer = bench.execute({"pipelineId": bench.pipelines[0]})
    pipeline, = answer["pipelines"]
    limits = answer["limits"]
    assert 1 <= len(pipeline["records"]) <= limits["records"]
    assert len(bench.ledger()) <= limits["pages"] < 13 and limits["seconds"] <= 60
    assert pipeline["bounded"] and pipeline["bounded"][0].isupper() and pipeline["bounded"].endswith(".")
    assert answer["stored"] is False
    assert bench.creator.get("/collector-instances")["instances"] == []


@pytest.mark.parametrize("settings,code", [
    ("fault=500", "upstream_unavailable"), ("fault=401", "credential_rejected"),
    ("fault=404", "not_found_upstream"), ("fault=html", "bad_body"), ("fault=error_200", "records_not_found"),
    ("fault=redirect,to=metadata", "redirect_refused"), ("auth=shop,secret=another", "credential_rejected"),
])
def test_a_broken_api_is_an_answer_not_an_error(tenant, upstream_url, settings, code):
    bench = Bench(tenant, upstream_url, settings)
    answer = bench.execute({"pipelineId": bench.pipelines[0]})
    check_shape(answer.json, TRIAL)
    pipeline, = answer["pipelines"]
    assert (pipeline["status"], pipeline["error"]["code"], pipeline["records"]) == ("failed", code, [])
    message = pipeline["error"]["message"]
    assert message[0].isupper() and len(message) > 20, message
    hidden(answer)


def test_a_long_wait_is_told_not_waited_for(tenant, upstream_url):
    bench = Bench(tenant, upstream_url, "fault=429,retry_after=3600")
    began = time.monotonic()
    pipeline, = bench.execute({"pipelineId": bench.pipelines[0]})["pipelines"]
    assert time.monotonic() - began < 10
    assert (pipeline["status"], pipeline["error"]["code"]) == ("waiting", "upstream_rate_limited")
    assert len(bench.ledger()) == 1


def seconds_until(text):
    return calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")) - time.time()


def test_a_429_in_a_test_blocks_the_service_for_tests_and_runs(tenant, upstream_url):
    # Fails with the gate left out of the trial, or with its throttle left empty.
    bench = Bench(tenant, upstream_url, "fault=429,retry_after=3600")
    first, = bench.execute({"pipelineId": bench.pipelines[0]})["pipelines"]
    assert first["error"]["code"] == "upstream_rate_limited" and len(bench.ledger()) == 1
    bench.play("")
    began = time.monotonic()
    second, = bench.execute({"pipelineId": bench.pipelines[0]})["pipelines"]
    assert time.monotonic() - began < 5, "it waits instead of saying so"
    assert (second["status"], second["error"]["code"]) == ("waiting", "rate_limited"), second
    until, = re.findall(r"after (\S+Z)\.", second["error"]["message"])
    assert 3500 < seconds_until(until) < 3660
    path = "/collector-instances/%s/execute" % installed(bench, tenant)
    execution, = tenant.post(path + "?wait=5", {"pipelineId": bench.pipelines[0]}, status=202)["executions"]
    waiting = tenant.get("/executions/" + execution["executionId"])["waiting"]
    assert waiting["code"] == "rate_limited" and 3400 < seconds_until(waiting["until"]) < 3660
    assert len(bench.ledger()) == 1, "a request left while the service was blocked"


def test_a_429_in_a_run_holds_back_tests(tenant, upstream_url, other_tenant):
    bench = Bench(tenant, upstream_url, "fault=429,retry_after=3600")
    path = "/collector-instances/%s/execute" % installed(bench, tenant)
    tenant.post(path + "?wait=3", {"pipelineId": bench.pipelines[0]}, status=202)
    assert len(bench.ledger()) == 1
    bench.play("")
    answer = tenant.post("/collectors/%s/test-connection" % bench.id, {}, status=200)
    assert (answer["ok"], answer["code"]) == (False, "rate_limited") and len(bench.ledger()) == 1
    other = Bench(other_tenant, upstream_url)
    assert other.execute({"pipelineId": other.pipelines[0]})["pipelines"][0]["status"] == "success", \
        "another workspace was held back too"


def test_a_tests_requests_count_against_the_rate_limit_of_the_definition(tenant, upstream_url):
    bench = Bench(tenant, upstream_url, rateLimitConfig={"requestsPerSecond": 1, "burst": 1})
    began = time.monotonic()
    for _ in range(3):
        assert bench.execute({"pipelineId": bench.pipelines[0]})["pipelines"][0]["status"] == "success"
    assert time.monotonic() - began > len(bench.ledger()) - 1.2, "%d requests" % len(bench.ledger())


def test_one_broken_pipeline_does_not_hide_the_other(tenant, upstream_url):
    bench = Bench(tenant, upstream_url, "fault=403,on=orders")
    assert [(p["status"], p["error"] and p["error"]["code"]) for p in bench.execute()["pipelines"]] == [
        ("success", None), ("failed", "access_denied")]


def test_a_config_that_comes_along_replaces_the_stored_one_whole(bench, upstream_url):
    # Fails with the two merged: the stored key would go to the address that was sent.
    elsewhere = unique("elsewhere").replace(" ", "-")
    address = "%s/s/%s" % (upstream_url, elsewhere)
    answer = bench.execute({"pipelineId": bench.pipelines[0], "config": {
        "shopUrl": address, "apiKey": "shpat_another_0042", "apiVersion": "2024-01"}})
    assert answer["pipelines"][0]["status"] == "success"
    lines = [json.loads(line) for line in
             bench.upstream.get("_ledger?scenario=" + elsewhere).body.splitlines()]
    assert {line["credential"] for line in lines} == {"0042"}
    assert bench.ledger() == []
    hidden(answer, "shpat_another_0042")
    partial = bench.execute({"pipelineId": bench.pipelines[0], "config": {"shopUrl": address}})
    pipeline, = partial["pipelines"]
    assert pipeline["status"] == "failed" and pipeline["steps"] == [], pipeline
    again = [json.loads(line) for line in
             bench.upstream.get("_ledger?scenario=" + elsewhere).body.splitlines()]
    assert len(again) == len(lines), "a request left with half of a config"
    stored = bench.creator.get("/collectors/" + bench.id)
    assert stored["creatorConfig"]["shopUrl"] == bench.config["shopUrl"], "the test stored its config"


@pytest.mark.parametrize("body,code,pointer", [
    ({"pipelineId": "no-such"}, "pipeline_unknown", "/pipelineId"),
    ({"useCreatorConfig": False}, "config_missing", "/useCreatorConfig"),
    ({"unknown": 1}, "unknown_field", "/unknown"), ({"pipelineId": 7}, "wrong_type", "/pipelineId"),
    ({"config": []}, "wrong_type", "/config"),
])
def test_a_request_that_cannot_be_tried_is_refused_with_its_place(bench, body, code, pointer):
    answer = bench.execute(body, status=422)
    assert answer.pointers().get(pointer) == code or answer["code"] == code, answer.json
    assert bench.ledger() == []


def test_nobody_else_may_try_a_collector(bench, other_tenant, anyone):
    path = "/collectors/%s/execute" % bench.id
    other_tenant.post(path, {}, status=404)
    anyone.post(path, {}, status=401)
    bench.creator.member("viewer").post(path, {}, status=403)
    bench.creator.with_scopes("collectors:read").post(path, {}, status=403)
    assert bench.ledger() == []


# --- test connection ---

def installed(bench, tenant, settings=""):
    """The bench's collector, published and installed in another workspace."""
    bench.creator.post("/collectors/%s/publish" % bench.id, {"version": "1.0.0"}, status=200)
    return tenant.post("/collectors/%s/install" % bench.id, {
        "instanceName": "Mine", "tenantConfig": {**bench.config, "apiKey": "shpat_tenants_own_77"}})["instanceId"]


def test_a_creators_connection_is_tested_with_one_request(bench):
    answer = bench.creator.post("/collectors/%s/test-connection" % bench.id, {}, status=200)
    check_shape(answer.json, CONNECTION)
    assert (answer["ok"], answer["code"]) == (True, "") and answer["message"]
    assert len(bench.ledger()) == 1
    hidden(answer)


def test_before_an_installation_the_config_comes_along(bench, other_tenant):
    bench.creator.post("/collectors/%s/publish" % bench.id, {"version": "1.0.0"}, status=200)
    path = "/marketplace/collectors/%s/test-connection" % bench.id
    answer = other_tenant.post(path, {"tenantConfig": {**bench.config, "apiKey": "shpat_tenants_own_77"}},
                               status=200)
    check_shape(answer.json, CONNECTION)
    assert answer["ok"] is True and {line["credential"] for line in bench.ledger()} == {"n_77"}
    hidden(answer, "shpat_tenants_own_77")
    refused = other_tenant.post(path, {}, status=422)
    assert refused["code"] == "required" or "/tenantConfig" in refused.pointers(), refused.json
    bad = other_tenant.post(path, {"tenantConfig": {"shopUrl": bench.config["shopUrl"]}}, status=422)
    assert bad.pointers() == {"/tenantConfig/apiKey": "required"}, bad.json
    assert other_tenant.get("/collector-instances")["instances"] == [], "nothing is installed by a test"


def test_an_installations_connection_is_tested_with_its_own_config(bench, other_tenant):
    instance = installed(bench, other_tenant)
    path = "/collector-instances/%s/test-connection" % instance
    answer = other_tenant.post(path, {}, status=200)
    check_shape(answer.json, CONNECTION)
    assert answer["ok"] is True and {line["credential"] for line in bench.ledger()} == {"n_77"}
    hidden(answer, "shpat_tenants_own_77")
    bench.creator.post(path, {}, status=404)
    given = other_tenant.post(path, {"tenantConfig": {**bench.config, "apiKey": "shpat_one_to_try_11"}},
                              status=200)
    assert given["ok"] is True and bench.ledger()[-1]["credential"] == "y_11"
    shown = other_tenant.get("/collector-instances/" + instance)
    assert shown["version"] == 1, "the test stored something"


def test_a_connection_that_fails_says_why(bench, other_tenant):
    instance = installed(bench, other_tenant)
    bench.play("fault=401")
    answer = other_tenant.post("/collector-instances/%s/test-connection" % instance, {}, status=200)
    check_shape(answer.json, CONNECTION)
    assert (answer["ok"], answer["code"]) == (False, "credential_rejected") and len(answer["message"]) > 20
    assert len(bench.ledger()) == 1
    hidden(answer, "shpat_tenants_own_77")


def test_two_tests_at_once_in_a_workspace_then_429_and_the_places_come_back(tenant, upstream_url, other_tenant):
    # Fails with the slots left out.
    bench = Bench(tenant, upstream_url, "fault=hang,ms=2500,times=2")
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(bench.creator.send(
        "POST", "/collectors/%s/test-connection" % bench.id, {}))) for _ in range(2)]
    for thread in threads:
        thread.start()
    end = time.monotonic() + 10
    while len(bench.ledger()) < 2 and time.monotonic() < end:
        time.sleep(0.02)
    third = bench.execute({}, status=429)
    assert third["code"] == "too_many_trials" and int(third.headers["Retry-After"]) >= 1
    other = Bench(other_tenant, upstream_url)
    assert other.execute({"pipelineId": other.pipelines[0]})["pipelines"][0]["status"] == "success"
    for thread in threads:
        thread.join()
    assert [answer.status for answer in answers] == [200, 200]
    for _ in range(3):
        bench.execute({"pipelineId": bench.pipelines[0]})
