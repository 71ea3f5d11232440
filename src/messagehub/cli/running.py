"""Running the program's coroutines, with logs to standard error."""

import logging
import sys
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

import uvloop

from messagehub import logs
from messagehub.errors import HubError

if TYPE_CHECKING:
    from messagehub.settings import Settings

log = logging.getLogger(__name__)


def run(main: Coroutine[Any, Any, None], settings: "Settings | None" = None) -> None:
    """Without `settings`, as for a command that somebody has typed: warnings only, as text."""
    if settings:
        logs.set_up(settings.log_level, settings.log_format, settings.log_numbers)
        _run_logged(main, settings.log_format)
    else:
        logs.set_up("warning")
        uvloop.run(main)


def _run_logged(main: Coroutine[Any, Any, None], form: str) -> None:
    """What ends the program stands in the log, in its form; but for an expected failure as text, which `cli` shows."""
    try:
        uvloop.run(main)
    except HubError as error:
        if form == "text":
            raise
        log.error("%s", error)
        sys.exit(1)
    except Exception:
        log.critical("the program failed", exc_info=True)
        sys.exit(1)
