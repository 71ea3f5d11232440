"""What takes its time: begun as soon as a hub serves, and looked at when the other tests have run."""

from tests.support import numbering
from tests.support.api import Json
from tests.support.hub import Hub
from tests.support.simulator import Simulator
from tests.support.sink import Endpoint, Hit

MAGIC = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009")


class Outset:
    """A message to each magic number, all sent at once so that their time limits pass together."""

    def __init__(self, hub: Hub, endpoint: Endpoint, box: Simulator) -> None:
        self._endpoint = endpoint
        self._account = hub.customer(webhook_uri=endpoint.url)
        to = {digits: numbering.somebody(digits) for digits in ("1234", *MAGIC)}
        # A carrier that throttles is slowed as a whole, so this number has one of its own.
        hub.route(hub.carrier(box.port, "throttling"), customer_id=self._account.id, prefix=to["0004"])
        self._sent = {digits: self._account.send(number) for digits, number in to.items()}
        self._two = self._account.send([numbering.somebody("1234"), numbering.somebody("0005")])

    def settled(self, digits: str) -> Json:
        return self._account.settled(self._sent[digits])

    def target(self, digits: str) -> Json:
        target: Json = self.settled(digits)["targets"][0]
        return target

    def told(self, digits: str, times: int) -> list[str]:
        """The statuses that webhooks told of, in the order of their `sequence`, once they are as many as expected."""
        sent, endpoint = self._sent[digits], self._endpoint
        endpoint.wait(lambda endpoint: len(endpoint.about(sent)) >= times, f"{times} webhooks")
        hits = sorted(endpoint.about(sent), key=lambda hit: hit.data["sequence"])
        return [hit.data["changed"][0]["status"] for hit in hits]

    def about_two(self) -> list[Hit]:
        """What was told of a message with two targets, one of which took its time, until all was said."""
        self._account.settled(self._two)
        two, endpoint = self._two, self._endpoint
        endpoint.wait(lambda endpoint: endpoint.about(two)[-1].data["status"] == "partially_delivered")
        return endpoint.about(two)


class Lame:
    """A customer whose endpoint fails at its first request, or does not answer it at all."""

    def __init__(self, hub: Hub, endpoint: Endpoint, status: int) -> None:
        self.endpoint = endpoint
        endpoint.answers = [status]
        self.account = hub.customer(webhook_uri=endpoint.url, webhook_statuses=["delivered"])
        self.account.send(numbering.somebody())
