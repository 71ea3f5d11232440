"""The protocol library alone: its codec beside smpplib's, and a session with itself over loopback.

    python -m bench smpp

smpplib (PyPI) is no dependency: it is measured where it can be imported, for example with PYTHONPATH pointing to the
packages of an environment that has it.
"""

import asyncio
import gc
import importlib
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from statistics import median
from typing import Any

import uvloop
from rich import box
from rich.console import RenderableType
from rich.table import Table

from bench import report
from messagehub.smpp import PDU, Answered, Driver, Event, Received, Role, Session, connect, decode, encode, listen

WINDOWS = (1, 10, 100)
CALLS = 20_000
"""Of one codec function in one round. All are measured in turns, as a machine gets faster and slower."""
EXCHANGES = {1: 5_000, 10: 20_000, 100: 50_000}

ADDRESSES = {
    "source_addr_ton": 1,
    "source_addr_npi": 1,
    "source_addr": "15551234567",
    "dest_addr_ton": 1,
    "dest_addr_npi": 1,
    "destination_addr": "442079461234",
}
TEXT = b"Your code is 123456. It is good for ten minutes."
RECEIPT_TEXT = (
    b"id:01930e2b9c5a7d40 sub:001 dlvrd:001 submit date:2601311200 done date:2601311201 stat:DELIVRD err:000 text:Your"
)
SUBMIT = PDU("submit_sm", 7, 0, {**ADDRESSES, "registered_delivery": 1, "short_message": TEXT})
ANSWER = PDU("submit_sm_resp", 7, 0, {"message_id": "01930e2b9c5a7d40"})
RECEIPT = PDU(
    "deliver_sm",
    8,
    0,
    {**ADDRESSES, "esm_class": 4, "short_message": RECEIPT_TEXT},
    {0x001E: b"01930e2b9c5a7d40\0", 0x0427: b"\x02"},
)
PDUS: Mapping[str, PDU] = {"submit_sm": SUBMIT, "submit_sm_resp": ANSWER, "deliver_sm, a receipt with 2 TLVs": RECEIPT}

FIELDS: Mapping[str, dict[str, Any]] = {SUBMIT.name: ANSWER.fields}
"""What a request is answered with."""

Calls = dict[tuple[str, str], Callable[[], Any]]


def show(runs: int) -> int:
    """Measure and print; 0, as there is nothing here that could be wrong."""
    theirs = _smpplib()
    ours = {(verb, name): call for name, pdu in PDUS.items() for verb, call in _ours(pdu).items()}
    console = report.console()
    console.print(_codec_table(_measured(ours, runs), _measured(theirs, runs), runs))
    if not theirs:
        console.print("smpplib cannot be imported here, so there is nothing to compare with: pip install smpplib")
    rates = {window: median(_loopback(window) for _ in range(runs)) for window in WINDOWS}
    console.print(_loopback_table(rates, runs))
    return 0


# --- the codec --------------------------------------------------------------------------------------------------------


def _ours(pdu: PDU) -> dict[str, Callable[[], Any]]:
    frame = encode(pdu)
    return {"encode": lambda: encode(pdu), "decode": lambda: decode(frame)}


def _smpplib() -> Calls:
    """The same PDUs with smpplib; nothing where it is not installed."""
    try:
        smpp = importlib.import_module("smpplib.smpp")
    except ImportError:
        return {}
    numbers = importlib.import_module("smpplib.client").SimpleSequenceGenerator()
    calls: Calls = {}
    for name, pdu in PDUS.items():
        calls["encode", name] = _their_encode(smpp, numbers, pdu)
        calls["decode", name] = _their_decode(smpp, numbers, encode(pdu))
    return calls


def _their_encode(smpp: Any, numbers: Any, pdu: PDU) -> Callable[[], Any]:
    tlvs = {"receipted_message_id": "01930e2b9c5a7d40", "message_state": 2} if pdu.tlvs else {}
    fields = {**pdu.fields, **tlvs}
    return lambda: smpp.make_pdu(pdu.name, client=numbers, sequence=7, status=0, **fields).generate()


def _their_decode(smpp: Any, numbers: Any, frame: bytes) -> Callable[[], Any]:
    return lambda: smpp.parse_pdu(frame, client=numbers, allow_unknown_opt_params=True)


def _measured(calls: Calls, runs: int) -> dict[tuple[str, str], float]:
    """Microseconds of one call, the median of the rounds."""
    rounds = [{key: _microseconds(call) for key, call in calls.items()} for _ in range(runs)]
    return {key: median(each[key] for each in rounds) for key in calls}


def _microseconds(call: Callable[[], Any]) -> float:
    call()
    with _uncollected():
        began = time.perf_counter()
        for _ in range(CALLS):
            call()
        return 1e6 * (time.perf_counter() - began) / CALLS


@contextmanager
def _uncollected() -> Iterator[None]:
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


# --- a session --------------------------------------------------------------------------------------------------------


def _loopback(window: int) -> float:
    """submit_sm and its answer, per second, both ends in this process."""
    return uvloop.run(_exchange(window, EXCHANGES[window]))


async def _exchange(window: int, count: int) -> float:
    over: asyncio.Future[float] = asyncio.get_running_loop().create_future()
    left, began = count, 0.0

    def answer(driver: Driver, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Received):
                driver.answer(event.request, 0, FIELDS.get(event.request.name))

    def submit(driver: Driver, events: list[Event]) -> None:
        nonlocal left, began
        answers = [event for event in events if isinstance(event, Answered)]
        if began:
            left -= len(answers)
        elif answers:
            began = time.perf_counter()
        for _ in range(min(window, left) - driver.session.in_flight):
            driver.request("submit_sm", SUBMIT.fields)
        if not left and not over.done():
            over.set_result(count / (time.perf_counter() - began))

    def lost(driver: Driver, error: Exception | None) -> None:
        if not over.done():
            over.set_exception(error or ConnectionError("the session ended"))

    server = await listen("127.0.0.1", 0, lambda: Driver(lambda now: Session(Role.MC, now), answer, lost))
    port = server.sockets[0].getsockname()[1]
    esme = await connect("127.0.0.1", port, lambda: Driver(lambda now: Session(Role.ESME, now), submit, lost))
    esme.request("bind_transceiver", {"system_id": "bench", "interface_version": 0x34})
    try:
        return await over
    finally:
        await esme.unbind()
        server.close()


# --- what is shown ----------------------------------------------------------------------------------------------------


def _codec_table(ours: Mapping[tuple[str, str], float], theirs: Mapping[tuple[str, str], float], runs: int) -> Table:
    shown = Table(title=f"codec, medians of {runs}, {report.commit()}", box=box.SIMPLE_HEAD, pad_edge=False)
    shown.add_column("")
    for name in ("µs", "/s", "smpplib µs", "times as fast"):
        shown.add_column(name, justify="right")
    for (verb, name), spent in ours.items():
        other = theirs.get((verb, name))
        compared = (f"{other:.2f}", f"{other / spent:.1f}") if other else ("", "")
        shown.add_row(f"{verb} {name}", f"{spent:.2f}", f"{1e6 / spent:,.0f}", *compared)
    return shown


def _loopback_table(rates: Mapping[int, float], runs: int) -> RenderableType:
    shown = Table(title=f"loopback, one process, medians of {runs}", box=box.SIMPLE_HEAD, pad_edge=False)
    shown.add_column("window", justify="right")
    shown.add_column("submit and answer /s", justify="right")
    for window, rate in rates.items():
        shown.add_row(str(window), f"{rate:,.0f}")
    return shown
