"""What holds of a variable, and of the time."""

from datetime import UTC, datetime
from typing import Any

import pytest

from messagehub.clock import SECOND
from messagehub.flows.actions import FINISH
from messagehub.flows.conditions import holds, is_time
from messagehub.flows.options import ConditionDatetime, ConditionVariable

VARIABLE = [
    ("==", "string", "yes", "yes", True), ("==", "string", "yes", "Yes", False), ("!=", "string", "a", "b", True),
    (">", "string", "b", "a", True), ("<=", "string", "a", "a", True), ("==", "string", "", "", True),
    ("==", "number", "5.0", 5, True), ("==", "number", " 5 ", 5, True), (">", "number", "10", 9, True),
    ("<", "number", "-1", 0, True), (">=", "number", "ten", 1, False), ("!=", "number", "ten", 1, True),
    ("==", "number", "nan", 1, False), (">", "number", "inf", 1, False), ("==", "number", "1_0", 10, False),
    ("==", "length", "añb", 3, True), (">", "length", "", 0, False), (">=", "length", "12345", 5, True),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "kind", "value", "other", "is_so"), VARIABLE)
def test_a_variable(condition: Any, kind: Any, value: str, other: Any, is_so: bool) -> None:
    option = ConditionVariable(
        condition=condition, variable="x", value_type=kind, false_target_id=FINISH, **{f"value_{kind}": other}
    )
    assert holds(option, value) is is_so


SATURDAY = datetime(2026, 2, 28, 22, 30, tzinfo=UTC)
TIME = [
    ("==", {}, True),
    ("==", {"hour": 22, "minute": 30}, True), ("!=", {"hour": 22, "minute": 30}, False), ("==", {"hour": 21}, False),
    (">=", {"hour": 9, "minute": 45}, True), ("<", {"hour": 22, "minute": 31}, True), (">", {"hour": 22}, False),
    ("==", {"month": 2, "day": 28}, True), (">=", {"month": 1, "day": 31}, True), ("==", {"month": 0, "day": -1}, True),
    ("==", {"weekdays": [6]}, True), ("==", {"weekdays": [0, 1]}, False), ("!=", {"weekdays": [6]}, True),
    ("==", {"hour": 23, "timezone": "Europe/Berlin"}, True),
    ("==", {"weekdays": [0], "month": 3, "day": 1, "timezone": "Asia/Tokyo"}, True),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "given", "is_so"), TIME)
def test_the_time(condition: Any, given: dict[str, Any], is_so: bool) -> None:
    option = ConditionDatetime(condition=condition, false_target_id=FINISH, **given)
    assert is_time(option, int(SATURDAY.timestamp()) * SECOND) is is_so


def test_a_zone_that_is_none() -> None:
    with pytest.raises(ValueError, match="'' is no time zone"):
        is_time(ConditionDatetime(condition="==", false_target_id=FINISH, timezone=""), 0)
