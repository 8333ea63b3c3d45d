"""The process around the app: its socket, its signals, and how it ends.

SIGTERM and Ctrl-C: new work is answered 503, what runs may finish for a while, the rest is saved and given back to the
queue, event streams end, and the process exits with 0. A second signal ends it at once; nothing is lost by that either,
since everything that was promised is on the disk. Knows no route.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn
from fastapi import FastAPI

from triptych.core.errors import TriptychError
from triptych.core.files import reason
from triptych.core.logs import FIELDS
from triptych.server.app import create_app
from triptych.server.service import Service
from triptych.server.settings import Settings

BACKLOG = 1024
LAST_ANSWERS = 5
"""Seconds that answers which are being written get, once all jobs have ended or been given back."""
AT_ONCE = 1

log = logging.getLogger(__name__)


def listening(settings: Settings) -> socket.socket:
    """The socket of the server, so that a port that is taken is known before anything else is started."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # The protocol is named because asyncio sends small answers at once (TCP_NODELAY) only where it is; without that
    # every answer waits 40 ms for an acknowledgement.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((settings.host, settings.port))
        bound.listen(BACKLOG)
        return bound
    except OSError as error:
        bound.close()
        raise TriptychError(f"cannot listen on {settings.host} port {settings.port}: {reason(error)}") from None


def address(bound: socket.socket) -> str:
    """What a client on this machine has to call."""
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run(service: Service, settings: Settings, bound: socket.socket, on_ready: Callable[[], None]) -> None:
    """Serve until a signal. on_ready: called once connections are answered."""
    server = _Server(service, settings, bound, on_ready)
    server.run([bound])


def config(app: FastAPI, settings: Settings) -> uvicorn.Config:
    """How uvicorn carries the app."""
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # who asks is not read from headers, which anybody can write
        http="h11",
        ws="none",
        lifespan="on",
        timeout_graceful_shutdown=LAST_ANSWERS,
        h11_max_incomplete_event_size=2 * settings.limits.header_bytes,
    )


class _Server(uvicorn.Server):
    def __init__(
        self, service: Service, settings: Settings, bound: socket.socket, on_ready: Callable[[], None]
    ) -> None:
        super().__init__(config(create_app(service, settings, stopping=lambda: self.asked), settings))
        self.service, self.grace, self.on_ready = service, settings.grace, on_ready
        self.address, self.token_source = address(bound), settings.token.source
        self.asked = False
        self._draining: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        log.info("listening", extra={FIELDS: {"address": self.address, "token": self.token_source}})
        self.on_ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal is noted and acted upon in `on_tick`, on the loop; the second ends the process here."""
        if self.asked:
            os._exit(AT_ONCE)
        self.asked = True

    async def on_tick(self, counter: int) -> bool:
        if self.asked and self._draining is None:
            log.info("stopping", extra={FIELDS: {"grace": self.grace}})
            self._draining = asyncio.ensure_future(self._drain())
        return await super().on_tick(counter)

    async def _drain(self) -> None:
        try:
            await self.service.drain(self.grace)
        finally:
            self.should_exit = True
