"""The page of the API: whole, well-formed, and in need of nothing from anywhere else. Its lines work when pasted."""

import hashlib
import json
import re
import subprocess
from base64 import b64encode
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest

from messagehub.api.asgi import ENDPOINTS
from messagehub.api.docs.html import element, inline, prose
from messagehub.api.docs.samples import FILE
from messagehub.errors import REASONS
from tests.media.samples import SAMPLES
from tests.support.api import Json
from tests.support.hub import Account, Hub

MAX_SIZE = 450_000
NIL = "00000000-0000-0000-0000-000000000000"
VOID = {"meta", "link", "input", "br"}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str | None]
    text: str = ""


@dataclass
class Page(HTMLParser):
    """A page whose every element must be closed where it ought to be."""

    elements: list[Element] = field(default_factory=list)
    opened: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(set(names)) == len(names), (tag, attrs)
        self.elements.append(Element(tag, dict(attrs)))
        if tag not in VOID:
            self.opened.append(self.elements[-1])

    def handle_endtag(self, tag: str) -> None:
        assert self.opened.pop().tag == tag

    def handle_data(self, data: str) -> None:
        for one in self.opened:
            one.text += data

    def all(self, tag: str, class_: str = "") -> list[Element]:
        return [one for one in self.elements if one.tag == tag and class_ in (one.attributes.get("class") or "")]


@pytest.fixture(scope="module")
def answer(hub: Hub) -> httpx.Response:
    return httpx.get(f"{hub.address}/docs")


@pytest.fixture(scope="module")
def page(answer: httpx.Response) -> Page:
    assert answer.text.startswith("<!doctype html>")
    parsed = Page()
    parsed.feed(answer.text)
    parsed.close()
    assert parsed.opened == []
    return parsed


@pytest.fixture(scope="module")
def document(hub: Hub) -> Json:
    document: Json = httpx.get(f"{hub.address}/openapi.json").json()
    return document


def test_it_is_small_and_is_there(answer: httpx.Response) -> None:
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert len(answer.content) < MAX_SIZE


def test_the_front_page_leads_to_it(hub: Hub) -> None:
    assert '<a href="/docs">' in httpx.get(f"{hub.address}/").text


# --- nothing from anywhere else ---------------------------------------------------------


def test_the_policy_allows_its_own_style_and_script_and_nothing_more(answer: httpx.Response, page: Page) -> None:
    policy = dict(each.split(" ", 1) for each in answer.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert policy["connect-src"] == "'self'"
    for tag in ("style", "script"):
        (only,) = page.all(tag)
        assert only.attributes == {}
        digest = b64encode(hashlib.sha256(only.text.encode()).digest()).decode()
        assert policy[f"{tag}-src"] == f"'sha256-{digest}'"


def test_nothing_is_loaded_from_elsewhere(page: Page) -> None:
    for one in page.elements:
        for name, value in one.attributes.items():
            assert not name.startswith("on"), one
            assert name not in ("style", "src", "action"), one
            assert name != "href" or re.fullmatch(r"#.+|/[a-z.]*|data:,", value or ""), one
    (style,) = page.all("style")
    assert "url(" not in style.text
    assert "@import" not in style.text


# --- whole ------------------------------------------------------------------------------


def test_every_name_is_there_once_and_every_link_leads_somewhere(page: Page) -> None:
    names = [one.attributes["id"] for one in page.elements if "id" in one.attributes]
    assert len(set(names)) == len(names)
    links = {value[1:] for one in page.all("a") if (value := one.attributes["href"] or "").startswith("#")}
    assert links <= set(names)


def test_every_endpoint_is_told_of(page: Page, document: Json) -> None:
    articles = {one.attributes["id"]: one.text for one in page.all("article")}
    assert len(ENDPOINTS) <= len(articles)
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            text = articles[operation["operationId"]]
            assert text.startswith(f"{method.upper()} {path} {operation['x-who']}{operation['summary'].split('`')[0]}")
            for parameter in operation["parameters"]:
                assert parameter["in"] == "header" or parameter["name"] in text


def test_every_shape_and_every_reason_is_told_of(page: Page, document: Json) -> None:
    names = {one.attributes.get("id") for one in page.elements}
    assert names >= {f"shape-{name}" for name in document["components"]["schemas"]}
    assert names >= REASONS.keys()
    (table,) = page.all("table")
    for reason in REASONS.values():
        assert reason.meaning.replace("`", "") in table.text
        assert reason.remedy.replace("`", "") in table.text


def test_what_an_endpoint_can_refuse_for_is_linked(page: Page, answer: httpx.Response) -> None:
    article = answer.text.partition('<article id="post_messages"')[2].partition("</article>")[0]
    for name in ("INVALID_SOURCE", "TOO_MANY_SEGMENTS", "NOT_JSON", "AUTHENTICATION_REQUIRED"):
        assert f'href="#{name}"' in article


def test_who_reads_by_ear_or_keyboard_finds_the_way(page: Page) -> None:
    assert page.all("a")[0].attributes["href"] == "#main"
    assert {one.tag for one in page.elements} >= {"header", "nav", "main", "h1", "h2", "h3"}
    (nav,) = page.all("nav")
    assert nav.attributes["aria-label"]
    fields = page.all("input") + page.all("textarea")
    assert len(page.all("label")) == len(fields)
    assert all(one.attributes.get("aria-live") == "polite" for one in page.all("output"))


# --- lines that work when pasted --------------------------------------------------------


def test_the_lines_work_when_pasted(hub: Hub, page: Page, document: Json, tmp_path: Path) -> None:
    """Those of a customer, as one."""
    (tmp_path / FILE).write_bytes(SAMPLES["jpeg"])
    account = hub.customer("+15551234567")
    lines = [code.text for code in page.all("code", "curl")]
    places = [(path, method) for path, methods in document["paths"].items() for method in methods]
    assert len(lines) == len(places)
    statuses = {}
    for tag in document["tags"]:
        for path, method in places:
            operation = document["paths"][path][method]
            if operation["tags"] == [tag["name"]]:
                line = lines.pop(0)
                if operation["x-who"] != "the operator":
                    statuses[operation["operationId"]] = status = curl(line, hub, account, tmp_path)
                    assert str(status) in operation["responses"]
    for name in (
        "post_messages",
        "get_messages",
        "post_messages_segments",
        "post_media",
        "put_customer",
        "get_root_healthz",
    ):
        assert statuses[name] == 200
    assert statuses["get_messages_id"] == 404


def curl(line: str, hub: Hub, account: Account, folder: Path) -> int:
    line = line.replace("http://127.0.0.1:8080", hub.address) + " -w '\\n%{http_code}'"
    env = {"KEY": account.api.key, "ID": NIL, "PATH": "/usr/local/bin:/usr/bin:/bin"}
    done = subprocess.run(
        ["sh", "-c", line], env=env, cwd=folder, capture_output=True, text=True, check=True, timeout=30
    )
    body, _, status = done.stdout.rpartition("\n")
    assert body.startswith(("#", "address,")) or json.loads(body) is not None
    return int(status)


# --- no text is markup ------------------------------------------------------------------


def test_no_text_is_markup() -> None:
    assert element("p", "<b>", element("i", "a & b")) == "<p>&lt;b&gt;<i>a &amp; b</i></p>"
    assert element("a", href='"><script>') == '<a href="&quot;&gt;&lt;script&gt;"></a>'
    assert inline("a `<b>` c") == "a <code>&lt;b&gt;</code> c"
    assert prose("one\n\ntwo <") == "<p>one</p><p>two &lt;</p>"
    assert element("input", hidden=True, disabled=False, aria_label="x") == '<input hidden aria-label="x">'
