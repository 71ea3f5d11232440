import re
from pathlib import Path

from tests.cli.shell import Shell


def test_the_operator_is_made_and_shown_once(shell: Shell, database_url: str) -> None:
    first = shell.run("init", "--json", database_url=database_url).json
    assert first.keys() == {"admin_accesskey", "username", "password"}
    assert re.fullmatch("vb_[A-Za-z0-9]{32}", first["admin_accesskey"])
    again = shell.run("init", "--json", database_url=database_url).json
    assert again["changed"] is False
    assert "nothing was changed" in again["detail"]
    assert first["admin_accesskey"] not in str(again)


def test_without_anybody_who_sees_the_key_there_is_no_operator(shell: Shell) -> None:
    for how in (">/dev/full", ">&-"):
        shell.redirected(how, "init").is_refused("no operator was made")
    shell.redirected("| true", "init")
    assert "admin_accesskey" in shell.run("init", "--json").json


def test_what_is_wrong_with_a_setting_is_one_line(shell: Shell) -> None:
    shell.run("init", nonsense="1").is_refused("no such setting", "MESSAGEHUB_NONSENSE")
    shell.run("serve", max_segments="0").is_refused("MESSAGEHUB_MAX_SEGMENTS", "1 to 255")
    shell.run("init", database_url="mysql://x").is_refused("MESSAGEHUB_DATABASE_URL", "sqlite:///")
    assert list(shell.folder.iterdir()) == []


def test_a_store_that_cannot_be_opened_is_one_line(shell: Shell, tmp_path: Path) -> None:
    shell.run("init", database_url=f"sqlite:///{tmp_path}/no/such/folder/hub.db").is_refused("no/such/folder")
    shell.run("init", database_url="postgresql://nobody:secret@127.0.0.1:1/hub").is_refused("127.0.0.1:1")
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"this is no database" * 100)
    shell.run("init", database_url=f"sqlite:///{broken}").is_refused("broken.db")
    (tmp_path / "hub.db.lock").mkdir()
    hub = {"database_url": f"sqlite:///{tmp_path}/hub.db", "listen": "127.0.0.1:0"}
    for writer in ("thread", "process"):
        shell.run("serve", writer=writer, **hub).is_refused("hub.db.lock")


def test_a_role_that_sqlite_does_not_bear_is_one_line(shell: Shell) -> None:
    shell.run("serve", "--role", "api", listen="127.0.0.1:0").is_refused("MESSAGEHUB_ROLE", "PostgreSQL")
