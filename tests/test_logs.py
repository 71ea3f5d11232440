"""Lines of a log: what they hold, and what is never in them."""

import json
import logging
import re
import sys
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messagehub.logs import FORMS, JSONForm, Seldom, TextForm, about, redacted, shortened, within

KEY = "vb_Zyxwvutsrqponmlkjihgfedcba987654"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJoYWNrZXIifQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"

SECRETS = [  # what is logged, and what of it may not be seen
    (f"unknown key {KEY}", KEY),
    (f"/v1.0/messages/{KEY}/x", KEY),
    (f"%3D{KEY}%26", KEY),
    ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
    ("Authorization: Bearer abc.def-ghi~j+k/l==", "abc.def-ghi~j+k/l"),
    ("{b'authorization': b'bearer sesame'}", "sesame"),
    ("basic c2VzYW1lOm9wZW4=", "c2VzYW1lOm9wZW4="),
    (JWT, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
    ("GET /x?a=1&token=sesame&b=2", "sesame"),
    ("?accesskey=sesame", "sesame"),
    ("https://hub.test/media/4abf1e1f?token=AGkhOpen_Sesame-1", "Sesame"),
    ("MediaUrl=https%3A%2F%2Fhub.test%2Fmedia%2F4abf%3Ftoken%3DAGkhOpen_Sesame-1&To=%2B15", "Sesame"),
    ("GET https://hub.test/m/openSesame12 200", "Sesame"),
    ("https://bucket.test/a.jpg?X-Amz-Expires=9&X-Amz-Signature=5e5a3e", "5e5a3e"),
    ("https://blobs.test/a.jpg?se=2026&sig=sesame%3D", "sesame"),
    ("password=sesame", "sesame"),
    ("{'password': 'open sesame', 'host': 'x'}", "sesame"),
    ('{"webhook_secret": "open sesame"}', "sesame"),
    ("Config(host='h', password='sesame')", "sesame"),
    ("postgresql://hub:sesame@db.test/hub", "sesame"),
    ("postgresql://hub:s@same/@db.test/hub", "same"),
    ("https://user:sesame@hook.test/path", "sesame"),
    ("new row violates\nDETAIL:  Failing row contains (1, sesame).", "sesame"),
    ("invalid input for query argument $3: 'sesame' (expected int)", "sesame"),
]


@pytest.mark.parametrize(("text", "secret"), SECRETS)
@pytest.mark.parametrize("form", FORMS)
def test_no_secret_is_seen_in_words_fields_or_traces(form: str, text: str, secret: str) -> None:
    try:
        raise ValueError(text)
    except ValueError:
        record = made("it failed: %s", text, exc_info=sys.exc_info(), extra=about(why=text))
    line = FORMS[form](False).format(record)
    assert secret not in line
    assert "***" in line
    assert "ValueError" in line


@given(st.text(), st.from_regex(r"vb_[A-Za-z0-9]{32}", fullmatch=True), st.text())
def test_no_access_key_is_seen_whatever_stands_around_it(before: str, key: str, after: str) -> None:
    assert key not in redacted(before + key + after)


@pytest.mark.parametrize("piece", ["vb_", "://", "://@", "password=", "password='", "eyJ.", "bearer ", "+1", "a", '"'])
def test_what_an_enemy_sends_costs_little_time(piece: str) -> None:
    begun = time.process_time()
    TextForm(False).format(made("%s", piece * 30_000))
    assert time.process_time() - begun < 1


# --- numbers ----------------------------------------------------------------------------


def test_numbers_are_shortened_unless_it_is_wished() -> None:
    record = made("from %s", "+15559876543", extra=about(number="821021656521", other="to:+15551234567"))
    assert_in_order(TextForm(False).format(record), "from +1555…43", "number=82102…21", "other=to:+1555…67")
    assert_in_order(TextForm(True).format(record), "from +15559876543", "number=821021656521", "other=to:+15551234567")


@pytest.mark.parametrize(("number", "shown"), [("12345", "12345"), ("Bank", "Bank"), ("+4420794600", "+4420…00")])
def test_short_codes_and_names_stay(number: str, shown: str) -> None:
    assert shortened(number) == shown


# --- forms ------------------------------------------------------------------------------

FIELDS = st.dictionaries(
    st.from_regex(r"[a-z]{1,9}_id", fullmatch=True), st.one_of(st.text(), st.integers(), st.none())
)


@given(st.text(), FIELDS)
def test_json_is_one_object_a_line(event: str, fields: dict[str, Any]) -> None:
    line = JSONForm(True).format(made("%s", event, extra=about(**fields)))
    assert "\n" not in line
    assert line.isascii(), "whatever the encoding of standard error is"
    read = json.loads(line)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", read["time"])
    told = {name for name, value in fields.items() if value not in (None, "")}
    assert {"time", "level", "logger", "event", *told} == read.keys()


@given(st.text(), FIELDS)
def test_nothing_that_was_sent_begins_a_line_of_text(event: str, fields: dict[str, Any]) -> None:
    line = TextForm(True).format(made("%s", event, extra=about(**fields)))
    assert len(line.splitlines()) == 1


def test_a_trace_is_indented_below_its_line() -> None:
    try:
        raise ValueError("one\n2026-01-01T00:00:00.000000Z INFO messagehub.app: forged\x1b[2J")
    except ValueError:
        first, *others = TextForm(False).format(made("failed", exc_info=sys.exc_info())).splitlines()
    assert first.endswith("ERROR messagehub.test: failed")
    assert others
    assert not any("\x1b" in line for line in others)
    assert all(line.startswith("    ") for line in others)


def test_a_line_tells_what_its_task_is_about() -> None:
    from contextvars import copy_context

    def inside() -> str:
        within({"request_id": b"req_1", "carrier": "first one"})
        return TextForm(False).format(made("done", extra=about(status=200)))

    assert copy_context().run(inside).endswith(': done request_id=req_1 carrier="first one" status=200')
    assert TextForm(False).format(made("done")).endswith(": done")


def made(words: str, *args: object, exc_info: Any = None, extra: dict[str, Any] | None = None) -> logging.LogRecord:
    return logging.getLogger("messagehub.test").makeRecord(
        "messagehub.test", logging.ERROR, __file__, 1, words, args, exc_info, extra=extra
    )


def assert_in_order(text: str, *pieces: str) -> None:
    at = [text.index(piece) for piece in pieces]
    assert at == sorted(at)


def test_what_others_could_have_us_write_is_written_seldom() -> None:
    seldom = Seldom(3600)
    assert [seldom.due() for _ in range(3)] == [True, False, False]
    often = Seldom(0)
    assert [often.due() for _ in range(3)] == [True, True, True]
