"""`python -m tests.chaos [--seed SEED] [SCENARIO…]`: all of them, in their long form, two at a time."""

import argparse
import random
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rich.console import Console

from tests.chaos.run import play
from tests.chaos.scenarios import SCENARIOS


def main() -> int:
    parser = argparse.ArgumentParser(prog="make chaos", description="Faults at random moments, under load.")
    parser.add_argument("--seed", default=f"{random.randrange(1_000_000)}", help="the one of a run that failed")
    parser.add_argument("--beside", type=int, default=3, help="how many run at the same time")
    parser.add_argument("--keep", type=Path, help="a folder for the logs and stores; default: one that is removed")
    parser.add_argument("names", nargs="*", metavar="SCENARIO", help=", ".join(SCENARIOS))
    given = parser.parse_args()
    if unknown := set(given.names) - SCENARIOS.keys():
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}; there are: {', '.join(SCENARIOS)}")
    console, begun = Console(width=110), time.monotonic()
    console.print(f"seed {given.seed}")

    def one(name: str) -> list[str]:
        with tempfile.TemporaryDirectory(prefix="messagehub-chaos-", ignore_cleanup_errors=True) as passing:
            folder = given.keep / name if given.keep else Path(passing)
            folder.mkdir(parents=True, exist_ok=True)
            return play(name, SCENARIOS[name].long, given.seed, folder, console)

    names = given.names or list(SCENARIOS)
    with ThreadPoolExecutor(given.beside) as pool:
        wrong = dict(zip(names, pool.map(one, names), strict=True))
    failed = [name for name, found in wrong.items() if found]
    console.print(f"{len(names)} scenarios, {len(failed)} failed {failed or ''}, {time.monotonic() - begun:.0f} s")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
