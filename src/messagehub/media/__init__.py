"""Media of messages as values, without a socket, a clock or a store.

kinds (jpeg, png, gif, boxes, sounds, papers)   the nine formats: known by their content, stripped of what is private
pieces                                          how many segments, chunks and boxes one may have
pictures                                        made smaller and upright, in a thread of the caller's
limits, fitting                                 what carriers take, and all media of a message made to fit it
addresses                                       names of what is stored, and tokens that expire
names                                           what people call their files, made harmless
"""

from messagehub.media.errors import REASONS, MediaError
from messagehub.media.fitting import Fitted, fit
from messagehub.media.kinds import KINDS, TYPES, Kind, check, serving_headers
from messagehub.media.limits import LIMITS, SAFE, Limits, limits_of

__all__ = [
    "KINDS", "LIMITS", "REASONS", "SAFE", "TYPES", "Fitted", "Kind", "Limits", "MediaError", "check", "fit",
    "limits_of", "serving_headers",
]  # fmt: skip
