"""Pages of people and workspaces: what they show, what their forms do, and who may."""
import pytest

from conftest import PASSWORD, Client, unique
from pages import Person, person, person_of, sign_up, stranger  # noqa: F401: fixtures


def client_of(person):
    return Client(person.base.geturl(), person.token)


def test_signing_up_makes_a_workspace_and_opens_it(stranger):
    page = stranger.get("/sign-up")
    assert page.h1 == "Sign up"
    page = page.form("/sign-up").fill(email=unique("new").replace(" ", "-") + "@example.com", password=PASSWORD,
                                      name="New", workspace="First room").press("Sign up")
    assert page.status == 200 and stranger.token
    assert "First room" in page.one("header").text
    assert client_of(stranger).get("/tenant")["name"] == "First room"


def test_a_refused_sign_up_keeps_what_was_typed_and_names_the_field(stranger):
    page = stranger.get("/sign-up").form("/sign-up").fill(
        email="no-address", password="short", name="Kept").press("Sign up")
    assert page.status == 422 and len(page.errors) == 2 and not stranger.token
    form = page.form("/sign-up")
    assert form.value("email") == "no-address" and form.value("name") == "Kept"
    assert form.value("password") == "", "a password came back"
    assert page.error("email") and page.error("password") and not page.error("name")
    assert all(e["href"].startswith("#") for e in page.one("div", class_="errors").all("a"))


def test_an_address_that_is_taken_is_said_so(person, stranger):
    page = stranger.get("/sign-up").form("/sign-up").fill(email=person.email, password=PASSWORD).press("Sign up")
    assert page.status == 409 and page.errors and page.form("/sign-up").value("email") == person.email


def test_signing_in_leads_to_where_one_wanted_to_be(person, api):
    other = Person(api)
    page = other.sign_in(person.email, back="/?from=here")
    assert page.path == "/?from=here" and other.token


def test_a_wrong_password_is_refused_with_the_address_kept(person, stranger):
    page = stranger.sign_in(person.email, "not my password")
    assert page.status == 401 and page.errors and page.form("/sign-in").value("email") == person.email
    assert not stranger.token


def test_signing_out_ends_the_session(person):
    token = person.token
    page = person.get("/")
    form = [e for e in page.all("form") if e.get("action") == "/sign-out"]
    assert form
    csrf = form[0].one("input", name="_csrf")["value"]
    page = person.send("POST", "/sign-out", "_csrf=" + csrf)
    assert page.flash == "You are signed out." and not person.token
    Client(person.base.geturl(), token).get("/profile", status=401)
