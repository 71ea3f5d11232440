from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given

from messagehub.mms import moments
from tests.mms.values import moments as any_moment
from tests.mms.values import spans


@given(any_moment | spans)
def test_reading_what_was_written_gives_it_back(moment: datetime | timedelta) -> None:
    assert moments.read(moments.write(moment)) == moment


NOON = datetime(2024, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-01-31T12:00:00Z", NOON),
        ("2024-01-31T13:00:00+01:00", NOON),
        ("2024-01-31t06:30:00-0530", NOON),
        ("2024-01-31T14:00:00+02", NOON),
        (" 2024-01-31 12:00:00 ", NOON),
        ("20240131120000", NOON),
        ("2024-01-31T12:00:00.0000001Z", NOON),
        ("2024-01-31T12:00:00,5Z", NOON + timedelta(milliseconds=500)),
        ("P1D", timedelta(days=1)),
        ("P1Y2M3DT4H5M6.5S", timedelta(days=428, hours=4, minutes=5, seconds=6.5)),
        ("p2w", timedelta(days=14)),
        ("PT0S", timedelta()),
        ("PT90000S", timedelta(hours=25)),
    ],
)
def test_times_as_peers_write_them(text: str, moment: datetime | timedelta) -> None:
    assert moments.read(text) == moment


@pytest.mark.parametrize(
    "text",
    ["", "P", "PT", "tomorrow", "2024-02-30T12:00:00Z", "2024-01-31", "2024-01-31T12:00:60Z",
     "0001-01-01T00:00:00+01:00",
     "-P1D", "P999999999DT999999999H", "2024-01-31T12:00:00+25:00", "２０２４-01-31T12:00:00Z"],
)  # fmt: skip
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        moments.read(text)


def test_moments_are_written_in_utc() -> None:
    there = datetime(2024, 1, 31, 13, 0, 0, 5, timezone(timedelta(hours=1)))
    assert moments.write(there) == "2024-01-31T12:00:00.000005Z"
    assert moments.write(timedelta(days=1, seconds=61)) == "P1DT0H1M1S"
