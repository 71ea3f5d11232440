"""The diagram of a target's life shows every move that there is, and no other."""

import re

from messagehub.messages.status import AFTER
from tests.docs.pages import ROOT

ARROW = re.compile(r"^    (\w+) --> (\w+): ", re.MULTILINE)


def test_the_diagram_shows_the_moves_of_the_table() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    diagram = page.partition("stateDiagram-v2")[2].partition("```")[0]
    moves = {(before.value, after.value) for (before, _), after in AFTER.items() if before is not after}
    assert set(ARROW.findall(diagram)) == moves
