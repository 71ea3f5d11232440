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

CARRIER, MMS_CARRIER = "simulator", "simulator-mms"
MMS_OCTETS = 300_000
"""Of the largest MMS that the simulator takes: as much as goes everywhere (media/limits.py)."""

CALLER = {"username": "simulator", "password": "dev"}
"""As whom the simulator calls the hub."""


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
    from messagehub.settings import Settings, checked

    rules_of(scenario)  # the child would say the same, but too late to be heard
    # What is said at info would hide what is printed, and nobody waits for a second core.
    env = {"MESSAGEHUB_LOG_LEVEL": "warning", "MESSAGEHUB_WRITER": "thread", **os.environ}
    listen = checked("--listen", listen, "listen")
    settings = Settings.read(env, listen=listen, webhook_allow_private=True, media_allow_private=True)
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
    command += ["--mm7-octets", str(MMS_OCTETS)]
    command += ["--plain"] * plain + (["--scenario", str(scenario)] if scenario else [])
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, process_group=0)


async def _dev(settings: "Settings", folder: Path, ready_file: Path | None, simulator: "subprocess.Popen[str]") -> None:
    from messagehub import app

    demo = await _furnish(settings, folder, simulator)

    def ready(address: str, _: "Store") -> None:
        from messagehub.cli import state

        callbacks = f"{address}/callbacks/{demo.pop('mms_carrier')}"
        _tell(demo["simulator_control"], callbacks)
        shown = {"api": f"{address}/v1.0", "console": f"{address}/", **demo}
        state.write({**shown, "pid": os.getpid()}, state.path())
        if ready_file:
            state.write(shown, ready_file)
        _welcome(shown, folder)

    await app.serve(settings, ready)


def _tell(control: str, callbacks: str) -> None:
    """The simulator where its MMS carrier is called. It is another process, and answers at once."""
    from http.client import HTTPConnection

    from messagehub.errors import HubError

    connection = HTTPConnection(control.removeprefix("http://"), timeout=5)
    connection.request("POST", "/vasp", json.dumps({"url": callbacks, **CALLER}))
    answer = connection.getresponse()
    if answer.status != 200:
        raise HubError(f"the simulator does not take its address here: {answer.read(200)!r}")
    connection.close()


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
  MM7         {shown["mm7_simulator"]} (the same, for MMS)
  data        {folder}

Send a message:

  curl -s '{shown["api"]}/messages?token={shown["accesskey"]}' \\
    --header 'Content-Type: application/json' \\
    --data '{{"source": "{source}", "destinations": [{{"target": "{destination}"}}], "text": "Hello"}}'

Send a picture, and see it arrive:

  curl -s '{shown["api"]}/messages?token={shown["accesskey"]}' \\
    --header 'Content-Type: application/json' \\
    --data '{{"source": "{source}", "destinations": [{{"target": "{destination}"}}], "text": "At sea",
             "medias": [{{"type": "image/jpeg", "url": "{shown["simulator_control"]}/picture.jpg"}}]}}'
  sleep 4; {_program()} simulator submits --save arrived

Ctrl-C ends it.
"""
    )


def _program() -> str:
    """How this program was called."""
    called = sys.argv[0]
    if called.endswith("__main__.py"):
        return f"{sys.executable} -m messagehub"
    return "messagehub" if called == shutil.which("messagehub") else called


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
        mms_carrier = await _lead_to(store, Carriers(store, keys), ports)
    finally:
        await store.close()
    simulator_at = {"smpp_simulator": ports["smpp"], "mm7_simulator": ports["mm7"], "simulator_control": ports["http"]}
    return {**demo, **simulator_at, "mms_carrier": mms_carrier}


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


async def _lead_to(store: "Store", carriers: Any, ports: dict[str, str]) -> str:
    """The demo's carriers speak to the simulator of this run, whose ports differ from the last one's.

    The id of the one for MMS.
    """
    host, _, port = ports["smpp"].rpartition(":")
    common = {"response_timeout": 5, "dlr_timeout": 60}
    # What the simulator throttles is one number of the demo's; it says nothing of the others.
    smpp = {"host": host, "port": int(port), "system_id": "dev", "password": "dev", "window": 100}
    smpp |= {"statuses": {"0x00000058": "retry"}}
    mm7 = {"url": ports["mm7"], "vasp_id": "dev"}
    mm7 |= {f"callback_{name}": value for name, value in CALLER.items()}
    await _lead(store, carriers, CARRIER, "smpp", {**smpp, **common})
    return await _lead(store, carriers, MMS_CARRIER, "mm7", {**mm7, **common})


async def _lead(store: "Store", carriers: Any, name: str, kind: str, config: dict[str, Any]) -> str:
    """The id of the carrier of this name, with this config. Where it is new, everything that it takes goes there."""
    from messagehub import clock
    from messagehub.routing import Routes

    now = clock.now()
    for row in await carriers.live():
        if row.name == name:
            await carriers.change(row.id, now, settings=config)
            return str(row.id)
    carrier = await carriers.add(name, kind, config, False, now)
    await Routes(store).add(now, name=f"everything to the {name}", carrier_id=carrier.id)
    return str(carrier.id)
