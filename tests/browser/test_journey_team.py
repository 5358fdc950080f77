"""A workspace's people and its tokens, with JavaScript and without."""
import http.client
import json
import secrets
import urllib.parse

import pytest

import visitor
from hand import Hand

PASSWORD = "a long enough password"
CODE = "return document.querySelector('main pre.code code').textContent.trim()"


@pytest.fixture
def hand(either):
    return Hand(either)


def ask(api, token):
    """What a program gets that has this token."""
    there = urllib.parse.urlsplit(api)
    connection = http.client.HTTPConnection(there.hostname, there.port, timeout=30)
    connection.request("GET", "/api/v1/collector-instances", headers={"Authorization": "Bearer " + token})
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


def test_somebody_is_invited_and_joins_by_the_link(hand, person, api):
    email = "guest-%s@example.com" % secrets.token_hex(6)
    hand.browser.become(person)
    hand.browser.go(api + "/invitations")
    hand.fill({"email": email, "role": "editor"})
    hand.press("Invite")
    link = hand.browser.run(CODE)

    hand.browser.become(visitor.Visitor(api))  # a browser that knows nobody
    hand.browser.go(link)
    assert email in hand.text and "editor" in hand.text
    hand.fill({"password": PASSWORD})
    hand.click(hand.browser.run("return document.querySelector('main form.form button.primary')"))
    hand.wait(lambda: hand.browser.run("return document.querySelector('.menu')"), "a page of the workspace")

    hand.browser.become(person)
    hand.browser.go(api + "/members")
    assert email in hand.text


def test_a_token_is_made_used_and_revoked(hand, person, api):
    hand.browser.become(person)
    hand.browser.go(api + "/tokens")
    hand.press("Make a token")
    hand.fill({"name": "nightly"})
    hand.click(hand.browser.run("return document.querySelector('input[value=\"instances:read\"]')"))
    hand.press("Make the token")
    token = hand.browser.run(CODE)
    assert ask(api, token)[0] == 200
    hand.press("Done")
    assert "nightly" in hand.text and token not in hand.browser.driver.page_source
    hand.press("Revoke nightly")
    assert ask(api, token)[0] == 401
