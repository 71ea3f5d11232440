"""The page for developers says what the code does."""

from pathlib import Path

from messagehub.events import EVENT_TYPES, WEBHOOK_TEST
from messagehub.web import errors
from messagehub.webhooks.attempt import ERRORS
from messagehub.webhooks.deliver import RETRY_AFTER

PAGE = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text()
OF_FETCHING = {errors.TooLarge.code, errors.BadRedirect.code}
UNITS = {" s": 1, " min": 60, " h": 3600}


def test_every_error_has_its_row() -> None:
    for word, meaning in ERRORS.items():
        assert f"| `{word}` | {meaning} |" in PAGE


def test_every_error_of_the_client_has_a_word() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and not issubclass(kind, errors.NotOK)]
    codes = {vars(kind)["code"] for kind in kinds if "code" in vars(kind)} - {"web_error", "closed", *OF_FETCHING}
    assert len(codes) > 5
    assert codes <= ERRORS.keys()


def test_the_schedule_of_retries() -> None:
    for attempt, seconds in enumerate(RETRY_AFTER, 2):
        unit = max((unit for unit in UNITS if seconds >= UNITS[unit]), key=UNITS.__getitem__)
        assert f"| {attempt} | {seconds // UNITS[unit]}{unit} |" in PAGE


def test_every_type_of_event() -> None:
    for kind in (*EVENT_TYPES, WEBHOOK_TEST):
        assert f"| `{kind}` |" in PAGE
