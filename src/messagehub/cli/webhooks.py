"""messagehub webhooks"""

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from messagehub.cli import showing, times
from messagehub.cli.exits import Exit, WrongUsage
from messagehub.cli.session import SHOWN, All, Limit, Session, customer, given, group
from messagehub.cli.showing import Columns, moment

if TYPE_CHECKING:
    from messagehub.cli.client import Json

app = group("Webhooks: how your endpoint is told of what happens.")

Status = Annotated[
    Literal["pending", "delivered", "failed"] | None, typer.Option("--status", help="Only those with this status.")
]
Kind = Annotated[str | None, typer.Option("--type", help="Only of this type, such as message_updated.")]
Message = Annotated[str | None, typer.Option("--message", help="Only those about this message: its id.")]
Since = Annotated[str | None, times.option("--from", "--since", help="Only those created then or later")]
Until = Annotated[str | None, times.option("--to", "--until", help="Only those created before")]
DeliveryId = Annotated[str, typer.Argument(help="The delivery's id, which is its webhook-id.")]

COLUMNS: Columns = {
    "id": "id",
    "created": moment("tm_create"),
    "type": "type",
    "message": "message_id",
    "status": "status",
    "attempts": "attempts",
    "response": "response_status",
    "error": "error",
    "next attempt": moment("tm_next_attempt"),
}
TRIES: Columns = {
    "attempt": "attempt",
    "response": "response_status",
    "error": "error",
    "at": moment("tm_create"),
}
EVERY = "all"
"""In place of a status: no choice among them any more."""


@app.command("set")
@customer
def set_endpoint(
    session: Session,
    uri: Annotated[str, typer.Argument(metavar="URI", help="Where to; an empty one for nowhere.")],
    method: Annotated[Literal["POST", "PUT"] | None, typer.Option("--method", help="How it is told.")] = None,
    events: Annotated[
        list[str] | None, typer.Option("--event", help="What it is told of, such as message_received; may be repeated.")
    ] = None,
    statuses: Annotated[
        list[str] | None,
        typer.Option("--status", help="Only changes to this status of a target; may be repeated; `all` for any."),
    ] = None,
) -> None:
    """Say where webhooks go to, and what they tell of; what is not given stays.

    Example: messagehub webhooks set https://shop.example.com/hooks --event message_received --event message_updated
    """
    chosen = [] if statuses == [EVERY] else statuses
    said = given(webhook_method=method, webhook_events=events or None, webhook_statuses=chosen)
    _show_endpoint(session, session.api.put("customer", body={"webhook_uri": uri, **said}))


@app.command("show")
@customer
def show(session: Session) -> None:
    """Show where webhooks go to, the secret that signs them, and whether they arrive.

    Example: messagehub webhooks show
    """
    _show_endpoint(session, session.api.get("customer"))


@app.command("list")
@customer
def list_all(
    session: Session,
    kind: Kind = None,
    status: Status = None,
    message_id: Message = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = SHOWN,
    all_: All = False,
) -> None:
    """List deliveries, newest first.

    Example: messagehub webhooks list --status failed --since 1d
    """
    asked = _asked(kind, status, message_id, since, until)
    session.list(COLUMNS, None if all_ else limit, "webhook_deliveries", **asked)


@app.command("delivery")
@customer
def delivery(session: Session, id: DeliveryId) -> None:
    """Show a delivery: its body, and each attempt.

    Example: messagehub webhooks delivery 01a1fbb4-93ff-7298-9d2e-e41a786e1293
    """
    session.show(session.api.get("webhook_deliveries", id), tries=TRIES)


@app.command("replay")
@customer
def replay(
    session: Session,
    id: Annotated[str | None, typer.Argument(help="One delivery's id; else give a range.")] = None,
    since: Since = None,
    until: Until = None,
    kind: Kind = None,
    status: Status = None,
    message_id: Message = None,
) -> None:
    """Tell the endpoint again: of one delivery, or of all within a range of time.

    Example: messagehub webhooks replay --from 2h --status failed
    """
    asked = _asked(kind, status, message_id, since, until)
    if bool(id) == bool(asked):
        raise WrongUsage("give the id of one delivery, or a range with --from, --to, --type, --status or --message")
    if id:
        session.show(session.api.post("webhook_deliveries", id, "replay", body={}), tries=TRIES)
    else:
        session.show(_replayed(session, asked))


@app.command("test")
@customer
def test(session: Session) -> None:
    """Send a test webhook, and show what the endpoint answered.

    Example: messagehub webhooks test
    """
    told = session.api.post("customer", "webhook_test", body={})
    session.show(told)
    raise typer.Exit(Exit.DONE if told["delivered"] else Exit.NOT_DELIVERED)


@app.command("rotate-secret")
@customer
def rotate_secret(session: Session) -> None:
    """Make a new secret; the old one signs too for a day.

    Example: messagehub webhooks rotate-secret
    """
    _show_endpoint(session, session.api.post("customer", "webhook_secret", body={}))


def _asked(
    kind: str | None, status: str | None, message_id: str | None, since: str | None, until: str | None
) -> "Json":
    return given(type=kind, status=status, message_id=message_id, tm_create_from=since, tm_create_to=until)


def _replayed(session: Session, asked: "Json") -> "Json":
    """The answer for the whole range; the API does a part of it at each request."""
    total, token = 0, ""
    with showing.progress("replaying") as say:
        while True:
            body = {**asked, "page_token": token} if token else asked
            answer = session.api.post("webhook_deliveries", "replay", body=body)
            total += answer["replayed"]
            say(f"replaying: {total}")
            if not (token := answer["next_page_token"]):
                return {**answer, "replayed": total}


def _show_endpoint(session: Session, customer: dict[str, Any]) -> None:
    """What a customer has to do with webhooks; as JSON all of it."""
    about = {name: value for name, value in customer.items() if "webhook" in name}
    session.show(customer if session.as_json else about)
