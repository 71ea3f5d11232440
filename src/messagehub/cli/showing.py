"""What commands print: tables, details and JSON for standard output, questions and progress for standard error.

What others wrote, such as the text of a message, cannot steer the terminal: see `visible`.
"""

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from messagehub import clock, ids
from messagehub.cli.exits import WrongUsage
from messagehub.errors import HubError

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

Columns = dict[str, str | Callable[[Any], Any]]
"""A heading, and the member that stands below it or a function that makes it of a row."""

NOTHING = "-"
NOT_YET = clock.plain(clock.NEVER)
BOUNDLESS = 1_000_000
"""The width of what is no terminal."""
LEAST_LAST = 16
"""What the last column of a table may be squeezed to."""
PADDING = (0, 2, 0, 0)

STYLES = {
    "green": ("delivered", "bound", "received", "working", "active"),
    "yellow": ("sending", "queued", "sent", "partially_delivered", "connecting", "degraded", "pending"),
    "red": ("failed", "gw_timeout", "dlr_timeout", "down", "failing", "disabled"),
}
STYLE_OF = {word: style for style, words in STYLES.items() for word in words}

# C0, DEL and C1 (ECMA-48), the line separators, what reverses the direction of writing, and lone surrogates.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_UNSEEN_IN_LINES = re.compile(_UNSEEN.pattern.replace("\x00-\x1f", "\x00-\x09\x0b-\x1f"))


def visible(text: str, lines: bool = False) -> str:
    """The text with escapes for all that would not be seen but do something; `lines` keeps the ends of lines."""
    unseen = _UNSEEN_IN_LINES if lines else _UNSEEN
    return unseen.sub(lambda match: repr(match[0])[1:-1], text)


def as_json(value: object) -> None:
    """One line of JSON, as the API writes it."""
    import msgspec

    out = sys.stdout.buffer
    out.write(msgspec.json.encode(value) + b"\n")
    out.flush()


# --- tables and details -----------------------------------------------------------------


def print_table(rows: Sequence[Any], columns: Columns, more: bool = False) -> None:
    out = console()
    if not rows and out.is_terminal:
        out.print("there are none", style="dim")
    else:
        _print(out, table(rows, columns, out.width))
    if more and out.is_terminal:
        out.print("there are more; --limit N or --all shows them", style="dim")


def print_details(thing: dict[str, Any], tables: dict[str, Columns]) -> None:
    out = console()
    _print(out, details(thing, tables, out.width))


def _print(out: "Console", what: "RenderableType") -> None:
    """Without the blanks at the ends of lines, but on a terminal, where nobody sees them."""
    if out.is_terminal:
        out.print(what)
        return
    with out.capture() as captured:
        out.print(what)
    out.file.write("".join(f"{line.rstrip()}\n" for line in captured.get().split("\n")[:-1]))
    out.file.flush()


def table(rows: Sequence[Any], columns: Columns, width: int) -> "RenderableType":
    """A line for each row; where that would be too long, a line for each member, as other tools' expanded form."""
    cells = [[cell(heading, _value(row, what)) for heading, what in columns.items()] for row in rows]
    return _lines(columns, cells) if _width(columns, cells) <= width else _blocks(columns, cells)


def details(thing: dict[str, Any], tables: dict[str, Columns], width: int) -> "RenderableType":
    """Two columns, member and value; then the lists that `tables` names."""
    from rich.console import Group
    from rich.text import Text

    members = [(name, cell(name, value, lines=True)) for name, value in _flat(thing, tables)]
    parts = [_pairs(members)]
    for name, columns in tables.items():
        if name in thing:
            parts += [Text(f"\n{name}", style="bold"), table(thing[name], columns, width)]
    return Group(*parts)


def _lines(columns: Columns, cells: list[list["Text"]]) -> "RenderableType":
    from rich.table import Table

    made = Table(box=None, pad_edge=False, padding=PADDING, header_style="bold")
    *others, last = columns
    for heading in others:
        made.add_column(heading, no_wrap=True)
    made.add_column(last, overflow="fold")
    for row in cells:
        made.add_row(*row)
    return made


def _blocks(columns: Columns, cells: list[list["Text"]]) -> "RenderableType":
    from rich.console import Group

    return Group(*(part for row in cells for part in (_pairs(list(zip(columns, row, strict=True))), "")))


def _pairs(members: list[tuple[str, "Text"]]) -> "RenderableType":
    from rich.table import Table
    from rich.text import Text

    made = Table(box=None, show_header=False, pad_edge=False, padding=PADDING)
    made.add_column(style="bold", no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in members:
        made.add_row(Text(visible(name)), value)
    return made


def _width(columns: Columns, cells: list[list["Text"]]) -> int:
    """How wide a table must be; its last column can be folded."""
    *widths, last = (
        max(len(heading), *(row[at].cell_len for row in cells), 0) + PADDING[1] for at, heading in enumerate(columns)
    )
    return sum(widths) + min(last, LEAST_LAST)


def cell(heading: str, value: Any, lines: bool = False) -> "Text":
    from rich.text import Text

    said = visible(words(value), lines)
    return Text(said, style=STYLE_OF.get(said, "") if "stat" in heading else "")


def words(value: Any) -> str:
    """A value of the API as people write it."""
    if value in ("", None, NOT_YET, ids.UNSET, []):
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(words, value))
    return address(value) if isinstance(value, dict) else str(value)


def address(value: dict[str, Any]) -> str:
    """An Address with the names that somebody gave it; another object by its members."""
    if "target" not in value:
        return ", ".join(f"{name}={words(each)}" for name, each in value.items())
    named = " ".join(filter(None, (value.get("target_name"), value.get("name"), value.get("detail"))))
    return f"{value['target']} ({named})" if named else f"{value['target']}"


def moment(member: str) -> Callable[[dict[str, Any]], str]:
    """A column with a time to the second."""
    return lambda row: "" if row.get(member, NOT_YET) == NOT_YET else str(row[member])[:19]


def _value(row: Any, what: str | Callable[[Any], Any]) -> Any:
    """A member that the server does not have, being older than we are, is nothing."""
    return row.get(what) if isinstance(what, str) else what(row)


def _flat(thing: dict[str, Any], left_out: dict[str, Columns], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in thing.items():
        if isinstance(value, dict) and "target" not in value:
            yield from _flat(value, {}, f"{prefix}{name}.")
        elif name not in left_out:
            yield prefix + name, value


# --- where it is printed ----------------------------------------------------------------


def console(error: bool = False) -> "Console":
    """Standard output or error: coloured and as wide as a terminal is, or plain and without an end."""
    from rich.console import Console

    stream = sys.stderr if error else sys.stdout
    getattr(stream, "reconfigure", lambda **_: None)(errors="backslashreplace")
    there = stream.isatty()
    width = None if there else BOUNDLESS
    return Console(file=stream, force_terminal=there, width=width, highlight=False, markup=False, emoji=False)


@contextmanager
def progress(said: str) -> Iterator[Callable[[str], None]]:
    """A line on the terminal that says how far things are; nothing where there is no terminal."""
    out = console(error=True)
    if not out.is_terminal:
        yield lambda _: None
        return
    with out.status(visible(said)) as status:
        yield lambda words: status.update(visible(words))


def require_terminal(option: str) -> None:
    """WrongUsage where nobody is there to be asked."""
    if not sys.stdin.isatty():
        raise WrongUsage(f"nobody can be asked here; give {option}")


def confirm(question: str) -> None:
    """HubError unless somebody says yes."""
    print(f"{visible(question)} [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise HubError("nothing was changed")
