"""Checks each answer against the server's own openapi.json: nothing is answered that is not documented there."""

import re
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True)
class Operation:
    path: re.Pattern[str]
    method: str
    statuses: frozenset[str]
    kinds: frozenset[str]
    """The media types of its good answers."""
    made: int
    """How many placeholders the path has; the fewest win."""


class Documentation:
    def __init__(self, document: dict[str, Any]) -> None:
        self._operations = [
            Operation(
                _pattern(path), method.upper(), frozenset(operation["responses"]), _kinds(operation), path.count("{")
            )
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
        ]
        self._operations.sort(key=lambda operation: operation.made)

    def check(self, answer: httpx.Response) -> None:
        """For an `on_answer`. What the API has no such path or method for is not its to document."""
        path, method = answer.request.url.path, answer.request.method
        found = (each for each in self._operations if each.method == method and each.path.fullmatch(path))
        if operation := next(found, None):
            assert str(answer.status_code) in operation.statuses, f"{method} {path} answered {answer.status_code}"
            kinds = operation.kinds if answer.status_code == 200 else {"application/json"}
            assert answer.headers.get("content-type") in kinds or answer.status_code == 304
            assert answer.headers["x-request-id"]


def _kinds(operation: dict[str, Any]) -> frozenset[str]:
    return frozenset(operation["responses"]["200"]["content"])


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)))
