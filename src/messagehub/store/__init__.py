"""The store: rows on disk, in SQLite when embedded and in PostgreSQL when there are several machines.

It knows SQL and no noun. Everything above it speaks in the names of the queries in `sql/` and may not know which
of the two stores answers.
"""

from messagehub.errors import SettingError
from messagehub.store.address import path_of, shown
from messagehub.store.seam import FOR_CALLER, Insert, Row, Store, Tx, Unit

__all__ = ["FOR_CALLER", "Insert", "Row", "Store", "Tx", "Unit", "open_store", "path_of", "shown"]


async def open_store(url: str, beside: bool = False) -> Store:
    """Opens and migrates `sqlite:///PATH` or `postgresql://…`. SettingError for any other address.

    `beside`: a SQLite file is written by a process of its own.
    """
    if path := path_of(url):
        from messagehub.store.sqlite import SQLiteStore

        return await SQLiteStore.open(path, beside)
    if url.startswith(("postgresql://", "postgres://")):
        from messagehub.store.postgres import PostgresStore

        return await PostgresStore.open(url)
    raise SettingError(f"MESSAGEHUB_DATABASE_URL: {shown(url)!r} is neither sqlite:///PATH nor postgresql://…")
