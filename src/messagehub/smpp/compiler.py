"""Writes one reading and one writing function per PDU from its row.

Walking a row costs some 6 us for a submit_sm; the function made of it less than a third. The functions know the good
case only: whatever they stumble over, the codec walks the row instead, which either copes or says what is wrong.
A row with kinds that are not known here (submit_multi) has no functions and is always walked.

What comes out, for a row of `source_addr_ton`, `source_addr` and `short_message`:

    def read(frame, text):
        at = 16
        source_addr_ton = frame[at]
        at = at + 1
        end = text.index(NUL, at)
        source_addr = text[at:end]
        at = end + 2 + frame[end + 1]
        short_message = frame[end + 2:at]
        if at > len(frame):
            raise IndexError
        return {"source_addr_ton": source_addr_ton, ...}, at

    def write(source_addr_ton=0, source_addr="", short_message=b""):
        if len(source_addr) > 20 or len(short_message) > 254 or NUL in "".join((source_addr,)):
            raise ValueError
        return (
            f"{OCTET[source_addr_ton]}{source_addr}\\0{OCTET[len(short_message)]}".encode("latin-1") + short_message
        )
"""

from collections.abc import Callable
from typing import Any, cast

from messagehub.smpp.kinds import TIME, Counted, CString, Int, Kind, Time
from messagehub.smpp.pdus import Row

Reader = Callable[[bytes, str], tuple[dict[str, Any], int]]
Writer = Callable[..., bytes]

BODY = 16  # where the body begins: behind the header (section 3.2)


def reader(row: Row) -> Reader | None:
    """A function of the frame (as bytes, and as latin-1 text) that gives the fields and where the TLVs begin.

    It raises IndexError or ValueError where the frame is not whole. None where the row cannot be compiled.
    """
    if not _compilable(row):
        return None
    lines, place = ["def read(frame, text):", f"    at = {BODY}"], ("at", 0)
    for name, kind in row.items():
        made, place = _READ[_of(kind)](name, *place)
        lines += [f"    {line}" for line in made]
    lines += [f"    if {_sum(*place)} > len(frame):", "        raise IndexError"]
    lines += [f"    return {{{', '.join(f'{name!r}: {name}' for name in row)}}}, {_sum(*place)}"]
    return cast(Reader, _function("read", lines))


def writer(row: Row) -> Writer | None:
    """A function of the fields, as keywords, that gives the body.

    It raises TypeError, ValueError or KeyError where a field does not fit or is not of the row. None where the row
    cannot be compiled.
    """
    if not _compilable(row):
        return None
    lines = [f"def write({', '.join(f'{name}={kind.default!r}' for name, kind in row.items())}):"]
    if checks := _checks(row):
        lines += [f"    if {checks}:", "        raise ValueError"]
    form = "".join(_WRITE[_of(kind)].format(name) for name, kind in row.items())
    tail = "".join(f" + {name}" for name, kind in row.items() if isinstance(kind, Counted))
    lines += [f"    return f'{form}'.encode('latin-1'){tail}"]
    return cast(Writer, _function("write", lines))


def _compilable(row: Row) -> bool:
    """Octets and C-octet strings, and at most one counted string, at the end: all rows but those with lists inside."""
    return all(
        (isinstance(kind, Int) and kind.size == 1)
        or isinstance(kind, CString)
        or (isinstance(kind, Counted) and place == len(row))
        for place, kind in enumerate(row.values(), start=1)
    )


def _checks(row: Row) -> str:
    limits = [check for name, kind in row.items() if (check := _check(name, kind))]
    if strings := "".join(f"{name}, " for name, kind in row.items() if isinstance(kind, CString)):
        # The join also finds what is no str at all, which the form would print.
        limits.append(f"NUL in ''.join(({strings}))")
    return " or ".join(limits)


def _check(name: str, kind: Kind) -> str:
    match kind:
        case Time():
            return f"{name} and not TIME({name})"
        case CString(limit=1):
            return name
        case CString(limit=limit):
            return f"len({name}) > {limit - 1}"
        case Counted(limit=limit):
            return f"len({name}) > {limit}"
    return ""


# Where reading has come to is a variable and a number, so that a run of octets needs no addition of its own.
Place = tuple[str, int]


def _sum(base: str, offset: int) -> str:
    return f"{base} + {offset}" if offset else base


def _read_octet(name: str, base: str, offset: int) -> tuple[list[str], Place]:
    return [f"{name} = frame[{_sum(base, offset)}]"], (base, offset + 1)


def _read_string(name: str, base: str, offset: int) -> tuple[list[str], Place]:
    return [f"at = {_sum(base, offset)}", "end = text.index(NUL, at)", f"{name} = text[at:end]"], ("end", 1)


def _read_counted(name: str, base: str, offset: int) -> tuple[list[str], Place]:
    start, stop = _sum(base, offset + 1), "at" if base == "end" else "end"
    return [f"{stop} = {start} + frame[{_sum(base, offset)}]", f"{name} = frame[{start}:{stop}]"], (stop, 0)


def _of(kind: Kind) -> type:
    return CString if isinstance(kind, CString) else type(kind)


_READ: dict[type, Callable[[str, str, int], tuple[list[str], Place]]] = {
    Int: _read_octet,
    CString: _read_string,
    Counted: _read_counted,
}
_WRITE: dict[type, str] = {Int: "{{OCTET[{}]}}", CString: "{{{}}}\\0", Counted: "{{OCTET[len({})]}}"}
_OCTET = {number: chr(number) for number in range(256)}


def _function(name: str, lines: list[str]) -> Any:
    names: dict[str, Any] = {"NUL": "\0", "TIME": TIME.fullmatch, "OCTET": _OCTET}
    exec("\n".join(lines), names)  # noqa: S102  made of our own tables, never of anything that was received
    return names[name]
