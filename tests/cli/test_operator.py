"""What an operator does: customers, numbers, carriers and routes."""

import json
from pathlib import Path

import pytest

from tests.cli.shell import Shell
from tests.support import numbering
from tests.support.api import Json
from tests.support.hub import Account, Hub
from tests.support.simulator import Simulator
from tests.support.waiting import until

# --- customers and numbers --------------------------------------------------------------


def test_a_customer_from_making_it_to_its_first_message(operator: Shell, hub: Hub) -> None:
    name, number = numbering.own(), numbering.own()
    (operator.folder / "password").write_text("long enough\nnot this\n")
    words = ("--name", name, "--username", name, "--password-file", "password", "--json")
    made = operator.run("customer", "create", *words, "--email", "a@example.com").json
    assert (made["name"], made["email"]) == (name, "a@example.com")
    given = operator.run("number", "create", number, "--customer", made["id"], "--name", "desk", "--json").json
    own = Shell(operator.folder, url=hub.address, accesskey=made["accesskey"])
    me, numbers, sent = own.run_all(
        ("customer", "me"),
        ("number", "list"),
        ("send", "--from", number, "--to", numbering.somebody(), "Hello"),
    )
    assert ["id", made["id"]] in me.rows
    assert [row[:3] for row in numbers.rows[1:]] == [[given["id"], number, "desk"]]
    assert sent.code == 0


def test_passwords_come_from_where_nobody_sees_them(operator: Shell) -> None:
    name = numbering.own()
    words = ("customer", "create", "--name", name, "--username", name)
    operator.run(*words).is_wrong("--password-file", "MESSAGEHUB_PASSWORD")
    operator.run(*words, "--password-file", "missing").is_refused("missing")
    operator.run(*words, "--password", "long enough", "--password-file", "x").is_wrong("not both")
    operator.run(*words, "--password-file", "-", typed="short\n").is_refused("password")
    assert operator.run(*words, password="long enough").code == 0


def test_customers_are_listed_and_shown(operator: Shell, hub: Hub) -> None:
    account = hub.customer()
    listed, shown = operator.run_all(("customer", "list"), ("customer", "show", account.id, "--json"))
    assert listed.rows[1][0] == account.id
    assert shown.json == hub.admin.get(f"/customers/{account.id}")


def test_numbers_are_changed_and_taken_away(operator: Shell, mine: Shell, hub: Hub) -> None:
    number = hub.admin.post("/numbers", {"number": numbering.own(), "customer_id": hub.customer().id})
    mine.run("number", "show", number["id"]).is_refused("RESOURCE_NOT_FOUND")
    changed = operator.run("number", "update", number["id"], "--name", "front desk", "--detail", "", "--json").json
    assert (changed["name"], changed["detail"]) == ("front desk", "")
    operator.run("number", "update", number["id"]).is_wrong("nothing to change")
    kept = operator.answer("number", "delete", number["id"], says="n\n")
    assert (kept.code, number["number"] in kept.err) == (1, True)
    assert operator.run("number", "delete", number["id"], "-y").code == 0
    operator.run("number", "show", number["id"]).is_refused("RESOURCE_NOT_FOUND")


# --- carriers and routes ----------------------------------------------------------------


@pytest.fixture
def carrier(operator: Shell, carrier_box: Simulator) -> Json:
    words = ("carrier", "create", "smpp", "--host", "127.0.0.1", "--port", str(carrier_box.port), "--system-id", "me")
    made: Json = operator.run(*words, "--set", "window=7", "--set", "tls=false", "--json", password="secret").json
    return made


def test_a_carrier_is_made_and_connected(operator: Shell, hub: Hub, carrier: Json) -> None:
    config = carrier["config"]
    assert (carrier["name"], config["window"], config["tls"]) == ("127.0.0.1", 7, False)
    hub.bound(carrier)
    listed, shown = operator.run_all(("carrier", "list"), ("carrier", "show", carrier["id"]))
    assert listed.rows[1][:5] == [carrier["id"], "127.0.0.1", "smpp", "bound", "1/1"]
    assert ["config.window", "7"] in shown.rows
    assert ["transceiver", "bound"] in [row[:2] for row in shown.rows]


def test_a_carrier_is_changed(operator: Shell, hub: Hub, carrier: Json) -> None:
    words = ("carrier", "update", carrier["id"], "--json")
    changed = operator.run(*words, "--set", "rate=2.5", "--set", "system_type=my=type", "--name", "new").json
    config = changed["config"]
    assert (changed["name"], config["rate"], config["system_type"], config["window"]) == ("new", 2.5, "my=type", 7)
    operator.run(*words, "--set", "window=many").is_refused("config.window", "INVALID_CARRIER_CONFIG")
    operator.run(*words, "--set", "window").is_wrong("MEMBER=VALUE")
    operator.run(*words, password="other").is_wrong("nothing to change")


def test_who_is_traced(operator: Shell, carrier: Json, account: Account) -> None:
    for noun, id in (("carrier", carrier["id"]), ("customer", account.id)):
        assert operator.run(noun, "update", id, "--trace", "all", "--json").json["trace"] == "all"
        assert operator.run(noun, "update", id, "--trace", "default", "--json").json["trace"] == "default"
    assert operator.run("carrier", "update", carrier["id"], "--trace", "some").code == 2


def test_smart_encoding_of_a_customer(operator: Shell, account: Account) -> None:
    for option, wished in (("--smart-encoding", True), ("--no-smart-encoding", False)):
        assert operator.run("customer", "update", account.id, option, "--json").json["smart_encoding"] is wished


def test_a_carrier_is_disabled_enabled_and_removed(operator: Shell, hub: Hub, carrier: Json) -> None:
    assert operator.run("carrier", "disable", carrier["id"], "--json").json["disabled"] is True
    hub.when_carrier(carrier, lambda now: now["status"] == "disabled")
    assert operator.run("carrier", "enable", carrier["id"], "--json").json["disabled"] is False
    hub.bound(carrier)
    operator.run("carrier", "delete", carrier["id"]).is_wrong("--yes")
    assert operator.run("carrier", "delete", carrier["id"], "--yes").code == 0
    operator.run("carrier", "show", carrier["id"]).is_refused("RESOURCE_NOT_FOUND")


def test_a_carrier_is_watched_until_ctrl_c(operator: Shell, hub: Hub, carrier: Json) -> None:
    running = operator.start("carrier", "show", carrier["id"], "--watch", "--json")
    assert json.loads(running.line())["id"] == carrier["id"]
    hub.admin.put(f"/carriers/{carrier['id']}", {"name": "another"})
    until(lambda: json.loads(running.line())["name"] == "another")
    done = running.interrupt()
    assert (done.code, done.err) == (0, "")


def test_routes(operator: Shell, hub: Hub, carrier: Json) -> None:
    prefix = "+44209"
    made = operator.run("route", "create", "--carrier", carrier["id"], "--prefix", prefix, "--json").json
    changed = operator.run("route", "update", made["id"], "--priority", "3", "--name", "UK", "--json").json
    assert (changed["prefix"], changed["priority"], changed["name"]) == ("44209", 3, "UK")
    listed, chosen = operator.run_all(("route", "list"), ("route", "choose", f"{prefix}0000000"))
    assert listed.rows[1][:3] == [made["id"], "UK", "44209"]
    assert chosen.rows[4][0] == "127.0.0.1"
    assert "priority 3" in chosen.rows[4][1]
    operator.run("route", "choose", "nowhere").is_refused("destination")
    assert operator.run("route", "delete", made["id"], "--yes").code == 0
    operator.run("route", "show", made["id"]).is_refused("RESOURCE_NOT_FOUND")


def test_limits_from_making_one_to_removing_it(operator: Shell, mine: Shell, account: Account) -> None:
    words = ("limit", "create", "number", account.number, "--per-second", "0.5", "--per-day", "2000")
    made = mine.run(*words, "--day-starts-in", "Asia/Seoul", "--json").json
    assert (made["segments_per_second"], made["segments_per_day"], made["set_by"]) == (0.5, 2000, "customer")
    mine.run(*words).is_refused("ALREADY_EXISTS")
    listed, shown = operator.run_all(("limit", "list"), ("limit", "show", made["id"]))
    assert listed.rows[1][:6] == [made["id"], f"number {account.number}", "sending", "0.5", "2000", "0"]
    assert ["day_starts_in", "Asia/Seoul"] in shown.rows
    assert mine.run("limit", "update", made["id"], "--per-day", "10", "--json").json["segments_per_day"] == 10
    assert mine.run("limit", "delete", made["id"], "-y").code == 0


def test_what_countries_ask_of_senders(operator: Shell, mine: Shell, account: Account) -> None:
    set_to = operator.run("sender", "set", "FR", "registered", "--customer", account.id, "--json").json
    assert (set_to["country"], set_to["alphanumeric"]) == ("FR", "registered")
    (row,) = [row for row in mine.run("sender", "list").rows if row[0] == "FR"]
    assert row[1:4] == ["France", "+33", "registered"]
    operator.run("sender", "set", "XX", "no").is_refused("RESOURCE_NOT_FOUND")


def test_pools_from_making_one_to_removing_it(mine: Shell, account: Account) -> None:
    number = account.api.get("/numbers")["result"][0]
    made = mine.run("pool", "create", "shops", "--number", number["id"], "--json").json
    assert (made["name"], made["sticky"]) == ("shops", True)
    listed, shown = mine.run_all(("pool", "list"), ("pool", "show", made["id"]))
    assert listed.rows[1] == [made["id"], "shops", account.number]
    assert [number["id"], account.number, "good"] in shown.rows
    assert mine.run("pool", "update", made["id"], "--no-sticky", "--json").json["sticky"] is False
    mine.run("pool", "update", made["id"]).is_wrong("nothing to change")
    assert mine.run("pool", "delete", made["id"], "-y").code == 0


def test_what_is_a_text_in_a_config_may_be_written_in_digits(operator: Shell) -> None:
    said = {"account_id": "5500001", "username": "007", "password": "1234", "application_id": "a", "rate": "2"}
    said |= {"callback_username": "true", "callback_password": "null"}
    words = [word for member in said.items() for word in ("--set", "=".join(member))]
    made = operator.run("carrier", "create", "bandwidth", *words, "--json").json
    config = made["config"]
    assert (config["account_id"], config["username"], config["callback_username"]) == ("5500001", "007", "true")
    assert config["rate"] == 2
    assert "bandwidth" in operator.run("carrier", "create", "--help").out
    operator.run("carrier", "delete", made["id"], "--yes")


def test_a_carrier_over_http_is_made_with_a_secret_of_a_file(operator: Shell, hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("a key of ours\n")
    words = ("--set", "url=http://127.0.0.1:9/send", "--set", 'body={"to":"{destination}","key":"{secret}"}')
    made = operator.run(
        "carrier", "create", "http", "--name", "web", *words, "--set", f"secret=@{tmp_path}/key", "--json"
    ).json
    assert (made["type"], made["config"]["body"]["key"]) == ("http", "{secret}")
    assert made["callback_url"].endswith(f"/callbacks/{made['id']}")
    assert "a key of ours" not in str(made)
    assert operator.run("carrier", "create", "http", "--set", "secret=@/nowhere").code == 2
    lacking = operator.run("carrier", "create", "smpp", "--password", "p")
    assert lacking.code == 2
    assert "--host" in lacking.err
    operator.run("carrier", "delete", made["id"], "--yes")
