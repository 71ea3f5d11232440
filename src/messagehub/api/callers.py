"""Who a request says it is of, and whose address it comes from: the peer's, or the one that a trusted proxy names."""

from collections.abc import Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from msgspec import Struct
from starlette.types import Scope

from messagehub.errors import SettingError

Address = IPv4Address | IPv6Address

PREFIX_OF_ONE = 64
"""Whoever has one IPv6 address has the whole network of this length (RFC 6177), so it counts as one."""


class Proxies:
    """The proxies whose X-Forwarded-For is believed: addresses and networks, with commas between them."""

    def __init__(self, text: str = "") -> None:
        self._networks = [_network(each.strip()) for each in text.split(",") if each.strip()]

    def trusts(self, address: Address) -> bool:
        return any(address in network for network in self._networks)


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text)
    except ValueError as error:
        raise SettingError(f"MESSAGEHUB_TRUSTED_PROXIES: {error}") from None


class Peer(Struct, frozen=True):
    """Who is at the other end of a connection."""

    address: str
    """As it is counted; see `counted`."""
    proxies: Proxies | None = None
    """The proxies that are trusted, where the peer is one of them."""
    is_near: bool = False
    """On this machine, or a proxy that is trusted: it speaks for many."""


def bearer(headers: Mapping[bytes, bytes]) -> str:
    """The credential in the head of a request; empty where there is none."""
    scheme, _, key = headers.get(b"authorization", b"").partition(b" ")
    return key.decode("latin-1").strip() if key and scheme.lower() == b"bearer" else ""


def peer_at(host: str, proxies: Proxies) -> Peer:
    """`host`: an address as a socket gives it."""
    address = parse(host)
    if address is None:
        return Peer(host)
    trusted = proxies.trusts(address)
    return Peer(counted(address), proxies if trusted else None, trusted or address.is_loopback)


def caller_address(scope: Scope, headers: Mapping[bytes, bytes]) -> str:
    """The address to count a request by: of IPv6 the /64, such as `2001:db8:0:1::/64`.

    Behind trusted proxies it is the right-most address of X-Forwarded-For that is no trusted proxy: what stands left
    of it may be the caller's own invention.
    """
    peer: Peer = scope["state"]["peer"]
    if peer.proxies is None or b"x-forwarded-for" not in headers:
        return peer.address
    lines = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return _forwarded(",".join(lines), peer)


def _forwarded(chain: str, peer: Peer) -> str:
    assert peer.proxies
    last = peer.address
    for text in reversed(chain.split(",")):
        address = parse(text.strip())
        if address is None:  # whoever wrote this is the last that is known
            return last
        last = counted(address)
        if not peer.proxies.trusts(address):
            return last
    return last


def parse(text: str) -> Address | None:
    """An address, perhaps with brackets, a port or a zone. An IPv4 address in IPv6 (RFC 4291, 2.5.5.2) is itself."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


@lru_cache(maxsize=1024)
def counted(address: Address) -> str:
    if isinstance(address, IPv4Address):
        return str(address)
    return str(IPv6Network((address, PREFIX_OF_ONE), strict=False))
