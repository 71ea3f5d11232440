"""Sender pools: a message goes from one of several numbers, to each recipient from the right one."""

import pytest

from tests.support import numbering
from tests.support.api import Json, refusal
from tests.support.days import midday
from tests.support.hub import Account, Hub
from tests.support.simulator import Simulator
from tests.support.waiting import until


@pytest.fixture
def many(hub: Hub) -> Account:
    """A customer with four numbers."""
    return hub.customer(*(numbering.own() for _ in range(4)))


def made(account: Account, **given: object) -> Json:
    ids = [number["id"] for number in account.api.get("/numbers")["result"]]
    return account.api.post("/sender_pools", {"name": "shops", "numbers": ids, **given})


def post(account: Account, to: list[str], pool: str = "shops") -> Json:
    source = {"type": "pool", "target": pool, "name": "Shop"}
    return account.api.post("/messages", {"source": source, "destinations": to, "text": "Hello"})


def test_a_pool_from_making_it_to_removing_it(many: Account) -> None:
    pool = made(many)
    assert (pool["name"], pool["sticky"], pool["prefer_country"]) == ("shops", True, True)
    assert [number["state"] for number in pool["numbers"]] == ["good"] * 4
    assert many.api.get("/sender_pools")["result"] == [pool]
    refusal(
        many.api.call("POST", "/sender_pools", {"name": "shops", "numbers": [pool["numbers"][0]["id"]]}),
        409, "ALREADY_EXISTS", "name: there is a sender pool 'shops'",
    )  # fmt: skip
    one = [pool["numbers"][2]["id"]]
    changed = many.api.put(f"/sender_pools/{pool['id']}", {"numbers": one, "name": "desk", "sticky": False})
    assert [number["id"] for number in changed["numbers"]] == one
    assert post(many, [numbering.somebody()], "desk")["source"]["target"] == pool["numbers"][2]["number"]
    many.api.delete(f"/sender_pools/{pool['id']}")
    source = {"type": "pool", "target": "desk"}
    body = {"source": source, "destinations": [numbering.somebody()], "text": "Hello"}
    refusal(many.api.call("POST", "/messages", body), 400, "INVALID_SOURCE", "there is no pool 'desk' of yours")


def test_one_recipient_sees_one_number_and_always_the_same(many: Account) -> None:
    pool, to = made(many), numbering.somebody()
    numbers = {number["number"] for number in pool["numbers"]}
    messages = [post(many, [to], name) for name in ("shops", pool["id"], "shops")]
    (source,) = {message["source"]["target"] for message in messages}
    assert source in numbers
    assert messages[0]["source"] == {"type": "tel", "target": source, "target_name": "", "name": "Shop", "detail": ""}
    assert "source" not in messages[0]["targets"][0]


def test_several_recipients_have_sources_of_their_own(many: Account, box: Simulator) -> None:
    pool, people = made(many), [numbering.somebody() for _ in range(30)]
    message = post(many, people)
    assert message["source"] == {"type": "pool", "target": "shops", "target_name": "", "name": "Shop", "detail": ""}
    chosen = {target["destination"]["target"]: target["source"]["target"] for target in message["targets"]}
    assert set(chosen.values()) == {number["number"] for number in pool["numbers"]}
    settled = many.settled(message)
    assert (settled["status"], settled["source"]) == ("delivered", message["source"])
    for to, source in chosen.items():
        assert [f"+{submit['source'].lstrip('+')}" for submit in box.submits(to)] == [source]
    again = post(many, people)
    assert {target["destination"]["target"]: target["source"]["target"] for target in again["targets"]} == chosen
    page = many.api.get(f"/messages/{message['id']}/targets", page_size=1)["result"]
    assert page[0]["source"]["target"] == chosen[people[0]]


def test_who_answered_to_a_number_is_written_to_by_that(many: Account, box: Simulator) -> None:
    pool, to = made(many), numbering.somebody()
    usual = post(many, [to])["source"]["target"]
    other = next(number["number"] for number in pool["numbers"] if number["number"] != usual)
    box.write(to, other, "Hi")
    until(lambda: many.api.get("/messages", direction="inbound")["result"], "it came in")
    assert post(many, [to])["source"]["target"] == other


def test_numbers_that_have_had_their_day_are_passed_over(many: Account) -> None:
    pool = made(many)
    numbers = [number["number"] for number in pool["numbers"]]
    for number in numbers[1:]:
        limit = {"scope": "number", "key": number, "segments_per_day": 1, "day_starts_in": midday()}
        many.api.post("/limits", limit)
        many.api.send(number, numbering.somebody())
    place = f"/sender_pools/{pool['id']}"
    until(
        lambda: [one["state"] for one in many.api.get(place)["numbers"]] == ["good", *["limited"] * 3], "all are used"
    )
    many.api.put(place, {"sticky": True})  # and what was known of it is forgotten
    message = post(many, [numbering.somebody() for _ in range(10)])
    assert {target["source"]["target"] for target in message["targets"]} == {numbers[0]}


def test_what_a_number_may_be_given_counts_what_a_pool_has_it_send(many: Account) -> None:
    """Each number its own part of a message; and where one is refused none is counted."""
    pool = made(many)
    numbers = [number["number"] for number in pool["numbers"]]
    limit = {"scope": "number", "when": "accepting", "segments_per_day": 100, "day_starts_in": midday()}
    limits = {number: many.api.post("/limits", {**limit, "key": number})["id"] for number in numbers}
    message = post(many, [numbering.somebody() for _ in range(40)])
    sources = [target["source"]["target"] for target in message["targets"]]
    used = {number: many.api.get(f"/limits/{id}")["used_today"] for number, id in limits.items()}
    assert used == {number: sources.count(number) for number in numbers}
    many.api.put(f"/limits/{limits[numbers[0]]}", {"segments_per_day": used[numbers[0]]})
    body = {"source": {"type": "pool", "target": "shops"}, "destinations": numbering.somebodies(40), "text": "Hello"}
    refusal(many.api.call("POST", "/messages", body), 429, "RATE_LIMIT_EXCEEDED")
    assert used == {number: many.api.get(f"/limits/{id}")["used_today"] for number, id in limits.items()}


def test_numbers_whose_messages_are_refused_are_passed_over(many: Account) -> None:
    pool = made(many)
    poor = pool["numbers"][1]["number"]
    sent = [many.api.send(poor, numbering.somebody("0002")) for _ in range(12)]  # rejected by a receipt
    for message in sent:
        many.settled(message)
    place = f"/sender_pools/{pool['id']}"
    assert [one["state"] for one in many.api.get(place)["numbers"]] == ["good", "failing", "good", "good"]
    many.api.put(place, {"sticky": True})
    message = post(many, [numbering.somebody() for _ in range(20)])
    assert poor not in {target["source"]["target"] for target in message["targets"]}


def test_pools_are_their_customers(hub: Hub, many: Account, account: Account) -> None:
    pool = made(many)
    theirs = {"name": "mine", "numbers": [pool["numbers"][0]["id"]]}
    refusal(account.api.call("POST", "/sender_pools", theirs), 404, "RESOURCE_NOT_FOUND", "numbers[0]: there is no")
    refusal(account.api.call("GET", f"/sender_pools/{pool['id']}"), 404, "RESOURCE_NOT_FOUND")
    body = {"source": {"type": "pool", "target": pool["id"]}, "destinations": [numbering.somebody()], "text": "Hello"}
    refusal(account.api.call("POST", "/messages", body), 400, "INVALID_SOURCE", "there is no pool")
    assert [row["id"] for row in hub.admin.get("/sender_pools", customer_id=many.id)["result"]] == [pool["id"]]


def test_a_pool_of_names_writes_only_where_names_may(hub: Hub) -> None:
    account = hub.customer(f"N{numbering.own()[-10:]}")
    made(account)
    assert post(account, ["+447400123456"])["source"]["target"] == account.number
    source = {"type": "pool", "target": "shops"}
    body = {"source": source, "destinations": ["+447400123456", "+14155550100"], "text": "Hello"}
    refusal(
        account.api.call("POST", "/messages", body),
        400, "INVALID_SOURCE", "no number of the pool 'shops' may write to destinations[1] (+14155550100)",
    )  # fmt: skip
