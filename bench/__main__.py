"""The command line: `python -m bench` measures, `python -m bench profile` shows where the time goes.

`python -m bench webhooks` and `python -m bench smpp` measure the delivery of webhooks, and smpp/, alone;
`python -m bench features` says what each feature costs an accepted message, and nothing else;
`python -m bench urgent` shows how long codes wait behind a campaign;
`python -m bench flat` compares a store with few rows to one with many; `python -m bench churn` shows whether one grows
while as much is removed from it as comes in.
"""

import argparse
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from msgspec.structs import replace

from bench import churn, features, flat, goals, jasmin, kannel, profile, report, smpp, urgent, webhooks
from bench.children import Broken
from bench.database import Fresh, postgres, sqlite
from bench.report import Runs
from bench.run import Peer, Work, run, run_on
from messagehub.carriers.simulator.record import KEPT

RATED_S = 10
"""How long a fixed rate is kept up, if the count allows."""


def main() -> int:
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        return DOES[options.what](options)
    except Broken as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure messagehub from end to end.")
    parser.add_argument("what", nargs="?", choices=list(DOES), default="measure")
    parser.add_argument("--store", choices=["sqlite", "postgres", "both"], default="both")
    parser.add_argument("--count", type=_count, default=40_000, help="messages of a run")
    connections = "of the customer who sends; a peer has as many as it is fastest with"
    parser.add_argument("--connections", type=_positive, default=128, help=connections)
    fronts = ["auto", "inline", "process"]
    parser.add_argument("--front", choices=fronts, default="process", help="where the hub has HTTP spoken under load")
    parser.add_argument("--runs", type=_positive, default=3)
    parser.add_argument("--window", type=_positive, default=500, help="submits that wait for the carrier's answer")
    parser.add_argument("--full", action="store_true", help="flat: with ten million messages, too")
    parser.add_argument("--rate", type=_positive, default=goals.RATE, help="messages per second of a second run")
    return parser.parse_args()


DOES: dict[str, Callable[[argparse.Namespace], int]] = {
    "measure": lambda options: _measure(options),
    "profile": lambda options: profile.show(_work(options, "sqlite")),
    "webhooks": lambda options: webhooks.show(options.count, options.runs),
    "smpp": lambda options: smpp.show(options.runs),
    "features": lambda options: features.show(options.runs),
    "flat": lambda options: _flat(options),
    "churn": lambda options: _churn(options),
    "urgent": lambda options: _urgent(options),
}


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _count(text: str) -> int:
    number = _positive(text)
    if number > KEPT:
        raise argparse.ArgumentTypeError(f"the simulator remembers no more than {KEPT:,} submits")
    return number


def _measure(options: argparse.Namespace) -> int:
    with ExitStack() as stack:
        stores = _stores(options.store, stack)
        runs = _runs(options, stores)
        report.console().print(report.table(runs))
        report.console().print(goals.table(runs, stores))
    features.show(options.runs)
    wrong = [words for work, made in runs.items() for each in made if (words := report.complaint(work, each))]
    for words in wrong:
        report.console(stderr=True).print(f"WRONG: {words}", style="bold red")
    return 1 if wrong else 0


def _flat(options: argparse.Namespace) -> int:
    with ExitStack() as stack:
        return flat.show(_stores(options.store, stack), lambda store: _work(options, store), options.full)


def _churn(options: argparse.Namespace) -> int:
    with ExitStack() as stack:
        return churn.show(_stores(options.store, stack), options.count)


def _urgent(options: argparse.Namespace) -> int:
    with ExitStack() as stack:
        return urgent.show(_stores(options.store, stack))


def _stores(chosen: str, stack: ExitStack) -> dict[str, Fresh]:
    stores: dict[str, Fresh] = {}
    if chosen in ("sqlite", "both"):
        stores["sqlite"] = sqlite
    if chosen in ("postgres", "both"):
        stores["postgres"] = stack.enter_context(postgres())
    return stores


def _runs(options: argparse.Namespace, stores: dict[str, Fresh]) -> Runs:
    """In turns, as a machine gets faster and slower over the minutes."""
    works = [work for store in stores for work in _works(options, store)]
    peers = _peers()
    works += [_beside(options, name, peer) for name, peer in peers.items()]
    runs: Runs = {work: [] for work in works}
    for turn in range(options.runs):
        for work in works:
            rate = f" at {work.rate:,.0f}/s" if work.rate else ""
            print(f"{work.store}{rate}, run {turn + 1} of {options.runs}", file=sys.stderr, flush=True)
            figures = run_on(peers[work.store].stage, work) if work.store in peers else run(work, stores[work.store])
            report.keep(work, figures)
            runs[work].append(figures)
    return runs


def _peers() -> dict[str, Peer]:
    """Those that are installed."""
    found: dict[str, Peer] = {}
    for name, gateway in (("Kannel", kannel), ("Jasmin", jasmin)):
        peers = gateway.peers()
        if not peers:
            print(f"{name} is not installed, so nothing is compared with it", file=sys.stderr)
        found |= peers
    return found


def _works(options: argparse.Namespace, store: str) -> Iterator[Work]:
    yield _work(options, store)
    if options.rate:
        count = min(options.count, RATED_S * options.rate)
        yield _work(options, store, count=count, rate=options.rate)


def _beside(options: argparse.Namespace, name: str, peer: Peer) -> Work:
    count = min(options.count, peer.most)
    return replace(_work(options, name, count=count), connections=peer.connections)


def _work(options: argparse.Namespace, store: str, count: int = 0, rate: float = 0.0) -> Work:
    return Work(
        store=store,
        count=count or options.count,
        connections=options.connections,
        window=options.window,
        rate=rate,
        front=options.front,
    )


if __name__ == "__main__":
    sys.exit(main())
