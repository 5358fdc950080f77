"""Every page that there is, as each person sees it, held against every measure."""
import pytest

import crawl
from pages import MAY_BE, PAGES, judged


@pytest.fixture(scope="session")
def found(people):
    """{person: {pattern: example}}"""
    return {name: {one.pattern: one for one in crawl.every_page(people[name])} for name in PAGES}


@pytest.mark.parametrize("name", PAGES)
def test_each_page_is_reached_and_listed_by(found, name):
    assert crawl.difference(PAGES[name], set(found[name]) - set(MAY_BE)) == []


@pytest.mark.parametrize("name, pattern", judged())
def test_a_page_passes_every_measure(people, found, judge, name, pattern):
    assert pattern in found[name], "it cannot be reached"
    assert judge.judge(people[name], found[name][pattern].url) == []
