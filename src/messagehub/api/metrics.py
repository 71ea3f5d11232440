"""`/metrics`: what is measured, for Prometheus.

Counts of the process are read when they are asked for. What only the store knows is asked of it at most every few
seconds, however many ask; a store that does not answer costs the scrape its part, and nothing else.
"""

import asyncio
import platform
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from messagehub import __version__, clock, ids
from messagehub.api.endpoint import Call, Endpoint, Text, Who
from messagehub.api.services import Services
from messagehub.carriers.carrier import BindStatus
from messagehub.clock import SECOND
from messagehub.errors import Unavailable
from messagehub.messages.lanes import LANES
from messagehub.metrics import COUNTS, METRICS, MOST_COUNTED, Histogram, Metric

if TYPE_CHECKING:
    from prometheus_client.registry import CollectorRegistry

PLAIN = b"text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = b"application/openmetrics-text; version=1.0.0; charset=utf-8"
KNOWN_S = 5.0
"""For how long what the store said is told again."""

PATIENCE_S = 2.0

Sample = tuple[str, tuple[str, ...], float]
"""The name of a metric without `messagehub_`, the values of its labels, and its own."""


def endpoints(services: Services) -> list[Endpoint]:
    """The path as the setting `metrics` wants it."""
    if services.metrics == "off":
        return []
    readings = Readings(services)

    async def scrape(call: Call) -> Text:
        return written(await readings.samples(), call.headers.get(b"accept", b""))

    who = Who.OPERATOR if services.metrics == "operator" else Who.ANYBODY
    kinds = tuple(kind.decode().partition(";")[0] for kind in (PLAIN, OPENMETRICS))
    words = "What is measured, for Prometheus"
    return [
        Endpoint(
            method="GET",
            path="/metrics",
            summary=words,
            who=who,
            gives=str,
            content=kinds,
            is_plain=True,
            handler=scrape,
        )
    ]


# --- reading ----------------------------------------------------------------------------


class Readings:
    """All samples, from the process and from its store."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._asking = asyncio.Lock()
        self._told: list[Sample] = []
        self._told_until = 0.0

    async def samples(self) -> list[Sample]:
        async with self._asking:  # those who ask at the same time are told the same
            if time.monotonic() > self._told_until:
                self._told = await self._ask_store()
                self._told_until = time.monotonic() + KNOWN_S
        return [*_of_process(self._services), *self._told]

    async def _ask_store(self) -> list[Sample]:
        try:
            async with asyncio.timeout(PATIENCE_S):
                return [sample async for sample in _of_store(self._services)] + [("store_up", (), 1)]
        except (Unavailable, TimeoutError):
            return [("store_up", (), 0)]


async def _of_store(services: Services) -> AsyncIterator[Sample]:
    now = clock.now()
    for name, carrier_id, _ in list(services.exchanges.running()):
        of_lanes = [{"carrier_id": carrier_id, "lane": lane, "now": now, "count": MOST_COUNTED} for lane in LANES]
        rows = await services.store.many("targets_due", of_lanes)
        yield "due_targets", (name, carrier_id), sum(row.count for row in rows)
        yield "oldest_due_target_age_seconds", (name, carrier_id), max(_age(row.oldest, now) for row in rows)
    first = await services.store.one("oldest_message")
    assert first is not None
    yield "oldest_message_age_seconds", (), _age(ids.moment_of(first.id) if first.id else None, now)
    waiting = await services.store.one("events_waiting", count=MOST_COUNTED)
    oldest = await services.store.one("oldest_event_due")
    assert waiting is not None
    assert oldest is not None
    yield "waiting_events", (), waiting.count
    yield "oldest_due_event_age_seconds", (), _age(oldest.oldest, now)


def _age(moment: int | None, now: int) -> float:
    return max(0.0, (now - (now if moment is None else moment)) / SECOND)


def _of_process(services: Services) -> Iterator[Sample]:
    yield "messages_accepted_total", (), COUNTS.messages
    yield "drafts_accepted_total", (), COUNTS.drafted
    yield "targets_accepted_total", (), COUNTS.targets
    yield from (("mms_total", (direction,), count) for direction, count in COUNTS.mms.items())
    yield from (("targets_reached_total", (str(status),), count) for status, count in COUNTS.reached.items() if count)
    yield from (("webhook_attempts_total", (outcome,), count) for outcome, count in COUNTS.webhooks.items())
    yield from (("flows_ended_total", (reason,), count) for reason, count in COUNTS.flows_ended.items())
    yield from (("removed_rows_total", (table,), count) for table, count in COUNTS.removed.items())
    for (method, digit), count in COUNTS.requests.items():
        if count:
            yield "http_requests_total", (method, f"{digit}xx" if digit else "none"), count
    yield "webhook_endpoints_down", (), services.dispatcher.endpoints_down
    yield "store_waiting_jobs", (), services.store.waiting
    yield "http_connections", (), len(COUNTS.connections)
    yield "front_starts_total", (), COUNTS.front_starts
    yield "front_cpu_seconds_total", (), COUNTS.front_cpu
    yield "writer_cpu_seconds_total", (), COUNTS.writer_cpu
    yield "build_info", (*_build(), type(services.store).__name__.removesuffix("Store").lower()), 1
    for name, carrier_id, exchange in services.exchanges.running():
        counts, binds = exchange.counts, exchange.carrier.status().binds
        yield from _of_carrier((name, carrier_id), binds)
        yield "receipts_total", (name, carrier_id), counts.receipts
        yield "receipts_unmatched_total", (name, carrier_id), counts.unmatched
        yield "inbound_segments_total", (name, carrier_id), counts.inbound
        yield "inbound_unknown_total", (name, carrier_id), counts.unknown


@cache  # it is read from files
def _build() -> tuple[str, str]:
    return __version__, platform.python_version()


def _of_carrier(carrier: tuple[str, str], binds: Iterable[BindStatus]) -> Iterator[Sample]:
    binds = list(binds)
    yield "segments_submitted_total", carrier, sum(bind.sent for bind in binds)
    yield "window_used_pdus", carrier, sum(bind.in_flight for bind in binds)
    yield "submit_responses_total", (*carrier, "accepted"), sum(bind.accepted for bind in binds)
    yield "submit_responses_total", (*carrier, "refused"), sum(bind.refused for bind in binds)
    yield "submit_responses_total", (*carrier, "no_answer"), sum(bind.unanswered for bind in binds)
    for state in ("bound", "connecting", "down"):
        yield "binds", (*carrier, state), sum(bind.state == state for bind in binds)


HISTOGRAMS: dict[str, Histogram] = {
    "commit_duration_seconds": COUNTS.commit_seconds,
    "commit_units": COUNTS.commit_units,
    "http_request_duration_seconds": COUNTS.request_seconds,
    "event_loop_lag_seconds": COUNTS.lag_seconds,
}


# --- writing ----------------------------------------------------------------------------


def written(samples: Iterable[Sample], accept: bytes) -> Text:
    """The samples as text: OpenMetrics where `accept` asks for it."""
    # A process that nobody scrapes does not load what writes the text.
    if OPENMETRICS.partition(b";")[0] in accept:
        from prometheus_client.openmetrics import exposition as openmetrics

        return Text(openmetrics.generate_latest(_registry(samples)), OPENMETRICS)  # type: ignore[no-untyped-call]
    from prometheus_client import exposition

    return Text(exposition.generate_latest(_registry(samples)), PLAIN)


def _registry(samples: Iterable[Sample]) -> "CollectorRegistry":
    from prometheus_client import CollectorRegistry, ProcessCollector

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(samples))
    ProcessCollector(registry=registry)
    return registry


class _Collector:
    """What the library asks for the metrics of ours."""

    def __init__(self, samples: Iterable[Sample]) -> None:
        self._samples: dict[str, list[tuple[tuple[str, ...], float]]] = {}
        for name, labels, value in samples:
            self._samples.setdefault(f"messagehub_{name}", []).append((labels, value))

    def describe(self) -> list[Any]:
        return []

    def collect(self) -> Iterator[Any]:
        for metric in METRICS:
            yield self._family(metric)

    def _family(self, metric: Metric) -> Any:
        from prometheus_client import metrics_core as families

        if metric.kind == "histogram":
            found = HISTOGRAMS[metric.name.removeprefix("messagehub_")]
            return families.HistogramMetricFamily(metric.name, metric.meaning, found.buckets(), found.sum)
        kinds = {"counter": families.CounterMetricFamily, "gauge": families.GaugeMetricFamily}
        family = kinds[metric.kind](metric.name, metric.meaning, labels=metric.labels)
        for labels, value in self._samples.get(metric.name, ()):
            family.add_metric(labels, value)
        return family
