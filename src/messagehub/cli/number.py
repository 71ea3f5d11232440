"""messagehub number"""

from typing import Annotated, Any

import typer

from messagehub.cli.session import SHOWN, All, Limit, Session, Yes, changes, customer, given, group, operator
from messagehub.cli.showing import Columns, moment

app = group("Numbers: what messages are sent from and come to. The operator gives them and takes them away.")

Id = Annotated[str, typer.Argument(help="The number's id, from `number list`.")]
Name = Annotated[str | None, typer.Option("--name", help="What people call it.")]
Detail = Annotated[str | None, typer.Option("--detail", help="A note.")]
Group = Annotated[
    str | None, typer.Option("--sender-group", help="Numbers of the same group share their opt-outs; empty: none.")
]
Ignored = Annotated[
    list[str] | None,
    typer.Option("--ignore-keyword", help="A word, such as CANCEL, that is no opt-out here; may be repeated; `none`."),
]
NONE = "none"
"""In place of a word: no word is ignored any more."""

Flow = Annotated[str | None, typer.Option("--message-flow-id", help="The flow that answers what comes to it.")]

COLUMNS: Columns = {
    "id": "id",
    "number": "number",
    "name": "name",
    "customer": "customer_id",
    "created": moment("tm_create"),
}


@app.command("create")
@operator
def create(
    session: Session,
    number: Annotated[str, typer.Argument(help="E.164, a short code, or an alphanumeric sender.")],
    customer_id: Annotated[str, typer.Option("--customer", help="Whose it is to be: a customer's id.")],
    name: Name = None,
    detail: Detail = None,
    message_flow_id: Flow = None,
) -> None:
    """Give a customer a number.

    Example: messagehub number create +15551234567 --customer 01a1fbb3-7b7c-726d-8ab2-899bdcffd8af
    """
    said = given(number=number, customer_id=customer_id, name=name, detail=detail, message_flow_id=message_flow_id)
    session.show(session.api.post("numbers", body=said))


@app.command("list")
@customer
def list_all(session: Session, limit: Limit = SHOWN, all_: All = False) -> None:
    """List one's numbers; with the operator's key those of all customers.

    Example: messagehub number list
    """
    session.list(COLUMNS, None if all_ else limit, "numbers")


@app.command("show")
@customer
def show(session: Session, id: Id) -> None:
    """Show a number.

    Example: messagehub number show 01a1fbb3-7b7c-726d-8ab2-899bdcffd8af
    """
    session.show(session.api.get("numbers", id))


@app.command("update")
@customer
def update(
    session: Session,
    id: Id,
    name: Name = None,
    detail: Detail = None,
    message_flow_id: Flow = None,
    sender_group: Group = None,
    ignored_keywords: Ignored = None,
) -> None:
    """Change a number's name, note, flow, or what an opt-out from it means; what is not given stays.

    Example: messagehub number update 01a1fbb3-7b7c-726d-8ab2-899bdcffd8af --name "Front desk"
    """
    ignored = [word for word in ignored_keywords if word != NONE] if ignored_keywords else None
    own = given(name=name, detail=detail, sender_group=sender_group, ignored_keywords=ignored)
    changes(message_flow_id=message_flow_id, **own)
    number = {}
    if own:
        number = session.api.put("numbers", id, body=own)
    if flow := given(message_flow_id=message_flow_id):
        number = session.api.put("numbers", id, "flow_ids", body=flow)
    session.show(number)


@app.command("delete")
@operator
def delete(session: Session, id: Id, yes: Yes = False) -> None:
    """Take a number away from its customer.

    Example: messagehub number delete 01a1fbb3-7b7c-726d-8ab2-899bdcffd8af
    """
    session.show(session.remove("Take away the number", yes, "numbers", id, name=_name))


def _name(thing: dict[str, Any]) -> str:
    return str(thing["number"])
