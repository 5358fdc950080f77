"""POST .../execute?wait=N: the run goes through the queue, and its end is the answer."""
import threading
import time

import pytest
from conftest import UUID, Client, check_shape, seed, unique
from test_story import EXECUTION

ANSWER = {"instanceId": UUID, "executions": [EXECUTION],
          "firstRecords": [{"executionId": UUID, "records": list}]}


class Shop:
    def __init__(self, make_tenant, upstream_url, settings):
        self.upstream, self.tenant = Client(upstream_url), make_tenant()
        self.scenario = unique("wait").replace(" ", "-")
        self.upstream.ask("PUT", "_scenario/" + self.scenario, 204, raw=settings.encode())
        creator = make_tenant()
        source = creator.post("/datasources/manual", seed("datasource.json"))["id"]
        config = {"shopUrl": "%s/s/%s" % (upstream_url, self.scenario), "apiKey": "shpat_wait_1",
                  "apiVersion": "2024-01"}
        body = {**seed("collector.json"), "name": unique("Sync"), "dataSourceId": source}
        body.pop("creatorConfig", None)
        collector = creator.post("/collectors", body)
        self.pipelines = [p["id"] for p in collector["pipelines"]]
        creator.post("/collectors/%s/publish" % collector["id"], {"version": "1.0.0"}, status=200)
        self.id = self.tenant.post("/collectors/%s/install" % collector["id"], {
            "instanceName": "Waited for", "tenantConfig": config})["instanceId"]
        self.path = "/collector-instances/%s/execute" % self.id

    def ledger(self):
        return self.upstream.get("_ledger?scenario=" + self.scenario).body.splitlines()


@pytest.fixture
def shop(make_tenant, upstream_url):
    return lambda settings="products=120,orders=30": Shop(make_tenant, upstream_url, settings)


def test_the_answer_holds_the_ended_executions_and_their_first_records(shop):
    shop = shop()
    answer = shop.tenant.post(shop.path + "?wait=30", {}, status=200)
    check_shape(answer.json, ANSWER)
    assert [(x["status"], x["recordsProcessed"]) for x in answer["executions"]] == [
        ("Success", 120), ("Success", 30)]
    for execution, first in zip(answer["executions"], answer["firstRecords"]):
        assert execution["executionId"] == first["executionId"] and len(first["records"]) == 10
    assert all(r["id"] // 10 ** 12 == 7 for r in answer["firstRecords"][0]["records"])
    assert all(r["id"] // 10 ** 12 == 5 for r in answer["firstRecords"][1]["records"])


def test_one_pipeline_is_run_and_named_by_location(shop):
    shop = shop()
    answer = shop.tenant.post(shop.path + "?wait=30", {"pipelineId": shop.pipelines[1]}, status=200)
    execution, = answer["executions"]
    assert execution["pipelineId"] == shop.pipelines[1]
    assert answer.headers["Location"] == "/api/v1/executions/" + execution["executionId"]


def test_numbers_keep_their_digits_in_the_first_records(shop):
    shop = shop("products=3,orders=1")
    answer = shop.tenant.post(shop.path + "?wait=30", {"pipelineId": shop.pipelines[0]}, status=200)
    for record in answer["firstRecords"][0]["records"]:
        one = shop.upstream.get("s/%s/whole/products/%d" % (shop.scenario, record["id"])).body.strip()
        assert one[len(b'{"product":'):-1] in answer.body


def test_when_time_is_up_the_answer_is_202_and_the_run_goes_on(shop):
    shop = shop("products=120,orders=30,fault=hang,ms=2500,times=1")
    began = time.monotonic()
    answer = shop.tenant.post(shop.path + "?wait=1", {"pipelineId": shop.pipelines[0]}, status=202)
    assert 0.9 <= time.monotonic() - began < 2.4
    check_shape(answer.json, ANSWER)
    execution, = answer["executions"]
    assert execution["status"] in ("Pending", "Running")
    again = shop.tenant.post(shop.path + "?wait=30", {"pipelineId": shop.pipelines[0]}, status=200)
    assert [x["executionId"] for x in again["executions"]] == [execution["executionId"]], "asking twice ran twice"
    assert again["executions"][0]["status"] == "Success"
    assert len(shop.ledger()) == 2


def test_waiting_at_once_from_two_sides_makes_one_run(shop):
    shop = shop("products=120,orders=30,fault=hang,ms=1000,times=1")
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(shop.tenant.post(
        shop.path + "?wait=30", {"pipelineId": shop.pipelines[0]}, status=200))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({a["executions"][0]["executionId"] for a in answers}) == 1
    assert len(shop.ledger()) == 2


def test_two_may_wait_in_a_workspace_then_429_and_the_places_come_back(shop):
    shop = shop("products=120,orders=30,fault=hang,ms=2500,times=1")
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(shop.tenant.send(
        "POST", shop.path + "?wait=30", {"pipelineId": shop.pipelines[0]}).status)) for _ in range(2)]
    for thread in threads:
        thread.start()
    end = time.monotonic() + 10
    while not shop.ledger() and time.monotonic() < end:
        time.sleep(0.02)
    time.sleep(0.3)
    third = shop.tenant.post(shop.path + "?wait=30", {"pipelineId": shop.pipelines[1]}, status=429)
    assert third["code"] == "too_many_trials" and int(third.headers["Retry-After"]) >= 1
    for thread in threads:
        thread.join()
    assert answers == [200, 200]
    for _ in range(5):
        shop.tenant.post(shop.path + "?wait=30", {"pipelineId": "none"}, status=422)
    shop.tenant.post(shop.path + "?wait=30", {"pipelineId": shop.pipelines[1]}, status=200)


def test_a_token_that_ends_meanwhile_gives_its_place_back(shop):
    # Fails when the place is given back in the name of that token.
    for _ in range(3):
        one = shop("products=120,orders=30,fault=hang,ms=1200,times=1")
        wanderer = one.tenant.with_scopes("*")
        thread = threading.Thread(target=lambda: wanderer.send("POST", one.path + "?wait=30", {}))
        thread.start()
        end = time.monotonic() + 10
        while not one.ledger() and time.monotonic() < end:
            time.sleep(0.02)
        wanderer.post("/sign-out", status=204)
        thread.join()
        codes = []
        waiters = [threading.Thread(target=lambda: codes.append(one.tenant.send(
            "POST", one.path + "?wait=30", {"pipelineId": one.pipelines[1]}).status)) for _ in range(2)]
        for waiter in waiters:
            waiter.start()
        for waiter in waiters:
            waiter.join()
        assert codes == [200, 200]


def test_a_run_that_failed_is_an_end_too(shop):
    shop = shop("fault=403")
    answer = shop.tenant.post(shop.path + "?wait=30", {"pipelineId": shop.pipelines[0]}, status=200)
    execution, = answer["executions"]
    assert (execution["status"], execution["error"]["code"]) == ("Failed", "access_denied")
    assert answer["firstRecords"][0]["records"] == []


@pytest.mark.parametrize("wait,code", [("0", "out_of_range"), ("61", "out_of_range"), ("-1", "out_of_range"),
                                       ("abc", None), ("1.5", None), ("", None)])
def test_a_wait_that_makes_no_sense_is_refused_and_nothing_runs(shop, wait, code):
    shop = shop()
    answer = shop.tenant.post(shop.path + "?wait=" + wait, {}, status=422)
    assert set(answer.pointers()) == {"wait"} and code in (None, *answer.pointers().values()), answer.json
    assert shop.ledger() == []


def test_another_workspaces_installation_is_not_there(shop, make_tenant, anyone):
    shop = shop()
    make_tenant().post(shop.path + "?wait=1", {}, status=404)
    anyone.post(shop.path + "?wait=1", {}, status=401)
    shop.tenant.member("viewer").post(shop.path + "?wait=1", {}, status=403)
    assert shop.ledger() == []
