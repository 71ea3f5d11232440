"""What docs/guarantees.md names as proof is there, and every scenario proves something."""

import ast
import re

from tests.chaos.scenarios import SCENARIOS
from tests.docs.pages import ROOT

PAGE = (ROOT / "docs" / "guarantees.md").read_text()
PATH = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")
WORD = re.compile(r"`([a-z_]+)`")
PROOF = re.compile(r"^\|[^|]+\|([^|]+)\|$", re.MULTILINE)
"""The last of two cells."""


def functions_in(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_the_tests_that_it_names_are_there() -> None:
    named = PATH.findall(PAGE)
    assert len(named) > 10
    for path, name in named:
        assert not name or name in functions_in(path), f"{path} has no {name}"


def test_it_names_all_scenarios_and_no_others() -> None:
    cells = " ".join(PROOF.findall(PAGE))
    assert set(WORD.findall(cells)) - SCENARIOS.keys() == set()
    assert SCENARIOS.keys() - set(WORD.findall(PAGE)) == set()
