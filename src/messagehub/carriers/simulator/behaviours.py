"""What becomes of a message, by the last four digits of its destination."""

from collections.abc import Mapping
from dataclasses import dataclass

from messagehub.carriers.simulator.options import Options


@dataclass(frozen=True, slots=True)
class Verdict:
    """One receipt: its `stat` and `err` (appendix B), and when it comes (a key of `delays`)."""

    stat: str
    err: str = "000"
    when: str = "usual"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """`refusal` is the command_status of the refused submit; `refusals` how often (0 = always).

    `answered`: None never, else when (a key of `delays`).
    """

    refusal: str = ""
    refusals: int = 0
    answered: str | None = "at_once"
    verdicts: tuple[Verdict, ...] = (Verdict("DELIVRD"),)
    unsaid: tuple[Verdict, ...] = ()
    """What became of it though no receipt says so: the answer to query_sm."""


USUAL = Behaviour()
BEHAVIOURS: Mapping[str, Behaviour] = {
    "0001": Behaviour(verdicts=(Verdict("UNDELIV", "001"),)),
    "0002": Behaviour(verdicts=(Verdict("REJECTD", "002"),)),
    "0003": Behaviour(refusal="ESME_RINVDSTADR"),
    "0004": Behaviour(refusal="ESME_RTHROTTLED", refusals=3),
    "0005": Behaviour(verdicts=(), unsaid=(Verdict("DELIVRD"),)),
    "0006": Behaviour(answered=None, verdicts=()),
    "0007": Behaviour(answered="overtaken", verdicts=(Verdict("DELIVRD", when="at_once"),)),
    "0008": Behaviour(verdicts=(Verdict("DELIVRD", when="slow"),)),
    "0009": Behaviour(verdicts=(Verdict("EXPIRED", "003"), Verdict("DELIVRD", when="second"))),
}


def delays(options: Options) -> Mapping[str, float]:
    """Seconds by name."""
    return {
        "at_once": 0.0,
        "overtaken": min(options.receipt_delay, 0.2),  # long enough for the receipt to arrive first by any bind
        "usual": options.receipt_delay,
        "slow": options.slow_receipt,
        "second": options.receipt_delay + options.second_receipt_delay,
    }
