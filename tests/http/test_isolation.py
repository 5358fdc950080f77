"""Every route of every family, read from its table: who stands outside sees and changes nothing.

The tables are read as text, so a new route is tried here without anybody writing a test for it.
"""
import itertools
import pathlib
import re
import secrets

import pytest
from conftest import Client, seed, unique

SOURCE = pathlib.Path(__file__).parents[2]
NOWHERE = "01890000-0000-7000-8000-000000000000"
ROW = re.compile(r'\{ M_(\w+), "([^"]+)", ACCESS_(\w+), (?:"(\w+)"|NULL), (?:"([^"]+)"|NULL)([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}')
RANK = ["viewer", "editor", "admin", "owner"]
# what a body must hold for the request to get as far as the database
BODIES = {
    "/datasources/{id}": {"PUT": lambda w: seed("datasource.json"), "PATCH": lambda w: {"description": "taken"}},
    "/collectors/{id}": {"PUT": lambda w: dict(seed("collector.json"), dataSourceId=w["source"]),
                         "PATCH": lambda w: {"description": "taken"}},
    "/collectors/{id}/publish": {"POST": lambda w: {"version": "9.9.9"}},
    "/collector-instances/{id}": {"PATCH": lambda w: {"instanceName": "taken"}},
    "/admin/tenants/{id}": {"PATCH": lambda w: {"isSuspended": True}},
    "/admin/listings/{id}/reject": {"POST": lambda w: {"reason": "taken"}},
    "/members/{id}": {"PATCH": lambda w: {"role": "viewer"}},
    "/marketplace/collectors/{id}/rating": {"PUT": lambda w: {"stars": 1}},
    "/marketplace/collectors/{id}/test-connection": {"POST": lambda w: {"tenantConfig": {}}},
    "/collectors/{id}/install": {"POST": lambda w: {"instanceName": "x", "tenantConfig": {
        "shopUrl": "shop.example.com", "apiKey": "shpat_0", "apiVersion": "2024-01"}}},
}


def routes():
    found = []
    for table in sorted(SOURCE.glob("cgi/*/main.c")):
        text = re.sub(r"\s+", " ", table.read_text())
        for method, path, access, role, scope, rest in ROW.findall(text):
            found.append((table.parent.name, method, path, access, role, scope, "ROUTE_PAGE" in rest))
    return found


ROUTES = routes()
# what browsers alone see is not below /api: test_pages_*.py tries that
MEMBERS = [r[:6] for r in ROUTES if r[3] == "MEMBER" and not r[6]]
PLATFORM = [r[:6] for r in ROUTES if r[3] == "PLATFORM" and not r[6]]


def name(route):
    return "-".join((route[0], route[1], route[2]))


def test_all_tables_were_read():
    rows = sum(table.read_text().count("{ M_") for table in SOURCE.glob("cgi/*/main.c"))
    assert len(ROUTES) == rows > 50


@pytest.fixture(scope="module")
def world(make_tenant):
    """One workspace with one of everything; nothing of it is published, so nothing is anybody's."""
    owner = make_tenant()
    source = owner.post("/datasources/manual", seed("datasource.json"))["id"]
    collector = owner.post("/collectors", dict(seed("collector.json"), name=unique("Sync"), dataSourceId=source))["id"]
    shown = owner.post("/collectors", dict(seed("collector.json"), name=unique("Shown"), dataSourceId=source))["id"]
    owner.post(f"/collectors/{shown}/publish", {"version": "1.0.0"}, status=200)
    instance = owner.post(f"/collectors/{shown}/install", {"instanceName": "Mine", "tenantConfig": {
        "shopUrl": "shop.example.com", "apiKey": "shpat_mine_1", "apiVersion": "2024-01"}})["instanceId"]
    # inactive, so that the runner leaves it alone; the execution is there all the same
    execution = owner.post(f"/collector-instances/{instance}/execute", {}, status=202)["executions"][0]["executionId"]
    owner.post(f"/executions/{execution}/cancel", status=202)
    owner.post(f"/collectors/{shown}/delist", status=200)
    token = owner.post("/tokens", {"name": "t", "scopes": ["*"]})["id"]
    invitation = owner.post("/invitations", {"email": f"i{secrets.token_hex(6)}@example.com", "role": "viewer"})["id"]
    return {"owner": owner, "source": source, "collector": collector, "instance": instance,
            "execution": execution, "token": token, "invitation": invitation, "user": owner.user, "shown": shown,
            "ids": [source, collector, shown, instance, execution, token, invitation, owner.tenant, owner.user]}


@pytest.fixture(scope="module")
def snapshot(world):
    """All that the workspace shows of itself."""
    # a token may ask 600 times a minute: take turns
    eyes = itertools.cycle([world["owner"].with_scopes("*") for _ in range(15)])

    def look():
        owner = next(eyes)
        paths = ["/tenant", "/members", "/invitations", "/datasources/" + world["source"],
                 "/collectors/" + world["collector"], "/collector-instances/" + world["instance"],
                 "/executions/" + world["execution"], "/audit?limit=200"]
        tokens = [(t["id"], t["scopes"]) for t in owner.get("/tokens?limit=200")["tokens"]]
        return [owner.get(p).body for p in paths] + [tokens]
    return look


def ask(client, world, route, ident):
    _, method, path, _, _, _ = route
    body = BODIES.get(path, {}).get(method, lambda w: None)(world)
    where = path.replace("{id}", ident).replace("{version:text}", "1.0.0").replace("{key:text}", "1")
    return client.send(method, where + ("?wait=1" if route[0] == "trials" and "instances" in path
                                        and path.endswith("/execute") else ""), body)


@pytest.mark.parametrize("route", [r for r in MEMBERS if "{id}" in r[2]], ids=name)
def test_with_another_workspaces_token_nothing_is_there(world, make_tenant, snapshot, route):
    stranger = make_tenant()
    mine = stranger.post("/datasources/manual", seed("datasource.json"))["id"]
    before = snapshot()
    for ident in world["ids"]:
        answer = ask(stranger, {**world, "source": mine}, route, ident)
        if route[2] == "/tenants/{id}/switch":
            assert (answer.status, answer["code"]) == (403, "no_tenant")
            continue
        assert answer.status == 404, (ident, answer.status, answer.body[:300])
        same = ask(stranger, {**world, "source": mine}, route, NOWHERE)
        told, real = answer.json, same.json
        told.pop("instance"), real.pop("instance")
        assert told == real, "the answer tells that this id exists somewhere"
    assert snapshot() == before


@pytest.mark.parametrize("route", [r for r in MEMBERS if r[4] not in ("", "viewer")], ids=name)
def test_below_its_role_a_route_is_refused(world, people, snapshot, route):
    client = people[RANK[RANK.index(route[4]) - 1]]
    before = snapshot()
    for ident in (world["instance"], NOWHERE) if "{id}" in route[2] else [""]:
        answer = ask(client, world, route, ident)
        assert (answer.status, answer["code"]) == (403, "role_missing"), (ident, answer.body[:300])
    assert snapshot() == before


@pytest.mark.parametrize("route", [r for r in MEMBERS if r[5]], ids=name)
def test_without_its_scope_a_route_is_refused(world, people, route):
    for ident in (world["instance"], NOWHERE) if "{id}" in route[2] else [""]:
        answer = ask(people[route[5]], world, route, ident)
        assert (answer.status, answer["code"]) == (403, "scope_missing"), (ident, answer.body[:300])


@pytest.mark.parametrize("route", MEMBERS, ids=name)
def test_without_a_token_that_counts_nothing_is_told(world, people, anyone, route):
    for client in (anyone, people["removed"], people["deleted"]):
        assert ask(client, world, route, world["instance"]).status == 401


@pytest.mark.parametrize("route", PLATFORM, ids=name)
def test_the_platform_is_for_its_administrators_alone(world, people, anyone, snapshot, route):
    """An owner of a workspace is nobody here, and learns nothing of what there is."""
    before = snapshot()
    for client in (world["owner"], people["admin"], people["platform"]):
        for ident in world["ids"] + [NOWHERE] if "{id}" in route[2] else [""]:
            answer = ask(client, world, route, ident)
            assert (answer.status, answer["code"]) == (403, "role_missing"), (ident, answer.body[:300])
    answer = ask(people["tokens:read"], world, route, NOWHERE)  # has all scopes of a workspace but that one
    assert (answer.status, answer["code"]) == (403, "scope_missing")
    for client in (anyone, people["removed"], people["deleted"]):
        assert ask(client, world, route, NOWHERE).status == 401
    assert snapshot() == before


CHANGES = [r for r in MEMBERS if r[1] in ("PUT", "PATCH", "DELETE")]
OWN = {"/datasources/{id}": "source", "/collectors/{id}": "collector", "/collector-instances/{id}": "instance",
       "/marketplace/collectors/{id}/rating": "shown", "/tokens/{id}": "token", "/invitations/{id}": "invitation",
       "/members/{id}": "user", "/tenant": "", "/profile": ""}


@pytest.mark.parametrize("route", CHANGES, ids=name)
def test_a_change_under_a_condition_that_does_not_hold_is_not_made(world, snapshot, route):
    _, method, path, _, _, _ = route
    body = {"/tenant": {"name": "taken"}, "/profile": {"name": "taken"}}.get(path)
    body = body if method == "PATCH" and body else BODIES.get(path, {}).get(method, lambda w: None)(world)
    where = path.replace("{id}", world.get(OWN[path], ""))
    before = snapshot()
    for tag in ('"v999-0123456789abcdef"', 'W/"v999"', '"0123456789abcdef"'):
        answer = world["owner"].send(method, where, body, {"If-Match": tag})
        assert (answer.status, answer["code"]) in ((412, "stale"), (412, "unversioned")), answer.body[:300]
    world["owner"].ask(method, where, 400, "if_match_invalid", body=body, headers={"If-Match": "v1"})
    assert snapshot() == before


@pytest.fixture(scope="module")
def people(world, make_tenant, anyone):
    """A member of each role, a token of the owner that lacks one scope each, and who has left."""
    owner = world["owner"]
    found = {role: owner.member(role) for role in ("viewer", "editor", "admin")}
    scopes = sorted({r[5] for r in MEMBERS if r[5]})
    for scope in scopes:
        narrow = [s for s in scopes if s not in (scope, "*") and s != scope.replace(":read", ":write")]
        found[scope] = owner.with_scopes(*narrow)
    found["platform"] = owner.with_scopes("*")
    found["removed"] = owner.member("admin")
    owner.delete("/members/" + found["removed"].profile["user"]["id"])
    found["deleted"] = make_tenant()
    found["deleted"].delete("/tenant")
    return found
