"""What a page shows, against what was really seen.

What differs from run to run may differ: times, ids, ports of this machine. `…` stands for anything; `vb_XyZv…` for a
word that is too long to print, which is the same word wherever the page says it.
"""

import re

SHORT = re.compile(r"(?<![\w-])[\w-]+…")
"""A shortened word."""

_PARTS = re.compile(
    r"(?P<short>(?<![\w-])[\w-]+…)|(?P<gap>…)|(?P<blank>\s+)"
    r"|(?P<time>(?!9999)\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d+)?Z?)"
    r"|(?P<uuid>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})|(?P<request>req_[0-9a-f]{16})|(?P<prefix>vb_\w{5}(?!\w))|(?P<port>127\.0\.0\.1:\d{5})"
)
_PATTERNS = {
    "gap": r".*?",
    "blank": r"\s*",
    "time": r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d+)?Z?",
    "uuid": r"[0-9a-f-]{36}",
    "request": r"req_[0-9a-f]{16}",
    "prefix": r"vb_\w{5}",
    "port": r"127\.0\.0\.1:\d+",
}
_WORD = r"""[^\s"',]+"""


class Words:
    """The shortened words of a page, and what they stand for."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def fill(self, command: str) -> str:
        """The command with whole words. KeyError for one that nothing has shown before."""
        return SHORT.sub(lambda short: self._known[short[0]], command)

    def match(self, shown: str, seen: str) -> bool:
        """Whether that is what the page shows; if so, its new words are known."""
        pattern, new = self._pattern(shown.strip())
        found = re.fullmatch(pattern, seen.strip(), re.DOTALL)
        if found:
            self._known |= {short: found[group] for short, group in new.items()}
        return bool(found)

    def _pattern(self, shown: str) -> tuple[str, dict[str, str]]:
        new: dict[str, str] = {}
        pattern, end = "", 0
        for part in _PARTS.finditer(shown):
            pattern += re.escape(shown[end : part.start()])
            pattern += self._word(part[0], new) if part.lastgroup == "short" else _PATTERNS[str(part.lastgroup)]
            end = part.end()
        return pattern + re.escape(shown[end:]), new

    def _word(self, short: str, new: dict[str, str]) -> str:
        if short in self._known:
            return re.escape(self._known[short])
        if short in new:
            return f"(?P={new[short]})"
        new[short] = f"word{len(new)}"
        return f"(?P<{new[short]}>{_WORD})"
