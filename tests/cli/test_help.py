"""Help: every command says what it does, by an example too."""

from collections.abc import Iterator
from typing import Any

from typer.main import get_command

from messagehub.cli import app
from tests.cli.shell import Shell


def commands() -> list[tuple[str, ...]]:
    """Every command of the program, by its words."""
    return sorted(_within((), get_command(app)))


def _within(words: tuple[str, ...], command: Any) -> Iterator[tuple[str, ...]]:
    inner = getattr(command, "commands", {})
    if words and (not inner or command.invoke_without_command):
        yield words
    for name, each in inner.items():
        yield from _within((*words, name), each)


def test_the_commands_that_there_are() -> None:
    assert {"dev", "serve", "init", "segments", "simulator"} <= {words[0] for words in commands()}
    assert ("simulator", "send") in commands()


def test_every_command_shows_an_example_that_begins_with_its_words(shell: Shell) -> None:
    answers = dict(zip(commands(), shell.run_all(*((*words, "--help") for words in commands())), strict=True))
    for words, done in answers.items():
        assert done.code == 0, (words, done.err)
        _, found, example = done.out.partition("Example: ")
        assert found, words
        assert f"messagehub {' '.join(words)}" in example.split("╭")[0], words


def test_wrong_usage_is_exit_code_2(shell: Shell) -> None:
    wrong = [("nonsense",), ("segments",), ("init", "--nonsense"), ("simulator", "send", "x")]
    for done in shell.run_all(*wrong):
        assert (done.code, done.out) == (2, "")
        assert "Usage: messagehub" in done.err
        assert "Traceback" not in done.err
