"""The one HTTP client that speaks to providers.

It knows at every moment whether a byte of the request has left: `Unreached` before, `Lost` after. It never sends
anything twice. The key travels only to the origins that may see it. A POST is never redirected; a picture's address may
be, a few times, each hop checked anew and without the key on another origin. The address of the connected socket is
checked before the first byte. Answers have a limit in bytes and in seconds, and come uncompressed, so that neither a
flood, a drip nor a bomb gets in. Environment variables (proxies, netrc, certificates) play no part.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urljoin

import httpx2 as httpx

from triptych.core.recipe import package_version
from triptych.hosted.errors import Lost, NotRun, Spoilt, Unreached
from triptych.hosted.keys import Secret, without
from triptych.hosted.messages import EVENTS, Answer, Call, events
from triptych.hosted.reach import Origin, Reach

CONNECT_SECONDS = 15.0
HOPS = 3
REDIRECTS = (301, 302, 303, 307, 308)
MAX_SAID = 600

OnData = Callable[[dict[str, Any]], None]


class Client:
    """Speaks to one provider with one key. Connections are not kept: each is looked at when it is made."""

    def __init__(self, reach: Reach, secret: Secret, auth_header: str, *, auth_prefix: str = "") -> None:
        self.reach, self.secret = reach, secret
        self._auth = {auth_header: auth_prefix + secret.value}
        self._http = httpx.Client(trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))

    def close(self) -> None:
        self._http.close()

    def send(self, call: Call, *, on_data: OnData | None = None) -> Answer:
        """The answer, whatever its status. on_data gets each JSON object of an event stream as it comes.

        Raises `Unreached` if nothing was sent, `Lost` if it was and no answer came, `NotRun` for an address that is not
        allowed and for a redirect, `Spoilt` for an answer that is too large.
        """
        self.reach.check(call.url)
        deadline = time.monotonic() + call.seconds
        url = call.url
        for _ in range(HOPS + 1):
            answer = self._once(call, url, deadline, on_data)
            if answer.status not in REDIRECTS:
                return answer
            target = urljoin(url, answer.headers.get("location", ""))
            if call.method != "GET":
                raise NotRun(f"{answer.host} answered with a redirect ({answer.status}), which is not followed")
            self.reach.check(target)
            url = target
        raise NotRun(f"{Origin.of(call.url).host} redirects more than {HOPS} times")

    def said(self, text: object) -> str:
        """What a provider says, fit to be shown: one short printable line without the key in any form."""
        line = " ".join(without(self.secret, str(text)).split())
        shown = "".join(char for char in line if char.isprintable())
        return shown if len(shown) <= MAX_SAID else shown[: MAX_SAID - 3] + "..."

    def _once(self, call: Call, url: str, deadline: float, on_data: OnData | None) -> Answer:
        watch = _Watch(self.reach, url, deadline)
        host = Origin.of(url).host
        headers = {"Accept-Encoding": "identity", "User-Agent": f"triptych/{package_version()}", **call.headers}
        if call.auth and self.reach.may_see_key(url):
            headers |= self._auth
        body: dict[str, Any] = {"json": call.json} if call.json is not None else {}
        if call.form:
            body = {"files": list(call.form)}
        try:
            left = max(deadline - time.monotonic(), 0.01)
            timeout = httpx.Timeout(left, connect=min(left, CONNECT_SECONDS))
            request = self._http.build_request(
                call.method, url, headers=headers, timeout=timeout, extensions={"trace": watch}, **body
            )
            with watch, self._closing(request) as response:
                return Answer(
                    response.status_code, response.headers, _read(response, call.limit, host, deadline, on_data), host
                )
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, UnicodeError) as error:
            why = "took too long" if time.monotonic() >= deadline else _reason(error)
            if watch.sent:
                raise Lost(f"{host} was asked and gave no answer: {self.said(why)}") from None
            raise Unreached(f"{host} could not be reached: {self.said(why)}") from None

    def _closing(self, request: httpx.Request) -> Any:
        return contextlib.closing(self._http.send(request, stream=True))


class _Watch:
    """Follows one request: looks at the peer, remembers whether a byte left, and cuts the line at the deadline.

    httpx counts seconds per read; who sends a byte a minute would hold it for ever, hence the timer.
    """

    def __init__(self, reach: Reach, url: str, deadline: float) -> None:
        self.reach, self.url, self.sent = reach, url, False
        self._stream: Any = None
        self._timer = threading.Timer(max(deadline - time.monotonic(), 0), self._cut)
        self._timer.daemon = True

    def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        """httpcore's trace: called before and after each step of a connection."""
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self._stream = info["return_value"]
        if event == "connection.connect_tcp.complete":
            address = self._stream.get_extra_info("server_addr")
            try:
                self.reach.check_peer(self.url, str(address[0]))
            except NotRun:
                self._stream.close()
                raise
        if event == "http11.send_request_headers.started":
            self.sent = True

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *exception: object) -> None:
        self._timer.cancel()

    def _cut(self) -> None:
        handle = self._stream.get_extra_info("socket") if self._stream is not None else None
        if handle is not None:
            with contextlib.suppress(OSError):
                handle.shutdown(socket.SHUT_RDWR)


def _read(response: httpx.Response, limit: int, host: str, deadline: float, on_data: OnData | None) -> bytes:
    """The body, counted while it comes. Spoilt where it is too large or compressed against our wish."""
    if response.headers.get("content-encoding", "identity") != "identity":
        raise Spoilt(f"{host} sent a compressed answer, which was not asked for")
    announced = response.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limit:
        raise _too_large(host, limit)
    chunks: list[bytes] = []
    size = 0
    lines = _Lines(on_data) if on_data and response.headers.get("content-type", "").startswith(EVENTS) else None
    for chunk in response.iter_raw():
        size += len(chunk)
        if size > limit:
            raise _too_large(host, limit)
        if time.monotonic() > deadline:
            raise httpx.ReadTimeout("took too long")
        chunks.append(chunk)
        if lines:
            lines.feed(chunk)
    return b"".join(chunks)


def _too_large(host: str, limit: int) -> Spoilt:
    return Spoilt(f"{host} sent more than the {limit // 2**20} MiB that are read; the rest was not waited for")


class _Lines:
    """Server-sent events from chunks: each `data:` line that is a JSON object."""

    def __init__(self, on_data: OnData) -> None:
        self._on_data, self._rest = on_data, b""

    def feed(self, chunk: bytes) -> None:
        *whole, self._rest = (self._rest + chunk).split(b"\n")
        for data in events(b"\n".join(whole)):
            self._on_data(data)


def _reason(error: Exception) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "took too long"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return "its certificate is not trusted"
        cause = cause.__cause__ or cause.__context__
    return str(error) or type(error).__name__
