"""The engine of flows, put together as the program does it, around a house whose carrier is the tests' own."""

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

from messagehub import clock, shapes
from messagehub.carriers.carrier import Inbound
from messagehub.conversations import Conversations
from messagehub.flows import active
from messagehub.flows.active import Activeflow, Activeflows
from messagehub.flows.answers import Answers
from messagehub.flows.calls import Calls
from messagehub.flows.engine import Engine
from messagehub.flows.flow import Flows
from messagehub.flows.inbound import Answering
from messagehub.shapes import ActionGiven, ActiveflowGiven
from messagehub.web import Client
from tests.messages.house import ANNE, SOURCE, House, eventually, eventually_so

_tickets = count()


def do(type: str, id: str = "", next_id: str = "", **option: Any) -> ActionGiven:
    return ActionGiven(type=type, id=id, next_id=next_id, option=option)


def say(text: str, id: str = "", **more: Any) -> ActionGiven:
    return do("message_send", id, text=text, **more)


class Works:
    def __init__(self, house: House, answers: int = 20) -> None:
        self.house, self.store = house, house.store
        self.client = Client(allow_private=True, timeout=1)
        self.conversations = Conversations(house.store, house.numbers, house.acceptor, house.published)
        house.acceptor.followers = (self.conversations,)
        self.flows = Flows(house.store)
        self.activeflows = Activeflows(house.store, self.flows)
        self.engines = [self.engine()]
        self.limit(answers)

    def engine(self) -> Engine:
        house = self.house
        return Engine(self.store, house.customers, house.numbers, house.acceptor, self.conversations, self.requests())

    def requests(self) -> Calls:
        return Calls(self.store, self.house.customers, self.client, 1)

    def limit(self, answers: int) -> None:
        house = self.house
        answering = Answering(house.store, house.numbers, Answers(answers))
        house.receiver.listeners, house.receiver.witnesses = (house.opt_out_words, answering), (self.conversations,)

    async def open(self) -> None:
        for engine in self.engines:
            await engine.start(alone=False)

    async def close(self) -> None:
        for engine in self.engines:
            await engine.stop()
        await self.client.close()

    # --- doing --------------------------------------------------------------------------

    async def flow(self, *actions: ActionGiven, on_complete: str = "") -> str:
        words = {"name": "flow", "detail": "", "on_complete": on_complete}
        return (await self.flows.add(self.house.customer.id, clock.now(), actions, **words)).id

    async def answer(self, *actions: ActionGiven, **number: Any) -> str:
        """The number is answered by these actions."""
        flow_id = await self.flow(*actions)
        await self.change_number(message_flow_id=flow_id, **number)
        return flow_id

    async def change_number(self, **changes: Any) -> None:
        found = await self.house.numbers.find(self.store, SOURCE)
        assert found
        await self.house.numbers.change(found.id, None, clock.now(), **changes)

    async def hear(self, *texts: str, source: str = ANNE) -> None:
        """Somebody writes to the number, all at once."""
        tickets = [next(_tickets) for _ in texts]
        peer = self.house.peer
        peer.tell(*(Inbound(source, SOURCE, text, None, None, at) for text, at in zip(texts, tickets, strict=True)))
        await eventually(lambda: all(ticket in peer.answers for ticket in tickets), "answers to what was written")

    async def start(self, *actions: ActionGiven, **given: Any) -> str:
        given = {"actions": list(actions), **given}
        return (await self.activeflows.start(self.house.customer.id, ActiveflowGiven(**given))).id

    # --- seeing -------------------------------------------------------------------------

    def sent(self, to: str = ANNE) -> list[str]:
        """The texts that the carrier was handed for somebody, in their order."""
        return [_text(one.segments) for one in self.house.peer.handed if one.destination == to]

    async def says(self, *texts: str, to: str = ANNE) -> None:
        """Somebody gets these, by and by."""
        await eventually(lambda: len(self.sent(to)) >= len(texts), f"{texts}; sent are {self.sent(to)}")
        assert self.sent(to) == list(texts)

    async def all(self) -> list[Activeflow]:
        """The newest first."""
        return (await self.activeflows.page(self.house.customer.id, "", "", "~", 100))[0]

    async def seen(self, activeflow_id: str = "") -> shapes.Activeflow:
        """The one with this id, or the newest."""
        if activeflow_id:
            return active.shape(await self.activeflows.get(activeflow_id, self.house.customer.id))
        return active.shape((await self.all())[0])

    async def when(self, is_so: Callable[[shapes.Activeflow], object], activeflow_id: str = "") -> shapes.Activeflow:
        async def ask() -> shapes.Activeflow | None:
            rows = await self.all()
            seen = await self.seen(activeflow_id) if rows else None
            return seen if seen and is_so(seen) else None

        return await eventually_so(ask, "the activeflow")

    async def ended(self, activeflow_id: str = "") -> shapes.Activeflow:
        return await self.when(lambda seen: seen.status == "ended", activeflow_id)

    async def at(self, kind: str, activeflow_id: str = "") -> shapes.Activeflow:
        """Once it rests at such an action."""
        return await self.when(lambda seen: seen.current_action.type == kind, activeflow_id)

    async def ended_or_waiting(self, activeflow_id: str) -> shapes.Activeflow:
        """Once it rests."""
        waits = "wait_reply"
        return await self.when(lambda seen: seen.end_reason or seen.current_action.type == waits, activeflow_id)


def _text(segments: Sequence[Any]) -> str:
    return "".join(segment.text for segment in segments)
