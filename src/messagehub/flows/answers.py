"""How often a person was answered by flows lately: two machines that answer each other would never end."""

from messagehub.clock import SECOND
from messagehub.store import Store, Tx

COUNTED = 300 * SECOND
"""For how long the answers to one person are counted together; and the silence after which it begins anew."""

DAY = 24 * 3600 * SECOND
IN_A_DAY = 10
"""How many times as many are answered within a day: machines that take their time are told by that."""

PRUNED = 1000


class Answers:
    def __init__(self, most: int) -> None:
        """`most`: answers to one person from one number within COUNTED, IN_A_DAY times that within DAY; 0: no limit."""
        self._most = most

    async def excess(self, tx: Tx, number: str, person: str, now: int) -> int:
        """Counts one more. By how many there are too many then."""
        if not self._most:
            return 0
        pair = {"number": number, "person": person}
        await tx.run("insert_flow_answers", **pair, now=now)
        since = {"since": now - COUNTED, "since_day": now - DAY}
        row = await tx.one("count_flow_answer", **pair, now=now, **since, most=self._most)
        return max(0, row.count - self._most, row.day_count - self._most * IN_A_DAY) if row else 0


async def prune(store: Store, now: int) -> None:
    """Forgets counts that count no more."""
    since, more = now - DAY, True
    while more:
        rows = await store.all("old_flow_answers", since=since, count=PRUNED)
        await store.many("forget_flow_answer", [{**row._asdict(), "since": since} for row in rows])
        more = len(rows) == PRUNED
