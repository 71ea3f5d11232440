"""A file that a disk has damaged is told of in words, and makes the store unavailable."""

from contextlib import closing
from pathlib import Path

import apsw
import pytest

from messagehub.errors import Unavailable
from messagehub.store import Insert, open_store
from tests.store.test_conformance import route

PAGE = 4096


def damage(file: Path, table: str) -> None:
    """The page where the table begins has something else in it."""
    with closing(apsw.Connection(str(file))) as db:
        ((page,),) = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,))
    with file.open("r+b") as written:
        written.seek((page - 1) * PAGE)
        written.write(b"\xff" * PAGE)


@pytest.mark.parametrize("beside", [True, False], ids=["beside", "here"])
async def test_a_file_whose_beginning_is_damaged_is_not_opened_and_this_says_what_helps(
    tmp_path: Path, beside: bool
) -> None:
    file = tmp_path / "hub.db"
    file.write_bytes(b"\xff" * PAGE)
    with pytest.raises(Unavailable, match=f"{file}: this is no file of SQLite; if it was one .* a backup is needed"):
        await open_store(f"sqlite:///{file}", beside=beside)


@pytest.mark.parametrize("beside", [True, False], ids=["beside", "here"])
async def test_who_reads_or_writes_a_damaged_page_is_told_so(tmp_path: Path, beside: bool) -> None:
    file = tmp_path / "hub.db"
    store = await open_store(f"sqlite:///{file}", beside=beside)
    await store.write([Insert("insert_route", [route("1")])])
    await store.close()
    damage(file, "routes")
    store = await open_store(f"sqlite:///{file}", beside=beside)
    try:
        with pytest.raises(Unavailable, match="is damaged, and a backup is needed"):
            await store.all("live_routes")
        with pytest.raises(Unavailable, match="is damaged, and a backup is needed"):
            await store.write([Insert("insert_route", [route("2")])])
    finally:
        await store.close()
