"""Binds as an operator sees them: how they come about, why they do not, and that they come back."""

import asyncio

import pytest

from messagehub.carriers.backoff import PAUSES, Trouble
from messagehub.carriers.carrier import Accepted, Lost
from messagehub.smpp import PDU, Driver, encode
from tests.carriers.rig import SOMEBODY, Ours, centre, pair, simulator
from tests.support.ports import free_port


async def test_several_binds_share_the_work() -> None:
    async with pair(binds=3, window=2) as (ours, smsc):
        assert smsc.binds == 3
        assert ours.carrier.room() == 6
        for _ in range(30):
            ours.send()
        await ours.until(lambda: smsc.record.counts.accepted == 30)
        status = ours.carrier.status()
        assert [bind.role for bind in status.binds] == ["transceiver"] * 3
        assert sum(bind.sent for bind in status.binds) == 30
        assert all(bind.sent >= 2 for bind in status.binds)


async def test_a_transmitter_sends_and_a_receiver_receives() -> None:
    async with pair(bind="transmitter+receiver", window=5) as (ours, smsc):
        assert smsc.binds == 2
        assert ours.carrier.room() == 5
        ours.send()
        await ours.until(lambda: smsc.record.counts.receipts_acknowledged)
        transmitter, receiver = ours.carrier.status().binds
        assert (transmitter.role, transmitter.sent, transmitter.received) == ("transmitter", 1, 0)
        assert (receiver.role, receiver.sent, receiver.received) == ("receiver", 0, 1)


async def test_who_is_not_let_in_is_told_why() -> None:
    async with simulator(password="other") as (smsc, port), Ours(port) as ours:
        await ours.until(lambda: "ESME_RINVPASWD" in ours.carrier.status().binds[0].last_error)
        assert ours.carrier.status().status in ("connecting", "down")
        assert (ours.carrier.room(), smsc.binds) == (0, 0)


async def test_where_nobody_listens() -> None:
    async with Ours(free_port()) as ours:
        await ours.until(lambda: ours.carrier.status().binds[0].last_error.startswith("cannot connect: "))
        assert ours.carrier.room() == 0


async def test_a_bind_that_is_lost_comes_back() -> None:
    async with pair(binds=2) as (ours, smsc):
        next(iter(smsc.drivers)).close()
        await ours.until(lambda: ours.carrier.status().status == "degraded")
        (lost,) = [bind for bind in ours.carrier.status().binds if bind.state != "bound"]
        assert lost.last_error == "the carrier ended the session"
        ours.send(SOMEBODY)
        await ours.until(lambda: smsc.record.counts.accepted == 1)
        await ours.bound()
        assert smsc.binds == 2
        assert [bind.last_error for bind in ours.carrier.status().binds] == ["", ""]


# --- not let in

CREDENTIALS = [("ESME_RINVPASWD", "password"), ("ESME_RINVSYSID", "system_id"), ("ESME_RINVSYSTYP", "system_type")]


@pytest.mark.parametrize(("name", "member"), CREDENTIALS)
async def test_wrong_credentials_are_said_once_and_not_again_for_minutes(name: str, member: str) -> None:
    async with centre() as (peer, port), Ours(port, binds=4) as ours:
        peer.refuse_binds(name)
        await ours.until(lambda: ours.carrier.status().last_error)
        await asyncio.sleep(1.2)  # in which a bind that was just lost would have come back
        status = ours.carrier.status()
        assert len(peer.binds) == 1
        assert status.status == "down"
        for word in (
            name,
            f"put the right `{member}` into the config",
            "tried again at ",
            "when the config is changed",
        ):
            assert word in status.last_error
        assert "secret" not in status.last_error


async def test_they_are_said_again_after_a_while_and_work_when_the_carrier_has_put_them_right() -> None:
    pauses = {**PAUSES, Trouble.CREDENTIALS: (0.1, 0.3)}
    async with centre() as (peer, port), Ours(port, pauses, binds=3) as ours:
        peer.refuse_binds("ESME_RINVPASWD")
        begun = asyncio.get_running_loop().time()
        await ours.until(lambda: len(peer.binds) == 3)
        assert asyncio.get_running_loop().time() - begun > 0.3
        peer.let_in()
        await ours.bound()
        assert len(peer.binds) == 6
        assert ours.carrier.status().last_error == ""


async def test_a_password_that_is_changed_while_all_are_bound_is_said_wrong_once() -> None:
    pauses = {**PAUSES, Trouble.CONNECTION: (0.01,)}
    async with centre() as (peer, port), Ours(port, pauses, binds=5) as ours:
        await ours.bound()
        peer.refuse_binds("ESME_RINVPASWD")
        for driver in peer.drivers:
            driver.close()
        await ours.until(lambda: ours.carrier.status().status == "down")
        await asyncio.sleep(0.2)
        assert len(peer.binds) == 5 + 1


@pytest.mark.parametrize(
    ("name", "trouble"), [("ESME_RALYBND", Trouble.OLD_SESSION), ("ESME_RBINDFAIL", Trouble.CONNECTION)]
)
async def test_other_refusals_are_waited_out(name: str, trouble: Trouble) -> None:
    never = dict.fromkeys(Trouble, (3600,))
    async with centre() as (peer, port), Ours(port, {**never, trouble: (0.05,)}) as ours:
        peer.refuse_binds(name)
        await ours.until(lambda: len(peer.binds) == 3)
        assert name in ours.carrier.status().last_error
        peer.let_in()
        await ours.bound()


async def test_who_is_not_understood_is_not_let_in() -> None:
    never = dict.fromkeys(Trouble, (3600,))
    async with centre() as (peer, port), Ours(port, {**never, Trouble.CONNECTION: (0.05,)}) as ours:
        peer.on_bind = lambda driver, pdu: driver.transport.write(encode(PDU("generic_nack", pdu.sequence)))
        await ours.until(lambda: len(peer.binds) == 3)
        assert ours.carrier.status().status == "down"
        peer.let_in()
        await ours.bound()


async def test_a_carrier_that_lets_in_and_hangs_up_is_left_alone_for_longer_and_longer() -> None:
    pauses = {**PAUSES, Trouble.CONNECTION: (0.02, 0.02, 3600)}
    async with centre() as (peer, port), Ours(port, pauses) as ours:

        def let_in_and_hang_up(driver: Driver, pdu: PDU) -> None:
            driver.answer(pdu, 0, {"system_id": "centre"})
            driver.close()

        peer.on_bind = let_in_and_hang_up
        await ours.until(lambda: len(peer.binds) == 3)
        await asyncio.sleep(0.2)
        assert len(peer.binds) == 3


# --- parting


async def test_who_parts_says_goodbye() -> None:
    async with centre() as (peer, port):
        async with Ours(port, bind="transmitter+receiver") as ours:
            await ours.bound()
        assert peer.unbound == 2


async def test_a_carrier_that_does_not_say_goodbye_is_not_waited_for() -> None:
    async with centre() as (peer, port), Ours(port) as ours:
        await ours.bound()
        for driver in peer.drivers:
            driver.transport.pause_reading()
        begun = asyncio.get_running_loop().time()
        await ours.carrier.close()
        assert asyncio.get_running_loop().time() - begun < 15


async def test_what_a_carrier_answers_behind_its_goodbye_is_not_in_doubt() -> None:
    async with centre() as (peer, port), Ours(port) as ours:
        peer.on_submit = lambda driver, pdu: None
        await ours.bound()
        key = ours.send()
        await ours.until(lambda: len(peer.submits) == 1)
        _, driver, pdu = peer.submits[0]
        leaving = asyncio.ensure_future(driver.unbind())
        await asyncio.sleep(0.1)  # it is heard
        driver.answer(pdu, 0, {"message_id": "n"})
        await leaving
        assert [one.key for one in await ours.heard(Accepted)] == [key]
        await ours.bound()


async def test_a_carrier_that_says_goodbye_is_answered_and_comes_back() -> None:
    async with centre() as (peer, port), Ours(port) as ours:
        peer.on_submit = lambda driver, pdu: None
        await ours.bound()
        answered, open_ = ours.send(), ours.send()
        await ours.until(lambda: len(peer.submits) == 2)
        _, driver, first = peer.submits[0]
        driver.answer(first, 0, {"message_id": "n"})
        await driver.unbind()
        assert peer.unbound == 1
        assert [one.key for one in await ours.heard(Accepted)] == [answered]
        assert [one.key for one in await ours.heard(Lost)] == [open_]
        await ours.bound()
        assert len(peer.binds) == 2
