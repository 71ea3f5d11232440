"""Messages that go at their time, also where the hub is killed before; and those that are good for a while only."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from messagehub.smpp import times
from tests.support import hub as hubs
from tests.support import numbering, simulator
from tests.support.api import Json, refusal
from tests.support.hub import LEASE_S, Account, Hub
from tests.support.simulator import Simulator
from tests.support.waiting import until

SCHEDULED, SPREAD = 20, 40


@pytest.fixture(scope="module")
def account(hub: Hub) -> Account:
    return hub.customer(trace="all")


def in_(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def test_what_is_killed_before_its_time_goes_once_and_in_time(database_url: str, tmp_path: Path) -> None:
    """Some of it is spread, so that the end comes in the middle of it."""
    with simulator.simulator(tmp_path, "box") as box, hubs.hub(database_url, tmp_path, node_lease=LEASE_S) as hub:
        hub.lead_to(box, dlr_timeout=120)
        account = hub.customer()
        late, soon = numbering.somebodies(SCHEDULED, "1111"), numbering.somebodies(SPREAD, "2222")
        at = datetime.now(UTC) + timedelta(seconds=6)
        scheduled = [account.send(to, schedule_at=at.isoformat()) for to in late]
        spread = account.send(soon, spread_over=6, on_doubt="hold")
        until(lambda: box.stats()["accepted"] >= SPREAD // 4, "some of those that are spread have gone")
        hub.kill()
        assert not box.times_sent().keys() & set(late)
        assert len(box.times_sent()) < SPREAD
        hub.start()
        for message in scheduled:
            assert account.settled(message)["status"] == "delivered"
        account.settled(spread)
        sent = box.times_sent()
        assert {to: sent[to] for to in late} == dict.fromkeys(late, 1)
        assert max(sent[to] for to in soon) == 1
        targets = account.api.every(f"/messages/{spread['id']}/targets")
        in_doubt = [one for one in targets if one["status"] == "gw_timeout"]
        assert all(one["status"] == "delivered" for one in targets if one not in in_doubt)


def test_a_scheduled_message_shows_when_it_goes(account: Account) -> None:
    message = account.send(numbering.somebody(), schedule_at=in_(3600), validity=60, **{"class": "otp"})
    assert message["targets"][0]["hold_reason"] == "scheduled"
    assert (message["validity"], message["class"]) == (60, "otp")
    sooner = account.api.put(f"/messages/{message['id']}", {"schedule_at": in_(1800)})
    assert sooner["schedule_at"] < message["schedule_at"]
    assert account.api.put(f"/messages/{message['id']}", {}) == sooner
    now = account.api.put(f"/messages/{message['id']}", {"schedule_at": in_(0)})
    assert account.settled(now)["status"] == "delivered"
    again = account.api.call("PUT", f"/messages/{message['id']}", {"schedule_at": in_(1800)})
    refusal(again, 409, "STATE_INVALID")


def test_what_is_another_customers_cannot_be_moved(hub: Hub, account: Account) -> None:
    message = account.send(numbering.somebody(), schedule_at=in_(3600))
    path = f"/messages/{message['id']}"
    refusal(hub.customer().api.call("PUT", path, {"schedule_at": in_(0)}), 404, "MESSAGE_NOT_FOUND")
    assert account.api.delete(path)["targets"][0]["error_code"] == "canceled"


def test_the_carrier_is_told_until_when_it_is_good(account: Account) -> None:
    message = account.settled(account.send(numbering.somebody(), validity=300))
    (trace,) = account.api.every(f"/messages/{message['id']}/trace")
    (submit,) = [step["pdu"] for step in trace["steps"] if step["step"] == "submit"]
    told = times.read(submit["fields"]["validity_period"])
    assert isinstance(told, timedelta)
    assert timedelta(seconds=290) < told <= timedelta(seconds=300)


def test_what_a_carrier_that_is_down_does_not_take_expires(hub: Hub) -> None:
    account = hub.customer()
    down = hub.carrier(1, "down")
    hub.route(down, customer_id=account.id)
    message = account.send(numbering.somebody(), validity=1)
    target: Json = account.settled(message)["targets"][0]
    assert (target["status"], target["error_code"]) == ("failed", "expired")
    assert target["error_message"] == "Its validity was over before it could be sent."


def test_a_code_passes_a_campaign(hub: Hub, carrier_box: Simulator) -> None:
    account, advertised = hub.customer(), numbering.somebodies(300, "1234")
    slow = hub.carrier(carrier_box.port, "slow", rate=50)
    hub.route(hub.bound(slow), customer_id=account.id)
    campaign = account.send(advertised, "Buy", **{"class": "marketing"})
    code = account.send(to := numbering.somebody(), "Your code", **{"class": "otp"})
    assert account.settled(code)["status"] == "delivered"
    assert account.api.message(campaign["id"])["status"] == "sending"
    order = [submit["destination"] for submit in carrier_box.submits()]
    before = order[: order.index(to.removeprefix("+"))]
    assert len({f"+{one}" for one in before} & set(advertised)) < 100
    account.api.post(f"/messages/{campaign['id']}/cancel", {})
