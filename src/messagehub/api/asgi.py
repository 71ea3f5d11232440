"""The ASGI application: every endpoint at its path."""

import msgspec
from starlette.routing import Route, Router
from starlette.types import Receive, Scope, Send

from messagehub.api import (
    accesskeys,
    carriers,
    customers,
    health,
    logins,
    me,
    messages,
    metrics,
    numbers,
    openapi,
    routes,
    traces,
)
from messagehub.api.answers import CORS, Resource, refuse, request_id_of, respond
from messagehub.api.endpoint import Endpoint
from messagehub.api.services import Services
from messagehub.errors import Refusal

BASE = "/v1.0"
API = [
    *messages.ENDPOINTS,
    *traces.ENDPOINTS,
    *logins.ENDPOINTS,
    *me.ENDPOINTS,
    *accesskeys.ENDPOINTS,
    *customers.ENDPOINTS,
    *numbers.ENDPOINTS,
    *carriers.ENDPOINTS,
    *routes.ENDPOINTS,
]
ROOT = [*logins.ENDPOINTS, *health.ENDPOINTS]
ENDPOINTS = [*((BASE, endpoint) for endpoint in API), *(("", endpoint) for endpoint in ROOT)]


FRONT_PAGE = f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>messagehub</title>
<style>body {{ font: 1rem/1.5 system-ui; max-width: 40rem; margin: 4rem auto; padding: 0 1rem }}</style>
<h1>messagehub</h1>
<p>The API is at <code>{BASE}</code>. Send an access key with each request:
<code>Authorization: Bearer …</code>, or <code>?accesskey=…</code>.</p>
<ul>
<li><a href="/openapi.json">openapi.json</a>: every endpoint, what it takes and what it answers
<li><a href="/healthz">healthz</a>: the process lives
<li><a href="/readyz">readyz</a>: the store can be written
</ul>
</html>
"""


class Application:
    """Messages are what nearly all requests are about, so their path is looked at before the others."""

    def __init__(self, services: Services) -> None:
        paths: dict[str, list[Endpoint]] = {}
        endpoints = [*ENDPOINTS, *(("", endpoint) for endpoint in metrics.endpoints(services))]
        for base, endpoint in endpoints:
            paths.setdefault(base + endpoint.path, []).append(endpoint)
        resources = {path: Resource(services, rows) for path, rows in paths.items()}
        self._first_path = BASE + "/messages"
        self._first = resources[self._first_path]
        documented = openapi.document(endpoints)
        self._router = Router(
            [Route(path, endpoint=resource) for path, resource in resources.items()]
            + [
                Route("/openapi.json", endpoint=_Fixed(msgspec.json.encode(documented), b"application/json")),
                Route("/", endpoint=_Fixed(FRONT_PAGE.encode(), b"text/html; charset=utf-8")),
            ],
            redirect_slashes=False,
            default=_not_found,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        if scope["path"] == self._first_path:
            await self._first(scope, receive, send)
        else:
            await self._router(scope, receive, send)


class _Fixed:
    """A document that does not change."""

    def __init__(self, body: bytes, kind: bytes) -> None:
        self._body, self._head = body, [(b"content-type", kind), *CORS]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = request_id_of(dict(scope["headers"]))
        if scope["method"] != "GET":
            await refuse(
                send, Refusal("METHOD_NOT_ALLOWED", f"{scope['method']}: this path answers to GET"), request_id, "GET"
            )
        else:
            await respond(send, 200, self._body, request_id, head=self._head)


async def _not_found(scope: Scope, receive: Receive, send: Send) -> None:
    refusal = Refusal("PATH_NOT_FOUND", f"{scope['path']}: there is nothing here; the API begins at {BASE}")
    await refuse(send, refusal, request_id_of(dict(scope["headers"])))
