"""Pages that only a form, an error or a link from elsewhere shows, held against every measure."""
import os
import secrets

import pytest

import visitor
from hand import Hand

NOBODY = "01a00000-0000-7000-8000-000000000000"


@pytest.fixture
def hand(browser):
    return Hand(browser)


@pytest.mark.parametrize("path", [
    "/collectors/" + NOBODY, "/executions/" + NOBODY, "/marketplace/collectors/" + NOBODY, "/nowhere",
    "/_errors/page/503"])  # the last is nginx's own page: the one file that says all its errors
def test_a_page_says_what_is_not_there(people, judge, path):
    assert judge.judge(people["tenant"], people["tenant"].base + path, status=404) == []


def test_a_page_says_that_it_is_for_others(people, judge):
    assert judge.judge(people["newcomer"], people["newcomer"].base + "/admin", status=403) == []


FORMS = {  # what follows when a form is sent so; the button, and what the page then says
    "refused": [("/datasources/new", {"name": ""}, "Save data source", "There is a problem"),
                ("/tokens/new", {"name": ""}, "Make the token", "There is a problem"),
                ("/profile/password", {}, "Change", "There is a problem"),
                ("/profile", {"name": ""}, "Save", "There is a problem"),
                ("/tenant", {"name": ""}, "Rename", "There is a problem"),
                ("/invitations", {"email": "nobody"}, "Invite", "There is a problem"),
                ("/tenants", {"name": ""}, "Make", "There is a problem")],
    "once": [("/tokens/new", {"name": "judged", "scopes": True}, "Make the token", "The token is made"),
             ("/invitations", {"email": "judged@example.com", "role": "viewer"}, "Invite", "The invitation is made")],
}


@pytest.mark.parametrize("path, values, button, says", [row for rows in FORMS.values() for row in rows])
def test_what_follows_a_form_passes_every_measure(person, hand, judge, api, path, values, button, says):
    hand.browser.become(person)
    hand.browser.complaints()
    hand.browser.go(api + path)
    hand.fill(values)
    hand.press(button)
    assert says in hand.text
    assert judge.judge_open(person) == []


def test_a_refused_sign_up_passes_every_measure(hand, judge, api):
    guest = visitor.Visitor(api)
    hand.browser.go(api + "/sign-up")
    hand.fill({"email": "nobody", "password": secrets.token_hex(2)})
    hand.press("Sign up")
    assert "There is a problem" in hand.text
    assert judge.judge_open(guest) == []


@pytest.mark.parametrize("button, says", [("Run the test", "Nothing was stored"), ("Test the connection", "gets through")])
def test_the_result_of_a_test_passes_every_measure(people, hand, judge, api, button, says):
    hand.browser.become(people["creator"])
    hand.browser.complaints()
    hand.browser.go(api + "/collectors")
    hand.press("Shopify Product & Order Sync")
    hand.browser.go(hand.browser.driver.current_url.split("?")[0] + "/test")
    hand.press(button)
    assert says in hand.text
    assert judge.judge_open(people["creator"]) == []


def test_a_refused_sign_in_passes_every_measure(hand, judge, api):
    guest = visitor.Visitor(api)
    hand.browser.go(api + "/sign-in")
    hand.fill({"email": "nobody@example.com", "password": secrets.token_hex(6)})
    hand.press("Sign in")
    assert judge.judge_open(guest) == []


def test_a_sign_in_with_a_word_of_the_page_before_passes_every_measure(person, hand, judge, api):
    hand.browser.become(person)
    hand.browser.go(api + "/sessions")
    hand.browser.complaints()
    hand.press("Sign out")
    assert judge.judge_open(visitor.Visitor(api)) == []


def test_a_form_that_is_too_large_passes_every_measure(hand, judge, api):
    hand.browser.go(api + "/sign-in")
    hand.fill({"email": "nobody@example.com", "password": "x" * (1 << 21)})
    hand.press("Sign in")
    assert "larger than" in hand.text
    assert judge.judge_open(visitor.Visitor(api)) == []


def test_an_invitation_and_its_acceptance_pass_every_measure(person, hand, judge, api):
    hand.browser.become(person)
    hand.browser.go(api + "/invitations")
    hand.fill({"email": "guest-%s@example.com" % secrets.token_hex(6), "role": "editor"})
    hand.press("Invite")
    link = hand.browser.run("return document.querySelector('main pre.code code').textContent.trim()")
    guest = visitor.Visitor(api)
    assert judge.judge(guest, link) == []
    hand.fill({"password": "a long enough password"})
    hand.click(hand.browser.run("return document.querySelector('main form.form button.primary')"))
    hand.wait(lambda: hand.browser.run("return document.querySelector('.menu')"), "a page of the workspace")
    assert judge.judge_open(guest) == []


def go_to_install(hand, api):
    # searched for: beside what other tests have published it need not stand on the first page
    hand.browser.go(api + "/marketplace/collectors?q=Shopify+Product")
    hand.press("Shopify Product & Order Sync")
    hand.press("Install")


def test_a_refused_install_passes_every_measure(people, person, hand, judge, api):
    assert people
    hand.browser.become(person)
    go_to_install(hand, api)
    hand.browser.complaints()
    hand.fill({"instanceName": "", "tenantConfig.shopUrl": "no address"})
    hand.press("Install")
    assert "There is a problem" in hand.text
    assert judge.judge_open(person) == []


def test_a_waiting_run_passes_every_measure(people, person, hand, judge, api):
    assert people
    hand.browser.become(person)
    go_to_install(hand, api)
    shop = os.environ["UPSTREAM_URL"].rstrip("/") + "/s/judged-%s,products=300,fault=429,retry_after=600,on_page=2,times=0"
    hand.fill({"instanceName": "Waits", "tenantConfig.shopUrl": shop % secrets.token_hex(4), "tenantConfig.apiKey": "shpat_x"})
    hand.press("Install")
    instance = hand.browser.driver.current_url.split("?")[0]
    hand.press("Run now")
    hand.browser.go(instance + "/executions")
    runs = [url for url in person.get(instance + "/executions").page.links if "/executions/" in url]
    assert runs, hand.text
    seen = hand.wait(lambda: next((url for url in runs if "Waiting:" in person.get(url).text), None), "a run that waits")
    assert judge.judge(person, seen) == []
    assert judge.judge(person, instance) == []


def test_back_after_signing_out_shows_nothing_of_the_workspace(person, hand, api):
    hand.browser.become(person)
    hand.browser.go(api + "/tenant")
    name = hand.browser.driver.find_element("css selector", "h1").text
    assert name.startswith("Space ")
    hand.press("Sign out")
    hand.browser.driver.back()
    assert name not in hand.text, "the page came back from memory"
