"""Media of all nine formats, tiny and true, made by hand or by Pillow."""

import io
import struct
import zlib
from collections.abc import Sequence
from typing import Any

from PIL import Image
from PIL.Image import Quantize, Resampling

GPS = 0x8825
ORIENTATION = 0x0112


def noise(width: int, height: int) -> Image.Image:
    """A picture that cannot be made much smaller."""
    bands = [Image.effect_noise((width, height), 80) for _ in range(3)]
    return Image.merge("RGB", bands)


def photo(width: int, height: int) -> Image.Image:
    """A picture as of a camera: soft, with some grain."""
    soft = noise(width // 50 + 2, height // 50 + 2).resize((width, height), Resampling.BICUBIC)
    grain = noise(width // 3 + 1, height // 3 + 1).resize((width, height), Resampling.NEAREST)
    return Image.blend(soft, grain, 0.05)


def saved(image: Image.Image, form: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def opened(octets: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(octets))
    image.load()
    return image


def located(orientation: int = 1) -> Image.Exif:
    """EXIF with an orientation and a place."""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    exif[0x010F] = "A maker of telephones"
    exif.get_ifd(GPS).update({1: "N", 2: (48.0, 8.0, 14.0), 3: "E", 4: (11.0, 34.0, 31.0)})
    return exif


def animated(count: int, size: int, **options: Any) -> bytes:
    """A GIF of frames that all differ."""
    frames = [noise(size, size).quantize(64, Quantize.FASTOCTREE) for _ in range(count)]
    return saved(
        frames[0], "GIF", save_all=True, append_images=frames[1:], duration=list(range(50, 50 + 10 * count, 10)),
        loop=3, **options,
    )  # fmt: skip


def box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), name) + content


def film(brand: bytes = b"isom", compatible: Sequence[bytes] = (b"mp42",), inside: bytes = b"") -> bytes:
    head = box(b"ftyp", brand + bytes(4) + b"".join(compatible))
    return head + box(b"moov", box(b"mvhd", bytes(100)) + inside) + box(b"mdat", bytes(range(64)))


def mp3(frames: int = 3, tag: bytes = b"") -> bytes:
    """MPEG 1 layer III, 32 kbit/s, 44.1 kHz: frames of 104 octets."""
    id3 = b"ID3\x04\0\0" + bytes((0, 0, len(tag) >> 7, len(tag) & 0x7F)) + tag if tag else b""
    return id3 + (b"\xff\xfb\x10\xc4" + bytes(100)) * frames


def wav(octets: bytes = bytes(80)) -> bytes:
    chunks = (
        b"fmt "
        + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 8000, 1, 8)
        + b"data"
        + struct.pack("<I", len(octets))
        + octets
    )
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def pdf() -> bytes:
    return b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\nstartxref\n0\n%%EOF\n"


def vcard() -> bytes:
    return "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Zoë\r\nTEL:+15551234567\r\nEND:VCARD\r\n".encode()


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png_of(width: int, height: int, rows: bytes) -> bytes:
    """A PNG of one bit a pixel that says it has this size."""
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


SMALL = photo(60, 40)
SAMPLES: dict[str, bytes] = {
    "jpeg": saved(SMALL, "JPEG"),
    "png": saved(SMALL, "PNG"),
    "gif": saved(SMALL.quantize(32), "GIF"),
    "mp4": film(),
    "3gp": film(b"3gp5", (b"isom",)),
    "mp3": mp3(tag=b"TIT2"),
    "wav": wav(),
    "pdf": pdf(),
    "vcard": vcard(),
}
