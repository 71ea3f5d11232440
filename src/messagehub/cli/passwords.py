"""Passwords that a command needs: better from a file, the environment or a prompt than from the command line."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from messagehub.cli.exits import WrongUsage
from messagehub.errors import HubError

VARIABLE = "MESSAGEHUB_PASSWORD"

Password = Annotated[
    str | None, typer.Option("--password", help="The password. Others on this machine can see it: see the next one.")
]
PasswordFile = Annotated[
    str | None, typer.Option("--password-file", help="A file with the password as its first line; - is standard input.")
]


def needed(given: str | None, file: str | None, twice: bool = False) -> str:
    """As given, from the file, from MESSAGEHUB_PASSWORD, or from whoever is at the terminal (`twice` for a new one)."""
    found = optional(given, file)
    if found is None:
        found = os.environ.get(VARIABLE)
    return _asked(twice) if found is None else found


def optional(given: str | None, file: str | None) -> str | None:
    """Only as given or from the file: the environment changes nothing that nobody asked to change."""
    if given is not None and file is not None:
        raise WrongUsage("give --password or --password-file, not both")
    return _first_line(file) if file is not None else given


def _first_line(file: str) -> str:
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise HubError(f"the password cannot be read: {error}") from None
    return text.partition("\n")[0].removesuffix("\r")


def _asked(twice: bool) -> str:
    from getpass import getpass

    if not sys.stdin.isatty():
        raise WrongUsage(f"no password: give --password-file, {VARIABLE} or --password")
    found = getpass("Password: ")
    if twice and getpass("Once more: ") != found:
        raise HubError("the two passwords differ; nothing was changed")
    return found
