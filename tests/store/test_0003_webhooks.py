"""The third migration takes along what a store of the first one holds."""

from typing import Any

import apsw
import asyncpg

from messagehub.clock import NEVER
from messagehub.store import open_store, schema
from messagehub.store.schema_postgres import translated

FIRST = next(migration.statements for migration in schema.migrations() if migration.version == 1)
ROWS = [
    "INSERT INTO customers VALUES ('c','customer','n','','','','','http://h.test/','POST','[]','[]','s','','resend',"
    f"1,2,{NEVER})",
    "INSERT INTO events VALUES ('e1','c','m1','message_updated','delivered',1,NULL,200,10,11)",
    "INSERT INTO events VALUES ('e2','c','m1','message_updated','failed',2,NULL,503,12,13)",
    "INSERT INTO events VALUES ('e3','c','m2','message_received','pending',0,99,0,14,14)",
    "INSERT INTO event_bodies VALUES ('e1','1')",
    "INSERT INTO event_bodies VALUES ('e2','2')",
    "INSERT INTO event_bodies VALUES ('e3','3')",
    "INSERT INTO event_attempts VALUES ('e2',1,0,'timeout',12)",
    "INSERT INTO event_attempts VALUES ('e2',2,503,'status',13)",
    "INSERT INTO migration VALUES (1)",
]
MIGRATION = "CREATE TABLE migration (version INTEGER PRIMARY KEY)"


async def as_it_was(database_url: str) -> None:
    if database_url.startswith("sqlite"):
        connection = apsw.Connection(database_url.removeprefix("sqlite:///"))
        for statement in [MIGRATION, *FIRST, *ROWS]:
            connection.execute(statement)
        connection.close()
    else:
        server = await asyncpg.connect(database_url)
        for statement in [MIGRATION, *map(translated, FIRST), *ROWS]:
            await server.execute(statement)
        await server.close()


async def test_events_keep_all_that_was_known_of_them(database_url: str) -> None:
    await as_it_was(database_url)
    store = await open_store(database_url)
    try:
        found: dict[str, Any] = {}
        for id in ("e1", "e2", "e3"):
            found[id] = await store.one("delivery_by_id", customer_id="c", id=id)
        # Written above as text, which SQLite keeps as such.
        one, two, three = "123" if database_url.startswith("sqlite") else (b"1", b"2", b"3")
        shown = [
            (row.id, row.message_id, row.status, row.attempts, row.due_at, row.error, row.body, row.leased)
            for row in found.values()
        ]
        assert shown == [
            ("e1", "m1", "delivered", 1, None, "", one, 0),
            ("e2", "m1", "failed", 2, None, "status", two, 0),
            ("e3", "m2", "pending", 0, 99, "", three, 0),
        ]
        customer = await store.one("customer_by_id", id="c")
        assert customer is not None
        assert (customer.webhook_secret, customer.webhook_secret_old, customer.webhook_error) == ("s", "", "")
        assert customer.tm_webhook_failing == customer.tm_webhook_recovered == customer.tm_webhook_secret_old == NEVER
    finally:
        await store.close()
