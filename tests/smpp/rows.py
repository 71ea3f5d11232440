"""Values for any row of the table of PDUs, made from the row."""

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from messagehub.smpp import PDU
from messagehub.smpp.kinds import Choice, Counted, CString, Group, Int, Kind, Repeated
from messagehub.smpp.pdus import COMMAND_IDS, COMMANDS

Values = st.SearchStrategy[Any]

LATIN = st.characters(min_codepoint=1, max_codepoint=255)


def values(kind: Kind) -> Values:
    match kind:
        case Int(size=size):
            return st.integers(0, 256**size - 1)
        case CString(limit=limit):
            return st.text(LATIN, max_size=limit - 1)
        case Counted(limit=limit):
            return st.binary(max_size=limit)
        case Group(fields=fields):
            return row_values(fields)
        case Choice(flag=flag, groups=groups):
            return st.one_of([row_values({**group.fields}, {flag: chosen}) for chosen, group in groups.items()])
        case Repeated(kind=inner):
            return st.lists(values(inner), max_size=5)
    raise AssertionError(kind)


def row_values(row: Mapping[str, Kind], more: Mapping[str, Any] | None = None) -> Values:
    fields = st.fixed_dictionaries({name: values(kind) for name, kind in row.items()})
    return fields.map(lambda made: {**(more or {}), **made})


def pdus(name: str) -> st.SearchStrategy[PDU]:
    _, row = COMMANDS[COMMAND_IDS[name]]
    tlvs = st.dictionaries(st.integers(0, 0xFFFF), st.binary(max_size=20), max_size=4)
    return st.builds(PDU, st.just(name), st.integers(0, 0xFFFFFFFF), st.integers(0, 0xFFFFFFFF), row_values(row), tlvs)


any_pdu = st.sampled_from(list(COMMAND_IDS)).flatmap(pdus)
