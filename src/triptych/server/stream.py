"""Server-sent events, and answers that notice when the client goes away. Knows no job.

The format is the HTML standard's: `id`, `event` and `data` lines and an empty one; a line that begins with a colon is a
comment, sent so that proxies and clients keep a quiet stream open.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping
from contextlib import aclosing
from typing import Any, TypeVar

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

T = TypeVar("T")
HEARTBEAT = b": still here\n\n"
HEADERS = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    "x-accel-buffering": "no",  # nginx would collect events before it passes them on
}


EVENT_CONTENT: dict[str, Any] = {
    "text/event-stream": {
        "schema": {
            "type": "object",
            "description": "One event of the stream; `data` is a JSON object.",
            "properties": {
                "id": {"type": "string"},
                "event": {"type": "string"},
                "data": {"type": "string", "contentMediaType": "application/json"},
            },
            "required": ["event", "data"],
        }
    }
}
"""For `/openapi.json`."""


class ClientGone(Exception):
    """Nobody is there any more to be answered."""


def sse(data: Mapping[str, Any], *, name: str | None = None, number: int | None = None) -> bytes:
    """One event. ASCII JSON has no line break in it, so one data line suffices."""
    lines = [] if number is None else [f"id: {number}"]
    lines += [] if name is None else [f"event: {name}"]
    lines.append(f"data: {json.dumps(data, separators=(',', ':'))}")
    return ("\n".join(lines) + "\n\n").encode()


async def unless_gone(work: Coroutine[Any, Any, T], receive: Receive) -> T:
    """What `work` gives; `ClientGone`, and `work` is cancelled, if the client hangs up before. The body is read."""
    working = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_hung_up(receive))
    try:
        await asyncio.wait({working, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientGone
        return working.result()
    finally:
        for task in (working, gone):
            task.cancel()
        await asyncio.gather(working, gone, return_exceptions=True)


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class EventStream(Response):
    """Sends what `source` yields, at once, until it ends or the client hangs up; then `on_gone` is called."""

    def __init__(
        self,
        source: AsyncGenerator[bytes, None],
        *,
        headers: Mapping[str, str] | None = None,
        on_gone: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.source, self.on_gone = source, on_gone
        self.status_code, self.background = 200, None
        self.init_headers({**HEADERS, **(headers or {})})

    def init_headers(self, headers: Mapping[str, str] | None = None) -> None:
        """Without a length, which nobody knows yet."""
        self.raw_headers = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        try:
            await unless_gone(self._send(send), receive)
        except ClientGone:
            if self.on_gone is not None:
                await self.on_gone()

    async def _send(self, send: Send) -> None:
        async with aclosing(self.source) as source:
            async for chunk in source:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
