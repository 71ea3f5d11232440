"""How long a bind waits before it tries again, by what went wrong. Pure."""

from collections.abc import Mapping, Sequence
from enum import Enum

from messagehub.smpp.statuses import NUMBERS


class Trouble(Enum):
    CONNECTION = "there is no connection, or it was lost, or the bind was refused for a reason that may pass"
    CREDENTIALS = "the carrier does not know us; whoever goes on asking may be locked out"
    OLD_SESSION = "the carrier still holds our last session, and has to notice that it is dead"


Pauses = Mapping[Trouble, Sequence[float]]

PAUSES: Pauses = {
    Trouble.CONNECTION: (0.5, 1, 2, 5, 10, 30, 60),
    Trouble.CREDENTIALS: (300, 600, 1200, 2400, 3600),
    Trouble.OLD_SESSION: (5, 10, 20, 30, 60),
}
"""Seconds after the first failure in a row, the second, and so on; the last repeats."""

JITTER = 0.2
"""The share of a pause by which it varies, so that binds that were lost together do not come back together."""

OF_STATUS: Mapping[int, tuple[Trouble, str]] = {
    NUMBERS["ESME_RINVPASWD"]: (Trouble.CREDENTIALS, "put the right `password` into the config"),
    NUMBERS["ESME_RINVSYSID"]: (Trouble.CREDENTIALS, "put the right `system_id` into the config"),
    NUMBERS["ESME_RINVSYSTYP"]: (Trouble.CREDENTIALS, "put the right `system_type` into the config"),
    NUMBERS["ESME_RALYBND"]: (Trouble.OLD_SESSION, "the carrier has yet to notice that the last session is dead"),
}
"""What the refusal of a bind means, and what is to be done. Any other status is Trouble.CONNECTION."""


class Backoff:
    """Counts failures in a row, of each kind apart."""

    def __init__(self, pauses: Pauses = PAUSES) -> None:
        self._pauses = pauses
        self._failures = dict.fromkeys(Trouble, 0)

    def fail(self, trouble: Trouble, chance: float) -> float:
        """Seconds to wait after this failure; `chance` is a number in [0, 1)."""
        pauses = self._pauses[trouble]
        pause = pauses[min(self._failures[trouble], len(pauses) - 1)]
        self._failures[trouble] += 1
        return pause * (1 + JITTER * (2 * chance - 1))

    def forget(self) -> None:
        """All is well."""
        self._failures = dict.fromkeys(Trouble, 0)
