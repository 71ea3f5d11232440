"""Where the microseconds of a message go, by module: a run on SQLite with a sampling profiler in the hub."""

import json
import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.table import Table

from bench import report
from bench.database import sqlite
from bench.run import Cast, Figures, Work, run

SHOWN = 30


def show(work: Work) -> int:
    with _file() as file:
        figures = run(work, sqlite, ["-m", "bench.profiled", str(file)], _start_sampling)
        seconds = json.loads(file.read_text())
    report.console().print(_table(seconds, work, figures))
    if words := report.complaint(work, figures):
        report.console(stderr=True).print(f"WRONG: {words}", style="bold red")
    return 0 if figures.sound else 1


@contextmanager
def _file() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="messagehub-profile-") as folder:
        yield Path(folder) / "seconds.json"


def _start_sampling(cast: Cast) -> None:
    os.kill(cast.hub.process.pid, signal.SIGUSR1)


def _table(seconds: dict[str, float], work: Work, figures: Figures) -> Table:
    total, messages = sum(seconds.values()), max(figures.accepted, 1)
    title = f"{work.count:,} messages on SQLite, {figures.accept_per_s:,.0f} accepted/s while sampled"
    shown = Table("module, with what it calls in C", title=title)
    shown.add_column("µs/message", justify="right")
    shown.add_column("share", justify="right")
    ranked = sorted(seconds.items(), key=lambda item: -item[1])
    rest = sum(spent for _, spent in ranked[SHOWN:])
    for module, spent in [*ranked[:SHOWN], ("all others", rest), ("together", total)]:
        shown.add_row(module, f"{1e6 * spent / messages:.1f}", f"{spent / max(total, 1e-9):.1%}")
    return shown
