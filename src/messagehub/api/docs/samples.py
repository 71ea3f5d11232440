"""Bodies and lines to begin with: what a request could look like, from its schema, and as a line for a shell."""

import json
from typing import Any

from messagehub.api.docs.members import Schema, name_of

ORIGIN = "http://127.0.0.1:8080"
"""Until the page knows where it was loaded from."""

FORM = "multipart/form-data"
FILE = "picture.jpg"
"""What stands for any file of the reader's."""

OF_FORMAT = {"uuid": "00000000-0000-0000-0000-000000000000", "date-time": "2026-01-31T10:30:00Z"}
OF_TYPE = {"string": "…", "integer": 1, "number": 1, "boolean": True, "null": None}


def body_of(operation: dict[str, Any], components: dict[str, Schema]) -> Any:
    """The example of the operation, else the least that its schema asks for. None where it takes no body."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return None
    examples = content.get("examples")
    return examples["usual"]["value"] if examples else sample(content["schema"], components)


def sample(schema: Schema, components: dict[str, Schema]) -> Any:
    if name := name_of(schema):
        return sample(components[name], components)
    for known in ("examples", "enum", "anyOf"):
        if known in schema:
            first = schema[known][0]
            return sample(first, components) if known == "anyOf" else first
    return schema["default"] if "default" in schema else _by_type(schema, components)


def _by_type(schema: Schema, components: dict[str, Schema]) -> Any:
    if schema.get("type") == "object":
        properties = schema.get("properties", {})
        return {name: sample(properties[name], components) for name in schema.get("required", ())}
    if schema.get("type") == "array":
        return [sample(schema["items"], components)]
    if "format" in schema:
        return OF_FORMAT.get(schema["format"], "…")
    return schema.get("minimum", OF_TYPE.get(schema.get("type", ""), {}))


def curl(method: str, path: str, operation: dict[str, Any], body: Any) -> str:
    """A line for a shell in which $KEY and $ID are set, or have been put in."""
    asked = [f"{one['name']}=…" for one in operation["parameters"] if one["in"] == "query" and one.get("required")]
    address = f"{ORIGIN}{path.replace('{id}', '$ID')}" + ("?" + "&".join(asked) if asked else "")
    words = ["curl -s"] if method == "get" else [f"curl -s -X {method.upper()}"]
    words.append(f'"{address}"')
    if operation["security"]:
        words.append('-H "Authorization: Bearer $KEY"')
    if body is not None:
        words += ["-H 'Content-Type: application/json'", f"-d {_quoted(json.dumps(body, ensure_ascii=False))}"]
    for kind, content in operation.get("requestBody", {}).get("content", {}).items() if body is None else ():
        words += _form(content) if kind == FORM else _octets(kind, content)
    return " \\\n  ".join(words)


def _form(content: dict[str, Any]) -> list[str]:
    return [f"-F {name}=@{FILE}" for name in content["schema"]["required"]]


def _octets(kind: str, content: dict[str, Any]) -> list[str]:
    return [f"-H 'Content-Type: {kind}'", f"--data-binary {_quoted(content['schema']['examples'][0])}"]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
