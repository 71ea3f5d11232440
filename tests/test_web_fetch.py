"""What customers name by its address, fetched from servers that are good, slow, endless, or lead astray."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messagehub.media.names import MOST, name_of, safe_name
from messagehub.web import (
    BadAnswer,
    BadRedirect,
    Dropped,
    Fetcher,
    Forbidden,
    NotFound,
    NotOK,
    TimedOut,
    TooLarge,
    WebError,
)
from messagehub.web.fetch import AT_ONCE, _led_on

MOST_OCTETS = 100_000
Say = Callable[[str, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(say: Say, **given: Any):  # type: ignore[no-untyped-def]
    """A fetcher, and the address of a server that answers each path with `say`."""

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            heads.append(head)
            await say(head.split(" ")[1], writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    heads: list[str] = []
    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    fetcher = Fetcher(**{"most": MOST_OCTETS, "timeout": 5.0, "allow_private": True, **given})
    try:
        yield fetcher, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", heads
    finally:
        await fetcher.close()
        server.close()


def answer(body: bytes, *headers: str, status: str = "200 OK", length: int | None = None) -> bytes:
    lines = [f"HTTP/1.1 {status}", *headers, f"content-length: {len(body) if length is None else length}", "", ""]
    return "\r\n".join(lines).encode() + body


def saying(octets: bytes) -> Say:
    async def say(path: str, writer: asyncio.StreamWriter) -> None:
        writer.write(octets)

    return say


def leading(**places: str) -> Say:
    """Redirects by path; all else is there."""

    async def say(path: str, writer: asyncio.StreamWriter) -> None:
        if place := places.get(path.strip("/")):
            writer.write(answer(b"moved", f"location: {place}", status="302 Found"))
        else:
            writer.write(answer(b"here"))

    return say


async def test_what_is_there_comes_with_its_type_and_name() -> None:
    said = answer(b"x" * MOST_OCTETS, "content-type: image/jpeg", 'content-disposition: inline; filename="a cat.jpg"')
    async with serving(saying(said)) as (fetcher, base, heads):
        assert await fetcher.fetch(base) == ("image/jpeg", b"x" * MOST_OCTETS, "a cat.jpg")
        assert "accept-encoding: identity" in heads[0]
        assert (await fetcher.fetch(f"{base}/x/..%2f..%2fevil%0d%0aX.png?y=z")).name == "a cat.jpg"


async def test_an_address_names_it_where_nothing_else_does() -> None:
    async with serving(saying(answer(b""))) as (fetcher, base, _):
        assert (await fetcher.fetch(f"{base}/x/..%2f..%2fevil%0d%0aX.png?y=z")).name == "evil_X.png"


async def test_redirects_are_followed_three_times() -> None:
    async with serving(leading(a="b", b="/c", c="d#there")) as (fetcher, base, heads):
        assert (await fetcher.fetch(f"{base}/a")).octets == b"here"
        assert [head.split(" ")[1] for head in heads] == ["/a", "/b", "/c", "/d"]


@pytest.mark.parametrize(
    "place",
    ["/a", "", "ftp://x/", "http://[::1", "http://user@127.0.0.1/", "x" * 3000, "data:,x", "file:///etc/passwd"],
)
async def test_what_leads_astray_or_in_circles_is_no_content(place: str) -> None:
    async with serving(leading(a=place or " ")) as (fetcher, base, _):
        with pytest.raises(BadRedirect, match="it was led on"):
            await fetcher.fetch(f"{base}/a")


async def test_a_redirect_does_not_lead_to_a_private_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """127.0.0.1 stands for the open internet here, and 127.0.0.2 for what is behind us."""
    monkeypatch.setattr("messagehub.web.client.is_public", lambda address: str(address) == "127.0.0.1")
    inside = ("http://127.0.0.2", "http://inside.example", "http://0x7f000002", "http://both.example")
    names = {"inside.example": ["127.0.0.2"], "both.example": ["127.0.0.1", "127.0.0.2"]}

    async def resolve(host: str) -> list[str]:
        return names[host]

    places = {f"a{n}": place for n, place in enumerate(inside)}
    async with serving(leading(**places), allow_private=False, resolve=resolve) as (fetcher, base, heads):
        for path in places:
            with pytest.raises(Forbidden):
                await fetcher.fetch(f"{base}/{path}")
        assert len(heads) == len(inside)


async def test_a_private_address_is_not_asked_at_all() -> None:
    async def resolve(host: str) -> list[str]:
        return ["127.0.0.1"]

    async with serving(leading(), allow_private=False, resolve=resolve) as (fetcher, base, heads):
        for url in (base, base.replace("127.0.0.1", "inside.example"), "http://0x7f.1/", "http://[::1]/"):
            with pytest.raises(Forbidden):
                await fetcher.fetch(url)
        assert not heads


def test_a_redirect_does_not_leave_tls() -> None:
    with pytest.raises(BadRedirect, match="https"):
        _led_on("https://pictures.example/a", "http://pictures.example/a")
    assert _led_on("https://pictures.example/a", "//other.example/b#c") == "https://other.example/b"
    assert _led_on("http://pictures.example/a", "https://other.example/b") == "https://other.example/b"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (answer(b"", status="404 Not Found"), NotFound),
        (answer(b"", status="410 Gone"), NotFound),
        (answer(b"", status="206 Partial Content"), NotOK),
        (answer(b"", status="500 Internal Server Error"), NotOK),
        (answer(b"x", "content-encoding: gzip"), BadAnswer),
        (answer(b"x" * (MOST_OCTETS + 1)), TooLarge),
        (answer(b"x" * MOST_OCTETS * 2, length=10**12), TooLarge),
        (answer(b"short", length=50), Dropped),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * MOST_OCTETS * 2, TooLarge),
        (b"SSH-2.0-OpenSSH_9.9\r\n", BadAnswer),
    ],
)
async def test_what_is_not_whole_and_well_is_no_content(said: bytes, why: type[WebError]) -> None:
    async with serving(saying(said)) as (fetcher, base, _):
        with pytest.raises(why):
            await fetcher.fetch(base)


async def test_what_has_no_end_is_left_as_soon_as_it_is_too_large() -> None:
    sent = 0

    async def endless(path: str, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"1\r\nx\r\n" * 1000)
            sent += 1000
            await writer.drain()

    async with serving(endless) as (fetcher, base, _):
        with pytest.raises(TooLarge):
            await fetcher.fetch(base)
    assert sent < MOST_OCTETS * 20


async def test_time_is_for_all_redirects_together() -> None:
    async def slow(path: str, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.2)
        writer.write(answer(b"", f"location: {path}x", status="302 Found"))

    async def drop_by_drop(path: str, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    for say in (slow, drop_by_drop):
        async with serving(say, timeout=0.5) as (fetcher, base, _):
            with pytest.raises(TimedOut):
                await fetcher.fetch(base)


async def test_few_are_fetched_at_once_and_the_others_wait() -> None:
    now = most = 0

    async def say(path: str, writer: asyncio.StreamWriter) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.05)
        now -= 1
        writer.write(answer(b"x"))

    async with serving(say) as (fetcher, base, _):
        assert len(await asyncio.gather(*(fetcher.fetch(base) for _ in range(3 * AT_ONCE)))) == 3 * AT_ONCE
    assert most == AT_ONCE


@given(st.text(), st.text())
def test_a_name_is_harmless_whatever_it_was(disposition: str, url: str) -> None:
    try:
        name = name_of(disposition.replace("\r", "").replace("\n", ""), "/" + url)
    except ValueError:
        return
    assert name == safe_name(name)
    assert len(name) <= MOST
    assert not set(name) & set('/\\\r\n\0"<>:;%')


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\pictures\\cat.jpg", "cat.jpg"),
        ('a"\r\nSet-Cookie: x', "a_Set-Cookie_ x"),
        ("Katze 😀 im Schnee.png", "Katze _ im Schnee.png"),
        ("été.png", "été.png"),
        ("..", ""),
        ("x" * 300 + ".png", "x" * (MOST - 4) + ".png"),
    ],
)
def test_a_name_keeps_what_people_know_it_by(given: str, name: str) -> None:
    assert safe_name(given) == name
