"""Frames on a link between two of our processes.

On the wire: four octets with the length of what follows, big-endian, then a msgpack array of frames.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from messagehub.errors import HubError

LENGTH = 4
MAX_BATCH = 64 * 1024 * 1024
"""Octets of a batch, where nobody says otherwise."""

_encode = msgspec.msgpack.Encoder().encode


class BadLink(HubError):
    """What came over the link is no batch of frames."""


def batch(frames: Sequence[Any]) -> bytes:
    """Frames as they stand on the wire."""
    octets = _encode(frames)
    return len(octets).to_bytes(LENGTH, "big") + octets


class Batches:
    """Octets in, in whatever pieces; batches of frames of `kind` out. BadLink for what is none.

    `most`: octets of a batch.
    """

    def __init__(self, kind: Any, most: int = MAX_BATCH) -> None:
        self._most = most
        self._decode = msgspec.msgpack.Decoder(list[kind]).decode
        self._pieces: list[bytes] = []
        self._held = 0
        self._wanted = LENGTH

    def feed(self, data: bytes) -> Iterator[list[Any]]:
        if self._pieces:
            self._held += len(data)
            self._pieces.append(data)
            if self._held < self._wanted:
                return
            data = b"".join(self._pieces)
            self._pieces.clear()
        view, at = memoryview(data), 0
        while (end := self._end(data, at)) <= len(data):
            yield self._decoded(view[at + LENGTH : end])
            at = end
        if at < len(data):
            self._pieces.append(data[at:])
        self._held, self._wanted = len(data) - at, end - at

    def _end(self, data: bytes, at: int) -> int:
        """Where the batch ends that begins at `at`, or, where even that is not known yet, its length."""
        if len(data) - at < LENGTH:
            return max(at + LENGTH, len(data) + 1)
        length = int.from_bytes(data[at : at + LENGTH], "big")
        if length > self._most:
            raise BadLink(f"a batch of {length} octets")
        return at + LENGTH + length

    def _decoded(self, octets: memoryview) -> list[Any]:
        try:
            return self._decode(octets)
        except msgspec.DecodeError as error:
            raise BadLink(f"no frames: {error}") from None
