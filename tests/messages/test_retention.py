"""What is too old goes with all that belongs to it, and nothing else goes."""

from typing import Any

import asyncpg
import pytest

from messagehub import clock, conversations, ids
from messagehub.clock import NEVER
from messagehub.conversations import Conversation
from messagehub.messages import retention
from messagehub.messages.retention import DAY, Policy, Retention
from messagehub.messages.rows import MessageRow, TargetRow
from messagehub.messages.status import Status
from messagehub.store import Insert, Store, open_store
from messagehub.store.sides import side_of
from tests.support import postgres

KEPT = Policy(messages=10, events=0, traces=0)
OLD, YOUNG = 11 * DAY, 9 * DAY


def made(age: int, n: int = 0) -> str:
    return ids.first_of(clock.now() - age)[:-8] + f"{n:08x}"


async def message(store: Store, id: str, targets: int = 1, **target: Any) -> str:
    """A message that is settled, with a row of each kind; `target` says what is different about its first target."""
    owner: dict[str, Any] = {"customer_id": f"customer of {id[:13]}"}
    moment = ids.moment_of(id)
    row = MessageRow(
        id=id, **owner, direction="outbound", source="+1", text="t", target_count=targets, waiting_count=0,
        tm_create=moment,
    )  # fmt: skip
    usual = {"destination": "+2", "status": Status.DELIVERED, "carrier_id": "k", "parts": 1, "tm_update": moment}
    of = [TargetRow(message_id=id, n=n, **{**owner, **usual, **(target if n == 0 else {})}) for n in range(targets)]
    segment = {
        "carrier_id": "k",
        "carrier_message_id": f"name of {id}",
        "message_id": id,
        "n": 0,
        "part": 0,
        "retry": 0,
    }
    trace = {"id": id, "message_id": id, "n": 0, "body": b""}
    inserts = [("insert_message", row), ("insert_segment", segment), ("insert_trace", trace)]
    await store.write([Insert("insert_target", of), *(Insert(query, [one]) for query, one in inserts)])
    await event(store, owner["customer_id"], id, id)
    return id


async def event(store: Store, customer_id: str, id: str, message_id: str, is_due: bool = False) -> None:
    names = {"customer_id": customer_id, "id": id, "message_id": message_id, "type": "message_updated"}
    row = {**names, "due_at": clock.now(), "leased": 0, "tm_create": ids.moment_of(id), "body": b"{}"}
    failed = {"id": id, "attempts": 1, "response_status": 500, "error": "status", "now": 1}
    rows = [("insert_event", row), ("insert_event_body", row), ("insert_event_attempt", failed)]
    await store.write([Insert(query, [one]) for query, one in rows])
    if not is_due:
        done = {"customer_id": customer_id, "id": id, "attempts": 2, "response_status": 200, "now": 1}
        await store.many("event_delivered", [done])


async def test_what_people_were_told_is_forgotten_when_it_may_be_told_again(store: Store) -> None:
    now = clock.now()
    for kind, again in (("old", now - 1), ("young", now + DAY)):
        told = {"customer_id": "c", "number": "+1", "address": "+2", "kind": kind, "now": now - DAY, "tm_again": again}
        await store.run("note_notice", **told)
    assert await Retention(store, Policy(0, 0, 0)).run() == {"notices": 1}
    assert [row.kind for row in await store.all("old_notices", now=now + 2 * DAY, count=9)] == ["young"]


async def of_message(url: str, id: str) -> dict[str, int]:
    """The rows of each table in which the id of a message, or of its event, stands."""
    side = await side_of(url)
    try:
        found = {}
        for name, table in (await side.tables()).items():
            found[name] = sum(id in row for row in await side.rows(table, None, 10_000))
        return {name: count for name, count in found.items() if count}
    finally:
        await side.close()


ALL = {"messages": 1, "targets": 1, "segments": 1, "traces": 1, "events": 1, "event_bodies": 1, "event_attempts": 1}


async def test_an_old_message_goes_with_all_its_rows_and_a_young_one_stays(store: Store, database_url: str) -> None:
    old, young = await message(store, made(OLD)), await message(store, made(YOUNG))
    assert await of_message(database_url, old) == ALL
    await Retention(store, KEPT).run()
    assert await of_message(database_url, old) == {}
    assert await of_message(database_url, young) == ALL


@pytest.mark.parametrize("status", [Status.QUEUED, Status.HANDED, Status.SENT])
async def test_what_is_still_under_way_stays_however_old(store: Store, database_url: str, status: Status) -> None:
    id = await message(store, made(OLD), targets=2, status=status, due_at=NEVER)
    await Retention(store, KEPT).run()
    assert await of_message(database_url, id) == {**ALL, "targets": 2}


async def test_what_was_scheduled_long_before_stays_for_as_long_after_its_end(store: Store, database_url: str) -> None:
    id = await message(store, made(OLD), tm_update=clock.now() - YOUNG)
    await Retention(store, KEPT).run()
    assert await of_message(database_url, id) == ALL


async def test_what_is_still_to_be_told_keeps_its_message(store: Store, database_url: str) -> None:
    id = await message(store, made(OLD))
    await event(store, f"customer of {id[:13]}", made(0), id, is_due=True)
    await Retention(store, Policy(messages=10, events=10, traces=0)).run()
    left = await of_message(database_url, id)
    assert (left["messages"], left["targets"], left["segments"]) == (1, 1, 1)


async def test_zero_days_are_for_ever(store: Store, database_url: str) -> None:
    id = await message(store, made(3000 * DAY), tm_update=clock.now())
    removed = await Retention(store, Policy(0, 0, 0)).run()
    assert not removed
    assert await of_message(database_url, id) == ALL


async def test_events_have_days_of_their_own(store: Store, database_url: str) -> None:
    old, young = await message(store, made(OLD)), await message(store, made(YOUNG))
    owner = f"customer of {old[:13]}"
    await event(store, owner, waiting := made(OLD, 1), "", is_due=True)
    await event(store, owner, trial := made(OLD, 2), "")
    await Retention(store, Policy(messages=0, events=10, traces=0)).run()
    assert (await of_message(database_url, old)).keys() == {"messages", "targets", "segments", "traces"}
    assert await of_message(database_url, young) == ALL
    assert (await of_message(database_url, waiting)).keys() == {"events", "event_bodies", "event_attempts"}
    assert await of_message(database_url, trial) == {}


async def test_traces_have_days_of_their_own(store: Store) -> None:
    def row(days: int, n: int) -> dict[str, Any]:
        return {"id": made(days * DAY, n), "message_id": "m", "n": n, "body": b""}

    rows = [*(row(6, n) for n in range(3)), *(row(8, n) for n in range(250))]
    await store.write([Insert("insert_trace", rows)])
    removed = await Retention(store, Policy(messages=0, events=0, traces=7)).run()
    assert removed == {"traces": 250}
    assert len(await store.all("traces_of_message", message_id="m", first=0, end=1000)) == 3


KEEPS_A_TRACE = """
CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a row that is broken'; END $$;
CREATE TRIGGER keep BEFORE DELETE ON traces FOR EACH ROW EXECUTE FUNCTION keep();
"""


async def test_a_row_that_cannot_be_removed_does_not_keep_those_of_other_tables(postgres_server: str) -> None:
    url = postgres.new_database(postgres_server)
    store = await open_store(url)
    connection = await asyncpg.connect(url)
    await connection.execute(KEEPS_A_TRACE)
    await connection.close()
    try:
        await store.write([Insert("insert_trace", [{"id": made(OLD), "message_id": "m", "n": 0, "body": b""}])])
        await event(store, "c", made(OLD, 1), "")
        removed = await Retention(store, Policy(messages=0, events=10, traces=10)).run()
        assert removed == {"events": 1}
        assert len(await store.all("old_traces", behind="", before=made(0), count=9)) == 1
    finally:
        await store.close()


async def test_many_go_in_pieces_and_one_that_does_not_add_up_holds_up_nobody(store: Store, database_url: str) -> None:
    """Its targets are fewer than it says: another process is about to change them."""
    small = [await message(store, made(OLD, n)) for n in range(2 * retention.BATCH)]
    large = await message(store, made(OLD, 5000), targets=3 * retention.BATCH)
    odd = small[50]
    await store.run("remove_targets_of", id=odd)
    removed = await Retention(store, KEPT).run()
    assert removed["messages"] == 2 * retention.BATCH
    assert removed["segments"] == removed["messages"] + 1
    assert await of_message(database_url, large) == {}
    assert (await of_message(database_url, odd))["messages"] == 1


async def test_names_of_segments_go_when_their_target_is_at_rest_for_long(store: Store, database_url: str) -> None:
    month = retention.SEGMENTS_KEPT + DAY
    rested = await message(store, made(month))
    late = await message(store, made(month, 1), tm_update=clock.now() - DAY)
    sent = await message(store, made(month, 2), status=Status.SENT, due_at=NEVER)
    for _ in range(2):  # the walk is at its beginning again
        await Retention(store, Policy(0, 0, 0)).run()
    assert "segments" not in await of_message(database_url, rested)
    assert "segments" in await of_message(database_url, late)
    assert "segments" in await of_message(database_url, sent)


async def test_a_walk_over_segments_goes_on_where_the_last_one_ended(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "WALKED", 3)
    monkeypatch.setattr(retention, "MOST_WALKED", 6)
    for n in range(10):
        await message(store, made(OLD, n))
    walker = Retention(store, KEPT)
    removed = [(await walker.run())["segments"] for _ in range(3)]
    assert removed == [6, 4, 0]


async def test_one_node_does_it_for_all(store: Store) -> None:
    async def never() -> bool:
        return False

    await message(store, made(OLD))
    await Retention(store, KEPT, never).turn()
    assert len(await store.all("old_messages", behind="", before=made(0), count=9)) == 1
    await Retention(store, KEPT).turn()
    assert await store.all("old_messages", behind="", before=made(0), count=9) == []


# --- conversations and idempotency keys -------------------------------------------------


ANN, BEN = ids.new(), ids.new()


def thread(last: str, customer_id: str = ANN) -> Conversation:
    moment = ids.moment_of(last)
    return conversations.between(customer_id, "+1", f"+2{last}", moment, last_id=last, tm_last_message=moment)


async def threads(store: Store, customer_id: str = ANN) -> set[str]:
    rows = await store.all("conversations_page", customer_id=customer_id, before="g", count=1000)
    return {row.last_id for row in rows}


async def test_a_thread_goes_with_its_last_message(store: Store) -> None:
    old, young = [made(OLD, n) for n in range(retention.BATCH + 5)], made(YOUNG)
    given = [*map(thread, [*old, young]), thread(made(OLD), BEN), thread(young, BEN)]
    await store.write([Insert("open_conversation", given)])
    removed = await Retention(store, KEPT).run()
    assert removed["conversations"] == len(old) + 1
    assert await threads(store) == await threads(store, BEN) == {young}
    assert not await Retention(store, Policy(messages=0, events=0, traces=0)).run()


async def test_a_thread_stays_that_was_joined_since_it_was_looked_at(store: Store) -> None:
    old, now = thread(made(OLD)), {"last_id": ids.new(), "tm_last_message": clock.now()}
    await store.write([Insert("open_conversation", [old])])
    await store.many("join_conversation", [{"id": old.id, **now}])
    assert await store.change("remove_conversation", [old]) == 0
    assert await threads(store) == {now["last_id"]}


async def test_a_key_goes_after_a_day(store: Store) -> None:
    now = clock.now()
    ages = {f"old {n}": DAY + n for n in range(1, retention.BATCH + 5)} | {"young": DAY - 60_000_000}
    row = {"customer_id": "c", "fingerprint": b"f", "body": b"{}"}
    await store.write(
        [Insert("insert_idempotency_key", [{"key": key, **row, "tm_create": now - age} for key, age in ages.items()])]
    )
    removed = await Retention(store, Policy(messages=0, events=0, traces=0), now=lambda: now).run()
    assert removed["idempotency_keys"] == len(ages) - 1
    assert await store.one("idempotency_key", customer_id="c", key="young")
