"""One run: everything is started afresh, the customer sends, and the numbers of the three ends are compared."""

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from bench.children import Broken, Child, child, last_words, line, tell
from bench.database import Fresh
from bench.hub import SERVE, SOURCE, Carrier, Running, carrier, furnish, hub
from bench.tally import Plan, Seen
from bench.usage import cpu_s, peak_resident_mb

FIRST = 491_000_000_000


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """What a run is to do."""

    store: str
    count: int
    connections: int
    window: int
    rate: float = 0.0


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

    def __init__(self, hub: Running, simulator: Carrier, customer: Child, accesskey: str) -> None:
        self.hub, self.simulator, self.customer, self.accesskey = hub, simulator, customer, accesskey

    def cpu_s(self) -> list[float]:
        return [cpu_s(process.pid) for process in (self.hub.process, self.simulator.process, self.customer)]


def run(
    work: Work, fresh: Fresh, serve: Sequence[str] = SERVE, before: Callable[[Cast], None] = lambda cast: None
) -> Figures:
    """`before` is called when all is up, right before the load. Raises Broken."""
    with _folder() as folder, _cast(work, fresh(folder), folder, serve) as cast:
        before(cast)
        at_first = cast.cpu_s()
        tell(cast.customer, msgspec.json.encode(_plan(work, cast)))
        seen = msgspec.json.decode(line(cast.customer, "the customer"), type=Seen)
        if cast.hub.process.poll() is not None:
            raise Broken(f"messagehub ended under load\n{last_words(folder / 'hub.log')}")
        used = [after - first for after, first in zip(cast.cpu_s(), at_first, strict=True)]
        peak = peak_resident_mb(cast.hub.process.pid)
        return _figures(seen, cast.simulator.submitted(), used, peak)


@contextmanager
def staged(work: Work, fresh: Fresh) -> Iterator[Cast]:
    """Everything started afresh, for something else than a run."""
    with _folder() as folder, _cast(work, fresh(folder), folder, SERVE) as cast:
        yield cast


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="messagehub-bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _cast(work: Work, database_url: str, folder: Path, serve: Sequence[str]) -> Iterator[Cast]:
    """The hub is the first to end, so that it takes leave of a carrier that is still there."""
    with ExitStack() as stack:
        customer = stack.enter_context(child(["-m", "bench.traffic"]))
        webhook_uri = f"http://127.0.0.1:{int(line(customer, 'the customer'))}/hook"
        simulator = stack.enter_context(carrier(folder))
        running, operator = stack.enter_context(hub(database_url, folder, serve))
        accesskey = furnish(running.url, operator, simulator.smpp, work.window, webhook_uri)
        simulator.wait_until_bound()
        yield Cast(running, simulator, customer, accesskey)


def _plan(work: Work, cast: Cast) -> Plan:
    url = urlsplit(cast.hub.url)
    assert url.hostname
    assert url.port
    return Plan(
        host=url.hostname,
        port=url.port,
        accesskey=cast.accesskey,
        source=SOURCE,
        first=FIRST,
        count=work.count,
        connections=work.connections,
        rate=work.rate,
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
