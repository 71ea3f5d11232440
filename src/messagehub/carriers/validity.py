"""Until when a carrier is to try: to the end of the message or of the connection's own span, what is sooner.

As a span for those that take one, and as a moment, which is the same however often it is asked for. Whole seconds,
rounded down, and one at least.
"""

from datetime import UTC, datetime, timedelta

from messagehub.clock import SECOND


def span(expire_at: int, now: int, longest: int = 0) -> timedelta:
    """From `now`; `expire_at` and `now` in microseconds, `longest` in seconds, 0: no such."""
    left = (expire_at - now) // SECOND
    return timedelta(seconds=max(1, min(left, longest) if longest else left))


def end(expire_at: int, now: int, longest: int = 0) -> datetime:
    """In UTC; of the same as `span`."""
    first, last = now // SECOND + 1, expire_at // SECOND
    return datetime.fromtimestamp(max(first, min(last, now // SECOND + longest) if longest else last), UTC)
