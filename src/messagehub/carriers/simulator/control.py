"""The simulator's control over HTTP: be a handset, and see what was sent.

    POST /send       {"from", "to", "text", "shuffle": false}  ->  {"parts", "statuses"}
                     and of an MMS "subject" and "medias": [{"type", "name", "octets" (base64)}]
    POST /vasp       {"url", "username", "password", "vasp_id"}  ->  {}; from now on reports and MMS go there
    POST /outbind    {"host", "port", "system_id", "password"} ->  {}, once the ESME is told to bind
    GET  /stats                                                ->  the counts, and how often each rule was "played"
    GET  /submits    ?after=N                                  ->  {"result": [...], "next": N}
    GET  /submits/N/parts/K                                    ->  the octets of a part of an MMS, from 1
    GET  /submits/N/raw                                        ->  the request that brought an MMS, as it came
    GET  /picture.jpg                                          ->  a picture to send

What goes wrong is {"error": words}: 400, 503 where nobody is bound or can be called, 504 where nobody answers.
"""

import asyncio
from itertools import count
from typing import Any

import msgspec
from msgspec.structs import asdict
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from messagehub.carriers.simulator import sample
from messagehub.carriers.simulator.listener import Listener
from messagehub.carriers.simulator.mms_record import Raw, read_parts
from messagehub.carriers.simulator.mmsc import Mmsc, NoVasp
from messagehub.carriers.simulator.options import Vasp
from messagehub.carriers.simulator.record import as_dict
from messagehub.carriers.simulator.smsc import NobodyBound, Smsc
from messagehub.media.kinds import by_type, file_name
from messagehub.mms import Content, Medium
from messagehub.smpp import status
from messagehub.web import BadURL, check_url

ANSWER_WITHIN = 30.0  # seconds that the ESME has for all parts


class HandsetMedium(msgspec.Struct, forbid_unknown_fields=True):
    """A picture or another medium; `name` is its file's."""

    type: str
    octets: bytes
    name: str = ""


class Handset(msgspec.Struct, forbid_unknown_fields=True):
    """What a handset writes."""

    source: str = msgspec.field(name="from")
    to: str
    text: str = ""
    shuffle: bool = False
    subject: str = ""
    medias: tuple[HandsetMedium, ...] = ()


class Told(msgspec.Struct, forbid_unknown_fields=True):
    """Where one who sends MMS takes reports and MMS; without an id, all who have said nothing."""

    url: str
    username: str = ""
    password: str = ""
    vasp_id: str = ""


class Outbind(msgspec.Struct, forbid_unknown_fields=True):
    """An ESME to call, and what to say to it."""

    host: str
    port: int
    system_id: str
    password: str = ""


class Control:
    """An HTTP server for one carrier."""

    def __init__(self, smsc: Smsc, mmsc: Mmsc, host: str, port: int) -> None:
        self._smsc, self._mmsc = smsc, mmsc
        routes = [
            Route("/send", self._send, methods=["POST"]),
            Route("/vasp", self._vasp, methods=["POST"]),
            Route("/outbind", self._outbind, methods=["POST"]),
            Route("/stats", self._stats),
            Route("/submits", self._submits),
            Route("/submits/{n:int}/parts/{k:int}", self._part),
            Route("/submits/{n:int}/raw", self._raw),
            Route("/picture.jpg", _picture),
        ]
        self._listener = Listener(routes, host, port)

    async def open(self) -> int:
        """Listen; the port. Raises OSError where it is taken."""
        return await self._listener.open()

    async def close(self) -> None:
        await self._listener.close()

    async def _send(self, request: Request) -> Response:
        try:
            handset = msgspec.json.decode(await request.body(), type=Handset)
            async with asyncio.timeout(ANSWER_WITHIN):
                return _json(await self._written(handset))
        except NobodyBound:
            return _error(503, "nobody is bound to receive")
        except NoVasp:
            return _error(503, "nobody has said where MMS are taken: POST /vasp")
        except TimeoutError:
            return _error(504, f"no answer within {ANSWER_WITHIN:g} s; it is sent until it is answered")
        except ValueError as error:
            return _error(400, str(error))

    async def _written(self, handset: Handset) -> dict[str, Any]:
        if handset.medias or handset.subject:
            content = Content(handset.text, tuple(map(_medium, count(1), handset.medias)))
            words = await self._mmsc.write(handset.source, handset.to, content, handset.subject)
            return {"parts": 1, "statuses": [words]}
        answers = await self._smsc.write(handset.source, handset.to, handset.text, handset.shuffle)
        return {"parts": len(answers), "statuses": [status(number).name for number in answers]}

    async def _vasp(self, request: Request) -> Response:
        try:
            told = msgspec.json.decode(await request.body(), type=Told)
            check_url(told.url)
        except (ValueError, BadURL) as error:
            return _error(400, str(error))
        self._mmsc.vasps.put(told.vasp_id, Vasp(told.url, told.username, told.password))
        return _json({})

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
        smsc, mmsc = self._smsc, self._mmsc
        return _json(
            {
                "binds": smsc.binds,
                "most_binds": smsc.most_binds,
                "waiting": smsc.waiting + mmsc.vasps.waiting,
                **asdict(smsc.record.counts),
                "played": smsc.played | mmsc.played,
            }
        )

    async def _submits(self, request: Request) -> Response:
        after = request.query_params.get("after", "0")
        if not after.isdecimal():
            return _error(400, f"after: {after!r} is no number")
        shown = [as_dict(submit) for submit in self._smsc.record.after(int(after))]
        return _json({"result": shown, "next": shown[-1]["n"] if shown else int(after)})

    async def _part(self, request: Request) -> Response:
        n, k = request.path_params["n"], request.path_params["k"]
        found = self._found(n)
        if isinstance(found, Response):
            return found
        parts = read_parts(found)
        if not 0 < k <= len(parts):
            return _error(404, f"{n} has the parts 1 to {len(parts)}")
        part = parts[k - 1]
        return Response(part.body, headers={"content-type": part.type, "x-content-type-options": "nosniff"})

    async def _raw(self, request: Request) -> Response:
        found = self._found(request.path_params["n"])
        return found if isinstance(found, Response) else Response(found.body, media_type=found.content_type)

    def _found(self, n: int) -> Raw | Response:
        mms = self._smsc.record.mms(n)
        if mms is None:
            return _error(404, f"no MMS that is kept has the number {n}")
        return mms.raw or _error(410, f"the request that brought {n} was forgotten")


def _medium(place: int, given: HandsetMedium) -> Medium:
    kind = by_type(given.type)
    return Medium(given.type, given.octets, given.name or (file_name(kind, place) if kind else f"part{place}"))


async def _picture(request: Request) -> Response:
    return Response(await asyncio.to_thread(sample.picture), media_type="image/jpeg")


def _json(value: Any, code: int = 200) -> Response:
    return Response(msgspec.json.encode(value), code, media_type="application/json")


def _error(code: int, words: str) -> Response:
    return _json({"error": words}, code)
