import pytest
from hypothesis import given
from hypothesis import strategies as st

from messagehub.text.udh import (
    Concatenation,
    Element,
    Ports,
    UserData,
    build_header,
    concatenation_header,
    parse_user_data,
)

octet = st.integers(0, 255)

HEADERS = [  # label, header, concatenation
    ("8 bit", "05 00 03 2a 03 01", Concatenation(0x2A, 3, 1, 8)),
    ("16 bit", "06 08 04 12 34 03 02", Concatenation(0x1234, 3, 2, 16)),
    ("after ports", "0b 05 04 0b 84 23 f0 00 03 01 02 02", Concatenation(1, 2, 2, 8)),
    ("before a shift", "08 00 03 07 02 01 24 01 01", Concatenation(7, 2, 1, 8)),
    ("twice, the last counts", "0a 00 03 01 02 01 00 03 09 02 02", Concatenation(9, 2, 2, 8)),
    ("both widths, the last counts", "0b 00 03 01 02 01 08 04 00 09 02 02", Concatenation(9, 2, 2, 16)),
    ("part 0 is ignored", "05 00 03 01 02 00", None),
    ("part beyond the total is ignored", "05 00 03 01 02 03", None),
    ("total 0 is ignored", "05 00 03 01 00 00", None),
    ("an ignored one hides no other", "0a 00 03 01 02 01 00 03 09 02 03", Concatenation(1, 2, 1, 8)),
    ("wrong size of element", "04 00 02 01 02", None),
    ("ports alone", "06 05 04 0b 84 23 f0", None),
    ("no element", "00", None),
    ("an element without data", "02 70 00", None),
]

NO_HEADERS = [  # label, octets
    ("nothing", b""),
    ("longer than the octets", bytes.fromhex("05 00 03 01 02")),
    ("element longer than the header", bytes.fromhex("05 00 04 01 02 01 41 42")),
    ("element without length", bytes.fromhex("01 00 41")),
    ("half an element behind a whole one", bytes.fromhex("06 00 03 01 02 01 24 41")),
    ("a receipt with UDHI set", b"id:0123456789 sub:001 dlvrd:001 stat:DELIVRD err:000" + b" text:" + b"x" * 80),
]


@pytest.mark.parametrize(("header", "concatenation"), [case[1:] for case in HEADERS], ids=[case[0] for case in HEADERS])
def test_headers(header: str, concatenation: Concatenation | None) -> None:
    data = parse_user_data(bytes.fromhex(header) + b"text")
    assert data.intact
    assert data.payload == b"text"
    assert data.concatenation == concatenation


@pytest.mark.parametrize("octets", [case[1] for case in NO_HEADERS], ids=[case[0] for case in NO_HEADERS])
def test_what_is_no_header_stays_in_the_payload(octets: bytes) -> None:
    assert parse_user_data(octets) == UserData((), octets, intact=False)


def test_elements_in_order_and_by_identifier() -> None:
    data = parse_user_data(bytes.fromhex("0a 24 01 01 70 00 24 01 03 25 00"))
    assert data.elements == (Element(0x24, b"\1"), Element(0x70, b""), Element(0x24, b"\3"), Element(0x25, b""))
    assert data.element(0x24) == b"\3"
    assert data.element(0x25) == b""
    assert data.element(0x00) is None


@given(octet, octet, octet, st.binary())
def test_a_header_built_is_read_again(reference: int, total: int, sequence: int, payload: bytes) -> None:
    data = parse_user_data(concatenation_header(reference, total, sequence) + payload)
    assert data.payload == payload
    expected = Concatenation(reference, total, sequence, 8) if 1 <= sequence <= total else None
    assert data.concatenation == expected


@pytest.mark.parametrize("arguments", [(256, 2, 1), (-1, 2, 1), (0, 256, 1), (0, 255, 256)])
def test_a_header_holds_octets(arguments: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="range"):
        concatenation_header(*arguments)


@given(st.binary(max_size=40))
def test_reads_anything_and_loses_nothing(octets: bytes) -> None:
    data = parse_user_data(octets)
    elements = b"".join(bytes([e.identifier, len(e.data)]) + e.data for e in data.elements)
    assert octets == (bytes([len(elements)]) + elements if data.intact else b"") + data.payload
    assert data.concatenation is None or data.intact


PORTS = [  # header, ports
    ("06 05 04 0b 84 23 f0", Ports(2948, 9200, 16)),
    ("04 04 02 f5 f6", Ports(0xF5, 0xF6, 8)),
    ("0b 05 04 0b 84 23 f0 00 03 01 02 02", Ports(2948, 9200, 16)),
    ("0a 04 02 01 02 05 04 00 03 00 04", Ports(3, 4, 16)),
    ("05 05 03 0b 84 23", None),
    ("05 00 03 01 02 02", None),
]


@pytest.mark.parametrize(("header", "ports"), PORTS)
def test_ports(header: str, ports: Ports | None) -> None:
    assert parse_user_data(bytes.fromhex(header)).ports == ports


elements = st.lists(st.builds(Element, octet, st.binary(max_size=40)), max_size=5)


@given(elements, st.binary())
def test_elements_built_are_read_again(elements: list[Element], payload: bytes) -> None:
    assert parse_user_data(build_header(elements) + payload) == UserData(tuple(elements), payload)


@given(st.sampled_from([8, 16]), st.integers(0), st.integers(1, 255), st.integers(1, 255), elements)
def test_a_concatenation_among_others_is_read_again(
    width: int, reference: int, total: int, sequence: int, others: list[Element]
) -> None:
    said = Concatenation(reference % (1 << width), max(total, sequence), sequence, width)
    assert parse_user_data(build_header([*others, said.element])).concatenation == said


@pytest.mark.parametrize(
    "elements", [[Element(0, bytes(256))], [Element(256, b"")], [Element(0, bytes(200)), Element(1, bytes(60))]]
)
def test_a_header_that_is_too_long_is_refused(elements: list[Element]) -> None:
    with pytest.raises(ValueError, match="range"):
        build_header(elements)
