"""One suite for all stores: every verb, and every named query, means the same on each."""

import asyncio
from typing import Any

import apsw
import asyncpg
import pytest

from messagehub.clock import NEVER
from messagehub.errors import Conflict, Refusal, RolledBack, SettingError, StoreError
from messagehub.store import Insert, Store, Tx, open_store, queries


@pytest.fixture(params=("sqlite", "beside", "postgres"))
def kind(request: pytest.FixtureRequest) -> str:
    """SQLite with a thread that writes, and with a process."""
    kind: str = request.param
    return kind


def route(id: str, **other: Any) -> dict[str, Any]:
    row = {"name": "r", "prefix": "", "carrier_id": "c", "priority": 1, "weight": 1, "customer_id": ""}
    return {**row, "id": id, "tm_create": 1, "tm_update": 1, "tm_delete": NEVER, **other}


def number(id: str, number: str) -> dict[str, Any]:
    row = {"customer_id": "c", "name": "", "detail": "", "message_flow_id": "", "registered_in": "", "keywords": ""}
    row |= {"sender_group": "", "ignored_keywords": "[]", "opt_out_replies": "{}"}
    return {**row, "id": id, "number": number, "tm_create": 1, "tm_update": 1, "tm_delete": NEVER}


async def ids(store: Tx) -> list[str]:
    return [row.id for row in await store.all("live_routes")]


async def test_a_row_comes_back_as_it_was_written(store: Store) -> None:
    given = route("a", name="ütf ✓ 👋", prefix="+44", priority=2**40)
    await store.write([Insert("insert_route", [given])])
    row = await store.one("route_by_id", id="a")
    assert row is not None
    assert row._asdict() == given


async def test_one_of_nothing_is_none_and_all_of_nothing_is_empty(store: Store) -> None:
    assert await store.one("route_by_id", id="a") is None
    assert await store.all("live_routes") == []
    assert await store.many("route_by_id", []) == []


async def test_text_sorts_by_its_octets(store: Store) -> None:
    await store.write([Insert("insert_route", [route(id) for id in ("b", "B", "a-", "a", "é", "Z")])])
    assert await ids(store) == ["B", "Z", "a", "a-", "b", "é"]


async def test_writes_that_wait_are_committed_together_and_each_is_answered(store: Store) -> None:
    await asyncio.gather(*(store.write([Insert("insert_route", [route(f"{n:03}")])]) for n in range(200)))
    assert await ids(store) == [f"{n:03}" for n in range(200)]


async def test_nobody_pays_for_anothers_row(store: Store) -> None:
    await store.write([Insert("insert_route", [route("a")])])
    given = [store.write([Insert("insert_route", [route(id)])]) for id in ("b", "a", "c")]
    answers = await asyncio.gather(*given, return_exceptions=True)
    assert [type(answer) for answer in answers] == [type(None), Conflict, type(None)]
    assert await ids(store) == ["a", "b", "c"]


async def test_a_transaction_returns_what_its_unit_returns(store: Store) -> None:
    async def unit(tx: Tx) -> list[str]:
        await tx.run("insert_route", **route("a"))
        await tx.many("insert_route", [route("b"), route("c")])
        return await ids(tx)

    assert await store.transaction(unit) == ["a", "b", "c"]
    assert await ids(store) == ["a", "b", "c"]


async def test_a_transaction_that_fails_writes_nothing(store: Store) -> None:
    async def unit(tx: Tx) -> None:
        await tx.run("insert_route", **route("a"))
        raise LookupError("no")

    with pytest.raises(LookupError, match="no"):
        await store.transaction(unit)
    assert await ids(store) == []


async def test_transactions_side_by_side_lose_no_count(store: Store) -> None:
    await store.write([Insert("insert_message", [message("m")])])

    async def unit(tx: Tx) -> None:
        await tx.many("count_message", [{"id": "m", "waiting": -1, "sent": 1, "delivered": 0, "steps": 1, "now": 2}])

    await asyncio.gather(*(store.transaction(unit) for _ in range(20)))
    row = await store.one("message_by_id", id="m", customer_id="c")
    assert row is not None
    assert (row.waiting_count, row.sent_count, row.sequence) == (80, 20, 20)


async def test_a_change_counts_the_rows_that_it_changed(store: Store) -> None:
    await store.write([Insert("insert_target", [target("m", n) for n in range(3)])])
    hand = [{"message_id": "m", "n": n, "due_at": 5, "holder": "h", "parts": 1, "attempts": 1} for n in (0, 2, 7)]
    assert await store.change("hand_target", hand) == 2
    assert await store.change("hand_target", hand) == 0
    rows = await store.all("targets_of_message", message_id="m", first=0, end=9)
    assert [row.status for row in rows] == ["handed", "queued", "handed"]


async def test_a_unit_that_is_overtaken_again_and_again_is_put_off_and_writes_nothing(store: Store) -> None:
    hand = [{"message_id": "m", "n": 0, "due_at": 5, "holder": "h", "parts": 1, "attempts": 1}]

    async def unit(tx: Tx) -> None:
        await tx.run("insert_route", **route("taken back"))
        await tx.expect("hand_target", hand)

    with pytest.raises(RolledBack, match="rolled back 5 times in favour of other transactions"):
        await store.transaction(unit)
    with pytest.raises(RolledBack):
        await store.expect("hand_target", hand)
    assert await ids(store) == []


async def test_many_selects_return_the_rows_of_all(store: Store) -> None:
    await store.write([Insert("insert_target", [target("m", n) for n in range(5)])])
    rows = await store.many(
        "targets_of_message", [{"message_id": "m", "first": first, "end": first + 2} for first in (0, 3)]
    )
    assert sorted(row.n for row in rows) == [0, 1, 3, 4]


async def test_many_deletes(store: Store) -> None:
    parked = {"carrier_id": "c", "carrier_message_id": "1", "body": "{}", "due_at": 1, "tm_create": 1}
    await store.write([Insert("park_receipt", [{"id": id, **parked} for id in "abc"])])
    await store.many("unpark", [{"id": "a"}, {"id": "c"}])
    assert [row.id for row in await store.all("parked_due", now=1, count=9)] == ["b"]


async def test_an_insert_on_conflict_does_nothing(store: Store) -> None:
    row = {"carrier_id": "c", "carrier_message_id": "1", "message_id": "m", "n": 0, "part": 0, "retry": 0}
    await store.write([Insert("insert_segment", [row, row])])
    await store.write([Insert("insert_segment", [row])])
    assert await store.many("segments_by_name", [{"carrier_id": "c", "carrier_message_id": "1"}]) == []


async def test_a_number_has_one_owner_until_it_is_deleted(store: Store) -> None:
    await store.write([Insert("insert_number", [number("a", "+1")])])
    with pytest.raises(Conflict):
        await store.write([Insert("insert_number", [number("b", "+1")])])
    await store.run("delete_number", id="a", now=5)
    await store.write([Insert("insert_number", [number("b", "+1")])])


async def test_the_schema_guards_the_statuses(store: Store) -> None:
    with pytest.raises(StoreError):
        await store.write([Insert("insert_target", [target("m", 0, status="lost")])])
    with pytest.raises(StoreError):
        await store.write([Insert("insert_target", [target("m", 0, due_at=None)])])


async def test_a_listener_hears_its_topic_only(store: Store) -> None:
    heard = []
    stop = store.listen("a", lambda: heard.append("a"))
    store.notify("a")
    store.notify("b")
    assert heard[:1] == ["a"]
    assert "b" not in heard
    stop()


@pytest.mark.parametrize("batch", [False, True])
async def test_every_query_is_understood(store: Store, batch: bool) -> None:
    for name, query in queries.load(type(store).__name__.removesuffix("Store").lower()).items():
        args = {
            key: VALUES.get((name, key), VALUES.get(key, 1 if key.startswith("tm_") else "x")) for key in query.names
        }

        async def unit(tx: Tx, name: str = name, args: dict[str, Any] = args) -> None:
            await (tx.many(name, [args]) if batch else tx.all(name, **args))
            raise Undo

        if args or not batch:
            with pytest.raises(Undo):
                await store.transaction(unit)


class Undo(Exception):
    """Ends a transaction with nothing written."""


NUMBERS = (
    "n tm_create tm_update tm_delete tm_expire tm_lease priority weight disabled target_count waiting_count sent_count "
    "delivered_count sequence parts lane due_at attempts doubts possible_duplicate count now part first end "
    "waiting sent delivered sweeps reference width total response_status lease until attempt tm_before steps bound "
    "late tm_last_use data_coding udhi leased attempts_before since since_day tm_webhook_failing tm_webhook_recovered "
    "tm_webhook_secret_old tm_said tm_again tm_given tm_withdraw seen_sequence "
    "smart_encoding overdue step retries retry works slot unread_count rate "
    "per_day free_at again_at last_at day_ends used sticky prefer_country most version is_waiting size since_day"
)
OPT_OUTS = ("update_opt_out", "insert_opt_out_event", "opt_outs_in_force", "opt_outs_page", "opt_outs_page_of_scope")
VALUES: dict[Any, Any] = {
    **dict.fromkeys(NUMBERS.split(), 1),
    "body": b"",
    ("park_receipt", "body"): "",
    "fingerprint": b"",
    ("insert_trial", "status"): "delivered",
    ("insert_activeflow", "status"): "running",
    ("update_activeflow", "status"): "ended",
    ("update_activeflow", "is_waiting"): 0,
    "octets": None,
    "scope": "number",
    "applies": "sending",
    "alphanumeric": "no",
    "set_by": "operator",
    ("bring_held_forward", "seen"): 1,
    ("put_off_preparation", "seen"): 1,
    ("claim_preparations", "share"): 1,
    ("preparation_due", "share"): 1,
    "role": "customer",
    "direction": "inbound",
    "status": "queued",
    "on_doubt": "hold",
    "trace": "all",
    **{(name, "status"): "opted_out" for name in OPT_OUTS},
    "source": "keyword",
}


def message(id: str) -> dict[str, Any]:
    counts = {"target_count": 100, "waiting_count": 100, "sent_count": 0, "delivered_count": 0, "sequence": 0}
    words = {"source": "+1", "source_detail": "", "destination": "", "text": "t", "octets": None, "on_doubt": ""}
    words |= {"options": None}
    times = {"tm_create": 1, "tm_update": 1, "tm_delete": NEVER}
    return {"id": id, "customer_id": "c", "direction": "outbound", **words, **counts, **times}


def target(message_id: str, n: int, **other: Any) -> dict[str, Any]:
    words = {"destination": "+1", "destination_detail": "", "error_code": "", "error_message": "", "receipts": ""}
    numbers = {"parts": 1, "lane": 0, "attempts": 0, "doubts": 0, "possible_duplicate": 0, "sequence": 0}
    row = {"customer_id": "c", "carrier_id": "k", "holder": "", "status": "queued", "due_at": 1, "tm_update": NEVER}
    row["own_source"] = None
    return {"message_id": message_id, "n": n, **words, **numbers, **row, **other}


async def test_a_refusal_takes_back_what_its_unit_wrote_and_nothing_else(store: Store) -> None:
    async def refuses(tx: Tx) -> None:
        await tx.run("insert_route", **route("refused"))
        raise Refusal("STATE_INVALID", "no")

    async def works(tx: Tx) -> None:
        await tx.run("insert_route", **route("kept"))

    written = [store.write([Insert("insert_route", [route(f"{n}")])]) for n in range(5)]
    answers = await asyncio.gather(
        *written, store.transaction(refuses), store.transaction(works), return_exceptions=True
    )
    assert [type(answer) for answer in answers] == [type(None)] * 5 + [Refusal, type(None)]
    assert await ids(store) == ["0", "1", "2", "3", "4", "kept"]


async def test_an_error_of_any_kind_ends_no_writer(store: Store) -> None:
    with pytest.raises(KeyError):
        await store.write([Insert("insert_route", [{"id": "a"}])])
    await store.write([Insert("insert_route", [route("b")])])
    assert await ids(store) == ["b"]


async def test_a_new_password_is_told_from_the_one_before_at_the_same_moment(store: Store) -> None:
    customer = dict.fromkeys(("name", "detail", "email", "phone_number", "address", "webhook_uri"), "")
    row_of = {"role": "customer", "webhook_disabled": "", "on_doubt": "hold", "trace": "all", "smart_encoding": 0}
    row_of |= {"manners": "{}"}
    hook = {"webhook_method": "POST", "webhook_events": "[]", "webhook_statuses": "[]", "webhook_secret": ""}
    hook |= {"webhook_error": "", "webhook_secret_old": ""}
    times = {"tm_create": 5, "tm_update": NEVER, "tm_delete": NEVER}
    times |= dict.fromkeys(("tm_webhook_failing", "tm_webhook_recovered", "tm_webhook_secret_old"), NEVER)
    row = {**customer, **hook, **times, **row_of, "id": "c"}
    login = {"id": "l", "username": "anne", "customer_id": "c", "password_hash": "a", "tm_create": 5}
    await store.write([Insert("insert_customer", [row]), Insert("insert_login", [login])])
    seen = []
    for now in (5, 5, 9, 7):
        await store.run("change_password", username="anne", password_hash="b", now=now)
        found = await store.one("login_by_username", username="anne")
        seen.append(found and found.tm_password)
    assert seen == [6, 7, 9, 10]


async def test_a_store_that_a_newer_version_has_used_is_not_opened(database_url: str) -> None:
    store = await open_store(database_url)
    await store.close()
    await unknown_migration(database_url)
    with pytest.raises(SettingError, match="used by a newer version \\(migration 9999\\)"):
        await open_store(database_url)


async def unknown_migration(url: str) -> None:
    statement = "INSERT INTO migration (version) VALUES (9999)"
    if url.startswith("sqlite"):
        apsw.Connection(url.removeprefix("sqlite:///")).execute(statement)
    else:
        connection = await asyncpg.connect(url)
        await connection.execute(statement)
        await connection.close()
