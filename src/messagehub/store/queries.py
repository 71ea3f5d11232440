"""SQL lives in `.sql` files; this gives each query to Python by its name, in the words of one dialect."""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from msgspec import Struct

from messagehub.store import schema
from messagehub.store.schema import DIALECTS

FOLDER = Path(__file__).parent

_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)
_COMMENT = re.compile(r"--.*")
_ALL = re.compile(r"SELECT \* FROM (?P<table>\w+)")
_ALL_OF = re.compile(r"\b(?P<table>\w+)\.\*")
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
        re.compile(r"DELETE FROM (?P<table>\w+) WHERE (?P<where>.*?)(?P<rest>(?: RETURNING ).*|)"),
        "DELETE FROM {table} WHERE EXISTS (SELECT 1 FROM {source} WHERE {where}){rest}",
    ),
)


class Query(Struct, frozen=True, dict=True):
    """One named statement. `sql` has `:name` placeholders."""

    name: str
    sql: str

    @cached_property
    def names(self) -> list[str]:
        """The parameters in the order of their first appearance, which is the order of their numbers."""
        return list(dict.fromkeys(_PLACEHOLDER.findall(self.sql)))

    @cached_property
    def writes(self) -> bool:
        """Whether it changes anything. None of those that begin WITH does."""
        return not self.sql.startswith(("SELECT", "WITH"))

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
        return list(map(self._of_dict if isinstance(rows[0], dict) else self._of_object, rows))

    @cached_property
    def _of_dict(self) -> Callable[[Any], Any]:
        return _tuple_maker(operator.itemgetter(*self.names), len(self.names))

    @cached_property
    def _of_object(self) -> Callable[[Any], Any]:
        return _tuple_maker(operator.attrgetter(*self.names), len(self.names))


def _tuple_maker(get: Callable[[Any], Any], count: int) -> Callable[[Any], Any]:
    """`get` for `count` names: of a single one it gives no tuple."""
    return get if count > 1 else lambda row: (get(row),)


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
    columns = schema.columns()
    return {name: Query(name, with_columns(query.sql, columns)) for name, query in queries.items()}


def with_columns(sql: str, columns: Mapping[str, Sequence[str]]) -> str:
    """`*` as the columns that this program knows: a newer one may add others to a store while this one uses it."""
    sql = _ALL.sub(lambda match: f"SELECT {', '.join(columns[match['table']])} FROM {match['table']}", sql)
    return _ALL_OF.sub(lambda match: ", ".join(f"{match['table']}.{name}" for name in columns[match["table"]]), sql)


def read(path: Path) -> dict[str, Query]:
    _, *parts = _NAME.split(path.read_text())
    return {name: Query(name, _bare(sql)) for name, sql in zip(parts[::2], parts[1::2], strict=True)}


def _bare(sql: str) -> str:
    return " ".join(_COMMENT.sub("", sql).split()).rstrip(";")
