"""messagehub contacts"""

from typing import Annotated, Any

import typer

from messagehub.cli.session import SHOWN, All, Limit, Session, Yes, customer, given, group
from messagehub.cli.showing import Columns, moment

app = group("Contacts: where the people are whom you write to, if that is not where their numbers are.")

COLUMNS: Columns = {"id": "id", "address": "address", "time zone": "time_zone", "created": moment("tm_create")}


@app.command("set")
@customer
def keep(
    session: Session,
    address: Annotated[str, typer.Argument(help="Who: E.164.")],
    time_zone: Annotated[str, typer.Argument(help="A name of the IANA database, such as America/Chicago.")],
) -> None:
    """Say in which time zone somebody lives, by which quiet hours go.

    Example: messagehub contacts set +15559876543 America/Chicago
    """
    session.show(session.api.post("contacts", body={"address": address, "time_zone": time_zone}))


@app.command("list")
@customer
def list_all(
    session: Session,
    address: Annotated[str | None, typer.Option("--address", help="Only this one.")] = None,
    limit: Limit = SHOWN,
    all_: All = False,
) -> None:
    """List contacts, newest first.

    Example: messagehub contacts list
    """
    session.list(COLUMNS, None if all_ else limit, "contacts", **given(address=address))


@app.command("delete")
@customer
def delete(
    session: Session, id: Annotated[str, typer.Argument(help="Its id, from `contacts list`.")], yes: Yes = False
) -> None:
    """Forget a contact.

    Example: messagehub contacts delete 01a1fbb3-7b7c-726d-8ab2-899bdcffd8af
    """
    session.show(session.remove("Forget the contact", yes, "contacts", id, name=_name))


def _name(thing: dict[str, Any]) -> str:
    return str(thing["address"])
