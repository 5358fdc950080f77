"""Pages that only a form, an error or a link from elsewhere shows, held against every measure."""
import secrets

import pytest

import visitor
from hand import Hand

NOBODY = "01a00000-0000-7000-8000-000000000000"


@pytest.fixture
def hand(browser):
    return Hand(browser)


@pytest.mark.parametrize("path", [
    "/collectors/" + NOBODY, "/executions/" + NOBODY, "/marketplace/collectors/" + NOBODY, "/nowhere"])
def test_a_page_says_what_is_not_there(people, judge, path):
    assert judge.judge(people["tenant"], people["tenant"].base + path, status=404) == []


FORMS = {  # what follows when a form is sent so; the button, and what the page then says
    "refused": [("/datasources/new", {"name": ""}, "Save data source", "There is a problem"),
                ("/tokens/new", {"name": ""}, "Make the token", "There is a problem"),
                ("/profile/password", {}, "Change", "There is a problem")],
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
