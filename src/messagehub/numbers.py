"""Numbers: addresses of ours. E.164, or a short code or a name that may stand as a sender."""

import re
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from messagehub import ids, text
from messagehub.clock import NEVER
from messagehub.errors import Conflict, Refusal
from messagehub.shapes import NoticeKind
from messagehub.store import Insert, Row, Store, Tx
from messagehub.store.recent import CHANGED, Recent

E164 = re.compile(r"\+[1-9][0-9]{1,14}")
"""ITU-T E.164: a plus, a country code, fifteen digits at most. Never more than this is asked of a number."""

SHORT_CODE = re.compile(r"[0-9]{3,8}")
LONGEST = 16
"""Characters of the longest number there can be, with its plus."""

TOLL_FREE = tuple(f"+1{code}" for code in (800, 833, 844, 855, 866, 877, 888))
"""North American Numbering Plan: numbers that their callers do not pay for."""

MAX_ALPHANUMERIC = 11
"""Septets of a sender in letters, 3GPP TS 23.040, section 9.1.2.5."""

LAST_OF_LATIN1 = "\xff"
"""SMPP writes an address as octets (SMPP 3.4, section 3.1); there is no more than this that they can mean."""


def is_e164(number: str) -> bool:
    return E164.fullmatch(number) is not None


def checked_e164(given: str, field: str = "address", reason: str = "INVALID_NUMBER") -> str:
    """Refusal for what is none."""
    if not is_e164(given):
        raise Refusal(reason, f"{field}: {given[:40]!r} is not E.164, such as +15559876543")
    return given


def is_toll_free(number: str) -> bool:
    """Whether it is one of North America."""
    return number.startswith(TOLL_FREE) and len(number) == 12


def is_alphanumeric(number: str) -> bool:
    """A sender that is a name: up to eleven characters that GSM and Latin-1 have, at least one of them a letter."""
    if not 0 < len(number) <= MAX_ALPHANUMERIC or max(number) > LAST_OF_LATIN1:
        return False
    read = text.segment(number)
    return (
        any(character.isalpha() for character in number)
        and read.encoding == "GSM-7"
        and read.units <= MAX_ALPHANUMERIC
        and number.isprintable()
        and number == number.strip()
    )


def can_be_owned(number: str) -> bool:
    return is_e164(number) or SHORT_CODE.fullmatch(number) is not None or is_alphanumeric(number)


class Number(Struct, frozen=True, kw_only=True):
    id: str
    customer_id: str
    number: str
    name: str
    detail: str
    message_flow_id: str
    sender_group: str = ""
    """Numbers of a customer with the same group share their opt-outs; empty: it stands alone."""
    ignored_keywords: tuple[str, ...] = ()
    """Words that mean something else in answer to this number, and are not taken for an opt-out or the like."""
    opt_out_replies: dict[NoticeKind, dict[str, str]] = {}
    """Texts of its own, by what they answer and by language."""
    registered_in: str = ""
    """The countries in which a name is registered, or to which a short code belongs: ISO 3166-1, with spaces."""
    keywords: str = ""
    """Which flows answer which words, as JSON; empty for none."""
    tm_create: int
    tm_update: int = NEVER
    tm_delete: int = NEVER

    def as_row(self) -> dict[str, Any]:
        row = {name: getattr(self, name) for name in self.__struct_fields__}
        return row | {name: msgspec.json.encode(row[name]).decode() for name in JSON}


JSON: dict[str, Any] = {"ignored_keywords": tuple[str, ...], "opt_out_replies": dict[NoticeKind, dict[str, str]]}
"""Members that the store keeps as JSON, and what they are."""

EMPTY: dict[str, Any] = {"[]": (), "{}": {}}


def from_row(row: Row) -> Number:
    values = row._asdict()
    for name, kind in JSON.items():
        written = values[name]
        values[name] = EMPTY[written] if written in EMPTY else msgspec.json.decode(written, type=kind)
    return Number(**values)


class Numbers:
    """Who owns which number, with those remembered that were asked for lately."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._recent: Recent[str, Number] = Recent(_read)
        self._recent.follow(store)

    async def find(self, tx: Tx, number: str) -> Number | None:
        return await self._recent.get(tx, number) if len(number) <= LONGEST else None

    async def get(self, number_id: str, owner_id: str | None) -> Number:
        """A number by its id. Refusal when there is none, or it is not the owner's (None: whoever owns it)."""
        return _owned(await self._store.one("number_by_id", id=number_id), number_id, owner_id)

    async def page(self, owner_id: str | None, number: str, before: str, count: int) -> list[Number]:
        """The newest `count` numbers of an owner (None: of all) whose id is smaller than `before`.

        With a `number` that one alone, if it is there.
        """
        if number:
            found = await self.find(self._store, number)
            return [found] if found and owner_id in (None, found.customer_id) and found.id < before else []
        query = "numbers_page" if owner_id else "all_numbers_page"
        rows = await self._store.all(query, customer_id=owner_id, before=before, count=count)
        return [from_row(row) for row in rows]

    async def add(self, now: int, **given: Any) -> Number:
        """Gives a number to a customer. Refusal when it cannot be owned or has an owner."""
        added = Number(id=ids.new(), tm_create=now, **_with_flows(given))
        if not can_be_owned(added.number):
            raise Refusal(
                "INVALID_NUMBER",
                f"number: {added.number!r} is neither E.164 (such as +15551234567), nor a short code of 3 to 8 digits, "
                "nor up to 11 characters that GSM and Latin-1 have, with a letter",
            )
        try:
            await self._store.write([Insert("insert_number", [added.as_row()])])
        except Conflict:
            raise Refusal("ALREADY_EXISTS", f"number: {added.number} has an owner already") from None
        self._store.notify(CHANGED)
        return added

    async def change(self, number_id: str, owner_id: str | None, now: int, **changes: Any) -> Number:
        """Refusal as with `get`, and for a flow that cannot be."""

        async def unit(tx: Tx) -> Number:
            number = _owned(await tx.one("number_for_change", id=number_id), number_id, owner_id)
            changed = replace(number, **_with_flows(changes), tm_update=now)
            await tx.run("update_number", **changed.as_row())
            return changed

        changed = await self._store.transaction(unit)
        self._store.notify(CHANGED)
        return changed

    async def remove(self, number: Number, now: int) -> Number:
        """With its limits: whoever has the number next begins without."""

        async def unit(tx: Tx) -> None:
            await tx.run("delete_number", id=number.id, now=now)
            await tx.run("delete_limit_uses_for", scope="number", subject=number.number)
            await tx.run("delete_limits_for", scope="number", subject=number.number)

        await self._store.transaction(unit)
        self._store.notify(CHANGED)
        return replace(number, tm_update=now, tm_delete=now)

    async def release(self, tx: Tx, owner_id: str, now: int) -> None:
        """Takes all numbers from their owner. Notify CHANGED after the commit."""
        await tx.run("delete_numbers_of", customer_id=owner_id, now=now)


def _with_flows(given: dict[str, Any]) -> dict[str, Any]:
    """As they are kept: ids of flows in lower case, and none of a call, since nobody answers calls here."""
    if (countries := given.get("registered_in")) is not None:
        given["registered_in"] = " ".join(sorted(set(countries)))
    if given.pop("call_flow_id", "") not in ("", ids.UNSET):
        raise Refusal("INVALID_ARGUMENT", f"call_flow_id: no calls are carried here; leave it out, or give {ids.UNSET}")
    if (flow_id := given.get("message_flow_id")) is not None:
        given["message_flow_id"] = flow_id.lower() or ids.UNSET
        if not ids.is_id(given["message_flow_id"]):
            raise Refusal("INVALID_ARGUMENT", f"message_flow_id: {flow_id!r} is no UUID; for no flow give {ids.UNSET}")
    return given


def _owned(row: Row | None, number_id: str, owner_id: str | None) -> Number:
    if row is None or owner_id not in (None, row.customer_id):
        raise Refusal("RESOURCE_NOT_FOUND", f"there is no number {number_id}")
    return from_row(row)


async def _read(tx: Tx, number: str) -> Number | None:
    row = await tx.one("number_owner", number=number)
    return from_row(row) if row else None
