"""Traces in the store, read for those who may."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from messagehub.accounts.callers import Caller
from messagehub.carriers.carrier import TargetKey
from messagehub.carriers.masking import masked
from messagehub.carriers.wire import OURS, Link, Step
from messagehub.errors import Refusal
from messagehub.messages.recorder import OCTETS, WITH_OCTETS, Recorder
from messagehub.messages.rows import address, own_of
from messagehub.messages.status import FINAL, PUBLIC
from messagehub.messages.timeline import gap, in_order
from messagehub.shapes import Trace
from messagehub.store import Row, Store

Seen = tuple[int, bool, Link, bytes]
"""A PDU: its moment in microseconds, whether we sent it, the sockets, its octets."""

_unpack = msgspec.msgpack.Decoder(tuple[str, int, list[tuple[Any, ...]]]).decode


OnItsWay = Callable[[str, TargetKey], list[Step]]
"""What was seen of a target that is on its way to a carrier here."""


class Traces:
    def __init__(self, store: Store, recorder: Recorder, on_its_way: OnItsWay) -> None:
        self._store, self._recorder, self._on_its_way = store, recorder, on_its_way

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
    own = own_of(target.destination_detail)
    message = message._replace(text=own.sent_text or own.text or message.text)
    return Trace(
        n=target.n,
        destination=address(target.destination, target.destination_detail),
        status=PUBLIC[target.status],
        is_traced=bool(steps),
        is_redacted=is_redacted,
        steps=in_order(steps, message, is_redacted),
    )
