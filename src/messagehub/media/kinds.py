"""The nine formats that an MMS carries: how each is named, and how it is known by its content."""

from collections.abc import Callable, Mapping

from msgspec import Struct

from messagehub.media import boxes, gif, jpeg, papers, png, sounds
from messagehub.media.errors import MediaError
from messagehub.media.shape import Shape


def _same(octets: bytes) -> bytes:
    return octets


class Kind(Struct, frozen=True):
    """One format.

    `type` is its media type on the wire, `aliases` are other names that peers have for it; `words` begin the name of a
    file. `is_shown`: a browser may show it at the place where it is served, rather than save it.
    """

    name: str
    type: str
    aliases: tuple[str, ...]
    extension: str
    words: str
    is_it: Callable[[bytes], bool]
    inspect: Callable[[bytes], Shape]
    """What it says of itself. Raises Broken where it is cut short."""
    strip: Callable[[bytes], bytes] = _same
    """Without what says where and by whom it was made, and nothing in it decoded."""
    is_shown: bool = True

    @property
    def is_picture(self) -> bool:
        return self.type.startswith("image/")


_FILMS = (
    *("video/mp4", "video/mpeg4", "video/x-m4v", "application/mp4"),
    *("video/3gpp", "video/3gp", "audio/3gpp", "video/3gpp2", "audio/3gpp2"),
)

_ROWS = (
    Kind("jpeg", "image/jpeg", ("image/jpg", "image/pjpeg"), "jpg", "image",
         lambda octets: octets.startswith(jpeg.START), jpeg.inspect, jpeg.strip),
    Kind("png", "image/png", ("image/x-png", "image/apng"), "png", "image",
         lambda octets: octets.startswith(png.START), png.inspect, png.strip),
    Kind("gif", "image/gif", (), "gif", "image",
         lambda octets: octets.startswith(gif.STARTS), gif.inspect, gif.strip),
    # Programs and servers take these two for each other all the time, and so do players.
    Kind("mp4", "video/mp4", _FILMS, "mp4", "video",
         lambda octets: boxes.brand(octets) == "mp4", boxes.inspect, boxes.strip),
    Kind("3gp", "video/3gpp", _FILMS, "3gp", "video",
         lambda octets: boxes.brand(octets) == "3gp", boxes.inspect, boxes.strip),
    Kind("wav", "audio/wav", ("audio/x-wav", "audio/wave", "audio/vnd.wave", "audio/x-pn-wav"), "wav", "audio",
         sounds.is_wav, sounds.inspect_wav),
    Kind("pdf", "application/pdf", ("application/x-pdf",), "pdf", "document",
         papers.is_pdf, papers.inspect_pdf, is_shown=False),
    Kind("vcard", "text/vcard", ("text/x-vcard", "text/directory"), "vcf", "contact",
         papers.is_card, papers.inspect_card, is_shown=False),
    # The last, as its signature is the weakest.
    Kind("mp3", "audio/mpeg", ("audio/mp3", "audio/x-mp3", "audio/mpeg3", "audio/x-mpeg", "audio/mpg"), "mp3", "audio",
         sounds.is_mp3, sounds.inspect_mp3),
)  # fmt: skip

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in _ROWS}
TYPES: frozenset[str] = frozenset(kind.type for kind in _ROWS)
_NOTHING_SAID = frozenset({"", "application/octet-stream", "binary/octet-stream"})


def bare_type(declared: str) -> str:
    """A media type in lower case, without parameters."""
    return declared.partition(";")[0].strip().lower()


def by_type(declared: str) -> Kind | None:
    """The format that has this media type."""
    bare = bare_type(declared)
    own = (kind for kind in _ROWS if kind.type == bare)
    return next(own, next((kind for kind in _ROWS if bare in kind.aliases), None))


def says_nothing(declared: str) -> bool:
    """A type that stands for any content."""
    return bare_type(declared) in _NOTHING_SAID


def sniff(octets: bytes) -> Kind | None:
    """The format by the content."""
    return next((kind for kind in _ROWS if kind.is_it(octets)), None)


def check(octets: bytes, declared: str = "") -> tuple[Kind, Shape]:
    """The format of a medium, and what it says of itself. Nothing in it is decoded.

    `declared` is the media type that somebody gave it; one such as `image`, or none, says less. Raises MediaError.
    """
    kind = sniff(octets)
    said = bare_type(declared)
    if kind is None:
        raise MediaError("media_unsupported", f"the content is none of {', '.join(sorted(KINDS))}")
    if said not in _NOTHING_SAID and said not in (kind.type, *kind.aliases, kind.type.partition("/")[0]):
        raise MediaError("media_type_mismatch", f"the type is {said[:60]}, and the content is {kind.type}")
    return kind, kind.inspect(octets)


def file_name(kind: Kind, place: int) -> str:
    """The name of the medium at this place of a message, counted from 1, of ASCII letters, digits and a dot."""
    return f"{kind.words}{place}.{kind.extension}"


def serving_headers(kind: Kind) -> dict[str, str]:
    """The header fields with which it is served, so that no browser takes it for a page of ours."""
    disposition = "inline" if kind.is_shown else "attachment"
    return {
        "content-type": kind.type,
        "content-disposition": f'{disposition}; filename="{kind.words}.{kind.extension}"',
        "x-content-type-options": "nosniff",
        "content-security-policy": "default-src 'none'; sandbox",
        "cross-origin-resource-policy": "cross-origin",
        "referrer-policy": "no-referrer",
    }
