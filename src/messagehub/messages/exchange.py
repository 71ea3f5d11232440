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
from functools import partial

from messagehub import clock
from messagehub.carriers.carrier import (
    Handover,
    Inbound,
    News,
    Receipt,
    TargetKey,
    Verdict,
)
from messagehub.errors import Unavailable
from messagehub.logs import about
from messagehub.messages.entering import Entering
from messagehub.messages.lanes import LANES
from messagehub.messages.settling import FROM_OUTSIDE, Settling, Turn, Wanted
from messagehub.messages.target import due_topic
from messagehub.store import Store
from messagehub.work.loop import Loop

log = logging.getLogger(__name__)

POLL_S = 0.5
"""How often the store is asked for what is due, besides when it is said that something is."""

LONGEST_PAUSE_S = 1.0
"""While the store cannot write: each try answers "later" to one window of what the carrier tells meanwhile."""

SOON_S = 0.02
"""What is due one after the other in less time than this is looked for together."""

LOOK, LAST = 4, 2
"""One in so many places is for a look for what is due while nothing is known to wait, and for the last claim of what
waits: what is accepted meanwhile needs room."""


class Exchange:
    def __init__(self, store: Store, settling: Settling) -> None:
        self.carrier_id, self.carrier = settling.carrier_id, settling.carrier
        self.counts, self.hand = settling.counts, settling.hand
        self._store, self.settling = store, settling
        self._kept: list[News] = []
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
        self._loop = Loop(f"exchange with {self.carrier_id}", self._turns, POLL_S, LONGEST_PAUSE_S)
        self._deaf = [store.listen(due_topic(self.carrier_id, lane), partial(self._look, lane)) for lane in LANES]

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
        try:
            await self._let_hand(drain_s)
            await self.carrier.drain(drain_s)
            await self._loop.stop()
        finally:
            await self.carrier.close()
        here = {"node_id": self.settling.node_id, "carrier_id": self.carrier_id}
        try:
            await self._turns()
            await self._store.run("forget_inbound_seen_here", **here)
        except Unavailable as error:  # what was handed over is found by the sweeps, and is in doubt
            log.warning("the last news of a carrier could not be stored: %s", error, extra=about(**here))

    def knows(self, key: TargetKey) -> bool:
        """Whether the target is on its way, or what became of it is still to be written down."""
        kept = (one.key for one in self._kept if not isinstance(one, FROM_OUTSIDE))
        return self._turning.locked() or self.carrier.holds(key) or key in kept

    # --- handing over what is just being accepted -----------------------------------------

    def reserve(self, segments: int, lane: int) -> bool:
        """Keeps room for a target that is not stored yet. False where it has to wait its turn: it is `entering` then.

        It does not wait for what is less urgent, but for the share that this is owed.
        """
        waits = bool(self._backlog) and (max(self._backlog) >= lane or bool(self.settling.share.owed()))
        if waits or self._draining or self.carrier.room() - self._reserved < segments:
            self._backlog.add(lane)
            self.entering.add(segments, lane)
            self._unseen += segments
            return False
        self._reserved += segments
        if self._backlog:
            self.settling.share.settle({lane: segments}, self._backlog)
        return True

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
        wanted = Wanted(room, lanes, self._behind_at, is_last=self._behind is not None)
        try:
            turn = await self._store.transaction(partial(self.settling.settle, news=news, wanted=wanted))
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
                turn = await self._store.transaction(partial(self.settling.settle, news=[one]))
            except Unavailable:
                self._put_off(news[n:])
                raise
            except asyncio.CancelledError:
                self._kept += news[n:]
                raise
            except Exception:
                log.exception("news is set aside, since it cannot be stored", extra=about(news=type(one).__name__))
                self._set_aside(one)
            else:
                self._conclude(turn)

    def _conclude(self, turn: Turn) -> None:
        self.settling.conclude(turn)
        if turn.claimed:
            found = turn.lanes - turn.claim.more
            self._backlog -= found - self._due - self.entering.lanes.keys()
            self._backlog |= turn.claim.more
            self._is_nearly_through = bool(self._backlog) and self._backlog <= found
            self.settling.share.settle(turn.claim.segments, self._backlog)
        self._due |= turn.claim.more | turn.postponed
        if turn.questions:
            self._looked = -math.inf
        if turn.claim.next_due:
            self._look_at(turn.claim.next_due)
        for carrier_id, lane in turn.rerouted:
            self._store.notify(due_topic(carrier_id, lane))

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


def _segments(handovers: Sequence[Handover]) -> int:
    return sum(len(handover.segments) or 1 for handover in handovers)
