"""The documents, followed as a reader follows them; and what they name, looked up in the code."""

import json
import re
import shlex
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from messagehub import errors, metrics, settings
from messagehub.api.asgi import ENDPOINTS
from messagehub.carriers import kinds
from messagehub.cli import reference
from tests.docs.pages import PAGES, Page, Step
from tests.docs.shown import Words
from tests.docs.terminal import Terminal
from tests.support.ports import free_port
from tests.support.process import PROGRAM, environment
from tests.support.waiting import until

FOLLOWED = [page for page in PAGES if any(page.steps)]
API, WEBHOOKS = 8080, 9000
"""The ports that the pages speak of."""

READS = re.compile(r"curl (?!.*(?: -d| -F| -X|--data))|\S*messagehub \w+ list|grep ", re.DOTALL)
TYPED = re.compile(r"(?:[A-Z_]+=\S+ )*(?:\S*/)?messagehub (?!is |answers |needs )(\S.*)")
"""A line that is a command of ours, and not a sentence about us."""


def named(pages: list[Page]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("page", pages, ids=[page.name for page in pages])


class Reader:
    """Somebody who has the source, and does what a page says, in as many terminals as it has."""

    def __init__(self, folder: Path, page: Page, terminals: ExitStack) -> None:
        self._folder, self._page, self._terminals = folder, page, terminals
        self._open: dict[str, Terminal] = {}
        self._shown: dict[str, str] = {}
        self._words = Words()
        self._ports = {API: free_port(), WEBHOOKS: free_port()}
        (folder / ".venv").symlink_to(PROGRAM.parent.parent)
        for name, text in page.programs.items():
            (folder / name).write_text(self._here(text))

    def follow(self) -> None:
        for step in self._page.steps:
            if step.terminal:
                self._watch(step)
            else:
                self._run(step)

    def _run(self, step: Step) -> None:
        """A command that ends, and shows what the page shows. One that only reads is asked until it does."""
        terminal, command = self._terminal(step), self._command(step)

        def does() -> bool:
            code = terminal.run(command)
            assert code == 0, f"{command} ended with {code}: {terminal.seen}"
            return self._is_shown(step.shown, terminal.seen)

        wrong = f"{command}\nshows\n{step.shown}"
        if READS.match(command):
            until(does, wrong)
        else:
            assert does(), f"{wrong}\nwhere\n{terminal.seen}\nwas seen"

    def _watch(self, step: Step) -> None:
        """A command that may go on, in a terminal that shows more and more."""
        terminal = self._terminal(step)
        if step.command:
            terminal.type(self._command(step))
            self._shown[step.terminal] = ""
        self._shown[step.terminal] += step.shown
        shown = self._shown[step.terminal]
        until(lambda: self._is_shown(shown, terminal.seen), f"{step.command or step.terminal} shows\n{shown}")

    def _terminal(self, step: Step) -> Terminal:
        if step.terminal not in self._open:
            runtime = {"XDG_RUNTIME_DIR": str(self._folder), "PYTHONWARNINGS": "", "LANG": "C.UTF-8"}
            env = environment({**runtime, "COLUMNS": "160", "NO_COLOR": "1", "TERM": "dumb"})
            terminal = Terminal(self._folder, step.terminal, env)
            self._open[step.terminal] = self._terminals.enter_context(closing(terminal))
        return self._open[step.terminal]

    def _command(self, step: Step) -> str:
        filled = self._words.fill(step.command.rstrip("\n"))
        return self._here(filled.replace("make dev", f".venv/bin/messagehub dev --listen 127.0.0.1:{API}"))

    def _is_shown(self, shown: str, seen: str) -> bool:
        return not shown or self._words.match(self._here(shown), seen)

    def _here(self, text: str) -> str:
        """With ports that are free on this machine."""
        return re.sub(r"(?<=[:\s])(8080|9000)\b", lambda port: str(self._ports[int(port[0])]), text)


def follow(page: Page, folder: Path) -> None:
    with ExitStack() as terminals:
        Reader(folder, page, terminals).follow()


@pytest.fixture(scope="module")
def readings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[None]]]:
    """All pages are followed side by side, since most of it is waiting for receipts."""
    with ThreadPoolExecutor(len(FOLLOWED)) as pool:
        yield {page.name: pool.submit(follow, page, tmp_path_factory.mktemp("reader")) for page in FOLLOWED}


@named(FOLLOWED)
def test_what_a_page_says_works_as_written(page: Page, readings: dict[str, Future[None]]) -> None:
    readings[page.name].result()


def test_the_first_pages_are_followed() -> None:
    assert {"README.md", "docs/getting-started.md", "docs/api.md"} <= {page.name for page in FOLLOWED}


# --- what is shown, against what is seen --------------------------------------------------


@pytest.mark.parametrize(
    ("shown", "seen"),
    [
        ('{"id":"01a1fc49-2509…",\n "status":"sent"}', '{"id":"01a1fc49-2509-7aaa-8bbb-0123456789ab","status":"sent"}'),
        ("at 2026-11-21 03:58:02", "at 2031-01-01 00:00:01"),
        ('{"a":1, … "d":4}', '{"a":1,"b":2,"c":3,"d":4}'),
        ("name   prefix\nshop   vb_XyZvW", "name  prefix\nshop  vb_abcde"),
    ],
)
def test_what_differs_from_run_to_run_may_differ(shown: str, seen: str) -> None:
    assert Words().match(shown, seen)


@pytest.mark.parametrize(
    ("shown", "seen"),
    [
        ('{"status":"sent"}', '{"status":"failed"}'),
        ('{"status":"sent"}', '{"status":"sent","more":1}'),
        ("tm_update 9999-01-01 00:00:00", "tm_update 2026-11-21 03:58:02"),
        ("vb_XyZv… vb_XyZv…", "vb_one vb_two"),
    ],
)
def test_what_is_promised_may_not(shown: str, seen: str) -> None:
    assert not Words().match(shown, seen)


# --- links and names ---------------------------------------------------------------------


@named(PAGES)
def test_links_lead_somewhere(page: Page) -> None:
    lost = [link for link in page.links if not link.startswith("https://") and not _leads(page, link)]
    assert not lost


def _leads(page: Page, link: str) -> bool:
    name, _, anchor = link.partition("#")
    target = (page.path.parent / name).resolve() if name else page.path
    return target.exists() and (not anchor or anchor in Page(target).anchors)


def _found(page: Page, pattern: str) -> set[str]:
    return set(re.findall(pattern, page.text))


@named(PAGES)
def test_settings_that_are_named_exist(page: Page) -> None:
    """`MESSAGEHUB_BURST_…` stands for all that begin so."""
    variables = set(re.findall(r"`(MESSAGEHUB_\w+)`", settings.as_markdown())) | settings.CLIENT | {settings.FILE}
    named = _found(page, r"\bMESSAGEHUB_[A-Z_]+…?")
    families = {name for name in named if name.endswith("…")}
    assert named - families <= variables | {"MESSAGEHUB_LISTNE"}
    assert all(any(variable.startswith(family[:-1]) for variable in variables) for family in families)


@named(PAGES)
def test_reasons_that_are_named_exist(page: Page) -> None:
    known = errors.REASONS.keys() | {reason.status for reason in errors.REASONS.values()}
    said = _found(page, r'"(?:reason|status)":"([A-Z_]+)"') | _found(page, r"[45]\d\d / `([A-Z_]+)`")
    assert said <= known


@named(PAGES)
def test_metrics_that_are_named_exist(page: Page) -> None:
    known = set(re.findall(r"`(messagehub_\w+)`", metrics.as_markdown()))
    said = {re.sub(r"_bucket$", "", name) for name in _found(page, r"\bmessagehub_[a-z0-9_]+\b")}
    assert all(any(name.startswith(each) for name in known) for each in said)


@named(PAGES)
def test_commands_that_are_named_exist_with_their_options(page: Page) -> None:
    for line in page.code:
        if found := TYPED.match(line):
            _check_command(found[1])


def _check_command(line: str) -> None:
    words = shlex.split(re.split(r"\s#|[;|`]", line)[0], posix=True)
    if words[0].startswith("-"):
        assert words[0] in {"--version", "--help", "--install-completion", "--show-completion"}
        return
    commands = reference.commands()
    name = " ".join(words[:2]) if " ".join(words[:2]) in commands else words[0]
    if name not in commands:  # a noun alone
        assert len(words) == 1, line
        assert any(command.startswith(f"{name} ") for command in commands), line
        return
    known = {option for parameter in commands[name].params for option in parameter.opts}
    given = {word.partition("=")[0] for word in words if word.startswith("--")}
    assert given <= known | {"--help"}, line


OTHERS = {("GET", path) for path in ("/metrics", "/openapi.json", "/cgi-bin/sendsms", "/send")} | {("POST", "/sms")}
"""Those that are no rows of the table, and those of other programs."""


@named(PAGES)
def test_endpoints_that_are_named_exist(page: Page) -> None:
    known = {(row.method, re.sub(r"\{\w+\}", "{id}", base + row.path)) for base, row in ENDPOINTS}
    known |= {(method, path.removeprefix("/v1.0")) for method, path in known} | OTHERS
    said = re.findall(r"\b(GET|POST|PUT|DELETE) (/[a-z{][\w./{}-]*)", page.text)
    assert {(method, path.rstrip(".")) for method, path in said} <= known


def test_configs_of_carriers_that_are_shown_are_good() -> None:
    page = next(page for page in PAGES if page.name == "docs/carriers.md")
    shown = [json.loads(block.text) for block in page.blocks if block.words == ("json",)]
    assert all(kinds.parse(each["type"], each["config"]) for each in shown)
    assert {"bandwidth", "telnyx", "twilio"} <= {each["type"] for each in shown}
