import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messagehub.text.gsm import BASIC, EXTENSION, decode_gsm
from messagehub.text.national import LANGUAGES, LOCKING, SINGLE, UNDEFINED, shifted
from tests.text import annex_a

WITH_LOCKING = [name for name in LANGUAGES if name != "spanish"]
INDIC = WITH_LOCKING[2:]
WORDS = {"SP": 0x20, "LF": 0x0A, "CR": 0x0D, "ESC": 0x1B}

# Places where every table of the frame has the same.
DIGITS = dict(zip(range(0x30, 0x3C), "0123456789:;", strict=True)) | {0x3F: "?"}
SMALL = {code: chr(code) for code in range(0x61, 0x7B)}
CAPITALS = {code: chr(code) for code in range(0x41, 0x5B)}
SIGNS = dict(enumerate("@£$¥¿\"¤%&'\f*+\ufffe-/<=>¡^¡_#*"))
FREE = [*range(0x19, 0x1B), *range(0x1C, 0x28), *range(0x2A, 0x2F), *range(0x30, 0x3C), 0x3F]


def character(cell: str) -> str:
    if cell == "-":
        return UNDEFINED
    return cell if len(cell) == 1 else chr(WORDS.get(cell) or int(cell, 16))


def printed_locking(name: str) -> str:
    others, *rows = annex_a.LOCKING[name].split("\n")[1:-1]
    table = DIGITS | SMALL
    for pair in others.split():
        code, cell = pair.split("=")
        table[int(code, 16)] = character(cell)
    for row, line in enumerate(rows):
        for column, cell in zip((0, 1, 2, 4, 5), line.split(), strict=True):
            table[16 * column + row] = character(cell)
    return "".join(table[code] for code in range(128))


def printed_single(name: str) -> str:
    table = SIGNS | CAPITALS | EXTENSION
    table |= dict(zip(FREE, map(character, annex_a.SINGLE[name].split()), strict=False))
    return "".join(table.get(code, UNDEFINED) for code in range(128))


@pytest.mark.parametrize("name", INDIC)
def test_the_tables_are_as_printed(name: str) -> None:
    assert LOCKING[LANGUAGES[name]] == printed_locking(name)
    assert SINGLE[LANGUAGES[name]] == printed_single(name)


CHANGES = [  # table, identifier, what it has in place of the default one
    (LOCKING, 1, {0x04: "€", 0x07: "ı", 0x0B: "Ğ", 0x0C: "ğ", 0x1C: "Ş", 0x1D: "ş", 0x40: "İ", 0x60: "ç"}),
    (SINGLE, 1, dict(zip((0x47, 0x49, 0x53, 0x63, 0x67, 0x69, 0x73), "ĞİŞçğış", strict=True))),
    (SINGLE, 2, dict(zip((0x09, 0x41, 0x49, 0x4F, 0x55, 0x61, 0x69, 0x6F, 0x75), "çÁÍÓÚáíóú", strict=True))),
    (
        LOCKING,
        3,
        dict(zip((0x04, *range(0x06, 0x0A), 0x0B, 0x0C, 0x0E, 0x0F), "êúíóçÔôÁá", strict=True))
        | dict(zip((*range(0x12, 0x1B), 0x1C, 0x1D, 0x1E), "ªÇÀ∞^\\€Ó|Ââ" + "Ê", strict=True))
        | dict(zip((0x24, 0x40, 0x5B, 0x5C, 0x5D, 0x60, 0x7B, 0x7C, 0x7D), "ºÍÃÕÚ~ãõ`", strict=True)),
    ),
    (
        SINGLE,
        3,
        dict(zip((0x05, 0x09, 0x0B, 0x0C, 0x0E, 0x0F), "êçÔôÁá", strict=True))
        | dict(zip((0x12, 0x13, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1F), "ΦΓΩΠΨΣΘÊ", strict=True))
        | dict(zip((0x41, 0x49, 0x4F, 0x55, 0x5B, 0x5C), "ÀÍÓÚÃÕ", strict=True))
        | dict(zip((0x61, 0x69, 0x6F, 0x75, 0x7B, 0x7C, 0x7F), "Âíóúãõâ", strict=True)),
    ),
]


@pytest.mark.parametrize(("tables", "language", "changes"), CHANGES)
def test_what_the_european_tables_change(tables: dict[int, str], language: int, changes: dict[int, str]) -> None:
    found = {
        code: here for code, (here, there) in enumerate(zip(tables[language], tables[0], strict=True)) if here != there
    }
    assert found == changes


def test_all_languages_have_the_tables_that_the_standard_defines() -> None:
    assert list(LANGUAGES.values()) == list(range(1, 14))
    assert SINGLE.keys() == set(range(14))
    assert LOCKING.keys() == set(range(14)) - {LANGUAGES["spanish"]}


@pytest.mark.parametrize("language", LOCKING)
def test_a_locking_table_is_whole_and_says_each_character_once(language: int) -> None:
    table = LOCKING[language]
    assert len(table) == 128
    assert (table[0x0A], table[0x0D], table[0x1B], table[0x20]) == ("\n", "\r", "\x1b", " ")
    assert all(table[code] == character for code, character in (DIGITS | SMALL).items())
    letters = table.replace(UNDEFINED, "")
    assert len(set(letters)) == len(letters)


@pytest.mark.parametrize("language", SINGLE)
def test_a_single_table_is_whole_and_keeps_what_is_fixed(language: int) -> None:
    table = SINGLE[language]
    assert len(table) == 128
    assert all(table[code] == character for code, character in EXTENSION.items())
    assert table[0x0D] == table[0x1B] == UNDEFINED  # for a control, and for one more table
    letters = table.replace(UNDEFINED, "")
    twice = {character for character in letters if letters.count(character) > 1}
    assert twice <= {"¡", "*"}  # at 0x13 and 0x15, at 0x0B and 0x18: so it is printed


CASES = [  # locking, single, text, its septets
    (0, "turkish", "çok şık", "1b63 6f 6b 20 1b73 1b69 6b"),
    ("turkish", 0, "çok şık €", "60 6f 6b 20 1d 07 6b 20 04"),
    ("turkish", 0, "{", "1b28"),
    (0, "spanish", "¡Adiós!", "40 41 64 69 1b6f 73 21"),
    ("portuguese", "portuguese", "não ΩÂ", "6e 7b 6f 20 1b15 1c"),
    ("hindi", "hindi", "नमस्ते।", "2f 42 4c 5f 27 59 1b19"),
    ("bengali", 0, "বাংলা {", "40 50 01 46 50 20 1b28"),
    ("urdu", "urdu", "سلام؟", "3d 4d 00 4e 1b33"),
]


@pytest.mark.parametrize(("locking", "single", "text", "septets"), CASES)
def test_vectors(locking: str | int, single: str | int, text: str, septets: str) -> None:
    tables = shifted(*(LANGUAGES[one] if isinstance(one, str) else one for one in (locking, single)))
    assert tables.encode(text) == bytes.fromhex(septets)
    assert tables.decode(bytes.fromhex(septets)) == text


ODD = [  # locking, single, octets, what is shown
    (0, 1, "1b 41", "A"),  # unknown behind an escape
    (1, 1, "1b 04", "€"),  # the same, by the locking table
    (7, 7, "00", "\ufffd"),  # no character there
    (7, 7, "1b 00", "@"),
    (4, 4, "1b 0c", "+"),
    (4, 4, "1b 7b", "\u09d7"),
    (4, 0, "1b 0c", "\ufffd"),
    (1, 1, "1b 1b 41", " A"),
    (1, 1, "1b", " "),
    (1, 1, "1b 0d", "\r"),
    (1, 1, "80 ff", "\ufffd\ufffd"),
    (1, 1, "1b ff 41", "\ufffdA"),
]


@pytest.mark.parametrize(("locking", "single", "octets", "text"), ODD)
def test_octets_that_nobody_should_send(locking: int, single: int, octets: str, text: str) -> None:
    assert shifted(locking, single).decode(bytes.fromhex(octets)) == text


@pytest.mark.parametrize("character", ["Ж", "😀", UNDEFINED, "\x1b", "\0", "ş"])
def test_what_no_table_has_cannot_be_encoded(character: str) -> None:
    with pytest.raises(UnicodeEncodeError) as error:
        shifted(6, 6).encode(f"a{character}")
    assert error.value.start == 1


@given(st.sampled_from(sorted(LOCKING)), st.sampled_from(sorted(SINGLE)), st.data())
def test_decode_undoes_encode(locking: int, single: int, data: st.DataObject) -> None:
    tables = shifted(locking, single)
    text = data.draw(st.text(alphabet=tables.characters))
    assert tables.decode(tables.encode(text)) == text


@given(st.binary())
def test_with_the_default_tables_it_is_the_default_alphabet(octets: bytes) -> None:
    tables = shifted(0, 0)
    assert set(tables.characters) == set(BASIC + "".join(EXTENSION.values())) - {"\x1b"}
    assert tables.decode(octets) == decode_gsm(octets)


def test_the_tables_are_loaded_when_they_are_needed() -> None:
    program = (
        "import sys; from messagehub import text; table = 'messagehub.text.national';"
        "text.cut('ж' * 99, 1); text.decode(0, b'\\5\\0\\3\\1\\2\\1abc', True); text.Profile();"
        "assert table not in sys.modules;"
        "assert text.decode(0, b'\\3\\x24\\1\\1\\x1bc', True).text == 'ç'; assert table in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
