"""No question about webhooks reads the whole of a table, however many events a customer has."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import asyncpg
import pytest

from messagehub import ids
from messagehub.store import open_store, queries
from messagehub.store.postgres import NUMBERED, SESSION, batch_form
from tests.support import postgres

SQL = Path(queries.FOLDER / "sql" / "webhooks.sql")
OWN = [name for name, query in queries.read(SQL).items() if not query.sql.startswith("INSERT")]
QUERIES = [name for name in OWN if "customers" not in queries.read(SQL)[name].sql] + ["claim_events", "claim_untried"]
MANY = 1000

EVENTS = 20_000
HALF = 500_000
NUMBERS = {
    "now": 1,
    "tm_after": 0,
    "due_at": 1,
    "lease": 2,
    "attempts": 1,
    "response_status": 200,
    "leased": 0,
    "tm_create": 1,
}
ARGS: dict[str, Any] = {
    **NUMBERS,
    "customer_id": "c1",
    "message_id": f"m{HALF}",
    "id": ids.first_of(HALF * 1000),
    "before": "~",
    "after": ids.first_of(0),
    "behind": ids.first_of(0),
    "since": 0,
    "step": 1,
    "tm_latest": 1,
    "until": 2**60,
    "first_type": "webhook_test",  # of which there is none
    "last_type": "webhook_test",
    "first_status": "",
    "last_status": "~",
    "status": "delivered",
    "error": "",
    "count": 100,
}
BOUND = 200
"""Rows that a question about a hundred events may touch. Those that go by the primary key alone are bounded by
`deliveries_floor`, which looks at as many as it is told to. What waits is looked through where a clock was set back."""

UNBOUNDED = {"deliveries_page", "events_set_back"}


# --- SQLite: the plan says it


@pytest.fixture
async def empty(tmp_path: Path) -> Any:
    store = await open_store(f"sqlite:///{tmp_path}/hub.db")
    await store.close()
    connection = apsw.Connection(f"{tmp_path}/hub.db")
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
    yield connection
    connection.close()


@pytest.mark.parametrize("name", QUERIES)
async def test_on_sqlite(empty: apsw.Connection, name: str) -> None:
    query = queries.load("sqlite")[name]
    sql = query.with_placeholders(lambda number, _: f"?{number}")
    steps = [str(row[-1]) for row in empty.execute(f"EXPLAIN QUERY PLAN {sql}", tuple(ARGS[n] for n in query.names))]
    for step in steps:
        assert "TEMP B-TREE" not in step, steps
        if step.startswith("SCAN event"):
            # All that waits: after a restart, and as many as are counted for the metrics.
            assert step.removesuffix(" events_due") in (
                "SCAN events USING INDEX",
                "SCAN events USING COVERING INDEX",
            ), steps


# --- PostgreSQL: as many rows are read as may be, of a table that it knows


FILL = """
INSERT INTO events (customer_id, id, message_id, type, status, attempts, attempts_before, due_at, leased,
    response_status, error, tm_create, tm_update)
SELECT 'c' || n % 2, substr(lpad(to_hex(n), 12, '0'), 1, 8) || '-' || substr(lpad(to_hex(n), 12, '0'), 9, 4)
    || '-7000-8000-000000000000', 'm' || n / 2, 'message_updated',
    CASE WHEN n % 1000 < 2 THEN 'failed' WHEN n % 1000 < 8 THEN 'pending' ELSE 'delivered' END, 1, 0,
    CASE WHEN n % 1000 BETWEEN 2 AND 7 THEN n END, 0, 200, '', n * 1000, n * 1000
FROM generate_series($1::int, $2::int) AS n
"""
BODIES = "INSERT INTO event_bodies (event_id, message_id, body) SELECT id, message_id, '' FROM events"


@pytest.fixture(scope="module")
def filled(postgres_server: str) -> str:
    return postgres.new_database(postgres_server)


async def connected(url: str) -> "asyncpg.Connection[Any]":
    store = await open_store(url)
    await store.close()
    connection = await asyncpg.connect(url)
    if not await connection.fetchval("SELECT EXISTS (SELECT 1 FROM events)"):
        await connection.execute(FILL, HALF - EVENTS, HALF + EVENTS)
        await connection.execute(BODIES)
        await connection.execute("VACUUM ANALYZE")
    return connection


def steps(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from steps(inner)


@pytest.mark.parametrize("name", sorted(set(QUERIES) - {"release_events"} - UNBOUNDED))
async def test_on_postgres(filled: str, name: str) -> None:
    query = queries.load("postgres")[name]
    sql = query.with_placeholders(lambda number, _: f"${number}")
    connection = await connected(filled)
    try:
        async with connection.transaction():
            args = [ARGS[name] for name in query.names]
            explained = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", *args)
    finally:
        await connection.close()
    for step in steps(json.loads(explained)[0]["Plan"]):
        assert step["Node Type"] != "Seq Scan" or step["Relation Name"] == "event_attempts", step
        touched = step["Actual Rows"] + sum(count for what, count in step.items() if what.startswith("Rows Removed"))
        assert touched * step["Actual Loops"] <= BOUND, step  # both are those of one loop


async def test_on_postgres_what_is_dropped_is_found_by_its_key_in_a_table_it_knows_nothing_of(
    postgres_server: str,
) -> None:
    url = postgres.new_database(postgres_server)
    await (await open_store(url)).close()
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(SESSION)
        await connection.execute(FILL, HALF, HALF + 5 * MANY)
        query, sql = queries.load("postgres")["drop_event"], NUMBERED["drop_event"]
        types = [kind.name for kind in (await connection.prepare(sql)).get_parameters()]
        rows = await connection.fetch("SELECT customer_id, id, 1::bigint AS now FROM events LIMIT $1", MANY)
        args = [[row[name] for row in rows] for name in query.names]
        explained = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {batch_form(query, types)}", *args)
    finally:
        await connection.close()
    for step in steps(json.loads(explained)[0]["Plan"]):
        touched = step["Actual Rows"] + sum(count for what, count in step.items() if what.startswith("Rows Removed"))
        assert touched * step["Actual Loops"] <= MANY, step
