"""Threads on both stores: what came in and what was answered, as one, and each customer sees only its own."""

from collections.abc import Sequence

import pytest

from messagehub.conversations import conversation_id
from tests.support import numbering
from tests.support.api import Json, refusal
from tests.support.hub import Account, Hub
from tests.support.simulator import Simulator
from tests.support.waiting import until

UNSET = "00000000-0000-0000-0000-000000000000"
NOT_YET = "9999-01-01 00:00:00.000000"


@pytest.fixture
def account(serving: Hub) -> Account:
    return serving.customer()


def threads(account: Account, **asked: str) -> list[Json]:
    found: list[Json] = account.api.get("/conversations", **asked)["result"]
    return found


def write(box: Simulator, source: str, account: Account, *texts: str) -> Json:
    """Somebody writes, and the thread is there."""
    for text in texts:
        assert box.write(source, account.number, text) == ["ESME_ROK"]
    [thread] = threads(account, peer=source)
    return thread


def said(account: Account, thread: Json) -> list[tuple[str, str]]:
    """The oldest first."""
    page = account.api.every(f"/conversations/{thread['id']}/messages")
    return [(one["direction"], one["text"]) for one in reversed(page)]


def peers(found: Sequence[Json]) -> list[str]:
    return [thread["peer"]["target"] for thread in found]


def test_who_writes_has_a_thread_with_what_is_unread(account: Account, carrier_box: Simulator) -> None:
    anne = numbering.somebody()
    assert threads(account) == []
    thread = write(carrier_box, anne, account, "Hello", "Are you there?")
    address = {"type": "tel", "target_name": "", "name": "", "detail": ""}
    newest = account.api.get("/messages", source=anne)["result"][0]
    assert thread == {
        "id": conversation_id(account.id, account.number, anne),
        "customer_id": account.id,
        "owner_type": "",
        "owner_id": UNSET,
        "account_id": UNSET,
        "name": "",
        "detail": "",
        "type": "message",
        "dialog_id": UNSET,
        "self": {**address, "target": account.number},
        "peer": {**address, "target": anne},
        "unread_count": 2,
        "tm_last_message": newest["tm_create"],
        "tm_create": thread["tm_create"],
        "tm_update": NOT_YET,
        "tm_delete": NOT_YET,
    }
    assert account.api.get(f"/conversations/{thread['id']}") == thread


def test_both_directions_are_one_dialogue(account: Account, carrier_box: Simulator) -> None:
    anne = numbering.somebody()
    before = account.send(anne, "We are here")
    thread = write(carrier_box, anne, account, "Hello")
    path = f"/conversations/{thread['id']}/messages"
    answer = account.api.post(path, {"text": "How can we help?"})
    assert (answer["direction"], answer["status"], answer["reference_type"]) == ("outgoing", "progressing", "message")
    plain = account.send(anne, "We open at nine")
    account.settled(plain)
    account.settled(account.api.message(answer["id"]))
    shown = account.api.get(path)["result"]
    assert [(one["direction"], one["text"], one["status"]) for one in reversed(shown)] == [
        ("outgoing", "We are here", "done"),
        ("incoming", "Hello", "done"),
        ("outgoing", "How can we help?", "done"),
        ("outgoing", "We open at nine", "done"),
    ]
    assert (shown[0]["id"], shown[1]["id"], shown[3]["id"]) == (plain["id"], answer["id"], before["id"])
    assert all(one["reference_id"] == one["id"] and one["conversation_id"] == thread["id"] for one in shown)
    assert shown[0]["source"]["target"] == shown[2]["destination"]["target"] == account.number
    assert account.api.message(answer["id"])["targets"][0]["destination"]["target"] == anne
    [now] = threads(account)
    assert (now["unread_count"], now["tm_last_message"]) == (1, plain["tm_create"])


def test_what_could_not_be_sent_is_shown_as_failed(account: Account, carrier_box: Simulator) -> None:
    nobody = numbering.somebody("0003")
    thread = write(carrier_box, nobody, account, "Hello")
    answer = account.api.post(f"/conversations/{thread['id']}/messages", {"text": "Hello yourself"})
    account.settled(account.api.message(answer["id"]))
    assert account.api.get(f"/conversations/{thread['id']}/messages")["result"][0]["status"] == "failed"


def test_the_newest_message_comes_first(account: Account, carrier_box: Simulator) -> None:
    people = numbering.somebodies(5)
    for one in people:
        write(carrier_box, one, account, "Hello")
    assert peers(threads(account)) == people[::-1]
    account.send(people[0], "Good morning")
    order = [people[0], *people[:0:-1]]
    assert peers(threads(account)) == order
    assert [peers(page) for page in account.api.pages("/conversations", page_size=2)] == [
        order[:2], order[2:4], order[4:],
    ]  # fmt: skip
    assert peers(account.api.every("/conversations", page_size=1, self=account.number)) == order


def test_sending_opens_no_thread(account: Account) -> None:
    account.send(numbering.somebody(), "Your code is 1234")
    account.send(numbering.somebodies(3), "News")
    assert threads(account) == []


def test_what_went_to_many_is_in_the_thread_and_does_not_move_it(account: Account, carrier_box: Simulator) -> None:
    anne, bert = numbering.somebodies(2)
    thread = write(carrier_box, anne, account, "Hello")
    write(carrier_box, bert, account, "Hello")
    account.send([anne, bert], "News")
    assert said(account, thread) == [("incoming", "Hello"), ("outgoing", "News")]
    assert peers(threads(account)) == [bert, anne]


def test_what_was_read_is_unread_no_more(account: Account, carrier_box: Simulator) -> None:
    anne = numbering.somebody()
    thread = write(carrier_box, anne, account, "One", "Two", "Three")
    path = f"/conversations/{thread['id']}"
    newest = account.api.get(f"{path}/messages")["result"]
    assert account.api.post(f"{path}/read", {"message_id": newest[1]["id"]})["unread_count"] == 1
    assert account.api.post(f"{path}/read", {})["unread_count"] == 0
    assert write(carrier_box, anne, account, "Four")["unread_count"] == 1
    assert account.api.post(f"{path}/read", {"message_id": newest[0]["id"]})["unread_count"] == 1
    refusal(account.api.call("POST", f"{path}/read", {"message_id": "4"}), 400, "INVALID_ARGUMENT", "message_id: '4'")


def test_each_number_has_threads_of_its_own(serving: Hub, carrier_box: Simulator) -> None:
    numbers, anne = [numbering.own(), numbering.own()], numbering.somebody()
    account = serving.customer(*numbers)
    for number in numbers:
        carrier_box.write(anne, number, f"To {number}")
    assert peers(threads(account)) == [anne, anne]
    for number in numbers:
        [thread] = threads(account, self=number)
        assert threads(account, self=number, peer=anne) == [thread]
        assert said(account, thread) == [("incoming", f"To {number}")]
    assert len(threads(account, peer=anne)) == 2
    assert threads(account, self=numbers[0], peer=numbering.somebody()) == []


def test_a_thread_can_be_opened(account: Account) -> None:
    anne = numbering.somebody()
    earlier = account.send(anne, "From before")
    asked = {"self": account.number, "peer": {"target": anne}}
    thread = account.api.post("/conversations", asked)
    assert (thread["unread_count"], thread["tm_last_message"]) == (0, NOT_YET)
    assert account.api.post("/conversations", asked) == thread
    answer = account.api.post(f"/conversations/{thread['id']}/messages", {"text": "Hello"})
    assert [one["id"] for one in account.api.get(f"/conversations/{thread['id']}/messages")["result"]] == [
        answer["id"], earlier["id"],
    ]  # fmt: skip
    assert threads(account)[0]["tm_last_message"] == answer["tm_create"]
    for wrong, reason, words in (
        ({"self": numbering.own(), "peer": anne}, "INVALID_SOURCE", "self: "),
        ({"self": account.number, "peer": "ACME"}, "INVALID_DESTINATION", "peer: 'ACME'"),
        ({"self": account.number, "peer": {"target": anne, "type": "email"}}, "INVALID_ARGUMENT", "peer.type: "),
    ):
        refusal(account.api.call("POST", "/conversations", wrong), 400, reason, words)


def test_it_can_be_named_and_given_to_somebody(account: Account, carrier_box: Simulator) -> None:
    thread = write(carrier_box, numbering.somebody(), account, "Hello")
    path, agent = f"/conversations/{thread['id']}", "01a1fbc1-388b-7020-a7fb-a12694d73ae3"
    changed = account.api.put(path, {"owner_type": "agent", "owner_id": agent, "name": "Anne", "detail": "VIP"})
    told = {"owner_type": "agent", "owner_id": agent, "name": "Anne", "detail": "VIP"}
    assert changed == {**thread, **told, "tm_update": changed["tm_update"]} != thread
    assert account.api.put(path, {"owner_id": ""}) == {
        **changed, "owner_id": UNSET, "tm_update": account.api.get(path)["tm_update"],
    }  # fmt: skip
    refusal(account.api.call("PUT", path, {"owner_id": "me"}), 400, "INVALID_ARGUMENT", "owner_id: 'me'")
    refusal(account.api.call("PUT", path, {"peer": "+1"}), 400, "INVALID_ARGUMENT", "peer: there is no such member")


def test_what_cannot_be_said_is_refused(account: Account, carrier_box: Simulator) -> None:
    thread = write(carrier_box, "ACME", account, "10 % off")
    path = f"/conversations/{thread['id']}/messages"
    refusal(account.api.call("POST", path, {"text": "Stop"}), 400, "INVALID_DESTINATION", "peer: 'ACME'")
    anne = account.api.post("/conversations", {"self": account.number, "peer": numbering.somebody()})
    path = f"/conversations/{anne['id']}/messages"
    refusal(account.api.call("POST", path, {}), 400, "INVALID_TEXT", "text: ")
    medias = {"medias": [{"url": "https://example.com/cat.svg", "type": "image/svg+xml"}]}
    refusal(account.api.call("POST", path, medias), 400, "MEDIA_NOT_SUPPORTED", "medias[0].type: ")
    assert said(account, anne) == []


def test_a_message_that_is_deleted_is_not_shown(account: Account, carrier_box: Simulator) -> None:
    thread = write(carrier_box, numbering.somebody(), account, "One", "Two")
    newest = account.api.get(f"/conversations/{thread['id']}/messages")["result"][0]
    account.api.delete(f"/messages/{newest['id']}")
    assert said(account, thread) == [("incoming", "One")]


def test_what_is_deleted_before_it_was_read_is_unread_no_more(account: Account, carrier_box: Simulator) -> None:
    thread = write(carrier_box, numbering.somebody(), account, "One", "Two", "Three")
    path = f"/conversations/{thread['id']}"
    three, two, one = account.api.get(f"{path}/messages")["result"]
    account.api.post(f"{path}/read", {"message_id": one["id"]})
    for message, left in ((one, 2), (three, 1), (two, 0)):
        account.api.delete(f"/messages/{message['id']}")
        assert account.api.get(path)["unread_count"] == left


def test_others_do_not_see_it(serving: Hub, account: Account, carrier_box: Simulator) -> None:
    thread, other = write(carrier_box, numbering.somebody(), account, "Hello"), serving.customer()
    assert threads(other) == threads(other, peer=thread["peer"]["target"]) == []
    path = f"/conversations/{thread['id']}"
    for method, rest, body in (
        ("GET", "", None), ("PUT", "", {"name": "mine"}), ("POST", "/read", {}), ("GET", "/messages", None),
        ("POST", "/messages", {"text": "Hello"}),
    ):  # fmt: skip
        refusal(other.api.call(method, path + rest, body), 404, "RESOURCE_NOT_FOUND")
    assert account.api.get(path) == thread


def test_a_long_dialogue_is_paged(account: Account, carrier_box: Simulator) -> None:
    anne = numbering.somebody()
    thread = write(carrier_box, anne, account, "in 0")
    for n in range(1, 6):
        account.send(anne, f"out {n}")
        write(carrier_box, anne, account, f"in {n}")
    pages = account.api.pages(f"/conversations/{thread['id']}/messages", page_size=4)
    assert [len(page) for page in pages] == [4, 4, 3]
    texts = [one["text"] for page in pages for one in page]
    assert texts == [*(f"{way} {n}" for n in range(5, 0, -1) for way in ("in", "out")), "in 0"]


def test_it_is_there_after_a_kill(account: Account, serving: Hub, carrier_box: Simulator) -> None:
    anne = numbering.somebody()
    thread = write(carrier_box, anne, account, "Hello")
    answer = account.api.post(f"/conversations/{thread['id']}/messages", {"text": "Hello yourself"})
    serving.kill()
    serving.start()
    until(lambda: serving.admin.get("/carriers")["result"][0]["status"] == "bound", "the carrier")
    [now] = threads(account)
    assert (now["unread_count"], now["tm_last_message"]) == (1, answer["tm_create"])
    assert said(account, now) == [("incoming", "Hello"), ("outgoing", "Hello yourself")]
