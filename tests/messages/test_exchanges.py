"""Carriers are opened and closed as the store says, and what goes wrong with one is not the matter of the others."""

import asyncio

import pytest

from messagehub import clock
from messagehub.carriers.book import CarrierRow, Carriers
from messagehub.messages.exchange import Exchange
from messagehub.messages.exchanges import Exchanges
from messagehub.messages.live import Live
from messagehub.messages.settling import Settling
from messagehub.sealing import Sealer
from tests.messages.house import House, eventually
from tests.messages.peer import Peer

DRAINS_S = 1.0
"""Longer than the loop that opens carriers rests after a failure."""


class Closing(Peer):
    """One that says when it is closed; `fails`: in closing."""

    def __init__(self, fails: bool) -> None:
        super().__init__()
        self.fails, self.is_closed = fails, False

    async def drain(self, seconds: float) -> None:
        if not self.fails:
            await asyncio.sleep(DRAINS_S)

    async def close(self) -> None:
        await super().close()
        self.is_closed = True
        if self.fails:
            raise OSError("the socket is gone")


class Carried:
    """The exchanges with two carriers, of which the first fails when it is closed."""

    def __init__(self, house: House) -> None:
        self._house, self._book = house, Carriers(house.store, Sealer())
        self.made: dict[str, list[Closing]] = {}
        self.is_open_twice = False
        self.exchanges = Exchanges(house.store, self._book, self._make, self._exchange)

    def _make(self, row: CarrierRow) -> Closing:
        before = self.made.setdefault(row.name, [])
        self.is_open_twice |= any(not peer.is_closed for peer in before)
        before.append(Closing(fails=row.name == "carrier"))
        return before[-1]

    def _exchange(self, carrier_id: str, peer: object) -> Exchange:
        assert isinstance(peer, Closing)
        house = self._house
        return Exchange(house.store, Settling(carrier_id, peer, house.means("here", Live()), house.gate))

    async def change_all(self) -> None:
        for row in await self._book.live():
            await self._book.change(row.id, clock.now(), settings={**row.settings, "port": 2999})


@pytest.fixture
async def carried(house: House) -> Carried:
    await house.failover()
    carried = Carried(house)
    await carried.exchanges.open()
    return carried


async def test_the_end_waits_for_the_carriers_that_drain_though_another_cannot_be_closed(carried: Carried) -> None:
    with pytest.raises(OSError, match="the socket is gone"):
        await carried.exchanges.close(DRAINS_S)
    assert [peer.is_closed for peers in carried.made.values() for peer in peers] == [True, True]


async def test_a_carrier_is_not_opened_again_before_it_is_closed_though_another_cannot_be(carried: Carried) -> None:
    await carried.change_all()
    await eventually(lambda: [len(peers) for peers in carried.made.values()] == [2, 2])
    assert not carried.is_open_twice
    with pytest.raises(OSError, match="the socket is gone"):
        await carried.exchanges.close(DRAINS_S)
