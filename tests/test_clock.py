import pytest
from hypothesis import given
from hypothesis import strategies as st

from messagehub import clock
from messagehub.clock import NEVER, SECOND

MOMENTS = st.integers(min_value=0, max_value=NEVER)


@given(moment=MOMENTS)
def test_what_is_written_is_read_back(moment: int) -> None:
    assert clock.parse(clock.plain(moment)) == moment
    assert clock.parse(clock.iso(moment)) == moment


@given(one=MOMENTS, other=MOMENTS)
def test_the_written_form_sorts_as_time_does(one: int, other: int) -> None:
    assert (clock.plain(one) < clock.plain(other)) == (one < other)


FORMS = [  # label, moment, plain, iso
    ("the beginning", 0, "1970-01-01 00:00:00.000000", "1970-01-01T00:00:00.000000Z"),
    ("a microsecond", 1, "1970-01-01 00:00:00.000001", "1970-01-01T00:00:00.000001Z"),
    ("a leap day", 1_709_164_800 * SECOND + 500_000, "2024-02-29 00:00:00.500000", "2024-02-29T00:00:00.500000Z"),
    ("not yet", NEVER, "9999-01-01 00:00:00.000000", "9999-01-01T00:00:00.000000Z"),
]


@pytest.mark.parametrize(("moment", "plain", "iso"), [row[1:] for row in FORMS], ids=[row[0] for row in FORMS])
def test_the_two_forms(moment: int, plain: str, iso: str) -> None:
    assert (clock.plain(moment), clock.iso(moment)) == (plain, iso)


READ = [
    ("1970-01-01 00:00:01", SECOND),
    ("1970-01-01T00:00:01Z", SECOND),
    ("1970-01-01 00:00:00.5", 500_000),
    ("1970-01-01T00:00:00.1234567Z", 123_456),
    ("1970-01-01 00:00:00.000000999", 0),
    ("1970-01-01 00:00:00.0123456789", 12_345),
    ("1970-01-01T00:00:00+02:00", -7200 * SECOND),
    ("1970-01-01t02:00:00.5+02:00", 500_000),
    ("1970-01-01t00:00:01z", SECOND),
    ("0001-01-01T00:00:00+23:59", -62_135_683_140 * SECOND),
    ("9999-12-31T23:59:59-23:59", 253_402_387_139 * SECOND),
]


@pytest.mark.parametrize(("written", "moment"), READ)
def test_fewer_and_more_decimals_are_read(written: str, moment: int) -> None:
    assert clock.parse(written) == moment


NO_TIMES = [
    "",
    "now",
    "1970-01-01",
    "1970-01-01 00:00",
    "1970-13-01 00:00:00",
    "2023-02-29 00:00:00",
    "1970-01-01 25:00:00",
    "1970-01-01 00:00:61",
    "0000-01-01 00:00:00",
    "1970-01-01 00:00:00.",
    "1970-01-01T00:00:00+2:00",
    "1970-01-01T00:00:00+24:00",
    "1970-01-01 00:00:00 ",
    "١٩٧٠-٠١-٠١ ٠٠:٠٠:٠٠",
]


@pytest.mark.parametrize("written", NO_TIMES)
def test_what_is_no_time_is_refused(written: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  its words are Python's own for some of them
        clock.parse(written)


@given(written=st.text(max_size=40))
def test_nothing_but_a_value_error_comes_of_any_text(written: str) -> None:
    try:
        clock.parse(written)
    except ValueError:
        return


def test_now_is_in_microseconds_and_moves_on() -> None:
    before = clock.now()
    assert clock.plain(before) > "2026"
    assert clock.now() >= before
