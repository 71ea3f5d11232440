"""What a customer may send as an MMS: checked before it is accepted, and before any of its media is looked at."""

import re
from collections.abc import Sequence

from msgspec import UNSET

from messagehub import web
from messagehub.errors import Refusal
from messagehub.media import KINDS, TYPES
from messagehub.media.kinds import bare_type, by_type, says_nothing
from messagehub.shapes import MediaGiven, MessageGiven
from messagehub.shapes.members import MessageKind

MOST_TEXT = 5000
"""Characters. Carriers advise to stay below 1,000, and some cut what is longer."""


def kind_of(given: MessageGiven) -> MessageKind:
    """Refusal where it is an MMS that cannot be."""
    if not (given.medias or given.subject or given.fallback):
        return "sms"
    if given.fallback and not given.medias:
        raise Refusal("INVALID_ARGUMENT", "fallback: it is for messages with medias")
    if given.message_class is not UNSET or isinstance(given.class_, int):
        raise Refusal("INVALID_ARGUMENT", "message_class: it is of SMS; a message with medias or a subject has none")
    if given.tlvs:
        raise Refusal("INVALID_TLV", "tlvs: they are of SMS; a message with medias or a subject has none")
    if not given.medias and not given.text:
        raise Refusal("INVALID_TEXT", "text: it is empty; a message needs a text, or medias")
    check_medias(given.medias)
    return "mms"


def check_medias(medias: Sequence[MediaGiven]) -> None:
    """Refusal names the medium and its member."""
    for n, media in enumerate(medias):
        if why := wrong_url(media.url):
            raise Refusal("INVALID_MEDIA", f"medias[{n}].url: {why}")
        if why := wrong_type(media.type):
            raise Refusal("MEDIA_NOT_SUPPORTED", f"medias[{n}].type: {why}")


def wrong_url(url: str) -> str:
    """Why nothing can be fetched from there; empty where it may."""
    try:
        web.check_url(url)
    except web.BadURL as error:
        return str(error)
    return ""


def wrong_type(declared: str) -> str:
    """Why nothing of this type can be sent; empty where it can."""
    if says_nothing(declared) or by_type(declared) or bare_type(declared) in GROUPS:
        return ""
    return f"{declared[:60]!r} cannot be sent; there are {', '.join(sorted(TYPES))}"


GROUPS = frozenset(kind.type.partition("/")[0] for kind in KINDS.values())
"""Types that say less, such as `image`."""


_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


def one_line(words: str) -> str:
    """What may be a subject, of what somebody wrote."""
    return " ".join(_CONTROL.sub(" ", words).split())


def check_length(words: str, field: str = "text: it") -> None:
    if len(words) > MOST_TEXT:
        raise Refusal("INVALID_TEXT", f"{field} has {len(words)} characters, where {MOST_TEXT} are allowed in an MMS")
