"""messagehub conversations"""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from messagehub.cli import showing
from messagehub.cli.messages import said
from messagehub.cli.session import SHOWN, All, Limit, Session, customer, given, group
from messagehub.cli.showing import Columns, moment

if TYPE_CHECKING:
    from rich.text import Text

app = group("Conversations: what was said between a number of yours and somebody, both ways.")

Id = Annotated[str, typer.Argument(help="The conversation's id.")]

COLUMNS: Columns = {
    "id": "id",
    "last message": moment("tm_last_message"),
    "number": "self",
    "with": "peer",
    "unread": "unread_count",
    "name": "name",
}
ARROWS = {"incoming": "←", "outgoing": "→"}
STYLES = {"progressing": "yellow", "done": "green", "failed": "red"}


@app.command("list")
@customer
def list_all(
    session: Session,
    number: Annotated[str | None, typer.Option("--number", help="Only those of this number of yours.")] = None,
    peer: Annotated[str | None, typer.Option("--with", help="Only those with this address.")] = None,
    limit: Limit = SHOWN,
    all_: All = False,
) -> None:
    """List conversations, the one with the newest message first.

    Example: messagehub conversations list --number +15551234567
    """
    session.list(COLUMNS, None if all_ else limit, "conversations", **given(self=number, peer=peer))


@app.command("show")
@customer
def show(session: Session, id: Id, limit: Limit = SHOWN, all_: All = False) -> None:
    """Show a conversation as a dialogue, the newest message last.

    Example: messagehub conversations show 5c1c0b1e-6f5b-5d1c-9a51-0b4c3f6f2f7e
    """
    thread = session.api.get("conversations", id)
    messages, more = session.api.rows("conversations", id, "messages", limit=None if all_ else limit)
    if session.as_json:
        showing.as_json({**thread, "messages": messages})
        return
    showing.print_details(thread, {})
    out = showing.console()
    out.print(f"\n{'… older ones: --limit N or --all' if more else ''}".rstrip(" "))
    for message in reversed(messages):
        out.print(_line(message))


@app.command("open")
@customer
def open_(
    session: Session,
    peer: Annotated[str, typer.Option("--with", help="Who is at the other end.")],
    number: Annotated[str, typer.Option("--number", help="The number of yours.")],
) -> None:
    """Open a conversation with somebody who has not written yet; one that is there is shown.

    Example: messagehub conversations open --number +15551234567 --with +15559876543
    """
    session.show(session.api.post("conversations", body={"self": number, "peer": peer}))


@app.command("send")
@customer
def send(
    session: Session, id: Id, text: Annotated[str, typer.Argument(metavar="TEXT", help="What to say in it.")]
) -> None:
    """Say something in a conversation.

    Example: messagehub conversations send 5c1c0b1e-6f5b-5d1c-9a51-0b4c3f6f2f7e "We open at nine"
    """
    session.show(session.api.post("conversations", id, "messages", body={"text": text}))


@app.command("read")
@customer
def read(session: Session, id: Id) -> None:
    """Say that its messages have been read.

    Example: messagehub conversations read 5c1c0b1e-6f5b-5d1c-9a51-0b4c3f6f2f7e
    """
    session.show(session.api.post("conversations", id, "read", body={}))


def _line(message: dict[str, Any]) -> "Text":
    """When, which way, what, and what became of it."""
    from rich.text import Text

    arrow = ARROWS.get(message["direction"], "")
    line = Text(showing.visible(f"{moment('tm_create')(message)}  {arrow} {said(message)}"))
    if message["direction"] == "outgoing":
        line.append(f"  {message['status']}", STYLES.get(message["status"], ""))
    return line
