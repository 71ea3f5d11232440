"""Carriers that call us (outbind), over sockets: who is let in, and what comes by them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from messagehub.carriers import outbind
from messagehub.carriers.carrier import Accepted, Inbound, Receipt
from messagehub.carriers.kinds import parse
from messagehub.carriers.outbind import Outbinds
from messagehub.carriers.simulator.smsc import Smsc
from messagehub.carriers.smpp import SMPPCarrier
from messagehub.errors import Refusal, SettingError
from tests.carriers.rig import SOMEBODY, SOURCE, Ours, simulator
from tests.support.ports import free_port

NEAR = {"outbind_from": ["127.0.0.1"]}


@asynccontextmanager
async def called(**config: Any) -> AsyncIterator[tuple[Ours, Smsc, int]]:
    """A carrier of ours that can be called, a message centre, and the port where it may call."""
    outbinds, port = Outbinds(), free_port()
    await outbinds.open(f"127.0.0.1:{port}")
    async with simulator() as (smsc, smpp_port):
        ours = Ours(smpp_port)
        given = {"host": "127.0.0.1", "port": smpp_port, "system_id": "me", "password": "secret", **NEAR}
        ours.carrier = SMPPCarrier(parse("smpp", {**given, "bind": "outbind", **config}), outbinds=outbinds)
        async with ours:
            await ours.until(lambda: ours.carrier.status().last_error)  # its binds wait
            yield ours, smsc, port
        await outbinds.close()


def states(ours: Ours) -> list[tuple[str, str]]:
    return [(bind.role, bind.state) for bind in ours.carrier.status().binds]


async def hung_up(port: int, *, says: bytes = b"") -> bytes:
    """What a caller hears that says no more than this, until it is hung up on."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(says)
    async with asyncio.timeout(30):
        heard = await reader.read()
    writer.close()
    await writer.wait_closed()
    return heard


async def test_who_calls_is_bound_to_and_delivers() -> None:
    async with called() as (ours, smsc, port):
        assert ours.carrier.status().last_error == "the carrier has not called yet (outbind)"
        await smsc.call("127.0.0.1", port, "me", "secret")
        await ours.bound()
        assert (states(ours), ours.carrier.status().last_error) == ([("receiver", "bound")], "")
        assert ours.carrier.room() == 0
        answers = await asyncio.gather(smsc.write(SOMEBODY, SOURCE, "Hello"), ours.heard(Inbound))
        assert answers[0] == [0]
        assert [one.text for one in answers[1]] == ["Hello"]


async def test_a_transmitter_beside_it_sends_and_the_receipts_come_by_the_call() -> None:
    async with called(bind="transmitter+outbind") as (ours, smsc, port):
        await ours.until(lambda: ("transmitter", "bound") in states(ours))
        assert ours.carrier.status().status == "degraded"
        await smsc.call("127.0.0.1", port, "me", "secret")
        await ours.bound()
        ours.send()
        await ours.heard(Accepted)
        await ours.heard(Receipt)
        assert ours.carrier.status().binds[1].received == 1


async def test_it_may_call_again_at_once() -> None:
    async with called() as (ours, smsc, port):
        for _ in range(3):
            await smsc.call("127.0.0.1", port, "me", "secret")
            await ours.bound()
            for driver in list(smsc.drivers):
                driver.close()
            await ours.until(lambda: states(ours) == [("receiver", "connecting")])
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(("system_id", "password"), [("me", "wrong"), ("you", "secret"), ("", ""), ("me", "")])
async def test_a_stranger_is_turned_away(system_id: str, password: str) -> None:
    async with called() as (ours, smsc, port):
        await smsc.call("127.0.0.1", port, system_id, password)
        await ours.until(lambda: not smsc.drivers)
        assert states(ours) == [("receiver", "connecting")]
        await smsc.call("127.0.0.1", port, "me", "secret")
        await ours.bound()


async def test_so_is_who_calls_from_elsewhere_and_before_it_says_a_word() -> None:
    async with called(outbind_from=["192.0.2.0/24", "2001:db8::/32"]) as (_, _, port):
        assert await hung_up(port) == b""


async def test_one_call_more_than_there_are_binds_is_turned_away() -> None:
    async with called(binds=2) as (ours, smsc, port):
        for _ in range(2):
            await smsc.call("127.0.0.1", port, "me", "secret")
        await ours.bound()
        assert len(smsc.drivers) == 2
        await smsc.call("127.0.0.1", port, "me", "secret")
        await ours.until(lambda: len(smsc.drivers) == 2)
        assert states(ours) == [("receiver", "bound")] * 2


async def test_who_says_nothing_does_not_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbind, "SAY_WITHIN_S", 0.1)
    async with called() as (_, _, port):
        assert await hung_up(port) == b""


async def test_who_says_nothing_cannot_fill_the_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbind, "MOST_CALLERS", 3)
    async with called() as (_, _, port):
        connections = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        assert await hung_up(port) == b""
        for _, writer in connections:
            writer.close()
            await writer.wait_closed()


async def test_what_is_no_outbind_is_refused() -> None:
    async with called() as (ours, smsc, port):
        assert (await hung_up(port, says=b"GET / HTTP/1.1\r\n\r\n"))[4:8] == b"\x80\x00\x00\x00"
        await smsc.call("127.0.0.1", port, "me", "secret")
        await ours.bound()


async def test_closing_does_not_wait_for_a_call() -> None:
    async with called() as (ours, _, _):
        async with asyncio.timeout(15):
            await ours.carrier.close()


async def test_where_nobody_can_call_the_carrier_says_so() -> None:
    given = {"host": "h", "port": 1, "system_id": "me", "password": "secret", "bind": "outbind", **NEAR}
    ours = Ours(1)
    ours.carrier = SMPPCarrier(parse("smpp", given))
    async with ours:
        await ours.until(lambda: "MESSAGEHUB_OUTBIND_LISTEN" in ours.carrier.status().last_error)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"outbind_from": []}, "outbind_from: say from which addresses"),
    ({"outbind_from": ["here"]}, "outbind_from: 'here'"),
    ({"outbind_from": ["10.0.0.1/8"]}, "outbind_from: 10.0.0.1/8 has host bits set"),
    ({"password": ""}, "password: "),
    ({"tls": True}, "tls: "),
]


@pytest.mark.parametrize(("changes", "words"), WRONG)
def test_a_config_that_would_let_anybody_in_is_refused(changes: dict[str, Any], words: str) -> None:
    given = {"host": "h", "port": 1, "system_id": "me", "password": "secret", "bind": "outbind", **NEAR}
    with pytest.raises(Refusal) as caught:
        parse("smpp", {**given, **changes})
    assert words in caught.value.message


async def test_a_port_that_is_taken_is_an_error_of_the_setting() -> None:
    first, port = Outbinds(), free_port()
    await first.open(f"127.0.0.1:{port}")
    for listen in (f"127.0.0.1:{port}", "nowhere", "127.0.0.1:99999"):
        with pytest.raises(SettingError, match="MESSAGEHUB_OUTBIND_LISTEN"):
            await Outbinds().open(listen)
    await first.close()
