"""messagehub migrate, beside a server that accepts messages meanwhile."""

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from messagehub.cli.migrate import ENDING, in_order
from messagehub.store import Insert, open_store
from messagehub.store.moving import MoveError, Passed, Watcher, is_in_use, move
from messagehub.store.sides import PostgresSide, SQLiteSide
from tests.cli.shell import Shell
from tests.cli.test_backup import Load
from tests.support import hub as hubs
from tests.support import postgres
from tests.support.hub import Hub


@pytest.mark.parametrize("kinds", [("sqlite", "postgres"), ("postgres", "sqlite")], ids="-".join)
def test_a_hub_moves_to_another_store_and_its_customers_notice_nothing(
    shell: Shell, tmp_path: Path, postgres_server: str, kinds: tuple[str, str]
) -> None:
    places = {"sqlite": f"sqlite:///{tmp_path}/hub.db", "postgres": postgres.new_database(postgres_server)}
    one, other = (places[kind] for kind in kinds)
    with hubs.hub(one, tmp_path) as hub:
        account = hub.customer()
        secret = account.api.get("/customer")["webhook_secret"]
        load = Load(account)
        following = shell.start("migrate", "--from", one, "--to", other, "--follow", "--json")
        events: list[dict[str, Any]] = []
        while not events or events[-1]["event"] != "pass":
            events.append(json.loads(following.line()))
        assert events[-1]["live"]
        load.stop()
        assert hub.end() == 0
        out, err = following.process.communicate(timeout=40)
        assert (following.process.returncode, err) == (0, "")
        *_, last = map(json.loads, out.splitlines())
        assert last["event"] == "moved"
        words = shell.run("migrate", "--from", one, "--to", f"sqlite:///{tmp_path}/third.db")
        words.is_refused("was moved to another")
        given = {"secret_key": (tmp_path / "hub.db.key").read_text().strip()} if kinds[0] == "sqlite" else {}
        assert ("MESSAGEHUB_SECRET_KEY" in last["key"]) == bool(given)
        there = Hub(other, tmp_path, "there", **given)
        try:
            there.start()
            api = there.caller(account.api.key)
            assert {message["id"] for message in api.every("/messages")} == set(load.accepted)
            assert api.get("/customer")["webhook_secret"] == secret
        finally:
            there.close()


def test_it_brings_the_tables_up(shell: Shell) -> None:
    first = shell.run("migrate", "--json", database_url="sqlite:///hub.db").json
    assert first["event"] == "migrated"
    assert first["migration"] >= 6
    assert "hub.db is at migration" in shell.run("migrate", database_url="sqlite:///hub.db").out


WRONG = [
    ("--from", "sqlite:///a.db"),
    ("--to", "sqlite:///a.db"),
    ("--follow",),
    ("--release", "--from", "a", "--to", "b"),
]


@pytest.mark.parametrize("words", WRONG)
def test_what_does_not_fit_together(shell: Shell, words: tuple[str, ...]) -> None:
    shell.run("migrate", *words).is_wrong("--from and --to go together")


def test_without_the_key_of_its_secrets_nothing_is_copied(shell: Shell, tmp_path: Path) -> None:
    shell.run("init", database_url="sqlite:///hub.db")
    (tmp_path / "hub.db.key").rename(tmp_path / "kept")
    shell.run("migrate", "--from", "sqlite:///hub.db", "--to", "sqlite:///new.db").is_refused("hub.db.key", "missing")
    assert not (tmp_path / "new.db").exists()
    key = (tmp_path / "kept").read_text().strip()
    done = shell.run("migrate", "--from", "sqlite:///hub.db", "--to", "sqlite:///new.db", secret_key=key)
    assert done.code == 0, done.err
    assert not (tmp_path / "new.db.key").exists()
    shell.run("migrate", database_url="sqlite:///hub.db").is_refused("was moved to another")
    released = shell.run("migrate", "--release", database_url="sqlite:///hub.db")
    assert "can be served again" in released.out


# --- ended by a signal


async def _moved(source: str, target: str, ended_by: signal.Signals) -> None:
    """Ended in its first pass over a source that stands still."""

    def end(_: Passed) -> None:
        os.kill(os.getpid(), ended_by)

    store = await open_store(source)
    await store.write([Insert("insert_expiry", [{"message_id": "m", "due_at": 1}])])  # so that there is a second pass
    await store.close()

    with in_order():
        await move(source, target, False, Watcher(lambda _: None, end))


@pytest.mark.parametrize("ended_by", ENDING)
async def test_whoever_ends_it_finds_its_source_fit_to_be_served(
    database_url: str, tmp_path: Path, ended_by: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    side: Any = SQLiteSide if database_url.startswith("sqlite") else PostgresSide
    unmark = side.unmark

    async def ended_again(self: Any, version: int) -> None:
        """As by a terminal, and then by its shell."""
        os.kill(os.getpid(), ended_by)
        await asyncio.sleep(0.01)
        await unmark(self, version)

    monkeypatch.setattr(side, "unmark", ended_again)
    with pytest.raises(MoveError, match="call it again"):
        await _moved(database_url, f"sqlite:///{tmp_path}/other.db", ended_by)
    assert await is_in_use(database_url)


async def test_a_hangup_that_is_to_be_passed_over_does_not_end_it(tmp_path: Path) -> None:
    one, other = f"sqlite:///{tmp_path}/hub.db", f"sqlite:///{tmp_path}/other.db"
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        await _moved(one, other, signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert await is_in_use(other)
