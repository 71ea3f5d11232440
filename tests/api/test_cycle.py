"""Requests and answers as applications of ASGI see them: piece by piece, not all at once, and not at all."""

import contextlib
import socket
import struct
import threading
from typing import Any

import pytest

from tests.api.served import served
from tests.support.raw import Place, line, request

HEAD = {"type": "http.response.start", "status": 200}


def said(place: Place, octets: bytes) -> bytes:
    """All that is answered until the connection is closed."""
    heard = b""
    with socket.create_connection(place, timeout=10) as sock, contextlib.suppress(ConnectionResetError):
        sock.sendall(octets)
        sock.shutdown(socket.SHUT_WR)
        while more := sock.recv(65536):
            heard += more
    return heard


async def pieces(scope: Any, receive: Any, send: Any) -> None:
    await send(HEAD)
    for piece in (b"Hello, ", b"", b"world"):
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body"})


def test_an_answer_of_unknown_length() -> None:
    with served(pieces) as place:
        head, _, body = said(place, request("GET /")).partition(b"\r\n\r\n")
        assert b"\r\ntransfer-encoding: chunked" in head
        assert body == b"7\r\nHello, \r\n5\r\nworld\r\n0\r\n\r\n"
        head, _, body = said(place, request("HEAD /")).partition(b"\r\n\r\n")
        assert (head[:15], body) == (b"HTTP/1.1 200 OK", b"")


async def nothing_to_say(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


def test_an_answer_without_a_body() -> None:
    with served(nothing_to_say) as place:
        heard = said(place, request("GET /") * 2)
        assert heard.count(b"HTTP/1.1 204 No Content\r\n") == 2
        assert heard.endswith(b"\r\n\r\n")
        assert b"chunked" not in heard


async def echo(scope: Any, receive: Any, send: Any) -> None:
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    headers = [(b"content-length", b"%d" % len(body)), (b"Connection", b"Close")]
    await send({**HEAD, "headers": headers})
    await send({"type": "http.response.body", "body": body})
    assert await receive() == {"type": "http.disconnect"}


@pytest.mark.parametrize("cut", [0, 1, 150_000])
def test_a_body_in_pieces(cut: int) -> None:
    body = b"0123456789" * 30_000
    octets = request("POST /", f"Content-Length: {len(body)}", body=body[:cut])
    with served(echo) as place, line(place) as peer:
        peer.say(octets)
        answer = peer.ask(body[cut:])
        assert (answer.body, answer.closes) == (body, True)
        assert peer.is_closed()


def test_who_has_read_all_is_told_when_the_caller_goes() -> None:
    read, told = threading.Event(), []

    async def wait(scope: Any, receive: Any, send: Any) -> None:
        told.append(await receive())
        read.set()
        told.append(await receive())

    with served(wait) as place, line(place) as peer:
        peer.say(request("POST /", "Content-Length: 2", body=b"ab"))
        assert read.wait(5)
        peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # goes without a word
    assert told == [
        {"type": "http.request", "body": b"ab", "more_body": False},
        {"type": "http.disconnect"},
    ]


async def silent(scope: Any, receive: Any, send: Any) -> None:
    """Returns, and has said nothing."""


async def body_only(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.body", "body": b"ab"})


async def splits(scope: Any, receive: Any, send: Any) -> None:
    await send({**HEAD, "headers": [(b"x", b"a\r\nset-cookie: b")]})


async def fails_after_the_head(scope: Any, receive: Any, send: Any) -> None:
    await send({**HEAD, "headers": [(b"content-length", b"3")]})
    raise ValueError


async def too_short(scope: Any, receive: Any, send: Any) -> None:
    await send({**HEAD, "headers": [(b"content-length", b"3")]})
    await send({"type": "http.response.body", "body": b"ab"})


async def unknown(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.trailers"})


@pytest.mark.parametrize("application", [silent, body_only, splits, fails_after_the_head, too_short, unknown])
def test_an_application_that_fails_before_its_answer(application: Any) -> None:
    with served(application) as place, line(place) as peer:
        refused = peer.ask(request("GET /"))
        assert refused.refusal(500, "INTERNAL")["status"] == "INTERNAL"
        assert "set-cookie" not in refused.headers
        assert peer.is_closed()


async def too_long(scope: Any, receive: Any, send: Any) -> None:
    await send({**HEAD, "headers": [(b"content-length", b"3")]})
    await send({"type": "http.response.body", "body": b"abc", "more_body": True})
    await send({"type": "http.response.body", "body": b"d"})


def test_an_answer_that_grows_longer_than_it_said_is_cut_off() -> None:
    with served(too_long) as place:
        heard = said(place, request("GET /") * 2)
        assert heard.count(b"HTTP/1.1") <= 1
        assert b"abcd" not in heard
