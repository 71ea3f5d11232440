"""Quiet hours: by the clock of whoever is written to, in all zones where he may be, also when clocks are changed."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messagehub import clock
from messagehub.clock import SECOND
from messagehub.people import quiet, zones
from messagehub.people.quiet import MINUTE, Quiet

NIGHT = Quiet(21 * 60, 8 * 60)
YEAR = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
ZONES = [
    "Europe/London",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "Asia/Kathmandu",
]
CHANGES = [  # UTC, around which clocks are put forward or back somewhere
    datetime(2026, 3, 8, 7, tzinfo=UTC),
    datetime(2026, 3, 29, 1, tzinfo=UTC),
    datetime(2026, 4, 4, 15, tzinfo=UTC),
    datetime(2026, 10, 3, 15, 30, tzinfo=UTC),
    datetime(2026, 10, 25, 1, tzinfo=UTC),
    datetime(2026, 11, 1, 6, tzinfo=UTC),
]

minutes = st.integers(0, 24 * 60 - 1)
hours = st.tuples(minutes, minutes).filter(lambda pair: pair[0] != pair[1]).map(lambda pair: Quiet(*pair))
around_changes = st.builds(
    lambda at, by: int((at + timedelta(minutes=by)).timestamp()) * SECOND,
    st.sampled_from(CHANGES),
    st.integers(-1600, 300),
)
moments = st.one_of(st.integers(YEAR * SECOND, (YEAR + 365 * 86400) * SECOND), around_changes)


def wall(moment: int, zone: str) -> int:
    there = datetime.fromtimestamp(moment // SECOND, ZoneInfo(zone))
    return there.hour * 60 + there.minute


def is_quiet(moment: int, places: list[str], hours: Quiet) -> bool:
    return any(hours.covers(wall(moment, place)) for place in places)


@settings(max_examples=150, deadline=None)
@given(moments, st.lists(st.sampled_from(ZONES), min_size=1, max_size=3, unique=True), hours)
def test_it_is_the_first_minute_that_is_quiet_nowhere(now: int, places: list[str], hours: Quiet) -> None:
    until = quiet.until(now, places, hours)
    if until is None:
        assert all(is_quiet(now + n * MINUTE, places, hours) for n in range(0, 48 * 60, 7))
        return
    assert until >= now
    assert not is_quiet(until, places, hours)
    assert all(is_quiet(moment, places, hours) for moment in range(now, until, MINUTE))


@pytest.mark.parametrize(
    ("now", "zone", "until"),
    [
        ("2026-11-21T12:00:00Z", "Europe/London", "2026-11-21 12:00:00.000000"),
        ("2026-11-21T20:59:59Z", "Europe/London", "2026-11-21 20:59:59.000000"),
        ("2026-11-21T21:00:00Z", "Europe/London", "2026-11-22 08:00:00.000000"),
        ("2026-11-22T07:59:59.5Z", "Europe/London", "2026-11-22 08:00:00.000000"),
        ("2026-03-28T22:00:00Z", "Europe/London", "2026-03-29 07:00:00.000000"),  # the night has an hour less
        ("2026-10-24T22:00:00Z", "Europe/London", "2026-10-25 08:00:00.000000"),
        ("2026-11-21T03:00:00Z", "America/Los_Angeles", "2026-11-21 03:00:00.000000"),
        ("2026-11-21T03:00:00Z", "America/New_York", "2026-11-21 13:00:00.000000"),
        ("2026-11-21T03:00:00Z", "Asia/Kathmandu", "2026-11-21 03:00:00.000000"),
        ("2026-11-21T01:00:00Z", "Asia/Kathmandu", "2026-11-21 02:15:00.000000"),
    ],
)
def test_some_nights(now: str, zone: str, until: str) -> None:
    found = quiet.until(clock.parse(now), [zone], NIGHT)
    assert found is not None
    assert clock.plain(found) == until


def test_where_no_hour_fits_all_zones_there_is_none() -> None:
    """It is day in one of them whenever it is night in the other."""
    assert quiet.until(YEAR * SECOND, ["Asia/Tokyo", "America/New_York"], Quiet(18 * 60, 9 * 60)) is None


def test_countries_have_their_own_hours() -> None:
    assert quiet.of_country("+919876543210") == Quiet(21 * 60, 9 * 60)
    assert quiet.of_country("+15559876543") == quiet.of_country("+442079460001") == NIGHT


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("+442079460001", {"Europe/London"}),
        ("+12125551234", {"America/New_York"}),
        ("+919876543210", {"Asia/Calcutta"}),
        ("+883120000000", {"UTC"}),
        ("+0", {"UTC"}),
    ],
)
def test_zones_of_numbers(number: str, expected: set[str]) -> None:
    assert set(zones.of_number(number)) == expected


@pytest.mark.parametrize(
    ("mobile", "place"),
    [
        ("+12125551234", "America/New_York"),
        ("+525512345678", "America/Mexico_City"),
        ("+5491112345678", "America/Buenos_Aires"),
        ("+5511987654321", "America/Sao_Paulo"),
        ("+6281212345678", "Asia/Jakarta"),
        ("+8613800138000", "Asia/Shanghai"),
    ],
)
def test_where_mobile_numbers_have_prefixes_of_places_they_are_of_these_alone(mobile: str, place: str) -> None:
    assert zones.of_number(mobile) == (place,)


def test_a_number_that_may_be_anywhere_in_a_country_has_all_its_zones() -> None:
    found = set(zones.of_number("+15551234567"))
    assert {"America/New_York", "America/Los_Angeles", "Pacific/Honolulu"} <= found
    until = quiet.until(clock.parse("2026-11-21T14:00:00Z"), sorted(found), NIGHT)
    assert until is not None
    assert all(480 <= wall(until, zone) < 1260 for zone in found)


@pytest.mark.parametrize(
    ("number", "now", "until"),
    [
        ("+61412345678", "2026-11-20T21:05:00Z", "2026-11-21 01:30:00.000000"),  # 08:05 in Sydney, the islands' morning
        ("+61291234567", "2026-11-20T21:05:00Z", "2026-11-20 21:05:00.000000"),  # Sydney's own
        ("+79161234567", "2026-11-20T10:00:00Z", "2026-11-21 06:00:00.000000"),  # 13:00 in Moscow, 22:00 in Anadyr
        ("+34612345678", "2026-11-20T07:05:00Z", "2026-11-20 08:00:00.000000"),  # 08:05 in Madrid, 07:05 on Tenerife
        ("+447911123456", "2026-11-20T08:05:00Z", "2026-11-20 08:05:00.000000"),
        ("+14155550100", "2026-11-20T16:05:00Z", "2026-11-20 16:05:00.000000"),  # area codes are of mobiles, too
    ],
)
def test_a_mobile_number_is_of_its_whole_country(number: str, now: str, until: str) -> None:
    found = quiet.until(clock.parse(now), zones.of_number(number), NIGHT)
    assert found is not None
    assert clock.plain(found) == until
