"""What a tenant does in the browser, without scripts: find a collector, install it, run it, see why it
waits or failed, read and export its records, configure, upgrade, rate and uninstall it."""
import json
import re
import urllib.parse

import pytest

from conftest import unique, wait_until
from market import (CONFIG, ORDERS, PRODUCTS, Collector, collect, collector_body, ended, install, install_shop, run,
                    source_body)
from pages import Person, person, person_of, stranger  # noqa: F401


@pytest.fixture(scope="module")
def creator(make_tenant):
    return make_tenant()


@pytest.fixture(scope="module")
def published(creator):
    return Collector(creator).publish()


@pytest.fixture(scope="module")
def shop(make_tenant, published, upstream_url):
    """A workspace with 120 products, seen through the browser."""
    tenant = make_tenant()
    tenant.instance = collect(tenant, published, upstream_url, 120)
    return tenant


@pytest.fixture()
def owner(shop):
    return person_of(shop)


@pytest.mark.parametrize("place", ["", "/records", "/records/x", "/records.csv", "/records.ndjson", "/configure", "/upgrade",
                                   "/uninstall", "/executions"])
def test_an_installation_of_another_workspace_reads_as_one_that_is_nowhere(shop, make_tenant, place):
    stranger_here, told = person_of(make_tenant()), set()
    for one in (shop.instance, "01890000-0000-7000-8000-000000000000"):
        page = stranger_here.get(f"/collector-instances/{one}{place}", status=404)
        assert page.headers["Content-Type"].startswith("text/html")
        told.add(page.one("p", class_="lead").text)
        assert page.links["Look in the list of instances"] == "/collector-instances"
        assert page.links["Switch to another workspace"] == "/tenants"
    assert len(told) == 1 and "no such installation in this workspace" in told.pop()


@pytest.mark.parametrize("place", ["/records", "/records.csv", "/records.ndjson"])
def test_a_wrong_stream_is_a_page_that_names_those_that_are(owner, shop, place):
    page = owner.get(f"/collector-instances/{shop.instance}{place}?stream=zzz", status=404)
    assert page.headers["Content-Type"].startswith("text/html")
    assert "Name one of these: getProducts" in page.one("p", class_="lead").text


def test_asking_for_what_is_under_way_says_so_and_leads_there(make_tenant, published, upstream_url):
    tenant = make_tenant()
    where = "/collector-instances/" + install_shop(tenant, published, upstream_url, fault="hang", on_page=2, ms=20000)
    person = person_of(tenant)
    page = person.get(where).form(where + "/execute").press("Run now")
    assert page.flash.startswith("Asked for.")
    runs = {one["pipelineId"]: one["executionId"] for one in tenant.get(where + "/executions")["recentExecutions"]}
    again = person.get(where).form(where + "/execute").press("Run now")
    assert "under way already" in again.flash and again.path == where
    assert "/executions/" + runs[PRODUCTS] in again.links.values(), "Runs links to it"
    one = again.form(where + "/execute").fill(pipelineId=PRODUCTS).press("Run now")
    assert one.path == "/executions/" + runs[PRODUCTS] and one.flash.startswith("It is under way already")
    tenant.post(one.path + "/cancel", None, 202)


def test_anyone_searches_and_narrows_the_marketplace(stranger, published):
    page = stranger.get("/marketplace/collectors")
    found = page.form("/marketplace/collectors").fill(q=published.body["name"]).press("Search")
    assert "1 found" in found.text
    narrowed = found.follow(next(w for w in found.links if w.startswith("E-commerce")))
    assert "category=E-commerce" in narrowed.path and "q=" in narrowed.path and "1 found" in narrowed.text
    wider = narrowed.follow(next(w for w in narrowed.links if w.startswith("Category: ")))
    assert "category=" not in wider.path and "q=" in wider.path
    assert f"/marketplace/collectors/{published.id}" in found.links.values(), found.text[:500]
    assert "Clear all" in found.links and "q=" in found.path
    assert any("Search: " + published.body["name"] in words for words in found.links)
    none = stranger.get("/marketplace/collectors?q=nothingofthename")
    assert "No collector fits" in none.text and none.links["Show all"] == "/marketplace/collectors"


def test_a_collector_says_what_it_needs_and_whom_it_contacts(stranger, published):
    page = stranger.get(published.path)
    assert page.h1 == published.body["name"]
    for words in ("Admin API Access Token", "required", "getProducts", "getOrders", "Hosts that it will contact",
                  "First release", "Nobody has rated it yet"):
        assert words in page.text, words
    assert stranger.get(f"{published.path}/releases/1.0.0").h1.endswith("1.0.0")
    assert "/api/v1" + published.path in page.html
    asked = stranger.get(f"/collectors/{published.id}/install")
    assert asked.path.startswith("/sign-in?back=")


def test_the_form_of_an_installation_is_made_of_the_config_fields(person, published):
    form = person.get(f"/collectors/{published.id}/install").form(f"/collectors/{published.id}/install")
    names = [name for name in form.names() if name.startswith("tenantConfig")]
    assert names == ["tenantConfig.shopUrl:text", "tenantConfig.apiKey:text", "tenantConfig.apiVersion:text"]
    assert form.options("tenantConfig.apiVersion:text") == ["2024-01", "2023-10"]
    assert form.value("tenantConfig.apiVersion:text") == "2024-01"
    page = form.fill({"tenantConfig.shopUrl:text": "kept.example.com"}).press("Install")
    assert page.status == 422 and page.error("tenantConfig.apiKey:text")
    again = page.form(f"/collectors/{published.id}/install")
    assert again.value("tenantConfig.shopUrl:text") == "kept.example.com"
    assert "shpat" not in page.html


def install_by_hand(person, collector, address):
    form = person.get(f"/collectors/{collector.id}/install").form(f"/collectors/{collector.id}/install")
    return form.fill({"instanceName": "By hand", "tenantConfig.shopUrl:text": address,
                      "tenantConfig.apiKey:text": CONFIG["apiKey"]})


def address(upstream_url, **settings):
    return upstream_url + "/s/" + ",".join([unique("hand").replace(" ", "-")] + [f"{k}={v}" for k, v in settings.items()])


def test_a_connection_is_tried_before_it_is_installed(person, published, upstream_url):
    page = install_by_hand(person, published, address(upstream_url)).press("Test connection")
    assert page.status == 200 and "It gets through" in page.text, page.text[:800]
    form = page.form(f"/collectors/{published.id}/install")
    assert form.value("instanceName") == "By hand"
    assert form.value("tenantConfig.shopUrl:text").startswith(upstream_url)
    assert CONFIG["apiKey"] not in page.html
    page = install_by_hand(person, published, address(upstream_url, auth="shop", secret="other")).press("Test connection")
    assert "It does not get through" in page.text, page.text[:800]
    page = install_by_hand(person, published, "").press("Test connection")
    assert page.status == 422 and page.error("tenantConfig.shopUrl:text")


def test_the_whole_story_by_hand(person, published, upstream_url):
    page = install_by_hand(person, published, address(upstream_url, products=30, orders=5)).press("Install")
    assert page.status == 200 and page.h1 == "By hand" and page.flash.startswith("Installed."), page.errors
    instance = page.path.rsplit("/", 1)[1]
    assert "It has not run yet" in page.text

    again = person.get(f"/collectors/{published.id}/install")
    assert "This workspace has it already" in again.text
    assert again.links["By hand"] == f"/collector-instances/{instance}"

    page = page.form(f"/collector-instances/{instance}/execute").press("Run now")
    assert page.flash.startswith("Asked for."), page.text[:500]

    def settled():
        rows = person.get(f"/collector-instances/{instance}").rows()
        return rows if len(rows) == 2 and all(row["State"] == "Success" for row in rows) else None
    rows = wait_until(settled, 60)
    assert sorted(row["Records"] for row in rows) == ["30", "5"]

    page = person.get(f"/collector-instances/{instance}")
    assert 'data-poll' not in page.html
    run_page = page.follow(rows[0]["Pipeline"])
    assert run_page.h1 == rows[0]["Pipeline"] and "Page 1:" in run_page.text and "Request" in run_page.text

    page = person.get("/collector-instances").rows()
    assert [(row["Name"], row["Status"], row["Records"]) for row in page] == [("By hand", "Active", "35")]

    page = person.get(f"/collector-instances/{instance}/configure")
    form = page.form(f"/collector-instances/{instance}")
    assert "leave empty to keep" in page.html and CONFIG["apiKey"] not in page.html
    page = form.fill(instanceName="Renamed").press("Save")
    assert page.h1 == "Renamed" and page.flash == "Saved.", page.errors
    assert "stored, last changed" in page.text

    page = person.get(f"{published.path}/rating")
    bad = page.form(f"{published.path}/rating").press("Save the rating")
    assert bad.status == 422 and bad.errors
    page = bad.form(f"{published.path}/rating").fill(stars=["4"], comment="Does what it says.").press("Save the rating")
    assert page.flash.startswith("Thank you") and "4.0 of 5" in page.text, page.text[:300]
    assert "Does what it says." in person.get(f"{published.path}/ratings").text

    page = person.get(f"/collector-instances/{instance}/uninstall")
    assert "35 records" in page.text
    refused = page.form(f"/collector-instances/{instance}/uninstall").fill(instanceName="By hand").press()
    assert refused.status == 422 and "Type it as it stands above" in refused.error("instanceName")
    page = refused.form(f"/collector-instances/{instance}/uninstall").fill(instanceName="Renamed").press()
    assert page.flash.startswith("Uninstalled") and "Nothing is installed" in page.text
    assert person.get(f"/collector-instances/{instance}", status=404)


def test_an_instance_is_switched_off_and_on(make_tenant, published, upstream_url):
    tenant = make_tenant()
    instance = install_shop(tenant, published, upstream_url, products=1)
    person = person_of(tenant)
    page = person.get(f"/collector-instances/{instance}")
    for word, then in (("Deactivate", "Inactive"), ("Activate", "Active")):
        button = [e for e in page.all("button") if e.text == word][0]
        token = page.one("form", id="status-form").one("input", name="_csrf")["value"]
        body = urllib.parse.urlencode({"_csrf": token, "status": button["value"]})
        page = person.send("POST", f"/collector-instances/{instance}?_method=PATCH", body)
        assert page.flash == "Saved." and tenant.get(f"/collector-instances/{instance}")["status"] == then


def test_runs_are_filtered_by_state_and_pipeline(owner, shop):
    page = owner.get(f"/collector-instances/{shop.instance}/executions")
    assert [row["State"] for row in page.rows()] == ["Success"]
    none = page.form(f"/collector-instances/{shop.instance}/executions").fill(status="Failed").press("Filter")
    assert "No run fits" in none.text and "status=Failed" in none.path
    some = owner.get(f"/collector-instances/{shop.instance}/executions?pipelineId={PRODUCTS}")
    assert len(some.rows()) == 1
    assert "No run fits" in owner.get(f"/collector-instances/{shop.instance}/executions?pipelineId={ORDERS}").text


def first_run(tenant, instance):
    return tenant.get(f"/collector-instances/{instance}/executions")["recentExecutions"][0]["executionId"]


def test_a_log_is_searched_and_its_lines_have_addresses(owner, shop):
    one = first_run(shop, shop.instance)
    page = owner.get(f"/executions/{one}/log")
    lines = [e for e in page.main.all("li", id=True) if e["id"].startswith("e-")]
    assert len(lines) == len(shop.get(f"/executions/{one}/log")["entries"])
    assert lines[0].one("a")["href"] == "#" + lines[0]["id"]
    found = page.form(f"/executions/{one}/log").fill(q="page_info").press("Filter")
    assert len([e for e in found.main.all("li", id=True) if e["id"].startswith("e-")]) == 1
    assert "No line fits" in page.form(f"/executions/{one}/log").fill(level="error").press("Filter").text


def test_a_failed_run_opens_at_its_first_error(make_tenant, published, upstream_url):
    tenant = make_tenant()
    instance = install_shop(tenant, published, upstream_url, products=300, fault=404, on_page=2)
    [done] = run(tenant, instance, PRODUCTS)
    assert done["status"] == "Failed" or done["status"] == "Partial", done
    page = person_of(tenant).get(f"/executions/{done['executionId']}")
    steps = page.main.all("details")
    assert [e.has("open") for e in steps].count(True) == 1
    [opened] = [e for e in steps if e.has("open")]
    assert "went wrong" in opened.text and "404" in opened.text
    assert "What went wrong" in page.text
    assert page.has_form(f"/executions/{done['executionId']}/retry")
    again = page.form(f"/executions/{done['executionId']}/retry").press("Run again")
    assert again.flash == "Asked for again." and again.path != page.path
    assert again.path.startswith("/executions/")


def test_the_start_counts_the_records_that_are_held(make_tenant, published, upstream_url):
    tenant = make_tenant()
    instance = install_shop(tenant, published, upstream_url, products=20, orders=6)
    run(tenant, instance, PRODUCTS)
    run(tenant, instance, PRODUCTS)
    held = person_of(tenant).get(f"/collector-instances/{instance}")
    assert person_of(tenant).get("/").rows()[0]["Records held"] == "20", held.text


def test_a_waiting_run_says_why_first_and_can_be_cancelled(make_tenant, published, upstream_url):
    tenant = make_tenant()
    instance = install_shop(tenant, published, upstream_url, products=300, fault=429, retry_after=600, on_page=2, times=0)
    asked = tenant.post(f"/collector-instances/{instance}/execute", {"pipelineId": PRODUCTS}, 202)["executions"][0]
    wait_until(lambda: (tenant.get(f"/executions/{asked['executionId']}")["waiting"] or {}).get("until"), 30)
    person = person_of(tenant)
    page = person.get(f"/executions/{asked['executionId']}")
    why = tenant.get(f"/executions/{asked['executionId']}")["waiting"]
    assert page.all("span", class_="state")[0].text == "Waiting"
    assert page.text.index("Waiting:") < page.text.index("Steps") and why["message"] in page.text
    assert "Waiting" in page.title and "The wait began " in page.text and "so far) and ends " in page.text
    waited = [e.one("dd").text for e in page.all("div") if [d.text for d in e.all("dt")] == ["Waited"]]
    assert waited and waited[0].endswith("so far") and "min" not in waited[0], "a wait counts as it passes"
    assert "0 of them" not in page.text
    bar = person.get(f"/collector-instances/{instance}").one("ol", class_="bar").all("a")[0]
    assert "bar-Waiting" in bar.classes and bar.text.endswith("Waiting")
    assert page.one(id="live")["data-poll"] and "Refresh" in page.text
    assert why["message"] in person.get(f"/collector-instances/{instance}").text
    page = page.form(f"/executions/{asked['executionId']}/cancel").press("Cancel")
    assert page.flash.startswith("It stops")
    assert ended(tenant, asked["executionId"])["status"] == "Cancelled"
    assert "data-poll" not in person.get(f"/executions/{asked['executionId']}").html


def test_records_that_were_kept_out_are_shown_with_why(make_tenant, published, upstream_url):
    tenant = make_tenant()
    instance = install_shop(tenant, published, upstream_url, products=20, poison="nul")
    [done] = run(tenant, instance, PRODUCTS)
    assert done["recordsQuarantined"] == 1
    page = person_of(tenant).get(f"/executions/{done['executionId']}").follow("1")
    bad = tenant.get(f"/executions/{done['executionId']}/quarantine")["records"][0]
    assert page.h1 == "Records kept out" and bad["message"] in page.text
    assert "spoilt" in page.text and bad["text"].startswith("{")


def test_records_are_browsed_found_and_shown_digit_for_digit(make_tenant, published, upstream_url):
    tenant = make_tenant()
    instance = install_shop(tenant, published, upstream_url, products=60, poison="decimal")
    run(tenant, instance, PRODUCTS)
    person = person_of(tenant)
    page = person.get(f"/collector-instances/{instance}/records?limit=20")
    cells = page.one("table").all("td")
    assert cells and all(cell.has("data-label") for cell in cells), "a narrow screen shows a card of named values"
    assert len(page.rows()) == 20
    seen = [row["Key"] for row in page.rows()]
    while "Next page" in page.links:
        page = page.follow("Next page")
        seen += [row["Key"] for row in page.rows()]
    records = tenant.get(f"/collector-instances/{instance}/records?limit=200")["records"]
    assert sorted(seen) == [one["key"] for one in records] and len(seen) == 60

    key = next(one["key"] for one in records if "spoilt" in one["data"])
    found = page.form(f"/collector-instances/{instance}/records").fill(key=key).press("Show")
    assert [row["Key"] for row in found.rows()] == [key]
    one = found.follow(key)
    shown = one.main.one("pre").raw
    raw = tenant.get(f"/collector-instances/{instance}/records?key={key}").body.decode()
    spoilt = re.search(r'"spoilt":\s*([-0-9.eE+]+)', raw)[1]
    assert len(spoilt) > 30 and f'"spoilt": {spoilt}' in shown
    assert json.loads(shown) == json.loads(raw)["records"][0]["data"]


def test_a_browser_exports_with_its_session(owner, shop):
    page = owner.get(f"/collector-instances/{shop.instance}/records")
    link = page.links["Export NDJSON"]
    status, headers, body = owner.raw("GET", link)
    status_csv, headers_csv, rows = owner.raw("GET", page.links["Export CSV"])
    assert status_csv == 200 and headers_csv["Content-Type"].startswith("text/csv") and rows.count(b"\n") >= 121
    assert status == 200 and headers["Content-Type"].startswith("application/x-ndjson")
    assert "attachment" in headers["Content-Disposition"]
    assert len(body.splitlines()) == 121 and b"_catchment" in body.splitlines()[-1]


def test_an_upgrade_shows_what_breaks_and_asks_for_new_fields(creator, make_tenant, upstream_url):
    collector = Collector(creator).publish()
    tenant = make_tenant()
    instance = install_shop(tenant, collector, upstream_url, products=3)
    person = person_of(tenant)
    assert person.get(f"/collector-instances/{instance}/upgrade").h1 == "Nothing to upgrade"
    fields = collector.source["configFields"] + [
        {"name": "region", "label": "Region", "type": "Text", "required": True}]
    collector.change(source={"configFields": fields}).publish("2.0.0", "Asks for a region")
    page = person.get(f"/collector-instances/{instance}")
    assert "Version 2.0.0 of this collector is out" in page.text
    page = person.get(f"/collector-instances/{instance}/upgrade")
    assert page.h1 == "Upgrade from 1.0.0 to 2.0.0" and "Asks for a region" in page.text and "Region" in page.text
    form = page.form(f"/collector-instances/{instance}/upgrade")
    refused = form.press()
    assert refused.status in (409, 422) and refused.errors
    form = refused.form(f"/collector-instances/{instance}/upgrade").fill({"tenantConfig.region:text": "north"})
    if "acceptBreaking" in form.names():
        form.fill(acceptBreaking=True)
    page = form.press()
    assert page.flash.startswith("Upgraded"), page.errors
    assert tenant.get(f"/collector-instances/{instance}")["releaseVersion"] == "2.0.0"


def test_an_upgrade_leads_to_any_version(creator, make_tenant, upstream_url):
    collector = Collector(creator).publish()
    tenant = make_tenant()
    instance = install_shop(tenant, collector, upstream_url, products=3)
    path = f"/collector-instances/{instance}"
    person = person_of(tenant)
    assert "It has no other version." in person.get(path + "/upgrade").text
    collector.publish("1.1.0", "Second")
    collector.publish("1.2.0", "Third")
    page = person.get(path + "/upgrade").follow("1.1.0")
    assert page.h1 == "Upgrade from 1.0.0 to 1.1.0" and "Second" in page.text
    page = page.form(path + "/upgrade").press("Upgrade to 1.1.0")
    assert page.flash.startswith("Upgraded") and tenant.get(path)["releaseVersion"] == "1.1.0"
    assert set(person.get(path + "/upgrade").links) >= {"1.2.0", "1.0.0"}


def test_a_refused_upgrade_stays_with_the_version_that_was_chosen(creator, make_tenant, upstream_url):
    collector = Collector(creator).publish()
    tenant = make_tenant()
    instance = install_shop(tenant, collector, upstream_url, products=3)
    path = f"/collector-instances/{instance}/upgrade"
    region = {"name": "region", "label": "Region", "type": "Text", "required": True}
    collector.change(source={"configFields": collector.source["configFields"] + [region]}).publish("2.0.0", "Second")
    collector.publish("2.1.0", "Third")
    page = person_of(tenant).get(path + "?version=2.0.0").form(path).press()
    assert page.status in (409, 422) and page.h1 == "Upgrade from 1.0.0 to 2.0.0"


def test_a_viewer_reads_and_is_offered_nothing_to_change(shop):
    viewer = person_of(shop.member("viewer"))
    page = viewer.get(f"/collector-instances/{shop.instance}")
    assert "Run now" not in page.text and "Uninstall" not in page.text and not page.forms
    assert viewer.get(f"/collector-instances/{shop.instance}/configure", status=403)
    one = first_run(shop, shop.instance)
    assert not viewer.get(f"/executions/{one}").forms


def test_another_workspace_finds_nothing(person, shop):
    one = first_run(shop, shop.instance)
    for path in (f"/collector-instances/{shop.instance}", f"/collector-instances/{shop.instance}/configure",
                 f"/collector-instances/{shop.instance}/records", f"/collector-instances/{shop.instance}/executions",
                 f"/collector-instances/{shop.instance}/upgrade", f"/collector-instances/{shop.instance}/uninstall",
                 f"/executions/{one}", f"/executions/{one}/log", f"/executions/{one}/quarantine"):
        person.get(path, status=404)


def test_a_form_without_its_token_is_refused(owner, shop):
    page = owner.get(f"/collector-instances/{shop.instance}")
    refused = page.form(f"/collector-instances/{shop.instance}/execute").press("Run now", without=("_csrf",))
    assert refused.status == 403
    assert len(owner.get(f"/collector-instances/{shop.instance}/executions").rows()) == 1


def test_every_page_names_its_document(owner, shop):
    one = first_run(shop, shop.instance)
    for path in ("/marketplace/collectors", "/collector-instances", f"/collector-instances/{shop.instance}",
                 f"/collector-instances/{shop.instance}/executions", f"/collector-instances/{shop.instance}/records",
                 f"/executions/{one}", f"/executions/{one}/log", f"/executions/{one}/quarantine"):
        page = owner.get(path)
        assert f'href="/api/v1{path}"' in page.html and f"/api/v1{path}'" in page.one("footer").text, path
