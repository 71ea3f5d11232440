"""The engine of flows: what is due is claimed, run until it has to wait, and stored with what it did, in one commit.

A message that a flow sends is entered in the transaction that stores the flow's next step, so a crash neither repeats
nor loses it. A request to the outside is made after the commit that says so, under a lease, and concluded by another;
where its answer is lost it is made again.
"""

import logging
import random
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any

from msgspec import UNSET, Struct, field

from messagehub import clock
from messagehub.accounts.customers import Customers
from messagehub.clock import NEVER, SECOND
from messagehub.conversations import Conversations
from messagehub.errors import REASONS, Refusal, Unavailable
from messagehub.flows import active, answers, calls, flow, run, state
from messagehub.flows.active import FLOWS, Activeflow
from messagehub.flows.calls import Called, Calls, Request
from messagehub.flows.state import (
    Ask,
    Block,
    Command,
    End,
    Event,
    Failed,
    Load,
    Loaded,
    Passed,
    Pause,
    Send,
    SendIn,
    State,
    Tell,
    TimeUp,
    Wait,
)
from messagehub.logs import about
from messagehub.messages.accept import Accepted, Acceptor
from messagehub.metrics import COUNTS
from messagehub.numbers import Numbers
from messagehub.shapes import ConversationMessageGiven, MessageGiven
from messagehub.store import Insert, Store, Tx
from messagehub.work.loop import Loop
from messagehub.work.setback import Forward

log = logging.getLogger(__name__)

POLL_S = 0.5
BATCH = 50
MOST_AT_ONCE = 20
"""Commands of one flow in one transaction: others have their turn in between."""

MOST_TARGETS = 1000
"""How many recipients' messages one transaction may have before it takes no more: whoever else writes waits for it."""

LONGEST_PATIENCE = 60 * SECOND
"""By how much at most a flow waits longer than it has to, where many wait for the same."""

LOOK_AGAIN = 120 * SECOND
"""After this at the latest, and its patience: a limit that it waits for may have been changed or lifted."""

PRUNE_EVERY = 60 * SECOND

SET_BACK = (Forward("activeflows_set_back", "bring_activeflow_forward"),)


class Later(Struct, frozen=True):
    """It cannot be done now; it is tried again then."""

    at: int


class Turn(Struct):
    """What one transaction did."""

    now: int
    claimed: dict[str, Activeflow] = field(default_factory=dict)
    changed: dict[str, Activeflow] = field(default_factory=dict)
    sent: list[Accepted] = field(default_factory=list)
    follow: list[Insert] = field(default_factory=list)
    """What others write of what was sent."""
    requests: list[Request] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    """Why."""
    more: bool = False
    """Something is due at once."""

    @property
    def is_full(self) -> bool:
        return sum(len(accepted.targets) for accepted in self.sent) >= MOST_TARGETS


Perform = Callable[[Turn, Tx, Activeflow, State, Any], Awaitable[Event | Later]]


class Engine:
    def __init__(
        self, store: Store, customers: Customers, numbers: Numbers, acceptor: Acceptor, conversations: Conversations,
        requests: Calls,
    ) -> None:  # fmt: skip
        self._store, self._customers, self._numbers, self._calls = store, customers, numbers, requests
        self._acceptor, self._conversations = acceptor, conversations
        self._prune_at = 0
        self._loop = Loop("flows", self.turn, POLL_S)
        self._perform: dict[type, Perform] = {
            Send: self._send,
            SendIn: self._send_in,
            Load: self._load,
            Tell: self._tell,
        }
        store.listen(FLOWS, self._loop.ring)

    async def start(self, alone: bool) -> None:
        """`alone`: no other node can have leased anything, so what is leased is due."""
        if alone:
            await self._store.run("release_activeflows", now=clock.now())
        self._loop.start()

    async def stop(self) -> None:
        await self._loop.stop()
        await self._calls.close()

    async def turn(self) -> None:
        """All that is due."""
        while await self._some():
            pass
        if (now := clock.now()) >= self._prune_at:
            self._prune_at = now + PRUNE_EVERY
            await answers.prune(self._store, now)

    async def _some(self) -> bool:
        """Whether there may be more."""
        try:
            turn = await self._store.transaction(self._claim)
        except Unavailable:
            raise
        except Exception:
            log.exception("a turn of flows failed; those that are due are tried one by one")
            await self._one_by_one()
            return False
        self._conclude(turn)
        return turn.more or len(turn.claimed) == BATCH

    async def _claim(self, tx: Tx) -> Turn:
        turn = Turn(clock.now())
        rows = await tx.all("claim_activeflows", now=turn.now, count=BATCH)
        turn.claimed = {row.id: active.from_row(row) for row in rows}
        for one in turn.claimed.values():
            if turn.is_full:
                turn.more = True
                break
            if one.id not in turn.changed:
                await self._advance(turn, tx, one)
        await _write(tx, turn)
        return turn

    async def _one_by_one(self) -> None:
        """One that cannot be run does not hold up the others: it ends."""
        for row in await self._store.all("due_activeflows", now=clock.now(), count=BATCH):
            try:
                await self._go_on(row.id, row.version)
            except Unavailable:
                raise
            except Exception:
                log.exception("a flow failed", extra=about(activeflow_id=row.id, customer_id=row.customer_id))
                await self._go_on(row.id, row.version, broken=True)

    async def _go_on(
        self, activeflow_id: str, version: int, called: Called | None = None, broken: bool = False
    ) -> None:
        """With one alone, if nobody has changed it meanwhile."""

        async def unit(tx: Tx) -> Turn:
            turn = Turn(clock.now())
            row = await tx.one("activeflow_for_change", id=activeflow_id)
            if row and row.version == version:
                await self._advance(turn, tx, active.from_row(row), called, broken)
                await _write(tx, turn)
            return turn

        turn = await self._store.transaction(unit)
        self._conclude(turn)
        if turn.more:
            self._loop.ring()

    def _conclude(self, turn: Turn) -> None:
        """After the commit."""
        for accepted in turn.sent:
            self._acceptor.make_known(accepted)
        for request in turn.requests:
            self._calls.make(request, self._answered)
        COUNTS.flows_ended.update(turn.ended)

    async def _answered(self, one: Activeflow, called: Called) -> None:
        """A request is over. Its lease was written as one version more."""
        await self._go_on(one.id, one.version + 1, called)

    # --- in the transaction -------------------------------------------------------------

    async def _advance(
        self, turn: Turn, tx: Tx, one: Activeflow, called: Called | None = None, broken: bool = False
    ) -> None:
        """Runs it until it has to wait. `called`: how its request went; `broken`: it cannot be run, and ends."""
        turn.changed[one.id] = one
        where = State() if broken else active.state_of(one)
        customer = await self._customers.get(tx, one.customer_id)
        if broken or customer.tm_delete != NEVER:
            where.report = None
            reason = "internal" if broken else "customer_deleted"
            self._end(turn, one, where, End(reason, run.END_REASONS[reason]))
            return
        one.is_waiting, one.leased, one.tm_update = 0, 0, turn.now
        if isinstance(where.command, Ask):
            event = calls.event_of(where, where.command, called) if called else None
            if event is None:
                self._ask(turn, one, where, where.command, is_again=called is not None)
                return
            if not one.runs:
                one.due_at, where.command = None, None
                one.state = state.write(where)
                return
            where.event = event
        await self._run(turn, tx, one, where)

    async def _run(self, turn: Turn, tx: Tx, one: Activeflow, where: State) -> None:
        command, event = where.command, where.event
        is_to_do = event is None and type(command) in self._perform
        for _ in range(MOST_AT_ONCE):
            if not is_to_do:
                where, command = run.step(where, event or TimeUp(), turn.now)
            is_to_do = False
            perform = self._perform.get(type(command))
            if perform is None:
                await self._wait(turn, tx, one, where, command)
                return
            done = await perform(turn, tx, one, where, command)
            if isinstance(done, Later):
                self._keep(one, where, done.at)
                return
            event = done
            if turn.is_full:
                break
        where.event, turn.more = event, True
        self._keep(one, where, turn.now)

    def _keep(self, one: Activeflow, where: State, due_at: int | None) -> None:
        one.due_at, one.number, one.person, one.state = due_at, where.number, where.person, state.write(where)

    # --- what has to be waited for ------------------------------------------------------

    async def _wait(self, turn: Turn, tx: Tx, one: Activeflow, where: State, command: Command | None) -> None:
        match command:
            case End():
                self._end(turn, one, where, command)
            case Ask():
                self._ask(turn, one, where, command)
            case Wait() if not await self._owns(tx, one.customer_id, where.number):
                where.event = Failed(f"{where.number} is no number of yours any more")
                await self._run(turn, tx, one, where)
            case Wait():
                one.is_waiting = 1
                self._keep(one, where, command.until)
                await self._end_other_waits(turn, tx, one)
            case Pause():
                self._keep(one, where, command.until)
            case _:
                assert isinstance(command, Block)
                self._keep(one, where, None)

    async def _owns(self, tx: Tx, customer_id: str, number: str) -> bool:
        found = await self._numbers.find(tx, number)
        return found is not None and found.customer_id == customer_id

    def _end(self, turn: Turn, one: Activeflow, where: State, how: End) -> None:
        one.number, one.person = where.number, where.person
        one.end(where, how, turn.now)
        turn.ended.append(how.reason)
        if isinstance(where.command, Ask):
            self._ask(turn, one, where, where.command)

    def _ask(self, turn: Turn, one: Activeflow, where: State, ask: Ask, is_again: bool = False) -> None:
        """Under a lease; or later, where it is asked again, or there is no room for it."""
        if is_again:
            due_at = turn.now + calls.RETRY_AFTER[where.tries - 1] * SECOND
        elif self._calls.has_room(one.customer_id):
            due_at, one.leased = turn.now + calls.LEASE, 1
            turn.requests.append(Request(one, calls.written(one, ask), _request_id(one, where)))
        else:
            due_at = turn.now + calls.AGAIN_LATER + patience(where, turn.now)
        self._keep(one, where, due_at)

    async def _end_other_waits(self, turn: Turn, tx: Tx, one: Activeflow) -> None:
        """One person is waited for by one flow at a time, at each number. Whoever had the number before is let be."""
        here = {"customer_id": one.customer_id, "number": one.number, "person": one.person}
        row = await tx.one("waiting_activeflow", **here)
        waiting = [other for other in turn.changed.values() if other.is_waiting]
        others = [other for other in waiting if all(getattr(other, name) == value for name, value in here.items())]
        if row and row.id not in turn.changed:
            others.append(turn.claimed.get(row.id) or active.from_row(row))
        for other in others:
            if other.id != one.id:
                turn.changed[other.id] = other
                how = End("superseded", f"activeflow {one.id} waits for the same person now")
                self._end(turn, other, active.state_of(other), how)

    # --- what is done -------------------------------------------------------------------

    async def _send(self, turn: Turn, tx: Tx, one: Activeflow, where: State, send: Send) -> Event | Later:
        given = MessageGiven(
            source=send.source,  # type: ignore[arg-type]
            destinations=send.destinations,  # type: ignore[arg-type]
            text=send.text,
            class_=UNSET if send.class_ == "transactional" else send.class_,
            validity=send.validity or UNSET,
            **_of_mms(send),
        )
        return await self._entered(turn, tx, where, self._acceptor.prepare(tx, one.customer_id, given))

    async def _send_in(self, turn: Turn, tx: Tx, one: Activeflow, where: State, send: SendIn) -> Event | Later:
        async def prepared() -> Accepted:
            thread = await self._conversations.get(tx, one.customer_id, send.conversation_id)
            return await self._conversations.prepare(
                tx, thread, ConversationMessageGiven(text=send.text, **_of_mms(send))
            )

        return await self._entered(turn, tx, where, prepared())

    async def _entered(self, turn: Turn, tx: Tx, where: State, prepared: Awaitable[Accepted]) -> Event | Later:
        """A refusal has written nothing: the transaction goes on."""
        try:
            accepted = await prepared
            follow, accepted.more = accepted.more, []
            await self._acceptor.enter(tx, accepted)
        except Refusal as refusal:
            if REASONS[refusal.reason].http in (429, 503):
                run.note(where, f"waits: {refusal.reason}: {refusal.message}")
                after = min(refusal.retry_after * SECOND, LOOK_AGAIN)
                return Later(turn.now + after + patience(where, turn.now))
            return Failed(f"{refusal.reason}: {refusal.message}")
        turn.sent.append(accepted)
        turn.follow += follow
        if not where.person and len(accepted.targets) == 1:
            where.number, where.person = accepted.message.source, accepted.targets[0].destination
        return Passed(f"message {accepted.message.id}")

    async def _load(self, turn: Turn, tx: Tx, one: Activeflow, where: State, load: Load) -> Event:
        found = await flow.find(tx, load.flow_id, one.customer_id)
        if found is None:
            return Failed(f"there is no flow {load.flow_id}")
        return Loaded(found.id, found.linked, found.on_complete_flow_id)

    async def _tell(self, turn: Turn, tx: Tx, one: Activeflow, where: State, tell: Tell) -> Event:
        if not self._calls.has_room(one.customer_id):
            self._calls.leave_out(one)
            return Passed("left out: too many requests wait for their turn")
        turn.requests.append(Request(one, tell, _request_id(one, where)))
        return Passed("sent")


def _of_mms(send: Send | SendIn) -> dict[str, Any]:
    return {"medias": send.medias, "subject": send.subject, "fallback": send.fallback}


async def _write(tx: Tx, turn: Turn) -> None:
    """What others follow is locked last, and in one order: they wait for each other in a shared store."""
    await active.write(tx, list(turn.changed.values()))
    by_query = defaultdict[str, list[Any]](list)
    for query, rows in turn.follow:
        by_query[query] += rows
    for query, found in by_query.items():
        found.sort(key=lambda row: row.get("id", ""))  # what has none is new, and nobody else's
        await tx.many(query, found)


def patience(where: State, now: int) -> int:
    """The longer it has waited, the less often it asks: else all who wait for the same would ask each second."""
    waited = now - where.executed[-1].tm_execute if where.executed else 0
    return int(random.random() * min(waited, LONGEST_PATIENCE))


def _request_id(one: Activeflow, where: State) -> str:
    """The same for each attempt: by the action, or the end, that it is of."""
    return f"{one.id}_{where.steps if one.runs else 'end'}"
