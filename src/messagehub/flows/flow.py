"""Flows: named lists of actions, as their customers wrote them."""

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from messagehub import ids
from messagehub.clock import NEVER
from messagehub.errors import Refusal
from messagehub.flows import actions, keywords
from messagehub.flows.actions import Action, Listed
from messagehub.flows.variables import has_variables
from messagehub.shapes import ActionGiven
from messagehub.store import Insert, Row, Store, Tx


class Flow(Struct, frozen=True, kw_only=True):
    id: str
    customer_id: str
    name: str
    detail: str
    actions: str
    """As JSON."""
    on_complete_flow_id: str
    tm_create: int
    tm_update: int = NEVER
    tm_delete: int = NEVER

    @property
    def listed(self) -> list[Listed]:
        return actions.read(self.actions)

    @property
    def linked(self) -> dict[str, Action]:
        return actions.linked(self.listed)


def from_row(row: Row) -> Flow:
    return Flow(**row._asdict())


async def find(tx: Tx, flow_id: str, customer_id: str, query: str = "flow_by_id") -> Flow | None:
    row = await tx.one(query, id=flow_id, customer_id=customer_id)
    return from_row(row) if row else None


class Flows:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def get(self, flow_id: str, customer_id: str, member: str = "") -> Flow:
        """Refusal when there is none, or it is not the customer's; `member` is where its id stands, if in a body."""
        if flow := await find(self._store, flow_id, customer_id):
            return flow
        raise Refusal("RESOURCE_NOT_FOUND", f"{member and member + ': '}there is no flow {flow_id}")

    async def require(self, flow_ids: Iterable[tuple[str, str]], customer_id: str) -> None:
        """Refusal where one of them (member, id) is neither unset nor a flow of the customer."""
        for member, flow_id in flow_ids:
            if flow_id in ("", ids.UNSET):
                continue
            if not ids.is_id(flow_id):
                raise Refusal("INVALID_ARGUMENT", f"{member}: {flow_id!r} is no UUID; for no flow give {ids.UNSET}")
            await self.get(flow_id, customer_id, member)

    async def page(self, customer_id: str, before: str, count: int) -> list[Flow]:
        """The newest `count` flows whose id is smaller than `before`."""
        rows = await self._store.all("flows_page", customer_id=customer_id, before=before, count=count)
        return [from_row(row) for row in rows]

    async def add(
        self, customer_id: str, now: int, given: Sequence[ActionGiven], *, name: str, detail: str, on_complete: str
    ) -> Flow:
        """Refusal names the action and the member that is wrong."""
        flow_id, tm_create = ids.new_with_time()
        flow = Flow(
            id=flow_id,
            customer_id=customer_id,
            name=name,
            detail=detail,
            actions=await self.checked(customer_id, given),
            on_complete_flow_id=await self._on_complete(customer_id, on_complete),
            tm_create=min(now, tm_create),
        )
        await self._store.write([Insert("insert_flow", [flow])])
        return flow

    async def change(
        self,
        flow_id: str,
        customer_id: str,
        now: int,
        given: Sequence[ActionGiven] | None = None,
        on_complete: str | None = None,
        **changes: Any,
    ) -> Flow:
        """What runs goes on as it was. Refusal as with `add` and `get`."""
        if given is not None:
            changes["actions"] = await self.checked(customer_id, given)
        if on_complete is not None:
            changes["on_complete_flow_id"] = await self._on_complete(customer_id, on_complete)

        async def unit(tx: Tx) -> Flow | None:
            flow = await find(tx, flow_id, customer_id, "flow_for_change")
            if flow is None:
                return None
            changed = replace(flow, **changes, tm_update=now)
            await tx.many("update_flow", [changed])
            return changed

        return await self._store.transaction(unit) or await self.get(flow_id, customer_id)

    async def remove(self, flow_id: str, customer_id: str, now: int) -> Flow:
        """Refusal as with `get`, and while a number is answered by it."""

        async def unit(tx: Tx) -> Flow | None:
            flow = await find(tx, flow_id, customer_id, "flow_for_change")
            if flow:
                await _refuse_in_use(tx, flow)
                await tx.run("delete_flow", id=flow_id, now=now)
            return flow

        if flow := await self._store.transaction(unit):
            return replace(flow, tm_update=now, tm_delete=now)
        return await self.get(flow_id, customer_id)

    async def checked(self, customer_id: str, given: Sequence[ActionGiven]) -> str:
        """The actions as they are stored; flows that they name by their ids must be there."""
        listed = actions.checked(given)
        await self.require(_named(listed, given), customer_id)
        return actions.write(listed)

    async def _on_complete(self, customer_id: str, flow_id: str) -> str:
        await self.require([("on_complete_flow_id", flow_id.lower())], customer_id)
        return flow_id.lower() or ids.UNSET


def _named(listed: Sequence[Listed], given: Sequence[ActionGiven]) -> Iterable[tuple[str, str]]:
    for n, action in enumerate(listed):
        if action.type == "fetch_flow" and not has_variables(flow_id := action.option["flow_id"]):
            yield f"{actions.place(n, given[n])}.option.flow_id", flow_id.lower()


async def _refuse_in_use(tx: Tx, flow: Flow) -> None:
    key = {"customer_id": flow.customer_id}
    found = await tx.one("number_with_flow", flow_id=flow.id, **key)
    words = await tx.all("numbers_with_keywords", **key)
    by_keyword = (row.number for row in words if flow.id in keywords.flows_of(row.keywords))
    if number := found.number if found else next(by_keyword, ""):
        raise Refusal("STATE_INVALID", f"{number} is answered by this flow; give the number another one first")
