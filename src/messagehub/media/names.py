"""Names of files as people give them, made harmless: no folder, nothing that ends a header, and not too long."""

import re
from email.message import Message
from urllib.parse import unquote, urlsplit

MOST = 100
_UNSAFE = re.compile(r"[^\w.() +@,=-]+")
_DOTS = re.compile(r"\.{2,}")


def safe_name(given: str) -> str:
    """Letters, digits and some signs of the last part of a path; empty where nothing is left of it."""
    last = re.split(r"[/\\]", given)[-1]
    name = _DOTS.sub(".", _UNSAFE.sub("_", last)).strip(" ._")
    if len(name) <= MOST:
        return name
    stem, dot, ending = name.rpartition(".")
    return f"{stem[: MOST - len(ending) - 1]}.{ending}" if dot and len(ending) < 10 else name[:MOST]


def name_of(disposition: str, url: str = "") -> str:
    """What a Content-Disposition (RFC 6266) calls a file; else what its address ends with; made harmless."""
    head = Message()
    head["content-disposition"] = disposition
    try:
        said = head.get_filename() or ""
    except (LookupError, ValueError):  # a character set that there is not
        said = ""
    return safe_name(said or unquote(urlsplit(url).path))
