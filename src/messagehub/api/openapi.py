"""openapi.json (OpenAPI 3.1), printed from the table of endpoints and the shapes."""

from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

import msgspec

from messagehub import shapes
from messagehub.api.endpoint import Endpoint, Who
from messagehub.errors import REASONS

EVERYWHERE = ("INTERNAL", "SERVICE_UNAVAILABLE")
WITH_KEY = ("AUTHENTICATION_REQUIRED", "INVALID_CREDENTIALS")
WITH_LIMIT = ("RATE_LIMIT_EXCEEDED",)
WITH_QUERY = ("INVALID_REQUEST_PARAMETER",)
WITH_BODY = ("INVALID_JSON_BODY", "INVALID_ARGUMENT", "NOT_JSON", "BODY_TOO_LARGE", "REQUEST_TIMEOUT")
REF = "#/components/schemas/{name}"


def document(endpoints: Iterable[tuple[str, Endpoint]]) -> dict[str, Any]:
    """`endpoints`: each with the base of its path."""
    placed = list(endpoints)
    rows = [row for _, row in placed]
    types: list[Any] = [shapes.Error, *(kind for row in rows for kind in (row.takes, row.gives) if kind)]
    unique = list(dict.fromkeys(types))
    schemas, components = msgspec.json.schema_components(unique, ref_template=REF)
    of = dict(zip(unique, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for base, row in placed:
        paths.setdefault(base + row.path, {})[row.method.lower()] = _operation(base, row, of)
    return {
        "openapi": "3.1.0",
        "info": {"title": "messagehub", "version": version("messagehub")},
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": SCHEMES},
    }


SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "token": {"type": "apiKey", "in": "query", "name": "token"},
    "accesskey": {"type": "apiKey", "in": "query", "name": "accesskey"},
}


def _operation(base: str, row: Endpoint, of: dict[Any, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": row.summary,
        "operationId": _name(base, row),
        "parameters": [*_path_parameters(row), *map(_query_parameter, row.parameters)],
        "responses": {"200": _content("The answer.", of[row.gives], row.content), **_errors(row, of[shapes.Error])},
        "security": [] if row.who is Who.ANYBODY else [{name: []} for name in SCHEMES],
        "x-who": row.who.value,
    }
    if row.takes:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": of[row.takes]}}}
    return operation


def _name(base: str, row: Endpoint) -> str:
    """What is at the root and below the API's base, too, has two names."""
    words = row.path.replace("{", "").replace("}", "").split("/")
    return "_".join([row.method.lower(), *([] if base else ["root"]), *words[1:]])


def _path_parameters(row: Endpoint) -> list[dict[str, Any]]:
    schema = {"type": "string", "format": "uuid"}
    return [{"name": "id", "in": "path", "required": True, "schema": schema}] if "{id}" in row.path else []


def _query_parameter(parameter: Any) -> dict[str, Any]:
    return {"name": parameter.name, "in": "query", "description": parameter.meaning, "schema": parameter.schema}


def reasons_of(row: Endpoint) -> list[str]:
    """Every reason with which the endpoint can refuse."""
    names = [*row.reasons, *EVERYWHERE, *(WITH_BODY if row.takes else ())]
    if row.who is not Who.ANYBODY:
        names += [*WITH_KEY, *WITH_QUERY]
    if row.who is not Who.ANYBODY or row.logs_in:
        names += WITH_LIMIT
    if row.who is Who.OPERATOR:
        names.append("PERMISSION_DENIED")
    return list(dict.fromkeys(names))


def _errors(row: Endpoint, schema: Any) -> dict[str, Any]:
    by_status: dict[int, list[str]] = {}
    for name in reasons_of(row):
        by_status.setdefault(REASONS[name].http, []).append(name)
    return {str(http): _json(", ".join(names), schema) for http, names in sorted(by_status.items())}


def _json(description: str, schema: Any) -> dict[str, Any]:
    return _content(description, schema, ("application/json",))


def _content(description: str, schema: Any, kinds: Iterable[str]) -> dict[str, Any]:
    return {"description": description, "content": {kind: {"schema": schema} for kind in kinds}}
