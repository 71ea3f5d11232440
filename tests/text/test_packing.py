import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messagehub.text.packing import fill_bits, pack, unpack

VECTORS = [  # septets, fill bits, octets
    ("", 0, ""),
    ("", 1, ""),
    ("a", 0, "61"),
    ("ab", 0, "61 31"),
    ("hellohello", 0, "e8 32 9b fd 46 97 d9 ec 37"),
    ("a", 1, "c2"),
    ("abcdefgh", 0, "61 f1 98 5c 36 9f d1"),
    ("abcdefg", 0, "61 f1 98 5c 36 9f 1b"),  # seven spare bits are filled with a CR
    ("abcdefg\0", 0, "61 f1 98 5c 36 9f 01"),  # so that an @ at the end is an @
    ("abcdefg\r", 0, "61 f1 98 5c 36 9f 1b 0d"),  # and a CR there is written twice
]


@pytest.mark.parametrize(("septets", "fill", "octets"), VECTORS)
def test_vectors(septets: str, fill: int, octets: str) -> None:
    assert pack(septets.encode(), fill) == bytes.fromhex(octets)


HEADERS = [(0, 0), (4, 3), (6, 1), (7, 0), (9, 5), (12, 2), (13, 1)]  # octets of a header, fill bits behind it


@pytest.mark.parametrize(("header", "fill"), HEADERS)
def test_fill_bits_reach_the_next_septet(header: int, fill: int) -> None:
    assert fill_bits(header) == fill
    assert (8 * header + fill) % 7 == 0


septets = st.binary(max_size=200).map(lambda octets: bytes(octet & 0x7F for octet in octets))


@given(septets, st.integers(0, 6))
def test_unpack_undoes_pack(given: bytes, fill: int) -> None:
    packed = pack(given, fill)
    doubled = given + b"\r"  # means the same, by 6.1.1
    assert unpack(packed, fill) in ((given, doubled) if given.endswith(b"\r") else (given,))
    assert len(packed) <= (fill + 7 * len(given) + 7) // 8 + given.endswith(b"\r")


@given(st.binary(), st.integers(0, 6))
def test_unpacks_anything(octets: bytes, fill: int) -> None:
    found = unpack(octets, fill)
    assert not found or max(found) < 128
    assert len(found) <= 8 * len(octets) // 7


def test_a_long_one_takes_no_long_time() -> None:
    start = time.process_time()
    assert unpack(pack(b"a" * 200_000, 3), 3) == b"a" * 200_000
    assert time.process_time() - start < 2
