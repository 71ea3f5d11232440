"""The life of a target: every move it can make, and no other. And what follows from it for the message.

The states are those of `contract`: a target is `queued`, `sent`, `delivered`, `failed`, `gw_timeout`, `dlr_timeout` or
`received`. One more is ours: `handed`, committed just before the first PDU leaves. From outside it is still `queued`;
after a crash exactly the handed ones are in doubt.
"""

from enum import StrEnum

from msgspec import Struct

from messagehub.carriers.failures import FAILURES
from messagehub.media import REASONS
from messagehub.shapes import MessageStatus, TargetStatus


class Status(StrEnum):
    QUEUED = "queued"
    HANDED = "handed"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    GW_TIMEOUT = "gw_timeout"
    DLR_TIMEOUT = "dlr_timeout"
    RECEIVED = "received"


class Happening(StrEnum):
    """What can happen to a target."""

    HAND = "a bind takes it"
    ACCEPT = "the carrier accepts it"
    REFUSE = "the carrier, or a check of ours, refuses it"
    WAIT = "it may not go yet"
    READY = "its media are here"
    RESCHEDULE = "its customer gives it another time"
    EXPIRE = "its validity is over"
    POSTPONE = "the carrier refuses it for now"
    REROUTE = "the carrier refuses it, and the next route leads to another"
    REPEAT = "it is in doubt, and is sent once more"
    HOLD = "it is in doubt, and is not sent again"
    NO_ANSWER = "the carrier does not answer in time"
    CANCEL = "its customer cancels it"
    RESEND = "its customer sends it again"
    RECEIPT_GOOD = "a receipt says that it was delivered"
    RECEIPT_BAD = "a receipt says that it was not"
    ANSWER_GOOD = "the carrier, when it is asked, says that it was delivered"
    ANSWER_BAD = "the carrier, when it is asked, says that it was not"
    RETRY = "a receipt says that it was not, for a cause that passes, and it is sent again later"
    NO_RECEIPT = "no receipt comes in time"


S, H = Status, Happening

# To look up a member of an enumeration costs as much as a call: what is done for each message goes by these.
FAILED = S.FAILED

MOVES = {
    (S.QUEUED, H.HAND): S.HANDED,
    (S.QUEUED, H.WAIT): S.QUEUED,
    (S.QUEUED, H.READY): S.QUEUED,
    (S.QUEUED, H.RESCHEDULE): S.QUEUED,
    (S.QUEUED, H.EXPIRE): S.FAILED,
    (S.QUEUED, H.REFUSE): S.FAILED,
    (S.QUEUED, H.CANCEL): S.FAILED,
    (S.HANDED, H.ACCEPT): S.SENT,
    (S.HANDED, H.REFUSE): S.FAILED,
    (S.HANDED, H.POSTPONE): S.QUEUED,
    (S.HANDED, H.REROUTE): S.QUEUED,
    (S.HANDED, H.REPEAT): S.QUEUED,
    (S.HANDED, H.HOLD): S.GW_TIMEOUT,
    (S.HANDED, H.NO_ANSWER): S.GW_TIMEOUT,
    (S.GW_TIMEOUT, H.RESEND): S.QUEUED,
    (S.SENT, H.RECEIPT_GOOD): S.DELIVERED,
    (S.SENT, H.RECEIPT_BAD): S.FAILED,
    (S.SENT, H.ANSWER_GOOD): S.DELIVERED,
    (S.SENT, H.ANSWER_BAD): S.FAILED,
    (S.SENT, H.RETRY): S.QUEUED,
    (S.SENT, H.NO_RECEIPT): S.DLR_TIMEOUT,
}

# Late news that overrules what was final, or that comes while the target waits to be sent once more.
CORRECTIONS = {
    (S.QUEUED, H.ACCEPT): S.SENT,
    (S.QUEUED, H.RECEIPT_GOOD): S.DELIVERED,
    (S.HANDED, H.RECEIPT_GOOD): S.DELIVERED,
    (S.GW_TIMEOUT, H.ACCEPT): S.SENT,
    (S.GW_TIMEOUT, H.RECEIPT_GOOD): S.DELIVERED,
    (S.DLR_TIMEOUT, H.RECEIPT_GOOD): S.DELIVERED,
    (S.DLR_TIMEOUT, H.ANSWER_GOOD): S.DELIVERED,
    (S.FAILED, H.RECEIPT_GOOD): S.DELIVERED,
}

AFTER = CORRECTIONS | MOVES

CORRECTABLE = frozenset(code for code, failure in FAILURES.items() if failure.is_open)
"""The error codes of a failure that a later good receipt overrules: expired, undelivered, and why it was that."""

FINAL = frozenset({S.DELIVERED, S.FAILED, S.GW_TIMEOUT, S.DLR_TIMEOUT, S.RECEIVED})


def move(status: Status, happening: Happening, error_code: str = "") -> Status | None:
    """The status after `happening`, or None: it changes nothing. `error_code` is that of a failed target."""
    if status is FAILED and error_code not in CORRECTABLE:
        return None
    return AFTER.get((status, happening))


PUBLIC: dict[str, TargetStatus] = {
    S.QUEUED: "queued",
    S.HANDED: "queued",
    S.SENT: "sent",
    S.DELIVERED: "delivered",
    S.FAILED: "failed",
    S.GW_TIMEOUT: "gw_timeout",
    S.DLR_TIMEOUT: "dlr_timeout",
    S.RECEIVED: "received",
}
"""Each status as customers see it."""


# --- the message ------------------------------------------------------------------------


class Tally(Struct):
    """How many targets of a message are in which group; `done` but not delivered is what is left of `total`."""

    total: int
    waiting: int = 0
    sent: int = 0
    delivered: int = 0


GROUPS = {S.QUEUED: "waiting", S.HANDED: "waiting", S.SENT: "sent", S.DELIVERED: "delivered"}
"""The member of a Tally in which a target of each status counts; the others count in none."""


def of_message(tally: Tally) -> MessageStatus:
    """The status of an outbound message, from its targets."""
    if tally.waiting:
        return "sending"
    if tally.sent:
        return "sent"
    if tally.delivered == tally.total:
        return "delivered"
    return "partially_delivered" if tally.delivered else "failed"


# --- error codes ------------------------------------------------------------------------

ERROR_CODES: dict[str, str] = {
    **{code: failure.meaning for code, failure in FAILURES.items()},
    **{str(code): meaning for code, meaning in REASONS.items()},
    "media_gone": "Its media are not kept any more.",
    "media_unreachable": "One of its media could not be fetched from where it is said to be.",
    "media_forbidden": "One of its media is said to be at an address that is not public.",
    "media_not_found": "One of its media is not where it is said to be.",
    "no_route": "No route leads to the destination.",
    "canceled": "The customer canceled the message before it was handed over.",
    "no_answer": "The carrier did not answer the submit in time.",
    "in_doubt": "The bind or the process was lost before the carrier answered; it may have been sent.",
    "no_consent": "It is marketing, and the recipient has not agreed to that.",
    "quiet_hours": "It is marketing, and no hour is right in all zones where the recipient may be.",
    "no_receipt": "The carrier accepted it, and no receipt came in time.",
}
"""Every `error_code` of a target, and what it means."""

HOLD_REASONS = {
    "media": "Its media are being fetched and checked.",
    "scheduled": "It is not yet the time that its message says.",
    "spread": "Its message is spread over a time, and its turn in that has not come.",
    "quiet_hours": "It is marketing, and where the recipient may be people sleep; it goes when their morning comes.",
    "rate_limited": "A limit of segments per second is used up; it goes when its turn comes.",
    "daily_limit": "A limit of segments per day is used up; it goes when the next day begins, or after.",
}
"""Every `hold_reason` of a target that waits because of a rule of ours."""


def as_markdown() -> str:
    """The statuses, their moves and the error codes as docs/statuses.md shows them."""
    moves = [f"| `{a}` | {happening.value} | `{b}` |" for (a, happening), b in MOVES.items()]
    late = [f"| `{a}` | {happening.value} | `{b}` |" for (a, happening), b in CORRECTIONS.items()]
    codes = [f"| `{code}` | {meaning} |" for code, meaning in sorted(ERROR_CODES.items())]
    head = ["| from | what happens | to |", "| --- | --- | --- |"]
    holds = [f"| `{code}` | {meaning} |" for code, meaning in sorted(HOLD_REASONS.items())]
    only = ", ".join(f"`{code}`" for code in sorted(CORRECTABLE))
    return "\n".join([
        "## Moves", "", *head, *moves, "",
        "## Late news", "", f"A failed target is corrected only where it failed by {only}.", "", *head, *late, "",
        "## Error codes", "", "| error_code | meaning |", "| --- | --- |", *codes, "",
        "## Why it waits", "", "While it is queued, `hold_reason` may say why it does not go yet; `error_message` says "
        "more. What a carrier refused for now waits under its error code.", "",
        "| hold_reason | meaning |", "| --- | --- |", *holds,
    ])  # fmt: skip
