"""A secret goes out to its own API and nowhere else. One canary in each secret field; after tests,
runs, failures and exports it must stand in no answer, log, journal or stored row, in no disguise."""
import json
import secrets

import pytest

import play

AUTHS = {
    "header": {"type": "ApiKey", "details": {"name": "X-Api-Key", "location": "header",
                                             "value": "{config.apiKey}"}},
    "query": {"type": "ApiKey", "details": {"name": "api_key", "location": "query", "value": "{config.apiKey}"}},
    "bearer": {"type": "Bearer", "details": {"token": "{config.apiKey}"}},
    "basic": {"type": "Basic", "details": {"username": "someone", "password": "{config.apiKey}"}},
    "oauth": {"type": "OAuth2", "details": {"tokenUrl": "/token", "clientId": "someone", "tokenAuth": "basic",
                                            "clientSecret": "{config.apiKey}"}},
}
# each answers in its own way: with the request itself, with an error, with what is no JSON
SCENES = ["", "fault=500,times=1", "fault=401", "fault=html", "fault=redirect,to=other", "fault=bad_json"]


def canary(word):
    """Unlike anything else, and different in each encoding."""
    return "%s+%s/&=%% \u00e4%s" % (word, secrets.token_urlsafe(12), word[:2])


class Place:
    """A creator's collector whose answers show what was asked, installed in another workspace."""

    def __init__(self, stack, auth):
        self.stack, self.seen, self.name = stack, [], play.unique("canary")
        self.creators, self.tenants = canary("creator"), canary("tenant")
        self.second = canary("plain")  # a Text field that is encrypted
        self.creator, self.tenant = play.sign_up(stack.url, "creator"), play.sign_up(stack.url, "tenant")
        source = {**play.SOURCE, "authConfig": auth, "headers": {"X-Other": "{config.other}"}}
        source["configFields"] = source["configFields"] + [
            {"name": "other", "type": "Text", "label": "Other", "required": True, "encrypted": True}]
        source["functions"] = [play.function("cursor", "cursor", "limit"),
                               {"id": "echo", "name": "echo", "method": "GET", "path": "/echo"}]
        made = self.ask(self.creator, "POST", "/datasources/manual", source)
        pipelines = [play.pipeline("by-cursor", limit=50, retries=1),
                     play.pipeline("echo", "echo", None, ingestion={"strategy": "append"})]
        # /echo answers with one object: its uri, query and headers are what would be stored
        self.collector = self.ask(self.creator, "POST", "/collectors", {
            "name": play.unique("Canary"), "dataSourceId": made["id"], "pipelines": pipelines,
            "creatorConfig": self.config(self.creators)})["id"]

    def config(self, key):
        return {"address": "%s/s/%s" % (self.stack.upstream.url, self.name), "apiKey": key,
                "other": self.second.encode("ascii", "ignore").decode().strip()}

    def ask(self, api, method, path, body=None):
        answer = api(method, path, body)
        self.seen.append((method + " " + path, answer.raw + str(answer.headers).encode()))
        return answer.json if answer.raw[:1] == b"{" and answer.raw.count(b"\n") < 2 else None

    def live(self):
        self.stack.scenario(self.name, "products=60")
        for path in ("execute", "test-connection"):
            for body in ({}, {"pipelineId": "echo"}):
                self.ask(self.creator, "POST", "/collectors/%s/%s" % (self.collector, path), body)
        self.ask(self.creator, "POST", "/collectors/%s/publish" % self.collector, {"version": "1.0.0"})
        self.instance = self.ask(self.tenant, "POST", "/collectors/%s/install" % self.collector, {
            "instanceName": "Canary", "tenantConfig": self.config(self.tenants)})["instanceId"]
        for scene in SCENES:
            self.stack.scenario(self.name, ("products=60," + scene).rstrip(","))
            self.act()
        self.look()

    def act(self):
        here = "/collector-instances/" + self.instance
        self.ask(self.tenant, "POST", here + "/test-connection", {})
        self.ask(self.tenant, "POST", "/collectors/%s/execute" % self.collector, {})
        self.ask(self.creator, "POST", "/collectors/%s/execute" % self.collector, {"pipelineId": "by-cursor"})
        for run in self.ask(self.tenant, "POST", here + "/execute?wait=4", {})["executions"]:
            path = "/executions/" + run["executionId"]
            if self.ask(self.tenant, "GET", path)["status"] in play.LIVE:
                self.ask(self.tenant, "POST", path + "/cancel")
            for part in ("", "/log?limit=200", "/quarantine"):
                self.ask(self.tenant, "GET", path + part)

    def look(self):
        here = "/collector-instances/" + self.instance
        for path in (here, here + "/executions", here + "/streams", here + "/records", "/audit",
                     here + "/upgrade", here + "/records.ndjson?stream=by-cursor", "/collector-instances"):
            self.ask(self.tenant, "GET", path)
        for path in ("/collectors/" + self.collector, "/collectors", "/datasources", "/audit",
                     "/marketplace/collectors", "/marketplace/collectors/" + self.collector,
                     "/marketplace/collectors/%s/releases/1.0.0" % self.collector):
            self.ask(self.creator, "GET", path)
        bad = dict(self.config(self.tenants), address=7)
        self.ask(self.tenant, "PATCH", here, {"tenantConfig": bad})
        self.ask(self.tenant, "POST", here + "/test-connection", {"tenantConfig": bad})
        self.ask(self.tenant, "PATCH", here, json.dumps({"tenantConfig": self.config(self.tenants)}).encode()[:-1])


@pytest.fixture(scope="module")
def places(stack):
    made = {name: Place(stack, auth) for name, auth in AUTHS.items()}
    for place in made.values():
        place.live()
    return made


def values(place):
    return [place.creators, place.tenants, place.config("")["other"]]


@pytest.mark.parametrize("auth", AUTHS)
def test_the_api_itself_receives_the_secret(places, auth):
    # Without this the tests below could pass because nothing was sent.
    place = places[auth]
    tails = {line["credential"] for line in place.stack.ledger(place.name)}
    assert len(place.stack.ledger(place.name)) > 20 and (len(tails) == 2 or auth == "oauth"), tails


@pytest.mark.parametrize("auth", AUTHS)
def test_no_answer_shows_a_secret(places, auth):
    # Fails with config_redact off, and with the config shown as it was sent.
    place = places[auth]
    assert len(place.seen) > 60
    found = [(what, play.leaks(value, raw)) for what, raw in place.seen for value in values(place)
             if play.leaks(value, raw)]
    assert not found, found


@pytest.mark.parametrize("auth", AUTHS)
def test_no_log_shows_a_secret(places, auth):
    # Fails with a request's URL logged as it was sent.
    place = places[auth]
    logs = place.stack.logs()
    assert any(b"execution=" in data for data in logs.values()), "the runner's log was not found"
    found = [(str(path), play.leaks(value, data)) for path, data in logs.items() for value in values(place)
             if play.leaks(value, data)]
    assert not found, found


# what the tenant collected is the tenant's: records and quarantine hold what the API answered
TABLES = ["collect.journal", "collect.collector_executions", "collect.progress", "collect.collector_instances",
          "collect.data_collectors", "collect.data_sources", "collect.secrets", "collect.tokens", "collect.ledger",
          "market.release", "market.listing", "work.work", "work.bucket", "audit.entries",
          "identity.idempotency"]


def test_no_stored_row_shows_a_secret(places, stack):
    # Fails with a secret stored unsealed, and with a next link stored with its key.
    for table in TABLES:
        text = "\n".join("\t".join(row) for row in stack.sql("SELECT t::text FROM %s t" % table)).encode()
        assert table in ("work.bucket", "identity.idempotency") or text, table + " is empty"
        text += text.replace(b'\\\\', b'\\').replace(b'""', b'"')
        for place in places.values():
            for value in values(place):
                assert not play.leaks(value, text), (table, play.leaks(value, text))
