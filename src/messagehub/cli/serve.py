"""messagehub serve"""

import os
import sys
from contextlib import suppress
from typing import Annotated, Any

import typer

FRONT = "Where HTTP is spoken: `inline`, in a `process` beside, or beside once many ask (`auto`)."


def serve(
    role: Annotated[
        str, typer.Option(metavar="all|api|worker", help="what this process does; else as MESSAGEHUB_ROLE says")
    ] = "",
    front: Annotated[str, typer.Option(help=FRONT, metavar="auto|inline|process")] = "",
) -> None:
    """Serve, with settings from MESSAGEHUB_* variables and the TOML file that MESSAGEHUB_CONFIG names.

    Example: MESSAGEHUB_DATABASE_URL=sqlite:///hub.db messagehub serve
    """
    from messagehub import app
    from messagehub.cli.running import run
    from messagehub.settings import Settings, checked

    given = {"role": checked("--role", role, "role")} if role else {}
    given |= {"front": checked("--front", front, "front")} if front else {}
    settings = Settings.read(os.environ, **given)
    run(app.serve(settings, _ready), settings)


def _ready(address: str, _: Any) -> None:
    from messagehub.cli import standard

    with suppress(OSError):  # what is for callers does not end with who reads this
        typer.echo(f"messagehub answers at {address}/v1.0")
    standard.unsaid(sys.stdout)
