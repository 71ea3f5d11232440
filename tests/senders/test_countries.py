"""The table of countries: read as it is meant, and what it says of those where all lists agree."""

from typing import get_args

import pytest

from messagehub import shapes
from messagehub.senders.countries import COUNTRIES, NO, REGISTERED, YES, country_of


def test_each_row_says_what_a_row_may_say() -> None:
    assert len(COUNTRIES) > 60
    for code, country in COUNTRIES.items():
        assert len(code) == 2
        assert country.alphanumeric in get_args(shapes.Names)
        assert country.best in get_args(shapes.SenderClass)
        assert country.alphanumeric == NO or country.best == "alphanumeric"
        assert all(prefix.isdigit() for prefix in country.prefixes)


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("+14155550100", "US"),
        ("+15551234567", None),  # an area code that is nowhere
        ("+14165550100", "CA"),
        ("+18765550100", "JM"),
        ("+12425550100", None),
        ("+77011234567", "KZ"),
        ("+79161234567", "RU"),
        ("+442079460001", "GB"),
        ("+999123", None),
    ],
)
def test_the_longest_prefix_says_where_a_number_is(number: str, code: str | None) -> None:
    found = country_of(number)
    assert (found.code if found else None) == code


@pytest.mark.parametrize(
    ("code", "alphanumeric"), [("US", NO), ("CA", NO), ("CN", NO), ("IN", REGISTERED), ("SG", REGISTERED), ("DE", YES)]
)
def test_what_all_lists_agree_on(code: str, alphanumeric: str) -> None:
    assert COUNTRIES[code].alphanumeric == alphanumeric
