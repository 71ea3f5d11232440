"""Lists of people who are out, as CSV (RFC 4180): read line by line, each wrong one refused by its number; and written.

The columns are `address`, `scope` and `tm`; the last two may be left out, as may the header that names them. What is
written has the `status`, too, so that who is only probably out is no more than that where it is read again; and the
evidence, at which nobody looks then.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from msgspec import Struct

from messagehub import clock
from messagehub.errors import Refusal
from messagehub.numbers import checked_e164
from messagehub.people import scopes
from messagehub.people.opt_outs import IN_FORCE, Entry
from messagehub.shapes import OptOutStatus
from messagehub.store import Row

COLUMNS = ("address", "scope", "tm")
"""Of a list without a header."""

NAMED = (*COLUMNS, "status")
"""What is read of a list with one."""

EVIDENCE = ("source", "message_id")


class Wrong(Struct, frozen=True):
    """A line that cannot be taken, and why."""

    line: int
    words: str


def read(text: str, customer_id: str, actor: str, now: int) -> Iterator[Entry | Wrong]:
    """An entry for each line. Refusal for a header with a column that there is not."""
    columns: Sequence[str] = COLUMNS
    for n, (line, cells) in enumerate(_lines(text)):
        if n == 0 and cells and cells[0].lower() in (*NAMED, *EVIDENCE):
            columns = _header(cells)
            continue
        try:
            yield Entry(customer_id=customer_id, source="import", actor=actor, **_read(columns, cells, now))
        except Refusal as refusal:
            yield Wrong(line, refusal.message)


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Each line that is not empty, and its number. What is no CSV any more is one cell to the end."""
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    while True:
        line = rows.line_num + 1
        try:
            cells = [cell.strip() for cell in next(rows)]
        except StopIteration:
            return
        except csv.Error as error:
            cells = [f"({error})"]
        if any(cells):
            yield line, cells


def _header(cells: Sequence[str]) -> list[str]:
    columns = [cell.lower() for cell in cells]
    if unknown := [name for name in columns if name not in (*NAMED, *EVIDENCE)]:
        raise Refusal("INVALID_ARGUMENT", f"line 1: there is no column {unknown[0][:40]!r}; use {', '.join(NAMED)}")
    if "address" not in columns or len(set(columns)) < len(columns):
        raise Refusal("INVALID_ARGUMENT", "line 1: name each column once, and address among them")
    return columns


def _read(columns: Sequence[str], cells: Sequence[str], now: int) -> dict[str, Any]:
    if len(cells) > len(columns):
        raise Refusal("INVALID_ARGUMENT", f"{len(cells)} columns, where there are {len(columns)} at most")
    given = dict(zip(columns, cells, strict=False))
    address = checked_e164(given.get("address", ""), reason="INVALID_ARGUMENT")
    scope = scopes.checked(given.get("scope") or scopes.CUSTOMER)
    status = _status(given.get("status") or "opted_out")
    return {"address": address, "scope": scope, "status": status, "tm_said": _moment(given.get("tm", ""), now)}


def _status(given: str) -> OptOutStatus:
    for status in IN_FORCE:
        if given == status:
            return status
    raise Refusal("INVALID_ARGUMENT", f"status: {given[:40]!r} puts nobody out; write {' or '.join(IN_FORCE)}")


def _moment(given: str, now: int) -> int:
    if not given:
        return now
    return min(moment(given, "tm"), now)


def moment(given: str, field: str) -> int:
    """Refusal for what is no time, or none since there are telephones like ours (1970)."""
    try:
        if (said := clock.parse(given)) >= 0:
            return said
    except (ValueError, OverflowError):
        pass
    raise Refusal("INVALID_ARGUMENT", f"{field}: {given[:40]!r} is no time since 1970; write 2026-01-31T10:30:00Z")


def write(rows: Iterable[Row]) -> str:
    """With a header, as `read` takes it."""
    out = io.StringIO()
    lines = csv.writer(out, lineterminator="\r\n")
    lines.writerow((*NAMED, *EVIDENCE))
    lines.writerows(
        (row.address, row.scope, clock.iso(row.tm_said), row.status, row.source, row.message_id) for row in rows
    )
    return out.getvalue()
