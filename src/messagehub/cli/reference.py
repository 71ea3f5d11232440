"""All commands as docs/cli.md shows them: it is printed from their own help."""

from collections.abc import Iterator
from typing import Any

from messagehub.cli.exits import MEANINGS

EXAMPLE = "Example: "


def commands() -> dict[str, Any]:
    """Every command that can be run, by its words."""
    from typer.main import get_command

    from messagehub.cli import app

    return {" ".join(words): command for words, command in _within((), get_command(app))}


def _within(words: tuple[str, ...], command: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    inner = getattr(command, "commands", {})
    if words and (not inner or command.invoke_without_command):
        yield words, command
    for name, each in inner.items():
        yield from _within((*words, name), each)


def as_markdown() -> str:
    """The table of commands and that of exit codes."""
    rows = [f"| `{name}` | {meaning} | `{example}` |" for name, (meaning, example) in _helps()]
    codes = [f"| {code} | {meaning} |" for code, meaning in MEANINGS.items()]
    head = ["| command | what it does | example |", "| --- | --- | --- |"]
    return "\n".join([*head, *rows, "", "## Exit codes", "", "| code | meaning |", "| --- | --- |", *codes])


def _helps() -> Iterator[tuple[str, tuple[str, str]]]:
    for name, command in commands().items():
        meaning, _, example = command.help.partition(EXAMPLE)
        yield name, (" ".join(meaning.split()), " ".join(example.split()))
