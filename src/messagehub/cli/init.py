"""messagehub init"""

import json
from typing import Annotated, Any

import typer


def init(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Make the store and its operator, and show the operator's access key and password this once.

    Example: MESSAGEHUB_DATABASE_URL=sqlite:///hub.db messagehub init
    """
    from messagehub.cli.running import run
    from messagehub.settings import Settings

    run(_init(Settings.read().database_url, as_json))


async def _init(database_url: str, as_json: bool) -> None:
    from messagehub import clock
    from messagehub.accounts import setup
    from messagehub.store import open_store
    from messagehub.webhooks.sign import new_secret

    store = await open_store(database_url)
    try:
        account = await setup.operator(store, clock.now(), new_secret())
    finally:
        await store.close()
    if account is None:
        _show({"changed": False, "detail": "the store has its operator already; nothing was changed"}, as_json)
    else:
        shown = {"admin_accesskey": account.accesskey, "username": account.username, "password": account.password}
        _show(shown, as_json)


def _show(values: dict[str, Any], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(values))
    else:
        for name, value in values.items():
            typer.echo(f"{name:16} {value}")
