"""What a medium says of itself, before anything in it is decoded."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shape:
    """Pixels of a picture and how many pictures it has one after the other; all are 0 in what is no picture."""

    width: int = 0
    height: int = 0
    frames: int = 0

    @property
    def pixels(self) -> int:
        """Of one frame."""
        return self.width * self.height


NOTHING = Shape()
