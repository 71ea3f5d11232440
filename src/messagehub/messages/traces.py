"""Traces in the store: read for those who may, and removed when their days are over."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from messagehub import clock, ids
from messagehub.accounts.callers import Caller
from messagehub.carriers.carrier import TargetKey
from messagehub.carriers.masking import masked
from messagehub.carriers.wire import OURS, Link, Step
from messagehub.clock import SECOND
from messagehub.errors import Refusal
from messagehub.messages.recorder import OCTETS, WITH_OCTETS, Recorder
from messagehub.messages.rows import address
from messagehub.messages.status import FINAL, PUBLIC
from messagehub.messages.timeline import gap, in_order
from messagehub.shapes import Trace
from messagehub.store import Row, Store
from messagehub.work.loop import Loop
from messagehub.work.node import always

DAY = 24 * 3600 * SECOND
EVERY_S = 60.0
BATCH = 500

Seen = tuple[int, bool, Link, bytes]
"""A PDU: its moment in microseconds, whether we sent it, the sockets, its octets."""

_unpack = msgspec.msgpack.Decoder(tuple[str, int, list[tuple[Any, ...]]]).decode


OnItsWay = Callable[[str, TargetKey], list[Step]]
"""What was seen of a target that is on its way to a carrier here."""


class Traces:
    """`retention`: days for which they are kept; `duty`: whether it is this node that forgets them."""

    def __init__(
        self,
        store: Store,
        recorder: Recorder,
        on_its_way: OnItsWay,
        retention: float,
        duty: Callable[[], Awaitable[bool]] = always,
    ) -> None:
        self._store, self._recorder, self._on_its_way, self._duty = store, recorder, on_its_way, duty
        self._retention = int(retention * DAY)
        self._loop = Loop("old traces", self.forget, EVERY_S)

    def start(self) -> None:
        self._loop.start()

    async def stop(self) -> None:
        await self._loop.stop()

    async def forget(self) -> None:
        """A batch of those that are too old; at once another where there may be more."""
        if not await self._duty():
            return
        old = {"before": ids.first_of(clock.now() - self._retention), "count": BATCH}
        if await self._store.transaction(lambda tx: tx.change("forget_traces", [old])) >= BATCH:
            self._loop.ring()

    # --- reading ------------------------------------------------------------------------

    async def page(self, caller: Caller, message_id: str, first: int, count: int) -> list[Trace]:
        """The traces of targets by their number, from `first` on. Refusal where the message is not for the caller."""
        message, is_redacted = await self._message(caller, message_id)
        targets, steps = await self._steps(message_id, first, count)
        return [_trace(message, target, steps[target.n], is_redacted) for target in targets]

    async def seen(self, caller: Caller, message_id: str, first: int, count: int) -> list[Seen]:
        """All PDUs of these targets."""
        _, is_redacted = await self._message(caller, message_id)
        _, found = await self._steps(message_id, first, count)
        return [
            (step[0], step[1] in OURS, tuple(step[OCTETS - 1]), _octets(step, is_redacted))
            for steps in found.values()
            for step in steps
            if step[1] in WITH_OCTETS and step[OCTETS]
        ]

    async def _message(self, caller: Caller, message_id: str) -> tuple[Row, bool]:
        """The message, and whether its text is to be masked: the operator sees how others' messages fare, no more."""
        row = await self._store.one("message_of_anybody", id=message_id)
        if row is None or (row.customer_id != caller.customer_id and not caller.is_operator):
            raise Refusal("MESSAGE_NOT_FOUND", f"there is no message {message_id}")
        return row, row.customer_id != caller.customer_id

    async def _steps(self, message_id: str, first: int, count: int) -> tuple[list[Row], dict[int, list[Step]]]:
        """The targets, and the steps of each: what was written, and what is known here of those under way."""
        span = {"message_id": message_id, "first": first, "end": first + count}
        targets = await self._store.all("targets_of_message", **span)
        bodies = [(row.n, row.body) for row in await self._store.all("traces_of_message", **span)]
        bodies += [(target.n, self._under_way(target)) for target in targets if target.status not in FINAL]
        steps: dict[int, list[Step]] = defaultdict(list)
        for n, body in bodies:
            if body:
                why, dropped, more = _unpack(body)
                steps[n] += [*gap(more[0][0], why, dropped), *more]
        return targets, steps

    def _under_way(self, target: Row) -> bytes:
        key = (target.message_id, target.n)
        return self._recorder.under_way(key, self._on_its_way(target.carrier_id, key))


def _octets(step: Step, is_redacted: bool) -> bytes:
    octets: bytes = step[OCTETS]
    return masked(octets) if is_redacted else octets


def _trace(message: Row, target: Row, steps: Sequence[Step], is_redacted: bool) -> Trace:
    return Trace(
        n=target.n,
        destination=address(target.destination, target.destination_detail),
        status=PUBLIC[target.status],
        is_traced=bool(steps),
        is_redacted=is_redacted,
        steps=in_order(steps, message, is_redacted),
    )
