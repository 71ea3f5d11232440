"""messagehub init"""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from messagehub.errors import HubError

if TYPE_CHECKING:
    from messagehub.accounts.setup import NewAccount
    from messagehub.store import Store


def init(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Make the store and its operator, and show the operator's access key and password this once.

    Example: MESSAGEHUB_DATABASE_URL=sqlite:///hub.db messagehub init
    """
    from messagehub.cli.running import run
    from messagehub.settings import Settings

    settings = Settings.read()
    run(_init(settings.database_url, settings.secret_key, as_json))


async def _init(database_url: str, secret_key: str, as_json: bool) -> None:
    from messagehub import clock
    from messagehub.accounts import setup
    from messagehub.published import Keyring
    from messagehub.store import open_store
    from messagehub.webhooks.sign import new_secret

    store = await open_store(database_url)
    try:
        sealer = await setup.sealer_of(store, secret_key, database_url)
        await Keyring(store, sealer).look()  # here, since a server that makes none needs less memory
        account = await setup.operator(store, sealer, clock.now(), new_secret())
        if account is None:
            _show({"changed": False, "detail": "the store has its operator already; nothing was changed"}, as_json)
        else:
            await _hand_over(store, account, as_json)
    finally:
        await store.close()


async def _hand_over(store: "Store", account: "NewAccount", as_json: bool) -> None:
    """HubError where the key cannot be shown; then there is no operator, and `init` can be run again."""
    from messagehub.accounts import setup

    shown = {"admin_accesskey": account.accesskey, "username": account.username, "password": account.password}
    try:
        _show(shown, as_json)
    except OSError as error:
        await setup.take_back(store, account)
        raise HubError(f"the operator's key could not be shown, so no operator was made: {error.strerror}") from None


def _show(values: dict[str, Any], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(values))
    else:
        for name, value in values.items():
            typer.echo(f"{name:16} {value}")
