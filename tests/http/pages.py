"""A browser without a screen, for tests of pages: it keeps cookies, follows redirects, reads what a
page shows and submits the forms that the page offers, and nothing else.

    person = sign_up(api)
    page = person.get("/members")
    page = page.form("/invitations").fill(email="x@example.com", role="editor").press("Invite")
    assert page.flash == "…" and page.errors == []

Each page that comes is held against what all pages promise: see check_page.
"""
import html.parser
import http.client
import re
import urllib.parse

import pytest

from conftest import PASSWORD, PAST_THE_CACHE, unique

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
CSP = "default-src 'none'"


class Element:
    def __init__(self, tag, attributes, parent):
        self.tag, self.attributes, self.parent, self.children = tag, dict(attributes), parent, []

    def __getitem__(self, name):
        return self.attributes[name]

    def get(self, name, other=None):
        return self.attributes.get(name, other)

    def has(self, name):
        return name in self.attributes

    @property
    def classes(self):
        return (self.get("class") or "").split()

    def walk(self):
        for child in self.children:
            if isinstance(child, Element):
                yield child
                yield from child.walk()

    def all(self, tag=None, **attributes):
        """Elements below with that tag and those attributes; class_="x" among others, True: any value."""
        wanted = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
        return [e for e in self.walk() if (tag is None or e.tag == tag) and all(
            (value in e.classes) if name == "class" else e.has(name) if value is True else e.get(name) == value
            for name, value in wanted.items())]

    def one(self, tag=None, **attributes):
        found = self.all(tag, **attributes)
        assert len(found) == 1, (tag, attributes, len(found))
        return found[0]

    @property
    def text(self):
        """Its words, with white space as a reader sees it."""
        return re.sub(r"\s+", " ", self.raw).strip()

    @property
    def raw(self):
        return "".join(c if isinstance(c, str) else c.raw for c in self.children
                       if isinstance(c, str) or c.tag not in ("script", "style"))

    def inside(self, tag):
        at = self.parent
        while at is not None and at.tag != tag:
            at = at.parent
        return at


class Tree(html.parser.HTMLParser):
    """A strict reader: what is not closed in its place is a failure."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.root = self.at = Element("", [], None)
        self.feed(text)
        self.close()
        assert self.at is self.root, ("not closed", self.at.tag)

    def handle_starttag(self, tag, attributes):
        names = [name for name, _ in attributes]
        assert len(names) == len(set(names)), ("an attribute twice", tag, names)
        element = Element(tag, attributes, self.at)
        self.at.children.append(element)
        if tag not in VOID:
            self.at = element

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.at = self.at.parent

    def handle_endtag(self, tag):
        assert tag == self.at.tag, ("closed out of order", tag, "in", self.at.tag)
        self.at = self.at.parent

    def handle_data(self, data):
        self.at.children.append(data)


class Form:
    """A form as the page shows it: fields by name, in their order, with what they hold."""

    def __init__(self, page, element):
        self.page, self.element = page, element
        self.action = element.get("action") or page.path
        self.inputs = [e for e in element.walk() if e.tag in ("input", "select", "textarea") and e.get("name")]
        self.buttons = [e for e in element.walk() if e.tag == "button" and e.get("type") != "button"]
        self.filled = {}

    @staticmethod
    def _value(e):
        if e.tag == "textarea":
            return e.raw.removeprefix("\n")  # HTML: the first line break is not part of the value
        if e.tag == "select":
            options = e.all("option")
            chosen = [o for o in options if o.has("selected")] or options[:1]
            return chosen[0].get("value", chosen[0].text) if chosen else ""
        return e.get("value") or ""

    def names(self):
        return [e["name"] for e in self.inputs]

    def value(self, name):
        """What the field holds; a list of what is ticked where there are boxes."""
        found = [e for e in self.inputs if e["name"] == name and e.get("type") != "hidden"]
        assert found, (name, self.names())
        if found[0].get("type") in ("checkbox", "radio"):
            return [e.get("value", "on") for e in found if e.has("checked")]
        return self._value(found[0])

    def options(self, name):
        return [o.get("value", o.text) for e in self.inputs if e["name"] == name and e.tag == "select"
                for o in e.all("option")]

    def fill(self, values=None, **more):
        """By name; boxes take a list of values, or True and False. A field that the page does not offer,
        or an option that it does not, is a failure."""
        for name, value in {**(values or {}), **more}.items():
            fields = [e for e in self.inputs if e["name"] == name]
            assert fields, (name, "is not among", self.names())
            if isinstance(value, bool):
                value = ["true"] if value else []
            if fields[-1].tag == "select":
                assert value in self.options(name), (name, value, self.options(name))
            if isinstance(value, list):
                boxes = [e.get("value", "on") for e in fields if e.get("type") in ("checkbox", "radio")]
                assert set(value) <= set(boxes), (name, value, boxes)
            self.filled[name] = value
        return self

    def pairs(self):
        out = []
        for e in self.inputs:
            name, box = e["name"], e.get("type") in ("checkbox", "radio")
            if e.has("disabled"):
                continue
            given = self.filled.get(name)
            if box:
                value = e.get("value", "on")
                if value in given if isinstance(given, list) else e.has("checked"):
                    out.append((name, value))
            elif given is None or e.get("type") == "hidden":
                out.append((name, self._value(e)))
            else:
                out.append((name, given))
        return out

    def button(self, name=None):
        """By its words, or by what _do says; the first without."""
        for e in self.buttons:
            if e.has("hidden") and name is not None:
                continue
            if name is None or e.text == name or (e.get("name") == "_do" and e.get("value") == name):
                return e
        raise AssertionError((name, "is not among", [e.text for e in self.buttons]))

    def press(self, name=None, without=(), headers=None):
        button = self.button(name)
        pairs = [(n, v) for n, v in self.pairs() if n not in without]
        if button.get("name"):
            pairs.append((button["name"], button.get("value") or ""))
        action = (button.get("formaction") or self.action).split("#")[0]
        action = urllib.parse.urljoin(self.page.path, action)
        if (self.element.get("method") or "get").lower() == "get":
            query = urllib.parse.urlencode([(n, v) for n, v in pairs if v != ""])
            return self.page.person.get(action.split("?")[0] + ("?" + query if query else ""), status=None)
        return self.page.person.send("POST", action, urllib.parse.urlencode(pairs), headers, self.page.path)


class Page:
    def __init__(self, person, path, status, headers, body):
        self.person, self.path, self.status, self.headers, self.body = person, path, status, headers, body
        self.html = body.decode()
        self.tree = Tree(self.html).root if self.html else Element("", [], None)

    def all(self, tag=None, **attributes):
        return self.tree.all(tag, **attributes)

    def one(self, tag=None, **attributes):
        return self.tree.one(tag, **attributes)

    @property
    def main(self):
        return self.one("main")

    @property
    def title(self):
        return self.one("title").text

    @property
    def h1(self):
        return self.one("h1").text

    @property
    def text(self):
        return self.main.text

    @property
    def flash(self):
        """What the page before left to say; None: nothing."""
        found = self.all("p", class_="flash")
        return found[0].text if found else None

    @property
    def errors(self):
        """The sentences of the summary above a form."""
        return [e.text for box in self.all("div", class_="errors") for e in box.all("li") + box.all("p")]

    def error(self, name):
        """The sentence beside the field of that name; None: there is none."""
        field = [e for e in self.all(name=name) if e.tag in ("input", "select", "textarea")
                 and e.get("type") != "hidden"][0]
        ids = (field.get("aria-describedby") or "").split()
        found = [e for e in self.all("p", class_="error") if e.get("id") in ids]
        if not found and field.inside("fieldset"):
            found = field.inside("fieldset").all("p", class_="error")
        return found[0].text.removeprefix("Error: ") if found else None

    @property
    def links(self):
        """{words: address} of the links in the page's own part."""
        return {e.text: e["href"] for e in self.main.all("a", href=True)}

    def follow(self, words, **rest):
        assert words in self.links, (words, self.links)
        return self.person.get(urllib.parse.urljoin(self.path, self.links[words]), **rest)

    @property
    def forms(self):
        return [Form(self, e) for e in self.main.all("form")]

    def form(self, which=0):
        """By its action, with or without ?_method=, or by its place."""
        if isinstance(which, int):
            return self.forms[which]
        found = [f for f in self.forms if which in (f.action, f.action.split("?")[0])]
        assert found, (which, [f.action for f in self.forms])
        return found[0]

    def has_form(self, action):
        return any(action in (f.action, f.action.split("?")[0]) for f in self.forms)

    def rows(self, number=0):
        """The rows of a table as {heading: cell's words}."""
        table = self.main.all("table")[number]
        heads = [e.text for e in table.one("thead").all("th")]
        return [dict(zip(heads, [c.text for c in row.children if isinstance(c, Element)]))
                for body in table.all("tbody") for row in body.all("tr")]


BLOCKS = {"p", "div", "form", "ul", "ol", "dl", "table", "section", "pre", "h1", "h2", "h3", "details", "fieldset"}
LABELLED = ("input", "select", "textarea")


def check_labels(page):
    labelled = {e["for"] for e in page.all("label", for_=True)}
    for e in page.all():
        if e.tag not in LABELLED or e.get("type") in ("hidden", "submit"):
            continue
        named = e.get("aria-label") or e.get("aria-labelledby") or e.get("id") in labelled or e.inside("label")
        assert named, ("a field without a label", page.path, e.attributes)
    for e in page.all("button") + page.all("a"):
        assert e.text or e.get("aria-label"), ("a control without words", page.path, e.attributes)


def check_headings(page):
    level = 0
    for e in page.all():
        if re.fullmatch(r"h[1-6]", e.tag):
            assert int(e.tag[1]) <= level + 1, ("a heading is left out before", page.path, e.text)
            level = int(e.tag[1])


def check_ids(page):
    ids = [e["id"] for e in page.all(id=True)]
    assert len(ids) == len(set(ids)), ("an id twice", page.path, sorted(i for i in ids if ids.count(i) > 1))
    for e in page.all():
        for name in ("for", "aria-describedby", "aria-labelledby", "aria-controls"):
            for one in (e.get(name) or "").split():
                assert one in ids, (name, one, "is nowhere", page.path)
        href = e.get("href") or ""
        if e.tag == "a" and href.startswith("#") and len(href) > 1:
            assert href[1:] in ids, ("a link to nowhere", page.path, href)


def check_page(page):
    """What every page promises, whatever it shows."""
    assert page.headers["Content-Type"] == "text/html; charset=utf-8", (page.path, page.body[:300])
    assert page.headers["Content-Security-Policy"].startswith(CSP), page.path
    assert "unsafe" not in page.headers["Content-Security-Policy"], page.path
    assert page.headers["X-Content-Type-Options"] == "nosniff", page.path
    assert page.html.startswith("<!doctype html>"), page.path
    assert page.one("html")["lang"] == "en"
    assert page.title.endswith(" · Catchment") and len(page.title) > len(" · Catchment"), (page.path, page.title)
    assert page.h1, page.path
    assert "{{" not in re.sub(r"<(code|pre|textarea)\b.*?</\1>", "", page.html, flags=re.S), page.path
    assert not page.all(style=True) and not page.all("style"), ("a style of its own", page.path)
    assert not any(name.startswith("on") for e in page.all() for name in e.attributes), page.path
    assert all(e.has("src") for e in page.all("script")), page.path
    for e in page.all("form"):
        assert (e.get("method") or "get").lower() in ("get", "post"), page.path
    for e in page.all("table"):
        assert e.all("th"), ("a table without heads", page.path)
    for e in page.all("p"):
        assert not any(b.tag in BLOCKS for b in e.walk()), ("a block in a paragraph", page.path, e.text[:100])
    check_labels(page)
    check_headings(page)
    check_ids(page)


class Person:
    """Somebody with a browser; `token` is what the session's cookie holds."""

    def __init__(self, base):
        self.base = urllib.parse.urlsplit(base)
        self.cookies = {}
        self.email = self.name = None

    @property
    def token(self):
        return next((v for n, v in self.cookies.items() if n.endswith("catchment_session")), None)

    def raw(self, method, path, body=None, headers=None):
        """One exchange, no redirect followed; cookies are kept. (status, headers, body)"""
        sent = {"Host": self.base.netloc, "Accept": "text/html"}
        if not self.cookies and path.startswith("/marketplace/"):
            sent.update(PAST_THE_CACHE)
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{n}={v}" for n, v in self.cookies.items())
        if method != "GET":
            sent.update({"Origin": f"{self.base.scheme}://{self.base.netloc}", "Sec-Fetch-Site": "same-origin",
                         "Content-Type": "application/x-www-form-urlencoded"})
        sent.update(headers or {})
        sent = {name: value for name, value in sent.items() if value is not None}
        connection = http.client.HTTPConnection(self.base.hostname, self.base.port, timeout=90)
        try:
            connection.request(method, path, body=body, headers=sent)
            answer = connection.getresponse()
            out = answer.status, answer.headers, answer.read()
        finally:
            connection.close()
        for cookie in out[1].get_all("Set-Cookie") or []:
            pair, _, rest = cookie.partition(";")
            name, _, value = pair.partition("=")
            assert "HttpOnly" in rest and "SameSite=Lax" in rest, cookie
            if "Max-Age=0" in rest:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        return out

    def send(self, method, path, body=None, headers=None, referer=None):
        """A page, whatever its status; 303 is followed as browsers do."""
        referred = {"Referer": f"{self.base.scheme}://{self.base.netloc}{referer}"} if referer else {}
        for _ in range(5):
            status, got, bytes_ = self.raw(method, path, body, {**referred, **(headers or {})})
            assert status not in (500, 502), (method, path, bytes_[:500])
            if status != 303:
                page = Page(self, path, status, got, bytes_)
                check_page(page)
                return page
            assert not bytes_, "a redirect with a body"
            path, method, body, headers = got["Location"], "GET", None, None
            assert path.startswith("/") and not path.startswith("//"), path
        raise AssertionError(("a redirect without end", path))

    def get(self, path, status=200, **rest):
        page = self.send("GET", path.split("#")[0], **rest)
        assert status is None or page.status == status, (path, page.status, page.text[:500])
        return page

    def sign_in(self, email, password=PASSWORD, back=None):
        page = self.get("/sign-in" + ("?back=" + urllib.parse.quote(back, "") if back else ""))
        return page.form("/sign-in").fill(email=email, password=password).press("Sign in")


def sign_up(base, **values):
    """A new person with a workspace, who came through the page."""
    person = Person(base)
    person.email = values.get("email") or unique("page").replace(" ", "-") + "@example.com"
    person.name = values.get("name") or "Paige Turner"
    person.workspace = values.get("workspace") or unique("Room")
    page = person.get("/sign-up").form("/sign-up").fill(
        email=person.email, password=PASSWORD, name=person.name, workspace=person.workspace).press("Sign up")
    assert page.status == 200 and person.token, page.errors
    return person


def person_of(client):
    """The browser of somebody whom an API client (conftest.Client) made: the same session."""
    person = Person(client.base.geturl())
    person.cookies["catchment_session"] = client.token
    person.email = client.profile["user"]["email"] if client.profile else None
    return person


@pytest.fixture()
def person(api):
    return sign_up(api)


@pytest.fixture()
def stranger(api):
    """Nobody yet."""
    return Person(api)
