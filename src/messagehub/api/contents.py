"""Media as they are fetched from outside: by carriers, handsets and browsers, with a signed address and no key.

Nothing of them is taken for a page of ours, and parts can be asked for (RFC 9110, section 14), as players do.
"""

import re
from collections.abc import Mapping

from starlette.types import Receive, Scope, Send

from messagehub import clock
from messagehub.api import replies
from messagehub.api.callers import caller_address
from messagehub.api.cycle import FILE, lines
from messagehub.api.endpoint import read_query
from messagehub.api.representation import Header, matches
from messagehub.api.services import Services
from messagehub.blobs import Missing
from messagehub.errors import Refusal
from messagehub.media import addresses, serving_headers
from messagehub.media.kinds import KINDS, sniff
from messagehub.published import PATH, SHORT_PATH
from messagehub.store import FOR_CALLER

ALLOW = "GET, HEAD, OPTIONS"
BY_DIGEST, BY_CODE = PATH + "{digest}", SHORT_PATH + "{code}"
LOOKED_AT = 64 * 1024
"""Octets by which a format is known."""

KEPT = (b"cache-control", b"private, max-age=3600, immutable")
PARTS = (b"accept-ranges", b"bytes")
UNKNOWN = {
    **serving_headers(KINDS["pdf"]),
    "content-type": "application/octet-stream",
    "content-disposition": "attachment",
}
_RANGE = re.compile(rb"bytes=(\d{0,18})-(\d{0,18})")


class Contents:
    """An ASGI callable for `/media/{digest}` and `/m/{code}`."""

    def __init__(self, services: Services) -> None:
        self._blobs, self._published, self._links = services.blobs, services.published, services.links
        self._limit = services.limits.address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        request_id = replies.request_id_of(headers)
        FOR_CALLER.set(True)
        if scope["method"] == "OPTIONS":
            return await replies.preflight(send, request_id, ALLOW)
        try:
            if scope["method"] not in replies.READS:
                raise replies.wrong_method(scope["method"], ALLOW)
            if self._limit:
                self._limit.check(caller_address(scope, headers), clock.now())
            if scope["method"] == "HEAD":
                headers.pop(b"range", None)  # it is for GET alone: RFC 9110, 14.2
            await self._answer(await self._digest(scope, clock.now()), headers, request_id, send)
        except Exception as error:
            await replies.refuse(send, error, request_id, ALLOW)
        return None

    async def _digest(self, scope: Scope, now: int) -> str:
        given: Mapping[str, str] = scope["path_params"]
        if code := given.get("code"):
            scope["path"] = BY_CODE  # whoever knows the code can read the content, so no log has it
            digest = await self._links.find(code, now)
            if digest is None:
                raise Refusal("RESOURCE_NOT_FOUND", "there is no such link")
        else:
            asked, token = given["digest"], read_query(scope["query_string"]).get("token", "")
            if not addresses.is_digest(asked):
                raise Refusal("RESOURCE_NOT_FOUND", "there is no such medium")
            digest = asked if self._published.is_valid(asked, token, now) else ""
        if not digest:
            raise Refusal("MEDIA_ADDRESS_EXPIRED", "the address is not as it was given, or its time is over")
        return digest

    async def _answer(self, digest: str, headers: dict[bytes, bytes], request_id: bytes, send: Send) -> None:
        try:
            size, first = await self._blobs.look(digest, LOOKED_AT)
        except Missing:
            raise Refusal("RESOURCE_NOT_FOUND", "the medium is not kept any more") from None
        tag = b'"%s"' % digest.encode()
        head: list[Header] = [KEPT, PARTS, (b"etag", tag)]
        if matches(headers.get(b"if-none-match", b""), tag):
            return await replies.respond(send, 304, b"", request_id, head, lines(replies.CORS))
        asked = headers.get(b"range", b"") if headers.get(b"if-range", tag) == tag else b""
        try:
            start, length = part_of(asked, size)
        except Refusal as refusal:
            status, words, _ = replies.envelope(refusal, request_id)
            there = [(b"content-range", b"bytes */%d" % size)]
            return await replies.respond(send, status, words, request_id, there)
        status = 200
        if length < size:
            status = 206
            head.append((b"content-range", b"bytes %d-%d/%d" % (start, start + length - 1, size)))
        head += [*_described(first), *replies.CORS, (b"content-length", b"%d" % length)]
        body = {"path": str(self._blobs.path(digest)), "start": start, "length": length}
        said = {"lines": replies.head(b"", request_id, head), "request_id": request_id, "closes": False}
        await send({"type": FILE, "status": status, **said, **body})
        return None


def _described(first: bytes) -> list[Header]:
    """The headers for a content that begins so. The sound of an MP3 may begin far behind its tag."""
    kind = sniff(first) or sniff(first[:3])
    return [(name.encode(), value.encode()) for name, value in (serving_headers(kind) if kind else UNKNOWN).items()]


def part_of(asked: bytes, size: int) -> tuple[int, int]:
    """Where the part that a Range asks for begins, and how long it is; the whole where it asks for several, or cannot
    be read (RFC 9110, section 14.2). Refusal where it is outside of what there is."""
    match = _RANGE.fullmatch(asked.replace(b" ", b"").lower())
    if not match or match[1] == match[2] == b"":
        return 0, size
    first, last = match[1], match[2]
    if first and last and int(last) < int(first):
        return 0, size
    start = int(first) if first else max(0, size - int(last))
    end = min(int(last) + 1, size) if first and last else size
    if start >= size:
        raise Refusal("INVALID_RANGE", f"Range: the medium has {size} octets")
    return start, end - start
