import contextlib
import random
import struct
import subprocess
import sys
import time

import pytest

from messagehub.media import KINDS, REASONS, TYPES, MediaError, check, serving_headers
from messagehub.media.kinds import by_type, file_name, sniff
from tests.media.samples import (
    SAMPLES,
    SMALL,
    animated,
    box,
    chunk,
    film,
    located,
    mp3,
    noise,
    opened,
    pdf,
    saved,
    vcard,
    wav,
)


def refused(octets: bytes, declared: str = "") -> tuple[str, str]:
    with pytest.raises(MediaError) as caught:
        check(octets, declared)
    assert caught.value.reason in REASONS
    return caught.value.reason, caught.value.message


def test_there_are_nine_formats() -> None:
    assert KINDS.keys() == SAMPLES.keys()
    assert sorted(TYPES) == sorted(
        {
            *("image/jpeg", "image/png", "image/gif", "video/mp4", "video/3gpp"),
            *("audio/mpeg", "audio/wav", "application/pdf", "text/vcard"),
        }
    )


@pytest.mark.parametrize("name", SAMPLES)
def test_each_is_known_by_its_content(name: str) -> None:
    kind = KINDS[name]
    assert sniff(SAMPLES[name]) is kind
    for declared in ("", "application/octet-stream", kind.type, f"{kind.type.upper()}; a=b", *kind.aliases,
                     kind.type.partition("/")[0]):  # fmt: skip
        assert check(SAMPLES[name], declared)[0] is kind
        assert by_type(kind.type) is kind


def test_pictures_say_how_large_they_are() -> None:
    for name in ("jpeg", "png", "gif"):
        shape = check(SAMPLES[name])[1]
        assert (shape.width, shape.height, shape.frames) == (60, 40, 1)
    assert check(animated(4, 50))[1].frames == 4


@pytest.mark.parametrize("name", SAMPLES)
def test_another_type_than_the_contents_is_refused(name: str) -> None:
    films = {"mp4", "3gp"}
    for other, kind in KINDS.items():
        if other != name and {other, name} != films:
            assert refused(SAMPLES[name], kind.type)[0] == "media_type_mismatch"


HTML = b"<!DOCTYPE html><script>alert(1)</script>"
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
NOT_OURS = {
    "HTML": HTML,
    "SVG": SVG,
    "nothing": b"",
    "one octet": b"\xff",
    "ZIP": b"PK\x03\x04" + bytes(100),
    "ELF": b"\x7fELF" + bytes(100),
    "BMP": saved(SMALL, "BMP"),
    "WebP": saved(SMALL, "WEBP"),
    "TIFF": saved(SMALL, "TIFF"),
    "AVIF": film(b"avif", (b"mif1",)),
    "HEIC": film(b"heic", (b"mif1", b"isom")),
    "QuickTime": film(b"qt  ", ()),
    "M4A": film(b"M4A ", (b"isom", b"mp42")),
    "PostScript": b"%!PS-Adobe-3.0",
    "a PDF behind HTML": HTML + pdf(),
    "a vCard behind HTML": HTML + vcard(),
    "an AVI": b"RIFF" + struct.pack("<I", 4) + b"AVI ",
    "AAC": b"\xff\xf1\x50\x80" + bytes(100),
    "noise behind the mark of a frame": b"\xff\xfb\x10\xc4" + b"x" * 300,
    "a tag before AAC": b"ID3\x04\0\0\0\0\0\x04abcd\xff\xf1\x50\x80" + bytes(200),
}


@pytest.mark.parametrize("octets", NOT_OURS.values(), ids=NOT_OURS.keys())
def test_other_formats_are_refused(octets: bytes) -> None:
    for declared in ("", "image/jpeg"):
        assert refused(octets, declared)[0] == "media_unsupported"


POLYGLOTS = {
    "a GIF that is JavaScript": b"GIF89a/*" + bytes(20) + b"*/=1;alert(1)//",
    "a JPEG that is HTML": b"\xff\xd8\xff" + HTML,
    "a PNG that is HTML": b"\x89PNG\r\n\x1a\n" + HTML,
    "a vCard that is HTML": b"BEGIN:VCARD\r\n" + HTML,
    "a PDF that is HTML": b"%PDF-1.4\n" + HTML,
    "a WAV that is HTML": b"RIFF" + HTML[:4] + b"WAVE" + HTML,
    "a film that is HTML": box(b"ftyp", b"isom" + bytes(4)) + HTML,
}


@pytest.mark.parametrize("octets", POLYGLOTS.values(), ids=POLYGLOTS.keys())
def test_what_only_begins_as_one_is_refused(octets: bytes) -> None:
    assert refused(octets)[0] == "media_broken"


@pytest.mark.parametrize("name", ["jpeg", "png", "gif"])
def test_what_stands_behind_a_picture_does_not_go_out(name: str) -> None:
    octets = SAMPLES[name] + HTML + b"PK\x03\x04"
    kind, _ = check(octets)
    assert kind.strip(octets) == kind.strip(SAMPLES[name])
    assert b"script" not in kind.strip(octets)
    assert opened(kind.strip(octets)).tobytes() == opened(SAMPLES[name]).tobytes()


@pytest.mark.parametrize("name", SAMPLES)
def test_what_is_cut_short_is_refused_wherever_it_is_cut(name: str) -> None:
    octets = SAMPLES[name]
    whole = len(octets.rstrip()) if name in ("pdf", "vcard") else len(octets)
    places = range(whole) if whole < 3000 else [*range(200), *range(200, whole, 17), *range(whole - 40, whole)]
    for at in places:
        if name == "mp3" and (at == 14 + 104 or at >= 14 + 2 * 104):
            continue  # a whole frame is a sound, and so are two with whatever behind them
        assert refused(octets[:at])[0] in ("media_broken", "media_unsupported"), at


def test_damaged_media_are_refused_with_our_error_or_taken() -> None:
    chance = random.Random(1)
    for octets in SAMPLES.values():
        for _ in range(400):
            damaged = bytearray(octets)
            for _ in range(chance.choice((1, 3, 20))):
                damaged[chance.randrange(len(damaged))] = chance.randrange(256)
            with contextlib.suppress(MediaError):
                kind, _ = check(bytes(damaged))
                kind.strip(bytes(damaged))


@pytest.mark.parametrize(
    "octets",
    [
        b"\xff\xd8" + b"\xff" * 4_000_000,
        b"\xff\xd8" + b"\xff\xd0" * 300_000,
        b"\xff\xd8\xff\xda\0\2" + b"\xff\0" * 2_000_000,
        b"\x89PNG\r\n\x1a\n" + bytes(4) * 400_000,
        b"GIF89a" + bytes(7) + b"!\xfe" + b"\x01x" * 300_000,
        film() * 2000,
        b"ID3\x04\0\0\0\0\0\x04abcd" + bytes(4_000_000),
        b"BEGIN:VCARD\r\n" + b"\r\n" * 2_000_000,
        b" " * 4_000_000,
    ],
    ids=["fill", "restarts", "stuffing", "PNG", "GIF", "boxes", "padding", "lines", "blanks"],
)
def test_nothing_takes_long(octets: bytes) -> None:
    before = time.process_time()
    with contextlib.suppress(MediaError):
        check(octets)
    assert time.process_time() - before < 2


MANY = 60_000
TOO_MANY = {
    "jpeg": b"\xff\xd8" + b"\xff\xdd\0\2" * MANY + SAMPLES["jpeg"][2:],
    "png": SAMPLES["png"][:33] + chunk(b"tEXt", b"") * MANY + SAMPLES["png"][33:],
    "gif": SAMPLES["gif"][:-1] + b"!\xf9\0" * MANY + b";",
    "the data of a gif": SAMPLES["gif"][:-1] + b"!\xfe" + b"\x01x" * 1_100_000 + b"\0;",
    "mp4": film() + box(b"udta", b"") * MANY,
    "boxes within boxes": film(inside=box(b"trak", box(b"udta", b"") * (MANY // 10)) * 10),
    "wav": wav()[:4] + struct.pack("<I", len(wav()) - 8 + 8 * MANY) + wav()[8:] + b"junk\0\0\0\0" * MANY,
}


@pytest.mark.parametrize("octets", TOO_MANY.values(), ids=TOO_MANY.keys())
def test_what_is_of_too_many_pieces_is_refused(octets: bytes) -> None:
    """They are true otherwise, and a thread that goes through millions of them holds up all others."""
    reason, words = refused(octets)
    assert reason == "media_broken"
    assert "pieces" in words or "too little" in words


def test_what_has_many_pieces_is_taken() -> None:
    many = 20_000
    assert check(SAMPLES["png"][:33] + chunk(b"tEXt", b"") * many + SAMPLES["png"][33:])[0] is KINDS["png"]
    assert check(film() + box(b"moof", b"") * many)[0] is KINDS["mp4"]
    assert check(SAMPLES["gif"][:-1] + b"!\xfe" + b"\xff" + bytes(255) + b"\0" + b";")[0] is KINDS["gif"]


# --- what is private --------------------------------------------------------------------------------------------------


def test_a_jpeg_goes_out_without_its_place_and_with_its_colours() -> None:
    octets = saved(SMALL, "JPEG", exif=located(), comment=b"a secret", icc_profile=b"x" * 200, xmp=b"<x:xmpmeta/>")
    stripped = KINDS["jpeg"].strip(octets)
    before, after = opened(octets), opened(stripped)
    assert before.getexif()
    assert not after.getexif()
    assert after.info.get("icc_profile") == b"x" * 200
    assert not {"comment", "xmp", "exif"} & after.info.keys()
    assert b"A maker" not in stripped
    assert after.tobytes() == before.tobytes()


def test_a_png_goes_out_without_its_texts() -> None:
    plain = SAMPLES["png"]
    octets = plain[:33] + chunk(b"tEXt", b"Place\0Munich") + chunk(b"eXIf", b"MM\0*Munich") + plain[33:]
    assert KINDS["png"].strip(octets) == plain


def test_a_png_that_moves_stands_still() -> None:
    octets = saved(SMALL, "PNG", save_all=True, append_images=[noise(60, 40)])
    assert getattr(opened(octets), "n_frames", 1) == 2
    after = opened(KINDS["png"].strip(octets))
    assert getattr(after, "n_frames", 1) == 1
    assert after.tobytes() == opened(octets).tobytes()


def test_a_gif_goes_out_without_its_comment_and_moves_as_before() -> None:
    octets = animated(3, 40, comment=b"a secret")
    stripped = KINDS["gif"].strip(octets)
    before, after = opened(octets), opened(stripped)
    assert b"a secret" in octets
    assert b"a secret" not in stripped
    assert (after.n_frames, after.info["loop"], after.info["duration"]) == (3, 3, before.info["duration"])  # type: ignore[attr-defined]


def test_a_film_goes_out_without_its_place() -> None:
    place = box(b"udta", box(b"\xa9xyz", b"+48.1372+011.5756/"))
    octets = film(inside=place + box(b"trak", box(b"tkhd", b"kept") + place))
    stripped = KINDS["mp4"].strip(octets)
    assert len(stripped) == len(octets)
    assert b"+48." not in stripped
    assert b"udta" not in stripped
    assert b"kept" in stripped
    assert check(stripped)[0] is KINDS["mp4"]
    assert KINDS["mp4"].strip(film()) == film()


# --- single formats ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "octets",
    [mp3(1), mp3(2), mp3(3, b"x" * 300), mp3(2, b"x")[:11] + bytes(1000) + mp3(2), b"\xff\xf3\x18\xc4" + bytes(32)],
    ids=["one frame", "two", "a tag", "padding", "MPEG 2"],
)
def test_sounds_in_mp3(octets: bytes) -> None:
    assert check(octets, "audio/mp3")[0] is KINDS["mp3"]


def test_sounds_in_wav() -> None:
    assert check(wav(bytes(81)))[0] is KINDS["wav"]
    streamed = wav()[:4] + b"\xff\xff\xff\xff" + wav()[8:40] + b"\xff\xff\xff\xff" + wav()[44:]
    assert check(streamed)[0] is KINDS["wav"]


@pytest.mark.parametrize(
    "octets",
    [vcard(), b"\xef\xbb\xbf" + vcard(), b"\r\n" + vcard().lower(), vcard().replace(b"\r\n", b"\n"), vcard() * 3],
)
def test_contacts(octets: bytes) -> None:
    assert check(octets, "text/x-vCard; charset=utf-8")[0] is KINDS["vcard"]


def test_films_by_their_brands() -> None:
    assert check(film(b"mmp4", ()))[0] is KINDS["mp4"]
    assert check(film(b"abcd", (b"iso6",)))[0] is KINDS["mp4"]
    assert check(film(b"3gr6", ()), "video/mp4")[0] is KINDS["3gp"]
    assert check(film() + struct.pack(">I4s", 0, b"mdat") + b"to the end")[0] is KINDS["mp4"]
    assert check(film() + struct.pack(">I4sQ", 1, b"mdat", 20) + bytes(4))[0] is KINDS["mp4"]


# --- names and headers ------------------------------------------------------------------------------------------------


def test_names_of_files() -> None:
    assert [file_name(kind, 3) for kind in KINDS.values()] == [
        *("image3.jpg", "image3.png", "image3.gif", "video3.mp4", "video3.3gp"),
        *("audio3.wav", "document3.pdf", "contact3.vcf", "audio3.mp3"),
    ]


def test_no_browser_takes_a_medium_for_a_page() -> None:
    for kind in KINDS.values():
        headers = serving_headers(kind)
        assert headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in headers["content-security-policy"]
        assert headers["content-type"] == kind.type
    assert serving_headers(KINDS["pdf"])["content-disposition"] == 'attachment; filename="document.pdf"'
    assert serving_headers(KINDS["jpeg"])["content-disposition"] == 'inline; filename="image.jpg"'


def test_pillow_is_imported_when_a_picture_comes() -> None:
    code = "import sys, messagehub.media, messagehub.mms; sys.exit('PIL' in sys.modules or 'lxml' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
