"""The time zones in which the holder of a number may be. The tables (libphonenumber's) are loaded at the first use."""

import zoneinfo
from functools import cache, lru_cache

UNKNOWN = ("Etc/Unknown",)
NOWHERE = {"localtime", "Factory"}
"""Names that some machines have for their own zone, and for none."""


@lru_cache(maxsize=8192)
def of_number(address: str) -> tuple[str, ...]:
    """All zones in which the holder of an E.164 number may be; UTC where nothing is known of it.

    A mobile number is of its whole country, but for plans whose mobile numbers have the prefixes of places, as
    libphonenumber knows them: +1, where they cannot be told from others, +52, +54, +55, +62 and +86. There it is of
    the place of its prefix alone: +12125551234 is of New York, though people keep their numbers when they move.
    """
    import phonenumbers
    from phonenumbers import timezone

    try:
        parsed = phonenumbers.parse(address, None)
    except phonenumbers.NumberParseException:
        return ("UTC",)
    found = timezone.time_zones_for_number(parsed)
    if found == UNKNOWN:  # nobody has such a number by the tables, but they may be old, and its prefix tells something
        found = timezone.time_zones_for_geographical_number(parsed)
    return tuple(name for name in found if is_zone(name)) or ("UTC",)


@cache
def _known() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones()) - NOWHERE


def is_zone(name: str) -> bool:
    """Whether it is the name of a zone that this machine knows, such as Europe/London."""
    return name in _known()
