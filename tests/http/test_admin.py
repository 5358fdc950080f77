"""Administering the platform: approvals, workspaces, users, the queue. That strangers reach none of it
is in test_isolation.py, which tries every route."""
import json
import urllib.parse

import pytest
from conftest import PASSWORD, TIME, UUID, Client, check_shape, unique, wait_until
from market import Collector, install, install_shop

NOWHERE = "01890000-0000-7000-8000-000000000000"


@pytest.fixture(scope="module")
def admin(make_administrator):
    return make_administrator("admin")


@pytest.fixture(scope="module")
def developer(make_administrator):
    return make_administrator("developer")


@pytest.fixture()
def made(tenant):
    return Collector(tenant).publish()


def entries(client, action):
    return client.get(f"/audit?action={action}&limit=50")["entries"]


# --- who is in

def test_a_role_is_given_changed_and_taken_by_the_operator(make_administrator):
    client = make_administrator("developer")
    assert client.get("/profile")["user"]["platformRole"] == "developer"
    client.get("/admin/users", 403, "role_missing")
    client.operate("user", "role", client.email, "owner")
    assert client.get("/admin/overview")["role"] == "owner"
    client.get("/admin/users")
    listed = client.operate("--json", "user", "list").stdout
    assert [u["platformRole"] for u in map(json.loads, listed.splitlines()) if u["email"] == client.email] == ["owner"]
    client.operate("user", "role", client.email, "none")
    client.get("/admin/overview", 403, "role_missing")
    assert client.get("/profile")["user"]["platformRole"] is None


@pytest.mark.parametrize("words, code", [(["x@example.com"], 2), (["x@example.com", "god"], 2), (["nobody@example.com", "admin"], 3)])
def test_a_role_that_cannot_be_given_is_told(admin, words, code):
    done = admin.operate("user", "role", *words)
    assert done.returncode == code and done.stderr


@pytest.mark.parametrize("words", [
    ["user", "disable", "nobody@example.com"], ["user", "enable", "nobody@example.com"],
    ["token", "revoke", "ctm_zzzzzz"], ["token", "add", "nobody@example.com"],
    ["tenant", "limit", NOWHERE, "3"]])
def test_what_an_operator_names_and_is_not_there_ends_with_3(admin, words):
    """As the manual says of all commands."""
    done = admin.operate(*words)
    assert (done.returncode, done.stdout) == (3, "") and done.stderr.startswith("catchment: "), done


def test_an_operators_user_has_a_workspace_without_an_address(admin):
    name = unique("op").replace(" ", "-")
    assert admin.operate("user", "add", name + "@example.com", "--password-file", __file__).returncode == 0
    listed = admin.operate("--json", "tenant", "list").stdout
    assert f'"Workspace of {name}"' in listed


def test_the_role_counts_in_every_workspace_and_needs_no_role_there(make_administrator, tenant):
    client = make_administrator("admin")
    token = tenant.post("/invitations", {"email": client.email, "role": "viewer"})["token"]
    joined = Client(client.base.geturl()).post("/invitations/accept", {"token": token, "password": PASSWORD})
    client.with_token(joined["token"]).get("/admin/overview")


def test_a_token_needs_the_scopes_of_the_platform(admin, made):
    admin.with_scopes("tenant:write").get("/admin/overview", 403, "scope_missing")
    reader = admin.with_scopes("platform:read")
    reader.get("/admin/listings")
    reader.post(f"/admin/listings/{made.id}/approve", None, 403, "scope_missing")
    admin.with_scopes("platform:write").get("/admin/queue")


def test_a_developer_of_the_platform_changes_nothing(developer, made, tenant):
    for path in ("overview", "measures", "queue", "listings", f"listings/{made.id}", "tenants", f"tenants/{tenant.tenant}"):
        developer.get("/admin/" + path)
    developer.post(f"/admin/listings/{made.id}/reject", {"reason": "No"}, 403, "role_missing")
    developer.patch(f"/admin/tenants/{tenant.tenant}", {"isSuspended": True}, 403, "role_missing")
    developer.get(f"/admin/users/{tenant.user}", 403, "role_missing")
    developer.post(f"/admin/users/{tenant.user}/deactivate", None, 403, "role_missing")
    assert tenant.get(f"/collectors/{made.id}")["approvalStatus"] == "approved"


# --- listings

def test_a_rejected_listing_is_hidden_and_its_creator_reads_why(admin, tenant, other_tenant, made):
    answer = admin.post(f"/admin/listings/{made.id}/reject", {"reason": "Name the vendor.", "version": "1.0.0"}, 200)
    assert (answer["approvalStatus"], answer["approvalReason"], answer["reviewedVersion"]) == ("rejected", "Name the vendor.", "1.0.0")
    other_tenant.get(made.path, 404)
    mine = tenant.get(f"/collectors/{made.id}")
    assert (mine["approvalStatus"], mine["approvalReason"]) == ("rejected", "Name the vendor.")
    # in the log of the workspace that it concerns it was the platform, not a person
    for client, by in ((admin, admin.user), (tenant, None)):
        [entry] = [e for e in entries(client, "listing.rejected") if e["objectId"] == made.id]
        assert entry["userId"] == by and (entry["email"] is None) == (by is None)
        assert entry["detail"] == {"version": "1.0.0", "from": "approved", "reason": "Name the vendor."}
    assert [e["ip"] for e in entries(tenant, "listing.rejected")] == [None]


def test_what_was_rejected_is_looked_at_again_before_it_is_shown(admin, tenant, other_tenant, made):
    admin.post(f"/admin/listings/{made.id}/reject", {"reason": "No."}, 200)
    for version in ("1.1.0", "1.2.0"):
        assert tenant.post(f"/collectors/{made.id}/publish", {"version": version}, 200)["approvalStatus"] == "pending"
        other_tenant.get(made.path, 404)
    assert tenant.get(f"/collectors/{made.id}")["approvalReason"] is None
    assert made.id in [one["id"] for one in admin.every("/admin/listings?approval=pending&limit=2", "listings")]
    admin.post(f"/admin/listings/{made.id}/approve", {"version": "1.1.0"}, 409, "version_changed")
    assert admin.post(f"/admin/listings/{made.id}/approve", {"version": "1.2.0"}, 200)["approvalReason"] is None
    assert other_tenant.get(made.path)["version"] == "1.2.0"
    assert tenant.post(f"/collectors/{made.id}/publish", {"version": "1.3.0"}, 200)["approvalStatus"] == "approved"


def test_a_reviewer_sees_what_a_version_does(admin, tenant, made):
    one = admin.get(f"/admin/listings/{made.id}").json
    assert one["document"]["collector"]["pipelines"] and one["document"]["dataSource"]["functions"]
    assert [s["id"] for s in one["streams"]] == ["product-sync-pipeline", "order-sync-pipeline"]
    assert (one["publisher"], one["publisherTenant"], one["releaseNotes"]) == (tenant.workspace, tenant.tenant, "First release")
    assert "creatorConfig" not in json.dumps(one) and "shpat_alice" not in json.dumps(one)


def test_listings_are_found_by_name_publisher_approval_and_place(admin, tenant, made):
    word = made.body["name"].split()[-1]
    found = admin.get(f"/admin/listings?q={word.upper()}")["listings"]
    check_shape(found, [{
        "id": made.id, "name": made.body["name"], "description": str, "publisher": tenant.workspace,
        "publisherTenant": tenant.tenant, "category": (None, str), "tags": [str], "version": "1.0.0",
        "submittedAt": TIME, "approvalStatus": "approved", "approvalReason": None, "reviewedVersion": None,
        "reviewedAt": None, "isListed": True, "installs": 0, "ratingCount": 0}])
    assert [one["id"] for one in admin.get(f"/admin/listings?q={urllib.parse.quote(tenant.workspace)}")["listings"]] == [made.id]
    for query, count in (("approval=approved", 1), ("approval=pending", 0), ("listed=true", 1), ("listed=false", 0)):
        assert len(admin.get(f"/admin/listings?q={word}&{query}")["listings"]) == count
    assert admin.get("/admin/listings?approval=maybe", 422).pointers() == {"approval": "not_a_choice"}
    ids = [one["id"] for one in admin.every("/admin/listings?limit=200", "listings")]
    assert ids == sorted(ids, reverse=True) and len(ids) == len(set(ids))


@pytest.mark.parametrize("body, pointer, code", [
    ({}, "/reason", "required"), ({"reason": " "}, "/reason", "blank"), ({"reason": "x" * 2001}, "/reason", "too_long"),
    ({"reason": "x", "by": "me"}, "/by", "unknown_field"), ({"reason": 1}, "/reason", "wrong_type")])
def test_a_rejection_needs_a_reason(admin, made, body, pointer, code):
    assert admin.post(f"/admin/listings/{made.id}/reject", body, 422).pointers() == {pointer: code}


def test_what_is_not_there_cannot_be_judged(admin):
    for way, body in (("approve", None), ("reject", {"reason": "No"})):
        admin.post(f"/admin/listings/{NOWHERE}/{way}", body, 404, "not_found")
    admin.get(f"/admin/listings/{NOWHERE}", 404)


def test_a_verdict_is_repeated_safely_with_a_key(admin, made):
    key = {"Idempotency-Key": unique("k").replace(" ", "-")}
    first = admin.post(f"/admin/listings/{made.id}/approve", None, 200, headers=key)
    again = admin.post(f"/admin/listings/{made.id}/approve", None, 200, headers=key)
    assert again.json == first.json and again.headers["Idempotency-Replayed"] == "true"


# --- workspaces

def test_workspaces_are_shown_with_counts_and_limits(admin, tenant, made):
    install(tenant, made)
    tenant.member("viewer")
    path = f"/admin/tenants/{tenant.tenant}"
    expected = {"id": tenant.tenant, "name": tenant.profile["tenant"]["name"], "createdAt": TIME, "deletedAt": None,
                "members": 2, "collectors": 1, "listings": 1, "instances": 1, "running": 0, "waiting": 0,
                "maxRunning": 4, "isSuspended": False}
    check_shape(admin.get(path).json, expected)
    for query in (tenant.tenant, tenant.profile["tenant"]["name"].split()[-1]):
        check_shape(admin.get(f"/admin/tenants?q={query}")["tenants"], [expected])
    admin.get(f"/admin/tenants/{NOWHERE}", 404)


def test_a_suspended_workspace_begins_no_run_until_that_is_lifted(admin, tenant, made, upstream_url):
    path = f"/admin/tenants/{tenant.tenant}"
    instance = install_shop(tenant, made, upstream_url)
    answer = admin.patch(path, {"isSuspended": True, "maxRunning": 2})
    assert (answer["isSuspended"], answer["maxRunning"]) == (True, 2)
    assert [t["id"] for t in admin.get(f"/admin/tenants?suspended=true&q={tenant.tenant}")["tenants"]] == [tenant.tenant]
    run = tenant.post(f"/collector-instances/{instance}/execute", {"pipelineId": "product-sync-pipeline"}, 202)
    execution = "/executions/" + run["executions"][0]["executionId"]
    waiting = tenant.get(execution).json
    assert (waiting["status"], waiting["waiting"]["code"]) == ("Pending", "workspace_suspended")
    assert admin.get("/admin/queue")["held"] >= 1
    assert admin.get(path)["waiting"] == 1
    answer = admin.patch(path, {"isSuspended": False})
    assert (answer["isSuspended"], answer["maxRunning"]) == (False, 2)
    wait_until(lambda: tenant.get(execution)["status"] == "Success")
    found = [e["detail"] for e in entries(tenant, "tenant.limit")]
    assert found == [{"isSuspended": False}, {"maxRunning": 2, "isSuspended": True}]


@pytest.mark.parametrize("body, pointer, code", [
    ({"maxRunning": -1}, "/maxRunning", "out_of_range"), ({"maxRunning": 1001}, "/maxRunning", "out_of_range"),
    ({"maxRunning": "4"}, "/maxRunning", "wrong_type"), ({"isSuspended": None}, "/isSuspended", "wrong_type"),
    ({"name": "x"}, "/name", "unknown_field")])
def test_a_wrong_limit_is_named(admin, tenant, body, pointer, code):
    assert admin.patch(f"/admin/tenants/{tenant.tenant}", body, 422).pointers() == {pointer: code}


def test_a_deleted_workspace_is_shown_and_stays_closed(admin, make_tenant):
    gone = make_tenant()
    gone.delete("/tenant")
    assert admin.get(f"/admin/tenants/{gone.tenant}")["deletedAt"]
    assert admin.get(f"/admin/tenants?q={gone.tenant}")["tenants"] == []
    for ident in (gone.tenant, NOWHERE):
        admin.patch(f"/admin/tenants/{ident}", {"isSuspended": False}, 404, "not_found")


# --- users

def test_scopes_of_the_platform_are_for_those_who_have_a_role_there(admin, tenant):
    refused = tenant.post("/tokens", {"name": "x", "scopes": ["platform:read"]}, 403, "platform_role_missing")
    assert "no role" in refused["detail"]
    admin.with_scopes("platform:read").get("/admin/queue")


def test_a_deactivated_user_is_out_at_once_and_may_come_back(admin, make_tenant):
    user = make_tenant()
    api = user.with_scopes("*")
    path = f"/admin/users/{user.user}"
    check_shape(admin.get(path).json, {"id": user.user, "email": user.email, "name": "Test", "isActive": True,
                                       "platformRole": None, "createdAt": TIME, "lastSignInAt": TIME, "tenants": 1})
    for _ in range(2):  # again is fine
        assert admin.post(path + "/deactivate", None, 200)["isActive"] is False
    for client in (user, api):
        client.get("/profile", 401)
    credentials = {"email": user.email, "password": PASSWORD}
    stranger = Client(user.base.geturl())
    assert "administrators" in stranger.post("/sign-in", credentials, 403, "user_deactivated")["detail"]
    stranger.post("/sign-in", {**credentials, "password": "another long password"}, 401, "sign_in_wrong")
    assert [u["id"] for u in admin.get(f"/admin/users?active=false&q={user.email}")["users"]] == [user.user]
    assert admin.post(path + "/activate", None, 200)["isActive"] is True
    user.get("/profile", 401)  # the old tokens stay ended
    token = Client(user.base.geturl()).post("/sign-in", credentials, 200)["token"]
    user.with_token(token).get("/profile")
    found = [e["action"] for e in entries(admin, "user.deactivate") + entries(admin, "user.activate") if e["objectId"] == user.user]
    assert found == ["user.deactivate", "user.activate"]


def test_nobody_shuts_out_himself_or_who_stands_above_him(admin, make_administrator):
    admin.post(f"/admin/users/{admin.user}/deactivate", None, 409, "own_user")
    owner = make_administrator("owner")
    admin.post(f"/admin/users/{owner.user}/deactivate", None, 403, "role_missing")
    owner.get("/admin/overview")
    admin.post(f"/admin/users/{NOWHERE}/deactivate", None, 404, "not_found")


def test_users_are_listed_page_by_page(admin, tenant, other_tenant):
    found = [u["id"] for u in admin.every("/admin/users?limit=200", "users")]
    assert found == sorted(set(found), reverse=True) and {tenant.user, other_tenant.user} <= set(found)
    assert len(admin.get("/admin/users?limit=1")["users"]) == 1


# --- the platform

def test_the_overview_counts_everything(admin, tenant, made):
    before = admin.get("/admin/overview").json
    assert all(type(before[n]) is int for n in before if n not in ("at", "role"))
    Collector(tenant).publish()
    after = admin.get("/admin/overview").json
    assert after["collectors"] > before["collectors"] and after["listings"] > before["listings"]
    assert after["runners"] >= 1 and after["role"] == "admin"


def test_the_queue_shows_runners_and_why_runs_wait(admin, tenant, made, upstream_url):
    instance = install_shop(tenant, made, upstream_url, rate=1, retry_after=60, fail=429)
    tenant.post(f"/collector-instances/{instance}/execute", {}, 202)
    queue = admin.get("/admin/queue").json
    assert [r for r in queue["runners"] if r["state"] == "alive"]
    check_shape(queue["runners"], [{"id": UUID, "host": str, "startedAt": TIME, "leaseUntil": TIME, "state": str,
                                    "running": int, "claimsPerMinute": int}])
    assert queue["waiting"] == sum(one["count"] for one in queue["waitingFor"])


def test_the_measures_stand_beside_their_targets(admin):
    found = {m["code"]: m for m in admin.get("/admin/measures")["measures"]}
    assert {code: (m["target"], m["isGoodAbove"]) for code, m in found.items()} == {
        "tenants_with_connector": (60, True), "executions_per_connector_week": (50, True),
        "executions_failed": (5, False), "execution_time_p95": (10, False)}
    assert all(m["value"] is None or m["value"] >= 0 for m in found.values())


def test_other_methods_and_places_are_refused(admin):
    assert admin.delete("/admin/users", 405).headers["Allow"] == "OPTIONS, GET, HEAD"
    admin.get("/admin", 404, "path_unknown")
    admin.get("/admin/users/me", 404)
