"""A person without a browser: cookies, links and forms, read from the HTML as it was sent.

Crawling and checking of links go this way; it is quick, and it is how pages work with JavaScript off.
"""
import gzip
import html.parser
import http.client
import http.cookies
import urllib.parse

BODY_MAX = 4 << 20  # a page; what is larger (an export) is read that far only
REDIRECTS_MAX = 5


class Answer:
    def __init__(self, url, status, headers, body):
        self.url = url
        self.status = status
        self.headers = headers
        # what goes over the wire; a body that came as it is counts as what gzip would make of it
        encoded = headers.get("Content-Encoding") == "gzip"
        self.body = gzip.decompress(body) if encoded else body
        self.gzipped = len(body) if encoded else min(len(body), len(gzip.compress(body, 6)))

    @property
    def kind(self):
        return self.headers.get("Content-Type", "").split(";")[0].strip()

    @property
    def is_page(self):
        return self.status == 200 and self.kind == "text/html"

    @property
    def text(self):
        return self.body.decode("utf-8")

    @property
    def page(self):
        return Page(self.url, self.text)


class Form:
    def __init__(self, attributes):
        self.action = attributes.get("action")
        self.method = (attributes.get("method") or "get").lower()
        self.fields = []  # (name, value), as a browser would send them untouched


class Page(html.parser.HTMLParser):
    """The links, assets, ids and forms of a page."""

    def __init__(self, url, text):
        super().__init__()
        self.url = url
        self.links, self.assets, self.ids, self.forms = [], [], set(), []
        self.select = self.area = None
        self.feed(text)

    def handle_starttag(self, tag, pairs):
        a = dict(pairs)
        self.ids.add(a.get("id"))
        rel = (a.get("rel") or "").split()
        if tag == "a" and "href" in a:
            self.links.append(self.at(a["href"]))
        elif tag == "link" and {"stylesheet", "icon", "preload", "modulepreload"} & set(rel):
            self.assets.append(self.at(a.get("href")))
        elif tag in ("script", "img", "source", "video", "audio", "iframe") and a.get("src"):
            self.assets.append(self.at(a["src"]))
        elif tag == "form":
            self.forms.append(Form(a))
        elif self.forms:
            self.handle_field(tag, a)

    def handle_field(self, tag, a):
        fields = self.forms[-1].fields
        kind = a.get("type", "text")
        if tag == "option" and self.select and ("selected" in a or not self.select[1]):
            self.select[1] = [(self.select[0], a.get("value") or "")]
        elif tag == "select":
            self.select = [a.get("name"), []]
        elif tag == "textarea":
            self.area = (a.get("name"), [])
        elif tag == "input" and a.get("name") and kind not in ("submit", "image", "button", "reset", "file"):
            if kind not in ("checkbox", "radio") or "checked" in a:
                fields.append((a["name"], a.get("value", "on" if kind in ("checkbox", "radio") else "")))

    def handle_data(self, data):
        if self.area:
            self.area[1].append(data)

    def handle_endtag(self, tag):
        if tag == "select" and self.select:
            self.forms[-1].fields += self.select[1]
            self.select = None
        elif tag == "textarea" and self.area:
            self.forms[-1].fields.append((self.area[0], "".join(self.area[1])))
            self.area = None

    def at(self, address):
        return urllib.parse.urljoin(self.url, (address or "").strip())

    def form_of(self, *names):
        """The form that has all of these fields."""
        for form in self.forms:
            if set(names) <= {name for name, _ in form.fields}:
                return form
        raise AssertionError("%s has no form with %s" % (self.url, ", ".join(names)))


class Visitor:
    """One person's cookies at one server."""

    def __init__(self, base, name="visitor"):
        self.base = base.rstrip("/")
        self.name = name
        self.origin = urllib.parse.urlsplit(base)
        self.cookies = {}
        self.connection = None
        self.answered = {}  # the status of each link that was tried
        self.weights = {}  # of each asset, gzipped

    def is_here(self, url):
        there = urllib.parse.urlsplit(url)
        return (there.scheme, there.netloc) == (self.origin.scheme, self.origin.netloc)

    def ask(self, method, url, body=None):
        """One request, whatever it answers; the connection is kept between requests."""
        there = urllib.parse.urlsplit(urllib.parse.urljoin(self.base + "/", url))
        target = urllib.parse.urlunsplit(("", "", there.path or "/", there.query, ""))
        headers = {"Host": self.origin.netloc, "Accept": "text/html,*/*;q=0.8", "Accept-Encoding": "gzip"}
        if self.cookies:
            headers["Cookie"] = "; ".join("%s=%s" % pair for pair in self.cookies.items())
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            headers["Origin"] = self.base
        for attempt in (1, 2):  # a kept connection may have ended meanwhile
            if self.connection is None:
                self.connection = http.client.HTTPConnection(self.origin.hostname, self.origin.port, timeout=60)
            try:
                self.connection.request(method, target, body, headers)
                response = self.connection.getresponse()
                content = response.read(BODY_MAX)
                if response.read(1):
                    self.forget_connection()
                break
            except (http.client.HTTPException, OSError):
                self.forget_connection()
                if attempt == 2:
                    raise
        self.take_cookies(response.headers.get_all("Set-Cookie") or [])
        return Answer(urllib.parse.urlunsplit(there), response.status, response.headers, content)

    def forget_connection(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def take_cookies(self, lines):
        for line in lines:
            for name, morsel in http.cookies.SimpleCookie(line).items():
                if morsel["max-age"] == "0" or not morsel.value:
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.coded_value

    def follow(self, answer):
        for _ in range(REDIRECTS_MAX):
            if answer.status not in (301, 302, 303, 307, 308):
                return answer
            answer = self.ask("GET", urllib.parse.urljoin(answer.url, answer.headers["Location"]))
        raise AssertionError("%s redirects without end" % answer.url)

    def get(self, url):
        return self.follow(self.ask("GET", url))

    def status(self, url):
        """What a link answers, after its redirects; each is tried once."""
        url = urllib.parse.urldefrag(url)[0]
        if url not in self.answered:
            self.answered[url] = self.get(url).status
        return self.answered[url]

    def weight(self, url):
        if url not in self.weights:
            self.weights[url] = self.get(url).gzipped
        return self.weights[url]

    def submit(self, page, values):
        """Fills the form that has these fields, sends it, and gives the page that follows."""
        form = page.form_of(*values)
        fields = [(name, values.get(name, value)) for name, value in form.fields]
        target = urllib.parse.urljoin(page.url, form.action or page.url)
        text = urllib.parse.urlencode(fields)
        if form.method == "get":
            return self.get(target.split("?")[0] + "?" + text)
        return self.follow(self.ask("POST", target, text))

    def sign_in(self, email, password):
        answer = self.submit(self.get("/sign-in").page, {"email": email, "password": password})
        assert answer.is_page and self.cookies, "%s could not sign in: %s" % (email, answer.status)
        return self

    def sign_up(self, email, password, name, workspace):
        answer = self.submit(self.get("/sign-up").page, {
            "email": email, "password": password, "name": name, "workspace": workspace})
        assert answer.is_page and self.cookies, "%s could not sign up: %s" % (email, answer.status)
        return self
