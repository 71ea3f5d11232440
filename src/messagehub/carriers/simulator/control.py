"""The simulator's control over HTTP: be a handset, and see what was sent.

    POST /send       {"from", "to", "text", "shuffle": false}  ->  {"parts", "statuses"}
    POST /outbind    {"host", "port", "system_id", "password"} ->  {}, once the ESME is told to bind
    GET  /stats                                                ->  the counts, and how often each rule was "played"
    GET  /submits    ?after=N                                  ->  {"result": [...], "next": N}

What goes wrong is {"error": words}: 400, 503 where nobody is bound or can be called, 504 where nobody answers.
"""

import asyncio
import socket
from dataclasses import asdict
from typing import Any

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from messagehub.carriers.simulator.record import as_dict
from messagehub.carriers.simulator.smsc import NobodyBound, Smsc
from messagehub.serving import Server
from messagehub.smpp import status

ANSWER_WITHIN = 30.0  # seconds that the ESME has for all parts


class Handset(msgspec.Struct, forbid_unknown_fields=True):
    """What a handset writes."""

    source: str = msgspec.field(name="from")
    to: str
    text: str
    shuffle: bool = False


class Outbind(msgspec.Struct, forbid_unknown_fields=True):
    """An ESME to call, and what to say to it."""

    host: str
    port: int
    system_id: str
    password: str = ""


class Control:
    """An HTTP server for one message centre."""

    def __init__(self, smsc: Smsc, host: str, port: int) -> None:
        self._smsc, self._host, self._port = smsc, host, port
        routes = [
            Route("/send", self._send, methods=["POST"]),
            Route("/outbind", self._outbind, methods=["POST"]),
            Route("/stats", self._stats),
            Route("/submits", self._submits),
        ]
        config = uvicorn.Config(
            Starlette(routes=routes), lifespan="off", access_log=False, log_level="warning", log_config=None
        )
        self._server = Server(config)
        self._serving: asyncio.Task[None] | None = None

    async def open(self) -> int:
        """Listen; the port. Raises OSError where it is taken."""
        listening = socket.create_server((self._host, self._port))
        self._serving = asyncio.create_task(self._server.serve(sockets=[listening]))
        await self._server.up.wait()
        port: int = listening.getsockname()[1]
        return port

    async def close(self) -> None:
        """Stop, whoever is still connected. (uvicorn's own way takes a fifth of a second to say goodbye.)"""
        if self._serving is None:
            return
        self._serving.cancel()
        await asyncio.wait((self._serving,))
        for server in self._server.servers:
            server.close()
        for connection in list(self._server.server_state.connections):
            connection.shutdown()

    async def _send(self, request: Request) -> Response:
        try:
            handset = msgspec.json.decode(await request.body(), type=Handset)
            async with asyncio.timeout(ANSWER_WITHIN):
                answers = await self._smsc.write(handset.source, handset.to, handset.text, handset.shuffle)
        except NobodyBound:
            return _error(503, "nobody is bound to receive")
        except TimeoutError:
            return _error(504, f"no answer within {ANSWER_WITHIN:g} s; it is sent until it is answered")
        except ValueError as error:
            return _error(400, str(error))
        return _json({"parts": len(answers), "statuses": [status(number).name for number in answers]})

    async def _outbind(self, request: Request) -> Response:
        try:
            asked = msgspec.json.decode(await request.body(), type=Outbind)
            await self._smsc.call(asked.host, asked.port, asked.system_id, asked.password)
        except OSError as error:
            return _error(503, f"cannot call {asked.host}:{asked.port}: {error}")
        except (ValueError, OverflowError) as error:
            return _error(400, str(error))
        return _json({})

    async def _stats(self, request: Request) -> Response:
        smsc = self._smsc
        return _json(
            {
                "binds": smsc.binds,
                "most_binds": smsc.most_binds,
                "waiting": smsc.waiting,
                **asdict(smsc.record.counts),
                "played": smsc.played,
            }
        )

    async def _submits(self, request: Request) -> Response:
        after = request.query_params.get("after", "0")
        if not after.isdecimal():
            return _error(400, f"after: {after!r} is no number")
        submits = self._smsc.record.after(int(after))
        last = submits[-1][0] if submits else int(after)
        return _json({"result": [as_dict(submit) for submit in submits], "next": last})


def _json(value: Any, code: int = 200) -> Response:
    return Response(msgspec.json.encode(value), code, media_type="application/json")


def _error(code: int, words: str) -> Response:
    return _json({"error": words}, code)
