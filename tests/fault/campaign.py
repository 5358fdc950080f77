#!/usr/bin/python3 -B
"""Plays campaigns: whole runs under kills, faults and bad upstreams, each with a figure and its mutants.

usage: campaign.py [--no-mutants] [--state DIR] [NAME ...]

Without a name it plays all. The figures go to tests/fault/results.json and docs/PROOFS.md. Ends with 1
when a promise was broken, or a mutant was not noticed.

A campaign is a module with NAME, PROMISES, MUTANTS and campaign(house, size), which answers a Figure for
each promise's number. Sizes: "full" for the figures, "mutant" (enough for a missing guard to show),
"short" (./check plays it against its own stack)."""
import argparse
import sys
import time
import traceback

import campaign_code
import campaign_database
import campaign_exact
import campaign_fair
import campaign_stop
import campaign_stuck
import campaign_upstream
import house as houses
import proof

CAMPAIGNS = {one.NAME: one for one in (
    campaign_exact, campaign_stuck, campaign_database, campaign_stop, campaign_fair, campaign_upstream,
    campaign_code)}


def stack_of(campaign, folder, mutant=None):
    house = getattr(campaign, "HOUSE", None)
    if house:
        return house(folder, mutant)
    return houses.House(folder, mutant, getattr(campaign, "SETTINGS", ""), getattr(campaign, "POSTGRES", ""))


def figures(campaign, folder, size, mutant=None):
    """What each promise came to. Whatever breaks the campaign itself breaks all of its promises; but a
    mutant that does not build, or does not start, proves nothing: that ends everything."""
    with stack_of(campaign, folder, mutant) as house:
        try:
            return campaign.campaign(house, size)
        except Exception as broken:  # a mutant may break anything; the product may not
            if not mutant:
                traceback.print_exc()
            first = (str(broken).strip() or type(broken).__name__).splitlines()[0][:200]
            # what broke off has counted nothing: a mutant's guard is proven by that only where it must
            held = None if mutant and not mutant.breaks_off else False
            return {p.number: proof.Figure("it broke off: " + first, held) for p in campaign.PROMISES}


def say(name, what, figure, began):
    print("%s: %s: %s: %s (%d s)" % (name, what, figure.text, proof.word(figure.held, "held", "BROKEN", "not run"),
                                     time.monotonic() - began), flush=True)


def play(campaign, folder, with_mutants):
    began = time.monotonic()
    reached = figures(campaign, folder, "full")
    for promise in campaign.PROMISES:
        say(campaign.NAME, "promise %s, %s" % (promise.number, promise.goal), reached[promise.number], began)
    seen = {}
    for mutant in campaign.MUTANTS if with_mutants else ():
        began = time.monotonic()
        seen[mutant] = figures(campaign, folder, "mutant", mutant)
        for number in mutant.breaks:
            say(campaign.NAME, "mutant '%s' against promise %s" % (mutant.name, number), seen[mutant][number], began)
    return [proof.row(campaign.NAME, p, reached[p.number], {
        mutant.name: seen[mutant][p.number] for mutant in seen if p.number in mutant.breaks})
            for p in campaign.PROMISES]


def main():
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--no-mutants", action="store_true", help="the figures alone; nothing is written down")
    words.add_argument("--state", help="the folder to work in (a new one, which goes afterwards)")
    words.add_argument("names", nargs="*", metavar="NAME", choices=[[], *CAMPAIGNS], help=", ".join(CAMPAIGNS))
    asked = words.parse_args()
    for name in asked.names or CAMPAIGNS:
        houses.install("PACKAGES_RUN", "PACKAGES_CHECK", *getattr(CAMPAIGNS[name], "PACKAGES", ()))
    folder = houses.working_folder(asked.state)
    rows = []
    try:
        for name in asked.names or CAMPAIGNS:
            rows += play(CAMPAIGNS[name], folder, not asked.no_mutants)
            if not asked.no_mutants:
                proof.keep(rows)
    finally:
        houses.remove(folder)
    broken = [r for r in rows if r["held"] is False]
    blind = [r for r in rows if r["mutant_failed"] is False]
    print("%d promises: %d held, %d broken, %d not run; %d with a mutant that was not noticed" % (
        len(rows), sum(r["held"] is True for r in rows), len(broken), sum(r["held"] is None for r in rows), len(blind)))
    return 1 if broken or blind else 0


if __name__ == "__main__":
    sys.exit(main())
