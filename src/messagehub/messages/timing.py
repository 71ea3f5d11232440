"""When the targets of a message go, and until when they may: by what it asks for. Pure.

`validity` is counted for each target from when it is to go. A message may be given another time: those of its targets
that still wait move, keeping the distances between them.
"""

from messagehub.carriers.carrier import REASONS
from messagehub.clock import NEVER, SECOND
from messagehub.messages.options import Options, read
from messagehub.messages.target import Target

SCHEDULED, SPREAD = "scheduled", "spread"
"""Why a target waits."""

DAY = 24 * 3600 * SECOND
SENT_BY = 3 * DAY
"""A target has been sent, or has failed, so long after it was to go, whatever befalls its carriers."""
READ_BY = 30 * DAY
"""How long a link to a medium can be used."""

TOO_LATE = REASONS["too_late"].meaning


def start(asked: Options, n: int, count: int, tm_create: int) -> int:
    """When the target `n` of `count` is to go."""
    begin = max(asked.schedule_at, tm_create)
    return begin + max(0, n - asked.first) * asked.spread_over * SECOND // count


def expiry(asked: Options, n: int, count: int, tm_create: int) -> int:
    """After which it may not go any more; NEVER where it always may."""
    return start(asked, n, count, tm_create) + asked.validity * SECOND if asked.validity else NEVER


def next_expiry(asked: Options, count: int, tm_create: int, now: int) -> int | None:
    """When the next of its targets expires, but those within the second after `now` together."""
    last = expiry(asked, count - 1, count, tm_create)
    if last <= now:
        return None
    after = (expiry(asked, n, count, tm_create) for n in range(count))
    return min(last, max(now + SECOND, next(at for at in after if at > now)))


def start_of(target: Target) -> int:
    if not target.options:
        return target.tm_create
    return start(read(target.options), target.n, target.target_count, target.tm_create)


def expiry_of(target: Target) -> int:
    if not target.options:
        return NEVER
    return expiry(read(target.options), target.n, target.target_count, target.tm_create)


def wanted_until(asked: Options, count: int, tm_create: int) -> int:
    """How long its media are needed: until its last target has been sent; or looked at, where there may be links."""
    return start(asked, count - 1, count, tm_create) + (READ_BY if asked.fallback else SENT_BY)


def why_it_waits(asked: Options, n: int) -> str:
    return SPREAD if asked.spread_over and n > asked.first else SCHEDULED
