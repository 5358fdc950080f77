"""A person who has only a keyboard: walks with Tab, sees where the focus is or gives up."""
import time

from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

STEPS_MAX = 300
SECONDS_MAX = 30
INNER_STOPS_MAX = 8  # Tab goes through the parts of a date field, which keeps the focus meanwhile

# What makes a focus visible (WCAG 2.4.7, 2.4.13) and not hidden below something else (2.4.11).
FOCUS = """
    const e = document.activeElement;
    if (!e || e === document.body || e === document.documentElement) return null;
    const clear = c => c === "transparent" || /,\\s*0\\)$/.test(c);
    const ring = x => {
        const s = getComputedStyle(x);
        return (s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2 && !clear(s.outlineColor)) ||
            (s.outlineStyle === "auto" && parseFloat(s.outlineWidth) >= 1) || s.boxShadow !== "none";
    };
    // a control that is drawn by its label carries its ring there
    const carriers = [e, ...(e.labels || []), ...(e.nextElementSibling ? [e.nextElementSibling] : [])];
    const shows = ring(e) || (e.labels && e.getBoundingClientRect().width <= 1 && carriers.some(ring));
    const over = (x, y) => {
        const top = document.elementFromPoint(x, y);
        return top && (e.contains(top) || [...(e.labels || [])].some(l => l.contains(top)));
    };
    let free = false;
    const boxes = carriers.filter(x => x === e || e.getBoundingClientRect().width <= 1).flatMap(x => [...x.getClientRects()]);
    for (const b of boxes) {
        for (const x of [b.left + 2, (b.left + b.right) / 2, b.right - 2])
            for (const y of [b.top + 2, (b.top + b.bottom) / 2, b.bottom - 2]) free = free || over(x, y);
    }
    return {ring: shows, free: free, tag: e.tagName.toLowerCase(), kind: e.type || "",
        expanded: e.getAttribute("aria-expanded"), text: (e.innerText || e.value || "").trim()};
"""


class Unreachable(AssertionError):
    """Somebody with a keyboard would stop here; the sentence says why."""


class Keyboard:
    def __init__(self, browser):
        self.browser = browser
        self.driver = browser.driver

    def press(self, *keys):
        """Keys one after the other; a name of one ("ENTER") or a sign."""
        for key in keys:
            ActionChains(self.driver, duration=0).send_keys(getattr(Keys, key, key)).perform()

    def document(self):
        """When the page that is shown began, if it is complete."""
        try:
            return self.browser.run("return document.readyState === 'complete' && performance.timeOrigin")
        except WebDriverException:  # between two pages
            return None

    def wait_for_another(self, before):
        end = time.monotonic() + SECONDS_MAX
        while self.document() in (None, False, before):
            if time.monotonic() > end:
                raise Unreachable("no other page followed in %d seconds" % SECONDS_MAX)
            time.sleep(0.02)

    def type(self, text):
        """Instead of what stands there."""
        ActionChains(self.driver, duration=0).key_down(Keys.CONTROL).send_keys("a").key_up(Keys.CONTROL).perform()
        ActionChains(self.driver, duration=0).send_keys(text).perform()

    def focus(self):
        """What has the focus, judged; None when nothing has it."""
        seen = self.browser.run(FOCUS)
        if seen is None:
            return None
        element = self.driver.switch_to.active_element
        seen.update(id=element.id, name=element.accessible_name, role=element.aria_role)
        if not seen["ring"]:
            raise Unreachable("the focus on %s cannot be seen" % self.call(seen))
        if not seen["free"]:
            raise Unreachable("the focus on %s is hidden below something else" % self.call(seen))
        return seen

    @staticmethod
    def call(seen):
        return '%s "%s"' % (seen.get("role") or seen["tag"], seen.get("name") or seen["text"][:40])

    def tab(self, back=False):
        chain = ActionChains(self.driver, duration=0)
        (chain.key_down(Keys.SHIFT).send_keys(Keys.TAB).key_up(Keys.SHIFT) if back else chain.send_keys(Keys.TAB)).perform()
        return self.focus()

    def walk(self):
        """What Tab stops at, from where the focus is now, until it has come around."""
        first, last, stays, nowhere = None, None, 0, 0
        seen = self.focus()
        for _ in range(STEPS_MAX):
            if seen is None:
                nowhere += 1
            elif seen["id"] == last:
                stays += 1
                if stays > INNER_STOPS_MAX:
                    raise Unreachable("the focus stays on %s: a trap" % self.call(seen))
            elif seen["id"] == first:
                return
            else:
                first, last, stays = first or seen["id"], seen["id"], 0
                yield seen
            # nothing has the focus before the first and after the last: more often than that it is lost
            if nowhere > 2:
                raise Unreachable("the focus is lost after %s" % (self.call(seen) if seen else "nothing"))
            seen = self.tab()
        raise Unreachable("Tab does not come around")

    def stops(self):
        """Everything that Tab stops at, once around."""
        return list(self.walk())

    def find(self, name, role=None):
        """Walks with Tab to what a screen reader calls that name; where the focus is now counts."""
        met = []
        for seen in self.walk():
            if seen["name"] == name and role in (None, seen["role"]):
                return seen
            met.append(self.call(seen))
        raise Unreachable('Tab does not reach %s "%s"; it reaches %s' % (
            role or "anything called", name, ", ".join(met) or "nothing"))

    def fill(self, name, text):
        self.find(name)
        self.type(text)

    def use(self, name, role=None, stays=False):
        """Goes to a link or a button and presses Enter; then another page follows, unless it stays."""
        self.find(name, role)
        before = self.document()
        self.press("ENTER")
        if not stays:
            self.wait_for_another(before)

    def tick(self, name):
        self.find(name)
        self.press("SPACE")

    def choose(self, name, option):
        """In a list: by typing the option's beginning."""
        self.find(name)
        ActionChains(self.driver, duration=0).send_keys(option).perform()
