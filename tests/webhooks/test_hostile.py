"""Endpoints that behave badly: each costs its own time limit, and nobody else anything."""

import asyncio
import gzip
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from messagehub.accounts.customers import Customer
from messagehub.events import Event
from messagehub.store import Store, open_store
from messagehub.webhooks.attempt import ERRORS
from messagehub.webhooks.endpoint import MAX_AT_ONCE
from tests.support.sink import Endpoint
from tests.test_web import OK, Peer, Serve, answering, answering_once, serving
from tests.webhooks.desk import Desk, eventually

TIMEOUT_S = 0.5
SOON_S = 5.0
"""Generous to a busy machine, and far below what waiting for any of the others would take."""


@asynccontextmanager
async def desk_of(store: Store, timeout: float = TIMEOUT_S, **settings: object) -> AsyncIterator[Desk]:
    opened = Desk(store, timeout=timeout, **settings)
    await opened.open()
    try:
        yield opened
    finally:
        await opened.close()


@pytest.fixture
async def any_store(tmp_path: Path) -> AsyncIterator[Store]:
    """For what does not depend on it."""
    opened = await open_store(f"sqlite:///{tmp_path}/hub.db")
    yield opened
    await opened.close()


# --- who they are


async def stalls(peer: Peer) -> None:
    await peer.request()
    await peer.reader.read()


async def reads_nothing(peer: Peer) -> None:
    await asyncio.Event().wait()


def trickles(before: bytes, more: bytes = b"x") -> Serve:
    async def serve(peer: Peer) -> None:
        await peer.request()
        await peer.say(before)
        while True:
            await peer.say(more)
            await asyncio.sleep(0.05)

    return serve


def floods(before: bytes, more: bytes) -> Serve:
    async def serve(peer: Peer) -> None:
        await peer.request()
        await peer.say(before)
        while True:
            await peer.say(more * 100)

    return serve


async def resets(peer: Peer) -> None:
    await peer.reader.read(1)
    peer.writer.transport.abort()


HEAD = b"HTTP/1.1 200 OK\r\n"
SAYS_HELLO = b"220 mail.example.com ESMTP\r\n"

HOSTILE: dict[str, tuple[Serve, str]] = {
    "never answers": (stalls, "timeout"),
    "never reads": (reads_nothing, "timeout"),
    "trickles its status line": (trickles(b"HTTP/1.1 200 O"), "timeout"),
    "trickles its head": (trickles(HEAD + b"x: "), "timeout"),
    "trickles its body": (trickles(HEAD + b"content-length: 1000\r\n\r\n"), "timeout"),
    "trickles chunks": (trickles(HEAD + b"transfer-encoding: chunked\r\n\r\n", b"1\r\nx\r\n"), "timeout"),
    "trickles 1xx": (trickles(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), "timeout"),
    "floods with header fields": (floods(HEAD, b"x: y\r\n"), "bad_answer"),
    "floods with one header field": (floods(HEAD + b"x: ", b"y"), "bad_answer"),
    "floods with 1xx": (floods(b"", b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n"), "bad_answer"),
    "resets": (resets, "dropped"),
    "closes after the head": (answering_once(HEAD + b"content-length: 5\r\n\r\n"), "dropped"),
    "closes within the head": (answering_once(HEAD), "dropped"),
    "closes without a word": (answering_once(b""), "dropped"),
    "speaks another protocol": (answering_once(SAYS_HELLO), "bad_answer"),
    "switches protocols": (
        answering_once(b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n"),
        "bad_answer",
    ),
    "redirects": (
        answering(b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n"),
        "status",
    ),
    "fails": (answering(OK.replace(b"200 OK", b"500 Oh no")), "status"),
}
BOMB = gzip.compress(b"\0" * 20_000_000)
HARMLESS: dict[str, Serve] = {
    "floods with a body": floods(HEAD + b"\r\n", b"x" * 1000),
    "floods with chunks": floods(HEAD + b"transfer-encoding: chunked\r\n\r\n", b"3e8\r\n" + b"x" * 1000 + b"\r\n"),
    "sends a bomb": answering(HEAD + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(BOMB) + BOMB),
    "keeps the connection half open": answering_once(OK),
    "answers before it is asked to the end": answering(OK + OK),
}
"""They say 200 before they overdo it."""


@pytest.mark.parametrize("name", HOSTILE)
async def test_each_fails_with_its_word_and_within_its_time(any_store: Store, name: str) -> None:
    serve, error = HOSTILE[name]
    async with serving(serve) as server, desk_of(any_store) as desk:
        customer = await desk.customer(server.url)
        begun = time.monotonic()
        (event,) = await desk.happen(customer)
        row = await desk.until_tried(event)
        assert time.monotonic() - begun < TIMEOUT_S + 15
        assert (row.status, row.error) == ("pending", error)
        assert error in ERRORS


@pytest.mark.parametrize("name", HARMLESS)
async def test_what_comes_after_a_good_status_is_not_minded(any_store: Store, name: str) -> None:
    async with serving(HARMLESS[name]) as server, desk_of(any_store) as desk:
        (event,) = await desk.happen(await desk.customer(server.url))
        row = await desk.until_tried(event)
        assert (row.status, row.response_status) == ("delivered", 200)


async def test_a_redirect_is_not_followed(any_store: Store, endpoint: Endpoint) -> None:
    to = b"HTTP/1.1 307 Temporary Redirect\r\nlocation: %b\r\ncontent-length: 0\r\n\r\n" % endpoint.url.encode()
    async with serving(answering(to)) as server, desk_of(any_store) as desk:
        (event,) = await desk.happen(await desk.customer(server.url))
        row = await desk.until_tried(event)
        assert (row.status, row.response_status, row.error) == ("pending", 307, "status")
    assert endpoint.hits == []


# --- what it costs others


async def slowest(desk: Desk, customer: Customer, endpoint: Endpoint, count: int) -> float:
    """Seconds from the making of an event to its coming, the longest of `count` that come one after the other."""
    longest = 0.0
    for _ in range(count):
        begun = time.monotonic()
        (event,) = await desk.happen(customer)
        await heard(endpoint, event)
        longest = max(longest, time.monotonic() - begun)
    return longest


async def heard(endpoint: Endpoint, event: Event) -> None:
    async def ask() -> bool:
        return event.id in {hit.headers["webhook-id"] for hit in endpoint.hits[-1:]}

    await eventually(ask)


async def test_all_of_them_at_once_cost_the_others_nothing(store: Store, endpoint: Endpoint) -> None:
    async with AsyncExitStack() as stack:
        stallers = [serve for serve, error in HOSTILE.values() if error in ("timeout", "dropped", "status")]
        servers = [await stack.enter_async_context(serving(serve)) for serve in stallers]
        desk = await stack.enter_async_context(desk_of(store, 3.0))
        healthy = await desk.customer(endpoint.url)
        for server in servers:
            await desk.wait_in_store(await desk.customer(server.url), 100)
        desk.dispatcher.wake()
        assert await slowest(desk, healthy, endpoint, 50) < SOON_S


@pytest.mark.parametrize("waiting", [10_000])
async def test_a_dead_endpoint_with_thousands_waiting_costs_the_others_nothing(
    store: Store, endpoint: Endpoint, waiting: int
) -> None:
    async with serving(answering(OK)) as server:
        nobody = server.url
    async with desk_of(store, 3.0) as desk:
        healthy, dead = await desk.customer(endpoint.url), await desk.customer(nobody)
        await desk.wait_in_store(dead, waiting)
        desk.dispatcher.wake()
        await desk.standing(dead, "failing")
        assert await slowest(desk, healthy, endpoint, 50) < SOON_S
        await desk.happen(dead, 1000)  # more of what nobody hears
        assert await slowest(desk, healthy, endpoint, 50) < SOON_S


async def test_endpoints_that_are_slow_and_well_leave_room_to_others(store: Store, endpoint: Endpoint) -> None:
    """They never open their breakers, and have more waiting than all memory is meant for."""

    async def takes_its_time(peer: Peer) -> None:
        while True:
            await peer.request()
            await asyncio.sleep(1)
            await peer.say(OK)

    async with serving(takes_its_time) as server, desk_of(store, 3.0) as desk:
        healthy = await desk.customer(endpoint.url)
        for _ in range(25):
            await desk.wait_in_store(await desk.customer(server.url), 900)
        desk.dispatcher.wake()
        assert await slowest(desk, healthy, endpoint, 50) < SOON_S
        assert server.connections <= 25 * MAX_AT_ONCE


# --- names that are not what they seem


async def test_an_address_inside_is_refused_with_a_word_for_it(any_store: Store) -> None:
    async def resolve(_: str) -> Sequence[str]:
        return ["8.8.8.8", "10.0.0.1"]

    async with desk_of(any_store, allow_private=False, resolve=resolve) as desk:
        for uri in ("http://hook.test/", "http://127.0.0.1:1/", "http://[64:ff9b::7f00:1]/"):
            (event,) = await desk.happen(await desk.customer(uri))
            row = await desk.until_tried(event)
            assert (row.status, row.error, row.response_status) == ("pending", "private_address", 0)
