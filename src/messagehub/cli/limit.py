"""messagehub limit"""

from typing import Annotated, Any, Literal

import typer

from messagehub.cli.session import SHOWN, All, Limit, Session, Yes, changes, given, group, operator
from messagehub.cli.showing import Columns, moment

app = group("Limits: how many segments go per second and per day. With a customer's key: for its own numbers.")

Id = Annotated[str, typer.Argument(help="The limit's id, from `limit list`.")]
PerSecond = Annotated[float | None, typer.Option("--per-second", help="Segments per second, such as 0.5; 0 is any.")]
PerDay = Annotated[int | None, typer.Option("--per-day", help="Segments per day; 0 is any.")]
Zone = Annotated[str | None, typer.Option("--day-starts-in", help="The time zone at whose midnight the day begins.")]

COLUMNS: Columns = {
    "id": "id",
    "for": lambda row: f"{row['scope']} {row['key']}",
    "when": "when",
    "per second": "segments_per_second",
    "per day": "segments_per_day",
    "used today": "used_today",
    "next day": moment("tm_next_day"),
}


@app.command("create")
@operator
def create(
    session: Session,
    scope: Annotated[
        Literal["number", "customer", "carrier", "prefix"], typer.Argument(help="What it is for: all together.")
    ],
    key: Annotated[str, typer.Argument(help="The number, the id, or how destinations begin.")],
    segments_per_second: PerSecond = None,
    segments_per_day: PerDay = None,
    day_starts_in: Zone = None,
    when: Annotated[
        Literal["sending", "accepting"] | None,
        typer.Option("--when", help="What is too much waits when it is sent, or is refused when it is given."),
    ] = None,
) -> None:
    """Limit what a number, a customer, a carrier, or all destinations with a prefix get in segments.

    Example: messagehub limit create number +15551234567 --per-second 1 --per-day 2000
    """
    said = given(
        scope=scope,
        key=key,
        when=when,
        segments_per_second=segments_per_second,
        segments_per_day=segments_per_day,
        day_starts_in=day_starts_in,
    )
    session.show(session.api.post("limits", body=said))


@app.command("list")
@operator
def list_all(session: Session, limit: Limit = SHOWN, all_: All = False) -> None:
    """List limits, newest first.

    Example: messagehub limit list
    """
    session.list(COLUMNS, None if all_ else limit, "limits")


@app.command("show")
@operator
def show(session: Session, id: Id) -> None:
    """Show a limit, how much of it is used, and how many wait for it.

    Example: messagehub limit show 01a1fbb3-7b7c-726d-8ab2-899bdcffd8af
    """
    session.show(session.api.get("limits", id))


@app.command("update")
@operator
def update(
    session: Session,
    id: Id,
    segments_per_second: PerSecond = None,
    segments_per_day: PerDay = None,
    day_starts_in: Zone = None,
) -> None:
    """Change a limit; what is not given stays, and what waits is counted anew.

    Example: messagehub limit update 01a1fbb3-7b7c-726d-8ab2-899bdcffd8af --per-day 4000
    """
    said = changes(
        segments_per_second=segments_per_second, segments_per_day=segments_per_day, day_starts_in=day_starts_in
    )
    session.show(session.api.put("limits", id, body=said))


@app.command("delete")
@operator
def delete(session: Session, id: Id, yes: Yes = False) -> None:
    """Remove a limit; what waited for it goes.

    Example: messagehub limit delete 01a1fbb3-7b7c-726d-8ab2-899bdcffd8af
    """
    session.show(session.remove("Remove the limit of", yes, "limits", id, name=_name))


def _name(thing: dict[str, Any]) -> str:
    return f"{thing['scope']} {thing['key']}"
