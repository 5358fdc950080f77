"""The marketplace's public pages from nginx's cache: five seconds, for whoever brings nothing along."""
import http.client
import re
import time

import pytest

from conftest import unique
from market import Collector, collector_body, source_body
from pages import sign_up

HIT, MISS = "nginx; hit", "nginx; fwd=uri-miss"


class Visitor:
    """Sends what it is told and no more."""

    def __init__(self, api):
        self.host = api.split("//")[1]

    def get(self, path, method="GET", **headers):
        link = http.client.HTTPConnection(self.host, timeout=30)
        try:
            link.request(method, path, headers={n.replace("_", "-"): v for n, v in headers.items()})
            answer = link.getresponse()
            answer.body = answer.read()
            answer.cache = answer.headers["Cache-Status"]
            return answer
        finally:
            link.close()


@pytest.fixture()
def visitor(api):
    return Visitor(api)


@pytest.fixture(scope="module")
def creator(make_tenant):
    return make_tenant()


@pytest.fixture()
def shelf(creator):
    """A collector under a tag of its own: addresses that nobody else asks for."""
    mark = unique("tag").replace(" ", "-")
    one = Collector(creator, source_body(tags=[mark]), collector_body(name=f"Kept {mark}")).publish()
    one.paths = [prefix + path for prefix in ("", "/api", "/api/v1") for path in (
        f"/marketplace/collectors?tag={mark}", f"/marketplace/collectors/{one.id}",
        f"/marketplace/collectors/{one.id}/releases/1.0.0", f"/marketplace/collectors/{one.id}/ratings")]
    one.mark = mark
    return one


def test_the_second_visitor_has_the_first_one_s_answer_under_a_name_of_its_own(visitor, shelf):
    seen = set()
    for path in shelf.paths:
        first, second = visitor.get(path), visitor.get(path)
        assert (first.status, first.cache) == (200, MISS), path
        assert (second.status, second.cache) == (200, HIT), path
        assert first.body == second.body and first.headers["ETag"] == second.headers["ETag"]
        assert not first.headers["Set-Cookie"] and not first.headers["X-Accel-Expires"]
        assert first.headers["Cache-Control"] == second.headers["Cache-Control"] == "no-cache"
        ids = [one.headers["X-Request-Id"] for one in (first, second)]
        assert all(len(one.headers.get_all("X-Request-Id")) == 1 for one in (first, second))
        assert len(set(ids) - seen) == 2 and not any(i.encode() in first.body for i in ids)
        seen |= set(ids)


def test_a_page_and_its_document_are_two_answers(visitor, shelf):
    page, document = shelf.paths[0], shelf.paths[8]
    for _ in range(2):
        for accept in ("text/html", "*/*", "application/json"):
            assert visitor.get(page, Accept=accept).headers["Content-Type"].startswith("text/html")
        for accept in ("application/json", "*/*", "", "text/html, application/json;q=0.5"):
            assert visitor.get(document, Accept=accept).headers["Content-Type"] == "application/json"
        for accept in ("text/html", "application/json;q=0"):
            refused = visitor.get(document, Accept=accept)
            assert refused.status == 406 and refused.cache is None


def test_compressed_or_not_it_is_the_same_answer(visitor, shelf):
    path = shelf.paths[1]
    plain, packed = visitor.get(path), visitor.get(path, Accept_Encoding="gzip")
    assert packed.cache == HIT and packed.headers["Content-Encoding"] == "gzip"
    assert visitor.get(path).body == plain.body and not plain.headers["Content-Encoding"]
    assert packed.headers["ETag"] == "W/" + plain.headers["ETag"]


def test_a_token_neither_has_it_nor_leaves_it(visitor, creator, shelf):
    for path in shelf.paths:
        for token in ("Bearer " + creator.token, "Bearer nobody's", "Basic eDp5"):
            answer = visitor.get(path, Authorization=token)
            assert answer.status == 200 and answer.cache is None
        assert visitor.get(path).cache == MISS
        assert visitor.get(path, Authorization="Bearer " + creator.token).cache is None


def test_a_cookie_neither_has_it_nor_leaves_it(visitor, creator, shelf):
    for path in shelf.paths:
        for cookie in ("catchment_session=" + creator.token, "catchment_theme=dark", "x"):
            answer = visitor.get(path, Cookie=cookie)
            assert answer.status == 200 and answer.cache is None
            assert answer.headers["Cache-Control"] in ("private, no-cache", "no-store")
        assert visitor.get(path).cache == MISS
        assert visitor.get(path, Cookie="catchment_theme=dark").cache is None


def test_a_session_s_page_stays_its_own(api, visitor, shelf):
    person = sign_up(api, name="Petra Private", workspace=unique("Secret room"))
    for path in shelf.paths[:4]:
        own = person.get(path)
        stranger = visitor.get(path)
        assert person.workspace in own.html and stranger.cache == MISS
        for answer in (stranger, visitor.get(path)):
            text = answer.body.decode()
            assert person.workspace not in text and person.email not in text and "Petra" not in text
            assert set(re.findall('name="_csrf" value="([^"]*)"', text)) == {""} and person.token not in text
        assert visitor.get(path).cache == HIT
        assert person.workspace in person.get(path).html


def test_a_theme_and_a_word_left_to_say_are_not_kept(visitor, shelf):
    path = shelf.paths[0]
    assert b'data-theme="dark"' in visitor.get(path, Cookie="catchment_theme=dark").body
    assert b'data-theme="dark"' not in visitor.get(path).body
    forged = visitor.get(path, Cookie="catchment_flash=x")
    assert forged.cache is None and visitor.get(path).headers["Set-Cookie"] is None


def test_conditions_are_judged_by_who_made_the_answer(visitor, shelf):
    path = shelf.paths[9]
    etag = visitor.get(path).headers["ETag"]
    known = visitor.get(path, If_None_Match=etag)
    assert (known.status, known.body) == (304, b"") and known.headers["ETag"] == etag
    assert known.headers["X-Request-Id"]
    assert visitor.get(path, If_None_Match='"other"').status == 200
    plain = visitor.get(path)
    for condition in ({"If_Match": '"other"'}, {"If_Unmodified_Since": "Thu, 01 Jan 1970 00:00:00 GMT"},
                      {"Range": "bytes=0-3"}, {"If_Modified_Since": "Fri, 01 Jan 2100 00:00:00 GMT"}):
        answer = visitor.get(path, **condition)
        assert (answer.status, answer.cache, answer.body) == (200, None, plain.body), condition
    assert visitor.get(path, If_Match="nonsense").status == 400


def test_only_a_get_without_a_body_is_answered_from_it(visitor, shelf):
    path = shelf.paths[8]
    size = visitor.get(path).headers["Content-Length"]
    head = visitor.get(path, "HEAD")
    assert (head.status, head.cache, head.headers["Content-Length"]) == (200, None, size)
    assert visitor.get(path, Content_Length="0").cache is None
    posted = visitor.get(path, "POST")
    assert posted.status == 405 and posted.cache is None
    assert visitor.get(path).cache == HIT


def test_what_is_not_there_is_not_kept(visitor, creator):
    path = "/api/v1/marketplace/collectors/019a0000-0000-7000-8000-000000000000"
    first, second = visitor.get(path), visitor.get(path)
    assert first.status == second.status == 404 and HIT not in (first.cache, second.cache)
    assert first.headers["X-Request-Id"].encode() in first.body
    assert second.headers["X-Request-Id"].encode() in second.body


def test_hosts_do_not_share(api, visitor, shelf):
    port = api.rsplit(":", 1)[1]
    for path in shelf.paths[:2]:  # a page names its address
        assert visitor.get(path).cache == MISS
        other = visitor.get(path, Host="localhost:" + port)
        assert other.cache == MISS and ("http://localhost:" + port).encode() in other.body
        assert b"http://localhost" not in visitor.get(path).body


def test_a_change_is_seen_within_seconds(visitor, creator, shelf):
    path = shelf.paths[9]
    assert visitor.get(path).status == 200
    creator.post(f"/collectors/{shelf.id}/delist", status=200)
    assert creator.get(f"/marketplace/collectors/{shelf.id}", 404)
    end = time.monotonic() + 8
    while visitor.get(path).status == 200:
        assert time.monotonic() < end, "still from the cache"
        time.sleep(0.2)
    assert visitor.get(path).status == 404
