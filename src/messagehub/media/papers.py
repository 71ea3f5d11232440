"""PDF (ISO 32000-1, section 7.5) and vCard (RFC 2426, RFC 6350): documents, as far as they must be looked at."""

import re

from messagehub.media.errors import Broken
from messagehub.media.shape import NOTHING, Shape

_PDF = re.compile(rb"%PDF-[12]\.[0-9]")
_END_OF_PDF = b"%%EOF"
_TAIL = 1024
_CARD = re.compile(rb"(?:\xef\xbb\xbf)?\s{0,64}BEGIN:VCARD[ \t]*\r?\n", re.IGNORECASE)
_END_OF_CARD = re.compile(rb"(?:\A|\n)END:VCARD\s*\Z", re.IGNORECASE)


def is_pdf(octets: bytes) -> bool:
    """With its header at the very start, where readers look further: what comes before it may be another format."""
    return _PDF.match(octets) is not None


def inspect_pdf(octets: bytes) -> Shape:
    """Raises Broken where its end is missing."""
    if _END_OF_PDF not in octets[-_TAIL:]:
        raise Broken("a PDF without its end")
    return NOTHING


def is_card(octets: bytes) -> bool:
    return _CARD.match(octets) is not None


def inspect_card(octets: bytes) -> Shape:
    """Raises Broken where its end is missing, or it is no text."""
    if b"\0" in octets or not _END_OF_CARD.search(octets[-_TAIL:].rstrip()):
        raise Broken("a vCard without its end")
    return NOTHING
