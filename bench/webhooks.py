"""How fast webhooks are delivered to one fast endpoint: our client, the same work by aiohttp, and the whole outbox."""

import sys
from statistics import median

import msgspec
from rich import box
from rich.table import Table

from bench import report
from bench.children import child, line
from bench.hooks import WAYS, Measured


def show(count: int, runs: int) -> int:
    """In turns, as a machine gets faster and slower over the minutes."""
    made: dict[str, list[Measured]] = {way: [] for way in WAYS}
    with child(["-m", "bench.hook_sink"]) as sink:
        url = f"http://127.0.0.1:{int(line(sink, 'the sink'))}/hook"
        for turn in range(runs):
            print(f"webhooks, run {turn + 1} of {runs}", file=sys.stderr, flush=True)
            for way, figures in made.items():
                figures.append(_measure(way, url, count))
    report.console().print(_table(made, count, runs))
    return 0


def _measure(way: str, url: str, count: int) -> Measured:
    with child(["-m", "bench.hooks", way, url, str(count)]) as process:
        return msgspec.json.decode(line(process, way), type=Measured)


def _table(made: dict[str, list[Measured]], count: int, runs: int) -> Table:
    title = f"{count:,} signed webhooks, 32 in flight, one process; medians of {runs} (least–most), {report.commit()}"
    shown = Table("by", title=title, box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("delivered\n/s", "CPU µs\neach", "/s of\none core"):
        shown.add_column(name, justify="right")
    for way, figures in made.items():
        cpu = [each.cpu_us for each in figures]
        cells = [
            report.spread([each.per_s for each in figures], ",.0f"),
            report.spread(cpu, ".1f"),
            f"{1e6 / median(cpu):,.0f}",
        ]
        shown.add_row(way, *cells)
    return shown
