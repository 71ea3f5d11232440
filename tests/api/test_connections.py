"""What a connection may take: time, memory, room. And what it is told when that is over."""

import asyncio
import contextlib
import gc
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from messagehub.api.connection import LAST_CALL_S
from messagehub.api.connections import MAX_PARTING, Bounds, Connections
from messagehub.api.cycle import Cycle
from messagehub.api.server import Server, listener
from tests.api.served import Slow, answer, served
from tests.support import hub as hubs
from tests.support.raw import Line, Place, line, request
from tests.support.waiting import until

SOON_S = 0.3
PATIENT_S = 10.0
LARGE = 8 * 1024 * 1024
"""Octets: more than the system takes off the server's hands."""


async def quick(scope: Any, receive: Any, send: Any) -> None:
    await answer(send, b"ok")


async def large(scope: Any, receive: Any, send: Any) -> None:
    await answer(send, b"x" * LARGE)


def waited(peer: Line) -> float:
    """How long it takes until the server closes without a word."""
    begun = time.monotonic()
    assert peer.is_closed()
    return time.monotonic() - begun


# --- time -------------------------------------------------------------------------------


def test_who_says_nothing_is_let_go() -> None:
    with served(quick, head_timeout=SOON_S) as place, line(place) as peer:
        assert SOON_S - 0.1 < waited(peer) < PATIENT_S


@pytest.mark.parametrize("beginning", [b"G", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: hub\r\nX:"])
def test_a_head_that_does_not_come(beginning: bytes) -> None:
    with served(quick, head_timeout=SOON_S) as place, line(place) as peer:
        peer.say(beginning)
        peer.answer().refusal(408, "REQUEST_TIMEOUT", "the head", f"{SOON_S:g} s")
        assert peer.is_closed()


def test_a_head_that_comes_drop_by_drop() -> None:
    """Each drop does not begin the time anew; nor do empty lines."""
    for drop in (b"X: y\r\n", b""):
        with served(quick, head_timeout=SOON_S) as place, line(place) as peer:
            begun = time.monotonic()
            with contextlib.suppress(OSError):
                peer.say(b"GET / HTTP/1.1\r\n" if drop else b"")
                while time.monotonic() - begun < 2 * PATIENT_S:
                    peer.say(drop or b"\r\n")
                    time.sleep(0.02)
            assert time.monotonic() - begun < PATIENT_S


def test_the_next_head_has_its_time_too() -> None:
    with served(quick, head_timeout=SOON_S) as place, line(place) as peer:
        assert peer.ask(request("GET /")).status == 200
        time.sleep(2 * SOON_S)  # a connection may be idle for longer than a head may take
        assert peer.ask(request("GET /")).status == 200
        peer.say(b"GET /")
        peer.answer().refusal(408, "REQUEST_TIMEOUT")


def test_the_rest_of_a_body_that_nobody_waits_for() -> None:
    with served(quick, head_timeout=SOON_S) as place, line(place) as peer:
        assert peer.ask(request("POST /", "Content-Length: 100", body=b"a")).status == 200
        assert SOON_S - 0.1 < waited(peer) < PATIENT_S


def test_an_answer_that_takes_longer_than_a_head_may() -> None:
    slow = Slow()
    with served(slow, head_timeout=SOON_S) as place, line(place) as peer:
        peer.say(request("GET /late"))
        assert slow.asked.wait(5)
        time.sleep(2 * SOON_S)
        slow.may_answer.set()
        assert peer.answer().body == b"/late"


# --- answers that nobody reads ----------------------------------------------------------


def small_window(place: Place) -> Line:
    """A caller whose system takes little that it does not read."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    sock.settimeout(10)
    sock.connect(place)
    return Line(sock)


def heard_in_all(peer: Line) -> int:
    total = 0
    with contextlib.suppress(ConnectionResetError):
        while octets := peer.sock.recv(65536):
            total += len(octets)
    return total


def test_who_does_not_read_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("messagehub.api.connections.SLOWEST_READER", 64 * LARGE)
    with served(large, answer_timeout=SOON_S) as place, contextlib.closing(small_window(place).sock) as sock:
        peer = Line(sock)
        peer.say(request("GET /") * 16)
        time.sleep(4 * SOON_S)
        assert heard_in_all(peer) < LARGE
        with line(place) as other:
            assert len(other.ask(request("GET /")).body) == LARGE


def test_who_reads_slowly_hears_all() -> None:
    with served(large, answer_timeout=SOON_S) as place, contextlib.closing(small_window(place).sock) as sock:
        peer = Line(sock)
        peer.say(request("GET /", "Connection: close"))
        time.sleep(4 * SOON_S)
        assert heard_in_all(peer) > LARGE


def test_all_together_may_leave_so_much_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has kept the others waiting longest goes first."""
    monkeypatch.setattr("messagehub.api.connections.MAX_UNREAD", 2 * LARGE)
    with served(large) as place, contextlib.ExitStack() as stack:
        peers = [small_window(place) for _ in range(5)]
        for peer in peers:
            stack.enter_context(contextlib.closing(peer.sock))
            peer.say(request("GET /", "Connection: close"))
            time.sleep(0.1)
        whole = [heard_in_all(peer) > LARGE for peer in peers]
        assert (whole[0], whole[-1]) == (False, True)


def test_requests_that_wait_for_their_turn_are_not_all_begun() -> None:
    """What they take is their octets, until the answers before them are out."""
    slow, count = Slow(), 5000
    with served(slow) as place, line(place) as peer:
        peer.say(b"GET / HTTP/1.1\r\nHost: hub\r\n\r\n" * count)
        assert slow.asked.wait(5)
        time.sleep(SOON_S)
        assert sum(isinstance(one, Cycle) for one in gc.get_objects()) < 300
        slow.may_answer.set()
        assert {peer.answer().status for _ in range(count)} == {200}


def test_whoever_asks_a_lot_at_once_does_not_hold_up_the_others() -> None:
    asked: list[str] = []

    async def note(scope: Any, receive: Any, send: Any) -> None:
        asked.append(scope["path"])
        await answer(send, b"ok")

    count = 5000
    with served(note) as place, line(place) as much, line(place) as little:
        little.ask(request("GET /first"))
        much.say(b"GET /much HTTP/1.1\r\nHost: hub\r\n\r\n" * count)
        little.ask(request("GET /little"))
        assert {much.answer().status for _ in range(count)} == {200}
    assert asked.index("/little") < count / 2


# --- room -------------------------------------------------------------------------------


def test_more_connections_than_there_is_room_for() -> None:
    with served(quick, max_connections=5) as place, contextlib.ExitStack() as stack:
        peers = [stack.enter_context(line(place)) for _ in range(5)]
        assert {peer.ask(request("GET /")).status for peer in peers} == {200}
        with line(place) as one_more:
            refused = one_more.answer()
            assert refused.refusal(503, "SERVICE_UNAVAILABLE", "too many connections")["status"] == "UNAVAILABLE"
            assert int(refused.headers["retry-after"]) > 0
            assert one_more.is_closed()
        assert {peer.ask(request("GET /")).status for peer in peers} == {200}
        peers[0].sock.close()
        until(lambda: has_room(place), "there is room again")


def has_room(place: Place) -> bool:
    with line(place) as peer:
        peer.say(request("GET /"))
        return peer.answer().status == 200


def test_a_flood_is_not_even_answered() -> None:
    with served(quick, max_connections=1) as place, contextlib.ExitStack() as stack:
        for _ in range(1 + MAX_PARTING):
            stack.enter_context(line(place))
        with line(place) as peer:
            assert peer.is_closed()


class Somebody:
    """A connection, as far as those who count it see."""

    due = 0.0
    is_busy = False

    def __init__(self, connections: Connections, host: str) -> None:
        self.peer = connections.peer_at(host)

    def overdue(self) -> None: ...
    def move(self) -> None: ...
    def shutdown(self) -> None: ...
    def abort(self) -> None: ...


async def test_connections_per_address() -> None:
    connections = Connections(Bounds(connections_per_address=2))
    ours = [Somebody(connections, f"2001:db8:0:1::{n:x}") for n in range(3)]
    assert [bool(connections.enter(one)) for one in ours] == [False, False, True]
    assert "more than 2 connections" in connections.enter(Somebody(connections, "2001:db8:0:1::99"))
    assert connections.enter(Somebody(connections, "2001:db8:0:2::1")) == ""
    assert [connections.enter(Somebody(connections, "127.0.0.1")) for _ in range(5)] == [""] * 5
    for one in ours:
        connections.leave(one)
        connections.leave(one)
    assert len(connections) == 7
    assert connections.enter(ours[0]) == ""


# --- the end ----------------------------------------------------------------------------


def test_requests_that_are_cut_off_when_the_server_ends(tmp_path: Path) -> None:
    """Their callers are told; whoever reads the log is not bothered."""
    with hubs.hub(f"sqlite:///{tmp_path}/hub.db", tmp_path, body_timeout=60) as hub:
        key = f"Authorization: Bearer {hub.admin.key}"
        with line(hub) as slow, line(hub) as idle, line(hub) as beginner:
            assert idle.ask(request("GET /healthz")).status == 200
            beginner.say(b"GET /")
            slow.say(request("POST /v1.0/messages/segments", key, "Content-Length: 100", "Expect: 100-continue"))
            assert slow.answer().status == 100
            begun = time.monotonic()
            assert hub.end() == 0
            assert time.monotonic() - begun < 9
            cut = slow.answer()
            cut.refusal(503, "SERVICE_UNAVAILABLE", "nothing was accepted")
            assert int(cut.headers["retry-after"]) > 0
            assert idle.is_closed()
            assert beginner.is_closed()
        assert "Traceback" not in hub.log
        assert " ERROR " not in hub.log


async def test_a_request_that_is_on_its_way_when_the_server_ends_is_answered() -> None:
    sock, server = listener("127.0.0.1:0"), Server(quick, Bounds())
    serving = asyncio.create_task(server.serve(sock))
    await server.up.wait()
    reader, writer = await asyncio.open_connection(*sock.getsockname())
    writer.write(request("GET /"))
    await reader.readuntil(b"\r\n\r\nok")
    writer.write(request("GET /"))  # it is in the system, and not read yet
    server.end()
    answer = (await reader.read()).lower()
    assert answer.startswith(b"http/1.1 200 ")
    assert b"\r\nconnection: close\r\n" in answer
    await serving
    writer.close()


async def test_a_request_whose_head_is_half_here_when_the_server_ends_is_answered() -> None:
    sock, server = listener("127.0.0.1:0"), Server(quick, Bounds())
    serving = asyncio.create_task(server.serve(sock))
    await server.up.wait()
    reader, writer = await asyncio.open_connection(*sock.getsockname())
    head = request("GET /")
    writer.write(head[:-4])
    await asyncio.sleep(0.05)  # it is read
    server.end()
    await asyncio.sleep(2 * LAST_CALL_S)
    writer.write(head[-4:])
    answer = (await reader.read()).lower()
    assert answer.startswith(b"http/1.1 200 ")
    assert b"\r\nconnection: close\r\n" in answer
    await serving
    writer.close()


def test_what_may_yet_be_done_when_the_server_ends_is_not_said_to_be_undone() -> None:
    asked = []

    async def never(scope: Any, _: Any, __: Any) -> None:
        asked.append(scope["method"])
        await asyncio.sleep(60)

    with contextlib.ExitStack() as peers:
        with served(never) as place:
            writer, reader = (peers.enter_context(line(place)) for _ in range(2))
            writer.say(request("POST /", "Content-Length: 2") + b"{}")
            reader.say(request("GET /"))
            until(lambda: len(asked) == 2, "they are asked")
        assert writer.is_closed()
        reader.answer().refusal(503, "SERVICE_UNAVAILABLE", "nothing was accepted")


async def test_who_comes_as_the_last_leaves_does_not_hold_up_the_end() -> None:
    connections = Connections(Bounds())
    first, late = (Somebody(connections, "127.0.0.1") for _ in range(2))
    connections.enter(first)
    ending = asyncio.create_task(connections.end(0.2))
    await asyncio.sleep(0)
    connections.leave(first)
    assert "ending" in connections.enter(late)
    await asyncio.sleep(0.05)
    assert not ending.done()
    connections.leave(late)
    await ending
