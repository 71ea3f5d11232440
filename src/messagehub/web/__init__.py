"""HTTP to the outside: one client, and what may be asked of an address before there is one."""

from messagehub.web.addresses import is_public
from messagehub.web.client import Client, Requester
from messagehub.web.connection import Answer
from messagehub.web.errors import (
    BadAnswer,
    BadRequest,
    BadURL,
    Busy,
    Closed,
    Dropped,
    Forbidden,
    TimedOut,
    Unreachable,
    WebError,
    failure,
)
from messagehub.web.urls import check_url, leads_inside

__all__ = [
    "Answer",
    "BadAnswer",
    "BadRequest",
    "BadURL",
    "Busy",
    "Client",
    "Closed",
    "Dropped",
    "Forbidden",
    "Requester",
    "TimedOut",
    "Unreachable",
    "WebError",
    "check_url",
    "failure",
    "is_public",
    "leads_inside",
]
