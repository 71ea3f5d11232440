"""Opt-outs: who wants no messages. A ledger of what was said, and how things stand by the last of it.

Nothing of the ledger is ever changed or removed. What was said later counts, whenever it is entered: an old list that
is imported today does not put out somebody who has come back since.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice, product
from typing import get_args

from msgspec import Struct

from messagehub import ids
from messagehub.errors import Refusal
from messagehub.shapes import OptOutSource, OptOutStatus
from messagehub.store import Row, Store, Tx

CHANGED = "opt_outs"
"""The topic that is notified after each commit that changed some."""

STATUSES: tuple[OptOutStatus, ...] = get_args(OptOutStatus)
IN_FORCE: tuple[OptOutStatus, ...] = ("opted_out", "probable")
SHOWN = 100
"""Events of its history that an opt-out shows."""

WORDS_KEPT = 2000
BATCH = 500
"""Lines of an import in one commit: others wait for the writer no longer than for that."""


class Entry(Struct, frozen=True, kw_only=True):
    """What somebody said, or what was entered for somebody."""

    customer_id: str
    address: str
    scope: str
    status: OptOutStatus
    """How things stand after it."""
    source: OptOutSource
    tm_said: int
    message_id: str = ""
    words: str = ""
    actor: str = ""


class Change(Struct, frozen=True):
    """How things stand now, where they stood otherwise before."""

    customer_id: str
    address: str
    scope: str
    status: OptOutStatus
    id: str


Key = tuple[str, str, str]


def _key(one: Entry | Row) -> Key:
    return one.customer_id, one.address, one.scope


async def enter(tx: Tx, entries: Iterable[Entry], now: int) -> list[Change]:
    """Writes down what was said, of each person and scope once. What changed is to be made known after the commit."""
    given = _latest(entries)
    keys = [
        {"customer_id": customer_id, "address": address, "scope": scope, "id": ids.new(), "now": now}
        for customer_id, address, scope in sorted(given)  # the order in which a shared store locks them
    ]
    await tx.many("insert_opt_out", keys)
    rows = await tx.many("opt_out_for_change", keys)
    told = [(row, entry) for row in rows if _is_news(entry := given[_key(row)], row)]
    await tx.many("insert_opt_out_event", [_event(row.id, entry, now) for row, entry in told])
    newer = [(row, entry) for row, entry in told if _counts(entry, row)]
    await tx.many("update_opt_out", [_event(row.id, entry, now) for row, entry in newer])
    return [Change(*_key(entry), entry.status, row.id) for row, entry in newer if entry.status != row.status]


def _latest(entries: Iterable[Entry]) -> dict[Key, Entry]:
    """Of those about the same, what is certain, or else was said last: some lists have the newest first."""
    found: dict[Key, Entry] = {}
    for entry in entries:
        if (before := found.get(_key(entry))) is None or _weight(entry) >= _weight(before):
            found[_key(entry)] = entry
    return found


def _weight(entry: Entry) -> tuple[bool, int]:
    return not _is_guess(entry), entry.tm_said


def _is_guess(one: Entry | Row) -> bool:
    """It is from a list, and of somebody who is only probably out."""
    return bool(one.source == "import" and one.status == "probable")


def _is_news(entry: Entry, row: Row) -> bool:
    """False for what a list repeats of what counts: who imports what was exported here changes nothing by it."""
    return entry.source != "import" or (entry.tm_said, entry.status) != (row.tm_said, row.status)


def _counts(entry: Entry, row: Row) -> bool:
    """Only of lists it is asked when it was said: clocks of nodes differ, and what is said now is said last.

    Nor does a list make anybody less certainly out, in whatever order its lines come.
    """
    if _is_guess(entry) and row.status == "opted_out":
        return False
    if _is_guess(row) and entry.status == "opted_out":
        return True
    return entry.source != "import" or bool(entry.tm_said >= row.tm_said)


def _event(opt_out_id: str, entry: Entry, now: int) -> dict[str, object]:
    return {
        "opt_out_id": opt_out_id,
        "id": ids.new(),
        "status": entry.status,
        "source": entry.source,
        "message_id": entry.message_id,
        "words": entry.words[:WORDS_KEPT].replace("\0", ""),
        "actor": entry.actor,
        "tm_said": entry.tm_said,
        "now": now,
    }


def _batches(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    rest = iter(entries)
    while batch := list(islice(rest, BATCH)):
        yield batch


async def in_force(tx: Tx, people: Sequence[Mapping[str, str]]) -> dict[tuple[str, str], list[Row]]:
    """What may stop messages to people (`customer_id`, `address`), by these two."""
    found: dict[tuple[str, str], list[Row]] = {}
    customers = [{"customer_id": id} for id in sorted({one["customer_id"] for one in people})]
    some = {row.customer_id for row in await tx.many("customer_with_opt_outs", customers)}
    if some:
        for row in await tx.many("opt_outs_of", [one for one in people if one["customer_id"] in some]):
            found.setdefault((row.customer_id, row.address), []).append(row)
    return found


class OptOuts:
    """Looking at them, and what callers do with them. `make_known` is told of each change after its commit."""

    def __init__(self, store: Store, make_known: Callable[[Sequence[Change]], None]) -> None:
        self._store, self._make_known = store, make_known

    async def enter(self, entries: Sequence[Entry], now: int) -> list[Change]:
        """In a commit of their own."""
        changes = await self._store.transaction(lambda tx: enter(tx, entries, now))
        self._make_known(changes)
        return changes

    async def add(self, entry: Entry, now: int) -> Row:
        """The opt-out as it is then."""
        await self.enter([entry], now)
        rows = await self._store.many("opt_out_for_change", [entry])
        return await self.get(rows[0].id, entry.customer_id)

    async def undo(self, opt_out_id: str, owner_id: str | None, actor: str, now: int) -> Row:
        """The person is in again. Refusal as with `get`, and where nobody is out."""
        row = await self.get(opt_out_id, owner_id)
        if row.status not in IN_FORCE:
            raise Refusal("STATE_INVALID", f"{row.address} is not out; there is nothing to undo")
        key = {"customer_id": row.customer_id, "address": row.address, "scope": row.scope}
        entry = Entry(**key, status="opted_in", source="api", actor=actor, tm_said=now)
        await self.enter([entry], now)
        return await self.get(opt_out_id, owner_id)

    async def load(self, entries: Iterable[Entry], now: int) -> Counter[OptOutStatus]:
        """Enters a list in small commits; how many are newly what. Of somebody who stands twice, the later `tm`."""
        changed: Counter[OptOutStatus] = Counter()
        for batch in _batches(entries):
            changed.update(change.status for change in await self.enter(batch, now))
        return changed

    async def get(self, opt_out_id: str, owner_id: str | None) -> Row:
        """Refusal when there is none, or it is not the owner's (None: whoever's)."""
        row = await self._store.one("opt_out_by_id", id=opt_out_id)
        if row is None or owner_id not in (None, row.customer_id):
            raise Refusal("RESOURCE_NOT_FOUND", f"there is no opt-out {opt_out_id}")
        return row

    async def history(self, opt_out_id: str) -> list[Row]:
        """The newest first."""
        return await self._store.all("history_of_opt_out", opt_out_id=opt_out_id, count=SHOWN)

    async def page(
        self, customer_id: str, status: str, scopes: Sequence[str], address: str, before: str, count: int
    ) -> list[Row]:
        """The newest `count` whose id is smaller than `before`; empty `status`, `scopes` and `address` mean any."""
        if address:
            rows = await self._store.all("opt_outs_at", customer_id=customer_id, address=address, before=before)
            fit = [row for row in rows if status in ("", row.status) and (not scopes or row.scope in scopes)]
            return sorted(fit, key=lambda row: row.id, reverse=True)[:count]
        place = {"customer_id": customer_id, "before": before, "count": count}
        statuses = [status] if status else STATUSES
        if scopes:
            asked = [{**place, "scope": scope, "status": each} for scope, each in product(scopes, statuses)]
            rows = await self._store.many("opt_outs_page_of_scope", asked)
        else:
            rows = await self._store.many("opt_outs_page", [{**place, "status": each} for each in statuses])
        return sorted(rows, key=lambda row: row.id, reverse=True)[:count]

    async def behind(self, customer_id: str, address: str, scope: str, count: int) -> list[Row]:
        """All of a customer's, in the order of address and scope, behind one."""
        return await self._store.all(
            "opt_outs_behind", customer_id=customer_id, address=address, scope=scope, count=count
        )
