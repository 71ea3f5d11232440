"""Numbers as a carrier writes them to whom those of its own country go without a country code. Pure.

Where a trunk prefix ends and a number begins is different in each country: an Italian number keeps its 0, a Russian one
loses its 8, a Spanish one has none. The tables are libphonenumber's, and are loaded at the first use.
"""

from functools import lru_cache

NORTH_AMERICA, NORTH_AMERICAN_DIGITS = "1", 10
"""Where national numbers have no zero in front, but always as many digits."""


@lru_cache(maxsize=8192)
def internationally(country: str, digits: str, is_national: bool) -> str:
    """The digits with the country code, where the carrier left it out; as they are where it did not.

    `is_national`: the carrier says that it did; else it says nothing.
    """
    if digits.startswith("00"):
        return digits[2:]
    is_national = is_national or (country == NORTH_AMERICA and len(digits) == NORTH_AMERICAN_DIGITS)
    if found := _by_the_tables(country, digits, is_national):
        return found
    # No such number is known, but the tables may be old.
    if is_national or digits.startswith("0"):
        return country + digits.removeprefix("0")
    return digits


def _by_the_tables(country: str, digits: str, is_national: bool) -> str:
    import phonenumbers

    region = phonenumbers.region_code_for_country_code(int(country))
    prefix = phonenumbers.ndd_prefix_for_region(region, strip_non_digits=True)
    ways = [digits] if is_national else [digits, f"+{digits}"]
    if prefix and prefix != country and not digits.startswith(prefix):
        ways.reverse()  # who writes a number as it is dialled there would have written the prefix
    return next(filter(None, (_valid(way, region) for way in ways)), "")


def _valid(given: str, region: str) -> str:
    """Its digits, with the country code; empty where nobody who writes can have such a number."""
    import phonenumbers

    try:
        parsed = phonenumbers.parse(given, region)
    except phonenumbers.NumberParseException:
        return ""
    if phonenumbers.number_type(parsed) in (
        phonenumbers.PhoneNumberType.UNKNOWN,
        phonenumbers.PhoneNumberType.VOICEMAIL,
    ):
        return ""
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164).removeprefix("+")
