"""SQL lives in `.sql` files; this gives each query to Python by its name, in the words of one dialect."""

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from messagehub.errors import SettingError

FOLDER = Path(__file__).parent
DIALECTS = ("sqlite", "postgres")

_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)
_COMMENT = re.compile(r"--.*")
_PLACEHOLDER = re.compile(r"(?<!:):([a-z]\w*)")


# A statement for one row, and what it looks like for all rows of a relation.
BATCH_FORMS = (
    (
        re.compile(r"INSERT INTO (?P<table>\w+ \(.*?\)) VALUES \((?P<values>.*?)\)(?P<rest>(?: ON | RETURNING ).*|)"),
        "INSERT INTO {table} SELECT {values} FROM {source} WHERE true{rest}",
    ),
    (
        re.compile(r"UPDATE (?P<table>\w+) SET (?P<set>.*?) WHERE (?P<where>.*)"),
        "UPDATE {table} SET {set} FROM {source} WHERE {where}",
    ),
    (
        re.compile(r"DELETE FROM (?P<table>\w+) WHERE (?P<key>\w+) = (?P<value>\S+)"),
        "DELETE FROM {table} WHERE {key} IN (SELECT {value} FROM {source})",
    ),
    (
        re.compile(r"DELETE FROM (?P<table>\w+) WHERE (?P<where>.*)"),
        "DELETE FROM {table} WHERE EXISTS (SELECT 1 FROM {source} WHERE {where})",
    ),
)


@dataclass(frozen=True)
class Query:
    """One named statement. `sql` has `:name` placeholders."""

    name: str
    sql: str

    @cached_property
    def names(self) -> list[str]:
        """The parameters in the order of their first appearance, which is the order of their numbers."""
        return list(dict.fromkeys(_PLACEHOLDER.findall(self.sql)))

    def with_placeholders(self, write: Callable[[int, str], str]) -> str:
        """The SQL with each placeholder written by `write(number from 1, name)`."""
        return _PLACEHOLDER.sub(lambda match: write(self.names.index(match[1]) + 1, match[1]), self.sql)

    def with_given(self) -> str:
        """The SQL with each placeholder read from a column of `given`, a relation with a row per set of parameters."""
        return self.with_placeholders(lambda _, name: f"given.given_{name}")

    def batch(self, source: str) -> str:
        """The statement that does for all rows of `source`, which is `given`, what this one does for one."""
        for pattern, form in BATCH_FORMS:
            if match := pattern.fullmatch(self.with_given()):
                return form.format(source=source, **match.groupdict())
        raise ValueError(f"{self.name} has no batch form")

    def tuples(self, rows: Sequence[object]) -> list[tuple[Any, ...]]:
        """The parameters of each row, in order, by attribute or, for dicts, by key."""
        make = operator.itemgetter if isinstance(rows[0], dict) else operator.attrgetter
        get: Callable[[Any], Any] = make(*self.names)
        return [(get(row),) for row in rows] if len(self.names) == 1 else [get(row) for row in rows]


def load(dialect: str) -> dict[str, Query]:
    """All queries for one of DIALECTS: the portable ones, and those that truly differ."""
    queries: dict[str, Query] = {}
    for path in sorted((FOLDER / "sql").glob("*.sql")):
        if path.stem in DIALECTS and path.stem != dialect:
            continue
        own = read(path)
        if twice := queries.keys() & own.keys():
            raise ValueError(f"{path}: {sorted(twice)} stand in two files")
        queries |= own
    return queries


def read(path: Path) -> dict[str, Query]:
    _, *parts = _NAME.split(path.read_text())
    return {name: Query(name, _bare(sql)) for name, sql in zip(parts[::2], parts[1::2], strict=True)}


def statements(sql: str) -> list[str]:
    """The statements of a migration."""
    return [bare for part in _COMMENT.sub("", sql).split(";") if (bare := part.strip())]


def migrations() -> list[tuple[int, list[str]]]:
    """Every migration in order: its number and its statements, in the words of SQLite."""
    paths = sorted((FOLDER / "migrations").glob("*.sql"))
    return [(int(path.name.split("_")[0]), statements(path.read_text())) for path in paths]


def pending(done: set[int]) -> list[tuple[int, list[str]]]:
    """The migrations that a store lacks that has had `done`. SettingError for a store that knows more than we do."""
    known = migrations()
    if newer := done - {number for number, _ in known}:
        raise SettingError(
            f"MESSAGEHUB_DATABASE_URL: the store has been used by a newer version (migration {max(newer)}); "
            "take that one, or a copy of the store from before"
        )
    return [(number, statements) for number, statements in known if number not in done]


def _bare(sql: str) -> str:
    return " ".join(_COMMENT.sub("", sql).split()).rstrip(";")
