"""The documents as data: their blocks of code, the steps of their terminals, their links and headings."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROMPT = "$ "

_FENCE = re.compile(r"^```(.*)\n((?:.*\n)*?)^```$", re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_SPAN = re.compile(r"`([^`\n]+)`")
_FILE = re.compile(r"# (\w+\.py)\n")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block. `words` follow the backticks: `console terminal-2` is what is seen in a second terminal."""

    words: tuple[str, ...]
    text: str

    @property
    def is_terminal(self) -> bool:
        return self.words[:1] == ("console",)

    @property
    def terminal(self) -> str:
        return self.words[1] if len(self.words) > 1 else ""


@dataclass(frozen=True, slots=True)
class Step:
    """A command, and what is shown below it. Without a command it is what a running one shows next."""

    terminal: str
    command: str
    shown: str


@dataclass(frozen=True)
class Page:
    path: Path

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @cached_property
    def text(self) -> str:
        return self.path.read_text()

    @cached_property
    def blocks(self) -> list[Block]:
        return [Block(tuple(words.split()), text) for words, text in _FENCE.findall(self.text)]

    @cached_property
    def prose(self) -> str:
        """All but the blocks."""
        return _FENCE.sub("", self.text)

    @property
    def code(self) -> list[str]:
        """Lines of blocks without the prompt, lines that go on joined; and the spans within the prose."""
        lines = "\n".join(block.text for block in self.blocks).replace("\\\n", " ").splitlines()
        return [line.strip().removeprefix(PROMPT) for line in lines] + _SPAN.findall(self.prose)

    @property
    def links(self) -> list[str]:
        return _LINK.findall(self.prose)

    @property
    def anchors(self) -> set[str]:
        """The headings as GitHub names them in links."""
        plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in _HEADING.findall(self.prose))
        return {heading.replace(" ", "-") for heading in plain}

    @property
    def steps(self) -> Iterator[Step]:
        """What is typed and seen, in the order of the page."""
        for block in self.blocks:
            if block.is_terminal:
                yield from _steps(block)

    @property
    def programs(self) -> dict[str, str]:
        """Programs that the reader is to save, by the name in their first line."""
        return {name[1]: block.text for block in self.blocks if (name := _FILE.match(block.text))}


def _steps(block: Block) -> Iterator[Step]:
    command, shown = "", ""
    for line in block.text.splitlines(keepends=True):
        if line.startswith(PROMPT):
            if command or shown:
                yield Step(block.terminal, command, shown)
            command, shown = line.removeprefix(PROMPT), ""
        elif command and not _is_whole(command):
            command += line
        else:
            shown += line
    yield Step(block.terminal, command, shown)


def _is_whole(command: str) -> bool:
    """Whether bash would run it, and not wait for more of it."""
    try:
        shlex.split(command)
    except ValueError:  # within quotes
        return False
    return not command.endswith("\\\n")


PAGES = [Page(path) for path in sorted([ROOT / "README.md", *ROOT.glob("docs/*.md")])]
