"""Where the server is, whose key is used, and one line for whatever goes wrong on the way."""

import json
from pathlib import Path

from tests.cli.shell import Done, Shell
from tests.cli.standin import StandIn
from tests.support.hub import Account, Hub


def run_dev(folder: Path, **state: object) -> None:
    """What a running `dev` leaves."""
    (folder / "messagehub-dev.json").write_text(json.dumps(state))


def test_the_running_dev_is_asked_by_default(shell: Shell, hub: Hub, account: Account) -> None:
    run_dev(shell.folder, api=f"{hub.address}/v1.0", accesskey=account.api.key, admin_accesskey=hub.admin.key)
    me, everybody = shell.run_all(("customer", "me", "--json"), ("customer", "list", "--all", "--json"))
    assert me.json["id"] == account.id
    assert account.id in {each["id"] for each in everybody.json}


def test_the_address_goes_with_the_base_path_or_without(shell: Shell, hub: Hub, account: Account) -> None:
    for url in (hub.address, f"{hub.address}/", f"{hub.address}/v1.0", f"{hub.address}/v1.0/"):
        done = shell.run("customer", "me", "--json", "--url", url, "--accesskey", account.api.key)
        assert done.json["id"] == account.id


def test_options_overrule_the_environment(mine: Shell, hub: Hub, account: Account) -> None:
    other = hub.customer()
    assert mine.run("customer", "me", "--json").json["id"] == account.id
    assert mine.run("customer", "me", "--json", "--accesskey", other.api.key).json["id"] == other.id


def test_the_key_of_the_running_dev_goes_nowhere_else(shell: Shell, standin: StandIn) -> None:
    run_dev(shell.folder, api="http://127.0.0.1:1/v1.0", accesskey="vb_secret", admin_accesskey="vb_secret")
    shell.run("customer", "me", "--url", standin.url).is_refused("no access key", standin.url, "MESSAGEHUB_ACCESSKEY")
    assert standin.asked == []


def test_no_server_and_no_key(shell: Shell) -> None:
    shell.run("customer", "me").is_refused("no server", "--url", "MESSAGEHUB_URL", "messagehub dev")
    given = ("--url", "http://127.0.0.1:1")
    shell.run("customer", "me", *given).is_refused("--accesskey", "MESSAGEHUB_ACCESSKEY", "messagehub dev")
    (shell.folder / "messagehub-dev.json").write_text("{")
    shell.run("customer", "me").is_refused("messagehub-dev.json cannot be read")
    run_dev(shell.folder, api="http://127.0.0.1:1/v1.0")
    shell.run("customer", "me").is_refused("does not say accesskey")


def test_a_server_that_is_not_there_or_is_none(shell: Shell, standin: StandIn) -> None:
    def ask(url: str) -> Done:
        return shell.run("customer", "me", "--url", url, "--accesskey", "vb_secret")

    ask("http://127.0.0.1:1").is_refused("http://127.0.0.1:1/v1.0 does not answer", "--url", "MESSAGEHUB_URL")
    ask("127.0.0.1:8080").is_refused("127.0.0.1:8080/v1.0", "not an http or https URL")
    ask("http://user:password@127.0.0.1").is_refused("http://HOST:PORT")
    for nonsense in (b"<html>", b"[]", b"\xff", b""):
        standin.answers["GET /customer"] = nonsense
        ask(standin.url).is_refused("is no messagehub", "200")
    standin.answers["GET /numbers?page_size=20"] = {}
    shell.run("number", "list", "--url", standin.url, "--accesskey", "vb_secret").is_refused("no page of a list")


def test_what_the_server_refuses_is_one_line(mine: Shell, operator: Shell) -> None:
    mine.run("messages", "show", "x").is_refused("'x' is no UUID (INVALID_ID, request req_")
    mine.run("customer", "list").is_refused("PERMISSION_DENIED")
    mine.run("send", "--from", "+1", "--to", "+15559876543", "Hi").is_refused("source", "INVALID_SOURCE")
    operator.run("number", "create", "no\nnumber", "--customer", "x").is_refused()
    mine.run("customer", "me", accesskey="vb_unknown").is_refused("INVALID_CREDENTIALS")


def test_no_error_shows_the_key(mine: Shell) -> None:
    for key in ("vb_secretsecret", "vb_secret\x1bsecret", "vb_sécret"):
        done = mine.run("customer", "me", accesskey=key)
        assert done.code == 1
        assert "secret" not in done.err
        assert "cret" not in done.err


def test_octets_that_are_no_text(mine: Shell) -> None:
    mine.run("send", "--from", "+15551234567", "--to", "+15559876543", b"caf\xe9").is_refused("UTF-8")
    mine.run("messages", "show", b"caf\xe9").is_refused("UTF-8")


def test_a_path_is_one_part_however_it_is_written(mine: Shell) -> None:
    mine.run("messages", "show", "../customer").is_refused("/messages/", "PATH_NOT_FOUND")
    mine.run("messages", "show", "x?y=z").is_refused("INVALID_ID")
