"""Who may import whom: a file imports from its own folder and from the rows below it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import messagehub

ROOT = Path(messagehub.__file__).parent

LAYERS = [
    {"cli"},
    {"app"},
    {"front"},
    {"api"},
    {"flows"},
    {"conversations"},
    {"webhooks"},
    {"messages"},
    {"routing"},
    {"carriers"},
    {"people"},
    {"senders"},
    {"numbers", "uploads", "discarding"},
    {"accounts", "published"},
    {"work"},
    {"store", "web", "serving", "blobs"},
    {"child"},
    {"settings", "sealing", "text", "smpp", "mms", "media", "shapes", "pcap"},
    {"ids", "link"},
    {"logs", "batches", "writable"},
    {"errors", "clock", "events", "metrics"},
]
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
OUTSIDE = {"__init__", "__main__"}

PURE = (
    "text", "smpp", "mms", "media", "shapes", "pcap.py", "routing.py", "clock.py", "ids.py", "flows/actions.py",
    "flows/conditions.py", "flows/keywords.py", "flows/options.py", "flows/run.py", "flows/state.py",
    "flows/variables.py", "flows/play.py",
)  # fmt: skip
"""Files, and folders all of whose files are."""

IMPURE = {"asyncio", "socket", "time", "sqlite3", "apsw", "asyncpg"}
EXCEPT = {"smpp/driver.py": {"asyncio", "time"}, "clock.py": {"time"}}


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [alias.name for alias in node.names] if node.module == "messagehub" else []
            yield from (f"messagehub.{name}" for name in names)
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def place(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


FILES = [path for path in sorted(ROOT.rglob("*.py")) if place(path) not in OUTSIDE]


def test_every_file_has_a_layer() -> None:
    assert {place(path) for path in FILES} <= RANK.keys()


def test_imports_go_downwards() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in FILES
        for name in imports(path)
        if name.startswith("messagehub.")
        and (there := name.split(".")[1]) in RANK
        and there != place(path)
        and RANK[there] <= RANK[place(path)]
    ]
    assert not wrong


def test_pure_code_knows_no_socket_no_clock_and_no_store() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in FILES
        if {str(path.relative_to(ROOT)), path.relative_to(ROOT).parts[0]} & set(PURE)
        for name in imports(path)
        if name.split(".")[0] in IMPURE - EXCEPT.get(str(path.relative_to(ROOT)), set())
    ]
    assert not wrong


@pytest.mark.parametrize("protocol", ["smpp", "mms", "media"])
def test_a_protocol_could_be_published_on_its_own(protocol: str) -> None:
    files = (ROOT / protocol).glob("*.py")
    names = [name for path in files for name in imports(path) if name.startswith("messagehub")]
    assert not [name for name in names if not name.startswith(f"messagehub.{protocol}")]
