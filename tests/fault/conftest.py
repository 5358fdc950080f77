"""Whole runs against faults: the stack that ./check has started, and one published collector."""
import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import play  # noqa: E402


@pytest.fixture(scope="session")
def stack():
    for name in ("CATCHMENT_URL", "UPSTREAM_URL", "CATCHMENT_STATE"):
        if not os.environ.get(name):
            pytest.fail("%s is not set: start a stack with ./start --detach --no-demo, then set "
                        "CATCHMENT_STATE and read its run/address" % name)
    return play.Stack(os.environ["CATCHMENT_URL"], os.environ["UPSTREAM_URL"], os.environ["CATCHMENT_STATE"])


@pytest.fixture(scope="session")
def stage(stack):
    return play.Stage(stack)
