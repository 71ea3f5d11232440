"""The outgoing client against real sockets: servers that are good, slow, rude, endless, or not to be reached."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import uvloop

from messagehub.web import (
    Answer,
    BadAnswer,
    BadRequest,
    BadURL,
    Busy,
    Client,
    Closed,
    Dropped,
    Forbidden,
    TimedOut,
    Unreachable,
    WebError,
    check_url,
    is_public,
    leads_inside,
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


async def test_head_has_no_body() -> None:
    async with serving(answering(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n")) as server, calling() as client:
        for _ in range(2):
            assert await client.request("HEAD", server.url, {}, b"") == Answer(200, {"content-length": "9"}, b"")


GARBAGE = [
    b"SSH-2.0-OpenSSH_9.2\r\n",
    b"\0\1\2\3",
    b"HTTP/1.1 abc OK\r\n\r\n",
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
    assert 0.04 < loop.time() - begin < 0.3


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


# --- where it may not go


PUBLIC = [
    "8.8.8.8",
    "100.63.255.255",
    "172.32.0.1",
    "2606:4700::1111",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "2002:808:808::1",
]
PRIVATE = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1", "172.31.255.255", "192.0.0.9", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1",
    "198.51.100.7",
    "203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "168.63.129.16", "::", "::1",
    "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1",
    "2002:7f00:1::", "2002:a00:1::1", "2001:0:7f00:1::", "2001:db8::1", "3fff::1", "fe80::1", "fe80::1%1", "fec0::1",
    "fc00::1", "fd00:ec2::254", "ff02::1", "100::1", "5f00::1", "4000::1",
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses(address: str) -> None:
    assert not is_public(ip_address(address))


SPELLINGS = [
    "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001", "0", "10.1",
    "[::1]", "[::]",
    "[::ffff:127.0.0.1]", "[0:0:0:0:0:ffff:7f00:1]", "[64:ff9b::127.0.0.1]", "169.254.169.254",
]  # fmt: skip


@pytest.mark.parametrize("host", SPELLINGS)
async def test_spellings_of_a_private_address(host: str) -> None:
    async with serving(answering(OK)) as server, calling(allow_private=False) as client:
        url = f"http://{host}:{server.port}/"
        assert leads_inside(url)
        with pytest.raises(Forbidden) as caught:
            await post(client, url)
        assert caught.value.code == "private_address"
        assert server.connections == 0


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.", "a.localhost"])
def test_localhost_leads_inside(host: str) -> None:
    assert leads_inside(f"http://{host}/")


@pytest.mark.parametrize(
    "host", ["example.com", "8.8.8.8", "[2606:4700::1111]", "notlocalhost", "localhost.example.com"]
)
def test_other_hosts_do_not_lead_inside(host: str) -> None:
    assert not leads_inside(f"https://{host}/")


@pytest.mark.parametrize("found", [["127.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["::ffff:127.0.0.1"], ["fe80::1%1"]])
async def test_a_name_of_a_private_address(found: list[str]) -> None:
    async def resolve(_: str) -> Sequence[str]:
        return found

    async with serving(answering(OK)) as server, calling(allow_private=False, resolve=resolve) as client:
        with pytest.raises(Forbidden):
            await post(client, f"http://hook.test:{server.port}/")
        assert server.connections == 0


async def test_the_system_is_asked_by_default() -> None:
    async with serving(answering(OK)) as server, calling(allow_private=False) as client:
        with pytest.raises(Forbidden):
            await post(client, f"http://localhost:{server.port}/")
        assert server.connections == 0


async def test_the_checked_address_is_the_one_connected_to() -> None:
    asked: list[str] = []

    async def resolve(host: str) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"]

    async with serving(answering_once(OK)) as server, calling(resolve=resolve) as client:
        await asyncio.gather(*(post(client, f"http://Hook.test:{server.port}/") for _ in range(3)))
    assert asked == ["hook.test"]


async def test_the_next_address_is_tried() -> None:
    async def resolve(_: str) -> Sequence[str]:
        return ["127.0.0.2", "127.0.0.1"]

    async with serving(answering(OK)) as server, calling(resolve=resolve) as client:
        assert (await post(client, f"http://hook.test:{server.port}/")).status == 200


async def test_names_that_are_none() -> None:
    asked = 0

    async def resolve(host: str) -> Sequence[str]:
        nonlocal asked
        asked += 1
        if host == "empty.test":
            return []
        raise OSError("no such name")

    async with calling(resolve=resolve) as client:
        for host in ("empty.test", "none.test", "none.test"):
            with pytest.raises(Unreachable) as caught:
                await post(client, f"http://{host}/")
            assert caught.value.code == "dns"
    assert asked == 2


async def test_nobody_listens() -> None:
    async with serving(answering(OK)) as server:
        url = server.url
    async with calling() as client:
        with pytest.raises(Unreachable) as caught:
            await post(client, url)
    assert caught.value.code == "refused"


# --- URLs and headers

BAD_URLS = [
    "", "hook.test", "//hook.test/", "ftp://hook.test/", "file:///etc/passwd", "http://", "http:///path", "http://:80/",
    "http://user@hook.test/", "http://user:secret@hook.test/", "http://hook.test@127.0.0.1/", "http://a b/",
    "http://a/b c",
    "http://a/\r\nx: y", "http://a/\n", "http://a\n/", "http://a/\0", "http://a/\x7f", "http://a\t/",
    " http://a/", "http://a/ ",
    "http://a/é", "http://bücher.example/", "http://１２７.0.0.1/", "http://a/#fragment", "http://a\\@b/", "http://a:0/",
    "http://a:65536/", "http://a:x/", "http://a:/", "http://a..b/", "http://.a/", "http://[::1",
    "http://[::g]/", "http://[::1]x/",
    "http://[fe80::1%25eth0]/", "http://[1.2.3.4]/", "http://::1/", "http://" + "a" * 64 + "/",
    "http://" + "a." * 127 + "aa/",
    "http://a/" + "b" * 2048, "http://a%2eb/",
]  # fmt: skip
GOOD_URLS = [
    "http://a", "HTTPS://A.example:8443", "http://a?x=1", "http://a/b?c=d&e[]=%20#"[:-1],
    "https://[2606:4700::1111]:443/x",
    "http://a_b.example./~x/(y);z,@:!$'*+", "http://xn--bcher-kva.example/",
]  # fmt: skip


@pytest.mark.parametrize("url", BAD_URLS)
async def test_bad_urls(url: str) -> None:
    with pytest.raises(BadURL) as caught:
        check_url(url)
    assert caught.value.code == "bad_url"
    async with calling() as client:
        with pytest.raises(BadURL):
            await post(client, url)


@pytest.mark.parametrize("url", GOOD_URLS)
def test_good_urls(url: str) -> None:
    check_url(url)


BAD_HEADERS = [
    {"x": "a\r\ny: b"}, {"x": "a\n"}, {"x": "\0"}, {"x": "é"}, {"x\r\ny": "a"}, {"x:": "a"}, {"x y": "a"},
    {"": "a"}, {"x\n": "a"},
    {"Host": "a"}, {"content-length": "0"}, {"Transfer-Encoding": "chunked"}, {"é": "a"},
]  # fmt: skip


@pytest.mark.parametrize("headers", BAD_HEADERS)
async def test_bad_headers(headers: dict[str, str]) -> None:
    async with serving(answering(OK)) as server, calling() as client:
        with pytest.raises(BadRequest):
            await client.request("POST", server.url, headers, b"")
        assert server.connections == 0


@pytest.mark.parametrize("method", ["", "post", "CONNECT", "TRACE", "GET / HTTP/1.1\r\nx: y\r\n\r\nGET"])
async def test_bad_methods(method: str) -> None:
    async with calling() as client:
        with pytest.raises(BadRequest):
            await client.request(method, "http://hook.test/", {}, b"")


def test_every_error_has_a_word_of_its_own() -> None:
    kinds = [BadRequest, BadURL, Forbidden, Busy, TimedOut, BadAnswer, Closed]
    assert len({kind.code for kind in kinds}) == len(kinds)
    assert all(issubclass(kind, WebError) for kind in kinds)


# --- TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=hook.test"
    names = ["-addext", "subjectAltName=DNS:hook.test"]
    subprocess.run([*command.split(), *names, "-out", cert, "-keyout", key], check=True, capture_output=True)
    return cert, key


def server_context(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    return context


async def loopback(_: str) -> Sequence[str]:
    return ["127.0.0.1"]


async def test_https(certificate: tuple[Path, Path]) -> None:
    trust = ssl.create_default_context(cafile=str(certificate[0]))
    asked: list[str] = []
    context = server_context(certificate)
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    async with serving(answering(OK), context) as server, calling(resolve=loopback, tls=trust) as client:
        for _ in range(3):
            assert (await post(client, f"https://hook.test:{server.port}/")).body == b"ok"
        assert server.connections == 1
    assert asked == ["hook.test"]


@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.filterwarnings("ignore::ResourceWarning")
async def test_a_certificate_that_does_not_hold(certificate: tuple[Path, Path], trusted: bool) -> None:
    trust = ssl.create_default_context(cafile=str(certificate[0])) if trusted else None
    host = "other.test" if trusted else "hook.test"
    served: list[bytes] = []

    async def serve(peer: Peer) -> None:
        served.append(await peer.request())

    async with (
        serving(serve, server_context(certificate)) as server,
        calling(resolve=loopback, tls=trust) as client,
    ):
        with pytest.raises(Unreachable) as caught:
            await post(client, f"https://{host}:{server.port}/")
    assert (caught.value.code, served) == ("tls", [])


async def test_a_server_without_tls() -> None:
    async def plain(peer: Peer) -> None:
        await peer.say(OK)

    async with serving(plain) as server, calling() as client:
        with pytest.raises(Unreachable) as caught:
            await post(client, server.url.replace("http:", "https:"))
    assert caught.value.code == "tls"


async def test_a_handshake_that_stalls() -> None:
    async def stall(peer: Peer) -> None:
        await peer.reader.read()

    async with serving(stall) as server, calling(timeout=0.05) as client:
        await expect_timeout(client, server.url.replace("http:", "https:"))


# --- the other event loop

ON_UVLOOP = [
    test_a_request_is_written_as_told,
    test_head_has_no_body,
    test_a_reset,
    test_an_endless_trailer_is_cut,
    test_a_connection_is_kept,
    test_an_answer_that_nobody_asked_for_ends_the_connection,
    test_an_idle_connection_is_closed,
    test_a_stale_connection_is_replaced_once,
    test_a_connection_that_dies_within_an_answer_is_not_replaced,
    test_no_more_connections_than_allowed_to_one_origin,
    test_one_limit_for_all_of_a_request,
    test_a_kept_connection_has_the_same_limit,
    test_a_cancelled_request_takes_its_connection_with_it,
    test_closing_ends_what_is_under_way,
    test_the_next_address_is_tried,
    test_nobody_listens,
    test_a_server_without_tls,
    test_a_handshake_that_stalls,
]


@pytest.mark.parametrize("test", ON_UVLOOP)
def test_the_same_on_uvloop(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    uvloop.run(test())


def test_https_on_uvloop(certificate: tuple[Path, Path]) -> None:
    uvloop.run(test_https(certificate))
