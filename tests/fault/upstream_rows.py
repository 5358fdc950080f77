"""Each fault of an upstream and what has to come of it: state, code, sentence, what was kept, what was sent.
test_upstream_faults.py plays the rows against the stack of ./check, campaign_upstream.py plays more."""
import base64
import collections
import re
import time

import play

PAGE = 50  # records a page; 120 of them make three pages


class Row(collections.namedtuple("Row", "name settings pipeline status code kept requests again until")):
    """status: of the execution, or "waiting"; requests: what the upstream must have seen (None: any);
    again: the least seconds between the spoilt answer and the next request; until: seconds from now
    that a wait lasts, as (least, most)."""


def row(name, settings, status="Success", code=None, kept=120, requests=None, pipeline="by-cursor",
        again=None, until=None):
    return Row(name, "products=120," + settings, pipeline, status, code, kept, requests, again, until)


def page_2(fault, **more):
    return "fault=%s,on_page=2%s" % (fault, "".join(",%s=%s" % pair for pair in more.items()))


RATE = "upstream_rate_limited"
DOWN = "upstream_unavailable"
DAY = 24 * 3600
ROWS = [
    # the rate limit: a wait, never a failure; the upstream's time is kept, and clamped
    row("429 with a second to wait", page_2(429, times=1, retry_after=1), code=RATE, requests=4, again=1),
    row("429 with a date", page_2(429, times=1, retry_after="date:2"), code=RATE, requests=4, again=1),
    row("429 with an old form of date", page_2(429, times=1, retry_after="rfc850:2"), code=RATE,
        requests=4, again=1),
    row("429 with an asctime date", page_2(429, times=1, retry_after="asctime:2"), code=RATE,
        requests=4, again=1),
    row("429 without advice", page_2(429, times=1), code=RATE, requests=4, again=1),
    row("429 with a time gone by", page_2(429, times=1, retry_after=-5), code=RATE, requests=4, again=1),
    row("429 with nonsense", page_2(429, times=1, retry_after="abc"), code=RATE, requests=4, again=1),
    row("429 with two minutes", page_2(429, retry_after=120), "waiting", RATE, 50, 2, until=(100, 121)),
    row("429 with thirty thousand years", page_2(429, retry_after=900000000000), "waiting", RATE, 50, 2,
        until=(DAY - 60, DAY + 1)),
    # passing troubles: again, a few times, then the queue's longer patience
    *(row("%d once" % n, page_2(n, times=1), code=DOWN, requests=4) for n in (500, 502, 503, 504)),
    row("408 once", page_2(408, times=1), code=DOWN, requests=4),
    row("503 that says when", page_2(503, times=1, retry_after=1), code=DOWN, requests=4, again=1),
    row("500 again and again", page_2(500), "waiting", DOWN, 50),
    row("a body cut against its length", page_2("cut_length", times=1), code="body_truncated", requests=4),
    row("a body cut in its chunks", page_2("cut_chunked", times=1), code="body_truncated", requests=4),
    row("a length that promises more", page_2("length_long", times=1), code="body_truncated", requests=4),
    row("a length that promises less", page_2("length_short", times=1), code="body_truncated", requests=4),
    row("silence before the first byte", page_2("hang", ms=30000, times=1), code="timeout_first_byte",
        requests=4, pipeline="hasty"),
    row("a byte now and then", page_2("drip", drip_bytes=1, drip_ms=100, times=1), code="timeout_total",
        requests=4, pipeline="hasty"),
    row("silence in the middle", page_2("stall", ms=30000, times=1), code="timeout_total",
        requests=4, pipeline="hasty"),
    # what only a person can mend: one request, and an end that says so
    row("401", page_2(401), "Failed", "credential_rejected", 50, 2),
    row("403", page_2(403), "Failed", "access_denied", 50, 2),
    row("404", page_2(404), "Failed", "not_found_upstream", 50, 2),
    row("410", page_2(410), "Failed", "not_found_upstream", 50, 2),
    row("400", page_2(400), "Failed", "request_rejected", 50, 2),
    row("another key wanted", "auth=header,secret=not-ours", "Failed", "credential_rejected", 0, 1),
    # bodies that are not what they should be
    row("broken JSON", page_2("bad_json"), "Failed", "bad_body", 50, 2),
    row("a second document", page_2("trailing"), "Failed", "bad_body", 50, 2),
    row("a sign-in page", page_2("html"), "Failed", "bad_body", 50, 2),
    row("a sign-in page that says JSON", page_2("html_as_json"), "Failed", "bad_body", 50, 2),
    row("an empty 200", page_2("empty"), "Failed", "bad_body", 50, 2),
    row("bytes that are no text", "poison=badutf8,at=60", "Failed", "bad_body", 50, 2),
    row("records nested deeper than 64", "poison=deep,at=60", "Failed", "bad_body", 50, 2),
    row("an error with 200", page_2("error_200"), "Failed", "records_not_found", 50, 2),
    row("a byte order mark", page_2("bom"), requests=3),
    row("no length", page_2("chunked"), requests=3),
    row("a gzip bomb", page_2("gzip_bomb"), "Failed", "body_too_large", 50, 2),
    row("a body of 100 MiB", page_2("big_body"), "Failed", "body_too_large", 50, 2),
    row("gzip that is none", page_2("not_gzip"), "Failed", "bad_response", 50, 2),
    row("an unknown encoding", page_2("unknown_encoding"), "Failed", "bad_response", 50, 2),
    row("six encodings", page_2("encodings"), "Failed", "bad_response", 50, 2),
    row("a header of 100 kB", page_2("big_header"), "Failed", "headers_too_large", 50, 2),
    row("headers of 100 kB", page_2("many_headers"), "Failed", "headers_too_large", 50, 2),
    # pages that do not lead on
    row("the same page named again", "fault=same_cursor", "Failed", "cursor_loop", None),
    row("two pages in a circle", "fault=page_loop", "Failed", "cursor_loop", None),
    row("empty pages that promise more", "fault=empty_more", "Failed", "cursor_loop", 0),
    row("the same records on each page", "fault=same_cursor", "Failed", "cursor_loop", None,
        pipeline="by-page"),
    row("a short page in the middle", page_2("short_page"), requests=3),
    # pages that move while they are read
    row("pages that overlap", "overlap=5"),
    row("records added in front", "shift=3"),
    # where a request may not be sent on to
    *(row("a redirect to " + to, page_2("redirect", to=to), "Failed", "redirect_refused", 50, 2)
      for to in ("metadata", "private", "loopback", "ipv6", "file", "gopher", "garbage")),
    row("a redirect in a circle", page_2("redirect", to="loop"), "Failed", "redirect_refused", 50),
    row("a redirect to itself, then fine", page_2("redirect", to="same")),
    row("a Link to the metadata service", "link=metadata", "Failed", "next_link_refused", None, 1,
        pipeline="by-link"),
    row("a Link to another host", "link=other", "Failed", "next_link_refused", None, 1, pipeline="by-link"),
    row("a relative Link", "link=relative", requests=3, pipeline="by-link"),
    # the good ways
    *(row("paging " + way, "", pipeline=way) for way in ("by-page", "by-offset", "by-link", "by-header",
                                                         "whole")),
]
assert len({r.name for r in ROWS}) == len(ROWS)

# what the sentence of each code says, in words that stay
WORDS = {
    RATE: "slow down", DOWN: "The upstream failed|The upstream waited too long for the request", "body_truncated": "ended before it was complete",
    "timeout_connect": "No connection could be made", "timeout_slow": "came too slowly",
    "timeout_first_byte": "did not begin to answer", "timeout_total": "not complete in time",
    "connect_failed": "connection was refused or broken", "credential_rejected": "refused the credential",
    "access_denied": "does not allow this credential", "not_found_upstream": "at this address",
    "request_rejected": "rejected the request", "bad_body": "It begins: |is empty", "records_not_found": "the records path",
    "body_too_large": "larger than allowed", "bad_response": "well-formed HTTP|means nothing", "headers_too_large": "larger than allowed",
    "cursor_loop": "the same page|was read already|there are more", "redirect_refused": "redirects", "next_link_refused": "next", "tls_failed": "could not be trusted",
}
NEXT = re.compile(r"(Check the address and the credential of this instance, then run it again\.|"
                  r"The definition of the collector has to change[:.].*|The run goes on from there by itself later\.)$")


# a wait of a run, or of its work in the queue
FOLLOWS = re.compile(r"; the run goes on in \d+ s: |; attempt \d+ of \d+ follows: |The run goes on from there by itself later\.$")


def sentence(text):
    """One or a few plain sentences for a person."""
    assert text and (text[0].isupper() or text[0].isdigit()) and text.rstrip()[-1] in ".!)" and len(text) <= 1200, text
    assert not re.search(r"SELECT|SQLSTATE|curl|errno|0x[0-9a-f]{6}|\.c:\d|\(null\)|%[a-z]", text), text


def tells(text, code, kept, follows=None):
    """The sentence of an end, or of a wait, says what happened, what was kept, what happens next."""
    sentence(text)
    said = {0: r"Nothing was kept\.|\b0 records of \d+ pages? are kept\.",
            None: r"Nothing was kept\.|\d+ records? of \d+ pages? (is|are) kept\."}.get(
                kept, r"\b%s records? of \d+ pages? (is|are) kept\." % kept)
    assert re.search(said, text), "what was kept is not said: " + text
    assert (follows or NEXT).search(text), "what happens next is not said: " + text
    assert re.search(WORDS[code], text), "it does not say %r: %s" % (WORDS[code], text)


def said(now):
    """A run's end or wait in a line."""
    reason = now["waiting"] or now["error"] or {"code": "no error"}
    return "it is %s, %s after %d requests, in execution %s" % (now["status"], reason["code"], now["requests"], now["executionId"])


def spoilt_and_next(lines):
    """When the first spoilt answer left, and when the next request came, in milliseconds."""
    for line, after in zip(lines, lines[1:]):
        if line["fault"]:
            return line["at"], after["at"]
    raise AssertionError("no answer was spoilt, or nothing came after it: %s" % lines)


def check_wait(installed, execution, r, now):
    """A wait shows its reason and its time, and nothing is sent before."""
    tells(now["waiting"]["message"], r.code, r.kept, FOLLOWS)
    assert now["waiting"]["code"] == r.code and now["error"] is None
    if r.until:
        assert r.until[0] <= play.seconds_until(now["waiting"]["until"]) <= r.until[1], now
        seen = len(installed.ledger())
        time.sleep(0.3)
        assert len(installed.ledger()) == seen, "a request was sent before its time"
    assert installed.cancel(execution)["status"] == "Cancelled"
    ended = installed.execution(execution)
    assert ended["status"] == "Cancelled" and ended["completedAt"]


def check_end(installed, execution, r, now):
    if r.status == "Failed":
        assert now["error"] and now["error"]["code"] == r.code, said(now)
        tells(now["error"]["message"], r.code, r.kept)
        assert installed.log(execution, "stop"), "the journal does not say why it stopped"
    elif r.code:  # a success after a wait: the journal has it
        waits = [e["entry"] for e in installed.log(execution, "wait")]
        assert [w["code"] for w in waits] == [r.code], waits
        tells(waits[0]["message"], r.code, None, FOLLOWS)


def check(installed, execution, r, seconds=60):
    """A row's run, asked for before, came to what the row says."""
    now = installed.settled(execution, seconds)
    assert ("waiting" if now["waiting"] else now["status"]) == r.status, said(now)
    lines = installed.ledger()
    if r.requests is not None:
        assert len(lines) == r.requests, [(line["path"], line["query"], line["status"]) for line in lines]
        assert now["requests"] == r.requests, said(now)
    if r.kept is not None:
        records = installed.export(r.pipeline)
        assert len(records) == r.kept == len(set(records))
    if r.again:
        left, came = spoilt_and_next(lines)
        assert came - left >= r.again * 1000, lines
    if r.status == "waiting":
        check_wait(installed, execution, r, now)
    else:
        check_end(installed, execution, r, now)


# kind: the code of the quarantine, or None: stored as it is, under a hash of its content if need be
POISONS = {
    "nul": "nul_character", "surrogate": "lone_surrogate", "exponent": "number_too_big",
    "huge": "record_too_large",
    **dict.fromkeys(("hugenum", "bigint", "decimal", "dupkeys", "emptykey", "noid", "nullid", "idobject",
                     "scalar", "null", "array")),
}


def whole(served):
    return [r for r in served if b'"spoilt"' not in r]


def check_spoilt(installed, execution, settings, code):
    """One spoilt record of a scenario is stored as it came (no code), or set aside, alone."""
    now = installed.ended(execution)
    served, records = installed.served(settings), installed.export()
    aside = installed.quarantine(execution)
    if code is None:
        assert now["status"] == "Success" and not aside, "%s: %s" % (said(now), aside)
        assert sorted(records) == sorted(served)
        return
    assert now["status"] == "Partial" and now["error"]["code"] == "records_quarantined", said(now)
    sentence(now["error"]["message"])
    assert (now["recordsProcessed"], now["recordsQuarantined"], now["pages"]) == (119, 1, 3)
    assert sorted(records) == sorted(whole(served)) and len(records) == 119
    entry, = aside
    assert (entry["code"], entry["page"]) == (code, 2), entry
    sentence(entry["message"])
    bad, = [r for r in served if b'"spoilt"' in r]
    assert entry["size"] == min(len(bad), 1 << 20) and entry["truncated"] == (entry["size"] > 16384)
    assert base64.b64decode(entry["base64"]) == bad[:16384], "it is not kept as it came"
