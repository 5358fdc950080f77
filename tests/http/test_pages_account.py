"""Pages of people and workspaces: what they show, what their forms do, and who may."""
import urllib.parse

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


def test_signing_in_of_ones_own_accord_leads_to_the_start(person, stranger):
    page = stranger.get("/sign-in").form("/sign-in").fill(email=person.email, password=PASSWORD).press("Sign in")
    assert page.path == "/" and page.h1 == person.workspace


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


def test_who_is_not_signed_in_is_asked_to_and_comes_back(person, stranger):
    page = stranger.get("/audit?action=token.create")
    assert page.h1 == "Sign in"
    page = page.form("/sign-in").fill(email=person.email, password=PASSWORD).press("Sign in")
    assert page.path == "/audit?action=token.create" and page.h1 == "Audit log"


@pytest.mark.parametrize("name", ["back", "next"])
@pytest.mark.parametrize("value, path", [
    ("/members", "/members"), ("/audit?action=a%26b&limit=5", "/audit?action=a%26b&limit=5"), ("", "/"),
    ("//evil.example", "/"), ("/\\evil.example", "/"), ("\\\\evil.example", "/"), ("https://evil.example/", "/"), ("https:evil.example", "/"),
    ("/\t/evil.example", "/"), ("javascript:alert(1)", "/"), ("members", "/"), ("@evil.example", "/")])
def test_signing_in_leads_to_a_page_of_this_site_alone(person, stranger, name, value, path):
    page = stranger.get(f"/sign-in?{name}=" + urllib.parse.quote(value, safe=""))
    kept = [e["value"] for e in page.all("input", name="_back") if e.inside("main")]
    assert kept == ([value] if path == value else []), "what leads elsewhere is not even carried along"
    page = page.form("/sign-in").fill(email=person.email, password=PASSWORD).press("Sign in")
    assert page.path == path and stranger.token


def test_a_wrong_password_does_not_forget_where_to_go(person, stranger):
    page = stranger.get("/sign-in?next=/members").form("/sign-in").fill(email=person.email, password="not it").press("Sign in")
    assert page.status == 401
    page = page.form("/sign-in").fill(email=person.email, password=PASSWORD).press("Sign in")
    assert page.path == "/members"


EVERY = ["/", "/profile", "/profile/password", "/tenant", "/tenant/delete", "/tenants", "/members", "/invitations",
         "/tokens", "/tokens/new", "/sessions", "/audit"]


@pytest.mark.parametrize("path", EVERY)
def test_each_page_is_there_for_an_owner_and_closed_to_strangers(person, stranger, path):
    assert person.get(path).h1
    assert stranger.get(path).h1 == ("Sign in" if path != "/" else "Data from other people’s APIs, exactly once")


def test_the_start_of_an_empty_workspace_has_three_next_steps(person):
    page = person.get("/")
    assert page.h1 == person.workspace
    assert [c.one("h3").text for c in page.all("li", class_="card")] == [
        "Browse the marketplace", "Describe an API", "Invite people"]


def test_a_stale_session_at_the_start_is_asked_to_sign_in(person):
    Client(person.base.geturl(), person.token).post("/sign-out", status=204)
    assert person.get("/").h1 == "Sign in"


def test_a_name_is_changed_on_the_profile(person):
    page = person.get("/profile")
    assert page.form("/profile").value("name") == person.name
    page = page.form("/profile").fill(name="Quire").press("Save")
    assert page.flash == "Saved." and page.form("/profile").value("name") == "Quire"
    page = page.form("/profile").fill(name=" ").press("Save")
    assert page.status == 422 and page.error("name")
    assert client_of(person).get("/profile")["user"]["name"] == "Quire"


def test_a_new_password_ends_the_other_sessions(person, api):
    other = Person(api)
    other.sign_in(person.email)
    page = person.get("/profile/password").form("/profile/password").fill(
        currentPassword="wrong", newPassword="another long password").press()
    assert page.status == 422 and page.error("currentPassword")
    page = page.form("/profile/password").fill(
        currentPassword=PASSWORD, newPassword="another long password").press()
    assert page.path == "/profile" and "changed" in page.flash
    assert person.get("/profile").h1 == "Profile" and other.get("/profile").h1 == "Sign in"


def test_a_workspace_is_renamed_and_a_stale_form_is_not_taken(person):
    old = person.get("/tenant")
    page = old.form("/tenant").fill(name="Renamed").press("Rename")
    assert page.flash == "Saved." and page.h1 == "Renamed"
    page = old.form("/tenant").fill(name="Later").press("Rename")
    assert page.status == 412 and page.errors and page.form("/tenant").value("name") == "Later"
    assert client_of(person).get("/tenant")["name"] == "Renamed"


def test_a_switch_replaces_the_session_and_ends_the_old_one(person):
    page = person.get("/tenants").form("/tenants").fill(name="Second").press("Make a workspace")
    assert [row["Name"] for row in page.rows()] == [person.workspace, "Second"]
    old = person.token
    switches = [form for form in page.forms if form.action.endswith("/switch")]
    assert len(switches) == 1, "where one is there is nothing to switch to"
    page = switches[0].press()
    assert page.h1 == "Second" and person.token != old
    Client(person.base.geturl(), old).get("/profile", status=401)
    assert client_of(person).get("/tenant")["name"] == "Second"


def test_a_workspace_is_deleted_by_its_name_alone(person):
    page = person.get("/tenant/delete").form("/tenant/delete").fill(name="another").press("Delete the workspace")
    assert page.status == 422 and page.error("name")
    page = page.form("/tenant/delete").fill(name=person.workspace).press("Delete the workspace")
    assert "deleted" in page.flash and not person.token
    Person(person.base.geturl()).sign_in(person.email)  # who signs in again gets a new one


def join(owner, role, stranger=None):
    page = owner.get("/invitations").form("/invitations")
    email = unique("guest").replace(" ", "-") + "@example.com"
    page = page.fill(email=email, role=role).press("Invite")
    assert page.status == 201, page.errors
    link = page.one("pre").text
    assert link.startswith(owner.base.geturl() + "/invitations/accept?token=")
    other = stranger or Person(owner.base.geturl())
    other.email = email
    return other, link.removeprefix(owner.base.geturl())


def test_an_invitation_is_made_shown_once_and_accepted(person, stranger):
    guest, link = join(person, "editor", stranger)
    listed = person.get("/invitations")
    assert guest.email in listed.text and "accept?token" not in listed.html
    page = guest.get(link)
    assert page.h1 == "Join " + person.workspace
    assert guest.email in page.text and "editor" in page.text
    page = page.form("/invitations/accept").fill(name="Guest", password="short").press("Join the workspace")
    assert page.status == 422 and page.error("password") and page.form(0).value("name") == "Guest"
    page = page.form("/invitations/accept").fill(password=PASSWORD).press("Join the workspace")
    assert page.status == 200 and guest.token and page.h1 == person.workspace
    assert client_of(guest).get("/tenant")["role"] == "editor"
    assert "used, revoked or has expired" in Person(person.base.geturl()).get(link, status=404).text


def test_an_invitation_of_somebody_known_asks_for_the_password_alone(person, api):
    known = sign_up(api)
    page = person.get("/invitations").form("/invitations").fill(email=known.email, role="viewer").press("Invite")
    link = page.one("pre").text.removeprefix(person.base.geturl())
    form = known.get(link).form("/invitations/accept")
    assert "name" not in form.names()
    wrong = form.fill(password="not the password").press("Join the workspace")
    assert wrong.status == 401 and wrong.errors
    assert wrong.form("/invitations/accept").fill(password=PASSWORD).press().h1 == person.workspace


def test_an_invitation_is_taken_back(person, stranger):
    guest, link = join(person, "viewer", stranger)
    page = person.get("/invitations")
    page = [f for f in page.forms if "_method=DELETE" in f.action][0].press()
    assert "taken back" in page.flash and "Nobody is invited" in page.text
    guest.get(link, status=404)


def test_an_incomplete_link_says_so(stranger):
    assert "Copy the whole link" in stranger.get("/invitations/accept?token=abc", status=404).text
    assert "Copy the whole link" in stranger.get("/invitations/accept", status=404).text


def test_roles_are_changed_and_members_removed(make_tenant):
    client = make_tenant()
    owner, other = person_of(client), client.member("viewer")
    page = owner.get("/members")
    assert sorted(row["Role"] for row in page.rows()) == ["owner", "viewer"]
    page = owner.get("/members/" + other.profile["user"]["id"])
    assert page.form().value("role") == "viewer"
    page = page.form().fill(role="admin").press("Change the role")
    assert page.flash and other.get("/tenant")["role"] == "admin"
    page = owner.get("/members/" + other.profile["user"]["id"]).forms[1].press("Remove from the workspace")
    assert "removed" in page.flash and len(page.rows()) == 1
    other.get("/tenant", status=401)


def test_the_last_owner_can_neither_go_nor_be_less(make_tenant):
    client = make_tenant()
    owner = person_of(client)
    page = owner.get("/members/" + client.user)
    refused = page.form().fill(role="viewer").press("Change the role")
    assert refused.status == 409 and refused.error("role") == "A workspace needs an owner. Make someone else owner first."
    refused = owner.get("/tenant").form("/tenant/leave").press()
    assert refused.status == 409 and refused.links["Back"] == "/tenant"


def test_a_viewer_leaves_and_loses_the_session(make_tenant):
    client = make_tenant()
    viewer = client.member("viewer")
    page = person_of(viewer).get("/tenant").form("/tenant/leave").press()
    assert "left" in page.flash
    viewer.get("/tenant", status=401)


def test_pages_offer_what_the_role_may_do(make_tenant):
    client = make_tenant()
    viewer = person_of(client.member("viewer"))
    page = viewer.get("/tenant")
    assert not page.has_form("/tenant") and "Delete this workspace" not in page.links
    assert "Invite somebody" not in viewer.get("/members").links
    assert "Action" not in viewer.get("/members").rows()[0]
    for path in ("/invitations", "/audit", "/tenant/delete"):
        assert viewer.get(path, status=403).links["Go to the start"] == "/"
    assert person_of(client.member("admin")).get("/invitations").has_form("/invitations")


def test_a_token_is_made_with_ticks_shown_once_rotated_and_revoked(person):
    page = person.get("/tokens")
    assert "No tokens yet" in page.text
    form = person.get("/tokens/new").form("/tokens")
    assert form.value("scopes") == []
    refused = form.fill(name="CI").press("Make the token")
    assert refused.status == 422 and refused.form("/tokens").value("name") == "CI"
    made = refused.form("/tokens").fill(scopes=["records:read", "tenant:read"], expiresInDays="2").press("Make the token")
    assert made.status == 201
    token = made.one("pre").text
    assert Client(person.base.geturl(), token).get("/tenant")["name"] == person.workspace
    page = person.get("/tokens")
    assert token not in page.html and token[:10] in page.text and "records:read" in page.text
    again = page.forms[0].press()
    assert again.status == 201 and again.one("pre").text != token
    page = person.get("/tokens")
    assert len(page.all("section", class_="panel")) == 2
    page = [f for f in page.forms if "DELETE" in f.action][1].press()
    assert page.flash == "It has ended."
    Client(person.base.geturl(), token).get("/tenant", status=401)


def test_sessions_stand_apart_and_can_be_ended(person, api):
    other = Person(api)
    other.sign_in(person.email)
    page = person.get("/sessions")
    assert [("This one" in row["Action"]) for row in page.rows()] == [False, True]
    page = page.forms[0].press()
    assert page.path == "/sessions" and len(page.rows()) == 1
    assert other.get("/profile").h1 == "Sign in"


def test_the_audit_log_is_narrowed_and_keeps_its_filter(person):
    person.get("/profile").form("/profile").fill(name="A").press("Save")
    page = person.get("/audit")
    assert "user.update" in page.text and "tenant.create" in page.text
    page = page.form("/audit").fill(action="user.update").press("Filter")
    assert "tenant.create" not in page.text and page.form("/audit").value("action") == "user.update"
    assert "no entry that fits" in page.form("/audit").fill(action="nothing").press("Filter").text
    page = person.get("/audit?limit=1&action=user.sign-in")
    assert person.get("/audit?userId=" + client_of(person).get("/profile")["user"]["id"]).all("li")


def test_a_form_without_the_sessions_word_changes_nothing(person):
    page = person.get("/tenant").form("/tenant").fill(name="Stolen").press("Rename", without=["_csrf"])
    assert page.status == 403 and client_of(person).get("/tenant")["name"] == person.workspace
    page = person.get("/tenant").form("/tenant").fill(name="Stolen").press(
        "Rename", headers={"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"})
    assert page.status == 403 and client_of(person).get("/tenant")["name"] == person.workspace


def test_a_member_of_another_workspace_is_nowhere(person, make_tenant):
    person.get("/members/" + make_tenant().user, status=404)


def test_the_colours_are_kept(person):
    page = person.get("/profile")
    form = [e for e in page.all("form", class_="theme")]
    assert form and page.one("html")["data-theme"] == "auto"
    csrf = form[0].one("input", name="_csrf")["value"]
    page = person.send("POST", "/theme", f"_csrf={csrf}&_back=/profile&theme=dark")
    assert page.path == "/profile" and page.one("html")["data-theme"] == "dark"
