"""Responders at the database's pace: a page of 20 rows as JSON from the product, from a bare C program, from
Node and from PHP-FPM, all behind one nginx and on the same BEGIN, enter, list and COMMIT; and the same page
as HTML. `bench(house)` measures on a running stack (tests/fault/house.py)."""
import contextlib
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "tests/fault"))

import house as houses  # noqa: E402
import play  # noqa: E402

NAME = "web"
PACKAGES = ("PACKAGES_BENCH",)
JSON, HTML = "JSON page of 20 rows", "HTML page of 20 rows"
BARE, NODE, PHP, PHP_KEPT = "bare responder", "Node (http, pg)", "PHP-FPM", "PHP-FPM, statements kept"
ROWS = [  # name, unit, goal in words, least ratio
    (JSON + " against a bare responder", "requests/s", "0.9 of a bare C responder", 0.9),
    (JSON + " against Node", "requests/s", "1.5 times Node (http, pg)", 1.5),
    (JSON + " against PHP-FPM", "requests/s", "2.5 times PHP-FPM (pgsql)", 2.5),
    (JSON + " against PHP-FPM that keeps prepared statements", "requests/s", "none: stands beside it", 0),
    (HTML + " against its JSON", "requests/s", "0.6 of the JSON page", 0.6),
]
LIMITS = [(JSON, BARE), (JSON, NODE), (JSON, PHP), (JSON, PHP_KEPT), (HTML, JSON)]
NAMES = (JSON, BARE, NODE, PHP, PHP_KEPT, HTML)

WORKERS, CONNECTIONS, ROUNDS, SECONDS = 8, 32, 3, 4
COLLECTORS, PAGE = 60, 20
SETTINGS = "WORKERS_COLLECTORS=%d\n" % WORKERS

BENCH_SERVERS = """
	upstream bare { server unix:%(folder)s/bare.sock max_fails=0; }
	upstream php { server unix:%(folder)s/php.sock max_fails=0; }
	upstream node { server 127.0.0.1:%(node_port)d max_fails=0; keepalive 32; }
	server {
		listen 127.0.0.1:%(peer_port)d backlog=4096;
		limit_req zone=per_address burst=1000 nodelay;
		limit_conn connections 500;
		location /bare {
			fastcgi_pass bare;
		}
		location /php {
			fastcgi_param REQUEST_METHOD $request_method;
			fastcgi_param REQUEST_URI $request_uri;
			fastcgi_param QUERY_STRING $query_string;
			fastcgi_param SERVER_PROTOCOL $server_protocol;
			fastcgi_param SCRIPT_FILENAME %(folder)s/peer_web.php;
			fastcgi_param SETTINGS %(folder)s/settings.json;
			fastcgi_pass php;
		}
		location /node {
			proxy_http_version 1.1;
			proxy_set_header Connection "";
			proxy_pass http://node;
		}
	}
"""
PHP_POOL = """[global]
error_log = %(folder)s/php.log
daemonize = no
[bench]
listen = %(folder)s/php.sock
listen.backlog = 1024
pm = static
pm.max_children = %(workers)d
php_admin_value[error_log] = %(folder)s/php.log
php_admin_value[pgsql.allow_persistent] = 1
"""


def statement(name):
    """A query's SQL as the product prepares it."""
    for path in sorted((ROOT / "sql/queries").glob("*.sql")):
        found = re.search(r"^-- name: %s :[^\n]*\n(?:--[^\n]*\n)*(.*?)(?=^-- |\Z)" % name,
                          path.read_text(encoding="utf-8"), re.M | re.S)
        if found:
            return found[1].strip()
    raise AssertionError("no query is called " + name)


class Site:
    """A workspace with collectors, and everybody who shows a page of them."""

    def __init__(self, house):
        self.house, self.stack = house, house.stack
        self.folder = house.folder / "bench-web"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        os.chmod(self.folder, 0o777)
        self.children = []
        self.owner = play.sign_up(self.stack.url, "bench")
        self.fill()
        self.port, self.peer_port = houses.free_port(), houses.free_port()
        self.node_port = self.peer_port + 1
        self.conninfo = "host=%s dbname=catchment user=catchment_web" % self.stack.sockets

    def fill(self):
        source = self.owner.post("/datasources/manual", play.SOURCE, status=201)["id"]
        for number in range(COLLECTORS):
            self.owner.post("/collectors", {
                "name": "Products of shop %d" % number, "dataSourceId": source,
                "description": "Syncs the products of a shop, every hour and as often as its limits allow.",
                "pipelines": play.PIPELINES[:2]}, status=201)
        for table in ("collect.data_collectors", "collect.data_sources", "identity.tokens", "identity.members",
                      "identity.users", "identity.tenants", "market.listing"):
            self.stack.sql("VACUUM ANALYZE " + table)

    def values(self):
        """What the product binds: enter (token, scope, role, address), list (after, limit, filters)."""
        digest, = self.stack.sql("SELECT k.token_hash FROM identity.tokens k JOIN identity.users u ON u.id = k.user_id "
                                 "WHERE u.email = '%s' ORDER BY k.created_at DESC LIMIT 1" % self.owner.mail)
        return [digest[0], "collectors:read", "viewer", "127.0.0.1"], [None, str(PAGE), None, None, None]

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o644)
        return path

    def start(self, *words):
        log = open(self.folder / "peers.log", "ab")
        child = subprocess.Popen(self.stack.as_owner("setpriv", "--pdeathsig", "TERM", *map(str, words)), cwd=self.folder,
                                 stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.children.append(child)

    def build_bare(self):
        flags = subprocess.run(["pkg-config", "--cflags", "--libs", "libpq", "fcgi"], check=True, capture_output=True,
                               text=True).stdout.split()
        subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-o", self.folder / "bare_web", HERE / "bare_web.c", *flags], check=True)

    def start_peers(self):
        enter, listing = self.values()
        enter_sql, list_sql = statement("web_enter"), statement("collector_list")
        settings = {"port": self.node_port, "processes": os.cpu_count(), "pool": WORKERS // os.cpu_count(),
                    "host": self.stack.sockets, "user": "catchment_web", "database": "catchment", "nouns": "collectors",
                    "conninfo": self.conninfo, "enter": {"text": enter_sql, "values": enter},
                    "list": {"text": list_sql, "values": listing}}
        self.write("settings.json", json.dumps(settings))
        for name in ("peer_web.js", "peer_web.php"):
            self.write(name, (HERE / name).read_text())
        self.build_bare()
        self.start(self.folder / "bare_web", self.folder / "bare.sock", WORKERS, self.conninfo, "collectors",
                   self.write("enter.sql", enter_sql), len(enter), *enter,
                   self.write("list.sql", list_sql), len(listing), *("-" if one is None else one for one in listing))
        self.start("node", self.write("peer_web.js", (HERE / "peer_web.js").read_text()), self.folder / "settings.json")
        php = sorted(pathlib.Path("/usr/sbin").glob("php-fpm[0-9]*"))
        assert php, "php-fpm is not installed"
        self.start(php[-1], "--fpm-config", self.write("php.conf", PHP_POOL % {"folder": self.folder, "workers": WORKERS}))

    def start_nginx(self):
        """The product's own nginx once more, with the others beside it, and no bound on the benchmark's rate."""
        text = (self.stack.state / "run/nginx.conf").read_text()
        own = self.stack.url.rsplit(":", 1)[1]
        text = text.replace("127.0.0.1:%s" % own, "127.0.0.1:%d" % self.port).replace("rate=500r/s", "rate=1000000r/s")
        text = text.replace(str(self.stack.state / "run/nginx"), str(self.folder / "nginx"))
        text = text.replace(str(self.stack.state / "log"), str(self.folder))
        text = re.sub(r"\n\tinclude \S*upstream\.conf;", BENCH_SERVERS % vars(self), text)
        (self.folder / "nginx").mkdir(exist_ok=True)
        os.chmod(self.folder / "nginx", 0o777)
        self.start("/usr/sbin/nginx", "-p", self.folder / "nginx", "-c", self.write("nginx.conf", text),
                   "-e", self.folder / "nginx.log", "-g", "daemon off;")

    def addresses(self):
        """{name: (port, path, headers)}"""
        path = "/collectors?limit=%d" % PAGE
        return {JSON: (self.port, "/api/v1" + path, {"Authorization": "Bearer " + self.owner.token}),
                BARE: (self.peer_port, "/bare", {}), NODE: (self.peer_port, "/node", {}),
                PHP: (self.peer_port, "/php", {}), PHP_KEPT: (self.peer_port, "/php?kept", {}),
                HTML: (self.port, path, {"Cookie": "catchment_session=" + self.owner.token})}

    def check(self):
        """Everybody shows the same twenty rows, before anybody is measured."""
        seen = {name: play.until(lambda at=at: self.ask(*at), 20, name) for name, at in self.addresses().items()}
        rows = {name: json.loads(body)["collectors"] for name, body in seen.items() if name != HTML}
        assert len(rows[JSON]) == PAGE and all(one == rows[JSON] for one in rows.values()), rows
        assert all(one["name"].encode() in seen[HTML] for one in rows[JSON])
        self.sizes = {name: len(body) for name, body in seen.items()}

    @staticmethod
    def ask(port, path, headers):
        link = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            link.request("GET", path, headers=headers)
            answer = link.getresponse()
            body = answer.read()
        except OSError:
            return None
        finally:
            link.close()
        return body if answer.status == 200 else None

    def rate(self, name, seconds=SECONDS):
        """Requests a second, all answered with 200."""
        port, path, headers = self.addresses()[name]
        words = [word for pair in headers.items() for word in ("-H", "%s: %s" % pair)]
        done = subprocess.run(["wrk", "-t2", "-c%d" % CONNECTIONS, "-d%d" % seconds, *words, "http://127.0.0.1:%d%s" % (port, path)],
                              capture_output=True, text=True, check=True)
        assert "Non-2xx" not in done.stdout and "Socket errors" not in done.stdout, (name, done.stdout)
        return float(re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)[1])

    def stop(self):
        for child in self.children:
            child.send_signal(signal.SIGTERM)
        for child in self.children:
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()


@contextlib.contextmanager
def eight_workers(house):
    """The stack with as many workers of the family as the others have."""
    before = house.settings
    if SETTINGS not in before:
        house.stop()
        house.settings = before + SETTINGS
        house.start()
    try:
        yield
    finally:
        house.settings = before


@contextlib.contextmanager
def open_site(house):
    site = Site(house)
    try:
        site.start_peers()
        site.start_nginx()
        site.check()
        yield site
    finally:
        site.stop()


def measure(site, names=NAMES):
    """{name: [requests a second, by round]}; a short round first fills caches and plans."""
    rates = {name: [] for name in names}
    for name in names:
        site.rate(name, 1)
    for _ in range(ROUNDS):
        for name in names:
            rates[name].append(site.rate(name))
    return rates


def bench(house):
    with eight_workers(house), open_site(house) as site:
        rates = measure(site)
    middle = {name: statistics.median(all_) for name, all_ in rates.items()}
    out = []
    for (name, unit, goal, least), (ours, limit) in zip(ROWS, LIMITS):
        ratio = middle[ours] / middle[limit]
        out.append({"name": name, "figure": round(middle[ours]), "unit": unit, "limit": round(middle[limit]),
                    "spread": [round(min(rates[ours])), round(max(rates[ours]))],
                    "ratio": round(ratio, 3), "goal": goal, "held": ratio >= least})
    return out


def main():
    """The rows by themselves: bench_web.py"""
    houses.install("PACKAGES_RUN", *PACKAGES)
    folder = houses.working_folder()
    try:
        with houses.House(folder, settings=SETTINGS) as house:
            begun = time.monotonic()
            for row in bench(house):
                print("%(name)s: %(figure)d %(unit)s, limit %(limit)d, ratio %(ratio).2f, goal %(goal)s: " % row
                      + ("held" if row["held"] else "missed"))
            print("(%.0f s)" % (time.monotonic() - begun))
    finally:
        houses.remove(folder)


if __name__ == "__main__":
    main()
