"""messagehub dev"""

import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from messagehub.sealing import Sealer
    from messagehub.settings import Settings
    from messagehub.store import Store

NUMBERS = ("+15551234567", "+15559876543", "+821021656521")
"""The numbers of the reference's examples, so that its lines work as printed."""

CARRIER = "simulator"


def dev(
    listen: Annotated[str, typer.Option(help="Where the API answers, HOST:PORT; port 0 takes a free one.")] = (
        "127.0.0.1:8080"
    ),
    data: Annotated[Path | None, typer.Option(help="Where the store is kept; default: a new temporary folder.")] = None,
    ready_file: Annotated[Path | None, typer.Option(help="Write the addresses and keys here, as JSON.")] = None,
    scenario: Annotated[Path | None, typer.Option(help="What else the simulator does, a TOML file.")] = None,
    plain: Annotated[bool, typer.Option("--plain", help="Switch the simulator's magic numbers off.")] = False,
) -> None:
    """Run everything with one command: the API, a store, a carrier simulator, a demo customer and its numbers.

    Example: messagehub dev
    """
    from messagehub.cli import state
    from messagehub.cli.running import run
    from messagehub.cli.simulator import rules_of
    from messagehub.settings import Settings

    rules_of(scenario)  # the child would say the same, but too late to be heard
    # What is said at info would hide what is printed, and nobody waits for a second core.
    env = {"MESSAGEHUB_LOG_LEVEL": "warning", "MESSAGEHUB_WRITER": "thread", **os.environ}
    settings = Settings.read(env, listen=listen, webhook_allow_private=True)
    temporary = None if data else Path(tempfile.mkdtemp(prefix="messagehub-dev-"))
    folder = data or temporary
    assert folder
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    before = state.of_another()
    simulator = _start_simulator(plain, scenario)
    try:
        settings = replace(settings, database_url=f"sqlite:///{folder / 'hub.db'}")
        run(_dev(settings, folder, ready_file, simulator), settings)
    finally:
        state.remove(before)
        assert simulator.stdin
        simulator.stdin.close()
        simulator.wait(5)
        if temporary:
            shutil.rmtree(temporary, ignore_errors=True)


def _start_simulator(plain: bool, scenario: Path | None) -> "subprocess.Popen[str]":
    """A child that ends with us, however we end: its standard input is ours to close."""
    command = [sys.executable, "-m", "messagehub", "simulator", "--smpp-port", "0", "--until-eof", "--json"]
    command += ["--plain"] * plain + (["--scenario", str(scenario)] if scenario else [])
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, process_group=0)


async def _dev(settings: "Settings", folder: Path, ready_file: Path | None, simulator: "subprocess.Popen[str]") -> None:
    from messagehub import app

    demo = await _furnish(settings, folder, simulator)

    def ready(address: str, _: "Store") -> None:
        from messagehub.cli import state

        shown = {"api": f"{address}/v1.0", "console": f"{address}/", **demo}
        state.write({**shown, "pid": os.getpid()}, state.path())
        if ready_file:
            state.write(shown, ready_file)
        _welcome(shown, folder)

    await app.serve(settings, ready)


def _welcome(shown: dict[str, Any], folder: Path) -> None:
    source, destination = NUMBERS[:2]
    typer.echo(
        f"""
messagehub is ready.

  API         {shown["api"]}
  web page    {shown["console"]}
  access key  {shown["accesskey"]}
  operator    {shown["admin_accesskey"]}
  login       {shown["username"]}, password {shown["password"]}
  numbers     {", ".join(shown["numbers"])}
  SMPP        {shown["smpp_simulator"]} (a carrier simulator)
  data        {folder}

Send a message:

  curl -s '{shown["api"]}/messages?token={shown["accesskey"]}' \\
    --header 'Content-Type: application/json' \\
    --data '{{"source": "{source}", "destinations": [{{"target": "{destination}"}}], "text": "Hello"}}'

Ctrl-C ends it.
"""
    )


# --- the demo ---------------------------------------------------------------------------


async def _furnish(settings: "Settings", folder: Path, simulator: "subprocess.Popen[str]") -> dict[str, Any]:
    """The operator, the demo customer with its numbers, and a carrier that leads to the simulator of this run."""
    from messagehub.accounts import setup
    from messagehub.carriers.book import Carriers
    from messagehub.cli import state
    from messagehub.store import open_store

    kept = folder / "dev.json"
    store = await open_store(settings.database_url)
    try:
        store.serve()  # before anything of a store is changed that another process serves
        keys = await setup.sealer_of(store, settings.secret_key, settings.database_url)
        demo = json.loads(kept.read_text()) if kept.exists() else await _make_accounts(store, keys)
        state.write(demo, kept)
        assert simulator.stdout
        ports = json.loads(simulator.stdout.readline())
        await _lead_to(store, Carriers(store, keys), ports["smpp"])
    finally:
        await store.close()
    return {**demo, "smpp_simulator": ports["smpp"], "simulator_control": ports["http"]}


async def _make_accounts(store: "Store", keys: "Sealer") -> dict[str, Any]:
    from messagehub import clock, ids
    from messagehub.accounts import setup
    from messagehub.errors import HubError
    from messagehub.numbers import Numbers as OwnedNumbers
    from messagehub.webhooks.sign import new_secret

    now = clock.now()
    operator = await setup.operator(store, keys, now, new_secret())
    if operator is None:
        raise HubError("this folder holds a store that `messagehub dev` did not make; choose another with --data")
    given = {"name": "demo", "webhook_secret": new_secret()}
    account = await setup.customer(store, keys, given, "demo", secrets.token_urlsafe(12), now)
    for number in NUMBERS:
        await OwnedNumbers(store).add(
            now, customer_id=account.customer.id, number=number, name="", detail="", message_flow_id=ids.UNSET
        )
    return {
        "accesskey": account.accesskey,
        "admin_accesskey": operator.accesskey,
        "username": account.username,
        "password": account.password,
        "customer_id": account.customer.id,
        "numbers": list(NUMBERS),
    }


async def _lead_to(store: "Store", carriers: Any, smpp: str) -> None:
    """The demo's carrier speaks to the simulator of this run, whose port differs from the last one's."""
    from messagehub import clock
    from messagehub.routing import Routes

    host, _, port = smpp.rpartition(":")
    config = {"host": host, "port": int(port), "system_id": "dev", "password": "dev", "window": 100}
    # What the simulator throttles is one number of the demo's; it says nothing of the others.
    config |= {"response_timeout": 5, "dlr_timeout": 60, "statuses": {"0x00000058": "retry"}}
    now = clock.now()
    for row in await carriers.live():
        if row.name == CARRIER:
            await carriers.change(row.id, now, settings=config)
            return
    carrier = await carriers.add(CARRIER, "smpp", config, False, now)
    await Routes(store).add(now, name="everything to the simulator", carrier_id=carrier.id)
