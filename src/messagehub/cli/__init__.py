"""The command line: words in, a verb called, a table out. Each command loads what it needs when it is called."""

import sys
from contextlib import suppress
from typing import Annotated

import typer
from typer._click.exceptions import NoArgsIsHelpError, UsageError

from messagehub import __version__
from messagehub.cli import standard
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
    standard.fill()
    code = _run()
    if unsaid := standard.unsaid(sys.stdout):
        code = code or _unheard(unsaid)
    standard.unsaid(sys.stderr)
    sys.exit(code)


def _run() -> int:
    try:
        return app(standalone_mode=False) or Exit.DONE
    except typer.Abort:
        return Exit.INTERRUPTED
    except UsageError as error:
        return _wrong_usage(error)
    except HubError as error:
        _complain("messagehub", str(error))
        return Exit.USAGE if isinstance(error, WrongUsage) else Exit.FAILED
    except OSError as error:
        if not standard.is_loss(error):
            raise
        standard.unsaid(sys.stdout)
        return _unheard(error)


def _unheard(error: OSError) -> Exit:
    """Who has closed a pipe has read what he wanted."""
    if not isinstance(error, BrokenPipeError):
        _complain("messagehub", f"standard output cannot be written: {error.strerror}")
    return Exit.FAILED


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

    with suppress(OSError):
        print(f"{place}: {visible(words)}", file=sys.stderr)
