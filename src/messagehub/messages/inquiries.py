"""Inquiries: where no receipt has come in time, the carrier is asked what became of it, before it is given up.

What a carrier calls the segments stands on the target while that can still be asked about. Whoever asks takes it away
and moves the target's time, which is its lease: nobody else asks, and if no answer comes the sweeps give it up.
"""

from collections.abc import Iterable, Sequence

import msgspec

from messagehub.carriers.carrier import Accepted, Queried, Question, Receipt
from messagehub.clock import SECOND
from messagehub.messages import receipts
from messagehub.messages.habits import Habit
from messagehub.messages.lanes import LANES
from messagehub.messages.ledger import Ledger
from messagehub.messages.live import Live
from messagehub.messages.receipts import GOOD, Match
from messagehub.messages.status import Happening, Status
from messagehub.store import Row, Tx

ASKED_WITHIN = 60 * SECOND
"""How long a target whose time is over waits for a bind that can ask; then it is given up unasked."""

ANSWERED_WITHIN = 60 * SECOND
"""How long the answer is waited for."""

BY_QUERY = "the carrier's answer to query_sm"
NOTHING_NEW = frozenset({"intermediate", "unknown"})
"""Answers that say no end."""


async def keep_names(tx: Tx, accepted: Sequence[Accepted]) -> None:
    """Of what was accepted by a carrier that can be asked."""
    rows = [{"message_id": one.key[0], "n": one.key[1], "names": _packed(one.names)} for one in accepted]
    await tx.many("keep_names", rows)


def _packed(names: Sequence[str]) -> str | None:
    """A segment without a name cannot be asked about, and the others would not tell of the whole."""
    return msgspec.json.encode(names).decode() if names and all(names) else None


async def claim(tx: Tx, live: Live, carrier_id: str, room: int, now: int) -> list[Question]:
    """Targets whose time is over, up to `room` segments' worth of them; one at least, however many it has."""
    questions: list[Question] = []
    of_lanes = [{"carrier_id": carrier_id, "lane": lane, "now": now, "count": room} for lane in LANES]
    for row in await tx.many("targets_to_ask", of_lanes):
        if room <= 0:
            break
        questions.append(_question(row))
        room -= len(questions[-1].names)
    until = now + ANSWERED_WITHIN
    keys = sorted(question.key for question in questions)
    for key in keys:
        live.take(key)
    await tx.many("ask_target", [{"message_id": message_id, "n": n, "due_at": until} for message_id, n in keys])
    return questions


def _question(row: Row) -> Question:
    """About the segments that no good receipt has told of."""
    names: list[str] = msgspec.json.decode(row.names)
    known = row.receipts.ljust(len(names))
    wanted = [(part, name) for part, name in enumerate(names) if known[part] != GOOD]
    return Question((row.message_id, row.n), row.source, wanted, row.retries)


def apply(ledger: Ledger, carrier_id: str, answers: Iterable[Queried], habit: Habit) -> None:
    """Moves the targets, which must have been loaded. What has come to no end is given up."""
    for answer in answers:
        target = ledger.get(answer.key)
        if target is None:
            continue
        target.steps += answer.steps
        if answer.retry != target.retries:  # a receipt was quicker, and it has been sent again since
            continue
        for part, state, words in answer.states:
            if state not in NOTHING_NEW:
                said = Receipt("", state, words, target.destination)
                match = Match(said, carrier_id, answer.key, part, answer.retry, BY_QUERY)
                receipts.conclude(ledger, target, match, habit, Happening.ANSWER_GOOD, Happening.ANSWER_BAD)
        if target.status is Status.SENT and target.carrier_id == carrier_id and not answer.is_lost:
            ledger.happen(target, Happening.NO_RECEIPT, error_code="no_receipt")
