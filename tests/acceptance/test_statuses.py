"""What becomes of a message, seen from outside: every status, by the simulator's magic numbers, on both stores."""

import pytest

from tests.acceptance.outset import Outset
from tests.support import numbering
from tests.support.hub import Account, Hub
from tests.support.simulator import Simulator
from tests.support.sink import Sink


@pytest.fixture(scope="module")
def account(hub: Hub) -> Account:
    return hub.customer()


# --- one target -------------------------------------------------------------------------


def test_delivered(outset: Outset) -> None:
    message = outset.settled("1234")
    assert message["status"] == "delivered"
    target = message["targets"][0]
    assert (target["status"], target["error_code"], target["error_message"]) == ("delivered", "", "")
    assert message["tm_create"] < target["tm_update"] == message["tm_update"]
    assert not target["possible_duplicate"]
    assert outset.told("1234", 2) == ["sent", "delivered"]


@pytest.mark.parametrize(
    ("digits", "error_code", "words"),
    [
        ("0001", "undelivered", "UNDELIV 001"),
        ("0002", "carrier_rejected", "REJECTD 002"),
        ("0003", "invalid_number", "ESME_RINVDSTADR"),
    ],
)
def test_failed_says_why(outset: Outset, digits: str, error_code: str, words: str) -> None:
    message = outset.settled(digits)
    target = message["targets"][0]
    assert (message["status"], target["status"], target["error_code"]) == ("failed", "failed", error_code)
    assert words in target["error_message"]


def test_the_receipt_may_come_before_the_response(outset: Outset) -> None:
    """Nothing is skipped: it was sent, and then delivered, and both are told."""
    assert outset.settled("0007")["status"] == "delivered"
    assert outset.told("0007", 2) == ["sent", "delivered"]


def test_gw_timeout(outset: Outset) -> None:
    message = outset.settled("0006")
    target = message["targets"][0]
    assert (message["status"], target["status"], target["error_code"]) == ("failed", "gw_timeout", "no_answer")
    assert outset.told("0006", 1) == ["gw_timeout"]


def test_expired_is_corrected_by_a_later_receipt(outset: Outset) -> None:
    assert outset.told("0009", 3) == ["sent", "failed", "delivered"]
    message = outset.settled("0009")
    target = message["targets"][0]
    assert message["status"] == "delivered"
    assert (target["status"], target["error_code"], target["error_message"]) == ("delivered", "", "")


def test_a_failure_that_passes_is_tried_again_where_its_carrier_says_so(
    hub: Hub, webhooks: Sink, carrier_box: Simulator
) -> None:
    endpoint = webhooks.endpoint()
    owner = hub.customer(webhook_uri=endpoint.url)
    config = {"errors": {"001": "unreachable"}, "retry_temporary": [1]}
    patient = hub.carrier(carrier_box.port, "patient", **config)
    hub.route(patient, customer_id=owner.id)
    hub.bound(patient)
    to = numbering.somebody("0001")
    sent = owner.send(to)
    endpoint.wait(lambda endpoint: len(endpoint.about(sent)) == 4, "two tries and their receipts are told")
    changes = [hit.data["changed"][0] for hit in endpoint.about(sent)]
    assert [change["status"] for change in changes] == ["sent", "queued", "sent", "failed"]
    assert (changes[-1]["error_code"], changes[-1]["error_message"]) == ("unreachable", "UNDELIV 001")
    assert len(carrier_box.submits(to)) == 2


# --- several targets --------------------------------------------------------------------


def test_several_targets_each_have_their_status(account: Account) -> None:
    to = [numbering.somebody(digits) for digits in ("1234", "0001", "5678")]
    sent = account.send(to)
    assert (sent["status"], sent["target_count"]) == ("sending", 3)
    assert [target["status"] for target in sent["targets"]] == ["queued"] * 3
    message = account.settled(sent)
    assert message["status"] == "partially_delivered"
    assert [target["destination"]["target"] for target in message["targets"]] == to
    assert [target["status"] for target in message["targets"]] == ["delivered", "failed", "delivered"]


@pytest.mark.parametrize(("digits", "status"), [("1234", "delivered"), ("0001", "failed")])
def test_several_targets_that_end_alike(account: Account, digits: str, status: str) -> None:
    message = account.settled(account.send(numbering.somebodies(20, digits)))
    assert message["status"] == status
    assert {target["status"] for target in message["targets"]} == {status}


# --- long messages ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("".join(f"{n:03} line of GSM;" for n in range(25)), 3),
        ("".join(f"{n:02} строка; " for n in range(16)), 3),
        ("{" * 153 + "€" * 80, 4),
        ("🙂" * 100, 4),
    ],
    ids=["GSM-7", "UCS-2", "escapes", "surrogates"],
)
def test_a_long_message_goes_in_parts(account: Account, carrier_box: Simulator, text: str, parts: int) -> None:
    to = numbering.somebody()
    sent = account.send(to, text)
    assert sent["targets"][0]["parts"] == parts
    message = account.settled(sent)
    assert (message["status"], message["targets"][0]["parts"]) == ("delivered", parts)
    submits = carrier_box.submits(to)
    assert len(submits) == parts
    assert "".join(submit["text"] for submit in submits) == text


def test_a_long_message_fails_when_its_parts_do(account: Account) -> None:
    target = account.settled(account.send(numbering.somebody("0001"), "long " * 80))["targets"][0]
    assert (target["status"], target["error_code"], target["parts"]) == ("failed", "undelivered", 3)


# --- what its customer can do with it ---------------------------------------------------


@pytest.fixture(scope="module")
def unreachable(hub: Hub) -> Account:
    """A customer whose messages wait for a carrier that is not there."""
    owner = hub.customer()
    hub.route(hub.carrier(1, "down", system_id="down"), customer_id=owner.id)
    return owner


def test_cancel(unreachable: Account) -> None:
    sent = unreachable.send([numbering.somebody(), numbering.somebody()])
    canceled = unreachable.api.post(f"/messages/{sent['id']}/cancel")
    assert canceled["status"] == "failed"
    assert [(t["status"], t["error_code"]) for t in canceled["targets"]] == [("failed", "canceled")] * 2
    assert unreachable.api.message(sent["id"]) == canceled


def test_cancel_leaves_alone_what_was_handed_over(account: Account) -> None:
    sent = account.send(numbering.somebody())
    delivered = account.settled(sent)
    assert account.api.post(f"/messages/{sent['id']}/cancel") == delivered


def test_resend_is_for_held_targets_only(account: Account) -> None:
    sent = account.send(numbering.somebody())
    account.settled(sent)
    answer = account.api.call("POST", f"/messages/{sent['id']}/resend")
    assert answer.status_code == 409
    assert answer.json()["error"]["status"] == "FAILED_PRECONDITION"


def test_delete_cancels_and_hides(unreachable: Account) -> None:
    sent = unreachable.send(numbering.somebody())
    gone = unreachable.api.delete(f"/messages/{sent['id']}")
    assert (gone["status"], gone["targets"][0]["error_code"]) == ("failed", "canceled")
    assert gone["tm_delete"].startswith("20")
    assert gone["tm_update"] >= gone["tm_delete"]
    for method, path in [("GET", ""), ("GET", "/targets"), ("DELETE", ""), ("POST", "/cancel"), ("POST", "/resend")]:
        assert unreachable.api.call(method, f"/messages/{sent['id']}{path}").status_code == 404
    assert sent["id"] not in [message["id"] for message in unreachable.api.every("/messages")]


def test_a_deleted_message_is_spoken_of_no_more(hub: Hub, webhooks: Sink, carrier_box: Simulator) -> None:
    """What was handed over goes its way, and its receipt comes; but nobody is told."""
    endpoint = webhooks.endpoint()
    owner = hub.customer(webhook_uri=endpoint.url, webhook_events=["message_updated", "message_deleted"])
    deleted, kept = owner.send(numbering.somebody("0009")), owner.send(numbering.somebody("0009"))
    for message in (deleted, kept):
        owner.api.when(message["id"], lambda message: message["status"] == "failed")
    owner.api.delete(f"/messages/{deleted['id']}")
    endpoint.wait(lambda endpoint: len(endpoint.about(kept)) == 3, "the correction of the other message is told")
    types = [hit.type for hit in endpoint.about(deleted)]
    assert types == ["message_updated", "message_updated", "message_deleted"]


# --- what takes its time, and was begun with all the others -----------------------------


def test_dlr_timeout(outset: Outset) -> None:
    assert outset.told("0005", 2) == ["sent", "dlr_timeout"]
    message = outset.settled("0005")
    target = message["targets"][0]
    assert (message["status"], target["status"], target["error_code"]) == ("failed", "dlr_timeout", "no_receipt")


def test_a_throttled_message_is_sent_again_until_it_is_taken(outset: Outset, carrier_box: Simulator) -> None:
    assert outset.told("0004", 2) == ["sent", "delivered"]  # and of the refusals, which passed, nothing
    target = outset.target("0004")
    assert (target["status"], target["error_code"]) == ("delivered", "")
    assert not target["possible_duplicate"]  # a refusal leaves no doubt
    assert len(carrier_box.submits(target["destination"]["target"])) == 1


def test_dlr_timeout_is_corrected_by_a_late_receipt(outset: Outset) -> None:
    assert outset.told("0008", 3) == ["sent", "dlr_timeout", "delivered"]
    assert outset.settled("0008")["status"] == "delivered"


def test_a_message_waits_for_the_last_of_its_targets(outset: Outset) -> None:
    """One is delivered at once, of the other nothing is ever heard."""
    hits = outset.about_two()
    assert [hit.data["status"] for hit in hits if hit.data["changed"][0]["status"] == "delivered"] == ["sent"]
    assert hits[-1].data["changed"][0]["status"] == "dlr_timeout"
    assert hits[-1].data["status"] == "partially_delivered"
