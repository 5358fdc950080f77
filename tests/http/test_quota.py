"""An API that says how many requests are left is asked no faster than that: nothing is refused."""
import pytest

from test_credential import CURSOR, shop  # noqa: F401

FORMS = [("delta", {}), ("epoch", {}), ("ietf", {}),
         ("own", {"rateLimitConfig": {"headers": {"remaining": "X-Left", "reset": "X-Again-Ms",
                                                  "resetUnit": "milliseconds"}}})]


@pytest.mark.parametrize("form,source", FORMS)
def test_a_run_slows_down_before_it_is_refused(shop, form, source):  # noqa: F811
    # Fails with the headers unread: 40 pages at once are more than 10 in two seconds.
    status, lines, said = shop.run(
        {"path": "/cursor/products", "parameters": [{"name": "cursor"}, {"name": "limit", "default": "5"}]},
        "products=100,quota=10,quota_headers=" + form, CURSOR, source=source)
    assert status == 0 and len(lines) == 100, said
    assert {line["status"] for line in shop.ledger()} == {200}


def test_headers_that_are_not_named_do_not_count(shop):  # noqa: F811
    # The control: without their names the same headers are not understood, and requests are refused.
    status, lines, said = shop.run(
        {"path": "/cursor/products", "parameters": [{"name": "cursor"}, {"name": "limit", "default": "5"}]},
        "products=100,quota=10,quota_headers=own", CURSOR, source={})
    assert status == 0 and len(lines) == 100, said
    assert 429 in {line["status"] for line in shop.ledger()}
