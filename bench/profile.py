"""Where the microseconds of a message go, by stage and module: a run on SQLite with a sampling profiler in the hub."""

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

SHOWN = 6
"""Modules of a stage."""


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


def _table(stages: dict[str, dict[str, float]], work: Work, figures: Figures) -> Table:
    total = sum(sum(modules.values()) for modules in stages.values())
    messages = max(figures.accepted, 1)
    title = f"{work.count:,} messages on SQLite, {figures.accept_per_s:,.0f} accepted/s while sampled"
    shown = Table("stage, and its modules with what they call in C", title=title)
    shown.add_column("µs/message", justify="right")
    shown.add_column("share", justify="right")

    def add(what: str, spent: float, style: str = "") -> None:
        shown.add_row(what, f"{1e6 * spent / messages:.1f}", f"{spent / max(total, 1e-9):.1%}", style=style)

    for stage, spent_in_all in _ranked({stage: sum(modules.values()) for stage, modules in stages.items()}):
        add(stage, spent_in_all, "bold")
        ranked = _ranked(stages[stage])
        for module, spent in ranked[:SHOWN]:
            add(f"  {module}", spent)
        if rest := sum(spent for _, spent in ranked[SHOWN:]):
            add("  others", rest)
    add("together", total, "bold")
    return shown


def _ranked(seconds: dict[str, float]) -> list[tuple[str, float]]:
    return sorted(seconds.items(), key=lambda item: -item[1])
