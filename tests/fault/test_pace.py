"""What one run reads of a rate limit slows all runs of the workspace, in all runners."""
def test_all_runners_slow_down_before_anybody_is_refused(stack, stage):
    # Fails with the pace kept in one process: the other runner spends what is left.
    place = stage.install("products=500,quota=15,quota_s=3")
    second = stack.another_runner()
    names = ("small-pages", "by-cursor", "by-page", "by-link")
    try:
        executions = [place.ask(name) for name in names]
        ended = [place.ended(execution, 60) for execution in executions]
    finally:
        second.terminate()
        second.wait(20)
    assert [run["status"] for run in ended] == ["Success"] * len(names), ended
    assert {line["status"] for line in place.ledger()} == {200}, [line["status"] for line in place.ledger()]


def test_a_quota_that_is_used_up_silences_the_service_until_it_ends(stack, stage):
    place = stage.install("products=50,quota=1,quota_s=3")
    ended = place.run("small-pages", 40)
    assert ended["status"] == "Success" and ended["retries"] == 0, ended
    times = [line["at"] for line in place.ledger() if line["status"] == 200]
    assert len({at // 3000 for at in times}) == len(times) == 2, times
    assert {line["status"] for line in place.ledger()} == {200}
