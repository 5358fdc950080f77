"""The short form of some campaigns, against the stack that all the other tests use. Figures and mutants are
for `make check-fault`."""
import types

import pytest

import campaign
import house
import proof


# those that take a moment and leave the stack as it was; the others have make check-fault alone
QUICK = ("exact", "upstream", "stuck", "stop", "database", "fair")


@pytest.mark.parametrize("name", QUICK)
def test_a_campaign_holds_in_its_short_form(stack, name):
    figures = campaign.CAMPAIGNS[name].campaign(types.SimpleNamespace(stack=stack), "short")
    assert {number: figure.text for number, figure in figures.items() if figure.held is False} == {}


@pytest.mark.parametrize("name, mutant", [(name, mutant) for name, one in campaign.CAMPAIGNS.items() for mutant in one.MUTANTS],
                         ids=lambda one: getattr(one, "name", one))
def test_a_mutant_fits_the_product_as_it_is(name, mutant):
    assert [house.misfit(house.ROOT, path, old) for path, old, _ in mutant.edits] == [""] * len(mutant.edits)


def test_the_proofs_are_of_promises_as_they_stand_held_with_every_mutant_seen():
    promised = {(one.NAME, promise.number): (promise.goal, {mutant.name for mutant in one.MUTANTS if promise.number in mutant.breaks})
                for one in campaign.CAMPAIGNS.values() for promise in one.PROMISES}
    proven = {(row["campaign"], row["promise"]): (row["goal"], set(row["mutants"])) for row in proof.results()}
    assert proven == promised
    for row in proof.results():
        assert row["held"] is True and row["mutant_failed"] is not False, row
    assert proof.PAGE.read_text(encoding="utf-8") == proof.page(proof.results())
