"""Holds one page against every measure; each finding is a sentence that begins with the measure's name.

The measures are rows of MEASURES: name, and a function of the page as it was seen. A page is loaded once;
theme and width then change in place.
"""
import json
import os
import pathlib
import subprocess
import urllib.parse

from visitor import Answer

HERE = pathlib.Path(__file__).resolve().parent
PAGE_MAX = 100 * 1024  # bytes, gzipped, with everything that it loads
NARROWEST = 320
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# what can only go wrong by theme: both themes have the same elements
AXE_COLOURS = ["color-contrast", "link-in-text-block"]
# what can only go wrong by width: the rest was judged wide
AXE_NARROW = ["target-size", "scrollable-region-focusable", "color-contrast"]

AXE_RUN = """
    const done = arguments[arguments.length - 1];
    axe.run(document, Object.assign({resultTypes: ["violations"], preload: false}, arguments[0])).then(
        r => done(r.violations.map(v => v.id + ": " + v.help + " (" + v.nodes.slice(0, 3).map(
            n => n.target.join(" ") + " " + n.any.concat(n.all, n.none).slice(0, 1).map(c => c.message)).join("; ") +
            (v.nodes.length > 3 ? "; and " + (v.nodes.length - 3) + " more" : "") + ")")),
        e => done(["it could not run: " + e]));
"""

SIDEWAYS = """
    const wide = document.documentElement.clientWidth, found = [];
    const name = e => e.tagName.toLowerCase() + (e.id ? "#" + e.id : "") +
        (e.classList.length ? "." + [...e.classList].join(".") : "");
    const page = Math.max(document.documentElement.scrollWidth, document.body.scrollWidth);
    if (page > wide) found.push("the page is " + page + " px wide in a window of " + wide + " px");
    for (const e of document.body.querySelectorAll("*")) {
        const box = e.getBoundingClientRect();
        if (!box.width || !box.height || box.right <= 0 || (box.right <= wide + 1 && box.left >= -1)) continue;
        let holder = e.parentElement;
        while (holder && getComputedStyle(holder).overflowX === "visible") holder = holder.parentElement;
        if (!holder || holder === document.body || holder === document.documentElement) {
            found.push(name(e) + " reaches from " + Math.round(box.left) + " to " + Math.round(box.right) + " px");
        } else if (!/auto|scroll/.test(getComputedStyle(holder).overflowX)) {
            if (holder.clientWidth > 1) found.push(name(e) + " is cut off by " + name(holder));
        } else if (holder.tabIndex < 0 || !holder.hasAttribute("tabindex")) {
            found.push(name(holder) + " scrolls, and the keyboard cannot reach it (tabindex=0)");
        }
    }
    return [...new Set(found)].slice(0, 5);
"""

OUTLINE = """
    const count = s => document.querySelectorAll(s).length;
    return {title: document.title.trim(), lang: document.documentElement.lang, h1: count("h1"),
        main: count("main"), icon: count("link[rel~=icon]"), header: count("body > header, [role=banner]"), nav: count("nav, [role=navigation]")};
"""


class Validator:
    """html-validate, kept running."""

    def __init__(self, folder):
        self.process = subprocess.Popen(["node", str(HERE / "validate.js")], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, env=dict(os.environ, CATCHMENT_NODE=folder))

    def judge(self, name, html):
        self.process.stdin.write(json.dumps({"name": name, "html": html}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "html-validate has ended; what it said is above"
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)


class Judge:
    def __init__(self, browser, node):
        self.browser = browser
        self.validator = Validator(node)
        self.axe = (pathlib.Path(node) / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")

    def close(self):
        self.validator.close()

    def judge(self, visitor, url, status=200):
        """Every finding about that page, as this person sees it; status is what it has to answer."""
        answer = visitor.get(url)
        assert (answer.status, answer.kind) == (status, "text/html"), (url, answer.status, answer.kind)
        self.browser.reset()
        self.browser.become(visitor)
        self.browser.complaints()  # of the page before
        self.browser.go(answer.url)
        return self.look(visitor, answer)

    def judge_open(self, visitor):
        """Every finding about the page that is open: what followed a form, and cannot be asked for again.
        Its own status is no complaint: a refused form answers as its client would be answered.
        The window is wide and light afterwards. JavaScript has to be on, for axe waits."""
        url, text = self.browser.sent()
        return self.look(visitor, Answer(url, 200, {"Content-Type": "text/html"}, text.encode()))

    def look(self, visitor, answer):
        seen = Seen(self, visitor, answer)
        try:
            return self.measure(seen)
        finally:
            self.browser.theme("light")
            self.browser.width(1280)

    @staticmethod
    def measure(seen):
        return ["%s: %s" % (name, finding) for name, measure in MEASURES for finding in measure(seen)]


class Seen:
    """A page: as it was sent (answer), and open in the browser."""

    def __init__(self, judge, visitor, answer):
        self.judge, self.visitor, self.browser = judge, visitor, judge.browser
        self.answer, self.page = answer, answer.page
        self.complaints = self.browser.complaints()
        self.browser.run(judge.axe)

    def run_axe(self, **options):
        return self.browser.driver.execute_async_script(AXE_RUN, options)


def valid(seen):
    return seen.judge.validator.judge(urllib.parse.urlsplit(seen.answer.url).path, seen.answer.text)


def console(seen):
    # a browser asks for the default icon once in its life: outline says it on every page
    said = seen.complaints + seen.browser.complaints()
    # a page that says what is not there answers 404 itself
    own = (seen.answer.url + " - Failed to load resource", urllib.parse.urljoin(seen.answer.url, "/favicon.ico"))
    return [one for one in said if not one.startswith(own)]


def size(seen):
    loaded = seen.browser.run("return performance.getEntriesByType('resource').map(e => e.name)")
    assets = {url for url in loaded + seen.page.assets if seen.visitor.is_here(url)}
    weights = {url: seen.visitor.weight(url) for url in assets}
    total = seen.answer.gzipped + sum(weights.values())
    if total > PAGE_MAX:
        heavy = sorted(weights, key=weights.get)[-1:]
        yield "%d bytes gzipped with all it loads, at most %d (the page %d%s)" % (
            total, PAGE_MAX, seen.answer.gzipped, "".join(", %s %d" % (u, weights[u]) for u in heavy))


def outline(seen):
    has = seen.browser.run(OUTLINE)
    if not has["title"]:
        yield "it has no title"
    if not has["lang"]:
        yield "its html has no lang"
    if has["h1"] != 1:
        yield "it has %d h1, not one" % has["h1"]
    if has["main"] != 1:
        yield "it has %d main, not one" % has["main"]
    if not has["icon"]:
        yield "it names no icon, and browsers ask for /favicon.ico"
    for landmark in ("header", "nav"):
        if not has[landmark]:
            yield "it has no %s landmark" % landmark


def links(seen):
    own = urllib.parse.urldefrag(seen.page.url)[0]
    for url in sorted(set(seen.page.links)):
        address, fragment = urllib.parse.urldefrag(url)
        if address == own:
            if fragment and fragment not in seen.page.ids:
                yield "#%s leads nowhere on the page" % fragment
        elif seen.visitor.is_here(url):
            status = seen.visitor.status(url)
            if status >= 400:
                yield "%s answers %d" % (address, status)


def axe(theme, kind, values):
    def measure(seen):
        seen.browser.theme(theme)
        return seen.run_axe(runOnly={"type": kind, "values": values})
    return measure


def narrow(seen):
    seen.browser.theme("light")
    seen.browser.width(NARROWEST)
    return seen.browser.run(SIDEWAYS)


def axe_narrow(seen):
    return seen.run_axe(runOnly={"type": "rule", "values": AXE_NARROW})


# In this order: narrow leaves the window narrow, console comes after all that could complain.
MEASURES = [
    ("HTML", valid),
    ("outline", outline),
    ("size", size),
    ("links", links),
    ("axe, light", axe("light", "tag", AXE_TAGS)),
    ("axe, dark", axe("dark", "rule", AXE_COLOURS)),
    ("320 px", narrow),
    ("axe, 320 px", axe_narrow),
    ("console", console),
]
