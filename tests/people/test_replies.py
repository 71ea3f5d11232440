"""What people are answered: in their language, in one segment, with what a customer writes itself in its place."""

import pytest

from messagehub import text
from messagehub.errors import Refusal
from messagehub.people import replies
from messagehub.people.replies import REPLIES
from messagehub.people.words import KEYWORDS, LANGUAGES, Kind

KINDS: list[Kind] = list(KEYWORDS)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_answer_is_one_segment(kind: Kind, language: str) -> None:
    for contact in ("", "+15551234567"):
        said = replies.rendered(kind, [language], "Flower shop", contact)
        assert text.count_parts(said) == 1
        assert said.startswith("Flower shop: ")
        assert "{" not in said
        assert (contact in said) or kind != "help"
    assert text.segment(said).encoding == ("UCS-2" if language == "ru" else "GSM-7")


def test_every_kind_is_there_in_every_language() -> None:
    assert {kind: set(by) for kind, by in REPLIES.items()} == {kind: set(LANGUAGES) for kind in KEYWORDS}


def test_without_a_contact_its_sentence_is_left_out() -> None:
    said = replies.rendered("help", ["en"], "Acme", "")
    assert said == "Acme: Msg&data rates may apply. Text STOP to cancel."


def test_what_is_written_for_the_number_comes_before_what_is_for_the_customer() -> None:
    number, customer = {"opt_out": {"en": "number"}}, {"opt_out": {"en": "customer", "fr": "{brand} client"}}
    own = (number, customer)
    assert replies.rendered("opt_out", ["en"], "Acme", "", own) == "number"  # type: ignore[arg-type]
    assert replies.rendered("opt_out", ["fr"], "Acme", "", own) == "Acme client"  # type: ignore[arg-type]
    assert replies.rendered("opt_out", ["de"], "Acme", "", own).startswith("Acme: Sie sind")  # type: ignore[arg-type]


def test_where_two_languages_fit_what_is_written_counts_before_what_is_ours() -> None:
    english, both = {"opt_out": {"en": "Bye"}}, {"opt_out": {"en": "Bye", "fr": "Adieu"}}
    assert replies.rendered("opt_out", ["fr", "en"], "Acme", "").startswith("Acme: Désabonnement")
    assert replies.rendered("opt_out", ["fr", "en"], "Acme", "", (english,)) == "Bye"  # type: ignore[arg-type]
    assert replies.rendered("opt_out", ["fr", "en"], "Acme", "", (english, both)) == "Adieu"  # type: ignore[arg-type]


def test_a_name_cannot_bring_in_a_member_and_is_not_endless() -> None:
    assert replies.rendered("opt_in", ["en"], "{contact}", "secret").startswith("{contact}: ")
    assert text.count_parts(replies.rendered("opt_out", ["en"], "n" * 255, "")) == 1


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"help": {"xx": "Hi"}}, "opt_out_replies.help.xx: the languages are"),
        ({"help": {"en": "Hi {name}"}}, "{name} stands for nothing"),
        ({"help": {"en": "x" * 307}}, "1 to 2 segments"),
        ({"help": {"en": " "}}, "1 to 2 segments"),
    ],
)
def test_what_cannot_be_an_answer(given: dict[Kind, dict[str, str]], words: str) -> None:
    with pytest.raises(Refusal, match=words.replace("{", r"\{").replace("}", r"\}")):
        replies.check(given)
