"""The demo's story by hand: from a described API to downloaded records, with JavaScript and without."""
import io
import json
import os
import secrets
from csv import reader

import pytest

from hand import Hand

SHOP_KEY = "shpat_%s"
FIELDS = [
    {"name": "shopUrl", "type": "Text", "label": "Shop URL", "required": True},
    {"name": "apiKey", "type": "Password", "label": "Access token", "required": True},
    {"name": "apiVersion", "type": "Text", "label": "API version", "default": "2024-01"},
]
FUNCTIONS = [("getProducts", "/admin/api/{config.apiVersion}/products.json"),
             ("getOrders", "/admin/api/{config.apiVersion}/orders.json")]


@pytest.fixture
def hand(either):
    return Hand(either)


def at(where, values):
    return {"%s.%s" % (where, name): value for name, value in values.items()}


def describe(hand, base, name):
    """The shop's API in the builder; fields, functions and parameters by its buttons."""
    hand.browser.go(base + "/datasources/new")
    hand.fill({"name": name, "baseUrl": "{config.shopUrl}", "category": "Journeys", "tags": "shop\njourney"})
    for i, field in enumerate(FIELDS):
        hand.change("add:/configFields", "configFields.%d.name" % i)
        hand.fill(at("configFields.%d" % i, field))
    hand.decide("authConfig.type", "Custom", "authConfig.details.headerName")
    hand.fill(at("authConfig.details", {"headerName": "X-Shopify-Access-Token", "headerValue": "{config.apiKey}"}))
    for i, (function, path) in enumerate(FUNCTIONS):
        if i:
            hand.change("add:/functions", "functions.%d.name" % i)
        hand.fill(at("functions.%d" % i, {"name": function, "path": path}))
        hand.change("add:/functions/%d/parameters" % i, "functions.%d.parameters.0.name" % i)
        hand.fill(at("functions.%d.parameters.0" % i, {"name": "limit", "location": "query", "default": "50"}))
    hand.press("Save data source")
    assert name in hand.text and hand.flash


def add_step(hand, pipeline, n, kind):
    step = "%s.processingSteps.%d.type" % (pipeline, n)
    hand.change("add:/%s/processingSteps" % pipeline.replace(".", "/"), step)
    hand.fill({step: kind})
    hand.settle()


def build(hand, name):
    """Two pipelines: into the first, the step that follows pages is put before Store, then moved up and down;
    the second is built from nothing."""
    hand.press("Build a collector")
    hand.fill({"name": name, "description": "Made by hand"})
    for i, (function, _) in enumerate(FUNCTIONS):
        if i:
            hand.change("add:/pipelines", "pipelines.%d.name" % i)
        here = "pipelines.%d" % i
        steps = here.replace(".", "/") + "/processingSteps"
        hand.fill(at(here, {"name": function + " pipeline"}))
        hand.decide(here + ".functionId", function, here + ".staticParameters.limit")
        if i:  # the first pipeline has these two
            add_step(hand, here, 0, "api-call")
        hand.change(("add:/" + steps) if i else ("insert:/%s/1" % steps), here + ".processingSteps.%d.type" % (2 - i))
        pages = here + ".processingSteps.1"
        hand.fill({pages + ".name": "Follow pages"})
        hand.decide(pages + ".type", "pagination", pages + ".config.type")
        hand.decide(pages + ".config.type", "cursor", pages + ".config.cursorParam")
        hand.fill({pages + ".config.cursorParam": "page_info"})
        if i:
            add_step(hand, here, 2, "store-database")
        else:
            hand.change("up:/%s/1" % steps, here + ".processingSteps.0.config.cursorParam")
            hand.change("down:/%s/0" % steps, pages + ".config.cursorParam")
    hand.press("Save collector")
    assert name in hand.text
    return hand.browser.driver.current_url.split("?")[0]


def try_out(hand, collector, upstream, key):
    hand.browser.go(collector + "/values")
    hand.fill(at("creatorConfig", {"shopUrl": upstream, "apiKey": key, "apiVersion": "2024-01"}))
    hand.press("Save test values")
    hand.browser.go(collector + "/test")
    hand.fill({"maxPages": "2", "maxRecords": "3"})
    hand.press("Run the test")
    shown = hand.browser.run("return document.querySelector('main').textContent")
    assert "products.json" in shown and "orders.json" in shown and "Nothing was stored" in shown
    assert key not in hand.browser.driver.page_source, "a secret is masked"


def publish(hand, collector):
    hand.browser.go(collector + "/publish")
    hand.fill({"version": "1.0.0", "releaseNotes": "The first"})
    hand.press("Publish this version")
    assert "1.0.0" in hand.text


def install(hand, base, name, upstream, key):
    """Found by search and a facet, its connection tried, installed."""
    hand.browser.go(base + "/marketplace/collectors")
    hand.fill({"q": name})
    hand.press("Search")
    hand.press("Journeys")
    hand.press(name)
    hand.press("Install")
    values = {"instanceName": "By hand"} | at("tenantConfig", {"shopUrl": upstream, "apiKey": key})
    hand.fill(values)
    before = hand.browser.driver.current_url
    hand.click(hand.browser.run("return document.querySelector('button[data-result]')"))
    hand.sees("It gets through")
    hand.browser.go(before)
    hand.fill(values)
    hand.press("Install")
    assert "By hand" in hand.text
    return hand.browser.driver.current_url.split("?")[0]


def run(hand, instance, ends):
    """With JavaScript the page follows by itself, else by Refresh."""
    hand.browser.go(instance)
    hand.press("Run now")
    scripts = hand.browser.run("return !!document.querySelector('.copy, time[title]')")
    hand.browser.go(instance + "/executions")
    hand.press("getProducts pipeline")

    def ended():
        if ends in hand.text:
            return True
        if not scripts and "Refresh" in hand.text:
            hand.press("Refresh")
        return False
    hand.wait(ended, ends)


@pytest.mark.parametrize("key", [SHOP_KEY % "0123456789"], ids=["shop"])
def test_the_demo_by_hand(hand, make_person, api, key):
    upstream, mark = os.environ["UPSTREAM_URL"].rstrip("/"), secrets.token_hex(4)
    maker, user = make_person("Maker"), make_person("User")
    hand.browser.become(maker)
    describe(hand, api, "Shop " + mark)
    collector = build(hand, "Sync " + mark)
    try_out(hand, collector, upstream, key)
    publish(hand, collector)

    hand.browser.become(user)
    instance = install(hand, api, "Sync " + mark, upstream, key)
    run(hand, instance, "Success")
    hand.press("Records")
    assert "getProducts" in hand.text
    stream = hand.browser.driver.current_url
    link = hand.browser.run("return [...document.querySelectorAll('a')].filter(a => a.text.includes('Export')).map(a => a.href)")
    assert len(link) == 2, stream
    ndjson, csv = user.get(link[0]), user.get(link[1])
    lines = ndjson.text.strip().split("\n")
    # every record once, then the trailer that counts them
    assert len(lines) == 1251 and json.loads(lines[-1])["_catchment"]["records"] == 1250
    assert len(list(reader(io.StringIO(csv.text)))) == 1251

    hand.browser.go(instance + "/configure")
    hand.fill({"tenantConfig.apiKey": "wrong"})
    hand.press("Save")
    run(hand, instance, "Failed")
    assert "What went wrong" in hand.text and "configuration" in hand.text, "the remedy is said"
    opened = hand.browser.run("return [...document.querySelectorAll('.steps details[open]')].map(d => d.innerText)")
    assert opened and "401" in " ".join(opened) + hand.text, "it opens at the first error"
