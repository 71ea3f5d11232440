"""Schemas as people read them: members with their kinds, bounds and words; shapes within shapes."""

import json
from collections.abc import Iterator
from typing import Any

from messagehub.api.docs.html import Markup, element, inline, together
from messagehub.api.schemas import NO_NUL

Schema = dict[str, Any]


def name_of(schema: Schema) -> str:
    """The name of the component that a schema refers to; empty where it refers to none."""
    reference: str = schema.get("$ref", "")
    return reference.rpartition("/")[2]


def title(name: str) -> str:
    """`Page_Message_`, as the components call a list of messages, in words."""
    return f"list of {name[5:-1]}" if name.startswith("Page_") else name


def members(schema: Schema) -> Markup:
    required = schema.get("required", ())
    rows = (_member(name, member, name in required) for name, member in schema.get("properties", {}).items())
    return element("ul", rows, class_="members")


def _member(name: str, schema: Schema, is_required: bool) -> Markup:
    return element(
        "li",
        element("code", name, class_="name"),
        " ",
        element("span", kind_of(schema), class_="kind"),
        "" if is_required else element("span", ", optional", class_="optional"),
        _bounds(schema),
        together(". ", inline(schema["description"])) if "description" in schema else None,
    )


def kind_of(schema: Schema) -> Markup:
    """What sort of value it is; a shape of ours as a link to it."""
    if name := name_of(schema):
        return element("a", title(name), href=f"#shape-{name}", data_shape=name)
    if "enum" in schema:
        return _joined([element("code", json.dumps(value)) for value in schema["enum"]])
    if "anyOf" in schema:
        return _joined([kind_of(choice) for choice in schema["anyOf"]])
    if schema.get("type") == "array":
        return together("list of ", kind_of(schema.get("items", {})))
    if isinstance(schema.get("additionalProperties"), dict) and schema["additionalProperties"]:
        return together("object of ", kind_of(schema["additionalProperties"]))
    words = schema.get("format") or schema.get("type") or "anything"
    return together("empty" if schema.get("maxLength") == 0 else words)


def _joined(choices: list[Markup]) -> Markup:
    return together((" or " if n else "", choice) for n, choice in enumerate(choices))


def _bounds(schema: Schema) -> Markup | None:
    words = [
        *_range(schema, "minLength", "maxLength", " characters"),
        *_range(schema, "minimum", "maximum", ""),
        *_range(schema, "minItems", "maxItems", " items"),
    ]
    if "default" in schema and schema["default"] not in ("", []):
        words.append(f"`{json.dumps(schema['default'])}` unless given")
    if "examples" in schema:
        words.append(f"such as `{schema['examples'][0]}`")
    elif schema.get("pattern", NO_NUL) != NO_NUL:
        words.append(f"as `{schema['pattern']}`")
    return element("span", inline(", " + ", ".join(words)), class_="bounds") if words else None


def _range(schema: Schema, least: str, most: str, unit: str) -> Iterator[str]:
    if least in schema and most in schema:
        yield f"{schema[least]} to {schema[most]}{unit}"
    elif schema.get(most):
        yield f"at most {schema[most]}{unit}"
    elif least in schema:
        yield "not empty" if unit and schema[least] == 1 else f"at least {schema[least]}{unit}"
