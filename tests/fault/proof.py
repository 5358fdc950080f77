"""What campaigns promise, reach and write down: results.json, and docs/PROOFS.md made from it."""
import dataclasses
import datetime
import functools
import json
import os
import pathlib
import platform
import re
import subprocess
import textwrap

ROOT = pathlib.Path(__file__).resolve().parents[2]
RESULTS = ROOT / "tests/fault/results.json"
PAGE = ROOT / "docs/PROOFS.md"
CHANGED = ", changed"
MUTANT_TEXT = 300  # characters are enough to show that it broke


@dataclasses.dataclass(frozen=True)
class Promise:
    """One sentence that a campaign holds: number is its name in the results."""
    number: str
    goal: str


@dataclasses.dataclass(frozen=True)
class Figure:
    """What was reached. held is None where it could not run; the text then says why."""
    text: str
    held: bool | None


def not_run(why):
    return Figure("not run: " + why, None)


@dataclasses.dataclass(frozen=True)
class Mutant:
    """The product with one guard taken out. edits are (file, old text, new text); each old text stands
    once in its file. breaks are the numbers of the promises that the campaign must then see broken."""
    name: str
    breaks: tuple
    edits: tuple


def part_of(sizes, needed, house):
    """A campaign's sizes, without those that only other promises need than the ones that a house's mutant has to
    break. needed: {number of a promise: the places in sizes that it needs}."""
    breaks = getattr(house, "breaks", None)
    if not breaks:
        return sizes
    others = {i for number, places in needed.items() if number not in breaks for i in places}
    others -= {i for number in breaks for i in needed[number]}
    return tuple(type(n)() if i in others else n for i, n in enumerate(sizes))


def machine():
    """Where figures were reached; PostgreSQL's version is that of the programs."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2 ** 30
    postgres = subprocess.run(["pg_config", "--version"], capture_output=True, text=True, check=False).stdout.strip()
    return "%d cores, %.0f GiB, Linux %s, %s" % (os.cpu_count(), memory, platform.release().split("-")[0], postgres)


def sources():
    """The version of what is here, and its commit where it is a clone; said too is when it differs from that."""
    version = re.search(r"AC_INIT\(\[catchment\], *\[([^]]+)\]", (ROOT / "configure.ac").read_text(encoding="utf-8")).group(1)
    words = subprocess.run(["git", "-C", ROOT, "-c", "safe.directory=*", "rev-parse", "--show-toplevel", "--short", "HEAD"],
                           capture_output=True, text=True, check=False).stdout.split()
    if words[:1] != [str(ROOT)]:  # or an archive that lies within another clone
        return version
    changed = subprocess.run(["git", "-C", ROOT, "-c", "safe.directory=*", "status", "--porcelain", "--untracked-files=no", "--",
                              ".", *(":!%s" % path.relative_to(ROOT) for path in (RESULTS, PAGE))],
                             capture_output=True, text=True, check=False).stdout
    return "%s at %s%s" % (version, words[1], CHANGED if changed else "")


@functools.cache
def product():
    """What the sources were when this was asked for first, as play begins."""
    return sources()


def today():
    return datetime.datetime.now(datetime.timezone.utc).date().isoformat()


def row(campaign, promise, figure, seen):
    """seen: {name of a mutant: Figure} of the mutants that must break this promise."""
    failed = None
    if seen and figure.held is not None:
        failed = all(one.held is False for one in seen.values())
    return {"campaign": campaign, "promise": promise.number, "goal": promise.goal, "figure": figure.text,
            "held": figure.held, "mutant_failed": failed,
            "mutants": {name: textwrap.shorten(one.text, MUTANT_TEXT) for name, one in seen.items()}, "date": today(),
            "machine": machine(), "product": product() if sources() == product() else product().removesuffix(CHANGED) + CHANGED}


def results():
    return json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else []


def keep(rows, order):
    """Puts rows in the place of older ones of the same promises, and makes the page anew. order: the (campaign,
    promise) that there are, as the page shows them."""
    known = {(one["campaign"], one["promise"]): one for one in results() + rows}
    kept = [known[key] for key in order if key in known]
    RESULTS.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    PAGE.write_text(page(kept), encoding="utf-8")


HEAD = """# Proofs

What Catchment promises about faults, and what campaigns saw that anybody can run. In a clone, as root on a
machine that does nothing else:

    tests/fault/campaign.py            # all of them, about an hour on two cores; as make check-fault
    tests/fault/campaign.py %s      # one, five to fifteen minutes; as make check-fault CAMPAIGN=%s

They install the Debian packages that they need, start stacks of their own, and write this page and
`tests/fault/results.json` themselves. Each campaign has mutants, the product with a guard taken out: a figure
counts only when the campaign has seen every one of its mutants break the promise. (How much of the code the
tests reach, 17e, is a measure without a guard, and has none.) What could not run where it was, without root
for instance, says so, and is not held. A figure is of the product that stands beside it; what has changed since is
in the changelog, until its campaign is played again. `./check` plays the short forms of the campaigns, and fails
where a promise has no row here, or one that was not held.
"""


def word(value, yes, no, none):
    return none if value is None else yes if value else no


def cell(text):
    return " ".join(str(text).replace("|", "\\|").split())


def mutants_word(one):
    return "%d, %s" % (len(one["mutants"]), word(one["mutant_failed"], "seen", "**not seen**", "not run")) if one["mutants"] else "none"


def table(rows):
    lines = ["| campaign | promise | what | held | its mutants |", "|---|---|---|---|---|"]
    lines += ["| %s |" % " | ".join(cell(c) for c in (
        one["campaign"], one["promise"], one["goal"], word(one["held"], "yes", "**no**", "not run"), mutants_word(one)))
        for one in rows]
    return "\n".join(lines) + "\n"


def section(name, rows):
    """A campaign's figures, each with those of the mutants that had to break it."""
    text = "\n## %s\n" % name
    told = None
    for one in rows:
        where = "Played on %s with Catchment %s, on %s." % (one["date"], one["product"], one["machine"])
        text += "\n%s\n" % where if where != told else ""
        told = where
        text += "\n**%s: %s.** Reached: %s.\n" % tuple(cell(one[key]) for key in ("promise", "goal", "figure"))
        text += "".join("- the product with a guard less, *%s*: %s\n" % (cell(mutant), cell(seen)) for mutant, seen in one["mutants"].items())
    return text


def page(rows):
    names = list(dict.fromkeys(one["campaign"] for one in rows))
    text = HEAD % (2 * (names[0] if names else "NAME",)) + "\n" + table(rows)
    text += "".join(section(name, [one for one in rows if one["campaign"] == name]) for name in names)
    return text
