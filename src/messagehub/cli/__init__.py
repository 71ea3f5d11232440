"""The command line: words in, a verb called, a table out. Each command loads what it needs when it is called."""

import sys
from typing import Annotated

import typer
from typer._click.exceptions import NoArgsIsHelpError, UsageError

from messagehub import __version__
from messagehub.cli.exits import MEANINGS, Exit, WrongUsage
from messagehub.cli.loading import Program
from messagehub.errors import HubError

app = typer.Typer(
    name="messagehub",
    cls=Program,
    help="SMS with a REST API in front, real carrier connections behind, and webhooks for all that happens.",
    epilog="Ends with " + "; ".join(f"{code}: {meaning}" for code, meaning in MEANINGS.items()) + ".",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"messagehub {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    """What stands before a command."""


def main() -> None:
    """Expected failures are one line that says what to do, and exit code 1; wrong usage is exit code 2."""
    try:
        code = app(standalone_mode=False)
    except typer.Abort:
        code = Exit.INTERRUPTED
    except UsageError as error:
        code = _wrong_usage(error)
    except HubError as error:
        _complain("messagehub", str(error))
        code = Exit.USAGE if isinstance(error, WrongUsage) else Exit.FAILED
    sys.exit(code or Exit.DONE)


def _wrong_usage(error: UsageError) -> Exit:
    place = error.ctx.command_path if error.ctx else "messagehub"
    if isinstance(error, NoArgsIsHelpError):
        error.show()
    else:
        words = " ".join(error.format_message().split()).removesuffix(".")
        _complain(place, f"{words}; `{place} --help` says what it takes")
    return Exit.USAGE


def _complain(place: str, words: str) -> None:
    from messagehub.cli.showing import visible

    print(f"{place}: {visible(words)}", file=sys.stderr)
