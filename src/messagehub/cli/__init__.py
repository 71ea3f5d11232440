"""The command line: words in, a verb called, a table out. Each command loads what it needs when it is called."""

import importlib.metadata
import sys
from typing import Annotated

import typer

from messagehub.cli import backup, dev, init, segments, serve, simulator
from messagehub.errors import HubError

app = typer.Typer(
    name="messagehub",
    help="SMS with a REST API in front, real carrier connections behind, and webhooks for all that happens.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"messagehub {importlib.metadata.version('messagehub')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    """What stands before a command."""


app.command("dev")(dev.dev)
app.command("serve")(serve.serve)
app.command("init")(init.init)
app.command("backup")(backup.backup)
app.command("segments")(segments.segments)
app.add_typer(simulator.app, name="simulator")


def main() -> None:
    """Expected failures are one line that says what to do, and exit code 1; wrong usage is exit code 2."""
    try:
        app()
    except HubError as error:
        print(f"messagehub: {error}", file=sys.stderr)
        sys.exit(1)
