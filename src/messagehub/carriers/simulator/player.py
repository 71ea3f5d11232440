"""Plays what a rule asks for beyond a plain answer: odd ones, handsets that write, wrong octets, lost connections."""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from functools import partial
from itertools import count
from typing import Any, cast

from messagehub.carriers.simulator import handset, wrong
from messagehub.carriers.simulator.course import Course
from messagehub.carriers.simulator.later import Later
from messagehub.carriers.simulator.outbox import Outbox
from messagehub.carriers.simulator.scenario import Inbound, Say
from messagehub.carriers.simulator.session import ScriptedSession
from messagehub.smpp import PDU, Driver
from messagehub.smpp.states import RECEIVING


class Player:
    """What has its delay is done by `later`."""

    def __init__(self, later: Later) -> None:
        self.references = count(secrets.randbelow(256))
        """By which the parts of a text are told from those of others."""
        self._later = later
        self._leaving: set[asyncio.Task[None]] = set()

    def answer(self, course: Course, driver: Driver, request: PDU, message_id: str) -> None:
        """The answer to a submit, as the course has it."""
        if course.delay:
            self._later.put(course.delay, partial(self._answer, course, driver, request, message_id))
        else:
            self._answer(course, driver, request, message_id)

    def besides(self, course: Course, driver: Driver, outbox: Outbox, fields: Mapping[str, Any]) -> None:
        """All but answers and receipts; `fields` are those of the submit, nothing after a bind."""
        for inbound in course.inbound:
            self._put(inbound.after, partial(self._write, inbound, driver, outbox, fields))
        for say in course.say:
            self._put(say.after, partial(_say, say, driver, fields))
        if course.connection:
            self._put(course.connection.after, partial(_ACTS[course.connection.act], self, driver, outbox))

    def _put(self, delay: float, call: Callable[[], object]) -> None:
        if delay:
            self._later.put(delay, call)
        else:
            call()

    def _answer(self, course: Course, driver: Driver, request: PDU, message_id: str) -> None:
        session, status = _session(driver), course.status
        # With TLVs a refusal has a body, too: they would else be read as the id.
        fields = {"message_id": "" if status else message_id} if course.tlvs or not status else {}
        times = course.times
        if course.body == "usual":
            driver.answer(request, status, fields, course.tlvs)
            times -= 1
        else:
            session.ignore(request)
        if times:
            session.say(wrong.response(request, course, message_id) * times)
            driver.flush()

    def _write(self, inbound: Inbound, driver: Driver, outbox: Outbox, fields: Mapping[str, Any]) -> None:
        whole = handset.addressed(inbound, fields) if fields else inbound
        by = driver if not inbound.drop or driver.session.state in RECEIVING else next(iter(outbox.receivers), driver)
        for delivery in handset.written(whole, next(self.references)):
            delivery.near = by if inbound.drop else None
            outbox.add(delivery)
        outbox.pump()
        if inbound.drop:
            by.close()

    # --- what becomes of a connection ---------------------------------------------------

    def _drop(self, driver: Driver, outbox: Outbox) -> None:
        driver.close()

    def _reset(self, driver: Driver, outbox: Outbox) -> None:
        driver.transport.abort()

    def _unbind(self, driver: Driver, outbox: Outbox) -> None:
        leaving = asyncio.ensure_future(driver.unbind())
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)

    def _fall_silent(self, driver: Driver, outbox: Outbox) -> None:
        _session(driver).fall_silent()
        outbox.leave(driver)


_ACTS: Mapping[str, Callable[[Player, Driver, Outbox], None]] = {
    "drop": Player._drop,
    "reset": Player._reset,
    "unbind": Player._unbind,
    "half_open": Player._fall_silent,
}


def _say(say: Say, driver: Driver, fields: Mapping[str, Any]) -> None:
    _session(driver).say(wrong.octets(say, fields))
    driver.flush()


def _session(driver: Driver) -> ScriptedSession:
    return cast(ScriptedSession, driver.session)
