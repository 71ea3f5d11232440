"""With which code a command ends."""

from enum import IntEnum

from messagehub.errors import HubError


class Exit(IntEnum):
    DONE = 0
    FAILED = 1
    USAGE = 2
    NOT_DELIVERED = 3
    STILL_WAITING = 4
    INTERRUPTED = 130


MEANINGS = {
    Exit.DONE: "done",
    Exit.FAILED: "refused, or failed",
    Exit.USAGE: "wrong usage",
    Exit.NOT_DELIVERED: "not delivered: a message to all of its targets, or a test webhook",
    Exit.STILL_WAITING: "still waiting when the time was up",
    Exit.INTERRUPTED: "interrupted by Ctrl-C; what follows live ends with 0",
}


class WrongUsage(HubError):
    """What was asked for does not fit together, or lacks something."""
