"""One run: everything is started afresh, the customer sends, and the numbers of the three ends are compared."""

import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from bench.children import Broken, Child, child, last_words, line, tell
from bench.database import Fresh
from bench.hub import SERVE, SOURCE, Carrier, Running, carrier, furnish, hub
from bench.tally import Plan, Seen
from bench.usage import cpu_s, peak_resident_mb
from bench.wire import post

FIRST = 491_000_000_000


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """What a run is to do."""

    store: str
    """Of ours, or how a peer keeps what it has accepted."""
    count: int
    connections: int
    window: int
    rate: float = 0.0
    front: str = "inline"
    """Where the hub has HTTP spoken, as its setting has it."""


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What a run has shown. CPU is milliseconds per message that was accepted."""

    accept_per_s: float
    end_to_end_per_s: float
    post_p50_ms: float
    post_p99_ms: float
    webhook_p50_ms: float
    webhook_p99_ms: float
    hub_cpu_ms: float
    simulator_cpu_ms: float
    customer_cpu_ms: float
    hub_peak_mb: float
    accepted: int
    refused: dict[str, int]
    never_submitted: int
    never_called_back: int
    undelivered: int
    submitted_again: int
    called_back_again: int
    submitted_unaccepted: int

    @property
    def lost(self) -> int:
        return self.never_submitted + self.never_called_back

    @property
    def duplicates(self) -> int:
        return self.submitted_again + self.called_back_again

    @property
    def sound(self) -> bool:
        """Whether each message was accepted, submitted once, delivered and called back once."""
        wrong = self.lost + self.duplicates + self.undelivered + self.submitted_unaccepted
        return not wrong and not self.refused and self.accepted > 0


class Cast:
    """The processes of a run, all up and bound."""

    def __init__(self, hub: Running, simulator: Carrier, customer: Child, plan: Plan, accesskey: str = "") -> None:
        self.hub, self.simulator, self.customer, self.plan, self.accesskey = hub, simulator, customer, plan, accesskey

    def cpu_s(self) -> list[float]:
        hub = sum(map(cpu_s, self.hub.pids))
        return [hub, cpu_s(self.simulator.process.pid), cpu_s(self.customer.pid)]


Stage = Callable[[Work, Path], AbstractContextManager[Cast]]
"""Starts all for a run in a folder, and ends it."""


class Peer(NamedTuple):
    """A gateway that one would otherwise run.

    `connections` of the customer: as many as it is fastest with. `most`: messages of a run, where it is slow.
    """

    stage: Stage
    connections: int
    most: int = sys.maxsize


def run(
    work: Work, fresh: Fresh, serve: Sequence[str] = SERVE, before: Callable[[Cast], None] = lambda cast: None
) -> Figures:
    """`before` is called when all is up, right before the load. Raises Broken."""
    return run_on(partial(_ours, fresh=fresh, serve=serve), work, before)


def run_on(stage: Stage, work: Work, before: Callable[[Cast], None] = lambda cast: None) -> Figures:
    """As `run`, with whatever gateway is on the stage."""
    with _folder() as folder, stage(work, folder) as cast:
        before(cast)
        at_first = cast.cpu_s()
        tell(cast.customer, msgspec.json.encode(cast.plan))
        seen = msgspec.json.decode(line(cast.customer, "the customer"), type=Seen)
        if cast.hub.has_ended:
            raise Broken(f"the gateway ended under load\n{last_words(folder / 'hub.log')}")
        used = [after - first for after, first in zip(cast.cpu_s(), at_first, strict=True)]
        peak = sum(map(peak_resident_mb, cast.hub.pids))
        return _figures(seen, cast.simulator.submitted(), used, peak)


@contextmanager
def staged(work: Work, fresh: Fresh) -> Iterator[Cast]:
    """Everything started afresh, for something else than a run."""
    with _folder() as folder, _ours(work, folder, fresh, SERVE) as cast:
        yield cast


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="messagehub-bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _ours(work: Work, folder: Path, fresh: Fresh, serve: Sequence[str]) -> Iterator[Cast]:
    """The hub is the first to end, so that it takes leave of a carrier that is still there."""
    with ends(folder) as (customer, webhook_uri, simulator), ExitStack() as stack:
        running, operator = stack.enter_context(hub(fresh(folder), folder, serve, work.front))
        accesskey = furnish(running.url, operator, simulator.smpp, work.window, webhook_uri)
        simulator.wait_until_bound()
        url = urlsplit(running.url)
        request = post(url.netloc, accesskey, SOURCE, FIRST)
        yield Cast(running, simulator, customer, plan(work, url.netloc, request), accesskey)


@contextmanager
def ends(folder: Path) -> Iterator[tuple[Child, str, Carrier]]:
    """What a gateway is between: a customer, with the address that is to be called back, and a carrier."""
    with child(["-m", "bench.traffic"]) as customer:
        webhook_uri = f"http://127.0.0.1:{int(line(customer, 'the customer'))}/hook"
        with carrier(folder) as simulator:
            yield customer, webhook_uri, simulator


def plan(work: Work, place: str, request: str, **how: Any) -> Plan:
    """`place`: HOST:PORT. `how`: the members of a plan in which a peer is not like us."""
    host, _, port = place.rpartition(":")
    return Plan(
        host=host,
        port=int(port),
        request=request,
        first=FIRST,
        count=work.count,
        connections=work.connections,
        rate=work.rate,
        **how,
    )


def _figures(seen: Seen, submitted_numbers: list[int], cpu: list[float], peak_mb: float) -> Figures:
    accepted = set(seen.accepted)
    submitted = Counter(number - FIRST for number in submitted_numbers)
    called = Counter(seen.called_back)
    per_message = [1000 * seconds / max(len(accepted), 1) for seconds in cpu]
    return Figures(
        accept_per_s=seen.accept_per_s,
        end_to_end_per_s=seen.end_to_end_per_s,
        post_p50_ms=seen.post_ms[0],
        post_p99_ms=seen.post_ms[1],
        webhook_p50_ms=seen.webhook_ms[0],
        webhook_p99_ms=seen.webhook_ms[1],
        hub_cpu_ms=per_message[0],
        simulator_cpu_ms=per_message[1],
        customer_cpu_ms=per_message[2],
        hub_peak_mb=peak_mb,
        accepted=len(accepted),
        refused=seen.refused,
        never_submitted=len(accepted - submitted.keys()),
        never_called_back=len((accepted & submitted.keys()) - called.keys()),
        undelivered=seen.undelivered,
        submitted_again=submitted.total() - len(submitted),
        called_back_again=called.total() - len(called),
        submitted_unaccepted=len(submitted.keys() - accepted),
    )
