"""What a message asks for besides its text, from the request to the PDU, on both stores."""

from typing import Any

import pytest

from tests.support import numbering
from tests.support.api import Json, refusal
from tests.support.hub import Account, Hub
from tests.support.simulator import Simulator

WRITTEN = "Don’t forget “it”…"
SENT = 'Don\'t forget "it"...'
REPLACED = [
    {"character": "’", "replacement": "'"},
    {"character": "“", "replacement": '"'},
    {"character": "”", "replacement": '"'},
    {"character": "…", "replacement": "..."},
]
ENTITY, OPERATOR, DEFAULT = 0x1400, 0x1411, 0x1500
TLVS: Json = {
    "entity": {"tag": ENTITY, "type": "cstring"},
    "operator": {"tag": OPERATOR, "type": "uint16", "value": 7},
    "always": {"tag": DEFAULT, "type": "uint8", "value": 1},
}


@pytest.fixture(scope="module")
def account(hub: Hub) -> Account:
    return hub.customer(trace="all")


def submits(account: Account, message: Json) -> list[Json]:
    """The submit_sm of a message with one target, once it has come to an end."""
    account.settled(message)
    (trace,) = account.api.every(f"/messages/{message['id']}/trace")
    return [step["pdu"] for step in trace["steps"] if step["step"] == "submit"]


def sent(account: Account, text: str = "Hello", /, **asked: Any) -> tuple[Json, Json]:
    """The message as it is shown in the end, and its first submit_sm."""
    message = account.send(numbering.somebody(), text, **asked)
    submit = submits(account, message)[0]
    return account.api.message(message["id"]), submit


# --- smart encoding ---------------------------------------------------------------------


def test_smart_encoding_keeps_what_was_written_and_says_what_is_sent(account: Account) -> None:
    message, submit = sent(account, WRITTEN, smart_encoding=True)
    assert (message["text"], message["sent_text"], message["replaced"]) == (WRITTEN, SENT, REPLACED)
    assert (submit["text"], submit["fields"]["data_coding"]) == (SENT, 0)
    assert message["status"] == "delivered"


def test_without_it_the_text_goes_as_it_was_written(account: Account) -> None:
    message, submit = sent(account, WRITTEN)
    assert (submit["text"], submit["fields"]["data_coding"]) == (WRITTEN, 8)
    assert not {"sent_text", "replaced", "class", "tlvs"} & message.keys()


def test_what_needs_no_replacement_is_shown_as_ever(account: Account) -> None:
    for text in ("Hello", "Это не GSM’"):
        message, submit = sent(account, text, smart_encoding=True)
        assert submit["text"] == text
        assert not {"sent_text", "replaced"} & message.keys()


def test_parts_are_counted_of_what_is_sent(account: Account) -> None:
    long = "It’s " + "x" * 150
    assert account.send(numbering.somebody(), long)["targets"][0]["parts"] == 3
    assert account.send(numbering.somebody(), long, smart_encoding=True)["targets"][0]["parts"] == 1


def test_the_customer_says_it_for_messages_that_do_not(hub: Hub) -> None:
    account = hub.customer(trace="all", smart_encoding=True)
    assert account.api.get("/customer")["smart_encoding"] is True
    assert sent(account, WRITTEN)[1]["text"] == SENT
    assert sent(account, WRITTEN, smart_encoding=False)[1]["text"] == WRITTEN
    assert account.api.post("/messages/segments", {"text": WRITTEN})["segments"] == [SENT]
    other = hub.admin.put(f"/customers/{account.id}", {"smart_encoding": False})
    assert other["smart_encoding"] is False
    assert account.api.get("/customer")["smart_encoding"] is False


def test_segments_show_what_would_be_sent(account: Account) -> None:
    shown = account.api.post("/messages/segments", {"text": WRITTEN, "smart_encoding": True})
    assert (shown["encoding"], shown["segments"], shown["forced_by"]) == ("GSM-7", [SENT], [])
    assert shown["replaced"] == REPLACED
    assert "replaced" not in account.api.post("/messages/segments", {"text": WRITTEN})


def test_webhooks_tell_it_as_the_api_does(hub: Hub, account: Account) -> None:
    account.api.put("/customer", {"webhook_uri": "http://127.0.0.1:9/"})
    message, _ = sent(account, WRITTEN, smart_encoding=True)
    told = account.api.every("/webhook_deliveries", message_id=message["id"])
    bodies = [account.api.get(f"/webhook_deliveries/{one['id']}")["body"] for one in told]
    assert bodies
    assert all('"sent_text":"Don\'t forget' in body and '"replaced":[' in body for body in bodies)


# --- the class --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message_class", "data_coding"),
    [("Hello", 0, 0xF0), ("Hello", 1, 0xF1), ("Hello", 3, 0xF3), ("Привет", 0, 0x18), ("Привет", 2, 0x1A)],
)
def test_the_class_stands_in_data_coding(account: Account, text: str, message_class: int, data_coding: int) -> None:
    message, submit = sent(account, text, **{"class": message_class})
    assert message["class"] == message_class
    assert (submit["fields"]["data_coding"], submit["text"]) == (data_coding, text)


def test_each_part_of_a_long_message_has_the_class(account: Account) -> None:
    message = account.send(numbering.somebody(), "x" * 200, **{"class": 0})
    assert message["targets"][0]["parts"] == 2
    assert [one["fields"]["data_coding"] for one in submits(account, message)] == [0xF0, 0xF0]


# --- TLVs -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def knowing(hub: Hub, carrier_box: Simulator) -> Account:
    """A customer whose messages go to a carrier with TLVs; from one that refuses, to another that knows none."""
    account = hub.customer(trace="all")
    first = hub.carrier(carrier_box.port, "knowing", tlvs=TLVS, statuses={"0x000b": "reroute"})
    hub.route(hub.bound(first), customer_id=account.id, priority=1)
    second = hub.carrier(carrier_box.port, "unknowing")
    hub.route(hub.bound(second), customer_id=account.id, priority=2)
    return account


def test_tlvs_go_with_the_message_that_gives_them(knowing: Account) -> None:
    given = {"entity": "1101", "operator": 28603}
    message, submit = sent(knowing, tlvs=given)
    assert message["tlvs"] == given
    assert submit["tlvs"] == {f"{ENTITY:#06x}": b"1101\0".hex(), f"{OPERATOR:#06x}": "6fbb", f"{DEFAULT:#06x}": "01"}


def test_without_them_only_those_with_a_value_of_their_own_go(knowing: Account) -> None:
    message, submit = sent(knowing)
    assert submit["tlvs"] == {f"{OPERATOR:#06x}": "0007", f"{DEFAULT:#06x}": "01"}
    assert "tlvs" not in message


def test_a_carrier_that_knows_none_of_the_name_gets_the_message_without(knowing: Account) -> None:
    message = knowing.send(numbering.somebody("0003"), tlvs={"entity": "1101"})
    first, second = submits(knowing, message)
    assert f"{ENTITY:#06x}" in first["tlvs"]
    assert second["tlvs"] == {}


@pytest.mark.parametrize(
    ("tlvs", "words"),
    [
        ({"entiti": "1101"}, "tlvs.entiti: no carrier for "),
        ({"operator": 70_000}, "tlvs.operator: 70000 is no uint16"),
        ({"operator": "one"}, "tlvs.operator: 'one' is no uint16"),
        ({"entity": 5}, "tlvs.entity: 5 is no cstring"),
        ({"entity": "ж"}, "tlvs.entity: 'ж' is no cstring"),
    ],
)
def test_tlvs_that_no_carrier_could_be_given(knowing: Account, tlvs: Json, words: str) -> None:
    asked = {"source": knowing.number, "destinations": [numbering.somebody()], "text": "Hello", "tlvs": tlvs}
    refusal(knowing.api.call("POST", "/messages", asked), 400, "INVALID_TLV", words)
