"""Whether the hub is as fast with many messages in its store as with few: `python -m bench flat`.

The same run against a store with few rows, with many, and with many endpoints that fail; what is slower than by
LIMIT is marked.
"""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

from rich import box
from rich.table import Table

from bench import report
from bench.database import Fresh
from bench.hub import call
from bench.run import Cast, Figures, Work, run
from bench.usage import peak_resident_mb
from messagehub import clock, ids
from messagehub.clock import NEVER
from messagehub.store import open_store
from messagehub.store.sides import Side, side_of
from tests.support import filling

FEW, MANY, FULL = 10_000, 1_000_000, 10_000_000
ENDPOINTS = 10_000
ASKED = 40
LIMIT = 1.3
MEMORY_MB = 100
REFUSED = "http://127.0.0.1:9/hook"


class Asked(NamedTuple):
    """Milliseconds, the least of ASKED: what else the machine does is not to be measured."""

    claim: float
    first_page: float
    deep_page: float
    by_destination: float
    by_source: float
    by_time: float


class Filled:
    """The store of a run, with rows in it, and how long it takes to look at them."""

    def __init__(self, fresh: Fresh, count: int, endpoints: int) -> None:
        self._fresh, self._count, self._endpoints = fresh, count, endpoints
        self._url = ""
        self.asked: Asked
        self.before_mb = 0.0

    def fresh(self, folder: Path) -> str:
        self._url = self._fresh(folder)
        return self._url

    def before(self, cast: Cast) -> None:
        customer = call("GET", f"{cast.hub.url}/customer", cast.accesskey)["id"]
        carrier = asyncio.run(self._fill(customer))
        claim = asyncio.run(_claim_ms(self._url, carrier))
        self.asked = Asked(claim, *(_ask_ms(cast, query) for query in _queries(self._count)))
        self.before_mb = peak_resident_mb(cast.hub.process.pid)

    async def _fill(self, customer_id: str) -> str:
        """Half of the messages are queued, for later; the id of the carrier for which they are."""
        side = await side_of(self._url)
        carriers = (await side.tables())["carriers"]
        (row,) = await side.rows(carriers, None, 1)
        carrier_id = str(carriers.key_of(row)[0])
        await filling.fill(self._url, self._count, customer_id, carrier_id, self._count // 2, is_kept=False)
        if self._endpoints:
            await _fail_endpoints(side, customer_id, self._endpoints)
        await side.close()
        if self._url.startswith("postgresql"):
            await _analyze(self._url)
        return carrier_id


async def _analyze(url: str) -> None:
    """As autovacuum does sooner or later."""
    import asyncpg

    connection = await asyncpg.connect(url)
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


async def _fail_endpoints(side: Side, like: str, count: int) -> None:
    """Customers whose endpoint takes nothing, each with an event that is tried again in an hour."""
    tables = await side.tables()
    customers = tables["customers"]
    rows = await side.rows(customers, None, 1000)
    of = next(dict(zip(customers.columns, row, strict=True)) for row in rows if customers.key_of(row)[0] == like)
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    of |= {"webhook_uri": REFUSED, "webhook_secret": secret, "webhook_secret_old": "", "tm_delete": NEVER}
    of |= {"webhook_error": "refused", "tm_webhook_failing": clock.now()}
    made = [ids.new() for _ in range(count)]
    new = [tuple((of | {"id": id}).values()) for id in made]
    await side.replace(customers._replace(columns=tuple(of)), [], new)
    now = clock.now()
    event = {"message_id": "", "type": "message_updated", "status": "pending", "attempts": 3, "attempts_before": 0}
    more = {
        "due_at": now + 3600 * clock.SECOND,
        "leased": 0,
        "response_status": 0,
        "error": "",
        "tm_create": now,
        "tm_update": now,
    }
    events = [{"customer_id": id, "id": id, **event, **more} for id in made]
    await side.replace(
        tables["events"]._replace(columns=tuple(events[0])), [], [tuple(each.values()) for each in events]
    )
    bodies = tables["event_bodies"]._replace(columns=("event_id", "message_id", "body"))
    await side.replace(bodies, [], [(id, "", b"{}") for id in made])


async def _claim_ms(url: str, carrier_id: str) -> float:
    store = await open_store(url)
    try:
        return await _least_ms(lambda: store.all("claim_targets", carrier_id=carrier_id, lane=0, now=NEVER, count=100))
    finally:
        await store.close()


async def _least_ms(ask: Callable[[], Any]) -> float:
    took = []
    for _ in range(ASKED):
        begun = perf_counter()
        await ask()
        took.append(1000 * (perf_counter() - begun))
    return min(took)


def _queries(count: int) -> list[str]:
    """The first page, one in the middle, and those of each filter."""
    now = clock.now()
    middle = clock.plain(now - filling.MONTH // 2).replace(" ", "%20")
    day = clock.plain(now - filling.MONTH // 2 - filling.MONTH // 30).replace(" ", "%20")
    number, source = (text.replace("+", "%2B") for text in (filling.destination(count // 3, count), filling.SOURCE))
    return [
        "page_size=100",
        f"page_size=100&tm_create_to={middle}",
        f"destination={number}",
        f"page_size=100&source={source}",
        f"page_size=100&tm_create_from={day}&tm_create_to={middle}",
    ]


def _ask_ms(cast: Cast, query: str) -> float:
    took = []
    for _ in range(ASKED):
        begun = perf_counter()
        call("GET", f"{cast.hub.url}/messages?{query}", cast.accesskey)
        took.append(1000 * (perf_counter() - begun))
    return min(took)


# --- showing ----------------------------------------------------------------------------

Cell = tuple[Filled, Figures]
SHOWN: dict[str, tuple[Callable[[Cell], float], bool]] = {
    "accepted /s": (lambda cell: cell[1].accept_per_s, True),
    "end to end /s": (lambda cell: cell[1].end_to_end_per_s, True),
    "hub CPU ms/message": (lambda cell: cell[1].hub_cpu_ms, False),
    "claim of 100, ms": (lambda cell: cell[0].asked.claim, False),
    "first page, ms": (lambda cell: cell[0].asked.first_page, False),
    "deep page, ms": (lambda cell: cell[0].asked.deep_page, False),
    "by destination, ms": (lambda cell: cell[0].asked.by_destination, False),
    "by source, ms": (lambda cell: cell[0].asked.by_source, False),
    "by time, ms": (lambda cell: cell[0].asked.by_time, False),
    "hub peak MB": (lambda cell: cell[1].hub_peak_mb, False),
}
"""Of each run; whether more is better."""


def show(stores: dict[str, Fresh], work: Callable[[str], Work], full: bool) -> int:
    kinds = {f"{FEW:,}": (FEW, 0), f"{MANY:,}": (MANY, 0), f"{ENDPOINTS:,} failing endpoints": (FEW, ENDPOINTS)}
    if full:
        kinds[f"{FULL:,}"] = (FULL, 0)
    worse = 0
    for store, fresh in stores.items():
        cells = {}
        for name, (count, endpoints) in kinds.items():
            print(f"{store}, {name}", file=sys.stderr, flush=True)
            filled = Filled(fresh, count, endpoints)
            cells[name] = filled, run(work(store), filled.fresh, before=filled.before)
        table, found = _table(store, cells)
        report.console().print(table)
        worse += found
    return 1 if worse else 0


def _table(store: str, cells: dict[str, Cell]) -> tuple[Table, int]:
    title = f"{store}: with so many messages in it, half of them queued; {report.commit()}"
    shown, worse = Table("", title=title, box=box.SIMPLE_HEAD, pad_edge=False), 0
    for name in cells:
        shown.add_column(name, justify="right")
    few = next(iter(cells.values()))
    for what, (value, more_is_better) in SHOWN.items():
        row = []
        for cell in cells.values():
            ratio = value(few) / value(cell) if more_is_better else value(cell) / value(few)
            is_worse = value(cell) - value(few) > MEMORY_MB if "MB" in what else ratio > LIMIT
            worse += is_worse
            words = f"{value(cell):,.2f}" if value(cell) < 100 else f"{value(cell):,.0f}"
            row.append(f"[bold red]{words}[/]" if is_worse else words)
        shown.add_row(what, *row)
    return shown, worse
