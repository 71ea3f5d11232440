"""What carriers take of an MMS, and how its octets are shared among its media.

Operators publish their limits, and change them; those here are of 2024 and 2025, by the pages of AT&T, T-Mobile,
Verizon and US Cellular for short codes and ten-digit numbers, and of aggregators for toll-free numbers and for
everybody else. A carrier's config says which row is meant, or numbers of its own. Pixels are not published: they are
what handsets show without making the picture smaller themselves.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

from msgspec import Struct

from messagehub.media.errors import MediaError
from messagehub.media.kinds import TYPES

NumberKind = Literal["long", "short_code", "toll_free"]
"""A ten-digit or other subscriber number, a short code, or a number that its callers do not pay for."""


class Limits(Struct, frozen=True):
    """Of one message: octets in all, as they go on the wire; pixels of a picture's longer edge; media types."""

    octets: int
    edge: int = 1600
    types: frozenset[str] = TYPES


SAFE = Limits(300_000)
"""What goes everywhere."""

_TOLL_FREE = Limits(525_000)
LIMITS: Mapping[str, Mapping[NumberKind, Limits]] = {
    "": {"long": SAFE, "short_code": SAFE, "toll_free": SAFE},
    "att": {"long": Limits(1_530_000, 2048), "short_code": Limits(1_050_000, 2048), "toll_free": _TOLL_FREE},
    "tmobile": {"long": Limits(2_300_000, 2560), "short_code": Limits(2_100_000, 2560), "toll_free": _TOLL_FREE},
    "verizon": {"long": Limits(1_310_000, 2048), "short_code": Limits(1_260_000, 2048), "toll_free": _TOLL_FREE},
    "uscellular": {"long": Limits(1_530_000, 2048), "short_code": Limits(5_250_000, 2560), "toll_free": _TOLL_FREE},
}
"""By the operator and the kind of number that sends."""

LEAST_SHARE = 8_000
"""Octets below which a picture is not worth having."""
_FRAME = 2_048
"""Octets of what is around the media: the envelope, the presentation, boundaries."""
_PER_MEDIUM = 512


def limits_of(operator: str = "", number: NumberKind = "long") -> Limits:
    """Raises ValueError, which names what is not known."""
    if operator not in LIMITS:
        raise ValueError(f"operator: {operator!r} is none of {', '.join(filter(None, LIMITS))}")
    if number not in get_args(NumberKind):
        raise ValueError(f"number: {number!r} is none of {', '.join(get_args(NumberKind))}")
    return LIMITS[operator][number]


class Claim(Struct, frozen=True):
    """What a medium has, and whether it can be made smaller."""

    octets: int
    can_shrink: bool


def shares(limits: Limits, claims: Sequence[Claim], text: int = 0, *, is_base64: bool = False) -> list[int]:
    """How many octets each medium of a message may have, of which the text has `text`.

    What cannot be made smaller has what it needs; the others have equal shares of the rest, or less where they need
    less. Raises MediaError where there is not so much.
    """
    whole = limits.octets * 57 // 78 if is_base64 else limits.octets  # 57 octets are a line of 76, and its end
    room = whole - _FRAME - text - _PER_MEDIUM * len(claims)
    left = room - sum(claim.octets for claim in claims if not claim.can_shrink)
    granted = [claim.octets for claim in claims]
    wanting = sorted((place for place, claim in enumerate(claims) if claim.can_shrink), key=lambda at: granted[at])
    if left < 0:
        raise MediaError(
            "media_too_large", f"{room - left} octets that cannot be made smaller; there is room for {room}"
        )
    for turn, place in enumerate(wanting):
        share = left // (len(wanting) - turn)
        if granted[place] > share and share < LEAST_SHARE:
            raise MediaError("media_too_large", f"{len(claims)} media do not fit {limits.octets} octets together")
        granted[place] = min(granted[place], share)
        left -= granted[place]
    return granted
