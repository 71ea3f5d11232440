"""A simulator from its beginning to its end."""

import asyncio
import os
import sys
import threading

from messagehub.carriers.simulator.control import Control
from messagehub.carriers.simulator.mmsc import Mmsc
from messagehub.carriers.simulator.options import Options, Ports
from messagehub.carriers.simulator.smsc import Smsc


async def run(options: Options) -> None:
    """Be a carrier until cancelled, or until standard input ends where `until_eof`. Raises OSError for a taken port."""
    smsc = Smsc(options)
    mmsc = Mmsc(options, smsc.record, smsc.ids)
    control = Control(smsc, mmsc, options.host, options.http_port)
    try:
        ports = Ports(smpp=await smsc.open(), http=await control.open(), mm7=await mmsc.open())
        if options.ready is not None:
            options.ready(ports)
        await (_end_of_input() if options.until_eof else asyncio.Event().wait())
    finally:
        await mmsc.close()
        await smsc.close()
        await control.close()


async def _end_of_input() -> None:
    ended, loop = asyncio.Event(), asyncio.get_running_loop()

    def read() -> None:
        while os.read(sys.stdin.fileno(), 4096):
            pass
        loop.call_soon_threadsafe(ended.set)

    # A thread, since a loop cannot watch just anything that may stand for standard input, such as a file.
    threading.Thread(target=read, name="end of input", daemon=True).start()
    await ended.wait()
