"""messagehub accesskey, against a server that answers as the API does."""

import json
from typing import Any

from tests.cli.shell import Shell
from tests.cli.standin import Asked, StandIn

ID = "01a1fbc1-388b-7020-a7fb-a12694d73ae3"
NEVER = "9999-01-01 00:00:00.000000"
KEY = {
    "id": ID,
    "customer_id": "01a1fbc0-ef91-7057-90d0-8486e3298200",
    "name": "shop",
    "detail": "",
    "token_prefix": "vb_XyZv",
    "tm_expire": "2027-11-21 01:38:26.571381",
    "tm_last_use": NEVER,
    "tm_create": "2026-11-21 01:38:26.571381",
    "tm_update": NEVER,
    "tm_delete": NEVER,
}


def last(standin: StandIn) -> tuple[str, str, Any]:
    asked: Asked = standin.asked[-1]
    return asked.method, asked.path, asked.body


def test_a_key_is_made_and_shown(elsewhere: Shell, standin: StandIn) -> None:
    standin.answers["POST /accesskeys"] = {**KEY, "token": "vb_whole"}
    done = elsewhere.run("accesskey", "create", "shop", "--expire", "90d")
    assert ["token", "vb_whole"] in done.rows
    assert last(standin) == ("POST", "/accesskeys", {"name": "shop", "expire": 7_776_000})
    elsewhere.run("accesskey", "create", "shop", "--detail", "x", "--json")
    assert last(standin)[2] == {"name": "shop", "detail": "x"}
    assert elsewhere.run("accesskey", "create", "shop", "--expire", "soon").code == 2


def test_keys_are_listed_by_what_can_be_told_of_them(elsewhere: Shell, standin: StandIn) -> None:
    standin.answers["GET /accesskeys?page_size=20"] = {"result": [KEY], "next_page_token": ""}
    head, row = elsewhere.run("accesskey", "list").rows
    assert head == ["id", "name", "prefix", "expires", "last used", "created"]
    assert row == [ID, "shop", "vb_XyZv", "2027-11-21 01:38:26", "-", "2026-11-21 01:38:26"]


def test_keys_of_another_customer_are_the_operators(shell: Shell, standin: StandIn) -> None:
    state = {"api": standin.url, "accesskey": "vb_customer", "admin_accesskey": "vb_operator"}
    (shell.folder / "messagehub-dev.json").write_text(json.dumps(state))
    standin.answers["GET /accesskeys?page_size=5"] = {"result": [], "next_page_token": ""}
    standin.answers["GET /accesskeys?page_size=5&customer_id=x"] = {"result": [], "next_page_token": ""}
    for more in ((), ("--customer", "x")):
        assert shell.run("accesskey", "list", "--limit", "5", "--json", *more).json == []
    assert [asked.key for asked in standin.asked] == ["Bearer vb_customer", "Bearer vb_operator"]


def test_keys_are_changed_and_revoked(elsewhere: Shell, standin: StandIn) -> None:
    place = f"/accesskeys/{ID}"
    standin.answers |= {f"{method} {place}": KEY for method in ("GET", "PUT", "DELETE")}
    assert elsewhere.run("accesskey", "rename", ID, "old shop").code == 0
    assert last(standin) == ("PUT", place, {"name": "old shop"})
    assert elsewhere.run("accesskey", "expire", ID, "--in", "1w").code == 0
    assert last(standin) == ("PUT", place, {"expire": 604_800})
    elsewhere.run("accesskey", "revoke", ID).is_wrong("--yes")
    asked = elsewhere.answer("accesskey", "revoke", ID, says="yes\n")
    assert (asked.code, "shop (vb_XyZv…)" in asked.err) == (0, True)
    assert last(standin) == ("DELETE", place, None)
