"""Which of the events that wait are told next, where several nodes empty the outbox of one store.

An event waits until those of its message before it were tried, by whichever node. And no event of a message is told
while another, that was not tried yet, is under way somewhere: the clocks of nodes differ, and so does the order of what
they made at the same moment.
"""

from collections.abc import Sequence
from itertools import groupby, takewhile

from messagehub.store import Row, Tx

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
    count, seen, mine, is_full = max(room, LOOKED_AT), list[Row](), list[Row](), True
    asked = {"customer_id": customer_id, "now": now, "count": count}
    for _ in range(TIMES):
        last = {"tm_after": seen[-1].due_at, "after": seen[-1].id} if seen else {"tm_after": 0, "after": ""}
        page = await tx.all("claim_events", **asked, **last)
        is_full = len(page) == count
        seen += page
        mine = await _whose_turn_it_is(tx, seen, now)
        if len(mine) >= room or not is_full:
            break
    return mine[:room], is_full or len(mine) > room


async def _whose_turn_it_is(tx: Tx, rows: Sequence[Row], now: int) -> list[Row]:
    """In the order of their making."""
    of_message = {key: {row.id: row for row in some} for key, some in groupby(sorted(rows, key=_message), key=_message)}
    asked = [
        {"customer_id": customer_id, "message_id": message_id, "now": now, "count": len(some)}
        for (customer_id, message_id), some in of_message.items()
    ]
    under_way = {_message(row) for row in await tx.many("under_way_of_message", asked)}
    untried = sorted(await tx.many("untried_of_message", asked), key=lambda row: (_message(row), row.id))
    firsts = {key: [row.id for row in some] for key, some in groupby(untried, key=_message)}
    mine: list[Row] = []
    for key, some in of_message.items():
        if key not in under_way:
            of_untried = firsts.get(key, [])
            mine += [some[id] for id in takewhile(some.__contains__, of_untried)]
            mine += [row for row in some.values() if row.attempts and not (of_untried and of_untried[0] < row.id)]
    return sorted(mine, key=lambda row: row.id)


def _message(row: Row) -> tuple[str, str]:
    return row.customer_id, row.message_id
