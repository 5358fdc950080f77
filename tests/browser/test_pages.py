"""Every page that there is, as each person sees it, held against every measure."""
import pytest

import crawl
from pages import PAGES


@pytest.fixture(scope="session")
def found(people):
    """{person: {pattern: example}}"""
    return {name: {one.pattern: one for one in crawl.every_page(people[name])} for name in PAGES}


@pytest.mark.parametrize("name", PAGES)
def test_each_page_is_reached_and_listed_by(found, name):
    assert crawl.difference(PAGES[name], found[name]) == []


if any(PAGES.values()):  # an empty table would count as a test that was skipped
    @pytest.mark.parametrize("name, pattern", [(name, pattern) for name in PAGES for pattern in PAGES[name]])
    def test_a_page_passes_every_measure(people, found, judge, name, pattern):
        assert pattern in found[name], "it cannot be reached"
        assert judge.judge(people[name], found[name][pattern].url) == []
