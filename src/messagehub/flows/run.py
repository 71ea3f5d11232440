"""The interpreter of flows. Pure: a state and what happened give the next state and what is to be done.

`step` does what needs nobody (conditions, jumps, variables) by itself, and returns with the first command that does.
Whoever does the command tells what came of it by the next step.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from messagehub import ids
from messagehub.flows import conditions, options, variables
from messagehub.flows.actions import FINISH, KINDS, START, Action
from messagehub.flows.state import (
    Answered,
    Ask,
    Block,
    Command,
    End,
    Event,
    Executed,
    Failed,
    Frame,
    Load,
    Loaded,
    Passed,
    Pause,
    Replied,
    Send,
    SendIn,
    State,
    Tell,
    TimeUp,
    Wait,
)
from messagehub.flows.variables import TooLarge, substitute, substitute_all, substitute_data, substitute_url
from messagehub.messages import mms
from messagehub.shapes import Fallback, MediaGiven, words

MOST_STEPS = 1000
MOST_FRAMES = 10
"""Flows and fetched actions within each other."""

MOST_FOLLOWED = 5
EXECUTED_KEPT = 100
EXECUTED_OCTETS = 64 * 1024

COMPLETED, STOPPED = "completed", "stopped"
END_REASONS = {
    COMPLETED: "It came to its end, or to a `stop`.",
    STOPPED: "`POST /activeflows/{id}/stop` or DELETE ended it.",
    "action_failed": "An action could not be done; `end_detail` names it and says why.",
    "no_reply": "A `wait_reply` had no reply in time, and no `timeout_target_id`.",
    "superseded": "Another flow began to wait for the same person at the same number.",
    "too_many_steps": f"It did {MOST_STEPS} actions.",
    "too_deep": f"More than {MOST_FRAMES} lists of actions stood within each other, or more than {MOST_FOLLOWED} flows "
    "followed each other by `on_complete_flow_id`.",
    "too_many_answers": "The person wrote more often than `MESSAGEHUB_FLOW_ANSWERS` allows: perhaps it is a machine.",
    "customer_deleted": "Its customer was deleted.",
    "internal": "The program failed; the log says where.",
}
"""Why a flow has ended."""


class Wrong(Exception):
    """An action cannot be done."""


def begun(flow_id: str, actions: dict[str, Action], **more: Any) -> State:
    """A state whose next step is the first action."""
    return State(frames=[_frame(flow_id, actions)], event=Passed(), **more)


def step(state: State, event: Event, now: int) -> tuple[State, Command]:
    """The state after it, and what is to be done. `now` in microseconds."""
    state = _copy(state)
    before, state.command, state.event = state.command, None, None
    try:
        command = HEED[type(event)](state, event, before)
        while command is None:
            command = _next(state, now)
    except (Wrong, TooLarge) as wrong:
        command = End("action_failed", _of_action(state, str(wrong)))
    _trim(state)
    state.command = command
    return state, command


def _copy(state: State) -> State:
    copied = msgspec.structs.replace(state)
    copied.frames = [msgspec.structs.replace(frame) for frame in state.frames]
    copied.variables, copied.jumps = dict(state.variables), dict(state.jumps)
    copied.executed = [msgspec.structs.replace(one) for one in state.executed]
    return copied


# --- what happened ----------------------------------------------------------------------


def _passed(state: State, event: Passed, before: Command | None) -> None:
    if event.result:
        note(state, event.result)


def _failed(state: State, event: Failed, before: Command | None) -> Command:
    note(state, "failed")
    return End("action_failed", _of_action(state, event.words))


def _time_up(state: State, event: TimeUp, before: Command | None) -> Command | None:
    if not isinstance(before, Wait):
        return None
    note(state, "no reply")
    if before.target_id in ("", ids.UNSET):
        return End("no_reply", _of_action(state, "no reply came in time"))
    _jump(state, before.target_id)
    return None


def _replied(state: State, event: Replied, before: Command | None) -> None:
    state.variables |= event.variables
    note(state, "a reply came")
    if isinstance(before, Wait):
        _set(state, before.variable, event.text)


def _loaded(state: State, event: Loaded, before: Command | None) -> Command | None:
    while state.frames and state.frames[-1].next_id == FINISH:  # so what ends by asking for more can go on like that
        state.frames.pop()
    if isinstance(before, Load) and before.is_next:
        state.on_complete_flow_id = event.on_complete_flow_id
    elif len(state.frames) >= MOST_FRAMES:
        return End("too_deep", _of_action(state, f"more than {MOST_FRAMES} lists of actions within each other"))
    state.frames.append(_frame(event.flow_id, event.actions))
    depth = f"{len(state.frames)} "
    state.jumps = {place: count for place, count in state.jumps.items() if not place.startswith(depth)}
    return None


def _answered(state: State, event: Answered, before: Command | None) -> None:
    state.variables["voipbin.webhook.status"] = str(event.status or "")
    note(state, event.error or f"answered {event.status}")


HEED: dict[type, Callable[[State, Any, Command | None], Command | None]] = {
    Passed: _passed,
    Failed: _failed,
    TimeUp: _time_up,
    Replied: _replied,
    Loaded: _loaded,
    Answered: _answered,
}

# --- the next action --------------------------------------------------------------------


def _next(state: State, now: int) -> Command | None:
    """Does the next action. The command that it is, or None where it is done already."""
    frame = state.frames[-1] if state.frames else None
    if frame is None or frame.next_id == FINISH:
        return _at_the_end(state)
    if state.steps >= MOST_STEPS:
        return End("too_many_steps", f"{MOST_STEPS} actions were done")
    state.steps += 1
    action = frame.actions[frame.next_id]
    frame.next_id = action.next_id
    state.executed.append(Executed(action.id, action.type, action.option, action.next_id, now))
    option = _option(action, state)
    return DO[action.type](state, option, now)


def _option(action: Action, state: State) -> Any:
    kind = KINDS[action.type]
    option = {
        name: value if name in kind.raw else substitute_all(value, state.variables)
        for name, value in action.option.items()
    }
    if medias := action.option.get("medias"):
        option["medias"] = [_medium(one, state) for one in medias]
    state.executed[-1].option = option
    try:
        shape = msgspec.convert(option, kind.option)
    except msgspec.ValidationError as error:
        raise Wrong(f"option.{words(str(error), kind=kind.option)}") from None
    for member, why in shape.wrong():
        raise Wrong(f"option.{member}: {why}")
    return shape


def _medium(given: dict[str, Any], state: State) -> dict[str, Any]:
    """What a person wrote may be a part of its address, and does not lead elsewhere."""
    return {**substitute_all(given, state.variables), "url": substitute_url(given["url"], state.variables)}


def _at_the_end(state: State) -> Command | None:
    if state.frames:
        state.frames.pop()
    return None if state.frames else _complete(state)


def _complete(state: State) -> Command:
    """It has come to its end: perhaps another flow follows."""
    flow_id, state.on_complete_flow_id = state.on_complete_flow_id, ids.UNSET
    if flow_id == ids.UNSET:
        return End(COMPLETED)
    if state.followed >= MOST_FOLLOWED:
        return End("too_deep", f"more than {MOST_FOLLOWED} flows follow each other")
    state.followed += 1
    return Load(flow_id, is_next=True)


def _frame(flow_id: str, actions: dict[str, Action]) -> Frame:
    return Frame(flow_id, actions, next(iter(actions), FINISH))


def _jump(state: State, target_id: str) -> None:
    frame = state.frames[-1]
    if target_id == START:
        target_id = next(iter(frame.actions), FINISH)
    if target_id not in frame.actions and target_id != FINISH:
        raise Wrong(f"there is no action {target_id!r} to go on at")
    frame.next_id = target_id
    state.executed[-1].next_id = target_id


# --- actions ----------------------------------------------------------------------------


def _message_send(state: State, option: options.MessageSend, now: int) -> Command:
    source = option.source or state.number
    destinations = option.destinations or ([state.person] if state.person else [])
    if not source:
        raise Wrong("option.source: nobody has written to a number yet; name one of yours")
    if not destinations:
        raise Wrong("option.destinations: nobody has written yet; say to whom it goes")
    return Send(source, destinations, option.text, option.class_, option.validity, *_of_mms(option))


def _conversation_send(state: State, option: options.ConversationSend, now: int) -> Command:
    if option.conversation_id not in ("", ids.UNSET):
        return SendIn(option.conversation_id.lower(), option.text, *_of_mms(option))
    if not state.person:
        raise Wrong("option.conversation_id: nobody has written yet; name one of your conversations")
    return Send(state.number, [state.person], option.text, "transactional", 0, *_of_mms(option))


def _of_mms(option: options.Said) -> tuple[list[MediaGiven], str, Fallback]:
    return option.medias, mms.one_line(option.subject), option.fallback


def _variable_set(state: State, option: options.VariableSet, now: int) -> None:
    _set(state, option.key, option.value)


def _set(state: State, key: str, value: str) -> None:
    if why := variables.misfit(key) or variables.too_many({**state.variables, key: value}):
        raise Wrong(why)
    state.variables[key] = value


def _condition_variable(state: State, option: options.ConditionVariable, now: int) -> None:
    if not conditions.holds(option, _value(state, option.variable)):
        _jump(state, option.false_target_id)


def _value(state: State, variable: str) -> str:
    """Of a variable that is given as `name` or `${name}`; of another text with variables, that text."""
    name = variables.bare(variable)
    return substitute(variable, state.variables) if variables.has_variables(name) else state.variables.get(name, "")


def _condition_datetime(state: State, option: options.ConditionDatetime, now: int) -> None:
    if not conditions.is_time(option, now):
        _jump(state, option.false_target_id)


def _branch(state: State, option: options.Branch, now: int) -> None:
    target = option.target_ids.get(_value(state, option.variable), option.default_target_id)
    if target not in ("", ids.UNSET):
        _jump(state, target)


def _goto(state: State, option: options.Goto, now: int) -> None:
    """Where it has gone back often enough it begins to count anew, for the next time that it is come to."""
    place = f"{len(state.frames)} {state.executed[-1].id}"
    done = state.jumps.pop(place, 0)
    if done < option.loop_count:
        state.jumps[place] = done + 1
        _jump(state, option.target_id)


def _wait_reply(state: State, option: options.WaitReply, now: int) -> Command:
    if not (state.number and state.person):
        raise Wrong("nobody can be waited for: nobody has written, and nothing was sent to one person")
    return Wait(now + option.timeout * 1000, option.variable, option.timeout_target_id)


def _sleep(state: State, option: options.Sleep, now: int) -> Command:
    return Pause(now + option.duration * 1000)


def _webhook_send(state: State, option: options.WebhookSend, now: int) -> Command:
    url, data = substitute_url(option.uri, state.variables), substitute_data(option.data, state.variables)
    state.executed[-1].option |= {"uri": url, "data": data}
    kind = Ask if option.sync else Tell
    return kind(option.method, url, option.data_type, data)


def _fetch(state: State, option: options.Fetch, now: int) -> Command:
    """The body is written by whoever asks: it has the ids."""
    url = substitute_url(option.event_url, state.variables)
    state.executed[-1].option |= {"event_url": url}
    return Ask(option.event_method, url, "application/json", "", wants_actions=True)


def _fetch_flow(state: State, option: options.FetchFlow, now: int) -> Command:
    return Load(option.flow_id.lower())


def _block(state: State, option: options.Nothing, now: int) -> Command:
    return Block()


def _stop(state: State, option: options.Nothing, now: int) -> Command:
    state.frames.clear()
    return _complete(state)


DO: dict[str, Callable[[State, Any, int], Command | None]] = {
    "message_send": _message_send,
    "conversation_send": _conversation_send,
    "variable_set": _variable_set,
    "condition_variable": _condition_variable,
    "condition_datetime": _condition_datetime,
    "branch": _branch,
    "goto": _goto,
    "wait_reply": _wait_reply,
    "sleep": _sleep,
    "webhook_send": _webhook_send,
    "fetch": _fetch,
    "fetch_flow": _fetch_flow,
    "block": _block,
    "stop": _stop,
}

# --- what is said of it -----------------------------------------------------------------


def note(state: State, result: str) -> None:
    """What came of the action that it is at, or why it waits."""
    if state.executed:
        state.executed[-1].result = result


def _of_action(state: State, why: str) -> str:
    if not state.executed:
        return why
    action = state.executed[-1]
    return f"{action.type} ({action.id}): {why}"


def _trim(state: State) -> None:
    """The oldest of what was done is forgotten where it is much."""
    del state.executed[:-EXECUTED_KEPT]
    sizes = [len(msgspec.json.encode(one.option)) for one in state.executed]
    while len(sizes) > 1 and sum(sizes) > EXECUTED_OCTETS:
        del sizes[0], state.executed[0]
