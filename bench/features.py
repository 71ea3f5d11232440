"""What each feature costs a message that is accepted, or that comes in: CPU time of the whole process, SQLite, 64
callers, no carrier.

A feature is a row of FEATURES: how the store is made ready, and how one message is asked for. The first row has none.
"""

import asyncio
import gc
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
from rich import box
from rich.table import Table

from bench import report
from bench.children import child, line
from bench.database import sqlite
from messagehub import clock, conversations, ids
from messagehub.accounts import customers
from messagehub.api.services import Services
from messagehub.app import opened
from messagehub.carriers.carrier import Inbound
from messagehub.flows import keywords
from messagehub.messages.accept import Accepted
from messagehub.messages.once import Asking, Keep
from messagehub.messages.reading import LAST_ID
from messagehub.people.opt_outs import Entry
from messagehub.settings import Settings
from messagehub.shapes import ActionGiven, DestinationGiven, KeywordGiven, MessageGiven, QuietHours, SourceGiven
from messagehub.store import Insert
from messagehub.store.recent import CHANGED
from messagehub.web import Client
from messagehub.webhooks.sign import new_secret

COUNT = 6000
CALLERS = 64
SOURCE, NAME, ELSEWHERE = "+15551234567", "ACME", "+442079460000"
TEXT = "Your code is 417 902"
MANY = 100
"""Destinations of a message with several."""


@dataclass(slots=True)
class Stage:
    services: Services
    customer_id: str
    carrier_id: str
    people: list[str]

    async def accept(self, *to: str | DestinationGiven, text: str = TEXT) -> None:
        given = MessageGiven(source=SOURCE, destinations=list(to), text=text)
        await self.services.acceptor.accept(self.customer_id, given)

    async def hear(self, text: str, people: list[str]) -> None:
        """What they write comes in, in one turn of an exchange."""
        arrivals = [Inbound(person, SOURCE, text, None) for person in people]
        while not (exchange := self.services.exchanges.get(self.carrier_id)):  # noqa: ASYNC110 - it opens at once
            await asyncio.sleep(0.01)
        take = partial(
            exchange.settling.receiver.receive, carrier_id=self.carrier_id, arrivals=arrivals, now=clock.now()
        )
        (await self.services.store.transaction(take)).told.make_known(self.services.dispatcher)


async def nothing(stage: Stage) -> None:
    return


async def alone(stage: Stage, to: list[str]) -> None:
    await stage.accept(*to)


async def keyed(stage: Stage, to: list[str]) -> None:
    acceptor, store = stage.services.acceptor, stage.services.store
    given = MessageGiven(source=SOURCE, destinations=list(to), text=TEXT)

    async def do(keep: Keep) -> bytes:
        def also(accepted: Accepted) -> list[Insert]:
            return [keep(msgspec.json.encode(accepted.shape()))]

        await acceptor.commit(await acceptor.prepare(store, stage.customer_id, given), also)
        return b""

    await stage.services.once.answer(Asking(stage.customer_id, to[0], b"fingerprint"), do)


async def with_variables(stage: Stage, to: list[str]) -> None:
    given = [DestinationGiven(target=one, variables={"code": "417 902"}) for one in to]
    await stage.accept(*given, text="Your code is {{code}}")


def asking(**more: Any) -> "Ask":
    """For the same as `alone`, with more members."""

    async def ask(stage: Stage, to: list[str]) -> None:
        given = MessageGiven(**{"source": SOURCE, "destinations": list(to), "text": TEXT, **more})
        await stage.services.acceptor.accept(stage.customer_id, given)

    return ask


async def others_are_out(stage: Stage) -> None:
    entries = [
        Entry(
            customer_id=stage.customer_id,
            address=f"+4478{n:08d}",
            scope="customer",
            status="opted_out",
            source="import",
            tm_said=1,
        )
        for n in range(1000)
    ]
    await stage.services.opt_outs.load(entries, clock.now())


async def quiet_hours(stage: Stage) -> None:
    hours = QuietHours(enabled=True)
    await stage.services.customers.change(stage.customer_id, clock.now(), quiet_hours=hours)


async def consents(stage: Stage) -> None:
    hours = QuietHours(enabled=False)
    await stage.services.customers.change(stage.customer_id, clock.now(), quiet_hours=hours, require_consent=True)
    said = {"customer_id": stage.customer_id, "scope": "customer", "method": "web_form", "words": "", "evidence": ""}
    kept = {"ip": "", "actor": "", "tm_given": 1, "tm_create": 1, "tm_withdraw": clock.NEVER}
    ended = {"withdrawn_by": "", "withdrawn_words": ""}
    people = (*stage.people, ELSEWHERE)
    agreed = [{"id": ids.new(), "address": person, **said, **kept, **ended} for person in people]
    await stage.services.store.write([Insert("insert_consent", agreed)])


async def named(stage: Stage) -> None:
    number = {"customer_id": stage.customer_id, "number": NAME, "name": "", "detail": "", "message_flow_id": ids.UNSET}
    await stage.services.numbers.add(clock.now(), **number)


def limited(when: str) -> "Prepare":
    async def limit(stage: Stage) -> None:
        limit = {"scope": "number", "subject": SOURCE, "customer_id": stage.customer_id, "set_by": "operator"}
        amount = {"applies": when, "rate": 0, "per_day": 10**9, "zone": "UTC"}
        await stage.services.segment_limits.add(clock.now(), **limit, **amount)

    return limit


async def pooled(stage: Stage) -> None:
    (number,) = await stage.services.numbers.page(stage.customer_id, "", LAST_ID, 1)
    how = {"sticky": True, "prefer_country": True}
    await stage.services.pools.add(clock.now(), stage.customer_id, [number.id], name="all", **how)


async def open_thread(stage: Stage) -> None:
    await _open(stage, [ELSEWHERE])


async def open_threads(stage: Stage) -> None:
    await _open(stage, stage.people)


async def _open(stage: Stage, peers: list[str]) -> None:
    made = [conversations.between(stage.customer_id, SOURCE, peer, 1, last_id=ids.new()) for peer in peers]
    await stage.services.store.write([Insert("open_conversation", made)])
    stage.services.store.notify(CHANGED)


def hearing(text: str) -> "Ask":
    async def ask(stage: Stage, to: list[str]) -> None:
        await stage.hear(text, to)

    return ask


async def with_flow(stage: Stage) -> None:
    await _answered_by(stage, "message_flow_id")


async def with_keywords(stage: Stage) -> None:
    await _answered_by(stage, "keywords")


async def _answered_by(stage: Stage, member: str) -> None:
    """By a flow that does nothing: by each message, or by those that say a word, which no message does."""
    given = [ActionGiven(type="stop")]
    flow = await stage.services.flows.add(
        stage.customer_id, clock.now(), given, name="bench", detail="", on_complete=""
    )
    (number,) = await stage.services.numbers.page(stage.customer_id, "", LAST_ID, 1)
    words = {"message_flow_id": flow.id, "keywords": keywords.checked([KeywordGiven(flow_id=flow.id, word="parcel")])}
    await stage.services.numbers.change(number.id, None, clock.now(), **{member: words[member]})


Prepare = Callable[[Stage], Awaitable[None]]
Ask = Callable[[Stage, list[str]], Awaitable[None]]

FEATURES: dict[str, tuple[Prepare, Ask, int]] = {
    "a message to one": (nothing, alone, 1),
    "its customer has conversations, not with this one": (open_thread, alone, 1),
    "it joins a conversation": (open_threads, alone, 1),
    "with an Idempotency-Key": (nothing, keyed, 1),
    "with variables": (nothing, with_variables, 1),
    "of class otp": (nothing, asking(class_="otp"), 1),
    "with smart encoding": (nothing, asking(smart_encoding=True), 1),
    "with a validity": (nothing, asking(validity=300), 1),
    "scheduled": (nothing, asking(schedule_at=clock.iso(clock.now() + 3600 * clock.SECOND)), 1),
    "others have opted out": (others_are_out, alone, 1),
    "marketing, by quiet hours": (quiet_hours, asking(class_="marketing"), 1),
    "marketing, to those who have agreed": (consents, asking(class_="marketing"), 1),
    "its number has a limit": (limited("sending"), alone, 1),
    "its number has a limit for accepting": (limited("accepting"), alone, 1),
    "from a name, by the rules of its country": (named, asking(source=NAME), 1),
    "from a pool": (pooled, asking(source=SourceGiven(type="pool", target="all")), 1),
    f"one of {MANY} in a message": (nothing, alone, MANY),
    f"one of {MANY} in a message, with variables": (nothing, with_variables, MANY),
    f"one of {MANY} in a message, spread over an hour": (nothing, asking(spread_over=3600), MANY),
}


INBOUND: dict[str, tuple[Prepare, Ask, int]] = {
    "a text that comes in": (nothing, hearing(TEXT), MANY),
    "others have opted out, too": (others_are_out, hearing(TEXT), MANY),
    "its number has keywords": (with_keywords, hearing(TEXT), MANY),
    "its number has a flow, which begins": (with_flow, hearing(TEXT), MANY),
    "it is HELP, and answered": (nothing, hearing("HELP"), MANY),
    "it is STOP, and answered": (nothing, hearing("STOP"), MANY),
}
"""What comes in, in turns of MANY."""


def show(runs: int) -> int:
    """In turns, as a machine gets faster and slower over the minutes."""
    made: dict[str, list[float]] = {name: [] for name in FEATURES | INBOUND}
    for turn in range(runs):
        print(f"features, run {turn + 1} of {runs}", file=sys.stderr, flush=True)
        for name, figures in made.items():
            with child(["-m", "bench.features", name]) as process:
                figures.append(float(line(process, name)))
    how = f"{COUNT:,} {{}}, SQLite; medians of {runs} (least–most), {report.commit()}"
    for rows, what, of in ((FEATURES, "accepting", "targets"), (INBOUND, "taking in", "texts")):
        report.console().print(_table({name: made[name] for name in rows}, f"{what} {how.format(of)}"))
    return 0


def _table(made: dict[str, list[float]], title: str) -> Table:
    shown = Table("", title=title, box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("CPU µs\na piece", "more than\nthe first"):
        shown.add_column(name, justify="right")
    first = median(next(iter(made.values())))
    for name, figures in made.items():
        shown.add_row(name, report.spread(figures, ".1f"), f"{median(figures) - first:+.1f}")
    return shown


# --- one of them, in a process of its own -----------------------------------------------


async def _measure(name: str) -> float:
    """CPU time of one target in microseconds."""
    prepare, ask, size = (FEATURES | INBOUND)[name]
    with tempfile.TemporaryDirectory() as folder:
        async with opened(Settings(database_url=sqlite(Path(folder)), trace="off", writer="thread"), Client()) as (
            services,
            _,
        ):
            stage = Stage(services, *await _customer(services), [f"+4479{n:08d}" for n in range(COUNT)])
            await prepare(stage)
            await stage.accept(ELSEWHERE)
            pieces = iter([stage.people[at : at + size] for at in range(0, COUNT, size)])

            async def caller() -> None:
                for to in pieces:
                    await ask(stage, to)

            gc.collect()
            gc.disable()
            begun = time.process_time()
            await asyncio.gather(*(caller() for _ in range(CALLERS)))
            return (time.process_time() - begun) / COUNT * 1e6


async def _customer(services: Services) -> tuple[str, str]:
    """The ids of a customer with a number, and of a carrier that cannot be reached: all that is accepted waits."""
    now = clock.now()
    made = customers.new(name="bench", now=now, webhook_secret=new_secret())
    await services.store.write([Insert("insert_customer", [made.as_row(services.sealer)])])
    number = {"customer_id": made.id, "number": SOURCE, "name": "", "detail": "", "message_flow_id": ids.UNSET}
    await services.numbers.add(now, **number)
    config = {"host": "127.0.0.1", "port": 1, "system_id": "bench", "password": "bench"}
    carrier = await services.carriers.add("bench", "smpp", config, False, now)
    await services.routes.add(now, carrier_id=carrier.id)
    return made.id, carrier.id


if __name__ == "__main__":
    print(asyncio.run(_measure(sys.argv[1])), flush=True)
