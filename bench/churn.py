"""Whether a store grows while as much is removed from it as comes in: `python -m bench churn`.

Each round is a month in fast motion: its messages are written, and those of the month before are removed by the hub's
own retention. After a few rounds the store is as large as it should ever be.
"""

import asyncio
import tempfile
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import apsw
import asyncpg
from rich import box
from rich.table import Table

from bench import report
from bench.database import Fresh
from messagehub import clock, ids
from messagehub.messages.reading import LAST_ID
from messagehub.messages.retention import Policy, Retention
from messagehub.store import Store, open_store
from tests.support.filling import MONTH, fill

ROUNDS = 10
SETTLED = slice(2, 4)
"""The rounds with which the last two are compared. Until then the store fills; a server clears up in every other."""
LIMIT = 1.3
DAYS = 30.0


class Round(NamedTuple):
    megabytes: float
    removed: int
    removed_per_s: float
    first_page_ms: float


def show(stores: dict[str, Fresh], count: int) -> int:
    worse = 0
    for name, fresh in stores.items():
        with tempfile.TemporaryDirectory(prefix="messagehub-churn-") as folder:
            rounds = asyncio.run(_rounds(fresh(Path(folder)), count))
        ratio = _largest(rounds[-2:]) / _largest(rounds[SETTLED])
        worse += ratio > LIMIT
        report.console().print(_table(f"{name}: {count:,} messages a round; {report.commit()}", rounds))
        report.console().print(f"The last two rounds against the third and fourth: {ratio:.2f} times as large.\n")
    return 1 if worse else 0


def _largest(rounds: list[Round]) -> float:
    return max(each.megabytes for each in rounds)


async def _rounds(url: str, count: int) -> list[Round]:
    store = await open_store(url)
    try:
        begun, customer_id, carrier_id = clock.now(), ids.new(), ids.new()
        rounds = []
        for number in range(ROUNDS):
            now = begun + number * MONTH
            await fill(url, count, customer_id, carrier_id, now=now, is_kept=False)
            rounds.append(await _round(store, url, customer_id, now))
        return rounds
    finally:
        await store.close()


async def _round(store: Store, url: str, customer_id: str, now: int) -> Round:
    retention = Retention(store, Policy(DAYS, DAYS, DAYS), now=lambda: now)
    begun = perf_counter()
    removed = (await retention.run())["messages"]
    took = perf_counter() - begun
    megabytes = await _megabytes(url)
    begun = perf_counter()
    await store.all("messages_page", customer_id=customer_id, direction="outbound", before=LAST_ID, after="", count=100)
    return Round(megabytes, removed, removed / took, 1000 * (perf_counter() - begun))


async def _megabytes(url: str) -> float:
    """All tables and indexes, after what a server does by itself sooner or later."""
    if url.startswith("sqlite"):
        with apsw.Connection(url.removeprefix("sqlite:///"), apsw.SQLITE_OPEN_READONLY) as file:
            return float(file.pragma("page_count") * file.pragma("page_size")) / 1e6
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("VACUUM ANALYZE")
        return float(await connection.fetchval("SELECT pg_database_size(current_database())")) / 1e6
    finally:
        await connection.close()


def _table(title: str, rounds: list[Round]) -> Table:
    shown = Table(title=title, box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("round", "MB", "messages removed", "removed /s", "first page, ms"):
        shown.add_column(name, justify="right")
    for number, one in enumerate(rounds, 1):
        cells = (one.megabytes, one.removed, one.removed_per_s)
        shown.add_row(str(number), *(f"{cell:,.0f}" for cell in cells), f"{one.first_page_ms:.1f}")
    return shown
