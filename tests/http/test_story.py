"""The whole story, as the demo tells it: Alice describes an API and publishes a collector, Bob finds,
installs and runs it. Each step is held against the examples of the design document (seed 000)."""
import hashlib
import json
import re
import urllib.parse

import pytest
from conftest import TIME, UUID, Client, check_shape, contains, seed, unique

ALICE_KEY, BOB_KEY = "shpat_alice_test_key_12345", "shpat_bob_key_67890"
COUNTS = [name for name in """recordsProcessed recordsNew recordsChanged recordsUnchanged recordsVanished
    recordsFiltered recordsDuplicate recordsQuarantined pages requests retries bytes waitedMs
    attempts""".split()]
EXECUTION = {
    "executionId": UUID, "instanceId": UUID, "pipelineId": str, "pipelineName": str, "releaseVersion": str,
    "trigger": ("manual", "retry"), "status": str, "waiting": (None, dict), "createdAt": TIME,
    "startedAt": (None, TIME), "completedAt": (None, TIME), "durationMs": (None, int),
    **{name: int for name in COUNTS}, "stopReason": (None, str), "cancelRequested": bool,
    "retryOf": (None, UUID), "error": (None, {"code": str, "message": str}),
}


def ledger(upstream_url, scenario):
    at = urllib.parse.urlsplit(upstream_url)
    client = Client("http://" + at.netloc)
    return [json.loads(line) for line in client.get("_ledger?scenario=" + scenario).body.splitlines()]


class Story:
    """What has happened so far; each chapter is told once, by the first test that needs it."""

    def __init__(self, make_tenant, upstream_url):
        self.alice, self.bob = make_tenant(name="Alice"), make_tenant(name="Bob")
        self.upstream_url = upstream_url
        self.name = unique("Shopify Product & Order Sync")
        self.category = unique("E-commerce")
        self.shops = {who: unique(who).replace(" ", "-") for who in ("alice", "bob")}
        self.told = {}

    def shop(self, who):
        return "%s/s/%s" % (self.upstream_url, self.shops[who])

    def chapter(self, name):
        if name not in self.told:
            self.told[name] = getattr(self, name)()
        return self.told[name]

    def source(self):
        return self.alice.post("/datasources/manual", {**seed("datasource.json"), "category": self.category})

    def collector(self):
        return self.alice.post("/collectors", {
            **pipelines(), "name": self.name, "dataSourceId": self.chapter("source")["id"],
            "creatorConfig": {"shopUrl": self.shop("alice"), "apiKey": ALICE_KEY, "apiVersion": "2024-01"}})

    def trial(self):
        return self.alice.post("/collectors/%s/execute" % self.chapter("collector")["id"],
                               {"useCreatorConfig": True}, status=200)

    def publish(self):
        self.chapter("trial")
        return self.alice.post("/collectors/%s/publish" % self.chapter("collector")["id"], {
            "version": "1.0.0", "releaseNotes": "Initial release - syncs Shopify products and orders"},
            status=(200))

    def listing(self):
        self.chapter("publish")
        folded = urllib.parse.quote(re.sub(r"[^a-z0-9]", "", self.category.lower()))
        return self.bob.get("/marketplace/collectors?category=" + folded)

    def install(self):
        found = self.chapter("listing")["collectors"][0]["id"]
        return self.bob.post("/collectors/%s/install" % found, {
            "instanceName": "My Shopify Sync",
            "tenantConfig": {"shopUrl": self.shop("bob"), "apiKey": BOB_KEY, "apiVersion": "2024-01"}})

    def run(self):
        return self.bob.post("/collector-instances/%s/execute?wait=60" % self.chapter("install")["instanceId"],
                             {}, status=200)


def pipelines():
    """The seed's collector, with paging for the orders too: its example reads the first 100 only."""
    collector = seed("collector.json")
    for name in ("creatorConfig", "dataSourceId"):
        collector.pop(name, None)
    paging = collector["pipelines"][0]["processingSteps"][1]
    collector["pipelines"][1]["processingSteps"].insert(1, paging)
    return collector


@pytest.fixture(scope="module")
def story(make_tenant, upstream_url):
    return Story(make_tenant, upstream_url)


def test_1_alice_describes_the_api_without_any_value(story):
    made = story.chapter("source")
    contains(made.json, {**seed("datasource.json"), "category": story.category})
    assert "shpat_" not in made.body.decode()


def test_2_alice_builds_a_collector_and_her_key_is_never_shown_again(story):
    made = story.chapter("collector")
    assert made["name"] == story.name and UUID.match(made["id"])
    assert [p["name"] for p in made["pipelines"]] == ["Product Sync Pipeline", "Order Sync Pipeline"]
    for answer in (made, story.alice.get("/collectors/" + made["id"])):
        assert ALICE_KEY not in answer.body.decode()


def test_3_alice_tries_it_with_her_own_config_and_nothing_is_stored(story):
    tried = story.chapter("trial")
    assert tried["collectorId"] == story.chapter("collector")["id"] and tried["stored"] is False
    assert [(p["pipelineName"], p["status"]) for p in tried["pipelines"]] == [
        ("Product Sync Pipeline", "success"), ("Order Sync Pipeline", "success")]
    assert all(p["recordsRead"] > 0 for p in tried["pipelines"])
    assert {line["credential"] for line in ledger(story.upstream_url, story.shops["alice"])} == {"2345"}
    assert story.alice.get("/collector-instances")["instances"] == []


def test_4_alice_publishes_it(story):
    published = story.chapter("publish").json
    contains(published, {"id": story.chapter("collector")["id"], "name": story.name, "isPublished": True,
                         "publishedBy": story.alice.email,
                         "marketplaceUrl": "/marketplace/collectors/" + story.chapter("collector")["id"]})
    assert TIME.match(published["publishedAt"])


def test_5_bob_finds_it_and_sees_what_it_needs_but_no_value(story):
    answer = story.chapter("listing")
    found = answer["collectors"]
    assert len(found) == 1
    contains(found[0], {"id": story.chapter("collector")["id"], "name": story.name,
                        "publisher": story.alice.workspace, "installs": 0})
    assert found[0]["dataSource"]["name"] == "Shopify API"
    needed = found[0]["dataSource"]["requiredConfig"]
    assert [f["name"] for f in needed] == ["shopUrl", "apiKey"], "apiVersion has a default"
    for field in needed:
        check_shape({n: field[n] for n in ("name", "label", "type", "required")},
                    {"name": str, "label": str, "type": ("Text", "Password"), "required": True})
    detail = story.bob.get("/marketplace/collectors/" + found[0]["id"])
    for shown in (answer, detail):
        assert ALICE_KEY not in shown.body.decode() and story.shop("alice") not in shown.body.decode()


def test_6_bob_installs_it_with_his_own_config(story):
    made = story.chapter("install")
    contains(made.json, {"collectorId": story.chapter("collector")["id"], "collectorName": story.name,
                         "tenantId": story.bob.tenant, "instanceName": "My Shopify Sync", "status": "Active"})
    assert UUID.match(made["instanceId"]) and TIME.match(made["installedAt"])
    assert BOB_KEY not in made.body.decode()
    shown = story.bob.get("/collector-instances/" + made["instanceId"])
    assert BOB_KEY not in shown.body.decode()
    assert shown["config"]["shopUrl"] == story.shop("bob") and shown["config"]["apiKey"]["set"] is True
    again = story.bob.post("/collectors/%s/install" % made["collectorId"], {
        "instanceName": "Twice", "tenantConfig": {"shopUrl": story.shop("bob"), "apiKey": BOB_KEY,
                                                  "apiVersion": "2024-01"}}, status=409)
    assert again["code"]


def test_7_bob_runs_it_with_his_key_and_his_address(story):
    run = story.chapter("run")
    assert run["instanceId"] == story.chapter("install")["instanceId"]
    for execution in run["executions"]:
        check_shape(execution, EXECUTION)
    assert [(x["pipelineName"], x["status"], x["recordsProcessed"]) for x in run["executions"]] == [
        ("Product Sync Pipeline", "Success", 1250), ("Order Sync Pipeline", "Success", 523)]
    lines = ledger(story.upstream_url, story.shops["bob"])
    assert {line["credential"] for line in lines} == {"7890"}
    assert sum(line["count"] for line in lines) == 1773
    assert {line["path"] for line in lines} == {
        "/admin/api/2024-01/products.json", "/admin/api/2024-01/orders.json"}
    before = len(ledger(story.upstream_url, story.shops["alice"]))
    assert before <= 10, "Alice's shop was asked for her test alone"


def test_8_bobs_history_tells_both_runs(story):
    run = story.chapter("run")
    history = story.bob.get("/collector-instances/%s/executions" % run["instanceId"]).json
    contains({n: history[n] for n in history if n not in ("recentExecutions", "nextCursor", "lastExecutedAt")},
             {"instanceId": run["instanceId"], "instanceName": "My Shopify Sync", "totalExecutions": 2,
              "successfulExecutions": 2, "failedExecutions": 0})
    assert TIME.match(history["lastExecutedAt"])
    assert sorted(x["recordsProcessed"] for x in history["recentExecutions"]) == [523, 1250]
    for execution in history["recentExecutions"]:
        check_shape(execution, EXECUTION)
        assert execution["startedAt"] <= execution["completedAt"] and execution["durationMs"] >= 0


@pytest.mark.parametrize("stream,noun,count", [("getProducts", "products", 1250), ("getOrders", "orders", 523)])
def test_9_bob_has_his_records_byte_for_byte(story, stream, noun, count):
    run = story.chapter("run")
    answer = story.bob.get("/collector-instances/%s/records.ndjson?stream=%s" % (run["instanceId"], stream))
    lines = answer.body.splitlines(keepends=True)
    trailer = json.loads(lines.pop())["_catchment"]
    assert trailer == {"records": count, "sha256": hashlib.sha256(b"".join(lines)).hexdigest()}
    at = urllib.parse.urlsplit(story.upstream_url)
    served = Client("http://" + at.netloc).get("whole/" + noun).body
    assert len(lines) == count == len(set(lines))
    assert all(line[:-1] in served for line in lines)


def test_a_nobody_else_sees_bobs_things(story, make_tenant, anyone):
    instance = story.chapter("run")["instanceId"]
    execution = story.chapter("run")["executions"][0]["executionId"]
    for path in ("/collector-instances/" + instance, "/collector-instances/%s/executions" % instance,
                 "/collector-instances/%s/records" % instance, "/collector-instances/%s/records.ndjson" % instance,
                 "/executions/" + execution, "/executions/%s/log" % execution):
        story.alice.get(path, status=404)
        anyone.get(path, status=401)
    assert story.bob.get("/marketplace/collectors/" + story.chapter("collector")["id"])["installs"] == 1
