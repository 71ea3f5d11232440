from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messagehub.smpp.kinds import TIME
from messagehub.smpp.times import LONGEST, absolute, read, relative

QUARTERS = st.integers(-48, 48).map(lambda quarters: timezone(timedelta(minutes=15 * quarters)))
MOMENTS = st.datetimes(datetime(2000, 1, 3), datetime(2099, 12, 30), timezones=QUARTERS)


@given(MOMENTS)
def test_a_moment_comes_back_to_the_tenth(moment: datetime) -> None:
    text = absolute(moment)
    assert TIME.fullmatch(text)
    assert read(text) == moment.replace(microsecond=moment.microsecond // 100_000 * 100_000)


@given(st.timedeltas(timedelta(), LONGEST))
def test_a_span_comes_back_to_the_second(span: timedelta) -> None:
    text = relative(span)
    assert TIME.fullmatch(text)
    assert read(text) == timedelta(days=span.days, seconds=span.seconds)


READ = [
    ("020610233429000R", timedelta(days=2 * 365 + 6 * 30 + 10, hours=23, minutes=34, seconds=29)),  # 7.1.1.2
    ("260131120000000+", datetime(2026, 1, 31, 12, tzinfo=UTC)),
    ("260131120000504-", datetime(2026, 1, 31, 13, 0, 0, 500_000, tzinfo=UTC)),
    ("260231120000000+", None),
    ("260131120000099+", None),
    ("", None),
    ("2601311200", None),
    ("26013112000000٠+", None),
]


@pytest.mark.parametrize(("text", "time"), READ)
def test_reads_what_a_peer_writes(text: str, time: datetime | timedelta | None) -> None:
    assert read(text) == time


def test_what_cannot_be_said() -> None:
    for span in (timedelta(seconds=-1), timedelta(days=100)):
        with pytest.raises(ValueError, match="100 days"):
            relative(span)
    with pytest.raises(ValueError, match="zone"):
        absolute(datetime(2026, 1, 31))
    with pytest.raises(ValueError, match="century"):
        absolute(datetime(1999, 1, 31, tzinfo=UTC))
