"""Every record once: whatever is killed, stopped or restarted in the middle of a run.

The simulated API's ledger says what was served, the export what arrived, the execution what was
counted; the three must agree. Where a runner dies, its lease is made to lapse in the database, so
that a test need not wait half a minute; one test waits."""
import os
import signal
import time

import pytest

import play
from campaign_fair import Open
from field import back_up

RECORDS, LIMIT = 800, 25
PAGES = RECORDS // LIMIT
# about a tenth of a second a page: there is a middle to be killed in
SLOW = "products=%d,fault=drip,drip_bytes=6000,drip_ms=25" % RECORDS


@pytest.fixture
def slow(stage):
    return stage.install(SLOW)


def ask_and_reach(installed, pages, pipeline="small-pages"):
    """A run whose upstream has served so many pages."""
    execution = installed.ask(pipeline)
    play.until(lambda: len(installed.ledger()) >= pages, 30, "%d pages are served" % pages)
    return execution


def ledger_rows(stack, execution):
    """(page, kept) of each commit of a run, in order."""
    return [(int(page), int(kept)) for page, kept in stack.sql(
        "SELECT page, kept FROM collect.ledger WHERE execution_id = '%s' ORDER BY seq" % execution)]


def check_exact(installed, execution, pipeline="small-pages", records=RECORDS, limit=LIMIT):
    """Nothing lost, nothing doubled, and everybody counts the same."""
    now = installed.ended(execution, 90)
    assert now["status"] == "Success", now
    served, arrived = installed.served("products=%d" % records), installed.export(pipeline)
    assert sorted(arrived) == sorted(served) and len(arrived) == records == len(set(arrived))
    pages = -(-records // limit)
    assert ledger_rows(installed.stack, execution) == [
        (page, min(limit, records - limit * (page - 1))) for page in range(1, pages + 1)]
    assert now["pages"] == pages and now["recordsProcessed"] == records, now
    assert now["recordsNew"] == records and now["recordsChanged"] == now["recordsUnchanged"] == 0, now
    firsts = [line["first"] for line in installed.ledger() if line["status"] == 200]
    # whoever was lost may still have asked for a page that another runner had passed
    assert list(dict.fromkeys(firsts)) == sorted(set(firsts)) and len(set(firsts)) == pages, "a page was skipped"
    return now, len(firsts) - pages


def test_a_run_survives_kill_9_again_and_again(stack, slow):
    # Fails with the state committed apart from the records, with the pages' cursor not taken up, and
    # with losses counted although pages came between them: the sixth would end the run.
    execution = ask_and_reach(slow, 3)
    for pages in (3, 8, 9, 15, 21, 27):
        play.until(lambda: len(slow.ledger()) >= pages, 30, "%d pages are served" % pages)
        stack.kill_runner()
    now, again = check_exact(slow, execution)
    # Two pages at most are under way at a time: one being committed, one being fetched.
    assert again <= 6 * 2, "%d pages were fetched again after 6 kills" % again
    assert now["attempts"] >= 3
    assert len(slow.log(execution, "lease")) >= 2, "the journal does not tell of the lost runners"


def test_runs_of_several_workspaces_survive_two_runners_that_are_killed_by_turns(stack, stage):
    # The same mutants; a claim that does not lock (two runners would hold one run); and the key of an
    # appended record made anew at each attempt.
    runs = [(stage.install(SLOW), "small-pages", LIMIT), (stage.install(SLOW), "append", 50)]
    second = stack.another_runner()
    try:
        executions = [one.ask(pipeline) for one, pipeline, _ in runs]
        for pages in (4, 12):
            play.until(lambda: min(len(one.ledger()) for one, _, _ in runs) >= pages, 60, "pages")
            stack.kill_runner(beside=[second.lease])
        second.kill()
        second.wait()
        stack.leases_lapse([second.lease])
        for (one, pipeline, limit), execution in zip(runs, executions):
            check_exact(one, execution, pipeline, limit=limit)
    finally:
        second.kill()
        second.wait()


def test_a_runner_that_was_only_asleep_writes_nothing_more(stack, slow):
    # Fails with both fences off: the token in work.enter, and fence and seq in collect.page_begin.
    sleeper = stack.own_runner()
    execution = ask_and_reach(slow, 5)
    second = None
    try:
        os.kill(sleeper, signal.SIGSTOP)
        stack.leases_lapse(stack.leases())
        second = stack.another_runner()
        reached = len(slow.ledger())
        play.until(lambda: len(slow.ledger()) >= reached + 5, 30, "the second runner goes on")
        os.kill(sleeper, signal.SIGCONT)
        check_exact(slow, execution)
    finally:
        os.kill(sleeper, signal.SIGCONT)
        if second:
            second.terminate()
            assert second.wait(20) == 0
    log = b"".join(stack.logs().values())
    assert b"lost_lease" in log or b"lease_lost" in log


@pytest.mark.parametrize("step,token,seq", [("an older token", -1, 0), ("a page that is behind", 0, -1),
                                            ("a page that is ahead", 0, 1)])
def test_the_database_itself_refuses(stack, slow, step, token, seq):
    # Fails with fence or seq left out of collect.page_begin, whatever the programs believe.
    execution = ask_and_reach(slow, 3)
    slow.cancel(execution)
    slow.ended(execution)
    done = stack.sql(
        "SELECT set_config('app.tenant_id', g.tenant_id::text, false) FROM collect.progress g "
        "JOIN collect.collector_executions x ON x.subject_id = g.subject_id WHERE x.id = '%s';"
        "DO $$ DECLARE g collect.progress; BEGIN "
        "SELECT p.* INTO g FROM collect.progress p JOIN collect.collector_executions x "
        "ON x.subject_id = p.subject_id WHERE x.id = '%s'; "
        "BEGIN PERFORM collect.page_begin(g.subject_id, g.fence + (%d), g.seq + (%d), 1, ''); "
        "RAISE 'it was let in'; EXCEPTION WHEN OTHERS THEN "
        "IF SQLERRM = 'it was let in' THEN RAISE; END IF; "
        "PERFORM set_config('app.said', SQLERRM, false); END; "
        "PERFORM collect.page_begin(g.subject_id, g.fence, g.seq, 1, ''); END $$;"
        "SELECT current_setting('app.said')" % (execution, execution, token, seq))
    assert "committed already" in done[-1][0] or "stale_cursor" in done[-1][0], done


def test_sigterm_parks_the_run_at_a_page_and_nothing_is_fetched_twice(stack, slow):
    # Fails with the drain left out: the page under way would be fetched again, a crash counted.
    execution = ask_and_reach(slow, 8)
    pid = stack.own_runner()
    began = time.monotonic()
    os.kill(pid, signal.SIGTERM)
    play.until(lambda: not play.alive(pid), 12, "the runner stops")
    assert time.monotonic() - began < 10
    rows = stack.sql("SELECT w.state, w.crashes FROM work.work w JOIN collect.collector_executions x "
                     "ON x.subject_id = w.subject_id WHERE x.id = '%s'" % execution)
    assert rows[0][1] == "0", rows
    now, again = check_exact(slow, execution)
    assert again == 0, "%d pages were fetched twice" % again
    assert not slow.log(execution, "lease")


def test_a_run_survives_a_crash_of_the_database(stack, slow):
    # Fails with a commit of unknown outcome taken for lost, or for done, without looking.
    execution = ask_and_reach(slow, 6)
    for pages in (6, 15, 25):
        play.until(lambda: len(slow.ledger()) >= pages, 60, "pages")
        # One server process killed makes PostgreSQL drop every connection and recover from its log.
        victim = int(stack.sql("SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'")[0][0])
        os.kill(victim, signal.SIGKILL)
        back_up(stack)
    check_exact(slow, execution)


def test_full_sync_marks_what_vanished_and_only_after_a_whole_pass(stage):
    # Fails with mark_vanished on a pass that was not complete, or left out.
    installed = stage.install("products=120")
    assert installed.run()["recordsVanished"] == 0
    installed.play("products=120,gone=20,fault=403,on_page=2")
    broken = installed.run()
    assert (broken["status"], broken["recordsVanished"]) == ("Failed", 0), broken
    assert len(installed.export()) == 120
    installed.play("products=120,gone=20")
    whole = installed.run()
    assert (whole["status"], whole["recordsVanished"], whole["recordsUnchanged"]) == ("Success", 20, 100), whole
    assert len(installed.export()) == 100 and len(installed.export(vanished=True)) == 120
    installed.play("products=120")
    back = installed.run()
    assert (back["recordsVanished"], back["recordsChanged"]) == (0, 20), back
    assert sorted(installed.export()) == sorted(installed.served("products=120"))


def test_an_unchanged_page_writes_no_record(stage):
    # Fails with the content hash left out of collect.page_merge.
    installed = stage.install("products=120")
    assert installed.run()["recordsNew"] == 120
    again = installed.run()
    assert (again["recordsNew"], again["recordsChanged"], again["recordsUnchanged"]) == (0, 0, 120), again
    assert again["instanceId"] == installed.id
    installed.play("products=120,touched=7")
    changed = installed.run()
    assert (changed["recordsChanged"], changed["recordsUnchanged"]) == (7, 113), changed
    assert sorted(installed.export()) == sorted(installed.served("products=120,touched=7"))


def test_an_incremental_run_asks_only_for_what_is_new(stage):
    # Fails with the cursor not saved at the end, or not asked with.
    installed = stage.install("products=120")
    first = installed.run("incremental")
    assert (first["status"], first["recordsNew"]) == ("Success", 120), first
    assert "updated_since" not in installed.ledger()[0]["query"]
    installed.play("products=120,touched=5,fault=403,on_page=1")
    assert installed.run("incremental")["status"] == "Failed"
    installed.play("products=120,touched=5")
    second = installed.run("incremental")
    line = installed.ledger()[-1]
    assert "updated_since=" in line["query"] and line["count"] == 6, line  # since is "at or after"
    assert (second["recordsChanged"], second["recordsUnchanged"]) == (5, 1), second
    assert second["recordsVanished"] == 0
    assert sorted(installed.export("incremental")) == sorted(installed.served("products=120,touched=5"))


def test_records_with_equal_cursor_values_are_not_lost(stage):
    # Fails with a cursor that is taken as "after" where the API means "at or after".
    installed = stage.install("products=60,ties=10")
    assert installed.run("incremental")["recordsNew"] == 60
    installed.play("products=65,ties=10")
    installed.run("incremental")
    assert sorted(installed.export("incremental")) == sorted(installed.served("products=65,ties=10"))


def test_append_keeps_every_copy(stage):
    # Fails with the commit's number left out of an appended record's key.
    installed = stage.install("products=120")
    for turn in (1, 2):
        now = installed.run("append")
        assert (now["status"], now["recordsNew"]) == ("Success", 120), now
        assert sorted(installed.export("append")) == sorted(installed.served("products=120") * turn)


def test_cancel_stops_a_run_in_the_middle_and_keeps_its_pages(slow):
    # Fails with a cancel that is only looked at when a run begins.
    execution = ask_and_reach(slow, 6)
    assert slow.cancel(execution)["status"] in ("Running", "Cancelled")
    now = slow.ended(execution, 5)
    assert now["status"] == "Cancelled" and now["error"]["code"] == "cancelled", now
    asked = len(slow.ledger())
    assert 5 * LIMIT <= len(slow.export("small-pages")) == now["recordsProcessed"] == now["pages"] * LIMIT
    time.sleep(0.5)
    assert len(slow.ledger()) == asked < PAGES, "it went on asking"
    refused = slow.api("POST", "/executions/%s/cancel" % execution)
    assert refused.status == 409 and refused.json["code"] == "already_ended", refused
    assert slow.run("small-pages", 60)["status"] == "Success"


def test_a_run_never_mixes_two_configs(slow):
    # Fails without values_may_change: the rest of the pass would come from the other address.
    execution = ask_and_reach(slow, 4)
    where = "/collector-instances/%s" % slow.id
    config = slow.api.get(where)["config"]
    address = next(name for name, value in config.items() if isinstance(value, str) and "://" in value)
    refused = slow.api("PATCH", where, {"tenantConfig": {address: config[address] + "x"}})
    assert refused.status == 409 and refused.json["code"] == "instance_running", refused
    slow.cancel(execution)
    slow.ended(execution, 5)


def test_a_failed_run_can_be_run_again(stage):
    # Fails with a retry that goes on from the failed run's page instead of from the start.
    installed = stage.install("products=120,fault=403,on_page=2")
    failed = installed.run()
    assert failed["status"] == "Failed"
    installed.play("products=120")
    made = installed.api.post("/executions/%s/retry" % failed["executionId"], status=202)
    again = installed.ended(made["executions"][0]["executionId"])
    assert (again["status"], again["retryOf"], again["trigger"]) == ("Success", failed["executionId"], "retry")
    assert (again["recordsUnchanged"], again["recordsNew"], again["pages"]) == (50, 70, 3), again
    history = installed.api.get("/collector-instances/%s/executions" % installed.id)
    assert [history[n] for n in ("totalExecutions", "successfulExecutions", "failedExecutions")] == [2, 1, 1]


def test_asking_twice_makes_one_run(slow):
    # Fails with the lock on a subject's progress left out of collect.request_runs.
    execution = ask_and_reach(slow, 2)
    assert slow.ask("small-pages") == execution
    slow.cancel(execution)


@pytest.mark.parametrize("poison", ["", "bigint", "decimal", "dupkeys", "emptykey"])
def test_numbers_texts_and_the_order_of_keys_arrive_byte_for_byte(stage, poison):
    # Fails with records written anew from parsed values, or kept as jsonb.
    settings = "products=120" + (",poison=%s,at=7" % poison if poison else "")
    installed = stage.install(settings)
    assert installed.run()["status"] == "Success"
    served = installed.served(settings)
    assert sorted(installed.export()) == sorted(served)
    listed = installed.api("GET", "/collector-instances/%s/records?stream=by-cursor&limit=200" % installed.id)
    assert all(record in listed.raw for record in served)


def test_a_runner_that_the_supervisor_saw_die_is_succeeded_at_once(stack, slow):
    # Fails without the berth: its lease would have to lapse first.
    execution = ask_and_reach(slow, 4)
    os.kill(stack.own_runner(), signal.SIGKILL)
    began, seen = time.monotonic(), len(slow.ledger())
    play.until(lambda: len(slow.ledger()) > seen + 1, 20, "its successor goes on")
    assert time.monotonic() - began <= 5  # sanitized, and two pages among them
    check_exact(slow, execution)


def holder(stack, execution):
    """The lease of the runner that has a run; "": nobody."""
    return stack.sql("SELECT runner_id FROM work.work WHERE execution_id = '%s'" % execution)[0][0]


def test_what_a_dead_runner_held_goes_to_one_that_lives(stack, stage):
    # Fails mostly where nobody is told of it: an idle runner looks each second and a half, a successor waits 10 ms.
    second = stack.another_runner()
    taken = 0
    try:
        for _ in range(4):
            installed = stage.install(SLOW)
            os.kill(second.pid, signal.SIGSTOP)  # so that the other one has the run
            try:
                execution = ask_and_reach(installed, 2)
            finally:
                os.kill(second.pid, signal.SIGCONT)
            time.sleep(0.2)  # it has looked
            dead = holder(stack, execution)
            assert dead != second.lease
            os.kill(stack.own_runner(), signal.SIGKILL)
            play.until(lambda: holder(stack, execution) not in ("", dead), 10, "another runner has it")
            taken += holder(stack, execution) == second.lease
            check_exact(installed, execution)
    finally:
        second.terminate()
        second.wait(30)
    assert taken >= 1, "an idle runner took none of 4"


def test_a_dead_runner_is_noticed_by_time_alone(stack, stage):
    # Fails with a lease that never lapses, or that somebody extends for the dead.
    installed = stage.install(SLOW)
    second = stack.another_runner()  # nobody's child: no supervisor sees it die
    own = stack.own_runner()
    os.kill(own, signal.SIGSTOP)  # so that the second one has the run
    try:
        execution = ask_and_reach(installed, 4)
        assert installed.execution(execution)["waiting"] is None
        second.kill()
        second.wait()
        os.kill(own, signal.SIGCONT)
        began, seen = time.monotonic(), len(installed.ledger())
        play.until(lambda: (installed.execution(execution)["waiting"] or {}).get("code") == "runner_silent", 17, "it says why it stands still", 0.2)
        play.until(lambda: len(installed.ledger()) > seen + 1, 50, "another runner goes on", 0.2)
        assert 15 < time.monotonic() - began <= 45
        check_exact(installed, execution)
    finally:
        os.kill(own, signal.SIGCONT)
        second.kill()
        second.wait()


def test_a_request_that_must_not_be_repeated_counts(stack):
    place = Open(stack, [play.pipeline("change", "change", None)]).install()
    end = place.ended(place.ask("change"))
    assert (end["status"], end["requests"], len(place.ledger())) == ("Success", 1, 1)
