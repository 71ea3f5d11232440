"""The page itself: every endpoint by its noun, every shape, every reason for which a request can be refused."""

import hashlib
import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from messagehub.api.docs import samples
from messagehub.api.docs.html import Child, Markup, element, inline, prose, together
from messagehub.api.docs.members import kind_of, members, name_of, title
from messagehub.api.openapi import EVERYWHERE
from messagehub.errors import REASONS

FOLDER = Path(__file__).parent


def page(document: dict[str, Any]) -> tuple[bytes, bytes]:
    """The page, and the policy that proves what it needs: its own style, its own script, and this server."""
    style, script = ((FOLDER / name).read_text() for name in ("page.css", "page.js"))
    body = together(_top(document), _contents(document), _main(document), element("script", Markup(script)))
    whole = together(_head(document, style), element("body", body))
    return f'<!doctype html>\n<html lang="en">{whole}</html>\n'.encode(), _policy(style, script)


def _policy(style: str, script: str) -> bytes:
    allowed = [
        "default-src 'none'",
        f"style-src '{_hash(style)}'",
        f"script-src '{_hash(script)}'",
        "connect-src 'self'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
    return "; ".join(allowed).encode()


def _hash(text: str) -> str:
    return "sha256-" + b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _head(document: dict[str, Any], style: str) -> Markup:
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("link", rel="icon", href="data:,"),
        element("title", f"{document['info']['title']} API"),
        element("style", Markup(style)),
    )


def _top(document: dict[str, Any]) -> Markup:
    info = document["info"]
    return element(
        "header",
        element("a", "Skip to the endpoints", href="#main", class_="skip"),
        element("h1", info["title"], " API ", element("small", info["version"])),
        element(
            "div",
            _field("key", "Your access key", type="password", placeholder="vb_…", autocomplete="off"),
            _field("filter", "Filter", type="search", placeholder="messages, PUT, operator …"),
            element("output", id="found", aria_live="polite"),
            id="tools",
            hidden=True,
        ),
    )


def _field(name: str, label: str, **attributes: str) -> Markup:
    return element("label", element("span", label), element("input", id=name, spellcheck="false", **attributes))


# --- what there is ----------------------------------------------------------------------


def _operations(document: dict[str, Any], tag: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if operation["tags"][0] == tag:
                yield method, path, operation


def _contents(document: dict[str, Any]) -> Markup:
    return element(
        "nav",
        [
            together(
                element("h2", element("a", tag["name"], href=f"#{tag['name']}")),
                element(
                    "ul",
                    [
                        element("li", element("a", _method(method), " ", path, href=f"#{operation['operationId']}"))
                        for method, path, operation in _operations(document, tag["name"])
                    ],
                ),
            )
            for tag in document["tags"]
        ],
        element("h2", element("a", "errors", href="#errors")),
        element("h2", element("a", "shapes", href="#shapes")),
        aria_label="Contents",
    )


def _main(document: dict[str, Any]) -> Markup:
    return element(
        "main",
        prose(document["info"]["description"]),
        element("p", "All of it for programs: ", element("a", "openapi.json", href="/openapi.json"), "."),
        [_noun(document, tag) for tag in document["tags"]],
        _errors(),
        _shapes(document),
        id="main",
    )


def _noun(document: dict[str, Any], tag: dict[str, str]) -> Markup:
    return element(
        "section",
        element("h2", tag["name"], id=tag["name"]),
        element("p", tag["description"]) if tag["description"] else None,
        [_operation(document, *each) for each in _operations(document, tag["name"])],
        class_="noun",
    )


def _operation(document: dict[str, Any], method: str, path: str, operation: dict[str, Any]) -> Markup:
    components = document["components"]
    body = samples.body_of(operation, components["schemas"])
    name = operation["operationId"]
    return element(
        "article",
        element(
            "h3",
            element("a", _method(method), " ", element("code", path), href=f"#{name}"),
            " ",
            element("span", operation["x-who"], class_="who"),
        ),
        element("p", inline(operation["summary"]), class_="summary"),
        prose(operation["description"]) if "description" in operation else None,
        _parameters(operation),
        _request(operation, components["schemas"]),
        _answer(operation),
        _refusals(operation, components["responses"]),
        element("pre", element("code", samples.curl(method, path, operation, body), class_="curl"), tabindex="0"),
        _trial(method, path, operation, body),
        id=name,
        aria_label=f"{method.upper()} {path}",
    )


def _method(method: str) -> Markup:
    return element("span", method.upper(), class_=f"method {method}")


# --- an endpoint ------------------------------------------------------------------------


def _parameters(operation: dict[str, Any]) -> Markup | None:
    asked = [one for one in operation["parameters"] if one["in"] != "header"]
    if not asked:
        return None
    schema = {
        "properties": {one["name"]: {**one["schema"], "description": one["description"]} for one in asked},
        "required": [one["name"] for one in asked if one.get("required")],
    }
    return together(element("h4", "Parameters"), members(schema))


def _request(operation: dict[str, Any], components: dict[str, Any]) -> Markup | None:
    if "requestBody" not in operation:
        return None
    content = operation["requestBody"]["content"]
    if "application/json" not in content:
        return together(element("h4", "Body"), [element("p", kind, class_="answer") for kind in content])
    schema = content["application/json"]["schema"]
    named = components.get(name_of(schema), schema)
    return together(element("h4", "Body"), members(named))


def _answer(operation: dict[str, Any]) -> Markup:
    kinds = [
        together(kind_of(content["schema"]), "" if kind == "application/json" else f" ({kind})")
        for kind, content in operation["responses"]["200"]["content"].items()
    ]
    return together(element("h4", "Answer"), [element("p", kind, class_="answer") for kind in kinds])


def _refusals(operation: dict[str, Any], responses: dict[str, Any]) -> Markup:
    """Those of its own; what any request can be refused for is said once."""
    rows = []
    for status, response in operation["responses"].items():
        own = [name for name in _reasons(response, responses) if name not in EVERYWHERE] if status >= "400" else []
        if own:
            links = [together(" ", element("a", name, href=f"#{name}")) for name in own]
            rows.append(element("li", element("b", status), links))
    rows.append(element("li", "and what ", element("a", "any request", href="#errors"), " can be refused for"))
    return element("details", element("summary", "Errors"), element("ul", rows, class_="refusals"))


def _reasons(response: dict[str, Any], responses: dict[str, Any]) -> list[str]:
    whole = responses.get(name_of(response), response)
    schema = whole["content"]["application/json"]["schema"]
    reasons: list[str] = schema["properties"]["error"]["properties"]["reason"]["enum"]
    return reasons


def _trial(method: str, path: str, operation: dict[str, Any], body: Any) -> Markup:
    """To be sent from the page itself; it stays hidden where there is no script."""
    fields: list[Child] = [
        _trial_field(one["in"], one["name"]) for one in operation["parameters"] if one["in"] in ("path", "query")
    ]
    if body is not None:
        text = json.dumps(body, indent=2, ensure_ascii=False)
        fields.append(element("label", "body", element("textarea", text, rows="8", spellcheck="false")))
    return element(
        "details",
        element("summary", "Try it"),
        element(
            "form",
            fields,
            element("button", "Send", type="submit"),
            element("output", aria_live="polite"),
            data_method=method.upper(),
            data_path=path,
        ),
        class_="trial",
        hidden=True,
    )


def _trial_field(place: str, name: str) -> Markup:
    return element("label", name, element("input", name=name, data_in=place, autocomplete="off", spellcheck="false"))


# --- errors and shapes ------------------------------------------------------------------


def _errors() -> Markup:
    rows = [
        element(
            "tr",
            element("th", element("code", name), scope="row", id=name),
            element("td", f"{reason.http} {reason.status}", _anywhere(name)),
            element("td", inline(reason.meaning), " ", inline(reason.remedy)),
        )
        for name, reason in REASONS.items()
    ]
    heads = element("tr", [element("th", words, scope="col") for words in ("reason", "status", "meaning, what to do")])
    return element(
        "section",
        element("h2", "errors", id="errors"),
        element("table", element("thead", heads), element("tbody", rows)),
    )


def _anywhere(name: str) -> Markup | None:
    return together(element("br"), "any request") if name in EVERYWHERE else None


def _shapes(document: dict[str, Any]) -> Markup:
    components = document["components"]["schemas"]
    return element(
        "section",
        element("h2", "shapes", id="shapes"),
        [
            element(
                "article",
                element("h3", title(name)),
                element("p", inline(schema["description"])) if "description" in schema else None,
                members(schema),
                id=f"shape-{name}",
                class_="shape",
            )
            for name, schema in components.items()
        ],
    )
