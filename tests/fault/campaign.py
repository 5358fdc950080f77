#!/usr/bin/python3 -B
"""Plays campaigns: whole runs under kills, faults and bad upstreams, each with a figure and its mutants.

usage: campaign.py [--no-mutants] [--promise NUMBER] [--state DIR] [NAME ...]

Without a name it plays all; with a promise only its part of the campaign that holds it. The figures go to tests/fault/results.json and docs/PROOFS.md. Ends with 1
when a promise was broken, or a mutant was not noticed.

A campaign is a module with NAME, PROMISES, MUTANTS and campaign(house, size), which answers a Figure for
each promise's number. Sizes: "full" for the figures, "mutant" (enough for a missing guard to show),
"short" (./check plays it against its own stack). One whose promises are about time is ALONE: nothing else
runs while its figures are taken. Of the others, and of all mutants, as many play at once as there are lanes;
those of ONE_LANE follow each other, since they share their builds, beside the campaign itself."""
import argparse
import concurrent.futures
import os
import queue
import sys
import threading
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
    campaign_stuck, campaign_database, campaign_stop, campaign_fair, campaign_code, campaign_exact,
    campaign_upstream)}  # of those that play at once the longest begins


ORDER = [(one.NAME, promise.number) for one in CAMPAIGNS.values() for promise in one.PROMISES]
LANES = os.cpu_count() + 1  # most of them wait now and then


def stack_of(campaign, folder, mutant=None):
    house = getattr(campaign, "HOUSE", None)
    if house:
        return house(folder, mutant)
    return houses.House(folder, mutant, getattr(campaign, "SETTINGS", ""), getattr(campaign, "POSTGRES", ""))


def figures(campaign, folder, size, mutant=None, only=None):
    """What each promise came to. Whatever breaks the campaign itself breaks all of its promises."""
    try:
        with stack_of(campaign, folder, mutant) as house:
            house.breaks = (only,) if only else house.breaks
            return campaign.campaign(house, size)
    except Exception as broken:  # a mutant may break anything; the product may not
        if not mutant:
            traceback.print_exc()
        first = (str(broken).strip() or type(broken).__name__).splitlines()[0][:200]
        # what broke off has counted nothing, so a mutant's guard is not proven by that
        held = None if mutant else False
        return {p.number: proof.Figure("it broke off: " + first, held) for p in campaign.PROMISES}


class Lanes:
    """Folders to play in, each for one at a time; who plays alone finds what the one before has built."""

    def __init__(self, folder, n, only=None):
        self.n, self.only, self.free, self.said = n, only, queue.LifoQueue(), threading.Lock()
        for i in range(n):
            lane = folder / ("lane-%d" % i)
            lane.mkdir(mode=0o755)
            self.free.put(lane)

    def play_all(self, campaign, mutants):
        """[(mutant or None, what each promise came to)], one after the other in one folder."""
        lane = self.free.get()
        try:
            return [(mutant, self.play(campaign, mutant, lane)) for mutant in mutants]
        finally:
            self.free.put(lane)

    def play(self, campaign, mutant, lane):
        began = time.monotonic()
        found = figures(campaign, lane, "mutant" if mutant else "full", mutant, self.only)
        with self.said:
            for promise in promises_of(campaign, self.only):
                if not mutant or promise.number in mutant.breaks:
                    who = "mutant '%s' against promise %s" % (mutant.name, promise.number) if mutant else \
                        "promise %s, %s" % (promise.number, promise.goal)
                    one = found[promise.number]
                    print("%s: %s: %s: %s (%d s)" % (campaign.NAME, who, one.text, proof.word(
                        one.held, "held", "BROKEN", "not run"), time.monotonic() - began), flush=True)
        return found


def promises_of(campaign, only):
    return [one for one in campaign.PROMISES if only in (None, one.number)]


def mutants_of(campaign, only):
    return [one for one in campaign.MUTANTS if not only or only in one.breaks]


def played(lanes, chosen, mutants):
    """Yields (campaign, mutant or None, what each promise came to). First come the figures of those who play alone,
    then all the rest beside each other, what takes longest first: whole campaigns, then mutants of those before."""
    alone = [one for one in chosen if getattr(one, "ALONE", False)]
    for one in alone:
        yield one, *lanes.play_all(one, [None])[0]
    with concurrent.futures.ThreadPoolExecutor(lanes.n) as pool:
        asked = {}
        for one in sorted(chosen, key=alone.__contains__):
            parts = [*(() if one in alone else (None,)), *(mutants_of(one, lanes.only) if mutants else ())]
            if getattr(one, "ONE_LANE", False):
                asked.update({pool.submit(lanes.play_all, one, some): one for some in (parts[:1], parts[1:]) if some})
            else:
                asked.update({pool.submit(lanes.play_all, one, [part]): one for part in parts})
        for future in concurrent.futures.as_completed(asked):
            for mutant, found in future.result():
                yield asked[future], mutant, found


def rows_of(campaign, found, only):
    """found: {mutant or None: what each promise came to}."""
    return [proof.row(campaign.NAME, p, found[None][p.number], {
        mutant.name: found[mutant][p.number] for mutant in campaign.MUTANTS
        if p.number in mutant.breaks and mutant in found}) for p in promises_of(campaign, only)]


def main():
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--no-mutants", action="store_true", help="the figures alone; nothing is written down")
    words.add_argument("--promise", help="that one alone, of the campaign that holds it")
    words.add_argument("--state", help="the folder to work in (a new one, which goes afterwards)")
    words.add_argument("names", nargs="*", metavar="NAME", choices=[[], *CAMPAIGNS], help=", ".join(CAMPAIGNS))
    asked = words.parse_args()
    chosen = [one for one in map(CAMPAIGNS.get, dict.fromkeys(asked.names or CAMPAIGNS)) if promises_of(one, asked.promise)]
    if not chosen:
        words.error("no campaign of these holds promise %s" % asked.promise)
    for one in chosen:
        houses.install("PACKAGES_RUN", "PACKAGES_CHECK", *getattr(one, "PACKAGES", ()))
    proof.product()
    folder, began = houses.working_folder(asked.state), time.monotonic()
    found, rows = {one: {} for one in chosen}, []
    try:
        for one, mutant, reached in played(Lanes(folder, LANES, asked.promise), chosen, not asked.no_mutants):
            found[one][mutant] = reached
            if len(found[one]) == 1 + (0 if asked.no_mutants else len(mutants_of(one, asked.promise))):
                rows += rows_of(one, found[one], asked.promise)
                if not asked.no_mutants:
                    proof.keep(rows, ORDER)
    finally:
        houses.remove(folder)
    broken = [r for r in rows if r["held"] is False]
    blind = [r for r in rows if r["mutant_failed"] is False]
    print("%d promises in %d minutes: %d held, %d broken, %d not run; %d with a mutant that was not noticed" % (
        len(rows), (time.monotonic() - began) // 60, sum(r["held"] is True for r in rows), len(broken),
        sum(r["held"] is None for r in rows), len(blind)))
    return 1 if broken or blind else 0


if __name__ == "__main__":
    sys.exit(main())
