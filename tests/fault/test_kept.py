"""Answers that are used again: for their time, within one installation and its config, never beyond."""
import time

import pytest

import play

SIZE, LIMIT = 100, 50
PAGES = SIZE // LIMIT


@pytest.fixture(scope="module")
def stage(stack):
    made = play.Stage.__new__(play.Stage)
    made.stack, made.creator = stack, play.sign_up(stack.url, "creator")
    source = {**play.SOURCE, "cacheConfig": {"ttlSeconds": 4}}
    source = made.creator.post("/datasources/manual", source, status=201)["id"]
    made.collector = made.creator.post("/collectors", {
        "name": play.unique("Kept"), "dataSourceId": source, "pipelines": [
            play.pipeline("by-cursor", limit=LIMIT), play.pipeline("by-link", "link", {"type": "link"}, limit=LIMIT)]},
        status=201)["id"]
    made.creator.post("/collectors/%s/publish" % made.collector, {"version": "1.0.0"})
    return made


def statuses(place):
    return [line["status"] for line in place.ledger()]


@pytest.mark.parametrize("pipeline", ["by-cursor", "by-link"])
def test_answers_serve_the_next_run_then_the_service_confirms_them(stage, pipeline):
    # Fails with the cache off, with headers not kept (the Link is lost), and with 304 taken as a redirect.
    place = stage.install("products=%d,etag=1" % SIZE)
    first = place.run(pipeline)
    assert first["status"] == "Success" and statuses(place) == [200] * PAGES
    again = place.run(pipeline)
    assert again["status"] == "Success" and again["requests"] == 0 and again["recordsUnchanged"] == SIZE, again
    assert statuses(place) == [200] * PAGES
    assert str(place.log(again["executionId"], "request")).count("kept answer") == PAGES
    time.sleep(4.2)
    third = place.run(pipeline)
    assert third["status"] == "Success" and third["recordsUnchanged"] == SIZE, third
    assert statuses(place) == [200] * PAGES + [304] * PAGES
    assert len(place.export(pipeline)) == SIZE


def test_what_changed_upstream_arrives_when_the_time_is_over(stage):
    place = stage.install("products=%d,etag=1" % SIZE)
    place.run()
    place.play("products=%d,etag=1,touched=3" % SIZE)
    assert place.run()["recordsChanged"] == 0
    time.sleep(4.2)
    assert place.run()["recordsChanged"] == 3


def test_what_says_no_store_is_asked_for_each_time(stage):
    place = stage.install("products=%d,cache_control=no-store" % SIZE)
    place.run()
    place.run()
    assert statuses(place) == [200] * 2 * PAGES


def test_nothing_is_shared_with_another_installation_or_another_config(stack, stage):
    # Fails with the key alone as the name, and with what was kept left behind by a new config.
    place = stage.install("products=%d" % SIZE)
    place.run()
    other = play.Installed.__new__(play.Installed)
    other.stack, other.name, other.key = stack, place.name, place.key
    other.api = play.sign_up(stack.url, "tenant")
    config = {"address": "%s/s/%s" % (stack.upstream.url, place.name), "apiKey": place.key}
    other.id = other.api.post("/collectors/%s/install" % stage.collector, {
        "instanceName": "Play", "tenantConfig": config}, status=201)["instanceId"]
    other.run()
    assert statuses(place) == [200] * 2 * PAGES, "the second tenant asks for itself"
    place.api.ok("PATCH", "/collector-instances/" + place.id, {"tenantConfig": dict(config, apiKey="another-key")},
                 headers={"Content-Type": "application/merge-patch+json"})
    place.run()
    assert statuses(place) == [200] * 3 * PAGES, "another credential asks for itself"
    rows = stack.sql("SELECT count(*), count(DISTINCT tenant_id) FROM collect.kept_answers WHERE owner_id IN "
                     "('%s', '%s')" % (place.id, other.id))
    assert rows == [[str(2 * PAGES), "2"]]


def test_kept_answers_are_bounded(stack, stage):
    place = stage.install("products=%d" % SIZE)
    place.run()
    tenant, = stack.sql("SELECT tenant_id FROM collect.collector_instances WHERE id = '%s'" % place.id)[0]
    stack.sql("INSERT INTO collect.kept_answers (tenant_id, owner_id, key, stored_at, fresh_until, etag, modified, "
              "headers, body) SELECT '%s', '%s', 'k' || i, now() - i * interval '1 second', now(), '', '', '[]', "
              "convert_to(repeat('x', 1048576), 'UTF8') FROM generate_series(1, 40) i" % (tenant, place.id))
    time.sleep(4.2)
    place.run()
    (size,), = stack.sql("SELECT sum(octet_length(body)) FROM collect.kept_answers WHERE owner_id = '%s'" % place.id)
    assert 16 << 20 < int(size) <= 32 << 20


def test_kept_answers_go_though_nothing_runs_any_more(stack, stage):
    # Fails without the prune in the runner's sweep, which comes at its start and every half minute.
    place = stage.install("products=%d" % SIZE)
    place.run()
    mine = "WHERE owner_id = '%s'" % place.id
    assert stack.sql("SELECT count(*) > 0 FROM collect.kept_answers " + mine) == [["t"]]
    stack.sql("UPDATE collect.kept_answers SET stored_at = now() - interval '8 days' %s; "
              "UPDATE work.lane SET kept_looked_at = '-infinity' WHERE tenant_id = "
              "(SELECT tenant_id FROM collect.collector_instances WHERE id = '%s')" % (mine, place.id))
    sweeper = stack.another_runner()
    try:
        play.until(lambda: stack.sql("SELECT count(*) FROM collect.kept_answers " + mine) == [["0"]], 60, "they go")
    finally:
        sweeper.terminate()
        sweeper.wait()
