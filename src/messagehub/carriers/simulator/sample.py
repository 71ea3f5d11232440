"""A picture to send, for those who have none at hand: as large as one of a camera, and made anew each time."""

import io
from functools import cache

SIZE = (3000, 2000)
SKY, SEA, SUN = (116, 170, 220), (28, 70, 120), (250, 214, 110)


@cache
def picture() -> bytes:
    """A JPEG of a sun above the sea, of some megabytes. It takes a moment, so it is called in a thread."""
    from PIL import Image, ImageDraw

    width, height = SIZE
    image = Image.new("RGB", SIZE, SKY)
    draw = ImageDraw.Draw(image)
    draw.ellipse((width * 2 // 3, height // 8, width * 2 // 3 + height // 4, height * 3 // 8), fill=SUN)
    draw.rectangle((0, height * 3 // 5, width, height), fill=SEA)
    grain = Image.merge("RGB", [Image.effect_noise(SIZE, 60) for _ in range(3)])
    out = io.BytesIO()
    Image.blend(image, grain, 0.12).save(out, "JPEG", quality=90)
    return out.getvalue()
