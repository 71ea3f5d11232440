"""The schemas of openapi.json: made from the shapes, and made exact.

What a request may hold and what an answer holds is said by the shapes. What they cannot say is added here: what a name
means wherever it stands, which members an answer always has, and the words that stand below a member in the source.
"""

import ast
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any

import msgspec

from messagehub import shapes
from messagehub.carriers import config, kinds

Schema = dict[str, Any]

REF = "#/components/schemas/"
NUL = r"\x00"
NO_NUL = r"^[^\x00]*$"
"""Stores cannot keep the character NUL, so no string of a request may hold it."""

UUID: Schema = {"type": "string", "format": "uuid"}
MOMENT: Schema = {
    "type": "string",
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}$",
    "examples": ["2026-01-31 10:30:00.000000"],
}
ASKED_MOMENT: Schema = {
    "anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "maxLength": 0}],
    "examples": ["2026-01-31T10:30:00Z"],
}
ASKED_UUID: Schema = {"anyOf": [UUID, {"type": "string", "maxLength": 0}]}
TIMES = ("tm_", "schedule_at")
"""How members that hold a time begin."""
CSV: Schema = {"examples": ["+15559876543,customer,2026-01-31T10:30:00Z"]}
"""Whatever it is: lines that cannot be read are refused one by one."""

FILE: Schema = {
    "type": "object",
    "properties": {"file": {"type": "string", "format": "binary", "contentMediaType": "application/octet-stream"}},
    "required": ["file"],
    "additionalProperties": False,
}

CARRIERS_OWN = "carrier_message_id"
"""An id that the carrier gave, in whatever form."""

INSTEAD: dict[str, dict[str, tuple[type, ...]]] = {"CarrierGiven": {"config": tuple(kinds.CONFIGS.values())}}
"""Members that have one of several shapes, which are known elsewhere: by the carrier's type."""


def schemas(takes: Iterable[Any], gives: Iterable[Any]) -> tuple[dict[Any, Schema], dict[str, Schema]]:
    """The schema of each type, and the components to which they refer."""
    others = [kind for members in INSTEAD.values() for choices in members.values() for kind in choices]
    types = list(dict.fromkeys([*takes, *gives, *others]))
    found, components = msgspec.json.schema_components(types, ref_template=REF + "{name}")
    of = dict(zip(types, found, strict=True))
    for name, members in INSTEAD.items():
        if name in components:
            choices = {member: {"anyOf": [of[kind] for kind in of_one]} for member, of_one in members.items()}
            components[name]["properties"] |= choices
    given = _reached(components, [of[kind] for kind in takes])
    for name, component in components.items():
        _describe(name, component)
        (_tighten_given if name in given else _tighten_answered)(component)
    return of, components


def asked(name: str, schema: Schema) -> Schema:
    """The schema of a query parameter."""
    if name.startswith("tm_"):
        return ASKED_MOMENT
    if name.endswith("_id") and name != CARRIERS_OWN:
        return ASKED_UUID
    return _without_nul(schema)


def _reached(components: dict[str, Schema], begin: Iterable[Any]) -> set[str]:
    """The names of the components that the schemas `begin` lead to."""
    names: set[str] = set()
    waiting = list(begin)
    while waiting:
        for name in set(_references(waiting.pop())) - names:
            names.add(name)
            waiting.append(components[name])
    return names


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _references(item)
    elif isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"].removeprefix(REF)
        for item in value.values():
            yield from _references(item)


# --- exactness --------------------------------------------------------------------------


def _tighten_given(component: Schema) -> None:
    for name, member in component.get("properties", {}).items():
        meant = next((exact for begins, exact in GIVEN.items() if name.startswith(begins)), _without_nul)
        component["properties"][name] = meant(member)


def _exactly(exact: Schema, or_empty: Schema) -> Callable[[Schema], Schema]:
    """A member that may be left out may be empty, too."""

    def tightened(member: Schema) -> Schema:
        bare = {name: value for name, value in member.items() if name != "type"}
        return {**bare, **(or_empty if "default" in member else exact)}

    return tightened


GIVEN = {
    **dict.fromkeys(TIMES, _exactly({"type": "string", "format": "date-time"}, ASKED_MOMENT)),
    "message_id": _exactly(UUID, ASKED_UUID),
    **dict.fromkeys(("message_flow_id", "on_complete_flow_id"), _exactly(ASKED_UUID, ASKED_UUID)),
    "owner_id": _exactly(ASKED_UUID, ASKED_UUID),
}
"""What a member of a request is, by how its name begins."""


def _without_nul(schema: Schema) -> Schema:
    tightened = dict(schema)
    is_text = schema.get("type") == "string" and not schema.keys() & {"format", "enum"}
    if is_text and "pattern" in schema:
        tightened["not"] = {"pattern": NUL}
    elif is_text and schema.get("maxLength") != 0:
        tightened["pattern"] = NO_NUL
    if "anyOf" in schema:
        tightened["anyOf"] = [_without_nul(choice) for choice in schema["anyOf"]]
    if "items" in schema:
        tightened["items"] = _without_nul(schema["items"])
    if isinstance(schema.get("additionalProperties"), dict):
        tightened["additionalProperties"] = _without_nul(schema["additionalProperties"])
    return tightened


def _tighten_answered(component: Schema) -> None:
    """An answer carries the members that have a default, too. Only those that may be unset are not always there."""
    members = component.get("properties", {})
    always = {name for name, member in members.items() if "default" in member}
    component["required"] = [name for name in members if name in always or name in component.get("required", ())]
    for name, member in members.items():
        member.pop("default", None)
        if member.get("type") == "string" and "pattern" not in member:
            member.update(UUID if name == "id" else MOMENT if name.startswith(TIMES) else {})


# --- words ------------------------------------------------------------------------------


def _describe(name: str, component: Schema) -> None:
    for member, words in _words().get(name, {}).items():
        if member in component.get("properties", {}):
            component["properties"][member] = {**component["properties"][member], "description": words}


@cache
def _words() -> dict[str, dict[str, str]]:
    """By class and member: the string below a member in the source, which Python itself does not keep."""
    words: dict[str, dict[str, str]] = {}
    own = [sys.modules[name] for name in sorted(sys.modules) if name.startswith(f"{shapes.__name__}.")]
    for module in (*own, config, sys.modules["messagehub.api.endpoint"]):
        for node in ast.parse(inspect.getsource(module)).body:
            if isinstance(node, ast.ClassDef):
                words[node.name] = dict(_members(node))
    return words


def _members(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for member, below in zip(node.body, node.body[1:], strict=False):
        match member, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(words))):
                yield name.rstrip("_"), inspect.cleandoc(words)
