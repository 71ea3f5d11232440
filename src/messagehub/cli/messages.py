"""messagehub messages"""

import time
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from messagehub.cli import showing, times
from messagehub.cli.session import SHOWN, All, Limit, Session, Yes, customer, group
from messagehub.cli.showing import Columns, moment

app = group("Messages: what was sent, what came in, and what became of it.")

Id = Annotated[str, typer.Argument(help="The message's id.")]
Direction = Annotated[Literal["outbound", "inbound"] | None, typer.Option("--direction", help="Only sent, or come.")]
Source = Annotated[str | None, typer.Option("--source", help="Only from this address.")]
Destination = Annotated[str | None, typer.Option("--destination", help="Only to this address.")]


def recipients(message: dict[str, Any]) -> str:
    """The first one, and how many more there are."""
    if "destination" in message:
        return str(message["destination"]["target"])
    first, others = message["targets"][0]["destination"]["target"], message["target_count"] - 1
    return f"{first} and {others} more" if others else str(first)


def tally(message: dict[str, Any]) -> str:
    """How many targets have which status, of those that the message shows."""
    counts = Counter(target["status"] for target in message["targets"])
    return ", ".join(f"{count} {status}" for status, count in counts.items())


def said(message: dict[str, Any]) -> str:
    """Its text; of an MMS its subject and the types of its media, too."""
    subject, medias = message.get("subject"), message.get("medias") or ()
    if not (subject or medias or message.get("type") == "mms"):
        return str(message["text"])
    enclosed = [f'"{subject}"'] * bool(subject) + [each["type"] or "medium" for each in medias]
    return f"{message['text']} [{', '.join(enclosed) or 'MMS'}]".lstrip()


COLUMNS: Columns = {
    "id": "id",
    "created": moment("tm_create"),
    "from": lambda message: message["source"]["target"],
    "to": recipients,
    "status": "status",
    "text": said,
}
TARGETS: Columns = {
    "to": "destination",
    "status": "status",
    "parts": "parts",
    "error": "error_code",
    "error message": "error_message",
    "possible duplicate": "possible_duplicate",
    "updated": moment("tm_update"),
}


MEDIAS: Columns = {"type": "type", "size": "size", "name": "name", "url": "url"}


def show_one(session: Session, message: dict[str, Any]) -> None:
    """With its targets, and with its media where it has any."""
    session.show(message, targets=TARGETS, **({"medias": MEDIAS} if message.get("medias") else {}))


@app.command("list")
@customer
def list_all(
    session: Session,
    direction: Direction = None,
    source: Source = None,
    destination: Destination = None,
    since: Annotated[str | None, times.option("--since", help="Only those created then or later")] = None,
    until: Annotated[str | None, times.option("--until", help="Only those created before")] = None,
    limit: Limit = SHOWN,
    all_: All = False,
) -> None:
    """List messages, newest first.

    Example: messagehub messages list --direction inbound --since 1h
    """
    asked = {"direction": direction, "source": source, "destination": destination}
    session.list(COLUMNS, None if all_ else limit, "messages", **asked, tm_create_from=since, tm_create_to=until)


@app.command("show")
@customer
def show(session: Session, id: Id) -> None:
    """Show a message with the first 100 of its targets.

    Example: messagehub messages show 01a1fbc1-388b-7020-a7fb-a12694d73ae3
    """
    show_one(session, session.api.get("messages", id))


@app.command("targets")
@customer
def targets(session: Session, id: Id, limit: Limit = 100, all_: All = False) -> None:
    """List the targets of a message, in their order.

    Example: messagehub messages targets 01a1fbc1-388b-7020-a7fb-a12694d73ae3 --all
    """
    session.list(TARGETS, None if all_ else limit, "messages", id, "targets")


@app.command("trace")
@customer
def trace(
    session: Session,
    id: Id,
    target: Annotated[int | None, typer.Option("--target", min=0, help="Only this target, by its number.")] = None,
    pdus: Annotated[bool, typer.Option("--pdus", help="Show the PDUs, too, decoded and as octets.")] = False,
    pcap: Annotated[Path | None, typer.Option("--pcap", help="Write the PDUs to this file, for Wireshark.")] = None,
) -> None:
    """Show what was seen of a message on its way, step by step.

    Example: messagehub messages trace 01a1fbc1-388b-7020-a7fb-a12694d73ae3 --pcap trace.pcap
    """
    from messagehub.cli import tracing

    if pcap:
        tracing.save(session.api.octets("messages", id, "trace.pcap", target=target), pcap)
        return
    traces, _ = session.api.rows("messages", id, "trace", limit=None, target=target)
    if session.as_json:
        showing.as_json(traces)
    else:
        tracing.show(traces, pdus)


@app.command("tail")
@customer
def tail(
    session: Session,
    direction: Direction = None,
    source: Source = None,
    destination: Destination = None,
    since: Annotated[str | None, times.option("--since", help="Begin with those created then or later")] = None,
    every: Annotated[float, typer.Option("--every", min=0.1, help="Seconds from one look to the next.")] = 1.0,
) -> None:
    """Follow messages live: new ones, and changes of status, until Ctrl-C.

    Example: messagehub messages tail --since 10m
    """
    from messagehub.cli.following import Follower

    follower = Follower(session.api, since, direction=direction, source=source, destination=destination)
    out = showing.console()
    try:
        while True:
            for message in follower.news():
                if session.as_json:
                    showing.as_json(message)
                else:
                    out.print(_line(message))
            time.sleep(every)
    except KeyboardInterrupt:
        return


@app.command("cancel")
@customer
def cancel(session: Session, id: Id) -> None:
    """Cancel what was not handed to a carrier yet.

    Example: messagehub messages cancel 01a1fbc1-388b-7020-a7fb-a12694d73ae3
    """
    show_one(session, session.api.post("messages", id, "cancel", body={}))


@app.command("reschedule")
@customer
def reschedule(
    session: Session,
    id: Id,
    at: Annotated[str, times.ahead("--at", help="When what still waits is to go")],
) -> None:
    """Give what was not handed to a carrier yet another time; --at 0s is now.

    Example: messagehub messages reschedule 01a1fbc1-388b-7020-a7fb-a12694d73ae3 --at 2h
    """
    show_one(session, session.api.put("messages", id, body={"schedule_at": at}))


@app.command("resend")
@customer
def resend(session: Session, id: Id) -> None:
    """Send again what is held in doubt.

    Example: messagehub messages resend 01a1fbc1-388b-7020-a7fb-a12694d73ae3
    """
    show_one(session, session.api.post("messages", id, "resend", body={}))


@app.command("delete")
@customer
def delete(session: Session, id: Id, yes: Yes = False) -> None:
    """Delete a message: what can be is canceled, and it is seen no more.

    Example: messagehub messages delete 01a1fbc1-388b-7020-a7fb-a12694d73ae3
    """
    show_one(session, session.remove("Delete the message", yes, "messages", id, name=_name))


def _line(message: dict[str, Any]) -> Any:
    """When, which, from whom to whom, what became of it, and what it says."""
    from rich.text import Text

    created, source = moment("tm_create")(message), message["source"]["target"]
    codes = sorted({target["error_code"] for target in message["targets"]} - {""})
    head = f"{created}  {message['id']}  {source} → {recipients(message)}  "
    status = showing.cell("status", message["status"])
    rest = "".join(f" {code}" for code in codes) + f"  {said(message)}"
    return Text.assemble(showing.visible(head), status, showing.visible(rest))


def _name(thing: dict[str, Any]) -> str:
    return f"{thing['id']} to {recipients(thing)}"
