"""messagehub send"""

from pathlib import Path

import pytest

from tests.cli.shell import Shell
from tests.media.samples import SAMPLES
from tests.support import numbering
from tests.support.hub import Account, Hub
from tests.support.waiting import until


def test_it_is_accepted(mine: Shell, account: Account) -> None:
    to = numbering.somebody()
    shown = mine.run("send", "--from", account.number, "--to", to, "--json", "Hello").json
    assert (shown["status"], shown["source"]["target"]) == ("sending", account.number)
    assert account.api.message(shown["id"])["text"] == "Hello"


def test_the_only_number_need_not_be_said(mine: Shell, hub: Hub, account: Account, tmp_path: Path) -> None:
    words = ("send", "--to", numbering.somebody(), "--json", "Hello")
    assert mine.run(*words).json["source"]["target"] == account.number
    another = numbering.own()
    hub.admin.post("/numbers", {"number": another, "customer_id": account.id})
    picture = tmp_path / "picture.jpg"
    picture.write_bytes(SAMPLES["jpeg"])
    mine.run(*words, "--media", str(picture)).is_wrong("--from", account.number, another)
    assert account.api.get("/media")["result"] == []


def test_who_has_no_number_is_told_who_gives_one(mine: Shell, hub: Hub, account: Account) -> None:
    number = account.api.get("/numbers")["result"][0]
    hub.admin.delete(f"/numbers/{number['id']}")
    mine.run("send", "--to", numbering.somebody(), "Hello").is_refused("messagehub number create")


@pytest.mark.parametrize("typed", ["Grüße\naus Köln ✓", "Grüße\naus Köln ✓\n"])
def test_the_text_may_come_by_a_pipe(mine: Shell, typed: str) -> None:
    shown = mine.run("send", "--to", numbering.somebody(), "--json", "-", typed=typed).json
    assert shown["text"] == "Grüße\naus Köln ✓"


def test_what_a_message_asks_for(mine: Shell) -> None:
    words = ("send", "--to", numbering.somebody(), "--json", "It’s")
    shown = mine.run(*words, "--smart-encoding", "--class", "0").json
    assert (shown["sent_text"], shown["class"]) == ("It's", 0)
    assert not {"sent_text", "class"} & mine.run(*words, "--no-smart-encoding").json.keys()
    assert mine.run(*words, "--class", "4").code == 2


def test_when_a_message_goes_and_until_when(mine: Shell) -> None:
    words = ("send", "--to", numbering.somebody(), "--json", "Hello")
    later = mine.run(
        *words, "--class", "otp", "--message-class", "1", "--schedule-at", "2h", "--validity", "1d",
        "--spread-over", "10m", "--priority", "high",
    ).json  # fmt: skip
    assert (later["class"], later["message_class"]) == ("otp", 1)
    assert (later["validity"], later["spread_over"]) == (86_400, 600)
    assert later["targets"][0]["hold_reason"] == "scheduled"
    assert "such as 90s" in mine.run(*words, "--validity", "long").err
    assert "tomorrow" in mine.run(*words, "--schedule-at", "tomorrow").err
    assert mine.run(*words, "--class", "flash").code == 2
    moved = mine.run("messages", "reschedule", later["id"], "--at", "3h", "--json").json
    assert moved["schedule_at"] > later["schedule_at"]
    mine.run("messages", "cancel", later["id"])
    mine.run("messages", "reschedule", later["id"], "--at", "3h").is_refused("waits to be handed over")


def test_waiting_ends_with_what_became_of_it(mine: Shell) -> None:
    good, bad = numbering.somebody(), numbering.somebody("0001")
    delivered, failed, some = mine.run_all(
        ("send", "--wait", "--json", "--to", good, "Hello"),
        ("send", "--wait", "--to", bad, "Hello"),
        ("send", "--wait", "--to", good, "--to", bad, "Hello"),
    )
    assert delivered.json["status"] == "delivered"
    assert (failed.code, failed.err) == (3, "")
    assert [bad, "failed", "1", "undelivered"] in [row[:4] for row in Rows(failed.out)]
    assert some.code == 3
    assert {(good, "delivered"), (bad, "failed")} <= {tuple(row[:2]) for row in Rows(some.out)}


class Rows(list[list[str]]):
    def __init__(self, text: str) -> None:
        super().__init__(line.split() for line in text.splitlines())


def test_somebody_at_a_terminal_sees_that_it_waits(mine: Shell) -> None:
    done = mine.answer("send", "--wait", "--json", "--to", numbering.somebody(), "Hello")
    assert "waiting: 1 " in done.err
    assert done.json["status"] == "delivered"
    assert "waiting" not in mine.run("send", "--wait", "--to", numbering.somebody(), "Hello").err


def test_waiting_has_an_end(mine: Shell, account: Account) -> None:
    done = mine.run("send", "--wait", "--timeout", "0.3", "--to", numbering.somebody("0005"), "Hello")
    assert done.code == 4
    assert ["status", "sent"] in Rows(done.out)


def test_ctrl_c_ends_the_waiting_and_not_the_message(mine: Shell, account: Account) -> None:
    running = mine.start("send", "--wait", "--to", numbering.somebody("0005"), "Hello")
    until(lambda: [each for each in account.api.every("/messages") if each["status"] == "sent"], "it is sent")
    done = running.interrupt()
    assert (done.code, done.out) == (130, "")
    (sent,) = [each["id"] for each in account.api.every("/messages") if each["status"] == "sent"]
    assert f"messagehub messages show {sent}" in done.err


def test_in_doubt_as_is_said(mine: Shell) -> None:
    words = ("send", "--to", numbering.somebody(), "Hello", "--on-doubt")
    assert mine.run(*words, "hold").code == 0
    assert mine.run(*words, "perhaps").code == 2
