"""A small site that is right, and one mutant of it for each thing that can be wrong.

/ and a few other pages show self/good.html; /mutant/NAME shows it with one change, under the same policy
that Catchment's pages have. What a page loads below /mutant/NAME/ is changed in the same way.
"""
import base64
import http.server
import pathlib
import random
import threading
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent / "self"
POLICY = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
          "frame-ancestors 'none'; base-uri 'none'")
KINDS = {".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
ONE, TWO = "0190aaaa-0000-7000-8000-000000000001", "0190aaaa-0000-7000-8000-000000000002"
PAGES = {  # address: links that are added to the good page there
    "/": ["/list?cursor=a", "/list?kind=b", "/list?cursor=b&kind=c", "/api/v1/list"],
    "/list": ["/things/" + ONE, "/things/" + TWO, "/list?cursor=b", "/list?tab=log", "/list?tab=records", "/export.csv"],
    "/things/" + ONE: ["/things/" + ONE + "/runs/7"],
    "/things/" + TWO: ["/things/" + TWO, "/things/" + TWO + "/runs/8", "/things/" + TWO + "/releases/1.0.10"],
    "/things/%s/runs/7" % ONE: [], "/things/%s/runs/8" % TWO: [], "/things/%s/releases/1.0.10" % TWO: [],
    "/took": [],
}
# name: (what of the good page, instead of it, the finding's beginning and a word of it)
MUTANTS = {
    "missing alt": (' alt="A basin"', "", "axe, light", "image-alt"),
    "missing label": ('<label for="name">Name</label>', "Name", "axe, light", "label"),
    "missing language": (' lang="en"', "", "outline", "lang"),
    "missing title": ("<title>A good page</title>", "", "outline", "title"),
    "missing icon": ('<link rel="icon" href="/basin.svg">', "", "outline", "icon"),
    "missing landmark": ("main", "div", "outline", "main"),
    "missing navigation": ("nav", "div", "outline", "nav"),
    "two h1": ("</h1>", "</h1><h1>Another</h1>", "outline", "2 h1"),
    "invalid nesting": ("<h1>", "<p><div>Block in a paragraph</div></p><h1>", "HTML", "<p>"),
    "id twice": ('<p id="told">', '<p id="told">Twice</p><p id="told">', "HTML", "id"),
    "inline style": ('<p id="told">', '<p id="told" style="color: red">', "console", "Content Security Policy"),
    "inline script": ("<h1>", "<script>1;</script><h1>", "console", "Content Security Policy"),
    "console error": ("good.js", "bad.js", "console", "broken on purpose"),
    "asset not found": ("basin.svg", "absent.svg", "console", "404"),
    "too heavy": ("basin.svg", "heavy.svg", "size", "gzipped"),
    "dead link": ('href="/list"', 'href="/absent"', "links", "/absent answers 404"),
    "broken link": ('href="/list"', 'href="/broken"', "links", "/broken answers 500"),
    "dead fragment": ('id="content"', 'id="contents"', "links", "#content"),
    "sideways page": ("overflow-x: auto", "overflow-x: visible", "320 px", "px wide"),
    "hidden scroller": ('"wide" tabindex="0"', '"wide"', "320 px", "keyboard"),
    "cut off": ("overflow-x: auto", "overflow-x: hidden", "320 px", "cut off"),
    "pale in dark": ("--paper: #14171a", "--paper: #b9bdc1", "axe, dark", "color-contrast"),
    "pale in light": ("--ink: #1b1f24", "--ink: #c0c4c8", "axe, light", "color-contrast"),
    "pale when narrow": (":focus-visible", "@media (max-width: 400px) { h1 { color: #c8ccd0; background: #fff; } } :focus-visible",
                         "axe, 320 px", "color-contrast"),
    "small targets": ("display: inline-block; padding: .4rem;", "font-size: .6rem; display: block; line-height: 1;",
                      "axe, light", "target-size"),
    # these are for the keyboard
    "no ring": ("outline: 3px solid var(--link)", "outline: none", None, None),
    "covered": ("body {", "body::after { content: ''; position: fixed; inset: 0; background: #fff; } body {", None, None),
    "unreachable": ('<button type="submit">', '<button type="submit" tabindex="-1">', None, None),
    "trap": ("good.js", "trap.js", None, None),
}
EXTRA = {
    "/bad.js": ("text/javascript", 'throw new Error("broken on purpose");'),
    "/trap.js": ("text/javascript", 'document.addEventListener("keydown", e => {'
                 ' if (e.target.id === "name" && e.key === "Tab") e.preventDefault(); });'),
    "/heavy.svg": ("image/svg+xml", '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><!-- %s --></svg>' %
                   base64.b64encode(random.Random(1).randbytes(101 * 1024)).decode()),
    "/export.csv": ("text/csv", "a,b\n"),
    "/api/v1/list": ("application/json", "[]"),
}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        path = urllib.parse.urlsplit(self.path).path
        change = None
        if path.startswith("/mutant/"):
            name, _, rest = urllib.parse.unquote(path[len("/mutant/"):]).partition("/")
            change, path = MUTANTS[name][:2], "/" + rest
        if path == "/moved":
            self.send_response(303)
            self.send_header("Location", "/list")
            self.send_header("Set-Cookie", "seen=yes; Path=/; HttpOnly; SameSite=Lax")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.answer(*self.find(path, change, self.path.split("?")[0].rstrip("/")))

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def find(self, path, change, here):
        if path == "/gone":
            return 404, KINDS[".html"], (HERE / "good.html").read_text(encoding="utf-8")
        if path == "/broken":
            return 500, "text/plain", "broken"
        if path in EXTRA:
            return (200,) + EXTRA[path]
        file = HERE / ("good.html" if path in PAGES else path[1:])
        if file.parent != HERE or not file.is_file():
            return 404, "text/plain", "not found"
        text = file.read_text(encoding="utf-8")
        if file.suffix == ".html":
            added = "".join('<p><a href="%s">More of %d</a></p>' % (link, i) for i, link in enumerate(PAGES[path]))
            text = text.replace("</main>", added + "</main>") if not change else text
        if change:
            text = text.replace(*change)
            for name in ("good.css", "good.js", "bad.js", "trap.js"):
                text = text.replace('"/%s"' % name, '"%s/%s"' % (here, name))
        return 200, KINDS[file.suffix], text

    def answer(self, status, kind, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", POLICY)
        self.end_headers()
        self.wfile.write(body)


class Site:
    def __init__(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = "http://127.0.0.1:%d" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def mutant(self, name):
        return "%s/mutant/%s" % (self.url, urllib.parse.quote(name))

    def close(self):
        self.server.shutdown()
        self.server.server_close()
