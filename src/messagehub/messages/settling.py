"""What an exchange has in its transactions: what came back is concluded, and what is due is claimed."""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from msgspec import Struct, field

from messagehub import clock
from messagehub.accounts.customers import Customers
from messagehub.carriers.carrier import (
    Accepted,
    Carrier,
    Handover,
    Inbound,
    News,
    Outcome,
    Queried,
    Question,
    Receipt,
    Verdict,
)
from messagehub.events import Outbox
from messagehub.messages import inquiries, outcomes, receipts, repeats, send
from messagehub.messages.gate import Gate
from messagehub.messages.habits import WITNESSES, Habits
from messagehub.messages.lanes import LANES, Share
from messagehub.messages.ledger import Ledger
from messagehub.messages.letting import Linking
from messagehub.messages.live import Live
from messagehub.messages.outcomes import Terms
from messagehub.messages.receive import Receiver
from messagehub.messages.recorder import ROUTED, Recorder
from messagehub.messages.send import Claim
from messagehub.messages.status import Happening
from messagehub.messages.target import Target
from messagehub.messages.telling import Told
from messagehub.routing import Routes
from messagehub.smpp.receipt_ids import Rule
from messagehub.store import Tx

LEAST_WAIT = clock.SECOND // 10
"""How long what may not go waits at least, so that it is not asked for again and again."""

ASK_EVERY = clock.SECOND // 2
"""How often it is asked for what a carrier could be asked about, while nothing is found."""

SEGMENTS_PER_QUESTION = 9
"""Where both wait."""

FROM_OUTSIDE = (Receipt, Inbound, Queried)
"""News that are no outcomes of handovers; the peer waits for the answers to the first two."""


class Wanted(NamedTuple):
    """What is to be claimed: so many segments of these lanes, that were due before `until`, in microseconds."""

    room: int
    lanes: Collection[int]
    until: int
    is_last: bool
    """It is the end of a backlog."""


NOTHING = Wanted(0, (), 0, False)


class Counts(Struct):
    """What came from a carrier."""

    receipts: int = 0
    unmatched: int = 0
    """Receipts whose segment was not known when they came."""
    inbound: int = 0
    """Segments of inbound messages."""
    unknown: int = 0
    """Those for a number of nobody's."""

    def add(self, more: "Counts") -> None:
        self.receipts += more.receipts
        self.unmatched += more.unmatched
        self.inbound += more.inbound
        self.unknown += more.unknown


class Turn(Struct):
    """What one transaction settled."""

    claim: Claim = field(default_factory=Claim)
    questions: list[Question] | None = None
    """None: it was not looked for them."""
    kept_free: int = 0
    """Room that was not sent into, for the sake of questions."""
    claimed: bool = False
    """It looked for what is due."""
    lanes: set[int] = field(default_factory=set)
    """In which lanes."""
    postponed: set[int] = field(default_factory=set)
    """The lanes of which some is to be handed over again."""
    verdicts: list[tuple[Any, Verdict]] = field(default_factory=list)
    told: Told = field(default_factory=Told)
    rerouted: set[tuple[str, int]] = field(default_factory=set)
    """Carriers that got a target of this one's, and in which lane."""
    counts: Counts = field(default_factory=Counts)
    parked: bool | None = None
    """Receipts wait in the store for names. None: it was not looked for them."""
    learnt: Rule | None = None
    """What the carrier makes of its ids, where this was found out."""


class Means(Struct, frozen=True):
    """What a node settles with, whatever the carrier."""

    customers: Customers
    routes: Routes
    receiver: Receiver
    outbox: Outbox
    recorder: Recorder
    habits: Habits
    live: Live
    node_id: str
    linking: Linking


class Settling:
    """For one carrier, on one node. What a transaction has settled is done by `conclude` once it is committed."""

    def __init__(self, carrier_id: str, carrier: Carrier, means: Means, gate: Gate) -> None:
        self.carrier_id, self.carrier, self.node_id = carrier_id, carrier, means.node_id
        self.counts = Counts()
        self.share = Share()
        self._customers, self._routes, self.receiver = means.customers, means.routes, means.receiver
        self._outbox, self._recorder, self._habits = means.outbox, means.recorder, means.habits
        self._live, self._linking, self._gate = means.live, means.linking, gate
        self._ask_at = 0
        """When to look for questions; 0: at once, as there may be more of them."""
        self._sent_since = 0
        """Segments since something was asked last."""
        self._parked = True
        """Receipts of this carrier may wait in the store for names."""

    def hand(self, target: Target, now: int) -> Handover:
        """Turns a target that is just being accepted into one that is handed over, in the row to be written."""
        return send.hand(target, self.carrier_id, self.node_id, now, self.carrier.texts)

    def conclude(self, turn: Turn) -> None:
        """After the commit: what was settled reaches the carrier, and becomes known."""
        self.counts.add(turn.counts)
        for ticket, verdict in turn.verdicts:
            self.carrier.answer(ticket, verdict)
        self._live.keep(turn.claim.targets)
        self.carrier.send(turn.claim.handovers)
        if turn.questions is not None:
            self._ask_at = 0 if turn.questions else clock.now() + ASK_EVERY
            self.carrier.ask(turn.questions)
        if turn.claimed:
            sent = 0 if turn.questions is not None else self._sent_since + sum(turn.claim.segments.values())
            self._sent_since = sent
        if turn.parked is not None:
            self._parked = turn.parked
        turn.told.make_known(self._outbox)
        if turn.learnt:
            self._habits.make_known(self.carrier_id, turn.learnt)

    # --- in the transaction -------------------------------------------------------------

    async def settle(self, tx: Tx, news: Sequence[News], wanted: Wanted = NOTHING) -> Turn:
        now = clock.now()
        turn = Turn()
        told = [one for one in news if not isinstance(one, FROM_OUTSIDE)]
        came = [one for one in news if isinstance(one, Receipt)]
        asked = [one for one in news if isinstance(one, Queried)] if self.carrier.asks else []
        if told or came or asked:
            turn.counts.receipts = len(came)
            ledger = await self._settle_outbound(tx, told, came, asked, turn, now)
            turn.told.add(await ledger.write())
            if ledger.opted_out and self._gate.barred:
                turn.told.add(await self._gate.barred.bar(tx, ledger.opted_out, now))
            turn.rerouted |= ledger.rerouted
            taken = Verdict.TAKEN
            turn.verdicts += [(receipt.ticket, taken) for receipt in came]
        if arrivals := [one for one in news if isinstance(one, Inbound)]:
            heard = self.carrier.heard
            fresh, repeated = await repeats.sort_out(tx, self.carrier_id, self.node_id, arrivals, heard, now)
            received = await self.receiver.receive(tx, self.carrier_id, fresh, now)
            turn.told.add(received.told)
            turn.verdicts += received.verdicts + [(one.ticket, Verdict.TAKEN) for one in repeated]
            turn.counts.inbound, turn.counts.unknown = len(arrivals), received.unknown
        if wanted.room > 0:
            turn.claimed, turn.lanes = True, set(wanted.lanes)
            await self._claim(tx, turn, wanted, min(now, wanted.until))
        return turn

    async def _claim(self, tx: Tx, turn: Turn, wanted: Wanted, now: int) -> None:
        """What is due to be sent; and, in the room that is left, and one in ten in any case, to be asked."""
        room, is_last = wanted.room, wanted.is_last
        is_asking = self.carrier.asks and now >= self._ask_at
        turn.kept_free = min(room, self._sent_since // SEGMENTS_PER_QUESTION) if is_asking and not is_last else 0
        alone = self.carrier.takes_long
        owed, texts = {} if is_last else self.share.owed(), self.carrier.texts
        most = room - turn.kept_free
        is_look = len(turn.lanes) == len(LANES)
        lanes = await send.due_lanes(tx, self.carrier_id, now) if is_look else turn.lanes
        turn.claim = await send.claim(
            tx, self.carrier_id, self.node_id, most, now, self._gate, alone, owed, lanes, texts
        )
        if turn.claim.stopped:
            await self._stop(tx, turn, now)
        left = room - sum(turn.claim.segments.values())
        if is_asking and left > 0:
            turn.questions = await inquiries.claim(tx, self._live, self.carrier_id, left, now)

    async def _stop(self, tx: Tx, turn: Turn, now: int) -> None:
        ledger = Ledger(tx, self._customers, self._outbox, self._recorder, self._live, now)
        await ledger.hold(target for target, _ in turn.claim.stopped)
        table = await self._routes.table(tx)
        for target, stop in turn.claim.stopped:
            what, until = Happening.WAIT, stop.until
            if until is None:
                if stop.code == "no_route" and self._linking.fall_back(ledger, target, table):
                    continue
                what = Happening.REFUSE
            elif stop.carrier_id:
                target.carrier_id = stop.carrier_id
                target.steps.append((now, ROUTED, stop.carrier_id))
                turn.rerouted.add((stop.carrier_id, target.lane))
            elif until <= now:
                until = now + LEAST_WAIT
            ledger.happen(target, what, error_code=stop.code, error_message=stop.words, due_at=until)
        turn.rerouted |= ledger.rerouted
        turn.told.add(await ledger.write())

    async def _settle_outbound(
        self,
        tx: Tx,
        told: Sequence[Outcome],
        came: Sequence[Receipt],
        asked: Sequence[Queried],
        turn: Turn,
        now: int,
    ) -> Ledger:
        accepted = [outcome for outcome in told if isinstance(outcome, Accepted)]
        await tx.many("insert_segment", self._segments(accepted))
        habit = await self._habits.of(tx, self.carrier_id)
        parked = await self._unparked(tx, accepted, habit.rule, turn)
        matches, others = await receipts.match(tx, self._live, self.carrier_id, [*parked, *came], habit.rule)
        await receipts.park(tx, self.carrier_id, others, now)
        turn.counts.unmatched = len(others)
        turn.parked = bool(others) or turn.parked
        if habit.is_open and matches:
            witnesses = receipts.witnesses(matches[:WITNESSES])
            turn.learnt = await self._habits.learn(tx, self.carrier_id, witnesses, now)
        ledger = Ledger(tx, self._customers, self._outbox, self._recorder, self._live, now)
        await ledger.load([one.key for one in (*told, *matches, *asked)])
        receipt_by = now + int(self.carrier.dlr_timeout * clock.SECOND)
        terms = Terms(self.carrier_id, receipt_by, await self._routes.table(tx), self._linking)
        outcomes.tell(ledger, told, terms, self.node_id)
        for outcome in told if len(accepted) < len(told) else ():
            if not isinstance(outcome, Accepted) and (target := ledger.get(outcome.key)):
                turn.postponed.add(target.lane)
        receipts.apply(ledger, matches, habit)
        inquiries.apply(ledger, self.carrier_id, asked, habit)
        if self.carrier.asks:
            await inquiries.keep_names(tx, accepted)
        return ledger

    async def _unparked(self, tx: Tx, accepted: Sequence[Accepted], rule: Rule, turn: Turn) -> list[Receipt]:
        """Receipts that came before the names. Where no other node parks any, it is known here that there are none."""
        if not (self._parked or self._outbox.shared):
            return []
        names = list(dict.fromkeys(name for outcome in accepted for name in outcome.names if name))
        if not names:
            return []
        turn.parked = await receipts.any_parked(tx, self.carrier_id)
        return await receipts.unpark_for(tx, self.carrier_id, names, rule) if turn.parked else []

    def _segments(self, accepted: Sequence[Accepted]) -> list[dict[str, Any]]:
        return [
            {
                "carrier_id": self.carrier_id,
                "carrier_message_id": name,
                "message_id": outcome.key[0],
                "n": outcome.key[1],
                "part": part,
                "retry": outcome.retry,
            }
            for outcome in accepted
            for part, name in enumerate(outcome.names)
            if name
        ]
