"""messagehub opt-outs, consents and contacts, against a real server."""

import csv

import pytest

from tests.cli.shell import Shell
from tests.cli.standin import StandIn
from tests.support import numbering
from tests.support.api import Api
from tests.support.hub import Account, Hub


def test_somebody_is_put_out_looked_at_and_let_in_again(mine: Shell, account: Account) -> None:
    person = numbering.somebody()
    made = mine.run("opt-outs", "add", person, "--words", "by telephone", "--json").json
    assert (made["address"], made["status"]) == (person, "opted_out")
    listed, probable, shown = mine.run_all(
        ("opt-outs", "list"), ("opt-outs", "list", "--status", "probable", "--json"), ("opt-outs", "show", made["id"])
    )
    assert listed.rows[1][:5] == [made["id"], person, "customer", "opted_out", "api"]
    assert probable.json == []
    assert shown.rows[-1][1:3] == ["opted_out", "api"]
    assert shown.rows[-1][-1] == "by telephone"
    assert mine.run("opt-outs", "undo", made["id"], "--json").json["status"] == "opted_in"
    mine.run("opt-outs", "undo", made["id"]).is_refused("STATE_INVALID")


def test_a_long_list_goes_in_pieces_and_comes_out_again(mine: Shell, account: Account) -> None:
    people = [f"+4478{n:08}" for n in range(15_000)]
    lines = ["address,scope", *(f"{person},customer" for person in people)]
    lines[14_000:14_000] = ["fred,customer"]
    (mine.folder / "list.csv").write_text("\ufeff" + "\r\n".join(lines) + "\r\n")
    done = mine.run("opt-outs", "import", "list.csv", "--json")
    assert done.code == 1
    assert '"lines":15001' in done.out
    assert '"opted_out":15000' in done.out
    assert '{"line":14001,"message":"address: \'fred\' is not E.164' in done.out
    exported = mine.run("opt-outs", "export")
    head, *out = exported.out.splitlines()
    assert head == "address,scope,tm,status,source,message_id"
    assert [line.split(",")[0] for line in out] == people
    again = mine.run("opt-outs", "import", "-", typed=exported.out)
    assert (again.code, ["unchanged", "15000"] in again.rows) == (0, True)


@pytest.mark.parametrize("name", ["Acme, Inc", 'Say "hi"', 'a"', ",a"])
def test_an_export_ends_whatever_name_its_last_scope_has(mine: Shell, account: Account, name: str) -> None:
    person = numbering.somebody()
    account.api.post("/opt_outs", {"address": person, "scope": f"number:{name}"})
    done = mine.run("opt-outs", "export")
    assert (done.code, done.err) == (0, "")
    _, *rows = csv.reader(done.out.splitlines())
    assert [row[:2] for row in rows] == [[person, f"number:{name}"]]


def test_an_export_that_does_not_come_on_is_an_error(shell: Shell) -> None:
    page = b"address,scope,tm,status,source,message_id\r\n+441,customer,2025-01-31T10:30:00.000000Z,opted_out,api,\r\n"
    with StandIn() as server:
        server.answers["GET /opt_outs/export"] = page
        server.answers["GET /opt_outs/export?after=%2B441%2Ccustomer"] = page
        done = Shell(shell.folder, url=server.url, accesskey="k").run("opt-outs", "export")
    assert (done.code, done.out.splitlines()) == (1, page.decode().splitlines())
    assert "up to +441,customer again" in done.err


def test_files_that_cannot_be_imported(mine: Shell) -> None:
    mine.run("opt-outs", "import", "missing.csv").is_refused("missing.csv")
    (mine.folder / "wrong.csv").write_text("address,phone\n+441,1\n")
    mine.run("opt-outs", "import", "wrong.csv").is_refused("line 1", "phone")


def test_the_operator_acts_for_a_customer(operator: Shell, hub: Hub, account: Account) -> None:
    person = numbering.somebody()
    operator.run("opt-outs", "add", person, "--customer", account.id)
    listed = operator.run("opt-outs", "list", "--customer", account.id, "--json").json
    assert [one["address"] for one in listed] == [person]


def test_consents_and_contacts(mine: Shell, account: Account) -> None:
    person, api = numbering.somebody(), account.api
    made = mine.run("consents", "add", person, "--method", "paper", "--evidence", "form 4711", "--json").json
    mine.run("consents", "withdraw", made["id"], "--words", "by letter")
    assert withdrawn(api, made["id"]) == "by letter"
    contact = mine.run("contacts", "set", person, "America/Chicago", "--json").json
    consents, contacts = mine.run_all(("consents", "list", "--address", person), ("contacts", "list"))
    assert consents.rows[1][:4] == [made["id"], person, "customer", "paper"]
    assert contacts.rows[1][:3] == [contact["id"], person, "America/Chicago"]
    assert mine.run("contacts", "delete", contact["id"], "--yes").code == 0
    assert api.every("/contacts") == []


def withdrawn(api: Api, consent_id: str) -> str:
    words: str = api.get(f"/consents/{consent_id}")["withdrawn_words"]
    return words


def test_a_numbers_words_and_group(mine: Shell, account: Account) -> None:
    (number,) = account.api.get("/numbers")["result"]
    changed = mine.run(
        "number", "update", number["id"], "--sender-group", "shop", "--ignore-keyword", "END",
        "--ignore-keyword", "cancel", "--json",
    ).json  # fmt: skip
    assert (changed["sender_group"], changed["ignored_keywords"]) == ("shop", ["END", "CANCEL"])
    changed = mine.run("number", "update", number["id"], "--ignore-keyword", "none", "--json").json
    assert (changed["sender_group"], changed["ignored_keywords"]) == ("shop", [])
