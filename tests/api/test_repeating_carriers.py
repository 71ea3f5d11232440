"""Carriers that tell what belongs to nothing, or tell the same again: over real sockets, with octets of our own."""

import socket
import struct

from tests.api.test_hostile_carriers import DELIVER_SM, SUBMIT_SM, SUBMIT_SM_RESP, bind, hostile, pdu, request
from tests.support import numbering
from tests.support.hub import Hub
from tests.support.waiting import until

DELIVER_SM_RESP, ROK = 0x80000005, 0


def deliver(source: str, destination: str, text: bytes, esm_class: int = 0) -> bytes:
    ends = b"\1\1" + source.encode() + b"\0\1\1" + destination.removeprefix("+").encode() + b"\0"
    return b"\0" + ends + bytes((esm_class, 0, 0)) + b"\0\0" + bytes((0, 0, 0, 0, len(text))) + text


def answer(peer: socket.socket) -> int:
    head = peer.recv(16, socket.MSG_WAITALL)
    length, command, status, _ = struct.unpack(">IIII", head)
    peer.recv(length - 16, socket.MSG_WAITALL)
    assert command == DELIVER_SM_RESP
    return int(status)


def test_receipts_that_belong_to_nothing_are_listed(hub: Hub) -> None:
    text = b"id:4711 sub:001 dlvrd:001 submit date:2611210000 done date:2611210001 stat:DELIVRD err:000 text:x"

    def talk(peer: socket.socket) -> None:
        bind(peer)
        peer.sendall(pdu(DELIVER_SM, deliver("15551230000", "+15559870000", text, 4), 10))
        assert answer(peer) == ROK
        while request(peer):
            pass

    with hostile(hub, talk) as (_, carrier):
        path = f"/carriers/{carrier['id']}/unmatched_receipts"
        (found,) = until(lambda: hub.admin.get(path)["result"], "it is listed") or []
        assert found["carrier_message_id"] == "4711"
        assert (found["state"], found["words"], found["destination"]) == ("delivered", "DELIVRD 000", "+15551230000")
        assert found["is_given_up"] is False
        assert (found["rule"], found["looked_for"]) == ("as_is", ["4711"])
        assert hub.admin.get(path, page_size=1)["next_page_token"] == ""
        found_by = {
            "carrier_message_id": ("4711", "4712"),
            "tm_create_from": (found["tm_create"], "2999-01-01T00:00:00Z"),
            "tm_create_to": ("2999-01-01T00:00:00Z", found["tm_create"]),
        }
        for name, (fits, does_not) in found_by.items():
            assert hub.admin.get(path, **{name: fits})["result"] == [found], name
            assert hub.admin.get(path, **{name: does_not})["result"] == [], name
        assert hub.admin.call("GET", path, tm_create_to="soon").status_code == 400
        hub.admin.put(f"/carriers/{carrier['id']}", {"config": {"receipt_id": "any_case"}})
        assert hub.admin.get(path)["result"][0]["rule"] == "any_case"
    assert hub.caller(hub.customer().api.key).call("GET", path).status_code == 403


def test_a_carrier_whose_receipts_have_its_ids_in_decimal(hub: Hub) -> None:
    """The first receipt waits until it is clear what the carrier does, the second one finds its segment at once."""
    owner = hub.customer()
    to = [numbering.somebody(), numbering.somebody()]
    ids = iter((("33E95179", "870928761"), ("33E9517A", "870928762")))
    recipients = iter(to)

    def talk(peer: socket.socket) -> None:
        bind(peer)
        while True:
            command, sequence = request(peer)
            if command != SUBMIT_SM:
                continue
            response_id, receipt_id = next(ids)
            peer.sendall(pdu(SUBMIT_SM_RESP, response_id.encode() + b"\0", sequence))
            text = f"id:{receipt_id} done date:2611210001 stat:DELIVRD err:000".encode()
            peer.sendall(pdu(DELIVER_SM, deliver(next(recipients).removeprefix("+"), owner.number, text, 4), 10))

    with hostile(hub, talk) as (_, carrier):
        hub.route(carrier, customer_id=owner.id)
        hub.admin.put(f"/carriers/{carrier['id']}", {"trace": "all"})
        assert hub.bound(carrier)["receipt_id_learnt"] == ""
        for each in to:
            message = owner.settled(owner.send(each))
            assert message["status"] == "delivered"
        assert hub.admin.get(f"/carriers/{carrier['id']}")["receipt_id_learnt"] == "hex_to_dec"
        trace = owner.api.get(f"/messages/{message['id']}/trace")["result"][0]
        (step,) = [step for step in trace["steps"] if step["step"] == "receipt"]
        assert step["detail"]["rule"].endswith("; it stood as 33E9517A in the response: hex_to_dec")
        assert step["detail"]["was_parked"] is False
        assert hub.admin.get(f"/carriers/{carrier['id']}/unmatched_receipts")["result"] == []


def test_what_is_told_again_on_the_next_bind_makes_one_message(hub: Hub) -> None:
    """The connection broke before the carrier heard our answer. Who writes twice on one bind writes two messages."""
    owner = hub.customer()
    person = numbering.somebody().removeprefix("+")
    said: list[int] = []

    def talk(peer: socket.socket) -> None:
        bind(peer)
        for _ in range(2 if said else 1):
            peer.sendall(pdu(DELIVER_SM, deliver(person, owner.number, b"YES"), 10))
            said.append(answer(peer))
        if len(said) == 1:
            peer.close()
        else:
            peer.sendall(pdu(DELIVER_SM, deliver(person, owner.number, b"NO"), 11))
            said.append(answer(peer))
            peer.sendall(pdu(DELIVER_SM, deliver(person, owner.number, b"NO"), 12))
            said.append(answer(peer))
            while request(peer):
                pass

    with hostile(hub, talk):
        until(lambda: len(said) == 5, "all was said")
    assert said == [ROK] * 5
    texts = [message["text"] for message in owner.api.get("/messages", direction="inbound")["result"]]
    assert texts == ["NO", "NO", "YES"]
