"""Two who change one thing at the same moment, each another member of it: neither's change is lost."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.api import Json
from tests.support.hub import Account, Hub

TIMES = 15

Make = Callable[[Hub, Account], tuple[str, Json, Json]]
"""Something of an account: its path, and two changes."""


def _flow(hub: Hub, account: Account) -> tuple[str, Json, Json]:
    made = account.api.post("/flows", {"actions": [{"type": "stop"}]})
    return f"/flows/{made['id']}", {"name": "n"}, {"detail": "d"}


def _pool(hub: Hub, account: Account) -> tuple[str, Json, Json]:
    (number,) = account.api.get("/numbers")["result"]
    made = account.api.post("/sender_pools", {"name": "pool", "numbers": [number["id"]]})
    return f"/sender_pools/{made['id']}", {"sticky": False}, {"prefer_country": False}


def _limit(hub: Hub, account: Account) -> tuple[str, Json, Json]:
    made = account.api.post("/limits", {"scope": "number", "key": account.number, "segments_per_day": 1})
    return f"/limits/{made['id']}", {"segments_per_day": 7}, {"segments_per_second": 3.0}


def _number(hub: Hub, account: Account) -> tuple[str, Json, Json]:
    (number,) = account.api.get("/numbers")["result"]
    return f"/numbers/{number['id']}", {"name": "n"}, {"detail": "d"}


def _customer(hub: Hub, account: Account) -> tuple[str, Json, Json]:
    return "/customer", {"name": "n"}, {"detail": "d"}


@pytest.mark.parametrize("make", [_flow, _pool, _limit, _number, _customer])
def test_changes_of_one_moment_are_both_kept(hub: Hub, make: Make) -> None:
    accounts = [hub.customer() for _ in range(TIMES)]
    with ThreadPoolExecutor(2) as both:
        for account in accounts:
            path, one, other = make(hub, account)
            again = hub.caller(account.api.key)
            for change in (both.submit(account.api.put, path, one), both.submit(again.put, path, other)):
                change.result()
            found = account.api.get(path)
            assert {name: found[name] for name in one | other} == one | other
