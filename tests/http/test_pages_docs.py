"""The API's reference, the page of components, and the pages of nginx's own errors."""
import gzip
import json
import re

import pytest

from pages import Person, check_page, person, stranger  # noqa: F401: fixtures


@pytest.fixture(scope="module")
def described(api):
    got = Person(api).raw("GET", "/api/v1/openapi.json", headers={"Accept": "application/json"})
    return json.loads(got[2])


def test_the_index_names_every_operation_and_leads_to_it(stranger, described):
    page = stranger.get("/docs/api")
    for path, at in described["paths"].items():
        for method, operation in at.items():
            for tag in operation["tags"]:
                (link,) = [e for e in page.main.all("a", href=f"/docs/api/{tag}#{operation['operationId']}")]
                assert link.text == path and link.inside("li").text.startswith(method.upper())


def operations(described, tag):
    return [(method, path, one) for path, at in described["paths"].items() for method, one in at.items()
            if tag in one["tags"]]


TAGS = ["account", "admin", "collectors", "datasources", "exports", "health", "instances", "marketplace", "trials"]


@pytest.mark.parametrize("tag", TAGS)
def test_a_family_s_page_says_all_that_the_description_says(stranger, described, tag):
    assert sorted(t["name"] for t in described["tags"]) == TAGS
    page = stranger.get("/docs/api/" + tag)
    assert len(gzip.compress(page.body)) < 100_000
    names = {e.text for e in page.main.all("code")}
    for method, path, operation in operations(described, tag):
        section = page.one("section", id=operation["operationId"])
        words = section.text
        assert method.upper() in words and path in words and operation["summary"] in words
        if "x-role" in operation:
            assert f"the role {operation['x-role']} or more" in words
        if "x-scope" in operation:
            assert f"the scope {operation['x-scope']}" in words
        for status in operation["responses"]:
            assert any(e.text == status for e in section.all("strong")), status
        body = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if body:
            for one in body["schema"].get("anyOf", [body["schema"]]):
                name = one["$ref"].split("/")[-1]
                for member in described["components"]["schemas"][name].get("properties", {}):
                    assert member in names, (name, member)
        assert "curl" in section.all("pre")[-1].text


def test_an_example_s_body_is_json(stranger, described):
    section = stranger.get("/docs/api/account").one("section", id="postTokens")
    body = re.search(r"-d '(.*)'", section.all("pre")[-1].raw, re.S)[1]
    assert set(json.loads(body)) >= {"name", "scopes"}


def test_limits_defaults_and_help_are_said(stranger):
    section = stranger.get("/docs/api/account").one("section", id="schema-TokenNew")
    assert "at most 3650" in section.text and "Without it: 90" in section.text
    assert "Words such as records:read" in section.text and "required" in section.text


def test_a_family_that_is_not_there_is_not_found(stranger):
    assert "Begin at /docs/api" in stranger.get("/docs/api/nothing", status=404).text


def test_who_is_signed_in_stays_so_in_the_reference(person):
    assert person.workspace in person.get("/docs/api/account").one("header").text


def test_the_components_stand_on_one_page_linked_from_the_documentation_alone(stranger):
    assert stranger.get("/docs").follow("See the components").h1 == "Components"
    page = stranger.get("/design")
    for name in ("button", "state", "table", "notice", "card", "tabs", "empty", "code", "steps", "log", "diff",
                 "pager", "facet", "errors", "wrong", "stats", "facts", "segmented"):
        assert page.all(class_=name), name
    assert not [e for e in stranger.get("/").all("a") if e.get("href") == "/design"]


# --- what nginx itself refuses

def error_page(person, method, path, status, **rest):
    from pages import Page
    got = person.raw(method, path, **rest)
    assert got[0] == status, (got[0], got[2][:200])
    page = Page(person, path, *got)
    check_page(page)
    assert page.links["Go to the start"] == "/" and str(status) in page.text
    assert page.headers["X-Request-Id"] in page.text
    return page


def test_a_file_that_is_not_there_is_a_page(stranger):
    page = error_page(stranger, "GET", "/static/nothing.css", 404)
    assert page.h1 == "Not found" and "Check how it is written" in page.text


def test_an_error_page_leads_to_no_other_site(stranger):
    page = error_page(stranger, "GET", "//elsewhere.example/..%2fstatic/nothing.css", 404)
    assert not [e for e in page.all("a") if "elsewhere" in e.get("href")], page.links


def test_a_form_that_is_too_large_is_a_page_for_browsers_and_a_problem_for_clients(stranger):
    large = b"x" * (1 << 20) + b"x"
    page = error_page(stranger, "POST", "/sign-in", 413, body=large)
    assert page.h1 == "Too large" and "1 MiB" in page.text and "nothing of it was saved" in page.text
    status, headers, body = stranger.raw("POST", "/api/v1/sign-in", body=large)
    assert status == 413 and headers["Content-Type"] == "application/problem+json"
    assert json.loads(body)["code"] == "body_too_large" and "nothing of it was saved" in json.loads(body)["detail"]


def test_a_form_over_its_own_limit_says_that_limit_and_that_nothing_was_saved(person):
    status, headers, body = person.raw("POST", "/tenants", body=b"name=" + b"x" * (1 << 18))
    assert status == 413 and headers["Content-Type"].startswith("text/html")
    assert b"at most" in body and b"nothing was saved" in body


def test_an_address_that_is_too_long_and_a_header_that_is(stranger):
    error_page(stranger, "GET", "/static/x", 431, headers={"X-Long": "x" * 9000})
    for path in ("/" + "x" * 9000, "/marketplace/collectors?q=" + "x" * 100000, "/apix?" + "x" * 9000):
        page = error_page(stranger, "GET", path, 414)
        assert page.h1 == "The address is too long" and "8 KiB" in page.text


@pytest.mark.parametrize("path", ["/api/v1/collectors?q=", "/api?q=", "/api/", "/healthz?"])
def test_an_address_that_is_too_long_is_a_problem_for_clients(stranger, path):
    status, headers, body = stranger.raw("GET", path + "x" * 9000)
    assert status == 414 and headers["Content-Type"] == "application/problem+json"
    assert json.loads(body)["code"] == "url_too_long"


def test_an_address_is_not_written_into_the_page_as_it_came(stranger):
    page = error_page(stranger, "POST", '/sign-in?"><script>alert(1)</script>', 413, body=b"x" * (1 << 20) + b"x")
    assert not page.all("script")


def test_the_look_of_errors_comes_from_a_name_that_stays(stranger):
    for name, kind in (("app.css", "text/css; charset=utf-8"), ("icon.svg", "image/svg+xml")):
        status, headers, body = stranger.raw("GET", "/static/" + name)
        assert status == 200 and headers["Content-Type"] == kind and body
        assert headers["Cache-Control"] == "public, max-age=300"
