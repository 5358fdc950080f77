"""Installing a published collector with a workspace's own config."""
import concurrent.futures

import pytest
from conftest import TIME, UUID, check_shape, contains
from market import CONFIG, Collector, install

INSTALLED = {"instanceId": UUID, "collectorId": UUID, "collectorName": str, "tenantId": UUID,
             "instanceName": str, "status": str, "installedAt": TIME, "releaseVersion": str,
             "version": int}


@pytest.fixture(scope="module")
def published(make_tenant):
    return Collector(make_tenant()).publish()


def test_example_6_is_answered_as_it_is_written(tenant, published):
    answer = install(tenant, published)
    check_shape(answer.json, INSTALLED)
    contains(answer.json, {
        "collectorId": published.id, "collectorName": published.body["name"], "tenantId": tenant.tenant,
        "instanceName": "My Shopify Sync", "status": "Active", "releaseVersion": "1.0.0", "version": 1})
    assert answer.headers["Location"] == "/api/v1/collector-instances/" + answer["instanceId"]
    assert answer.headers["ETag"].startswith('"v1-')


def test_plain_values_are_shown_and_secrets_are_not(tenant, published):
    made = install(tenant, published)
    read = tenant.get("/collector-instances/" + made["instanceId"])
    assert CONFIG["apiKey"].encode() not in made.body + read.body
    check_shape(read["config"], {"shopUrl": CONFIG["shopUrl"], "apiVersion": "2024-01",
                                 "apiKey": {"set": True, "updatedAt": TIME}})
    log = tenant.get("/audit?action=instance.install")
    assert [e["objectId"] for e in log["entries"]] == [made["instanceId"]]
    assert CONFIG["apiKey"].encode() not in tenant.get("/audit").body
    assert CONFIG["shopUrl"].encode() not in tenant.get("/audit").body


def test_a_default_need_not_be_given(tenant, published):
    install(tenant, published, {"shopUrl": "x.example", "apiKey": "shpat_1"})


def test_installs_are_counted_once_and_taken_back(anyone, make_tenant, tenant, other_tenant):
    one = Collector(make_tenant()).publish()
    first = install(tenant, one)["instanceId"]
    install(other_tenant, one)
    install(tenant, one, status=409, code="already_installed")
    assert anyone.get(one.path)["installs"] == 2
    tenant.delete("/collector-instances/" + first)
    assert anyone.get(one.path)["installs"] == 1
    install(tenant, one)
    assert anyone.get(one.path)["installs"] == 2


def test_asked_for_many_times_at_once_it_is_installed_once(anyone, tenant, make_tenant):
    one = Collector(make_tenant()).publish()
    body = {"instanceName": "x", "tenantConfig": CONFIG}
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: tenant.send("POST", f"/collectors/{one.id}/install", body=body),
                                range(8)))
    assert sorted(answer.status for answer in answers) == [201] + [409] * 7
    assert len(tenant.get("/collector-instances")["instances"]) == 1
    assert anyone.get(one.path)["installs"] == 1


def test_a_creator_may_install_what_it_published(published):
    answer = install(published.creator, published)
    assert answer["tenantId"] == published.creator.tenant


def test_a_version_can_be_chosen(tenant, other_tenant, make_tenant):
    one = Collector(make_tenant()).publish("1.0.0").change(description="New").publish("1.1.0")
    assert install(tenant, one, version="1.0.0")["releaseVersion"] == "1.0.0"
    assert install(other_tenant, one)["releaseVersion"] == "1.1.0"


def test_a_version_that_is_not_there_is_refused(tenant, published):
    answer = install(tenant, published, version="9.9.9", status=422, code="version_unknown")
    assert answer.pointers() == {"/version": "version_unknown"}


def test_what_is_not_published_is_404(tenant, make_tenant):
    draft = Collector(make_tenant())
    install(tenant, draft, status=404, code="not_found")
    draft.id = "00000000-0000-7000-8000-000000000000"
    install(tenant, draft, status=404, code="not_found")
    draft.id = "1"
    install(tenant, draft, status=404, code="not_found")


@pytest.mark.parametrize("config, problems", [
    ({}, {"/tenantConfig/shopUrl": "required", "/tenantConfig/apiKey": "required"}),
    ({"shopUrl": "x.example"}, {"/tenantConfig/apiKey": "required"}),
    ({**CONFIG, "apiKey": ""}, {"/tenantConfig/apiKey": "required"}),
    ({**CONFIG, "apiKey": None}, {"/tenantConfig/apiKey": "required"}),
    ({**CONFIG, "apiKey": 5}, {"/tenantConfig/apiKey": "wrong_type"}),
    ({**CONFIG, "apiKey": {"set": True}}, {"/tenantConfig/apiKey": "required"}),
    ({**CONFIG, "apiVersion": "1999-01"}, {"/tenantConfig/apiVersion": "not_a_choice"}),
    ({**CONFIG, "shopUrl": ["x"]}, {"/tenantConfig/shopUrl": "wrong_type"}),
    ({**CONFIG, "shopUrl": "x" * 2001}, {"/tenantConfig/shopUrl": "too_long"}),
    ({**CONFIG, "is_admin": True}, {"/tenantConfig/is_admin": "unknown_field"}),
    ({**CONFIG, "a/b~c": 1}, {"/tenantConfig/a~1b~0c": "unknown_field"}),
])
def test_a_wrong_config_is_refused_with_its_places(shared_tenant, published, config, problems):
    assert install(shared_tenant, published, config, 422).pointers() == problems


@pytest.mark.parametrize("members, pointer, code", [
    ({"instanceName": ""}, "/instanceName", "blank"), ({"instanceName": " "}, "/instanceName", "blank"),
    ({"instanceName": "x" * 201}, "/instanceName", "too_long"),
    ({"instanceName": "a\u0000b"}, "/instanceName", "nul_not_allowed"),
    ({"instanceName": "a\nb"}, "/instanceName", "control_character"),
    ({"instanceName": None}, "/instanceName", "required"), ({"instanceName": 1}, "/instanceName", "wrong_type"),
    ({"tenantConfig": []}, "/tenantConfig", "wrong_type"), ({"tenantId": "x"}, "/tenantId", "unknown_field"),
])
def test_a_wrong_body_is_refused_with_its_place(shared_tenant, published, members, pointer, code):
    answer = shared_tenant.post(f"/collectors/{published.id}/install",
                                {"instanceName": "x", "tenantConfig": CONFIG, **members}, 422)
    assert answer.pointers() == {pointer: code}


@pytest.mark.parametrize("raw, status, code", [
    (b"", 400, "body_missing"), (b"{", 400, "json_syntax"), (b"[]", 422, "object_expected"),
    (b'{"instanceName":"a","instanceName":"b"}', 400, "json_duplicate_key")])
def test_a_body_that_cannot_be_read_is_refused(shared_tenant, published, raw, status, code):
    shared_tenant.ask("POST", f"/collectors/{published.id}/install", status, code, raw=raw)


@pytest.mark.parametrize("name", ["caf\u00e9 \u2615", "<script>alert(1)</script>", "{{7*7}}", "%s%n",
                                  "'; DROP TABLE x --", "\u0627\u0644\u0639\u0631\u0628\u064a\u0629"])
def test_a_name_is_any_text_and_stays_text(tenant, published, name):
    made = install(tenant, published, instanceName=name)
    assert tenant.get("/collector-instances/" + made["instanceId"])["instanceName"] == name


def test_a_name_is_stored_composed(tenant, published):
    assert install(tenant, published, instanceName="Cafe\u0301")["instanceName"] == "Caf\u00e9"


def test_installing_needs_a_token_a_role_and_a_scope(anyone, tenant, published):
    install(anyone, published, status=401)
    install(tenant.member("viewer"), published, status=403, code="role_missing")
    install(tenant.with_scopes("instances:read"), published, status=403, code="scope_missing")
    install(tenant.with_scopes("instances:write"), published)


def test_an_editor_may_install(tenant, published):
    install(tenant.member("editor"), published)


def test_the_same_request_sent_again_gives_the_first_answer(tenant, published):
    path, key = f"/collectors/{published.id}/install", {"Idempotency-Key": "install-1"}
    body = {"instanceName": "Once", "tenantConfig": CONFIG}
    first = tenant.post(path, body, headers=key)
    again = tenant.post(path, body, headers=key)
    assert again.json == first.json and again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["Location"] == first.headers["Location"]
    assert "Idempotency-Replayed" not in first.headers
    tenant.post(path, {**body, "instanceName": "Twice"}, 422, "idempotency_mismatch", headers=key)
    tenant.post(path, body, 409, "already_installed", headers={"Idempotency-Key": "install-2"})


@pytest.mark.parametrize("key", ["x" * 256, "a b", "\x7f"])
def test_an_idempotency_key_is_visible_ascii(shared_tenant, published, key):
    shared_tenant.post(f"/collectors/{published.id}/install", {"instanceName": "x"}, 400,
                       "idempotency_key_invalid", headers={"Idempotency-Key": key})


def test_a_refused_request_leaves_its_key_free(tenant, published):
    path, key = f"/collectors/{published.id}/install", {"Idempotency-Key": "install-3"}
    tenant.post(path, {"instanceName": "x", "tenantConfig": {}}, 422, headers=key)
    tenant.post(path, {"instanceName": "x", "tenantConfig": CONFIG}, headers=key)
