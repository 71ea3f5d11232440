"""Kannel on the same work, where it is installed: the gateway that one would otherwise run.

It keeps what it has accepted in memory, as it does by default, or in a spool of files, with the receipts that it waits
for in another. Neither waits for the disk, as we do.
"""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import quote

from bench.children import Child, free_ports, program, wait_until_open
from bench.hub import SOURCE, Running
from bench.run import Cast, Peer, Stage, Work, ends, plan

UP_WITHIN_S = 20.0
ACCEPTED = 202
DELIVERED_OR_NOT = 3
"""The dlr-mask of what ends a message: delivered is 1, not delivered 2."""

CONFIG = """\
group = core
admin-port = {admin}
admin-interface = 127.0.0.1
admin-password = bench
smsbox-port = {box}
smsbox-interface = 127.0.0.1
box-deny-ip = "*.*.*.*"
box-allow-ip = 127.0.0.1
log-file = {folder}/bearerbox.log
log-level = 1
{kept}

group = smsc
smsc = smpp
smsc-id = bench
host = {smsc_host}
port = {smsc_port}
transceiver-mode = true
smsc-username = bench
smsc-password = bench
system-type = bench
max-pending-submits = {window}
reconnect-delay = 1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {http}
sendsms-interface = 127.0.0.1
global-sender = 1000
log-file = {folder}/smsbox.log
log-level = 1

group = sendsms-user
username = bench
password = bench
max-messages = 10

group = sms-service
keyword = default
max-messages = 0
text = none
"""

CONNECTIONS = 32

IN_MEMORY = "dlr-storage = internal"
SPOOLED = "store-type = spool\nstore-location = {folder}/store\ndlr-storage = spool\ndlr-spool = {folder}/receipts"

WINDOWS = {IN_MEMORY: 10, SPOOLED: 100}
"""Submits that wait for the carrier's answer: what Kannel is fastest with."""


def peers() -> dict[str, Peer]:
    """By the names under which it is measured; none where it is not installed."""
    if not (_path("bearerbox") and _path("smsbox")):
        return {}
    return {
        "Kannel, all spooled": Peer(_stage(SPOOLED), CONNECTIONS),
        "Kannel, in memory": Peer(_stage(IN_MEMORY), CONNECTIONS),
    }


def _path(name: str) -> str | None:
    """Debian has the one among the programs of the administrator."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/lib/kannel")


def _stage(kept: str) -> Stage:
    @contextmanager
    def kannel(work: Work, folder: Path) -> Iterator[Cast]:
        with ends(folder) as (customer, callback, simulator), ExitStack() as stack:
            ports = free_ports("admin", "box", "http")
            config = folder / "kannel.conf"
            config.write_text(_config(folder, kept, simulator.smpp, ports))
            bearerbox = stack.enter_context(_box("bearerbox", config, ports["box"]))
            smsbox = stack.enter_context(_box("smsbox", config, ports["http"]))
            simulator.wait_until_bound()
            place = f"127.0.0.1:{ports['http']}"
            how = {"good": ACCEPTED, "mark": "?text=", "delivered": "&state=1 "}
            yield Cast(
                Running(bearerbox, f"http://{place}", smsbox),
                simulator,
                customer,
                plan(work, place, _request(place, callback), **how),
            )

    return kannel


def _config(folder: Path, kept: str, smpp: str, ports: dict[str, int]) -> str:
    for name in ("store", "receipts"):
        (folder / name).mkdir()
    host, _, port = smpp.rpartition(":")
    kept_here = kept.format(folder=folder)
    return CONFIG.format(
        folder=folder, kept=kept_here, smsc_host=host, smsc_port=port, window=WINDOWS[kept], **ports
    )  # fmt: skip


@contextmanager
def _box(name: str, config: Path, port: int) -> Iterator[Child]:
    log = config.with_name(f"{name}.out")
    with program([_path(name) or name, "-v", "4", str(config)], log) as process:
        wait_until_open(port, process, name, log, UP_WITHIN_S)
        yield process


def _request(place: str, callback: str) -> str:
    """GET /cgi-bin/sendsms. The callback's address says the number, and Kannel puts the state for its %d."""
    told = f"{_quoted(f'{callback}?text=')}%d{_quoted('&state=%d')}"
    what = f"from={_quoted(SOURCE)}&to=%d&text=0&dlr-mask={DELIVERED_OR_NOT}&dlr-url={told}"
    return f"GET /cgi-bin/sendsms?username=bench&password=bench&{what} HTTP/1.1\r\nHost: {place}\r\n\r\n"


def _quoted(text: str) -> str:
    return quote(text, safe="").replace("%", "%%")
