import subprocess
import sys
from collections.abc import Iterator

import pytest
import regex
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from messagehub.text.gsm import ONE_SEPTET, TWO_SEPTETS, decode_gsm, encode_gsm, is_gsm
from messagehub.text.segments import Segment, Segmentation, TooManyParts, count_parts, cut, segment
from messagehub.text.ucs2 import decode_ucs2, encode_ucs2
from messagehub.text.udh import Concatenation, UserData, parse_user_data

FAMILY = "👨‍👩‍👧‍👦"  # 7 code points, 11 units, one cluster
FLAG = "🇰🇷"  # 2 code points, 4 units, one cluster
ACUTE = "\u0301"

COUNTS = [  # text, encoding, units, units per part, lengths of the segments in code points
    ("", "GSM-7", 0, 160, [0]),
    ("a" * 160, "GSM-7", 160, 160, [160]),
    ("a" * 161, "GSM-7", 161, 153, [153, 8]),
    ("a" * 153 * 2, "GSM-7", 306, 153, [153, 153]),
    ("a" * (153 * 2 + 1), "GSM-7", 307, 153, [153, 153, 1]),
    ("é" * 160, "GSM-7", 160, 160, [160]),
    ("Ω" * 161, "GSM-7", 161, 153, [153, 8]),
    ("€" * 80, "GSM-7", 160, 160, [80]),
    ("€" * 81, "GSM-7", 162, 153, [76, 5]),
    ("a" * 158 + "€", "GSM-7", 160, 160, [159]),
    ("a" * 159 + "€", "GSM-7", 161, 153, [153, 7]),
    ("a" * 152 + "€" + "a" * 10, "GSM-7", 164, 153, [152, 11]),
    ("a" * 151 + "€" + "a" * 10, "GSM-7", 163, 153, [152, 10]),
    ("a" * 152 + "\r\n" + "a" * 10, "GSM-7", 164, 153, [152, 12]),
    ("a" * 151 + "\r\n" + "a" * 10, "GSM-7", 163, 153, [153, 10]),
    ("a" * 152 + "\n\r" + "a" * 10, "GSM-7", 164, 153, [153, 11]),
    ("a" * 152 + "\r\f" + "a" * 10, "GSM-7", 165, 153, [153, 11]),
    ("ж", "UCS-2", 1, 70, [1]),
    ("ж" * 70, "UCS-2", 70, 70, [70]),
    ("ж" * 71, "UCS-2", 71, 67, [67, 4]),
    ("ж" * 134, "UCS-2", 134, 67, [67, 67]),
    ("ж" * 135, "UCS-2", 135, 67, [67, 67, 1]),
    ("a" * 70 + "’", "UCS-2", 71, 67, [67, 4]),
    ("😀" * 35, "UCS-2", 70, 70, [35]),
    ("😀" * 36, "UCS-2", 72, 67, [33, 3]),
    ("ж" * 66 + "😀" + "ж" * 4, "UCS-2", 72, 67, [66, 5]),
    ("ж" * 65 + "😀" + "ж" * 4, "UCS-2", 71, 67, [66, 4]),
    ("ж" * 59 + FAMILY, "UCS-2", 70, 70, [66]),
    ("ж" * 56 + FAMILY + "ж" * 9, "UCS-2", 76, 67, [63, 9]),
    ("ж" * 57 + FAMILY + "ж" * 9, "UCS-2", 77, 67, [57, 16]),
    (FAMILY * 7, "UCS-2", 77, 67, [42, 7]),
    ("ж" + FLAG * 18, "UCS-2", 73, 67, [33, 4]),
    ("ж" * 66 + "e" + ACUTE + "ж" * 5, "UCS-2", 73, 67, [66, 7]),
    ("ж" * 66 + "\r\n" + "ж" * 5, "UCS-2", 73, 67, [66, 7]),
    ("e" + ACUTE * 99, "UCS-2", 100, 67, [67, 33]),
    ("ж" * 9 + "e" + ACUTE * 99, "UCS-2", 109, 67, [9, 67, 33]),
    ("ж" + "e" + ACUTE * 66 + "ж" * 3, "UCS-2", 71, 67, [1, 67, 3]),
    ("👩" + "\u200d👩" * 30, "UCS-2", 92, 67, [44, 17]),
]


@pytest.mark.parametrize(("text", "encoding", "units", "units_per_part", "lengths"), COUNTS)
def test_counts(text: str, encoding: str, units: int, units_per_part: int, lengths: list[int]) -> None:
    cutting = segment(text)
    assert (cutting.encoding, cutting.units, cutting.units_per_part) == (encoding, units, units_per_part)
    assert [len(piece) for piece in cutting.segments] == lengths
    assert cutting.parts == count_parts(text) == len(cut(text, 0)) == len(lengths)


KNOWN = [  # counted by hand: text, septets or code units, parts
    ("", 0, 1),
    ("Hi", 2, 1),
    ("Hello, world!", 13, 1),
    ("Your code is 123456", 19, 1),
    ("Price: 5€", 10, 1),
    ("[ok]", 6, 1),
    ("{}[]~^|\\€\f", 20, 1),
    ("Grüße aus Köln", 14, 1),
    ("¿Qué? ¡Sí!", 10, 1),  # í is in no table, so UCS-2
    ("ça va", 5, 1),
    ("Ça va", 5, 1),
    ("ΣΩ", 2, 1),
    ("αβγ", 3, 1),
    ("Привет", 6, 1),
    ("日本語", 3, 1),
    ("ok 👍", 5, 1),
    ("0123456789" * 16, 160, 1),
    ("0123456789" * 16 + "!", 161, 2),
    ("Привет" * 12, 72, 2),
    ("0123456789" * 31, 310, 3),
]
IN_GSM = [0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 16, 17, 19]


@pytest.mark.parametrize("n", range(20))
def test_known_texts(n: int) -> None:
    text, units, parts = KNOWN[n]
    cutting = segment(text)
    assert (cutting.units, cutting.parts) == (units, parts)
    assert cutting.encoding == ("GSM-7" if n in IN_GSM else "UCS-2")


def test_a_single_part_has_no_header() -> None:
    assert cut("5 €", 7) == [Segment(data_coding=0, udhi=False, octets=b"5 \x1be", text="5 €")]
    assert cut("Ж", 7) == [Segment(data_coding=8, udhi=False, octets=b"\x04\x16", text="Ж")]
    assert cut("a" * 160, 7) == cut("a" * 160, 8)
    assert cut("", 7) == [Segment(data_coding=0, udhi=False, octets=b"", text="")]


def test_parts_have_a_header() -> None:
    assert cut("a" * 161, 7) == [
        Segment(0, True, b"\x05\x00\x03\x07\x02\x01" + b"a" * 153, "a" * 153),
        Segment(0, True, b"\x05\x00\x03\x07\x02\x02" + b"a" * 8, "a" * 8),
    ]
    assert [part.octets for part in cut("Ж" * 71, 0x1FF)] == [
        b"\x05\x00\x03\xff\x02\x01" + b"\x04\x16" * 67,
        b"\x05\x00\x03\xff\x02\x02" + b"\x04\x16" * 4,
    ]


@pytest.mark.parametrize(("character", "room"), [("a", 153), ("ж", 67)])
def test_no_more_than_255_parts(character: str, room: int) -> None:
    assert cut(character * room * 255, 0)[-1].octets[:6] == b"\x05\x00\x03\x00\xff\xff"
    with pytest.raises(TooManyParts, match="256 parts") as error:
        cut(character * (room * 255 + 1), 0)
    assert error.value.parts == count_parts(character * (room * 255 + 1)) == 256


def test_lone_surrogates_are_counted_kept_and_sent_as_replacement() -> None:
    text = "\ud83d\ude00" * 40
    assert segment(text) == Segmentation("UCS-2", 80, 67, (text[:67], text[67:]))
    assert b"".join(part.octets[6:] for part in cut(text, 0)) == b"\xff\xfd" * 80


def test_one_part_needs_no_regex() -> None:
    program = (
        "import sys; from messagehub.text import cut, count_parts;"
        "count_parts('a' * 500); cut('ж' * 70, 0); assert 'regex' not in sys.modules;"
        "count_parts('ж' * 71); assert 'regex' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


# --- Properties -------------------------------------------------------------------------------------------------------


def runs(atoms: list[str]) -> st.SearchStrategy[str]:
    """Texts long enough to be cut, cheap to draw: each atom some times in a row."""
    run = st.tuples(st.sampled_from(atoms), st.integers(1, 90))
    return st.lists(run, max_size=8).map(lambda drawn: "".join(atom * times for atom, times in drawn))


GSM_ATOMS = [*ONE_SEPTET[:40], *TWO_SEPTETS, "\r\n", "a\r", "a€"]
UCS2_ATOMS = ["ж", "’", "😀", "\ud83d", "\u200d", ACUTE, "🇰", FLAG, FAMILY, "e" + ACUTE, "각", "क्षि", "\r\n", "a"]
texts = st.one_of(st.text(), runs(GSM_ATOMS), runs(UCS2_ATOMS), runs(GSM_ATOMS + UCS2_ATOMS))


UNITS_PER_PART = {("GSM-7", True): 160, ("GSM-7", False): 153, ("UCS-2", True): 70, ("UCS-2", False): 67}
OCTETS = {(0, False): 160, (0, True): 153, (8, False): 140, (8, True): 134}


def units(text: str, encoding: str) -> int:
    return len(encode_gsm(text)) if encoding == "GSM-7" else len(encode_ucs2(text)) // 2


def packed(text: str, encoding: str, room: int) -> Iterator[str]:
    """The plainest way to say what is wanted: take clusters as long as there is room."""
    piece = ""
    for cluster in regex.findall(r"\X", text):
        if units(piece + cluster, encoding) > room:
            yield piece
            piece = ""
        piece += cluster
    yield piece


@settings(deadline=None)
@given(texts)
@example(FLAG * 40)
@example("a" + FLAG * 40)
@example((FAMILY + ACUTE) * 20)
def test_as_many_whole_clusters_as_fit(text: str) -> None:
    cutting = segment(text)
    assume(all(units(cluster, cutting.encoding) <= 67 for cluster in regex.findall(r"\X", text)))
    assert list(cutting.segments) == list(packed(text, cutting.encoding, cutting.units_per_part))


@settings(deadline=None)
@given(texts)
def test_nothing_is_lost_and_all_agree(text: str) -> None:
    cutting = segment(text)
    assert "".join(cutting.segments) == text
    assert cutting.encoding == ("GSM-7" if is_gsm(text) else "UCS-2")
    assert cutting.units == units(text, cutting.encoding)
    assert cutting.units_per_part == UNITS_PER_PART[cutting.encoding, cutting.parts == 1]
    assert cutting.parts == count_parts(text)
    assert cutting.segments == tuple(part.text for part in cut(text, 0))


@settings(deadline=None)
@given(texts, st.integers())
def test_on_the_wire(text: str, reference: int) -> None:
    parts = cut(text, reference)
    for sequence, part in enumerate(parts, start=1):
        data = parse_user_data(part.octets) if part.udhi else UserData((), part.octets)
        expected = Concatenation(reference & 0xFF, len(parts), sequence, 8) if len(parts) > 1 else None
        assert data.concatenation == expected
        assert len(data.payload) <= OCTETS[part.data_coding, part.udhi]
        if part.data_coding == 0:
            assert not data.payload.endswith(b"\x1b")
            assert decode_gsm(data.payload) == part.text
        else:
            assert not 0xD8 <= data.payload[-2] <= 0xDB
            assert decode_ucs2(data.payload) == part.text.replace("\ud83d", "\ufffd")
