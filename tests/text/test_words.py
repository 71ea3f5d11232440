"""Words of people in one form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messagehub.text import plain_words

SAME = [
    ("stop", ["STOP", " Stop. ", "«stop!»", "ｓｔｏｐ", "stop 🙏", "“STOP”", "\tstop\n"]),
    ("arret", ["ARRÊT", "arrêt", "Arre\u0302t", "ARRET!"]),
    ("dont", ["don't", "don’t", "DONT"]),
    ("opt out", ["OPT-OUT", "opt  out", "opt_out?"]),
    ("стоп", ["СТОП", "Стоп!!!"]),
    ("masse", ["Maße", "MASSE"]),
    ("हिन्दी", ["हिन्दी", "हिन्दी।"]),
    ("5", ["5", "５", "5️⃣"]),
    ("", ["👍", "!!!", "", " \n"]),
]


@pytest.mark.parametrize(("plain", "text"), [(plain, text) for plain, texts in SAME for text in texts])
def test_however_it_is_written(plain: str, text: str) -> None:
    assert plain_words(text) == plain


@given(st.text())
def test_what_is_plain_stays_so(text: str) -> None:
    assert plain_words(plain_words(text)) == plain_words(text)


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=0x17F)))
def test_case_does_not_matter(text: str) -> None:
    assert plain_words(text.upper()) == plain_words(text.upper().lower())


@given(st.text(max_size=300))
def test_the_quick_way_for_ascii_is_the_same(text: str) -> None:
    ascii_only = text.encode("ascii", "ignore").decode()
    assert plain_words(ascii_only) == plain_words(ascii_only + "\u200b")
