"""Which rule is for a submit or a bind: the first that fits. Looking it up costs next to nothing where none is."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

from messagehub.carriers.simulator.scenario import When
from messagehub.carriers.translate import UDHI
from messagehub.smpp import PDU, read_tlv
from messagehub.text import parse_user_data

REMEMBERED = 100_000  # destinations and binds for which a rule counts; then it begins anew

Course = TypeVar("Course")


class Asked(NamedTuple):
    """A request, and by which bind it came."""

    bind: object
    system_id: str
    request: PDU
    destination: str
    """Without its `+`; of a bind, nothing."""


Check = Callable[[Asked], bool]


class Rules(Generic[Course]):
    """What is to be played, in its order, each with when that is."""

    def __init__(self, courses: Iterable[tuple[When, Course]], clock: Callable[[], float] = time.monotonic) -> None:
        tables: dict[tuple[int | None, int | None], dict[str, list[tuple[int, list[Check], Course]]]] = {}
        for n, (when, course) in enumerate(courses):
            place, text = _place(when)
            tables.setdefault(place, {}).setdefault(text, []).append((n, _checks(when, clock), course))
        self._tables = [(slice(*place), table) for place, table in tables.items()]

    def of(self, bind: object, system_id: str, request: PDU) -> Course | None:
        """What is played for this request, if anything."""
        destination = request.fields.get("destination_addr", "").removeprefix("+")
        found: list[tuple[int, list[Check], Course]] = []
        for cut, table in self._tables:
            if here := table.get(destination[cut]):
                found += here
        if not found:
            return None
        asked = Asked(bind, system_id, request, destination)
        found.sort(key=_by_order)
        return next((course for _, checks, course in found if all(check(asked) for check in checks)), None)


def _by_order(one: tuple[int, Any, Any]) -> int:
    return one[0]


def _place(when: When) -> tuple[tuple[int | None, int | None], str]:
    """Which part of a destination is looked up, and what it must be."""
    if when.to:
        return (None, None), when.to.removeprefix("+")
    if when.to_suffix:
        return (-len(when.to_suffix), None), when.to_suffix
    prefix = when.to_prefix.removeprefix("+")
    return (0, len(prefix)), prefix


# --- what must be so besides ------------------------------------------------------------


def _checks(when: When, clock: Callable[[], float]) -> list[Check]:
    """In this order, as what counts is only what all else fits."""
    prefix, suffix, source = when.to_prefix.removeprefix("+"), when.to_suffix, when.source.removeprefix("+")
    made: list[tuple[object, Check]] = [
        (prefix, lambda asked: asked.destination.startswith(prefix)),
        (suffix, lambda asked: asked.destination.endswith(suffix)),
        (source, lambda asked: asked.request.fields["source_addr"].removeprefix("+") == source),
        (when.system_id, lambda asked: asked.system_id == when.system_id),
        (when.part, lambda asked: _part(asked.request) == when.part),
        (when.faster_than, Bucket(when.faster_than, _KEYS[when.per], clock).is_empty),
        (when.nth or when.first or when.every, Counter(when).counts),
    ]
    return [check for given, check in made if given]


_KEYS: Mapping[str, Callable[[Asked], object]] = {
    "all": lambda asked: None,
    "bind": lambda asked: asked.bind,
    "destination": lambda asked: asked.destination,
}


def _part(request: PDU) -> int:
    """Which part of a message it is; 0 where it is whole."""
    if request.fields["esm_class"] & UDHI:
        place = parse_user_data(request.fields.get("short_message") or b"").concatenation
        return place.sequence if place else 0
    part = read_tlv(request.tlvs, "sar_segment_seqnum")
    return part if isinstance(part, int) else 0


class Counter:
    """How many there were, each key by itself."""

    def __init__(self, when: When) -> None:
        self._when, self._key = when, _KEYS[when.per]
        self._seen: dict[object, int] = {}

    def counts(self, asked: Asked) -> bool:
        if len(self._seen) >= REMEMBERED:
            self._seen.clear()
        key, when = self._key(asked), self._when
        self._seen[key] = n = self._seen.get(key, 0) + 1
        return (
            (not when.nth or n == when.nth)
            and (not when.first or n <= when.first)
            and (not when.every or n % when.every == 0)
        )


class Bucket:
    """Lets through so many per second, as many at once as in a second; each key by itself."""

    def __init__(self, rate: float, key: Callable[[Asked], object], clock: Callable[[], float]) -> None:
        self._rate, self._key, self._clock = rate, key, clock
        self._levels: dict[object, tuple[float, float]] = {}

    def is_empty(self, asked: Asked) -> bool:
        """This one is too many."""
        if len(self._levels) >= REMEMBERED:
            self._levels.clear()
        now, key, most = self._clock(), self._key(asked), max(self._rate, 1)
        level, at = self._levels.get(key, (most, now))
        level = min(most, level + self._rate * (now - at))
        self._levels[key] = (level - 1 if level >= 1 else level, now)
        return level < 1
