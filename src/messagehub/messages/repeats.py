"""Inbound messages that a carrier tells twice, told from people who write the same thing twice.

A carrier that had no answer sends a deliver_sm again, mostly after it has bound anew. So what is equal in addresses
and octets is a repetition where the answer to the first cannot have reached the carrier in time; else it is another
message. Both are answered as taken.

A carrier that gives its messages ids tells the same one again by its id, whenever that is.
"""

from collections.abc import Callable, Sequence

from messagehub.carriers.carrier import Inbound
from messagehub.clock import SECOND
from messagehub.store import Row, Tx

REMEMBERED = 600 * SECOND
"""How long after the first a repetition may come."""

REMEMBERED_BY_NAME = 3 * 24 * 3600 * SECOND
"""Likewise, of messages that have an id of the carrier's. The query `mark_inbound_named` has it, too."""

LATE = 5 * SECOND
"""An answer that left later than this may have been given up by the carrier."""

Heard = Callable[[str, int], bool]
"""Whether an answer given in a session at a moment (microseconds) has reached the peer, as far as this node knows."""


async def sort_out(
    tx: Tx, carrier_id: str, node_id: str, arrivals: Sequence[Inbound], heard: Heard, now: int
) -> tuple[list[Inbound], list[Inbound]]:
    """Those that are new, which are remembered from now on, and those that repeat what was taken before."""
    fresh, repeated = await _by_name(tx, carrier_id, arrivals, now)
    arrivals = [arrival for arrival in arrivals if not arrival.is_named]
    marks = {arrival.fingerprint for arrival in arrivals if arrival.fingerprint}
    keys = [{"carrier_id": carrier_id, "fingerprint": mark, "now": now} for mark in sorted(marks)]
    seen = {bytes(row.fingerprint): row for row in await tx.many("inbound_seen", keys)}
    for arrival in arrivals:
        row = seen.get(arrival.fingerprint)
        again = row is not None and now - row.tm_create < REMEMBERED and _may_repeat(row, node_id, heard)
        (repeated if again else fresh).append(arrival)
    marked = [arrival for arrival in fresh if arrival.fingerprint and not arrival.is_named]
    rows = {arrival.fingerprint: _row(carrier_id, node_id, arrival, now) for arrival in marked}
    await tx.many("keep_inbound_seen", list(rows.values()))
    return fresh, repeated


async def _by_name(
    tx: Tx, carrier_id: str, arrivals: Sequence[Inbound], now: int
) -> tuple[list[Inbound], list[Inbound]]:
    """Those that have an id, new and repeated. Their marks are no node's, since any may be told them again."""
    named = [arrival for arrival in arrivals if arrival.is_named]
    if not named:
        return [], []
    marks = sorted({arrival.fingerprint for arrival in named})  # in the order in which every node locks them
    until = now + REMEMBERED_BY_NAME
    rows = [{"carrier_id": carrier_id, "fingerprint": mark, "tm_create": until} for mark in marks]
    new = {bytes(row.fingerprint) for row in await tx.many("mark_inbound_named", rows)}
    fresh: list[Inbound] = []
    repeated: list[Inbound] = []
    for arrival in named:
        (fresh if arrival.fingerprint in new else repeated).append(arrival)
        new.discard(arrival.fingerprint)
    return fresh, repeated


def _may_repeat(row: Row, node_id: str, heard: Heard) -> bool:
    if row.late:
        return True
    if row.node_id != node_id:
        return not row.node_lives
    return not heard(row.session, row.tm_create)


def _row(carrier_id: str, node_id: str, arrival: Inbound, now: int) -> dict[str, object]:
    return {
        "carrier_id": carrier_id,
        "fingerprint": arrival.fingerprint,
        "node_id": node_id,
        "session": arrival.session,
        "late": int(now - arrival.tm_arrive > LATE),
        "tm_create": now,
    }
