"""Running the program's coroutines, with logs to standard error."""

import logging
import os
import sys
import threading
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

import uvloop

from messagehub import logs
from messagehub.errors import HubError

if TYPE_CHECKING:
    from messagehub.settings import Settings

log = logging.getLogger(__name__)


END_S = 2.0
"""Threads of the loop that wait for a name server hold up the end of a process no longer than this."""


def run(main: Coroutine[Any, Any, None], settings: "Settings | None" = None) -> None:
    """Without `settings`, as for a command that somebody has typed: warnings only, as text."""
    if settings:
        logs.set_up(settings.log_level, settings.log_format, settings.log_numbers)
        _run_logged(main, settings.log_format)
    else:
        logs.set_up("warning")
        uvloop.run(main)


async def _bounded(main: Coroutine[Any, Any, None]) -> None:
    await main
    timer = threading.Timer(END_S, _end)
    timer.daemon = True
    timer.start()


def _end() -> None:
    logging.shutdown()
    os._exit(0)


def _run_logged(main: Coroutine[Any, Any, None], form: str) -> None:
    """What ends the program stands in the log, in its form; but for an expected failure as text, which `cli` shows."""
    try:
        uvloop.run(_bounded(main))
    except HubError as error:
        if form == "text":
            raise
        log.error("%s", error)
        sys.exit(1)
    except Exception:
        log.critical("the program failed", exc_info=True)
        sys.exit(1)
