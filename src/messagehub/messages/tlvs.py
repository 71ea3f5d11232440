"""The TLVs that a message asks for, and what the carriers for its destinations make of them."""

from collections.abc import Iterable

from messagehub.errors import Refusal
from messagehub.routing import Table

MOST_TLVS = 4096
"""Characters of all values of a message together: many peers take no PDU of more than 16 KiB."""


def check(tlvs: dict[str, int | str], table: Table, customer_id: str, destinations: Iterable[str]) -> None:
    """Refusal for a TLV that none of the carriers for a destination knows, or whose value does not fit one of them."""
    if (size := sum(len(str(value)) for value in tlvs.values())) > MOST_TLVS:
        raise Refusal("INVALID_TLV", f"tlvs: {size} characters in all, where {MOST_TLVS} are allowed")
    for destination in destinations:
        routes = table.choose(destination, customer_id, lambda: 0.0)
        known = [table.tlvs.get(route.carrier_id, {}) for route in routes]
        for name, value in tlvs.items() if routes else ():
            kinds = [tlvs_of_one[name] for tlvs_of_one in known if name in tlvs_of_one]
            if not kinds:
                raise Refusal("INVALID_TLV", f"tlvs.{name}: no carrier for {destination} has a TLV of this name")
            for kind in kinds:
                if why := kind.misfit(value):
                    raise Refusal("INVALID_TLV", f"tlvs.{name}: {why}")
