"""Binds that are this process's for a while: opened, given back in order, and let go when the lease ends."""

from messagehub.carriers.carrier import Accepted, Refused
from messagehub.carriers.kinds import parse
from messagehub.carriers.smpp import SMPPCarrier
from messagehub.work.node import Lease
from tests.carriers.rig import Ours, simulator


class Leased(Ours):
    def __init__(self, port: int, **config: object) -> None:
        super().__init__(port)
        self.lease = Lease()
        given = {"host": "127.0.0.1", "port": port, "system_id": "me", "password": "secret", **config}
        self.carrier = SMPPCarrier(parse("smpp", given), lease=self.lease)

    def states(self) -> list[str]:
        return [bind.state for bind in self.carrier.status().binds]


async def test_it_has_the_binds_that_it_holds_and_gives_one_back_when_that_is_answered() -> None:
    async with simulator() as (smsc, port), Leased(port, binds=3, rate=30) as ours:
        ours.carrier.hold({0, 2})
        await ours.until(lambda: ours.states() == ["bound"] * 2 and smsc.binds == 2)
        assert ours.carrier.status().pace == 20
        keys = [ours.send() for _ in range(2)]
        await ours.carrier.part(2, 5)
        assert ours.states() == ["bound"]
        assert ours.carrier.status().pace == 10
        await ours.until(lambda: smsc.binds == 1)
        await ours.until(lambda: {one.key for one in ours.news if isinstance(one, Accepted)} == set(keys))
        ours.carrier.hold({0, 1, 2})
        await ours.until(lambda: smsc.binds == 3)
        assert smsc.most_binds == 3


async def test_nothing_leaves_when_the_lease_is_over() -> None:
    async with simulator() as (smsc, port), Leased(port) as ours:
        await ours.until(lambda: ours.states() == ["bound"])
        assert ours.carrier.room() > 0
        ours.lease.until = 0
        assert ours.carrier.room() == 0
        key = ours.send()
        await ours.carrier.let_go()
        await ours.until(lambda: [one.key for one in ours.news if isinstance(one, Refused)] == [key])
        assert smsc.record.counts.submits == 0
        await ours.until(lambda: smsc.binds == 0)
