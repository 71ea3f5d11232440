"""HTTP to the outside: one client, and what may be asked of an address before there is one."""

from messagehub.web.addresses import is_public
from messagehub.web.client import MOST_CONNECTIONS, Client, Requester
from messagehub.web.connection import Answer
from messagehub.web.errors import (
    BadAnswer,
    BadRedirect,
    BadRequest,
    BadURL,
    Busy,
    Closed,
    Dropped,
    Forbidden,
    LongURL,
    NotFound,
    NotOK,
    TimedOut,
    TooLarge,
    Unreachable,
    WebError,
    failure,
)
from messagehub.web.fetch import Fetched, Fetcher
from messagehub.web.urls import check_url, leads_inside

__all__ = [
    "MOST_CONNECTIONS",
    "Answer",
    "BadAnswer",
    "BadRedirect",
    "BadRequest",
    "BadURL",
    "Busy",
    "Client",
    "Closed",
    "Dropped",
    "Fetched",
    "Fetcher",
    "Forbidden",
    "LongURL",
    "NotFound",
    "NotOK",
    "Requester",
    "TimedOut",
    "TooLarge",
    "Unreachable",
    "WebError",
    "check_url",
    "failure",
    "is_public",
    "leads_inside",
]
