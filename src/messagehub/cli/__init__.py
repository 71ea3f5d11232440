"""The command line: words in, a verb called, a table out. Each command loads what it needs when it is called."""

import sys

import typer

from messagehub.cli import dev, init, segments, serve, simulator
from messagehub.errors import HubError

app = typer.Typer(
    name="messagehub",
    help="SMS with a REST API in front, real carrier connections behind, and webhooks for all that happens.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.command("dev")(dev.dev)
app.command("serve")(serve.serve)
app.command("init")(init.init)
app.command("segments")(segments.segments)
app.add_typer(simulator.app, name="simulator")


def main() -> None:
    """Expected failures are one line that says what to do, and exit code 1; wrong usage is exit code 2."""
    try:
        app()
    except HubError as error:
        print(f"messagehub: {error}", file=sys.stderr)
        sys.exit(1)
