"""The short form of `make chaos`: all of its scenarios that need no long wait, beside each other."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from rich.console import Console

from tests.chaos.run import play
from tests.chaos.scenarios import SCENARIOS

SHORT = {name: scenario.short for name, scenario in SCENARIOS.items() if scenario.short}
SEED = "1"


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[list[str]]]]:
    """What each found to be wrong. Most of the time goes by waiting for leases, so they run beside each other."""
    folders = {name: tmp_path_factory.mktemp(name) for name in SHORT}
    with ThreadPoolExecutor(len(SHORT)) as pool:
        yield {
            name: pool.submit(play, name, length, SEED, folders[name], Console(width=110))
            for name, length in SHORT.items()
        }


@pytest.mark.parametrize("name", SHORT)
def test_what_is_promised_is_kept(name: str, played: dict[str, Future[list[str]]]) -> None:
    assert played[name].result(timeout=300) == []
