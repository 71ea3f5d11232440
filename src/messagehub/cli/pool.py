"""messagehub pool"""

from typing import Annotated, Any

import typer

from messagehub.cli.session import SHOWN, All, Limit, Session, Yes, changes, customer, given, group
from messagehub.cli.showing import Columns

app = group("Pools: numbers of yours, of which one is chosen for each recipient.")

Id = Annotated[str, typer.Argument(help="The pool's id, from `pool list`.")]
Numbers = Annotated[list[str] | None, typer.Option("--number", help="The id of a number; once for each.")]
Sticky = Annotated[
    bool | None,
    typer.Option("--sticky/--no-sticky", help="Who was written to by a number gets the same again, or not."),
]
Prefers = Annotated[
    bool | None,
    typer.Option("--prefer-country/--any-country", help="Numbers of the recipient's country come first, or not."),
]

COLUMNS: Columns = {
    "id": "id",
    "name": "name",
    "numbers": lambda row: [each["number"] for each in row["numbers"]],
}
NUMBERS: Columns = {"id": "id", "number": "number", "state": "state"}


@app.command("create")
@customer
def create(
    session: Session,
    name: Annotated[str, typer.Argument(help="By which messages name it.")],
    numbers: Numbers = None,
    sticky: Sticky = None,
    prefer_country: Prefers = None,
) -> None:
    """Make a pool.

    Example: messagehub pool create shops --number 01a1fbb3-7b7c-726d-8ab2-899bdcffd8af
    """
    said = given(name=name, sticky=sticky, prefer_country=prefer_country)
    session.show(session.api.post("sender_pools", body={**said, "numbers": numbers or []}), numbers=NUMBERS)


@app.command("list")
@customer
def list_all(session: Session, limit: Limit = SHOWN, all_: All = False) -> None:
    """List one's pools; with the operator's key those of all customers.

    Example: messagehub pool list
    """
    session.list(COLUMNS, None if all_ else limit, "sender_pools")


@app.command("show")
@customer
def show(session: Session, id: Id) -> None:
    """Show a pool and how its numbers are doing.

    Example: messagehub pool show 01a1fbb3-7b7c-726d-8ab2-899bdcffd8af
    """
    session.show(session.api.get("sender_pools", id), numbers=NUMBERS)


@app.command("update")
@customer
def update(
    session: Session,
    id: Id,
    name: Annotated[str | None, typer.Option("--name", help="By which messages name it.")] = None,
    numbers: Numbers = None,
    sticky: Sticky = None,
    prefer_country: Prefers = None,
) -> None:
    """Change a pool; what is not given stays. Its numbers are those given, and no others.

    Example: messagehub pool update 01a1fbb3-7b7c-726d-8ab2-899bdcffd8af --name desks
    """
    said = changes(name=name, numbers=numbers or None, sticky=sticky, prefer_country=prefer_country)
    session.show(session.api.put("sender_pools", id, body=said), numbers=NUMBERS)


@app.command("delete")
@customer
def delete(session: Session, id: Id, yes: Yes = False) -> None:
    """Remove a pool; its numbers stay.

    Example: messagehub pool delete 01a1fbb3-7b7c-726d-8ab2-899bdcffd8af
    """
    session.show(session.remove("Remove the pool", yes, "sender_pools", id, name=_name), numbers=NUMBERS)


def _name(thing: dict[str, Any]) -> str:
    return str(thing["name"])
