"""Publishing: frozen versions, their order, what breaks, the listing."""
import concurrent.futures
import threading

import pytest
from conftest import TIME, UUID, check_shape, contains, seed, unique
from market import CONFIG


class Made:
    """A data source with a collector, ready to be published."""

    def __init__(self, tenant):
        self.tenant = tenant
        self.source = tenant.post("/datasources/manual", {**seed("datasource.json"), "name": unique("API")}).json
        self.collector = tenant.post("/collectors", {
            **seed("collector.json"), "name": unique("Sync"), "dataSourceId": self.source["id"]}).json
        self.where = "/collectors/" + self.collector["id"]

    def publish(self, version, status=200, code=None, **rest):
        return self.tenant.post(self.where + "/publish", {"version": version, **rest}, status, code)

    def change_source(self, **members):
        return self.tenant.patch("/datasources/" + self.source["id"], members)

    def change(self, **members):
        return self.tenant.patch(self.where, members)


@pytest.fixture()
def made(tenant):
    return Made(tenant)


def listing(client, made):
    found = client.every("/marketplace/collectors?q=" + made.collector["name"].split()[1], "collectors")
    return [c for c in found if c["id"] == made.collector["id"]]


def test_example_4_is_answered_as_written(tenant, made):
    notes = "Initial release - syncs Shopify products and orders"
    answer = made.publish("1.0.0", releaseNotes=notes)
    check_shape(answer.json, {
        "id": made.collector["id"], "name": made.collector["name"], "isPublished": True,
        "publishedAt": TIME, "publishedBy": tenant.email,
        "marketplaceUrl": "/marketplace/collectors/" + made.collector["id"],
        "version": "1.0.0", "releaseNotes": notes, "breaking": [dict], "stage": "Production",
        "approvalStatus": "approved"})
    assert answer["breaking"] == []
    after = tenant.get(made.where)
    contains(after.json, {n: answer[n] for n in ("isPublished", "publishedAt", "publishedBy", "marketplaceUrl",
                                                 "stage", "approvalStatus")})
    assert after["isListed"] is True and after["releaseVersion"] == "1.0.0" and after["version"] == 2


def test_a_release_freezes_data_source_and_pipelines(tenant, made):
    made.publish("1.0.0", releaseNotes="first")
    frozen = tenant.get(made.where + "/releases/1.0.0").json
    check_shape(frozen, {"version": "1.0.0", "releaseNotes": "first", "breaking": [dict],
                         "publishedAt": TIME, "publishedBy": tenant.email, "collector": {
                             "id": UUID, "name": str, "description": str, "pipelines": [dict]},
                         "dataSource": dict})
    assert frozen["collector"]["pipelines"] == made.collector["pipelines"]
    contains(frozen["dataSource"], seed("datasource.json") | {"name": made.source["name"]})
    assert "creatorConfig" not in str(frozen) and "alice" not in str(frozen["collector"])
    made.change_source(functions=made.source["functions"][:1] + [
        {**made.source["functions"][1], "path": "/elsewhere"}])
    made.change(description="another", name=unique("Other"))
    assert tenant.get(made.where + "/releases/1.0.0").json == frozen


def test_versions_only_grow(tenant, made):
    for bad in ("1", "1.0", "v1.0.0", "01.0.0", "1.0.0-01", "1.0.0 ", "latest"):
        assert made.publish(bad, 422).pointers() == {"/version": "version_invalid"} or bad.endswith(" ")
    made.publish("1.0.0-rc.1")
    made.publish("1.0.0-rc.2")
    made.publish("1.0.0-rc.10")
    made.publish("1.0.0")
    for low in ("1.0.0", "1.0.0+build.7", "1.0.0-rc.11", "0.9.9"):
        answer = made.publish(low, 409, "version_not_greater")
        assert "1.0.0" in answer["detail"]
    made.publish("1.0.1+build.7")
    made.publish("10.0.0")
    assert [r["version"] for r in tenant.every(made.where + "/releases?limit=2", "releases")] == [
        "10.0.0", "1.0.1+build.7", "1.0.0", "1.0.0-rc.10", "1.0.0-rc.2", "1.0.0-rc.1"]
    tenant.get(made.where + "/releases/1.0.1%2Bbuild.7")
    tenant.get(made.where + "/releases/3.0.0", 404)


def test_a_pre_release_is_for_who_asks_for_it_by_name(tenant, other_tenant, made):
    page, install = "/marketplace/collectors/" + made.collector["id"], f"/collectors/{made.collector['id']}/install"
    made.publish("1.0.0-rc.1")
    assert tenant.get(page)["version"] == "1.0.0-rc.1"  # there is nothing else
    made.publish("1.0.0")
    old = other_tenant.post(install, {"instanceName": "Old", "tenantConfig": CONFIG}, 201)["instanceId"]
    mine = tenant.post(install, {"instanceName": "New", "tenantConfig": CONFIG}, 201)["instanceId"]
    made.publish("2.0.0-beta")
    assert tenant.get(page)["version"] == "1.0.0"
    assert tenant.get(made.where + "/publish")["suggestedVersion"] == "2.0.0"
    shown = other_tenant.get("/collector-instances/" + old)
    assert (shown["releaseVersion"], shown["latestVersion"]) == ("1.0.0", "1.0.0")
    assert other_tenant.get(f"/collector-instances/{old}/upgrade")["to"] == "1.0.0"
    # by name it goes forth and back, and is called so
    ahead = tenant.get(f"/collector-instances/{mine}/upgrade?version=2.0.0-beta")
    assert (ahead["to"], ahead["isOlder"]) == ("2.0.0-beta", False)
    tenant.post(f"/collector-instances/{mine}/upgrade", {"version": "2.0.0-beta"}, 200)
    assert tenant.get(f"/collector-instances/{mine}/upgrade")["to"] == "2.0.0-beta"
    assert tenant.get(f"/collector-instances/{mine}/upgrade?version=1.0.0")["isOlder"] is True
    # a mend of what is out goes before the next one, and is what others are offered
    made.publish("1.0.1")
    made.publish("2.0.0-beta", 409, "version_not_greater")
    assert other_tenant.get(f"/collector-instances/{old}/upgrade")["to"] == "1.0.1"
    assert tenant.get(f"/collector-instances/{mine}/upgrade")["to"] == "2.0.0-beta"
    made.publish("2.0.0")
    assert tenant.get(f"/collector-instances/{mine}/upgrade")["to"] == "2.0.0"


def test_what_breaks_is_detected_and_kept(tenant, made):
    made.publish("1.0.0")
    pipelines = [dict(p) for p in made.collector["pipelines"]]
    made.change(pipelines=pipelines + [{**pipelines[0], "id": "third"}])
    assert made.publish("1.1.0")["breaking"] == []
    made.change_source(configFields=made.source["configFields"] + [
        {"name": "region", "label": "Region", "type": "Text", "required": True}])
    pipelines[0] = {**pipelines[0], "dataIngestion": {"strategy": "full-sync", "primaryKey": "sku"}}
    made.change(pipelines=pipelines[:1])
    found = made.publish("2.0.0")["breaking"]
    assert {(b["code"], b["name"]) for b in found} == {
        ("stream_removed", "order-sync-pipeline"), ("stream_removed", "third"),
        ("key_changed", "product-sync-pipeline"), ("config_field_required", "region")}
    assert all(len(b["sentence"]) > 20 for b in found)
    assert tenant.get(made.where + "/releases/2.0.0")["breaking"] == found


def test_what_publishing_would_change_is_shown_before(tenant, made):
    first = tenant.get(made.where + "/publish").json
    check_shape(first, {"id": made.collector["id"], "from": None, "suggestedVersion": "1.0.0", "isPublishable": True,
                        "problems": [dict], "changes": [dict], "breaking": [dict], "hosts": [str], "installs": 0,
                        "needsReview": False, "staysDelisted": False, "version": 1})
    assert first["problems"] == first["changes"] == first["breaking"] == []
    made.publish("1.0.0")
    same = tenant.get(made.where + "/publish").json
    assert (same["from"], same["suggestedVersion"], same["changes"]) == ("1.0.0", "1.1.0", [])
    pipelines = made.collector["pipelines"]
    made.change(description="More", pipelines=[{**pipelines[0], "name": "Goods"}])
    shown = tenant.get(made.where + "/publish").json
    assert [(c["code"], c["name"]) for c in shown["changes"]] == [
        ("member_changed", "collector.description"), ("pipeline_changed", "product-sync-pipeline"),
        ("pipeline_removed", "order-sync-pipeline")]
    assert [(c["code"], c["name"]) for c in shown["breaking"]] == [("stream_removed", "order-sync-pipeline")]
    assert (shown["suggestedVersion"], shown["version"]) == ("2.0.0", 3)
    assert tenant.get(made.where)["releaseVersion"] == "1.0.0"  # looking changes nothing
    assert made.publish(shown["suggestedVersion"])["breaking"] == shown["breaking"]


def test_the_preview_names_what_would_be_refused(tenant, made):
    made.change_source(functions=made.source["functions"][1:])
    shown = tenant.get(made.where + "/publish").json
    assert shown["isPublishable"] is False
    refused = made.publish("1.0.0", 422).pointers()
    assert {p["pointer"]: p["code"] for p in shown["problems"]} == refused and refused


def test_any_member_may_look_but_no_stranger(tenant, other_tenant, made):
    tenant.member("viewer").get(made.where + "/publish")
    other_tenant.get(made.where + "/publish", 404, "not_found")


def test_what_does_not_run_is_not_published(tenant, made):
    made.change_source(functions=made.source["functions"][1:])
    answer = made.publish("1.0.0", 422)
    assert "/collector/pipelines/0/functionId" in answer.pointers(), answer.json
    assert tenant.get(made.where)["isPublished"] is False
    assert tenant.get(made.where + "/releases")["releases"] == []


def test_the_listing_shows_what_example_5_shows(tenant, other_tenant, made):
    made.publish("1.0.0")
    (found,) = listing(other_tenant, made)
    contains(found, {"id": made.collector["id"], "name": made.collector["name"],
                     "description": made.collector["description"], "publisher": tenant.workspace, "installs": 0,
                     "dataSource": {"name": made.source["name"], "requiredConfig": [
                         {"name": "shopUrl", "label": "Shop URL", "type": "Text", "required": True},
                         {"name": "apiKey", "label": "Admin API Access Token", "type": "Password",
                          "required": True}]}})
    made.change(description="Second words")
    made.publish("1.1.0")
    (found,) = listing(other_tenant, made)
    assert found["description"] == "Second words"


def test_delisting_hides_and_relisting_shows(tenant, other_tenant, made):
    tenant.post(made.where + "/delist", None, 409, "not_published")
    tenant.post(made.where + "/relist", None, 409, "not_published")
    made.publish("1.0.0")
    assert tenant.post(made.where + "/delist", None, 200)["isListed"] is False
    assert listing(other_tenant, made) == []
    tenant.post(made.where + "/delist", None, 200)  # again is fine
    assert tenant.get(made.where)["isPublished"] is True
    assert tenant.post(made.where + "/relist", None, 200)["isListed"] is True
    assert len(listing(other_tenant, made)) == 1
    tenant.post(made.where + "/delist", None, 200)
    assert tenant.get(made.where + "/publish")["staysDelisted"] is True
    made.publish("1.1.0")
    assert tenant.get(made.where)["isListed"] is False, "who took it off the shelf puts it back"
    actions = [e["action"] for e in tenant.every("/audit", "entries")]
    assert actions.count("collector.delist") == 2 and actions.count("collector.relist") == 1
    assert actions.count("collector.publish") == 2


def test_a_published_collector_goes_only_when_nobody_needs_it(tenant, other_tenant, made):
    made.publish("1.0.0")
    tenant.delete(made.where, 409, "collector_listed")
    config = {"instanceName": "Mine", "tenantConfig": {"shopUrl": "bob.myshopify.com", "apiKey": "shpat_bob"}}
    theirs = other_tenant.post(made.where + "/install", config)
    ours = tenant.post(made.where + "/install", config)
    tenant.post(made.where + "/delist", None, 200)
    answer = tenant.delete(made.where, 409, "collector_installed")
    assert answer["detail"].startswith("1 other workspace has ")
    other_tenant.delete("/collector-instances/" + theirs["instanceId"])
    tenant.delete(made.where)
    tenant.get(made.where, 404)
    # what is installed runs on from its release
    assert tenant.get("/collector-instances/" + ours["instanceId"])["releaseVersion"] == "1.0.0"


def test_a_release_of_another_workspace_cannot_be_made(tenant, other_tenant, made):
    made.publish("1.0.0")
    other_tenant.post(made.where + "/publish", {"version": "9.0.0"}, 404)
    other_tenant.post(made.where + "/delist", None, 404)
    assert len(tenant.get(made.where + "/releases")["releases"]) == 1


@pytest.mark.parametrize("body,pointer,code", [
    ({}, "/version", "required"), ({"version": 1}, "/version", "wrong_type"),
    ({"version": ""}, "/version", "blank"), ({"version": "1.0.0", "force": True}, "/force", "unknown_field"),
    ({"version": "1" * 65 + ".0.0"}, "/version", "too_long"),
    ({"version": "1.0.0", "releaseNotes": "x" * 10001}, "/releaseNotes", "too_long"),
])
def test_a_body_that_is_wrong_is_refused(made, body, pointer, code):
    answer = made.tenant.post(made.where + "/publish", body, 422)
    assert answer.pointers() == {pointer: code}


def test_publishing_is_repeated_safely_with_a_key(tenant, made):
    key = {"Idempotency-Key": unique("k").replace(" ", "-")}
    first = tenant.post(made.where + "/publish", {"version": "1.0.0"}, 200, headers=key)
    again = tenant.post(made.where + "/publish", {"version": "1.0.0"}, 200, headers=key)
    assert again.json == first.json and again.headers["Idempotency-Replayed"] == "true"


def at_once(count, ask):
    """What ask(i) gives for all i, begun at the same moment."""
    gate = threading.Barrier(count)

    def one(i):
        gate.wait()
        return ask(i)
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def test_of_those_who_publish_one_version_at_once_one_does(tenant, made):
    found = at_once(8, lambda i: tenant.send("POST", made.where + "/publish", body={"version": "1.0.0"}).status)
    assert sorted(found) == [200] + [409] * 7
    assert len(tenant.get(made.where + "/releases")["releases"]) == 1


def test_versions_that_are_published_at_once_stay_in_order(tenant, made):
    at_once(6, lambda i: tenant.send("POST", made.where + "/publish", body={"version": f"1.{i}.0"}).status)
    versions = [r["version"] for r in tenant.get(made.where + "/releases")["releases"]]
    assert versions == sorted(versions, reverse=True) and versions[0] == "1.5.0"
    assert tenant.get(made.where)["releaseVersion"] == "1.5.0"


def test_of_those_who_change_one_version_at_once_one_does(tenant, made):
    etag = tenant.get(made.where).headers["ETag"]
    found = at_once(8, lambda i: tenant.send("PATCH", made.where, body={
        "creatorConfig": {"apiKey": f"key number {i}"}}, headers={"If-Match": etag}).status)
    assert sorted(found) == [200] + [412] * 7


def test_a_data_source_may_move_while_secrets_are_entered(tenant, made):
    """Both take the same locks in the same order, so nobody is refused for having waited."""
    source = "/datasources/" + made.source["id"]
    for i in range(10):
        tenant.patch(source, {"baseUrl": "https://a.example.com"})

        def ask(k):
            if k == 0:
                return tenant.send("PATCH", source, body={"baseUrl": "https://b.example.com"}).status
            return tenant.send("PATCH", made.where, body={"creatorConfig": {"apiKey": f"{i} {k}"}}).status
        assert at_once(4, ask) == [200] * 4
