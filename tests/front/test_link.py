"""The link: what goes in comes out, however it is cut; what is none is refused; who does not read is waited for."""

import asyncio
import socket
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messagehub.batches import MAX_BATCH, BadLink, Batches, batch
from messagehub.front.frames import AT_ONCE, Answered, Asked, FromEngine, FromFront, Piece, Want
from messagehub.link import HIGH_WATER, Link

octets = st.binary(max_size=300)
numbers = st.integers(0, 2**40)
headers = st.lists(st.tuples(octets, octets), max_size=4)
asked = st.builds(
    Asked,
    id=numbers,
    method=st.sampled_from(("GET", "POST")),
    path=st.text(max_size=40),
    query=octets,
    version=st.just("1.1"),
    headers=headers,
    peer=st.text(max_size=40),
    body=st.none() | octets,
)
pieces = st.builds(Piece, id=numbers, body=octets, more=st.booleans(), is_gone=st.booleans())
batches = st.lists(st.lists(asked | pieces, max_size=4), max_size=4)


@given(batches, st.data())
def test_what_goes_in_comes_out_however_it_is_cut(sent: list[list[Any]], data: st.DataObject) -> None:
    wire = b"".join(map(batch, sent))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=12)))
    reader = Batches(FromFront)
    came: list[Any] = []
    for begin, end in zip([0, *cuts], [*cuts, len(wire)], strict=True):
        came += reader.feed(wire[begin:end])
    assert came == sent


def test_octet_by_octet() -> None:
    sent = [[Piece(1, b"abc", False, False)], [], [Piece(2, b"", True, True)]]
    reader = Batches(FromFront)
    came: list[Any] = []
    for octet in b"".join(map(batch, sent)):
        came += reader.feed(bytes([octet]))
    assert came == sent


@given(st.binary(min_size=1, max_size=60))
def test_what_is_no_frame_is_refused(junk: bytes) -> None:
    reader = Batches(FromFront)
    with suppress(BadLink):
        assert list(reader.feed(len(junk).to_bytes(4, "big") + junk)) == [[]]
        assert junk == b"\x90"  # an empty batch is one


def test_nobody_can_have_us_wait_for_gigabytes() -> None:
    with pytest.raises(BadLink):
        list(Batches(FromFront).feed((MAX_BATCH + 1).to_bytes(4, "big")))


async def linked(takes: list[Any], yields: bool = False) -> tuple[Link, Link, list[str]]:
    """A front's end, and an engine's that notes what it takes; and who has lost the other."""
    lost: list[str] = []
    one, other = socket.socketpair()
    front = Link(FromEngine, takes.append, lambda: lost.append("front"), yields=False, at_once=AT_ONCE)
    engine = Link(FromFront, takes.append, lambda: lost.append("engine"), yields, at_once=AT_ONCE)
    loop = asyncio.get_running_loop()
    await loop.create_connection(lambda: front, sock=one)
    await loop.create_connection(lambda: engine, sock=other)
    return front, engine, lost


async def until(happened: Any) -> None:
    async with asyncio.timeout(30):
        while not happened():  # noqa: ASYNC110
            await asyncio.sleep(0)


async def test_frames_of_one_turn_come_together_and_in_order() -> None:
    takes: list[Any] = []
    front, engine, _ = await linked(takes)
    sent = [Piece(n, b"x", False, False) for n in range(3 * AT_ONCE + 1)]
    for frame in sent:
        front.send(frame)
    await until(lambda: len(takes) == 4)
    assert takes == [sent[n : n + AT_ONCE] for n in range(0, len(sent), AT_ONCE)]
    front.close()
    engine.close()


async def test_large_bodies_do_not_grow_one_batch() -> None:
    takes: list[Any] = []
    front, engine, _ = await linked(takes)
    body = bytes(700_000)
    for n in range(9):
        front.send(Piece(n, body, False, False), len(body))
    await until(lambda: sum(map(len, takes)) == 9)
    assert max(map(len, takes)) <= 2
    front.close()
    engine.close()


async def test_who_does_not_read_is_waited_for_and_is_not_read_from() -> None:
    takes: list[Any] = []
    front, engine, _ = await linked(takes, yields=True)
    assert front._transport
    front._transport.pause_reading()
    answer = Answered(1, 200, b"", bytes(1_000_000), False)
    while not engine.is_full:
        engine.send(answer, 1_000_000)
        await asyncio.sleep(0)
    front.send(Piece(7, b"", False, False))
    waiting = asyncio.ensure_future(engine.room())
    await asyncio.sleep(0.05)
    assert not takes
    assert not waiting.done()
    assert engine._transport
    assert engine._transport.get_write_buffer_size() < 2 * HIGH_WATER
    front._transport.resume_reading()
    await asyncio.wait_for(waiting, 30)
    await until(lambda: [Piece(7, b"", False, False)] in takes)
    front.close()
    engine.close()


async def test_the_end_of_one_is_told_to_the_other_once_and_nothing_can_be_sent() -> None:
    front, engine, lost = await linked([])
    front.close()
    await until(lambda: len(lost) == 2)
    engine.send(Want(1))
    await asyncio.sleep(0.01)
    assert sorted(lost) == ["engine", "front"]
