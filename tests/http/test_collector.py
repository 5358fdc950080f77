"""Collectors: drafts with their creator's test config."""
import copy
import json

import pytest
from conftest import TIME, UUID, check_shape, contains, seed, unique

NOWHERE = "01890000-0000-7000-8000-000000000000"
KEY = "shpat_alice_test_key_12345"
SET = {"set": True, "updatedAt": TIME}


def source(**members):
    return {**seed("datasource.json"), "name": unique("Shop API"), **members}


@pytest.fixture()
def shop(tenant):
    """A data source of this workspace."""
    return tenant.post("/datasources/manual", source()).json


def collector(source_id, **members):
    return {**seed("collector.json"), "name": unique("Sync"), "dataSourceId": source_id, **members}


def test_example_2_is_answered_as_it_was_written_but_for_the_secret(tenant, shop):
    asked = {**seed("collector.json"), "dataSourceId": shop["id"]}
    made = tenant.post("/collectors", asked)
    assert made.headers["Location"] == "/api/v1/collectors/" + made["id"]
    contains(made.json, {name: value for name, value in asked.items() if name not in ("creatorConfig", "pipelines")})
    for got, sent in zip(made["pipelines"], asked["pipelines"]):
        contains({n: v for n, v in got.items() if n != "processingSteps"},
                 {n: v for n, v in sent.items() if n != "processingSteps"})
        for a, b in zip(got["processingSteps"], sent["processingSteps"]):
            contains(a, b)
    assert [p["id"] for p in made["pipelines"]] == ["product-sync-pipeline", "order-sync-pipeline"]
    check_shape(made["creatorConfig"], {"shopUrl": "alice-test-store.myshopify.com",
                                        "apiKey": SET, "apiVersion": "2024-01"})
    check_shape(made.json, {
        "id": UUID, "tenantId": tenant.tenant, "name": str, "description": str, "dataSourceId": shop["id"],
        "dataSourceName": shop["name"], "stage": "Draft", "approvalStatus": "none", "approvalReason": None, "creatorConfig": dict,
        "pipelines": [dict], "isPublished": False, "isListed": False, "publishedAt": None,
        "publishedBy": None, "releaseVersion": None, "marketplaceUrl": None, "installs": 0, "isActive": True,
        "version": int, "createdBy": tenant.email, "createdAt": TIME, "updatedAt": TIME})
    assert tenant.get("/collectors/" + made["id"]).json == made.json


def test_the_secret_is_in_no_answer(tenant, shop):
    made = tenant.post("/collectors", collector(shop["id"]))
    where = "/collectors/" + made["id"]
    for answer in (made, tenant.get(where), tenant.get("/collectors"), tenant.get("/audit"),
                   tenant.patch(where, {"description": "x"}),
                   tenant.post(where + "/publish", {"version": "1.0.0"}, 200),
                   tenant.get(where + "/releases/1.0.0")):
        assert KEY not in answer.body.decode()


def test_the_list_is_paged_and_searched(tenant, shop):
    other = tenant.post("/datasources", source())
    names = [tenant.post("/collectors", collector(
        shop["id"] if i % 2 else other["id"], name=f"Collector {i}", stage="Dev" if i > 2 else "Stage"))["name"]
        for i in range(5)]
    assert [c["name"] for c in tenant.every("/collectors?limit=2", "collectors")] == names[::-1]

    def found(query):
        return sorted(c["name"] for c in tenant.every("/collectors?limit=1&" + query, "collectors"))
    assert found("q=TOR%203") == ["Collector 3"]
    assert found("stage=Dev") == names[3:]
    assert found("dataSourceId=" + shop["id"]) == [names[1], names[3]]
    assert found("dataSourceId=" + NOWHERE) == []
    assert tenant.get("/collectors?stage=dev", 422).pointers() == {"stage": "not_a_choice"}
    one = tenant.get("/collectors?limit=1")["collectors"][0]
    assert one["pipelines"] == 2 and "creatorConfig" not in one


def refuse(tenant, document, pointer, code):
    found = tenant.post("/collectors", document, 422).pointers()
    assert found.get(pointer) == code, found


@pytest.mark.parametrize("path,value,pointer,code", [
    (["name"], None, "/name", "required"),
    (["name"], " ", "/name", "blank"),
    (["stage"], "Production", "/stage", "not_a_choice"),
    (["pipelines"], [], "/pipelines", "too_few_items"),
    (["pipelines", 0, "functionId"], "func-nothing", "/pipelines/0/functionId", "unknown_function"),
    (["pipelines", 0, "processingSteps", 1, "type"], "magic", "/pipelines/0/processingSteps/1/type", None),
    (["pipelines", 0, "staticParameters", "colour"], "red", "/pipelines/0/staticParameters/colour", None),
    (["pipelines", 1, "id"], "same", "/pipelines/1/id", "duplicate"),
    (["creatorConfig", "colour"], "red", "/creatorConfig/colour", "unknown_field"),
    (["creatorConfig", "apiVersion"], "1999-01", "/creatorConfig/apiVersion", "not_a_choice"),
    (["creatorConfig", "shopUrl"], 7, "/creatorConfig/shopUrl", "wrong_type"),
    (["creatorConfig", "apiKey"], "", "/creatorConfig/apiKey", "required"),
    (["creatorConfig", "apiKey"], {"set": True}, "/creatorConfig/apiKey", "required"),
    (["creatorConfig", "apiKey"], ["x"], "/creatorConfig/apiKey", "wrong_type"),
    (["creatorConfig"], "x", "/creatorConfig", "wrong_type"),
    (["tenant_id"], "x", "/tenant_id", "unknown_field"),
    (["dataSourceId"], "ds-shopify-123", "/dataSourceId", "uuid_invalid"),
    (["dataSourceId"], NOWHERE, "/dataSourceId", "not_found"),
])
def test_a_collector_that_cannot_work_is_refused(tenant, shop, path, value, pointer, code):
    document = copy.deepcopy(collector(shop["id"]))
    document["pipelines"][0]["id"] = "same"
    place = document
    for step in path[:-1]:
        place = place[step]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    found = tenant.post("/collectors", document, 422).pointers()
    assert pointer in found, found
    assert code is None or found[pointer] == code, found


def test_another_workspaces_data_source_is_not_there(tenant, other_tenant, shop):
    theirs = other_tenant.post("/datasources", source())
    refuse(tenant, collector(theirs["id"]), "/dataSourceId", "not_found")


def test_a_new_collector_needs_an_active_data_source(tenant, shop):
    made = tenant.post("/collectors", collector(shop["id"]))
    tenant.patch("/datasources/" + shop["id"], {"isActive": False})
    refuse(tenant, collector(shop["id"]), "/dataSourceId", "data_source_inactive")
    tenant.patch("/collectors/" + made["id"], {"description": "still mine"})


def test_without_a_test_config_there_is_none(tenant, shop):
    document = collector(shop["id"])
    del document["creatorConfig"]
    made = tenant.post("/collectors", document)
    assert made["creatorConfig"] == {}


def test_a_patch_leaves_secrets_as_they_are(tenant, shop):
    made = tenant.post("/collectors", collector(shop["id"]))
    where = "/collectors/" + made["id"]
    patched = tenant.patch(where, {"creatorConfig": {"apiVersion": "2023-10"}})
    assert patched["creatorConfig"] == {**made["creatorConfig"], "apiVersion": "2023-10"}
    # what was read can be sent back
    again = tenant.patch(where, {"creatorConfig": patched["creatorConfig"]})
    assert again["creatorConfig"] == patched["creatorConfig"] and again["version"] == 3


def test_a_put_replaces_plain_values_and_keeps_secrets(tenant, shop):
    document = collector(shop["id"])
    made = tenant.post("/collectors", document)
    where = "/collectors/" + made["id"]
    document["creatorConfig"] = {"shopUrl": "alice-test-store.myshopify.com"}
    put = tenant.put(where, document)
    check_shape(put["creatorConfig"], {"shopUrl": str, "apiKey": SET})
    del document["creatorConfig"]
    assert tenant.put(where, document)["creatorConfig"] == put["creatorConfig"]


def test_null_removes_a_secret_and_what_is_required_is_missed(tenant, shop):
    made = tenant.post("/collectors", collector(shop["id"]))
    where = "/collectors/" + made["id"]
    answer = tenant.patch(where, {"creatorConfig": {"apiKey": None}}, 422)
    assert answer.pointers() == {"/creatorConfig/apiKey": "required"}
    tenant.patch("/datasources/" + shop["id"], {"configFields": [
        {**f, "required": f["name"] == "shopUrl"} for f in shop["configFields"]]})
    assert "apiKey" not in tenant.patch(where, {"creatorConfig": {"apiKey": None}})["creatorConfig"]
    assert tenant.patch(where, {"creatorConfig": None})["creatorConfig"] == {}


class TestSecretsStayWithTheirHost:
    """Whoever may edit must not be able to send another member's secret to a server of his own."""

    @pytest.fixture()
    def made(self, tenant, shop):
        return tenant.post("/collectors", collector(shop["id"])).json

    def refused(self, answer):
        assert answer.pointers() == {"/creatorConfig/apiKey": "secret_reentry"}, answer.json

    @pytest.mark.parametrize("address", ["evil.example.com", "alice-test-store.myshopify.com.evil.example",
                                         "alice-test-store.myshopify.com:8443", "127.0.0.1",
                                         "http://alice-test-store.myshopify.com"])
    def test_another_address_asks_for_the_secrets_again(self, tenant, made, address):
        where, config = "/collectors/" + made["id"], {"shopUrl": address}
        self.refused(tenant.patch(where, {"creatorConfig": config}, 422))
        self.refused(tenant.patch(where, {"creatorConfig": {**config, "apiKey": {"set": True}}}, 422))
        body = collector(made["dataSourceId"], creatorConfig=config)
        self.refused(tenant.put(where, body, 422))
        assert tenant.get(where).json == made
        if address in ("127.0.0.1", "http://alice-test-store.myshopify.com"):
            return  # these may not be asked at all, with whatever secret
        moved = tenant.patch(where, {"creatorConfig": {**config, "apiKey": "another"}})
        assert moved["creatorConfig"]["shopUrl"] == address

    @pytest.mark.parametrize("address", ["127.0.0.1", "https://10.0.0.1", "https://169.254.169.254", "[::1]",
                                         "localhost", "shop.internal", "2130706433", "https://x.example.com:22"])
    def test_an_address_that_may_not_be_asked_is_refused_where_it_is_said(self, tenant, made, address):
        answer = tenant.patch("/collectors/" + made["id"],
                              {"creatorConfig": {"shopUrl": address, "apiKey": "another"}}, 422)
        assert answer.pointers() == {"/creatorConfig/shopUrl": "target_not_allowed"}, answer.json

    @pytest.mark.parametrize("address", [
        "http://x@169.254.169.254/", "https://x:y@10.0.0.1/", "javascript:alert(1)", "foo:bar", "data:text/html,x",
        "https://example.com:99999", "https://-.com/?x=#y", "https://shop example.com"])
    def test_what_makes_no_address_is_refused_where_it_is_said(self, tenant, made, address):
        answer = tenant.patch("/collectors/" + made["id"],
                              {"creatorConfig": {"shopUrl": address, "apiKey": "another"}}, 422)
        assert answer.pointers() == {"/creatorConfig/shopUrl": "url_invalid"}, answer.json

    @pytest.mark.parametrize("address", ["https://alice-test-store.myshopify.com",
                                         "ALICE-test-store.myshopify.com", "alice-test-store.myshopify.com/"])
    def test_the_same_address_in_other_words_does_not(self, tenant, made, address):
        tenant.patch("/collectors/" + made["id"], {"creatorConfig": {"shopUrl": address}})

    def test_another_data_source_elsewhere_asks_too(self, tenant, made):
        evil = tenant.post("/datasources", source(baseUrl="https://evil.example.com"))
        self.refused(tenant.patch("/collectors/" + made["id"], {"dataSourceId": evil["id"]}, 422))
        same = tenant.post("/datasources", source())
        tenant.patch("/collectors/" + made["id"], {"dataSourceId": same["id"]})

    def test_a_data_source_that_moves_forgets_the_secrets(self, tenant, shop, made):
        where = "/collectors/" + made["id"]
        tenant.patch("/datasources/" + shop["id"], {"description": "new words"})
        assert "apiKey" in tenant.get(where)["creatorConfig"]
        tenant.patch("/datasources/" + shop["id"], {"baseUrl": "https://{config.shopUrl}"})
        assert "apiKey" in tenant.get(where)["creatorConfig"]
        tenant.patch("/datasources/" + shop["id"], {"baseUrl": "https://evil.example.com"})
        assert "apiKey" not in tenant.get(where)["creatorConfig"]


def test_put_and_patch_of_the_draft(tenant, shop):
    made = tenant.post("/collectors", collector(shop["id"], stage="Dev"))
    where = "/collectors/" + made["id"]
    body = collector(shop["id"], pipelines=seed("collector.json")["pipelines"][:1])
    put = tenant.put(where, body)
    assert len(put["pipelines"]) == 1 and put["stage"] == "Dev" and put["version"] == 2
    patched = tenant.patch(where, {"stage": "Stage", "description": None})
    assert patched["stage"] == "Stage" and patched["description"] == "" and patched["version"] == 3
    assert patched["pipelines"] == put["pipelines"]
    assert tenant.patch(where, {"pipelines": None}, 422).pointers() == {"/pipelines": "required"}
    assert tenant.patch(where, {"version": 9}, 422).pointers() == {"/version": "unknown_field"}
    assert tenant.patch(where, {"isPublished": True}, 422).pointers() == {"/isPublished": "unknown_field"}
    tenant.patch(where, {"name": tenant.post("/collectors", collector(shop["id"]))["name"]}, 409, "name_taken")


def test_a_stale_version_is_told(tenant, shop):
    made = tenant.post("/collectors", collector(shop["id"]))
    where, old = "/collectors/" + made["id"], {"If-Match": made.headers["ETag"]}
    tenant.patch(where, {"description": "x"}, headers=old)
    for method, path, body in (("PUT", where, collector(shop["id"])), ("PATCH", where, {"stage": "Dev"}),
                               ("DELETE", where, None), ("POST", where + "/publish", {"version": "1.0.0"})):
        stale = tenant.ask(method, path, 412, "stale", body=body, headers=old)
        assert stale.headers["ETag"].startswith('"v2')


def test_delete_takes_the_secrets_along(tenant, shop):
    made = tenant.post("/collectors", collector(shop["id"]))
    tenant.delete("/collectors/" + made["id"])
    tenant.delete("/collectors/" + made["id"], 404)
    tenant.get("/collectors/" + made["id"], 404)
    tenant.delete("/datasources/" + shop["id"])


def test_another_workspace_sees_nothing(tenant, other_tenant, shop):
    made = tenant.post("/collectors", collector(shop["id"]))
    where = "/collectors/" + made["id"]
    theirs = other_tenant.post("/datasources", source())
    absent = other_tenant.get("/collectors/" + NOWHERE, 404)
    for method, path, body in (
            ("GET", where, None), ("PUT", where, collector(theirs["id"])), ("PATCH", where, {"stage": "Dev"}),
            ("DELETE", where, None), ("POST", where + "/publish", {"version": "1.0.0"}),
            ("POST", where + "/delist", None), ("POST", where + "/relist", None),
            ("GET", where + "/releases", None), ("GET", where + "/releases/1.0.0", None)):
        other_tenant.ask(method, path, 404, absent["code"], body=body)
    assert other_tenant.get("/collectors")["collectors"] == []
    assert other_tenant.get("/collectors?dataSourceId=" + shop["id"])["collectors"] == []
    assert tenant.get(where).json == made.json


def test_roles_and_scopes(tenant, shop):
    made = tenant.post("/collectors", collector(shop["id"]))
    where = "/collectors/" + made["id"]
    viewer, editor = tenant.member("viewer"), tenant.member("editor")
    for who, code in ((viewer, "role_missing"), (tenant.with_scopes("collectors:read"), "scope_missing")):
        who.get(where)
        who.get(where + "/releases")
        who.post("/collectors", collector(shop["id"]), 403, code)
        who.put(where, collector(shop["id"]), 403, code)
        who.patch(where, {"stage": "Dev"}, 403, code)
        who.delete(where, 403, code)
        for verb in ("publish", "delist", "relist"):
            who.post(f"{where}/{verb}", {"version": "1.0.0"} if verb == "publish" else None, 403, code)
    editor.patch(where, {"stage": "Dev"})
    editor.post(where + "/publish", {"version": "1.0.0"}, 403, "role_missing")
    tenant.member("admin").post(where + "/publish", {"version": "1.0.0"}, 200)
    tenant.with_scopes("datasources:read").get(where, 403, "scope_missing")


def test_markup_and_templates_stay_inert(tenant, shop):
    name = "<script>alert(1)</script> {{7*7}} ${x} %s%n '; DROP TABLE x; -- \u202dno".replace("\u202d", "")
    made = tenant.post("/collectors", collector(shop["id"], name=name + unique("")))
    assert made["name"].startswith(name)
    assert json.loads(made.body)["name"].startswith(name)
