"""Plays a scenario and says what it found."""

import random
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from tests.chaos.check import Findings, check
from tests.chaos.scenarios import SCENARIOS
from tests.chaos.stage import Length, Stage


def play(name: str, length: Length, seed: str, folder: Path, console: Console) -> list[str]:
    """What was not kept, in sentences; none where all was. The table is printed, with the timeline where it matters."""
    with ExitStack() as stack:
        stage = Stage(folder, random.Random(f"{name} {seed}"), length, stack)
        try:
            promise = SCENARIOS[name].act(stage)
            found = check(stage.told, stage.account.api, stage.box, stage.endpoint, promise)
        except Exception as error:
            found = Findings(wrong=[f"{type(error).__name__}: {error}"])
    found.print(f"{name}, seed {seed}", console)
    if found.wrong:
        for line in stage.timeline + [f"WRONG: {one}" for one in found.wrong]:
            console.print(line, markup=False, highlight=False)
    return found.wrong
