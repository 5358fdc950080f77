"""No request leaves for where the operator did not allow it, whoever asks: by command line, in a run,
in a test, by redirect or by a link to the next page."""
import json
import os
import signal
import subprocess

import pytest

import play

ADDRESSES = ["http://169.254.169.254/latest/meta-data", "https://10.0.0.1/", "https://127.0.0.1/",
             "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://localhost/", "https://2130706433/",
             "https://127.1/", "https://0x7f.1/", "file:///etc/passwd", "gopher://127.0.0.1:6379/_x",
             "https://user@127.0.0.1/", "https://internal/"]
REFUSALS = ("target_not_allowed", "scheme_not_allowed", "value_not_allowed")


def command_line(stack, tmp_path, address, *options):
    """catchment run of the played collector's first pipeline; (status, what it said)."""
    file = tmp_path / "collector.json"
    file.write_text(json.dumps({"dataSource": play.SOURCE, "collector": {"pipelines": [play.PIPELINES[0]]},
                                "config": {"address": address, "apiKey": "a key"}}))
    done = subprocess.run([str(stack.state / "app/bin/catchment"), "run", str(file), *options],
                          capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def test_the_default_refuses_the_simulated_api_itself(stack, tmp_path):
    # Fails with guard_url and guard_address switched off: the records would come.
    name = play.unique("guard")
    stack.scenario(name, "products=20")
    address = "%s/s/%s" % (stack.upstream.url, name)
    status, out, err = command_line(stack, tmp_path, address)
    assert status == 1 and out == "" and "target_not_allowed" in err, (status, out, err)
    assert stack.ledger(name) == [], "a request left all the same"
    # ... and the same file goes through once the operator allows it: the refusal was the guard's
    port = stack.upstream.at.port
    status, out, err = command_line(stack, tmp_path, address, "--allow", "127.0.0.1/32:%d" % port)
    assert status == 0 and len(out.splitlines()) == 20, (status, err)
    assert len(stack.ledger(name)) == 1


@pytest.fixture
def strict_runner(stack, tmp_path):
    """Only a runner without EGRESS_ALLOW works; the stack's own one sleeps."""
    text = (stack.state / "catchment.conf").read_text()
    conf = stack.state / "run/strict.conf"
    conf.write_text("\n".join(line for line in text.splitlines() if not line.startswith("EGRESS_")) + "\n")
    os.chown(conf, stack.uid, stack.uid)
    conf.chmod(0o600)
    own = stack.own_runner()
    os.kill(own, signal.SIGSTOP)
    runner = stack.another_runner(conf)
    try:
        yield runner
    finally:
        runner.terminate()
        runner.wait(20)
        os.kill(own, signal.SIGCONT)
        conf.unlink()


def test_a_runner_without_the_allowance_sends_nothing(stack, stage, strict_runner):
    # Fails with the guard off, or read from anywhere but the operator's settings.
    installed = stage.install("products=20")
    now = installed.run(seconds=20)
    assert (now["status"], now["error"]["code"]) == ("Failed", "target_not_allowed"), now
    assert "127.0.0.1" not in now["error"]["message"].replace(stack.upstream.url, ""), now
    assert installed.ledger() == []


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_inside_the_house_is_refused(stage, address):
    # Fails with the guard off: it would be tried, or its config stored.
    api = play.sign_up(stage.stack.url, "guard")
    body = {"instanceName": "Inside", "tenantConfig": {"address": address, "apiKey": "a key"}}
    made = api("POST", "/collectors/%s/install" % stage.collector, body)
    if made.status == 422:  # at the door
        assert made.json["errors"][0]["pointer"].startswith("/tenantConfig"), made
        return
    assert made.status == 201, made
    test = api("POST", "/collector-instances/%s/test-connection" % made.json["instanceId"], {})
    assert test.status == 200 and test.json["ok"] is False, test
    assert test.json["code"] in REFUSALS, test
    ended = api.post("/collector-instances/%s/execute" % made.json["instanceId"], {"pipelineId": "by-cursor"})

    def over():
        now = api.get("/executions/" + ended["executions"][0]["executionId"])
        return now if now["status"] not in play.LIVE else None
    now = play.until(over, 20, "the run ends")
    assert now["status"] == "Failed" and now["error"]["code"] in REFUSALS, now
    assert now["bytes"] == 0 and now["retries"] == 0, now  # an address does not mend itself


@pytest.mark.parametrize("to", ["metadata", "private", "loopback", "ipv6", "file", "gopher"])
def test_a_trial_does_not_follow_a_redirect_inside(stage, to):
    # Fails with redirects followed by libcurl, or not judged hop by hop.
    installed = stage.install("products=20,fault=redirect,to=" + to)
    answer = installed.api.post("/collector-instances/%s/test-connection" % installed.id, {})
    assert answer["ok"] is False and answer["code"] == "redirect_refused", answer
    assert len(installed.ledger()) == 1


@pytest.mark.parametrize("link", ["metadata", "other"])
def test_a_next_link_that_leads_elsewhere_is_not_followed(stage, link):
    # Fails with the origin of a next link not compared.
    installed = stage.install("products=120,link=" + link)
    now = installed.run("by-link")
    assert (now["status"], now["error"]["code"]) == ("Failed", "next_link_refused"), now
    assert len(installed.ledger()) == 1 == now["requests"]
