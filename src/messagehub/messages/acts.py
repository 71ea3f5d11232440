"""What a customer can do with a message that is there: cancel it, send held targets again, delete it."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from messagehub import clock
from messagehub.accounts.customers import Customers
from messagehub.blobs import Blobs
from messagehub.errors import Refusal
from messagehub.events import Outbox
from messagehub.messages import options, timing
from messagehub.messages.ledger import Ledger
from messagehub.messages.letting import MEDIA
from messagehub.messages.live import Live
from messagehub.messages.options import Options
from messagehub.messages.reading import Reader
from messagehub.messages.recorder import Recorder
from messagehub.messages.rows import SHOWN
from messagehub.messages.status import Happening, Status
from messagehub.messages.target import Target, due_topic
from messagehub.messages.telling import Teller, Told, store_events, untried
from messagehub.shapes import Message
from messagehub.store import Row, Store, Tx

BATCH = 500
NOT_CHOSEN = ""
"""The carrier of targets that wait for their media where nobody took these when they were accepted."""


class Forgetter(Protocol):
    async def forget(self, tx: Tx, message: Row) -> None:
        """In the transaction that deletes a message, after it is deleted."""


class Actor:
    forgetters: Sequence[Forgetter] = ()

    def __init__(
        self,
        store: Store,
        customers: Customers,
        outbox: Outbox,
        reader: Reader,
        recorder: Recorder,
        live: Live,
        blobs: Blobs,
    ) -> None:
        self._store, self._customers, self._outbox, self._reader = store, customers, outbox, reader
        self._recorder, self._live, self._blobs = recorder, live, blobs

    async def cancel(self, customer_id: str, message_id: str) -> Message:
        """Targets that were not handed over yet become `failed` / `canceled`; the others go their way."""

        async def unit(tx: Tx) -> tuple[Message, Told, list[Target]]:
            await self._reader.row(tx, customer_id, message_id)
            told, moved = await self._move(tx, message_id, "targets_to_cancel", _cancel)
            return await self._reader.message(tx, customer_id, message_id), told, moved

        message, told, _ = await self._store.transaction(unit)
        told.make_known(self._outbox)
        return message

    async def cancel_all(self, customer_id: str) -> None:
        """As `cancel`, for all that the customer has queued, in batches."""
        carriers = [row.id for row in await self._store.all("every_carrier")]
        for carrier_id in (*carriers, NOT_CHOSEN):
            batch = {"carrier_id": carrier_id, "customer_id": customer_id, "count": BATCH}
            while await self._cancel_batch(batch):
                pass

    async def _cancel_batch(self, batch: dict[str, Any]) -> bool:
        """Whether there may be more."""

        async def unit(tx: Tx) -> tuple[Told, bool]:
            ledger = Ledger(tx, self._customers, self._outbox, self._recorder, self._live, clock.now())
            keys = [(row.message_id, row.n) for row in await tx.all("targets_queued_of", **batch)]
            await ledger.load(keys)
            moved = [_cancel(ledger, target) for key in keys if (target := ledger.get(key))]
            return await ledger.write(), any(moved)

        told, is_more = await self._store.transaction(unit)
        told.make_known(self._outbox)
        return is_more

    async def resend(self, customer_id: str, message_id: str) -> Message:
        """Targets that were held since they are in doubt are sent again. Refusal when there is none."""

        async def unit(tx: Tx) -> tuple[Message, Told, list[Target]]:
            await self._reader.row(tx, customer_id, message_id)
            told, moved = await self._move(tx, message_id, "targets_held", _resend)
            if not moved:
                raise Refusal(
                    "STATE_INVALID", "no target of this message is held (gw_timeout / in_doubt) and may still go"
                )
            return await self._reader.message(tx, customer_id, message_id), told, moved

        message, told, moved = await self._store.transaction(unit)
        self._ring(moved)
        told.make_known(self._outbox)
        return message

    async def reschedule(self, customer_id: str, message_id: str, schedule_at: str) -> Message:
        """Gives another time to targets that wait and have never been handed over. Refusal when there is none."""
        before = await self._reader.row(self._store, customer_id, message_id)
        at = options.moment(schedule_at, clock.now())
        everybody = range(before.target_count)  # who waits is known when they are ours
        await self._keep_media(timing.move(options.read(before.options), len(everybody), everybody, at), before)

        async def unit(tx: Tx) -> tuple[Message, Told, list[Target]]:
            now = clock.now()
            await self._reader.row(tx, customer_id, message_id)
            ledger = Ledger(tx, self._customers, self._outbox, self._recorder, self._live, now)
            waiting = await self._waiting(tx, ledger, message_id)
            if not waiting:
                raise Refusal("STATE_INVALID", "no target of this message waits to be handed over for the first time")
            # Read when its targets are ours: what its media turned out to be may have been written meanwhile.
            row = await self._reader.row(tx, customer_id, message_id)
            asked = timing.move(options.read(row.options), row.target_count, {target.n for target in waiting}, at)
            for target in waiting:
                _move_to(ledger, target, asked)
            await tx.run("change_options", id=message_id, options=options.write(asked), now=now)
            if asked.validity:  # the sweep finds out which of its targets expires next
                await tx.run("insert_expiry", message_id=message_id, due_at=now)
            told = await ledger.write()
            return await self._reader.message(tx, customer_id, message_id), told, waiting

        message, told, moved = await self._store.transaction(unit)
        self._ring(moved)
        told.make_known(self._outbox)
        return message

    async def _keep_media(self, asked: Options, row: Any) -> None:
        """What is here of its media stays until its new time. Who brings the rest sees to that."""
        until = timing.wanted_until(asked, row.target_count, row.tm_create)
        if digests := [one.digest for one in asked.medias if one.digest]:
            await self._blobs.keep_what_is_there(digests, until)

    async def _waiting(self, tx: Tx, ledger: Ledger, message_id: str) -> list[Target]:
        """The targets of a message that were never handed over, and still may be."""
        keys = [(row.message_id, row.n) for row in await tx.all("targets_to_cancel", message_id=message_id)]
        await ledger.load(keys)
        found = [target for key in keys if (target := ledger.get(key)) and target.status is Status.QUEUED]
        return [one for one in found if not (one.attempts or one.retries or one.doubts or one.tried)]

    def _ring(self, moved: Iterable[Target]) -> None:
        for carrier_id, lane in {(target.carrier_id, target.lane) for target in moved}:
            self._store.notify(due_topic(carrier_id, lane))

    async def delete(self, customer_id: str, message_id: str) -> Message:
        """Cancels what was not handed over, and takes the message out of sight. Receipts still update it silently."""
        now = clock.now()

        async def unit(tx: Tx) -> tuple[Message, Told]:
            await self._reader.row(tx, customer_id, message_id)
            told, _ = await self._move(tx, message_id, "targets_to_cancel", _cancel, now)
            row = await self._reader.row(tx, customer_id, message_id)
            await tx.run("delete_message", id=message_id, customer_id=customer_id, now=now)
            await tx.run("void_targets", message_id=message_id)
            gone = row._replace(tm_delete=now, tm_update=now)
            targets = await tx.all("targets_of_message", message_id=message_id, first=0, end=SHOWN)
            customer = await self._customers.get(tx, customer_id)
            if customer.wants("message_deleted"):
                whose = {"customer_id": customer_id, "message_id": message_id}
                behind = await untried(tx, [whose]) if self._outbox.shared else ()
                deleted = Teller(self._outbox, now, behind).about("message_deleted", gone, targets)
                await store_events(tx, [deleted])
                told.events.append(deleted)
            for forgetter in self.forgetters:
                await forgetter.forget(tx, row)
            return self._reader.shape(gone, targets), told

        message, told = await self._store.transaction(unit)
        told.make_known(self._outbox)
        return message

    async def _move(
        self, tx: Tx, message_id: str, which: str, how: Callable[[Ledger, Target], bool], now: int = 0
    ) -> tuple[Told, list[Target]]:
        ledger = Ledger(tx, self._customers, self._outbox, self._recorder, self._live, now or clock.now())
        keys = [(row.message_id, row.n) for row in await tx.all(which, message_id=message_id)]
        await ledger.load(keys)
        moved = [target for key in keys if (target := ledger.get(key)) and how(ledger, target)]
        return await ledger.write(), moved


def _cancel(ledger: Ledger, target: Target) -> bool:
    return ledger.happen(target, Happening.CANCEL, error_code="canceled")


def _move_to(ledger: Ledger, target: Target, asked: Options) -> None:
    """Also for now: it says that it waited, so that the claim looks once more whether it may go.

    What waits for its media is given its time when they are here.
    """
    if target.error_code == MEDIA:
        return
    at = timing.start(asked, target.n, target.target_count, ledger.now)
    ledger.happen(target, Happening.RESCHEDULE, due_at=at, error_code=timing.why_it_waits(asked, target.n))


def _resend(ledger: Ledger, target: Target) -> bool:
    if timing.expiry_of(target) <= ledger.now:
        return False
    target.possible_duplicate = 1
    return ledger.happen(target, Happening.RESEND, due_at=ledger.now)
