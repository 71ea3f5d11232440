"""What speaks HTTP, as its settings have it, in whichever process."""

from messagehub.api.callers import Proxies
from messagehub.api.connections import Bounds
from messagehub.front.frames import Begin
from messagehub.web import Client


def bounds_of(begin: Begin) -> Bounds:
    return Bounds(
        head_timeout=begin.head_timeout,
        answer_timeout=begin.answer_timeout,
        connections_per_address=begin.connections_per_address,
        max_connections=begin.max_connections,
        trusted=Proxies(begin.trusted_proxies),
    )


def client_of(begin: Begin) -> Client:
    return Client(allow_private=begin.allow_private, timeout=begin.webhook_timeout, per_origin=begin.per_origin)
