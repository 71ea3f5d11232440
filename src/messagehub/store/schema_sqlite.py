"""Migrating a SQLite file: all that is pending in one transaction, so one that is interrupted has changed nothing."""

from collections.abc import Callable
from contextlib import closing
from typing import Any

from messagehub.store import schema
from messagehub.store.lock import locked

Ask = Callable[..., list[Any]]
"""Runs a statement with its parameters, and gives the rows."""


def migrate(path: str, ask: Ask) -> None:
    """SettingError where the store is of a newer version, or served by an older one that would not bear the change."""
    ask("BEGIN IMMEDIATE")
    try:
        todo = schema.pending(_done(ask), "sqlite")
        if todo and ask("SELECT 1 FROM migration LIMIT 1") and not all(one.is_compatible for one in todo):
            with closing(locked(path)):
                _run(ask, todo)
        else:
            _run(ask, todo)
    except BaseException:
        ask("ROLLBACK")
        raise
    ask("COMMIT")


def _done(ask: Ask) -> dict[int, int | None]:
    ask(schema.TABLE)
    if "compatible_from" not in [row[1] for row in ask("PRAGMA table_info(migration)")]:
        ask(schema.COLUMN)
    return dict(ask("SELECT version, compatible_from FROM migration"))


def _run(ask: Ask, todo: list[schema.Migration]) -> None:
    for migration in todo:
        for statement in migration.statements:
            ask(statement)
        ask(
            "INSERT INTO migration (version, compatible_from) VALUES (?, ?)",
            migration.version,
            migration.compatible_from,
        )
