"""The pages that the server shows, in Chromium."""

import json
import shutil
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from interop.centres import Centre, line
from tests.support import numbering
from tests.support.api import Json
from tests.support.hub import Hub

PAGES = ["/", "/docs"]
NARROW = {"width": 390, "height": 844}
WATCH = """
window.refused = [];
document.addEventListener("securitypolicyviolation", (event) => refused.push(event.violatedDirective));
"""
TOO_WIDE = """
const width = document.documentElement.clientWidth;
document.documentElement.scrollWidth <= width ? [] : [...document.body.querySelectorAll("*")]
    .filter((one) => one.getBoundingClientRect().right > width)
    .map((one) => one.outerHTML.slice(0, 80));
"""
TEXT_COLOUR = "getComputedStyle(document.body).color.match(/[0-9]+/g).map(Number)"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    program = shutil.which("chromium")
    assert program, "there is no chromium; interop/install.sh installs it"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


class Window:
    """A page in a window of its own, and all that went wrong in it."""

    def __init__(self, browser: Browser, address: str, **how: Any) -> None:
        self.context = browser.new_context(**how)
        self.context.grant_permissions(["clipboard-read", "clipboard-write"])
        self.context.add_init_script(WATCH)
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(10_000)
        self.wrong: list[str] = []
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("requestfailed", lambda request: self.wrong.append(f"no answer from {request.url}"))
        self.page.goto(address, wait_until="load")

    def _said(self, said: Any) -> None:
        if said.type in ("error", "warning"):
            self.wrong.append(said.text)

    def is_well(self) -> None:
        """Nothing was refused by the page's policy or went wrong, and it is no wider than the window."""
        assert (self.wrong, self.page.evaluate("window.refused")) == ([], [])
        assert self.page.evaluate(TOO_WIDE) == []


@pytest.fixture
def opened(chromium: Browser, hub: Hub) -> Iterator[Callable[..., Window]]:
    windows: list[Window] = []

    def open_one(path: str, **how: Any) -> Window:
        windows.append(Window(chromium, hub.address + path, **how))
        return windows[-1]

    yield open_one
    for window in windows:
        window.context.close()


Open = Callable[..., Window]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("width", [390, 1000, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_shown_at_any_width_by_day_and_by_night(opened: Open, path: str, width: int, scheme: str) -> None:
    window = opened(path, viewport={"width": width, "height": 844}, color_scheme=scheme)
    window.is_well()
    text, ground = window.page.evaluate(TEXT_COLOUR), first_pixel(window.page.screenshot())
    bright, dim = (text, ground) if scheme == "dark" else (ground, text)
    assert min(bright) > 200
    assert max(dim) < 60


def first_pixel(png: bytes) -> list[int]:
    """Red, green and blue of the upper left corner, which no filter of PNG (its section 9) changes."""
    data, at = b"", 8
    while at < len(png):
        length, kind = struct.unpack_from(">I4s", png, at)
        data += png[at + 8 : at + 8 + length] if kind == b"IDAT" else b""
        at += length + 12
    return list(zlib.decompress(data)[1:4])


def test_the_front_page_leads_to_the_api(opened: Open) -> None:
    window = opened("/")
    window.page.get_by_role("link", name="docs").click()
    window.page.wait_for_url("**/docs")
    window.is_well()


# --- trying -----------------------------------------------------------------------------


@pytest.mark.parametrize("centre", ["node-smpp"], indirect=True)
def test_a_message_is_sent_from_the_page_itself(opened: Open, hub: Hub, centre: Centre) -> None:
    way, window = line(hub, centre), opened("/docs", viewport=NARROW)
    window.page.get_by_label("Your access key").fill(way.account.api.key)
    given = {"source": way.account.number, "destinations": [numbering.somebody()], "text": "From the page: ✓ <b>"}
    sent = tried(window, "post_messages", json.dumps(given))
    assert sent["text"] == given["text"]
    assert centre.told(sent)[0]["text"] == given["text"]
    way.account.settled(sent)
    window.page.locator("#get_messages_id input[name=id]").evaluate("(input, id) => { input.value = id }", sent["id"])
    assert tried(window, "get_messages_id")["status"] == "delivered"
    window.is_well()


def tried(window: Window, operation: str, body: str = "") -> Json:
    """The answer that the page shows."""
    article = window.page.locator(f"#{operation}")
    article.get_by_text("Try it").click()
    if body:
        article.locator("textarea").fill(body)
    article.get_by_role("button", name="Send").click()
    shown = article.locator("output pre")
    shown.wait_for()
    assert article.locator("output p").inner_text().startswith("200 OK (req_")
    answer: Json = json.loads(shown.inner_text())
    return answer


def test_a_refusal_is_shown(opened: Open) -> None:
    window = opened("/docs")
    article = window.page.locator("#get_messages")
    article.get_by_text("Try it").click()
    article.get_by_role("button", name="Send").click()
    article.get_by_text("AUTHENTICATION_REQUIRED").last.wait_for()
    assert article.locator("output p").inner_text().startswith("401 ")
    # The browser itself writes a line about each answer that is a refusal.
    assert [words for words in window.wrong if "401" not in words] == []


def test_the_key_is_put_into_the_lines_that_are_copied(opened: Open, hub: Hub) -> None:
    window = opened("/docs")
    window.page.get_by_label("Your access key").fill("vb_example")
    window.page.locator("#get_messages").get_by_role("button", name="Copy").click()
    copied = window.page.evaluate("navigator.clipboard.readText()")
    assert hub.address in copied
    assert "vb_example" in copied
    window.is_well()


def test_the_filter_leaves_what_was_asked_for(opened: Open) -> None:
    window = opened("/docs")
    window.page.keyboard.press("/")
    window.page.keyboard.type("post segments cut")
    articles = window.page.locator(".noun article:visible")
    assert [articles.nth(n).get_attribute("id") for n in range(articles.count())] == ["post_messages_segments"]
    window.is_well()


def test_without_a_script_all_can_be_read(opened: Open) -> None:
    window = opened("/docs", java_script_enabled=False)
    assert window.page.locator("#post_messages").is_visible()
    assert not window.page.locator("#tools").is_visible()
