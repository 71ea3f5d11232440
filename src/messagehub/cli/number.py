"""messagehub number"""

from typing import Annotated, Any

import typer

from messagehub.cli.exits import WrongUsage
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
Keywords = Annotated[
    list[str] | None,
    typer.Option(
        "--keyword",
        metavar="WORD=FLOW_ID",
        help="Another flow, for messages that are this word, or like it where it has a `*`; may be repeated. "
        "They take the place of all keywords that were there; one that is empty takes them away.",
    ),
]

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
    keyword: Keywords = None,
    ignored_keywords: Ignored = None,
) -> None:
    """Change a number's name, note, flow, keywords, or what an opt-out from it means; what is not given stays.

    Example: messagehub number update 01a1fbb3-7b7c-726d-8ab2-899bdcffd8af --name "Front desk"
    """
    ignored = [word for word in ignored_keywords if word != NONE] if ignored_keywords else None
    keywords = None if keyword is None else [_keyword(text) for text in keyword if text]
    own = given(name=name, detail=detail, sender_group=sender_group, keywords=keywords, ignored_keywords=ignored)
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


def _keyword(text: str) -> dict[str, str]:
    word, separator, flow_id = text.rpartition("=")
    if not (word and separator):
        raise WrongUsage(f"--keyword {text!r}: write WORD=FLOW_ID, such as menu=01a1fbb3-7b7c-726d-8ab2-899bdcffd8af")
    return {"pattern" if "*" in word else "word": word, "flow_id": flow_id}
