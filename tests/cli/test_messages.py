"""messagehub messages"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from messagehub.cli.client import Api as Server
from messagehub.cli.following import REMEMBERED, Follower
from tests.cli.shell import Shell
from tests.cli.standin import StandIn
from tests.support import numbering
from tests.support.hub import Account, Hub
from tests.support.simulator import Simulator
from tests.support.waiting import until


@pytest.fixture
def server(hub: Hub, account: Account) -> Iterator[Server]:
    opened = Server(hub.address, account.api.key)
    yield opened
    opened.close()


def test_the_newest_are_listed(mine: Shell, account: Account) -> None:
    sent = [account.send(numbering.somebody(), f"Hello {n}")["id"] for n in range(22)]
    few, usual, every = mine.run_all(
        ("messages", "list", "--limit", "2", "--json"),
        ("messages", "list"),
        ("messages", "list", "--all", "--json"),
    )
    assert [each["id"] for each in few.json] == sent[:-3:-1]
    head, *rows = usual.rows
    assert head == ["id", "created", "from", "to", "status", "text"]
    assert [row[0] for row in rows] == sent[:1:-1]
    assert every.json == account.api.every("/messages")


def test_more_than_a_page(mine: Shell, server: Server, account: Account) -> None:
    sent = [account.send(numbering.somebody("0005"))["id"] for _ in range(103)]
    limited, every = mine.run_all(
        ("messages", "list", "--limit", "101", "--json"), ("messages", "list", "--all", "--json")
    )
    assert [each["id"] for each in limited.json] == sent[:1:-1]
    assert [each["id"] for each in every.json] == sent[::-1]
    assert [server.rows("messages", limit=limit)[1] for limit in (1, 100, 101, 103, 150, None)] == [True] * 3 + [
        False
    ] * 3


def test_filters_are_those_of_the_api(mine: Shell, account: Account, carrier_box: Simulator) -> None:
    to, stranger = numbering.somebody(), numbering.somebody()
    sent = account.send(to)["id"]
    account.send(numbering.somebody())
    carrier_box.write(stranger, account.number, "Hi, shop")
    until(lambda: account.api.every("/messages", direction="inbound"), "it has come")
    inbound, to_one, since, until_then = mine.run_all(
        ("messages", "list", "--direction", "inbound", "--json"),
        ("messages", "list", "--destination", to, "--json"),
        ("messages", "list", "--since", "1h", "--source", account.number, "--json"),
        ("messages", "list", "--until", "1h", "--json"),
    )
    assert [(each["source"]["target"], each["text"]) for each in inbound.json] == [(stranger, "Hi, shop")]
    assert [each["id"] for each in to_one.json] == [sent]
    assert len(since.json) == 2
    assert until_then.json == []


def test_one_is_shown_with_its_targets(mine: Shell, account: Account) -> None:
    to = [numbering.somebody("1234"), numbering.somebody("0003")]
    sent = account.settled(account.send(to, "Two\nlines \x1b[31m"))
    shown, exact = mine.run_all(("messages", "show", sent["id"]), ("messages", "show", sent["id"], "--json"))
    assert exact.json == sent
    assert ["status", "partially_delivered"] in shown.rows
    assert [to[1], "failed", "1", "invalid_number"] in [row[:4] for row in shown.rows]
    assert "\x1b" not in shown.out


PHONE = {"type": "tel", "target": "+15559876543", "target_name": "", "name": "", "detail": ""}
MMS = {
    "id": "01a1fbc1-388b-7020-a7fb-a12694d73ae3", "type": "mms", "status": "received", "source": PHONE,
    "destination": PHONE, "targets": [{"destination": PHONE, "status": "received", "parts": 1, "error_code": ""}],
    "target_count": 1, "text": "Look", "subject": "A \x1bcat", "direction": "inbound",
    "tm_create": "2026-11-21 04:15:19.727700",
    "medias": [{"type": "image/jpeg", "url": "https://hub.test/media/7", "size": 4711}, {"type": "", "url": "https://x/"}],
}  # fmt: skip


def test_the_media_of_a_message_are_shown(elsewhere: Shell, standin: StandIn) -> None:
    bare = {**MMS, "text": "", "subject": "", "medias": []}
    standin.answers["GET /messages?page_size=20"] = {"result": [MMS, bare], "next_page_token": ""}
    standin.answers[f"GET /messages/{MMS['id']}"] = MMS
    listed, shown = elsewhere.run_all(("messages", "list"), ("messages", "show", str(MMS["id"])))
    assert [row[-1] for row in listed.rows] == ["text", r'Look ["A \x1bcat", image/jpeg, medium]', "[MMS]"]
    assert ["type", "mms"] in shown.rows
    assert ["image/jpeg", "4711", "-", "https://hub.test/media/7"] in shown.rows


def test_all_targets_are_listed(mine: Shell, account: Account) -> None:
    to = numbering.somebodies(120, "0005")
    sent = account.send(to)
    done = mine.run("messages", "targets", sent["id"], "--all", "--json")
    assert [target["destination"]["target"] for target in done.json] == to


def test_acts(mine: Shell, account: Account) -> None:
    sent = account.settled(account.send(numbering.somebody()))
    assert mine.run("messages", "cancel", sent["id"], "--json").json["status"] == "delivered"
    mine.run("messages", "resend", sent["id"]).is_refused("STATE_INVALID")
    mine.run("messages", "delete", sent["id"]).is_wrong("--yes")
    assert account.api.message(sent["id"])
    assert mine.run("messages", "delete", sent["id"], "--yes", "--json").json["id"] == sent["id"]
    mine.run("messages", "show", sent["id"]).is_refused("MESSAGE_NOT_FOUND")


def test_deleting_is_asked_for_at_a_terminal(mine: Shell, account: Account) -> None:
    sent = account.settled(account.send(numbering.somebody()))
    for says in ("n\n", "\n", "what\n"):
        refused = mine.answer("messages", "delete", sent["id"], says=says)
        assert (refused.code, refused.out) == (1, "")
        assert sent["id"] in refused.err
        assert "nothing was changed" in refused.err
    assert account.api.message(sent["id"])
    assert mine.answer("messages", "delete", sent["id"], says="y\n").code == 0
    mine.run("messages", "show", sent["id"]).is_refused("MESSAGE_NOT_FOUND")


# --- following --------------------------------------------------------------------------


def test_they_are_followed_until_ctrl_c(mine: Shell, account: Account) -> None:
    before = account.settled(account.send(numbering.somebody(), "before"))
    running = mine.start("messages", "tail", "--since", "1h", "--every", "0.1")
    assert before["id"] in running.line()
    sent, seen = account.send(numbering.somebody("0001"), "later"), ""
    while "failed undelivered" not in seen:
        seen = running.line()
        assert sent["id"] in seen
        assert f"{account.number} → {sent['targets'][0]['destination']['target']}" in seen
        assert seen.endswith("later\n")
    done = running.interrupt()
    assert (done.code, done.out, done.err) == (0, "", "")


def test_as_json_it_is_one_a_line(mine: Shell, account: Account) -> None:
    running = mine.start("messages", "tail", "--since", "1h", "--every", "0.1", "--json")
    sent = account.send(numbering.somebody())
    seen = json.loads(running.line())
    while seen["status"] != "delivered":
        seen = json.loads(running.line())
    assert seen == account.api.message(sent["id"])
    assert running.interrupt().code == 0


def test_more_than_a_page_may_come_between_two_looks(server: Server, account: Account) -> None:
    old = account.settled(account.send(numbering.somebody()))
    follower = Follower(server, None)
    assert follower.news() == []
    sent = [account.send(numbering.somebody("0005"))["id"] for _ in range(105)]
    assert [message["id"] for message in follower.news()] == sent
    assert old["id"] not in {message["id"] for message in follower.news()}


def test_a_change_is_news_wherever_the_message_stands(server: Server, account: Account) -> None:
    """When it is looked at again it is no longer on the first page."""
    follower = Follower(server, "2020-01-01T00:00:00Z")
    late = account.send(numbering.somebody("0008"))
    seen = [message["status"] for message in follower.news() if message["id"] == late["id"]]
    for _ in range(105):
        account.send(numbering.somebody("0005"))
    account.settled(late)
    seen += [message["status"] for message in follower.news() if message["id"] == late["id"]]
    assert seen[-1] == "delivered"
    assert len(seen) == 2


def test_what_is_deleted_is_no_news(server: Server, account: Account) -> None:
    sent = account.send(numbering.somebody("0005"))
    follower = Follower(server, None)
    account.api.delete(f"/messages/{sent['id']}")
    assert follower.news() == []


def test_it_remembers_so_many_and_no_more(server: Server, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    assert REMEMBERED > 100  # a page at least, or it would tell of some again and again
    monkeypatch.setattr("messagehub.cli.following.REMEMBERED", 10)
    sent = [account.settled(account.send(numbering.somebody("0003")))["id"] for _ in range(15)]
    follower = Follower(server, "2020-01-01T00:00:00Z")
    assert [message["id"] for message in follower.news()] == sent
    assert follower.news() == []


# --- traces -----------------------------------------------------------------------------


def test_what_was_seen_of_a_message(mine: Shell, account: Account, tmp_path: Path) -> None:
    sent = account.settled(account.send([numbering.somebody("0003"), numbering.somebody("0003")], "Hi \x1b[31m"))
    file = tmp_path / "trace.pcap"
    shown, whole, one, saved = mine.run_all(
        ("messages", "trace", sent["id"]),
        ("messages", "trace", sent["id"], "--pdus"),
        ("messages", "trace", sent["id"], "--target", "1", "--json"),
        ("messages", "trace", sent["id"], "--pcap", str(file)),
    )
    assert [line[:9] for line in shown.out.splitlines() if line.startswith("target")] == ["target 0 ", "target 1 "]
    assert shown.out.count("ESME_RINVDSTADR: Invalid destination address") >= 4
    assert "short_message" not in shown.out
    assert "    name: submit_sm\n" in whole.out
    assert "\x1b" not in whole.out
    assert one.json == account.api.every(f"/messages/{sent['id']}/trace", target=1)
    assert saved.out == ""
    assert file.read_bytes() == account.api.call("GET", f"/messages/{sent['id']}/trace.pcap").content


def test_what_was_not_kept_is_said(mine: Shell, account: Account) -> None:
    delivered = (account.settled(account.send(numbering.somebody())) for _ in range(9))
    sent = next(message for message in delivered if message["id"][-4:] > "0fff")  # not of the sample
    done = mine.run("messages", "trace", sent["id"])
    assert "nothing was kept of it" in done.out
    mine.run("messages", "trace", "01a1fbc1-388b-7020-a7fb-a12694d73ae3").is_refused("MESSAGE_NOT_FOUND")
    lost = ("messages", "trace", "01a1fbc1-388b-7020-a7fb-a12694d73ae3", "--pcap", "x.pcap")
    mine.run(*lost).is_refused("MESSAGE_NOT_FOUND")
