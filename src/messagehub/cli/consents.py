"""messagehub consents"""

from typing import Annotated

import typer

from messagehub.cli.session import SHOWN, All, Limit, Session, customer, given, group
from messagehub.cli.showing import Columns, moment

app = group("Consents: who has agreed to get marketing, when and how.")

Id = Annotated[str, typer.Argument(help="The consent's id, from `consents list`.")]

COLUMNS: Columns = {
    "id": "id",
    "address": "address",
    "scope": "scope",
    "method": "method",
    "given": moment("tm_given"),
    "withdrawn": moment("tm_withdraw"),
}


@app.command("list")
@customer
def list_all(
    session: Session,
    address: Annotated[str | None, typer.Option("--address", help="Only this person's.")] = None,
    limit: Limit = SHOWN,
    all_: All = False,
) -> None:
    """List consents, newest first.

    Example: messagehub consents list --address +15559876543
    """
    session.list(COLUMNS, None if all_ else limit, "consents", **given(address=address))


@app.command("show")
@customer
def show(session: Session, id: Id) -> None:
    """Show a consent with its evidence.

    Example: messagehub consents show 01a1fbb3-7b7c-726d-8ab2-899bdcffd8af
    """
    session.show(session.api.get("consents", id))


@app.command("add")
@customer
def add(
    session: Session,
    address: Annotated[str, typer.Argument(help="Who has agreed: E.164.")],
    method: Annotated[str, typer.Option("--method", help="How: web_form, keyword, paper, call, …")],
    words: Annotated[str | None, typer.Option("--words", help="What was agreed to, as the person read it.")] = None,
    evidence: Annotated[str | None, typer.Option("--evidence", help="Where that can be seen.")] = None,
    scope: Annotated[
        str | None, typer.Option("--scope", help="customer, group:NAME or number:+15551234567; default: customer.")
    ] = None,
) -> None:
    """Write down that somebody has agreed to get marketing.

    Example: messagehub consents add +15559876543 --method paper --evidence "form 4711"
    """
    said = given(address=address, method=method, words=words, evidence=evidence, scope=scope)
    session.show(session.api.post("consents", body=said))


@app.command("withdraw")
@customer
def withdraw(
    session: Session,
    id: Id,
    words: Annotated[str | None, typer.Option("--words", help="What the person said.")] = None,
) -> None:
    """Write down that a consent was withdrawn.

    Example: messagehub consents withdraw 01a1fbb3-7b7c-726d-8ab2-899bdcffd8af
    """
    session.show(session.api.post("consents", id, "withdraw", body=given(words=words)))
