"""Activeflows: flows that run, or have run. A row that is due is the queue of what is to be done."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from messagehub import ids, shapes
from messagehub.clock import NEVER, iso, plain
from messagehub.errors import Refusal, Stale
from messagehub.flows import actions, run, state, variables
from messagehub.flows.actions import FINISH, Action, Listed
from messagehub.flows.flow import Flows
from messagehub.flows.state import Ask, Block, Command, End, Executed, Passed, Pause, Send, SendIn, State, Tell, Wait
from messagehub.shapes import ActiveflowEvent, ActiveflowGiven, ExecutedAction
from messagehub.store import Insert, Row, Store, Tx

FLOWS = "flows"
"""The topic that is notified when an activeflow is due."""

ENDED_EVENT = "activeflow_ended"
"""The type of what its `webhook_uri` is told."""

MESSAGE, API = "message", "api"
RUNNING, ENDED = "running", "ended"


class Activeflow(Struct, kw_only=True):
    id: str
    customer_id: str
    flow_id: str
    status: str = RUNNING
    reference_type: str
    reference_id: str = ids.UNSET
    number: str = ""
    person: str = ""
    state: str
    version: int = 0
    due_at: int | None
    leased: int = 0
    is_waiting: int = 0
    end_reason: str = ""
    end_detail: str = ""
    tm_create: int
    tm_update: int = NEVER
    tm_delete: int = NEVER

    @property
    def runs(self) -> bool:
        return self.status == RUNNING

    def end(self, where: State, how: End, now: int) -> None:
        """`where` is its state as it is then. If somebody is to be told, that is due."""
        self.status, self.end_reason, self.end_detail, self.tm_update = ENDED, how.reason, how.detail, now
        self.due_at, self.leased, self.is_waiting = None, 0, 0
        where.frames, where.command, where.event, where.tries = [], None, None, 0
        if report := where.report:
            where.report, self.due_at = None, now
            body = msgspec.json.encode(ActiveflowEvent(ENDED_EVENT, shape(self, iso, where))).decode()
            where.command = Ask(report.method, report.url, report.content_type, body)
        self.state = state.write(where)


def from_row(row: Row) -> Activeflow:
    return Activeflow(**row._asdict())


def begin(
    *, customer_id: str, flow_id: str, linked: dict[str, Action], reference_type: str, reference_id: str = ids.UNSET,
    own: dict[str, str], **more: Any,
) -> Activeflow:  # fmt: skip
    """One that is due at once. `own`: variables; `more`: members of its state."""
    activeflow_id, now = ids.new_with_time()
    ours = {
        "voipbin.activeflow.id": activeflow_id,
        "voipbin.activeflow.reference_type": reference_type,
        "voipbin.activeflow.reference_id": reference_id,
    }
    begun = run.begun(flow_id, linked, variables={**own, **ours}, **more)
    return Activeflow(
        id=activeflow_id,
        customer_id=customer_id,
        flow_id=flow_id,
        reference_type=reference_type,
        reference_id=reference_id,
        number=begun.number,
        person=begun.person,
        state=state.write(begun),
        due_at=now,
        tm_create=now,
    )


async def write(tx: Tx, changed: Sequence[Activeflow]) -> None:
    """Stale where another was quicker."""
    if await tx.change("update_activeflow", changed) != len(changed):
        raise Stale


class Activeflows:
    def __init__(self, store: Store, flows: Flows) -> None:
        self._store, self._flows = store, flows

    async def get(self, activeflow_id: str, customer_id: str) -> Activeflow:
        """Refusal when there is none, or it is not the customer's."""
        row = await self._store.one("activeflow_by_id", id=activeflow_id, customer_id=customer_id)
        return _found(row, activeflow_id, customer_id)

    async def page(
        self, customer_id: str, status: str, flow_id: str, before: str, count: int
    ) -> tuple[list[Activeflow], str]:
        """The newest `count` whose id is smaller than `before`, and before which to go on."""
        span = {"customer_id": customer_id, "before": before, "count": count}
        if flow_id:
            rows = await self._store.all("activeflows_page_of_flow", flow_id=flow_id, **span)
        else:
            rows = await self._store.all(
                "activeflows_page_running" if status == RUNNING else "activeflows_page", **span
            )
        place = rows[-1].id if len(rows) == count else ""
        return [from_row(row) for row in rows if status in ("", row.status)], place

    async def start(
        self, customer_id: str, given: ActiveflowGiven, also: Callable[[Activeflow], Sequence[Insert]] = lambda _: ()
    ) -> Activeflow:
        """Refusal names the member that is wrong. `also`: what is written with it."""
        variables.check(given.variables)
        flow_id = given.flow_id.lower() or ids.UNSET
        if (flow_id == ids.UNSET) == (not given.actions):
            raise Refusal("INVALID_ARGUMENT", "flow_id: give either a flow_id or actions")
        on_complete = given.on_complete_flow_id.lower() or ids.UNSET
        await self._flows.require([("flow_id", flow_id), ("on_complete_flow_id", on_complete)], customer_id)
        if given.actions:
            linked = actions.linked(actions.read(await self._flows.checked(customer_id, given.actions)))
        else:
            flow = await self._flows.get(flow_id, customer_id)
            linked = flow.linked
            on_complete = flow.on_complete_flow_id if on_complete == ids.UNSET else on_complete
        report = Tell(given.webhook_method or "POST", given.webhook_uri, "application/json", "")
        started = begin(
            customer_id=customer_id,
            flow_id=flow_id,
            linked=linked,
            reference_type=API,
            own=given.variables,
            on_complete_flow_id=on_complete,
            report=report if given.webhook_uri else None,
        )
        await self._store.write([Insert("insert_activeflow", [started]), *also(started)])
        self._store.notify(FLOWS)
        return started

    async def stop(self, activeflow_id: str, customer_id: str, now: int, delete: bool = False) -> Activeflow:
        """Refusal as with `get`. One that has ended stays as it is."""

        async def unit(tx: Tx) -> Activeflow:
            found = await self._for_change(tx, activeflow_id, customer_id)
            if found.runs:
                found.end(
                    state_of(found), End(run.STOPPED, "it was deleted" if delete else "it was stopped by the API"), now
                )
            if delete:
                found.tm_delete = now
            await write(tx, [found])
            return found

        stopped = await self._store.transaction(unit)
        self._store.notify(FLOWS)
        return stopped

    async def go_on(self, activeflow_id: str, customer_id: str, now: int) -> Activeflow:
        """With what stands behind a `block`. Refusal as with `get`, and where it is at none."""

        async def unit(tx: Tx) -> Activeflow:
            found = await self._for_change(tx, activeflow_id, customer_id)
            where = state.read(found.state)
            if not (found.runs and isinstance(where.command, Block)):
                raise Refusal("STATE_INVALID", "it is at no `block`")
            where.command, where.event = None, Passed("continued")
            found.state, found.due_at, found.tm_update = state.write(where), now, now
            await write(tx, [found])
            return found

        going = await self._store.transaction(unit)
        self._store.notify(FLOWS)
        return going

    async def _for_change(self, tx: Tx, activeflow_id: str, customer_id: str) -> Activeflow:
        return _found(await tx.one("activeflow_for_change", id=activeflow_id), activeflow_id, customer_id)


def _found(row: Row | None, activeflow_id: str, customer_id: str) -> Activeflow:
    if row is None or row.customer_id != customer_id or row.tm_delete != NEVER:
        raise Refusal("RESOURCE_NOT_FOUND", f"there is no activeflow {activeflow_id}")
    return from_row(row)


def state_of(activeflow: Activeflow) -> State:
    return state.read(activeflow.state)


# --- from outside -----------------------------------------------------------------------

WriteTime = Callable[[int], str]
"""clock.plain for resources, clock.iso for what is told."""


def shape(activeflow: Activeflow, write_time: WriteTime = plain, where: State | None = None) -> shapes.Activeflow:
    """How it looks from outside; `where` is its state, if somebody has read it."""
    where = where or state_of(activeflow)
    executed = [_executed(one, write_time) for one in where.executed]
    wakes = _wakes(activeflow, where.command) if activeflow.runs else NEVER
    return shapes.Activeflow(
        id=activeflow.id,
        customer_id=activeflow.customer_id,
        flow_id=activeflow.flow_id,
        status="running" if activeflow.runs else "ended",
        reference_type="api" if activeflow.reference_type == API else "message",
        reference_id=activeflow.reference_id,
        number=activeflow.number,
        person=activeflow.person,
        current_action=_current(activeflow, where, write_time),
        executed_actions=executed,
        executed_count=where.steps,
        forward_action_id=where.frames[-1].next_id if where.frames else ids.UNSET,
        on_complete_flow_id=where.on_complete_flow_id,
        variables=where.variables,
        end_reason=activeflow.end_reason,
        end_detail=activeflow.end_detail,
        tm_wake=write_time(wakes),
        tm_create=write_time(activeflow.tm_create),
        tm_update=write_time(activeflow.tm_update),
        tm_delete=write_time(activeflow.tm_delete),
    )


def _wakes(activeflow: Activeflow, command: Command | None) -> int:
    match command:
        case Pause() | Wait():
            return command.until
        case Send() | SendIn():  # it may not be sent yet
            return activeflow.due_at or NEVER
        case _:
            return NEVER


def _executed(one: Executed, write_time: WriteTime) -> ExecutedAction:
    return ExecutedAction(one.id, one.next_id, one.type, one.option, write_time(one.tm_execute), one.result)


def _current(activeflow: Activeflow, where: State, write_time: WriteTime) -> shapes.Action:
    """The action that it is at: the last that was begun; the reserved one where it has ended."""
    if activeflow.runs and where.executed:
        at = where.executed[-1]
        return shapes.Action(at.id, at.next_id, at.type, at.option, write_time(at.tm_execute))
    return shapes.Action(actions.START if activeflow.runs else FINISH, ids.UNSET, "", {}, write_time(NEVER))


def listed_shape(action: Listed) -> shapes.Action:
    return shapes.Action(action.id, action.next_id, action.type, action.option, plain(NEVER))
