"""Where a flow is: what is kept of it between its steps, what happens to it, and what it wants done. Pure."""

from typing import Any

import msgspec
from msgspec import Struct, field

from messagehub import ids
from messagehub.flows.actions import FINISH, Action
from messagehub.flows.options import Address
from messagehub.shapes import Fallback, MediaGiven, TrafficClass

# --- what happens -----------------------------------------------------------------------


class Passed(Struct, tag="passed"):
    """It may go on: it begins, or what it wanted is done."""

    result: str = ""


class Failed(Struct, tag="failed"):
    """What it wanted cannot be done."""

    words: str


class TimeUp(Struct, tag="time_up"):
    """A sleep is over, or the time for a reply."""


class Replied(Struct, tag="replied"):
    """The person wrote. `variables` are those of the message."""

    text: str
    variables: dict[str, str]


class Loaded(Struct, tag="loaded"):
    """More actions to do."""

    flow_id: str
    actions: dict[str, Action]
    on_complete_flow_id: str = ids.UNSET


class Answered(Struct, tag="answered"):
    """A request had an answer, or none: then `status` is 0, and `error` says why."""

    status: int
    error: str = ""


Event = Passed | Failed | TimeUp | Replied | Loaded | Answered

# --- what it wants ----------------------------------------------------------------------


class Send(Struct, tag="send"):
    source: Address
    destinations: list[Address]
    text: str
    class_: TrafficClass = field(default="transactional", name="class")
    validity: int = 0
    medias: list[MediaGiven] = []
    subject: str = ""
    fallback: Fallback = ""


class SendIn(Struct, tag="send_in"):
    """A message in a conversation."""

    conversation_id: str
    text: str
    medias: list[MediaGiven] = []
    subject: str = ""
    fallback: Fallback = ""


class Tell(Struct, tag="tell"):
    """A request whose answer does not matter."""

    method: str
    url: str
    content_type: str
    body: str


class Ask(Tell, tag="ask"):
    """A request whose answer is waited for. `wants_actions`: it is a list of them."""

    wants_actions: bool = False


class Load(Struct, tag="load"):
    """The actions of another flow. `is_next`: it follows this one, and is not a part of it."""

    flow_id: str
    is_next: bool = False


class Pause(Struct, tag="pause"):
    until: int


class Wait(Struct, tag="wait"):
    """For a reply."""

    until: int
    variable: str
    target_id: str
    """Where to go on when there is none."""


class Block(Struct, tag="block"):
    """Until somebody says so."""


class End(Struct, tag="end"):
    reason: str
    detail: str = ""


Command = Send | SendIn | Tell | Ask | Load | Pause | Wait | Block | End

# --- where it is ------------------------------------------------------------------------


class Frame(Struct):
    """A list of actions under way."""

    flow_id: str
    actions: dict[str, Action]
    next_id: str


class Executed(Struct, omit_defaults=True):
    """An action that was done, with its options as they were, and what came of it."""

    id: str
    type: str
    option: dict[str, Any]
    next_id: str = FINISH
    tm_execute: int = 0
    result: str = ""


class State(Struct, omit_defaults=True, kw_only=True):
    frames: list[Frame] = []
    """The last one runs; at its end the one below goes on."""
    variables: dict[str, str] = {}
    jumps: dict[str, int] = {}
    """How often each goto went back."""
    executed: list[Executed] = []
    """The last of them."""
    steps: int = 0
    followed: int = 0
    """How many flows followed on completion."""
    on_complete_flow_id: str = ids.UNSET
    command: Command | None = None
    """What it waits for."""
    event: Event | None = None
    """What has happened, and is still to be told to it."""
    tries: int = 0
    """How often a request failed."""
    number: str = ""
    person: str = ""
    report: Tell | None = None
    """Who is to be told when it has ended; the body is made then."""


read = msgspec.json.Decoder(State).decode
_encode = msgspec.json.Encoder().encode


def write(state: State) -> str:
    return _encode(state).decode()
