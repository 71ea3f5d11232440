"""messagehub customer"""

from typing import Annotated, Any

import typer

from messagehub.cli import passwords
from messagehub.cli.passwords import Password, PasswordFile
from messagehub.cli.session import SHOWN, All, Limit, Session, Smart, Traced, Yes, changes, customer, group, operator
from messagehub.cli.showing import Columns, moment

app = group("Customers: who sends, and owns numbers and access keys. All but `me` are the operator's.")

Id = Annotated[str, typer.Argument(help="The customer's id.")]
Name = Annotated[str | None, typer.Option("--name", help="What people call it.")]
Detail = Annotated[str | None, typer.Option("--detail", help="A note.")]
Email = Annotated[str | None, typer.Option("--email", help="Where its people are reached.")]

COLUMNS: Columns = {"id": "id", "name": "name", "email": "email", "created": moment("tm_create")}


@app.command("create")
@operator
def create(
    session: Session,
    name: Annotated[str, typer.Option("--name", help="What people call it.")],
    username: Annotated[str, typer.Option("--username", help="The name of its login.")],
    password: Password = None,
    password_file: PasswordFile = None,
    detail: Detail = None,
    email: Email = None,
) -> None:
    """Make a customer, and show its access key this once.

    Example: messagehub customer create --name "Flower shop" --username flowers --password-file flowers.txt
    """
    secret = passwords.needed(password, password_file, twice=True)
    said = changes(name=name, username=username, password=secret, detail=detail, email=email)
    session.show(session.api.post("customers", body=said))


@app.command("list")
@operator
def list_all(session: Session, limit: Limit = SHOWN, all_: All = False) -> None:
    """List customers, newest first.

    Example: messagehub customer list --limit 5
    """
    session.list(COLUMNS, None if all_ else limit, "customers")


@app.command("show")
@operator
def show(session: Session, id: Id) -> None:
    """Show a customer.

    Example: messagehub customer show 01a1fbb3-7b7c-726d-8ab2-899bdcffd8af
    """
    session.show(session.api.get("customers", id))


@app.command("update")
@operator
def update(
    session: Session,
    id: Id,
    name: Name = None,
    detail: Detail = None,
    email: Email = None,
    password: Password = None,
    password_file: PasswordFile = None,
    trace: Traced = None,
    smart_encoding: Smart = None,
) -> None:
    """Change a customer, or the password of its login; what is not given stays.

    Example: messagehub customer update 01a1fbb3-7b7c-726d-8ab2-899bdcffd8af --email owner@example.com
    """
    secret = passwords.optional(password, password_file)
    said = changes(name=name, detail=detail, email=email, password=secret, trace=trace, smart_encoding=smart_encoding)
    session.show(session.api.put("customers", id, body=said))


@app.command("delete")
@operator
def delete(session: Session, id: Id, yes: Yes = False) -> None:
    """Delete a customer.

    Example: messagehub customer delete 01a1fbb3-7b7c-726d-8ab2-899bdcffd8af
    """
    session.show(session.remove("Delete the customer", yes, "customers", id, name=_name))


@app.command("me")
@customer
def me(session: Session) -> None:
    """Show the customer that the access key belongs to.

    Example: messagehub customer me
    """
    session.show(session.api.get("customer"))


def _name(thing: dict[str, Any]) -> str:
    return f"{thing['name']} ({thing['id']})"
