"""Routes: which carrier a message goes to, and why."""

from collections.abc import Iterator

import pytest

from tests.support import numbering
from tests.support.api import Api, Json, refusal
from tests.support.hub import Account, Hub
from tests.support.simulator import Simulator


@pytest.fixture(scope="module")
def carriers(hub: Hub) -> Iterator[dict[str, Json]]:
    """Four that lead nowhere."""
    made = {name: hub.carrier(1, name, system_id=name) for name in "ABCD"}
    yield made
    for carrier in made.values():
        hub.admin.delete(f"/carriers/{carrier['id']}")


@pytest.fixture
def routed(hub: Hub, carriers: dict[str, Json]) -> Iterator[list[Json]]:
    """The routes that a test makes; they go when it ends."""
    made: list[Json] = []
    yield made
    for route in made:
        hub.admin.delete(f"/routes/{route['id']}")


def chosen(admin: Api, destination: str, source: str = "") -> list[str]:
    """The names of the carriers in their order, but for the one that all else goes to."""
    query = {"destination": destination, **({"source": source} if source else {})}
    choices = admin.get("/routes/choose", **query)["result"]
    return [choice["carrier_name"] for choice in choices if choice["carrier_name"] in "ABCD"]


def test_the_longest_prefix_wins(hub: Hub, admin: Api, carriers: dict[str, Json], routed: list[Json]) -> None:
    for name, prefix in zip("ABC", ["7", "7701", "77"], strict=True):
        routed.append(hub.route(carriers[name], prefix=prefix, priority=1 + len(prefix)))
    assert chosen(admin, "+77011234567") == ["B", "C", "A"]
    assert chosen(admin, "+77021234567") == ["C", "A"]
    assert chosen(admin, "+78") == ["A"]
    assert chosen(admin, "+87701") == []


def test_then_the_customers_own_then_the_priority(
    hub: Hub, admin: Api, account: Account, carriers: dict[str, Json], routed: list[Json]
) -> None:
    routed.append(hub.route(carriers["A"], prefix="61", priority=1))
    routed.append(hub.route(carriers["B"], prefix="61", priority=9, customer_id=account.id))
    routed.append(hub.route(carriers["C"], prefix="61", priority=5, customer_id=account.id))
    routed.append(hub.route(carriers["D"], prefix="61", priority=0))
    assert chosen(admin, "+61123456", account.number) == ["C", "B", "D", "A"]
    assert chosen(admin, "+61123456", hub.customer().number) == ["D", "A"]
    assert chosen(admin, "+61123456") == ["D", "A"]


def test_equals_share_by_weight(hub: Hub, admin: Api, carriers: dict[str, Json], routed: list[Json]) -> None:
    routed.append(hub.route(carriers["A"], prefix="62", weight=9))
    routed.append(hub.route(carriers["B"], prefix="62", weight=1))
    first = [chosen(admin, "+62123456")[0] for _ in range(200)]
    assert 150 < first.count("A") < 200  # 180 are expected; less or more than this is one in a billion


def test_choosing_is_explained(hub: Hub, admin: Api, carriers: dict[str, Json], routed: list[Json]) -> None:
    routed.append(hub.route(carriers["A"], prefix="+63", priority=3, weight=2, name="to the islands"))
    answer = admin.get("/routes/choose", destination="+63123456")
    assert answer["destination"] == "+63123456"
    choice = answer["result"][0]
    assert choice["route_id"] == routed[0]["id"]
    assert choice["carrier_id"] == carriers["A"]["id"]
    assert "+63" in choice["why"]
    assert "3" in choice["why"]
    assert answer["passed_over"] == []


def test_what_is_passed_over_is_said_with_the_reason(hub: Hub, admin: Api, carriers: dict[str, Json]) -> None:
    off, gone = _off(hub, "off"), _off(hub, "gone")
    routes = [hub.route(carrier, prefix="+64") for carrier in (off, gone)]
    admin.delete(f"/carriers/{gone['id']}")
    found = {one["route_id"]: one["why"] for one in admin.get("/routes/choose", destination="+64123")["passed_over"]}
    assert [found[route["id"]] for route in routes] == [
        "passed over: its carrier is disabled",
        "passed over: its carrier is no longer there",
    ]
    for route in routes:
        admin.delete(f"/routes/{route['id']}")


def _off(hub: Hub, name: str) -> Json:
    config = {"host": "127.0.0.1", "port": 1, "system_id": name, "password": ""}
    return hub.admin.post("/carriers", {"name": name, "type": "smpp", "config": config, "disabled": True})


@pytest.mark.parametrize(
    ("query", "reason", "words"),
    [
        ({}, "INVALID_REQUEST_PARAMETER", "destination: "),
        ({"destination": "0044"}, "INVALID_REQUEST_PARAMETER", "destination: "),
        ({"destination": "+44123", "source": "+19998887777"}, "INVALID_SOURCE", "source: "),
    ],
)
def test_choosing_needs_numbers(admin: Api, query: dict[str, str], reason: str, words: str) -> None:
    refusal(admin.call("GET", "/routes/choose", **query), 400, reason, words)


def test_a_route_is_changed_and_removed(
    hub: Hub, admin: Api, carriers: dict[str, Json], routed: list[Json], account: Account
) -> None:
    route = hub.route(carriers["A"], prefix="64", name="first", priority=4, weight=7, customer_id=account.id)
    assert admin.get(f"/routes/{route['id']}") == route
    changed = admin.put(f"/routes/{route['id']}", {"carrier_id": carriers["B"]["id"], "prefix": "65"})
    kept = ("id", "name", "priority", "weight", "customer_id", "tm_create", "tm_delete")
    assert {name: changed[name] for name in kept} == {name: route[name] for name in kept}
    assert chosen(admin, "+65123456", account.number) == ["B"]
    assert chosen(admin, "+64123456", account.number) == []
    assert admin.delete(f"/routes/{route['id']}")["tm_delete"].startswith("20")
    assert chosen(admin, "+65123456", account.number) == []
    refusal(admin.call("GET", f"/routes/{route['id']}"), 404, "RESOURCE_NOT_FOUND")
    refusal(admin.call("DELETE", f"/routes/{route['id']}"), 404, "RESOURCE_NOT_FOUND")


@pytest.mark.parametrize("member", ["carrier_id", "customer_id"])
def test_a_route_leads_to_what_there_is(admin: Api, carriers: dict[str, Json], member: str) -> None:
    body = {"carrier_id": carriers["A"]["id"], "prefix": "66", member: "01234567-89ab-7def-8123-456789abcdef"}
    refusal(admin.call("POST", "/routes", body), 404, "RESOURCE_NOT_FOUND")


def test_a_message_takes_its_route(hub: Hub, carriers: dict[str, Json], routed: list[Json], box: Simulator) -> None:
    """The general route leads to the simulator; this customer's own leads nowhere, until it is removed."""
    owner = hub.customer()
    route = hub.route(carriers["A"], customer_id=owner.id)
    held = owner.send(numbering.somebody())
    hub.admin.delete(f"/routes/{route['id']}")
    gone = owner.send(numbering.somebody())
    assert owner.settled(gone)["status"] == "delivered"
    assert owner.api.message(held["id"])["status"] == "sending"
    assert box.submits(held["targets"][0]["destination"]["target"]) == []
