"""Ids: UUIDv7 (RFC 9562, section 5.7) as text, so that their order is the order of creation."""

import re

import uuid_utils

from messagehub import clock

UNSET = "00000000-0000-0000-0000-000000000000"

_FORM = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def new() -> str:
    return str(uuid_utils.uuid7())


def new_with_time() -> tuple[str, int]:
    """A new id and its moment in microseconds, which lie in the same millisecond: lists go by one or the other.

    The id's millisecond counts, since ids go on growing where a clock is set back.
    """
    made, moment = uuid_utils.uuid7(), clock.now()
    first = made.timestamp * 1000
    if not first <= moment < first + 1000:
        moment = first if moment < first else first + 999
    return str(made), moment


def moment_of(id: str) -> int:
    """The microsecond at which the millisecond of an id of ours begins."""
    return int(id[:8] + id[9:13], 16) * 1000


def of(space: str, name: str) -> str:
    """The id that a name has in a space, which is an id itself: always the same (version 5; RFC 9562, section 5.5)."""
    return str(uuid_utils.uuid5(uuid_utils.UUID(space), name))


def is_id(text: str) -> bool:
    """Whether `text` is a UUID in lower case with hyphens, the only form in which ids are kept."""
    return _FORM.fullmatch(text) is not None


def first_of(moment: int) -> str:
    """The smallest id that can have been made in the millisecond of `moment` (microseconds) or after it."""
    digits = f"{max(moment, 0) // 1000:012x}"[-12:]
    return f"{digits[:8]}-{digits[8:]}-0000-0000-000000000000"
