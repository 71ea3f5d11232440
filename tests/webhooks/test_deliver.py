"""What an endpoint wishes by Retry-After (RFC 9110, section 10.2.3)."""

import time
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from messagehub.clock import SECOND
from messagehub.web import Answer
from messagehub.webhooks.deliver import DAY, wished_pause

NOW = 1_800_000_000 * SECOND  # Fri, 15 Jan 2027 08:00:00 GMT


def wish(text: str) -> int:
    return wished_pause(Answer(503, {"retry-after": text}, b""), NOW)


WISHES = [
    ("120", 120),
    ("0", 0),
    ("86400", 86_400),
    ("86401", 86_400),
    ("999999999999999999999", 86_400),
    ("Fri, 15 Jan 2027 08:02:00 GMT", 120),
    ("Fri, 15 Jan 2027 10:02:00 +0200", 120),
    ("Friday, 15-Jan-27 08:02:00 GMT", 120),
    ("Fri Jan 15 08:02:00 2027", 120),
    ("Fri, 15 Jan 2027 08:02:00 -0000", 120),
    ("Fri, 15 Jan 2027 07:59:59 GMT", 0),
    ("Sun, 15 Jan 2034 08:00:00 GMT", 86_400),
]


@pytest.fixture(params=["UTC", "America/New_York", "Asia/Tokyo"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """That of the machine."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("zone")
@pytest.mark.parametrize(("text", "seconds"), WISHES)
def test_a_wish_is_granted_up_to_a_day(text: str, seconds: int) -> None:
    assert wish(text) == seconds * SECOND


NO_WISHES = [
    "", "soon", "-5", "1.5", "1e9", "²", "Fri, 32 Jan 2027 08:02:00 GMT", "Fri, 15 Jan 0000 08:02:00 GMT", ",", ":",
]  # fmt: skip


@pytest.mark.parametrize("text", NO_WISHES)
def test_what_cannot_be_read_is_no_wish(text: str) -> None:
    assert wish(text) == 0


def test_an_answer_without_one() -> None:
    assert wished_pause(Answer(500, {}, b""), NOW) == 0


PIECES = [
    "Fri, ",
    "15 ",
    "Jan ",
    "2027 ",
    "08:02:00 ",
    "GMT",
    "+0200",
    "-0000",
    "99999999999",
    "+99999999",
    ":",
    "1",
    " ",
]


@given(text=st.one_of(st.text(max_size=40), st.lists(st.sampled_from(PIECES), max_size=8).map("".join)))
@example("Fri, 15 Jan 99999999999 08:02:00 GMT")
@example("Mon, 01 Jan 0001 00:00:00 -0000")
@example("Mon, 01 Jan 0001 00:00:00 +2300")
@example("Fri, 15 Jan 2027 08:02:00 +99999999999")
def test_no_text_does_any_harm(text: str) -> None:
    assert 0 <= wish(text) <= DAY
