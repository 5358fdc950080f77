"""People at the API and at the pages while something happens to the product: one request after the other,
each answer judged and timed."""
import threading
import time

import play

REQUESTS = (("GET", "/api/v1/collector-instances", None), ("GET", "/collector-instances", None),
            ("GET", "/api/v1/datasources", None), ("PATCH", "/api/v1/profile", {"name": "A visitor"}), ("GET", "/profile", None))


class Visitors:
    """with Visitors(stack) as them: ...; then they have counted what was well, what was told to come again
    (503 with Retry-After), and what was neither."""

    def __init__(self, stack, people=3, pause_s=0.02, person=None, requests=REQUESTS, fits=None):
        """person: who they are, else somebody new; requests: what they ask for in turn, as (method, path, body);
        fits: whether an answer of 200 says what it should."""
        self.person, self.pause_s = person or play.sign_up(stack.url, "visitor"), pause_s
        self.requests, self.fits = requests, fits
        self.well, self.away, self.wrong, self.longest_s = 0, 0, [], 0.0
        self.answers = []  # (when it was asked for, when answered, in seconds since 1970; what came)
        self.leave, self.lock = threading.Event(), threading.Lock()
        self.threads = [threading.Thread(target=self.walk, args=(i,), daemon=True) for i in range(people)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.leave.set()
        for thread in self.threads:
            thread.join(60)

    def walk(self, turn):
        while not self.leave.is_set():
            turn += 1
            self.ask(*self.requests[turn % len(self.requests)])
            time.sleep(self.pause_s)

    def ask(self, method, path, body):
        headers = {} if path.startswith("/api") else {"Cookie": "catchment_session=" + self.person.token}
        asked, began = time.time(), time.monotonic()
        try:
            answer = self.person(method, path, body, headers, timeout=40, raw=True)
            said = answer.status if answer.status != 503 or answer.headers.get("Retry-After") else "503 without Retry-After"
            if said == 200 and self.fits and not self.fits(answer):
                said = "200, but not what was asked for"
        except (OSError, ValueError, LookupError, TypeError, play.http.client.HTTPException) as broken:
            said = "%s" % type(broken).__name__
        seconds = time.monotonic() - began
        with self.lock:
            self.longest_s = max(self.longest_s, seconds)
            self.answers.append((asked, asked + seconds, said))
            if said == 200:
                self.well += 1
            elif said == 503:
                self.away += 1
            else:
                self.wrong.append("%s %s: %s" % (method, path, said))

    def between(self, since, until):
        """Of what was asked for and answered then: how many were well, how many were told to come again."""
        said = [said for asked, answered, said in self.answers if since <= asked and answered < until]
        return said.count(200), said.count(503)

    @property
    def total(self):
        return self.well + self.away + len(self.wrong)

    def told(self):
        """The figure's words."""
        first = " (%s)" % self.wrong[0] if self.wrong else ""
        return "%d requests, %d answered, %d 503 with Retry-After, %d anything else%s, the slowest %.1f s" % (
            self.total, self.well, self.away, len(self.wrong), first, self.longest_s)
