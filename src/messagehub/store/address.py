"""The address of a store, as it may be shown."""

import re


def shown(url: str) -> str:
    """Without its password, wherever that stands and whatever is in it."""
    scheme, separator, rest = url.partition("://")
    account, at, place = rest.rpartition("@")
    user = account.partition(":")[0]
    return re.sub(r"(password=)[^&\s]*", r"\1***", f"{scheme}{separator}{user}{at}{place}")
