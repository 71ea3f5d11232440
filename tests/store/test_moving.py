"""All rows of a store in another one, whatever the kinds of the two; whatever tables there are is moved."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import apsw
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from messagehub.clock import NEVER
from messagehub.errors import SettingError
from messagehub.store import Insert, Store, moving, open_store, schema
from messagehub.store.moving import MoveError, Passed, Watcher, move
from messagehub.store.sides import NOT_MOVED, Side, Table, Values, side_of
from tests.conftest import STORES
from tests.store.test_conformance import route
from tests.support import postgres

ROWS = 7
SEVERAL = {
    "role": "customer",
    "on_doubt": "hold",
    "direction": "inbound",
    "trace": "all",
    "bound": 1,
    "disabled": 1,
    "leased": 0,
    "late": 1,
    "is_waiting": 1,
    "possible_duplicate": 1,
    "smart_encoding": 1,
    "scope": "number",
    "applies": "sending",
    "set_by": "operator",
    "alphanumeric": "no",
    "sticky": 1,
    "prefer_country": 1,
    "text": "ü✓👋 \t\n",
}
"""What columns have in any table, where a CHECK asks for it or where it is hard to move."""

OF_TABLE = {
    ("targets", "status"): "sent",
    ("events", "status"): "pending",
    ("activeflows", "status"): "running",
    ("opt_outs", "status"): "opted_out",
    ("opt_out_events", "status"): "opted_out",
    ("opt_outs", "source"): "keyword",
    ("opt_out_events", "source"): "import",
}


@pytest.fixture
def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    count = iter(range(100))

    def make(kind: str) -> str:
        if kind == "sqlite":
            return f"sqlite:///{tmp_path}/{next(count)}.db"
        return postgres.new_database(request.getfixturevalue("postgres_server"))

    return make  # type: ignore[return-value]


@pytest.fixture(params=[(one, other) for one in STORES for other in STORES], ids="-".join)
def urls(request: pytest.FixtureRequest, fresh: Any) -> tuple[str, str]:
    return fresh(request.param[0]), fresh(request.param[1])


@pytest.fixture(params=STORES)
def url(request: pytest.FixtureRequest, fresh: Any) -> str:
    address: str = fresh(request.param)
    return address


@asynccontextmanager
async def side(url: str) -> AsyncIterator[Side]:
    opened = await side_of(url)
    try:
        yield opened
    finally:
        await opened.close()


def value(table: str, column: str, kind: str, n: int) -> Any:
    for known, key in ((OF_TABLE, (table, column)), (SEVERAL, column)):
        if key in known:
            return known[key]  # type: ignore[index]
    return {"TEXT": f"{column} {n}", "BLOB": bytes([0, 255, n]), "BIGINT": 2**50 + n}[kind]


async def fill(url: str) -> None:
    """Every table with some rows; the kinds of the columns are those of a SQLite store."""
    await (await open_store(url)).close()
    kinds = columns_of_sqlite()
    async with side(url) as opened:
        for name, table in (await opened.tables()).items():
            rows = [tuple(value(name, column, kinds[name, column], n) for column in table.columns) for n in range(ROWS)]
            await opened.replace(table, [], rows)


def columns_of_sqlite() -> dict[tuple[str, str], str]:
    db = apsw.Connection(":memory:")
    for migration in schema.migrations():
        for statement in migration.statements:
            db.execute(statement)
    asked = "SELECT t.name, c.name, c.type FROM pragma_table_list AS t, pragma_table_info(t.name) AS c"
    found = {(table, column): kind for table, column, kind in db.execute(asked)}
    db.close()
    return found


async def everything(url: str) -> dict[str, list[Values]]:
    async with side(url) as opened:
        return {name: await opened.rows(table, None, 10_000) for name, table in (await opened.tables()).items()}


class Watching:
    def __init__(self) -> None:
        self.passes: list[Passed] = []
        self.watcher = Watcher(lambda progress: None, self.passes.append)


async def moved(one: str, other: str, follow: bool = False) -> Passed:
    return await move(one, other, follow, Watching().watcher)


async def test_every_table_arrives_whole(urls: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving, "BATCH", 3)
    one, other = urls
    await fill(one)
    before = await everything(one)
    passed = await moved(one, other)
    assert await everything(other) == before
    assert {table.table: table.rows for table in passed.tables} == dict.fromkeys(before, ROWS)
    tables = {name for name, _ in columns_of_sqlite() if not name.startswith("sqlite_")}
    assert before.keys() == tables - NOT_MOVED.keys()
    assert await everything(one) == before
    store = await open_store(other)
    await store.close()


async def test_both_sides_have_the_same_checksums_on_both_kinds_of_store(fresh: Any) -> None:
    one, other, third = fresh("sqlite"), fresh("postgres"), fresh("sqlite")
    await fill(one)
    first = await moved(one, other)
    second = await moved(other, third)
    assert [table.checksum for table in first.tables] == [table.checksum for table in second.tables]
    assert len({table.checksum for table in first.tables}) == len(first.tables)


async def test_what_was_moved_away_is_not_served_until_it_is_released(url: str, fresh: Any) -> None:
    await fill(url)
    await moved(url, fresh("sqlite"))
    with pytest.raises(SettingError, match="was moved to another"):
        await open_store(url)
    with pytest.raises(SettingError, match="was moved to another"):
        await moved(url, fresh("sqlite"))
    assert await moving.release(url)
    assert not await moving.release(url)
    await (await open_store(url)).close()


class Cut(Exception):
    pass


async def test_a_move_that_was_cut_short_goes_on_where_it_was(
    urls: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = urls
    await fill(one)
    monkeypatch.setattr(moving, "TELL_S", 0)
    seen = []

    def cut(progress: Any) -> None:
        seen.append(progress.rows)
        if len(seen) == 5:
            raise Cut

    with pytest.raises(Cut):
        await move(one, other, False, Watcher(cut, lambda passed: None))
    with pytest.raises(SettingError, match="has not finished"):
        await open_store(other)
    await (await open_store(one)).close()
    watching = Watching()
    await move(one, other, False, watching.watcher)
    assert await everything(other) == await everything(one)
    assert watching.passes[0].changed == sum(map(len, (await everything(one)).values())) - seen[-1]
    await (await open_store(other)).close()


async def test_nothing_is_written_into_a_store_that_has_rows(urls: tuple[str, str]) -> None:
    one, other = urls
    await fill(one)
    await (store := await open_store(other)).write([Insert("insert_route", [route("mine")])])
    await store.close()
    before = await everything(other)
    with pytest.raises(MoveError, match=r"not empty: there are rows in routes"):
        await moved(one, other)
    assert await everything(other) == before
    await (await open_store(other)).close()
    await (await open_store(one)).close()


async def test_what_is_served_is_not_moved_unless_it_is_followed(url: str, fresh: Any) -> None:
    store = await serving(url)
    other = fresh("sqlite")
    with pytest.raises(MoveError, match="--follow"):
        await moved(url, other)
    await store.run("drop_lease", id="node")
    await store.close()
    await moved(url, other)


async def test_two_moves_into_one_store_at_once_are_one(urls: tuple[str, str], fresh: Any) -> None:
    one, other = urls
    third = fresh(one.partition(":")[0].removesuffix("ql"))
    await fill(one)
    await (await open_store(third)).close()
    async with side(other) as first:
        await (await open_store(other)).close()
        assert await first.hold()
        with pytest.raises(MoveError, match="moved, by another process"):
            await moved(third, other)
    await moved(one, other)
    assert await everything(other) == await everything(one)


async def serving(url: str) -> Store:
    store = await open_store(url)
    store.serve()
    await store.run("keep_lease", id="node", tm_lease=NEVER, name="", works=1)
    return store


async def test_what_changes_while_it_is_copied_arrives_as_it_is_at_the_end(
    urls: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "BATCH", 4)
    monkeypatch.setattr(moving, "LOOK_S", 0.02)
    one, other = urls
    store = await serving(one)
    await store.write([Insert("insert_route", [route(f"{n:03}") for n in range(0, 40, 2)])])
    watching = Watching()
    following = asyncio.create_task(move(one, other, True, watching.watcher))

    async def passes(count: int) -> None:
        while len(watching.passes) < count:
            await asyncio.sleep(0.01)
            assert not following.done()

    await passes(1)
    await store.write([Insert("insert_route", [route(f"{n:03}") for n in range(1, 30, 2)])])
    await store.run("update_route", **route("004", name="other"))
    await store.run("delete_route", id="006", now=9)
    await passes(3)
    await store.run("drop_lease", id="node")
    await store.run("update_route", **route("008", name="last"))
    expected = await store.all("live_routes")
    await store.close()
    passed = await following
    assert not passed.is_live
    assert passed.changed == 0
    target = await open_store(other)
    assert await target.all("live_routes") == expected
    assert {row.name for row in expected} == {"r", "other", "last"}
    await target.close()


KEYS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=3)
ROUTES = st.dictionaries(KEYS, st.sampled_from(["one", "other"]), max_size=12)


@given(ROUTES, ROUTES, st.integers(1, 5))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_one_pass_makes_any_two_tables_equal(
    tmp_path_factory: pytest.TempPathFactory, here: dict[str, str], there: dict[str, str], batch: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(moving, "BATCH", batch)
        folder = tmp_path_factory.mktemp("any")
        urls = (f"sqlite:///{folder}/one.db", f"sqlite:///{folder}/other.db")
        for url, routes in zip(urls, (here, there), strict=True):
            await (store := await open_store(url)).write(
                [Insert("insert_route", [route(key, name=name) for key, name in routes.items()])]
            )
            await store.close()
        async with side(urls[1]) as target:
            await target.mark(schema.UNFINISHED)
        passed = await moved(urls[0], urls[1])
        assert passed.number <= 2
        assert await everything(urls[0]) == await everything(urls[1])


async def test_the_same_store_and_no_store(url: str, tmp_path: Path) -> None:
    await (await open_store(url)).close()
    with pytest.raises(MoveError, match="the same store"):
        await moved(url, url)
    with pytest.raises(SettingError, match="no such store"):
        await moved(f"sqlite:///{tmp_path}/none.db", url)
    assert not (tmp_path / "none.db").exists()
    with pytest.raises(SettingError, match="neither sqlite"):
        await moved(url, "mysql://host/name")


async def test_a_text_that_postgresql_does_not_take_is_named(fresh: Any) -> None:
    one, other = fresh("sqlite"), fresh("postgres")
    await fill(one)
    async with side(one) as opened:
        table: Table = (await opened.tables())["routes"]
        row = (await opened.rows(table, None, 1))[0]
        name = table.columns.index("name")
        await opened.replace(table, [table.key_of(row)], [(*row[:name], "a\0b", *row[name + 1 :])])
    with pytest.raises(MoveError, match="routes"):
        await moved(one, other)
