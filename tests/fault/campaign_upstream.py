"""Every fault of an upstream: its own code, one plain sentence, what was kept, what happens next; records that
cannot be stored, which harm no other; and bytes that arrive as they were served.

Most rows stand in upstream_rows.py. What the simulated API cannot do, HTTP that nginx would not pass on and
certificates that are wrong, comes from servers beside it (sender.py), and only a stack of the campaign's
own lets its runner reach those."""
import base64
import collections
import concurrent.futures
import random
import types

import house as houses
import play
import sender
import upstream_rows
from proof import Figure, Mutant, Promise, not_run
from upstream_rows import POISONS, ROWS

NAME = "upstream"
ALONE = True  # some faults are of time
SETTINGS = "RUNNER_HOST_RATE=0\nRUNNER_SERVICE_RUNS=10000\n"
PROMISES = [
    Promise("faults", "each fault of an API has its code, its sentence, what was kept and what happens next"),
    Promise("protocol", "so has each breach of HTTP and each certificate that is wrong; nothing of them is kept"),
    Promise("records", "a record that cannot be stored is set aside as it came, says why, and harms no other"),
    Promise("bytes", "no number, key or order changes on the way: what is exported is what was served, byte for byte"),
]
MUTANTS = [
    Mutant("no cap on a body", ("faults",), (
        ("lib/http/transfer.c", "if (len > t->body_max - t->received)", "if (len > t->body_max && len < t->received)"),
        ("lib/http/transfer.c", "return !transfer_is_for_sink(t) && total > BOMB_FROM &&",
         "return !transfer_is_for_sink(t) && total > BOMB_FROM && uncounted < 0 &&"))),
    Mutant("a body that was cut counts as a page without records", ("protocol",), (
        ("engine/run_page.c", "\treturn scan_check_indexed(r->paging, answer->body, &w->index, root, &e) ||",
         "\tif (looks_cut(answer->body)) {\n\t\t*root = (struct scan_value){ SCAN_NONE, { \"\", 0 } };\n\t\treturn true;\n\t}\n"
         "\treturn scan_check_indexed(r->paging, answer->body, &w->index, root, &e) ||"),)),
    Mutant("a length that stands twice is taken", ("protocol",), (
        ("lib/http/head.c", "\tif (t->length_said)\n\t\treturn \"Content-Length stands twice\";\n", ""),)),
    Mutant("a cursor that was there already is followed", ("faults",), (
        ("engine/paginate.c", "if (!by_body && !guard_cursor_is_new(at))",
         "if (!by_body && !guard_cursor_is_new(at) && end == NULL)"),)),
    Mutant("records are stored without a look at their values", ("records",), (
        ("engine/record.c", "flags = index != NULL ? scan_index_flags(index, r->bytes) : scan_flags_of(r->bytes);", "flags = 0;"),)),
    Mutant("records are kept as jsonb", ("bytes",), (
        ("sql/migrations/0034_lookups.sql", "unnest(p_hashes), unnest(p_data), unnest(p_seqs)",
         "unnest(p_hashes), unnest(p_data)::jsonb::json, unnest(p_seqs)"),
        ("sql/migrations/0034_lookups.sql", "SELECT t, p_stream, d.key, d.key_hash, d.hash, d.data, d.seq FROM differing d",
         "SELECT t, p_stream, d.key, d.key_hash, d.hash, d.data::jsonb::json, d.seq FROM differing d"))),
    Mutant("numbers go through a double", ("bytes",), (
        ("runner/commit_rows.c", "static struct columns columns_of(",
         "static struct str doubled(struct arena *a, struct str s)\n{\n\tstruct buf b;\n\tbool quoted = false;\n\n"
         "\tbuf_init(&b, 4 * s.len + 64);\n\tfor (size_t i = 0; i < s.len; i++) {\n\t\tchar c = s.p[i];\n\n"
         "\t\tif (quoted && c == '\\\\') {\n\t\t\tbuf_char(&b, c);\n\t\t\tc = s.p[++i];\n"
         "\t\t} else if (c == '\"') {\n\t\t\tquoted = !quoted;\n"
         "\t\t} else if (!quoted && (c == '-' || (c >= '0' && c <= '9'))) {\n\t\t\tchar *end;\n"
         "\t\t\tdouble d = strtod(s.p + i, &end);\n\n\t\t\tbuf_printf(&b, \"%.17g\", d);\n"
         "\t\t\ti = (size_t)(end - s.p) - 1;\n\t\t\tcontinue;\n\t\t}\n\t\tbuf_char(&b, c);\n\t}\n"
         "\ts = arena_copy(a, buf_view(&b));\n\tbuf_free(&b);\n\treturn s;\n}\n\nstatic struct columns columns_of("),
        ("runner/commit_rows.c", "\t\tk.data[k.n] = r->bytes;", "\t\tk.data[k.n] = doubled(a, r->bytes);"))),
]

# rows of the table (each n-th), generated records, of them a page
SIZES = {"full": (1, 6000, 100), "mutant": (1, 600, 50), "short": (6, 0, 0)}

# What each breach of HTTP (tests/upstream/README.md) comes to: status, codes, names
CUT, SILENT = "body_truncated", "timeout_first_byte"
RUDE = [(name, status, codes.split()) for status, codes, names in (
    ("Success", "", "fine close_delimited promised_keep_alive second_answer header_folded length_and_chunks"),
    ("Failed", "bad_response", "length_twice length_list length_negative length_huge length_word header_nul header_nameless "
     "status_none status_garbage status_999"),
    ("Failed", "headers_too_large", "endless_headers endless_header_line endless_100"),
    ("waiting", CUT, "close_delimited_cut chunk_bad chunk_huge chunk_reset reset_in_body"),
    ("waiting", "connect_failed", "nothing reset"), ("waiting", SILENT, "silence slow_headers"),
    # whichever comes first, by the speed of the machine
    ("waiting Failed", "timeout_total body_too_large", "endless_chunks")) for name in names.split()]
RUDE_KEPT = 2


class Beside(play.Stage):
    """A collector for each thing that the servers beside the simulated API do."""

    def __init__(self, stack):
        self.stack, self.creator = stack, play.sign_up(stack.url, "creator")
        names = [name for name, _, _ in RUDE] + ["numbers"]
        source = {**play.SOURCE, "functions": [
            {"id": name, "name": name, "method": "GET", "path": "/" + name, "parameters": [play.parameter("page")]}
            for name in names]}
        source = self.creator.post("/datasources/manual", source, status=201)["id"]
        pipelines = [play.pipeline(name, name, None, retries=1, timeout=4) for name in names[:-1]]
        pipelines.append(play.pipeline("numbers", "numbers", {"type": "page"}, timeout=20))
        pipelines.append(play.pipeline("patient", "fine", None, retries=0, timeout=60))
        self.collector = self.creator.post("/collectors", {
            "name": play.unique("Beside"), "dataSourceId": source, "pipelines": pipelines}, status=201)["id"]
        self.creator.post("/collectors/%s/publish" % self.collector, {"version": "1.0.0"})

    def at(self, port, scheme="http"):
        return self.install(address="%s://127.0.0.1:%d" % (scheme, port))


class Wrong(list):
    """What did not come to what its row says."""

    def judge(self, name, look, *words):
        try:
            look(*words)
            return True
        except AssertionError as broken:
            self.append("%s: %s" % (name, (str(broken).strip() or "?").splitlines()[0][:300]))
            return False

    def said(self):
        return "".join("; " + one for one in self[:3])


def at_once(act, items):
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        return list(pool.map(act, items))


# --- faults ---

def ask_row(stage, r):
    installed = stage.install(r.settings)
    return installed, installed.ask(r.pipeline)


def faults(house, stage, size):
    rows = ROWS[::SIZES[size][0]]
    asked = at_once(lambda r: ask_row(stage, r), rows)
    wrong = Wrong()
    for r, (installed, execution) in zip(rows, asked):
        if not wrong.judge(r.name, upstream_rows.check, installed, execution, r, 60 if size == "full" else 20):
            installed.api("POST", "/executions/%s/cancel" % execution)
    for name, look in TOKENS.items():
        wrong.judge(name, look, stage.stack)
    n, codes = len(rows) + len(TOKENS), {r.code for r in rows if r.code}
    return Figure("%d faults, %d codes: %d as they should be%s" % (n, len(codes), n - len(wrong), wrong.said()), not wrong)


# --- 401 where a token can be fetched: once, then no more ---

AUTH = {"type": "OAuth2", "details": {
    "tokenUrl": "/token", "grant": "refresh_token", "clientId": "app-1", "clientSecret": "{config.secret}",
    "refreshToken": "{config.refresh}"}}


def with_token(stack, settings):
    """A run of an API whose tokens are fetched: how it ended, and the ledger."""
    creator, secret = play.sign_up(stack.url, "creator"), "client-secret-" + play.session
    fields = [play.SOURCE["configFields"][0]] + [
        {"name": name, "type": "Password", "label": name, "required": True} for name in ("secret", "refresh")]
    source = creator.post("/datasources/manual", {**play.SOURCE, "authConfig": AUTH, "configFields": fields}, status=201)["id"]
    collector = creator.post("/collectors", {"name": play.unique("Tokens"), "dataSourceId": source,
                                             "pipelines": play.PIPELINES[:1]}, status=201)["id"]
    creator.post("/collectors/%s/publish" % collector, {"version": "1.0.0"})
    place = play.Installed.__new__(play.Installed)
    place.stack, place.name, place.api = stack, play.unique("token"), play.sign_up(stack.url, "tenant")
    place.play("products=120,auth=oauth,client=app-1,secret=%s,%s" % (secret, settings))
    place.id = place.api.post("/collectors/%s/install" % collector, {"instanceName": "Tokens", "tenantConfig": {
        "address": "%s/s/%s" % (stack.upstream.url, place.name), "secret": secret, "refresh": "rt-0"}}, status=201)["instanceId"]
    end = place.run()
    return end, [line["path"].rsplit("/", 1)[1] + " %d" % line["status"] for line in place.ledger()]


def refreshed_once(stack):
    end, lines = with_token(stack, "revoked=1")
    assert end["status"] == "Success" and lines == ["token 200", "products 401", "token 200"] + 3 * ["products 200"], (end, lines)


def not_refreshed_twice(stack):
    end, lines = with_token(stack, "revoked=99")
    assert end["status"] == "Failed" and end["error"]["code"] == "credential_rejected", end
    upstream_rows.tells(end["error"]["message"], "credential_rejected", 0)
    assert lines == 2 * ["token 200", "products 401"], lines


def not_granted(stack):
    end, lines = with_token(stack, "token_fault=400")
    assert end["status"] == "Failed" and end["error"]["code"] == "auth_refused" and lines == ["token 400"], (end, lines)
    upstream_rows.sentence(end["error"]["message"])


TOKENS = {"a token that was revoked": refreshed_once, "tokens that never count": not_refreshed_twice,
          "no token": not_granted}


# --- protocol ---

def check_end(installed, execution, pipeline, status, codes):
    now = installed.settled(execution, 200 if pipeline == "patient" else 60)  # half a minute for each try
    state = "waiting" if now["waiting"] else now["status"]
    code = (now["waiting"] or now["error"] or {}).get("code")
    assert state in status.split() and code in (codes or [None]), "%s, %s: %s" % (state, code, now["error"] or now["waiting"])
    if code:
        upstream_rows.tells((now["waiting"] or now["error"])["message"], code, 0, upstream_rows.FOLLOWS if now["waiting"] else None)
    if now["waiting"]:
        installed.cancel(execution)
    assert len(installed.export(pipeline)) == (0 if code else RUDE_KEPT)


def protocol(beside, stage):
    places = {"rude": stage.at(beside.rude.port), "full": stage.at(beside.full.port), "slow": stage.at(beside.slow.port), "nobody": stage.at(beside.taken.getsockname()[1]),
              "no TLS": stage.at(beside.plain.port, "https"),
              **{name: stage.at(one.port, "https") for name, one in beside.tls.items()}}
    rows = [("rude", *one) for one in RUDE]
    rows += [("full", "patient", "waiting", ["timeout_connect"]), ("slow", "patient", "waiting", ["timeout_slow"])]
    rows += [("trusted", "fine", "Success", []), ("nobody", "fine", "waiting", ["connect_failed"])]
    rows += [(name, "fine", "Failed", ["tls_failed"]) for name in ("no TLS", *beside.tls) if name != "trusted"]
    stage.stack.sql("INSERT INTO work.lane (tenant_id, max_running) SELECT tenant_id, 100 FROM collect.collector_instances "
                    "WHERE id = '%s'" % places["rude"].id)
    asked = at_once(lambda r: places[r[0]].ask(r[1]), rows)
    wrong = Wrong()
    well = sum(wrong.judge("%s %s" % r[:2], check_end, places[r[0]], execution, *r[1:])
               for r, execution in zip(rows, asked))
    return Figure("%d breaches of HTTP and %d certificates: %d of %d as they should be%s" % (
        len(RUDE), len(beside.tls), well, len(rows), wrong.said()), not wrong)


# --- records ---

def records(stage):
    wrong, asked = Wrong(), []
    for kind in POISONS:
        settings = "products=120,poison=%s,at=60" % kind
        asked.append((kind, stage.install(settings), settings))
    ids = at_once(lambda one: one[1].ask(), asked)
    for (kind, installed, settings), execution in zip(asked, ids):
        wrong.judge(kind, upstream_rows.check_spoilt, installed, execution, settings, POISONS[kind])
    return Figure("%d kinds of odd records, %d that cannot be stored: %d as they should be%s" % (
        len(POISONS), sum(code is not None for code in POISONS.values()), len(POISONS) - len(wrong), wrong.said()), not wrong)


# --- bytes ---

def digits(rng, n):
    return str(rng.randint(1, 9)) + "".join(str(rng.randint(0, 9)) for _ in range(n - 1))


NUMBERS = [
    lambda rng: str(2 ** 53 + rng.randint(1, 1000)), lambda rng: str(-2 ** 53 - rng.randint(1, 1000)),
    lambda rng: str(2 ** 63 + rng.randint(0, 1000)), lambda rng: str(2 ** 64 + rng.randint(0, 1000)),
    lambda rng: digits(rng, rng.randint(20, 60)), lambda rng: digits(rng, 20) + "." + digits(rng, 20),
    lambda rng: "0." + digits(rng, 40), lambda rng: digits(rng, 3) + "." + digits(rng, 2) + "0" * rng.randint(1, 9),
    lambda rng: "%d%s%s%d" % (rng.randint(1, 99), rng.choice("eE"), rng.choice(("", "+", "-")), rng.randint(0, 300)),
    lambda rng: rng.choice(("-0", "-0.0", "0.0", "0e0", "-0E-0", "1e400", "1.0", "0.10", "1E+02")),
]
TEXTS = ['"\\u00e9"', '"é"', '"\\/"', '"/"', '"\\ud83d\\ude00"', '"😀"', '"\\u0041"', '"1e5"', '"-0"', '""', '"\\t\\"\\\\"']


def value(rng, depth=0):
    kind = rng.random()
    if kind < 0.6 or depth > 2:
        return rng.choice(NUMBERS)(rng)
    if kind < 0.8:
        return rng.choice(TEXTS)
    if kind < 0.9:
        return "[%s]" % rng.choice((",", ", ", " ,")).join(value(rng, depth + 1) for _ in range(rng.randint(0, 4)))
    return members(rng, depth + 1)


def members(rng, depth=0, first=()):
    """An object whose keys stand in no order, some of them twice."""
    names = rng.sample("abcdefghijklmnopqrstuvwxyz", rng.randint(1, 8))
    pairs = [('"%s"' % name, value(rng, depth)) for name in names]
    pairs += [(name, value(rng, depth)) for name, _ in pairs[:1] if rng.random() < 0.3]
    pairs += first
    rng.shuffle(pairs)
    comma, colon = rng.choice((",", ", ", " , ")), rng.choice((":", ": ", " : "))
    return "{%s}" % comma.join(name + colon + one for name, one in pairs)


BAD = {
    "nul_character": lambda i: '{"id":%d,"text":"a\\u0000b"}' % i,
    "lone_surrogate": lambda i: '{"text":"\\udfff","id":%d}' % i,
    "number_too_big": lambda i: '{"id":%d,"n":1e200000}' % i,
    "record_too_large": lambda i: '{"id":%d,"text":"%s"}' % (i, "x" * (1 << 20)),
}


def generated(n, page):
    """n records in pages, the bytes of each page, and which of them have to be set aside, under which code."""
    rng = random.Random(20)  # the same ones on every machine
    made = [members(rng, first=[('"id"', str(i))]) for i in range(n)]
    aside = {}
    for at, code in enumerate(list(BAD) * 3):
        i = (at + 1) * n // 13
        made[i] = BAD[code](i)
        aside[i] = code
    made = [one.encode() for one in made]
    return made, [b"[" + b",".join(made[i:i + page]) + b"]" for i in range(0, n, page)], aside


def numbers(beside, stage, made, aside):
    place = stage.at(beside.plain.port)
    end = place.run("numbers", 120)
    came = place.export("numbers")
    due = collections.Counter(one for i, one in enumerate(made) if i not in aside)
    same = sum((due & collections.Counter(came)).values())
    apart = {(one["code"], base64.b64decode(one["base64"])) for one in place.quarantine(end["executionId"])}
    right = sum((code, made[i][:16384]) in apart for i, code in aside.items())
    held = len(came) == same == len(made) - len(aside) and right == len(aside) == end["recordsQuarantined"]
    return Figure("%d generated records: %d of %d arrived byte for byte, %d of %d were set aside as they came; the run ended as "
                  "%s" % (len(made), same, len(made) - len(aside), right, len(aside), end["status"]),
                  held and end["status"] == "Partial")


def with_servers(house, size, wanted):
    """What needs the servers beside: the stack starts again with their ports let through."""
    made, pages, aside = generated(*SIZES[size][1:])
    rude = house.state / "build/tree/tests/upstream/rude"
    beside = sender.Beside(houses.working_folder(house.folder), rude, pages)
    try:
        port = house.stack.upstream.at.port
        house.settings = SETTINGS + beside.settings(port)
        house.stop()
        house.start()
        assert house.stack.upstream.at.port == port, "the ports have changed"
        stage = Beside(house.stack)
        parts = {"protocol": lambda: protocol(beside, stage), "bytes": lambda: numbers(beside, stage, made, aside)}
        return {name: part() for name, part in parts.items() if name in wanted}
    finally:
        beside.end()


def campaign(house, size):
    wanted = getattr(house, "breaks", None) or [promise.number for promise in PROMISES]
    stage = play.Stage(house.stack)
    found = {}
    if "faults" in wanted:
        found["faults"] = faults(house, stage, size)
    if "records" in wanted:
        found["records"] = records(stage)
    if size == "short":
        return {**found, **{name: not_run("it needs a stack of its own") for name in ("protocol", "bytes")}}
    if {"protocol", "bytes"} & set(wanted):
        found.update(with_servers(house, size, wanted))
    return found
