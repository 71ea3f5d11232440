import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messagehub.text.inbound import Decoded, decode
from messagehub.text.segments import cut
from messagehub.text.udh import Concatenation, parse_user_data

BAD = "\ufffd"

CASES = [  # label, data_coding, octets, text, clean
    ("default alphabet", 0x00, b"\x00\x1be 5", "@€ 5", True),
    ("empty", 0x00, b"", "", True),
    ("octet above 0x7F", 0x00, b"a\xe9", "a" + BAD, False),
    ("IA5", 0x01, b"hello", "hello", True),
    ("binary", 0x02, b"a\x00\x9f~", f"a{BAD}{BAD}~", False),
    ("Latin-1", 0x03, b"caf\xe9 @", "café @", True),
    ("binary too", 0x04, b"abc", "abc", False),
    ("JIS", 0x05, b'\x1b$B$"\x1b(B', "あ", True),
    ("JIS, broken", 0x05, b"\xff", BAD, False),
    ("Cyrillic", 0x06, b"\xbf\xe0", "Пр", True),
    ("Hebrew", 0x07, b"\xf9\xec", "של", True),
    ("Hebrew, no such octet", 0x07, b"\xbf", BAD, False),
    ("UCS-2", 0x08, "Ж😀".encode("utf-16-be"), "Ж😀", True),
    ("UCS-2, odd", 0x08, b"\x04\x16\x04", "Ж" + BAD, False),
    ("UCS-2, half a pair", 0x08, b"\xd8\x3d\x00a", BAD + "a", False),
    ("UCS-2, NUL", 0x08, b"\x00a\x00\x00", "a" + BAD, False),
    ("Latin-1, NUL", 0x03, b"a\x00", "a" + BAD, False),
    ("pictograms", 0x09, b"abc", "abc", True),
    ("reserved by SMPP", 0x0B, b"abcd", "abcd", True),
    ("extended kanji", 0x0D, b'\x1b$B$"\x1b(B', "あ", True),
    ("Korean", 0x0E, b"\xc7\xd1", "한", True),
    ("GSM, class 0", 0x10, b"\x00", "@", True),
    ("8 bit, class 1", 0x15, b"abc", "abc", False),
    ("UCS-2, class 0", 0x18, b"\x04\x16", "Ж", True),
    ("reserved alphabet", 0x1C, b"abc", "abc", True),
    ("compressed", 0x20, b"abc", "abc", False),
    ("UCS-2, deleted when read", 0x48, b"\x04\x16", "Ж", True),
    ("reserved group", 0x80, b"\x00", "@", True),
    ("reserved group, octet above 0x7F", 0x80, b"\x80", BAD, False),
    ("waiting, discard", 0xC0, b"\x00", "@", True),
    ("waiting, store", 0xD8, b"\x00", "@", True),
    ("waiting, UCS-2", 0xE0, b"\x04\x16", "Ж", True),
    ("flash", 0xF0, b"\x00", "@", True),
    ("8 bit, class 3", 0xF7, b"abc", "abc", False),
    ("class 0, bit 3 set", 0xF8, b"\x00", "@", True),
    ("more than an octet", 0x108, b"\x04\x16", "Ж", True),
]

WITH_HEADER = [  # label, octets, all of the result
    ("part", b"\x05\x00\x03\x2a\x02\x01abc", Decoded("abc", Concatenation(42, 2, 1, 8), True)),
    ("part, 16 bit", b"\x06\x08\x04\x01\x2a\x02\x01abc", Decoded("abc", Concatenation(298, 2, 1, 16), True)),
    ("ports", b"\x06\x05\x04\x0b\x84\x23\xf0abc", Decoded("abc", None, True)),
    ("Turkish single shift", b"\x03\x24\x01\x01\x1bc", Decoded("c", None, False)),
    ("header alone", b"\x05\x00\x03\x2a\x02\x01", Decoded("", Concatenation(42, 2, 1, 8), True)),
    ("no header at all", b"id:123 stat:DELIVRD", Decoded("id:123 stat:DELIVRD", None, False)),
]


@pytest.mark.parametrize(
    ("data_coding", "octets", "text", "clean"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_codings(data_coding: int, octets: bytes, text: str, clean: bool) -> None:
    assert decode(data_coding, octets, udhi=False) == Decoded(text, None, clean)


@pytest.mark.parametrize(
    ("octets", "decoded"), [case[1:] for case in WITH_HEADER], ids=[case[0] for case in WITH_HEADER]
)
def test_headers(octets: bytes, decoded: Decoded) -> None:
    assert decode(0, octets, udhi=True) == decoded


@settings(deadline=None)  # the first use of a codec loads it
@given(st.integers(0, 255), st.binary(), st.booleans())
def test_anything_becomes_text_that_a_store_can_keep(data_coding: int, octets: bytes, udhi: bool) -> None:
    decoded = decode(data_coding, octets, udhi)
    assert "\0" not in decoded.text
    decoded.text.encode()  # UTF-8 refuses surrogates
    assert not (decoded.clean and BAD in decoded.text)


@pytest.mark.parametrize("text", ["hello", "", "5 € " * 99, "Ж😀" * 99, "👨‍👩‍👧‍👦" * 40])
def test_reads_what_was_cut(text: str) -> None:
    parts = [decode(part.data_coding, part.octets, part.udhi) for part in cut(text, 9)]
    assert "".join(part.text for part in parts) == text
    assert all(part.clean for part in parts)
    if len(parts) > 1:
        assert [part.concatenation for part in parts] == [
            parse_user_data(part.octets).concatenation for part in cut(text, 9)
        ]
