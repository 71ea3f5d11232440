import contextlib
import io
import random
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageStat
from PIL.Image import Transpose

from messagehub.media import KINDS, TYPES, Limits, MediaError, check
from messagehub.media import fit as fit_all
from messagehub.media.pictures import LEAST_MOVING_EDGE, MAX_PIXELS, Picture, Room, fit
from tests.media.samples import ORIENTATION, SAMPLES, animated, located, noise, opened, photo, png_of, saved

PLENTY = Room(10_000_000, 10_000, TYPES)
JPEGS = Room(10_000_000, 10_000, frozenset({"image/jpeg"}))
PNGS = Room(10_000_000, 10_000, frozenset({"image/png"}))


def fitted(octets: bytes, room: Room) -> Picture:
    kind, shape = check(octets)
    picture = fit(octets, kind, shape, room)
    assert len(picture.octets) <= room.octets
    assert picture.kind.type in room.types
    assert max(picture.width, picture.height) <= room.edge
    found, shape = check(picture.octets, picture.kind.type)
    assert (found, shape.width, shape.height) == (picture.kind, picture.width, picture.height)
    assert (shape.frames, shape.orientation) == (picture.frames, 1)
    assert not opened(picture.octets).getexif()
    assert b"Exif" not in picture.octets
    return picture


def refused(octets: bytes, room: Room) -> str:
    with pytest.raises(MediaError) as caught:
        fitted(octets, room)
    return caught.value.reason


# --- upright ----------------------------------------------------------------------------------------------------------

UPRIGHT = noise(7, 4)
Pixel = tuple[int, int]
# Where the pixel of row r and column c of the file stands in the upright picture, by which sides of it the first row
# and the first column of the file are (EXIF 2.32, section 4.6.4).
PLACES: dict[int, Callable[[int, int, int, int], Pixel]] = {
    1: lambda r, c, w, h: (r, c),  # top, left
    2: lambda r, c, w, h: (r, w - 1 - c),  # top, right
    3: lambda r, c, w, h: (h - 1 - r, w - 1 - c),  # bottom, right
    4: lambda r, c, w, h: (h - 1 - r, c),  # bottom, left
    5: lambda r, c, w, h: (c, r),  # left, top
    6: lambda r, c, w, h: (c, w - 1 - r),  # right, top
    7: lambda r, c, w, h: (h - 1 - c, w - 1 - r),  # right, bottom
    8: lambda r, c, w, h: (h - 1 - c, r),  # left, bottom
}


def as_stored(upright: Image.Image, orientation: int) -> Image.Image:
    width, height = upright.size
    stored = Image.new("RGB", upright.size if orientation < 5 else (height, width))
    for r in range(stored.height):
        for c in range(stored.width):
            row, column = PLACES[orientation](r, c, width, height)
            pixel = upright.getpixel((column, row))
            assert isinstance(pixel, tuple)
            stored.putpixel((c, r), pixel)
    return stored


@pytest.mark.parametrize("orientation", PLACES)
def test_a_picture_stands_upright_pixel_by_pixel(orientation: int) -> None:
    stored = saved(as_stored(UPRIGHT, orientation), "PNG", exif=located(orientation))
    assert opened(stored).getexif()[ORIENTATION] == orientation
    picture = fitted(stored, PNGS)
    assert opened(picture.octets).convert("RGB").tobytes() == UPRIGHT.tobytes()


@pytest.mark.parametrize("orientation", PLACES)
def test_a_jpeg_stands_upright(orientation: int) -> None:
    corners = Image.new("RGB", (64, 48))
    colours = {(0, 0): (250, 0, 0), (32, 0): (0, 250, 0), (0, 24): (0, 0, 250), (32, 24): (250, 250, 250)}
    for corner, colour in colours.items():
        corners.paste(colour, (*corner, corner[0] + 32, corner[1] + 24))
    octets = saved(as_stored(corners, orientation), "JPEG", quality=95, exif=located(orientation))
    for room in (JPEGS, Room(1400, 64, TYPES), Room(10_000, 32, TYPES)):
        picture = opened(fitted(octets, room).octets)
        assert picture.size[0] * 3 == picture.size[1] * 4
        for (x, y), colour in colours.items():
            found = picture.getpixel(((x + 16) * picture.width // 64, (y + 12) * picture.height // 48))
            assert isinstance(found, tuple)
            assert all(abs(one - other) < 40 for one, other in zip(found, colour, strict=True))


@pytest.mark.parametrize("exif", [b"Exif\0\0MM\0*\0\0\0\x08\xff\xff", b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff"])
def test_exif_that_cannot_be_read_says_nothing(exif: bytes) -> None:
    assert fitted(saved(noise(20, 10), "JPEG", exif=exif), PLENTY).width == 20


# --- small ------------------------------------------------------------------------------------------------------------


def test_a_photo_of_twelve_megapixels_goes_everywhere() -> None:
    octets = saved(photo(4000, 3000), "JPEG", quality=95, exif=located(6))
    assert len(octets) > 1_000_000
    picture = fitted(octets, Room(300_000, 1600, TYPES))
    assert picture.kind is KINDS["jpeg"]
    assert (picture.width, picture.height) == (1200, 1600)
    assert len(picture.octets) > 100_000


def test_what_fits_is_not_encoded_again() -> None:
    for name in ("jpeg", "png", "gif"):
        assert fitted(SAMPLES[name], PLENTY).octets == KINDS[name].strip(SAMPLES[name])


@given(
    st.sampled_from(["JPEG", "PNG", "GIF"]),
    st.integers(1, 200),
    st.integers(1, 200),
    st.integers(400, 60_000),
    st.integers(64, 300),
    st.sets(st.sampled_from(["image/jpeg", "image/png", "image/gif", "video/mp4"])),
)
@settings(max_examples=60, deadline=None)
def test_what_comes_out_fits(form: str, width: int, height: int, octets: int, edge: int, types: set[str]) -> None:
    reason = tried(saved(noise(width, height), form), Room(octets, edge, frozenset(types)))
    accepts = types & {"image/jpeg", "image/png", "image/gif"}
    assert reason in (("", "media_too_large") if accepts else ("media_refused",))
    if "image/jpeg" in types:
        assert not reason or octets < 10_000  # a picture of 64 pixels at the least quality has less


def test_a_jpeg_is_as_good_as_it_may_be() -> None:
    octets = saved(noise(800, 600), "JPEG", quality=95)
    sizes = [len(fitted(octets, Room(room, 800, TYPES)).octets) for room in (60_000, 120_000, 240_000)]
    assert all(0.8 * room < size for size, room in zip(sizes, (60_000, 120_000, 240_000), strict=True))


def test_what_no_quality_makes_fit_is_refused() -> None:
    assert refused(saved(noise(300, 300), "JPEG"), Room(500, 300, TYPES)) == "media_too_large"
    assert refused(SAMPLES["png"], Room(10_000, 300, frozenset({"video/mp4"}))) == "media_refused"


# --- colours ----------------------------------------------------------------------------------------------------------


def clear(size: int) -> Image.Image:
    """Noise that shines through on its left half."""
    image = noise(size, size)
    image.putalpha(255)
    image.paste((0, 0, 0, 0), (0, 0, size // 2, size))
    return image


def test_a_picture_that_shines_through_stays_so_where_it_fits() -> None:
    octets = saved(clear(300), "PNG")
    picture = fitted(octets, Room(len(octets) // 2, 300, TYPES))
    assert picture.kind is KINDS["png"]
    assert opened(picture.octets).convert("RGBA").getchannel("A").getextrema() == (0, 255)


def test_a_picture_that_shines_through_is_on_white_as_a_jpeg() -> None:
    picture = opened(fitted(saved(clear(64), "PNG"), JPEGS).octets)
    assert picture.mode == "RGB"
    pixel = picture.getpixel((8, 32))
    assert isinstance(pixel, tuple)
    assert min(pixel) > 240


def test_a_png_through_which_nothing_shines_becomes_a_jpeg() -> None:
    image = noise(300, 300)
    image.putalpha(255)
    octets = saved(image, "PNG")
    assert fitted(octets, Room(len(octets) // 3, 300, TYPES)).kind is KINDS["jpeg"]


GREY_16 = Image.frombytes("I;16", (64, 64), b"".join((n * 16).to_bytes(2, "little") for n in range(4096)))
MODES: dict[str, tuple[Image.Image, str]] = {
    "grey": (noise(64, 64).convert("L"), "JPEG"),
    "CMYK": (noise(64, 64).convert("CMYK"), "JPEG"),
    "a palette": (noise(64, 64).quantize(16), "PNG"),
    "black and white": (noise(64, 64).convert("1"), "PNG"),
    "grey that shines through": (clear(64).convert("LA"), "PNG"),
    "16 bits of grey": (GREY_16, "PNG"),
}


@pytest.mark.parametrize(("image", "form"), MODES.values(), ids=MODES.keys())
@pytest.mark.parametrize("to", ["jpeg", "png", "gif"])
def test_pictures_of_every_mode(image: Image.Image, form: str, to: str) -> None:
    octets = saved(image, form)
    picture = fitted(octets, Room(10_000, 32, frozenset({KINDS[to].type})))
    assert picture.kind is KINDS[to]
    wanted = opened(octets).convert("L") if image.mode != "I;16" else Image.linear_gradient("L").resize((64, 64))
    if "A" not in image.getbands():
        assert abs(brightness(wanted) - brightness(opened(picture.octets).convert("L"))) < 12


def brightness(image: Image.Image) -> float:
    return ImageStat.Stat(image).mean[0]


def test_other_colours_become_those_of_srgb() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    image = Image.new("RGB", (64, 64), (200, 100, 50))
    for odd in (profile, b"no profile"):  # of other colours than the picture's, and unreadable
        picture = opened(fitted(saved(image, "JPEG", icc_profile=odd), Room(10_000, 32, TYPES)).octets)
        assert "icc_profile" not in picture.info
    wide = Image.new("RGB", (64, 64), (200, 100, 50))
    swapped = opened(fitted(saved(wide, "PNG", icc_profile=swapped_profile()), Room(10_000, 32, TYPES)).octets)
    pixel = swapped.getpixel((5, 5))
    assert isinstance(pixel, tuple)
    assert pixel[2] > 150 > pixel[0]
    assert "icc_profile" not in swapped.info


def swapped_profile() -> bytes:
    """A profile for which red is blue, and blue is red: that of sRGB with its two colorants changed over."""
    octets = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    octets = octets.replace(b"rXYZ", b"@XYZ").replace(b"bXYZ", b"rXYZ").replace(b"@XYZ", b"bXYZ")
    return bytes(octets.replace("sRGB".encode("utf-16-be"), "odd!".encode("utf-16-be")))


# --- moving -----------------------------------------------------------------------------------------------------------


def moving(octets: bytes) -> tuple[int, list[int], Any]:
    image = Image.open(io.BytesIO(octets))
    count = getattr(image, "n_frames", 1)
    durations = []
    for place in range(count):
        image.seek(place)
        durations.append(image.info.get("duration", 0))
    return count, durations, image.info.get("loop")


def test_a_gif_that_fits_moves_as_before() -> None:
    octets = animated(5, 100)
    picture = fitted(octets, PLENTY)
    assert picture.frames == 5
    assert moving(picture.octets) == (5, [50, 60, 70, 80, 90], 3)


@pytest.mark.parametrize("room", [Room(100_000, 400, TYPES), Room(10_000_000, 150, TYPES)], ids=["octets", "edge"])
def test_a_gif_that_is_too_large_moves_as_a_smaller_one(room: Room) -> None:
    octets = animated(5, 200)
    assert len(octets) > 100_000
    picture = fitted(octets, room)
    assert picture.kind is KINDS["gif"]
    assert LEAST_MOVING_EDGE <= picture.width < 200
    assert moving(picture.octets) == (5, [50, 60, 70, 80, 90], 3)


def test_a_gif_that_shines_through_still_does_when_it_is_smaller() -> None:
    frames = [clear(200), clear(200).transpose(Transpose.FLIP_LEFT_RIGHT)]
    octets = saved(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=100, disposal=2)
    picture = fitted(octets, Room(10_000_000, 120, TYPES))
    image = opened(picture.octets)
    for place, through in ((0, 20), (1, 100)):
        image.seek(place)
        pixel = image.convert("RGBA").getpixel((through, 60))
        assert isinstance(pixel, tuple)
        assert pixel[3] == 0


def test_a_gif_that_cannot_move_any_more_stands_still() -> None:
    picture = fitted(animated(20, 200), Room(9000, 400, TYPES))
    assert (picture.kind, picture.frames) == (KINDS["jpeg"], 1)
    only = fitted(animated(20, 200), Room(9000, 400, frozenset({"image/gif"})))
    assert (only.kind, only.frames) == (KINDS["gif"], 1)


def test_a_gif_where_none_is_taken_stands_still() -> None:
    assert fitted(animated(3, 100), JPEGS).frames == 1


# --- hostile ----------------------------------------------------------------------------------------------------------


def gif_of(width: int, height: int) -> bytes:
    """A frame that says it has this size, and of which there is one pixel."""
    size = width.to_bytes(2, "little") + height.to_bytes(2, "little")
    frame = b"," + bytes(4) + size + b"\0" + b"\x02\x02\x44\x01\0"
    return b"GIF89a" + size + b"\x80\0\0" + bytes(6) + frame + b";"


def sized(octets: bytes, width: int, height: int) -> bytes:
    """A progressive JPEG that says it has this size."""
    at = octets.index(b"\xff\xc2") + 5
    return octets[:at] + height.to_bytes(2) + width.to_bytes(2) + octets[at + 4 :]


def rescanned(octets: bytes, count: int) -> bytes:
    """With its last scan so many times."""
    at = octets.rindex(b"\xff\xda")
    return octets[:at] + octets[at:-2] * count + octets[-2:]


PROGRESSIVE = saved(noise(40, 30), "JPEG", progressive=True)
CMYK = saved(noise(40, 30).convert("CMYK"), "JPEG", progressive=True)

BOMBS = {
    "a PNG": png_of(30_000, 30_000, bytes(30_000 * 3751)),
    "a PNG of a size that there is not": png_of(0xFFFFFFFF, 0xFFFFFFFF, b""),
    "a GIF": gif_of(60_000, 60_000),
    "a GIF whose frame is larger than its screen": gif_of(10, 10)[:19] + b"," + b"\xff" * 8 + b"\0\x02\x02\x44\x01\0;",
    "a JPEG": SAMPLES["jpeg"].replace(b"\x08\0\x28\0\x3c\x03", b"\x08\xff\xff\xff\xff\x03"),
    "a JPEG of many scans": rescanned(PROGRESSIVE, 100),
    "a large JPEG of several scans": sized(rescanned(PROGRESSIVE, 30), 8000, 8000),
    "a large JPEG all of whose colours wait": sized(CMYK, 8000, 8000),
}


@pytest.mark.parametrize("octets", BOMBS.values(), ids=BOMBS.keys())
def test_bombs_are_refused_before_anything_is_decoded(octets: bytes) -> None:
    assert len(octets) < 200_000
    before = time.process_time()
    tracemalloc.start()
    assert refused(octets, PLENTY) == "media_too_large"
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()
    assert time.process_time() - before < 1


@pytest.mark.parametrize(
    "octets",
    [rescanned(PROGRESSIVE, 80), sized(PROGRESSIVE, 8000, 8000), sized(CMYK, 8000, 6000)],
    ids=["many scans", "large", "large, in CMYK"],
)
def test_progressive_jpegs_are_looked_at(octets: bytes) -> None:
    assert check(octets)[0] is KINDS["jpeg"]


def repeated(size: int, count: int) -> bytes:
    """A GIF with the same frame again and again."""
    octets = saved(Image.new("P", (size, size)), "GIF")
    start = octets.index(b"," + bytes(4))
    return octets[:start] + octets[start:-1] * count + b";"


@pytest.mark.parametrize(("size", "count", "frames"), [(20, 900, 900), (20, 1100, 1), (800, 100, 100), (800, 200, 1)])
def test_of_too_many_frames_only_the_first_is_looked_at(size: int, count: int, frames: int) -> None:
    assert fitted(repeated(size, count), PLENTY).frames == frames


def test_what_is_not_encoded_again_is_decoded_all_the_same() -> None:
    assert refused(png_of(100, 100, b"short"), PLENTY) == "media_broken"
    moving = animated(2, 50)
    wrong = b"," + bytes(4) + b"\x32\0\x32\0\0\x02\x02\x44\x01\0;"
    assert fitted(moving, PLENTY).frames == 2
    assert refused(moving[:-1] + wrong, PLENTY) == "media_broken"


def test_the_largest_that_is_worked_on() -> None:
    edge = 4000
    assert edge * edge < MAX_PIXELS["png"]
    assert fitted(png_of(edge, edge, bytes((edge // 8 + 1) * edge)), Room(300_000, 1600, TYPES)).width == 1600


@pytest.mark.parametrize("size", [b"\0\0\0\0", b"\0\x28\0\0", b"\0\0\0\x3c"])
def test_a_jpeg_without_a_size_is_refused(size: bytes) -> None:
    octets = SAMPLES["jpeg"].replace(b"\x08\0\x28\0\x3c\x03", b"\x08" + size + b"\x03")
    assert octets != SAMPLES["jpeg"]
    assert refused(octets, PLENTY) == "media_broken"


def test_octets_of_fill_between_the_segments_of_a_jpeg() -> None:
    octets = saved(as_stored(noise(24, 16), 6), "JPEG", exif=located(6))
    filled = octets.replace(b"\xff\xe1", b"\xff\xff\xff\xe1", 1).replace(b"\xff\xc0", b"\xff\xff\xc0", 1)
    assert filled != octets
    assert fitted(filled, PLENTY) == fitted(octets, PLENTY)


CUT = {name: SAMPLES[name] for name in ("jpeg", "png")} | {
    "a progressive JPEG": saved(noise(40, 30), "JPEG", progressive=True),
    "a GIF that moves": animated(3, 24),
    "a PNG with a palette": saved(noise(40, 30).quantize(16), "PNG"),
}


@pytest.mark.parametrize("name", CUT)
def test_two_hundred_ways_to_cut_a_picture_short(name: str) -> None:
    octets = CUT[name]
    for place in range(200):
        at = place if place < 40 else place * len(octets) // 200
        assert refused(octets[:at], PLENTY) in ("media_broken", "media_unsupported")


def tried(octets: bytes, room: Room) -> str:
    """Why it is refused, or nothing where it is taken."""
    try:
        fitted(octets, room)
    except MediaError as error:
        return error.reason
    return ""


ENDS = {"jpeg": b"\xff\xd9", "png": b"\0\0\0\0IEND\xaeB`\x82", "gif": b";"}


@pytest.mark.parametrize("name", ENDS)
@pytest.mark.parametrize("room", [PLENTY, Room(10_000, 30, TYPES)], ids=["as it is", "smaller"])
def test_a_picture_with_its_middle_missing_is_refused_or_taken(name: str, room: Room) -> None:
    """With its end, so that only decoding finds what is wrong."""
    octets = SAMPLES[name]
    cuts = [octets[: len(octets) * place // 60] + ENDS[name] for place in range(60)]
    reasons = [reason for cut in cuts if (reason := tried(cut, room))]
    assert set(reasons) <= {"media_broken", "media_unsupported"}
    assert len(reasons) > 20


def test_damage_anywhere_is_our_error_or_a_picture() -> None:
    chance = random.Random(7)
    for octets in (*CUT.values(), SAMPLES["gif"]):
        for _ in range(150):
            damaged = bytearray(octets)
            for _ in range(chance.choice((1, 2, 9))):
                damaged[chance.randrange(len(damaged))] = chance.randrange(256)
            with contextlib.suppress(MediaError):
                fit_all([("", bytes(damaged))], Limits(20_000, 30))
