from datetime import UTC, datetime, timedelta

import pytest
import typer

from messagehub.cli import times


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("90", 90), ("90s", 90), ("10m", 600), ("12h", 43200), ("30d", 2592000), ("2w", 1209600)],
)
def test_spans(text: str, seconds: int) -> None:
    assert times.span(text) == seconds


@pytest.mark.parametrize("text", ["", "m", "-1", "1.5h", "10 m", "1y", "١", "1e3", "9999999999"])
def test_what_is_no_span(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="30d"):
        times.span(text)


def test_a_moment_is_a_time_or_so_long_ago() -> None:
    assert times.moment("2026-01-31 10:30:00") == times.moment("2026-01-31T10:30:00Z") == "2026-01-31T10:30:00.000000Z"
    before = datetime.now(UTC)
    moment = datetime.fromisoformat(times.moment("1h")) + timedelta(hours=1)
    assert before <= moment <= datetime.now(UTC)
    assert times.moment("99999999w") == "1970-01-01T00:00:00.000000Z"


@pytest.mark.parametrize("text", ["", "yesterday", "2026-01-31", "2026-13-01T00:00:00Z"])
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="2026-01-31T10:30:00Z"):
        times.moment(text)
