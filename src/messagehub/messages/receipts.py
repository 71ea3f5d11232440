"""Receipts: what a carrier tells later of a segment, matched to its target.

A receipt that matches nothing has mostly overtaken the response that names its segment. It is parked on disk, and is
matched by whoever stores that name, or by the sweeps; after the last of them it stays for some days, to be looked at.
"""

import random
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from messagehub import ids
from messagehub.carriers.carrier import Receipt, TargetKey
from messagehub.carriers.failures import FAILURES
from messagehub.carriers.masking import masked
from messagehub.carriers.wire import NOWHERE, Sight
from messagehub.clock import NEVER, SECOND
from messagehub.messages import timing
from messagehub.messages.habits import AS_IS, Habit, Witness
from messagehub.messages.ledger import Ledger
from messagehub.messages.live import Live
from messagehub.messages.reading import LAST_ID
from messagehub.messages.recorder import RECEIPT
from messagehub.messages.status import Happening, Status
from messagehub.messages.target import Target
from messagehub.smpp.receipt_ids import RULES, SAME, Rule
from messagehub.store import Row, Tx
from messagehub.work.schedule import next_attempt

SWEEPS = (1, 5, 30, 120)
"""Seconds after its coming at which a parked receipt is tried again."""

KEPT = 3 * 24 * 3600 * SECOND
"""How long a parked receipt is kept after that."""

NOTHING, GOOD, BAD = ".", "d", "x"
"""What is known of each part of a target with several, as a letter of `receipts`."""


NO_HABIT = Habit()

BY_BOTH = "the carrier's id of the segment, and its destination"
BY_NAME = "the carrier's id of the segment; the newest of that id, as none has this destination"
SPELLED = "{}; it stood as {} in the response: {}"
"""How a receipt was matched whose id the carrier wrote otherwise, and by which rule."""

SHORTEST = 7
"""Digits by whose end a number is known again."""

EXAMINED = 30
"""Parked receipts, the newest of a carrier, that are asked what it makes of ids."""


class Match(msgspec.Struct):
    """A receipt and the segment that it is about."""

    receipt: Receipt
    carrier_id: str
    key: TargetKey
    part: int
    retry: int
    """Of which of the target's tries it is: those after a receipt are counted."""
    rule: str
    """By what it was found, in words."""


class Parked(Struct):
    """A receipt that waits in the store."""

    id: str
    receipt: Receipt
    sweeps: int
    tm_create: int


# --- matching ---------------------------------------------------------------------------


Known = dict[str, list[Row]]
"""Segments by the ids of receipts."""


async def match(
    tx: Tx, live: Live, carrier_id: str, receipts: Sequence[Receipt], rule: Rule = AS_IS
) -> tuple[list[Match], list[Receipt]]:
    """The receipts whose segment is known, and the others. `rule` is what the carrier makes of ids.

    Matches of one segment stay in their order.
    """
    found = [_here(live, carrier_id, receipt, rule) for receipt in receipts]
    matches = [here for here in found if here]
    if len(matches) == len(receipts):
        return matches, []
    matches, others = [], []
    elsewhere = [receipt for receipt, here in zip(receipts, found, strict=True) if not here]
    known = await _known(tx, carrier_id, elsewhere, rule)
    for receipt, here in zip(receipts, found, strict=True):
        if here:
            matches.append(here)
        elif picked := _pick(receipt, carrier_id, known.get(receipt.name, []), rule):
            matches.append(picked)
        else:
            others.append(receipt)
    return matches, others


def _here(live: Live, carrier_id: str, receipt: Receipt, rule: Rule) -> Match | None:
    for name in (receipt.name,) if rule is AS_IS else rule.responses(receipt.name):
        if (segment := live.find(carrier_id, name)) and segment[3] == receipt.destination:
            words = BY_BOTH if name == receipt.name else SPELLED.format(BY_BOTH, name, rule.name)
            return Match(receipt, carrier_id, *segment[:3], words)
    return None


async def _known(tx: Tx, carrier_id: str, receipts: Sequence[Receipt], rule: Rule) -> Known:
    names = {receipt.name for receipt in receipts}
    if rule is AS_IS:
        return await _as_they_are(tx, carrier_id, names)
    if rule.family == SAME:
        known = await _as_they_are(tx, carrier_id, names)
        return known | await _spelled(tx, carrier_id, names - known.keys(), rule)
    known = await _spelled(tx, carrier_id, names, rule)  # as 10 is mostly another's 16
    rest = [receipt for receipt in receipts if receipt.name not in known]
    return known | await _to_their_destination(tx, carrier_id, rest)


async def _as_they_are(tx: Tx, carrier_id: str, names: Iterable[str]) -> Known:
    known: Known = {}
    wanted = [{"carrier_id": carrier_id, "carrier_message_id": name} for name in names]
    for row in await tx.many("segments_by_name", wanted):
        known.setdefault(row.carrier_message_id, []).append(row)
    return known


async def _spelled(tx: Tx, carrier_id: str, names: Iterable[str], rule: Rule) -> Known:
    spellings = {name: rule.responses(name) for name in names}
    segments = await _as_they_are(tx, carrier_id, {each for spelled in spellings.values() for each in spelled})
    found = {name: [row for each in spelled for row in segments.get(each, ())] for name, spelled in spellings.items()}
    return {name: rows for name, rows in found.items() if rows}


async def _to_their_destination(tx: Tx, carrier_id: str, receipts: Sequence[Receipt]) -> Known:
    """Receipts that have both the id and the destination of a segment."""
    segments = await _as_they_are(tx, carrier_id, {receipt.name for receipt in receipts})
    ends = {(receipt.name, receipt.destination) for receipt in receipts}
    found = {name: [row for row in rows if (name, row.destination) in ends] for name, rows in segments.items()}
    return {name: rows for name, rows in found.items() if rows}


def _pick(receipt: Receipt, carrier_id: str, rows: list[Row], rule: Rule) -> Match | None:
    """Names come again after a while: the one with the receipt's destination, else the newest.

    What only looks like a receipt has to come from its destination: else anybody with a handset could say what became
    of the messages of others.
    """
    if receipt.is_by_shape:
        rows = [row for row in rows if _are_alike(row.destination, receipt.destination)]
    if not rows:
        return None
    newest_first = sorted(rows, key=lambda row: row.message_id, reverse=True)
    same = (row for row in newest_first if row.destination == receipt.destination)
    row = next(same, None)
    words = BY_BOTH if row else BY_NAME
    row = row or newest_first[0]
    if row.carrier_message_id != receipt.name:
        words = SPELLED.format(words, row.carrier_message_id, rule.name)
    return Match(receipt, carrier_id, (row.message_id, row.n), row.part, row.retry, words)


def _are_alike(one: str, other: str) -> bool:
    """Whether two ways to write a number may mean the same, one of them without its country code."""
    shorter, longer = sorted((each.lstrip("+0") for each in (one, other)), key=len)
    return len(shorter) >= SHORTEST and longer.endswith(shorter)


# --- learning ---------------------------------------------------------------------------


def witnesses(matches: Iterable[Match]) -> list[Witness]:
    """Receipts that were matched with certainty by their ids as they are."""
    return [Witness(found.receipt.name, found.receipt.name) for found in matches if found.rule == BY_BOTH]


async def witnesses_among_parked(tx: Tx, carrier_id: str) -> list[Witness]:
    """Receipts that nobody knows, and for which a rule finds one segment, which has their destination, too."""
    rows = await tx.all("parked_page", carrier_id=carrier_id, before=LAST_ID, after="", count=EXAMINED)
    parked = [_unpacked(row) for row in rows]
    spellings = {
        receipt.name: {each for rule in RULES.values() for each in rule.responses(receipt.name)} for receipt in parked
    }
    segments = await _as_they_are(tx, carrier_id, {each for spelled in spellings.values() for each in spelled})
    found = []
    for name, destination in {(receipt.name, receipt.destination) for receipt in parked}:
        known = [row for each in spellings[name] for row in segments.get(each, ()) if row.destination == destination]
        if len({(row.message_id, row.n) for row in known}) == 1:
            found.append(Witness(known[0].carrier_message_id, name))
    return found


# --- applying ---------------------------------------------------------------------------


def apply(ledger: Ledger, matches: Iterable[Match], habit: Habit = NO_HABIT) -> None:
    """Moves the targets, which must have been loaded."""
    well, ill = Happening.RECEIPT_GOOD, Happening.RECEIPT_BAD
    for found in matches:
        target = ledger.get(found.key)
        if target:
            target.steps.append((ledger.now, RECEIPT, found))
            if found.receipt.state != "intermediate":
                conclude(ledger, target, found, habit, well, ill)


def conclude(ledger: Ledger, target: Target, found: Match, habit: Habit, well: Happening, ill: Happening) -> None:
    """What a final state of one part means to the whole target."""
    good = found.receipt.state == "delivered"
    if found.carrier_id != target.carrier_id or found.retry != target.retries:
        _apply_to_former(ledger, target, good)
        return
    if target.parts > 1:
        target.receipts = _marked(target, found.part, GOOD if good else BAD)
        ledger.touch(target)
        if good and set(target.receipts) != {GOOD}:
            return
    if good:
        ledger.happen(target, well)
    elif not _retry(ledger, target, found.receipt.state, habit):
        words = found.receipt.words
        ledger.happen(target, ill, error_code=found.receipt.state, error_message=words)


def _apply_to_former(ledger: Ledger, target: Target, good: bool) -> None:
    """Of a try before the last one only a whole delivery counts; and what is under way since may come as well."""
    is_under_way = target.status in (Status.HANDED, Status.SENT)
    if good and target.parts == 1 and ledger.happen(target, Happening.RECEIPT_GOOD):
        target.possible_duplicate |= is_under_way


def _retry(ledger: Ledger, target: Target, code: str, habit: Habit) -> bool:
    """Sends it again later, where the carrier's config wants that, the cause may pass, and no part was delivered."""
    if not habit.retry_after or not FAILURES[code].is_temporary or GOOD in target.receipts:
        return False
    if ledger.now >= min(target.tm_delete, ledger.owner(target).tm_delete):
        return False
    due_at = next_attempt(habit.retry_after, target.retries + 1, ledger.now, random.random())
    if due_at is None or due_at > min(timing.start_of(target) + habit.validity, timing.expiry_of(target)):
        return False
    if not ledger.happen(target, Happening.RETRY, due_at=due_at):
        return False
    target.retries, target.attempts, target.receipts = target.retries + 1, 0, ""
    target.possible_duplicate |= target.parts > 1  # the carrier may yet deliver the other parts
    return True


def _marked(target: Target, part: int, letter: str) -> str:
    letters = list(target.receipts.ljust(target.parts, NOTHING))
    if part < len(letters) and letters[part] != GOOD:  # delivered is delivered for ever
        letters[part] = letter
    return "".join(letters)


# --- parking ----------------------------------------------------------------------------


async def park(tx: Tx, carrier_id: str, receipts: Sequence[Receipt], now: int) -> None:
    rows = [
        {
            "id": ids.new(),
            "carrier_id": carrier_id,
            "carrier_message_id": receipt.name,
            "body": _packed(receipt),
            "due_at": now + SWEEPS[0] * SECOND,
            "tm_create": now,
        }
        for receipt in receipts
    ]
    await tx.many("park_receipt", rows)


async def any_parked(tx: Tx, carrier_id: str) -> bool:
    """Whether a receipt of the carrier's waits for a name."""
    return await tx.one("parked_any", carrier_id=carrier_id) is not None


async def unpark_for(tx: Tx, carrier_id: str, names: Sequence[str], rule: Rule = AS_IS) -> list[Receipt]:
    """Takes out the parked receipts that wait for one of `names`, in the order of their coming."""
    if rule is not AS_IS:
        names = list({each for name in names for each in rule.receipts(name)})
    wanted = [{"carrier_id": carrier_id, "carrier_message_id": name} for name in names]
    rows = sorted(await tx.many("parked_by_name", wanted), key=lambda row: row.id)
    await tx.many("unpark", [{"id": row.id} for row in rows])
    return [_unpacked(row) for row in rows]


async def due(tx: Tx, now: int, count: int) -> dict[str, list[Parked]]:
    """The parked receipts whose next sweep is due, by carrier."""
    found: dict[str, list[Parked]] = {}
    for row in await tx.all("parked_due", now=now, count=count):
        found.setdefault(row.carrier_id, []).append(Parked(row.id, _unpacked(row), row.sweeps, row.tm_create))
    return found


async def swept(tx: Tx, matched: Sequence[Parked], others: Sequence[Parked]) -> None:
    await tx.many("unpark", [{"id": parked.id} for parked in matched])
    await tx.many("park_longer", [_next_sweep(parked) for parked in others])


def _next_sweep(parked: Parked) -> dict[str, object]:
    sweeps = parked.sweeps + 1
    due_at = parked.tm_create + SWEEPS[sweeps] * SECOND if sweeps < len(SWEEPS) else None
    return {"id": parked.id, "sweeps": sweeps, "due_at": due_at}


def _packed(receipt: Receipt) -> str:
    """Of its PDU no text is kept: nobody knows yet whose it is."""
    said: list[Any] = [receipt.name, receipt.state, receipt.words, receipt.destination]
    if receipt.sight or receipt.is_by_shape:
        came, link, octets = receipt.sight or (0, NOWHERE, b"")
        said.append((came, link, masked(octets)))
    if receipt.is_by_shape:
        said.append(True)
    return msgspec.json.encode(said).decode()


def _unpacked(row: Row) -> Receipt:
    """Also one that was parked before PDUs were kept with them."""
    name, state, words, destination, *more = msgspec.json.decode(row.body)
    seen = msgspec.convert(more[0], Sight) if more else (row.tm_create, NOWHERE, b"")
    return Receipt(name, state, words, destination, sight=seen, is_by_shape=len(more) > 1, is_parked=True)


class Unmatched(Struct, frozen=True):
    """A receipt that belongs to nothing that we know of, at least not yet."""

    id: str
    receipt: Receipt
    is_given_up: bool
    tm_create: int


class Wanted(Struct, frozen=True, kw_only=True):
    """Which of a carrier's parked receipts are asked for. An empty name is any; times are microseconds."""

    carrier_id: str
    name: str = ""
    since: int = 0
    until: int = NEVER


async def unmatched(tx: Tx, wanted: Wanted, before: str, count: int) -> list[Unmatched]:
    """The newest `count` whose id is smaller than `before`."""
    query = "parked_page_by_name" if wanted.name else "parked_page"
    rows = await tx.all(
        query,
        carrier_id=wanted.carrier_id,
        before=min(before, ids.first_of(wanted.until)) if wanted.until < NEVER else before,
        after=ids.first_of(wanted.since),
        count=count,
        **({"carrier_message_id": wanted.name} if wanted.name else {}),
    )
    return [Unmatched(row.id, _unpacked(row), row.due_at is None, row.tm_create) for row in rows]


# --- those that never come --------------------------------------------------------------


def give_up(ledger: Ledger, target: Target) -> None:
    """The time in which a receipt was expected is over."""
    if target.status is Status.SENT and (target.due_at or 0) <= ledger.now:
        ledger.happen(target, Happening.NO_RECEIPT, error_code="no_receipt")
