"""The carriers in the store: made, changed and removed by the operator."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from messagehub import ids
from messagehub.blobs import Blobs
from messagehub.carriers import kinds
from messagehub.carriers.carrier import Carrier
from messagehub.carriers.fitting import Fitter
from messagehub.carriers.outbind import Outbinds
from messagehub.clock import NEVER
from messagehub.errors import Refusal
from messagehub.published import Published
from messagehub.sealing import Sealer
from messagehub.store import Insert, Row, Store, Tx
from messagehub.store.recent import CHANGED
from messagehub.work.node import Lease

IDENTITY = ("host", "port", "system_id", "url")
"""Members of a config by which one message centre, and its habits, are told from another."""

CALLBACKS = "/callbacks/"
"""Below it carriers make requests of us, each by its id."""

PARKED_ANEW = 10_000
"""Receipts that are looked for anew, at most, when a carrier's ids are read in another way."""


class CarrierRow(Struct, frozen=True, kw_only=True):
    id: str
    name: str
    type: str
    settings: dict[str, Any]
    """Its config, with its secrets."""
    disabled: int = 0
    trace: str = "default"
    """`all`: the traces of all that it takes are kept."""
    receipt_id_learnt: str = ""
    """What it makes of ids, as its receipts taught; empty while that is not known."""
    tm_create: int
    tm_update: int = NEVER
    tm_delete: int = NEVER

    def as_row(self, sealer: Sealer) -> dict[str, Any]:
        sealed = {name: sealer.seal(self.settings[name], place(self.id, name)) for name in self._secrets}
        row = {name: getattr(self, name) for name in self.__struct_fields__ if name != "settings"}
        return {**row, "config": msgspec.json.encode({**self.settings, **sealed}).decode()}

    @property
    def _secrets(self) -> list[str]:
        return [name for name in self.settings if name in kinds.SECRETS]


def from_row(row: Row, sealer: Sealer) -> CarrierRow:
    values = row._asdict()
    settings: dict[str, Any] = msgspec.json.decode(values.pop("config"))
    for name in kinds.SECRETS & settings.keys():
        settings[name] = sealer.unseal(settings[name], place(row.id, name))
    return CarrierRow(settings=settings, **values)


def place(carrier_id: str, name: str) -> str:
    """Where a secret stands, to which it is bound."""
    return f"carriers/{carrier_id}/{name}"


class Means(Struct, frozen=True, kw_only=True):
    """What a process has for its carriers.

    `taped`: what they do is traced; `outbinds`: where they may call; `lease`: until when they may send; `blobs`: where
    media are; `fitter`: makes them fit; `published`: how those are reached from outside.
    """

    taped: bool = True
    outbinds: Outbinds | None = None
    lease: Lease | None = None
    blobs: Blobs | None = None
    fitter: Fitter | None = None
    published: Published | None = None


def make(row: CarrierRow, means: Means) -> Carrier:
    """The carrier that a row describes."""
    config = kinds.parse(row.type, row.settings)
    if row.type == "smpp":
        from messagehub.carriers.smpp import SMPPCarrier

        return SMPPCarrier(config, taped=means.taped, outbinds=means.outbinds, lease=means.lease)
    from messagehub.carriers.dialects import DIALECTS
    from messagehub.carriers.web import WebCarrier

    at = means.published.public_url if means.published else ""
    return WebCarrier(config, DIALECTS[row.type](config, f"{at}{CALLBACKS}{row.id}"), means)


class Carriers:
    def __init__(self, store: Store, sealer: Sealer) -> None:
        self._store, self._sealer = store, sealer

    async def get(self, carrier_id: str) -> CarrierRow:
        row = await self._store.one("carrier_by_id", id=carrier_id)
        if row is None:
            raise _missing(carrier_id)
        return from_row(row, self._sealer)

    async def live(self) -> list[CarrierRow]:
        return [from_row(row, self._sealer) for row in await self._store.all("live_carriers")]

    async def page(self, before: str, count: int) -> list[CarrierRow]:
        rows = await self._store.all("carriers_page", before=before, count=count)
        return [from_row(row, self._sealer) for row in rows]

    async def add(
        self, name: str, kind: str, settings: dict[str, Any], disabled: bool, now: int, trace: str = "default"
    ) -> CarrierRow:
        kinds.parse(kind, settings)
        given: dict[str, Any] = {"name": name, "type": kind, "settings": settings, "trace": trace}
        row = CarrierRow(id=ids.new(), disabled=int(disabled), tm_create=now, **given)
        await self._store.write([Insert("insert_carrier", [row.as_row(self._sealer)])])
        self._store.notify(CHANGED)
        return row

    async def change(
        self, carrier_id: str, now: int, settings: Mapping[str, Any] | None = None, **changes: Any
    ) -> CarrierRow:
        """Members of the config that are left out stay as they are. Refusal when there is no such carrier."""

        async def unit(tx: Tx) -> CarrierRow:
            row = await tx.one("carrier_for_change", id=carrier_id)
            if row is None:
                raise _missing(carrier_id)
            kept = from_row(row, self._sealer)
            changed = replace(kept, **changes, settings={**kept.settings, **(settings or {})}, tm_update=now)
            kinds.parse(changed.type, changed.settings)
            await tx.run("update_carrier", **changed.as_row(self._sealer))
            if _differs(kept, changed, IDENTITY):
                changed = replace(changed, receipt_id_learnt="")
                await tx.run("learn_receipt_id", id=carrier_id, receipt_id_learnt="")
            if _differs(kept, changed, ("receipt_id",)):
                await park_anew(tx, carrier_id, now)
            return changed

        changed = await self._store.transaction(unit)
        self._store.notify(CHANGED)
        return changed

    async def remove(self, row: CarrierRow, now: int) -> CarrierRow:
        """With its limits."""

        async def unit(tx: Tx) -> None:
            await tx.run("delete_carrier", id=row.id, now=now)
            await tx.run("delete_limit_uses_for", scope="carrier", subject=row.id)
            await tx.run("delete_limits_for", scope="carrier", subject=row.id)

        await self._store.transaction(unit)
        self._store.notify(CHANGED)
        return replace(row, tm_delete=now, tm_update=now)

    async def seal(self) -> None:
        """Seals what is not sealed under the first key. SettingError where an older key is missing."""

        async def unit(tx: Tx) -> None:
            old = [row for row in await tx.all("live_carriers") if not self._is_current(row)]
            await tx.many("update_carrier", [from_row(row, self._sealer).as_row(self._sealer) for row in old])

        await self._store.transaction(unit)

    def _is_current(self, row: Row) -> bool:
        kept = msgspec.json.decode(row.config)
        return all(self._sealer.is_current(kept[name]) for name in kinds.SECRETS & kept.keys())


def _differs(one: CarrierRow, other: CarrierRow, members: Iterable[str]) -> bool:
    return any(one.settings.get(name) != other.settings.get(name) for name in members)


async def park_anew(tx: Tx, carrier_id: str, now: int) -> None:
    """Receipts that were given up are due again, the newest first, once there is a new way to look for them."""
    rows = await tx.all("parked_given_up", carrier_id=carrier_id, count=PARKED_ANEW)
    await tx.many("park_anew", [{"id": row.id, "now": now} for row in rows])


def _missing(carrier_id: str) -> Refusal:
    return Refusal("RESOURCE_NOT_FOUND", f"there is no carrier {carrier_id}")
