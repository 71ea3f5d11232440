"""Septets packed into octets: 3GPP TS 23.038, section 6.1.2.

Behind a user data header, fill bits bring the first septet to a border of septets (TS 23.040, 9.2.3.24).
"""


def fill_bits(header: int) -> int:
    """Between a header of so many octets and the first septet."""
    return -8 * header % 7


def pack(septets: bytes, fill: int = 0) -> bytes:
    """Septets, one per octet, as a stream of bits, behind `fill` bits of nothing.

    The octets do not say how many septets they hold: seven spare bits could be an @. So they are filled with a CR, and
    a CR that really ends the text right at the end of an octet gets a second one, which means no more than the first
    (6.1.2.3.1).
    """
    if not septets:
        return b""
    spare = -(fill + 7 * len(septets)) % 8
    if spare == 7 or (spare == 0 and septets.endswith(b"\r")):
        septets += b"\r"
    size = (fill + 7 * len(septets) + 7) // 8
    # Eight septets are 56 bits: blocks of them keep the numbers, and with them the time, small.
    blocks = (septets[at : at + 8] for at in range(0, len(septets), 8))
    packed = b"".join(_bits(block).to_bytes(7, "little") for block in blocks)
    return (int.from_bytes(packed, "little") << fill).to_bytes(len(packed) + 1, "little")[:size]


def unpack(octets: bytes, fill: int = 0) -> bytes:
    """The septets, one per octet. What stands for nothing is taken off: a CR that ends with the last octet."""
    count = max(8 * len(octets) - fill, 0) // 7
    stream = (int.from_bytes(octets, "little") >> fill).to_bytes(len(octets), "little")
    blocks = (int.from_bytes(stream[at : at + 7], "little") for at in range(0, len(stream), 7))
    septets = bytes(block >> bit & 0x7F for block in blocks for bit in range(0, 56, 7))[:count]
    ends_with_octet = (fill + 7 * count) % 8 == 0
    return septets[:-1] if ends_with_octet and septets.endswith(b"\r") else septets


def _bits(septets: bytes) -> int:
    return sum(septet << bit for septet, bit in zip(septets, range(0, 56, 7), strict=False))
