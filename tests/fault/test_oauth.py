"""Access tokens that runs share: whoever fetches the next one, whatever is killed meanwhile, no refresh
token is used twice or lost. The simulated endpoint rotates refresh tokens and refuses a used one."""
import os
import signal
import time

import pytest

import play

SECRET = "client-secret-" + play.session
CLIENT = "auth=oauth,client=app-1,secret=" + SECRET
AUTH = {"type": "OAuth2", "details": {
    "tokenUrl": "/token", "grant": "refresh_token", "clientId": "app-1", "clientSecret": "{config.secret}",
    "refreshToken": "{config.refresh}"}}
LANES = 6


@pytest.fixture(scope="module")
def stage(stack):
    """Pipelines that all use one installation's token."""
    made = play.Stage.__new__(play.Stage)
    made.stack, made.creator = stack, play.sign_up(stack.url, "creator")
    source = {**play.SOURCE, "authConfig": AUTH, "configFields": [
        {"name": "address", "type": "Url", "label": "Address", "required": True},
        {"name": "secret", "type": "Password", "label": "Secret", "required": True},
        {"name": "refresh", "type": "Password", "label": "Refresh token", "required": True}]}
    source["functions"] = [play.function("cursor", "cursor", "limit")]
    made.source = made.creator.post("/datasources/manual", source, status=201)["id"]
    made.collector = made.creator.post("/collectors", {
        "name": play.unique("Tokens"), "dataSourceId": made.source,
        "pipelines": [play.pipeline("p%d" % i, limit=25, retries=3) for i in range(LANES)]}, status=201)["id"]
    made.creator.post("/collectors/%s/publish" % made.collector, {"version": "1.0.0"})
    return made


class Connected(play.Installed):
    def __init__(self, stage, settings, refresh="rt-0", secret=SECRET):
        self.stack, self.name = stage.stack, play.unique("oauth")
        self.play(settings)
        self.api = play.sign_up(self.stack.url, "tenant")
        self.config = {"address": "%s/s/%s" % (self.stack.upstream.url, self.name), "secret": secret,
                       "refresh": refresh}
        self.id = self.api.post("/collectors/%s/install" % stage.collector, {
            "instanceName": "Tokens", "tenantConfig": self.config}, status=201)["instanceId"]
        self.api.tenant = self.stack.sql("SELECT tenant_id FROM collect.collector_instances WHERE id = '%s'" % self.id)

    def tokens(self, status=None):
        return [line for line in self.ledger() if line["path"] == "/token"
                and status in (None, line["status"])]

    def row(self):
        return self.stack.sql("SELECT version, refresh_version, access_sealed IS NOT NULL, lease_until > now() "
                              "FROM collect.tokens WHERE owner_id = '%s'" % self.id)

    def run_all(self):
        made = self.api.post("/collector-instances/%s/execute" % self.id, {})
        return [self.ended(run["executionId"], 60) for run in made["executions"]]


def test_many_runs_on_two_runners_share_one_token(stack, stage):
    # Fails without the lease: each run asks for a token of its own, and all but one refresh token are used up.
    place = Connected(stage, "products=100,token_ms=400," + CLIENT)
    second = stack.another_runner()
    try:
        ended = place.run_all()
    finally:
        second.terminate()
        second.wait(20)
    assert [run["status"] for run in ended] == ["Success"] * LANES, ended
    assert [line["status"] for line in place.tokens()] == [200]
    assert place.row() == [["1", "1", "t", "f"]]


def test_short_lives_are_renewed_once_each_whoever_runs(stack, stage):
    # Fails with the refresh token stored apart from the end of the lease.
    place = Connected(stage, "products=150,token_life=2,token_ms=100,fault=drip,drip_bytes=6000,drip_ms=100," + CLIENT)
    second = stack.another_runner()
    try:
        ended = place.run_all() + place.run_all()
    finally:
        second.terminate()
        second.wait(20)
    assert [run["status"] for run in ended] == ["Success"] * (2 * LANES), ended
    got = place.tokens()
    assert len(got) >= 2 and {line["status"] for line in got} == {200}, got
    assert place.row()[0][0] == str(len(got)), "each token was kept"


def test_kill_9_between_the_refresh_and_its_use_loses_nothing(stack, stage):
    # Fails with the token kept in the runner alone: then the next one uses rt-0 again and is refused.
    place = Connected(stage, "products=100,fault=hang,times=1," + CLIENT)
    execution = place.ask("p0")
    play.until(lambda: [row for row in place.row() if row[0] == "1"], 20, "the token is kept")
    stack.kill_runner()
    assert place.ended(execution, 60)["status"] == "Success"
    assert [line["status"] for line in place.tokens()] == [200]


def test_a_revoked_token_is_replaced_once_for_all_runs(stack, stage):
    place = Connected(stage, "products=100," + CLIENT)
    assert {run["status"] for run in place.run_all()} == {"Success"}
    place.play("products=100,revoked=1," + CLIENT)
    assert {run["status"] for run in place.run_all()} == {"Success"}
    assert [line["status"] for line in place.tokens()] == [200, 200]


def test_a_test_uses_the_token_that_runs_use(stack, stage):
    place = Connected(stage, "products=100," + CLIENT)
    here = "/collector-instances/%s/test-connection" % place.id
    assert place.api.post(here, {})["ok"] is True
    assert place.run("p0")["status"] == "Success"
    assert place.api.post(here, {})["ok"] is True
    assert len(place.tokens()) == 1
    # a config that comes with the request is tried with a token of its own, and nothing is kept
    answer = place.api.post(here, {"tenantConfig": dict(place.config, refresh="rt-1")})
    assert answer["ok"] is True and len(place.tokens()) == 2 and place.row()[0][0] == "1"


def test_a_refusal_pauses_with_its_reason_until_it_is_connected_again(stack, stage):
    place = Connected(stage, "products=100," + CLIENT, refresh="rt-7")
    ended = place.run("p0")
    assert ended["status"] == "Failed" and ended["error"]["code"] == "auth_refused"
    assert "invalid_grant: This refresh token was used or revoked." in ended["error"]["message"]
    assert "connect this instance again" in ended["error"]["message"]
    assert place.stack.sql("SELECT refused_code FROM collect.tokens WHERE owner_id = '%s'" % place.id) == \
        [["auth_refused"]]
    place.api.ok("PATCH", "/collector-instances/" + place.id, {"tenantConfig": dict(place.config, refresh="rt-0")},
                 headers={"Content-Type": "application/merge-patch+json"})
    assert place.row() == [], "what was got with the old config is gone"
    assert place.run("p0")["status"] == "Success"


def test_no_token_is_shown_or_stored_in_the_clear(stack, stage):
    # Fails with the token's answer in the test panel, and with tokens stored as they came.
    place = Connected(stage, "products=20," + CLIENT)
    seen = place.api.post("/collector-instances/%s/test-connection" % place.id, {})
    ended = place.run("p0")
    seen = str(seen) + str(place.log(ended["executionId"]))
    tails = {line["credential"] for line in place.ledger() if line["auth"] == "bearer"}
    assert len(tails) == 1 and "access token" in seen
    stored = str(stack.sql("SELECT t::text FROM collect.tokens t WHERE owner_id = '%s'" % place.id))
    logs = b"".join(stack.logs().values()).decode("utf-8", "replace")
    for text in (seen, stored, logs):
        assert "at-1-" not in text and SECRET not in text and b"at-1-".hex() not in text
    assert "rt-1" not in seen and b"rt-1".hex() not in stored


def test_cancelling_does_not_lose_the_token_on_its_way(stack, stage):
    # Fails with the transfer given up: the endpoint has rotated, and rt-1 is nowhere.
    place = Connected(stage, "products=100,token_ms=1500," + CLIENT)
    execution = place.ask("p0")
    play.until(lambda: place.tokens(), 20, "the endpoint is asked")
    place.cancel(execution)
    assert place.ended(execution)["status"] == "Cancelled"
    assert place.row() == [["1", "1", "t", "f"]]
    assert place.run("p0")["status"] == "Success" and len(place.tokens()) == 1


def test_a_lease_lost_with_the_token_on_its_way_loses_nothing(stack, stage):
    # Fails with the transfer given up as the run is: the endpoint has rotated, and rt-1 is nowhere.
    place = Connected(stage, "products=100,token_ms=14000," + CLIENT)
    execution = place.ask("p0")
    play.until(place.tokens, 20, "the endpoint is asked")
    stack.leases_lapse(stack.leases())  # the runner hears of it with its next beat, within 12 s
    assert place.ended(execution, 90)["status"] == "Success"
    assert [line["status"] for line in place.tokens()] == [200]
    assert place.row() == [["1", "1", "t", "f"]]


def test_a_database_that_is_gone_for_longer_than_the_lease_gets_the_token_later(stack, stage):
    # Fails when the committer gives up with the lease.
    place = Connected(stage, "products=100,token_ms=1500," + CLIENT)
    execution, leases = place.ask("p0"), stack.leases()
    play.until(place.tokens, 20, "the endpoint is asked")
    stack.sql("ALTER ROLE catchment_run NOLOGIN")
    try:
        stack.sql("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'catchment_run'")
        lost = ["runner=%s: no beat came" % lease for lease in leases]
        play.until(lambda: any(line.encode() in log for log in stack.logs().values() for line in lost), 60,
                    "the runner drops its runs", 0.5)
        assert place.row()[0][0] == "0"
    finally:
        stack.sql("ALTER ROLE catchment_run LOGIN")
    play.until(lambda: place.row()[0][0] == "1", 30, "the token is kept", 0.2)
    assert place.ended(execution, 90)["status"] == "Success"
    assert [line["status"] for line in place.tokens()] == [200]
