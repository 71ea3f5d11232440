import pytest
from hypothesis import given
from hypothesis import strategies as st

from messagehub.text.ucs2 import decode_ucs2, encode_ucs2

VECTORS = [  # text, its octets
    ("", ""),
    ("A", "00 41"),
    ("Ж€", "04 16 20 ac"),
    ("😀", "d8 3d de 00"),
]

ODD_OCTETS = [  # octets, what is shown
    ("00", "\ufffd"),
    ("00 41 00", "A\ufffd"),
    ("d8 3d", "\ufffd"),
    ("de 00", "\ufffd"),
    ("d8 3d 00 41", "\ufffdA"),
    ("00 41 de 00 00 42", "A\ufffdB"),
]


@pytest.mark.parametrize(("text", "octets"), VECTORS)
def test_vectors(text: str, octets: str) -> None:
    assert encode_ucs2(text) == bytes.fromhex(octets)
    assert decode_ucs2(bytes.fromhex(octets)) == text


@pytest.mark.parametrize(("octets", "text"), ODD_OCTETS)
def test_octets_that_nobody_should_send(octets: str, text: str) -> None:
    assert decode_ucs2(bytes.fromhex(octets)) == text


def test_lone_surrogates_are_replaced_one_by_one() -> None:
    assert decode_ucs2(encode_ucs2("a\ud83d")) == "a\ufffd"
    assert decode_ucs2(encode_ucs2("\ude00b")) == "\ufffdb"
    assert decode_ucs2(encode_ucs2("\ud83d\ude00")) == "\ufffd\ufffd"


@given(st.text())
def test_decode_undoes_encode(text: str) -> None:
    assert decode_ucs2(encode_ucs2(text)) == text


@given(st.binary())
def test_decodes_anything(octets: bytes) -> None:
    decode_ucs2(octets).encode()  # UTF-8 refuses surrogates
