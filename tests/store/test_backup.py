"""The copy of a store: whole, of one moment, and never in place of what it should not replace."""

import os
import resource
from pathlib import Path

import apsw
import pytest

from messagehub.clock import NEVER
from messagehub.errors import Unavailable
from messagehub.store import Insert, open_store
from messagehub.store.backup import PAGES, BackupError, back_up

ROWS = 3 * PAGES  # with a page for each, a copy takes several steps


def route(n: int, name: str = "") -> dict[str, object]:
    words = {"name": name, "prefix": "", "carrier_id": "c", "customer_id": ""}
    return {"id": f"{n:06}", **words, "priority": 1, "weight": 1, "tm_create": 1, "tm_update": 1, "tm_delete": NEVER}


@pytest.fixture
async def file(tmp_path: Path) -> Path:
    path = tmp_path / "hub.db"
    store = await open_store(f"sqlite:///{path}")
    await store.write([Insert("insert_route", [route(n, "x" * 3000) for n in range(ROWS)])])
    await store.close()
    return path


def column(path: Path, sql: str) -> list[str]:
    opened = apsw.Connection(str(path), apsw.SQLITE_OPEN_READONLY)
    try:
        return [row[0] for row in opened.execute(sql)]
    finally:
        opened.close()


def ids(path: Path) -> list[str]:
    return column(path, "SELECT id FROM routes ORDER BY id")


def test_what_is_written_meanwhile_neither_stops_it_nor_is_in_it(file: Path, tmp_path: Path) -> None:
    writer = apsw.Connection(str(file))
    steps: list[int] = []

    def write(done: int, of: int) -> None:
        steps.append(done)
        assert len(steps) <= of / PAGES + 1, "it began anew"
        writer.execute("INSERT INTO nodes (id, tm_lease) VALUES (?, 1)", (f"late {done}",))

    made = back_up(file, tmp_path / "copy.db", False, write)
    writer.close()
    assert len(steps) > 2
    assert ids(tmp_path / "copy.db") == [f"{n:06}" for n in range(ROWS)]
    assert column(tmp_path / "copy.db", "SELECT id FROM nodes") == []
    assert len(column(file, "SELECT id FROM nodes")) == len(steps)
    assert made.octets == (tmp_path / "copy.db").stat().st_size


def test_only_its_owner_may_read_it_and_nothing_is_left_beside_it(file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    back_up(file, folder / "copy.db", False, lambda done, of: None)
    assert [path.name for path in folder.iterdir()] == ["copy.db"]
    assert (folder / "copy.db").stat().st_mode & 0o777 == 0o600


def test_what_is_no_file_is_never_replaced(file: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(BackupError, match="no file"):
        back_up(file, pipe, True, lambda done, of: None)
    assert pipe.is_fifo()


def test_a_copy_that_finds_no_room_says_so(file: Path, tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(Unavailable, match=r"copy\.db: the disk cannot be written"):
            back_up(file, tmp_path / "copy.db", False, lambda done, of: None)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_what_is_there_stays_unless_it_may_be_replaced(file: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text("kept")
    with pytest.raises(BackupError, match="--force"):
        back_up(file, kept, False, lambda done, of: None)
    assert kept.read_text() == "kept"
    back_up(file, kept, True, lambda done, of: None)
    assert len(ids(kept)) == ROWS


@pytest.mark.parametrize("ending", ["", "-wal", ".lock", ".key"])
def test_the_stores_own_files_are_never_replaced(file: Path, ending: str) -> None:
    with pytest.raises(BackupError, match="belongs to the store"):
        back_up(file, Path(f"{file.parent}/./{file.name}{ending}"), True, lambda done, of: None)
    assert len(ids(file)) == ROWS


def test_a_copy_that_fails_leaves_what_was_there(file: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text("kept")

    def fail(done: int, of: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        back_up(file, kept, True, fail)
    assert kept.read_text() == "kept"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hub.db", "kept"]


def test_a_damaged_store_gives_no_backup(file: Path, tmp_path: Path) -> None:
    with file.open("r+b") as opened:  # in the middle of a page of rows
        opened.seek(500 * 4096)
        opened.write(b"\xff" * 4096)
    with pytest.raises(BackupError, match="damaged"):
        back_up(file, tmp_path / "copy.db", False, lambda done, of: None)
    assert not (tmp_path / "copy.db").exists()


def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    with apsw.Connection(str(other)) as made:
        made.execute("CREATE TABLE other (x)")
    with pytest.raises(BackupError, match="no store of messagehub"):
        back_up(other, tmp_path / "copy.db", False, lambda done, of: None)
