"""Callers who ask for much at once, and the work of the process itself, on a shared store."""

import asyncio
from contextvars import copy_context

from messagehub import clock
from messagehub.store import FOR_CALLER, Tx
from messagehub.store.postgres import CALLERS, PostgresStore
from tests.support import postgres

SOON_S = 2.0


async def test_no_work_waits_behind_what_callers_ask(postgres_server: str) -> None:
    store = await PostgresStore.open(postgres.new_database(postgres_server))
    asking, end = asyncio.Semaphore(0), asyncio.Event()

    async def ask(tx: Tx) -> None:
        await tx.one("clock", now=clock.now())
        asking.release()
        await end.wait()

    for_caller = copy_context()
    for_caller.run(FOR_CALLER.set, True)
    loop = asyncio.get_running_loop()
    callers = [loop.create_task(store.transaction(ask), context=for_caller) for _ in range(3 * CALLERS)]
    try:
        async with asyncio.timeout(SOON_S):
            for _ in range(CALLERS):
                await asking.acquire()
            assert await store.one("clock", now=clock.now())
            assert await store.transaction(lambda tx: tx.one("clock", now=clock.now()))
        waiting = loop.create_task(store.one("clock", now=clock.now()), context=for_caller)
        done, _ = await asyncio.wait([waiting], timeout=0.05)
        assert not done
        end.set()
        await asyncio.gather(*callers, waiting)
    finally:
        end.set()
        await asyncio.gather(*callers, return_exceptions=True)
        await store.close()
