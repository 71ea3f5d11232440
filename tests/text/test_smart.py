import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from messagehub.text.gsm import is_gsm
from messagehub.text.profile import Profile
from messagehub.text.segments import count_parts, segment
from messagehub.text.smart import smart
from messagehub.text.typography import REPLACEMENTS, Forcing

FAMILY = "👨\u200d👩\u200d👧\u200d👦"

CASES = [  # label, text, what is written
    ("GSM already", "plain [GSM] for 5 €, déjà vu\r\n", "plain [GSM] for 5 €, déjà vu\r\n"),
    ("quotes, dashes, dots", "It’s “fine” – or not…", 'It\'s "fine" - or not...'),
    ("spaces", "a\u00a0b\u2003c\u3000d\te", "a b c d e"),
    ("nothing to be seen", "a\u200bb\u200dc\ufeffd\u00ade", "abcde"),
    ("bullets", "• one\n‣ two", "* one\n* two"),
    ("ligatures", "ﬁsh ﬂat œuf", "fish flat oeuf"),
    ("full-width", "ＡＢＣ１２３！", "ABC123!"),
    ("fonts", "𝓗𝓮𝓵𝓵𝓸 𝐰𝐨𝐫𝐥𝐝", "Hello world"),
    ("other code points of the same", "5 \u212b, 3 \u2126", "5 Å, 3 Ω"),
    ("accents apart", "cafe\u0301 n\u0303", "café ñ"),
    ("Greek capitals", "ΚΑΛΗΜΕΡΑ", "KAΛHMEPA"),
    ("an accent that GSM lacks", "garçon", "garçon"),
    ("one of them cannot be replaced", "It’s garçon", "It’s garçon"),
    ("what is raised is not the same", "10² m", "10² m"),
    ("an emoji", "It’s “fine” 😀", "It’s “fine” 😀"),
    ("an emoji, and nothing saved", FAMILY * 10, FAMILY * 10),
    ("an emoji, and parts saved", "😀" + "\u00ad" * 70, "😀"),
    ("fonts beside an emoji", "😀" + "𝐚" * 35, "😀" + "a" * 35),
    ("joiners stay beside an emoji", FAMILY + "\u00ad" * 60, FAMILY),
    ("dots would cost a part", "…" * 70, "…" * 70),
    ("dots cost no part more", "…" * 50, "..." * 50),
]


@pytest.mark.parametrize(("text", "written"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_is_written(text: str, written: str) -> None:
    assert smart(text).text == written


ACCENTS = [
    ("garçon, mañana", "garcon, mañana"),
    ("Łódź", "Lodz"),
    ("ộ đ ı", "o d i"),
    ("g\u0303", "g"),
    ("й", "й"),
    ("Ά", "A"),
]


@pytest.mark.parametrize(("text", "written"), ACCENTS)
def test_accents_only_where_it_is_asked_for(text: str, written: str) -> None:
    assert smart(text).text == text
    assert smart(text, accents=True).text == written


def test_what_was_replaced_is_told_once() -> None:
    assert smart("It’s ’e\u0301").replaced == (Forcing("’", "'"), Forcing("e\u0301", "é"))
    assert smart("It’s 😀").replaced == ()
    assert smart("It's").replaced == ()


def test_it_counts_by_what_the_carrier_takes() -> None:
    turkish = "ş" * 71 + "’"
    assert smart(turkish).text == turkish
    assert smart(turkish, Profile(languages=("turkish",))).text == "ş" * 71 + "'"
    assert smart("ça va’", Profile(latin1=True)).text == "ça va'"
    assert smart("ça va", Profile(latin1=True)).replaced == ()


texts = st.text(
    alphabet=st.one_of(st.characters(), st.sampled_from([*sorted(REPLACEMENTS), *"ae \u0301\u200dçﬁ😀𝐚Άſ"]))
)
profiles = st.sampled_from(
    [Profile(), Profile(latin1=True), Profile(languages=("turkish", "portuguese")), Profile(alphabet="ascii")]
)


@settings(deadline=None)
@given(texts.map(lambda text: text * 9) | texts, profiles, st.booleans())
@example("e\u00ad\u0301" * 70 + "😀", Profile(), False)
def test_it_never_costs_more_and_is_never_done_twice(text: str, profile: Profile, accents: bool) -> None:
    written = smart(text, profile, accents)
    assert count_parts(written.text, profile) <= count_parts(text, profile)
    assert smart(written.text, profile, accents).text == written.text
    assert (written.text != text) == bool(written.replaced)


@settings(deadline=None)
@given(texts, st.booleans())
def test_a_text_that_stays_as_it_was_encoded_is_only_changed_to_save_parts(text: str, accents: bool) -> None:
    written = smart(text, accents=accents)
    if written.replaced and segment(written.text).encoding == "UCS-2":
        assert count_parts(written.text) < count_parts(text)
    assert is_gsm(written.text) or not is_gsm(text)
