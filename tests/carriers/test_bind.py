"""Binds as an operator sees them: how they come about, why they do not, and that they come back."""

from tests.carriers.rig import SOMEBODY, Ours, pair, simulator
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
