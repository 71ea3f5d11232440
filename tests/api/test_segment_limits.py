"""Limits in segments, as those see them who set them and those who run into them."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support import numbering
from tests.support.api import Api, Json, refusal
from tests.support.days import midday
from tests.support.hub import Account, Hub
from tests.support.waiting import until


@pytest.fixture
def limits(hub: Hub) -> Iterator[Any]:
    """Makes limits, which go when the test ends."""
    made: list[Json] = []

    def make(api: Api, scope: str, key: str, **given: Any) -> Json:
        made.append(api.post("/limits", {"scope": scope, "key": key, "day_starts_in": midday(), **given}))
        return made[-1]

    yield make
    for limit in made:
        hub.admin.call("DELETE", f"/limits/{limit['id']}")


def test_a_limit_from_making_it_to_removing_it(hub: Hub, limits: Any) -> None:
    account = hub.customer()
    zone = "America/Los_Angeles"
    limit = limits(account.api, "number", account.number, segments_per_day=2, day_starts_in=zone)
    assert (limit["scope"], limit["key"], limit["customer_id"]) == ("number", account.number, account.id)
    assert (limit["when"], limit["set_by"]) == ("sending", "customer")
    assert (limit["segments_per_second"], limit["segments_per_day"], limit["day_starts_in"]) == (0, 2, zone)
    assert limit["tm_next_day"][11:19] in ("07:00:00", "08:00:00")
    message = account.send([numbering.somebody() for _ in range(5)])
    place = f"/limits/{limit['id']}"
    until(lambda: _where(account.api.get(place), waiting=3, used_today=2), "three wait")
    assert "waiting" not in account.api.get("/limits")["result"][0]
    waiting = [target for target in account.api.message(message["id"])["targets"] if "hold_reason" in target]
    assert [target["hold_reason"] for target in waiting] == ["daily_limit"] * 3
    assert waiting[0]["error_message"] == f"{account.number} may send 2 segments a day"
    assert account.api.put(place, {"segments_per_day": 4})["segments_per_day"] == 4
    until(lambda: _where(account.api.get(place), waiting=1, used_today=4), "two go")
    assert account.api.delete(place)["tm_delete"] < "9999"
    assert account.settled(message)["status"] == "delivered"
    refusal(account.api.call("GET", place), 404, "RESOURCE_NOT_FOUND", "no limit")
    assert account.api.get("/limits")["result"] == []


def _where(thing: Json, **members: Any) -> Json | None:
    return thing if {name: thing[name] for name in members} == members else None


def test_accepting_is_refused_until_when_it_says(hub: Hub, limits: Any) -> None:
    account = hub.customer()
    limit = limits(hub.admin, "customer", account.id, when="accepting", segments_per_second=0.5)
    account.send(numbering.somebody(), "x" * 400)  # three segments at once
    body = {"source": account.number, "destinations": [numbering.somebody()], "text": "Hello"}
    answer = account.api.call("POST", "/messages", body)
    error = refusal(answer, 429, "RATE_LIMIT_EXCEEDED", f"customer {account.id} may be given 0.5 segments a second")
    assert error["details"] == [{"limited_by": "customer", "limit_id": limit["id"], "used_today": 3}]
    assert answer.headers["retry-after"] in ("4", "5")
    assert [row["id"] for row in account.api.get("/limits")["result"]] == [limit["id"]]


def test_customers_limit_their_own_numbers_and_nothing_else(hub: Hub, limits: Any, account: Account) -> None:
    other = hub.customer()
    for scope, key in [("customer", account.id), ("carrier", account.id), ("prefix", "+44")]:
        given = {"scope": scope, "key": key, "segments_per_second": 1}
        refusal(account.api.call("POST", "/limits", given), 403, "PERMISSION_DENIED", "scope: ")
    given = {"scope": "number", "key": other.number, "segments_per_second": 1}
    refusal(account.api.call("POST", "/limits", given), 404, "RESOURCE_NOT_FOUND", "key: there is no number")
    own = limits(other.api, "number", other.number, segments_per_second=5)
    refusal(account.api.call("GET", f"/limits/{own['id']}"), 404, "RESOURCE_NOT_FOUND")
    refusal(account.api.call("DELETE", f"/limits/{own['id']}"), 404, "RESOURCE_NOT_FOUND")
    operators = limits(hub.admin, "number", other.number, segments_per_second=3)
    assert other.api.get(f"/limits/{operators['id']}")["set_by"] == "operator"
    for method, body in (("PUT", {"segments_per_second": 9}), ("DELETE", None)):
        answer = other.api.call(method, f"/limits/{operators['id']}", body)
        refusal(answer, 403, "PERMISSION_DENIED", "the operator set this limit")


@pytest.mark.parametrize(
    ("given", "reason", "words"),
    [
        ({"segments_per_second": 0}, "INVALID_LIMIT", "segments_per_second: give it, or segments_per_day"),
        ({"segments_per_day": 5, "day_starts_in": "Mars/Olympus"}, "INVALID_LIMIT", "day_starts_in: 'Mars/Olympus'"),
        ({"segments_per_second": -1}, "INVALID_ARGUMENT", "segments_per_second: "),
        ({"segments_per_second": 1, "scope": "prefix", "key": "0049"}, "INVALID_LIMIT", "key: '0049' is not"),
        (
            {"segments_per_second": 1, "scope": "prefix", "key": "+44", "when": "accepting"},
            "INVALID_LIMIT",
            "when: ",
        ),
        ({"segments_per_second": 1, "scope": "planet"}, "INVALID_ARGUMENT", "scope: "),
        ({"segments_per_second": 1, "burst": 4}, "INVALID_ARGUMENT", "burst: there is no such member"),
    ],
)
def test_what_is_wrong_is_named(hub: Hub, account: Account, given: Json, reason: str, words: str) -> None:
    body = {"scope": "number", "key": account.number, **given}
    refusal(hub.admin.call("POST", "/limits", body), 400, reason, words)


def test_the_same_limit_is_there_but_once(hub: Hub, limits: Any) -> None:
    limits(hub.admin, "prefix", "+999", segments_per_second=1)
    body = {"scope": "prefix", "key": "999", "segments_per_second": 2}
    refusal(hub.admin.call("POST", "/limits", body), 409, "ALREADY_EXISTS", "key: there is a limit for prefix 999")


def test_limits_go_with_their_customer(hub: Hub, limits: Any) -> None:
    account = hub.customer()
    limit = limits(hub.admin, "customer", account.id, segments_per_day=10)
    hub.admin.delete(f"/customers/{account.id}")
    refusal(hub.admin.call("GET", f"/limits/{limit['id']}"), 404, "RESOURCE_NOT_FOUND")


def test_limits_go_with_their_number(hub: Hub, limits: Any) -> None:
    """Whoever has it next is not held by them, and no more is who had it, once it is back."""
    account, other = hub.customer(), hub.customer()
    made = [
        limits(account.api, "number", account.number, segments_per_day=1),
        limits(hub.admin, "number", account.number, segments_per_day=1),
        limits(account.api, "number", account.number, when="accepting", segments_per_day=1),
    ]
    kept = limits(other.api, "number", other.number, segments_per_day=10)
    for customer_id in (other.id, account.id):
        (number,) = hub.admin.get("/numbers", number=account.number)["result"]
        hub.admin.delete(f"/numbers/{number['id']}")
        hub.admin.post("/numbers", {"customer_id": customer_id, "number": account.number})
    for limit in made:
        refusal(hub.admin.call("GET", f"/limits/{limit['id']}"), 404, "RESOURCE_NOT_FOUND")
    assert account.api.get("/limits")["result"] == []
    assert [limit["id"] for limit in other.api.get("/limits")["result"]] == [kept["id"]]
    message = account.send([numbering.somebody() for _ in range(3)])
    assert account.settled(message)["status"] == "delivered"


def test_limits_go_with_their_carrier(hub: Hub, limits: Any) -> None:
    config = {"host": "127.0.0.1", "port": 1, "system_id": "me", "password": ""}
    carrier = hub.admin.post("/carriers", {"name": "Gone", "type": "smpp", "config": config, "disabled": True})
    limit = limits(hub.admin, "carrier", carrier["id"], segments_per_second=1)
    hub.admin.delete(f"/carriers/{carrier['id']}")
    refusal(hub.admin.call("GET", f"/limits/{limit['id']}"), 404, "RESOURCE_NOT_FOUND")
