"""No query walks a table that grows with the traffic, nor sorts what has no bound, however many rows there are."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import apsw
import asyncpg
import pytest

from messagehub.store import connection, open_store, postgres, queries
from messagehub.store.address import path_of
from messagehub.store.queries import Query
from tests.support import filling
from tests.support import postgres as server

GROWING = {
    "messages", "targets", "segments", "events", "event_bodies", "event_attempts", "traces", "parked_receipts",
    "inbound_seen", "inbound_parts", "conversations", "idempotency_keys", "expiries", "flows", "activeflows",
    "flow_answers", "opt_outs", "opt_out_events", "notices", "consents", "contacts", "limit_uses", "uploads",
    "media_links", "preparations",
}  # fmt: skip
COUNT = 20_000

WALKS = {
    "events_waiting": "along the index of those that wait, and no further than it is asked to count",
    "release_events": "at the start of a SQLite store, over those that wait",
    "events_set_back": "where the clock was set back, over those that wait",
    "release_activeflows": "likewise, over the flows that wait",
    "preparations_set_back": "likewise, over the messages that wait for their media",
    "activeflows_set_back": "where the clock was set back, over the flows that wait",
    "preparations_of_dead": "over the messages that nodes are at, some dozens of each",
    "limits_with_slots": "over the limits, all of which each process has in memory",
    "delete_limit_uses_of": "likewise, where a customer is deleted",
    "delete_limit_uses_for": "likewise, where a number or a carrier is",
    "forget_flow_answer": "a thousand at a time, over who was answered within some minutes",
    "forget_inbound_seen_here": "at the end of an exchange, over what came in within ten minutes",
}
"""Queries that may walk a growing table, and how far."""

SORTS = {
    "segments_by_name": "the few segments that one name of a carrier has",
    "parked_by_name": "the few receipts that wait for one name",
    "parked_page_by_name": "likewise",
    "traces_of_message": "the few traces of one message",
    "conversations_page_with": "the few threads that one person has, one for each number of a customer",
    "inbound_parts_of": "the few parts of one message",
}
"""Queries that may sort rows of a growing table, and why they are few. A sort that is incremental ends at its LIMIT."""


def rows_of(url: str) -> Any:
    return filling.fill(url, COUNT, "01a1fc1f-7857-7249-a4ad-eb274c35dae7", "k", waiting=COUNT // 50, is_told=False)


# --- SQLite -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('plans')}/hub.db"


async def test_on_sqlite(file: str) -> None:
    """It knows no statistics: nobody runs ANALYZE, so that a plan never changes while it serves."""
    await (await open_store(file)).close()
    db = apsw.Connection(path_of(file))
    db.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
    found = []
    for name, query in queries.load("sqlite").items():
        for sql, count in forms_of_sqlite(query):
            plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {sql}", (None,) * count)]
            found += [f"{name}: {step}" for step in plan if is_walk(name, step) or is_sort(name, step, plan)]
    db.close()
    assert not found, "\n".join(found)


async def test_on_sqlite_the_threads_of_one_person_are_found_by_who_that_is(file: str) -> None:
    """And not by a walk over all threads of the customer, which is no SCAN to the planner."""
    await (await open_store(file)).close()
    db = apsw.Connection(path_of(file))
    query = queries.load("sqlite")["conversations_page_with"]
    (sql, count), *_ = forms_of_sqlite(query)
    plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {sql}", (None,) * count)]
    db.close()
    assert any("conversations_peer" in step for step in plan), plan


def forms_of_sqlite(query: Query) -> list[tuple[str, int]]:
    """The SQL of one row and of several, and how many parameters each has."""
    single = connection.NUMBERED[query.name], len(query.names)
    if query.name not in connection.BATCHES or not query.names:
        return [single]
    return [single, (connection._batch(query.name, 2), 2 * len(query.names))]


def is_walk(name: str, step: str) -> bool:
    match = re.match(r"SCAN (\w+)", step)
    return bool(match and match[1] in GROWING and name not in WALKS)


def is_sort(name: str, step: str, plan: list[str]) -> bool:
    is_growing = any(table in GROWING for line in plan for table in re.findall(r"(?:SCAN|SEARCH) (\w+)", line))
    return "USE TEMP B-TREE FOR ORDER BY" in step and is_growing and name not in SORTS


# --- PostgreSQL -------------------------------------------------------------------------


@pytest.fixture
def database(postgres_server: str) -> str:
    return server.new_database(postgres_server)


@pytest.fixture
async def asking(database: str) -> AsyncIterator["asyncpg.Connection[Any]"]:
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


async def test_on_postgresql(database: str, asking: "asyncpg.Connection[Any]") -> None:
    """As the planner would have it, and as it is told to; a plan that suits the second only hides an index too few."""
    await (await open_store(database)).close()
    await rows_of(database)
    await asking.execute("ANALYZE")
    for told in ("RESET ALL", postgres.SESSION):
        await asking.execute(told)
        found = [f"{name}: {words}" for name, plan in await plans(asking) for words in complaints(name, plan)]
        assert not found, "\n".join(found)


async def test_on_postgresql_while_there_is_nothing_in_it(database: str, asking: "asyncpg.Connection[Any]") -> None:
    """A plan is kept while the table grows under it: what was best for no rows would be kept for a million."""
    await (await open_store(database)).close()
    await asking.execute(postgres.SESSION)
    found = [f"{name}: {words}" for name, plan in await plans(asking) for words in walks(name, plan)]
    assert not found, "\n".join(found)


async def test_a_connection_to_postgresql_is_told_so_for_all_its_life(database: str) -> None:
    store = await postgres.PostgresStore.open(database)
    for _ in range(2):
        async with store._pool.acquire() as connection:
            assert await connection.fetchval("SHOW enable_seqscan") == "off"
    await store.close()


async def plans(connection: "asyncpg.Connection[Any]") -> list[tuple[str, dict[str, Any]]]:
    """Of each form of each query that for any parameters, as a statement that is run for the sixth time may have."""
    await connection.execute("SET plan_cache_mode = force_generic_plan")
    return [
        (name, await plan_of(connection, sql, count))
        for name, query in queries.load("postgres").items()
        for sql, count in await forms(connection, query)
    ]


async def forms(connection: "asyncpg.Connection[Any]", query: Query) -> list[tuple[str, int]]:
    single = postgres.NUMBERED[query.name]
    types = [kind.name for kind in (await connection.prepare(single)).get_parameters()]
    of_many = [(postgres.batch_form(query, types), len(types))] if types else []
    return [(single, len(types)), *of_many]


async def plan_of(connection: "asyncpg.Connection[Any]", sql: str, count: int) -> dict[str, Any]:
    given = f"({', '.join(['NULL'] * count)})" if count else ""
    await connection.execute(f"PREPARE asked AS {sql}")
    (row,) = await connection.fetch(f"EXPLAIN (FORMAT JSON) EXECUTE asked{given}")
    await connection.execute("DEALLOCATE asked")
    plan: dict[str, Any] = json.loads(row[0])[0]["Plan"]
    return plan


def complaints(name: str, plan: dict[str, Any]) -> Iterator[str]:
    yield from walks(name, plan)
    for node in nodes(plan):
        if (
            node["Node Type"] == "Sort"
            and name not in SORTS
            and {each.get("Relation Name") for each in nodes(node)} & GROWING
        ):
            yield f"sorts by {node['Sort Key']}"


def walks(name: str, plan: dict[str, Any]) -> Iterator[str]:
    for node in nodes(plan):
        table = node.get("Relation Name")
        if node["Node Type"] == "Seq Scan" and table in GROWING and name not in WALKS:
            yield f"walks {table}"


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)
