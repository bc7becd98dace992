"""The studio's page from this computer: only to whoever has its address, and only to this computer.

The address holds a token that is drawn anew at every start. Requests need it, and a Host of this
computer; a WebSocket needs the page's Origin besides, for somebody else's page may open one.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Awaitable, Callable
from typing import Any

from deltaprop.errors import DataError, DeltapropError, MissingExtraError
from deltaprop.languages import told
from deltaprop.studio.frames import packed, unpacked
from deltaprop.studio.page import studio_page
from deltaprop.studio.session import Session
from deltaprop.studio.tables import OpenTable

try:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import HTMLResponse, PlainTextResponse, Response
    from starlette.routing import Route, WebSocketRoute
    from starlette.websockets import WebSocket, WebSocketDisconnect
except ImportError as error:
    raise MissingExtraError("The studio's server", "deltaprop[studio]") from error

__all__ = ["Stop", "application", "serve"]

_MOST_BYTES = 256 * 2**20  # of one message
_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def application(token: str, port: int, language: str, table: OpenTable | None = None) -> Starlette:
    """Return what answers at a port: the page at ``/``, its run at ``/run``.

    ``/page`` is the page with the kernels in it, for whoever takes a run away. ``table`` is what
    the page opens.
    """
    hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}

    def may_ask(connection: Request | WebSocket) -> bool:
        given = connection.query_params.get("token", "")
        known = secrets.compare_digest(given.encode(), token.encode())
        return known and connection.headers.get("host") in hosts

    def page_that_asks(at: str | None) -> Callable[[Request], Awaitable[Response]]:
        async def page(request: Request) -> Response:
            if not may_ask(request):
                return PlainTextResponse(
                    "This address lacks the token that deltaprop studio printed.\n", 403, _HEADERS
                )
            try:
                return HTMLResponse(studio_page(language, at, table=table), headers=_HEADERS)
            except DeltapropError as error:  # there are no kernels
                return PlainTextResponse(str(error), 404, _HEADERS)

        return page

    async def run(connection: WebSocket) -> None:
        origin = connection.headers.get("origin", "")
        if not may_ask(connection) or origin.removeprefix("http://") not in hosts:
            await connection.close(1008)
            return
        await connection.accept()
        await _answer(connection, Session(language, table), language)

    return Starlette(
        routes=[
            Route("/", page_that_asks("run")),
            Route("/page", page_that_asks(None)),
            WebSocketRoute("/run", run),
        ]
    )


async def _answer(connection: WebSocket, session: Session, language: str) -> None:
    """Answer one page's questions until it goes."""
    try:
        while True:
            data = await connection.receive_bytes()
            await connection.send_bytes(await asyncio.to_thread(_answered, session, data, language))
    except (WebSocketDisconnect, KeyError):  # it went, or sent what is no bytes
        pass
    finally:
        await asyncio.to_thread(session.close)


def _answered(session: Session, data: bytes, language: str) -> bytes:
    number: Any = None
    try:
        message, arrays = unpacked(data)
        number = message.get("id")
        if not isinstance(number, int):
            raise DataError("A question has a number.")
        answer, found = session.answer(message.get("kind"), message.get("asked"), arrays)
    except DeltapropError as error:
        return packed({"id": number, "refused": told(str(error), language)})
    return packed({"id": number, "answer": answer}, found)


class Stop:
    """Ends a server from another thread."""

    def __init__(self) -> None:
        self.server: uvicorn.Server | None = None

    def now(self) -> None:
        """Let it end."""
        if self.server is not None:
            self.server.should_exit = True


def serve(
    port: int,
    language: str,
    opened: Callable[[str], object],
    stop: Stop | None = None,
    *,
    table: OpenTable | None = None,
    token: str | None = None,
) -> None:
    """Serve the page until Ctrl-C; ``opened`` is told its address once it can be opened.

    ``table`` is what the page opens. The token is drawn unless one is given.

    Raises
    ------
    OSError
        The port is taken, or may not be had. Port 0 takes one that is free.
    """
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", port))
    token, own = token or secrets.token_urlsafe(24), listening.getsockname()[1]
    config = uvicorn.Config(
        application(token, own, language, table), log_level="warning",
        ws_max_size=_MOST_BYTES, ws_per_message_deflate=False, lifespan="off",
        timeout_graceful_shutdown=1, access_log=False,
    )  # fmt: skip
    server = uvicorn.Server(config)
    if stop is not None:
        stop.server = server

    async def until_over() -> None:
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        while not (server.started or serving.done()):
            await asyncio.sleep(0.01)
        if server.started:
            opened(f"http://127.0.0.1:{own}/?token={token}")
        await serving

    asyncio.run(until_over())
