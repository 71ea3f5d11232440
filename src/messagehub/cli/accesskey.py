"""messagehub accesskey"""

from typing import Annotated, Any

import typer

from messagehub.cli import times
from messagehub.cli.session import SHOWN, All, Limit, Session, Yes, customer, given, group
from messagehub.cli.showing import Columns, moment

app = group("Access keys: by which programs are let in.")

Id = Annotated[str, typer.Argument(help="The access key's id, from `accesskey list`.")]
Detail = Annotated[str | None, typer.Option("--detail", help="A note.")]
Lifetime = typer.Option("--in", parser=times.span, help=f"How long it is good for from now, {times.SPANS}.")
Customer = Annotated[str | None, typer.Option("--customer", help="Another customer's, for the operator: its id.")]

COLUMNS: Columns = {
    "id": "id",
    "name": "name",
    "prefix": "token_prefix",
    "expires": moment("tm_expire"),
    "last used": moment("tm_last_use"),
    "created": moment("tm_create"),
}


@app.command("create")
@customer
def create(
    session: Session,
    name: Annotated[str, typer.Argument(help="What it is for.")],
    detail: Detail = None,
    expire: Annotated[
        int | None,
        typer.Option("--expire", parser=times.span, help=f"How long it is good for, {times.SPANS}; default: a year."),
    ] = None,
    customer_id: Customer = None,
) -> None:
    """Make an access key, and show it this once.

    Example: messagehub accesskey create "web shop" --expire 90d
    """
    session.act_for(customer_id)
    said = given(name=name, detail=detail, expire=expire, customer_id=customer_id)
    session.show(session.api.post("accesskeys", body=said))


@app.command("list")
@customer
def list_all(
    session: Session,
    prefix: Annotated[str | None, typer.Option("--prefix", help="Only the one that begins like this.")] = None,
    customer_id: Customer = None,
    limit: Limit = SHOWN,
    all_: All = False,
) -> None:
    """List access keys: their names, beginnings and times, never the keys.

    Example: messagehub accesskey list
    """
    session.act_for(customer_id)
    session.list(COLUMNS, None if all_ else limit, "accesskeys", token_prefix=prefix, customer_id=customer_id)


@app.command("rename")
@customer
def rename(
    session: Session,
    id: Id,
    name: Annotated[str, typer.Argument(help="What it is called from now on.")],
    detail: Detail = None,
) -> None:
    """Give an access key another name.

    Example: messagehub accesskey rename 01a1fbb3-7b7c-726d-8ab2-899bdcffd8af "old web shop"
    """
    session.show(session.api.put("accesskeys", id, body=given(name=name, detail=detail)))


@app.command("expire")
@customer
def expire(session: Session, id: Id, lifetime: Annotated[int, Lifetime]) -> None:
    """Say anew how long an access key is good for.

    Example: messagehub accesskey expire 01a1fbb3-7b7c-726d-8ab2-899bdcffd8af --in 7d
    """
    session.show(session.api.put("accesskeys", id, body={"expire": lifetime}))


@app.command("revoke")
@customer
def revoke(session: Session, id: Id, yes: Yes = False) -> None:
    """Let nobody in with an access key any more.

    Example: messagehub accesskey revoke 01a1fbb3-7b7c-726d-8ab2-899bdcffd8af
    """
    session.show(session.remove("Revoke the access key", yes, "accesskeys", id, name=_name))


def _name(thing: dict[str, Any]) -> str:
    return f"{thing['name']} ({thing['token_prefix']}…)"
