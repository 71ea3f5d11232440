"""When the targets of a message go, and until when they may: by what it asks for. Pure.

`validity` is counted for each target from when it is to go. A message may be given another time: those of its targets
that still wait move, keeping the distances between them, and the others keep the time they had.
"""

from collections.abc import Collection

from msgspec.structs import replace

from messagehub.carriers.carrier import REASONS
from messagehub.clock import NEVER, SECOND
from messagehub.messages.options import Options, Times, read
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
    at, first, _ = _times(asked, n)
    return (at or asked.since or tm_create) + max(0, n - first) * asked.spread_over * SECOND // count


def _all_times(asked: Options) -> list[Times]:
    """The newest first."""
    return [(asked.schedule_at, asked.first, asked.kept), *asked.before]


def _times(asked: Options, n: int) -> Times:
    """Those that hold for the target `n`."""
    times = _all_times(asked)
    return next((one for one in times if n >= one[1] and n not in one[2]), times[-1])


def move(asked: Options, count: int, waiting: Collection[int], at: int) -> Options:
    """Another time for those of `count` targets that wait."""
    first = min(waiting)
    kept = tuple(n for n in range(first, count) if n not in waiting)
    held = {_times(asked, n) for n in (*range(first), *kept)}
    before = tuple(times for times in _all_times(asked) if times in held)
    return replace(asked, schedule_at=at, first=first, kept=kept, before=before)


def expiry(asked: Options, n: int, count: int, tm_create: int) -> int:
    """After which it may not go any more; NEVER where it always may."""
    return start(asked, n, count, tm_create) + asked.validity * SECOND if asked.validity else NEVER


def next_expiry(asked: Options, count: int, tm_create: int, now: int) -> int | None:
    """When the next of its targets expires, but those within the second after `now` together."""
    after = [at for n in range(count) if (at := expiry(asked, n, count, tm_create)) > now]
    return min(max(after), max(now + SECOND, min(after))) if after else None


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
    targets = range(count) if asked.before else (count - 1,)
    last = max(start(asked, n, count, tm_create) for n in targets)
    return last + (READ_BY if asked.fallback else SENT_BY)


def why_it_waits(asked: Options, n: int) -> str:
    return SPREAD if asked.spread_over and n > asked.first else SCHEDULED
