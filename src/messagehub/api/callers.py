"""Whose address a request comes from."""

from collections.abc import Mapping

from starlette.types import Scope


def caller_address(scope: Scope, headers: Mapping[bytes, bytes]) -> str:
    """The address to count a request by; empty where the server does not know it."""
    client = scope.get("client")
    return client[0] if client else ""
