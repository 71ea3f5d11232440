import pytest

from messagehub.text.codings import Charset, DataCoding, Waiting, data_coding_of, read_data_coding

OCTETS: list[tuple[int, Charset, int | None]] = [  # octet, charset, message class
    (0x00, "default", None),
    (0x01, "ascii", None),
    (0x02, "octets", None),
    (0x03, "latin1", None),
    (0x04, "octets", None),
    (0x05, "jis", None),
    (0x06, "cyrillic", None),
    (0x07, "hebrew", None),
    (0x08, "ucs2", None),
    (0x09, "pictogram", None),
    (0x0A, "music", None),
    (0x0B, "default", None),
    (0x0C, "default", None),
    (0x0D, "extended_kanji", None),
    (0x0E, "korean", None),
    (0x0F, "default", None),
    (0x10, "default", 0),
    (0x13, "default", 3),
    (0x14, "octets", 0),
    (0x17, "octets", 3),
    (0x18, "ucs2", 0),
    (0x19, "ucs2", 1),
    (0x1C, "default", 0),  # reserved alphabet
    (0x20, "compressed", None),
    (0x28, "compressed", None),
    (0x31, "compressed", 1),
    (0x40, "default", None),  # to be deleted when read
    (0x48, "ucs2", None),
    (0x51, "default", 1),
    (0x58, "ucs2", 0),
    (0x60, "compressed", None),
    (0x80, "default", None),
    (0x98, "default", None),
    (0xBF, "default", None),
    (0xF0, "default", 0),
    (0xF2, "default", 2),
    (0xF4, "octets", 0),
    (0xF7, "octets", 3),
    (0xF8, "default", 0),
    (0xFF, "octets", 3),
]

WAITING = [  # octet, charset, what waits
    (0xC0, "default", Waiting("voicemail", active=False, kept=False)),
    (0xC8, "default", Waiting("voicemail", active=True, kept=False)),
    (0xD9, "default", Waiting("fax", active=True, kept=True)),
    (0xDA, "default", Waiting("email", active=True, kept=True)),
    (0xE3, "ucs2", Waiting("other", active=False, kept=True)),
    (0xE8, "ucs2", Waiting("voicemail", active=True, kept=True)),
]


@pytest.mark.parametrize(("octet", "charset", "message_class"), OCTETS)
def test_what_an_octet_says(octet: int, charset: Charset, message_class: int | None) -> None:
    assert read_data_coding(octet) == DataCoding(charset, message_class)


@pytest.mark.parametrize(("octet", "charset", "waiting"), WAITING)
def test_messages_that_wait(octet: int, charset: Charset, waiting: Waiting) -> None:
    assert read_data_coding(octet) == DataCoding(charset, None, waiting)


WANTED: list[tuple[Charset, int | None, int | None]] = [  # charset, message class, octet
    ("default", None, 0x00),
    ("default", 0, 0xF0),
    ("default", 3, 0xF3),
    ("octets", None, 0x02),
    ("octets", 1, 0xF5),
    ("latin1", None, 0x03),
    ("latin1", 0, None),
    ("ucs2", None, 0x08),
    ("ucs2", 0, 0x18),
    ("korean", None, 0x0E),
    ("compressed", None, None),
]


@pytest.mark.parametrize(("charset", "message_class", "octet"), WANTED)
def test_which_octet_says_so(charset: Charset, message_class: int | None, octet: int | None) -> None:
    assert data_coding_of(charset, message_class) == octet


@pytest.mark.parametrize("octet", range(256))
def test_what_is_said_is_understood(octet: int) -> None:
    said = read_data_coding(octet)
    again = data_coding_of(said.charset, said.message_class)
    assert again is None or read_data_coding(again) == DataCoding(said.charset, said.message_class)
