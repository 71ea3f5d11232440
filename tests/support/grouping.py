"""Where several processes run tests: what runs one after the other in one of them, and what begins first."""

import re

import pytest
from _pytest.nodeid import NodeId
from _pytest.scope import Scope

LONG = ("chaos", "docs", "fuzz")
"""Rooms with a few tests that take very long: the others fill the gaps."""


def group(test: pytest.Function) -> str:
    """The name of the group; none where the test may run anywhere.

    What a module has made for its tests is made once: in another process it would be made again for them.
    """
    fixtures = test._fixtureinfo.name2fixturedefs
    if not any(one.scope == "module" and one.baseid for ones in fixtures.values() for one in ones):
        return ""
    return "-".join([test.path.parent.name, test.path.stem, *_variant(test)])


def put_into_group(test: pytest.Function) -> None:
    """At the end of its id, where pytest-xdist looks. Its mark has no effect with pytest 9.2 (pytest-xdist 3.8)."""
    if name := group(test):
        test._id = NodeId.parse(f"{test.nodeid}@{name}")


def take_out_of_group(report: pytest.TestReport) -> None:
    """So that a test has the same id wherever it ran, and `--last-failed` finds it."""
    if not report.nodeid.endswith("]"):  # otherwise an @ belongs to a parameter
        report.nodeid = re.sub(r"@[^@]+$", "", report.nodeid)


def order(test: pytest.Item) -> int:
    """What begins first, so that nothing long is left when all else has ended."""
    room = test.path.parent.name
    return LONG.index(room) if room in LONG else len(LONG)


def _variant(test: pytest.Function) -> list[str]:
    """The parameters of what is made once."""
    if not hasattr(test, "callspec"):
        return []
    call = test.callspec
    return [str(call.params[name]) for name, scope in sorted(call._arg2scope.items()) if scope >= Scope.Module]
