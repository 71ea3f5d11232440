"""Carriers that tell what belongs to nothing, or tell the same again: over real sockets, with octets of our own."""

import socket
import struct

from tests.api.test_hostile_carriers import DELIVER_SM, bind, hostile, pdu, request
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
        assert hub.admin.get(path, page_size=1)["next_page_token"] == ""
    assert hub.caller(hub.customer().api.key).call("GET", path).status_code == 403


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
