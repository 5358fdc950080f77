"""A stack of a campaign's own, with PostgreSQL as durable as it comes: from the checkout, or from a copy
of it with one guard taken out."""
import itertools
import os
import pathlib
import re
import shutil
import socket
import subprocess

import play
from proof import ROOT

SETTINGS = """PASSWORD_LOG2N=4
RATE_PER_MINUTE=1000000
LOG_LEVEL=info
"""


FIRST_PORTS = itertools.count(18280 + os.getpid() % 500 * 4, 2)  # campaigns may play at once


def free_port():
    """The first of two free ports."""
    def free(port):
        with socket.socket() as one:
            return one.connect_ex(("127.0.0.1", port)) != 0
    return next(first for first in FIRST_PORTS if free(first) and free(first + 1))


class House:
    """Starts, stops and starts again what ./start runs. `stack` is what tests play with while it is up."""

    def __init__(self, folder, mutant=None, settings="", postgres="", configure="", source=None):
        """source: what to build instead of the checkout, with its mutant in it already."""
        self.folder = pathlib.Path(folder)
        self.state = self.folder / ("mutants" if mutant and not source else "house")
        self.source = source or (mutated(self.folder / "mutant-source", mutant) if mutant else ROOT)
        self.settings, self.postgres, self.configure, self.stack = settings, postgres, configure, None
        self.breaks = mutant.breaks if mutant else None  # what has to be played; None: all
        self.port = free_port()

    def __enter__(self):
        try:
            self.start("--reset")
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self, *options):
        conf = self.folder / "extra.conf"
        conf.write_text(SETTINGS + self.settings)
        conf.chmod(0o644)
        environ = dict(os.environ, CATCHMENT_EXTRA_CONF=str(conf), CATCHMENT_PG_OPTIONS=self.postgres,
                       CATCHMENT_CONFIGURE=self.configure)
        done = subprocess.run([self.source / "start", "--detach", "--no-demo", "--state", self.state, "--port", str(self.port),
                               *options], env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        address = dict(word.split("=", 1) for word in (self.state / "run/address").read_text().split())
        self.stack = play.Stack(address["CATCHMENT_URL"], address["UPSTREAM_URL"], self.state)

    def stop(self):
        if self.stack:
            self.stack.others_end()  # nobody keeps them
        self.stack = None
        subprocess.run([self.source / "start", "--stop", "--state", self.state], capture_output=True, check=False)


class Workshop:
    """Builds of a copy of the checkout, with one guard taken out or none, and what make does in them. All mutants
    share the copy and its builds: each compiles only what it changes."""

    def __init__(self, folder, mutant=None):
        self.folder, self.source = pathlib.Path(folder), pathlib.Path(folder) / "source"
        self.mutant = mutant
        self.breaks = mutant.breaks if mutant else None

    def __enter__(self):
        mutated(self.source, self.mutant)
        self.bash('. "$1/tools/tree.sh" && tree_configure "$1"', self.source)
        return self

    def __exit__(self, *_):
        pass

    def build(self, name, *flags):
        """A folder that is configured so."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        if not (folder / "Makefile").exists():
            self.bash('cd "$1" && shift && "$@"', folder, self.source / "configure", "--quiet", *flags)
        return folder

    @staticmethod
    def bash(script, *words):
        done = subprocess.run(["bash", "-c", script, "bash", *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, check=False, errors="replace")
        assert done.returncode == 0, done.stdout[-4000:]

    @staticmethod
    def make(folder, *words):
        """(make's status, what it printed)"""
        done = subprocess.run(["make", "-s", "-k", "-j%d" % os.cpu_count(), *words], cwd=folder, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False, errors="replace")
        (pathlib.Path(folder) / "make.log").write_text(done.stdout)
        return done.returncode, done.stdout


FUNCTION = re.compile(r"FUNCTION (\w+\.\w+) ?\(")


def misfit(source, name, old):
    """Why an edit would not change the product: its text is gone, or a later migration drops its function or defines
    it anew."""
    text = (source / name).read_text(encoding="utf-8")
    if text.count(old) != 1:
        return "%s does not hold its old text once" % name
    around = FUNCTION.findall(text[:text.index(old)])[-1:] if name.endswith(".sql") else []
    later = [path.name for path in (source / name).parent.glob("*.sql") if path.name > pathlib.Path(name).name
             and set(around) & set(FUNCTION.findall(re.sub("(?m)^(GRANT|REVOKE|ALTER).*", "", path.read_text(encoding="utf-8"))))]
    return "%s, which it edits in %s, stands anew in %s" % (around[0], name, ", ".join(later)) if later else ""


def mutated(copy, mutant):
    """A copy of the checkout with a mutant's edits. One copy serves all mutants, so that each builds only
    what it changes; the files that the mutant before had changed are touched, for make to see them."""
    changed = copy / ".mutated"
    before = changed.read_text().split() if changed.exists() else []
    subprocess.run(["bash", "-c", '. "$0/tools/tree.sh" && tree_copy "$0" "$1"', ROOT, copy], check=True)
    for name in before:
        os.utime(copy / name)
    edits = mutant.edits if mutant else ()
    for name, old, new in edits:
        text = (copy / name).read_text(encoding="utf-8")
        assert not misfit(copy, name, old), "the mutant %r does not fit: %s" % (mutant.name, misfit(copy, name, old))
        (copy / name).write_text(text.replace(old, new), encoding="utf-8")
    changed.write_text("\n".join({name for name, _, _ in edits}) + "\n")
    return copy


def install(*lists):
    """Debian packages of lists in tools/packages.sh, as ./check installs its own."""
    subprocess.run(["bash", "-c", '. "$0/tools/packages.sh" && need_packages %s' % " ".join("$" + one for one in lists), ROOT],
                   check=True)


def working_folder(parent=None):
    """A new folder that the user who owns a stack of root's can reach."""
    import tempfile
    folder = tempfile.mkdtemp(prefix="catchment-fault.", dir=parent)
    os.chmod(folder, 0o755)
    return pathlib.Path(folder)


def remove(folder):
    shutil.rmtree(folder, ignore_errors=True)
