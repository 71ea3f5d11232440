"""Which addresses are of the open internet: those that are in no registry for special purposes (RFC 6890)."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address

# The registries of IANA. Written out here, because what `ipaddress` calls global differs between the patch releases of
# Python, and takes 6to4 and NAT64 for ordinary addresses.
PRIVATE = "10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.168.0.0/16"
RESERVED = "0.0.0.0/8 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 240.0.0.0/4"
LOOKS_PUBLIC = "168.63.129.16/32"  # the agent of the host itself in Azure
NOT_PUBLIC_V4 = [IPv4Network(text) for text in f"{PRIVATE} {RESERVED} 224.0.0.0/4 {LOOKS_PUBLIC}".split()]
PUBLIC_V6 = IPv6Network("2000::/3")  # all that has been given out so far
NOT_PUBLIC_V6 = [IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "3fff::/20")]  # Teredo, documentation
# Mapped, NAT64 (RFC 6052), 6to4 (RFC 3056); and how far from the right the IPv4 address stands.
CARRIES_V4 = {IPv6Network("::ffff:0:0/96"): 0, IPv6Network("64:ff9b::/96"): 0, IPv6Network("2002::/16"): 80}


def is_public(address: Address) -> bool:
    """Whether an address is one of the open internet, seen through whatever carries IPv4 inside IPv6."""
    if isinstance(address, IPv6Address):
        inner = next((int(address) >> shift for network, shift in CARRIES_V4.items() if address in network), None)
        if inner is None:
            return address in PUBLIC_V6 and not any(address in network for network in NOT_PUBLIC_V6)
        address = IPv4Address(inner & 0xFFFFFFFF)
    return not any(address in network for network in NOT_PUBLIC_V4)
