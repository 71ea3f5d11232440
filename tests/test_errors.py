"""The table of reasons, from which docs/errors.md is printed."""

from messagehub.errors import REASONS, REMEDIES, as_markdown


def test_every_reason_says_what_it_means_and_what_to_do() -> None:
    assert [name for name, reason in REASONS.items() if not (reason.meaning and reason.remedy)] == []
    assert REMEDIES.keys() <= REASONS.keys()


def test_every_reason_is_printed_once() -> None:
    rows = [row.split(" | ") for row in as_markdown().splitlines()[2:]]
    assert [row[2] for row in rows] == [f"`{name}`" for name in REASONS]
    assert [row[4].removesuffix(" |") for row in rows] == [reason.remedy for reason in REASONS.values()]
