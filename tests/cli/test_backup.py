"""messagehub backup, beside a server that accepts messages meanwhile."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.cli.shell import Shell
from tests.support import hub as hubs
from tests.support import numbering
from tests.support.hub import Account, Hub
from tests.support.waiting import until


class Load:
    """Four callers who send until they are told to stop; the ids of what was accepted, in the order of the answers."""

    def __init__(self, account: Account) -> None:
        self._account, self._pool = account, ThreadPoolExecutor(4)
        self.accepted: list[str] = []
        self._going = True
        self._futures = [self._pool.submit(self._send) for _ in range(4)]

    def _send(self) -> None:
        while self._going:
            self.accepted.append(self._account.send(numbering.somebody())["id"])

    def stop(self) -> None:
        self._going = False
        for future in self._futures:
            future.result()
        self._pool.shutdown()


def served_from(copy: Path, folder: Path, like: Hub, account: Account) -> set[str]:
    """The ids of the messages that a hub on the copy knows."""
    shutil.copy(folder / "hub.db.key", f"{copy}.key")  # it is kept apart, and is put beside what is restored
    opened = Hub(f"sqlite:///{copy}", folder, "restored")
    try:
        opened.start()
        opened.caller(like.admin.key)
        return {message["id"] for message in opened.caller(account.api.key).every("/messages")}
    finally:
        opened.close()


def test_what_was_accepted_before_is_in_the_copy(shell: Shell, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/hub.db"
    with hubs.hub(url, tmp_path) as hub:
        account = hub.customer()
        load = Load(account)
        until(lambda: len(load.accepted) >= 50, "messages are accepted")
        before = set(load.accepted)
        done = shell.run("backup", "--to", "copy.db", "--json", database_url=url)
        meanwhile = len(load.accepted) - len(before)
        load.stop()
        assert done.json["check"] == "ok"
        assert done.json["octets"] == (tmp_path / "copy.db").stat().st_size
        assert meanwhile > 0
        assert before <= served_from(tmp_path / "copy.db", tmp_path, hub, account)


def test_it_says_what_it_did_and_replaces_nothing_unasked(shell: Shell, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/hub.db"
    shell.run("init", database_url=url)
    (tmp_path / "hub.db.key").write_text("the key")
    first = shell.run("backup", "--to", "backups.db", database_url=url)
    assert (first.code, first.err) == (0, "")
    assert first.out.startswith("backups.db: ")
    assert first.out.endswith("integrity_check: ok\n")
    shell.run("backup", "--to", "backups.db", database_url=url).is_refused("backups.db is there already", "--force")
    assert json.loads(shell.run("backup", "--to", "backups.db", "--force", "--json", database_url=url).out)["pages"] > 1
    assert not list(tmp_path.glob("backups.db?*")), "no key goes with it"


WRONG = [
    ("postgresql://hub:sesame@db.test/hub", "copy.db", "pg_dump"),
    ("sqlite:///none.db", "copy.db", "no such store"),
    ("sqlite:///hub.db", "no/such/folder/copy.db", "no/such/folder"),
    ("sqlite:///hub.db", ".", "is a folder"),
]


@pytest.mark.parametrize(("url", "to", "words"), WRONG)
def test_what_cannot_be_is_one_line(shell: Shell, url: str, to: str, words: str) -> None:
    shell.run("init", database_url="sqlite:///hub.db")
    refused = shell.run("backup", "--to", to, database_url=url)
    refused.is_refused(words)
    assert "sesame" not in refused.err
