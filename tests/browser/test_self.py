"""The harness itself: a good page passes, and each thing that can be wrong with a page is noticed."""
import pytest

import crawl
import judge as measures
import self_site
import visitor
from keyboard import Unreachable

NO_RUN = "Nothing ran."
JUDGED = [name for name, row in self_site.MUTANTS.items() if row[2]]


@pytest.fixture(scope="module")
def site():
    site = self_site.Site()
    yield site
    site.close()


@pytest.fixture(scope="module")
def anybody(site):
    return visitor.Visitor(site.url)


@pytest.mark.parametrize("path", ["/", "/list", "/moved"])
def test_a_good_page_passes_every_measure(site, anybody, judge, path):
    assert judge.judge(anybody, site.url + path) == []


@pytest.mark.parametrize("name", JUDGED)
def test_a_page_is_caught_with(site, anybody, judge, name):
    old, _, measure, word = self_site.MUTANTS[name]
    assert any(old in (self_site.HERE / file).read_text(encoding="utf-8") for file in ("good.html", "good.css"))
    found = judge.judge(anybody, site.mutant(name))
    assert [f for f in found if f.startswith(measure + ": ") and word in f], found


def test_a_page_about_what_is_not_there_is_judged_too(site, anybody, judge):
    assert judge.judge(anybody, site.url + "/gone", status=404) == []
    with pytest.raises(AssertionError, match="404"):
        judge.judge(anybody, site.url + "/gone")


def test_the_page_that_follows_a_form_is_judged_as_it_stands(site, anybody, browser, judge, keyboard):
    browser.go(site.url)
    keyboard.use("Save", "button")
    assert judge.judge_open(anybody) == [] and browser.driver.current_url == site.url + "/took"
    browser.go(site.mutant("two h1"))
    found = judge.judge_open(anybody)
    assert "outline: it has 2 h1, not one" in found, found


def test_every_measure_has_a_mutant():
    assert {name for name, _ in measures.MEASURES} == {row[2] for row in self_site.MUTANTS.values() if row[2]}


def test_a_crawl_finds_one_example_of_every_page(site, anybody):
    found = crawl.every_page(anybody)
    assert [one.pattern for one in found] == [
        "/", "/list", "/list?cursor", "/list?kind", "/list?tab=log", "/list?tab=records",
        "/things/{id}", "/things/{id}/releases/{version}", "/things/{id}/runs/{n}"]
    longest = next(one for one in found if one.pattern == "/things/{id}")
    assert longest.url.endswith(self_site.TWO), "the longest page of a kind shows most"


def test_a_page_that_cannot_be_reached_or_is_not_listed_is_noticed():
    assert crawl.difference(["/", "/gone"], ["/", "/new"]) == [
        "/gone can no longer be reached", "/new is not listed in tests/browser/pages.py"]
    assert crawl.difference(["/"], ["/"]) == []


def test_a_visitor_keeps_cookies_and_fills_forms(site):
    guest = visitor.Visitor(site.url)
    page = guest.get("/moved")
    assert page.url == site.url + "/list" and guest.cookies == {"seen": "yes"}
    form = page.page.form_of("name", "kind")
    assert form.fields == [("name", ""), ("kind", "a")] and form.method == "post"
    assert guest.submit(page.page, {"name": "x"}).url == site.url + "/took"


def test_cookies_come_along_into_the_browser(site, browser):
    guest = visitor.Visitor(site.url)
    guest.get("/moved")
    browser.become(guest)
    assert [c["name"] for c in browser.cdp("Network.getCookies", urls=[site.url])["cookies"]] == ["seen"]
    browser.become(visitor.Visitor(site.url))
    assert browser.cdp("Network.getCookies", urls=[site.url])["cookies"] == []


def test_javascript_can_be_off(site, either, request):
    either.go(site.url)
    on = "with JavaScript" in request.node.name and "without" not in request.node.name
    told = either.run("return document.getElementById('told').textContent")
    assert told == ("A script ran." if on else NO_RUN)


@pytest.mark.parametrize("name, rgb", [("light", "rgb(255, 255, 255)"), ("dark", "rgb(20, 23, 26)")])
def test_the_theme_changes_in_place(site, browser, name, rgb):
    browser.go(site.url)
    browser.theme(name)
    assert browser.run("return getComputedStyle(document.body).backgroundColor") == rgb


@pytest.mark.parametrize("width", [320, 768, 1280])
def test_the_window_is_as_wide_as_asked(site, browser, width):
    browser.width(width)
    browser.go(site.url)
    assert browser.run("return innerWidth") == width


def test_a_picture_shows_the_whole_page(site, browser, tmp_path):
    browser.width(390, height=200)
    browser.go(site.url)
    browser.shoot(tmp_path / "page.png")
    head = (tmp_path / "page.png").read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    assert int.from_bytes(head[16:20], "big") == 390 and int.from_bytes(head[20:24], "big") > 300


def test_a_form_can_be_filled_and_sent_by_keyboard_alone(site, either, keyboard):
    either.go(site.url)
    keyboard.fill("Name", "Basin")
    keyboard.choose("Kind", "Beta")
    keyboard.tick("Agree")
    values = either.run("return ['name', 'kind'].map(i => document.getElementById(i).value)"
                        ".concat(document.getElementById('agree').checked)")
    assert values == ["Basin", "b", True]
    keyboard.use("Save", "button")
    assert either.driver.current_url == site.url + "/took"


def test_tab_stops_at_everything_in_order(site, browser, keyboard):
    browser.go(site.url + "/took")
    assert [one["name"] for one in keyboard.stops()] == [
        "Skip to the content", "Home", "List", "Numbers", "Name", "Kind", "Agree", "Save"]


@pytest.mark.parametrize("name, complaint", [
    ("no ring", "cannot be seen"), ("covered", "hidden below"), ("unreachable", 'does not reach button "Save"'),
    ("trap", "a trap")])
def test_a_person_with_a_keyboard_is_stopped_by(site, browser, keyboard, name, complaint):
    browser.go(site.mutant(name))
    with pytest.raises(Unreachable, match=complaint):
        keyboard.use("Save", "button")


def test_a_trap_is_called_one(site, browser, keyboard):
    browser.go(site.mutant("trap"))
    with pytest.raises(Unreachable, match="a trap"):
        keyboard.stops()


def test_the_browser_speaks_with_nobody_else(browser):
    with pytest.raises(Exception, match="ERR_NAME_NOT_RESOLVED"):
        browser.go("http://example.com/")
