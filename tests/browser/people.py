"""The people that pages are shown to: a visitor, those of the demo, and somebody who has nothing yet."""
import fcntl
import os
import pathlib
import secrets
import subprocess
import tempfile
import urllib.parse

import visitor

SOURCE = pathlib.Path(__file__).resolve().parents[2]
DEMO = {"creator": ("alice@example.com", "catchment demo alice"), "tenant": ("bob@example.com", "catchment demo bob")}


def run_demo(api, upstream):
    """A demo that ran before changes nothing. Two at once would be in each other's way: tests may run in several
    processes."""
    turn = pathlib.Path(tempfile.gettempdir()) / ("catchment-demo-%d.lock" % urllib.parse.urlsplit(api).port)
    with tempfile.TemporaryDirectory() as folder, turn.open("a", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run([str(SOURCE / "demo/demo.sh"), api, upstream, folder + "/env"],
                              capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def make_administrator(email):
    """As the operator does, at the command line of the stack that CATCHMENT_STATE names."""
    state = os.environ["CATCHMENT_STATE"]
    owner = os.stat(state + "/data")
    become = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if os.geteuid() != owner.st_uid else {}
    done = subprocess.run([state + "/app/bin/catchment", "--conf", state + "/catchment.conf", "user", "role", email, "admin"],
                          capture_output=True, text=True, cwd="/", **become)
    assert done.returncode == 0, done.stderr


def everybody(api):
    """{name: Visitor}, signed in through the page as far as there is one."""
    people = {"visitor": visitor.Visitor(api)}
    for name, who in DEMO.items():
        people[name] = visitor.Visitor(api, name)
        if people[name].get("/sign-in").is_page:
            people[name].sign_in(*who)
    for name in ("newcomer", "administrator"):
        email = "%s-%s@example.com" % (name, secrets.token_hex(6))
        people[name] = visitor.Visitor(api, name).sign_up(email, "a long enough password", "Nora", "New here")
        if name == "administrator":
            make_administrator(email)
    return people
