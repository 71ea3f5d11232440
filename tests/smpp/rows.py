"""Values for any row of the table of PDUs, made from the row."""

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from messagehub.smpp import PDU, TLVs
from messagehub.smpp.kinds import TIME, Choice, Counted, CString, Group, Int, Kind, Octets, Repeated, Time
from messagehub.smpp.pdus import COMMAND_IDS, COMMANDS
from messagehub.smpp.tlvs import PLACES, TLVS

Values = st.SearchStrategy[Any]

LATIN = st.characters(min_codepoint=1, max_codepoint=255)


def values(kind: Kind) -> Values:
    match kind:
        case Int(size=size):
            return st.integers(0, 256**size - 1)
        case Time():
            return st.just("") | st.from_regex(TIME, fullmatch=True)
        case CString(limit=limit):
            return st.text(LATIN, max_size=limit - 1)
        case Counted(limit=limit):
            return st.binary(max_size=limit)
        case Octets(least=least, most=most):
            return st.binary(min_size=least, max_size=min(most, 40))
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


def tlv(name: str) -> st.SearchStrategy[tuple[int, bytes]]:
    tag, kind = TLVS[name]
    return values(kind).map(lambda value: (tag, kind.write(value)))


def any_tlvs(name: str) -> st.SearchStrategy[dict[int, bytes]]:
    """Those that may stand in the PDU, unknown ones, and ones that come again."""
    unknown = st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=20))
    known = st.sampled_from(sorted(PLACES.get(name, TLVS))).flatmap(tlv)
    return st.lists(known | unknown, max_size=5).map(ordered)


def ordered(pairs: list[tuple[int, bytes]]) -> dict[int, bytes]:
    return dict(pairs) if len(dict(pairs)) == len(pairs) else TLVs(pairs)


def pdus(name: str) -> st.SearchStrategy[PDU]:
    _, row = COMMANDS[COMMAND_IDS[name]]
    numbers = st.integers(0, 0xFFFFFFFF)
    return st.builds(PDU, st.just(name), numbers, numbers, row_values(row), any_tlvs(name))


any_pdu = st.sampled_from(list(COMMAND_IDS)).flatmap(pdus)
