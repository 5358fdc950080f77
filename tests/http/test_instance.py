"""Installations: reading, changing, upgrading, uninstalling."""
import copy

import pytest
from conftest import TIME, UUID, check_shape, contains, unique
from market import CONFIG, INSTANCE, ORDERS, PRODUCTS, Collector, collector_body, install, source_body

NOBODY = "00000000-0000-7000-8000-000000000000"


@pytest.fixture(scope="module")
def creator(make_tenant):
    return make_tenant()


@pytest.fixture(scope="module")
def published(creator):
    return Collector(creator).publish()


@pytest.fixture()
def path(tenant, published):
    return "/collector-instances/" + install(tenant, published)["instanceId"]


def with_config(body, *fields, drop=()):
    kept = [f for f in body["configFields"] if f["name"] not in drop]
    return {"configFields": kept + list(fields)}


def test_an_installation_is_shown_whole(tenant, published, path):
    answer = tenant.get(path)
    check_shape(answer.json, INSTANCE)
    contains(answer.json, {
        "collectorId": published.id, "collectorName": published.body["name"], "status": "Active",
        "tenantId": tenant.tenant, "releaseVersion": "1.0.0", "latestVersion": "1.0.0", "version": 1,
        "totalExecutions": 0, "lastExecutedAt": None,
        "pipelines": [
            {"id": PRODUCTS, "name": "Product Sync Pipeline", "stream": "getProducts", "strategy": "full-sync"},
            {"id": ORDERS, "name": "Order Sync Pipeline", "stream": "getOrders", "strategy": "full-sync"}]})
    assert answer.headers["ETag"].startswith('"v1-')
    assert tenant.get(path, 304, headers={"If-None-Match": answer.headers["ETag"]}).body == b""


def test_the_list_is_paged_and_searched(tenant, creator):
    made = [install(tenant, Collector(creator).publish(), instanceName=f"Number {n} é")["instanceId"]
            for n in range(3)]
    whole = tenant.get("/collector-instances")
    check_shape(whole.json, {"instances": [INSTANCE], "nextCursor": None})
    assert [one["instanceId"] for one in whole["instances"]] == made[::-1]
    assert [one["instanceId"] for one in tenant.every("/collector-instances?limit=1", "instances")] == made[::-1]
    assert [one["instanceId"] for one in tenant.get("/collector-instances?q=ER%201")["instances"]] == [made[1]]
    assert tenant.get("/collector-instances?q=%25")["instances"] == []


def test_a_cursor_is_of_one_workspace_one_list_and_one_filter(tenant, other_tenant, creator):
    for client in (tenant, other_tenant):
        for _ in range(2):
            install(client, Collector(creator).publish())
    cursor = tenant.get("/collector-instances?limit=1")["nextCursor"]
    tenant.get(f"/collector-instances?limit=1&cursor={cursor}")
    other_tenant.get(f"/collector-instances?limit=1&cursor={cursor}", 400, "cursor_invalid")
    tenant.get(f"/collector-instances?limit=1&q=x&cursor={cursor}", 400, "cursor_invalid")
    tenant.get(f"/collector-instances?cursor={cursor[:-2]}AA", 400, "cursor_invalid")
    tenant.get(f"/members?cursor={cursor}", 400, "cursor_invalid")


OBJECT = [("GET", ""), ("PATCH", ""), ("DELETE", ""), ("GET", "/upgrade"), ("POST", "/upgrade"),
          ("POST", "/execute"), ("GET", "/executions"), ("GET", "/streams"), ("GET", "/records"),
          ("GET", "/records.ndjson")]


@pytest.mark.parametrize("method, rest", OBJECT)
def test_an_installation_of_another_workspace_is_404(other_tenant, path, method, rest):
    body = {} if method in ("POST", "PATCH") else None
    theirs = other_tenant.ask(method, path + rest, 404, body=body)
    none = other_tenant.ask(method, "/collector-instances/" + NOBODY + rest, 404, body=body)
    for answer in (theirs, none):
        assert set(answer.json) == {"type", "title", "status", "detail", "instance", "code"}
    assert {**theirs.json, "instance": ""} == {**none.json, "instance": ""}
    other_tenant.ask(method, "/collector-instances/1" + rest, 404, body=body)


@pytest.mark.parametrize("method, rest", OBJECT)
def test_an_installation_needs_a_token(anyone, path, method, rest):
    answer = anyone.ask(method, path + rest, 401, body={} if method in ("POST", "PATCH") else None)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_roles_and_scopes(tenant, path):
    viewer, editor = tenant.member("viewer"), tenant.member("editor")
    viewer.get(path)
    viewer.get(path + "/upgrade")
    viewer.patch(path, {"instanceName": "x"}, 403, "role_missing")
    viewer.post(path + "/upgrade", {}, 403, "role_missing")
    viewer.post(path + "/execute", {}, 403, "role_missing")
    editor.patch(path, {"instanceName": "x"})
    editor.delete(path, 403, "role_missing")
    tenant.with_scopes("executions:read").get(path, 403, "scope_missing")
    tenant.with_scopes("instances:read").patch(path, {}, 403, "scope_missing")
    tenant.with_scopes("instances:write").post(path + "/execute", {}, 403, "scope_missing")
    tenant.with_scopes("instances:read").get(path + "/records.ndjson", 403, "scope_missing")
    tenant.with_scopes("instances:write").get(path)
    tenant.member("admin").delete(path)


# --- changing ---

def test_a_change_is_shown_and_counted(tenant, path):
    changed = tenant.patch(path, {"instanceName": "Cafe\u0301", "status": "Inactive"})
    check_shape(changed.json, INSTANCE)
    assert (changed["instanceName"], changed["status"], changed["version"]) == ("Caf\u00e9", "Inactive", 2)
    assert tenant.get(path).json == changed.json
    assert tenant.patch(path, {"status": "Active"})["version"] == 3


def test_a_change_of_nothing_changes_nothing(tenant, path):
    before = tenant.get(path)
    assert tenant.patch(path, {}).json == before.json


def test_a_stale_version_is_refused_with_the_current_one(tenant, path):
    first = tenant.get(path).headers["ETag"]
    tenant.patch(path, {"instanceName": "one"}, headers={"If-Match": first})
    stale = tenant.patch(path, {"instanceName": "two"}, 412, "stale", headers={"If-Match": first})
    assert stale.headers["ETag"].startswith('"v2')
    tenant.delete(path, 412, "stale", headers={"If-Match": first})
    tenant.post(path + "/upgrade", {}, 412, "stale", headers={"If-Match": first})
    tenant.patch(path, {"instanceName": "two"}, 412, headers={"If-Match": '"abc"'})
    weak = "W/" + tenant.get(path).headers["ETag"]
    tenant.patch(path, {"instanceName": "two"}, headers={"If-Match": weak})
    tenant.patch(path, {"instanceName": "three"}, headers={"If-Match": "*"})
    assert tenant.get(path)["instanceName"] == "three"


@pytest.mark.parametrize("body, pointer, code", [
    ({"instanceName": ""}, "/instanceName", "blank"),
    ({"instanceName": " \u200b"}, "/instanceName", "blank"), ({"instanceName": 5}, "/instanceName", "wrong_type"),
    ({"status": "Paused"}, "/status", "not_a_choice"), ({"status": None}, "/status", "wrong_type"),
    ({"releaseVersion": "2.0.0"}, "/releaseVersion", "unknown_field"),
    ({"tenantId": "x"}, "/tenantId", "unknown_field"), ({"version": 7}, "/version", "unknown_field"),
    ({"tenantConfig": {"is_admin": 1}}, "/tenantConfig/is_admin", "unknown_field"),
    ({"tenantConfig": {"apiVersion": "1"}}, "/tenantConfig/apiVersion", "not_a_choice"),
    ({"tenantConfig": {"apiKey": None}}, "/tenantConfig/apiKey", "required"),
    ({"tenantConfig": {"shopUrl": None}}, "/tenantConfig/shopUrl", "required"),
])
def test_a_wrong_change_is_refused_and_changes_nothing(tenant, path, body, pointer, code):
    before = tenant.get(path).json
    answer = tenant.patch(path, body, 422)
    assert answer.pointers() == {pointer: code}, answer.json
    assert tenant.get(path).json == before


def test_a_config_is_changed_in_parts_and_secrets_stay(tenant, path):
    before = tenant.get(path)["config"]
    after = tenant.patch(path, {"tenantConfig": {"apiVersion": "2023-10"}})["config"]
    assert after == {**before, "apiVersion": "2023-10"}
    after = tenant.patch(path, {"tenantConfig": {"apiVersion": None}})["config"]
    assert "apiVersion" not in after and after["apiKey"]["set"] is True
    # what was read can be sent back
    assert tenant.patch(path, {"tenantConfig": after})["config"] == after


def test_a_secret_stays_with_the_host_that_it_was_given_for(tenant, path):
    moved = {"shopUrl": "elsewhere.example.com"}
    answer = tenant.patch(path, {"tenantConfig": moved}, 422)
    assert answer.pointers() == {"/tenantConfig/apiKey": "secret_reentry"}
    assert tenant.get(path)["config"]["shopUrl"] == CONFIG["shopUrl"]
    answer = tenant.patch(path, {"tenantConfig": {**moved, "apiKey": "shpat_new"}})
    assert answer["config"]["shopUrl"] == "elsewhere.example.com" and b"shpat_new" not in answer.body


def test_a_change_is_in_the_audit_log_without_its_values(tenant, path):
    tenant.patch(path, {"tenantConfig": {"apiKey": "shpat_another", "apiVersion": "2023-10"}})
    [entry] = tenant.get("/audit?action=instance.update")["entries"]
    assert entry["detail"] == {"configFields": ["apiKey", "apiVersion"]}
    assert entry["objectId"] == path.split("/")[-1]


def test_an_inactive_installation_does_not_run(tenant, path):
    tenant.patch(path, {"status": "Inactive"})
    tenant.post(path + "/execute", {}, 409, "instance_inactive")
    tenant.patch(path, {"status": "Active"})


# --- uninstalling ---

def test_uninstalling_forgets_it(tenant, path):
    tenant.delete(path)
    tenant.get(path, 404, "not_found")
    tenant.delete(path, 404, "not_found")
    assert tenant.get("/collector-instances")["instances"] == []
    [entry] = tenant.get("/audit?action=instance.uninstall")["entries"]
    assert entry["detail"] == {"name": "My Shopify Sync"}


# --- upgrading ---

PREVIEW = {"instanceId": UUID, "from": str, "isOlder": bool, "to": str, "releaseNotes": str, "publishedAt": TIME,
           "breaking": [{"code": str, "name": str, "sentence": str}], "newConfigFields": list,
           "removedConfigFields": [str], "addressChanges": bool, "hosts": [str], "isOffered": bool,
           "versions": [str]}


@pytest.fixture()
def moving(creator):
    """A collector of one's own, to publish further versions of."""
    return Collector(creator).publish("1.0.0")


@pytest.fixture()
def there(tenant, moving):
    return "/collector-instances/" + install(tenant, moving)["instanceId"]


REGION = {"name": "region", "type": "Text", "label": "Region", "required": True}


def test_a_preview_of_no_change(tenant, there):
    preview = tenant.get(there + "/upgrade")
    check_shape(preview.json, PREVIEW)
    contains(preview.json, {"from": "1.0.0", "to": "1.0.0", "breaking": [], "newConfigFields": [],
                            "removedConfigFields": [], "addressChanges": False})


def test_an_upgrade_that_breaks_nothing_keeps_config_and_secrets(tenant, moving, there):
    optional = {**REGION, "required": False}
    moving.change(source=with_config(moving.source, optional)).publish("1.1.0", "Adds a region")
    assert tenant.get(there)["latestVersion"] == "1.1.0" and tenant.get(there)["releaseVersion"] == "1.0.0"
    preview = tenant.get(there + "/upgrade")
    contains(preview.json, {"from": "1.0.0", "to": "1.1.0", "releaseNotes": "Adds a region",
                            "breaking": [], "addressChanges": False})
    assert [f["name"] for f in preview["newConfigFields"]] == ["region"]
    before = tenant.get(there)
    after = tenant.post(there + "/upgrade", None, 200, raw=None)
    check_shape(after.json, INSTANCE)
    assert after["config"] == before["config"]
    assert (after["releaseVersion"], after["version"]) == ("1.1.0", before["version"] + 1)
    [entry] = tenant.get("/audit?action=instance.upgrade")["entries"]
    assert entry["detail"] == {"from": "1.0.0", "to": "1.1.0", "breaking": []}


def test_what_breaks_is_listed_and_has_to_be_accepted(tenant, moving, there):
    moving.change(pipelines=moving.body["pipelines"][:1]).publish("2.0.0", "No orders any more")
    preview = tenant.get(there + "/upgrade")
    assert [(b["code"], b["name"]) for b in preview["breaking"]] == [("stream_removed", ORDERS)]
    refused = tenant.post(there + "/upgrade", {}, 409, "breaking_changes")
    assert refused.pointers() == {"/breaking/0": "stream_removed"}
    tenant.post(there + "/upgrade", {"acceptBreaking": False}, 409, "breaking_changes")
    assert tenant.get(there)["releaseVersion"] == "1.0.0"
    after = tenant.post(there + "/upgrade", {"acceptBreaking": True}, 200)
    assert [p["id"] for p in after["pipelines"]] == [PRODUCTS]


def test_a_new_required_field_has_to_be_filled_in(tenant, moving, there):
    moving.change(source=with_config(moving.source, REGION)).publish("2.0.0")
    tenant.post(there + "/upgrade", {}, 409, "breaking_changes")
    answer = tenant.post(there + "/upgrade", {"acceptBreaking": True}, 422)
    assert answer.pointers() == {"/tenantConfig/region": "required"}
    after = tenant.post(there + "/upgrade", {"acceptBreaking": True, "tenantConfig": {"region": "eu"}}, 200)
    assert after["config"]["region"] == "eu" and after["config"]["apiKey"]["set"] is True


def test_a_field_that_is_gone_takes_its_value_along(tenant, moving, there):
    moving.change(source={
        **with_config(moving.source, drop=("apiVersion",)),
        "functions": [{**f, "path": f["path"].replace("{config.apiVersion}", "2024-01")}
                      for f in moving.source["functions"]]}).publish("1.1.0")
    tenant.patch(there, {"tenantConfig": {"apiVersion": "2024-01"}})
    preview = tenant.get(there + "/upgrade")
    assert preview["removedConfigFields"] == ["apiVersion"]
    assert [(b["code"], b["name"]) for b in preview["breaking"]] == [("value_erased", "apiVersion")]
    tenant.post(there + "/upgrade", {}, 409, "breaking_changes")
    after = tenant.post(there + "/upgrade", {"acceptBreaking": True}, 200)
    assert set(after["config"]) == {"shopUrl", "apiKey"}


def test_a_version_that_speaks_to_another_host_needs_the_secret_again(tenant, moving, there):
    moving.change(source={"baseUrl": "https://collector.example.net"}).publish("1.1.0")
    preview = tenant.get(there + "/upgrade")
    assert preview["addressChanges"] is True and preview["hosts"] == ["collector.example.net"]
    answer = tenant.post(there + "/upgrade", {"acceptBreaking": True}, 422)
    assert answer.pointers() == {"/tenantConfig/apiKey": "secret_reentry"}
    tenant.post(there + "/upgrade", {"acceptBreaking": True, "tenantConfig": {"apiKey": "shpat_2"}}, 200)


def test_a_version_can_be_named_also_an_older_one(tenant, moving, there):
    moving.change(description="Two").publish("1.1.0").change(description="Three").publish("1.2.0")
    assert tenant.get(there + "/upgrade?version=1.1.0")["to"] == "1.1.0"
    assert tenant.post(there + "/upgrade", {"version": "1.1.0"}, 200)["releaseVersion"] == "1.1.0"
    assert tenant.post(there + "/upgrade", {"version": "1.0.0"}, 200)["releaseVersion"] == "1.0.0"
    tenant.get(there + "/upgrade?version=9.9.9", 422, "version_unknown")
    assert tenant.post(there + "/upgrade", {"version": "9.9.9"}, 422).pointers() == {
        "/version": "version_unknown"}


def test_a_secret_that_a_version_has_no_place_for_is_not_erased_without_asking(tenant, moving, there):
    pin = {"name": "pin", "type": "Password", "label": "Pin", "required": False, "encrypted": True}
    moving.change(source=with_config(moving.source, pin)).publish("1.1.0")
    tenant.post(there + "/upgrade", {"tenantConfig": {"pin": "4711"}}, 200)
    refused = tenant.post(there + "/upgrade", {"version": "1.0.0"}, 409, "breaking_changes")
    assert refused.pointers() == {"/breaking/0": "value_erased"} and "pin" in refused["errors"][0]["detail"]
    assert tenant.get(there)["config"]["pin"]["set"] is True
    assert "pin" not in tenant.post(there + "/upgrade", {"version": "1.0.0", "acceptBreaking": True}, 200)["config"]


@pytest.mark.parametrize("before, after", [("Text", "Password"), ("Password", "Text")])
def test_a_value_that_becomes_a_secret_or_none_is_not_erased_without_asking(tenant, moving, there, before, after):
    source = moving.source

    def pin(kind):
        return with_config(source, {"name": "pin", "type": kind, "label": "Pin", "required": False})
    moving.change(source=pin(before)).publish("1.1.0")
    tenant.post(there + "/upgrade", {"tenantConfig": {"pin": "4711"}}, 200)
    moving.change(source=pin(after)).publish("1.2.0")
    assert tenant.post(there + "/upgrade", {}, 409, "breaking_changes").pointers() == {"/breaking/0": "value_erased"}
    tenant.post(there + "/upgrade", {"acceptBreaking": True, "tenantConfig": {"pin": "4712"}}, 200)


def test_what_is_withdrawn_goes_on_as_it_is(tenant, creator, moving, there, make_administrator):
    moving.publish("1.1.0")
    creator.post(f"/collectors/{moving.id}/delist", None, 200)
    contains(tenant.get(there + "/upgrade").json, {"to": "1.1.0", "isOffered": False})
    make_administrator("admin").post(f"/admin/listings/{moving.id}/reject", {"reason": "Not now"}, 200)
    contains(tenant.get(there + "/upgrade").json,
             {"from": "1.0.0", "to": "1.0.0", "isOffered": False, "versions": [], "breaking": []})
    tenant.post(there + "/upgrade", {"version": "1.1.0"}, 422)


@pytest.mark.parametrize("body, pointer, code", [
    ({"acceptBreaking": 1}, "/acceptBreaking", "wrong_type"), ({"force": True}, "/force", "unknown_field"),
    ({"version": 1}, "/version", "wrong_type"), ({"tenantConfig": "x"}, "/tenantConfig", "wrong_type"),
    ({"tenantConfig": {"shopUrl": 1}}, "/tenantConfig/shopUrl", "wrong_type")])
def test_a_wrong_upgrade_is_refused_with_its_place(tenant, there, body, pointer, code):
    assert tenant.post(there + "/upgrade", body, 422).pointers() == {pointer: code}
