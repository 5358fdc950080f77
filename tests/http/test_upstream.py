"""The simulated APIs do what tests/upstream/README.md says, behind the real nginx."""
import base64
import gzip
import http.client
import itertools
import json
import os
import re
import socket
import time
import urllib.parse

import pytest

TOKEN = {"X-Shopify-Access-Token": "shpat_alice_test_key_12345"}
numbers = itertools.count(1)


class Shop:
    """One scenario of its own for each test."""

    def __init__(self, url):
        self.at = urllib.parse.urlsplit(url)
        self.name = "t%d-%d" % (os.getpid(), next(numbers))

    def connect(self, timeout=10):
        return http.client.HTTPConnection(self.at.hostname, self.at.port, timeout=timeout)

    def raw(self, path, method="GET", headers=None, body=None, timeout=10):
        link = self.connect(timeout)
        try:
            link.request(method, path, body=body, headers=headers or {})
            answer = link.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            link.close()

    def path(self, settings, rest):
        return "/s/%s%s/%s" % (self.name, "," + settings if settings else "", rest)

    def get(self, settings, rest, headers=None, timeout=10):
        return self.raw(self.path(settings, rest), headers=headers, timeout=timeout)

    def json(self, settings, rest, headers=None):
        status, _, body = self.get(settings, rest, headers)
        assert status == 200, body
        return json.loads(body)

    def ledger(self):
        body = self.raw("/_ledger?scenario=" + self.name)[2]
        return [json.loads(line) for line in body.decode().splitlines()]


@pytest.fixture
def shop(upstream_url):
    return Shop(upstream_url)


def link_of(headers, rel="next"):
    found = re.search(r'<([^<>]*)>; rel="%s"' % rel, headers.get("Link") or "")
    return found and urllib.parse.urlsplit(found.group(1))


def links_followed(shop, rest, headers, member=None):
    path, ids, pages = shop.path("", rest), [], 0
    while path:
        status, seen, body = shop.raw(path, headers=headers)
        assert status == 200
        items = json.loads(body)
        ids += [item["id"] for item in (items[member] if member else items)]
        pages += 1
        nxt = link_of(seen)
        path = nxt and nxt.path + "?" + nxt.query
    return ids, pages


@pytest.mark.parametrize("noun,pages,total", [("products", 13, 1250), ("orders", 6, 523)])
def test_the_demo_shop_serves_all_records_over_its_links(shop, noun, pages, total):
    rest = "admin/api/2024-01/%s.json?limit=100&status=any" % noun
    ids, seen = links_followed(shop, rest, TOKEN, noun)
    assert (len(ids), len(set(ids)), seen) == (total, total, pages)
    assert all(len(str(i)) == 13 for i in ids)
    lines = shop.ledger()
    assert [line["count"] for line in lines] == [100] * (pages - 1) + [total % 100 or 100]
    assert {line["credential"] for line in lines} == {"2345"}


@pytest.mark.parametrize("headers", [{}, {"X-Shopify-Access-Token": "wrong"},
                                     {"X-Shopify-Access-Token": "shpat_"}])
def test_the_demo_shop_refuses_other_tokens(shop, headers):
    status, _, body = shop.get("", "admin/api/2024-01/products.json", headers)
    assert status == 401 and "errors" in json.loads(body)


def by_cursor(shop, settings, kind, param, size, read):
    cursor, ids = "", []
    while cursor is not None:
        rest = "%s?%s=%d&%s=%s" % (kind, size, 70, param, cursor)
        status, headers, body = shop.get(settings, rest, TOKEN)
        assert status == 200
        items, cursor = read(headers, json.loads(body))
        ids += [item["id"] for item in items]
    return ids


def by_number(shop, settings, kind, size, first, step, read):
    ids, more = [], True
    for number in itertools.count(first, step):
        answer = shop.json(settings, kind % (size, number))
        items, more = read(answer)
        ids += [item["id"] for item in items]
        if not more:
            return ids


WAYS = {
    "page_info in the body": lambda s: by_cursor(
        s, "cursor_in=body", "admin/api/1/customers.json", "page_info", "limit",
        lambda h, j: (j["customers"], j["page_info"])),
    "next_cursor": lambda s: by_cursor(s, "", "cursor/customers", "cursor", "limit",
                                       lambda h, j: (j["items"], j["next_cursor"])),
    "a header": lambda s: by_cursor(s, "", "header/customers", "cursor", "limit",
                                    lambda h, j: (j, h.get("X-Next-Cursor"))),
    "pages": lambda s: by_number(s, "", "page/customers?per_page=%d&page=%d", 70, 1, 1,
                                 lambda j: (j["items"], j["has_more"])),
    "offsets, nested": lambda s: by_number(
        s, "body=nested,member=list", "offset/customers?limit=%d&offset=%d", 70, 0, 70,
        lambda j: (j["data"]["list"], j["meta"]["has_more"])),
    "links": lambda s: links_followed(s, "link/customers?per_page=70", {})[0],
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_of_paging_serves_the_same_records(shop, way):
    whole = [item["id"] for item in shop.json("", "whole/customers")]
    assert len(whole) == 300 and WAYS[way](shop) == whole


def test_a_record_is_the_same_bytes_in_a_list_and_alone_and_in_a_larger_shop(shop):
    small = shop.get("products=9", "whole/products")[2]
    large = shop.get("products=10", "whole/products")[2]
    assert large.startswith(small[:-1] + b",")
    one = json.loads(small)[4]
    assert shop.json("products=9", "whole/products/%d" % one["id"]) == {"product": one}
    assert shop.get("products=4", "whole/products/%d" % one["id"])[0] == 404
    assert one["checksum"] > 2 ** 53


@pytest.mark.parametrize("query,indices", [
    ("updated_since=2025-01-01T00:07:00Z", [7, 8, 9]),
    ("updated_after=2025-01-01T00:07:00Z", [8, 9]),
    ("updated_since=2026-01-01T00:00:00Z", []),
])
def test_a_list_can_be_asked_for_changes_only(shop, query, indices):
    items = shop.json("customers=10", "whole/customers?" + query)
    assert [item["id"] // 1000 % 1000 for item in items] == indices


def test_touched_records_come_last_and_gone_ones_not_at_all(shop):
    items = shop.json("customers=6,touched=2,gone=1", "whole/customers")
    assert [item["id"] // 1000 % 1000 for item in items] == [3, 4, 5, 1, 2]
    assert ["revised" in item["last_name"] for item in items] == [False] * 3 + [True] * 2
    times = [item["updated_at"] for item in items]
    assert times == sorted(set(times))


@pytest.mark.parametrize("settings,rows,distinct", [
    ("shift=1", 40, 37), ("shift=-1", 37, 37), ("overlap=2", 46, 40)])
def test_records_can_move_between_pages(shop, settings, rows, distinct):
    seen = [item["id"] for offset in range(0, 40, 10) for item in shop.json(
        "customers=40," + settings, "offset/customers?limit=10&offset=%d" % offset)["items"]]
    assert (len(seen), len(set(seen))) == (rows, distinct)


BASIC = {"Authorization": "Basic " + base64.b64encode(b"ann:s3cret").decode()}


@pytest.mark.parametrize("settings,query,headers,status", [
    ("auth=header", "", {"X-Api-Key": "s3cret"}, 200),
    ("auth=header", "", {}, 401),
    ("auth=header,secret=other", "", {"X-Api-Key": "s3cret"}, 401),
    ("auth=header,auth_name=X-Mine", "", {"X-Mine": "s3cret"}, 200),
    ("auth=query", "?api_key=s3cret", {}, 200),
    ("auth=query", "", {}, 401),
    ("auth=bearer", "", {"Authorization": "Bearer s3cret"}, 200),
    ("auth=bearer", "", BASIC, 401),
    ("auth=bearer", "", {"Authorization": "Bearer me_forbidden"}, 403),
    ("auth=basic,user=ann,secret=s3cret", "", BASIC, 200),
    ("auth=basic,user=bob,secret=s3cret", "", BASIC, 401),
])
def test_credentials_are_checked_and_noted(shop, settings, query, headers, status):
    assert shop.get(settings, "whole/orders" + query, headers)[0] == status
    line, = shop.ledger()
    assert line["status"] == status and "s3cret" not in json.dumps(line)
    if status == 200:
        assert line["credential"] == "cret" and line["auth"] == settings[5:].split(",")[0]


@pytest.mark.parametrize("settings,statuses", [
    ("fault=503,times=2", [503, 503, 200, 200]),
    ("fault=503,times=1,after=2", [200, 200, 503, 200]),
    ("fault=503,every=2", [200, 503, 200, 503]),
    ("fault=503,on=orders", [200, 200, 200, 200]),
    ("rate=2", [200, 200, 429, 429]),
])
def test_faults_strike_when_the_selectors_say(shop, settings, statuses):
    if "rate" in settings:  # the limit is per second of the clock: begin early in one
        time.sleep(1 - time.time() % 1)
    assert [shop.get(settings, "whole/customers")[0] for _ in statuses] == statuses


def test_a_page_can_fail_once(shop):
    pages = [shop.get("fault=500,on_page=2,times=1", "page/customers?page=%d" % page)[0]
             for page in (1, 2, 2, 3)]
    assert pages == [200, 500, 200, 200]


@pytest.mark.parametrize("text,pattern", [
    ("5", "5"), ("-5", "-5"), ("9e11", "9e11"), ("abc", "abc"),
    ("date:7", r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT"),
    ("rfc850:7", r"\w+day, \d\d-\w{3}-\d\d \d\d:\d\d:\d\d GMT"),
    ("asctime:7", r"\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}"),
])
def test_retry_after_has_every_form(shop, text, pattern):
    status, headers, _ = shop.get("fault=429,retry_after=" + text, "whole/orders")
    assert status == 429 and re.fullmatch(pattern, headers["Retry-After"])


def test_retry_after_can_be_missing(shop):
    assert "Retry-After" not in shop.get("fault=429", "whole/orders")[1]


@pytest.mark.parametrize("fault", ["cut_length", "cut_chunked", "length_long"])
def test_a_truncated_answer_is_incomplete_on_the_wire(shop, fault):
    with pytest.raises(http.client.IncompleteRead) as caught:
        shop.get("fault=" + fault, "whole/customers")
    assert caught.value.partial.startswith(b'[{"id":')


def test_a_hanging_answer_sends_nothing(shop):
    with pytest.raises(socket.timeout):
        shop.get("fault=hang", "whole/customers", timeout=0.5)
    line, = shop.ledger()
    assert line["fault"] == "hang"


def test_hanging_answers_cost_no_worker(shop):
    links = [shop.connect() for _ in range(50)]
    for link in links:
        link.request("GET", shop.path("fault=hang", "whole/customers"))
    assert shop.get("", "whole/customers", timeout=3)[0] == 200
    for link in links:
        link.close()


def test_a_drip_comes_byte_by_byte(shop):
    link = shop.connect(5)
    link.request("GET", shop.path("fault=drip,drip_bytes=3,drip_ms=50", "whole/customers"))
    answer = link.getresponse()
    began = time.monotonic()
    assert answer.read(15) == b'[{"id":80000000'
    assert 0.15 < time.monotonic() - began < 3
    link.close()


def test_the_gzip_bomb_is_good_gzip_of_good_json(shop):
    _, headers, body = shop.get("fault=gzip_bomb,mb=8", "whole/customers")
    assert headers["Content-Encoding"] == "gzip" and len(body) < 100000
    whole = gzip.decompress(body)
    assert len(whole) > 8 << 20 and json.loads(whole) == []


def not_json(body):
    with pytest.raises(ValueError):
        json.loads(body)
    return True


@pytest.mark.parametrize("fault,judge", [
    ("bad_json", lambda h, b: not_json(b)),
    ("trailing", lambda h, b: not_json(b)),
    ("length_short", lambda h, b: not_json(b)),
    ("html", lambda h, b: h["Content-Type"].startswith("text/html") and not_json(b)),
    ("html_as_json", lambda h, b: h["Content-Type"] == "application/json" and not_json(b)),
    ("bom", lambda h, b: b[:3] == b"\xef\xbb\xbf" and len(json.loads(b[3:])) == 300),
    ("empty", lambda h, b: b == b"" and h["Content-Length"] == "0"),
    ("error_200", lambda h, b: "error" in json.loads(b)),
    ("null_items", lambda h, b: json.loads(b)["items"] is None),
    ("not_gzip", lambda h, b: h["Content-Encoding"] == "gzip" and b[:1] == b"["),
    ("encodings", lambda h, b: h["Content-Encoding"].count("gzip") == 6),
    ("big_body,mb=3", lambda h, b: len(b) > 3 << 20 and len(json.loads(b)) == 300),
    ("chunked", lambda h, b: "Content-Length" not in h and len(json.loads(b)) == 300),
])
def test_bodies_go_wrong_as_asked(shop, fault, judge):
    status, headers, body = shop.get("fault=" + fault, "whole/customers")
    assert status == 200 and judge(headers, body)


def test_a_header_can_be_bigger_than_clients_allow(shop):
    answer = b""
    with socket.create_connection((shop.at.hostname, shop.at.port), timeout=5) as link:
        link.sendall(("GET %s HTTP/1.0\r\n\r\n" % shop.path("fault=big_header", "whole/orders"))
                     .encode())
        while b"\r\n\r\n" not in answer:
            answer += link.recv(65536)
    assert len(answer.split(b"\r\n\r\n")[0]) > 100000


@pytest.mark.parametrize("to,location", [
    ("metadata", "http://169.254.169.254/latest/meta-data/"), ("file", "file:///etc/passwd"),
    ("http%3A%2F%2F%5B%3A%3A1%5D%2F", "http://[::1]/"), ("private", "http://10.0.0.1/")])
def test_redirects_lead_where_clients_must_not_go(shop, to, location):
    status, headers, _ = shop.get("fault=redirect,to=" + to, "whole/orders")
    assert status == 302 and headers["Location"] == location


@pytest.mark.parametrize("fault,firsts", [
    ("same_cursor", [0, 10, 10, 10]), ("page_loop", [0, 10, 0, 10]),
    ("empty_more", [None, None, None, None]), ("short_page", [0, 9, 18, 27])])
def test_cursors_go_wrong_as_asked(shop, fault, firsts):
    cursor, seen = "", []
    for _ in firsts:
        answer = shop.json("fault=" + fault, "cursor/customers?limit=10&cursor=" + cursor)
        seen.append(answer["items"][0]["id"] // 1000 % 1000 if answer["items"] else None)
        assert answer["has_more"]
        cursor = answer["next_cursor"]
    assert seen == firsts


@pytest.mark.parametrize("poison,bytes_seen", [
    ("nul", b'"a\\u0000b"'), ("surrogate", b'"a\\ud800b"'), ("hugenum", b":1e400,"),
    ("bigint", b":9223372036854775808,"), ("dupkeys", b'"spoilt":1,"spoilt":2,'),
    ("huge", b"x" * 1200000), ("deep", b"[" * 70), ("noid", b'{"title":1}'), ("scalar", b",42,")])
def test_one_record_of_a_page_is_spoilt(shop, poison, bytes_seen):
    body = shop.get("at=3,customers=9,poison=" + poison, "whole/customers")[2]
    assert body.count(bytes_seen) == 1
    assert shop.ledger()[0]["count"] == 9


def test_the_ledger_lists_ids_and_forgets(shop):
    answer = shop.json("ledger=full", "page/customers?per_page=3")
    line, = shop.ledger()
    assert line["ids"] == [item["id"] for item in answer["items"]]
    assert (line["first"], line["last"]) == (line["ids"][0], line["ids"][2])
    assert shop.raw("/_ledger?scenario=" + shop.name, method="DELETE")[0] == 204
    assert shop.ledger() == []


def test_stored_settings_change_a_scenario_in_mid_run(shop):
    seen = []
    for text in ("customers=4,fault=500", "customers=5"):
        assert shop.raw("/_scenario/" + shop.name, method="PUT", body=text)[0] == 204
        status, _, body = shop.get("", "whole/customers")
        seen.append(status if status != 200 else len(json.loads(body)))
    host = {"Host": shop.name + ".localhost"}
    assert seen == [500, 5] and len(json.loads(shop.raw("/whole/customers", headers=host)[2])) == 5


@pytest.mark.parametrize("settings,rest", [
    ("prodcts=3", "whole/products"), ("fault=typo", "whole/products"),
    ("poison=typo", "whole/products"), ("", "page/products?page=0"),
    ("", "cursor/products?cursor=zzz"), ("", "offset/products?limit=x"),
    ("", "whole/products?updated_since=yesterday")])
def test_typing_errors_are_refused(shop, settings, rest):
    assert shop.get(settings, rest)[0] == 400


def test_echo_shows_what_was_sent(shop):
    headers = {"X-Custom": "one", "Idempotency-Key": "k-1", "Content-Type": "text/plain"}
    status, _, body = shop.raw(shop.path("", "echo?a=b%20c"), "POST", headers, "hello \u20ac".encode())
    answer = json.loads(body)
    assert status == 200 and answer["method"] == "POST" and answer["query"] == {"a": "b c"}
    assert answer["body"] == "hello \u20ac" and answer["headers"]["x-custom"] == "one"
    assert shop.ledger()[0]["idempotency_key"] == "k-1"


def test_each_post_is_one_change(shop):
    changes = [json.loads(shop.raw(shop.path("", "whole/orders"), "POST", body="{}")[2])
               for _ in range(2)]
    assert [change["order"]["change"] for change in changes] == [1, 2]


@pytest.mark.parametrize("fault,changes", [("503", 1), ("cut_length", 2)])
def test_a_post_whose_answer_is_lost_has_still_changed_something(shop, fault, changes):
    link = shop.connect()
    link.request("POST", shop.path("fault=%s,times=1" % fault, "whole/orders"), body="{}")
    if fault == "cut_length":
        with pytest.raises(http.client.IncompleteRead):
            link.getresponse().read()
    else:
        assert link.getresponse().status == 503
    link.close()
    answer = shop.raw(shop.path("", "whole/orders"), "POST", body="{}")[2]
    assert json.loads(answer)["order"]["change"] == changes
