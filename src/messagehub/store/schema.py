"""The tables of a store, and how those of one version become those of the next.

A migration is a file of `migrations/`, in SQLite's words. One that only adds (tables, columns with a default, indexes,
storage settings) is compatible: it says `-- compatible from: N`, and programs that know migration N go on using the
store after it. Any other bars older programs. `NNNN_name.postgres.sql` and `.sqlite.sql` are for one store only.

The table `migration` tells what was done, and from which migration on a program may use the store after it.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import apsw

from messagehub.errors import SettingError

DIALECTS = ("sqlite", "postgres")
MIGRATIONS = Path(__file__).parent / "migrations"
TABLE = "CREATE TABLE IF NOT EXISTS migration (version INTEGER PRIMARY KEY, compatible_from INTEGER)"
COLUMN = "ALTER TABLE migration ADD COLUMN compatible_from INTEGER"
"""For a store of a version that did not have it yet."""

MOVED, UNFINISHED = 2_000_000_000, 2_000_000_001
"""Rows of `migration` that bar every program: from a store whose rows are elsewhere now, from an unfinished copy."""

BARRED = {
    MOVED: "the store was moved to another by `messagehub migrate`; serve that one, or call the command once more "
    "where it was cut short. `messagehub migrate --release` takes this one into use again, if the other is "
    "never served",
    UNFINISHED: "`messagehub migrate` has not finished to move a store to here; run it once more, and it goes on",
}

_COMMENT = re.compile(r"--.*")
_COMPATIBLE = re.compile(r"^-- compatible from: (\d+)$", re.MULTILINE)
_INDEX = re.compile(r"CREATE (?:UNIQUE )?INDEX (\w+) ")


class Migration(NamedTuple):
    """`compatible_from`: the number of the migration that a program must know to use the store after this one."""

    version: int
    statements: list[str]
    compatible_from: int

    @property
    def is_compatible(self) -> bool:
        return self.compatible_from < self.version

    @property
    def indexes(self) -> list[str]:
        """The names of the indexes that it adds, where it adds nothing else."""
        found = [_INDEX.match(statement) for statement in self.statements]
        return [match[1] for match in found if match] if all(found) else []


def migrations(dialect: str = "sqlite") -> list[Migration]:
    """Every migration of a dialect in order."""
    paths = sorted(MIGRATIONS.glob("*.sql"))
    return [_read(path) for path in paths if _dialect_of(path) in ("", dialect)]


def _dialect_of(path: Path) -> str:
    ending = path.stem.rpartition(".")[2]
    return ending if ending in DIALECTS else ""


def _read(path: Path) -> Migration:
    version, text = int(path.name.split("_")[0]), path.read_text()
    said = _COMPATIBLE.search(text)
    return Migration(version, statements(text), int(said[1]) if said else version)


def statements(sql: str) -> list[str]:
    """The statements of a migration."""
    return [bare for part in _COMMENT.sub("", sql).split(";") if (bare := part.strip())]


def columns() -> dict[str, list[str]]:
    """The columns of each table as this program knows them. A newer one may have added others to the store."""
    tables = apsw.Connection(":memory:")
    try:
        for migration in migrations("sqlite"):
            for statement in migration.statements:
                tables.execute(statement)
        asked = "SELECT t.name, c.name FROM pragma_table_list AS t, pragma_table_info(t.name) AS c"
        found: dict[str, list[str]] = {}
        for table, column in tables.execute(asked):
            found.setdefault(table, []).append(column)
        return found
    finally:
        tables.close()


def newest(dialect: str) -> int:
    """The number of the last migration that this program knows."""
    return max(migration.version for migration in migrations(dialect))


def why_barred(version: int) -> str:
    """Why this migration, or mark, keeps a program away."""
    newer = f"the store has been used by a newer version (migration {version}); take that one, or a copy from before"
    return BARRED.get(version, newer)


def pending(done: Mapping[int, int | None], dialect: str) -> list[Migration]:
    """The migrations that a store lacks. SettingError for a store that this program may not use.

    `done` is the table `migration`: what was done, and from which on a program may use the store after it.
    """
    known = migrations(dialect)
    refuse_barred(done)
    last = newest(dialect)
    least = {version: version if start is None else start for version, start in done.items()}
    if newer := [version for version, start in least.items() if start > last]:
        raise SettingError(f"MESSAGEHUB_DATABASE_URL: {why_barred(max(newer))}")
    return [migration for migration in known if migration.version not in done]


def refuse_barred(done: Mapping[int, int | None]) -> None:
    """SettingError for a store that is not to be used at all."""
    for mark, words in BARRED.items():
        if mark in done:
            raise SettingError(f"MESSAGEHUB_DATABASE_URL: {words}")
