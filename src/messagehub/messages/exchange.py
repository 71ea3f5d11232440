"""The exchange with one carrier: what came back is concluded, and what is due is handed over, in one commit.

Under load the news of one turn grows while the commit of the turn before is on its way, so there are as few commits
as there can be. Nothing is sent, and nothing is answered, before the commit that says so.
"""

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

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
    TargetKey,
    Verdict,
)
from messagehub.errors import Unavailable
from messagehub.events import Outbox
from messagehub.logs import about
from messagehub.messages import inquiries, outcomes, receipts, repeats, send
from messagehub.messages.entering import Entering
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
from messagehub.messages.target import Target, due_topic
from messagehub.messages.telling import Told
from messagehub.routing import Routes
from messagehub.smpp.receipt_ids import Rule
from messagehub.store import Store, Tx
from messagehub.work.loop import Loop

log = logging.getLogger(__name__)

POLL_S = 0.5
"""How often the store is asked for what is due, besides when it is said that something is."""

LEAST_WAIT = clock.SECOND // 10
"""How long what may not go waits at least, so that it is not asked for again and again."""
SOON_S = 0.02
"""What is due one after the other in less time than this is looked for together."""

ASK_EVERY = int(POLL_S * clock.SECOND)
"""How often it is asked for what a carrier could be asked about, while nothing is found."""

SEGMENTS_PER_QUESTION = 9
"""Where both wait."""

LOOK, LAST = 4, 2
"""One in so many places is for a look for what is due while nothing is known to wait, and for the last claim of what
waits: what is accepted meanwhile needs room."""

FROM_OUTSIDE = (Receipt, Inbound, Queried)
"""News that are no outcomes of handovers; the peer waits for the answers to the first two."""


@dataclass(slots=True)
class Counts:
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


@dataclass(slots=True)
class Turn:
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


class Exchange:
    def __init__(
        self,
        carrier_id: str,
        carrier: Carrier,
        store: Store,
        customers: Customers,
        routes: Routes,
        receiver: Receiver,
        outbox: Outbox,
        recorder: Recorder,
        habits: Habits,
        live: Live,
        node_id: str,
        gate: Gate,
        linking: Linking,
    ) -> None:
        self.carrier_id, self.carrier = carrier_id, carrier
        self.counts = Counts()
        self._store, self._customers, self._routes, self._receiver = store, customers, routes, receiver
        self._outbox, self._recorder, self._habits = outbox, recorder, habits
        self._live, self._node_id, self._gate, self._linking = live, node_id, gate, linking
        self._kept: list[News] = []
        self._share = Share()
        self._ask_at = 0
        """When to look for questions; 0: at once, as there may be more of them."""
        self._sent_since = 0
        """Segments since something was asked last."""
        self._parked = True
        """Receipts of this carrier may wait in the store for names."""
        self._draining = False
        self._due = set(LANES)
        """The lanes in which something may be due in the store that was not looked for yet."""
        self._looked = -math.inf
        """When it was last looked into all of them."""
        self._backlog = set(LANES)
        """Those in which more may be due than there was room for: what is accepted now and no more urgent waits."""
        self._is_nearly_through = False
        """The last claim has left nothing of the backlog but what came during it."""
        self.entering = Entering()
        self._unseen = 0
        """Segments that the last claim may not have found, as they came during it or later."""
        self._behind: list[Handover] | None = None
        """What was handed over when it was accepted, and follows what the last claim of a backlog finds."""
        self._behind_at, self._behind_lane = clock.NEVER, 0
        """What became due later is not of that backlog; and the most urgent lane of it."""
        self._reserved = 0
        """Segments for which room is kept, while the commit that hands them over is on its way."""
        self._unreserved = asyncio.Event()
        self._waking: asyncio.TimerHandle | None = None
        self._turning = asyncio.Lock()
        self._loop = Loop(f"exchange with {carrier_id}", self._turns, POLL_S)
        self._deaf = [store.listen(due_topic(carrier_id, lane), partial(self._look, lane)) for lane in LANES]

    def open(self, slots: Collection[int] | None = None) -> None:
        """With all binds of the carrier, or with those at `slots`."""
        self.carrier.open(self._loop.ring, slots)
        self._loop.start()

    async def close(self, drain_s: float) -> None:
        """Waits for what is in flight, writes down what became of it, and parts."""
        for stop in self._deaf:
            stop()
        async with self._turning:  # a turn under way may still hand over
            self._draining = True
        await self._let_hand(drain_s)
        await self.carrier.drain(drain_s)
        await self._loop.stop()
        await self.carrier.close()
        await self._turns()
        await self._store.run("forget_inbound_seen_here", node_id=self._node_id, carrier_id=self.carrier_id)

    def knows(self, key: TargetKey) -> bool:
        """Whether the target is on its way, or what became of it is still to be written down."""
        kept = (one.key for one in self._kept if not isinstance(one, FROM_OUTSIDE))
        return self._turning.locked() or self.carrier.holds(key) or key in kept

    # --- handing over what is just being accepted -----------------------------------------

    def reserve(self, segments: int, lane: int) -> bool:
        """Keeps room for a target that is not stored yet. False where it has to wait its turn: it is `entering` then.

        It does not wait for what is less urgent, which is owed its share then.
        """
        waits = bool(self._backlog) and max(self._backlog) >= lane
        if waits or self._draining or self.carrier.room() - self._reserved < segments:
            self._backlog.add(lane)
            self.entering.add(segments, lane)
            self._unseen += segments
            return False
        self._reserved += segments
        if self._backlog:
            self._share.settle({lane: segments}, self._backlog)
        return True

    def hand(self, target: Target, now: int) -> Handover:
        """Turns a target for which room was kept into one that is handed over, in the row to be written."""
        return send.hand(target, self.carrier_id, self._node_id, now, self.carrier.texts)

    def send(self, handovers: Sequence[Handover]) -> None:
        """After the commit that hands them over."""
        if self._behind is not None:
            behind = [one for one in handovers if one.lane <= self._behind_lane]
            handovers = [one for one in handovers if one.lane > self._behind_lane]
            self._behind += behind
            self._reserved += _segments(behind)
        if handovers:
            self.carrier.send(handovers)

    def release(self, segments: int) -> None:
        self._reserved -= segments
        if not self._reserved:
            self._unreserved.set()

    async def _let_hand(self, seconds: float) -> None:
        """What is being committed as handed over is to reach the carrier yet."""
        self._unreserved.clear()
        if self._reserved:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._unreserved.wait()

    # --- turns ----------------------------------------------------------------------------

    def _look(self, lane: int) -> None:
        self._due.add(lane)
        self._loop.ring()

    def _look_at(self, due_at: int) -> None:
        """Where it is due before the store would be asked in any case."""
        if self._waking:
            self._waking.cancel()
            self._waking = None
        if (wait := max(SOON_S, (due_at - clock.now()) / clock.SECOND)) < POLL_S:
            self._waking = asyncio.get_running_loop().call_later(wait, self._look_everywhere)

    def _look_everywhere(self) -> None:
        self._looked = -math.inf
        self._loop.ring()

    async def _turns(self) -> None:
        """Turns until one finds that nothing more can be done now."""
        async with self._turning:
            await self._turn_while_useful()

    async def _turn_while_useful(self) -> None:
        while True:
            news, (room, lanes, parts) = self._take_news(), self._room()
            if not news and room <= 0:
                return
            self._reserved += room
            try:
                turn = await (self._last_turn if parts == LAST else self._turn)(news, room, lanes)
            finally:
                self.release(room)
            claim = turn.claim
            goes_on = claim.handovers or claim.stopped or (claim.more and parts > 1)
            if not (news or goes_on or turn.questions or turn.kept_free):
                return

    def _room(self) -> tuple[int, set[int], int]:
        """How much may be claimed, and of which lanes: of those in which something may be due; now and then of all.

        And that this is one in so many of the free places: LOOK, LAST or 1.
        """
        now = time.monotonic()
        is_look = now - self._looked >= POLL_S
        if self._draining or not (self._due or is_look):
            return 0, set(), 1
        if (room := self.carrier.room() - self._reserved) <= 0:
            return 0, set(), 1
        if is_look:
            self._looked = now
        lanes, self._due = set(LANES) if is_look else self._due, set()
        parts = 1 if self._backlog else LOOK
        if self._is_nearly_through and self._backlog <= lanes and self._unseen < math.ceil(room / LAST):
            parts = LAST
        return math.ceil(room / parts), lanes, parts

    def _take_news(self) -> list[News]:
        news, self._kept = self._kept + self.carrier.news(), []
        return news

    async def _turn(self, news: list[News], room: int, lanes: set[int]) -> Turn:
        if room > 0 and self._behind is None:
            self._is_nearly_through, self._unseen = False, sum(self.entering.lanes.values())
        try:
            turn = await self._store.transaction(partial(self._settle, news=news, room=room, lanes=lanes))
        except Unavailable:
            self._due |= lanes
            self._put_off(news)
            raise
        except asyncio.CancelledError:
            self._kept += news
            raise
        except Exception:
            self._due |= lanes
            if not news:
                raise
            log.exception("a turn failed; its news are tried one by one")
            await self._one_by_one(news)
            return Turn()
        self._conclude(turn)
        return turn

    async def _last_turn(self, news: list[News], room: int, lanes: set[int]) -> Turn:
        """Claims the end of the backlog, and nothing more has to wait behind it.

        Under load something comes during each claim, so that there would always be something left. What comes now is
        handed over when it is accepted, but leaves after what is being claimed. Only where that claim fails, or where
        others (what was put off, or scheduled) take its room, some leaves before what is left of it.
        """
        self._kept = news
        backlog, self._backlog = self._backlog, set()
        entering, self.entering = self.entering, Entering()
        self._is_nearly_through, self._unseen = False, 0
        self._behind, self._behind_at, self._behind_lane = [], clock.now(), max(backlog)
        turn = Turn()
        try:
            if late := await entering.end(self.entering):
                self._unseen += late
                self._backlog |= self.entering.lanes.keys()
            news[:] = self._take_news()
            turn = await self._turn(news, room, lanes)
        finally:
            if not turn.claimed:
                self._backlog |= backlog
            behind, self._behind, self._behind_at = self._behind, None, clock.NEVER
            self.release(_segments(behind))
            self.carrier.send(behind)
        return turn

    async def _one_by_one(self, news: list[News]) -> None:
        """One piece of news that cannot be stored does not keep back the others that came with it."""
        for n, one in enumerate(news):
            try:
                turn = await self._store.transaction(partial(self._settle, news=[one], room=0))
            except Unavailable:
                self._put_off(news[n:])
                raise
            except Exception:
                log.exception("news is set aside, since it cannot be stored", extra=about(news=type(one).__name__))
                self._set_aside(one)
            else:
                self._conclude(turn)

    def _conclude(self, turn: Turn) -> None:
        self.counts.add(turn.counts)
        for ticket, verdict in turn.verdicts:
            self.carrier.answer(ticket, verdict)
        self._live.keep(turn.claim.targets)
        self.carrier.send(turn.claim.handovers)
        if turn.questions is not None:
            self._ask_at = 0 if turn.questions else clock.now() + ASK_EVERY
            self.carrier.ask(turn.questions)
        if turn.claimed:
            found = turn.lanes - turn.claim.more
            self._backlog -= found - self._due - self.entering.lanes.keys()
            self._backlog |= turn.claim.more
            self._is_nearly_through = bool(self._backlog) and self._backlog <= found
            self._share.settle(turn.claim.segments, self._backlog)
            sent = 0 if turn.questions is not None else self._sent_since + sum(turn.claim.segments.values())
            self._sent_since = sent
        if turn.parked is not None:
            self._parked = turn.parked
        self._due |= turn.claim.more | turn.postponed
        if turn.questions:
            self._looked = -math.inf
        if turn.claim.next_due:
            self._look_at(turn.claim.next_due)
        for carrier_id, lane in turn.rerouted:
            self._store.notify(due_topic(carrier_id, lane))
        turn.told.make_known(self._outbox)
        if turn.learnt:
            self._habits.make_known(self.carrier_id, turn.learnt)

    def _put_off(self, news: list[News]) -> None:
        """The store cannot write: the carrier may tell again what it told; what became of handovers is kept."""
        for one in news:
            if isinstance(one, Receipt | Inbound):
                self.carrier.answer(one.ticket, Verdict.LATER)
            else:
                self._kept.append(one)

    def _set_aside(self, one: News) -> None:
        if isinstance(one, Receipt | Inbound):
            self.carrier.answer(one.ticket, Verdict.BROKEN)

    # --- in the transaction -------------------------------------------------------------

    async def _settle(self, tx: Tx, news: Sequence[News], room: int, lanes: Collection[int] = ()) -> Turn:
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
            fresh, repeated = await repeats.sort_out(tx, self.carrier_id, self._node_id, arrivals, heard, now)
            received = await self._receiver.receive(tx, self.carrier_id, fresh, now)
            turn.told.add(received.told)
            turn.verdicts += received.verdicts + [(one.ticket, Verdict.TAKEN) for one in repeated]
            turn.counts.inbound, turn.counts.unknown = len(arrivals), received.unknown
        if room > 0:
            turn.claimed, turn.lanes = True, set(lanes)
            await self._claim(tx, turn, room, min(now, self._behind_at))
        return turn

    async def _claim(self, tx: Tx, turn: Turn, room: int, now: int) -> None:
        """What is due to be sent; and, in the room that is left, and one in ten in any case, to be asked."""
        is_last = self._behind is not None
        is_asking = self.carrier.asks and now >= self._ask_at
        turn.kept_free = min(room, self._sent_since // SEGMENTS_PER_QUESTION) if is_asking and not is_last else 0
        alone = self.carrier.idle
        owed, texts = {} if is_last else self._share.owed(), self.carrier.texts
        most = room - turn.kept_free
        is_look = len(turn.lanes) == len(LANES)
        lanes = await send.due_lanes(tx, self.carrier_id, now) if is_look else turn.lanes
        turn.claim = await send.claim(
            tx, self.carrier_id, self._node_id, most, now, self._gate, alone, owed, lanes, texts
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
        outcomes.tell(ledger, told, terms, self._node_id)
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
        names = [name for outcome in accepted for name in outcome.names]
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


def _segments(handovers: Sequence[Handover]) -> int:
    return sum(len(handover.segments) or 1 for handover in handovers)
