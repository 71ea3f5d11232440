"""The time zones in which the holder of a number may be. The tables (libphonenumber's) are loaded at the first use."""

import zoneinfo
from functools import cache, lru_cache

UNKNOWN = ("Etc/Unknown",)
NOWHERE = {"localtime", "Factory"}
"""Names that some machines have for their own zone, and for none."""


@lru_cache(maxsize=8192)
def of_number(address: str) -> tuple[str, ...]:
    """All zones of the longest prefix that is known of an E.164 number; UTC where nothing is."""
    import phonenumbers
    from phonenumbers import timezone

    try:
        found = timezone.time_zones_for_geographical_number(phonenumbers.parse(address, None))
    except phonenumbers.NumberParseException:
        found = UNKNOWN
    return tuple(name for name in found if is_zone(name)) or ("UTC",)


@cache
def _known() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones()) - NOWHERE


def is_zone(name: str) -> bool:
    """Whether it is the name of a zone that this machine knows, such as Europe/London."""
    return name in _known()
