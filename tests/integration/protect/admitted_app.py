"""An application of two slots behind the middleware, served by Granian: `python -m … PORT`."""

import asyncio
import sys

from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server.embed import Server

from tenfold.protect.calls.limit import FixedLimit
from tenfold.protect.doors.admission import AdmissionMiddleware, Shedder
from tenfold.protect.doors.admission.caller import Receive, Scope, Send
from tenfold.protect.doors.deadline import deadline_headers

WORK_S = 0.05
begun: list[str] = []


async def shop(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] != "http":
        return
    body = (await receive())["body"]
    if scope["path"] != "/ready":
        begun.append(scope["path"])
        await asyncio.sleep(WORK_S)
    said = f"{len(begun)} {deadline_headers()} ".encode() + body
    headers = [(b"content-length", str(len(said)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": said})


def tier(scope: Scope) -> int:
    return int(scope["path"][2])


if __name__ == "__main__":
    app = AdmissionMiddleware(shop, Shedder("shop", FixedLimit(2)), tier=tier)
    server = Server(
        app,
        address="127.0.0.1",
        port=int(sys.argv[1]),
        interface=Interfaces.ASGINL,
        log_level=LogLevels.error,
        websockets=False,
    )
    asyncio.run(server.serve())
