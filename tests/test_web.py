"""The outgoing client against real sockets: servers that are good, slow, rude, endless, or not to be reached."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from messagehub.web import (
    Answer,
    BadAnswer,
    Busy,
    Client,
    Closed,
    Dropped,
    TimedOut,
)

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
Serve = Callable[["Peer"], Awaitable[None]]


class Peer:
    """One accepted connection, as the server's side of a test sees it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, nth: int) -> None:
        self.reader, self.writer, self.nth = reader, writer, nth

    async def request(self) -> bytes:
        head = await self.reader.readuntil(b"\r\n\r\n")
        _, _, rest = head.lower().partition(b"content-length: ")
        return head + await self.reader.readexactly(int(rest.split(b"\r\n")[0]))

    async def say(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()


class Server:
    """Counts its connections and remembers the requests that `serve` has read."""

    def __init__(self, serve: Serve, scheme: str) -> None:
        self.serve, self.scheme = serve, scheme
        self.connections = 0
        self.tasks: set[asyncio.Task[Any]] = set()
        self.port = 0

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/hook"

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.tasks.add(asyncio.current_task())  # type: ignore[arg-type]
        try:
            await self.serve(Peer(reader, writer, self.connections))
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()


@asynccontextmanager
async def serving(serve: Serve, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    server = Server(serve, "https" if tls else "http")
    listener = await asyncio.start_server(server.accept, "127.0.0.1", 0, ssl=tls)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        for task in server.tasks:
            task.cancel()
        await asyncio.gather(*server.tasks, return_exceptions=True)


@asynccontextmanager
async def calling(**settings: Any) -> AsyncIterator[Client]:
    client = Client(**{"allow_private": True, "timeout": 2.0, **settings})
    try:
        yield client
    finally:
        await client.close()


def answering(*pieces: bytes) -> Serve:
    async def serve(peer: Peer) -> None:
        while True:
            await peer.request()
            await peer.say(*pieces)

    return serve


def answering_once(*pieces: bytes) -> Serve:
    async def serve(peer: Peer) -> None:
        await peer.request()
        await peer.say(*pieces)
        peer.writer.write_eof()
        await peer.reader.read()

    return serve


async def post(client: Client, url: str, body: bytes = b"{}") -> Answer:
    return await client.request("POST", url, {"content-type": "application/json"}, body)


# --- what is sent and what comes back


async def test_a_request_is_written_as_told() -> None:
    seen: list[bytes] = []

    async def serve(peer: Peer) -> None:
        seen.append(await peer.request())
        await peer.say(b"HTTP/1.1 201 Created\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 5\r\n\r\nhello")

    async with serving(serve) as server, calling() as client:
        answer = await client.request("PUT", f"{server.url}?a=%20b", {"X-One": "1 %s", "x%d": ""}, b"body")
    assert answer == Answer(201, {"x-a": "1", "content-length": "5"}, b"hello")
    assert seen == [
        b"PUT /hook?a=%%20b HTTP/1.1\r\nhost: 127.0.0.1:%d\r\nX-One: 1 %%s\r\nx%%d: \r\ncontent-length: 4\r\n\r\nbody"
        % server.port
    ]


ANSWERS = [  # what the server says before it closes, status, body
    (b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n", 302, b""),
    (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
    (b"HTTP/1.1 304 Not Modified\r\ncontent-length: 10\r\n\r\n", 304, b""),
    (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n1\r\nd\r\n0\r\nx: y\r\n\r\n", 200, b"abcd"),
    (b"HTTP/1.0 200 OK\r\n\r\nuntil the end", 200, b"until the end"),
    (b"HTTP/1.1 100 Continue\r\nx: y\r\n\r\nHTTP/1.1 103 Early\r\n\r\n" + OK, 200, b"ok"),
    (b"HTTP/1.1 410 Gone\r\nconnection: close\r\ncontent-length: 4\r\n\r\ngone", 410, b"gone"),
    (OK + OK, 200, b"ok"),
    (OK + b"garbage", 200, b"ok"),
]


@pytest.mark.parametrize(("said", "status", "body"), ANSWERS)
@pytest.mark.parametrize("pieces", ["whole", "octets"])
async def test_answers(said: bytes, status: int, body: bytes, pieces: str) -> None:
    async def octets(peer: Peer) -> None:
        await peer.request()
        for octet in said:
            await peer.say(bytes([octet]))
            await asyncio.sleep(0)

    async with serving(answering_once(said) if pieces == "whole" else octets) as server, calling() as client:
        answer = await post(client, server.url)
    assert (answer.status, answer.body) == (status, body)
    assert "x" not in answer.headers


async def test_all_challenges_of_a_server_count() -> None:
    challenges = b"WWW-Authenticate: Basic realm=a\r\nwww-authenticate: Digest nonce=b\r\n"
    said = b"HTTP/1.1 401 No\r\n" + challenges + b"content-length: 0\r\n\r\n"
    async with serving(answering(said)) as server, calling() as client:
        answer = await post(client, server.url)
    assert answer.headers["www-authenticate"] == "Basic realm=a, Digest nonce=b"


async def test_head_has_no_body() -> None:
    async with serving(answering(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n")) as server, calling() as client:
        for _ in range(2):
            assert await client.request("HEAD", server.url, {}, b"") == Answer(200, {"content-length": "9"}, b"")


GARBAGE = [
    b"SSH-2.0-OpenSSH_9.2\r\n",
    b"\0\1\2\3",
    b"HTTP/1.1 abc OK\r\n\r\n",
    b"HTTP/1.1 000 OK\r\ncontent-length: 0\r\n\r\n",
    b"HTTP/1.1 099 OK\r\ncontent-length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nx: " + b"y" * 40_000,
    b"HTTP/1.1 100 Continue\r\n\r\n" * 2000,
]


@pytest.mark.parametrize("said", GARBAGE)
async def test_garbage(said: bytes) -> None:
    async with serving(answering_once(said)) as server, calling() as client:
        with pytest.raises(BadAnswer) as caught:
            await post(client, server.url)
    assert caught.value.code == "bad_answer"


CUT_SHORT = [
    b"",
    b"HTTP/1.1 200",
    b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort",
    b"HTTP/1.1 100 Continue\r\n\r\n",
]


@pytest.mark.parametrize("said", [*CUT_SHORT, b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nab"])
async def test_an_answer_cut_short(said: bytes) -> None:
    async with serving(answering_once(said)) as server, calling() as client:
        with pytest.raises(Dropped) as caught:
            await post(client, server.url)
        assert server.connections == 1
    assert (caught.value.code, caught.value.unheard) == ("dropped", said == b"")


async def test_a_reset() -> None:
    async def serve(peer: Peer) -> None:
        await peer.reader.read(1)

    async with serving(serve) as server, calling() as client:
        with pytest.raises(Dropped):
            await post(client, server.url, b"x" * 1_000_000)


ENDLESS = [
    (b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 1000),
    (b"HTTP/1.1 200 OK\r\ncontent-length: 9999999999\r\n\r\n", b"x" * 1000),
    (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"3e8\r\n" + b"x" * 1000 + b"\r\n"),
]


@pytest.mark.parametrize(("head", "more"), ENDLESS)
async def test_an_endless_body_is_cut(head: bytes, more: bytes) -> None:
    async def serve(peer: Peer) -> None:
        await peer.request()
        await peer.say(head)
        while True:
            await peer.say(more)

    async with serving(serve) as server, calling(max_response=5000) as client:
        answer = await post(client, server.url)
        assert (answer.status, answer.body) == (200, b"x" * 5000)
        await asyncio.wait(server.tasks)


async def test_an_endless_trailer_is_cut() -> None:
    async def serve(peer: Peer) -> None:
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n")
        while True:
            await peer.say(b"x: y\r\n" * 1000)

    async with serving(serve) as server, calling(max_response=5000) as client:
        assert (await post(client, server.url)).body == b"x"


# --- connections


async def test_a_connection_is_kept() -> None:
    async with serving(answering(OK)) as server, calling() as client:
        for _ in range(5):
            assert (await post(client, server.url)).body == b"ok"
        await post(client, server.url.replace("/hook", "/other"))
        assert server.connections == 1


NOT_KEPT = [OK + OK, OK + b"H", b"HTTP/1.0" + OK[8:], OK.replace(b"\r\n", b"\r\nconnection: close\r\n", 1)]


@pytest.mark.parametrize("said", NOT_KEPT)
async def test_a_connection_that_says_more_or_ends_is_not_kept(said: bytes) -> None:
    async with serving(answering(said)) as server, calling() as client:
        await post(client, server.url)
        await post(client, server.url)
        assert server.connections == 2


NO = OK.replace(b"ok", b"no")
CLOSES = OK.replace(b"\r\n", b"\r\nconnection: close\r\n", 1)


async def test_an_answer_means_what_it_says_whatever_came_before() -> None:
    """A connection remembers its last answer; what follows may be the same in part, or come in pieces."""
    course: list[tuple[bytes, ...]] = [
        (OK,), (OK,), (NO,), (OK[:30], OK[30:]), (NO,), (NO[:-1], b"k"), (b"HTTP/1.1 100 Continue\r\n\r\n", OK), (OK,),
        (CLOSES,), (OK,), (OK + OK,), (OK,),
    ]  # fmt: skip
    said = iter(course)

    async def serve(peer: Peer) -> None:
        while True:
            await peer.request()
            for piece in next(said):
                await peer.say(piece)
                await asyncio.sleep(0.01)

    async with serving(serve) as server, calling() as client:
        answers = [await post(client, server.url) for _ in course]
        assert [answer.body for answer in answers] == [
            b"ok", b"ok", b"no", b"ok", b"no", b"nk", b"ok", b"ok", b"ok", b"ok", b"ok", b"ok",
        ]  # fmt: skip
        assert server.connections == 3


async def test_a_head_is_answered_without_a_body_whatever_came_before() -> None:
    said = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
    async with serving(answering(said)) as server, calling() as client:
        await post(client, server.url)
        for _ in range(2):
            assert await client.request("HEAD", server.url, {}, b"") == Answer(200, {"content-length": "0"}, b"")
        assert server.connections == 2


async def test_an_answer_that_nobody_asked_for_ends_the_connection() -> None:
    async def serve(peer: Peer) -> None:
        await peer.request()
        await peer.say(OK)
        await peer.say(OK.replace(b"ok", b"no"))
        assert await peer.reader.read() == b""

    async with serving(serve) as server, calling() as client:
        await post(client, server.url)
        await asyncio.wait(server.tasks)
        assert (await post(client, server.url)).body == b"ok"
        assert server.connections == 2


async def test_an_idle_connection_is_closed() -> None:
    async with serving(answering(OK)) as server, calling(idle=0.02) as client:
        await post(client, server.url)
        await asyncio.wait(server.tasks)
        await post(client, server.url)
        assert server.connections == 2


async def test_a_stale_connection_is_replaced_once() -> None:
    async def serve(peer: Peer) -> None:
        await peer.request()
        if peer.nth < 3:
            await peer.say(OK)
            await peer.request()
        # the second request of a connection, and the first of the third one, get no octet

    async with serving(serve) as server, calling() as client:
        await post(client, server.url)
        await post(client, server.url)
        assert server.connections == 2
        with pytest.raises(Dropped):
            await post(client, server.url)
        assert server.connections == 3


async def test_a_connection_that_dies_within_an_answer_is_not_replaced() -> None:
    async def serve(peer: Peer) -> None:
        await peer.request()
        await peer.say(OK)
        await peer.request()
        await peer.say(OK[:10])

    async with serving(serve) as server, calling() as client:
        await post(client, server.url)
        with pytest.raises(Dropped):
            await post(client, server.url)
        assert server.connections == 1


async def test_no_more_connections_than_allowed_to_one_origin() -> None:
    at_once, most = 0, 0

    async def serve(peer: Peer) -> None:
        nonlocal at_once, most
        while True:
            await peer.request()
            at_once += 1
            most = max(most, at_once)
            await asyncio.sleep(0.002)
            at_once -= 1
            await peer.say(OK)

    async with serving(serve) as server, calling(per_origin=3) as client:
        answers = await asyncio.gather(*(post(client, server.url) for _ in range(20)))
        assert [answer.status for answer in answers] == [200] * 20
        assert (server.connections, most) == (3, 3)


async def test_who_gets_no_connection_in_time_is_told_so() -> None:
    async def stall(peer: Peer) -> None:
        await peer.reader.read()

    async with serving(stall) as server, calling(per_origin=1, timeout=0.05) as client:
        results = await asyncio.gather(*(post(client, server.url) for _ in range(3)), return_exceptions=True)
    assert {type(result) for result in results} == {TimedOut, Busy}


@pytest.mark.parametrize("just_then", [False, True], ids=["long before", "as it is handed over"])
async def test_who_no_longer_wants_a_turn_leaves_it_to_the_next(just_then: bool) -> None:
    async def serve(peer: Peer) -> None:
        while True:
            await peer.request()
            await peer.say(OK)

    async with serving(serve) as server, calling(per_origin=1) as client:
        waiting: list[asyncio.Task[Answer]] = []

        async def first() -> None:
            await post(client, server.url)
            waiting[0].cancel()

        holding = asyncio.create_task(first())
        await asyncio.sleep(0)
        waiting.append(asyncio.create_task(post(client, server.url)))
        await asyncio.sleep(0)
        if not just_then:
            waiting[0].cancel()
        await holding
        with pytest.raises(asyncio.CancelledError):
            await waiting[0]
        assert (await post(client, server.url)).status == 200


# --- time


async def test_one_limit_for_all_of_a_request() -> None:
    async def trickle(peer: Peer) -> None:
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\nx: ")
        while True:
            await peer.say(b"y")
            await asyncio.sleep(0.01)

    async with serving(trickle) as server, calling(timeout=0.06) as client:
        await expect_timeout(client, server.url)


async def expect_timeout(client: Client, url: str) -> None:
    loop = asyncio.get_running_loop()
    begin = loop.time()
    with pytest.raises(TimedOut) as caught:
        await post(client, url)
    assert caught.value.code == "timeout"
    assert 0.04 < loop.time() - begin < 10


async def test_a_kept_connection_has_the_same_limit() -> None:
    async def serve(peer: Peer) -> None:
        await peer.request()
        await peer.say(OK)
        await peer.reader.read()

    async with serving(serve) as server, calling(timeout=0.05, idle=10) as client:
        await post(client, server.url)
        await asyncio.sleep(0.06)  # the timer has moved on to the end of idling, and must come back
        await expect_timeout(client, server.url)
        assert server.connections == 1


async def test_a_lookup_has_the_same_limit() -> None:
    async def never(_: str) -> Sequence[str]:
        await asyncio.Event().wait()
        return []

    async with calling(timeout=0.05, resolve=never) as client:
        await expect_timeout(client, "http://hook.test/")


async def test_a_cancelled_request_takes_its_connection_with_it() -> None:
    async def serve(peer: Peer) -> None:
        await peer.request()
        if peer.nth > 1:
            await peer.say(OK)
        assert await peer.reader.read() == b""

    async with serving(serve) as server, calling(per_origin=1) as client:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(post(client, server.url), 0.02)
        assert (await post(client, server.url)).status == 200
        assert server.connections == 2


async def test_closing_ends_what_is_under_way() -> None:
    arrived = asyncio.Event()

    async def stall(peer: Peer) -> None:
        await peer.request()
        arrived.set()
        await peer.reader.read()

    async with serving(stall) as server, calling(per_origin=1) as client:
        requests = [asyncio.create_task(post(client, server.url)) for _ in range(2)]
        await arrived.wait()
        await client.close()
        results = await asyncio.gather(*requests, return_exceptions=True)
        assert [type(result) for result in results] == [Closed, Closed]
        with pytest.raises(Closed):
            await post(client, server.url)
