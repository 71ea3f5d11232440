"""messagehub conversations"""

from tests.cli.shell import Shell
from tests.support import numbering
from tests.support.hub import Account
from tests.support.simulator import Simulator


def test_a_dialogue_from_the_terminal(mine: Shell, account: Account, carrier_box: Simulator) -> None:
    anne, bert = numbering.somebodies(2)
    carrier_box.write(bert, account.number, "Hi")
    carrier_box.write(anne, account.number, "Are you \x1b[31mopen?")
    listed, few, of_one = mine.run_all(
        ("conversations", "list"),
        ("conversations", "list", "--limit", "1", "--json"),
        ("conversations", "list", "--number", account.number, "--with", bert, "--json"),
    )
    head, *rows = listed.rows
    assert head == ["id", "last message", "number", "with", "unread", "name"]
    assert [row[3:5] for row in rows] == [[anne, "1"], [bert, "1"]]
    assert [thread["peer"]["target"] for thread in [*few.json, *of_one.json]] == [anne, bert]
    id = few.json[0]["id"]
    sent = mine.run("conversations", "send", id, "We open at nine", "--json").json
    account.settled(account.api.message(sent["id"]))
    shown, exact, short = mine.run_all(
        ("conversations", "show", id),
        ("conversations", "show", id, "--json"),
        ("conversations", "show", id, "--limit", "1"),
    )
    said = [line.split("  ", 1)[1] for line in shown.out.splitlines() if "←" in line or "→" in line]
    assert said == [r"← Are you \x1b[31mopen?", "→ We open at nine  done"]
    assert exact.json["messages"][0]["id"] == sent["id"]
    assert "←" not in short.out
    assert "--all" in short.out
    assert mine.run("conversations", "read", id, "--json").json["unread_count"] == 0


def test_one_is_opened(mine: Shell, account: Account) -> None:
    words = ("conversations", "open", "--number", account.number, "--with", numbering.somebody(), "--json")
    made, again = mine.run(*words).json, mine.run(*words).json
    assert made == again
    mine.run("conversations", "show", made["id"][:-1]).is_refused("INVALID_ID")
    mine.run(*words[:-2], "ACME").is_refused("peer: 'ACME'")
