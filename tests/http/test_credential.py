"""Credentials that have to be worked for: access tokens of OAuth2, signed requests, several values.
`catchment run` collects from a simulated API that checks each of them."""
import json
import os
import pathlib
import urllib.parse

import pytest

import test_forms

SECRET = "c1ient/s3cret+%z"


@pytest.fixture
def shop(upstream_url, tmp_path):
    state = os.environ.get("CATCHMENT_STATE")
    if not state:
        pytest.skip("CATCHMENT_STATE names no installed programs")
    return test_forms.Api(upstream_url, str(pathlib.Path(state) / "app/bin/catchment"), tmp_path)


def oauth(**more):
    return {"type": "OAuth2", "details": dict({
        "tokenUrl": "/token", "clientId": "app-1", "clientSecret": "{config.secret}"}, **more)}


CURSOR = {"type": "cursor", "cursorParam": "cursor", "cursorPath": "next_cursor"}


def collect(shop, monkeypatch, auth, settings, secret=SECRET, path="/cursor/products", paging=CURSOR, **more):
    monkeypatch.setenv("CATCHMENT_CONFIG_secret", secret)
    monkeypatch.setenv("CATCHMENT_CONFIG_refresh", "rt-0")
    source = dict({"authConfig": auth, "configFields": [
        {"name": "secret", "type": "Password", "required": True},
        {"name": "refresh", "type": "Password"}]}, **more)
    return shop.run({"path": path, "recordsKind": "single" if path == "/echo" else "list", "parameters": [{"name": "cursor"}, {"name": "limit", "default": "50"}]},
                    ("products=200," + settings).rstrip(","), paging, source=source)


def quoted(text):
    return urllib.parse.quote(text, safe="")


CLIENT = "auth=oauth,client=app-1,secret=" + quoted(SECRET)


def tokens(shop):
    return [line for line in shop.ledger() if line["path"] == "/token"]


@pytest.mark.parametrize("how,settings", [
    ({}, ""), ({"tokenAuth": "basic"}, ",token_auth=basic"), ({"tokenBody": "json"}, ",token_body=json"),
    ({"grant": "refresh_token", "refreshToken": "{config.refresh}"}, "")])
def test_a_run_fetches_one_token_and_collects_everything(shop, monkeypatch, how, settings):
    status, lines, said = collect(shop, monkeypatch, oauth(**how), CLIENT + settings)
    assert status == 0 and len(lines) == 200, said
    assert [line["status"] for line in tokens(shop)] == [200]
    assert len(shop.ledger()) == 1 + 4


def test_a_token_that_is_short_lived_is_renewed_before_it_is_refused(shop, monkeypatch):
    # Fails with the renewal left to the 401.
    status, lines, said = collect(shop, monkeypatch, oauth(), CLIENT + ",token_life=1,fault=drip,drip_bytes=9000,"
                                                                       "drip_ms=100")
    assert status == 0 and len(lines) == 200, said
    assert len(tokens(shop)) >= 2 and {line["status"] for line in shop.ledger()} == {200}


def test_a_revoked_token_is_replaced_once(shop, monkeypatch):
    status, lines, said = collect(shop, monkeypatch, oauth(), CLIENT + ",revoked=1")
    assert status == 0 and len(lines) == 200, said
    assert [line["status"] for line in shop.ledger()][:4] == [200, 401, 200, 200]
    assert len(tokens(shop)) == 2


def test_tokens_that_are_always_refused_are_asked_for_twice_and_no_more(shop, monkeypatch):
    # Fails with the run's memory of a refusal forgotten: then it asks for ever.
    status, lines, said = collect(shop, monkeypatch, oauth(), CLIENT + ",revoked=99")
    assert status != 0 and not lines and "credential_rejected" in said, said
    assert [line["status"] for line in shop.ledger()] == [200, 401, 200, 401]


def test_a_refused_client_ends_the_run_with_what_the_endpoint_said(shop, monkeypatch):
    status, lines, said = collect(shop, monkeypatch, oauth(), CLIENT, secret="wr0ng-s3cret")
    assert status != 0 and not lines
    assert "auth_refused" in said and "invalid_client: The client or its secret is wrong." in said
    assert "connect this instance again" in said and "wr0ng-s3cret" not in said
    assert len(shop.ledger()) == 1


def test_an_endpoint_that_is_down_is_no_refusal(shop, monkeypatch):
    status, lines, said = collect(shop, monkeypatch, oauth(), CLIENT + ",token_fault=503")
    assert status != 0 and "upstream_unavailable" in said and "auth_refused" not in said, said


HMAC = {"type": "Hmac", "details": {
    "key": "{config.secret}", "text": "{method}\n{path}\n{query}\n{timestamp}", "name": "X-Sign",
    "extraHeaders": {"X-Time": "{timestamp}"}}}
AWS = {"type": "AwsSigV4", "details": {"region": "eu-west-1", "service": "execute-api", "accessKey": "{config.refresh}",
                                       "secretKey": "{config.secret}"}}


@pytest.mark.parametrize("auth,kind", [(HMAC, "hmac"), (AWS, "aws,client=rt-0")])
def test_signed_requests_are_accepted_page_after_page(shop, monkeypatch, auth, kind):
    status, lines, said = collect(shop, monkeypatch, auth, "auth=%s,secret=%s" % (kind, quoted(SECRET)))
    assert status == 0 and len(lines) == 200, said
    status, lines, said = collect(shop, monkeypatch, auth, "auth=%s,secret=other" % kind)
    assert status != 0 and "credential_rejected" in said and SECRET not in said


def test_extra_headers_and_several_values_go_along(shop, monkeypatch):
    auth = {"type": "Custom", "details": {"queryParams": {"key": "abc", "token": "{config.secret}"},
                                          "extraHeaders": {"X-Team": "north {config.refresh}"}}}
    status, lines, said = collect(shop, monkeypatch, auth, "", path="/echo", paging=None)
    assert status == 0, said
    seen = json.loads(lines[0])
    assert seen["headers"]["x-team"] == "north rt-0"
    assert seen["query"]["token"] == SECRET and seen["query"]["key"] == "abc"
