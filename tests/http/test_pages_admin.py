"""Administering the platform in the browser: what each page shows, decides and refuses. What the routes
do is in test_admin.py."""
import pytest

from market import Collector, install_shop
from pages import person_of, stranger  # noqa: F401

PATHS = ["/admin", "/admin/listings", "/admin/tenants", "/admin/users", "/admin/queue"]


@pytest.fixture(scope="module")
def admin(make_administrator):
    return make_administrator("admin")


@pytest.fixture()
def person(admin):
    return person_of(admin)


@pytest.fixture()
def made(tenant):
    return Collector(tenant).publish()


@pytest.fixture()
def pending(admin, tenant, made):
    """A listing that was rejected and published again, so that it awaits approval."""
    admin.post(f"/admin/listings/{made.id}/reject", {"reason": "No."}, 200)
    tenant.post(f"/collectors/{made.id}/publish", {"version": "1.1.0"}, 200)
    return made


@pytest.mark.parametrize("path", PATHS)
def test_whoever_has_no_role_is_told_who_may(tenant, stranger, path):
    page = person_of(tenant).get(path, 403)
    assert "needs the platform role" in page.text and "catchment user role" in page.text
    assert stranger.get(path).path.startswith("/sign-in?back=%2Fadmin")


@pytest.mark.parametrize("path", PATHS)
def test_the_sections_pages_lead_to_each_other(person, path):
    tabs = person.get(path).main.one("nav", aria_label="Platform").all("a")
    assert [a["href"] for a in tabs] == PATHS
    assert [a["href"] for a in tabs if a.has("aria-current")] == [path]


def test_the_first_page_names_what_awaits_a_decision(admin, person, pending):
    page = person.get("/admin")
    assert page.links[pending.body["name"]] == f"/admin/listings/{pending.id}"
    assert "/admin" in [a["href"] for a in person.get("/").all("a")]
    assert f"All {admin.get('/admin/overview')['awaitingApproval']} that wait" in page.links
    assert "Runners work." in page.text
    admin.post(f"/admin/listings/{pending.id}/approve", None, 200)
    assert pending.body["name"] not in person.get("/admin").links


def test_measures_stand_beside_their_targets_in_words(admin, person, made):
    rows = person.get("/admin").rows()
    assert [row["Target"] for row in rows] == ["at least 60 %", "at least 50", "below 5 %", "below 10 s"]
    for row, one in zip(rows, admin.get("/admin/measures")["measures"]):
        if one["value"] is None:
            assert (row["Now"], row["State"]) == ("nothing to measure yet", "unknown")
        else:
            met = one["value"] >= one["target"] if one["isGoodAbove"] else one["value"] < one["target"]
            assert row["State"] == ("met" if met else "not met")


def test_listings_are_filtered_by_what_is_asked(person, pending):
    word = pending.body["name"].split()[-1]
    page = person.get("/admin/listings").form("/admin/listings").fill(q=word, approval="pending", listed="true").press("Filter")
    assert [row["Name"] for row in page.rows()] == [pending.body["name"]] and page.rows()[0]["Approval"] == "pending"
    assert page.form("/admin/listings").value("approval") == "pending" and "Clear all" in page.links
    none = page.form("/admin/listings").fill(approval="approved").press("Filter")
    assert "No listing fits" in none.text and none.links["Show all"] == "/admin/listings"


def test_a_listing_is_rejected_with_a_reason_and_approved_again(tenant, person, made):
    path = f"/admin/listings/{made.id}"
    page = person.get(path)
    assert page.h1 == made.body["name"] and "It is approved." in page.text
    assert not page.has_form(path + "/approve") and page.form(path + "/reject").value("version") == "1.0.0"
    page = page.form(path + "/reject").fill(reason="").press("Reject it")
    assert page.status == 422 and page.error("reason")
    page = page.form(path + "/reject").fill(reason="Name the vendor.").press("Reject it")
    assert page.status == 200 and page.flash.startswith("Rejected."), page.text[:500]
    assert "Why it was rejected:" in page.text and "Name the vendor." in page.text
    assert tenant.get(f"/collectors/{made.id}")["approvalReason"] == "Name the vendor."
    page = page.form(path + "/approve").press("Approve 1.0.0")
    assert page.flash.startswith("Approved") and "It is approved." in page.text
    assert tenant.get(f"/collectors/{made.id}")["approvalStatus"] == "approved"


def test_a_version_published_meanwhile_is_looked_at_first(tenant, person, pending):
    path = f"/admin/listings/{pending.id}"
    seen = person.get(path)
    tenant.post(f"/collectors/{pending.id}/publish", {"version": "1.2.0"}, 200)
    page = seen.form(path + "/reject").fill(reason="Kept words").press("Reject it")
    assert page.status == 409 and "1.2.0 was published meanwhile" in page.error("version")
    assert page.form(path + "/reject").value("reason") == "Kept words"
    page = seen.form(path + "/approve").press("Approve 1.1.0")
    assert page.status == 409 and "1.2.0 was published meanwhile" in page.text and page.links["Back"] == path
    assert tenant.get(f"/collectors/{pending.id}")["approvalStatus"] == "pending"


def test_a_developer_reads_and_is_offered_no_change(make_administrator, tenant, made):
    person = person_of(make_administrator("developer"))
    page = person.get(f"/admin/listings/{made.id}")
    assert page.forms == [] and "Only the platform roles admin and owner decide" in page.text
    assert person.get(f"/admin/tenants/{tenant.tenant}").forms == []
    assert "platform role admin" in person.get("/admin/users", 403).text
    person.get("/admin/queue")


def test_a_workspace_is_limited_suspended_and_let_go(admin, tenant, person, made, upstream_url):
    path = f"/admin/tenants/{tenant.tenant}"
    install_shop(tenant, made, upstream_url)
    found = person.get("/admin/tenants").form("/admin/tenants").fill(q=tenant.tenant).press("Filter")
    assert [row["Instances"] for row in found.rows()] == ["1"]
    page = found.follow(tenant.profile["tenant"]["name"])
    form = next(f for f in page.forms if "maxRunning" in f.names())
    assert form.value("maxRunning") == "4" and "isSuspended" not in form.names()
    refused = form.fill(maxRunning="1001").press("Save the limit")
    assert refused.status == 422 and refused.error("maxRunning")
    form = next(f for f in refused.forms if "maxRunning" in f.names())
    assert form.value("maxRunning") == "1001"
    page = form.fill(maxRunning="2").press("Save the limit")
    assert page.flash == "Saved." and admin.get(path)["maxRunning"] == 2
    assert "No run of it begins any more" in page.text
    suspend = next(f for f in page.forms if "isSuspended" in f.names())
    page = suspend.press("Suspend this workspace")
    one = admin.get(path)
    assert "Suspended: no run of it begins" in page.text and (one["isSuspended"], one["maxRunning"]) == (True, 2)
    assert tenant.profile["tenant"]["name"] in person.get(f"/admin/tenants?suspended=true&q={tenant.tenant}").text
    page = next(f for f in page.forms if "isSuspended" in f.names()).press("Lift the suspension")
    assert "Suspended: no run" not in page.text and admin.get(path)["isSuspended"] is False


def test_a_deleted_workspace_offers_nothing(person, make_tenant):
    gone = make_tenant()
    gone.delete("/tenant")
    page = person.get(f"/admin/tenants/{gone.tenant}")
    assert "Deleted" in page.text and page.forms == []


def test_a_user_is_deactivated_and_activated(person, make_tenant):
    user = make_tenant()
    path = f"/admin/users/{user.user}"
    found = person.get("/admin/users").form("/admin/users").fill(q=user.email).press("Filter")
    assert [row["State"] for row in found.rows()] == ["active"]
    page = found.follow(user.email)
    assert "All sign-ins and API tokens of this person end at once" in page.text
    page = page.form(path + "/deactivate").press("Deactivate")
    assert page.flash.startswith("Deactivated.") and page.has_form(path + "/activate")
    user.get("/profile", 401)
    page = page.form(path + "/activate").press("Activate")
    assert page.flash.startswith("Activated.") and page.has_form(path + "/deactivate")


def test_nobody_deactivates_himself_from_a_page(admin, person):
    page = person.get(f"/admin/users/{admin.user}").form(f"/admin/users/{admin.user}/deactivate").press("Deactivate")
    assert page.status == 409 and page.links["Back"] == f"/admin/users/{admin.user}"
    person.get("/admin")


def test_the_queue_says_why_runs_wait_and_is_asked_for_again(admin, tenant, person, made, upstream_url):
    instance = install_shop(tenant, made, upstream_url, rate=1, retry_after=60, fail=429)
    tenant.post(f"/collector-instances/{instance}/execute", {}, 202)
    page = person.get("/admin/queue")
    assert page.one(id="live").get("data-poll") == "2" and "every two seconds" not in page.text
    assert "works" in [row["State"] for row in page.rows(len(page.main.all("table")) - 1)]
    for words in ("Due", "Running", "Waiting", "Expired leases", "Oldest due"):
        assert words in [e.text for e in page.main.all("dt")], words


def test_a_change_without_the_pages_own_token_is_refused(admin, person, tenant):
    page = person.get(f"/admin/tenants/{tenant.tenant}")
    suspend = next(f for f in page.forms if "isSuspended" in f.names())
    assert suspend.press("Suspend this workspace", without=("_csrf",)).status == 403
    assert admin.get(f"/admin/tenants/{tenant.tenant}")["isSuspended"] is False
