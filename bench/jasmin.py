"""Jasmin on the same work, where it is installed: the gateway in Python, with the RabbitMQ and the Redis that it needs.

It is looked for on the PATH, and in the virtual environment that JASMIN names. It has what it is fastest with: several
binds, its three programs each as a process, and a log of nothing but warnings. Release 0.11.1 fails on each answer of a
carrier and calls nobody back; 0.11.0 does.
"""

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import quote

from bench.children import Broken, Child, free_ports, program, wait_until_open
from bench.hub import SOURCE, Running
from bench.run import Cast, Peer, Work, ends, plan

BINDS = 16
CONNECTIONS = 32
MOST = 3_000
"""Messages of a run, which take it ten seconds."""

PROGRAMS = ("jasmind.py", "dlrlookupd.py", "dlrd.py")
SECTIONS = (
    "amqp_broker", "client_management", "deliversm_thrower", "dlr", "dlr_thrower", "http_api", "jcli", "redis_client",
    "router", "service_smppclient", "sm_listener", "smpp_server", "smpp_server_pb", "smpp_server_pb_client",
)  # fmt: skip
"""Of its settings, as the environment has them."""

HEARD = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nACK/Jasmin"
"""What it wants to hear from whoever it calls back."""

UP_WITHIN_S = 60.0
PATIENCE_S = 10.0
PROMPT = re.compile(rb"(?:jcli : |> )\Z")
ESCAPES = re.compile(rb"\x1b\[\w+")
SPEC = "import txamqp, pathlib; print(pathlib.Path(txamqp.__file__).parent / 'specs/standard/amqp0-9-1.stripped.xml')"


def peers() -> dict[str, Peer]:
    """By the name under which it is measured; none where it is not installed."""
    needed = (*PROGRAMS, "redis-server", "rabbitmq-server", "epmd")
    return {"Jasmin": Peer(_jasmin, CONNECTIONS, MOST)} if all(map(_path, needed)) else {}


def _path(name: str) -> str | None:
    """RabbitMQ's script in /usr/sbin is for its own user."""
    folders = ["/usr/lib/rabbitmq/bin", os.environ["PATH"]]
    if "JASMIN" in os.environ:
        folders.append(f"{os.environ['JASMIN']}/bin")
    return shutil.which(name, path=os.pathsep.join(folders))


@contextmanager
def _jasmin(work: Work, folder: Path) -> Iterator[Cast]:
    with ends(folder) as (customer, callback, simulator), ExitStack() as stack:
        start = partial(_started, stack, folder)
        ports = free_ports("redis", "rabbit", "nodes", "names", "http", "jcli", "smpp", "pb", "clients", "router")
        redis = start("redis-server", ports["redis"], ("--port", f"{ports['redis']}", "--dir", f"{folder}"))
        start("epmd", ports["names"], ("-port", f"{ports['names']}", "-address", "127.0.0.1"))
        rabbit = start("rabbitmq-server", ports["rabbit"], (), _of_rabbit(folder, ports))
        settings = _of_jasmin(folder, ports)
        jasmin = start(PROGRAMS[0], ports["http"], ("-u", "jcliadmin", "-p", "jclipwd"), settings)
        others = [start(name, ports["http"], (), settings) for name in PROGRAMS[1:]]
        wait_until_open(ports["jcli"], jasmin, PROGRAMS[0], folder / f"{PROGRAMS[0]}.log", UP_WITHIN_S)
        _furnish(ports["jcli"], simulator.smpp)
        simulator.wait_until_bound(BINDS)
        place = f"127.0.0.1:{ports['http']}"
        how = {"mark": "?text=", "delivered": "message_status=DELIVRD", "reply": HEARD}
        running = Running(jasmin, f"http://{place}", *others, redis, rabbit)
        yield Cast(running, simulator, customer, plan(work, place, _request(place, callback), **how))


def _started(
    stack: ExitStack,
    folder: Path,
    name: str,
    port: int,
    options: Sequence[str],
    env: Mapping[str, str] | None = None,
) -> Child:
    """Up, as far as its port tells."""
    log = folder / f"{name}.log"
    process = stack.enter_context(program([_path(name) or name, *options], log, env))
    wait_until_open(port, process, name, log, UP_WITHIN_S)
    return process


def _of_rabbit(folder: Path, ports: Mapping[str, int]) -> dict[str, str]:
    return {
        "HOME": f"{folder}",
        "RABBITMQ_NODENAME": "bench@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(ports["rabbit"]),
        "RABBITMQ_DIST_PORT": str(ports["nodes"]),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(ports["names"]),
        "RABBITMQ_MNESIA_BASE": f"{folder}/rabbit",
        "RABBITMQ_LOG_BASE": f"{folder}/rabbit-log",
        "RABBITMQ_CONFIG_FILE": f"{folder}/rabbit",
        "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/rabbit-plugins",
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
    }


def _of_jasmin(folder: Path, ports: Mapping[str, int]) -> dict[str, str]:
    """All of its settings may stand in the environment."""
    (folder / "store").mkdir()
    python = Path(_path(PROGRAMS[0]) or "").with_name("python")
    found = subprocess.run([python, "-c", SPEC], capture_output=True, text=True, check=False)
    if found.returncode:
        raise Broken(f"{python} has no Jasmin\n{found.stderr}")
    of_ports = {
        "AMQP_BROKER_PORT": "rabbit", "CLIENT_MANAGEMENT_PORT": "clients", "HTTP_API_PORT": "http", "JCLI_PORT": "jcli",
        "REDIS_CLIENT_PORT": "redis", "ROUTER_PORT": "router", "SMPP_SERVER_PORT": "smpp", "SMPP_SERVER_PB_PORT": "pb",
        "SMPP_SERVER_PB_CLIENT_PORT": "pb",
    }  # fmt: skip
    return {
        "ROOT_PATH": f"{folder}",
        "LOG_PATH": f"{folder}",
        "STORE_PATH": f"{folder}/store/",
        "AMQP_BROKER_SPEC": found.stdout.strip(),
        **{f"{section.upper()}_LOG_LEVEL": "WARNING" for section in SECTIONS},
        **{name: str(ports[what]) for name, what in of_ports.items()},
    }


def _furnish(port: int, smpp: str) -> None:
    """A user, and BINDS connectors to the carrier, which take turns."""
    host, _, at = smpp.rpartition(":")
    with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as console:
        _say(console, "jcliadmin", until=rb"Password: \Z")
        _say(console, "jclipwd")
        _say(console, "group -a", "gid bench", "ok")
        _say(console, "user -a", "username bench", "password bench", "gid bench", "uid bench", "ok")
        to = (f"host {host}", f"port {at}", "username bench", "password bench", "submit_throughput 0")
        for n in range(BINDS):
            _say(console, "smppccm -a", f"cid bench{n}", *to, "ok")
            _say(console, f"smppccm -1 bench{n}")
        connectors = ";".join(f"smppc(bench{n})" for n in range(BINDS))
        _say(console, "filter -a", "type transparentfilter", "fid any", "ok")
        route = ("type randomroundrobinmtroute", "order 10", f"connectors {connectors}", "filters any", "rate 0")
        _say(console, "mtrouter -a", *route, "ok")


def _say(console: socket.socket, *lines: str, until: bytes = PROMPT.pattern) -> None:
    """Each when there is a prompt for it. It does not say in a way to be read whether it has understood."""
    for line in lines:
        console.sendall(f"{line}\r\n".encode())
        heard = b""
        while not re.search(until, ESCAPES.sub(b"", heard)) or b"\n" not in heard:
            more = console.recv(4096)
            if not more:
                raise Broken(f"Jasmin's console ended after {line!r}")
            heard += more


def _request(place: str, callback: str) -> str:
    """GET /send. The callback's address says the number; 2 is the level of final states."""
    told = _quoted(f"{callback}?text=") + "%d"
    what = f"from={_quoted(SOURCE)}&to=%d&content=0&dlr=yes&dlr-level=2&dlr-method=GET&dlr-url={told}"
    return f"GET /send?username=bench&password=bench&{what} HTTP/1.1\r\nHost: {place}\r\n\r\n"


def _quoted(text: str) -> str:
    return quote(text, safe="").replace("%", "%%")
