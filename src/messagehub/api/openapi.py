"""openapi.json (OpenAPI 3.1), printed from the table of endpoints and the shapes."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from messagehub import __version__, shapes
from messagehub.api import schemas
from messagehub.api.endpoint import CSV, Endpoint, File, Parameter, Who
from messagehub.errors import REASONS

EVERYWHERE = ("MALFORMED_REQUEST", "HEADERS_TOO_LARGE", "REQUEST_TIMEOUT", "INTERNAL", "SERVICE_UNAVAILABLE")
WITH_KEY = ("AUTHENTICATION_REQUIRED", "INVALID_CREDENTIALS")
WITH_LIMIT = ("RATE_LIMIT_EXCEEDED",)
WITH_QUERY = ("INVALID_REQUEST_PARAMETER",)
WITH_BODY = ("INVALID_JSON_BODY", "INVALID_ARGUMENT", "NOT_JSON", "BODY_TOO_LARGE")
WITH_CSV = ("INVALID_ARGUMENT", "NOT_CSV", "BODY_TOO_LARGE")
WITH_FILE = ("INVALID_UPLOAD", "NOT_MULTIPART", "MEDIA_TOO_LARGE")
WITH_ID = ("PATH_NOT_FOUND",)
OF_BODY: dict[type, tuple[str, ...]] = {CSV: WITH_CSV, File: WITH_FILE}
PLAIN: dict[type | None, dict[str, Any]] = {
    CSV: {"text/csv": {"schema": schemas.CSV}},
    File: {"multipart/form-data": {"schema": schemas.FILE}},
}
"""The content of bodies that are no JSON."""

WITH_IDEMPOTENCY_KEY = ("INVALID_IDEMPOTENCY_KEY", "IDEMPOTENCY_KEY_REUSED")

DESCRIPTION = """\
Send SMS and MMS, receive them, and be told by webhook of all that happens.

Every success is 200 with a body; every failure is the same envelope, whose `reason` is for programs and whose
`message` names the member and says what would be right. Every answer has an `X-Request-Id`: the one that was sent, if
it is of 1 to 64 characters of `A-Z a-z 0-9 _ -`, else a new one.
"""

NOUNS = {  # the first word of a path: which noun it is about
    "customer": "customers",
    "healthz": "operation",
    "readyz": "operation",
    "metrics": "operation",
}
TAGS = {
    "messages": "What is sent and what comes in. A message has one or more targets, each with a status of its own.",
    "media": "Pictures, sounds, films and documents that you upload, to be sent with messages.",
    "conversations": "What was said between a number and somebody, both ways, as one thread.",
    "customers": "Who sends, owns numbers, and is told by webhook.",
    "accesskeys": "Who may act for a customer, and until when.",
    "auth": "A token for a name and a password.",
    "me": "Who it is that asks.",
    "webhook_deliveries": "What was told to webhooks, and how it went.",
    "numbers": "The addresses that customers send from and receive at.",
    "opt_outs": "Who wants no messages, what was said of it, and what is to be looked at by people.",
    "consents": "Who has agreed to get marketing, when and how.",
    "contacts": "What you know of people besides their numbers.",
    "flows": "What answers messages: lists of actions.",
    "activeflows": "Flows that run, or have run.",
    "carriers": "Who takes messages to the telephone networks, and what becomes of the connections to them.",
    "routes": "Which carrier a message goes to, by its destination.",
    "operation": "Whether the server lives and can work.",
}

SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An access key or a token; the best place for it."},
    "token": {"type": "apiKey", "in": "query", "name": "token", "description": "An access key or a token."},
    "accesskey": {"type": "apiKey", "in": "query", "name": "accesskey", "description": "The same as `token`."},
}

Placed = tuple[str, Endpoint]
"""An endpoint and the base of its path."""


def _header(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "required": True, "schema": schema}


HEADERS = {
    "X-Request-Id": _header(
        "Names the request in the server's log.", {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"}
    ),
    "ETag": _header("Names the answer; send it as `If-None-Match` to hear of changes only.", {"type": "string"}),
    "Idempotent-Replayed": {
        "description": "`true` where the same request had this answer before, and nothing was done now.",
        "schema": {"const": "true"},
    },
    "Retry-After": _header("In how many seconds it is worth trying again.", {"type": "integer", "minimum": 0}),
    "Allow": _header("The methods that the path answers to.", {"type": "string"}),
    "WWW-Authenticate": _header("How to say who calls.", {"type": "string"}),
}
OF_STATUS = {  # headers besides X-Request-Id
    401: ("WWW-Authenticate",),
    405: ("Allow",),
    429: ("Retry-After",),
    503: ("Retry-After",),
}
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "A name of yours for it. Within 24 hours the same again does nothing and has the same answer.",
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
}
IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The `ETag` of an answer that you have. If it is still the same, the answer is 304 without a body.",
    "schema": {"type": "string"},
}


def document(endpoints: Iterable[Placed]) -> dict[str, Any]:
    placed = list(endpoints)
    rows = [row for _, row in placed]
    of, components = schemas.schemas(
        [row.takes for row in rows if row.takes and row.takes not in (CSV, File)],
        [*(row.gives for row in rows), shapes.Error],
    )
    printer = _Printer(placed, of)
    paths: dict[str, dict[str, Any]] = {}
    for base, row in placed:
        paths.setdefault(base + row.path, {})[row.method.lower()] = printer.operation(base, row)
    return {
        "openapi": "3.1.0",
        "info": {"title": "messagehub", "version": __version__, "description": DESCRIPTION},
        "tags": [{"name": name, "description": TAGS.get(name, "")} for name in dict.fromkeys(map(noun, rows))],
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": printer.refusals,
            "headers": HEADERS,
            "securitySchemes": SCHEMES,
        },
    }


class _Printer:
    def __init__(self, placed: list[Placed], of: dict[Any, Any]) -> None:
        self._placed, self._of = placed, of
        self.refusals: dict[str, dict[str, Any]] = {}
        """Endpoints that refuse alike share a component."""
        self._names: dict[tuple[int, tuple[str, ...]], str] = {}

    def operation(self, base: str, row: Endpoint) -> dict[str, Any]:
        operation: dict[str, Any] = {
            "summary": row.summary,
            "operationId": _name(base, row),
            "tags": [noun(row)],
            "parameters": list(_parameters(row)),
            "responses": self._responses(base, row),
            "security": [] if row.who is Who.ANYBODY else [{name: []} for name in SCHEMES],
            "x-who": row.who.value,
        }
        if row.detail:
            operation["description"] = row.detail
        if row.takes:
            operation["requestBody"] = self._body(row)
        return operation

    def _body(self, row: Endpoint) -> dict[str, Any]:
        if row.takes in PLAIN:
            return {"required": True, "content": PLAIN[row.takes]}
        content: dict[str, Any] = {"schema": self._of[row.takes]}
        if row.example is not None:
            content["examples"] = {"usual": {"value": row.example}}
        return {"required": True, "content": {"application/json": content}}

    def _responses(self, base: str, row: Endpoint) -> dict[str, Any]:
        names = ["X-Request-Id"]
        names += ["ETag"] if is_conditional(row) else ["Idempotent-Replayed"] if row.takes_key else []
        good = _content("The answer.", self._of[row.gives], names, row.content)
        if links := dict(self._links(row)):
            good["links"] = links
        responses: dict[str, Any] = {"200": good}
        if is_conditional(row):
            responses["304"] = {"description": "It is what you have.", "headers": _headers(names)}
        by_status: dict[int, list[str]] = {}
        for name in [*reasons_of(row), *self._reasons_of_place(base, row)]:
            by_status.setdefault(REASONS[name].http, []).append(name)
        return responses | {str(http): self._refusal(http, tuple(names)) for http, names in sorted(by_status.items())}

    def _links(self, row: Endpoint) -> Iterator[tuple[str, Any]]:
        """From the answer that has a new thing's id to all that can be done with it."""
        if row.method == "POST" and "{" not in row.path:
            for base, other in self._placed:
                if other.path.startswith(row.path + "/{id}"):
                    name = _name(base, other)
                    yield name, {"operationId": name, "parameters": {"path.id": "$response.body#/id"}}

    def _reasons_of_place(self, base: str, row: Endpoint) -> Iterator[str]:
        """Where another path is longer by a word that could stand for an id, the word wins, with its own methods."""
        pattern = re.escape(row.path).replace(r"\{id\}", "[^/]+")
        if "{id}" in row.path:
            others = [other for _, other in self._placed if "{" not in other.path and re.fullmatch(pattern, other.path)]
            if others and row.method not in {other.method for other in others}:
                yield "METHOD_NOT_ALLOWED"

    def _refusal(self, http: int, names: tuple[str, ...]) -> dict[str, Any]:
        if (http, names) not in self._names:
            number = sum(status == http for status, _ in self._names)
            name = f"Error{http}" + (f"_{number + 1}" if number else "")
            self._names[http, names] = name
            self.refusals[name] = _refusal(http, names, self._of[shapes.Error])
        return {"$ref": f"#/components/responses/{self._names[http, names]}"}


def noun(row: Endpoint) -> str:
    first = row.path.split("/")[1]
    return NOUNS.get(first, first)


def is_conditional(row: Endpoint) -> bool:
    return row.method == "GET" and not row.is_plain


def reasons_of(row: Endpoint) -> list[str]:
    """Every reason with which the endpoint can refuse."""
    with_body = OF_BODY.get(row.takes, WITH_BODY) if row.takes else ()
    names = [*row.reasons, *EVERYWHERE, *with_body]
    if row.who is not Who.ANYBODY:
        names += [*WITH_KEY, *WITH_QUERY]
    if row.who is not Who.ANYBODY or row.logs_in:
        names += WITH_LIMIT
    if row.who is Who.OPERATOR:
        names.append("PERMISSION_DENIED")
    if "{id}" in row.path:
        names += WITH_ID
    if row.takes_key:
        names += WITH_IDEMPOTENCY_KEY
    return list(dict.fromkeys(names))


def _name(base: str, row: Endpoint) -> str:
    """What is at the root and below the API's base, too, has two names."""
    words = row.path.replace("{", "").replace("}", "").split("/")
    return "_".join([row.method.lower(), *([] if base else ["root"]), *words[1:]])


def _parameters(row: Endpoint) -> Iterator[dict[str, Any]]:
    if "{id}" in row.path:
        yield {"name": "id", "in": "path", "required": True, "description": "Its id.", "schema": schemas.UUID}
    yield from map(_query_parameter, row.parameters)
    if row.takes_key:
        yield IDEMPOTENCY_KEY
    if is_conditional(row):
        yield IF_NONE_MATCH


def _query_parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": "query",
        "description": parameter.meaning,
        "required": parameter.is_required,
        "schema": schemas.asked(parameter.name, parameter.schema),
    }


def _refusal(http: int, names: tuple[str, ...], schema: dict[str, Any]) -> dict[str, Any]:
    """With the reasons that there can be, by name."""
    narrowed = {"status": {"enum": sorted({REASONS[name].status for name in names})}, "reason": {"enum": list(names)}}
    exact = {**schema, "properties": {"error": {"properties": narrowed}}}
    words = "\n".join(f"- `{name}`: {REASONS[name].meaning}" for name in names)
    return _content(words, exact, ["X-Request-Id", *OF_STATUS.get(http, ())])


def _content(
    description: str, schema: Any, headers: Iterable[str], kinds: Iterable[str] = ("application/json",)
) -> dict[str, Any]:
    return {
        "description": description,
        "headers": _headers(headers),
        "content": {kind: {"schema": schema} for kind in kinds},
    }


def _headers(names: Iterable[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
