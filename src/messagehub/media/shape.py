"""What a medium says of itself, before anything in it is decoded."""

from msgspec import Struct


class Shape(Struct, frozen=True):
    """Pixels of a picture as it is stored, and how many it has one after the other; 0 in what is no picture.

    `orientation` is that of EXIF: 1 is upright.
    """

    width: int = 0
    height: int = 0
    frames: int = 0
    orientation: int = 1

    @property
    def pixels(self) -> int:
        """Of one frame."""
        return self.width * self.height


NOTHING = Shape()
