"""The media of one message, made to fit what its carrier takes."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from msgspec import Struct

from messagehub.media import kinds, pictures
from messagehub.media.errors import MediaError
from messagehub.media.kinds import Kind
from messagehub.media.limits import Claim, Limits, shares
from messagehub.media.pictures import Room
from messagehub.media.shape import Shape


class Fitted(Struct, frozen=True):
    """One medium as it goes out. `name` is the file's, and another for each medium of a message."""

    type: str
    octets: bytes
    name: str


class _Seen(Struct, frozen=True):
    kind: Kind
    shape: Shape
    octets: bytes


def fit(media: Sequence[tuple[str, bytes]], limits: Limits, text: int = 0, *, is_base64: bool = False) -> list[Fitted]:
    """Media, as pairs of a declared type and octets, beside a text of so many octets; in the same order.

    It decodes and encodes pictures, so it is called in a thread. Raises MediaError, which names the medium.
    """
    seen = [_look(place, declared, octets, limits) for place, (declared, octets) in enumerate(media)]
    claims = [_claim(each, limits) for each in seen]
    granted = shares(limits, claims, text, is_base64=is_base64)
    return [_fitted(place, each, room, limits) for place, (each, room) in enumerate(zip(seen, granted, strict=True))]


def _look(place: int, declared: str, octets: bytes, limits: Limits) -> _Seen:
    with _naming(place):
        kind, shape = kinds.check(octets, declared)
        if kind.is_picture:
            return _Seen(kind, shape, octets)
        if kind.type not in limits.types:
            raise MediaError("media_refused", f"the carrier takes no {kind.type}")
        return _Seen(kind, shape, kind.strip(octets))


def _claim(seen: _Seen, limits: Limits) -> Claim:
    octets = len(seen.octets)
    if seen.kind.is_picture:
        octets = pictures.wanted(octets, seen.kind, seen.shape, Room(limits.octets, limits.edge, limits.types))
    return Claim(octets, seen.kind.is_picture)


def _fitted(place: int, seen: _Seen, octets: int, limits: Limits) -> Fitted:
    if not seen.kind.is_picture:
        return Fitted(seen.kind.type, seen.octets, kinds.file_name(seen.kind, place + 1))
    with _naming(place):
        picture = pictures.fit(seen.octets, seen.kind, seen.shape, Room(octets, limits.edge, limits.types))
    return Fitted(picture.kind.type, picture.octets, kinds.file_name(picture.kind, place + 1))


@contextmanager
def _naming(place: int) -> Iterator[None]:
    try:
        yield
    except MediaError as error:
        raise MediaError(error.reason, f"medias[{place}]: {error.message}") from error
