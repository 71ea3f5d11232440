"""What does not change while the server runs: the front page, openapi.json. Made when it is first asked for."""

from collections.abc import Callable, Iterable
from functools import cached_property

import msgspec
from starlette.types import Receive, Scope, Send

from messagehub.api import answers
from messagehub.api.endpoint import Endpoint
from messagehub.api.openapi import document
from messagehub.api.representation import Fixed, Header

ALLOW = "GET, HEAD, OPTIONS"
POLICY = b"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
HTML: list[Header] = [(b"content-type", b"text/html; charset=utf-8"), (b"content-security-policy", POLICY)]
JSON: list[Header] = [(b"content-type", b"application/json")]
KEPT: list[Header] = [(b"cache-control", b"no-cache"), (b"x-content-type-options", b"nosniff"), *answers.CORS]
"""Caches may keep it, and ask each time whether it is still the same: after an update it is another."""

FRONT_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>messagehub</title>
<style>body {{ font: 1rem/1.5 system-ui; max-width: 40rem; margin: 4rem auto; padding: 0 1rem }}</style>
<h1>messagehub</h1>
<p>The API is at <code>{base}</code>. Send an access key with each request:
<code>Authorization: Bearer …</code>, or <code>?accesskey=…</code>.</p>
<ul>
<li><a href="/openapi.json">openapi.json</a>: every endpoint, what it takes and what it answers
<li><a href="/healthz">healthz</a>: the process lives
<li><a href="/readyz">readyz</a>: the store can be written
</ul>
</html>
"""


def front_page(base: str) -> bytes:
    return FRONT_PAGE.format(base=base).encode()


def openapi(endpoints: Iterable[tuple[str, Endpoint]]) -> bytes:
    return msgspec.json.encode(document(endpoints))


class Document:
    """An ASGI callable for octets that do not change."""

    def __init__(self, make: Callable[[], bytes], head: list[Header]) -> None:
        self._make, self._head = make, [*head, *KEPT]

    @cached_property
    def _fixed(self) -> Fixed:
        return Fixed(self._make())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        request_id = answers.request_id_of(headers)
        method = scope["method"]
        if method == "OPTIONS":
            await answers.preflight(send, request_id, ALLOW)
        elif method in answers.READS:
            status, body, more = self._fixed.represent(headers)
            await answers.respond(send, status, body, request_id, more, self._head)
        else:
            await answers.refuse(send, answers.wrong_method(method, ALLOW), request_id, ALLOW)
