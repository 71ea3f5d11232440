"""URLs: where one leads, or why it is refused (RFC 3986)."""

import re
import socket
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import NamedTuple

from messagehub.web.addresses import Address, is_public
from messagehub.web.errors import BadURL, LongURL

MAX_URL = 2048
"""Characters of one that somebody gives us."""
PORTS = {"http": 80, "https": 443}

_URL = re.compile(
    r"(https?)://"
    r"(\[[0-9A-Fa-f:.]{2,45}\]|(?=[^:/?]{1,253}(?:[:/?]|\Z))[\w-]{1,63}(?:\.[\w-]{1,63})*\.?)"
    r"(?::(\d{1,5}))?"
    r"([/?][\w.~%:/?@!$&'()*+,;=\[\]-]*)?",  # RFC 3986, but for the fragment, which is not for the server
    re.ASCII | re.IGNORECASE,
)


class Place(NamedTuple):
    """An origin (RFC 6454). The host is in lower case, and without the brackets of IPv6."""

    scheme: str
    host: str
    port: int

    def literal(self) -> Address | None:
        """The host as an address where it is one, however getaddrinfo would let it be spelled: 0x7f.1, 2130706433."""
        if ":" in self.host:
            return IPv6Address(self.host)
        try:
            return IPv4Address(socket.inet_aton(self.host.removesuffix(".")))
        except OSError:
            return None


def check_url(url: str) -> None:
    """Raises BadURL unless `url` is http or https, with a host, and with nothing in it that we would not send."""
    parse(url)


def leads_inside(url: str) -> bool:
    """Whether a URL, without a lookup, is seen to lead to a private address or localhost. Raises BadURL."""
    place, _, _ = parse(url)
    if address := place.literal():
        return not is_public(address)
    return f".{place.host.rstrip('.')}".endswith(".localhost")


def parse(url: str, most: int = MAX_URL) -> tuple[Place, str, str]:
    """Where a URL leads, the value of the Host header, and the target of the request line. Raises BadURL."""
    if len(url) > most:
        raise LongURL(f"a URL of {len(url)} characters, where {most} are the most")
    match = _URL.fullmatch(url)
    if match is None:
        raise BadURL("not an http or https URL with a plain host and path")
    scheme, host, port, target = match[1].lower(), match[2].lower(), match[3], match[4] or "/"
    place = Place(scheme, host.strip("[]"), int(port or PORTS[scheme]))
    if not 0 < place.port < 65536:
        raise BadURL(f"{port} is no port")
    if host[0] == "[":
        try:
            IPv6Address(place.host)
        except AddressValueError:
            raise BadURL(f"{host} is no IPv6 address") from None
    authority = host if place.port == PORTS[scheme] else f"{host}:{place.port}"
    return place, authority, target if target[0] == "/" else "/" + target
