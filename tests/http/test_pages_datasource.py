"""A creator describes an API by pages alone: no script, nothing but what the pages offer."""
import json

from conftest import Client, seed, unique
from pages import person, person_of, sign_up  # noqa: F401


def build(person, name=None):
    """The example of the builder, saved; its page."""
    page = person.get("/datasources/new?example=shop")
    return page.form("/datasources").fill(name=name or unique("Shop")).press("Save data source")


def test_an_empty_list_leads_to_the_builder_and_to_an_example(person):
    page = person.get("/datasources")
    assert page.h1 == "Data sources"
    assert page.links["Start from an example"] == "/datasources/new?example=shop"
    page = page.follow("Start from an example")
    assert page.form("/datasources").value("functions.0.path") == "/products"


def test_an_api_is_described_field_by_field(person, api):
    name = unique("Weather")
    form = person.get("/datasources/new").form("/datasources")
    form.fill({"name": name, "baseUrl": "https://api.example.com", "tags": "weather\nair",
               "functions.0.name": "stations", "functions.0.path": "/stations"})
    form = form.press("add:/configFields").form("/datasources")
    form.fill({"configFields.0.name": "key", "configFields.0.label": "Key", "configFields.0.type": "Password"})
    form = form.fill({"authConfig.type": "ApiKey"}).press("show:/authConfig/type").form("/datasources")
    form.fill({"authConfig.details.name:text": "X-Key", "authConfig.details.value:text": "{config.key}"})
    form = form.press("add:/functions/0/parameters").form("/datasources")
    form.fill({"functions.0.parameters.0.name": "limit", "functions.0.parameters.0.type": "number",
               "functions.0.parameters.0.default": "50", "rateLimitConfig.requestsPerSecond": "2"})
    page = form.press("Save data source")
    assert page.h1 == name and page.flash == "The data source is saved.", page.errors
    saved = api_client(person, api).get(page.path).json
    assert saved["baseUrl"] == "https://api.example.com" and saved["tags"] == ["weather", "air"]
    assert saved["configFields"][0]["name"] == "key" and saved["configFields"][0]["type"] == "Password"
    assert saved["authConfig"] == {"type": "ApiKey", "details": {
        "name": "X-Key", "location": "header", "value": "{config.key}"}}
    assert saved["functions"][0]["parameters"][0]["name"] == "limit"
    assert saved["rateLimitConfig"]["requestsPerSecond"] == 2


def test_what_the_chosen_authentication_needs_stands_open(person):
    form = person.get("/datasources/new").form("/datasources")
    page = form.fill({"authConfig.type": "Custom"}).press("show:/authConfig/type")
    details = page.one(id="f-authConfig-details")
    assert details.tag == "fieldset" and "optional" not in details.all("legend")[0].text
    form = page.form("/datasources").fill({"name": unique("Custom"), "baseUrl": "https://api.example.com",
                                           "functions.0.name": "a", "functions.0.path": "/a"})
    page = form.press("Save data source")
    assert page.status == 422 and page.one(id="f-authConfig-details").one("p", **{"class": "error"})


def api_client(person, base):
    return Client(base, person.token)


def test_the_page_shows_what_the_api_says(person, api):
    page = build(person)
    saved = api_client(person, api).get(page.path).json
    assert [row["Function"] for row in page.rows(0)] == [f["name"] + f["description"] for f in saved["functions"]]
    assert [row["In templates"] for row in page.rows(1)] == ["{config.%s}" % f["name"] for f in saved["configFields"]]
    assert "X-Api-Key" in page.text and "No collector uses it yet." in page.text
    assert page.links["Edit"] == page.path + "/edit"
    row = person.get("/datasources").rows()[0]
    assert (row["Functions"], row["Collectors"]) == ("2", "0")
    assert person.get("/datasources?q=" + saved["name"].split()[-1]).rows()
    assert "No data source has" in person.get("/datasources?q=nothing-of-the-kind").text


def test_what_is_edited_is_saved_and_what_is_not_stays(person, api):
    page = build(person)
    path, client = page.path, api_client(person, api)
    before = client.get(path).json
    page = page.follow("Edit").form(path).press("Save data source")
    assert page.flash == "Saved." and page.path == path, page.errors
    after = client.get(path).json
    for member in ("functions", "configFields", "authConfig", "tags", "category", "description"):
        assert strip(after[member]) == strip(before[member]), member
    form = page.follow("Edit").form(path).press("down:/functions/0").form(path)
    page = form.press("Save data source")
    assert [f["name"] for f in client.get(path).json["functions"]] == ["getOrders", "getProducts"]


DEFAULTS = ({"requiresAuth": True}, {"required": False}, {"encrypted": False}, {"type": "Text"}, {"type": "string"},
            {"location": "query"}, {"location": "header"}, {"method": "GET"}, {"recordsKind": "list"},
            {"idempotencyHeader": "Idempotency-Key"})


def strip(value):
    """A form says defaults that were left unsaid; both mean the same."""
    if isinstance(value, list):
        return [strip(one) for one in value]
    if isinstance(value, dict):
        return {k: strip(v) for k, v in value.items() if {k: v} not in DEFAULTS}
    return value


def test_options_with_labels_and_headers_come_through_the_form_as_they_are(person, api):
    client = api_client(person, api)
    body = {**seed("datasource.json"), "name": unique("Labels"), "headers": {"X-Version": "2024"}}
    path = "/datasources/" + client.post("/datasources", body)["id"]
    before = client.get(path).json
    assert person.get(path + "/edit").form(path).press("Save data source").flash == "Saved."
    after = client.get(path).json
    for member in ("functions", "configFields", "authConfig", "headers"):
        assert strip(after[member]) == strip(before[member]), member


def test_a_refusal_keeps_what_was_typed_and_names_the_field(person):
    form = person.get("/datasources/new").form("/datasources")
    form.fill({"name": "Kept", "functions.0.name": "f", "functions.0.path": "/x/{config.nothing}"})
    page = form.press("Save data source")
    assert page.status == 422 and page.form("/datasources").value("name") == "Kept"
    assert "nothing" in page.error("functions.0.path")
    assert page.all("a", href="#f-functions-0-path")
    form = page.form("/datasources").fill({"functions.0.path": ""})
    page = form.press("Save data source")
    assert page.error("functions.0.path") and page.one(id="f-functions-0").all("details")[0].has("open")


def test_who_comes_second_is_told(person):
    page = build(person)
    first, second = page.follow("Edit").form(page.path), page.follow("Edit").form(page.path)
    assert first.fill(description="one").press("Save data source").flash == "Saved."
    page = second.fill(description="two").press("Save data source")
    assert page.status == 412 and page.form(0).value("description") == "two", page.errors
    # the other's words are a link away; ours go over them when we say so
    assert "one" in page.follow("See what is there now").text
    page = page.form(0).press("Save mine over it")
    assert page.flash == "Saved." and "two" in page.text


def test_json_is_taken_as_it_is_and_its_problems_say_where(person, api):
    page = person.get("/datasources/new/json")
    document = {"name": unique("Pasted"), "baseUrl": "https://api.example.com",
                "functions": [{"name": "f", "path": "/f"}]}
    wrong = {**document, "functions": [{"name": "f"}]}
    page = page.form("/datasources/new/json").fill(document=json.dumps(wrong)).press("Save data source")
    assert page.status == 422 and "/functions/0/path" in page.error("document")
    assert json.loads(page.form(0).value("document")) == wrong
    assert page.form(0).fill(document="{").press("Save data source").status in (400, 422)
    page = page.form(0).fill(document=json.dumps(document)).press("Save data source")
    assert page.h1 == document["name"], page.errors
    page = person.get(page.path + "/json")
    text = json.loads(page.form(0).value("document"))
    assert text["functions"][0]["path"] == "/f" and "id" not in text
    text["description"] = "Through JSON"
    page = page.form(0).fill(document=json.dumps(text)).press("Save data source")
    assert page.flash == "Saved." and "Through JSON" in page.text


def test_it_is_deleted_unless_somebody_uses_it(person, api):
    page = build(person)
    form = page.form(page.path)
    source = page.path.rsplit("/", 1)[1]
    name = unique("User")
    made = api_client(person, api).post("/collectors", {"name": name, "dataSourceId": source, "pipelines": [
        {"name": "p", "functionId": "get-products"}]}).json
    page = form.press()
    assert page.status == 409 and "1 collector uses this data source" in page.text
    assert page.links[name] == "/collectors/" + made["id"]
    page = build(person)
    gone = page.path
    page = page.form(gone).press()
    assert page.path == "/datasources" and page.flash == "The data source is deleted."
    assert person.get(gone, status=404)


def test_a_form_without_its_token_is_refused(person):
    form = person.get("/datasources/new?example=shop").form("/datasources")
    assert form.press("Save data source", without=("_csrf",)).status == 403


def test_another_workspace_sees_nothing(person, api):
    page = build(person)
    other = sign_up(api)
    for path in (page.path, page.path + "/edit", page.path + "/json"):
        assert other.get(path, status=404)


def test_a_viewer_reads_and_is_offered_no_buttons(tenant):
    made = person_of(tenant)
    page = build(made)
    viewer = person_of(tenant.member("viewer"))
    assert "Describe an API" not in viewer.get("/datasources").links
    seen = viewer.get(page.path)
    assert seen.h1 == page.h1 and "Edit" not in seen.links and not seen.has_form(page.path)
    assert viewer.get("/datasources/new", status=403)
