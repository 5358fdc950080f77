"""Photographs every page. usage: screenshots.py FOLDER (see screenshots.sh)"""
import os
import pathlib
import re
import sys

import chromium
import crawl
import people

SHOTS = [("light", "light", 1280), ("dark", "dark", 1280), ("narrow", "light", 390)]


def name_of(kind):
    """/collectors/{id}?tab=log: collectors-id-tab-log"""
    return re.sub(r"[^a-z0-9]+", "-", kind.lower()).strip("-") or "home"


def shoot(browser, person, example, file):
    """One page in every way of SHOTS; it is loaded once."""
    browser.reset()
    browser.become(person)
    browser.go(example.url)
    for word, theme, width in SHOTS:
        browser.theme(theme)
        browser.width(width)
        browser.shoot("%s-%s.png" % (file, word))


def main(folder):
    api, upstream = os.environ["CATCHMENT_URL"].rstrip("/"), os.environ["UPSTREAM_URL"].rstrip("/")
    people.run_demo(api, upstream)
    browser, taken = chromium.Browser(), set()
    try:
        for name, person in people.everybody(api).items():
            for example in crawl.every_page(person):
                file = name_of(example.pattern)
                # who has signed in sees more on the same page
                file = file if file not in taken else "%s-%s" % (file, name)
                taken.add(file)
                shoot(browser, person, example, folder / file)
    finally:
        browser.close()
    if not taken:
        sys.exit("%s has no page that could be photographed: / does not answer with HTML." % api)
    print("%d pages, %d pictures in %s" % (len(taken), len(taken) * len(SHOTS), folder))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
