"""The address of a store: where it leads, and how it may be shown."""

import re
from pathlib import Path


def path_of(url: str) -> str:
    """The file of a SQLite store; empty for any other address."""
    is_file = url.startswith("sqlite:///") and not url.endswith((":memory:", "/"))
    return url.removeprefix("sqlite:///") if is_file else ""


def shown(url: str) -> str:
    """Without its password, wherever that stands and whatever is in it."""
    scheme, separator, rest = url.partition("://")
    account, at, place = rest.rpartition("@")
    user = account.partition(":")[0]
    return re.sub(r"(password=)[^&\s]*", r"\1***", f"{scheme}{separator}{user}{at}{place}")


def is_missing(url: str) -> bool:
    """Whether it is a file that is not there; to open it would make it."""
    return bool(path := path_of(url)) and not Path(path).exists()
