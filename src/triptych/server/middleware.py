"""The outermost layer of the app: an id for every request, the checks of `safety`, limits on the body, safe headers,
a log line and a measurement for every answer, and an answer for every error.

One plain ASGI middleware instead of a stack of them, so that the order is written in one place. Knows no route.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from triptych.core.logs import FIELDS
from triptych.server import safety
from triptych.server.errors import ApiError
from triptych.server.metrics import Metrics
from triptych.server.safety import Head, Rules
from triptych.server.stream import HEADERS

log = logging.getLogger(__name__)
EVENTS = HEADERS["content-type"].encode()
PROBES = ("/health", "/ready")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass
class Watch:
    """What is told of one request in the end."""

    request_id: str
    started: float = field(default_factory=time.perf_counter)
    status: int = 0
    sent: int = 0
    began: bool = False
    stream: bool = False


class Door:
    """ASGI middleware around the whole app.

    stopping: asked for every state change; True answers 503, since a job that is taken now might not be done.
    """

    def __init__(self, app: ASGIApp, rules: Rules, metrics: Metrics, stopping: Callable[[], bool]) -> None:
        self.app, self.rules, self.metrics, self.stopping = app, rules, metrics, stopping
        self.open_requests = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            # No route speaks WebSocket; closing before accepting answers 403.
            await send({"type": "websocket.close", "code": 1008})
            return
        await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        head = Head.of(dict(scope))
        watch = Watch(_request_id(head))
        scope.setdefault("state", {})["request_id"] = watch.request_id
        sending = self._sending(head, watch, send)
        self.open_requests += 1
        try:
            response = self._refusal(head)
            if response is None:
                await self.app(scope, self._receiving(head, receive), sending)
            else:
                await response(scope, receive, sending)
        except Exception as error:
            if watch.began:
                # Half of an answer is out; the connection has to break, so that nobody takes it for a whole one.
                log.exception("answer broke off", extra={FIELDS: {"request_id": watch.request_id}})
                raise
            if not isinstance(error, ApiError):
                log.exception("unexpected error", extra={FIELDS: {"request_id": watch.request_id}})
                error = ApiError(500, f"something went wrong here; the log says what, under {watch.request_id}")
            await error.response()(scope, receive, sending)
        finally:
            self.open_requests -= 1
            self._told(head, scope, watch)

    def _refusal(self, head: Head) -> Response | None:
        """The answer of a request that does not reach the app, None for all others."""
        try:
            safety.check(head, self.rules, safety.WHO)
            if head.method == "OPTIONS" and (cors := safety.cors_headers(head, self.rules.settings)):
                return Response(None, 204, {key.decode(): value.decode() for key, value in (*safety.PREFLIGHT, *cors)})
            safety.check(head, self.rules, safety.WHAT)
            self._check_load(head)
        except ApiError as error:
            self.metrics.refused.labels(error.code).inc()
            return error.response()
        return None

    def _check_load(self, head: Head) -> None:
        if head.path in PROBES:
            return
        if self.open_requests > self.rules.settings.limits.open_requests:
            raise ApiError(503, "too many requests are open", code="overloaded", headers={"retry-after": "1"})
        if head.method not in safety.SAFE_METHODS and self.stopping():
            message = "the server is stopping; ask again when it is back"
            raise ApiError(503, message, code="stopping", headers={"retry-after": "5"})

    def _receiving(self, head: Head, receive: Receive) -> Receive:
        """`receive` that counts a body and does not wait for ever for the rest of it."""
        limits = self.rules.settings.limits
        limit, seen, whole = safety.body_limit(head, self.rules), 0, False

        async def counted() -> Message:
            nonlocal seen, whole
            if whole:  # from here on it only waits for the client to go away, which may take long
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), limits.body_seconds)
            except TimeoutError:
                told = f"no byte of the body came for {limits.body_seconds:g} seconds"
                raise ApiError(408, told, code="timeout", headers={"connection": "close"}) from None
            if message["type"] == "http.request":
                seen += len(message.get("body", b""))
                if seen > limit:
                    raise safety.too_large(limit)
                whole = not message.get("more_body", False)
            return message

        return counted

    def _sending(self, head: Head, watch: Watch, send: Send) -> Send:
        """`send` that adds the headers of every answer and counts what goes out."""
        cors = safety.cors_headers(head, self.rules.settings)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                watch.status, watch.began = message["status"], True
                watch.stream = (b"content-type", EVENTS) in message.get("headers", ())
                if watch.stream:
                    self.metrics.streams.inc()
                own = [*message.get("headers", ()), (b"x-request-id", watch.request_id.encode())]
                names = {name for name, _ in own}
                own += [(name, value) for name, value in cors if name not in names]
                message = {**message, "headers": safety.with_security(own)}
            elif message["type"] == "http.response.body":
                watch.sent += len(message.get("body", b""))
            await send(message)

        return with_headers

    def _told(self, head: Head, scope: Scope, watch: Watch) -> None:
        if watch.stream:
            self.metrics.streams.dec()
        seconds = time.perf_counter() - watch.started
        route = _template(scope)
        method = head.method if head.method in ("GET", "HEAD", "POST", "DELETE", "OPTIONS") else "other"
        self.metrics.http_requests.labels(method, route, str(watch.status)).inc()
        self.metrics.http_seconds.labels(route).observe(seconds)
        fields: dict[str, Any] = {
            "request_id": watch.request_id,
            "method": method,
            "route": route,
            "status": watch.status,
            "seconds": round(seconds, 4),
            "bytes": watch.sent,
            **scope.get("state", {}).get("told", {}),
        }
        log.log(logging.DEBUG if head.path in PROBES else logging.INFO, "request", extra={FIELDS: fields})


def _request_id(head: Head) -> str:
    """The client's own id where it is harmless, else a new one."""
    given = head.all("x-request-id")
    if len(given) == 1 and _REQUEST_ID.fullmatch(given[0]):
        return given[0]
    return f"req_{uuid.uuid4().hex}"


def _template(scope: Scope) -> str:
    """The route's template: few values, whatever addresses people try, and nothing that somebody wrote."""
    route = scope.get("route")
    return getattr(route, "path", "none")
