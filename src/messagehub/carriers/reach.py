"""Whether a carrier that is spoken to over HTTP can be reached: what is seen of that, and how it is found out again."""

import asyncio
import logging
import random
from collections.abc import Callable

from messagehub.carriers import tls
from messagehub.carriers.backoff import Backoff, Pauses, Trouble
from messagehub.logs import about
from messagehub.web import Client, WebError

log = logging.getLogger(__name__)


class Reach:
    """`on_change` is called when nothing can be sent any more, and when something can again."""

    def __init__(self, client: Client, pauses: Pauses, on_change: Callable[[], None]) -> None:
        self.why = ""
        """Why nothing can be sent; empty where something can."""
        self._client, self._on_change = client, on_change
        self._backoff = Backoff(pauses)
        self._recovering: asyncio.Task[None] | None = None
        self._trouble = Trouble.CONNECTION
        """From what it recovers."""

    def seen(self, took: bool) -> None:
        """It answers, so all is well; but whether it knows us is shown only by what it `took`."""
        if not took and self._is_recovering and self._trouble is Trouble.CREDENTIALS:
            return
        self._backoff.forget()
        self._stop_recovering()
        self._turn("")

    def lose(self, why: str, url: str = "") -> None:
        """Nothing leaves until `url` can be reached again; or, without one, since it does not know us, for a while.

        A carrier that does not know us is not asked any sooner because a connection to it fails meanwhile: whether it
        can be reached says nothing about whether it knows us.
        """
        trouble = Trouble.CONNECTION if url else Trouble.CREDENTIALS
        if self._is_recovering and trouble is Trouble.CONNECTION and self._trouble is Trouble.CREDENTIALS:
            return
        self._turn(why)
        if self._is_recovering and trouble is self._trouble:
            return
        self._stop_recovering()
        self._trouble = trouble
        self._recovering = asyncio.create_task(self._recover(url))

    @property
    def _is_recovering(self) -> bool:
        return self._recovering is not None and not self._recovering.done()

    async def close(self) -> None:
        if self._recovering:
            self._recovering.cancel()
            await asyncio.gather(self._recovering, return_exceptions=True)

    def _stop_recovering(self) -> None:
        """What the recovery waits for is of no use any more, and it would keep the next one from beginning."""
        if self._recovering:
            self._recovering.cancel()
            self._recovering = None

    def _turn(self, why: str) -> None:
        is_new, self.why = bool(why) != bool(self.why), why
        if is_new and why:
            log.warning("a carrier is down", extra=about(why=why))
        elif is_new:
            log.info("a carrier is bound")
        if is_new or why:
            self._on_change()

    async def _recover(self, url: str) -> None:
        while self.why:
            await asyncio.sleep(self._backoff.fail(self._trouble, random.random()))
            try:
                if url:
                    await self._client.reach(url)
            except WebError as error:
                self._turn(words_of(error))
            except Exception:  # or nobody would ever look again
                log.exception("whether a carrier can be reached could not be found out")
            else:
                self._turn("")


def words_of(error: WebError) -> str:
    """What went wrong with a request."""
    cause = error.__cause__
    return tls.words(cause) if isinstance(cause, OSError) and error.code == "tls" else str(error)
