"""What is shown of the runs, and what is kept of them."""

import subprocess
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache
from statistics import median

import msgspec
from rich import box
from rich.console import Console
from rich.table import Table

from bench.children import ROOT
from bench.run import Figures, Work

HISTORY = ROOT / "bench" / "history.jsonl"
NARROWEST = 120
"""Columns of a terminal that is none: a table in a log is not to be folded."""

MEASURED: dict[str, tuple[Callable[[Figures], float], str]] = {
    "accepted\n/s": (lambda run: run.accept_per_s, ",.0f"),
    "end to end\n/s": (lambda run: run.end_to_end_per_s, ",.0f"),
    "POST p50\nms": (lambda run: run.post_p50_ms, ".1f"),
    "POST p99\nms": (lambda run: run.post_p99_ms, ".1f"),
    "hub CPU ms\n/message": (lambda run: run.hub_cpu_ms, ".3f"),
    "hub peak\nMB": (lambda run: run.hub_peak_mb, ".0f"),
}
SUMMED: dict[str, Callable[[Figures], int]] = {
    "lost": lambda run: run.lost,
    "duplicates": lambda run: run.duplicates,
}

Runs = dict[Work, list[Figures]]


def console(stderr: bool = False) -> Console:
    shown = Console(stderr=stderr)
    return shown if shown.is_terminal else Console(stderr=stderr, width=NARROWEST)


def table(runs: Runs) -> Table:
    """A row for each kind of work: the medians, and the least and the most below."""
    work, made = next(iter(runs.items()))
    title = f"messages from connections, window {work.window}, medians of {len(made)} (least–most), {commit()}"
    shown = Table(title=title, box=box.SIMPLE_HEAD, pad_edge=False)
    shown.add_column("store", no_wrap=True)
    for name in (*MEASURED, *SUMMED):
        shown.add_column(name, justify="right")
    for work, figures in runs.items():
        cells = [spread([value(run) for run in figures], form) for value, form in MEASURED.values()]
        sums = [_alarming(sum(value(run) for run in figures)) for value in SUMMED.values()]
        shown.add_row(_named(work), *cells, *sums)
    return shown


def _named(work: Work) -> str:
    how = f"at {work.rate:,.0f}/s" if work.rate else "flat out"
    return f"{work.store}\n{work.count:,} from {work.connections}, {how}"


def spread(values: Sequence[float], form: str) -> str:
    middle, least, most = (format(value, form) for value in (median(values), min(values), max(values)))
    return f"{middle}\n{least}–{most}" if len(values) > 1 else middle


def _alarming(count: int) -> str:
    return f"[bold red]{count:,}[/]" if count else "0"


def complaint(work: Work, run: Figures) -> str:
    """What went wrong in a run, or nothing."""
    wrong = {
        "accepted, never submitted": run.never_submitted,
        "submitted, never called back": run.never_called_back,
        "not delivered": run.undelivered,
        "submitted again": run.submitted_again,
        "called back again": run.called_back_again,
        "submitted, though not accepted": run.submitted_unaccepted,
        **{f"answered {status}": count for status, count in run.refused.items()},
    }
    said = ", ".join(f"{count:,} {words}" for words, count in wrong.items() if count)
    return "" if run.sound else f"{work.store}: of {work.count:,} messages {said or 'none was accepted'}"


def keep(work: Work, run: Figures) -> None:
    """One line for each run, so that a commit can be compared with another."""
    made = {"date": datetime.now(UTC).isoformat(timespec="seconds"), "commit": commit()}
    values = {**made, **msgspec.to_builtins(work), **msgspec.to_builtins(run)}
    rounded = {name: round(value, 3) if isinstance(value, float) else value for name, value in values.items()}
    with HISTORY.open("ab") as history:
        history.write(msgspec.json.encode(rounded) + b"\n")


@cache
def commit() -> str:
    """The commit that is measured, with a `+` where files differ from it."""
    hashed = _git("rev-parse", "--short", "HEAD")
    return hashed + "+" * bool(_git("status", "--porcelain", "--untracked-files=no", "src")) or "no commit"


def _git(*words: str) -> str:
    """Nothing where there is no repository, as in an unpacked archive."""
    command = ["git", "--no-optional-locks", *words]
    try:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
