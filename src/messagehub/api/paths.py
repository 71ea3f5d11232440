"""Which application is at a path. `{id}` in a path stands for one segment, `{rest:path}` for all that follows."""

from collections.abc import Mapping, Sequence

from msgspec import Struct, field
from starlette.types import ASGIApp

REST = ":path"

End = tuple[ASGIApp, Sequence[str]]
"""An application, and what the placeholders before it are called."""


class _Place(Struct):
    """Where paths go on that have begun alike."""

    named: dict[str, "_Place"] = field(default_factory=dict)
    any: "_Place | None" = None
    rest: End | None = None
    end: End | None = None


class Paths:
    def __init__(self, applications: Mapping[str, ASGIApp]) -> None:
        self._exact = {path: found for path, found in applications.items() if "{" not in path}
        self._root = _Place()
        for path, found in applications.items():
            if path not in self._exact:
                self._add(path.split("/"), found)

    def _add(self, segments: Sequence[str], application: ASGIApp) -> None:
        place, names = self._root, []
        for segment in segments:
            if segment[:1] != "{":
                place = place.named.setdefault(segment, _Place())
                continue
            names.append(segment[1:-1].removesuffix(REST))
            if segment.endswith(REST + "}"):
                place.rest = application, names
                return
            place.any = place = place.any or _Place()
        place.end = application, names

    def find(self, path: str) -> tuple[ASGIApp | None, dict[str, str]]:
        """The application, if there is one, and what stands in the place of its placeholders.

        A path without any is looked up, and never searched for: most are such.
        """
        if found := self._exact.get(path):
            return found, {}
        given: list[str] = []
        if end := _end(self._root, path.split("/"), 0, given):
            return end[0], dict(zip(end[1], given, strict=True))
        return None, {}


def _end(place: _Place, segments: Sequence[str], at: int, given: list[str]) -> End | None:
    """A segment that is named goes before one that may be any."""
    if at == len(segments):
        return place.end
    segment = segments[at]
    if (named := place.named.get(segment)) and (end := _end(named, segments, at + 1, given)):
        return end
    if place.any and segment:
        given.append(segment)
        if end := _end(place.any, segments, at + 1, given):
            return end
        given.pop()
    if place.rest:
        given.append("/".join(segments[at:]))
    return place.rest
