"""The short form of each campaign, against the stack that all the other tests use. Figures and mutants are
for `make check-fault`."""
import types

import pytest

import campaign


@pytest.mark.parametrize("name", campaign.CAMPAIGNS)
def test_a_campaign_holds_in_its_short_form(stack, name):
    figures = campaign.CAMPAIGNS[name].campaign(types.SimpleNamespace(stack=stack), "short")
    assert {number: figure.text for number, figure in figures.items() if figure.held is False} == {}
