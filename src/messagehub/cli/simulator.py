"""messagehub simulator"""

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from messagehub.cli.exits import WrongUsage
from messagehub.cli.session import SHOWN
from messagehub.errors import HubError

if TYPE_CHECKING:
    import ssl

    from messagehub.carriers.simulator import Ports, Rule

app = typer.Typer(invoke_without_command=True, rich_markup_mode="rich")


@app.callback()
def simulator(
    context: typer.Context,
    smpp_port: Annotated[int, typer.Option(help="Where it speaks SMPP; 0 takes a free port.")] = 2775,
    http_port: Annotated[int, typer.Option(help="Where it is asked and told what to do; 0 takes a free port.")] = 0,
    scenario: Annotated[
        Path | None, typer.Option(help="Rules that come before the magic numbers, a TOML file.")
    ] = None,
    plain: Annotated[bool, typer.Option("--plain", help="No magic numbers.")] = False,
    receipt_delay: Annotated[float, typer.Option(help="Seconds from the submit to its receipt.")] = 1.0,
    slow_receipt: Annotated[float, typer.Option(help="The same for numbers that end with 0008.")] = 30.0,
    system_id: Annotated[str | None, typer.Option(help="Who may bind; default: anybody.")] = None,
    password: Annotated[str | None, typer.Option(help="What must be known to bind; default: anything will do.")] = None,
    mm7_port: Annotated[int, typer.Option(help="Where it takes MMS over MM7; 0 takes a free port.")] = 0,
    mm7_vasp: Annotated[
        str, typer.Option(help="Where it sends reports and MMS of handsets, a URL; it can be told later, too.")
    ] = "",
    mm7_username: Annotated[str, typer.Option(help="Who may send MMS; default: anybody.")] = "",
    mm7_password: Annotated[str, typer.Option(help="What must be known to send MMS.")] = "",
    mm7_digest: Annotated[bool, typer.Option("--mm7-digest", help="Ask for Digest, rather than Basic.")] = False,
    mm7_octets: Annotated[int, typer.Option(help="Of the largest MMS, as it comes; default: any size.")] = 0,
    tls_certificate: Annotated[
        Path | None, typer.Option(help="Speak SMPP over TLS with the certificate of this file (PEM, with its chain).")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its key (PEM); default: it is in the same file.")] = None,
    until_eof: Annotated[bool, typer.Option("--until-eof", hidden=True)] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the ports as one JSON object.")] = False,
) -> None:
    """Be a carrier, until interrupted. What it does with a message depends on the destination's last digits.
    A scenario is a file that says what else it does: docs/simulator.md.

    Example: messagehub simulator --smpp-port 2775
    """
    if context.invoked_subcommand:
        return
    from messagehub.carriers.simulator import Options, Vasp, run
    from messagehub.cli import running

    options = Options(
        smpp_port=smpp_port,
        http_port=http_port,
        scenario=rules_of(scenario),
        plain=plain,
        receipt_delay=receipt_delay,
        slow_receipt=slow_receipt,
        system_id=system_id,
        password=password,
        tls=_tls(tls_certificate, tls_key),
        mm7_port=mm7_port,
        mm7_username=mm7_username,
        mm7_password=mm7_password,
        mm7_digest=mm7_digest,
        mm7_octets=mm7_octets,
        vasps={"": Vasp(mm7_vasp)} if mm7_vasp else {},
        until_eof=until_eof,
        ready=partial(_tell, as_json),
    )
    try:
        running.run(run(options))
    except OSError as error:
        raise HubError(f"cannot listen on the ports that were asked for: {error}") from None


def _tell(as_json: bool, ports: "Ports") -> None:
    shown = {"smpp": f"127.0.0.1:{ports.smpp}"}
    shown |= {"http": f"http://127.0.0.1:{ports.http}", "mm7": f"http://127.0.0.1:{ports.mm7}/"}
    words = f"SMPP at {shown['smpp']}, MM7 at {shown['mm7']}, control at {shown['http']}"
    typer.echo(json.dumps(shown) if as_json else words)


def rules_of(scenario: Path | None) -> "tuple[Rule, ...]":
    """The rules of a scenario's file; none without one."""
    from messagehub.carriers.simulator import ScenarioError, load

    try:
        return load(scenario) if scenario else ()
    except ScenarioError as error:
        raise WrongUsage(str(error)) from None


def _tls(certificate: Path | None, key: Path | None) -> "ssl.SSLContext | None":
    if certificate is None:
        if key is not None:
            raise WrongUsage("--tls-key needs --tls-certificate")
        return None
    from messagehub.carriers import tls

    try:
        # What is not PEM is none in Latin-1 either, and is refused as such.
        return tls.serving(*(path.read_text("latin-1") for path in (certificate, key or certificate)))
    except tls.Unusable as error:
        raise HubError(str(error)) from None
    except OSError as error:
        raise HubError(f"cannot read {error.filename}: {error.strerror}") from None


@app.command("send")
def send(
    source: Annotated[str, typer.Option("--from", help="The handset's number.")],
    destination: Annotated[str, typer.Option("--to", help="The number that it writes to.")],
    text: Annotated[str, typer.Argument(help="What it writes; may be left out of an MMS.")] = "",
    media: Annotated[
        list[Path] | None, typer.Option(help="A picture or another file, which makes it an MMS; may come again.")
    ] = None,
    subject: Annotated[str, typer.Option(help="Of an MMS.")] = "",
    url: Annotated[str, typer.Option(help="The simulator's control address; default: that of the running dev.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Make a handset write to us: an SMS, or an MMS with media or a subject.

    Example: messagehub simulator send --from +15559876543 --to +15551234567 "Hello"
    """
    from messagehub.cli.client import Server

    if not (text or media or subject):
        raise WrongUsage("nothing to send: give a text, --media or --subject")
    medias = [_medium(path) for path in media or ()]
    body = {"from": source, "to": destination, "text": text, "subject": subject, "medias": medias}
    url = url or _running()
    with Server("simulator", url) as server:
        answer, told = server.ask("POST", "/send", body)
    if answer.status != 200:
        raise HubError(f"the simulator refused: {told}")
    if as_json:
        typer.echo(json.dumps(told))
    else:
        typer.echo(f"sent in {told['parts']} part(s): {', '.join(told['statuses'])}")


def _medium(path: Path) -> dict[str, str]:
    from base64 import b64encode

    from messagehub.media import MediaError, check

    try:
        octets = path.read_bytes()
        kind, _ = check(octets)
    except OSError as error:
        raise WrongUsage(f"--media: cannot read {path}: {error.strerror}") from None
    except MediaError as error:
        raise WrongUsage(f"--media: {path}: {error.message}") from None
    return {"type": kind.type, "octets": b64encode(octets).decode()}


@app.command("submits")
def submits(
    after: Annotated[int, typer.Option(help="Only what came after this number.", min=0)] = 0,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many at most: those that came last.")] = SHOWN,
    save: Annotated[Path | None, typer.Option(help="Write the media of MMS into this folder.")] = None,
    url: Annotated[str, typer.Option(help="The simulator's control address; default: that of the running dev.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False,
) -> None:
    """Show what has arrived at the simulator; of MMS with their media, as the recipient gets them.

    Example: messagehub simulator submits --save arrived
    """
    from messagehub.cli import showing
    from messagehub.cli.client import Server

    with Server("simulator", url or _running()) as server:
        answer, told = server.ask("GET", f"/submits?after={after}")
        if answer.status != 200:
            raise HubError(f"the simulator refused: {told}")
        shown = told["result"][-limit:]
        for submit in shown:
            for k, part in enumerate(submit.get("parts", ()), start=1):
                if save and part["type"] not in NO_MEDIA:
                    found = server.answer("GET", f"/submits/{submit['n']}/parts/{k}")
                    part["file"] = _saved(save, f"{submit['n']}-{k}", part, found.body) if found.status == 200 else ""
    if as_json:
        showing.as_json(shown)
    else:
        columns: showing.Columns = {"n": "n", "kind": "kind", "from": "source", "to": "destination", "text": "text"}
        showing.print_table(shown, {**columns, "media": _media})


NO_MEDIA = ("application/smil", "text/plain")


def _media(submit: dict[str, Any]) -> str:
    parts = [part for part in submit.get("parts", ()) if part["type"] not in NO_MEDIA]
    return "; ".join(map(_described, parts))


def _described(part: dict[str, Any]) -> str:
    pixels = f" {part['width']}x{part['height']}" if "width" in part else ""
    return f"{part.get('file') or part['type']}{pixels} {part['size']} octets"


def _saved(folder: Path, name: str, part: dict[str, Any], octets: bytes) -> str:
    from messagehub.media.kinds import by_type

    kind = by_type(part["type"])
    path = folder / f"{name}.{kind.extension if kind else 'bin'}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(octets)
    except OSError as error:
        raise HubError(f"cannot write {path}: {error.strerror}") from None
    return str(path)


@app.command("outbind")
def outbind(
    address: Annotated[str, typer.Option("--to", help="Where carriers may call: HOST:PORT.")],
    system_id: Annotated[str, typer.Option("--system-id", help="As in the carrier's config.")],
    password: Annotated[str, typer.Option("--password", help="Likewise.")],
    url: Annotated[str, typer.Option(help="The simulator's control address; default: that of the running dev.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Call a server, and tell it to bind.

    Example: messagehub simulator outbind --to 127.0.0.1:2776 --system-id acme --password secret
    """
    from messagehub.cli.client import Server

    host, _, port = address.rpartition(":")
    if not port.isdecimal():
        raise HubError(f"--to: {address!r} is no HOST:PORT")
    with Server("simulator", url or _running()) as server:
        asked = {"host": host.strip("[]"), "port": int(port), "system_id": system_id, "password": password}
        answer, told = server.ask("POST", "/outbind", asked)
    if answer.status != 200:
        raise HubError(f"the simulator refused: {told}")
    typer.echo(json.dumps(told) if as_json else "called; `messagehub carrier show` says whether it is bound")


def _running() -> str:
    from messagehub.cli import state

    try:
        return str(state.read("simulator_control")["simulator_control"])
    except state.NotRunning as error:
        raise HubError(f"{error}; start one, or say with --url where the simulator is controlled") from None
