"""A person with a mouse: fills fields by their names, presses what can be seen, waits for what follows."""
import time

SECONDS_MAX = 30
FIELD = ':is([name="%s"], [name^="%s:"]):not([type=hidden]):not(button)'  # some names carry their type: limit:number


def field(name):
    return FIELD % (name, name)


SET = """
    const e = arguments[0], value = arguments[1];
    if (e.type === "checkbox") { if (e.checked !== value) e.click(); return; }
    if (e.tagName === "SELECT") {
        const option = [...e.options].find(o => o.value === value || o.text.trim() === value) ||
            [...e.options].find(o => o.text.startsWith(value));
        if (!option) throw new Error(e.name + " offers " + [...e.options].map(o => o.text).join(", "));
        e.value = option.value;
    } else e.value = value;
    for (const kind of ["input", "change"]) e.dispatchEvent(new Event(kind, {bubbles: true}));
"""
# in the page's body first: the frame of every page has links and buttons of its own
NAMED = """
    const words = e => e.textContent.replace(/\\s+/g, " ").trim();
    const inside = part => [...document.querySelectorAll(part + " a, " + part + " button:not([hidden])")];
    const all = inside("main").concat(inside("header"));
    return all.find(e => words(e) === arguments[0]) || all.find(e => words(e).startsWith(arguments[0])) || null;
"""


class Hand:
    def __init__(self, browser):
        self.browser = browser

    def wait(self, what, told):
        """Asks until it is true; between two pages nothing is."""
        end = time.monotonic() + SECONDS_MAX
        while True:
            try:
                found = what()
            except Exception:  # pylint: disable=broad-except
                found = None
            if found:
                return found
            assert time.monotonic() < end, "%s did not come in %d seconds; the page says: %s" % (
                told, SECONDS_MAX, self.text[:1500])
            time.sleep(0.05)

    @property
    def text(self):
        return self.browser.run("return document.querySelector('main').innerText")

    @property
    def flash(self):
        return self.browser.run("return document.querySelector('.flash')?.innerText || ''")

    def sees(self, words):
        self.wait(lambda: words in self.text, '"%s"' % words)

    def fill(self, values):
        for name, value in values.items():
            place = self.wait(lambda n=name: self.browser.run("return document.querySelector(arguments[0])", field(n)), name)
            self.browser.run(SET, place, value)

    def click(self, element):
        self.browser.run("arguments[0].scrollIntoView({block: 'center'}); arguments[0].click()", element)

    def press(self, words):
        """A link or button that reads so; then another page follows."""
        began = self.browser.run("return performance.timeOrigin")
        self.click(self.wait(lambda: self.browser.run(NAMED, words), '"%s"' % words))
        self.wait(lambda: self.browser.run(
            "return document.readyState === 'complete' && performance.timeOrigin !== arguments[0]", began),
            "a page after " + words)

    def change(self, what, then):
        """A button that changes the form and stores nothing; then the form has that field."""
        self.click(self.wait(lambda: self.browser.run(
            "return document.querySelector(arguments[0])", 'button[value="%s"]' % what), what))
        self.wait(lambda: self.browser.run("return document.querySelector(arguments[0])", field(then)), then)
        self.wait(lambda: self.browser.run("return document.readyState === 'complete'"), "the form")

    def decide(self, name, value, then):
        """A list that decides which fields there are: they come by themselves, or by the button beside it."""
        self.fill({name: value})
        button = self.browser.run("return document.querySelector(arguments[0])?.parentElement.querySelector("
                                  "'button:not(.visually-hidden)')", field(name))
        if button:
            self.click(button)
        self.wait(lambda: self.browser.run("return document.querySelector(arguments[0])", field(then)), then)
        self.wait(lambda: self.browser.run("return document.readyState === 'complete'"), "the form")

    def settle(self):
        """Until a form that changes by itself has done so."""
        self.wait(lambda: self.browser.run("return !document.querySelector('form[aria-busy]')"), "the form")
