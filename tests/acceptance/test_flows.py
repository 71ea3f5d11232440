"""Flows answer people, on both stores, over real sockets: what a handset gets when it writes."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support import numbering
from tests.support.api import Json
from tests.support.hub import Account, Hub
from tests.support.simulator import Simulator
from tests.support.waiting import until

CONFIRMED = "Your appointment is confirmed for tomorrow at 2pm."


class Shop:
    """A customer whose number is answered by flows, and the people who write to it."""

    def __init__(self, account: Account, box: Simulator) -> None:
        self.account, self.api, self.number, self.box = account, account.api, account.number, box
        [self.number_id] = [number["id"] for number in self.api.get("/numbers")["result"]]

    def flow(self, *actions: Json, **more: Any) -> str:
        made: str = self.api.post("/flows", {"name": "flow", "actions": list(actions), **more})["id"]
        return made

    def answers(self, *actions: Json, **more: Any) -> str:
        """The number is answered by these actions from now on."""
        flow_id = self.flow(*actions, **more)
        self.api.put(f"/numbers/{self.number_id}", {"message_flow_id": flow_id})
        return flow_id

    def says(self, person: str, text: str) -> None:
        assert set(self.box.write(person, self.number, text)) == {"ESME_ROK"}

    def got(self, person: str) -> list[str]:
        """What was sent to a person."""
        return [submit["text"] for submit in self.box.submits(person)]

    def hears(self, person: str, *texts: str) -> None:
        """What a person has got by and by is this, and no more."""
        until(lambda: len(self.got(person)) >= len(texts), f"{len(texts)} messages")
        assert self.got(person) == list(texts)

    def activeflows(self, **query: Any) -> list[Json]:
        found: list[Json] = self.api.every("/activeflows", **query)
        return found

    def when(self, activeflow_id: str, is_so: Callable[[Json], object]) -> Json:
        def ask() -> Json | None:
            now = self.api.get(f"/activeflows/{activeflow_id}")
            return now if is_so(now) else None

        return until(ask, "the activeflow") or {}

    def ended(self, activeflow_id: str) -> Json:
        return self.when(activeflow_id, lambda now: now["status"] == "ended")


@pytest.fixture
def shop(hub: Hub, carrier_box: Simulator) -> Shop:
    return Shop(hub.customer(), carrier_box)


def send(text: str, **option: Any) -> Json:
    return {"type": "message_send", "option": {"text": text, **option}}


def test_a_flow_answers_a_message(shop: Shop) -> None:
    flow_id, person = shop.answers(send("Thanks for '${voipbin.message.text}'.")), numbering.somebody()
    shop.says(person, "two tickets")
    shop.hears(person, "Thanks for 'two tickets'.")
    [active] = shop.activeflows()
    active = shop.ended(active["id"])
    assert (active["flow_id"], active["reference_type"], active["end_reason"]) == (flow_id, "message", "completed")
    [done] = active["executed_actions"]
    [inbound] = shop.api.get("/messages", direction="inbound")["result"]
    [outbound] = shop.api.get("/messages", direction="outbound")["result"]
    assert (done["option"]["text"], done["result"]) == ("Thanks for 'two tickets'.", f"message {outbound['id']}")
    assert active["reference_id"] == inbound["id"]
    assert (active["number"], active["person"]) == (shop.number, person)
