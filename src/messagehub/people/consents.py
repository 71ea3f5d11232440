"""Consents: who has agreed to get marketing, when and how. A record stays as it is; that it was withdrawn is added."""

from msgspec import Struct
from msgspec.structs import replace

from messagehub import ids
from messagehub.clock import NEVER
from messagehub.errors import Refusal
from messagehub.store import Insert, Row, Store, Tx


class Consent(Struct, frozen=True, kw_only=True):
    id: str
    customer_id: str
    address: str
    scope: str
    method: str
    words: str = ""
    evidence: str = ""
    ip: str = ""
    actor: str = ""
    tm_given: int
    tm_create: int
    tm_withdraw: int = NEVER
    withdrawn_by: str = ""
    withdrawn_words: str = ""


def from_row(row: Row) -> Consent:
    return Consent(**row._asdict())


class Consents:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def add(self, now: int, **given: object) -> Consent:
        """Refusal for one that is given in the future."""
        added = Consent(id=ids.new(), tm_create=now, **given)  # type: ignore[arg-type]
        if added.tm_given > now:
            raise Refusal("INVALID_ARGUMENT", "tm_given: nobody has agreed to anything in the future")
        await self._store.write([Insert("insert_consent", [added])])
        return added

    async def get(self, consent_id: str, owner_id: str | None) -> Consent:
        """Refusal when there is none, or it is not the owner's (None: whoever's)."""
        return _owned(await self._store.one("consent_by_id", id=consent_id), consent_id, owner_id)

    async def page(self, customer_id: str, address: str, before: str, count: int) -> list[Consent]:
        """The newest `count` of a customer whose id is smaller than `before`; with an `address` only its own."""
        place = {"customer_id": customer_id, "before": before, "count": count}
        if address:
            rows = await self._store.all("consents_page_at", address=address, **place)
        else:
            rows = await self._store.all("consents_page", **place)
        return [from_row(row) for row in rows]

    async def withdraw(self, consent_id: str, owner_id: str | None, actor: str, words: str, now: int) -> Consent:
        """Refusal as with `get`, and for one that was withdrawn before."""

        async def unit(tx: Tx) -> Consent:
            consent = _owned(await tx.one("consent_by_id", id=consent_id), consent_id, owner_id)
            given = {"id": consent.id, "now": now, "withdrawn_by": actor, "withdrawn_words": words}
            if not await tx.change("withdraw_consent", [given]):
                raise Refusal("STATE_INVALID", f"consent {consent_id} was withdrawn before")
            return replace(consent, tm_withdraw=now, withdrawn_by=actor, withdrawn_words=words)

        return await self._store.transaction(unit)


def _owned(row: Row | None, consent_id: str, owner_id: str | None) -> Consent:
    if row is None or owner_id not in (None, row.customer_id):
        raise Refusal("RESOURCE_NOT_FOUND", f"there is no consent {consent_id}")
    return from_row(row)
