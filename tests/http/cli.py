"""The installed command line, run as a person runs it: what it prints, says and returns."""
import json
import os
import pty
import re
import select
import subprocess

from conftest import Client

DONE, FAILED, USAGE, NOT_FOUND, REFUSED, CONFLICT, LATER, INVALID, PARTLY = range(9)


def program():
    return os.environ.get("CATCHMENT_PROGRAM") or os.path.join(
        os.environ["CATCHMENT_STATE"], "app", "bin", "catchment")


class Ran:
    def __init__(self, code, out, said):
        self.code = code
        self.out = out
        self.said = said

    @property
    def rows(self):
        return [line.split("\t") for line in self.out.decode().splitlines()]

    @property
    def json(self):
        return json.loads(self.out)


def environment(client, **more):
    env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    if client:
        env["CATCHMENT_URL"] = client.base.geturl()
        env["CATCHMENT_TOKEN"] = client.token or ""
    env.update(more)
    return {name: value for name, value in env.items() if value is not None}


def run(client, *words, code=DONE, given=None, **env):
    """Runs it with the client's server and token; asserts the exit code."""
    done = subprocess.run([program(), *words], input=given, env=environment(client, **env),
                          capture_output=True, timeout=180, check=False)
    ran = Ran(done.returncode, done.stdout, done.stderr.decode())
    assert ran.code == code, (words, ran.code, ran.said, ran.out[:500])
    # a refusal is said in a sentence; usage says how it is used
    assert ran.code in (DONE, FAILED, PARTLY) or "catchment" in ran.said, ran.said
    return ran


def on_terminal(client, *words, given=b"", **env):
    """Its exit code and what a person sees, standard error too."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(program(), [program(), *words],
                  environment(client, TERM="xterm", **env))
    seen = b""
    if given:
        os.write(terminal, given)
    while select.select([terminal], [], [], 60)[0]:
        try:
            more = os.read(terminal, 65536)
        except OSError:
            break
        if not more:
            break
        seen += more
    os.close(terminal)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return code, seen.decode().replace("\r\n", "\n")


def same_bytes(client, words, path, **rest):
    """With --json it prints what the API answers to this path, byte for byte."""
    ran = run(client, *words, "--json")
    answer = Client.send(client, "GET", path, **rest)
    assert answer.status == 200
    assert ran.out == answer.body
    return ran


UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f-]{17}")
