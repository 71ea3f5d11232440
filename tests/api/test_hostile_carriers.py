"""Peers that do not speak SMPP as they should: the process lives, comes back to them, and serves the others."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest

from tests.support import numbering
from tests.support.api import Json
from tests.support.hub import Account, Hub
from tests.support.waiting import until

BIND_TRANSCEIVER_RESP, DELIVER_SM, ENQUIRE_LINK, OUTBIND = 0x80000009, 0x05, 0x15, 0x0B
SUBMIT_SM, SUBMIT_SM_RESP, GENERIC_NACK, UNBIND = 0x04, 0x80000004, 0x80000000, 0x06


def pdu(command: int, body: bytes = b"", sequence: int = 1, status: int = 0, length: int | None = None) -> bytes:
    return struct.pack(">IIII", 16 + len(body) if length is None else length, command, status, sequence) + body


def request(peer: socket.socket) -> tuple[int, int]:
    """The next request: its command_id and sequence_number."""
    head = peer.recv(16, socket.MSG_WAITALL)
    length, command, _, sequence = struct.unpack(">IIII", head)
    peer.recv(length - 16, socket.MSG_WAITALL)
    return command, sequence


def bind(peer: socket.socket) -> None:
    _, sequence = request(peer)
    peer.sendall(pdu(BIND_TRANSCEIVER_RESP, b"hostile\0", sequence))


Talk = Callable[[socket.socket], None]


class Hostile:
    """A listening socket that does the same to everybody who connects."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.connections = 0
        self._peers: list[socket.socket] = []
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        with suppress(OSError):
            while True:
                peer, _ = self._listening.accept()
                peer.settimeout(10)
                self._peers.append(peer)
                with suppress(OSError, struct.error):
                    self._talk(peer)
                self.connections += 1

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for peer in self._peers:
            peer.close()


@contextmanager
def hostile(hub: Hub, talk: Talk) -> Iterator[tuple[Hostile, Json]]:
    """A hostile peer and the carrier that leads to it."""
    peer = Hostile(talk)
    carrier = hub.carrier(peer.port, f"hostile {peer.port}", enquire_link=1)
    try:
        yield peer, carrier
    finally:
        hub.admin.delete(f"/carriers/{carrier['id']}")
        peer.close()


def closes(peer: socket.socket) -> None:
    peer.close()


def resets(peer: socket.socket) -> None:
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


def closes_when_bound(peer: socket.socket) -> None:
    bind(peer)
    peer.close()


def refuses(peer: socket.socket) -> None:
    _, sequence = request(peer)
    peer.sendall(pdu(BIND_TRANSCEIVER_RESP, b"\0", sequence, 0x0D))


def hangs_up(peer: socket.socket) -> None:
    request(peer)
    peer.close()


def unbinds(peer: socket.socket) -> None:
    bind(peer)
    peer.sendall(pdu(UNBIND))
    request(peer)
    peer.close()


def says(*octets: bytes) -> Talk:
    """Binds, says this and hangs up."""

    def talk(peer: socket.socket) -> None:
        bind(peer)
        for piece in octets:
            peer.sendall(piece)
        peer.shutdown(socket.SHUT_WR)

    return talk


def greets(octets: bytes) -> Talk:
    """Says this instead of answering to the bind."""

    def talk(peer: socket.socket) -> None:
        peer.sendall(octets)
        peer.shutdown(socket.SHUT_WR)

    return talk


BODY = b"\0\1\x01447700900000\0\1\x0115550000000\0\0\0\0\0\0\0\0\0\0"
HOSTILE: dict[str, Talk] = {
    "closes at once": closes,
    "resets at once": resets,
    "closes when bound": closes_when_bound,
    "unbinds": unbinds,
    "refuses the bind": refuses,
    "hears the bind and hangs up": hangs_up,
    "answers a bind that nobody asked for": greets(pdu(BIND_TRANSCEIVER_RESP, b"x\0", sequence=77)),
    "speaks HTTP": greets(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    "noise": says(bytes(range(256)) * 8),
    "a huge length": says(pdu(DELIVER_SM, length=0xFFFFFFFF)),
    "a huge length and much of it": says(pdu(DELIVER_SM, length=0x7FFFFFFF), b"\0" * 1_000_000),
    "a length of nothing": says(pdu(DELIVER_SM, length=0)),
    "a length of less than a head": says(pdu(DELIVER_SM, length=15)),
    "half a head": says(pdu(DELIVER_SM)[:7]),
    "half a body": says(pdu(DELIVER_SM, BODY)[:30]),
    "a body cut short": says(pdu(DELIVER_SM, BODY[:20])),
    "a string without an end": says(pdu(DELIVER_SM, b"A" * 500)),
    "a text longer than its PDU": says(pdu(DELIVER_SM, BODY[:-1] + b"\xff" + b"short")),
    "TLVs cut short": says(pdu(DELIVER_SM, BODY + b"\0" + b"\x04\x24\xff\xff" + b"x")),
    "a command of nobody's": says(pdu(0x00010203), pdu(0x80010203), pdu(0xFFFFFFFF)),
    "answers to nothing": says(pdu(SUBMIT_SM_RESP, b"x\0", 99), pdu(GENERIC_NACK, b"", 99), pdu(GENERIC_NACK, b"", 0)),
    "a client's requests": says(pdu(SUBMIT_SM, BODY), pdu(0x09, b"a\0b\0\0\x34\0\0\0"), pdu(OUTBIND, b"a\0b\0")),
    "much of little": says(pdu(ENQUIRE_LINK) * 5000),
}


@pytest.fixture(scope="module")
def peers(hub: Hub) -> Iterator[dict[str, tuple[Hostile, Json]]]:
    """All of them at the same time, each with a carrier that leads to it."""
    with ExitStack() as opened:
        yield {name: opened.enter_context(hostile(hub, talk)) for name, talk in HOSTILE.items()}


@pytest.mark.parametrize("name", HOSTILE)
def test_the_process_lives_and_comes_back(
    hub: Hub, account: Account, peers: dict[str, tuple[Hostile, Json]], name: str
) -> None:
    peer, carrier = peers[name]
    until(lambda: peer.connections >= 2, "it comes back", within=40)
    assert len(hub.admin.get(f"/carriers/{carrier['id']}")["binds"]) == 1
    assert account.settled(account.send(numbering.somebody()))["status"] == "delivered"
    assert hub.alive


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("refuses the bind", "ESME_RBINDFAIL"),
        ("closes at once", ""),
        ("hears the bind and hangs up", ""),
        ("speaks HTTP", ""),
    ],
)
def test_a_bind_says_what_was_wrong(hub: Hub, peers: dict[str, tuple[Hostile, Json]], name: str, words: str) -> None:
    """Whatever it was: an operator is not left with a carrier that is down for no reason."""
    _, carrier = peers[name]
    now = hub.when_carrier(carrier, lambda now: now["binds"] and now["binds"][0]["last_error"])
    assert words in now["binds"][0]["last_error"]
    assert now["status"] in ("down", "connecting")


def broken_deliveries(peer: socket.socket) -> None:
    """Each is answered, and none ends the session: the well-formed enquire_link after them is answered too."""
    bind(peer)
    for sequence, body in enumerate((BODY[:20], b"", b"A" * 500), 10):
        peer.sendall(pdu(DELIVER_SM, body, sequence))
        command, answered = request(peer)
        assert (command in (0x80000005, GENERIC_NACK), answered) == (True, sequence)
    peer.sendall(pdu(ENQUIRE_LINK, sequence=20))
    assert request(peer) == (0x80000015, 20)
    peer.close()


def test_broken_deliveries_are_answered(hub: Hub) -> None:
    errors: list[AssertionError] = []

    def talk(peer: socket.socket) -> None:
        try:
            broken_deliveries(peer)
        except AssertionError as error:
            errors.append(error)

    with hostile(hub, talk) as (peer, _):
        until(lambda: peer.connections >= 1, "all was said")
    assert errors == []


def test_a_peer_that_takes_all_and_answers_nothing(hub: Hub, account: Account) -> None:
    """Its messages are given up; those of others go on."""

    def mute(peer: socket.socket) -> None:
        bind(peer)

    with hostile(hub, mute) as (_, carrier):
        owner = hub.customer()
        hub.route(carrier, customer_id=owner.id)
        hub.bound(carrier)
        sent = owner.send(numbering.somebody())
        assert account.settled(account.send(numbering.somebody()))["status"] == "delivered"
        target = owner.settled(sent)["targets"][0]
        assert target["status"] in ("gw_timeout", "queued")


def test_a_carrier_that_gives_ids_of_any_kind(hub: Hub) -> None:
    """Empty, the same for all, of strange octets: each message is sent, and none disturbs another."""
    ids = iter([b"", b"same", b"same", b"\xff\xfe\x01", b"x" * 64])

    def talk(peer: socket.socket) -> None:
        bind(peer)
        while True:
            command, sequence = request(peer)
            if command == SUBMIT_SM:
                peer.sendall(pdu(SUBMIT_SM_RESP, next(ids, b"more") + b"\0", sequence))
            else:
                peer.sendall(pdu(command | GENERIC_NACK, b"", sequence))

    with hostile(hub, talk) as (_, carrier):
        owner = hub.customer()
        hub.route(carrier, customer_id=owner.id)
        hub.bound(carrier)
        for _ in range(5):
            sent = owner.send(numbering.somebody())
            owner.api.when(sent["id"], lambda message: message["targets"][0]["status"] == "sent")
