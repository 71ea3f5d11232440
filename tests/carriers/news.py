"""What carriers tell of handovers, as far as it is not when and where."""

from collections.abc import Iterable

from msgspec.structs import replace

from messagehub.carriers.carrier import Accepted, Lost, News, Outcome, Queried, Refused, Unanswered

OUTCOMES = (Accepted, Refused, Unanswered, Lost, Queried)


def bare(told: Outcome | Queried) -> Outcome | Queried:
    """Without what was seen of it on its way."""
    return replace(told, steps=[])


def all_bare(told: Iterable[News]) -> list[News]:
    return [bare(one) if isinstance(one, OUTCOMES) else one for one in told]
