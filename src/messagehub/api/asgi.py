"""The ASGI application: every endpoint at its path."""

from collections.abc import Awaitable

from starlette.types import ASGIApp, Receive, Scope, Send

from messagehub.api import (
    accesskeys,
    activeflows,
    carriers,
    consents,
    contacts,
    conversations,
    customers,
    documents,
    flows,
    health,
    logins,
    me,
    media,
    messages,
    metrics,
    numbers,
    opt_outs,
    routes,
    segment_limits,
    sender_pools,
    senders,
    traces,
    webhooks,
)
from messagehub.api.answers import Resource
from messagehub.api.callbacks import ANYWHERE, Callbacks
from messagehub.api.contents import BY_CODE, BY_DIGEST, Contents
from messagehub.api.documents import Document
from messagehub.api.endpoint import Endpoint
from messagehub.api.paths import Paths
from messagehub.api.replies import refuse, request_id_of
from messagehub.api.services import Services
from messagehub.errors import Refusal

BASE = "/v1.0"
MESSAGES = f"{BASE}/messages"
API = [
    *messages.ENDPOINTS,
    *traces.ENDPOINTS,
    *media.ENDPOINTS,
    *conversations.ENDPOINTS,
    *logins.ENDPOINTS,
    *me.ENDPOINTS,
    *accesskeys.ENDPOINTS,
    *customers.ENDPOINTS,
    *webhooks.ENDPOINTS,
    *numbers.ENDPOINTS,
    *opt_outs.ENDPOINTS,
    *consents.ENDPOINTS,
    *contacts.ENDPOINTS,
    *flows.ENDPOINTS,
    *activeflows.ENDPOINTS,
    *carriers.ENDPOINTS,
    *routes.ENDPOINTS,
    *segment_limits.ENDPOINTS,
    *senders.ENDPOINTS,
    *sender_pools.ENDPOINTS,
]
ROOT = [*logins.ENDPOINTS, *health.ENDPOINTS]
ENDPOINTS = [*((BASE, endpoint) for endpoint in API), *(("", endpoint) for endpoint in ROOT)]
OF_WORKER = [("", endpoint) for endpoint in health.ENDPOINTS]


class Application:
    def __init__(self, services: Services) -> None:
        paths: dict[str, list[Endpoint]] = {}
        own = OF_WORKER if services.role == "worker" else ENDPOINTS
        endpoints = [*own, *(("", endpoint) for endpoint in metrics.endpoints(services))]
        for base, endpoint in endpoints:
            paths.setdefault(base + endpoint.path, []).append(endpoint)
        resources: dict[str, ASGIApp] = {path: Resource(services, rows) for path, rows in paths.items()}
        if services.role != "worker":
            resources["/"] = Document(lambda: documents.front_page(BASE))
            resources["/openapi.json"] = Document(lambda: documents.openapi(endpoints))
            resources[BY_DIGEST] = resources[BY_CODE] = Contents(services)
            resources["/docs"] = Document(lambda: documents.docs(endpoints))
        self._elsewhere = _not_of_a_worker if services.role == "worker" else _not_found
        self._paths = Paths(resources | dict.fromkeys(ANYWHERE, Callbacks(services)))

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """For the scopes of HTTP."""
        found, scope["path_params"] = self._paths.find(scope["path"])
        return (found or self._elsewhere)(scope, receive, send)


async def _not_found(scope: Scope, receive: Receive, send: Send) -> None:
    await _refuse(scope, send, f"there is nothing here; the API begins at {BASE}")


async def _not_of_a_worker(scope: Scope, receive: Receive, send: Send) -> None:
    await _refuse(scope, send, "this process is a worker; those of role `api` or `all` have the API")


async def _refuse(scope: Scope, send: Send, words: str) -> None:
    refusal = Refusal("PATH_NOT_FOUND", f"{scope['path']}: {words}")
    await refuse(send, refusal, request_id_of(dict(scope["headers"])))
