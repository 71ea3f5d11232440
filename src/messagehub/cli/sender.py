"""messagehub sender"""

from typing import Annotated, Literal

import typer

from messagehub.cli.session import Session, customer, given, group, operator
from messagehub.cli.showing import Columns

app = group("Senders: what countries ask of the names and numbers that messages come from.")

Whose = Annotated[str | None, typer.Option("--customer", help="For this customer: its id.")]

COLUMNS: Columns = {
    "country": "country",
    "name": "name",
    "numbers": lambda row: row["prefixes"][:3],
    "alphanumeric": "alphanumeric",
    "best": "best",
    "overruled": "is_overruled",
}


@app.command("list")
@customer
def list_all(session: Session, customer_id: Whose = None) -> None:
    """List the countries of which it is known, and whether names may be senders there.

    Example: messagehub sender list
    """
    session.list(COLUMNS, None, "sender_rules", customer_id=customer_id)


@app.command("set")
@operator
def set_rule(
    session: Session,
    country: Annotated[str, typer.Argument(help="Its code in ISO 3166-1, such as GB.")],
    alphanumeric: Annotated[
        Literal["yes", "registered", "no", "default"],
        typer.Argument(help="Whether names may be senders: any, those registered, none; or as the table says."),
    ],
    customer_id: Whose = None,
) -> None:
    """Say whether names may be senders in a country, for all or for a customer.

    Example: messagehub sender set GB registered
    """
    said = given(country=country, alphanumeric=alphanumeric, customer_id=customer_id)
    session.show(session.api.put("sender_rules", body=said))
