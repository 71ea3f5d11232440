"""messagehub carrier"""

import time
from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from messagehub.cli import passwords, showing
from messagehub.cli.exits import WrongUsage
from messagehub.cli.passwords import Password, PasswordFile
from messagehub.cli.session import SHOWN, All, Limit, Session, Traced, Yes, changes, given, group, operator
from messagehub.cli.showing import Columns, moment
from messagehub.shapes.carriers import CarrierType

app = group("Carriers: who takes messages off our hands. They are the operator's.")

Id = Annotated[str, typer.Argument(help="The carrier's id.")]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="MEMBER=VALUE",
        help="A member of its config, such as window=50, tls=true or secret=@FILE; may be repeated.",
    ),
]

COLUMNS: Columns = {
    "id": "id",
    "name": "name",
    "type": "type",
    "status": "status",
    "binds": lambda carrier: f"{sum(bind['state'] == 'bound' for bind in carrier['binds'])}/{len(carrier['binds'])}",
    "created": moment("tm_create"),
}
BINDS: Columns = {
    "role": "role",
    "state": "state",
    "since": moment("since"),
    "in flight": "in_flight",
    "sent": "sent",
    "refused": "refused",
    "received": "received",
    "last error": "last_error",
}
WATCHED = ("id", "name", "status", "unknown_destinations", "binds")
"""What changes by itself; a terminal has room for no more."""
REFRESH_S = 1.0
SMPP = "smpp"
TYPES = ", ".join(get_args(CarrierType))


@app.command("create")
@operator
def create(
    session: Session,
    kind: Annotated[str, typer.Argument(metavar="TYPE", help=f"What it speaks: {TYPES}.")],
    host: Annotated[str | None, typer.Option("--host", help="Of smpp: where it listens.")] = None,
    port: Annotated[int | None, typer.Option("--port", min=1, max=65535, help="Of smpp: the port there.")] = None,
    system_id: Annotated[str | None, typer.Option("--system-id", help="Of smpp: the name that it knows us by.")] = None,
    password: Password = None,
    password_file: PasswordFile = None,
    name: Annotated[
        str | None, typer.Option("--name", help="What people call it; default: its host, or its type.")
    ] = None,
    settings: Settings = None,
    disabled: Annotated[bool, typer.Option("--disabled", help="Do not connect to it yet.")] = False,
) -> None:
    """Make a carrier; it is connected at once. Routes lead messages to it.

    Example: messagehub carrier create smpp --host smsc.example.com --port 2775 --system-id me --set window=50
    """
    of_smpp = {"host": host, "port": port, "system_id": system_id}
    if kind == SMPP and (missing := [name for name, value in of_smpp.items() if value is None]):
        raise WrongUsage(f"a carrier of type smpp needs --{missing[0].replace('_', '-')}")
    config = given(**of_smpp) | _config(settings)
    if kind == SMPP or password or password_file:
        config["password"] = passwords.needed(password, password_file)
    said = {"name": name or host or kind, "type": kind, "config": config, "disabled": disabled}
    session.show(session.api.post("carriers", body=said), binds=BINDS)


@app.command("list")
@operator
def list_all(session: Session, limit: Limit = SHOWN, all_: All = False) -> None:
    """List carriers and whether they are bound.

    Example: messagehub carrier list
    """
    session.list(COLUMNS, None if all_ else limit, "carriers")


@app.command("show")
@operator
def show(
    session: Session, id: Id, watch: Annotated[bool, typer.Option("--watch", help="Go on until Ctrl-C.")] = False
) -> None:
    """Show a carrier and the state of each of its binds.

    Example: messagehub carrier show 01a1fbb3-7b7c-726d-8ab2-899bdcffd8af --watch
    """
    if not watch:
        session.show(session.api.get("carriers", id), binds=BINDS)
        return
    try:
        _watch(session, id)
    except KeyboardInterrupt:
        return


@app.command("update")
@operator
def update(
    session: Session,
    id: Id,
    name: Annotated[str | None, typer.Option("--name", help="What people call it.")] = None,
    settings: Settings = None,
    password: Password = None,
    password_file: PasswordFile = None,
    trace: Traced = None,
) -> None:
    """Change a carrier; what is not given stays. It is connected anew where that is needed.

    Example: messagehub carrier update 01a1fbb3-7b7c-726d-8ab2-899bdcffd8af --set rate=100 --set binds=2
    """
    config = _config(settings) | given(password=passwords.optional(password, password_file))
    said = changes(name=name, config=config or None, trace=trace)
    session.show(session.api.put("carriers", id, body=said), binds=BINDS)


@app.command("enable")
@operator
def enable(session: Session, id: Id) -> None:
    """Connect to a carrier that was disabled.

    Example: messagehub carrier enable 01a1fbb3-7b7c-726d-8ab2-899bdcffd8af
    """
    session.show(session.api.put("carriers", id, body={"disabled": False}), binds=BINDS)


@app.command("disable")
@operator
def disable(session: Session, id: Id) -> None:
    """Unbind from a carrier, and send nothing to it until it is enabled.

    Example: messagehub carrier disable 01a1fbb3-7b7c-726d-8ab2-899bdcffd8af
    """
    session.show(session.api.put("carriers", id, body={"disabled": True}), binds=BINDS)


@app.command("delete")
@operator
def delete(session: Session, id: Id, yes: Yes = False) -> None:
    """Remove a carrier.

    Example: messagehub carrier delete 01a1fbb3-7b7c-726d-8ab2-899bdcffd8af
    """
    session.show(session.remove("Remove the carrier", yes, "carriers", id, name=_name), binds=BINDS)


def _config(settings: list[str] | None) -> dict[str, Any]:
    return dict(map(_member, settings or ()))


def _member(text: str) -> tuple[str, Any]:
    """`window=50` is a number and `tls=true` is true or false, as in JSON; what is no JSON is a text as it stands, and
    `@FILE` what stands in a file. What is always a text is one, though it be written in digits."""
    import msgspec

    from messagehub.carriers.kinds import texts

    name, separator, value = text.partition("=")
    if not (name and separator):
        raise WrongUsage(f"--set {text!r}: write MEMBER=VALUE, such as window=50")
    if value.startswith("@"):
        return name, _content(name, value[1:])
    try:
        read = msgspec.json.decode(value.encode())
    except ValueError:
        return name, value
    return name, value if name in texts() and not isinstance(read, str) else read


def _content(name: str, file: str) -> str:
    try:
        return Path(file).read_text().removesuffix("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise WrongUsage(f"--set {name}=@{file}: it cannot be read: {error}") from None


def _watch(session: Session, id: str) -> None:
    """On a terminal the same lines anew each second; elsewhere whenever something has changed."""
    out = showing.console()
    if session.as_json or not out.is_terminal:
        _tell_changes(session, id)
        return
    from rich.live import Live

    with Live(console=out, auto_refresh=False) as live:
        while True:
            carrier = session.api.get("carriers", id)
            watched = {name: carrier[name] for name in WATCHED}
            live.update(showing.details(watched, {"binds": BINDS}, out.width), refresh=True)
            time.sleep(REFRESH_S)


def _tell_changes(session: Session, id: str) -> None:
    last = None
    while True:
        carrier = session.api.get("carriers", id)
        if carrier != last:
            session.show(carrier, binds=BINDS)
        last = carrier
        time.sleep(REFRESH_S)


def _name(thing: dict[str, Any]) -> str:
    return f"{thing['name']} ({thing['id']})"
