"""Finds every page that a person can reach by links, one example of each kind.

Addresses are grouped by pattern: ids become {id}. Of each pattern a few pages are read for their links,
and the longest is the example: it shows most.
"""
import re
import urllib.parse

FOLLOWED = 4  # pages of one pattern that are read for links
PAGES_MAX = 400  # a crawl that goes on beyond this has met an address that the patterns do not know
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
SEGMENTS = [  # the first that fits a whole segment
    (ID, "{id}"),
    (re.compile(r"\d+\.\d+\.\d+"), "{version}"),
    (re.compile(r"\d+"), "{n}"),
    (re.compile(r"[\w~-]{24,}"), "{key}"),
]
# One template shows each part of the API's description.
PARTS = re.compile(r"(/docs/api)/[\w-]+")
# What narrows a list: one example of them all, for pages look the same.
FILTERS = ("action", "authType", "category", "limit", "objectId", "publisher", "tag", "userId", "verified")
# What decides by its value which part of a page is shown; of other parameters one example counts.
SHOWS = ("tab", "view")
NOT_PAGES = re.compile(r"/api/|/assets/|.*\.(json|ndjson|csv|css|js|svg|png|ico|txt)$")


def segment(text):
    return next((name for expression, name in SEGMENTS if expression.fullmatch(text)), text)


def pattern(url):
    """/executions/{id}?tab=log&cursor: the kind of page behind an address."""
    there = urllib.parse.urlsplit(url)
    path = "/".join(segment(part) for part in there.path.split("/")) or "/"
    path = PARTS.sub(r"\1/{part}", path)
    keys = ["filter" if k in FILTERS else "%s=%s" % (k, v) if k in SHOWS else k
            for k, v in urllib.parse.parse_qsl(there.query, True)]
    return path + ("?" + "&".join(sorted(set(keys))) if keys else "")


class Example:
    def __init__(self, pattern, answer):
        self.pattern = pattern
        self.url = answer.url
        self.length = len(answer.body)


class Crawl:
    def __init__(self, visitor):
        self.visitor = visitor
        self.waiting = []
        self.asked = set()
        self.tries = {}  # how often a pattern was asked for
        self.parameters = set()  # (path, parameter) that was seen
        self.examples = {}  # by pattern

    def is_new(self, url):
        """A combination of parameters counts only if one of them is new on that page: facets multiply."""
        kind = pattern(url)
        path, _, keys = kind.partition("?")
        news = {(path, key) for key in keys.split("&") if keys} - self.parameters
        if keys and kind not in self.tries and not news:
            return False
        self.parameters |= news
        self.tries[kind] = self.tries.get(kind, 0) + 1
        return self.tries[kind] <= (1 if keys else FOLLOWED)

    def add(self, url):
        url = urllib.parse.urldefrag(url)[0]
        path = urllib.parse.urlsplit(url).path
        if url not in self.asked and self.visitor.is_here(url) and not NOT_PAGES.match(path) and self.is_new(url):
            self.asked.add(url)
            self.waiting.append(url)

    def read(self, url):
        answer = self.visitor.get(url)
        if not answer.is_page:
            return
        kind = pattern(answer.url)  # after redirects
        known = self.examples.get(kind)
        if known is None or len(answer.body) > known.length:
            self.examples[kind] = Example(kind, answer)
        for link in answer.page.links:
            self.add(link)

    def run(self, start):
        for url in start:
            self.add(urllib.parse.urljoin(self.visitor.base + "/", url))
        while self.waiting:
            assert len(self.asked) < PAGES_MAX, "the crawl does not end; last addresses: %s" % sorted(self.asked)[-5:]
            self.read(self.waiting.pop(0))
        return [self.examples[kind] for kind in sorted(self.examples)]


def every_page(visitor, *start):
    """An Example of every page that this person reaches from the start pages."""
    return Crawl(visitor).run(start or ("/",))


def difference(expected, found):
    """Sentences about pages that can no longer be reached, and pages that nobody listed."""
    return (["%s can no longer be reached" % p for p in sorted(set(expected) - set(found))] +
            ["%s is not listed in tests/browser/pages.py" % p for p in sorted(set(found) - set(expected))])
