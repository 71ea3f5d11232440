"""The HTTP server: uvicorn, on a socket of ours, with connections that have limits."""

import logging
import resource
import socket
from functools import partial
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp

from messagehub.api.connection import FINISH_REQUESTS_S, Connection
from messagehub.api.connections import Bounds, Connections
from messagehub.errors import SettingError
from messagehub.serving import Server

log = logging.getLogger(__name__)

BACKLOG = 2048
OTHER_FILES = 200
"""Files that are open besides the callers' connections: the store, carriers, webhooks."""


def listener(listen: str) -> socket.socket:
    """A socket that listens on `HOST:PORT`. SettingError where that cannot be."""
    host, _, port = listen.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host.strip("[]"), int(port)), backlog=BACKLOG, family=family)
    except (OSError, ValueError, OverflowError) as error:
        raise SettingError(f"MESSAGEHUB_LISTEN: cannot listen on {listen!r}: {error}") from None


def server(application: ASGIApp, bounds: Bounds) -> Server:
    logging.getLogger("uvicorn").setLevel(logging.WARNING)  # what it says else is said by us
    _make_room(bounds.max_connections)
    return Server(_config(application, Connections(bounds)))


def _make_room(connections: int) -> None:
    """As many open files as so many connections need, where the system lets us have them."""
    wanted = connections + OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))
    if hard < wanted:
        log.warning("MESSAGEHUB_MAX_CONNECTIONS is %d, but the system allows %d open files", connections, hard)


def _config(application: ASGIApp, connections: Connections) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        http=cast(Any, partial(Connection, connections)),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=FINISH_REQUESTS_S + 1,  # the connections end their requests themselves, by then
    )
