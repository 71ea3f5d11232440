"""How many requests one address and one customer may make. Each process counts for itself."""

import math

from msgspec import Struct

from messagehub.accounts.buckets import Buckets
from messagehub.clock import SECOND
from messagehub.errors import Refusal


class Limit:
    """`limited_by`: the word by which the answer says what was counted."""

    def __init__(self, limited_by: str, rate: float, burst: int) -> None:
        self._limited_by, self._buckets = limited_by, Buckets(rate, burst)

    def check(self, key: str, now: int) -> None:
        """Refusal for who has asked too often."""
        if wait := self._buckets.take(key, now):
            seconds = math.ceil(wait / SECOND)
            raise Refusal(
                "RATE_LIMIT_EXCEEDED",
                f"too many requests; try again in {seconds} s",
                ({"limited_by": self._limited_by},),
                retry_after=seconds,
            )


class Limits(Struct, frozen=True):
    """None where there is no limit. `logins` and `address` go by the caller's address."""

    logins: Limit | None
    address: Limit | None
    customer: Limit | None


def limit(limited_by: str, rate: float, burst: int) -> Limit | None:
    return Limit(limited_by, rate, burst) if rate else None
