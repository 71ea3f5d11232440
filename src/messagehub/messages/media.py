"""Messages whose media are still to be brought here: rows are claimed, worked on, and concluded one by one.

Whoever works on a row has its name on it. What a node held that is dead is anybody's at once; what failed for a cause
that may pass is tried again. When the media are here, the targets are due as they would have been.
"""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Sequence
from functools import partial

from msgspec import Struct, field

from messagehub import clock
from messagehub.accounts.customers import Customers
from messagehub.carriers.fitting import Fitter
from messagehub.clock import SECOND
from messagehub.errors import Unavailable
from messagehub.events import Outbox
from messagehub.logs import Seldom, about
from messagehub.messages import options, timing
from messagehub.messages.gathering import Failed, Gatherer
from messagehub.messages.ledger import Ledger
from messagehub.messages.letting import Linking, let_go
from messagehub.messages.live import Live
from messagehub.messages.options import Options
from messagehub.messages.recorder import Recorder
from messagehub.messages.status import Status
from messagehub.messages.target import due_topic
from messagehub.messages.telling import Told
from messagehub.messages.ways import Way, Ways
from messagehub.routing import Routes
from messagehub.store import Row, Store, Tx
from messagehub.work.loop import Loop
from messagehub.work.node import store_clock
from messagehub.work.schedule import next_attempt
from messagehub.work.setback import Forward

log = logging.getLogger(__name__)

PREPARATIONS = "preparations"
"""The topic that is notified when a message waits for its media."""

POLL_S = 1.0
AT_ONCE = 32
LOOKED_AT = 64
"""Messages that a claim looks at."""
OF_ONE_CUSTOMER = 8
"""Messages that are worked on for one customer; fewer where there is little room, so that some is left for others."""

RETRY_AFTER = (5, 20)
"""Seconds between the tries to get a medium that is not to be had just now."""

MOST_ATTEMPTS = 8
"""A message that ended the process so often would end it again."""

HELD = 3600 * SECOND
"""After which one is anybody's, though who holds it lives."""
SOON = SECOND
LATEST = 60 * SECOND
"""How long one waits at the longest that failed for no fault of its own: each try may fetch its media anew."""
MOST_DELAYED = 10_000
TOLD_S = 60.0

SET_BACK = (Forward("preparations_set_back", "bring_preparation_forward"),)

BROKEN_HERE = Failed("media_broken", "its media could not be worked on")


class Done(Struct):
    """What one transaction did."""

    told: Told = field(default_factory=Told)
    due: set[tuple[str, int]] = field(default_factory=set)
    """The carriers that have something to send, and in which lanes."""
    wanted_until: int = 0
    """How long its media are needed, by the time that it has now."""


class Delays:
    """How long a message waits that failed for no fault of its own: as long as it has failed already, in bounds."""

    def __init__(self) -> None:
        self._since: dict[str, tuple[int, int]] = {}
        """When each failed first, and until when it waits."""

    def next(self, message_id: str, now: int) -> int:
        """Until when. Where too many are known, one more waits for the longest."""
        if message_id not in self._since and self._is_full(now):
            return now + LATEST
        first, _ = self._since.get(message_id, (now, 0))
        until = now + min(max(SOON, now - first), LATEST)
        self._since[message_id] = first, until
        return until

    def over(self, message_id: str) -> None:
        self._since.pop(message_id, None)

    def _is_full(self, now: int) -> bool:
        """Without those that are long due: other nodes have done them."""
        if len(self._since) >= MOST_DELAYED:
            self._since = {one: known for one, known in self._since.items() if known[1] > now - 2 * LATEST}
        return len(self._since) >= MOST_DELAYED


class Preparer:
    def __init__(
        self,
        store: Store,
        customers: Customers,
        routes: Routes,
        outbox: Outbox,
        recorder: Recorder,
        live: Live,
        node_id: str,
        gatherer: Gatherer,
        fitter: Fitter,
        linking: Linking,
    ) -> None:
        self._store, self._customers, self._routes, self._outbox = store, customers, routes, outbox
        self._recorder, self._live, self._node_id = recorder, live, node_id
        self._gatherer, self._fitter, self._linking = gatherer, fitter, linking
        self._working: dict[asyncio.Task[None], Row] = {}
        self._broken: list[dict[str, object]] = []
        """Those that failed here for reasons of our own."""
        self._delays, self._told = Delays(), Seldom(TOLD_S)
        self._is_unsure = False
        """The store was lost in a claim, so there may be rows with this node's name that it knows nothing of."""
        self._loop = Loop("media of messages", self.turn, POLL_S)
        store.listen(PREPARATIONS, self._loop.ring)

    def start(self) -> None:
        self._loop.start()

    async def stop(self) -> None:
        """What is not at its end is another's at once."""
        await self._loop.stop()
        for task in self._working:
            task.cancel()
        await asyncio.gather(*self._working, return_exceptions=True)
        try:
            await self._store.run("leave_preparations", holder=self._node_id, now=clock.now())
        except Unavailable as error:
            log.warning("messages that wait for media are others' when this node's lease is over: %s", error)
        self._store.notify(PREPARATIONS)

    async def turn(self) -> None:
        """Begins as many as there is room for."""
        broken = list(self._broken)
        await self._store.many("put_off_preparation", broken)
        del self._broken[: len(broken)]
        await self._free_those_of_dead()
        if self._is_unsure:
            await self._free_unknown()
        while self._room and await self._store.one("preparation_due", now=clock.now(), **self._wanted):
            self._is_unsure = True
            taken = await self._store.transaction(self._claim)
            self._is_unsure = False
            if not taken:
                break
            for row in taken:
                task = asyncio.create_task(self._prepare(row))
                self._working[task] = row
                task.add_done_callback(self._ended)

    @property
    def _room(self) -> int:
        return AT_ONCE - len(self._working)

    @property
    def _wanted(self) -> dict[str, object]:
        return {"holder": self._node_id, "share": self._share}

    @property
    def _share(self) -> int:
        """Of one customer."""
        return max(1, min(OF_ONE_CUSTOMER, self._room // 2))

    async def _free_those_of_dead(self) -> None:
        dead = await self._store.all("preparations_of_dead", now=await store_clock(self._store), count=AT_ONCE)
        await self._free(dead)

    async def _free_unknown(self) -> None:
        known = {row.message_id for row in self._working.values()}
        held = await self._store.all("preparations_held", holder=self._node_id)
        await self._free([row for row in held if row.message_id not in known])
        self._is_unsure = False

    async def _free(self, rows: Sequence[Row]) -> None:
        now = clock.now()
        await self._store.many("free_preparation", [{**row._asdict(), "due_at": now} for row in rows])

    def _ended(self, task: asyncio.Task[None]) -> None:
        row = self._working.pop(task)
        if not task.cancelled() and (error := task.exception()):
            now = clock.now()
            is_blameless = isinstance(error, Unavailable | OSError)
            until = self._delays.next(row.message_id, now) if is_blameless else now + SOON
            if not is_blameless:
                log.error("the media of a message could not be prepared", exc_info=error, extra=_about(row))
            elif self._told.due():
                log.warning("media wait for the store, or for their disk: %s", error)
            self._broken.append(_put_off(row, until, is_blameless))
        else:
            self._delays.over(row.message_id)
        self._loop.ring()

    # --- one message --------------------------------------------------------------------

    async def _claim(self, tx: Tx) -> list[Row]:
        """What customers have beyond their share is passed over, so that it stands in nobody's way."""
        now = clock.now()
        of_customer = Counter(row.customer_id for row in self._working.values())
        taken = list[Row]()
        for row in await tx.all("claim_preparations", now=now, count=LOOKED_AT, **self._wanted):
            if of_customer[row.customer_id] < self._share and len(taken) < self._room:
                taken.append(row._replace(attempts=row.attempts + 1))
                of_customer[row.customer_id] += 1
        held = {"holder": self._node_id, "due_at": now + HELD}
        await tx.many("take_preparation", [{**row._asdict(), **held} for row in taken])
        return taken

    async def _prepare(self, row: Row) -> None:
        message = await self._store.one("message_of_anybody", id=row.message_id)
        if message is None:
            await self._store.run("remove_preparation", message_id=row.message_id)
            return
        try:
            if row.attempts > MOST_ATTEMPTS:
                raise BROKEN_HERE
            asked = await self._gathered(message)
        except Failed as failed:
            again = next_attempt(RETRY_AFTER, row.attempts, clock.now(), random.random()) if failed.again else None
            if again:
                await self._store.many("put_off_preparation", [_put_off(row, again)])
            else:
                await self._conclude(row, (), {}, Way(code=failed.code, words=failed.words))
            return
        await self._conclude(row, asked.medias, await self._ways(message, asked))

    async def _gathered(self, message: Row) -> Options:
        asked = options.read(message.options)
        until = timing.wanted_until(asked, message.target_count, message.tm_create)
        medias = await self._gatherer.gather(message.customer_id, asked.medias, until)
        return options.with_found(asked, medias)

    async def _ways(self, message: Row, asked: Options) -> dict[int, Way]:
        ways = Ways(self._fitter, await self._routes.table(self._store), message.customer_id, asked, message.text)
        rows = await self._store.all("targets_of_message", message_id=message.id, first=0, end=message.target_count)
        waiting = [row for row in rows if row.status == Status.QUEUED]
        return {row.n: await ways.to(row.destination, row.own_source or message.source) for row in waiting}

    async def _conclude(
        self, row: Row, medias: Sequence[options.Media], ways: dict[int, Way], otherwise: Way | None = None
    ) -> None:
        """`otherwise`: how all those go that have no way of their own."""
        done = await self._store.transaction(partial(self._settle, row, medias, ways, otherwise))
        for carrier_id, lane in done.due:
            self._store.notify(due_topic(carrier_id, lane))
        done.told.make_known(self._outbox)
        if medias:
            await self._gatherer.keep(medias, done.wanted_until)

    async def _settle(
        self, row: Row, medias: Sequence[options.Media], ways: dict[int, Way], otherwise: Way | None, tx: Tx
    ) -> Done:
        held = await tx.one("preparation_for_change", message_id=row.message_id)
        if held is None or held.attempts != row.attempts:
            return Done()
        ledger = Ledger(tx, self._customers, self._outbox, self._recorder, self._live, clock.now())
        keys = [(one.message_id, one.n) for one in await tx.all("targets_to_cancel", message_id=row.message_id)]
        await ledger.load(keys)
        # Read when the targets are ours: it may have been given another time meanwhile.
        message = await tx.one("message_of_anybody", id=row.message_id)
        targets = [target for key in keys if (target := ledger.get(key)) and target.status is Status.QUEUED]
        done = Done()
        if message and targets:
            asked = options.read(message.options)
            done.wanted_until = timing.wanted_until(asked, message.target_count, message.tm_create)
            going = self._linking.going(ledger, options.with_found(asked, medias) if medias else asked)
            if medias:
                await tx.run("change_options", id=message.id, options=going.column, now=ledger.now)
            for target in targets:
                if way := ways.get(target.n, otherwise):
                    let_go(ledger, target, way, going)
            done.due = {(target.carrier_id, target.lane) for target in targets if target.status is Status.QUEUED}
        done.told = await ledger.write()
        await tx.run("remove_preparation", message_id=row.message_id)
        return done


def _put_off(row: Row, due_at: int, is_blameless: bool = False) -> dict[str, object]:
    """`is_blameless`: none of its tries is used up."""
    return {
        "message_id": row.message_id,
        "seen": row.attempts,
        "attempts": row.attempts - is_blameless,
        "due_at": due_at,
    }


def _about(row: Row) -> dict[str, object]:
    return about(message_id=row.message_id, customer_id=row.customer_id)
