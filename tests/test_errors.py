"""The table of reasons, from which docs/errors.md is printed."""

import pytest

from messagehub.api import replies
from messagehub.errors import REASONS, REMEDIES, Unavailable, Unsettled, as_markdown


def test_every_reason_says_what_it_means_and_what_to_do() -> None:
    assert [name for name, reason in REASONS.items() if not (reason.meaning and reason.remedy)] == []
    assert REMEDIES.keys() <= REASONS.keys()


def test_every_reason_is_printed_once() -> None:
    rows = [row.split(" | ") for row in as_markdown().splitlines()[2:]]
    assert [row[2] for row in rows] == [f"`{name}`" for name in REASONS]
    assert [row[4].removesuffix(" |") for row in rows] == [reason.remedy for reason in REASONS.values()]


@pytest.mark.parametrize(("error", "words"), [(Unavailable, "nothing was accepted"), (Unsettled, "is not known: look")])
def test_what_may_have_been_written_is_not_said_to_be_undone(error: type[Unavailable], words: str) -> None:
    assert words in replies.refusal_of(error("the server is away")).message
