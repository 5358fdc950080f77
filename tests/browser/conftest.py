"""What every browser test uses: the one Chromium, the judge, and people who have signed in.

CATCHMENT_URL and UPSTREAM_URL name a running stack; CATCHMENT_NODE the folder that install.sh filled.
"""
import itertools
import os
import secrets

import pytest

import chromium
import judge as measures
import keyboard as keys
import people as persons
import visitor

PASSWORD = "a long enough password"
counter = itertools.count()


def setting(name, how):
    value = os.environ.get(name, "").rstrip("/")
    assert value, "%s is not set. %s" % (name, how)
    return value


@pytest.fixture(scope="session")
def api():
    return setting("CATCHMENT_URL", "Start a stack with ./start, then: . STATE/run/address; export CATCHMENT_URL UPSTREAM_URL")


@pytest.fixture(scope="session")
def one_browser():
    browser = chromium.Browser()
    yield browser
    browser.close()


@pytest.fixture
def browser(one_browser):
    """A wide light window with JavaScript, nobody signed in, nothing left over."""
    one_browser.reset()
    one_browser.go("about:blank")
    one_browser.complaints()
    yield one_browser
    one_browser.reset()


@pytest.fixture(params=["with JavaScript", "without JavaScript"])
def either(request, browser):
    """For what has to work both ways: the browser, once so and once so."""
    browser.scripts(request.param == "with JavaScript")
    return browser


@pytest.fixture
def keyboard(browser):
    return keys.Keyboard(browser)


@pytest.fixture(scope="session")
def judge(one_browser):
    folder = setting("CATCHMENT_NODE", "Fill a folder with tests/browser/install.sh FOLDER, then: export CATCHMENT_NODE=FOLDER")
    judge = measures.Judge(one_browser, folder)
    yield judge
    judge.close()


@pytest.fixture
def make_person(api):
    """Signs somebody new up, by the page; browser.become(person) goes on as them."""
    def make(name="Test"):
        mark = "%d-%s" % (next(counter), secrets.token_hex(4))
        return visitor.Visitor(api, name).sign_up("browser-%s@example.com" % mark, PASSWORD, name, "Space " + mark)
    return make


@pytest.fixture
def person(make_person):
    return make_person()


@pytest.fixture(scope="session")
def people(api):
    """{name: Visitor} of a visitor and the demo's people, who have made what the demo makes."""
    persons.run_demo(api, setting("UPSTREAM_URL", "The address of the simulated API stands in STATE/run/address."))
    return persons.everybody(api)
