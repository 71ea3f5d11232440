"""Contacts: what a customer knows of a person besides the number. For now that is the time zone."""

from messagehub import ids
from messagehub.clock import NEVER
from messagehub.errors import Refusal
from messagehub.people import zones
from messagehub.store import Row, Store, Tx


class Contacts:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def keep(self, customer_id: str, address: str, time_zone: str, now: int) -> Row:
        """A new one, or the one of this address changed. Refusal for a time zone that there is not."""
        if not zones.is_zone(time_zone):
            raise Refusal(
                "INVALID_TIME_ZONE", f"time_zone: {time_zone!r} is none; write a name such as America/Chicago"
            )
        times = {"tm_create": now, "tm_update": NEVER}

        async def unit(tx: Tx) -> Row:
            place = {"customer_id": customer_id, "address": address}
            await tx.run("keep_contact", id=ids.new(), time_zone=time_zone, **place, **times)
            return await tx.one("contact_at", **place)

        return await self._store.transaction(unit)

    async def get(self, contact_id: str, owner_id: str | None) -> Row:
        """Refusal when there is none, or it is not the owner's (None: whoever's)."""
        row = await self._store.one("contact_by_id", id=contact_id)
        if row is None or owner_id not in (None, row.customer_id):
            raise Refusal("RESOURCE_NOT_FOUND", f"there is no contact {contact_id}")
        return row

    async def page(self, customer_id: str, address: str, before: str, count: int) -> list[Row]:
        """The newest `count` of a customer whose id is smaller than `before`; with an `address` only that one."""
        if address:
            row = await self._store.one("contact_at", customer_id=customer_id, address=address)
            return [row] if row and row.id < before else []
        return await self._store.all("contacts_page", customer_id=customer_id, before=before, count=count)

    async def remove(self, contact_id: str) -> None:
        await self._store.run("remove_contact", id=contact_id)
