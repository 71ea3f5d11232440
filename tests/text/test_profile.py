"""Texts for carriers that are not the standard one."""

from itertools import accumulate
from typing import Any

import pytest
import regex
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from messagehub.text.gsm import ONE_SEPTET, TWO_SEPTETS
from messagehub.text.inbound import Piece, decode, join
from messagehub.text.national import LANGUAGES, LOCKING, SINGLE, UNDEFINED
from messagehub.text.profile import STANDARD, Profile
from messagehub.text.segments import Segment, TooManyParts, count_parts, cut, segment
from messagehub.text.udh import Concatenation, UserData, parse_user_data

CAPACITIES: list[tuple[dict[str, Any], str, str, int, int]] = [  # profile, character, encoding, units alone, in a part
    ({}, "a", "GSM-7", 160, 153),
    ({}, "ж", "UCS-2", 70, 67),
    ({"concatenation": "udh16"}, "a", "GSM-7", 160, 152),
    ({"concatenation": "udh16"}, "ж", "UCS-2", 70, 66),
    ({"concatenation": "sar"}, "a", "GSM-7", 160, 153),
    ({"concatenation": "payload"}, "ж", "UCS-2", 70, 67),
    ({"alphabet": "gsm7_packed"}, "a", "GSM-7", 160, 153),
    ({"alphabet": "gsm7_packed", "concatenation": "udh16"}, "a", "GSM-7", 160, 152),
    ({"alphabet": "latin1"}, "ç", "Latin-1", 140, 134),
    ({"alphabet": "latin1", "concatenation": "udh16"}, "ç", "Latin-1", 140, 133),
    ({"alphabet": "latin1"}, "€", "UCS-2", 70, 67),
    ({"latin1": True}, "ç", "Latin-1", 140, 134),
    ({"latin1": True}, "@", "GSM-7", 160, 153),
    ({"alphabet": "ascii"}, "[", "ASCII", 160, 153),
    ({"alphabet": "ascii"}, "é", "UCS-2", 70, 67),
    ({"alphabet": "ascii", "latin1": True}, "é", "Latin-1", 140, 134),
]


@pytest.mark.parametrize(("members", "character", "encoding", "alone", "in_part"), CAPACITIES)
def test_how_much_a_segment_holds(
    members: dict[str, Any], character: str, encoding: str, alone: int, in_part: int
) -> None:
    profile = Profile(**members)
    one = segment(character * alone, profile)
    assert (one.encoding, one.parts, one.units, one.units_per_part) == (encoding, 1, alone, alone)
    assert count_parts(character * (alone + 1), profile) == 2
    three = segment(character * (2 * in_part + 1), profile)
    assert [len(piece) for piece in three.segments] == [in_part, in_part, 1]
    assert three.units_per_part == in_part


LANGUAGE_CAPACITIES = [  # language, way, text, septets alone, in a part, octets of the header of a part
    ("spanish", "udh8", "á", 155, 149, 9),  # single
    ("spanish", "udh16", "á", 155, 148, 10),
    ("turkish", "udh8", "ş", 155, 149, 9),  # locking
    ("turkish", "udh16", "ş", 155, 148, 10),
    ("hindi", "udh8", "न।", 152, 146, 12),  # both
    ("hindi", "udh16", "न।", 152, 145, 13),
]


@pytest.mark.parametrize(("language", "way", "words", "alone", "in_part", "header"), LANGUAGE_CAPACITIES)
def test_what_the_header_takes_from_septets(
    language: str, way: Any, words: str, alone: int, in_part: int, header: int
) -> None:
    profile = Profile(languages=(language,), concatenation=way)
    assert segment(words + "a" * 130, profile).units_per_part == alone
    text = words * 9 + "a" * 300
    assert segment(text, profile).units_per_part == in_part
    assert all(part.octets[0] + 1 == header for part in cut(text, 1, profile))


WIRE: list[tuple[dict[str, Any], str, list[Segment]]] = [  # profile, text, segments with reference 0x1FF
    ({"alphabet": "gsm7_packed"}, "hellohello", [Segment(0, False, bytes.fromhex("e8329bfd4697d9ec37"), "hellohello")]),
    ({"alphabet": "latin1"}, "ç", [Segment(0, False, b"\xe7", "ç")]),
    ({"latin1": True}, "ç", [Segment(3, False, b"\xe7", "ç")]),
    ({"message_class": 0}, "a", [Segment(0xF0, False, b"a", "a")]),
    ({"message_class": 0}, "ж", [Segment(0x18, False, b"\x04\x36", "ж")]),
    ({"message_class": 2, "latin1": True}, "ç", [Segment(0x1A, False, b"\x00\xe7", "ç")]),
    (
        {"concatenation": "udh16"},
        "a" * 153 + "b" * 9,
        [
            Segment(0, True, b"\x06\x08\x04\x01\xff\x02\x01" + b"a" * 152, "a" * 152),
            Segment(0, True, b"\x06\x08\x04\x01\xff\x02\x02a" + b"b" * 9, "a" + "b" * 9),
        ],
    ),
    (
        {"concatenation": "sar"},
        "a" * 153 + "b" * 9,
        [
            Segment(0, False, b"a" * 153, "a" * 153, sar=Concatenation(0x1FF, 2, 1, 16)),
            Segment(0, False, b"b" * 9, "b" * 9, sar=Concatenation(0x1FF, 2, 2, 16)),
        ],
    ),
    ({"concatenation": "sar"}, "a", [Segment(0, False, b"a", "a")]),
    ({"concatenation": "payload"}, "a", [Segment(0, False, b"a", "a", payload=1)]),
    ({"concatenation": "payload"}, "a" * 400, [Segment(0, False, b"a" * 400, "a" * 400, payload=3)]),
    (
        {"languages": ("turkish",)},
        "ş" * 100,
        [Segment(0, True, b"\x03\x25\x01\x01" + b"\x1d" * 100, "ş" * 100)],
    ),
    (
        {"languages": ("spanish",), "concatenation": "sar"},
        "á" + "a" * 154,
        [
            Segment(0, True, b"\x03\x24\x01\x02\x1b\x61" + b"a" * 147, "á" + "a" * 147, Concatenation(0x1FF, 2, 1, 16)),
            Segment(0, True, b"\x03\x24\x01\x02" + b"a" * 7, "a" * 7, Concatenation(0x1FF, 2, 2, 16)),
        ],
    ),
    (
        {"languages": ("spanish",)},
        "á" + "a" * 154,
        [
            Segment(0, True, b"\x08\x00\x03\xff\x02\x01\x24\x01\x02\x1b\x61" + b"a" * 147, "á" + "a" * 147),
            Segment(0, True, b"\x08\x00\x03\xff\x02\x02\x24\x01\x02" + b"a" * 7, "a" * 7),
        ],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("members", "text", "segments"), WIRE)
def test_on_the_wire(members: dict[str, Any], text: str, segments: list[Segment]) -> None:
    assert cut(text, 0x1FF, Profile(**members)) == segments


CHOICES = [  # languages, text, data_coding, octets of the first header, parts
    ((), "ş" * 71, 8, "050003000201", 2),
    (("turkish",), "ş" * 70, 8, "", 1),  # one part is one part
    (("turkish",), "ş" * 71, 0, "03240101", 1),  # the smaller risk: whoever does not know it reads an s
    (("turkish",), "ş" * 78, 0, "03250101", 1),
    (("turkish",), "a" * 160, 0, "", 1),
    (("turkish",), "a" * 161, 0, "050003000201", 2),  # nothing saved
    (("turkish",), "Ş" + "a" * 140 + "{}", 0, "03240101", 1),
    (("turkish",), "Ş" * 60 + "Ж" * 11, 8, "050003000201", 2),
    (("portuguese",), "€" * 81, 0, "03250103", 1),  # against the default alphabet, too
    (("portuguese", "turkish"), "ã" * 78, 0, "03250103", 1),
    (("turkish", "portuguese"), "ã" * 78, 0, "03250103", 1),
    (("hindi",), "न" * 71, 0, "03250106", 1),
    (("hindi",), "न" * 71 + "।", 0, "06240106250106", 1),
    (("hindi",), "న" * 71, 8, "050003000201", 2),
    (("urdu",), "سلام " * 20, 0, "0325010d", 1),
]


@pytest.mark.parametrize(("languages", "text", "data_coding", "header", "parts"), CHOICES)
def test_a_language_is_chosen_where_it_saves_segments(
    languages: tuple[str, ...], text: str, data_coding: int, header: str, parts: int
) -> None:
    found = cut(text, 0, Profile(languages=languages))
    assert found[0].data_coding == data_coding
    assert found[0].udhi == bool(header)
    assert found[0].octets.startswith(bytes.fromhex(header))
    assert len(found) == parts == count_parts(text, Profile(languages=languages))


def test_a_packed_cr_is_never_taken_for_filling() -> None:
    profile = Profile(alphabet="gsm7_packed")
    for text in ("a" * 159 + "\r", "a" * 152 + "\r" + "b" * 20):
        parts = cut(text, 1, profile)
        assert len(parts) == 2
        assert all(len(part.octets) <= 140 for part in parts)
        read = [decode(part.data_coding, part.octets, part.udhi, "gsm7_packed").text for part in parts]
        assert "".join(read) == text


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"alphabet": "gsm8"}, "alphabet: 'gsm8' is none of gsm7, gsm7_packed, latin1, ascii"),
    ({"concatenation": "udh"}, "concatenation: 'udh' is none of udh8, udh16, sar, payload"),
    ({"message_class": 4}, "message_class: 4 is none of None, 0, 1, 2, 3"),
    ({"languages": ("klingon",)}, "languages: 'klingon' is none of turkish, spanish"),
    ({"languages": ("turkish",), "alphabet": "latin1"}, "languages: they need GSM 7-bit"),
]


@pytest.mark.parametrize(("members", "words"), REFUSED)
def test_what_cannot_be_is_refused(members: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Profile(**members)


@pytest.mark.parametrize("way", ["udh8", "udh16", "sar", "payload"])
def test_no_more_than_255_parts(way: Any) -> None:
    profile = Profile(concatenation=way)
    in_part = segment("a" * 999, profile).units_per_part
    cut("a" * in_part * 255, 1, profile)
    with pytest.raises(TooManyParts, match="256 parts"):
        cut("a" * (in_part * 255 + 1), 1, profile)


# --- Properties -------------------------------------------------------------------------------------------------------

ways = st.sampled_from(["udh8", "udh16", "sar", "payload"])
in_septets = st.builds(
    Profile,
    alphabet=st.sampled_from(["gsm7", "gsm7_packed"]),
    latin1=st.booleans(),
    concatenation=ways,
    languages=st.lists(st.sampled_from(sorted(LANGUAGES)), max_size=3, unique=True),
)
in_octets = st.builds(Profile, alphabet=st.sampled_from(["latin1", "ascii"]), latin1=st.booleans(), concatenation=ways)
profiles = st.one_of(
    st.just(STANDARD), in_septets, in_octets, st.builds(Profile, message_class=st.integers(0, 3), concatenation=ways)
)

LETTERS = sorted(set("".join([*LOCKING.values(), *SINGLE.values()])) - {UNDEFINED, "\x1b"})
ATOMS = [
    *ONE_SEPTET[:30],
    *TWO_SEPTETS,
    "\r",
    "\r\n",
    "a\r",
    "a€",
    "ş",
    "ç€",
    "ж",
    "😀",
    "👨‍👩‍👧‍👦",
    "e\u0301",
    "क्षि",
    "ந்த்",
    "ã{",
]


def runs(atoms: list[str]) -> st.SearchStrategy[str]:
    """Texts long enough to be cut, cheap to draw: each atom some times in a row."""
    run = st.tuples(st.sampled_from(atoms), st.integers(1, 90))
    return st.lists(run, max_size=6).map(lambda drawn: "".join(atom * times for atom, times in drawn))


texts = st.one_of(
    st.text(),
    runs(ATOMS),
    *(runs([*LOCKING[language][0x1C:0x60].replace(UNDEFINED, ""), " "]) for language in (1, 3, 6, 8, 11, 13)),
    st.text(alphabet=LETTERS, max_size=300),
)


@settings(deadline=None)
@given(texts, st.integers(), profiles)
@example("a" * 159 + "\r", 0, Profile(alphabet="gsm7_packed"))
@example("\r" * 400, 0, Profile(alphabet="gsm7_packed", concatenation="udh16"))
def test_all_agree_and_nothing_is_lost(text: str, reference: int, profile: Profile) -> None:
    cutting, parts = segment(text, profile), cut(text, reference, profile)
    assert "".join(cutting.segments) == "".join(part.text for part in parts) == text
    assert cutting.parts == count_parts(text, profile)
    assert cutting.parts == (parts[0].payload if profile.concatenation == "payload" else len(parts))
    joined = join([Piece(part.data_coding, part.octets, part.udhi) for part in parts], profile.alphabet).text
    assert with_single_crs(joined) == with_single_crs(text.replace("\0", "\ufffd"))
    if profile.alphabet != "gsm7_packed":
        assert joined == text.replace("\0", "\ufffd")


def with_single_crs(text: str) -> str:
    """Packed, a CR at the end of a part may become two, which means the same (TS 23.038, 6.1.2.3.1)."""
    return regex.sub("\r+", "\r", text)


@settings(deadline=None)
@given(texts, profiles)
@example("\r" * 400, Profile(alphabet="gsm7_packed"))
def test_no_segment_is_longer_than_user_data(text: str, profile: Profile) -> None:
    if profile.concatenation == "payload":
        return
    for part in cut(text, 0, profile):
        data = parse_user_data(part.octets) if part.udhi else UserData((), part.octets)
        header = len(part.octets) - len(data.payload)
        octets = len(part.octets)
        if part.data_coding in (0, 0xF0, 0xF1, 0xF2, 0xF3) and profile.alphabet in ("gsm7", "ascii"):
            assert max(data.payload, default=0) < 128
            octets = (8 * header + -8 * header % 7 + 7 * len(data.payload) + 7) // 8
        written_by_smsc = 0 if part.sar is None else 5 if header else 6
        assert octets + written_by_smsc <= 140


@settings(deadline=None)
@given(texts, profiles)
def test_nothing_that_belongs_together_is_split(text: str, profile: Profile) -> None:
    assume(all(len(cluster.encode("utf-16-be")) <= 100 for cluster in regex.findall(r"\X", text)))
    cutting = segment(text, profile)
    whole = set(accumulate(map(len, regex.findall(r"\X", text)), initial=0))
    assert set(accumulate(map(len, cutting.segments), initial=0)) <= whole
    for part in cut(text, 0, profile):
        payload = parse_user_data(part.octets).payload if part.udhi else part.octets
        assert cutting.encoding != "GSM-7" or profile.alphabet != "gsm7" or not payload.endswith(b"\x1b")


@settings(deadline=None)
@given(texts, in_septets)
def test_a_language_never_costs_anything(text: str, profile: Profile) -> None:
    plain = Profile(alphabet=profile.alphabet, latin1=profile.latin1, concatenation=profile.concatenation)
    parts, without = cut(text, 0, profile), cut(text, 0, plain)
    if parts != without:
        assert count_parts(text, profile) < count_parts(text, plain)
        assert parse_user_data(parts[0].octets).element(0x24) or parse_user_data(parts[0].octets).element(0x25)
