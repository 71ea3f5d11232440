"""Bodies as they come over the wire: too large, too slow, in pieces, cut off, of another kind."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest

from tests.api.conftest import BODY_TIMEOUT_S
from tests.support import numbering
from tests.support.api import refusal
from tests.support.hub import Account, Hub
from tests.support.waiting import until

MAX_BODY = 1024 * 1024


@pytest.fixture
def octets(account: Account) -> bytes:
    """A message as JSON."""
    body = {"source": account.number, "destinations": [numbering.somebody()], "text": "Hello"}
    return json.dumps(body).encode()


def pieces(octets: bytes, size: int = 7) -> Iterator[bytes]:
    for at in range(0, len(octets), size):
        yield octets[at : at + size]


def post(account: Account, content: bytes | Iterator[bytes], kind: str = "application/json") -> httpx.Response:
    return account.api.http.post("/messages", content=content, headers={"Content-Type": kind})


# --- size -------------------------------------------------------------------------------


def test_a_body_of_just_one_mib(account: Account, octets: bytes) -> None:
    assert post(account, octets.ljust(MAX_BODY)).status_code == 200


def test_a_body_over_one_mib(account: Account, octets: bytes) -> None:
    refusal(post(account, octets.ljust(MAX_BODY + 1)), 413, "BODY_TOO_LARGE", "1048576")


def test_a_body_over_one_mib_in_pieces(account: Account, octets: bytes) -> None:
    refusal(post(account, pieces(octets.ljust(MAX_BODY + 1), 65536)), 413, "BODY_TOO_LARGE")


def test_a_body_that_is_announced_too_large_is_not_waited_for(hub: Hub, account: Account) -> None:
    with raw(hub) as peer:
        peer.sendall(head(account, f"Content-Length: {10**12}"))
        assert answer(peer).startswith(b"HTTP/1.1 413")


# --- pieces and time --------------------------------------------------------------------


def test_a_body_in_pieces(account: Account, octets: bytes) -> None:
    assert post(account, pieces(octets)).json()["status"] == "sending"


@pytest.mark.parametrize("how", ["Content-Length: 100", "Transfer-Encoding: chunked"])
def test_a_body_that_does_not_come(hub: Hub, account: Account, how: str) -> None:
    with raw(hub) as peer:
        begun = time.monotonic()
        peer.sendall(head(account, how) + b"1\r\n{\r\n")
        heard = answer(peer)
        assert heard.startswith(b"HTTP/1.1 408")
        assert b"REQUEST_TIMEOUT" in heard
        assert BODY_TIMEOUT_S - 0.1 < time.monotonic() - begun < BODY_TIMEOUT_S + 15


def test_a_body_that_comes_drop_by_drop(hub: Hub, account: Account, octets: bytes) -> None:
    """Each piece does not begin the time anew."""
    begun = time.monotonic()

    def drops() -> Iterator[bytes]:
        while time.monotonic() - begun < 5 * BODY_TIMEOUT_S:
            yield b" "
            time.sleep(0.1)

    with suppress(httpx.TransportError):  # it may hang up in the middle of our body, which is as well
        assert post(account, drops()).status_code == 408
    assert time.monotonic() - begun < 3 * BODY_TIMEOUT_S


def test_a_caller_who_goes_away_in_the_middle(hub: Hub) -> None:
    account = hub.customer()
    for how in ("Content-Length: 100", "Transfer-Encoding: chunked"):
        with raw(hub) as peer:
            peer.sendall(head(account, how) + b"5\r\n{")
    assert account.api.get("/messages")["result"] == []


# --- kind -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/xml", "json", ""]
)
def test_a_body_of_another_kind(account: Account, octets: bytes, kind: str) -> None:
    refusal(post(account, octets, kind), 415, "NOT_JSON", "Content-Type: ", "application/json")


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "Application/JSON", "application/json ;x=y"])
def test_json_by_its_other_names(account: Account, octets: bytes, kind: str) -> None:
    assert post(account, octets, kind).status_code == 200


# --- what is not even HTTP --------------------------------------------------------------

GARBAGE = {
    "noise": bytes(range(256)) * 4,
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 64,
    "SMPP": bytes.fromhex("00000010000000150000000000000001"),
    "a line without end": b"GET /" + b"a" * 200_000,
    "no version": b"GET / \r\n\r\n",
    "a header without end": b"GET / HTTP/1.1\r\nX: " + b"a" * 200_000,
    "two lengths": b"POST /v1.0/messages HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "no length": b"POST /v1.0/messages HTTP/1.1\r\nContent-Length: x\r\n\r\n",
    "a chunk of no length": b"POST /v1.0/messages HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
}


@pytest.mark.parametrize("octets", GARBAGE.values(), ids=GARBAGE.keys())
def test_what_is_not_http(hub: Hub, octets: bytes) -> None:
    with raw(hub) as peer:
        try:
            peer.sendall(octets)
            peer.shutdown(socket.SHUT_WR)
            heard = answer(peer)
        except OSError:
            heard = b""  # it hung up
        assert heard == b"" or heard.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4"))
    assert until(lambda: httpx.get(f"{hub.address}/healthz").status_code == 200, "it lives")


def test_many_who_say_nothing(hub: Hub) -> None:
    peers = [raw(hub) for _ in range(200)]
    try:
        assert httpx.get(f"{hub.address}/readyz").status_code == 200
    finally:
        for peer in peers:
            peer.close()


def raw(hub: Hub) -> socket.socket:
    return socket.create_connection(hub.listens_at(), timeout=10)


def head(account: Account, *headers: str) -> bytes:
    lines = ["POST /v1.0/messages HTTP/1.1", "Host: hub", f"Authorization: Bearer {account.api.key}", *headers]
    return "\r\n".join([*lines, "", ""]).encode()


def answer(peer: socket.socket) -> bytes:
    """All that comes until the other side has closed, or has said it all."""
    heard = b""
    while piece := peer.recv(65536):
        heard += piece
        if heard.endswith(b"}"):
            break
    return heard
