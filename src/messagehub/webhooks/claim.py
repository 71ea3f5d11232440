"""Which of the events that wait are told next, where several nodes empty the outbox of one store.

An event waits until those of its message before it were tried, by whichever node. And no event of a message is told
while another, that was not tried yet, is under way somewhere: the clocks of nodes differ, and so does the order of what
they made at the same moment.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import chain, groupby, takewhile

from messagehub.store import Row, Tx

Message = tuple[str, str]
"""The ids of its customer, and its own."""

Rows = dict[str, Row]
"""By their ids."""

LOOKED_AT = 100
"""Events that are looked at at once, and more where more are wanted."""

TIMES = 30
"""How often at most, where those that were found wait for other nodes."""


async def all_due(tx: Tx, customer_id: str, now: int, room: int) -> tuple[list[Row], bool]:
    """At most `room` events, and whether there may be more, where nobody else has any."""
    rows = await tx.all("claim_events", customer_id=customer_id, now=now, tm_after=0, after="", count=room)
    return rows, len(rows) == room


async def claimable(tx: Tx, customer_id: str, now: int, room: int) -> tuple[list[Row], bool]:
    """At most `room` events, of each message in its order, and whether there may be more."""
    count, is_full, last = max(room, LOOKED_AT), True, {"tm_after": 0, "after": ""}
    seen, mine = defaultdict[Message, Rows](dict), dict[Message, list[Row]]()
    for _ in range(TIMES):
        page = await tx.all("claim_events", customer_id=customer_id, now=now, count=count, **last)
        is_full = len(page) == count
        for row in page:
            seen[_message(row)][row.id] = row
        mine |= await _whose_turn_it_is(tx, {key: seen[key] for key in map(_message, page)}, now, room)
        if sum(map(len, mine.values())) >= room or not is_full:
            break
        last = {"tm_after": page[-1].due_at, "after": page[-1].id}
    found = sorted(chain.from_iterable(mine.values()), key=lambda row: row.id)
    return found[:room], is_full or len(found) > room


async def _whose_turn_it_is(tx: Tx, seen: Mapping[Message, Rows], now: int, room: int) -> dict[Message, list[Row]]:
    """Of each message. What goes before those that were seen is seen as well, if it is due: a lease that has run out
    is due behind what thousands waited for."""
    asked = [
        {"customer_id": customer_id, "message_id": message_id, "now": now, "count": room}
        for customer_id, message_id in seen
    ]
    under_way = {_message(row) for row in await tx.many("under_way_of_message", asked)}
    untried = sorted(await tx.many("untried_of_message", asked), key=lambda row: (_message(row), row.id))
    keys = [
        {"customer_id": row.customer_id, "id": row.id, "now": now}
        for row in untried
        if (key := _message(row)) not in under_way and row.id not in seen[key] and row.id < max(seen[key])
    ][:room]
    for row in await tx.many("claim_untried", keys):
        seen[_message(row)][row.id] = row
    firsts = {key: [row.id for row in some] for key, some in groupby(untried, key=_message)}
    return {key: [] if key in under_way else _in_turn(rows, firsts.get(key, [])) for key, rows in seen.items()}


def _in_turn(rows: Rows, untried: Sequence[str]) -> list[Row]:
    """Those of one message that may be told."""
    firsts = [rows[id] for id in takewhile(rows.__contains__, untried)]
    return firsts + [row for row in rows.values() if row.attempts and not (untried and untried[0] < row.id)]


def _message(row: Row) -> Message:
    return row.customer_id, row.message_id
