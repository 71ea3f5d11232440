"""A hub that is killed in the middle of 2,000 messages, at the worst moment: its window is full of unanswered submits.

The simulator is stopped first, so that nothing is answered; what the hub had sent by then is in the simulator's
socket, and is taken as soon as it runs again. So every target in flight has really arrived when the hub comes back.
"""

import signal
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import httpx

from tests.support import hub as hubs
from tests.support import numbering, simulator
from tests.support.api import Json
from tests.support.hub import LEASE_S, Account, Hub
from tests.support.settled import settled
from tests.support.simulator import Simulator
from tests.support.waiting import PATIENCE_S, until

MESSAGES = 2000
WINDOW = 50
RESEND, HOLD = "resend", "hold"


@dataclass
class Aftermath:
    """What is left when all has come to an end. `accepted`: the messages whose POST was answered with 200."""

    hub: Hub
    account: Account
    simulator: Simulator
    accepted: dict[str, str]
    """Destination by id."""
    wishes: dict[str, str]
    """`resend` or `hold` by destination."""
    targets: dict[str, Json]
    """The only target of each message, by destination."""
    times_sent: Counter[str]

    def wished(self, wish: str) -> list[Json]:
        return [target for to, target in self.targets.items() if self.wishes[to] == wish]


class Senders:
    """Eight callers who post one message after the other."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self.accepted: dict[str, str] = {}
        self.wishes = dict(zip(numbering.somebodies(MESSAGES), cycle((RESEND, HOLD)), strict=False))

    def post(self, destinations: list[str]) -> list[str]:
        """Those among them that could not even be posted."""
        with ThreadPoolExecutor(8) as pool:
            return [to for to, done in zip(destinations, pool.map(self._one, destinations), strict=True) if not done]

    def _one(self, to: str) -> bool:
        try:
            sent = self._account.send(to, f"Message to {to}", on_doubt=self.wishes[to])
        except httpx.ConnectError:
            return False
        except httpx.TransportError:
            del self.wishes[to]  # nobody said what became of it, so nothing is promised
            return True
        self.accepted[sent["id"]] = to
        return True


def kill_with_full_window(hub: Hub, box: Simulator, carrier: Json, senders: Senders) -> None:
    until(lambda: box.stats()["accepted"] >= MESSAGES // 5, "messages are on their way")
    box.tell(signal.SIGSTOP)
    hub.when_carrier(carrier, lambda now: now["binds"][0]["in_flight"] == WINDOW)
    until(lambda: len(senders.accepted) >= MESSAGES // 2, "more are accepted, and wait")
    hub.kill()
    box.tell(signal.SIGCONT)


def final_targets(account: Account, accepted: dict[str, str]) -> dict[str, Json]:
    """The target of every accepted message, once all are final. A message that is lost never is."""
    final = settled(account.api, accepted, within=PATIENCE_S)
    assert final.keys() == accepted.keys()
    targets: list[Json] = [message["targets"][0] for message in final.values()]
    return {target["destination"]["target"]: target for target in targets}


@contextmanager
def crashed(database_url: str, folder: Path) -> Iterator[Aftermath]:
    with simulator.simulator(folder, "box") as box, hubs.hub(database_url, folder, node_lease=LEASE_S) as hub:
        # Nothing may time out but what is in doubt, so the time limits are long.
        carrier = hub.lead_to(box, window=WINDOW, response_timeout=30, dlr_timeout=120)
        account = hub.customer()
        senders = Senders(account)
        with ThreadPoolExecutor(1) as beside:
            killing = beside.submit(kill_with_full_window, hub, box, carrier, senders)
            others = senders.post(list(senders.wishes))
            killing.result()
        hub.start()
        assert senders.post(others) == []
        targets = final_targets(account, senders.accepted)
        yield Aftermath(hub, account, box, senders.accepted, senders.wishes, targets, box.times_sent())
