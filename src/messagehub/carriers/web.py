"""A carrier that is sent requests over HTTP, whatever it is that they say: that knows its dialect.

One request hands over one target, text and media together. What could not be sent is given back; what was sent and has
no answer is in doubt, since the carrier may have done what was asked.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from typing import Any

from messagehub import clock
from messagehub.blobs import Missing
from messagehub.carriers import tls
from messagehub.carriers.arrivals import Arrivals
from messagehub.carriers.backoff import PAUSES, Pauses
from messagehub.carriers.book import Means
from messagehub.carriers.callbacks import Callback, Reply
from messagehub.carriers.carrier import (
    LONGEST_NAME,
    REASONS,
    Accepted,
    CarrierStatus,
    Handover,
    Inbound,
    Lost,
    News,
    Outcome,
    Queried,
    Question,
    Receipt,
    Refused,
    TargetKey,
    Unanswered,
    Verdict,
    whole,
)
from messagehub.carriers.dialect import Declined, Dialect, Ready, Request, Taken
from messagehub.carriers.pace import Pace
from messagehub.carriers.reach import Reach, words_of
from messagehub.carriers.web_bind import WebBind
from messagehub.carriers.web_config import WebConfig, unreached
from messagehub.carriers.web_transfer import Transfer
from messagehub.carriers.wire import ANSWER, LOST, NO_ANSWER, PAUSED, REQUEST, UNSENT, Step
from messagehub.clock import SECOND
from messagehub.errors import Unavailable
from messagehub.logs import Seldom, about
from messagehub.media import MediaError
from messagehub.text import STANDARD
from messagehub.text.keepable import keepable
from messagehub.web import Answer, BadRequest, Busy, Client, LongURL, WebError

log = logging.getLogger(__name__)

CONNECT_S = 10.0
LATE_S = 60.0
"""How long an answer is still read after it was given up."""
LATE_AT_ONCE = 200
"""Requests that are waited for so; beyond them the oldest is hung up on."""
MAX_ANSWER = 1 << 20
MAX_URL = 16 << 10
"""Characters of the URL of a request, in which the whole text may stand."""
IDLE_S = 3.0
"""How long a connection is kept: less than most servers do, as what is sent while they hang up is in doubt."""
LONGEST_PAUSE_S = 3600.0
"""The most that a carrier may ask to be left alone for."""
DOUBTFUL = frozenset({502, 504})
"""Answers of who stands before the carrier and has none of it (RFC 9110, sections 15.6.3 and 15.6.5)."""
KEPT_FOR = 3 * 24 * 3600 * SECOND
"""How long a carrier may take to fetch media from us."""
LONGEST_WORDS = 500
DISK_TOLD_S = 10.0
HIDDEN = "***"


class WebCarrier:
    """`pauses`: how long it waits before it tries again a carrier that could not be reached."""

    asks = False
    texts = STANDARD

    def __init__(self, config: WebConfig, dialect: Dialect, means: Means, pauses: Pauses = PAUSES) -> None:
        self.dlr_timeout, self.callback_max = config.dlr_timeout, config.callback_max
        self.kinds: Sequence[str] = ["client"] * config.binds
        self._config, self._dialect, self._means = config, dialect, means
        self._secrets = [str(value) for name in config.secrets if (value := getattr(config, name, ""))]
        self._pace = Pace(config.rate)
        self._held: dict[int, WebBind] = {}
        self._queue: deque[Transfer] = deque()
        self._transfers: dict[TargetKey, Transfer] = {}
        self._late: dict[asyncio.Task[None], None] = {}
        self._news: list[News] = []
        self._ring: Callable[[], None] = lambda: None
        self._idle = asyncio.Event()
        self._disk_told = Seldom(DISK_TOLD_S)
        self._pumping: asyncio.TimerHandle | None = None
        self._client = self._make_client()
        self._arrivals = Arrivals(config, dialect, means, self._tell)
        self._reach = Reach(self._client, pauses, self._changed)
        self._parting: set[asyncio.Task[None]] = set()

    def _make_client(self) -> Client:
        config = self._config
        verified = None
        if config.uses_tls:
            verified = tls.context(config.tls_ca, config.tls_certificate, config.tls_key, config.tls_verify)
        return Client(
            allow_private=True,  # it is the operator who chose the address
            timeout=config.response_timeout + LATE_S,
            max_response=MAX_ANSWER,
            per_origin=config.window * config.binds + LATE_AT_ONCE,
            idle=IDLE_S,
            tls=verified,
            repeats=False,
            max_url=MAX_URL,
        )

    # --- the contract -------------------------------------------------------------------

    def open(self, ring: Callable[[], None], slots: Collection[int] | None = None) -> None:
        self._ring = ring
        self.hold(range(len(self.kinds)) if slots is None else slots)

    def hold(self, slots: Collection[int]) -> None:
        for slot in [slot for slot, bind in self._held.items() if slot not in slots and not bind.leaving]:
            self._held[slot].leaving = True
            self._parting.add(task := asyncio.create_task(self.part(slot, 0)))
            task.add_done_callback(self._parting.discard)
        for slot in sorted(slots):
            if slot not in self._held:
                self._held[slot] = bind = WebBind(self._config.window)
                bind.turn("down" if self._reach.why else "bound", self._reach.why)
        self._keep_share()

    async def part(self, slot: int, seconds: float) -> None:
        if not (bind := self._held.get(slot)):
            return
        bind.leaving = True
        self._keep_share()
        if not self._can_send:
            self._give_back_queue()
            self._ring()
        await bind.drain(seconds)
        self._break_off(one for one in list(self._transfers.values()) if one.bind is bind)
        if self._held.get(slot) is bind:
            del self._held[slot]

    async def let_go(self) -> None:
        for bind in self._held.values():
            bind.leaving = True
        self._give_back_queue()
        self._break_off(list(self._transfers.values()))
        self._held.clear()
        self._ring()

    def _keep_share(self) -> None:
        own = sum(not bind.leaving for bind in self._held.values())
        self._pace.share(self._config.rate * own / len(self.kinds), time.monotonic())

    @property
    def _can_send(self) -> bool:
        return not self._reach.why and any(not bind.leaving for bind in self._held.values())

    def room(self) -> int:
        free = sum(bind.room for bind in self._held.values()) - len(self._queue)
        return self._allowed(time.monotonic(), free) if free > 0 and not self._reach.why else 0

    def _allowed(self, now: float, free: int) -> int:
        lease = self._means.lease
        return min(free, self._pace.allows(now)) if lease is None or now < lease.until else 0

    @property
    def takes_long(self) -> bool:
        return not self._transfers

    def holds(self, key: TargetKey) -> bool:
        told = (one.key for one in self._news if not isinstance(one, Receipt | Inbound | Queried))
        return key in self._transfers or key in told

    def steps(self, key: TargetKey) -> list[Step]:
        return list(self._transfers[key].steps) if key in self._transfers else []

    def send(self, handovers: Sequence[Handover]) -> None:
        for handover in handovers:
            transfer = self._transfers[handover.key] = Transfer(handover)
            if handover.segments or handover.media is not None:
                self._queue.append(transfer)
            else:
                self._end(transfer, Refused(transfer.key, "too_long"))
        self._pump()
        if not self._can_send:  # that was lost while the claim was committed
            self._give_back_queue()
            self._ring()

    def ask(self, questions: Sequence[Question]) -> None:
        """Nobody asks, as `asks` is false."""

    def news(self) -> list[News]:
        news, self._news = self._news, []
        return news

    def answer(self, ticket: Any, verdict: Verdict) -> None:
        ticket.settle(verdict)

    async def called(self, callback: Callback) -> Reply:
        return await self._arrivals.take(callback)

    def heard(self, session: str, moment: int) -> bool:
        return False

    def status(self) -> CarrierStatus:
        binds = [bind.status for bind in self._held.values()]
        now = time.monotonic()
        self._pace.allows(now)
        still = self._pace.until - now
        here = self._means.published.public_url if self._means.published else ""
        return CarrierStatus(
            whole(binds, len(binds)),
            binds,
            self._reach.why,
            [*self._config.warnings(), *unreached(self._config.address, here), *self._arrivals.warnings()],
            pace=self._pace.now,
            throttled=self._pace.throttled,
            throttled_until=clock.now() + int(still * SECOND) if still > 0 else 0,
        )

    async def drain(self, seconds: float) -> None:
        self._idle.clear()
        if self._transfers:
            try:
                async with asyncio.timeout(seconds):
                    await self._idle.wait()
            except TimeoutError:
                return

    async def close(self) -> None:
        await self.let_go()
        await self._reach.close()
        if self._pumping:
            self._pumping.cancel()
        tasks = [*self._parting, *self._late]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._arrivals.close()
        await self._client.close()

    def _tell(self, news: Sequence[News]) -> None:
        self._news += news
        self._ring()

    # --- sending ------------------------------------------------------------------------

    def _pump(self) -> None:
        """Sends what the windows and the rate let through."""
        for bind in self._held.values() if not self._reach.why else ():
            allowed = self._allowed(time.monotonic(), bind.room)
            while allowed > 0 and self._queue:
                self._begin(bind, self._queue.popleft())
                allowed -= 1
        if (self._queue or self._pace.limits) and not self._pumping:
            pause = self._pace.pause(time.monotonic())
            if pause:
                self._pumping = asyncio.get_running_loop().call_later(pause, self._pump_now)

    def _pump_now(self) -> None:
        self._pumping = None
        self._pump()
        self._ring()

    def _begin(self, bind: WebBind, transfer: Transfer) -> None:
        transfer.bind = bind
        bind.begin()
        self._pace.spend()
        transfer.task = asyncio.create_task(self._deliver(transfer))

    async def _deliver(self, transfer: Transfer) -> None:
        """From here to the outcome, or to an answer that comes when nobody waits for it any more."""
        try:
            outcome = await self._outcome(transfer)
        except asyncio.CancelledError:
            outcome = self._cut_off(transfer)
        except Exception:
            log.exception("a request to a carrier failed", extra=about(message_id=transfer.key[0]))
            outcome = Lost(transfer.key) if transfer.left else Refused(transfer.key, "unwritable")
        if transfer.timer:
            transfer.timer.cancel()
        self._late.pop(transfer.task, None)  # type: ignore[arg-type]
        if transfer.given_up and isinstance(outcome, Accepted):
            outcome.late, outcome.steps = True, transfer.take_steps()
            self._news.append(outcome)
        self._end(transfer, outcome)
        self._pump()
        self._ring()

    def _cut_off(self, transfer: Transfer) -> Outcome:
        if transfer.is_late:
            words = "no connection in time"
            self._reach.lose(words, transfer.url)
            return Refused(transfer.key, "unreachable", words)
        words = "its bind was given up"
        transfer.steps.append((clock.now(), LOST if transfer.left else UNSENT, words))
        return Lost(transfer.key) if transfer.left else Refused(transfer.key, "not_ready")

    async def _outcome(self, transfer: Transfer) -> Outcome:
        handover, key = transfer.handover, transfer.key
        if handover.expire_at <= clock.now():  # it has waited here while nothing could leave
            return Refused(key, "too_late")
        try:
            media = await self._ready(handover)
            request = self._dialect.request(handover, media, clock.now())
        except MediaError as error:
            reason = "media_too_large" if error.reason == "media_too_large" else "media_refused"
            return Refused(key, reason, error.message, error.reason)
        except Missing:
            return Refused(key, "media_gone")
        except (Unavailable, OSError) as error:
            if self._disk_told.due():
                log.error("media for a carrier cannot be read or written: %s", error)
            return Refused(key, "media_not_ready")
        except ValueError as error:
            return Refused(key, "unwritable", str(error))
        try:
            answer = await self._ask(transfer, request)
        except WebError as error:
            return self._unanswered(transfer, request, error)
        return self._concluded(transfer, answer)

    async def _ready(self, handover: Handover) -> list[Ready]:
        """Its media, as the dialect wants them. Raises MediaError or Missing; Unavailable or OSError by the disk."""
        if not handover.media:
            return []
        limits, means = self._config.limits(handover.source), self._means
        if limits is None or self._dialect.media == "none":
            raise MediaError("media_refused", "the carrier takes no media")
        assert means.fitter
        assert means.blobs
        assert means.published
        fitted = await means.fitter.fit(handover.media, limits, handover.text, self._dialect.is_base64)
        if self._dialect.media == "octets":
            return [Ready(each.type, each.name, each.octets) for each in fitted]
        now = clock.now()
        digests = [await means.blobs.put(each.octets, now + KEPT_FOR) for each in fitted]
        urls = [means.published.url(digest, now) for digest in digests]
        return [Ready(each.type, each.name, url=url) for each, url in zip(fitted, urls, strict=True)]

    async def _ask(self, transfer: Transfer, request: Request) -> Answer:
        """Raises a WebError."""
        timeout, transfer.url = self._config.response_timeout, request.url
        loop = asyncio.get_running_loop()
        transfer.timer = loop.call_later(min(timeout, CONNECT_S), self._connect_time_is_up, transfer, timeout)
        answer = await self._exchange(transfer, request)
        if answer.status == 401 and (again := self._dialect.authorize(request, answer)):
            transfer.left = False  # the first was refused
            answer = await self._exchange(transfer, again)
        return answer

    async def _exchange(self, transfer: Transfer, request: Request) -> Answer:
        method, size = request.method, len(request.body)

        def leaves() -> None:
            transfer.left, transfer.sent_at = True, clock.now()
            if self._means.taped:
                transfer.steps.append((transfer.sent_at, REQUEST, method, self._shown(request.url), size))

        answer = await self._client.request(method, request.url, request.headers, request.body, leaves)
        now = clock.now()
        if self._means.taped:
            transfer.steps.append((now, ANSWER, answer.status, len(answer.body), now - transfer.sent_at))
        return answer

    def _shown(self, url: str) -> str:
        """Without its query, and what of its path is secret."""
        path, mark, _ = url.partition("?")
        for secret in self._secrets:
            path = path.replace(secret, HIDDEN)
        return path + (mark and f"?{HIDDEN}")

    # --- what comes of it ---------------------------------------------------------------

    def _connect_time_is_up(self, transfer: Transfer, timeout: float) -> None:
        loop = asyncio.get_running_loop()
        if not transfer.left:
            transfer.is_late = True
            assert transfer.task
            transfer.task.cancel()
        elif timeout > CONNECT_S:
            transfer.timer = loop.call_later(timeout - CONNECT_S, self._give_up, transfer)
        else:
            self._give_up(transfer)

    def _give_up(self, transfer: Transfer) -> None:
        """The time is up: what is answered later is read for a while yet."""
        assert transfer.bind
        assert transfer.task
        transfer.given_up = True
        transfer.bind.status.unanswered += 1
        transfer.bind.status.last_error = "no answer to a request"
        transfer.steps.append((clock.now(), NO_ANSWER))
        self._late[transfer.task] = None
        transfer.timer = asyncio.get_running_loop().call_later(LATE_S, transfer.task.cancel)
        if len(self._late) > LATE_AT_ONCE:
            next(iter(self._late)).cancel()
        self._end(transfer, Unanswered(transfer.key))
        self._pump()
        self._ring()

    def _unanswered(self, transfer: Transfer, request: Request, error: WebError) -> Outcome:
        words = keepable(words_of(error), LONGEST_WORDS)
        if error.left:
            transfer.steps.append((clock.now(), LOST, words))
            if transfer.bind:
                transfer.bind.status.last_error = words
            return Lost(transfer.key)
        transfer.steps.append((clock.now(), UNSENT, words))
        if isinstance(error, LongURL):
            return Refused(transfer.key, "too_long", words)
        if isinstance(error, BadRequest):
            return Refused(transfer.key, "unwritable", words)
        if isinstance(error, Busy):
            return Refused(transfer.key, "not_ready", words)
        self._reach.lose(words, request.url)
        return Refused(transfer.key, "unreachable", words)

    def _concluded(self, transfer: Transfer, answer: Answer) -> Outcome:
        assert transfer.bind
        status, handover = transfer.bind.status, transfer.handover
        try:
            said = self._dialect.answered(handover, answer)
        except Exception:  # what a peer says must not end anything here
            log.exception("an answer of a carrier could not be understood")
            said = Declined("unreadable")
        if not (isinstance(said, Declined) and said.reason == "bad_credentials"):
            self._reach.seen(took=isinstance(said, Taken))
        if isinstance(said, Taken):
            status.accepted += 1
            self._pace.took()
            return Accepted(transfer.key, [keepable(said.name, LONGEST_NAME)], retry=handover.retry, parts=said.parts)
        status.refused += 1
        if said.reason == "throttled" or said.retry_after > 0:
            self._throttle(transfer, said.retry_after)
        if said.reason == "bad_credentials":
            self._reach.lose(keepable(said.words, LONGEST_WORDS) or REASONS[said.reason].meaning)
        reason = said.reason if said.reason in REASONS else "rejected"
        is_doubtful = answer.status in DOUBTFUL or (answer.status < 300 and reason == "unreadable")
        return Refused(transfer.key, reason, keepable(said.words, LONGEST_WORDS), said.error_code, partly=is_doubtful)

    def _throttle(self, transfer: Transfer, least: float) -> None:
        now = time.monotonic()
        self._pace.throttle(now, min(least, LONGEST_PAUSE_S))
        transfer.steps.append((clock.now(), PAUSED, int(self._pace.pause(now) * SECOND)))

    def _end(self, transfer: Transfer, outcome: Outcome) -> None:
        """Tells the outcome of a transfer, once."""
        if transfer.ended:
            return
        transfer.ended = True
        if transfer.bind:
            transfer.bind.status.sent += transfer.left
            transfer.bind.end()
        if self._transfers.get(transfer.key) is transfer:
            del self._transfers[transfer.key]
        outcome.steps = transfer.take_steps()
        self._news.append(outcome)
        if not self._transfers:
            self._idle.set()

    def _break_off(self, transfers: Any) -> None:
        """Nobody waits for their answers any more."""
        for transfer in transfers:
            if transfer.task and not transfer.ended:
                self._end(transfer, self._cut_off(transfer))
                transfer.task.cancel()

    def _give_back_queue(self) -> None:
        """Nothing can be sent for now: what has not left is not kept here, since another carrier may do better."""
        while self._queue:
            transfer = self._queue.popleft()
            transfer.steps.append((clock.now(), UNSENT, self._reach.why or "no bind can send"))
            self._end(transfer, Refused(transfer.key, "not_ready"))

    def _changed(self) -> None:
        """It is down, or is there again."""
        for bind in self._held.values():
            bind.turn("down" if self._reach.why else "bound", self._reach.why)
        if self._reach.why:
            self._give_back_queue()
        else:
            self._pump()
        self._ring()
