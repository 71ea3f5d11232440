"""messagehub opt-outs"""

import csv
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from messagehub.cli import showing
from messagehub.cli.exits import Exit
from messagehub.cli.session import SHOWN, All, Limit, Session, customer, given, group
from messagehub.cli.showing import Columns, moment
from messagehub.errors import HubError

if TYPE_CHECKING:
    from messagehub.cli.client import Json

app = group("Opt-outs: who wants no messages, and what was said of it.")

Id = Annotated[str, typer.Argument(help="The opt-out's id, from `opt-outs list`.")]
Customer = Annotated[str | None, typer.Option("--customer", help="Another customer's, for the operator: its id.")]

COLUMNS: Columns = {
    "id": "id",
    "address": "address",
    "scope": "scope",
    "status": "status",
    "source": "source",
    "said": moment("tm_said"),
}
HISTORY: Columns = {
    "said": moment("tm_said"),
    "status": "status",
    "source": "source",
    "message": "message_id",
    "by": "actor",
    "words": "words",
}
PIECE = 200_000
"""Octets of a file that are sent at once."""

FIRST = (b"address", b"scope", b"tm", b"status", b"source", b"message_id")
"""What a line may begin with that names columns."""

COUNTED = ("lines", "opted_out", "probable", "unchanged", "refused")


@app.command("list")
@customer
def list_all(
    session: Session,
    status: Annotated[
        Literal["opted_out", "probable", "opted_in"] | None,
        typer.Option("--status", help="Only those; `probable` are to be looked at by people."),
    ] = None,
    address: Annotated[str | None, typer.Option("--address", help="Only this person's.")] = None,
    number: Annotated[str | None, typer.Option("--number", help="Only those that stop this number of yours.")] = None,
    customer_id: Customer = None,
    limit: Limit = SHOWN,
    all_: All = False,
) -> None:
    """List who is out, or was, newest first.

    Example: messagehub opt-outs list --status probable
    """
    session.act_for(customer_id)
    asked = given(status=status, address=address, number=number, customer_id=customer_id)
    session.list(COLUMNS, None if all_ else limit, "opt_outs", **asked)


@app.command("show")
@customer
def show(session: Session, id: Id) -> None:
    """Show an opt-out with all that was said of it.

    Example: messagehub opt-outs show 01a1fbb3-7b7c-726d-8ab2-899bdcffd8af
    """
    session.show(session.api.get("opt_outs", id), history=HISTORY)


@app.command("add")
@customer
def add(
    session: Session,
    address: Annotated[str, typer.Argument(help="Who wants no messages: E.164.")],
    scope: Annotated[
        str | None, typer.Option("--scope", help="customer, group:NAME or number:+15551234567; default: customer.")
    ] = None,
    words: Annotated[str | None, typer.Option("--words", help="What the person said.")] = None,
    customer_id: Customer = None,
) -> None:
    """Put somebody out; or confirm what is probable.

    Example: messagehub opt-outs add +15559876543 --words "by telephone"
    """
    session.act_for(customer_id)
    said = given(address=address, scope=scope, words=words, customer_id=customer_id)
    session.show(session.api.post("opt_outs", body=said))


@app.command("undo")
@customer
def undo(session: Session, id: Id) -> None:
    """Let somebody in again: it was no opt-out, or the person asks for messages.

    Example: messagehub opt-outs undo 01a1fbb3-7b7c-726d-8ab2-899bdcffd8af
    """
    session.show(session.api.post("opt_outs", id, "undo", body={}))


@app.command("import")
@customer
def load(
    session: Session,
    file: Annotated[
        Path, typer.Argument(help="CSV: address, and where wanted scope, tm and status; `-` is standard input.")
    ],
    customer_id: Customer = None,
) -> None:
    """Put everybody of a list out. Lines that cannot be read are shown, and all others imported; then it ends with 1.

    Example: messagehub opt-outs import former-provider.csv
    """
    session.act_for(customer_id)
    report: Json = {**dict.fromkeys(COUNTED, 0), "errors": []}
    with showing.progress("importing") as say:
        for first, piece in _pieces(_read(file)):
            done = session.api.post_csv("opt_outs", "import", body=piece, **given(customer_id=customer_id))
            for name in COUNTED:
                report[name] += done[name]
            report["errors"] += [{**each, "line": each["line"] + first} for each in done["errors"]]
            say(f"{report['lines']:,} lines, {report['refused']:,} of them refused")
    session.show(report, errors={"line": "line", "message": "message"})
    if report["refused"]:
        raise typer.Exit(Exit.FAILED)


def _read(file: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise HubError(f"{file}: {error.strerror}") from None


def _pieces(octets: bytes) -> Iterator[tuple[int, bytes]]:
    """The file in pieces, each with the header, and what has to be added to the numbers of its lines."""
    lines = octets.removeprefix(b"\xef\xbb\xbf").splitlines(keepends=True)
    has_header = bool(lines) and lines[0].split(b",")[0].strip(b' "\r\n').lower() in FIRST
    header, at = (lines[0], 1) if has_header else (b"", 0)
    while at < len(lines):
        first, piece = at, [header]
        size = 0
        while at < len(lines) and size + len(lines[at]) <= PIECE:
            piece.append(lines[at])
            size, at = size + len(lines[at]), at + 1
        if at == first:
            raise HubError(f"line {at + 1} is too long for a list of numbers")
        yield first - (1 if header else 0), b"".join(piece)


@app.command("export")
@customer
def export(session: Session, customer_id: Customer = None) -> None:
    """Print who is out, or probably out, as CSV that `opt-outs import` reads.

    Example: messagehub opt-outs export
    """
    session.act_for(customer_id)
    after, out = "", sys.stdout.buffer
    while True:
        page = session.api.octets("opt_outs", "export", after=after, **given(customer_id=customer_id))
        header, *lines = page.splitlines(keepends=True)
        if not after:
            out.write(header)
        if not lines:
            return
        if (last := _place(page)) == after:
            raise HubError(f"the server sends the lines up to {last} again and again; the export is not complete")
        out.writelines(lines)
        after = last


def _place(page: bytes) -> str:
    """The address and scope of the last line. A scope may name a sender, whose name may hold commas and quotes."""
    *_, (address, scope, *_) = csv.reader(io.StringIO(page.decode(), newline=""))
    return f"{address},{scope}"
