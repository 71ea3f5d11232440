"""The content of an MMS: a text and media, as the parts of a message and back (OMA MMS Conformance 1.3, section 7)."""

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct, field

from messagehub.mms import smil
from messagehub.mms.errors import EncodeError
from messagehub.mms.parts import Part

_TEXT_NAME = "text0.txt"
_SMIL_NAME = "smil"
_TEXT_TYPE = "text/plain"


class Medium(Struct, frozen=True):
    """One picture, film, sound or document. `name` is the file's, and may be empty in what came in."""

    type: str
    body: bytes
    name: str = ""


class Content(Struct, frozen=True):
    """What a person sees: a text and media, in order."""

    text: str = ""
    media: tuple[Medium, ...] = field(default=())


def compose(content: Content) -> Part:
    """A multipart/related: the presentation, the text, and one part for each medium, in order.

    Each part has its name as Content-ID and Content-Location, since handsets look for it under either. Raises
    EncodeError unless the names of the media differ and are of ASCII letters, digits and `._-`.
    """
    names = [_checked(medium.name) for medium in content.media]
    if len({*names, _TEXT_NAME, _SMIL_NAME}) < len(names) + 2:
        raise EncodeError(f"media: the names {', '.join(names)} are not all different")
    page = smil.write(list(zip([medium.type for medium in content.media], names, strict=True)), _text_name(content))
    parts = [_part(smil.TYPE, page.encode(), _SMIL_NAME, charset="utf-8")]
    if content.text:
        parts.append(_part(_TEXT_TYPE, content.text.encode(), _TEXT_NAME, charset="utf-8"))
    parts += [_part(medium.type, medium.body, medium.name) for medium in content.media]
    return Part("multipart/related", parts=tuple(parts), parameters={"type": smil.TYPE, "start": f"<{_SMIL_NAME}>"})


def _text_name(content: Content) -> str:
    return _TEXT_NAME if content.text else ""


def _checked(name: str) -> str:
    if not (name.isascii() and name.replace(".", "").replace("-", "").replace("_", "").isalnum()):
        raise EncodeError(f"media: {name!r} is no name of ASCII letters, digits and ._-")
    return name


def _part(kind: str, body: bytes, name: str, **parameters: str) -> Part:
    return Part(kind, body, parameters=parameters, id=name, location=name, name=name)


def take_apart(part: Part) -> Content:
    """The text and the media of what came in, in the order of its presentation.

    The texts of all text parts are one, in lines. Of alternatives of the same content, the last that is no multipart
    counts (RFC 2046, section 5.1.4). Parts that no presentation names come behind those that it does.
    """
    leaves = [leaf for leaf in _shown(part) if leaf.type not in smil.TYPES]
    for page in part.leaves():
        if page.type in smil.TYPES:
            leaves = _in_order(part, leaves, smil.sources(page.text))
            break
    texts = [leaf.text for leaf in leaves if leaf.type == _TEXT_TYPE]
    media = [Medium(leaf.type, leaf.body, leaf.name or leaf.location) for leaf in leaves if leaf.type != _TEXT_TYPE]
    return Content("\n".join(text for text in texts if text), tuple(media))


def _shown(part: Part) -> Iterator[Part]:
    if not part.type.startswith("multipart/"):
        yield part
    inner: Sequence[Part] = part.parts
    if part.type == "multipart/alternative":
        plain = [each for each in inner if not each.type.startswith("multipart/")]
        inner = plain[-1:] or inner[-1:]
    for each in inner:
        yield from _shown(each)


def _in_order(part: Part, leaves: Sequence[Part], sources: Iterable[str]) -> list[Part]:
    order = {id(each): place for place, each in reversed(list(enumerate(part.find_all(sources))))}
    return sorted(leaves, key=lambda leaf: order.get(id(leaf), len(order)))
