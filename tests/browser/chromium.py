"""One headless Chromium that all tests share, and how a page is to be seen: width, theme, JavaScript."""
import base64
import os
import shutil
import tempfile

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common import utils

HEIGHT = 900
WIDTHS = (320, 768, 1280)
# The browser speaks with the tested server and nobody else; it asks no name of any resolver. It has no sandbox:
# root and many containers cannot have one, waiting for it to fail takes a minute, and the pages are our own.
FLAGS = """
    --headless=new --no-sandbox --disable-gpu --hide-scrollbars --force-color-profile=srgb --lang=en
    --no-first-run --no-default-browser-check --no-proxy-server --disable-quic --disable-sync
    --disable-background-networking --disable-component-update --disable-default-apps
    --disable-extensions --disable-domain-reliability --disable-client-side-phishing-detection
    --remote-debugging-pipe --disable-breakpad --disable-dev-shm-usage --password-store=basic --use-mock-keychain
    --disable-features=OptimizationHints,MediaRouter,Translate,AutofillServerCommunication,InterestFeedContentSuggestions
""".split()


class LocalService(Service):
    """By address: a bare machine may not know the name localhost."""

    @property
    def service_url(self):
        return "http://127.0.0.1:%d" % self.port

    def is_connectable(self):
        return utils.is_connectable(self.port, "127.0.0.1")


class Browser:
    """Chromium with one tab. close() ends it and takes its folder away."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="catchment-browser.")
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium") or "chromium"
        for flag in FLAGS + ["--user-data-dir=" + self.folder + "/profile",
                             "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"]:
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        try:
            self.driver = self.start(options)
        except WebDriverException as error:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise RuntimeError("Chromium did not start. Run it by hand with --headless to see why: %s" % error.msg) from error
        self.cdp("Network.enable")
        self.driver.set_script_timeout(60)
        self.driver.set_page_load_timeout(60)
        self.reset()

    def start(self, options):
        """What a browser leaves in a home stays in its folder."""
        home = dict(os.environ, HOME=self.folder, TMPDIR=self.folder, XDG_CONFIG_HOME=self.folder, XDG_CACHE_HOME=self.folder)
        service = LocalService(shutil.which("chromedriver") or "chromedriver", log_path=os.devnull, env=home)
        return webdriver.Chrome(service=service, options=options)

    def close(self):
        self.driver.quit()
        shutil.rmtree(self.folder, ignore_errors=True)

    def cdp(self, command, **arguments):
        return self.driver.execute_cdp_cmd(command, arguments)

    def run(self, script, *arguments):
        """Runs a script of ours in the page: that works with the page's own JavaScript off, too."""
        return self.driver.execute_script(script, *arguments)

    def reset(self):
        """A wide light window with JavaScript and without cookies."""
        self.cdp("Network.clearBrowserCookies")
        self.scripts(True)
        self.theme("light")
        self.width(1280)

    def scripts(self, on):
        """JavaScript of pages; counts from the next page on."""
        self.cdp("Emulation.setScriptExecutionDisabled", value=not on)

    def theme(self, name):
        """What the system prefers, changed in place; nothing moves while it is looked at."""
        self.cdp("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": name},
            {"name": "prefers-reduced-motion", "value": "reduce"}])

    def width(self, pixels, height=HEIGHT):
        self.cdp("Emulation.setDeviceMetricsOverride", width=pixels, height=height, deviceScaleFactor=1, mobile=False)

    def become(self, visitor):
        """Takes that person's cookies, and forgets all others."""
        self.cdp("Network.clearBrowserCookies")
        for name, value in visitor.cookies.items():
            self.cdp("Network.setCookie", name=name, value=value, url=visitor.base + "/")

    def go(self, url):
        self.driver.get(url)

    def sent(self):
        """The address of the page that is open, and its text as it was sent."""
        frame = self.cdp("Page.getFrameTree")["frameTree"]["frame"]
        # a page's request goes by the name of its loader
        return frame["url"], self.cdp("Network.getResponseBody", requestId=frame["loaderId"])["body"]

    def complaints(self):
        """What the console said since the last call: errors, refused by the policy, not found."""
        return [entry["message"] for entry in self.driver.get_log("browser")
                if entry["level"] in ("SEVERE", "WARNING")]

    def shoot(self, file):
        """The whole page, however high, as a PNG."""
        size = self.cdp("Page.getLayoutMetrics")["cssContentSize"]
        taken = self.cdp("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip={
            "x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1})
        with open(file, "wb") as out:
            out.write(base64.b64decode(taken["data"]))
