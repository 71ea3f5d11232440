"""Conditions of flows: what holds of a variable, and of the time. Pure."""

import operator
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from messagehub.clock import SECOND
from messagehub.flows.options import ConditionDatetime, ConditionVariable, zone

COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}

PARTS = ("month", "day", "hour", "minute")
ANY = {"month": 0, "day": 0, "hour": -1, "minute": -1}
"""The largest value of each that means any."""


def holds(option: ConditionVariable, value: str) -> bool:
    compare = COMPARE[option.condition]
    if option.value_type == "length":
        return compare(len(value), option.value_length)
    if option.value_type == "string":
        return compare(value, option.value_string)
    number = _number(value)
    return option.condition == "!=" if number is None else compare(number, option.value_number)


def _number(text: str) -> float | None:
    try:
        number = float(text) if "_" not in text else None
    except ValueError:
        return None
    return number if number is not None and abs(number) != float("inf") and number == number else None


def is_time(option: ConditionDatetime, now: int) -> bool:
    """`now` in microseconds. ValueError where there is no such time zone."""
    if (place := zone(option.timezone)) is None:
        raise ValueError(f"timezone: {option.timezone!r} is no time zone of the IANA database")
    local = datetime.fromtimestamp(now // SECOND, UTC).astimezone(place)
    given = [part for part in PARTS if getattr(option, part) > ANY[part]]
    on_day = not option.weekdays or local.isoweekday() % 7 in option.weekdays
    here, there = ([getattr(moment, part) for part in given] for moment in (local, option))
    return on_day and (not given or COMPARE[option.condition](here, there))
