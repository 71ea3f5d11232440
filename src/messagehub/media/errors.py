"""Why a medium cannot be sent, in words for programs and for people."""

from collections.abc import Mapping
from typing import Literal

Reason = Literal["media_unsupported", "media_type_mismatch", "media_broken", "media_too_large", "media_refused"]

REASONS: Mapping[Reason, str] = {
    "media_unsupported": "It is of no format that an MMS can carry.",
    "media_type_mismatch": "Its content is of another format than its type says.",
    "media_broken": "It is cut short, or cannot be read.",
    "media_too_large": "It cannot be made small enough for the carrier, or is too large to be worked on.",
    "media_refused": "The carrier takes none of its format.",
}
"""Every `error_code` of a medium, whatever came of fetching it."""


class MediaError(Exception):
    """A medium that cannot be sent. `reason` is a key of REASONS, `message` says what is the matter with it."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason, self.message = reason, message


class Broken(MediaError):
    """It is cut short, or is not put together as its format says."""

    def __init__(self, message: str) -> None:
        super().__init__("media_broken", message)
