"""How long a code waits for its submit while a campaign is sent: `python -m bench urgent`, and rows of the goals.

The carrier takes PER_S a second: since it answers no faster, since its config says that it is not to be sent more, or
since a limit says so.
"""

import http.client
import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import monotonic, sleep
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import urlsplit

from bench.children import Broken, Child, child, line, tell
from bench.database import Fresh
from bench.hub import BIND_WITHIN_S, SERVE, SOURCE, call, furnish, hub
from bench.load import TICK_S

PER_S, WINDOW = 500, 50
CAMPAIGN, RECIPIENTS = 100_000, 1_000
CODES, EVERY_S = 500, 0.02
CODE, ADVERTISED = "4920", "4930"
"""How the numbers begin that get the ones and the other."""


class Waited(NamedTuple):
    """Milliseconds from the POST to the submit; and how much of the campaign still waited in the end."""

    p50: float
    p99: float
    most: float
    left: int


class Kind(NamedTuple):
    """Of a carrier that takes PER_S: how many the message centre answers, what its config says, and how many segments
    a limit lets go to it."""

    answers: int = 0
    config: Mapping[str, int] = MappingProxyType({})
    limit: int = 0


KINDS = {
    "answers so many": Kind(answers=PER_S),
    "is sent so many": Kind(config={"rate": PER_S}),
    "is let so many by a limit": Kind(limit=PER_S),
}


def waits(fresh: Fresh, kind: str) -> Waited:
    answers, config, limit = KINDS[kind]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="messagehub-bench-")))
        centre = stack.enter_context(child(["-m", "bench.centre", str(answers)]))
        smpp = f"127.0.0.1:{int(line(centre, 'the message centre'))}"
        running, operator = stack.enter_context(hub(fresh(folder), folder, SERVE))
        key = furnish(running.url, operator, smpp, WINDOW, "", **config)
        _wait_until_bound(running.url, operator)
        if limit:
            _limit(running.url, operator, limit)
        call("PUT", f"{running.url}/customer", key, {"quiet_hours": {"enabled": False}})  # whenever this is run
        with _connection(running.url, key) as poster:
            _advertise(poster)
            posted = _send_codes(poster)
        sleep(1)
        return _waited(posted, centre)


def _wait_until_bound(url: str, operator: str) -> None:
    until = monotonic() + BIND_WITHIN_S
    while call("GET", f"{url}/carriers", operator)["result"][0]["status"] != "bound":
        if monotonic() > until:
            raise Broken("the hub did not bind to its carrier")
        sleep(0.05)


def _limit(url: str, operator: str, per_s: int) -> None:
    (carrier,) = call("GET", f"{url}/carriers", operator)["result"]
    call("POST", f"{url}/limits", operator, {"scope": "carrier", "key": carrier["id"], "segments_per_second": per_s})


class Poster:
    def __init__(self, connection: http.client.HTTPConnection, path: str, key: str) -> None:
        self._connection, self._path = connection, path
        self._headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}

    def post(self, traffic_class: str, to: list[str]) -> None:
        body = {"source": SOURCE, "destinations": to, "text": "0", "class": traffic_class}
        self._connection.request("POST", self._path, json.dumps(body), self._headers)
        with self._connection.getresponse() as answer:
            words = answer.read()
            if answer.status != http.client.OK:
                raise Broken(f"POST /messages: {answer.status} {words.decode(errors='replace')}")


@contextmanager
def _connection(url: str, key: str) -> Iterator[Poster]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    yield Poster(connection, f"{parts.path}/messages", key)
    connection.close()


def _advertise(poster: Poster) -> None:
    for first in range(0, CAMPAIGN, RECIPIENTS):
        poster.post("marketing", [f"+{ADVERTISED}{n:08}" for n in range(first, first + RECIPIENTS)])


def _send_codes(poster: Poster) -> dict[str, float]:
    """When each was to be posted: one that had to wait for the answer to the one before has waited."""
    began, posted = monotonic(), {}
    for n in range(CODES):
        to = f"{CODE}{n:08}"
        posted[to] = began + n * EVERY_S
        while monotonic() < posted[to]:
            sleep(TICK_S)
        poster.post("otp", [f"+{to}"])
    return posted


def _waited(posted: dict[str, float], centre: Child) -> Waited:
    came = _came(centre, CODE)
    if lost := posted.keys() - came.keys():
        raise Broken(f"{len(lost)} of {CODES} codes did not come to the carrier")
    spans = sorted(1000 * (came[to] - at) for to, at in posted.items())
    left = CAMPAIGN - len(_came(centre, ADVERTISED))
    if not left:
        raise Broken("the campaign was over before the codes were")
    if left == CAMPAIGN:
        raise Broken("nothing of the campaign was sent meanwhile")
    return Waited(spans[len(spans) // 2], spans[int(0.99 * len(spans))], spans[-1], left)


def _came(centre: Child, prefix: str) -> dict[str, float]:
    tell(centre, prefix.encode())
    came: dict[str, float] = json.loads(line(centre, "the message centre"))
    return came


def show(stores: dict[str, Fresh]) -> int:
    for store, fresh in stores.items():
        for kind in KINDS:
            waited = waits(fresh, kind)
            print(
                f"{store}, a carrier that {kind} ({PER_S}/s): p50 {waited.p50:.1f} ms, p99 {waited.p99:.1f} ms, "
                f"at most {waited.most:.1f} ms; {waited.left:,} of {CAMPAIGN:,} advertisements still waited"
            )
    return 0
