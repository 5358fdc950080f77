"""C does not break: parsers under fuzzers, allocations and calls that fail one by one, threads under
ThreadSanitizer, memory under valgrind, and how much of the code all tests reach.
"""
import concurrent.futures
import json
import os
import re
import subprocess
import sys

import campaign_exact
import house as houses
from proof import Figure, Mutant, Promise

NAME = "code"
ONE_LANE = True
HOUSE = houses.Workshop
PACKAGES = ("PACKAGES_FAULT",)
SANITIZED = "--with-sanitizer=address,undefined"
VALGRIND = ("valgrind --quiet --error-exitcode=9 --leak-check=full --show-leak-kinds=definite "
            "--errors-for-leak-kinds=definite --child-silent-after-fork=yes --trace-children=yes "
            "--trace-children-skip=/usr/bin/*,/usr/sbin/*,/usr/lib/postgresql/*,*/setpriv,*/runuser --suppressions=" + str(houses.ROOT / "tests/fault/valgrind.supp"))
LINES, BRANCHES = 95, 85  # percent
INPUTS_LEAST = 300  # of a fuzz target that has shown anything
ROOMS = ("lib", "engine", "drive")

# seconds a fuzz target plays, which of them (none named: all), calls of each tortured scene (0: every one), size
# of the campaign under ThreadSanitizer
SIZES = {"full": (5, (), 0, "mutant"), "mutant": (4, ("csv",), 60, "short"), "short": (1, ("utf8",), 10, "short")}

PROMISES = [
    Promise("17a", "every parser and decoder under a fuzzer with ASan and UBSan, %d s each: no finding" % SIZES["full"][0]),
    Promise("17b", "each allocation and library call of every scene fails once: a clean answer, no leak, no crash"),
    Promise("17c", "the product under ThreadSanitizer while runners are killed and put to sleep: no report"),
    Promise("17d", "the unit tests under valgrind: no error, no leak"),
    Promise("17e", "all tests together reach %d %% of the lines and %d %% of the branches of %s" % (
        LINES, BRANCHES, ", ".join(ROOMS))),
]

MUTANTS = [
    Mutant("a cell may begin like a formula, after a tab", ("17a",), (
        ("cgi/exports/csv.c", '"=+-@\\t\\r");\n', '"=+-@\\r");\n'),)),
    Mutant("a JSON Pointer built on one that memory left out", ("17b",), (
        ("lib/json/json.c", "\tif (!pointer)\n\t\treturn NULL;\n\tbuf_init", "\tbuf_init"),)),
    Mutant("a lease that is read without its lock", ("17c",), (
        ("runner/lease.c", "\tpthread_mutex_lock(&l->mutex);\n\ttrusted = clock_mono_ms() < l->trusted_until_ms;\n"
         "\tpthread_mutex_unlock(&l->mutex);\n", "\ttrusted = clock_mono_ms() < l->trusted_until_ms;\n"),)),
    Mutant("an arena that keeps its last memory", ("17d",), (
        ("lib/base/arena.c", "\tfree_blocks(a->newest);\n\tfree(a);\n", "\tfree_blocks(a->newest);\n"),)),
]


def listed(shop, folder, names):
    """What a variable of the Makefile comes to, as a list of words."""
    return shop.make(folder, "--eval=listed: ; @echo %s" % names, "listed")[1].split()


def fuzzed(shop, seconds, some):
    folder = shop.build("address", SANITIZED)
    targets = ["tests/fuzz/%s.tap" % name for name in some] or listed(shop, folder, "$(FUZZ_TARGETS)")
    status, text = shop.make(folder, "fuzz", "FUZZ_SECONDS=%d" % seconds, "FUZZ_TARGETS=" + " ".join(targets))
    played = re.findall(r"^ok - (\S+): (\d+) runs", text, re.M)
    found = re.findall(r"^not ok - (\S+?):", text, re.M)
    assert targets and len(played) + len(found) == len(targets) and (found or status == 0), \
        "%d of %d targets played: %s" % (len(played) + len(found), len(targets), text[-300:])
    inputs = [int(runs) for _, runs in played]
    return Figure("%d targets, %.1f million inputs, %d of one at least%s" % (
        len(targets), sum(inputs) / 1e6, min(inputs, default=0),
        ", found by " + ", ".join(found) if found else ": no finding"), not found and min(inputs) >= INPUTS_LEAST)


def tortured(shop, calls):
    folder = shop.build("address", SANITIZED)
    status, text = shop.make(folder, "torture", "TORTURE_CALLS=%d" % calls)
    scenes = [int(n) for n in re.findall(r"^(?:not )?ok \d+ - \S+: (\d+) of \d+ calls", text, re.M)]
    wrong = re.findall(r"^not ok \d+ - (\S+?):", text, re.M)
    assert scenes and (wrong or status == 0), "no scene played: " + text[-300:]
    return Figure("%d scenes, %d calls failed one by one: %s" % (
        len(scenes), sum(scenes), "not clean: " + ", ".join(wrong) if wrong else "clean"), not wrong)


def stack_apart(shop, name, configure):
    """A stack of the same source, built otherwise."""
    folder = shop.folder / name
    folder.mkdir(exist_ok=True)
    return houses.House(folder, shop.mutant, getattr(campaign_exact, "SETTINGS", ""), configure=configure, source=shop.source)


def threads(shop, size):
    with stack_apart(shop, "threads", "--with-sanitizer=thread") as house:
        figures = campaign_exact.campaign(house, size)
        house.stop()
        logs = b"".join(path.read_bytes() for path in house.state.glob("log/*.log"))
    assert all(one.held is not False for one in figures.values()), figures
    reports = re.findall(rb"WARNING: ThreadSanitizer: ([^\n(]+)", logs)
    return Figure("%s; %d reports" % (figures["1"].text, len(reports)), not reports)


def valground(shop):
    folder = shop.build("plain", "CFLAGS=-O1 -g")
    shop.make(folder, "all")
    tests = listed(shop, folder, "$(filter tests/unit/%.tap,$(TESTS))")
    status, text = shop.make(folder, "check", "TESTS=" + " ".join(tests), "TAP_LOG_COMPILER=" + VALGRIND)
    wrong = sorted(set(re.findall(r"^(?:FAIL|ERROR): (\S+\.tap)", text, re.M)))
    assert tests and (wrong or status == 0), "the tests did not run: " + text[-300:]
    return Figure("%d programs: %s" % (len(tests), "not clean: " + ", ".join(wrong) if wrong else "clean"), not wrong)


def suites(house):
    """All tests but the browser's, whatever they find: ./check holds them."""
    build = house.state / "build/tree"
    houses.Workshop.bash('chmod -R a+rwX "$1"', build)  # root's builds run as somebody else
    houses.Workshop.make(build, "tests/web/echo")
    environ = dict(os.environ, CATCHMENT_URL=house.stack.url, UPSTREAM_URL=house.stack.upstream.url,
                   CATCHMENT_STATE=str(house.state), CATCHMENT_BUILD=str(build))
    with concurrent.futures.ThreadPoolExecutor(1) as beside:
        beside.submit(houses.Workshop.make, build, "check")
        for suite in ("http", "fault"):
            subprocess.run([sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/" + suite],
                           cwd=houses.ROOT, env=environ, stdout=subprocess.DEVNULL, check=False)
    house.stop()  # each program writes down what it reached when it ends
    return build


def covered(shop):
    with stack_apart(shop, "coverage", "--enable-coverage") as house:
        build = suites(house)
        rooms = [word for room in ROOMS for word in ("--filter", ".*/%s/.*" % room)]
        told = subprocess.run(["gcovr", "--json-summary", "--root", house.state / "build", *rooms, build],
                              capture_output=True, text=True, check=True)
    totals = json.loads(told.stdout)
    lines, branches = (100 * totals[kind + "_covered"] / totals[kind + "_total"] for kind in ("line", "branch"))
    return Figure("%.1f %% of %d lines, %.1f %% of %d branches" % (
        lines, totals["line_total"], branches, totals["branch_total"]), lines >= LINES and branches >= BRANCHES)


def campaign(shop, size):
    seconds, targets, calls, exact = SIZES[size]
    acts = {"17a": lambda: fuzzed(shop, seconds, targets), "17b": lambda: tortured(shop, calls),
            "17c": lambda: threads(shop, exact), "17d": lambda: valground(shop), "17e": lambda: covered(shop)}
    acts = {number: act for number, act in acts.items() if not shop.breaks or number in shop.breaks}
    with concurrent.futures.ThreadPoolExecutor(1) as pool:  # what is covered has a stack of its own, and mostly waits
        beside = {"17e": pool.submit(acts.pop("17e"))} if "17e" in acts else {}
        found = {number: act() for number, act in acts.items()}
        return {**found, **{number: one.result() for number, one in beside.items()}}
