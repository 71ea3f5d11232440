"""Which flow answers which words."""

import time

import msgspec
import pytest

from messagehub.errors import Refusal
from messagehub.flows import keywords
from messagehub.shapes import Keyword, KeywordGiven

ONE, OTHER = "01a1fbb3-7b7c-726d-8ab2-000000000001", "01a1fbb3-7b7c-726d-8ab2-000000000002"


def flow_for(text: str, *given: Keyword) -> str:
    return keywords.flow_for(msgspec.json.encode(list(given)).decode(), text)


@pytest.mark.parametrize("text", ["menu", "MENU!", "  Menü. ", "«menu»", "menu 🙂"])
def test_a_word_is_the_whole_message_however_it_is_written(text: str) -> None:
    assert flow_for(text, Keyword(ONE, word="Menu")) == ONE


@pytest.mark.parametrize("text", ["the menu", "menus", "", "me nu"])
def test_a_word_is_no_other(text: str) -> None:
    assert flow_for(text, Keyword(ONE, word="menu")) == ""


PATTERNS = [
    ("order *", ["order 5", "Order: pizza", "ORDER  two pizzas!"], ["order", "orders 5", "an order 5"]),
    ("*pizza*", ["pizza", "a Pizza, please", "PIZZAS"], ["piazza", ""]),
    ("* please", ["two please", "a b please!"], ["please", "please two"]),
    ("a*b*c", ["abc", "a1b2c", "a b c"], ["acb", "ab", "abcd"]),
    ("*", ["anything", "", "👍"], []),
    ("**x**", ["x", "axb"], ["a"]),
    ("ab*ba", ["abba", "ab ba"], ["aba"]),
]


@pytest.mark.parametrize(("pattern", "fitting", "others"), PATTERNS)
def test_patterns(pattern: str, fitting: list[str], others: list[str]) -> None:
    for text in fitting:
        assert flow_for(text, Keyword(ONE, pattern=pattern)) == ONE, text
    for text in others:
        assert flow_for(text, Keyword(ONE, pattern=pattern)) == "", text


def test_the_first_that_fits_counts() -> None:
    given = (Keyword(ONE, word="order"), Keyword(OTHER, pattern="order*"))
    assert (flow_for("Order", *given), flow_for("order 5", *given)) == (ONE, OTHER)


def test_blanks_around_a_pattern_are_none_of_it() -> None:
    assert flow_for("order 5", Keyword(ONE, pattern=" order * ")) == ONE
    assert flow_for("anything", Keyword(ONE, pattern=" * ")) == ONE


def test_a_word_of_emoji_alone() -> None:
    assert flow_for("👍", Keyword(ONE, word="👍")) == ONE
    assert flow_for("👎", Keyword(ONE, word="👍")) == ""


def test_a_long_message_that_almost_fits_costs_no_time() -> None:
    begun = time.process_time()
    assert flow_for("a" * 40_000, Keyword(ONE, pattern="a*" * 120 + "b")) == ""
    assert time.process_time() - begun < 1


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([KeywordGiven(flow_id=ONE)], "keywords[0]: "),
        ([KeywordGiven(flow_id=ONE, word="x"), KeywordGiven(flow_id=ONE, word="x", pattern="x*")], "keywords[1]: "),
        ([KeywordGiven(flow_id=ONE, word=" ")], "keywords[0].word: "),
        ([KeywordGiven(flow_id=ONE, pattern=" ")], "keywords[0].pattern: "),
        ([KeywordGiven(flow_id=ONE, word="x")] * 101, "keywords: 101"),
    ],
)
def test_what_is_none_is_refused_by_name(given: list[KeywordGiven], words: str) -> None:
    with pytest.raises(Refusal) as refused:
        keywords.checked(given)
    assert refused.value.message.startswith(words)


def test_what_is_kept_is_what_was_given() -> None:
    given = [KeywordGiven(flow_id=ONE.upper(), word="Menü"), KeywordGiven(flow_id=OTHER, pattern="order *")]
    kept = keywords.checked(given)
    assert keywords.read(kept) == [Keyword(ONE, word="Menü"), Keyword(OTHER, pattern="order *")]
    assert keywords.flows_of(kept) == {ONE, OTHER}
    assert (keywords.checked([]), keywords.read("")) == ("", [])
