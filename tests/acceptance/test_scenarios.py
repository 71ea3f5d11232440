"""What customers and operators see of a carrier that does not do as it should, a scenario for each, on both stores."""

from collections.abc import Iterator

import pytest

from messagehub.text import Profile, cut
from tests.support.api import Json
from tests.support.hub import Hub
from tests.support.numbering import somebodies, somebody
from tests.support.scripted import Line, line, rules
from tests.support.waiting import until

LONG = "x" * 400  # three parts


def seen(target: Json) -> tuple[str, str]:
    return target["status"], target["error_code"]


def sent_to_all(line: Line) -> dict[str, Json]:
    """A message for each rule, all at once."""
    return {name: line.send(name) for name in line.rules}


# --- receipts ---------------------------------------------------------------------------

Sent = tuple[Line, dict[str, Json]]

NOT_DELIVERED = {  # what becomes of the others, and what is said of it
    "undelivered, with an error of the network": ("failed", "unreachable", "UNDELIV 027"),
    "a vendor's word for failure": ("failed", "undelivered", "DND_REJECTED 7"),
    "deleted": ("failed", "deleted", "DELETED 000"),
    "unknown": ("failed", "unknown", "UNKNOWN 000"),
}


@pytest.fixture(scope="module")
def receipts(hub: Hub) -> Iterator[Sent]:
    with line(hub, "receipts", binds=2) as opened:
        yield opened, sent_to_all(opened)


@pytest.mark.parametrize("name", rules("receipts"))
def test_a_receipt_is_understood_as_the_carrier_writes_it(receipts: Sent, name: str) -> None:
    line, sent = receipts
    status, error_code, words = NOT_DELIVERED.get(name, ("delivered", "", ""))
    target = line.target(sent[name], status)
    assert (target["error_code"], target["error_message"]) == (error_code, words)
    assert not target["possible_duplicate"]
    assert len(line.submits(sent[name])) == 1


def test_receipts_that_were_repeated_were_all_taken(receipts: Sent) -> None:
    line, sent = receipts
    for name, message in sent.items():
        line.target(message, NOT_DELIVERED.get(name, ("delivered",))[0])
    until(lambda: (now := line.stats())["receipts_sent"] == now["receipts_acknowledged"], "all are acknowledged")
    assert line.status()["status"] == "bound"
    assert line.target(sent["delivered, and then not"], "delivered")


# --- ids --------------------------------------------------------------------------------

UNMATCHED = {
    "the id of a receipt in upper case where the response has lower",
    "a decimal id in the receipt where the response has hex",
    "a hex id in the receipt where the response has decimal",
    "zeros in front in the receipt only",
    "spaces behind",
    "no id",
    "an id that nobody gave",
}


@pytest.fixture(scope="module")
def ids(hub: Hub) -> Iterator[Sent]:
    with line(hub, "ids") as opened:
        yield opened, sent_to_all(opened)


@pytest.mark.parametrize("name", rules("ids"))
def test_an_id_is_taken_as_it_is_and_no_receipt_for_that_of_another(ids: Sent, name: str) -> None:
    line, sent = ids
    target = line.target(sent[name], "dlr_timeout" if name in UNMATCHED else "delivered")
    assert target["error_code"] == ("no_receipt" if name in UNMATCHED else "")


# --- answers ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def answers(hub: Hub) -> Iterator[Line]:
    with line(hub, "answers", window=1) as opened:
        yield opened


def test_an_answer_that_comes_too_late_is_better_than_none(answers: Line) -> None:
    message = answers.send("too late to be waited for")
    assert seen(answers.target(message, "delivered")) == ("delivered", "")
    assert len(answers.submits(message)) == 1
    (trace,) = answers.account.api.every(f"/messages/{message['id']}/trace")
    moves = [step["detail"] for step in trace["steps"] if step["step"] == "moved"]
    assert [move["after"] for move in moves] == ["gw_timeout", "sent", "delivered"]
    assert [move.get("error_code") for move in moves] == ["no_answer", None, None]


REFUSALS = [
    ("refused without a body", "invalid_number", "ESME_RINVDSTADR"),
    ("refused with an id", "invalid_number", "ESME_RINVDSTADR"),
    ("refused by a vendor's number", "carrier_rejected", "0x000004f1"),
]


@pytest.mark.parametrize(("name", "error_code", "words"), REFUSALS)
def test_a_refusal_says_why(answers: Line, name: str, error_code: str, words: str) -> None:
    target = answers.target(answers.send(name), "failed")
    assert target["error_code"] == error_code
    assert words in target["error_message"]


def test_what_is_answered_twice_counts_once(answers: Line) -> None:
    message = answers.send("answered twice")
    assert seen(answers.target(message, "delivered")) == ("delivered", "")
    assert answers.status()["binds"][0]["state"] == "bound"


def test_what_is_accepted_without_a_body_was_sent(answers: Line) -> None:
    message = answers.send("accepted without a body")
    assert seen(answers.target(message, "sent", "dlr_timeout"))[0] in ("sent", "dlr_timeout")


def test_a_part_that_is_refused_for_good_ends_the_message_and_the_rest_is_not_sent(answers: Line) -> None:
    before = answers.stats()["submits"]
    message = answers.send("the second part refused for good", LONG)
    assert seen(answers.target(message, "failed")) == ("failed", "invalid_number")
    assert seen(answers.target(answers.send("answered twice"), "delivered")) == ("delivered", "")
    assert answers.stats()["submits"] - before == 3  # two parts, and the message after
    assert len(answers.submits(message)) == 1


def test_a_message_is_delivered_when_all_of_its_parts_are_known_to_be(answers: Line) -> None:
    names = ("only the last part has a receipt", "the receipt of the second part is that of the first")
    for message in [answers.send(name, LONG) for name in names]:
        assert seen(answers.target(message, "dlr_timeout", "delivered")) == ("dlr_timeout", "no_receipt")


def test_what_the_carrier_is_too_unwell_to_take_goes_again(answers: Line) -> None:
    message = answers.send("unwell, and well again")
    target = answers.target(message, "delivered")
    assert not target["possible_duplicate"]
    assert len(answers.submits(message)) == 1


# --- throttling -------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "rule"), [("throttling", "too fast"), ("full", "full"), ("congestion", "congested")])
def test_a_carrier_to_which_it_is_too_much_gets_everything_once_and_more_slowly(hub: Hub, name: str, rule: str) -> None:
    with line(hub, name) as opened:
        message = opened.account.send(somebodies(60))
        opened.when_played(rule)
        throttled = hub.when_carrier(opened.carrier, lambda now: now["throttled"])
        assert throttled["status"] == "bound"
        assert throttled["pace"] > 0
        settled = opened.account.settled(message)
        assert settled["status"] == "delivered"
        assert not any(target["possible_duplicate"] for target in settled["targets"])
        stats = opened.stats()
        assert (stats["unique"], stats["duplicates"]) == (60, 0)
        assert opened.status()["pace"] > 0  # it recovers step by step, and says where it is


def test_one_recipient_who_can_take_no_more_slows_nobody_else(hub: Hub) -> None:
    with line(hub, "recipient-full") as opened:
        assert opened.account.settled(opened.account.send(somebodies(5)))["status"] == "delivered"
        assert seen(opened.target(opened.send("full for one"), "delivered")) == ("delivered", "")
        assert opened.stats()["played"]["full for one"] == 1
        assert opened.status()["throttled"] == 0


# --- connections ------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["dropped", "reset", "unbound"])
def test_what_was_on_its_way_when_the_connection_ended_goes_once_more_and_is_marked(hub: Hub, name: str) -> None:
    with line(hub, "connections") as opened:
        message = opened.send(name)
        target = opened.target(message, "delivered")
        assert target["possible_duplicate"]
        stats = opened.stats()
        assert (stats["submits"], stats["ignored"], stats["accepted"]) == (2, 1, 1)
        assert hub.bound(opened.carrier)["last_error"] == ""


def test_a_customer_may_rather_have_it_held(hub: Hub) -> None:
    with line(hub, "connections") as opened:
        message = opened.send("dropped", on_doubt="hold")
        assert seen(opened.target(message, "gw_timeout")) == ("gw_timeout", "in_doubt")
        hub.bound(opened.carrier)
        opened.account.api.post(f"/messages/{message['id']}/resend")
        assert opened.target(message, "delivered")["possible_duplicate"]


def test_what_was_answered_before_the_connection_ended_is_in_no_doubt(hub: Hub) -> None:
    with line(hub, "connections") as opened:
        target = opened.target(opened.send("dropped after the response"), "delivered")
        assert not target["possible_duplicate"]
        assert opened.stats()["submits"] == 1


def test_a_connection_that_is_dropped_again_and_again_loses_nothing(hub: Hub) -> None:
    with line(hub, "connections", window=3) as opened:
        message = opened.account.send(somebodies(12, opened.rules["every fifth is dropped unanswered"].when.to_suffix))
        targets = opened.account.settled(message)["targets"]
        marked = [target for target in targets if target["possible_duplicate"]]
        statuses = {target["status"] for target in targets if not target["possible_duplicate"]}
        assert statuses == {"delivered"}
        assert {seen(target) for target in marked} <= {("delivered", ""), ("gw_timeout", "in_doubt")}
        assert 1 <= len(marked) <= 3 * opened.stats()["played"]["every fifth is dropped unanswered"]


def test_who_forgets_the_session_is_bound_to_anew_and_gets_the_message_then(hub: Hub) -> None:
    with line(hub, "connections") as opened:
        target = opened.target(opened.send("the session is forgotten"), "delivered")
        assert not target["possible_duplicate"]
        assert opened.stats()["played"]["let in"] == 2


def test_a_connection_that_is_silent_is_given_up_and_made_again(hub: Hub) -> None:
    with line(hub, "connections", enquire_link=1) as opened:
        lost = opened.send("half-open")
        assert seen(opened.target(lost, "gw_timeout")) == ("gw_timeout", "no_answer")
        down = hub.when_carrier(opened.carrier, lambda now: now["binds"][0]["last_error"].startswith("connection lost"))
        assert "enquire_link unanswered for 1 s" in down["binds"][0]["last_error"]
        hub.bound(opened.carrier)
        assert seen(opened.target(opened.account.send(somebody()), "delivered")) == ("delivered", "")


def test_who_does_not_know_us_is_asked_once_and_the_status_says_what_to_do(hub: Hub) -> None:
    with line(hub, "wrong-password", waits_until_bound=False, binds=3) as opened:
        down = hub.when_carrier(opened.carrier, lambda now: now["status"] == "down" and now["last_error"])
        for words in ("ESME_RINVPASWD", "put the right `password` into the config", "tried again at "):
            assert words in down["last_error"]
        assert opened.stats()["played"]["not let in"] == 1
        hub.admin.put(f"/carriers/{opened.carrier['id']}", {"config": {"password": "another"}})
        opened.when_played("not let in", 2)
        assert "another" not in hub.log


def test_who_refuses_at_first_and_is_slow_is_bound_in_the_end(hub: Hub) -> None:
    with line(hub, "binds", waits_until_bound=False) as opened:
        refused = hub.when_carrier(opened.carrier, lambda now: now["last_error"])
        assert "ESME_RBINDFAIL" in refused["last_error"]
        message = opened.account.send(somebody())
        assert hub.bound(opened.carrier)["last_error"] == ""
        assert opened.stats()["played"] == {"refused, twice": 2, "slow": 1}
        assert seen(opened.target(message, "delivered")) == ("delivered", "")


# --- wrong octets -----------------------------------------------------------------------


@pytest.mark.parametrize("name", rules("wrong"))
def test_wrong_octets_cost_a_connection_at_most(hub: Hub, name: str) -> None:
    with line(hub, "wrong") as opened:
        message = opened.send(name)
        assert not opened.target(message, "delivered")["possible_duplicate"]
        assert opened.stats()["submits"] == 1
        hub.bound(opened.carrier)
        if name == "cut tlv":
            assert arrived(opened, message) == ["with a TLV cut short"]


# --- inbound ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def inbound(hub: Hub) -> Iterator[Line]:
    with line(hub, "inbound", bind="transmitter+receiver") as opened:
        yield opened


def arrived(line: Line, message: Json) -> list[str]:
    """What came from where the message went."""
    source = message["targets"][0]["destination"]["target"]
    found = until(lambda: line.account.api.get("/messages", source=source)["result"], "an answer")
    return [one["text"] for one in found or ()]


@pytest.mark.parametrize("name", rules("inbound"))
def test_what_a_handset_writes_comes_whole_and_once(inbound: Line, name: str) -> None:
    rule, before = inbound.rules[name].inbound, inbound.stats()
    message = inbound.send(name)
    assert arrived(inbound, message) == [rule[0].text]
    parts = sum(len(one.order) or len(cut(one.text, 0, Profile(concatenation=one.concat))) for one in rule)
    times = 2 if rule[0].drop else 1
    until(lambda: inbound.stats()["messages_acknowledged"] - before["messages_acknowledged"] >= parts, "all is taken")
    assert inbound.stats()["messages_sent"] - before["messages_sent"] == times * parts
    assert arrived(inbound, message) == [rule[0].text]
    inbound.hub.bound(inbound.carrier)
