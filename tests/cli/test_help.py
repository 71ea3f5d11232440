"""Help: every command says what it does, by an example too; and the shell can complete them."""

import os
import subprocess

import pytest
from typer.testing import CliRunner

from messagehub.cli import app, reference
from tests.cli.shell import Shell
from tests.support.process import PROGRAM, environment

COMMANDS = list(reference.commands())


def test_the_commands_that_there_are() -> None:
    assert {"dev", "serve", "init", "segments", "simulator"} <= {words.split()[0] for words in COMMANDS}
    assert {"simulator send", "messages tail", "carrier show", "webhooks replay"} <= set(COMMANDS)


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_shows_an_example_that_begins_with_its_words(words: str) -> None:
    done = CliRunner().invoke(app, [*words.split(), "--help"], env={"COLUMNS": "200", "NO_COLOR": "1"})
    assert done.exit_code == 0, done.output
    _, found, example = done.output.partition("Example: ")
    assert found
    assert f"messagehub {words}" in example.split("╭")[0]


def test_examples_are_what_can_be_typed() -> None:
    """Each takes the options that it shows, and has what is required: nothing but the server is missing."""
    import shlex

    from typer._click.core import Context
    from typer.main import get_command

    program = get_command(app)
    for words, command in reference.commands().items():
        example = command.help.partition(reference.EXAMPLE)[2]
        typed = shlex.split(example.partition("messagehub ")[2])
        assert " ".join(typed[: len(words.split())]) == words
        with Context(program) as parent:
            command.make_context(words, typed[len(words.split()) :], parent=parent)


def test_wrong_usage_is_exit_code_2(shell: Shell) -> None:
    wrong = [("nonsense",), ("segments",), ("init", "--nonsense"), ("simulator", "send", "x"), ("messages", "tial")]
    for done in shell.run_all(*wrong):
        assert (done.code, done.out) == (2, "")
        assert done.err.startswith("messagehub")
        assert done.err.endswith("--help` says what it takes\n")
        assert done.err.count("\n") == 1
        assert "Traceback" not in done.err


def test_a_slip_is_told_what_was_meant(shell: Shell) -> None:
    assert "messages" in shell.run("mesages").err


def test_help_says_how_commands_end(shell: Shell) -> None:
    assert "3: not delivered" in " ".join(shell.run("--help").out.split())


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("messagehub mess", {"messages"}),
        ("messagehub c", {"conversations", "customer", "carrier"}),
        ("messagehub messages t", {"targets", "trace", "tail"}),
        ("messagehub webhooks list --stat", {"--status"}),
        ("messagehub messages list --direction in", {"inbound"}),
    ],
)
def test_the_shell_completes(typed: str, offered: set[str]) -> None:
    asked = {"_MESSAGEHUB_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(typed.count(" "))}
    done = subprocess.run([PROGRAM], env=environment({**os.environ, **asked}), capture_output=True, text=True)
    assert set(done.stdout.split()) == offered, done


def test_the_script_for_completion_is_shown() -> None:
    command = f"'{PROGRAM}' --show-completion; :"  # two commands, or bash gives its place to the first
    done = subprocess.run(["bash", "-c", command], env=environment({}), capture_output=True, text=True)
    assert "_MESSAGEHUB_COMPLETE=complete_bash" in done.stdout, done
    assert subprocess.run(["bash", "-n"], input=done.stdout, text=True, capture_output=True).stderr == ""
