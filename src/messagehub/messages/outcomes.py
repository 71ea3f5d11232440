"""Outcomes: what became of a handover, told to the ledger. One function per kind, in one table."""

import logging
import random
from collections.abc import Callable
from typing import Any

from messagehub.carriers.carrier import REASONS, Accepted, Lost, Refused, Unanswered
from messagehub.clock import SECOND
from messagehub.messages.ledger import Ledger, Target
from messagehub.messages.send import RETRY_AFTER
from messagehub.messages.status import Happening, Status
from messagehub.work.schedule import next_attempt

log = logging.getLogger(__name__)

MAX_REPEATS = 1
"""How often a target in doubt is sent once more."""

BLAMELESS_FOR = 48 * 3600 * SECOND
"""How long after its making a target is spared its tries where the carrier has trouble of its own."""

Outcome = Accepted | Refused | Unanswered | Lost


def accepted(ledger: Ledger, target: Target, _: Accepted, dlr_timeout: float) -> None:
    ledger.happen(target, Happening.ACCEPT, due_at=ledger.now + int(dlr_timeout * SECOND))


def refused(ledger: Ledger, target: Target, outcome: Refused, _: float) -> None:
    reason = REASONS[outcome.reason]
    blameless = reason.blameless and ledger.now - target.tm_create < BLAMELESS_FOR
    tries = min(target.attempts, len(RETRY_AFTER)) if blameless else target.attempts
    again = next_attempt(RETRY_AFTER, tries, ledger.now, random.random()) if reason.retry else None
    code, words = reason.error_code, outcome.words or reason.meaning
    if reason.ours:
        log.error("carrier %s does not understand us: %s", target.carrier_id, words)
    if again:
        if ledger.happen(target, Happening.POSTPONE, due_at=again):
            target.possible_duplicate |= outcome.partly
            target.attempts -= blameless
    else:
        ledger.happen(target, Happening.REFUSE, error_code=code, error_message=words)


def unanswered(ledger: Ledger, target: Target, _: Unanswered | None = None, __: float = 0) -> None:
    """The bind lives and the carrier does not answer: sent again only where the message itself asks for it."""
    if target.on_doubt == "resend" and target.doubts < MAX_REPEATS:
        _repeat(ledger, target)
    else:
        ledger.happen(target, Happening.NO_ANSWER, error_code="no_answer")


def lost(ledger: Ledger, target: Target, _: Lost | None = None, __: float = 0) -> None:
    """The bind or the process was lost before the answer: as the message, or its customer, wishes."""
    wish = target.on_doubt or ledger.owner(target).on_doubt
    if wish == "resend" and target.doubts < MAX_REPEATS:
        _repeat(ledger, target)
    else:
        ledger.happen(target, Happening.HOLD, error_code="in_doubt")


def _repeat(ledger: Ledger, target: Target) -> None:
    if ledger.happen(target, Happening.REPEAT, due_at=ledger.now):
        target.doubts += 1
        target.possible_duplicate = 1


TELL: dict[type, Callable[[Ledger, Target, Any, float], None]] = {
    Accepted: accepted,
    Refused: refused,
    Unanswered: unanswered,
    Lost: lost,
}


def tell(ledger: Ledger, outcome: Outcome, dlr_timeout: float, holder: str) -> None:
    """Moves the outcome's target, which must have been loaded.

    A node that stalled and wakes late does not conclude what another has handed over meanwhile.
    """
    target = ledger.get(outcome.key)
    if target and not (target.status is Status.HANDED and target.holder != holder):
        TELL[type(outcome)](ledger, target, outcome, dlr_timeout)
