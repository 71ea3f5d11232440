"""Requests that carriers make of us over HTTP, and what they are answered."""

from collections.abc import Mapping

from msgspec import Struct, field


class Callback(Struct, frozen=True):
    """`path` is what stands behind the carrier's own address, mostly nothing; `url` the whole of what was asked for, as
    the carrier wrote it; `headers` by lower-case names; `origin` the address that it comes from."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    url: str
    origin: str


class Reply(Struct, frozen=True):
    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


NOTHING_HERE = Reply(404, b"this carrier makes no requests\n", {"content-type": "text/plain"})
