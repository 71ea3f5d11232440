"""Traces for the eye: a block for each target, a line for each step."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from messagehub.cli import showing
from messagehub.errors import HubError

if TYPE_CHECKING:
    from rich.text import Text

UNTRACED = "nothing was kept of it: it did not fail and is not of the sample, or its trace is too old"
PDU_MEMBERS = ("name", "direction", "connection", "sequence", "command_status")
INDENT = " " * 4


def show(traces: Sequence[dict[str, Any]], pdus: bool) -> None:
    """`pdus`: with the PDUs, decoded and as octets."""
    out = showing.console()
    for trace in traces:
        for line in _lines(trace, pdus):
            out.print(line)


def save(octets: bytes, path: Path) -> None:
    try:
        path.write_bytes(octets)
    except OSError as error:
        raise HubError(f"{path}: {error.strerror}") from None


def _lines(trace: dict[str, Any], pdus: bool) -> Iterator["Text"]:
    from rich.text import Text

    head = f"target {trace['n']}  {showing.address(trace['destination'])}  "
    yield Text.assemble((showing.visible(head), "bold"), showing.cell("status", trace["status"]))
    if not trace["is_traced"]:
        yield Text(INDENT + UNTRACED)
    for step in trace["steps"]:
        yield Text(f"{step['tm'][11:]}  {_elapsed(step['elapsed_us']):>10}  {showing.visible(step['words'])}")
        if pdus and step["pdu"]:
            yield from (Text(f"{INDENT}{name}: {showing.visible(value)}") for name, value in _members(step["pdu"]))


def _elapsed(micros: int) -> str:
    return f"+{micros / 1_000_000:.3f} s" if micros >= 1_000_000 else f"+{micros / 1000:.3f} ms"


def _members(pdu: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name in PDU_MEMBERS:
        yield name, str(pdu[name])
    yield from ((name, str(value)) for name, value in pdu["fields"].items() if value not in ("", 0))
    yield from pdu["tlvs"].items()
    yield from ((name, pdu[name]) for name in ("text", "note", "hex") if pdu[name])
