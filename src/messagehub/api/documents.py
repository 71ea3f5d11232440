"""What does not change while the server runs: the front page, openapi.json, the page of the API.

Each is made when it is first asked for, compressed and tagged once, and kept.
"""

from collections.abc import Callable, Iterable
from functools import cached_property

import msgspec
from starlette.types import Receive, Scope, Send

from messagehub.api import replies
from messagehub.api.cycle import lines
from messagehub.api.openapi import Placed, document
from messagehub.api.representation import Fixed, Header

Content = tuple[bytes, list[Header]]
"""The body of a document, and the headers that are its own."""

ALLOW = "GET, HEAD, OPTIONS"
POLICY = (
    b"default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    b"frame-ancestors 'none'"
)
KEPT = lines([(b"cache-control", b"no-cache"), (b"x-content-type-options", b"nosniff"), *replies.CORS])
"""Caches may keep it, and ask each time whether it is still the same: after an update it is another."""

FRONT_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>messagehub</title>
<style>body {{ font: 1rem/1.5 system-ui; max-width: 40rem; margin: 4rem auto; padding: 0 1rem }}</style>
<h1>messagehub</h1>
<p>The API is at <code>{base}</code>. Send an access key with each request:
<code>Authorization: Bearer …</code>, or <code>?token=…</code>.</p>
<ul>
<li><a href="/docs">docs</a>: every endpoint, what it takes and what it answers, to read and to try
<li><a href="/openapi.json">openapi.json</a>: the same for programs
<li><a href="/healthz">healthz</a>: the process lives
<li><a href="/readyz">readyz</a>: the store can be written
</ul>
</html>
"""


def front_page(base: str) -> Content:
    return FRONT_PAGE.format(base=base).encode(), _html(POLICY)


def openapi(endpoints: Iterable[Placed]) -> Content:
    return msgspec.json.encode(document(endpoints)), [(b"content-type", b"application/json")]


def docs(endpoints: Iterable[Placed]) -> Content:
    from messagehub.api.docs.page import page

    body, policy = page(document(endpoints))
    return body, _html(policy)


def _html(policy: bytes) -> list[Header]:
    return [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-security-policy", policy),
        (b"referrer-policy", b"no-referrer"),
    ]


class Document:
    """An ASGI callable for octets that do not change."""

    def __init__(self, make: Callable[[], Content]) -> None:
        self._make = make

    @cached_property
    def _made(self) -> tuple[Fixed, bytes]:
        body, head = self._make()
        return Fixed(body), lines(head) + KEPT

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        request_id = replies.request_id_of(headers)
        method = scope["method"]
        if method == "OPTIONS":
            await replies.preflight(send, request_id, ALLOW)
        elif method in replies.READS:
            fixed, head = self._made
            status, body, more = fixed.represent(headers)
            await replies.respond(send, status, body, request_id, more, head)
        else:
            await replies.refuse(send, replies.wrong_method(method, ALLOW), request_id, ALLOW)
