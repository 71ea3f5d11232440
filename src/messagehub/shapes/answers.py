"""What is answered where there is nothing else to say."""

from typing import Any, Literal

from msgspec import Struct


class ErrorBody(Struct, kw_only=True):
    status: str
    reason: str
    message: str
    request_id: str
    details: list[dict[str, Any]] = []


class Error(Struct):
    error: ErrorBody


class Health(Struct):
    status: Literal["ok"]
