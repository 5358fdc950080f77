"""What the bench reaches and writes down: results.json, and docs/PERFORMANCE.md made from it and performance.md."""
import json
import pathlib
import re
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "fault"))
import proof  # noqa: E402

RESULTS = proof.ROOT / "tests/bench/results.json"
PROSE = proof.ROOT / "tests/bench/performance.md"
PAGE = proof.ROOT / "docs/PERFORMANCE.md"
BUSY_MOST = 0.2  # cores that others may take


def measured(row, values, limits=(), held=None, note=""):
    """What a row of a module's ROWS (name, unit, goal, least ratio) came to: values and limits are what the rounds
    gave, in turn. held decides where there is no ratio: a function of the median."""
    name, unit, goal, least = row
    middle = statistics.median(values)
    ratio = statistics.median(v / l for v, l in zip(values, limits)) if limits else None
    if least is not None:
        held = None if ratio is None else ratio >= least
    elif callable(held):
        held = held(middle)
    return {"name": name, "figure": middle, "unit": unit, "spread": [min(values), max(values)],
            "limit": statistics.median(limits) if limits else None, "ratio": ratio, "goal": goal, "held": held,
            "note": note}


def results():
    return json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else []


def rounded(value):
    """Four digits tell enough, and keep the file from changing in all others."""
    if isinstance(value, list):
        return [rounded(one) for one in value]
    if not isinstance(value, float):
        return value
    return float("%.4g" % value) if abs(value) < 10000 else round(value)


def keep(module, figures, order, busy=0.0):
    """Puts a module's figures in the place of its older ones, and makes the page anew. order: the (module, name)
    that there are, as the page shows them. busy: how many cores others had before the module began."""
    known = {(one["bench"], one["name"]): one for one in results()}
    for one in figures:
        known[module, one["name"]] = {
            "bench": module, **{key: rounded(one.get(key)) for key in (
                "name", "figure", "unit", "spread", "limit", "ratio", "goal", "held", "note")},
            "date": proof.today(), "machine": proof.machine(), "busy": round(busy, 1)}
    kept = [known[key] for key in order if key in known]
    RESULTS.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    PAGE.write_text(page(kept), encoding="utf-8")


def number(value):
    if value is None:
        return ""
    return "{:,}".format(round(value)) if abs(value) >= 1000 else "%.4g" % value


def spread(one):
    low, high = one["spread"] or (None, None)
    return "" if low == high else " (%s to %s)" % (number(low), number(high))


def cells(one):
    return (one["name"], number(one["figure"]) + spread(one), one["unit"], number(one["limit"]),
            "%.2f" % one["ratio"] if one["ratio"] is not None else "", one["goal"],
            proof.word(one["held"], "yes", "**no**", "") if one["goal"] else "")


def table(rows):
    """A module's table, what is worth saying of its rows, and where it was measured."""
    if not rows:
        return "Not measured yet.\n"
    lines = ["| what | reached | unit | limit | ratio | goal | held |", "|---|---|---|---|---|---|---|"]
    lines += ["| %s |" % " | ".join(proof.cell(one) for one in cells(row)) for row in rows]
    text = "\n".join(lines) + "\n\n"
    text += "".join("- %s: %s\n" % (row["name"], row["note"]) for row in rows if row["note"])
    places = dict.fromkeys("Measured on %s, on %s%s." % (row["date"], row["machine"], beside(row)) for row in rows)
    return text + ("\n" if any(row["note"] for row in rows) else "") + "\n".join(places) + "\n"


def beside(row):
    """Figures that were taken beside other work say so: they are not what the product can do."""
    return ", **beside others, who had %s cores**" % row["busy"] if row["busy"] > BUSY_MOST else ""


PLACE = re.compile(r"^\{\{(\w+)\}\}\n", re.M)


def page(rows):
    """The prose, with each {{module}} on a line of its own replaced by that module's table."""
    return PLACE.sub(lambda at: table([one for one in rows if one["bench"] == at[1]]), PROSE.read_text(encoding="utf-8"))
