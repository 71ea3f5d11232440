"""The carriers in the store: made, changed and removed by the operator."""

from dataclasses import dataclass, replace
from typing import Any

import msgspec

from messagehub import ids
from messagehub.carriers import config
from messagehub.carriers.carrier import Carrier
from messagehub.clock import NEVER
from messagehub.errors import Refusal
from messagehub.store import Insert, Row, Store
from messagehub.store.recent import CHANGED


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierRow:
    id: str
    name: str
    type: str
    config: str
    """JSON, with its secrets."""
    disabled: int = 0
    tm_create: int
    tm_update: int = NEVER
    tm_delete: int = NEVER

    @property
    def settings(self) -> dict[str, Any]:
        settings: dict[str, Any] = msgspec.json.decode(self.config)
        return settings


def from_row(row: Row) -> CarrierRow:
    return CarrierRow(**row._asdict())


def make(row: CarrierRow) -> Carrier:
    """The carrier that a row describes."""
    from messagehub.carriers.smpp import SMPPCarrier

    return SMPPCarrier(config.parse(row.type, row.settings))


class Carriers:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def get(self, carrier_id: str) -> CarrierRow:
        row = await self._store.one("carrier_by_id", id=carrier_id)
        if row is None:
            raise Refusal("RESOURCE_NOT_FOUND", f"there is no carrier {carrier_id}")
        return from_row(row)

    async def live(self) -> list[CarrierRow]:
        return [from_row(row) for row in await self._store.all("live_carriers")]

    async def page(self, before: str, count: int) -> list[CarrierRow]:
        return [from_row(row) for row in await self._store.all("carriers_page", before=before, count=count)]

    async def add(self, name: str, kind: str, settings: dict[str, Any], disabled: bool, now: int) -> CarrierRow:
        config.parse(kind, settings)
        packed = msgspec.json.encode(settings).decode()
        row = CarrierRow(id=ids.new(), name=name, type=kind, config=packed, disabled=int(disabled), tm_create=now)
        await self._store.write([Insert("insert_carrier", [row])])
        self._store.notify(CHANGED)
        return row

    async def change(self, row: CarrierRow, now: int, **changes: Any) -> CarrierRow:
        """Members of the config that are left out stay as they are."""
        if settings := changes.pop("settings", None):
            settings = {**row.settings, **settings}
            config.parse(row.type, settings)
            changes["config"] = msgspec.json.encode(settings).decode()
        changed = replace(row, **changes, tm_update=now)
        await self._store.many("update_carrier", [changed])
        self._store.notify(CHANGED)
        return changed

    async def remove(self, row: CarrierRow, now: int) -> CarrierRow:
        await self._store.run("delete_carrier", id=row.id, now=now)
        self._store.notify(CHANGED)
        return replace(row, tm_delete=now, tm_update=now)
