"""Outcomes: what became of a handover, told to the ledger. One function per kind, in one table."""

import logging
import random
from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct

from messagehub.carriers.carrier import REASONS, Accepted, Lost, Outcome, Reason, Refused, Unanswered
from messagehub.clock import SECOND
from messagehub.logs import about
from messagehub.messages import receipts, timing
from messagehub.messages.ledger import Ledger
from messagehub.messages.letting import Linking
from messagehub.messages.recorder import REFUSED
from messagehub.messages.rows import kind_of
from messagehub.messages.send import RETRY_AFTER
from messagehub.messages.status import Happening, Status
from messagehub.messages.target import Target
from messagehub.routing import Table
from messagehub.work.schedule import next_attempt

log = logging.getLogger(__name__)

TRIES_HERE = 3
"""How often a carrier with a fault that may pass is tried before the next route is."""

MAX_REPEATS = 1
"""How often a target in doubt is sent once more."""

ACCEPT, HANDED = Happening.ACCEPT, Status.HANDED

BLAMELESS_FOR = 48 * 3600 * SECOND
"""How long a target is spared its tries where the carrier has trouble of its own, from when it was to go."""


class Terms(Struct, frozen=True):
    """By what an outcome is judged: whose it is, until when a receipt is waited for, and where else it could go."""

    carrier_id: str
    receipt_by: int
    table: Table
    linking: Linking


def accepted(ledger: Ledger, target: Target, outcome: Accepted, terms: Terms) -> None:
    if ledger.happen(target, ACCEPT, due_at=terms.receipt_by):
        target.carrier_id = terms.carrier_id  # a late answer, when another carrier was to have it next
        target.names = outcome.names
        target.parts = outcome.parts or target.parts
        named = len(outcome.names)
        if named < target.parts:  # a message_payload: its parts are the message centre's, and have one name in all
            target.receipts = receipts.NOTHING * named + receipts.GOOD * (target.parts - named)


def refused(ledger: Ledger, target: Target, outcome: Refused, terms: Terms) -> None:
    reason = REASONS[outcome.reason]
    words = outcome.words or reason.meaning
    target.steps.append((ledger.now, REFUSED, outcome.reason, words))
    if reason.ours:
        fields = about(carrier_id=target.carrier_id, message_id=target.message_id, error=words)
        log.error("a carrier does not understand us", extra=fields)
    blameless = reason.blameless and ledger.now - timing.start_of(target) < BLAMELESS_FOR
    until = timing.expiry_of(target)
    enough = not reason.retry or (target.attempts >= TRIES_HERE and not blameless)
    other = _next_carrier(target, terms.table) if reason.reroute and enough and ledger.now < until else None
    if other:
        goes_on = ledger.reroute(target, other)
    elif (again := _next_try(ledger, target, reason, blameless)) and again < until:
        goes_on = ledger.happen(target, Happening.POSTPONE, due_at=again)
        target.attempts -= goes_on and blameless
    elif reason.of_media and ledger.now < until and terms.linking.fall_back(ledger, target, terms.table):
        goes_on = True
    else:
        goes_on = False
        ledger.happen(target, Happening.REFUSE, error_code=outcome.error_code or reason.error_code, error_message=words)
    target.possible_duplicate |= goes_on and outcome.partly


def _next_try(ledger: Ledger, target: Target, reason: Reason, blameless: bool) -> int | None:
    if not reason.retry:
        return None
    tries = min(target.attempts, len(RETRY_AFTER)) if blameless else target.attempts
    return next_attempt(RETRY_AFTER, tries, ledger.now, random.random())


def _next_carrier(target: Target, table: Table) -> str | None:
    """The first in the order of routes that has not had the target yet, and can be sent to."""
    tried = {*target.tried.split(), target.carrier_id} | table.down
    routes = table.of(kind_of(target)).choose(target.destination, target.customer_id, random.random)
    return next((route.carrier_id for route in routes if route.carrier_id not in tried), None)


def unanswered(ledger: Ledger, target: Target, _: Unanswered | None = None, __: Terms | None = None) -> None:
    """The bind lives and the carrier does not answer: sent again only where the message itself asks for it."""
    if target.on_doubt == "resend" and _may_repeat(ledger, target):
        _repeat(ledger, target)
    else:
        ledger.happen(target, Happening.NO_ANSWER, error_code="no_answer")


def lost(ledger: Ledger, target: Target, _: Lost | None = None, __: Terms | None = None) -> None:
    """The bind or the process was lost before the answer: as the message, or its customer, wishes."""
    wish = target.on_doubt or ledger.owner(target).on_doubt
    if wish == "resend" and _may_repeat(ledger, target):
        _repeat(ledger, target)
    else:
        ledger.happen(target, Happening.HOLD, error_code="in_doubt")


def _may_repeat(ledger: Ledger, target: Target) -> bool:
    return target.doubts < MAX_REPEATS and ledger.now < timing.expiry_of(target)


def _repeat(ledger: Ledger, target: Target) -> None:
    if ledger.happen(target, Happening.REPEAT, due_at=ledger.now):
        target.doubts += 1
        target.possible_duplicate = 1


TELL: dict[type, Callable[[Ledger, Target, Any, Terms], None]] = {
    Accepted: accepted,
    Refused: refused,
    Unanswered: unanswered,
    Lost: lost,
}


def tell(ledger: Ledger, outcomes: Iterable[Outcome], terms: Terms, holder: str) -> None:
    """Moves their targets, which must have been loaded.

    A node that stalled and wakes late does not conclude what another has handed over meanwhile.
    """
    for outcome in outcomes:
        target = ledger.get(outcome.key)
        if target and not (target.status is HANDED and target.holder != holder):
            target.steps += outcome.steps
            TELL[type(outcome)](ledger, target, outcome, terms)
