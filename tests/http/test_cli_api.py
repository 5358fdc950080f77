"""catchment collector|datasource|marketplace|instance|execution: each command, its failure, its bytes."""
import json
import re

import pytest
from cli import (CONFLICT, DONE, FAILED, INVALID, LATER, NOT_FOUND, REFUSED, USAGE,
                 on_terminal, run, same_bytes)
from conftest import unique, wait_until
from market import (CONFIG, PRODUCTS, Collector, collector_body, install, install_shop,
                    source_body)
from market import run as run_instance

NOWHERE = "0192f3a0-0000-7000-8000-000000000000"


@pytest.fixture(scope="module")
def collector(make_tenant):
    return Collector(make_tenant()).publish()


@pytest.fixture(scope="module")
def owner(make_tenant):
    return make_tenant()


@pytest.fixture(scope="module")
def instance(owner, collector, upstream_url):
    return install_shop(owner, collector, upstream_url, products=3)


@pytest.fixture(scope="module")
def execution(owner, instance):
    return run_instance(owner, instance, PRODUCTS)[0]["executionId"]


@pytest.fixture()
def file(tmp_path):
    def write(document, name="document.json"):
        path = tmp_path / name
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        return str(path)
    return write


# --- data sources and collectors ---

def test_a_data_source_is_made_changed_and_deleted(tenant, file):
    body = source_body()
    made = run(tenant, "datasource", "create", file(body), "--json").json
    same_bytes(tenant, ["datasource", "get", made["id"]], f"/datasources/{made['id']}")
    same_bytes(tenant, ["datasource", "list"], "/datasources")
    assert run(tenant, "datasource", "list").rows[0][:2] == [made["id"], body["name"]]
    run(tenant, "datasource", "update", made["id"], file({**body, "description": "Changed"}))
    assert tenant.get(f"/datasources/{made['id']}")["description"] == "Changed"
    said = run(tenant, "datasource", "delete", made["id"], "--yes").said
    assert said == "It is deleted.\n"
    tenant.get(f"/datasources/{made['id']}", 404)


def test_a_collector_is_made_tested_published_and_deleted(tenant, file, upstream_url):
    source = tenant.post("/datasources/manual", source_body())["id"]
    body = collector_body(dataSourceId=source)
    body["creatorConfig"] = {**CONFIG, "shopUrl": f"{upstream_url}/s/{unique('cli').replace(' ', '-')},products=2"}
    path = file(body)
    made = run(tenant, "collector", "create", path, "--json").json
    same_bytes(tenant, ["collector", "get", made["id"]], f"/collectors/{made['id']}")
    same_bytes(tenant, ["collector", "list", "--limit", "1"], "/collectors?limit=1")
    assert run(tenant, "collector", "list", "--q", body["name"]).rows[0][0] == made["id"]
    tested = run(tenant, "collector", "test", made["id"], "--pipeline", PRODUCTS)
    assert tested.rows[0][1:3] == ["success", "2"]
    run(tenant, "collector", "update", made["id"], file({**body, "description": "Again"}))
    run(tenant, "collector", "publish", made["id"], "--version", "1.0.0",
        "--notes-file", file("Line 1\nLine 2", "notes.txt"))
    release = tenant.get(f"/collectors/{made['id']}/releases/1.0.0")
    assert release["releaseNotes"] == "Line 1\nLine 2"
    other = run(tenant, "collector", "create", file({**body, "name": unique("Other")}), "--json").json
    run(tenant, "collector", "delete", other["id"], "--yes")
    tenant.get(f"/collectors/{other['id']}", 404)


def test_a_test_that_finds_a_fault_fails(tenant, file, upstream_url):
    source = tenant.post("/datasources/manual", source_body())["id"]
    body = collector_body(dataSourceId=source)
    body["creatorConfig"] = {**CONFIG, "shopUrl": f"{upstream_url}/nowhere"}
    made = run(tenant, "collector", "create", file(body), "--json").json
    ran = run(tenant, "collector", "test", made["id"], code=FAILED)
    assert "failed" in {row[1] for row in ran.rows}


def test_a_document_comes_from_standard_input_too(tenant):
    body = source_body()
    made = run(tenant, "datasource", "create", "-", "--json", given=json.dumps(body).encode()).json
    assert tenant.get(f"/datasources/{made['id']}")["name"] == body["name"]


def test_what_is_wrong_in_a_document_is_said_with_its_place(tenant, file):
    body = source_body()
    body["functions"][0]["method"] = "FETCH"
    ran = run(tenant, "datasource", "create", file(body), code=INVALID)
    assert re.search(r"^catchment: .{10,}\.$", ran.said, re.M)
    assert re.search(r"^  at /functions/0/method: .{5,}$", ran.said, re.M)
    assert ran.out == b""


def test_a_document_that_is_no_json_is_wrong_usage(tenant, file):
    ran = run(tenant, "datasource", "create", file("{"), code=USAGE)
    assert "line" in ran.said


def test_a_name_that_is_taken_is_a_conflict(tenant, file):
    path = file(source_body())
    run(tenant, "datasource", "create", path)
    ran = run(tenant, "datasource", "create", path, code=CONFLICT)
    assert ran.said.startswith("catchment: ")


def test_a_data_source_in_use_is_not_deleted(tenant, collector):
    mine = Collector(tenant)
    run(tenant, "datasource", "delete", mine.source_id, "--yes", code=CONFLICT)


# --- marketplace and installations ---

def test_the_marketplace_is_searched_by_anybody(owner, collector):
    name = collector.body["name"]
    assert run(owner, "marketplace", "search", name).rows[0][:2] == [collector.id, name]
    run(owner.with_token(None), "marketplace", "search", name)
    same_bytes(owner, ["marketplace", "get", collector.id], f"/marketplace/collectors/{collector.id}")
    run(owner, "marketplace", "search", "--sort", "size", code=INVALID)
    run(owner, "marketplace", "get", NOWHERE, code=NOT_FOUND)


def test_an_installation_goes_through_its_life(tenant, collector, file):
    config = {**CONFIG, "shopUrl": "shop.example.com"}
    made = run(tenant, "instance", "install", collector.id, "--name", "Mine", "--config", "-", "--json",
               given=json.dumps(config).encode()).json
    id_ = made["instanceId"]
    same_bytes(tenant, ["instance", "get", id_], f"/collector-instances/{id_}")
    same_bytes(tenant, ["instance", "list"], "/collector-instances")
    assert run(tenant, "instance", "list").rows[0][:2] == [id_, "Mine"]
    run(tenant, "instance", "pause", id_)
    assert tenant.get(f"/collector-instances/{id_}")["status"] == "Inactive"
    run(tenant, "instance", "run", id_, code=CONFLICT)
    run(tenant, "instance", "resume", id_)
    assert tenant.get(f"/collector-instances/{id_}")["status"] == "Active"
    ran = run(tenant, "instance", "uninstall", id_, code=USAGE)
    assert "--yes" in ran.said
    tenant.get(f"/collector-instances/{id_}")
    run(tenant, "instance", "uninstall", id_, "--yes")
    tenant.get(f"/collector-instances/{id_}", 404)
    run(tenant, "instance", "uninstall", id_, "--yes", code=NOT_FOUND)


def test_an_installation_needs_a_name_and_a_config(tenant, collector, file):
    ran = run(tenant, "instance", "install", collector.id, "--config", file(CONFIG), code=USAGE)
    assert "--name is needed" in ran.said
    ran = run(tenant, "instance", "install", collector.id, "--name", "x", "--config", file({}),
              code=INVALID)
    assert "/tenantConfig/" in ran.said


def test_an_upgrade_is_previewed_before_it_is_made(make_tenant, tenant):
    theirs = Collector(make_tenant()).publish()
    id_ = install(tenant, theirs)["instanceId"]
    theirs.change(description="Second").publish("1.1.0")
    same_bytes(tenant, ["instance", "upgrade", id_, "--preview"], f"/collector-instances/{id_}/upgrade")
    same_bytes(tenant, ["instance", "upgrade", id_, "--preview", "--version", "1.1.0"],
               f"/collector-instances/{id_}/upgrade?version=1.1.0")
    assert tenant.get(f"/collector-instances/{id_}")["releaseVersion"] == "1.0.0"
    run(tenant, "instance", "upgrade", id_)
    assert tenant.get(f"/collector-instances/{id_}")["releaseVersion"] == "1.1.0"
    run(tenant, "instance", "upgrade", id_, "--version", "9.9.9", code=INVALID)


# --- runs and records ---

def test_a_run_is_waited_for_and_its_end_is_the_exit_code(owner, instance, collector, upstream_url):
    ran = run(owner, "instance", "run", instance, "--pipeline", PRODUCTS, "--wait")
    assert [row[2:4] for row in ran.rows] == [["Success", "3"]]


def test_a_run_that_fails_fails_the_command_and_says_why(tenant, collector, upstream_url):
    broken = install_shop(tenant, collector, f"{upstream_url}/nowhere")
    ran = run(tenant, "instance", "run", broken, "--pipeline", PRODUCTS, "--wait", code=FAILED)
    assert ran.rows[0][2] == "Failed" and len(ran.rows[0][7]) > 10


def test_a_run_is_asked_for_without_waiting(owner, instance):
    made = run(owner, "instance", "run", instance, "--json").json
    for one in made["executions"]:
        ended = run(owner, "execution", "log", one["executionId"], "--follow").rows
        assert ended[-1][1] in ("stop", "end", "finish") or len(ended) > 1
    waited = run(owner, "instance", "run", instance, "--pipeline", PRODUCTS, "--wait", "--json")
    document = waited.json
    assert waited.out == owner.get(f"/executions/{document['executionId']}").body + b"\n"


def test_runs_are_listed_shown_and_explained(owner, instance, execution):
    same_bytes(owner, ["execution", "list", instance], f"/collector-instances/{instance}/executions")
    same_bytes(owner, ["execution", "get", execution], f"/executions/{execution}")
    same_bytes(owner, ["execution", "log", execution], f"/executions/{execution}/log")
    assert execution in [row[0] for row in run(owner, "execution", "list", instance, "--all").rows]
    run(owner, "execution", "list", instance, "--status", "Sleeping", code=INVALID)
    run(owner, "execution", "get", NOWHERE, code=NOT_FOUND)
    run(owner, "execution", "log", NOWHERE, "--follow", code=NOT_FOUND)


def test_a_log_that_is_followed_shows_each_entry_once_until_the_end(owner, execution):
    whole = owner.every(f"/executions/{execution}/log?limit=5", "entries")
    for words in ([], ["--limit", "2"]):
        followed = run(owner, "execution", "log", execution, "--follow", "--json", *words)
        lines = [json.loads(line) for line in followed.out.splitlines()]
        assert [one["id"] for one in lines] == [one["id"] for one in whole]
    kinds = run(owner, "execution", "log", execution, "--kind", "request", "--all").rows
    assert {row[1] for row in kinds} == {"request"}


def test_a_run_is_cancelled_and_retried(make_tenant, collector, upstream_url):
    owner = make_tenant()
    slow = install_shop(owner, collector, upstream_url, fault="hang", on_page=2, ms=20000)
    id_ = run(owner, "instance", "run", slow, "--pipeline", PRODUCTS, "--json").json["executions"][0]["executionId"]
    wait_until(lambda: owner.get(f"/executions/{id_}")["pages"])
    run(owner, "execution", "cancel", id_)
    ran = run(owner, "execution", "log", id_, "--follow", code=FAILED)
    assert owner.get(f"/executions/{id_}")["status"] == "Cancelled", ran.said
    again = run(owner, "execution", "retry", id_, "--json").json["executions"][0]
    assert again["retryOf"] == id_
    run(owner, "execution", "cancel", again["executionId"])
    run(owner, "execution", "cancel", NOWHERE, code=NOT_FOUND)


def test_records_are_listed_and_found(owner, instance, execution):
    path = f"/collector-instances/{instance}/records"
    same_bytes(owner, ["instance", "records", instance], path)
    same_bytes(owner, ["instance", "streams", instance], f"/collector-instances/{instance}/streams")
    rows = run(owner, "instance", "records", instance).rows
    assert len(rows) == 3 and json.loads(rows[0][2])["id"]
    one = run(owner, "instance", "records", instance, "--key", rows[1][0]).rows
    assert [row[0] for row in one] == [rows[1][0]]
    run(owner, "instance", "records", instance, "--stream", "none", code=NOT_FOUND)


def test_a_list_tells_how_to_go_on(owner, instance, execution):
    first = run(owner, "instance", "records", instance, "--limit", "2")
    cursor = re.search(r"--cursor (\S+)", first.said)[1]
    rest = run(owner, "instance", "records", instance, "--limit", "2", "--cursor", cursor)
    every = run(owner, "instance", "records", instance, "--limit", "1", "--all")
    assert every.rows == first.rows + rest.rows and len(every.rows) == 3
    assert "--cursor" not in every.said + rest.said
    pages = run(owner, "instance", "records", instance, "--limit", "2", "--all", "--json").out
    assert [len(json.loads(page)["records"]) for page in pages.replace(b"}\n{", b"}\0{").split(b"\0")] == [2, 1]


# --- who asks, and where ---

def test_without_a_token_the_way_to_one_is_said(api, owner, instance):
    ran = run(owner.with_token(None), "instance", "get", instance, code=REFUSED)
    assert "CATCHMENT_TOKEN" in ran.said
    run(owner.with_token("xyz_" + "a" * 36), "instance", "get", instance, code=REFUSED)


def test_a_token_of_another_scope_is_refused(owner, instance):
    ran = run(owner.with_scopes("records:read"), "instance", "list", code=REFUSED)
    assert "instances:read" in ran.said


def test_another_workspaces_things_are_not_found(other_tenant, instance):
    run(other_tenant, "instance", "get", instance, code=NOT_FOUND)


def test_a_token_file_is_read_when_nobody_else_may_read_it(owner, instance, tmp_path):
    path = tmp_path / "token"
    path.write_text(owner.token + "\n")
    path.chmod(0o600)
    words = ("instance", "get", instance)
    run(owner, *words, CATCHMENT_TOKEN=None, CATCHMENT_TOKEN_FILE=str(path))
    path.chmod(0o640)
    ran = run(owner, *words, CATCHMENT_TOKEN=None, CATCHMENT_TOKEN_FILE=str(path), code=USAGE)
    assert "chmod 600" in ran.said and owner.token not in ran.said
    ran = run(owner, *words, CATCHMENT_TOKEN=None, CATCHMENT_TOKEN_FILE=str(path) + "x", code=USAGE)
    assert "cannot be read" in ran.said


@pytest.mark.parametrize("url, code, words", [
    (None, USAGE, "Set CATCHMENT_URL"),
    ("catchment.example.com", USAGE, "write one like https://"),
    ("http://catchment.example.com", USAGE, "Use https"),
    ("http://127.0.0.1:1", LATER, "Nothing answers at"),
    ("http://127.example.com:1", USAGE, "anybody on the way"),
    ("http://localhost.example.com:1", USAGE, "anybody on the way"),
    ("https://catchment.invalid", LATER, "was not found"),
])
def test_an_address_that_cannot_be_used_is_said(owner, url, code, words):
    ran = run(owner, "instance", "list", CATCHMENT_URL=url, code=code)
    assert words in ran.said and owner.token not in ran.said


def test_a_server_of_another_kind_is_told_apart(owner, upstream_url):
    ran = run(owner, "instance", "list", CATCHMENT_URL=upstream_url, code=NOT_FOUND)
    assert "Does CATCHMENT_URL name a Catchment?" in ran.said


@pytest.mark.parametrize("word", ["../collectors", "..", "%2e%2e", "a/b", "a?limit=1", "", "\x1b[2J"])
def test_a_word_never_becomes_another_path(owner, word):
    ran = run(owner, "instance", "get", word, code=NOT_FOUND)
    assert "\x1b" not in ran.said


@pytest.mark.parametrize("words", [
    ["instance"], ["instance", "get"], ["instance", "get", "a", "b"], ["instance", "list", "--bad"],
    ["instance", "list", "--limit"], ["shop"], ["instance", "fly"], ["marketplace", "search", "a", "b"],
])
def test_wrong_usage_is_told_apart_and_says_the_right_one(owner, words):
    run(owner, *words, code=USAGE)


# --- for people ---

def test_on_a_terminal_columns_are_aligned_under_heads_with_times_in_words(owner, instance, execution):
    code, seen = on_terminal(owner, "execution", "list", instance, NO_COLOR="1")
    heads, *rows = seen.splitlines()
    at = heads.index("STATUS")
    assert code == DONE and all(row[at:].startswith(("Success", "Failed")) for row in rows), seen
    assert "today " in rows[0] and "\x1b" not in seen


def test_states_have_colours_unless_nobody_wants_them(owner, instance, execution):
    words = ("execution", "list", instance)
    assert "\x1b[32mSuccess\x1b[0m" in on_terminal(owner, *words)[1]
    assert "\x1b" not in on_terminal(owner, *words, NO_COLOR="1")[1]


def test_a_document_is_shown_member_by_member(owner, instance):
    code, seen = on_terminal(owner, "instance", "get", instance)
    assert code == DONE and re.search(r"^instanceName +My Shopify Sync$", seen, re.M)
    assert CONFIG["apiKey"] not in seen


def test_what_cannot_be_undone_is_asked_for(tenant, collector):
    id_ = install(tenant, collector)["instanceId"]
    code, seen = on_terminal(tenant, "instance", "uninstall", id_, given=b"no\n")
    assert code == FAILED and "Type yes" in seen and "Nothing was done" in seen
    tenant.get(f"/collector-instances/{id_}")
    assert on_terminal(tenant, "instance", "uninstall", id_, "--no-input")[0] == USAGE
    assert on_terminal(tenant, "instance", "uninstall", id_, given=b"yes\n")[0] == DONE
    tenant.get(f"/collector-instances/{id_}", 404)
