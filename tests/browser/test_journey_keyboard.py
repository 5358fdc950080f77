"""From a visitor to records, by keyboard alone."""
import os
import secrets

import pytest

import visitor

PASSWORD = "a long enough password"


@pytest.fixture
def catalogue(people):
    """The demo has published something to install."""
    return people


def test_signing_up_installing_running_and_records(catalogue, either, keyboard, api):
    either.become(visitor.Visitor(api))
    either.go(api + "/")
    keyboard.use("Sign up", "link")
    keyboard.fill("E-mail", "keys-%s@example.com" % secrets.token_hex(6))
    keyboard.fill("Password", PASSWORD)
    keyboard.fill("Your name optional", "Kay")
    keyboard.fill("Workspace’s name optional", "Keys")
    keyboard.use("Sign up", "button")
    keyboard.use("Marketplace", "link")
    keyboard.fill("Search the marketplace", "Shopify Product")
    keyboard.use("Search", "button")
    keyboard.use("Shopify Product & Order Sync", "link")
    keyboard.use("Install", "link")
    keyboard.fill("Shop URL", os.environ["UPSTREAM_URL"].rstrip("/"))
    keyboard.fill("Admin API Access Token", "shpat_keys_0123456789")
    keyboard.use("Install", "button")
    keyboard.use("Run now", "button")
    for _ in range(50):
        either.go(either.driver.current_url)
        if "Running" not in either.driver.page_source and "getProducts" in either.driver.page_source:
            break
    keyboard.use("getProducts", "link")
    assert "1,250" in either.driver.page_source
