import pytest
from hypothesis import given
from hypothesis import strategies as st

from messagehub.text.gsm import is_gsm
from messagehub.text.segments import segment
from messagehub.text.typography import REPLACEMENTS, Forcing, forced_by

CASES = [  # text, characters and their replacements
    ("", []),
    ("plain [GSM] text for 5 €, déjà vu\r\n", []),
    ("It’s “fine”…", [("’", "'"), ("“", '"'), ("”", '"'), ("…", "...")]),
    ("’’ — ’", [("’", "'"), ("—", "-")]),
    ("a\u00a0b\tc", [("\u00a0", " "), ("\t", " ")]),
    ("a\u200bb\ufeff", [("\u200b", ""), ("\ufeff", "")]),
    ("2½ ﬁsh • œuf", [("½", " 1/2"), ("ﬁ", "fi"), ("•", "*"), ("œ", "oe")]),
    ("garçon", [("ç", None)]),
    ("Ａ𝐁 10²", [("Ａ", "A"), ("𝐁", "B"), ("²", None)]),
    ("Привет", [("П", None), ("р", None), ("и", None), ("в", None), ("е", None), ("т", None)]),
    ("❤️ 😀", [("❤", None), ("\ufe0f", ""), ("😀", None)]),
]


@pytest.mark.parametrize(("text", "forcings"), CASES)
def test_forced_by(text: str, forcings: list[tuple[str, str | None]]) -> None:
    assert forced_by(text) == [Forcing(*forcing) for forcing in forcings]


@pytest.mark.parametrize(("character", "replacement"), REPLACEMENTS.items())
def test_a_replacement_is_gsm_for_what_is_not(character: str, replacement: str) -> None:
    assert len(character) == 1
    assert not is_gsm(character)
    assert is_gsm(replacement)


@given(st.text(alphabet=st.one_of(st.characters(), st.sampled_from(sorted(REPLACEMENTS)))))
def test_forced_exactly_where_it_is_ucs2(text: str) -> None:
    forcings = forced_by(text)
    assert bool(forcings) == (segment(text).encoding == "UCS-2")
    for forcing in forcings:
        text = text.replace(forcing.character, forcing.replacement or "")
    assert is_gsm(text)
