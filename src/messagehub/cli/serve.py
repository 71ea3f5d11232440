"""messagehub serve"""

from typing import Any

import typer


def serve() -> None:
    """Serve, with settings from MESSAGEHUB_* variables and the TOML file that MESSAGEHUB_CONFIG names.

    Example: MESSAGEHUB_DATABASE_URL=sqlite:///hub.db messagehub serve
    """
    from messagehub import app
    from messagehub.cli.running import run
    from messagehub.settings import Settings

    settings = Settings.read()
    run(app.serve(settings, _ready), settings)


def _ready(address: str, _: Any) -> None:
    typer.echo(f"messagehub answers at {address}/v1.0")
