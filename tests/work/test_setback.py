"""What was due stays due when the clock of the machine is set back."""

from collections.abc import Callable
from typing import Any

import pytest

from messagehub import ids
from messagehub.clock import SECOND
from messagehub.messages.rows import MessageRow, TargetRow
from messagehub.messages.status import Status
from messagehub.messages.sweep import SET_BACK as QUEUED
from messagehub.store import Insert, Store
from messagehub.webhooks.deliver import SET_BACK as EVENTS
from messagehub.work.setback import BATCH, Setback

Rows = dict[str, list[Any]]
"""By the query that inserts them."""

HOUR = 3600 * SECOND
BEFORE = 10 * HOUR


class Clocks:
    """The time of day and the time that has passed, which a step does not touch."""

    def __init__(self) -> None:
        self.day, self.passed = BEFORE, 100.0

    def go_on(self, seconds: float, step: int = 0) -> None:
        self.passed += seconds
        self.day += int(seconds * SECOND) + step


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


def setback(store: Store, clocks: Clocks, heed: Callable[[int], None] = lambda step: None) -> Setback:
    return Setback(store, (*QUEUED, *EVENTS), heed, lambda: clocks.day, lambda: clocks.passed)


def target(due_at: int, attempts: int = 0) -> TargetRow:
    usual: dict[str, Any] = {"n": 0, "customer_id": "c", "destination": "+1", "status": Status.QUEUED, "parts": 1}
    return TargetRow(message_id=ids.new(), due_at=due_at, attempts=attempts, **usual)


def message(id: str) -> MessageRow:
    return MessageRow(id=id, customer_id="c", direction="outbound", source="+1", text="", target_count=1, tm_create=1)


def event(due_at: int, leased: int = 0) -> dict[str, Any]:
    usual = {"customer_id": "c", "message_id": ids.new(), "type": "message_updated", "tm_create": due_at}
    return {**usual, "id": ids.new(), "due_at": due_at, "leased": leased}


def parked(due_at: int) -> dict[str, Any]:
    usual = {"carrier_id": "c", "carrier_message_id": "1", "body": "{}", "tm_create": due_at}
    return {**usual, "id": ids.new(), "due_at": due_at}


async def due(store: Store, now: int) -> list[str]:
    """What is handed over, sent and swept at that moment, in the order in which it is."""
    targets = await store.all("claim_targets", carrier_id="", lane=0, now=now, count=9999)
    events = await store.all("claim_events", customer_id="c", now=now, tm_after=0, after="", count=9999)
    swept = await store.all("parked_due", now=now, count=9999)
    return [row.message_id for row in targets] + [row.id for row in [*events, *swept]]


async def store_all(store: Store, rows: Rows) -> None:
    messages = [message(row.message_id) for row in rows.get("insert_target", [])]
    bodies = [{**row, "body": b""} for row in rows.get("insert_event", [])]
    more: Rows = {"insert_message": messages, "insert_event_body": bodies}
    await store.write([Insert(query, given) for query, given in {**rows, **more}.items()])


async def test_what_was_due_before_is_due_after(store: Store, clocks: Clocks) -> None:
    """With all that is to be tried again soon; in its order, and without what is to wait for an hour of its own."""
    watch = setback(store, clocks)
    targets = [target(BEFORE - 60 * SECOND), target(BEFORE), target(BEFORE + 8 * SECOND, attempts=3)]
    events = [event(BEFORE - SECOND), event(BEFORE + 30 * SECOND)]
    receipts = [parked(BEFORE + SECOND)]
    wait: Rows = {"insert_target": [target(BEFORE + 60 * SECOND)], "insert_event": [event(BEFORE + SECOND, leased=1)]}
    await store_all(store, {"insert_target": targets, "insert_event": events, "park_receipt": receipts})
    await store_all(store, wait)
    clocks.go_on(1, step=-HOUR)
    await watch.look()
    assert await due(store, clocks.day) == []
    clocks.go_on(1)
    await watch.look()
    expected = [row.message_id for row in targets] + [row["id"] for row in [*events, *receipts]]
    assert await due(store, clocks.day) == expected


async def test_a_long_queue_is_brought_forward_in_pieces(store: Store, clocks: Clocks) -> None:
    watch = setback(store, clocks)
    await store_all(store, {"insert_target": [target(BEFORE - n) for n in range(2 * BATCH + 1)]})
    clocks.go_on(1, step=-HOUR)
    await watch.look()
    await watch.look()
    assert len(await due(store, clocks.day)) == 2 * BATCH + 1


@pytest.mark.parametrize("step", [HOUR, -SECOND, 0])
async def test_a_clock_that_goes_forward_or_is_kept_right_changes_nothing(
    store: Store, clocks: Clocks, step: int
) -> None:
    heeded: list[int] = []
    watch = setback(store, clocks, heeded.append)
    await store_all(store, {"insert_target": [target(BEFORE + 2 * HOUR, attempts=1)]})
    clocks.go_on(1, step=step)
    await watch.look()
    clocks.go_on(1)
    await watch.look()
    assert heeded == []
    assert await due(store, clocks.day) == []


async def test_what_is_in_memory_hears_of_it_at_once(store: Store, clocks: Clocks) -> None:
    heeded: list[int] = []
    watch = setback(store, clocks, heeded.append)
    clocks.go_on(1, step=-HOUR)
    await watch.look()
    assert heeded == [HOUR]
    await watch.look()
    assert heeded == [HOUR]
