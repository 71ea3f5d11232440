"""Lists: whole, in order, and page by page, however close in time their rows are."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from tests.support import numbering
from tests.support.api import Api, Json
from tests.support.hub import Account, Hub
from tests.support.simulator import Simulator
from tests.support.waiting import until

MESSAGES = 130


@pytest.fixture(scope="module")
def owner(hub: Hub) -> Account:
    return hub.customer(numbering.own(), numbering.own())


@pytest.fixture(scope="module")
def sent(owner: Account) -> list[Json]:
    """Many messages at the same moment, as far as eight callers can."""
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(owner.send, numbering.somebodies(MESSAGES)))


def ids(messages: list[Json]) -> list[str]:
    return [message["id"] for message in messages]


@pytest.mark.parametrize("page_size", [1, 7, 65, 100])
def test_no_row_is_skipped_or_repeated(owner: Account, sent: list[Json], page_size: int) -> None:
    pages = owner.api.pages("/messages", page_size=page_size)
    assert all(len(page) == page_size for page in pages[:-1])
    assert 0 < len(pages[-1]) <= page_size
    walked = [message for page in pages for message in page]
    assert sorted(ids(walked)) == sorted(ids(sent))
    assert ids(walked) == sorted(ids(walked), reverse=True)  # an id begins with its moment


def test_the_messages_do_share_their_moments(sent: list[Json]) -> None:
    """Else the test above would not mean much."""
    assert len({message["tm_create"][:-3] for message in sent}) < len(sent)


def test_rows_that_come_while_one_reads_shift_nothing(owner: Account, sent: list[Json]) -> None:
    first = owner.api.get("/messages", page_size=10)
    new = [owner.send(numbering.somebody()) for _ in range(5)]
    second = owner.api.get("/messages", page_size=10, page_token=first["next_page_token"])
    assert not set(ids(first["result"]) + ids(new)) & set(ids(second["result"]))
    for message in new:
        owner.api.delete(f"/messages/{message['id']}")


@pytest.mark.parametrize(("asked", "got"), [("0", 1), ("-5", 1), ("1", 1), ("1000", 100), ("9" * 40, 100)])
def test_page_size_is_brought_within_its_bounds(owner: Account, sent: list[Json], asked: str, got: int) -> None:
    assert len(owner.api.get("/messages", page_size=asked)["result"]) == got


def test_an_empty_list(hub: Hub) -> None:
    assert hub.customer().api.get("/messages") == {"result": [], "next_page_token": ""}


# --- filters ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def filtered(hub: Hub, box: Simulator) -> tuple[Account, dict[str, str]]:
    """A customer with two numbers, and the ids of its messages by what they are."""
    one, two, peer = numbering.own(), numbering.own(), numbering.somebody()
    account = hub.customer(one, two)
    found = {
        "one to peer": account.api.send(one, peer)["id"],
        "one to many": account.api.send(one, [numbering.somebody(), peer, numbering.somebody()])["id"],
        "two to peer": account.api.send(two, peer)["id"],
    }
    box.write(peer, one, "Hello")
    found["peer to one"] = until(lambda: account.api.get("/messages", direction="inbound")["result"])[0]["id"]
    return account, {**found, "ONE": one, "TWO": two, "PEER": peer}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, ["peer to one", "two to peer", "one to many", "one to peer"]),
        ({"direction": "outbound"}, ["two to peer", "one to many", "one to peer"]),
        ({"direction": "inbound"}, ["peer to one"]),
        ({"source": "ONE"}, ["one to many", "one to peer"]),
        ({"source": "PEER"}, ["peer to one"]),
        ({"destination": "PEER"}, ["two to peer", "one to many", "one to peer"]),
        ({"destination": "ONE"}, ["peer to one"]),
        ({"source": "ONE", "destination": "PEER"}, ["one to many", "one to peer"]),
        ({"source": "TWO", "destination": "PEER", "direction": "outbound"}, ["two to peer"]),
        ({"source": "TWO", "destination": "PEER", "direction": "inbound"}, []),
        ({"source": "+19998887777"}, []),
    ],
    ids=str,
)
def test_filters(filtered: tuple[Account, dict[str, str]], query: dict[str, str], names: list[str]) -> None:
    account, known = filtered
    asked = {name: known.get(value, value) for name, value in query.items()}
    for page_size in (1, 100):
        assert ids(account.api.every("/messages", page_size=page_size, **asked)) == [known[name] for name in names]


def test_the_filter_by_time(filtered: tuple[Account, dict[str, str]]) -> None:
    """Both ends to the microsecond: the first is in, the last is out. Either form of a time will do."""
    account, known = filtered
    newest, middle, *_ = account.api.get("/messages", direction="outbound")["result"]
    begin = middle["tm_create"]
    found = ids(account.api.every("/messages", tm_create_from=begin))
    assert found == [known["peer to one"], newest["id"], middle["id"]]
    assert ids(account.api.every("/messages", tm_create_from=begin.replace(" ", "T") + "Z")) == found
    until_newest = ids(account.api.every("/messages", tm_create_from=begin, tm_create_to=newest["tm_create"]))
    assert until_newest == [middle["id"]]


def test_a_message_is_found_by_its_own_time(hub: Hub, account: Account) -> None:
    """Also one whose body took a while to come: what it says of itself is what the filter goes by."""
    body = json.dumps({"source": account.number, "destinations": [numbering.somebody()], "text": "Hello"})

    def slowly() -> Iterator[bytes]:
        yield body[:10].encode()
        time.sleep(0.5)
        yield body[10:].encode()

    message = account.api.http.post("/messages", content=slowly()).json()
    moment = datetime.fromisoformat(message["tm_create"])
    later = str(moment + timedelta(milliseconds=250))
    found = account.api.every("/messages", tm_create_from=message["tm_create"], tm_create_to=later)
    assert ids(found) == [message["id"]]


# --- targets ----------------------------------------------------------------------------


def test_the_targets_of_a_large_message(owner: Account) -> None:
    to = numbering.somebodies(250)
    message = owner.send(to)
    for shown in (message, owner.api.message(message["id"]), owner.api.get("/messages", page_size=1)["result"][0]):
        assert shown["target_count"] == 250
        assert [target["destination"]["target"] for target in shown["targets"]] == to[:100]
    for page_size in (100, 33):
        pages = owner.api.pages(f"/messages/{message['id']}/targets", page_size=page_size)
        assert [len(page) for page in pages[:-1]] == [page_size] * (len(pages) - 1)
        assert [target["destination"]["target"] for page in pages for target in page] == to
    owner.settled(message)
    targets = owner.api.every(f"/messages/{message['id']}/targets")
    assert {target["status"] for target in targets} == {"delivered"}
    owner.api.delete(f"/messages/{message['id']}")


# --- the other lists --------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/customers", "/numbers", "/carriers", "/routes"])
def test_the_lists_of_the_operator(hub: Hub, admin: Api, path: str) -> None:
    hub.customer()
    carrier = hub.carrier(1, f"listed {path}", system_id="listed")
    hub.route(carrier, prefix="888")
    hub.admin.put(f"/carriers/{carrier['id']}", {"disabled": True})
    whole = ids(admin.every(path))
    assert len(whole) >= 2
    assert len(set(whole)) == len(whole)
    assert ids(admin.every(path, page_size=1)) == whole == sorted(whole, reverse=True)
