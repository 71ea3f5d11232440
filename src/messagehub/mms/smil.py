"""The presentation of an MMS: SMIL 2.0 in the little that handsets know of it (OMA MMS Conformance 1.3, section 8).

What is written is one slide for each medium, with the text under the first. What is read is only the order in which a
presentation names its parts: handsets write SMIL that is no XML, so nothing here parses it as such.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import islice

TYPE = "application/smil"
TYPES = frozenset({TYPE, "application/smil+xml"})
TEXT, IMAGE = "Text", "Image"
"""The regions by their names, which the conformance document fixes."""

_ELEMENTS = {"image": "img", "video": "video", "audio": "audio", "text": "text"}
_SLIDE = "8000ms"
_MAX_CHARACTERS = 256 * 1024
_MAX_SOURCES = 1000
"""Ten for each part that a message may have."""
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_SOURCE = re.compile(r"""\ssrc\s?=\s?(?:"([^"<>]*)"|'([^'<>]*)')""", re.IGNORECASE)


def write(media: Sequence[tuple[str, str]], text: str = "") -> str:
    """A presentation of media, as pairs of a type and the name of a part, and of a text part (by its name).

    What is neither picture, film, sound nor text, such as a contact, is a slide of its own: handsets that cannot show
    it offer it to be saved.
    """
    words = _element("text/plain", text) if text else ""
    slides = [_element(kind, name) for kind, name in media] or [""]
    pages = [f'<par dur="{_SLIDE}">{slide}{"" if place else words}</par>' for place, slide in enumerate(slides)]
    return (
        '<smil><head><layout><root-layout width="100%" height="100%"/>'
        f'<region id="{IMAGE}" left="0" top="0" width="100%" height="{"67%" if text else "100%"}" fit="meet"/>'
        f'<region id="{TEXT}" left="0" top="67%" width="100%" height="33%" fit="scroll"/>'
        f"</layout></head><body>{''.join(pages)}</body></smil>"
    )


def _element(kind: str, name: str) -> str:
    import html  # its table of entities is a megabyte, and most servers send no MMS

    major = kind.partition("/")[0]
    tag = "ref" if kind == "text/vcard" or kind == "text/x-vcard" else _ELEMENTS.get(major, "ref")
    region = {"img": IMAGE, "video": IMAGE, "text": TEXT}.get(tag)
    place = f' region="{region}"' if region else ""
    return f'<{tag} src="{html.escape(name)}"{place}/>'


def sources(smil: str) -> Iterable[str]:
    """The references to parts, in the order of the presentation, each once; no more than a message could have."""
    import html

    found = _SOURCE.finditer(_COMMENT.sub("", smil[:_MAX_CHARACTERS]))
    each_once = dict.fromkeys(match[1] or match[2] or "" for match in found)
    return dict.fromkeys(html.unescape(source).strip() for source in islice(each_once, _MAX_SOURCES))
