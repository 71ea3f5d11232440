from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messagehub.text.inbound import Decoded, DefaultAlphabet, Piece, decode, join
from messagehub.text.packing import pack
from messagehub.text.profile import Profile
from messagehub.text.segments import cut
from messagehub.text.udh import Concatenation, parse_user_data

BAD = "\ufffd"

CASES = [  # label, data_coding, octets, text, clean
    ("default alphabet", 0x00, b"\x00\x1be 5", "@€ 5", True),
    ("empty", 0x00, b"", "", True),
    ("octet above 0x7F", 0x00, b"a\xe9", "a" + BAD, False),
    ("IA5", 0x01, b"hello", "hello", True),
    ("IA5, signs", 0x01, b"$[@]_`", "$[@]_`", True),
    ("IA5, octet above 0x7F", 0x01, b"a\xe9", "a" + BAD, False),
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


def part(text: str) -> Decoded:
    return Decoded(text, Concatenation(42, 2, 1, 8), True)


WITH_HEADER = [  # label, octets, all of the result
    ("part", b"\x05\x00\x03\x2a\x02\x01abc", Decoded("abc", Concatenation(42, 2, 1, 8), True)),
    ("part, 16 bit", b"\x06\x08\x04\x01\x2a\x02\x01abc", Decoded("abc", Concatenation(298, 2, 1, 16), True)),
    ("ports", b"\x06\x05\x04\x0b\x84\x23\xf0abc", Decoded("abc", None, True)),
    ("Turkish single shift", b"\x03\x24\x01\x01\x1bc", Decoded("ç", None, True)),
    ("Turkish locking shift", b"\x03\x25\x01\x01\x60ok", Decoded("çok", None, True)),
    ("both, behind a part", b"\x0b\x00\x03\x2a\x02\x01\x24\x01\x03\x25\x01\x03\x1b\x15", part("Ω")),
    ("both, before a part", b"\x0b\x24\x01\x03\x25\x01\x03\x00\x03\x2a\x02\x01\x1b\x15", part("Ω")),
    ("one on each side", b"\x0b\x25\x01\x03\x00\x03\x2a\x02\x01\x24\x01\x03\x1b\x15", part("Ω")),
    ("two languages", b"\x06\x25\x01\x01\x24\x01\x02\x1b\x61\x60", Decoded("áç", None, True)),
    ("twice, the last counts", b"\x06\x24\x01\x01\x24\x01\x02\x1b\x61", Decoded("á", None, True)),
    ("unknown language", b"\x03\x24\x01\x63\x1be", Decoded("€", None, False)),
    ("no such locking table", b"\x03\x25\x01\x02\x60", Decoded("¿", None, False)),
    ("language without a value", b"\x02\x24\x00\x1be", Decoded("€", None, False)),
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


DEFAULTS = [  # default alphabet, octets, text, clean
    ("latin1", b"caf\xe9 @", "café @", True),
    ("ascii", b"[@]", "[@]", True),
    ("ascii", b"\x80", BAD, False),
    ("gsm7_packed", bytes.fromhex("E8329BFD4697D9EC37"), "hellohello", True),
]


@pytest.mark.parametrize(("default", "octets", "text", "clean"), DEFAULTS)
@pytest.mark.parametrize("data_coding", [0x00, 0x10, 0x80, 0xC8, 0xF0])
def test_the_default_alphabet_is_the_carriers(
    data_coding: int, default: DefaultAlphabet, octets: bytes, text: str, clean: bool
) -> None:
    assert decode(data_coding, octets, False, default) == Decoded(text, None, clean)


@pytest.mark.parametrize("default", ["latin1", "ascii"])
def test_languages_are_for_septets_only(default: DefaultAlphabet) -> None:
    assert decode(0, b"\x03\x24\x01\x01abc", True, default).text == "abc"
    assert decode(8, b"\x03\x24\x01\x01\x04\x16", True) == Decoded("Ж", None, True)


def test_packed_septets_begin_behind_fill_bits() -> None:
    header = b"\x05\x00\x03\x2a\x02\x01"
    assert decode(0, header + pack(b"hello", fill=1), True, "gsm7_packed") == part("hello")


everything = st.tuples(st.integers(0, 255), st.binary(), st.booleans())
defaults = st.sampled_from(["gsm7", "gsm7_packed", "latin1", "ascii"])


@settings(deadline=None)  # the first use of a codec loads it
@given(everything, defaults)
def test_anything_becomes_text_that_a_store_can_keep(
    segment: tuple[int, bytes, bool], default: DefaultAlphabet
) -> None:
    decoded = decode(*segment, default)
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


# --- Parts that were cut anywhere -------------------------------------------------------------------------------------


def header(sequence: int) -> bytes:
    return bytes((5, 0, 3, 42, 2, sequence))


JOINS = [  # label, data_coding, octets of the parts, text, clean
    ("pair of surrogates", 8, ["00 61 d8 3d", "de 00 00 62"], "a😀b", True),
    ("half a code unit", 8, ["00 61 04", "16 00 62"], "aЖb", True),
    ("escape", 0, ["61 1b", "65 62"], "a€b", True),
    ("Korean", 14, ["c7", "d1"], "한", True),
    ("kanji mode", 5, ["1b 24 42 24", "22 1b 28 42"], "あ", True),
    ("nothing cut", 0, ["61", "62"], "ab", True),
    ("an octet too many", 8, ["04 16 00", "04 17"], "Ж\ufffdЗ", False),
    ("an octet too few", 8, ["04", "04 17"], "\ufffdЗ", False),
    ("half a pair that nothing follows", 8, ["d8 3d", "00 61"], "\ufffda", False),
    ("binary", 4, ["61", "62"], "ab", False),
]


@pytest.mark.parametrize(
    ("data_coding", "parts", "text", "clean"), [case[1:] for case in JOINS], ids=[case[0] for case in JOINS]
)
def test_what_was_cut_in_two_is_whole_again(data_coding: int, parts: list[str], text: str, clean: bool) -> None:
    pieces = [Piece(data_coding, header(n) + bytes.fromhex(octets), True) for n, octets in enumerate(parts, 1)]
    assert join(pieces) == Decoded(text, None, clean)
    without_header = [Piece(data_coding, bytes.fromhex(octets), False) for octets in parts]
    assert join(without_header) == Decoded(text, None, clean)


def test_parts_in_different_alphabets_are_not_mixed() -> None:
    turkish = b"\x03\x24\x01\x01"
    pieces = [Piece(0, b"a\x1b", False), Piece(8, b"\x04\x16", False), Piece(0, turkish + b"\x1bc", True)]
    assert join(pieces) == Decoded("a Жç", None, True)
    assert join([Piece(0, turkish + b"\x1b", True), Piece(0, turkish + b"c", True)]).text == "ç"
    assert join([]) == Decoded("", None, True)


def test_packed_parts_are_unpacked_before_they_are_joined() -> None:
    pieces = [Piece(0, header(n) + pack(septets, fill=1), True) for n, septets in ((1, b"a\x1b"), (2, b"e"))]
    assert join(pieces, "gsm7_packed") == Decoded("a€", None, True)


codings = st.sampled_from([(8, "utf-16-be"), (14, "euc_kr"), (5, "iso2022_jp")])


@settings(deadline=None)
@given(codings, st.text(alphabet="aЖ ").map(str.strip), st.lists(st.integers(0, 60), max_size=4))
def test_it_does_not_matter_where_a_text_is_cut(coding: tuple[int, str], text: str, places: list[int]) -> None:
    octets = text.encode(coding[1])
    borders = [0, *sorted(place for place in places if place < len(octets)), len(octets)]
    pieces = [Piece(coding[0], octets[a:b], False) for a, b in pairwise(borders)]
    assert join(pieces) == Decoded(text, None, True)


@settings(deadline=None)
@given(st.lists(everything.map(lambda drawn: Piece(*drawn)), max_size=4), defaults)
def test_anything_can_be_joined(pieces: list[Piece], default: DefaultAlphabet) -> None:
    joined = join(pieces, default)
    assert "\0" not in joined.text
    joined.text.encode()


def test_a_part_alone_is_read_as_it_is() -> None:
    for part in cut("Grüße, 5 €", 1, Profile(alphabet="gsm7_packed")):
        alone = Piece(part.data_coding, part.octets, part.udhi)
        assert join([alone], "gsm7_packed") == decode(*alone, "gsm7_packed")
