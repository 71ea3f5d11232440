"""messagehub route"""

from typing import Annotated, Any

import typer

from messagehub.cli.session import SHOWN, All, Limit, Session, Yes, changes, given, group, operator
from messagehub.cli.showing import Columns

app = group("Routes: which carrier takes which messages. They are the operator's.")

Id = Annotated[str, typer.Argument(help="The route's id.")]
Name = Annotated[str | None, typer.Option("--name", help="What people call it.")]
Prefix = Annotated[str | None, typer.Option("--prefix", help="How its destinations begin; the longest one wins.")]
Priority = Annotated[int | None, typer.Option("--priority", help="The lowest goes first; the others follow it.")]
Weight = Annotated[int | None, typer.Option("--weight", help="Its share among those of the same priority.")]
Customer = Annotated[str | None, typer.Option("--customer", help="Only for this customer: its id.")]

COLUMNS: Columns = {
    "id": "id",
    "name": "name",
    "prefix": "prefix",
    "carrier": "carrier_id",
    "priority": "priority",
    "weight": "weight",
    "customer": "customer_id",
}
CHOICES: Columns = {"carrier": "carrier_name", "why": "why", "route": "route_id"}


@app.command("create")
@operator
def create(
    session: Session,
    carrier_id: Annotated[str, typer.Option("--carrier", help="Who takes the messages: a carrier's id.")],
    name: Name = None,
    prefix: Prefix = None,
    priority: Priority = None,
    weight: Weight = None,
    customer_id: Customer = None,
) -> None:
    """Make a route; without a prefix it is for all destinations.

    Example: messagehub route create --carrier 01a1fbb3-7b7c-726d-8ab2-899bdcffd8af --prefix +44
    """
    said = given(
        carrier_id=carrier_id, name=name, prefix=prefix, priority=priority, weight=weight, customer_id=customer_id
    )
    session.show(session.api.post("routes", body=said))


@app.command("list")
@operator
def list_all(session: Session, limit: Limit = SHOWN, all_: All = False) -> None:
    """List routes, newest first.

    Example: messagehub route list
    """
    session.list(COLUMNS, None if all_ else limit, "routes")


@app.command("show")
@operator
def show(session: Session, id: Id) -> None:
    """Show a route.

    Example: messagehub route show 01a1fbb3-7b7c-726d-8ab2-899bdcffd8af
    """
    session.show(session.api.get("routes", id))


@app.command("update")
@operator
def update(
    session: Session,
    id: Id,
    carrier_id: Annotated[str | None, typer.Option("--carrier", help="Who takes the messages: a carrier's id.")] = None,
    name: Name = None,
    prefix: Prefix = None,
    priority: Priority = None,
    weight: Weight = None,
    customer_id: Customer = None,
) -> None:
    """Change a route; what is not given stays.

    Example: messagehub route update 01a1fbb3-7b7c-726d-8ab2-899bdcffd8af --priority 2
    """
    said = changes(
        carrier_id=carrier_id, name=name, prefix=prefix, priority=priority, weight=weight, customer_id=customer_id
    )
    session.show(session.api.put("routes", id, body=said))


@app.command("delete")
@operator
def delete(session: Session, id: Id, yes: Yes = False) -> None:
    """Remove a route.

    Example: messagehub route delete 01a1fbb3-7b7c-726d-8ab2-899bdcffd8af
    """
    session.show(session.remove("Remove the route", yes, "routes", id, name=_name))


@app.command("choose")
@operator
def choose(
    session: Session,
    destination: Annotated[str, typer.Argument(help="The number that a message would go to.")],
    source: Annotated[
        str | None, typer.Option("--from", help="A number of the customer whose own routes count too.")
    ] = None,
    kind: Annotated[str, typer.Option(help="Of the message: sms or mms.")] = "sms",
) -> None:
    """Explain which carriers a message would go to, the first choice first; nothing is sent.

    Example: messagehub route choose +15559876543 --from +15551234567
    """
    session.show(
        session.api.get("routes", "choose", destination=destination, source=source, kind=kind),
        result=CHOICES,
        passed_over=CHOICES,
    )


def _name(thing: dict[str, Any]) -> str:
    return f"{thing['name'] or 'without a name'} ({thing['id']})"
