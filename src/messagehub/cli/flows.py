"""messagehub flows"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from messagehub.cli import showing
from messagehub.cli.exits import WrongUsage
from messagehub.cli.session import SHOWN, All, Limit, Session, Yes, customer, given, group
from messagehub.cli.showing import Columns, moment
from messagehub.errors import HubError, Refusal

if TYPE_CHECKING:
    from messagehub.cli.client import Json
    from messagehub.flows.play import Seen
    from messagehub.shapes import FlowGiven

app = group("Flows: what answers messages. `run` plays one here, without a server.")

Id = Annotated[str, typer.Argument(help="The flow's id, from `flows list`.")]
ActiveId = Annotated[str, typer.Argument(help="The activeflow's id, from `flows running`.")]
File = Annotated[
    Path, typer.Argument(help="A flow as JSON: as POST /flows takes it, its actions, or one.", allow_dash=True)
]
Variables = Annotated[
    list[str] | None, typer.Option("--variable", metavar="NAME=VALUE", help="A variable; may be repeated.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON array of what happens.")]

COLUMNS: Columns = {
    "id": "id",
    "name": "name",
    "actions": lambda flow: len(flow["actions"]),
    "created": moment("tm_create"),
}
ACTIONS: Columns = {"id": "id", "type": "type", "next": "next_id", "option": lambda action: _json(action["option"])}
ACTIVE: Columns = {
    "id": "id",
    "status": "status",
    "person": "person",
    "at": lambda active: active["current_action"]["type"],
    "done": "executed_count",
    "ended": "end_reason",
    "created": moment("tm_create"),
}
DONE: Columns = {
    "at": moment("tm_execute"),
    "type": "type",
    "id": "id",
    "result": "result",
    "option": lambda action: _json(action["option"]),
}


@app.command("run")
def run(
    file: File,
    say: Annotated[
        list[str] | None,
        typer.Option("--say", help="What the person writes, first and then in reply; may be repeated."),
    ] = None,
    media: Annotated[
        list[str] | None,
        typer.Option(
            "--media", help="The URL of a medium that comes with what the person writes first; may be repeated."
        ),
    ] = None,
    start: Annotated[bool, typer.Option("--start", help="Start it as POST /activeflows does; nobody writes.")] = False,
    variable: Variables = None,
    number: Annotated[str, typer.Option("--number", help="The number that is written to.")] = "+15551234567",
    person: Annotated[str, typer.Option("--person", help="Who writes.")] = "+15559876543",
    as_json: AsJson = False,
) -> None:
    """Play a flow here, against a simulated person: nothing is sent, nobody is asked, and time passes at once.

    At a terminal it asks what the person writes; what comes by a pipe is taken line by line.

    Example: messagehub flows run flow.json --say hello --say yes
    """
    from messagehub import clock
    from messagehub.flows import play

    said, medias = _Said(say or ([""] if media else [])), media or []
    if start and medias:
        raise WrongUsage("--media: with --start nobody writes")
    try:
        played = play.of(_read(file), number, person, clock.now(), _pairs(variable))
    except Refusal as refusal:
        raise HubError(f"{file}: {refusal.message}") from None
    seen = played.start(said.next) if start else _conversation(played, said, medias)
    if as_json:
        showing.as_json(list(seen))
        return
    for one in seen:
        print(_line(one), flush=True)


@app.command("create")
@customer
def create(
    session: Session, file: File, name: Annotated[str | None, typer.Option("--name", help="What it is called.")] = None
) -> None:
    """Make a flow of a file.

    Example: messagehub flows create flow.json --name "Opening hours"
    """
    session.show(session.api.post("flows", body=_body(file) | given(name=name)), actions=ACTIONS)


@app.command("list")
@customer
def list_all(session: Session, limit: Limit = SHOWN, all_: All = False) -> None:
    """List flows.

    Example: messagehub flows list
    """
    session.list(COLUMNS, None if all_ else limit, "flows")


@app.command("show")
@customer
def show(session: Session, id: Id) -> None:
    """Show a flow and its actions.

    Example: messagehub flows show 01a1fbb3-7b7c-726d-8ab2-899bdcffd8af
    """
    session.show(session.api.get("flows", id), actions=ACTIONS)


@app.command("update")
@customer
def update(
    session: Session,
    id: Id,
    file: File,
    name: Annotated[str | None, typer.Option("--name", help="What it is called.")] = None,
) -> None:
    """Put a file in the place of a flow's actions; what runs goes on as it was.

    Example: messagehub flows update 01a1fbb3-7b7c-726d-8ab2-899bdcffd8af flow.json
    """
    session.show(session.api.put("flows", id, body=_body(file) | given(name=name)), actions=ACTIONS)


@app.command("delete")
@customer
def delete(session: Session, id: Id, yes: Yes = False) -> None:
    """Delete a flow that answers no number.

    Example: messagehub flows delete 01a1fbb3-7b7c-726d-8ab2-899bdcffd8af
    """
    session.show(session.remove("Delete the flow", yes, "flows", id, name=_name), actions=ACTIONS)


@app.command("start")
@customer
def start(session: Session, id: Id, variable: Variables = None) -> None:
    """Start a flow; what it is and was up to, `flows progress` shows.

    Example: messagehub flows start 01a1fbb3-7b7c-726d-8ab2-899bdcffd8af --variable name=Anne
    """
    body = {"flow_id": id, "variables": _pairs(variable)}
    session.show(session.api.post("activeflows", body=body), executed_actions=DONE)


@app.command("running")
@customer
def running(
    session: Session,
    flow_id: Annotated[str | None, typer.Option("--flow", help="Only those of this flow: its id.")] = None,
    status: Annotated[Literal["running", "ended", "all"], typer.Option("--status", help="Which.")] = "running",
    limit: Limit = SHOWN,
    all_: All = False,
) -> None:
    """List flows that run, or have run.

    Example: messagehub flows running --status all
    """
    wanted = given(flow_id=flow_id, status=None if status == "all" else status)
    session.list(ACTIVE, None if all_ else limit, "activeflows", **wanted)


@app.command("progress")
@customer
def progress(session: Session, id: ActiveId) -> None:
    """Show where a flow is that runs, what it did, and why it has ended.

    Example: messagehub flows progress 01a1fbb3-7b7c-726d-8ab2-899bdcffd8af
    """
    session.show(session.api.get("activeflows", id), executed_actions=DONE)


@app.command("stop")
@customer
def stop(session: Session, id: ActiveId) -> None:
    """Stop a flow that runs.

    Example: messagehub flows stop 01a1fbb3-7b7c-726d-8ab2-899bdcffd8af
    """
    session.show(session.api.post("activeflows", id, "stop", body={}), executed_actions=DONE)


# --- files ------------------------------------------------------------------------------


def _read(file: Path) -> "FlowGiven":
    from messagehub.flows import play

    try:
        return play.read(sys.stdin.read() if str(file) == "-" else file.read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise HubError(f"{file}: {error}") from None
    except Refusal as refusal:
        raise HubError(f"{file}: {refusal.message}") from None


def _body(file: Path) -> "Json":
    import msgspec

    body: Json = msgspec.to_builtins(_read(file))
    return {name: value for name, value in body.items() if value}


def _pairs(texts: list[str] | None) -> dict[str, str]:
    return dict(map(_pair, texts or ()))


def _pair(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not (name and separator):
        raise WrongUsage(f"--variable {text!r}: write NAME=VALUE, such as name=Anne")
    return name, value


def _json(value: object) -> str:
    import msgspec

    return msgspec.json.encode(value).decode() if value else ""


def _name(thing: dict[str, Any]) -> str:
    return f"{thing['name']} ({thing['id']})"


# --- a play -----------------------------------------------------------------------------


class _Said:
    """What the person writes: what was given, then what somebody types or what a pipe brings."""

    def __init__(self, given: list[str]) -> None:
        self._given = given[::-1]
        self._asks = not given or sys.stdin.isatty()

    def next(self) -> str:
        """Ended where there is no more."""
        from messagehub.flows.play import Ended

        if self._given:
            return self._given.pop()
        if not self._asks:
            raise Ended
        if sys.stdin.isatty():
            print("> ", end="", file=sys.stderr, flush=True)
        if not (line := sys.stdin.readline()):
            raise Ended
        return line.rstrip("\r\n")


def _conversation(played: Any, said: _Said, medias: list[str]) -> "Iterator[Seen]":
    """The person writes until there is no more to say; where no flow waits for it, one begins. `medias` come first."""
    from messagehub.flows.play import Ended

    answer: Callable[..., Iterator[Seen]] = played.answer
    try:
        text = said.next()
    except Ended:
        raise WrongUsage("nobody says anything; give --say TEXT, or --start") from None
    while True:
        yield from answer(text, said.next, medias)
        medias = []
        try:
            text = said.next()
        except Ended:
            return


MARKS = {"said": "{who} says: {words}", "sent": "  -> {who}: {words}", "end": "     ends as {words}"}


def _line(seen: "Seen") -> str:
    form = MARKS.get(seen.what, "     {what}: {words}")
    return form.format(what=seen.what, who=seen.who, words=showing.visible(seen.words))
