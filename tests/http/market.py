"""What the tests of marketplace, installations, runs, records and exports share: collectors that are
published, installed, and have run against the simulated shop."""
import copy
import urllib.parse

from conftest import TIME, UUID, seed, unique, wait_until

CONFIG = {"shopUrl": "tenant-bob-store.myshopify.com", "apiKey": "shpat_bob_key_67890",
          "apiVersion": "2024-01"}
CREATOR_SECRET = "shpat_alice_test_key_12345"

INSTANCE = {
    "instanceId": UUID, "collectorId": UUID, "collectorName": str, "tenantId": UUID,
    "instanceName": str, "status": str, "releaseVersion": str, "latestVersion": str, "config": object,
    "totalExecutions": int, "successfulExecutions": int, "partialExecutions": int, "failedExecutions": int,
    "lastExecutedAt": (None, TIME), "lastSuccessfulExecutionAt": (None, TIME),
    "pipelines": [{"id": str, "name": str, "stream": str, "strategy": str}],
    "version": int, "installedAt": TIME, "updatedAt": TIME,
}

CURSOR_STEP = {"name": "Paginate", "type": "pagination",
               "config": {"type": "cursor", "cursorParam": "page_info"}}


def source_body(**members):
    return {**seed("datasource.json"), "name": unique("Shop API"), **members}


def collector_body(**members):
    """The seed's collector; orders are paged, too, as the demo does it."""
    body = {**seed("collector.json"), "name": unique("Shop Sync"), **members}
    if "pipelines" not in members:
        body["pipelines"][1]["processingSteps"].insert(1, copy.deepcopy(CURSOR_STEP))
    return body


class Collector:
    """A collector with its data source, changed and published by its creator."""

    def __init__(self, creator, source=None, collector=None):
        self.creator = creator
        self.source = source or source_body()
        self.source_id = creator.post("/datasources/manual", self.source)["id"]
        self.body = {**(collector or collector_body()), "dataSourceId": self.source_id}
        self.id = creator.post("/collectors", self.body)["id"]

    def publish(self, version="1.0.0", notes="First release"):
        self.creator.post(f"/collectors/{self.id}/publish",
                          {"version": version, "releaseNotes": notes}, 200)
        return self

    def change(self, source=None, **members):
        if source:
            self.source = {**self.source, **source}
            self.creator.patch(f"/datasources/{self.source_id}", source)
        if members:
            self.creator.patch(f"/collectors/{self.id}", members)
        return self

    @property
    def path(self):
        return f"/marketplace/collectors/{self.id}"


def install(tenant, collector, config=None, status=201, code=None, **members):
    body = {"instanceName": "My Shopify Sync", "tenantConfig": dict(CONFIG if config is None else config),
            **members}
    return tenant.post(f"/collectors/{collector.id}/install", body, status, code)


def install_shop(tenant, collector, upstream_url, name=None, **settings):
    """Installed with the simulated shop's address; settings are those of tests/upstream/README.md."""
    scenario = name or unique("shop").replace(" ", "-")
    parts = [scenario] + [f"{k}={urllib.parse.quote(str(v), safe='')}" for k, v in settings.items()]
    config = {**CONFIG, "shopUrl": f"{upstream_url}/s/{','.join(parts)}"}
    return install(tenant, collector, config)["instanceId"]


def run(tenant, instance, pipeline=None, seconds=60):
    """Runs to the end; the executions' documents."""
    body = {"pipelineId": pipeline} if pipeline else {}
    asked = tenant.post(f"/collector-instances/{instance}/execute", body, 202)["executions"]
    return [ended(tenant, one["executionId"], seconds) for one in asked]


def ended(tenant, execution, seconds=60):
    def look():
        one = tenant.get(f"/executions/{execution}").json
        return one if one["status"] not in ("Pending", "Running") else None
    return wait_until(look, seconds)


PRODUCTS, ORDERS = "product-sync-pipeline", "order-sync-pipeline"


def collect(tenant, collector, upstream_url, products):
    """An installation that has this many products in its first stream."""
    instance = install_shop(tenant, collector, upstream_url, products=products)
    done = run(tenant, instance, PRODUCTS, 120)
    assert [(one["status"], one["recordsProcessed"]) for one in done] == [("Success", products)], done
    return instance
