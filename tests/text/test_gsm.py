import pytest
from hypothesis import given
from hypothesis import strategies as st

from messagehub.text.gsm import BASIC, EXTENSION, ONE_SEPTET, TWO_SEPTETS, decode_gsm, encode_gsm, is_gsm

gsm_text = st.text(alphabet=ONE_SEPTET + TWO_SEPTETS)

VECTORS = [  # text, its unpacked septets
    ("", ""),
    ("hello", "68 65 6c 6c 6f"),
    ("@£$¥èéùìòÇ", "00 01 02 03 04 05 06 07 08 09"),
    ("\n\r", "0a 0d"),
    ("Δ_ΦΓΛΩΠΨΣΘΞ", "10 11 12 13 14 15 16 17 18 19 1a"),
    ("ÆæßÉ ¤", "1c 1d 1e 1f 20 24"),
    ("¡ÄÖÑÜ§¿äöñüà", "40 5b 5c 5d 5e 5f 60 7b 7c 7d 7e 7f"),
    ("\f^{}\\", "1b 0a 1b 14 1b 28 1b 29 1b 2f"),
    ("[~]|€", "1b 3c 1b 3d 1b 3e 1b 40 1b 65"),
    ("5 €", "35 20 1b 65"),
]

ODD_OCTETS = [  # octets, what is shown
    ("1b 41", "A"),
    ("1b 0d", "\r"),
    ("1b 1b", " "),
    ("1b 1b 65", " e"),
    ("41 1b", "A "),
    ("1b", " "),
    ("80", "\ufffd"),
    ("41 ff 42", "A\ufffdB"),
    ("1b 80 41", "\ufffdA"),
]


@pytest.mark.parametrize(("text", "octets"), VECTORS)
def test_vectors(text: str, octets: str) -> None:
    assert encode_gsm(text) == bytes.fromhex(octets)
    assert decode_gsm(bytes.fromhex(octets)) == text


@pytest.mark.parametrize(("octets", "text"), ODD_OCTETS)
def test_octets_that_nobody_should_send(octets: str, text: str) -> None:
    assert decode_gsm(bytes.fromhex(octets)) == text


def test_size_of_the_tables() -> None:
    assert len(BASIC) == len(set(BASIC)) == 128
    assert len(ONE_SEPTET) == 127
    assert len(EXTENSION) == len(set(TWO_SEPTETS)) == 10
    assert not set(ONE_SEPTET) & set(TWO_SEPTETS)


@pytest.mark.parametrize("character", ["`", "ç", "\t", "\0", "\x1b", "\x7f", "\u00a0", "’", "Ж", "😀"])
def test_not_in_the_alphabet(character: str) -> None:
    assert not is_gsm(character)
    with pytest.raises(UnicodeEncodeError) as error:
        encode_gsm(f"€{character}")
    assert error.value.start == 1


@given(gsm_text)
def test_decode_undoes_encode(text: str) -> None:
    assert is_gsm(text)
    assert decode_gsm(encode_gsm(text)) == text


@given(st.text())
def test_encodes_what_is_gsm_and_nothing_else(text: str) -> None:
    try:
        encode_gsm(text)
    except UnicodeEncodeError:
        assert not is_gsm(text)
    else:
        assert is_gsm(text)


@given(st.binary())
def test_decodes_anything(octets: bytes) -> None:
    assert "\x1b" not in decode_gsm(octets)
