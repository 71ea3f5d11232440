"""What the project wants to reach on two cores, beside what was measured: a row for each, with its ratio.

Three of them are measured here, besides the runs: many recipients in one request, a hub that has nothing to do, and
codes that are sent while a campaign waits.
"""

import http.client
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from statistics import median
from time import monotonic, sleep
from typing import NamedTuple
from urllib.parse import urlsplit

from msgspec.structs import replace
from rich import box
from rich.table import Table

from bench import report, urgent
from bench.children import Broken
from bench.database import Fresh
from bench.hub import SOURCE, call
from bench.report import Runs
from bench.run import FIRST, Cast, Figures, Work, staged
from bench.usage import cpu_s, resident_mb

RATE = 5_000
"""Messages per second at which the answers are timed."""

RECIPIENTS, REQUESTS, CONNECTIONS = 100, 500, 8
IDLE_S = 5.0


class Goal(NamedTuple):
    """`least`: more is better; otherwise less."""

    what: str
    value: float
    unit: str
    least: bool = True


END_TO_END: dict[str, float] = {"sqlite": 8_000, "postgres": 4_000}
TIMES = {"Kannel, all spooled": 3.0, "Kannel, in memory": 1.2, "Jasmin": 25.0}
"""How many times as fast as a peer the first of our stores is to be, from end to end."""
P99_MS, BULK, IDLE_CPU, IDLE_MB, URGENT_MS = 25, 30_000, 1, 80, 1_000


def table(runs: Runs, stores: dict[str, Fresh]) -> Table:
    shown = Table(title=f"goals on two cores, {report.commit()}", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("", "measured", "goal", "ratio"):
        shown.add_column(name, justify="left" if not name else "right")
    for goal, measured in [*_of_runs(runs), *_apart(next(iter(runs)), stores)]:
        ratio = measured / goal.value if goal.least else goal.value / max(measured, 1e-9)
        words = f"[bold red]{ratio:.2f}[/]" if ratio < 1 else f"{ratio:.2f}"
        bound = "≥" if goal.least else "≤"
        shown.add_row(goal.what, f"{measured:,.1f} {goal.unit}", f"{bound} {goal.value:,g} {goal.unit}", words)
    return shown


def _of_runs(runs: Runs) -> list[tuple[Goal, float]]:
    found = []
    ours = _middle(next(iter(runs.values())), lambda run: run.end_to_end_per_s)
    for work, made in runs.items():
        if work.store in TIMES:
            theirs = _middle(made, lambda run: run.end_to_end_per_s)
            found.append((Goal(f"end to end, beside {work.store}", TIMES[work.store], "×"), ours / theirs))
        elif not work.rate:
            goal = Goal(f"end to end, {work.store}", END_TO_END[work.store], "/s")
            found.append((goal, _middle(made, lambda run: run.end_to_end_per_s)))
        elif work.store == "sqlite":
            goal = Goal(f"p99 of the POST at {work.rate:,.0f}/s, {work.store}", P99_MS, "ms", least=False)
            found.append((goal, _middle(made, lambda run: run.post_p99_ms)))
    return found


def _middle(made: list[Figures], value: Callable[[Figures], float]) -> float:
    return median(value(run) for run in made)


def _apart(work: Work, stores: dict[str, Fresh]) -> list[tuple[Goal, float]]:
    found = []
    for store, fresh in stores.items():
        with staged(replace(work, front="auto"), fresh) as cast:  # as it is unless somebody asks for more
            cpu, mb = _idle(cast)
            found += [
                (Goal(f"CPU with nothing to do, {store}", IDLE_CPU, "% of a core", least=False), cpu),
                (Goal(f"memory with nothing to do, {store}", IDLE_MB, "MB", least=False), mb),
                (Goal(f"accepted, {RECIPIENTS} recipients a POST, {store}", BULK, "/s"), _bulk(cast)),
            ]
        for kind in urgent.KINDS:
            what = f"p99 to the submit of codes behind {urgent.CAMPAIGN:,}, {store}; the carrier {kind}"
            found.append((Goal(what, URGENT_MS, "ms", least=False), urgent.waits(fresh, kind).p99))
    return found


def _idle(cast: Cast) -> tuple[float, float]:
    sleep(1)  # what the start left to do
    pid = cast.hub.process.pid
    before = cpu_s(pid)
    sleep(IDLE_S)
    return 100 * (cpu_s(pid) - before) / IDLE_S, resident_mb(pid)


def _bulk(cast: Cast) -> float:
    """Targets per second, from the first request to the last answer. Nobody is told: only the accepting is measured."""
    call("PUT", f"{cast.hub.url}/customer", cast.accesskey, {"webhook_uri": ""})
    numbers = count(FIRST, RECIPIENTS)
    bodies = [_body(first) for _, first in zip(range(REQUESTS), numbers, strict=False)]
    shares = [bodies[n::CONNECTIONS] for n in range(CONNECTIONS)]
    begun = monotonic()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for done in [pool.submit(_post_all, cast, share) for share in shares]:
            done.result()
    return REQUESTS * RECIPIENTS / (monotonic() - begun)


def _body(first: int) -> bytes:
    to = [f"+{number}" for number in range(first, first + RECIPIENTS)]
    return json.dumps({"source": SOURCE, "destinations": to, "text": "0"}).encode()


def _post_all(cast: Cast, bodies: list[bytes]) -> None:
    url = urlsplit(cast.hub.url)
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=60)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {cast.accesskey}"}
    for body in bodies:
        connection.request("POST", f"{url.path}/messages", body, headers)
        with connection.getresponse() as answer:
            words = answer.read()
            if answer.status != http.client.OK:
                raise Broken(f"POST /messages: {answer.status} {words.decode(errors='replace')}")
    connection.close()
