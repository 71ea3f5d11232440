"""What was promised, counted: the callers, the carrier, the endpoint and the store must agree."""

import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

from tests.chaos.load import Told
from tests.support.api import Api, Json
from tests.support.settled import settled
from tests.support.simulator import Simulator
from tests.support.sink import Endpoint


@dataclass(frozen=True)
class Promise:
    """What one scenario is held to."""

    ends: frozenset[str] = frozenset({"delivered"})
    """Statuses in which an accepted message may end. One that was in doubt twice may be `gw_timeout` in any case."""
    in_flight: int = 0
    """PDUs that may have been handed over twice at most."""
    in_order: bool = True
    """First attempts of one message's webhooks are in the order of its events."""
    commits_may_be_unknown: bool = False
    """The answer to a commit may be lost, so a message that was answered 503 may be there."""
    within_s: float = 60.0
    """How long after the end of all faults everything must be final."""


@dataclass
class Findings:
    """`wrong` holds a sentence for each promise that was not kept."""

    rows: list[tuple[str, object, str]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def note(self, what: str, found: object, bound: str = "") -> None:
        self.rows.append((what, found, bound))

    def hold(self, what: str, found: int, most: int, examples: object = "") -> None:
        self.note(what, found, f"≤ {most}" if most else "0")
        if found > most:
            self.wrong.append(f"{what}: {found}, and not {most} at most {examples or ''}".strip())

    def print(self, title: str, console: Console) -> None:
        table = Table("", "found", "promised", title=title, title_justify="left")
        for what, found, bound in self.rows:
            table.add_row(what, f"{found:,}" if isinstance(found, int) else str(found), bound)
        console.print(table)


def check(told: Told, api: Api, box: Simulator, endpoint: Endpoint, promise: Promise) -> Findings:
    """Waits until all that was accepted is final and all webhooks are delivered, then compares the ends."""
    found = Findings()
    final = settled(api, told.accepted, promise.within_s)
    stored = {_number(message): message for message in api.every("/messages", direction="outbound")}
    times_sent = box.times_sent()
    _check_messages(found, told, final, stored, times_sent, promise)
    _check_duplicates(found, stored, times_sent, promise)
    _check_webhooks(found, api, endpoint, promise)
    return found


def _check_messages(
    found: Findings,
    told: Told,
    final: dict[str, Json],
    stored: dict[str, Json],
    times_sent: Counter[str],
    promise: Promise,
) -> None:
    found.note("accepted", len(told.accepted))
    found.note("slowest answer", f"{told.slowest_s:.2f} s")
    found.hold("wrong answers", told.wrong.total(), 0, dict(told.wrong))
    found.hold("accepted and not final", len(told.accepted) - len(final), 0, sorted(told.accepted.keys() - final)[:3])
    ends = Counter(_end(message) for message in final.values())
    found.note("ends", ", ".join(f"{end} {count:,}" for end, count in ends.most_common()))
    allowed = promise.ends | {"gw_timeout in_doubt"}
    strange = {end: count for end, count in ends.items() if end not in allowed and end.split()[0] not in allowed}
    found.hold("ends that should not be", sum(strange.values()), 0, strange)
    lost = [to for id, to in told.accepted.items() if id in final and _end(final[id]) == "delivered"]
    found.hold("delivered and never at the carrier", sum(not times_sent[to] for to in lost), 0)
    found.note("never answered", len(told.unknown), "")
    found.note("answered 503", len(told.refused), "")
    there = told.refused & stored.keys()
    if promise.commits_may_be_unknown:
        found.note("answered 503 and yet there", len(there), "counted")
    else:
        found.hold("answered 503 and yet there", len(there | (told.refused & times_sent.keys())), 0)


def _check_duplicates(found: Findings, stored: dict[str, Json], times_sent: Counter[str], promise: Promise) -> None:
    again = {to: times - 1 for to, times in times_sent.items() if times > 1}
    found.hold("handed over again", sum(again.values()), promise.in_flight)
    unmarked = [to for to in again if not stored[to]["targets"][0]["possible_duplicate"]]
    found.hold("of these not marked", len(unmarked), 0, unmarked[:3])
    marked = sum(message["targets"][0]["possible_duplicate"] for message in stored.values())
    found.note("marked possible_duplicate", marked)
    found.hold("sent for nobody", len(times_sent.keys() - stored.keys()), 0)


def _check_webhooks(found: Findings, api: Api, endpoint: Endpoint, promise: Promise) -> None:
    events = _all_delivered(api, promise.within_s)
    undelivered = [event["id"] for event in events if event["status"] != "delivered"]
    heard = Counter(hit.headers["webhook-id"] for hit in list(endpoint.hits))
    found.note("events", len(events))
    found.hold("events not told", len(undelivered), 0, undelivered[:3])
    found.hold("told, as the store says, and not heard", sum(not heard[event["id"]] for event in events), 0)
    found.note("webhooks heard again", heard.total() - len(heard))
    late = _out_of_order(endpoint)
    if promise.in_order:
        found.hold("messages whose first attempts were out of order", len(late), 0, late[:3])


def _all_delivered(api: Api, within: float) -> list[Json]:
    end = time.monotonic() + within
    while api.get("/webhook_deliveries", status="pending", page_size=1)["result"] and time.monotonic() < end:
        time.sleep(0.3)
    return api.every("/webhook_deliveries")


def _out_of_order(endpoint: Endpoint) -> list[str]:
    """Messages of which an event was heard for the first time after a later one."""
    last: dict[str, int] = defaultdict(int)
    seen: set[str] = set()
    late = []
    for hit in [hit for hit in list(endpoint.hits) if hit.type == "message_updated"]:
        data, event = hit.data, hit.headers["webhook-id"]
        if event not in seen and data["sequence"] < last[data["id"]]:
            late.append(data["id"])
        seen.add(event)
        last[data["id"]] = max(last[data["id"]], data["sequence"])
    return late


def _number(message: Json) -> str:
    number: str = message["targets"][0]["destination"]["target"]
    return number


def _end(message: Json) -> str:
    target = message["targets"][0]
    return f"{target['status']} {target['error_code']}".strip()
