"""How carriers do: what this node sees of its own binds, and what the other nodes have told of theirs a moment ago."""

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from messagehub.carriers.book import CarrierRow
from messagehub.carriers.carrier import CarrierStatus, whole
from messagehub.clock import NEVER
from messagehub.messages.exchanges import Exchanges
from messagehub.store import Store
from messagehub.work.loop import Loop
from messagehub.work.node import Node

TELL_S = 2.0
"""How old what other nodes tell may be, and no older, while they live."""


class Telling(Struct):
    """What one node says of one carrier."""

    status: CarrierStatus
    wanted: int
    """Binds that the carrier should have in all."""
    unknown: int
    """Messages that came for numbers of nobody's."""


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Telling).decode


class Standing:
    def __init__(self, store: Store, node: Node, exchanges: Exchanges) -> None:
        self._store, self._node, self._exchanges = store, node, exchanges
        self._told: dict[str, str] = {}
        self._loop = Loop("telling of binds", self.tell, TELL_S)

    def start(self) -> None:
        if not self._node.alone:
            self._loop.start()

    async def stop(self) -> None:
        await self._loop.stop()

    async def tell(self) -> None:
        """Writes what has changed, for carriers that this node has binds of."""
        said = {id: _encode(told).decode() for id, told in self._here().items() if told.status.binds}
        news = [
            {"carrier_id": id, "node_id": self._node.id, "detail": detail}
            for id, detail in sorted(said.items())
            if self._told.get(id) != detail
        ]
        written = {row.carrier_id for row in await self._store.many("tell_carrier", news)}
        self._told = {id: said[id] for id in said if id in written or self._told.get(id) == said[id]}

    async def look(self) -> "Seen":
        """How all carriers do now."""
        told = {id: [one] for id, one in self._here().items()}
        if not self._node.alone:
            for row in await self._store.all("carrier_tellings", own=self._node.id):
                told.setdefault(row.carrier_id, []).append(_of_node(_decode(row.detail), row.name))
        return Seen(told)

    def _here(self) -> dict[str, Telling]:
        return {
            id: _of_node(Telling(one.carrier.status(), len(one.carrier.kinds), one.counts.unknown), self._node.name)
            for _, id, one in self._exchanges.running()
        }


def _of_node(telling: Telling, name: str) -> Telling:
    binds = [replace(bind, node=name) for bind in telling.status.binds]
    return replace(telling, status=replace(telling.status, binds=binds))


class Seen:
    def __init__(self, told: Mapping[str, Sequence[Telling]]) -> None:
        self._told = told

    def of(self, row: CarrierRow) -> tuple[CarrierStatus, int]:
        """How the carrier does on all nodes together, and how many messages came for numbers of nobody's."""
        if row.disabled or row.tm_delete != NEVER:
            return CarrierStatus("disabled"), 0
        told = self._told.get(row.id, ())
        statuses = [one.status for one in told]
        binds = [bind for status in statuses for bind in status.binds]
        wanted = max((one.wanted for one in told), default=0)
        holding = [status for status in statuses if status.binds]
        return (
            CarrierStatus(
                whole(binds, wanted),
                binds,
                next((status.last_error for status in statuses if status.last_error), ""),
                list(dict.fromkeys(warning for status in statuses for warning in status.warnings)),
                sum(status.pace for status in holding),
                sum(status.throttled for status in statuses),
                max((status.throttled_until for status in statuses), default=0),
            ),
            sum(one.unknown for one in told),
        )
