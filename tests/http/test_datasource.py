"""Data sources: definitions of APIs."""
import copy

import pytest
from conftest import TIME, UUID, check_shape, contains, seed, unique


def source(**members):
    return {**seed("datasource.json"), "name": unique("Shop API"), **members}


def test_example_1_is_answered_member_by_member_as_it_was_written(tenant):
    asked = seed("datasource.json")
    made = tenant.post("/datasources/manual", asked)
    contains(made.json, asked)
    assert made.headers["Location"] == "/api/v1/datasources/" + made["id"]
    assert made["version"] == 1 and made["isActive"] is True
    assert made["tenantId"] == tenant.tenant and made["createdBy"] == tenant.email
    check_shape({n: made[n] for n in ("id", "createdAt", "updatedAt")},
                {"id": UUID, "createdAt": TIME, "updatedAt": TIME})
    read = tenant.get("/datasources/" + made["id"])
    assert read.json == made.json
    assert read.headers["ETag"].startswith('"v1-')


def test_the_address_without_a_version_is_the_same(tenant):
    made = tenant.post("api/datasources/manual", source())
    assert made.headers["Location"] == "/api/datasources/" + made["id"]
    assert tenant.get("/datasources/" + made["id"]).json == made.json


def test_members_that_were_left_out_stay_out(tenant):
    least = {"name": unique("x"), "baseUrl": "https://api.example.com",
             "functions": [{"name": "list", "path": "/things"}]}
    made = tenant.post("/datasources", least)
    contains(made.json, least)
    assert made["configFields"] == [] and made["tags"] == [] and made["description"] == ""
    assert not {"authConfig", "headers", "rateLimitConfig", "category"} & set(made.json)


def test_numbers_stay_as_they_were_written(tenant):
    made = tenant.post("/datasources", source(rateLimitConfig={"requestsPerSecond": 0.1, "burst": 3}))
    assert b"0.1," in made.body.replace(b" ", b"") and b"0.1000000" not in made.body


def test_a_name_is_taken_once_and_free_in_another_workspace(tenant, other_tenant):
    one = source()
    tenant.post("/datasources", one)
    tenant.post("/datasources", one, 409, "name_taken")
    other_tenant.post("/datasources", one)


def test_a_name_is_stored_composed(tenant):
    made = tenant.post("/datasources", source(name="Cafe\u0301 " + unique("x")))
    assert made["name"].startswith("Caf\u00e9 ")
    tenant.post("/datasources", source(name=made["name"]), 409, "name_taken")


def test_the_list_is_paged_and_searched(tenant):
    names = [tenant.post("/datasources", source(
        name=f"Source {i}", category="E-commerce" if i % 2 else "Maps",
        tags=["even"] if i % 2 == 0 else ["Odd Ones"]))["name"] for i in range(5)]
    assert [s["name"] for s in tenant.every("/datasources?limit=2", "dataSources")] == names[::-1]
    one = tenant.get("/datasources?limit=1")["dataSources"][0]
    assert one["functions"] == 2 and one["collectors"] == 0 and "configFields" not in one

    def found(query):
        return sorted(s["name"] for s in tenant.every("/datasources?" + query, "dataSources"))
    assert found("category=ecommerce") == ["Source 1", "Source 3"]
    assert found("tag=oddones&limit=1") == ["Source 1", "Source 3"]
    assert found("q=sOURCE%204") == ["Source 4"]
    assert found("q=admin%20api") == names
    assert found("q=nothing") == []
    assert found("q=%25") == []


@pytest.mark.parametrize("query,parameter,code", [
    ("limit=0", "limit", "out_of_range"), ("limit=201", "limit", "out_of_range"),
    ("limit=-1", "limit", "out_of_range"), ("limit=abc", "limit", "wrong_type"),
    ("limit=1&limit=2", "limit", "repeated"), ("sort=name", "sort", "unknown_parameter"),
    ("q=%00", "q", "nul_not_allowed"), ("q=a%0Ab", "q", None),
])
def test_a_query_that_means_nothing_is_refused(shared_tenant, query, parameter, code):
    answer = shared_tenant.get("/datasources?" + query, 422)
    found = answer.pointers()
    assert parameter in found, answer.json
    assert code is None or found[parameter] == code, answer.json


def test_a_cursor_belongs_to_its_workspace_and_filter(tenant, other_tenant):
    for who in (tenant, other_tenant):
        for _ in range(3):
            who.post("/datasources", source())
    cursor = tenant.get("/datasources?limit=1")["nextCursor"]
    tenant.get("/datasources?limit=1&cursor=" + cursor)
    other_tenant.get("/datasources?limit=1&cursor=" + cursor, 400, "cursor_invalid")
    tenant.get("/datasources?limit=1&q=a&cursor=" + cursor, 400, "cursor_invalid")
    tenant.get("/datasources?limit=1&cursor=" + cursor[:-2] + "AA", 400, "cursor_invalid")


def test_put_replaces_the_whole(tenant):
    made = tenant.post("/datasources", source(headers={"X-A": "1"}))
    put = tenant.put("/datasources/" + made["id"], source(name="Renamed " + made["name"]))
    assert "headers" not in put.json and put["name"].startswith("Renamed ") and put["version"] == 2
    assert put.headers["ETag"].startswith('"v2-') and put["createdAt"] == made["createdAt"]


def test_patch_merges(tenant):
    made = tenant.post("/datasources", source(headers={"X-A": "1", "X-B": "2"}))
    patched = tenant.patch("/datasources/" + made["id"],
                           {"headers": {"X-A": None, "X-C": "3"}, "category": None, "tags": ["new"],
                            "isActive": False})
    assert patched["headers"] == {"X-B": "2", "X-C": "3"} and "category" not in patched.json
    assert patched["tags"] == ["new"] and patched["isActive"] is False and patched["version"] == 2
    contains(patched["functions"], made["functions"])


def test_what_a_patch_makes_is_judged_as_a_whole(tenant):
    made = tenant.post("/datasources", source())
    where = "/datasources/" + made["id"]
    assert tenant.patch(where, {"name": None}, 422).pointers() == {"/name": "required"}
    assert tenant.patch(where, {"surprise": 1}, 422).pointers() == {"/surprise": "unknown_field"}
    assert tenant.patch(where, {"id": made["id"]}, 422).pointers() == {"/id": "unknown_field"}
    assert tenant.patch(where, {"functions": []}, 422).pointers() == {"/functions": "too_few_items"}
    tenant.patch(where, [], 422, "object_expected")
    assert tenant.get(where).json == made.json


def test_a_stale_version_is_told_and_the_current_one_accepted(tenant):
    made = tenant.post("/datasources", source())
    where, etag = "/datasources/" + made["id"], made.headers["ETag"]
    body = source()
    second = tenant.put(where, body, headers={"If-Match": etag})
    for method, sent in (("PUT", source()), ("PATCH", {"tags": []}), ("DELETE", None)):
        stale = tenant.ask(method, where, 412, "stale", body=sent, headers={"If-Match": etag})
        assert stale.headers["ETag"].startswith('"v2')
    tenant.patch(where, {"tags": []}, headers={"If-Match": "W/" + second.headers["ETag"]})
    tenant.delete(where)
    tenant.delete(where, 404)
    tenant.get(where, 404)


def test_an_unchanged_document_is_not_sent_again(tenant):
    made = tenant.post("/datasources", source())
    etag = tenant.get("/datasources/" + made["id"]).headers["ETag"]
    again = tenant.get("/datasources/" + made["id"], 304, headers={"If-None-Match": etag})
    assert again.body == b""


def test_what_a_collector_uses_stays(tenant):
    made = tenant.post("/datasources", source())
    for name in ("One", "Two"):
        tenant.post("/collectors", {**seed("collector.json"), "name": name, "dataSourceId": made["id"]})
    refused = tenant.delete("/datasources/" + made["id"], 409, "data_source_in_use")
    assert refused["detail"].startswith("2 collectors use ")
    assert tenant.get("/datasources")["dataSources"][0]["collectors"] == 2


SHOWN = "shpat_0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize("change,pointer", [
    (lambda d: d["authConfig"]["details"].update(headerValue=SHOWN), "/authConfig/details/headerValue"),
    (lambda d: d.update(headers={"X-Key": SHOWN}), "/headers/X-Key"),
    (lambda d: d["configFields"][1].update(default="secret"), "/configFields/1/default"),
    (lambda d: d.update(description="use " + SHOWN), "/description"),
    (lambda d: d["functions"][0]["parameters"][0].update(default=SHOWN),
     "/functions/0/parameters/0/default"),
])
def test_a_credential_is_refused_where_it_stands(shared_tenant, change, pointer):
    document = copy.deepcopy(source())
    change(document)
    answer = shared_tenant.post("/datasources/manual", document, 422)
    assert answer.pointers().get(pointer) == "credential_in_template", answer.json
    assert SHOWN not in answer.body.decode()


@pytest.mark.parametrize("change,pointer,code", [
    ({"name": None}, "/name", "required"), ({"functions": None}, "/functions", "required"),
    ({"protocol": "FTP"}, "/protocol", "not_a_choice"), ({"tenant_id": "x"}, "/tenant_id", "unknown_field"),
    ({"is_admin": True}, "/is_admin", "unknown_field"), ({"__proto__": {}}, "/__proto__", "unknown_field"),
    ({"baseUrl": "javascript:alert(1)"}, "/baseUrl", None),
    ({"baseUrl": "https://127.0.0.1"}, "/baseUrl", "target_not_allowed"),
    ({"baseUrl": "https://169.254.169.254/latest"}, "/baseUrl", "target_not_allowed"),
    ({"baseUrl": "https://{config.apiKey}.example.com"}, "/baseUrl", "secret_in_host"), ({"headers": {"Host": "x"}}, "/headers/Host", None),
    ({"headers": {"X": "a\r\nB: c"}}, "/headers/X", None), ({"tags": [1]}, "/tags/0", "wrong_type"),
    ({"configFields": []}, "/configFields", "base_url_missing"),
])
def test_a_definition_that_cannot_work_is_refused(shared_tenant, change, pointer, code):
    document = {name: value for name, value in {**source(), **change}.items() if value is not None}
    answer = shared_tenant.post("/datasources", document, 422)
    assert pointer in answer.pointers(), answer.json
    assert code is None or answer.pointers()[pointer] == code, answer.json


def test_another_workspace_sees_nothing(tenant, other_tenant):
    made = tenant.post("/datasources", source())
    where = "/datasources/" + made["id"]
    absent = other_tenant.get("/datasources/01890000-0000-7000-8000-000000000000", 404)
    for method, body in (("GET", None), ("PUT", source()), ("PATCH", {"tags": []}), ("DELETE", None)):
        answer = other_tenant.ask(method, where, 404, absent["code"], body=body)
        if method == "GET":
            assert answer["detail"] == absent["detail"]
    assert other_tenant.get("/datasources")["dataSources"] == []
    assert tenant.get(where).json == made.json


def test_roles_and_scopes(tenant):
    made = tenant.post("/datasources", source())
    where = "/datasources/" + made["id"]
    viewer, editor = tenant.member("viewer"), tenant.member("editor")
    for who, code in ((viewer, "role_missing"), (tenant.with_scopes("datasources:read"), "scope_missing")):
        who.get(where)
        who.get("/datasources")
        who.post("/datasources", source(), 403, code)
        who.post("/datasources/manual", source(), 403, code)
        who.put(where, source(), 403, code)
        who.patch(where, {"tags": []}, 403, code)
        who.delete(where, 403, code)
    # what may not be sent is not judged either
    viewer.post("/datasources", {"nonsense": 1}, 403, "role_missing")
    tenant.with_scopes("collectors:read").get(where, 403, "scope_missing")
    tenant.with_scopes("datasources:write").get(where)
    editor.patch(where, {"tags": []})
    editor.delete(where)


def test_without_a_token_nothing_is_told(anyone):
    for method, where in (("GET", "/datasources"), ("POST", "/datasources"),
                          ("GET", "/datasources/01890000-0000-7000-8000-000000000000")):
        answer = anyone.ask(method, where, 401, body={} if method == "POST" else None)
        assert "WWW-Authenticate" in answer.headers


def test_each_change_is_in_the_audit(tenant):
    made = tenant.post("/datasources", source())
    tenant.patch("/datasources/" + made["id"], {"tags": []})
    tenant.delete("/datasources/" + made["id"])
    found = [(e["action"], e["objectId"]) for e in tenant.get("/audit")["entries"]]
    for action in ("create", "update", "delete"):
        assert ("data_source." + action, made["id"]) in found


def test_secrets_that_a_move_makes_forgotten_are_in_the_audit(tenant):
    made = tenant.post("/datasources", source())
    config = {"shopUrl": "shop.example.com", "apiKey": "shpat_forget_me", "apiVersion": "2024-01"}
    collector = tenant.post("/collectors", {**seed("collector.json"), "dataSourceId": made["id"],
                                            "creatorConfig": config})["id"]
    tenant.patch("/collectors/" + collector, {"creatorConfig": {"apiKey": "shpat_another"}})
    tenant.patch("/datasources/" + made["id"], {"baseUrl": "https://elsewhere.example.com"})
    assert "apiKey" not in tenant.get("/collectors/" + collector)["creatorConfig"]
    answer = tenant.get("/audit")
    found = {e["action"]: e["detail"] for e in answer["entries"] if e["objectId"] == collector}
    assert found == {"collector.create": {"configFields": list(config)},
                     "collector.update": {"configFields": ["apiKey"]},
                     "collector.secrets_forgotten": {"reason": "data_source_moved"}}
    assert "shpat_" not in answer.body.decode()


def test_a_repeated_post_with_one_key_makes_one(tenant):
    body, key = source(), {"Idempotency-Key": unique("k").replace(" ", "-")}
    first = tenant.post("/datasources", body, headers=key)
    second = tenant.post("/datasources", body, headers=key)
    assert second["id"] == first["id"] and second.headers["Idempotency-Replayed"] == "true"
    tenant.post("/datasources", source(), 422, "idempotency_mismatch", headers=key)
    assert len(tenant.get("/datasources")["dataSources"]) == 1
