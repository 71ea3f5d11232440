"""What is measured: the table of all metrics, and the counts of this process.

Counting is adding to a plain number, since it is done for each message. Numbers that belong to one thing (a bind, an
exchange) stand on that thing; those of the whole process stand in COUNTS. Both are read when somebody asks.
`docs/metrics.md` is printed from METRICS.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence, Sized
from typing import Literal

from msgspec import Struct


class Histogram:
    """How often a value was at most each of `bounds`. One thread observes; any may read."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, *bounds: float) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float, times: int = 1) -> None:
        self.counts[bisect_left(self.bounds, value)] += times
        self.sum += value * times

    def buckets(self) -> list[tuple[str, float]]:
        """Each upper bound as Prometheus writes it, and how many values were not above it."""
        total, buckets = 0, []
        for bound, count in zip((*(str(float(bound)) for bound in self.bounds), "+Inf"), self.counts, strict=True):
            total += count
            buckets.append((bound, float(total)))
        return buckets


METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS")
OTHER = "other"
REMOVED_FROM = (
    "messages", "targets", "segments", "events", "traces", "conversations", "idempotency_keys", "notices",
    "activeflows", "media", "uploads", "media_links",
)  # fmt: skip


class Counts:
    """Of this process since its start. Each is changed by one thread only, or after a commit on the event loop."""

    __slots__ = (
        "commit_seconds",
        "commit_units",
        "connections",
        "drafted",
        "flows_ended",
        "front_cpu",
        "front_starts",
        "lag_seconds",
        "messages",
        "mms",
        "reached",
        "removed",
        "request_seconds",
        "requests",
        "targets",
        "webhooks",
        "writer_cpu",
    )

    def __init__(self) -> None:
        self.messages = self.targets = self.drafted = 0
        self.mms: Counter[str] = Counter({"outbound": 0, "inbound": 0})
        """Messages that are MMS, by direction."""
        self.reached: Counter[str] = Counter()
        """By status."""
        self.removed: Counter[str] = Counter(dict.fromkeys(REMOVED_FROM, 0))
        """Rows that were too old, by table."""
        self.flows_ended: Counter[str] = Counter()
        """By reason."""
        self.webhooks: Counter[str] = Counter()
        """By outcome."""
        self.requests = {(method, digit): 0 for method in (*METHODS, OTHER) for digit in range(6)}
        """By method and the first digit of the status; 0 where the caller had gone before the answer."""
        self.request_seconds = Histogram(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
        self.commit_seconds = Histogram(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
        self.commit_units = Histogram(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
        self.lag_seconds = Histogram(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
        self.connections: Sized = ()
        """The open connections of the HTTP server."""
        self.front_starts, self.front_cpu = 0, 0.0
        """Of the process that speaks HTTP, where it is one of its own; seconds of the one that runs."""
        self.writer_cpu = 0.0
        """Likewise of the process that writes a SQLite store."""


COUNTS = Counts()


# --- the table --------------------------------------------------------------------------

Kind = Literal["counter", "gauge", "histogram"]


class Metric(Struct, frozen=True):
    """`name` is as it is scraped, without the endings that a histogram adds."""

    name: str
    kind: Kind
    meaning: str
    labels: tuple[str, ...] = ()


CARRIER = ("carrier", "carrier_id")
MOST_COUNTED = 20_000
"""Where rows of the store are counted, no more than these are."""


def _metrics(kind: Kind, rows: Sequence[tuple[str, tuple[str, ...], str]]) -> list[Metric]:
    return [Metric(f"messagehub_{name}", kind, meaning, labels) for name, labels, meaning in rows]


METRICS = [
    *_metrics(
        "counter",
        [
            ("messages_accepted_total", (), "Messages that POST /messages accepted."),
            ("drafts_accepted_total", (), "Those of them that were drafted where HTTP is spoken, in its own process."),
            ("targets_accepted_total", (), "Targets of these messages."),
            ("mms_total", ("direction",), "Messages with media or a subject: `outbound` and accepted, or `inbound`."),
            ("targets_reached_total", ("status",), "Targets that came to a status; `received` is inbound messages."),
            ("segments_submitted_total", CARRIER, "Segments sent to a carrier."),
            (
                "submit_responses_total",
                (*CARRIER, "outcome"),
                "What carriers said to them: `accepted`, `refused`, or `no_answer` in time.",
            ),
            ("receipts_total", CARRIER, "Delivery receipts that came."),
            ("receipts_unmatched_total", CARRIER, "Those whose segment was not known when they came; they are parked."),
            ("inbound_segments_total", CARRIER, "Segments of inbound messages that came."),
            ("inbound_unknown_total", CARRIER, "Those that came for a number of nobody's."),
            (
                "webhook_attempts_total",
                ("outcome",),
                "Attempts to deliver an event: `delivered`, `status` (answered with another than 2xx), `gone` (410), "
                "`disabled` (not sent), or why there was no answer (`timeout`, `refused`, `dns`, `tls`, …).",
            ),
            ("flows_ended_total", ("reason",), "Flows that have ended, and why: see flows.md."),
            (
                "removed_rows_total",
                ("table",),
                "Rows that were too old: `messages`, `targets`, `segments`, `events` with their bodies, `traces`, "
                "`notices` (when somebody was last told that he gets no more), `activeflows`, `uploads`, "
                "`media_links`; and `media`, which are contents.",
            ),
            ("http_requests_total", ("method", "status"), "Requests by method and class of status, such as `2xx`."),
            ("front_starts_total", (), "Starts of the process that speaks HTTP, where it is one of its own."),
            ("front_cpu_seconds_total", (), "Seconds of processor time of the one that runs."),
            ("writer_cpu_seconds_total", (), "Likewise of the process that writes a SQLite store, at its last commit."),
        ],
    ),
    *_metrics(
        "gauge",
        [
            ("due_targets", CARRIER, f"Targets that are due for a carrier; counted up to {MOST_COUNTED:,}."),
            ("oldest_due_target_age_seconds", CARRIER, "For how long the oldest of them is due."),
            ("binds", (*CARRIER, "state"), "Binds of this process by state: `bound`, `connecting`, `down`."),
            ("window_used_pdus", CARRIER, "PDUs that the carrier has not answered yet."),
            ("waiting_events", (), f"Events that were not delivered to webhooks yet; counted up to {MOST_COUNTED:,}."),
            ("oldest_due_event_age_seconds", (), "For how long the oldest event is due that nobody has taken."),
            ("oldest_message_age_seconds", (), "The age of the oldest message in the store."),
            ("webhook_endpoints_down", (), "Endpoints to which nothing is sent for now, since they failed."),
            ("store_up", (), "1 where the store answered this scrape, 0 where what it would tell is missing."),
            ("store_waiting_jobs", (), "Commits that callers wait for."),
            ("http_connections", (), "Open connections of the HTTP server."),
            ("build_info", ("version", "python", "store"), "1; the labels say what runs."),
        ],
    ),
    *_metrics(
        "histogram",
        [
            ("commit_duration_seconds", (), "From the begin of a transaction to the end of its commit."),
            ("commit_units", (), "Requests and transactions that shared a commit."),
            ("http_request_duration_seconds", (), "From the head of a request to its answer."),
            ("event_loop_lag_seconds", (), "By how much a timer was late: what everything else waited for, too."),
        ],
    ),
]
"""Every metric of ours. Those of the process (`process_cpu_seconds_total` and so on) have their usual names."""


def as_markdown() -> str:
    """The table of metrics as docs/metrics.md shows it."""
    rows = (
        f"| `{metric.name}` | {metric.kind} | {' '.join(f'`{label}`' for label in metric.labels)} | {metric.meaning} |"
        for metric in METRICS
    )
    return "\n".join(["| metric | kind | labels | meaning |", "| --- | --- | --- | --- |", *rows])
