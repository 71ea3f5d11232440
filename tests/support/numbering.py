"""Numbers that no other test uses, so that tests can share a server."""

from itertools import count

_counter = count(1)


def own() -> str:
    """A number for a customer, of the kind that telephone books know to be nobody's."""
    return f"+1555{next(_counter):06d}7"


def somebody(suffix: str = "1234") -> str:
    """A stranger's number. By its last four digits the simulator knows what to do."""
    return f"+4420{next(_counter):06d}{suffix}"


def somebodies(how_many: int, suffix: str = "1234") -> list[str]:
    return [somebody(suffix) for _ in range(how_many)]
