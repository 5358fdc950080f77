"""A creator builds, tries and publishes a collector by pages alone: no script, nothing but what the
pages offer."""
import json

import pytest

from conftest import Client, unique
from market import collector_body, source_body
from pages import person, person_of, sign_up  # noqa: F401

SECRET = "shpat_page_creator_key_4711"


def client_of(person, api):
    return Client(api, person.token)


@pytest.fixture()
def source(person, api):
    """The shop's data source; its document."""
    return client_of(person, api).post("/datasources", source_body()).json


def build(person, source, name=None):
    """A collector of one pipeline, made in the builder; its page."""
    form = person.get("/collectors/new?dataSourceId=" + source["id"]).form("/collectors")
    name = name or unique("Products")
    form.fill({"name": name, "pipelines.0.name": "Products", "pipelines.0.functionId": "func-get-products"})
    form = form.press("show:/pipelines/0/functionId").form("/collectors")
    form.fill({"pipelines.0.staticParameters.limit": "10"})
    form = form.press("insert:/pipelines/0/processingSteps/1").form("/collectors")
    form.fill({"pipelines.0.processingSteps.1.name": "Pages", "pipelines.0.processingSteps.1.type": "pagination"})
    form = form.press("show:/pipelines/0/processingSteps/1/type").form("/collectors")
    form.fill({"pipelines.0.processingSteps.1.config.type:text": "cursor"})
    form = form.press("show:/pipelines/0/processingSteps/1/config/type").form("/collectors")
    form.fill({"pipelines.0.processingSteps.1.config.cursorParam:text": "page_info"})
    page = form.press("Save collector")
    assert page.status == 200 and page.h1 == name, page.errors
    return page


def with_values(person, page, upstream_url, settings="products=23"):
    shop = f"{upstream_url}/s/{unique('pages').replace(' ', '-')},{settings}"
    form = page.follow("Test values").form(page.path + "/values")
    return form.fill({"creatorConfig.shopUrl:text": shop, "creatorConfig.apiKey:text": SECRET,
                      "creatorConfig.apiVersion:text": "2024-01"}).press("Save test values")


def test_the_builder_asks_for_a_data_source_first(person):
    page = person.get("/collectors")
    assert page.follow("Build a collector").links["Describe an API"] == "/datasources/new"


def test_a_collector_is_built_step_by_step(person, api, source):
    page = build(person, source)
    saved = client_of(person, api).get(page.path).json
    pipeline = saved["pipelines"][0]
    assert pipeline["functionId"] == "func-get-products" and pipeline["staticParameters"] == {"limit": 10}
    assert [step["type"] for step in pipeline["processingSteps"]] == ["api-call", "pagination", "store-database"]
    config = pipeline["processingSteps"][1]["config"]
    assert config["type"] == "cursor" and config["cursorParam"] == "page_info"
    assert page.links[source["name"]] == "/datasources/" + source["id"]
    assert "func-get-products" in page.text and "limit = 10" in page.text
    assert page.follow("Collectors").rows()[0]["Name"] == saved["name"]
    page = page.follow("Edit").form(page.path).press("Save collector")
    again = client_of(person, api).get(page.path).json
    assert again["pipelines"][0]["processingSteps"][1]["config"] == config
    assert again["pipelines"][0]["staticParameters"] == {"limit": 10}


@pytest.mark.parametrize("kind,config,want", [
    ("filter", {"condition:text": "price > 10"}, {"condition": "price > 10"}),
    ("deduplicate", {"key:lines": "id\nsku"}, {"key": ["id", "sku"]}),
    ("validate", {"required:lines": "id", "types.+0.key": "price", "types.+0.value": "string"},
     {"required": ["id"], "types": {"price": "string"}}),
    ("transform", {"drop:lines": "vendor", "rename.+0.key": "title", "rename.+0.value": "name",
                   "set.+0.key": "source", "set.+0.value": "shop", "flatten.separator:text": "_"},
     {"drop": ["vendor"], "rename": {"title": "name"}, "set": {"source": "shop"}, "flatten": {"separator": "_"}}),
    ("transform", {}, {}),
])
def test_each_step_has_its_own_settings(person, api, source, kind, config, want):
    page = build(person, source)
    form = page.follow("Edit").form(page.path).press("insert:/pipelines/0/processingSteps/2").form(page.path)
    at = "pipelines.0.processingSteps.2."
    form = form.fill({at + "name": "Mine", at + "type": kind}).press("show:/" + at.replace(".", "/") + "type")
    form = form.form(page.path).fill({at + "config." + name: value for name, value in config.items()})
    saved = form.press("Save collector")
    assert saved.flash == "Saved.", saved.errors
    step = client_of(person, api).get(page.path).json["pipelines"][0]["processingSteps"][2]
    assert step["type"] == kind and (step.get("config") or {}) == want
    page.follow("Edit").form(page.path).press("Save collector")
    step = client_of(person, api).get(page.path).json["pipelines"][0]["processingSteps"][2]
    assert (step.get("config") or {}) == want


def test_a_refusal_names_the_field_and_keeps_the_rest(person, source):
    page = build(person, source)
    form = page.follow("Edit").form(page.path)
    form.fill({"pipelines.0.processingSteps.1.config.cursorParam:text": "", "description": "kept"})
    page = form.press("Save collector")
    assert page.status == 422 and page.form(0).value("description") == "kept"
    assert page.all("a", href="#f-pipelines-0-processingSteps-1-config-cursorParam")
    assert page.one(id="f-pipelines-0").all("details")[0].has("open")


def test_the_summary_names_each_field_and_leads_to_it(person, source):
    page = build(person, source)
    form = page.follow("Edit").form(page.path)
    form.fill({"name": "", "pipelines.0.name": "", "pipelines.0.processingSteps.1.name": ""})
    page = form.press("Save collector")
    lines = page.one("div", class_="errors").all("li")
    assert [line.text.split(": ")[0] for line in lines][0] == "Name", [line.text for line in lines]
    assert all(": " in line.text and line.all("a") for line in lines) and len(lines) == len(
        {line.text for line in lines})
    assert page.error("name") == "This field is required."


def test_a_parameter_that_nobody_knows_is_named(person):
    page = person.get("/collectors?zzz=1", status=None)
    assert page.status in (400, 422) and "zzz" in page.text, page.text


def test_secrets_are_written_and_never_read(person, api, source, upstream_url):
    page = build(person, source)
    assert "None yet. A test needs your own values" in page.text, "a heading with nothing below it"
    page = with_values(person, page, upstream_url)
    assert "None yet" not in page.text
    assert page.flash == "The test values are saved.", page.errors
    page = page.follow("Test values")
    assert SECRET not in page.html
    form = page.form(page.path)
    key = page.one(id="f-creatorConfig-apiKey")
    assert key["type"] == "password" and "stored" in key["placeholder"] and not key.get("value")
    page = form.press("Save test values")
    config = client_of(person, api).get(page.path).json["creatorConfig"]
    assert config["apiKey"]["set"] is True and config["apiVersion"] == "2024-01"


def test_a_test_shows_requests_records_and_log_with_secrets_masked(person, source, upstream_url):
    page = with_values(person, build(person, source), upstream_url)
    test = page.follow("Test")
    assert "60 seconds" in test.text
    assert test.form(0).options("pipelineId") == ["", "products"]
    assert test.form(0).element.all("option", value="")[0].text == "All pipelines"
    page = test.form(0).fill({"pipelineId": "products", "maxPages": "2", "maxRecords": "7"}).press("Run the test")
    theme = [e for e in page.all("form", class_="theme")][0]
    assert theme.one("input", name="_back")["value"] == test.path, "the colours would lead to where no page is"
    assert page.status == 200 and page.h1.startswith("Test of"), page.errors
    assert SECRET not in page.html
    assert "At most 2 pages and 7 records" in page.text
    requests = page.all("li", class_="request")
    assert 1 <= len(requests) <= 2 and "GET" in requests[0].text and "200" in requests[0].text
    assert "curl " in requests[0].text and "X-Shopify-Access-Token: " in requests[0].text
    records = [e for e in page.all("pre") if e.get("aria-label") == "A record"]
    assert len(records) == 7 and all("id" in json.loads(e.raw) for e in records)
    assert len(requests) == 2 and "ended after page 2" in page.text
    again = page.form(0).press("Run again")
    assert "At most 2 pages and 7 records" in again.text


def test_a_test_tries_the_second_page_and_names_the_limit_that_ended_it(person, source, upstream_url):
    page = with_values(person, build(person, source), upstream_url, "products=90")
    page = page.follow("Test").form(0).fill({"maxRecords": "3"}).press("Run the test")
    assert len(page.all("li", class_="request")) == 2, page.text[:800]
    assert "ended after page 2: it had the 3 records" in page.text and "goes on" not in page.text


def test_a_new_step_comes_before_store_and_the_request_is_told_from_its_pages(person, source):
    form = person.get("/collectors/new?dataSourceId=" + source["id"]).form("/collectors")
    words = [o.text for e in form.inputs if e["name"] == "pipelines.0.processingSteps.0.type" for o in e.all("option")]
    assert "Request: call the function" in words and "Paging: how to ask for the next page" in words
    form = form.press("Add to Steps").form("/collectors")
    assert form.value("pipelines.0.processingSteps.2.type") == "store-database"
    form = form.fill({"pipelines.0.processingSteps.1.type": "store-database"}).press(
        "show:/pipelines/0/processingSteps/1/type").form("/collectors")
    assert form.value("pipelines.0.processingSteps.2.type") == "store-database"


def test_a_connection_that_has_to_wait_promises_nothing(person, source, upstream_url):
    page = with_values(person, build(person, source), upstream_url, "fault=429,retry_after=600")
    page = page.follow("Test").form(page.path + "/test-connection").press()
    assert "does not wait that long" in page.text and "goes on" not in page.text, page.text[:600]


def test_a_test_says_what_is_wrong(person, source, upstream_url):
    page = with_values(person, build(person, source), upstream_url, "fault=http_401")
    page = page.follow("Test").form(0).press("Run the test")
    assert page.status == 200 and "failed" in page.text
    page = build(person, source)
    page = page.follow("Test").form(0).press("Run the test")
    assert page.status in (200, 422) and ("failed" in page.text or page.errors), page.text[:500]


def test_the_connection_is_tested_alone(person, source, upstream_url):
    page = with_values(person, build(person, source), upstream_url)
    page = page.follow("Test").form(page.path + "/test-connection").press()
    assert page.h1 == "Connection test" and "The API answered" in page.text
    assert SECRET not in page.html and len(page.all("li", class_="request")) == 1
    assert page.follow("Back to the test").h1.startswith("Test ")


def test_a_version_is_published_and_its_difference_is_said(person, api, source):
    page = build(person, source)
    path = page.path
    page = page.follow("Publish")
    assert "first version" in page.text
    form = page.form(path + "/publish")
    assert form.value("version") == "1.0.0"
    page = form.fill(releaseNotes="First one").press("Publish this version")
    assert page.flash == "The version is published." and page.path == path
    assert client_of(person, api).get(path)["releaseVersion"] == "1.0.0"
    page = page.follow("Edit").form(path).fill(description="Changed now").press("Save collector")
    assert page.flash == "Saved." and client_of(person, api).get(path)["stage"] == "Production"
    page = person.get(path + "/publish")
    assert "another description" in page.text and "Since version 1.0.0" in page.text
    page = page.form(path + "/publish").fill(version="0.9.0").press("Publish this version")
    assert page.status in (409, 422) and "1.0.0" in page.error("version")
    assert page.form(path + "/publish").value("version") == "0.9.0"
    page = person.get(path).follow("All published versions")
    assert page.rows()[0]["Version"] == "1.0.0" and page.rows()[0]["Notes"] == "First one"
    page = page.follow("1.0.0")
    assert page.h1.endswith("1.0.0") and "First one" in page.text


def test_it_is_taken_off_the_marketplace_and_put_back(person, source):
    page = build(person, source)
    path = page.path
    page = page.follow("Publish").form(path + "/publish").press("Publish this version")
    refused = page.form(path).press()
    assert refused.status == 409 and "Delist it first" in refused.text
    page = page.form(path + "/delist").press()
    assert page.flash == "It is no longer shown in the marketplace." and "not listed" in page.text
    page = page.form(path + "/relist").press()
    assert page.flash == "It is shown in the marketplace again."
    page = page.form(path + "/delist").press().form(path).press()
    assert page.path == "/collectors" and page.flash == "The collector is deleted."


def test_json_is_taken_as_it_is(person, api, source):
    body = {**collector_body(), "dataSourceId": source["id"]}
    page = person.get("/collectors/new/json").form("/collectors/new/json")
    page = page.fill(document=json.dumps({**body, "pipelines": []})).press("Save collector")
    assert page.status == 422 and "/pipelines" in page.error("document")
    page = page.form(0).fill(document=json.dumps(body)).press("Save collector")
    assert page.h1 == body["name"], page.errors
    page = person.get(page.path + "/json")
    text = json.loads(page.form(0).value("document"))
    assert "creatorConfig" not in text and len(text["pipelines"]) == 2
    text["description"] = "Through JSON"
    assert person.get(page.path).form(0).fill(document=json.dumps(text)).press("Save collector").flash == "Saved."


def test_every_page_says_where_the_api_has_it(person, source):
    page = build(person, source)
    for path in ("/collectors", page.path, page.path + "/publish", page.path + "/releases"):
        foot = person.get(path).one("footer")
        assert foot.all("a", href="/api/v1" + path), path
        assert "/api/v1" + path in foot.text


def test_roles_decide_what_is_offered(tenant):
    made = person_of(tenant)
    source = tenant.post("/datasources", source_body()).json
    page = build(made, source)
    viewer, editor = person_of(tenant.member("viewer")), person_of(tenant.member("editor"))
    assert not {"Edit", "Test", "Publish"} & set(viewer.get(page.path).links)
    assert {"Edit", "Test"} <= set(editor.get(page.path).links) and "Publish" not in editor.get(page.path).links
    assert viewer.get(page.path + "/edit", status=403) and viewer.get(page.path + "/test", status=403)


def test_another_workspace_sees_nothing(person, api, source):
    page = build(person, source)
    other = sign_up(api)
    for below in ("", "/edit", "/json", "/values", "/test", "/publish", "/releases"):
        assert other.get(page.path + below, status=404), below


def test_a_form_without_its_token_is_refused(person, source):
    page = build(person, source)
    for form in (page.follow("Edit").form(page.path), page.follow("Test").form(0)):
        assert form.press(without=("_csrf",)).status == 403
