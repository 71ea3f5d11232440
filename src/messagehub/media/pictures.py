"""Pictures made to fit: smaller, upright, without what says where they were taken; refused where they would do harm.

All here is work for a processor, and its memory is bounded by MAX_PIXELS and by what jpeg.py takes: whoever calls it
does so in a thread, and not in many at once. Pillow is imported when the first picture comes.
"""

import io
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from messagehub.media.errors import Broken, MediaError
from messagehub.media.exif import UPRIGHT
from messagehub.media.kinds import KINDS, Kind
from messagehub.media.shape import Shape

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_PIXELS: Mapping[str, int] = {"jpeg": 64_000_000, "png": 25_000_000, "gif": 25_000_000}
"""Of one picture, by the format. It is told from the header, before anything is decoded. A large JPEG is decoded
smaller than it is, and the others are not: each of these costs some 250 MB at most. A progressive JPEG, which is in
memory as a whole all the same, costs some 400 MB."""
MAX_MOVING_PIXELS = 100_000_000
"""Of all frames together of one that is to move; beyond that only the first frame is looked at."""
MAX_FRAMES = 1000

QUALITIES = range(50, 93)
"""Of a JPEG: below, it is better to have fewer pixels."""
LEAST_EDGE = 64
"""Pixels of the longer edge below which a picture is no picture any more."""
LEAST_MOVING_EDGE = 96

_FORMATS: Mapping[str, str] = {"jpeg": "JPEG", "png": "PNG", "gif": "GIF"}
_WHITE = (255, 255, 255)
_COLOURS = 256
_TRIES = 12
_OCTETS_OF_A_PIXEL, _LEAST_OCTETS = 0.5, 2048  # of a JPEG of high quality


class Room(Struct, frozen=True):
    """What a picture may be: octets, pixels of its longer edge, and media types."""

    octets: int
    edge: int
    types: frozenset[str]


class Picture(Struct, frozen=True):
    """A picture that fits. Without a need for it, nothing in it was decoded and encoded again."""

    octets: bytes
    kind: Kind
    width: int
    height: int
    frames: int = 1


def fit(octets: bytes, kind: Kind, shape: Shape, room: Room) -> Picture:
    """The picture, as `kinds.check` knows it, made to fit. Raises MediaError where it cannot be, or is broken."""
    if shape.pixels > (most := MAX_PIXELS[kind.name]):
        raise MediaError("media_too_large", f"{shape.width} x {shape.height} pixels; {most} in all are worked on")
    bare = kind.strip(octets)
    with _opened(bare, kind) as picture:
        if _moves(shape):
            found = _moving(bare, kind, shape, picture, room)
            return found or _still(picture, shape, room)
        if len(bare) <= room.octets and _may_stay(kind, shape, room):
            picture.load()
            return Picture(bare, kind, shape.width, shape.height)
        _draft(picture, room)
        return _still(picture, shape, room)


def wanted(octets: int, kind: Kind, shape: Shape, room: Room) -> int:
    """How many octets it would have if there were room for all: more than now, perhaps, if it must be encoded again."""
    if _may_stay(kind, shape, room):
        return octets
    scale = min(1, room.edge / max(shape.width, shape.height))
    return max(octets, _LEAST_OCTETS + int(shape.pixels * shape.frames * scale * scale * _OCTETS_OF_A_PIXEL))


@contextmanager
def _opened(bare: bytes, kind: Kind) -> "Iterator[Image]":
    """The picture, opened as what it is and nothing else. Whatever a decoder raises means that it is broken.

    A decoder sees no more of it than what is needed to show it.
    """
    import PIL.Image

    try:
        with PIL.Image.open(io.BytesIO(bare), formats=(_FORMATS[kind.name],)) as picture:
            yield picture
    except MediaError:
        raise
    except Exception as error:
        raise Broken(f"{kind.type}: {error}") from error


def _draft(picture: "Image", room: Room) -> None:
    """Has a large JPEG decoded at a half, a quarter or an eighth of its size, which takes less time and memory."""
    longest = max(picture.size)
    if longest > room.edge:
        width, height = (max(1, side * room.edge // longest) for side in picture.size)
        picture.draft(None, (width, height))


def _moves(shape: Shape) -> bool:
    return 1 < shape.frames <= MAX_FRAMES and shape.frames * shape.pixels <= MAX_MOVING_PIXELS


def _may_stay(kind: Kind, shape: Shape, room: Room) -> bool:
    return (
        kind.type in room.types
        and max(shape.width, shape.height) <= room.edge
        and (shape.frames == 1 or _moves(shape))
        and shape.orientation == UPRIGHT
    )


def _turned(image: "Image", orientation: int) -> "Image":
    from PIL.Image import Transpose

    turns = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    return image.transpose(turns[orientation]) if orientation in turns else image


# --- still pictures ---------------------------------------------------------------------------------------------------


def _still(picture: "Image", shape: Shape, room: Room) -> Picture:
    """As the first format that has room for it: what has no transparency is smallest as a JPEG."""
    upright = _upright(picture, shape.orientation, room)
    is_clear = upright.mode == "RGBA"
    formats = ("png", "jpeg", "gif") if is_clear else ("jpeg", "png", "gif")
    accepted = [name for name in formats if KINDS[name].type in room.types]
    if not accepted:
        raise MediaError("media_refused", "the carrier takes no pictures")
    for name in accepted:
        # Where another format follows, this one may not cost more than half of the edge.
        least = LEAST_EDGE if name == accepted[-1] else max(LEAST_EDGE, max(upright.size) // 2)
        if found := _shrunk(upright, name, room, least):
            return found
    raise MediaError("media_too_large", f"not to be had in {room.octets} octets")


def _upright(picture: "Image", orientation: int, room: Room) -> "Image":
    """Decoded, within the edge, upright, in the colours of sRGB, as RGB or, where anything shines through, RGBA."""
    picture.load()
    image = _in_srgb(_within(_eight_bits(picture), room.edge), picture.info.get("icc_profile"))
    if image.mode == "RGBA" and _is_opaque(image):
        image = image.convert("RGB")
    image = _turned(image, orientation)
    image.info = {}  # or Pillow writes comments and profiles of it again
    return image


def _eight_bits(picture: "Image") -> "Image":
    if picture.mode.startswith(("I", "F")):  # 16 bits of grey; converting would only cut them off
        scaled = picture.convert("I").point(lambda value: value * (1 / 257))
        return scaled.convert("L").convert("RGB")
    if picture.mode in ("CMYK", "RGBA"):
        return picture
    is_clear = picture.mode in ("LA", "PA", "RGBa", "La") or "transparency" in picture.info
    mode = "RGBA" if is_clear else "RGB"
    return picture if picture.mode == mode else picture.convert(mode)


def _is_opaque(image: "Image") -> bool:
    least, _ = image.getchannel("A").getextrema()
    return least == 255


def _in_srgb(image: "Image", profile: Any) -> "Image":
    """By its colour profile; a profile that cannot be read, or is of other colours, counts for nothing."""
    if profile:
        from PIL import ImageCms

        with suppress(Exception):
            return _converted(image, ImageCms.ImageCmsProfile(io.BytesIO(profile)))
    return image.convert("RGB") if image.mode == "CMYK" else image


def _converted(image: "Image", theirs: Any) -> "Image":
    from PIL import ImageCms

    if "sRGB" in ImageCms.getProfileDescription(theirs):
        return image
    ours = ImageCms.createProfile("sRGB")
    if image.mode != "RGBA":
        converted = ImageCms.profileToProfile(image, theirs, ours, outputMode="RGB")
        assert converted is not None
        return converted
    clear = image.getchannel("A")
    colours = ImageCms.profileToProfile(image.convert("RGB"), theirs, ours)
    assert colours is not None
    colours.putalpha(clear)
    return colours


def _within(image: "Image", edge: int) -> "Image":
    """No longer than the edge."""
    from PIL.Image import Resampling

    longest = max(image.size)
    if longest <= edge:
        return image
    width, height = (max(1, round(side * edge / longest)) for side in image.size)
    return image.resize((width, height), Resampling.LANCZOS, reducing_gap=3.0)


def _shrunk(image: "Image", name: str, room: Room, least: int) -> Picture | None:
    """With fewer and fewer pixels, until it fits; nothing where it would have to be smaller than `least`."""
    edge = min(room.edge, max(image.size))
    for _ in range(_TRIES):
        small = _within(image, edge)
        octets = _ENCODERS[name](small, room.octets)
        if len(octets) <= room.octets:
            return Picture(octets, KINDS[name], *small.size)
        # Octets go with the area.
        edge = int(edge * min(0.9, max(0.4, 0.97 * math.sqrt(room.octets / len(octets)))))
        if edge < least:
            break
    return None


def _jpeg(image: "Image", octets: int) -> bytes:
    """Of the best quality that fits, or else of the least."""
    flat = _flat(image)
    low, high = QUALITIES.start, QUALITIES.stop - 1
    best = _saved(flat, "JPEG", quality=low, optimize=True)
    while len(best) <= octets and low < high:
        middle = (low + high + 1) // 2
        tried = _saved(flat, "JPEG", quality=middle, optimize=True)
        if len(tried) <= octets:
            best, low = tried, middle
        else:
            high = middle - 1
    return best


def _flat(image: "Image") -> "Image":
    """On white, where anything shines through."""
    if image.mode != "RGBA":
        return image
    from PIL import Image as images

    flat = images.new("RGB", image.size, _WHITE)
    flat.paste(image, mask=image.getchannel("A"))
    return flat


def _png(image: "Image", octets: int) -> bytes:
    """With all its colours, or with 256 of them."""
    whole = _saved(image, "PNG")
    return whole if len(whole) <= octets else _saved(_with_palette(image), "PNG")


def _gif(image: "Image", octets: int) -> bytes:
    return _saved(_on_or_off(image) if image.mode == "RGBA" else _with_palette(image), "GIF")


_ENCODERS = {"jpeg": _jpeg, "png": _png, "gif": _gif}


def _with_palette(image: "Image") -> "Image":
    """By an octree: a median cut is a little better, and takes a hundred times as long."""
    from PIL.Image import Quantize

    return image.quantize(_COLOURS, Quantize.FASTOCTREE)


def _on_or_off(image: "Image") -> "Image":
    """What shines through more than half does so wholly, and the rest not at all: GIF has nothing between."""
    halved = image.copy()
    halved.putalpha(image.getchannel("A").point(lambda value: 255 * (value >= 128)))
    return halved


def _saved(image: "Image", form: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


# --- moving pictures --------------------------------------------------------------------------------------------------


def _moving(bare: bytes, kind: Kind, shape: Shape, picture: "Image", room: Room) -> Picture | None:
    """A GIF that moves, with all its frames; nothing where it cannot be had so."""
    edge = max(picture.size)
    if kind.type not in room.types:
        return None
    if edge <= room.edge and len(bare) <= room.octets:
        for _ in _frames(picture, shape.frames):
            pass
        return Picture(bare, kind, shape.width, shape.height, shape.frames)
    edge = min(edge, room.edge)
    size = len(bare)
    for _ in range(_TRIES):
        if size > room.octets:
            edge = int(edge * min(0.85, max(0.4, math.sqrt(room.octets / size))))
        if edge < LEAST_MOVING_EDGE:
            break
        made, small = _moved(picture, shape.frames, edge)
        if len(made) <= room.octets:
            return Picture(made, kind, *small, shape.frames)
        size = len(made)
    picture.seek(0)
    return None


def _frames(picture: "Image", count: int) -> "Iterator[Image]":
    for place in range(count):
        picture.seek(place)
        picture.load()
        yield picture


def _moved(picture: "Image", count: int, edge: int) -> tuple[bytes, tuple[int, int]]:
    """All frames, each smaller, and with as long a time as before."""
    durations, frames = [], []
    for frame in _frames(picture, count):
        durations.append(frame.info.get("duration", 100) or 100)
        frames.append(_within(frame.convert("RGBA"), edge))
    clear = any(not _is_opaque(frame) for frame in frames)
    frames = [_on_or_off(frame) if clear else _with_palette(frame.convert("RGB")) for frame in frames]
    loops = {"loop": picture.info["loop"]} if "loop" in picture.info else {}
    first, rest = frames[0], frames[1:]
    first.info = {}
    options: dict[str, Any] = {"disposal": 2} if clear else {}
    octets = _saved(
        first, "GIF", save_all=True, append_images=rest, duration=durations, optimize=False, **loops, **options
    )
    return octets, first.size
